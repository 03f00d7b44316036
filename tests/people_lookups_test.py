"""Lookups of files of people: our own list, and the shared example where it is there."""

import json
import os
import subprocess
import tempfile

import tap

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "people-lookups")
SOURCE = os.environ["WINGMAN_SOURCE"]
SHARED = os.path.join(SOURCE, "..", "shared", "data", "identity-example.json")
OWN = os.path.join(SOURCE, "tests", "people", "lookups.json")


def run(path):
    """(status, lines read as JSON, the last line)."""
    done = subprocess.run([PROGRAM, path], capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    return done.returncode, [json.loads(line) for line in lines[:-1]], lines[-1] if lines else done.stderr


def check(name, path):
    status, results, last = run(path)
    with open(path, encoding="utf-8") as f:
        wanted = json.load(f)["lookups"]
    tap.equal(f"{name}: a line each", [r["query"] for r in results], [l["query"] for l in wanted])
    tap.equal(f"{name}: all right", [r for r in results if not r["passed"]], [])
    tap.equal(f"{name}: and said", (status, last), (0, f"{len(wanted)} passed, 0 failed"))


def test_own():
    check("our own", OWN)


def test_shared():
    if not os.path.exists(SHARED):
        tap.skip("the shared example", "no ../shared beside the project")
        return
    check("the shared example", SHARED)


def altered(change):
    with open(OWN, encoding="utf-8") as f:
        value = json.load(f)
    change(value)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
        json.dump(value, f)
        f.flush()
        return run(f.name)


def test_it_can_fail():
    for name, change in (("another outcome", lambda v: v["lookups"][0].update(expect="ambiguous")),
                         ("another person", lambda v: v["lookups"][0].update(people=["P02"])),
                         ("one more person", lambda v: v["lookups"][0]["people"].append("P02")),
                         ("another way", lambda v: v["lookups"][0].update(via="fuzzy")),
                         ("a flag", lambda v: v["lookups"][0].update(flag="mixed-script"))):
        status, results, last = altered(change)
        tap.equal(f"{name} is seen", (status, [r["passed"] for r in results].count(False), last[-8:]),
                  (1, 1, "1 failed"))


def test_what_is_not_known_is_no_fault():
    for name, change in (("a type", lambda v: v["people"][0].update(type="intern")),
                         ("a status", lambda v: v["people"][0].update(status="on leave")),
                         ("a member", lambda v: v["people"][0].update(shoes=44)),
                         ("no type at all", lambda v: v["people"][0].pop("type")),
                         ("an account that is null", lambda v: v["people"][0].update(slack=None))):
        tap.equal(f"taken as far as it goes: {name}", altered(change)[0], 0)
    for query in ("", "   ", "x" * 600):
        tap.equal(f"nobody is {query[:3]!r}", altered(lambda v: v.update(lookups=[
            {"query": query, "expect": "none", "people": []}]))[2], "1 passed, 0 failed")


def test_what_is_no_file_of_people():
    for name, change in (("two of one id", lambda v: v["people"][1].update(id=v["people"][0]["id"])),
                         ("no id", lambda v: v["people"][0].pop("id")),
                         ("an account that is no object", lambda v: v["people"][0].update(slack="U1")),
                         ("no people", lambda v: v.pop("people"))):
        tap.equal(f"refused as a whole: {name}", altered(change)[0], 2)


if __name__ == "__main__":
    tap.run([test_own, test_shared, test_it_can_fail, test_what_is_not_known_is_no_fault, test_what_is_no_file_of_people])
    tap.done()
