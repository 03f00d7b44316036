"""make bench: run the benchmarks in rounds and print tables of ratios.

    bench/run.py [--build DIR] [--rounds N] [--only NAME]

Every benchmark in C is a program of build/bench/ that measures all of its variants in one
round and prints a line of JSON for each (measure.h). 'peers' is our server beside the
official ones of others (peers.py), in at most two rounds. Figures drift from minute to
minute; a ratio inside one round does not, so ratios are what counts. Rounds of the
benchmarks alternate. Status 1 if a benchmark cannot run, or finds that what it measured
did not do its work; a ratio below its goal is only said, and a peer that is not there is
left out and named.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402  pylint: disable=wrong-import-position
import report  # noqa: E402  pylint: disable=wrong-import-position

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROUND_SECONDS_MAX = 120

PEER_ROUNDS_MAX = 2
SCRIPT_ROUNDS_MAX = 2

# What is no program of build/bench/ but a script that starts programs.
SCRIPTS = {"bench-slack": "slack_bench.py"}
EMULATOR = os.path.join(ROOT, "build", "npm", "node_modules", "emulate")

# Program, and its rows: what, variant, the variant it is held against, and how (see
# report.py): 'of' its throughput as a share or multiple (more is better), 'cost' its time
# as a multiple (less is better); then floor, goal and moonshot, None where there is none.
BENCHES = {
    "bench-call": [
        ("tools/call / bare HTTP and JSON", "call", "ceiling", "of", 0.65, 0.85, 1.1),
        ("without a token", "open", "ceiling", "of", None, None, None),
        ("without schemas", "unchecked", "ceiling", "of", None, None, None),
        ("with a line in the audit log", "audited", "ceiling", "of", 0.45, 0.65, 0.85),
        ("with a grant: verified, burnt, recorded", "granted", "ceiling", "of", None, None, None),
    ],
    "bench-grant": [
        ("grant: open and check / Ed25519", "grant", "bare", "cost", None, 1.3, None),
    ],
    "bench-append": [
        ("audit append, 64 callers / SQLite", "audit", "bare", "of", 2, 5, 10),
        ("grant burn, 64 callers / SQLite", "burn", "bare", "of", 2, 5, 10),
    ],
    "bench-redis": [
        ("grant burn on Redis, one caller / SET NX", "one", "bare", "of", None, None, None),
        ("grant burn on Redis, 64 callers / SET NX", "burn", "bare", "of", None, None, None),
        ("and kept by the server itself, 64 callers", "kept", "bare", "of", None, None, None),
    ],
    "bench-people": [
        ("50,000 people in 4 systems joined / 2 s", "joined", "two_seconds", "cost", 1, 0.5, 0.25),
        ("memory for that, at its most / 100 MiB", "memory", "hundred_mib", "cost", 1, 0.75, 0.5),
        ("look-up of a person, 99 % within / 2 ms", "lookup", "two_milliseconds", "cost", 1, 0.5, 0.1),
    ],
    "bench-playbooks": [
        ("10,000 playbooks indexed / 10 s", "made", "ten_seconds", "cost", 1, 0.75, 0.25),
        ("memory for that / 100 MiB", "memory", "hundred_mib", "cost", None, None, None),
        ("search with snippets, 99 % within / 5 ms", "search", "five_milliseconds", "cost", 1, 0.75, 0.5),
        ("and / FTS5 any word, 99 % within", "search", "fts5", "cost", None, None, None),
    ],
    "bench-slack": [
        ("200 events/s, Slack slow: 99 % acknowledged / 50 ms", "acknowledged",
         "fifty_milliseconds", "cost", 1, 0.5, 0.25),
        ("from a press to tools/call / 20 ms", "press", "twenty_milliseconds", "cost", 1, 0.5, 0.25),
    ],
    "bench-stream": [
        ("telling 10,000 streams / bare HTTP", "told", "bare", "cost", 3, 1.5, 1.15),
        ("memory of an idle stream / bare HTTP", "memory", "bare_memory", "cost", 1.5, 1.05, 0.7),
    ],
}


class Failed(Exception):
    """A benchmark could not run, or not rightly."""


def read_lines(program, text):
    """{variant: rate, operations a second} of what a program printed."""
    rates = {}
    for line in text.splitlines():
        try:
            rates.update({variant: float(found["rate"])
                          for variant, found in json.loads(line).items()
                          if isinstance(found, dict)})
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise Failed(f"{program}: cannot read {line!r}: {e!r}") from e
    return rates


def run_round(build, program, scratch):
    """One round in a new folder on the disk that holds the build: tmpfs syncs nothing."""
    command = [os.path.join(build, "bench", program)]
    if program in SCRIPTS:
        command = [sys.executable, "-B", os.path.join(ROOT, "bench", SCRIPTS[program])]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            done = subprocess.run([*command, folder], capture_output=True, text=True,
                                  timeout=ROUND_SECONDS_MAX, check=False,
                                  env={**os.environ, "WINGMAN_BUILD": build})
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Failed(f"{program}: {e}") from e
    if done.returncode != 0:
        raise Failed(f"{program}: status {done.returncode}: {done.stderr.strip()}")
    rates = read_lines(program, done.stdout)
    for _, variant, bare, *_ in BENCHES[program]:
        for name in (variant, bare):
            if not rates.get(name, 0) > 0:
                raise Failed(f"{program}: did not measure '{name}'")
    return rates


def table(rounds):
    """The rows of the table, as texts."""
    return [report.HEAD] + [report.ratio_row(*row, results)
                            for program, results in rounds.items()
                            for row in BENCHES[program]]


def machine(scratch):
    """One line: what it ran on, and how busy that was."""
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next((l.split(":", 1)[1].strip() for l in f
                          if l.startswith("model name")), model)
    except OSError:
        pass
    try:
        disk = subprocess.run(["stat", "-f", "-c", "%T", scratch], capture_output=True,
                              text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        disk = "unknown"
    cores = len(os.sched_getaffinity(0))
    return (f"{cores} core{'s' if cores != 1 else ''} ({model}), "
            f"{platform.system()} {platform.release()}, disk {disk}, "
            f"load {os.getloadavg()[0]:.1f} before the run")


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_programs(options, programs, scratch):
    rounds = {program: [] for program in programs}
    for number in range(options.rounds):
        for program in programs:
            if program in SCRIPTS and number >= SCRIPT_ROUNDS_MAX:
                continue
            say(f"round {number + 1} of {options.rounds}: {program}")
            rounds[program].append(run_round(options.build, program, scratch))
    return rounds


def main():
    parser = argparse.ArgumentParser(description="run the benchmarks, print ratios")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", choices=[*BENCHES, "peers"], metavar="NAME")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds wants at least 1")
    programs = [p for p in BENCHES if options.only in (None, p)]
    if not shutil.which("redis-server") and "bench-redis" in programs:
        say("bench-redis is left out: no redis-server")
        programs.remove("bench-redis")
    if not os.path.isdir(EMULATOR) and "bench-slack" in programs:
        say("bench-slack is left out: npm's emulator of Slack is not there (make build/npm/.done)")
        programs.remove("bench-slack")
    rows, lines = [], []

    try:
        scratch = tempfile.mkdtemp(prefix="scratch-", dir=os.path.join(options.build, "bench"))
    except OSError as e:
        print(f"bench: nothing is built: {e}", file=sys.stderr)
        return 1
    try:
        where = machine(scratch)
        rows += table(run_programs(options, programs, scratch))
        if options.only in (None, "peers"):
            found = peers.run(options.build, scratch, min(options.rounds, PEER_ROUNDS_MAX), say)
            rows += report.peer_ratios(*found[:2])
            lines = report.peer_lines(*found)
    except (Failed, peers.Failed) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{datetime.date.today().isoformat()}, {options.rounds} rounds, {where}\n")
    print("\n".join(report.cells(rows) + lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
