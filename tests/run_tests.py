"""Run the tests of one or more build trees and add them up.

    run_tests.py [LABEL=]TREE[:SUITE] ...

Builds nothing. Ctrl-C stops what runs. Ends as tally.py does.
"""

import os
import signal
import subprocess
import sys

import tally

# Slow machines and sanitizers: three times what a test asks for.
TIMEOUT_MULTIPLIER = "3"
# Most of what a test does is to wait for others: one a core leaves the machine nearly idle.
TESTS_A_CORE = 2


def run(tree, suite):
    """One tree's tests; the path of the log."""
    log = os.path.join(tree, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)  # never count a log of yesterday
    cores = len(os.sched_getaffinity(0))
    command = ["meson", "test", "-C", tree, "--no-rebuild", "-t", TIMEOUT_MULTIPLIER,
               "--num-processes", str(TESTS_A_CORE * cores)]
    if suite:
        command += ["--suite", suite]
    # A shell starts what runs in the background with SIGINT ignored, and that is handed
    # down; tests press Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A session of its own, so that Ctrl-C reaches meson once, as the signal that ends all.
    process = subprocess.Popen(command, start_new_session=True)

    caught = []

    def stop(signum, _frame):
        caught.append(signum)
        process.send_signal(signal.SIGTERM)

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    process.wait()
    if caught:
        print("\ninterrupted", flush=True)
        sys.exit(128 + caught[0])
    return log


def main(args):
    if not args:
        sys.exit(__doc__)
    total = tally.Tally()
    for arg in args:
        label, _, target = arg.rpartition("=")
        tree, _, suite = target.partition(":")
        tally.add_log(run(tree, suite), label, total)
    tally.show(total)
    return 0 if total.good() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
