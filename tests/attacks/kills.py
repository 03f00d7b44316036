"""kill -9 of keeper, caller and server, again and again; used by attacks_test.py.

Every wait has an end: a program that does not come back, or does not leave when it has to,
is a fault that is told, and not a harness that stands still.
"""

import os
import random
import signal
import subprocess
import time

from gate_crash_test import caller_pid

LEAVES_S = 30           # a keeper without its caller
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


def kill_one(all_, what):
    rig = all_.rig
    if what == "server":
        rig.server.kill()
        start_again(rig.start_server)
        return
    if what == "caller":
        try:
            os.kill(caller_pid(rig), signal.SIGKILL)
        except (AssertionError, ProcessLookupError):
            pass
        try:
            rig.gate.process.wait(LEAVES_S)
        except subprocess.TimeoutExpired:
            all_.surprise(f"the keeper lives on for {LEAVES_S} s without its caller")
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
