"""Every fuzzer for a while: run.py BUILD SECONDS [JOBS].

Begins with what lies in tests/corpus/ and writes nothing there: what is found goes below
BUILD/fuzz/<name>/. Says for each how far it came; ends with 1 when one found a fault.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RSS_MB, INPUT_S = 4096, 20


def run(program, build, seconds):
    """(name, exit status, a line about it)"""
    name = os.path.basename(program)[:-len("-fuzz")]
    folder = os.path.join(build, "fuzz", name)
    found = os.path.join(folder, "corpus")
    os.makedirs(found, exist_ok=True)
    corpus = os.path.join(ROOT, "tests", "corpus", name)
    log = os.path.join(folder, "log")
    with open(log, "w", encoding="utf-8") as f:
        status = subprocess.run(
            [os.path.abspath(program), f"-max_total_time={seconds}", f"-rss_limit_mb={RSS_MB}",
             f"-timeout={INPUT_S}", f"-artifact_prefix={folder}/", "-print_final_stats=1", found]
            + ([corpus] if os.path.isdir(corpus) else []),
            stdout=f, stderr=subprocess.STDOUT, check=False).returncode
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    units = re.search(r"number_of_executed_units: (\d+)", text)
    cover = re.findall(r"cov: (\d+)", text)
    return name, status, (f"{int(units.group(1)) if units else 0:>12,} inputs, "
                          f"{cover[-1] if cover else '?'} edges" + (f"; see {log}" if status else ""))


def main(build, seconds, jobs="2"):
    programs = sorted(glob.glob(os.path.join(build, "tests", "fuzz", "*-fuzz")))
    faults = 0
    print(f"{len(programs)} fuzzers, {seconds} s each, {jobs} at a time", flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        for job in concurrent.futures.as_completed(
                [pool.submit(run, p, build, seconds) for p in programs]):
            name, status, line = job.result()
            faults += status != 0
            print(f"{'FAULT' if status else 'clean'}  {name:24} {line}", flush=True)
    print(f"{len(programs) - faults} clean, {faults} with a fault")
    return 1 if faults or not programs else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
