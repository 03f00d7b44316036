"""kill -9 of keeper, caller and server, again and again; used by attacks_test.py.

Every wait has an end: a program that does not come back, or does not leave when it has to,
is a fault that is told, and not a harness that stands still.
"""

import os
import random
import signal
import subprocess
import time

import tap
from gate_crash_test import caller_pid

LEAVES_S = 60           # a keeper without its caller
STARTS = 5              # tries; what it left may still hold the port


class NoReturn(Exception):
    """What was killed does not come back: there is nothing more to attack."""


def start_again(start):
    for attempt in range(STARTS):
        try:
            start()
            return
        except RuntimeError as e:
            if attempt == STARTS - 1:
                raise NoReturn(str(e)) from e
            time.sleep(0.2)


def where(pid):
    """Where each thread of a process stands, as far as this machine tells."""
    try:
        return subprocess.run(["gdb", "-batch", "-p", str(pid), "-ex", "thread apply all bt 12"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False).stdout[-6000:]
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"(nobody knows where it stands: {e})"


def kill_caller(all_):
    """Without it the keeper leaves by itself."""
    keeper = all_.rig.gate.process
    try:
        os.kill(caller_pid(all_.rig), signal.SIGKILL)
    except (AssertionError, ProcessLookupError):
        return      # it is gone already, or has not come yet
    try:
        keeper.wait(LEAVES_S)
    except subprocess.TimeoutExpired:
        tap.note(where(keeper.pid))
        all_.surprise(f"the keeper lives on for {LEAVES_S} s without its caller")


def kill_one(all_, what):
    rig = all_.rig
    if what == "server":
        rig.server.kill()
        start_again(rig.start_server)
        return
    if what == "caller":
        kill_caller(all_)
    rig.gate.kill()
    start_again(rig.start_gate)


def kill_many(all_, count):
    """Until 'count' are killed or all_ is to stop."""
    dice = random.Random(f"{all_.seed}/kills")
    while all_.kills < count and not all_.stop:
        time.sleep(dice.random() * 0.8)
        try:
            kill_one(all_, dice.choice(("keeper", "caller", "server")))
        except NoReturn as e:
            all_.surprise(f"after {all_.kills} kills: {e}")
            return
        all_.kills += 1
