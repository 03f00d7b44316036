"""What came of what was asked for, and whether it may have; used by attacks_test.py."""

import http.client
import time

import tap
from gate_client import Refused

EXPIRED_S = 180         # whatever was granted has ended by then, in one way or another
UNDER_WAY = ("granted", "executing")
GONE = (OSError, EOFError, http.client.HTTPException)


def hurry(rig, gate, effect, state):
    """Who still waits takes it back; a client whose call broke comes again for the outcome."""
    try:
        if state in ("pending", "approved"):
            effect.take_back()
            gate.ask("cancel", approval=effect.decided)
        elif effect.is_direct and state in UNDER_WAY:
            rig.call("put_value", effect.arguments())
    except (Refused, AssertionError, *GONE):
        pass


def settle(all_, gate, patience_s, may_be_under_way):
    """Every effect's record, ended. A server that fell is asked as soon as it is back; only a
    direct client's grant that may not have reached its server is good until it has expired and
    is past all doubt, and who has not that patience is told so far."""
    asked = [e for e in all_.effects if e.approval]
    records, deadline = {}, time.monotonic() + patience_s
    while True:
        for effect in asked:
            if "ended_at" not in records.get(effect.approval, ()):
                records[effect.approval] = gate.show(effect.approval)
        waiting = [e for e in asked if "ended_at" not in records[e.approval]]
        if not waiting or time.monotonic() > deadline:
            break
        all_.doing = f"{len(waiting)} have not ended"
        for effect in waiting:
            if time.monotonic() > deadline:
                break
            hurry(all_.rig, gate, effect, records[effect.approval]["state"])
        time.sleep(0.1)
    for effect in waiting:
        state = records[effect.approval]["state"]
        if not (may_be_under_way and effect.is_direct and state in UNDER_WAY):
            all_.surprise(f"{effect.key} is {state} for ever")
    return records


def account(all_, records, was_killed):
    """Faults, in words: of runs that nobody approved, of the same twice, of false words."""
    rig, faults = all_.rig, []
    runs = {}
    for key, approval, *_ in rig.runs():
        runs.setdefault(approval, []).append(key)
    ours = {e.approval: e for e in all_.effects if e.approval in records}
    for approval, keys in runs.items():
        effect = ours.get(approval)
        if approval in all_.slow_yes and keys == ["early"]:
            continue
        if not effect or not effect.yes_sent:
            faults.append(f"{approval} ran, and nobody said yes to it: {keys}")
        elif keys != [effect.key]:
            faults.append(f"{approval} was for {effect.key} and ran as {keys}")
    for approval, effect in ours.items():
        state, count = records[approval]["state"], len(runs.get(approval, []))
        value = rig.value(effect.key)
        if state == "succeeded" and count != 1:
            faults.append(f"{effect.key} succeeded, and ran {count} times")
        if count == 0 and value:
            faults.append(f"{effect.key} did not run, and its value is there")
        if count and state == "succeeded" and value != effect.value:
            faults.append(f"{effect.key} has another value than approved: {value!r}")
        if count and state not in ("succeeded", "unknown", "failed", *UNDER_WAY):
            faults.append(f"{effect.key} ran, and the record says {state}")
        if count and state == "failed" and value == effect.value:
            faults.append(f"{effect.key} happened, and the record says that it failed")
        # Nobody was killed and nobody took it back: then it has to happen, too.
        if (effect.yes_heard and not effect.taken_back and not was_killed and
                not effect.is_direct and state != "succeeded"):
            faults.append(f"{effect.key} was approved and is {state}: "
                          f"{records[approval].get('outcome')}")
    return faults


def show_numbers(all_, records):
    ends = {}
    for record in records.values():
        ends[record["state"]] = ends.get(record["state"], 0) + 1
    tap.note(f"{all_.made} attacks, {all_.kills} kills, {all_.seconds():.0f} s; "
             f"how what was asked for ended: {ends}")
    for kind in sorted(all_.counts):
        tap.note(f"{all_.counts[kind]:7} {kind}")
