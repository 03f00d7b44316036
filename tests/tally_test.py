"""tally.py misses no failure: every way in which a test can end badly is told."""

import io
import json
import os
import tempfile

import tally
import tap


def add(stdout, code=0, result="OK", stderr=""):
    total = tally.Tally()
    tally.add_test({"name": "w:unit / t", "stdout": stdout, "stderr": stderr,
                    "result": result, "returncode": code, "duration": 1.0}, "t", total)
    return total


def last(total):
    out = io.StringIO()
    tally.show(total, out)
    return out.getvalue().splitlines()


def expect(name, line, good, *words, **run):
    total = add(**run)
    lines = last(total)
    tap.ok(name, lines[-1] == line and total.good() == good and
           all(any(w in text for text in lines) for w in words), "\n".join(lines))


def test_streams():
    expect("all good", "2 passed, 0 failed", True, stdout="1..2\nok 1 - a\nok 2 - b\n")
    expect("plan at the end", "1 passed, 0 failed", True, stdout="ok 1 - a\n1..1\n")
    expect("a failure with its output", "1 passed, 1 failed", False, "t: b", "| why",
           stdout="1..2\nok 1 - a\nnot ok 2 - b\n# why\n", code=1, result="ERROR")
    expect("a skip with its reason", "1 passed, 0 failed, 1 skipped", True, "t: b: no slapd",
           stdout="1..2\nok 1 - a\nok 2 - b # SKIP no slapd\n")
    expect("a whole file skipped is no success", "0 passed, 0 failed, 1 skipped", False,
           "t: no clang", stdout="1..0 # SKIP no clang\n", result="SKIP")
    expect("cmocka's skip", "1 passed, 0 failed, 1 skipped", True, "t: b",
           stdout="1..2\nok 1 - a\nnot ok 2 # SKIP b\n", code=1, result="ERROR")
    expect("what is to do is no success", "1 passed, 0 failed, 1 skipped", True, "later",
           stdout="1..2\nok 1 - a\nnot ok 2 - b # TODO later\n")
    expect("an escaped # is no directive", "1 passed, 0 failed", True,
           stdout="1..1\nok 1 - a \\# skip this\n")


def test_ends():
    expect("nothing printed", "0 passed, 1 failed", False, "no plan", stdout="")
    expect("ended half-way", "1 passed, 1 failed", False, "planned 2 results and gave 1",
           stdout="1..2\nok 1 - a\n")
    expect("more than planned", "2 passed, 1 failed", False, "planned 1",
           stdout="1..1\nok 1 - a\nok 2 - b\n")
    expect("crashed", "1 passed, 1 failed", False, "died of signal 11", "AddressSanitizer",
           stdout="1..2\nok 1 - a\n", code=-11, result="ERROR", stderr="AddressSanitizer: x")
    expect("crashed after the last result", "1 passed, 1 failed", False, "signal 6",
           stdout="1..1\nok 1 - a\n", code=-6, result="ERROR")
    expect("a leak told at exit", "1 passed, 1 failed", False, "ended with status 23",
           stdout="1..1\nok 1 - a\n", code=23, result="ERROR")
    expect("a skip does not excuse a signal", "1 passed, 1 failed, 1 skipped", False, "signal 6",
           stdout="1..2\nok 1 - a\nok 2 - b # SKIP x\n", code=-6, result="ERROR")
    expect("too slow", "1 passed, 1 failed", False, "in time",
           stdout="1..1\nok 1 - a\n", code=-9, result="TIMEOUT")
    expect("bail out", "1 passed, 1 failed", False, "Bail out! no port",
           stdout="1..2\nok 1 - a\nBail out! no port\n", code=1, result="ERROR")


def test_logs():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "testlog.json")
        total = tally.Tally()
        tally.add_log(path, "asan", total)
        tap.ok("a missing log fails", not total.good() and len(total.failures) == 1)
        open(path, "w").close()
        total = tally.Tally()
        tally.add_log(path, "asan", total)
        tap.ok("an empty log fails", not total.good() and "no test ran" in last(total)[-3])
        with open(path, "w") as f:
            for name in "ab":
                print(json.dumps({"name": f"wingman:unit / {name}", "result": "OK",
                                  "returncode": 0, "stdout": "1..1\nok 1 - x\n"}), file=f)
        total = tally.Tally()
        tally.add_log(path, "gcc", total)
        tally.add_log(path, "asan", total)
        tap.equal("logs add up", last(total)[-1], "4 passed, 0 failed")


if __name__ == "__main__":
    tap.run([test_streams, test_ends, test_logs])
    tap.done()
