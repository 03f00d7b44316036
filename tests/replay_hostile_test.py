"""Hostile records, played by build/tests/replay-hostile against the gate's keeper, and on the
whole way through processes (--full).

Ours pass; the same records with another expectation fail, so that passing means something;
and those that lie beside the project pass too, where they are there.
"""

import copy
import json
import os
import shutil
import subprocess
import tempfile

import tap

BUILD, ROOT = os.environ["WINGMAN_BUILD"], os.environ["WINGMAN_SOURCE"]
PROGRAM = os.path.join(BUILD, "tests", "replay-hostile")
OURS = os.path.join(ROOT, "tests", "replay", "records.jsonl")
MORE = os.path.join(ROOT, "tests", "replay", "more.jsonl")
FOREIGN = os.path.join(ROOT, "tests", "replay", "foreign.jsonl")
WHOLE = os.path.join(ROOT, "tests", "replay", "full.jsonl")
FRESH = os.path.join(ROOT, "tests", "replay", "fresh.jsonl")
EYES = os.path.join(ROOT, "tests", "replay", "eyes.jsonl")
SHARED = os.path.join(ROOT, "..", "shared", "data", "hostile-model-examples.jsonl")
PATIENCE_S = 1500 # for a file: a watchdog, on a machine that is busy
EVERY = 9       # of ours, for what must fail
FULL_EVERY = 10 # and on the whole way, which takes longer: --full FILE plays all


def replay(path):
    """(records' lines, last line, exit status)"""
    done = subprocess.run([PROGRAM, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=PATIENCE_S, check=False)
    lines = done.stdout.decode("ascii").split("\n")[:-1]
    return [json.loads(line) for line in lines[:-1]], lines[-1] if lines else "", done.returncode


def replay_full(path):
    done = subprocess.run([PROGRAM, "--full", path], stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    lines = done.stdout.decode("ascii").split("\n")[:-1]
    return [json.loads(line) for line in lines[:-1]], lines[-1] if lines else "", done


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def replay_all(records, toolset=True):
    with tempfile.TemporaryDirectory(prefix="wingman-records-") as folder:
        path = os.path.join(folder, "some.jsonl")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(json.dumps(r) + "\n" for r in records)
        if toolset:
            shutil.copy(OURS.replace(".jsonl", ".toolset.json"),
                        os.path.join(folder, "some.toolset.json"))
        return replay(path)


def passes(path):
    records = read(path)
    lines, last, status = replay(path)
    name = os.path.basename(path)
    tap.ok(f"every record of {name} passes", all(line["passed"] for line in lines),
           "\n".join(json.dumps(line) for line in lines if not line["passed"]))
    tap.equal(f"each record of {name} has its line", [line["name"] for line in lines],
              [r["name"] for r in records])
    tap.equal(f"{name} is counted", (last, status), (f"{len(records)} passed, 0 failed", 0))


def test_ours():
    passes(OURS)
    passes(MORE)
    passes(FOREIGN)
    passes(FRESH)
    passes(EYES)


def test_shared():
    if not os.path.exists(SHARED):
        tap.skip("the records beside the project", f"there is no {SHARED}")
        return
    passes(SHARED)


def some_of(path, folder, every):
    """A file of every so many of these, with their toolset."""
    some = read(path)[::every]
    copy_to = os.path.join(folder, os.path.basename(path))
    with open(copy_to, "w", encoding="ascii") as f:
        f.writelines(json.dumps(r) + "\n" for r in some)
    beside = path.replace(".jsonl", ".toolset.json")
    shutil.copy(beside, copy_to.replace(".jsonl", ".toolset.json"))
    return copy_to, some


def full_passes(what, path, records):
    lines, last, done = replay_full(path)
    tap.equal(f"{what}: each on the whole way too",
              (last, done.returncode, [line for line in lines if not line["passed"]]),
              (f"{len(records)} passed, 0 failed", 0, []))
    tap.equal(f"{what}: each has its line, and nothing is said beside",
              ([line["name"] for line in lines], done.stderr.decode()),
              ([r["name"] for r in records], ""))


def test_full():
    """A mock of the provider, egress, worker, gate and servers, each a process."""
    node = os.path.join(ROOT, "build", "npm", "node", "bin", "node")
    if not os.path.exists(node):
        tap.skip("hostile models on the whole way", "node is not there (npm packages)")
        return
    with tempfile.TemporaryDirectory(prefix="wingman-records-") as folder:
        for path in (OURS, MORE, FRESH):
            full_passes(os.path.basename(path), *some_of(path, folder, FULL_EVERY))
        approved, _ = some_of(OURS, folder, 1)
        record = next(r for r in read(approved) if r["name"] == "approved")
        record["expect"]["executed"] = []
        with open(approved, "w", encoding="ascii") as f:
            f.write(json.dumps(record) + "\n{broken\n")
        lines, last, done = replay_full(approved)
        tap.equal("another outcome fails there as well, and what is no record",
                  (last, done.returncode, [line["passed"] for line in lines]),
                  ("0 passed, 2 failed", 1, [False, False]))
    if os.path.exists(SHARED):
        full_passes("those beside the project", SHARED, read(SHARED))


def by_name(path, *names):
    records = {r["name"]: r for r in read(path)}
    return [copy.deepcopy(records[name]) for name in names]


def test_full_context():
    """What is read and what is proposed together goes the whole way; else it is said to be left out."""
    records = read(WHOLE)
    lines, last, status = replay(WHOLE)
    left = [line for line in lines if not line["passed"]]
    tap.ok("in one process what has to be read fails and says so, the rest passes",
           0 < len(left) < len(lines) == len(records) and status == 1 and
           all("--full alone" in line["why"] for line in left), left)
    tap.ok("which are those that read", {line["name"] for line in left} >= {
        r["name"] for r in records if "resources" in r["setup"]} and "several-approved" not in {
            line["name"] for line in left}, (last, left))
    node = os.path.join(ROOT, "build", "npm", "node", "bin", "node")
    if not os.path.exists(node):
        tap.skip("reading and several calls on the whole way", "node is not there (npm packages)")
        return
    full_passes("reading and several calls", WHOLE, records)
    with tempfile.TemporaryDirectory(prefix="wingman-records-") as folder:
        path = os.path.join(folder, "some.jsonl")
        shutil.copy(WHOLE.replace(".jsonl", ".toolset.json"), path.replace(".jsonl", ".toolset.json"))
        other, told, secret, warned, several, said = changed = by_name(
            WHOLE, "read-a-page", "search-and-read", "read-secrets", "read-orders-denied", "several-approved",
            "several-denied")
        other["expect"]["read"] = ["playbook://another"]
        told["expect"]["told"] = ["what nobody wrote"]
        secret["expect"]["not_told"] = ["Rotate monthly"]
        warned["expect"]["must_warn"] = ["'systems' was not"]
        several["expect"]["executed"].reverse()
        said["model_output"]["tool_calls"][0]["name"] = 5
        whys = ["read:", "was not told: what nobody wrote", "was told: Rotate monthly", "no such warning", "executed:",
                "no provider can say this"]
        with open(path, "w", encoding="ascii") as f:
            f.writelines(json.dumps(r) + "\n" for r in changed)
        lines, last, _ = replay_full(path)
        tap.ok("another expectation fails, and so does what no provider can say",
               last == f"0 passed, {len(changed)} failed" and all(w in line["why"] for w, line in zip(whys, lines)), lines)
        secret, = by_name(WHOLE, "read-secrets")
        secret["setup"]["resources"][0]["text"] = "5b0c1fe72a9d4863b7e0d1426c98af35" + " and so on" * 6000
        with open(path, "w", encoding="ascii") as f:
            f.write(json.dumps(secret) + "\n")
        lines, _, done = replay_full(path)
        tap.ok("a secret of ours in what the provider receives is no pass, however much that is",
               len(lines) == 1 and not lines[0]["passed"] and done.returncode == 1
               and "the provider received a secret" in lines[0]["why"], lines)


def test_other_secrets():
    """What only looks like ours, a record may talk of."""
    node = os.path.join(ROOT, "build", "npm", "node", "bin", "node")
    if not os.path.exists(node):
        tap.skip("secrets that are none of ours", "node is not there (npm packages)")
        return
    with tempfile.TemporaryDirectory(prefix="wingman-records-") as folder:
        path = os.path.join(folder, "some.jsonl")
        shutil.copy(FRESH.replace(".jsonl", ".toolset.json"), path.replace(".jsonl", ".toolset.json"))
        some = by_name(FRESH, "secret-in-words", "secret-in-a-result", "secret-in-a-question", "words-token")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(json.dumps(r) + "\n" for r in some)
        full_passes("what looks like a token", path, some)


def fails(what, change, records):
    changed = []
    for record in records:
        record = copy.deepcopy(record)
        change(record["expect"])
        record["expect"].pop("alternatively_executed", None)
        changed.append(record)
    lines, last, status = replay_all(changed)
    tap.ok(f"with {what} every record fails",
           lines and all(not line["passed"] and line["why"] for line in lines),
           "\n".join(json.dumps(line) for line in lines if line["passed"]))
    tap.equal(f"with {what} the count says so", (last, status),
              (f"0 passed, {len(changed)} failed", 1))


def test_expectations_count():
    ours = read(OURS)
    some = ours[::EVERY]
    by_name = {r["name"]: r for r in ours}
    ran = [r for r in some if r["expect"]["executed"]]
    tap.ok("some run and some do not", 0 < len(ran) < len(some), len(ran))

    def other_outcome(expect):
        expect["executed"] = [] if expect["executed"] else [
            {"name": "accounts.block_account", "arguments": {}}]

    fails("the other outcome", other_outcome, some)
    fails("other arguments", lambda e: e["executed"][0]["arguments"].update(more=1), ran)
    approved = [by_name["approved"]]
    fails("another number of prompts", lambda e: e.update(prompts=2), approved)
    fails("fewer prompts", lambda e: e.update(prompts={"max": 0}), approved)
    fails("a text that is not shown", lambda e: e.update(must_show=["bob.example"]), approved)
    fails("a warning that is not given", lambda e: e.update(must_flag=["bidi"]), approved)
    fails("a call that is not refused", lambda e: e.update(refused_calls=["a1"]), approved)
    fails("a text shown unescaped", lambda e: e.update(must_show=["\u202eelp"]),
          [by_name["shows-zero-width-in-person"]])


def odd_members(record):
    """Whatever a record lacks or has in place of what it should: a line that says so."""
    odd = []
    for change in (
            lambda r: r.pop("expect"), lambda r: r.pop("setup"), lambda r: r.pop("model_output"),
            lambda r: r["expect"].pop("executed"), lambda r: r.update(then=5),
            lambda r: r["then"].append("click"), lambda r: r["then"].append({}),
            lambda r: r["then"][0].update(delay_ms=-1), lambda r: r["then"][0].update(user=None),
            lambda r: r["then"][0].update(action="a\0b"),
            lambda r: r["then"].append({"event": "wait", "seconds": 1e300}),
            lambda r: r["setup"].update(now="yesterday"),
            lambda r: r["setup"].update(approval_ttl_s="long"),
            lambda r: r["expect"].update(must_flag=[None]),
            lambda r: r["expect"].update(prompts={}),
            lambda r: r["model_output"].update(tool_calls={"a": 1}),
            lambda r: r["model_output"].update(tool_calls=[7])):
        changed = copy.deepcopy(record)
        changed["then"] = [e for e in changed["then"] if e["event"] != "earthquake"]
        change(changed)
        odd.append(changed)
    lines, last, status = replay_all(odd, toolset=False)
    tap.ok("each of these fails and says why",
           all(not line["passed"] and line["why"] for line in lines),
           [line for line in lines if line["passed"]])
    tap.equal("and is counted", (last, status), (f"0 passed, {len(odd)} failed", 1))
    with tempfile.NamedTemporaryFile("wb", suffix=".jsonl") as f:
        f.write(b'{"name":"a"}\n\0\n[]\n\xff\n"x"')
        f.flush()
        lines, last, status = replay(f.name)
        tap.equal("bytes that are no record, and what comes after them",
                  (len(lines), last, status), (5, "0 passed, 5 failed", 1))


def test_odd_files():
    record = {"name": "no toolset", "setup": {"requester": "U0DANA", "channel": "C0X"},
              "model_output": {"tool_calls": [{"id": "a", "name": "people.find_person",
                                               "arguments": {"query": "x"}}]},
              "then": [{"event": "click", "user": "U0DANA", "call": "a", "action": "approve"}],
              "expect": {"executed": [{"name": "people.find_person",
                                       "arguments": {"query": "x"}}], "prompts": 1}}
    lines, last, _ = replay_all([record], toolset=False)
    tap.equal("without a toolset some of the catalogue serve", (lines[0]["passed"], last),
              (True, "1 passed, 0 failed"))
    record["then"].append({"event": "earthquake"})
    lines, last, status = replay_all([record], toolset=False)
    tap.ok("an event that is not known is no pass",
           not lines[0]["passed"] and "earthquake" in lines[0]["why"] and status == 1, lines)
    lines, last, status = replay_all([])
    tap.equal("no records prove nothing", (lines, last, status), ([], "0 passed, 0 failed", 1))
    odd_members(record)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.write("{broken\n\n")
        f.flush()
        lines, last, status = replay(f.name)
        tap.equal("a line that is none fails", (len(lines), last, status),
                  (1, "0 passed, 1 failed", 1))
    done = subprocess.run([PROGRAM, "/nonexistent.jsonl"], capture_output=True, check=False)
    tap.equal("a file that is not there is said", done.returncode, 2)


if __name__ == "__main__":
    tap.run([test_ours, test_shared, test_full, test_full_context, test_other_secrets, test_expectations_count, test_odd_files])
    tap.done()
