"""docs/protocol-musts.md, docs/approvals-musts.md and docs/slack-musts.md: each demand of the protocol,
each sentence of the promise and each attack on a front-end, and tests that exist and are run.

Whether a test holds what it stands beside is for people to judge.
"""

import os
import re
import subprocess

import tap

SOURCE = os.environ["WINGMAN_SOURCE"]
PAGE = os.path.join(SOURCE, "docs", "protocol-musts.md")
PROMISE = os.path.join(SOURCE, "docs", "approvals-musts.md")
APPROVALS = os.path.join(SOURCE, "..", "shared", "design", "APPROVALS.md")
FRONT = os.path.join(SOURCE, "docs", "slack-musts.md")
LAYOUTS = os.path.join(SOURCE, "..", "shared", "slack", "UX.md")
PLATFORM = os.path.join(SOURCE, "..", "shared", "slack", "SLACK.md")
ATTACKS = ("tests/attacks/kinds.c", "tests/attacks/hostile.py")
MODEL = "tests/models_test.py"
PUT_OFF = os.path.join(SOURCE, "docs", "conformance.md")
DIGEST = os.path.join(SOURCE, "..", "shared", "mcp", "PROTOCOL.md")
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
SUITE = os.path.join(NPM, "node_modules", "@modelcontextprotocol", "conformance", "dist",
                     "index.js")
NUMBER = re.compile(r"[SCAT]-\d\d")
LETTERS = "SCAT"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def words_in(text):
    return re.findall(r"`([^`]+)`", text)


def rows(page=PAGE, number=NUMBER):
    """[(number, what it is in short, what holds it)]"""
    found = []
    for line in read(page).splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if len(cells) == 3 and number.fullmatch(cells[0]):
            found.append(tuple(c.replace("\\|", "|") for c in cells))
    return found


def builds():
    """Every meson.build of the project, as one text."""
    if not builds.text:
        names = [os.path.join(SOURCE, "meson.build")]
        for top in os.listdir(SOURCE):
            if top == "build" or top.startswith((".", "build-")):
                continue
            for folder, _, files in os.walk(os.path.join(SOURCE, top)):
                names += [os.path.join(folder, n) for n in files if n == "meson.build"]
        builds.text = "".join(map(read, names))
    return builds.text


builds.text = ""


def is_run(path, text, name):
    """Whether a test of this name is defined in the file, and named where it is run."""
    if path.endswith(".c"):
        stem = os.path.basename(path).removesuffix("-test.c")
        build = builds()
        return (re.search(rf"^static void {name}\(void \*\*state\)$", text, re.MULTILINE)
                and re.search(rf"\b(cmocka_unit_test\w*|[A-Z_]+)\(\s*{name}[,)]", text)
                and (f"'{stem}'" in build or f"{stem}-test.c'" in build))
    script = os.path.basename(path)
    return (name.startswith("test_") and re.search(rf"^def {name}\(", text, re.MULTILINE)
            and len(re.findall(rf"\b{name}\b", text)) > 1 and re.search(rf"files\('[./a-z]*\b{re.escape(script)}'\)", builds()))


def faults_of(held, scenarios):
    """What is wrong with the last cell of a row."""
    if held.startswith("not held yet: "):
        return [] if len(held) > 30 else ["no reason"]
    faults = []
    for part in held.split("; "):
        names = words_in(part)
        if re.match(r"scenarios? `", part):
            scenarios.update(names)
            continue
        path = os.path.join(SOURCE, names[0]) if names else ""
        if not re.match(r"`[^`]+`: `", part) or not os.path.isfile(path):
            faults.append(f"no test: {part}")
            continue
        text = read(path)
        faults += [f"{names[0]} runs no {name}" for name in names[1:]
                   if not is_run(names[0], text, name)]
    return faults


# --- the promise ---

def plain(text):
    """Words without marks: of a page's sentence, and of what a row quotes of it."""
    return re.sub(r"\s+", " ", re.sub(r"[`*|]", "", text)).strip()


def sentences():
    """Those of the promise, tables row by row; headings and words that begin a list left out."""
    found = []
    for line in read(APPROVALS).splitlines():
        if not line.strip() or line.startswith(("#", "| ---", "| part")):
            continue
        parts = [line] if line.startswith("|") else re.split(
            r"(?<=[.:])\**\s+(?=[*`\"A-Z(<\u2018'])", line.strip())
        found += [s for s in map(plain, parts)
                  if len(s) > 30 or not re.match(r"(\d\.|- )?\s*[\w ()-]*[.:]?$", s)]
    return found


def promise_faults(held):
    """The same as faults_of, for a row of the promise."""
    if held.startswith(("open: ", "left out: ")):
        return [] if len(held) > 40 else ["no reason"]
    faults = []
    for part in held.split("; "):
        names = words_in(part)
        if part.startswith("attacks `"):
            known = "".join(read(os.path.join(SOURCE, path)) for path in ATTACKS)
            faults += [f"no attack is '{n}'" for n in names if f'"{n}"' not in known]
        elif part.startswith("models `"):
            known = read(os.path.join(SOURCE, MODEL))
            faults += [f"no variant is '{n}'" for n in names if f'    "{n}": (' not in known]
        elif part.startswith("page `"):
            text = plain(read(os.path.join(SOURCE, names[0])))
            faults += [f"{names[0]} does not say '{n}'" for n in names[1:] if n not in text]
        else:
            faults += faults_of(part, set())
    return faults


def test_promise():
    number = re.compile(r"A-\d{1,3}")
    found = rows(PROMISE, number)
    tap.equal("the promise: one row each, in order, without gaps", [row[0] for row in found],
              [f"A-{i}" for i in range(1, len(found) + 1)])
    for n, short, held in found:
        faults = promise_faults(held)
        tap.ok(f"{n}: {short[:60]}", short and held and not faults, "\n".join(faults))
    page = read(PROMISE)
    listed = page[page.index("## Open"):]
    tap.equal("what is open is told at the end", [n for n, _, held in found
              if held.startswith("open: ") and f"- **{n}**" not in listed], [])
    if not os.path.isfile(APPROVALS):
        tap.skip("the sentences are those of the promise", "there is no ../shared/design")
        return
    whole = plain(read(APPROVALS))
    quotes = [plain(short) for _, short, _ in found]
    tap.equal("each row quotes the promise", [q for q in quotes if q not in whole], [])
    tap.equal("no sentence is left out",
              [s for s in sentences() if not any(q in s or s in q for q in quotes)], [])


# --- Slack ---

def test_slack():
    found = {}
    for letter in "UEPS":
        found[letter] = rows(FRONT, re.compile(rf"{letter}-\d{{1,3}}"))
        tap.equal(f"Slack, {letter}: one row each, in order, without gaps", [r[0] for r in found[letter]],
                  [f"{letter}-{i}" for i in range(1, len(found[letter]) + 1)])
        for n, short, held in found[letter]:
            faults = promise_faults(held)
            tap.ok(f"{n}: {short[:60]}", short and held and not faults, "\n".join(faults))
    page = read(FRONT)
    listed = page[page.index("## Open"):]
    tap.equal("what is open is told at the end", [n for part in found.values() for n, _, held in part
              if held.startswith("open: ") and f"- **{n}**" not in listed], [])
    if not os.path.isfile(LAYOUTS):
        tap.skip("the rows are those of Slack's pages", "there is no ../shared/slack")
        return
    layouts = read(LAYOUTS)
    attacks = re.findall(r"^\| (\d+) \| (.*?) \|", layouts[layouts.index("## D."):], re.MULTILINE)
    tap.equal("every attack has a row, in its words", [
        (n, plain(t).replace("**", "")) for n, t in attacks if not any(
            row[0] == f"U-{n}" and plain(row[1]) in plain(t).replace("**", "") for row in found["U"])], [])
    tap.equal("and there are no others", len(found["U"]), len(attacks))
    checks = re.findall(r"^(\d+)\. (.*)$", layouts[layouts.index("## E."):], re.MULTILINE)
    tap.equal("every check as well", [n for n, t in checks if not any(
        row[0] == f"E-{n}" and plain(row[1]) in plain(t) for row in found["E"])], [])
    tap.equal("no more, either", len(found["E"]), len(checks))
    musts = [plain(line) for line in read(PLATFORM).splitlines() if re.search(r"\bmust\b", line)]
    tap.equal("each line that says must is quoted", [
        line[:100] for line in musts if not any(plain(row[1]) in line for row in found["S"])], [])
    tap.equal("and nothing else is", [row[0] for row in found["S"] if not any(
        plain(row[1]) in line for line in musts)], [])


def put_off():
    """Scenarios that docs/conformance.md puts off in any run."""
    found = set()
    for line in read(PUT_OFF).splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0] in ("server", "client"):
            found.update(words_in(cells[2]))
    return found


def test_numbers():
    numbers = [row[0] for row in rows()]
    for letter in LETTERS:
        got = [n for n in numbers if n[0] == letter]
        tap.equal(f"{letter}: one row each, in order, without gaps", got,
                  [f"{letter}-{i:02}" for i in range(1, len(got) + 1)])
        tap.ok(f"{letter}: there are some", got)
    if not os.path.isfile(DIGEST):
        tap.skip("the numbers are those of the protocol", "there is no ../shared/mcp")
        return
    asked = re.findall(r"^- ([SCAT]-\d\d) ", read(DIGEST), re.MULTILINE)
    tap.equal("the numbers are those of the protocol", sorted(numbers), sorted(asked))


def test_rows():
    scenarios = set()
    for number, short, held in rows():
        faults = faults_of(held, scenarios)
        tap.ok(f"{number}: {short}", short and held and not faults, "\n".join(faults))
    tap.equal("no scenario that is named is put off", sorted(scenarios & put_off()), [])
    if not os.path.exists(SUITE):
        tap.skip("the suite has them", "build/npm has none; 'make test' installs it")
        return
    listed = subprocess.run([NODE, SUITE, "list"], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=60, check=False).stdout
    known = set(re.findall(r"^ +- (\S+) \[", listed, re.MULTILINE))
    tap.equal("the suite has them", sorted(scenarios - known), [])


def test_this_file():
    for held in ("", "`tests/none.py`: `x`", "`tests/musts_test.py`: `no_such`",
                 "`tests/musts_test.py`", "words", "not held yet: ",
                 "`common/mcp/dispatch-test.c`: `set_up`", "`tests/musts_test.py`: `words_in`"):
        tap.ok(f"not taken: '{held}'", faults_of(held, set()) != [])
    for held in ("", "open: ", "left out: no", "attacks `none such`", "models `NONE`",
                 "page `docs/security.md`: `no such words`", "words", "`tests/none.py`: `x`"):
        tap.ok(f"not taken of the promise: '{held}'", promise_faults(held) != [])


if __name__ == "__main__":
    tap.run([test_numbers, test_rows, test_promise, test_slack, test_this_file])
    tap.done()
