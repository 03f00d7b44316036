"""Add up test logs: names and output of failures, reasons of skips, one last line.

    tally.py [LABEL=]TESTLOG.JSON ...

Reads the testlog.json that meson writes, and the TAP in it. The junit file of the same
run is not enough: it knows nothing of a test that was killed half-way or whose plan
and results differ. The last line is 'N passed, N failed' and, if there were any,
', N skipped'. Status 1 if anything failed or nothing ran.
"""

import json
import re
import sys

RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:-\s*)?((?:[^#\\]|\\.)*)"
                    r"(?:#\s*(skip|todo)\S*\s*(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
OUTPUT_LINES_MAX = 200


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures = []  # (name, output)
        self.skips = []     # (name, reason)

    def last_line(self):
        line = f"{self.passed} passed, {len(self.failures)} failed"
        if self.skips:
            line += f", {len(self.skips)} skipped"
        return line

    def good(self):
        return not self.failures and self.passed > 0


def _read_tap(name, stdout, tally):
    """Add the results of one stream; (results, failures, plan or None, bail out or None)."""
    count, failed, plan, bail = 0, 0, None, None
    failing = False
    why = "the test itself asked for it"
    for line in stdout.splitlines():
        if match := PLAN.match(line):
            plan = int(match.group(1))
            if plan == 0:
                tally.skips.append((name, match.group(2) or "no reason given"))
        elif line.startswith("Bail out!"):
            bail = line
        elif match := RESULT.match(line):
            count += 1
            bad, _, text, directive, reason = match.groups()
            title = f"{name}: {text.strip().replace(chr(92) + '#', '#') or count}"
            failing = False
            if directive and bad and not text.strip():
                # cmocka: 'not ok 4 # SKIP name_of_the_test'
                tally.skips.append((f"{name}: {reason}", why))
            elif directive:
                tally.skips.append((title, reason or "no reason given"))
            elif bad:
                failed += 1
                failing = True
                tally.failures.append((title, []))
            else:
                tally.passed += 1
        elif line.startswith("# skip: "):
            why = line.removeprefix("# skip: ")  # what a C test says before it skips
        elif failing and line.startswith("#"):
            tally.failures[-1][1].append(line[1:].removeprefix(" "))
    return count, failed, plan, bail


def _tell_end(test, count, failed, plan, bail):
    """What is wrong with the run as a whole, or None."""
    code = test.get("returncode", 0)
    if test["result"] == "TIMEOUT":
        return f"did not end in time (after {test.get('duration', 0):.0f} s)"
    if test["result"] == "INTERRUPT":
        return "was interrupted"
    if bail:
        return bail
    if code < 0:
        return f"died of signal {-code}"
    if plan is None:
        return f"ended with status {code} and no plan, after {count} results"
    if plan != count:
        return f"planned {plan} results and gave {count}"
    if code != 0 and not failed:
        return f"all results are good, but it ended with status {code}"
    return None


def add_test(test, name, tally):
    """Add one line of testlog.json."""
    stdout, stderr = test.get("stdout") or "", test.get("stderr") or ""
    before = len(tally.failures)
    skipped_before = len(tally.skips)
    count, failed, plan, bail = _read_tap(name, stdout, tally)
    skipped = len(tally.skips) - skipped_before
    code = test.get("returncode", 0)
    # cmocka's exit status counts skips as well as failures.
    if skipped and code > 0 and failed == 0:
        test = {**test, "returncode": 0}
    end = _tell_end(test, count, failed, plan, bail)
    if end:
        tail = stdout.splitlines()[-OUTPUT_LINES_MAX:]
        tally.failures.append((f"{name}: {end}", tail))
    if stderr.strip() and len(tally.failures) > before:
        tally.failures[-1][1].append("standard error:")
        tally.failures[-1][1].extend(stderr.strip().splitlines()[-OUTPUT_LINES_MAX:])


def add_log(path, label, tally):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            tests = [json.loads(line) for line in f if line.strip()]
    except (OSError, ValueError) as e:
        tally.failures.append((f"{label or path}: cannot read the log", [str(e)]))
        return
    if not tests:
        tally.failures.append((f"{label or path}: no test ran", []))
    for test in tests:
        name = test["name"].split(" / ")[-1]
        add_test(test, f"[{label}] {name}" if label else name, tally)


def show(tally, out=sys.stdout):
    if tally.skips:
        print("\nSkipped:", file=out)
        for name, reason in tally.skips:
            print(f"  {name}: {reason}", file=out)
    if tally.failures:
        print("\nFailed:", file=out)
        for name, output in tally.failures:
            print(f"  {name}", file=out)
            for line in output:
                print(f"    | {line}", file=out)
    print(f"\n{tally.last_line()}", file=out, flush=True)


def main(args):
    tally = Tally()
    for arg in args:
        label, _, path = arg.rpartition("=")
        add_log(path, label, tally)
    show(tally)
    return 0 if tally.good() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
