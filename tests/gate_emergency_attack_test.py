"""Attacks with emergency words while the usual surface is down; see gate_emergency_test.py.

    gate_emergency_attack_test.py [--seed N]

Words by another key, for another prompt, of another time, cut, altered or signed by the
gate's own key have no effect; the right one has one, once, and no more than three times.
"""

import argparse
import random
import time

import tap
from attacks.hostile import Hostile
from attacks.hostile_slack import Emergency
from gate_client import Refused
from gate_emergency_test import Surface, put, refused, wait_may
from gate_rig import Rig

EACH = 2            # of every way to make one
USES = 3            # that may be unreviewed


def pending(c, key, value):
    a = put(c, key, value)
    record = c.wait(a, "pending")
    time.sleep(max(0, record["posted_at"] / 1000 + 1.05 - time.time()))
    return record


def use(c, record, word):
    return c.ask("emergency", approval=record["id"], shown=record["shown"], word=word)


def test_wrong_words(rig, c, emergency, hostile):
    """Wrong ones in any order, on one prompt; how many were taken."""
    ways = len(emergency.words({"id": "x", "shown": "0" * 64}, hostile.key))
    record, taken, kinds = pending(c, "attacked", "1"), [], list(range(1, ways)) * EACH
    hostile.dice.shuffle(kinds)
    for kind in kinds:
        try:
            use(c, record, emergency.words(record, hostile.key)[kind]())
            taken.append(kind)
        except Refused:
            pass
    tap.equal(f"{len(kinds)} wrong words, while nobody can be asked otherwise", taken, [])
    tap.equal("nothing came of them", (c.state(record["id"]), rig.value("attacked")),
              ("pending", ""))
    return record


def run(rig, emergency, dice):
    hostile = Hostile(rig, dice)
    with rig.client() as c:
        record = test_wrong_words(rig, c, emergency, hostile)
        other = pending(c, "other", "1")
        word = emergency.words(record, hostile.key)[0]()
        refused("a right word, for another prompt", "permission_denied", "",
                lambda: use(c, other, word))
        use(c, record, word)
        c.wait(record["id"], "succeeded")
        refused("the right one counts", "conflict", "", lambda: use(c, record, word))
        for n in range(1, USES):
            record = pending(c, "again", str(n))
            use(c, record, emergency.words(record, hostile.key)[0]())
            c.wait(record["id"], "succeeded")
        record = pending(c, "again", "too often")
        refused("with three that nobody reviewed it stops", "permission_denied", "review",
                lambda: use(c, record, emergency.words(record, hostile.key)[0]()))
        ran = [r[0] for r in rig.runs()]
        tap.equal("each ran once", sorted(ran), ["again", "again", "attacked"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time() * 1000))
    seed = parser.parse_args().seed
    tap.note(f"seed {seed}")
    rig, surface = Rig(), Surface()
    try:
        rig.start()
        rig.more_gate = f"yes_by_console: false\nemergency: {{probe: '{surface.url}'}}\n"
        rig.write_gate_config()
        emergency = Emergency(rig)
        rig.restart_gate()
        surface.status = 503
        wait_may(rig)
        tap.run([lambda: run(rig, emergency, random.Random(seed))])
    finally:
        rig.done()
        surface.close()
    tap.done()


if __name__ == "__main__":
    main()
