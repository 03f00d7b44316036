"""docs/protocol-musts.md: each demand of the protocol, and tests that exist and are run.

Whether a test holds what it stands beside is for people to judge.
"""

import os
import re
import subprocess

import tap

SOURCE = os.environ["WINGMAN_SOURCE"]
PAGE = os.path.join(SOURCE, "docs", "protocol-musts.md")
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


def rows():
    """[(number, what it is in short, what holds it)]"""
    found = []
    for line in read(PAGE).splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 3 and NUMBER.fullmatch(cells[0]):
            found.append(tuple(cells))
    return found


def is_run(path, text, name):
    """Whether a test of this name is defined in the file, and named where it is run."""
    if path.endswith(".c"):
        stem = os.path.basename(path).removesuffix("-test.c")
        build = read(os.path.join(SOURCE, os.path.dirname(path), "meson.build"))
        return (re.search(rf"^static void {name}\(void \*\*state\)$", text, re.MULTILINE)
                and re.search(rf"\b(cmocka_unit_test\w*|[A-Z]+)\({name}[,)]", text)
                and (f"'{stem}'" in build or f"'{stem}-test.c'" in build))
    script = os.path.basename(path)
    build = read(os.path.join(SOURCE, os.path.dirname(path), "meson.build"))
    return (name.startswith("test_") and re.search(rf"^def {name}\(", text, re.MULTILINE)
            and len(re.findall(rf"\b{name}\b", text)) > 1 and f"files('{script}')" in build)


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


if __name__ == "__main__":
    tap.run([test_numbers, test_rows, test_this_file])
    tap.done()
