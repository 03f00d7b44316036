"""bench/run.py with benchmarks that are shell scripts: its ratios, and when it fails."""

import os
import subprocess
import sys
import tempfile

import tap

SOURCE = os.environ["WINGMAN_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "bench"))
import run  # noqa: E402  pylint: disable=wrong-import-position

GOOD = """echo '{"bare":{"count":10,"rate":100.0}}'; echo '{"grant":{"rate":80.0}}'"""


def bench(script, *args):
    """run.py --only bench-grant over a program that is 'script'."""
    with tempfile.TemporaryDirectory() as build:
        os.mkdir(os.path.join(build, "bench"))
        program = os.path.join(build, "bench", "bench-grant")
        if script is not None:
            with open(program, "w", encoding="utf-8") as f:
                f.write("#!/bin/sh\n" + script + "\n")
            os.chmod(program, 0o755)
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(SOURCE, "bench", "run.py"), "--build", build,
             "--only", "bench-grant", "--rounds", "2", *args],
            capture_output=True, text=True, timeout=60, check=False)
        left = [n for n in os.listdir(os.path.join(build, "bench")) if n != "bench-grant"]
    tap.equal("nothing is left behind", left, [])
    return done


def test_a_good_run():
    done = bench(GOOD)
    tap.equal("a good run succeeds", done.returncode, 0)
    row = next((l for l in done.stdout.splitlines() if l.startswith("| grant")), "")
    tap.equal("its row", [c.strip() for c in row.split("|")[2:-1]],
              ["100", "80", "1.25", "1.25..1.25", "-", "<= 1.3", "goal"])
    tap.ok("the machine is named", " core" in done.stdout.splitlines()[0]
           and os.uname().release in done.stdout.splitlines()[0], done.stdout)


def test_a_slow_run():
    done = bench(GOOD.replace("80.0", "50.0"))
    tap.equal("missing a goal is no failure", done.returncode, 0)
    tap.ok("and is said", "below" in done.stdout, done.stdout)


def test_failures():
    for name, script, word in (
            ("that is not built", None, "No such file"),
            ("that fails", "echo 'a burnt grant was good again' >&2; exit 1", "burnt grant"),
            ("that is killed", "kill -9 $$", "status -9"),
            ("that prints no JSON", "echo 12", "cannot read"),
            ("that prints nothing", "true", "did not measure"),
            ("that leaves the bare one out", "echo '{\"grant\":{\"rate\":80}}'", "'bare'"),
            ("that did nothing", GOOD.replace("80.0", "0"), "'grant'"),
            ("that did not count", GOOD.replace("80.0", "NaN"), "'grant'")):
        done = bench(script)
        tap.ok(f"a benchmark {name} is a failure",
               done.returncode == 1 and word in done.stderr and "|" not in done.stdout,
               f"{done.returncode}\n{done.stdout}\n{done.stderr}")


def test_the_table():
    rounds = {"bench-append": [{"bare": 100, "audit": 300, "burn": 600},
                               {"bare": 200, "audit": 200, "burn": 1000},
                               {"bare": 50, "audit": 200, "burn": 450}]}
    head, audit, burn = run.table(rounds)
    tap.equal("ratios are formed inside a round, then the median",
              [r[3:5] + r[7:] for r in (audit, burn)],
              [("3.00", "1.00..4.00", "floor"), ("6.00", "5.00..9.00", "goal")])
    tap.equal("a cell for each heading", {len(head), len(audit), len(burn)}, {8})


if __name__ == "__main__":
    tap.run([test_a_good_run, test_a_slow_run, test_failures, test_the_table])
    tap.done()
