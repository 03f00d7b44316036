"""What wingman-assistant and wingman-egress cannot do, tried from inside: a program that
gives up what they give up, by their own functions, reports each try.
"""

import json
import os
import subprocess
import tempfile

import tap

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "assistant-inside")


def tries(which):
    """{try: (refused, errno)}, with a descriptor that was left open by mistake."""
    with tempfile.TemporaryFile() as spare:
        os.set_inheritable(spare.fileno(), True)
        done = subprocess.run([PROGRAM, which], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              pass_fds=(spare.fileno(),), timeout=60, check=False)
    tap.equal(f"{which}: all was tried", (done.returncode, done.stderr), (0, b""))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {r["try"]: (r["refused"], r["errno"]) for r in rows}


def is_sanitized():
    with open(PROGRAM, "rb") as f:
        return b"__asan_init" in f.read()


def test_worker():
    found = tries("worker")
    tap.ok("a good many tries", len(found) > 65, len(found))
    for name, (refused, why) in found.items():
        if name == "take much memory" and is_sanitized():
            tap.skip(f"worker: {name}", "the sanitizer's shadow is larger than any limit")
        else:
            tap.ok(f"worker: {name}", refused, why)


# Threads, clocks and internet sockets it needs; the rest it does not.
EGRESS_MAY_NOT = [
    "read /etc/passwd", "read /etc/shadow", "read /", "write /tmp/assistant-inside",
    "make a folder", "socket unix", "socket packet", "socket vsock", "socket alg",
    "run a program", "read another's memory", "mount", "a namespace of its own",
    "change its root", "bpf", "io_uring", "perf", "keys", "lift its limits",
    "write another's memory", "run what lies in memory", "wait for faults of memory", "add a key",
    "ask for a key", "open by a handle", "type into a terminal", "clone3"]


def test_egress():
    found = tries("egress")
    for name in EGRESS_MAY_NOT:
        if name == "lift its limits" and os.getuid() == 0:
            tap.skip(f"egress: {name}", "root may; under systemd it is not root")
            continue
        tap.ok(f"egress: {name}", found[name][0], found[name])
    tap.ok("egress: it has a network", not found["socket IPv4"][0])


if __name__ == "__main__":
    tap.run([test_worker, test_egress])
    tap.done()
