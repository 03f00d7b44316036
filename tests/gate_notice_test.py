"""Who is told how a call ended, and that it is not forgotten; see gate_rig.py."""

import os
import subprocess

import tap
from gate_client import Refused
from gate_rig import BUILD, PEOPLE, Rig

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"


def put(c, key, value):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY)


def as_person(rig, person, c):
    rig.become(person)
    c.hello()


def unread(rig, c, person, approval):
    """The notice of this approval as that person finds it, or None."""
    before = rig.whoami
    as_person(rig, person, c)
    found = [n for n in c.ask("notices")["notices"] if n["approval"] == approval]
    as_person(rig, before, c)
    return found[0] if found else None


def told(rig, c, approval):
    return [p for p in rig.team if unread(rig, c, p, approval)]


def test_who(rig):
    with rig.client() as c:
        a = put(c, "who", "1")
        c.approve(a)
        c.wait(a, "succeeded")
        tap.equal("an outcome is told to who asked and who said yes", told(rig, c, a), [ALICE])
        notice = unread(rig, c, ALICE, a)
        tap.equal("with what and how", (notice["server"], notice["tool"], notice["state"],
                                        notice["requester"], "to" in notice),
                  ("fixture", "put_value", "succeeded", ALICE, False))
        a = put(c, "who", "2")
        as_person(rig, BOB, c)
        c.approve(a)
        as_person(rig, ALICE, c)
        c.wait(a, "succeeded")
        tap.equal("somebody else's yes: both", told(rig, c, a), [ALICE, BOB])
        a = put(c, "who", "3")
        c.wait(a, "pending")
        c.ask("cancel", approval=a, reason="never mind")
        notice = unread(rig, c, BOB, a)
        tap.equal("cancelled: told to who may have decided, not to who did it",
                  (told(rig, c, a), notice["by"], notice["why"]), ([BOB], ALICE, "never mind"))
        a = put(c, "who", "4")
        as_person(rig, BOB, c)
        c.deny(a, reason="no")
        as_person(rig, ALICE, c)
        tap.equal("denied: told to who asked", told(rig, c, a), [ALICE])
        a = put(c, "protected", "x")
        c.wait(a, "refused")
        tap.equal("refused before anybody saw it: told to who asked alone", told(rig, c, a),
                  [ALICE])
        tap.ok("and why", "protected" in unread(rig, c, ALICE, a)["error"]["message"])
        rig.team = [ALICE, BOB, CAROL]
        as_person(rig, ALICE, c)
        rig.team = [ALICE, BOB]
        as_person(rig, CAROL, c)
        try:
            c.ask("notices")
            tap.ok("who is not in the team is told nothing", False)
        except Refused as e:
            tap.equal("who is not in the team is told nothing", e.code, "permission_denied")
        as_person(rig, ALICE, c)


def test_ends_of_time(rig):
    rig.write("config/policy.yaml", "rules:\n  - {name: short, server: fixture, expires_in: 1m}\n"
              "  - {name: rest}\n")
    asked = {"key": "revoked", "value": "1", "reason": WHY}
    approval = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
    with rig.client() as c:
        c.approve(approval)
        as_person(rig, BOB, c)
        c.ask("revoke", approval=approval, reason="not now")
        as_person(rig, ALICE, c)
        tap.equal("revoked: told to the others", told(rig, c, approval), [ALICE])
    os.unlink(rig.path("config/policy.yaml"))


def news(rig, approval, key="k-1", text="it is over", token="fixture", **more):
    return rig.post(f"http://127.0.0.1:{rig.gate_port}/approvals/{approval}/news",
                    rig.tokens[token], {"v": 1, "key": key, "text": text, **more})[0]


def test_news(rig):
    with rig.client() as c:
        a = put(c, "news", "1")
        c.wait(a, "pending")
        tap.equal("there are no news of what has not run", news(rig, a), 409)
        as_person(rig, BOB, c)
        c.approve(a)
        as_person(rig, ALICE, c)
        c.wait(a, "succeeded")
        for person in (ALICE, BOB):
            as_person(rig, person, c)
            c.ask("read", notice=a)
        tap.equal("(the end was read)", told(rig, c, a), [])
        for name, status, words in (
                ("of another server", 403, {"token": "other"}), ("no key", 400, {"key": ""}),
                ("a key of 65", 400, {"key": "k" * 65}), ("an odd key", 400, {"key": "../a"}),
                ("no text", 400, {"text": ""}), ("1,001 bytes", 400, {"text": "x" * 1001}),
                ("one member more", 400, {"more": 1})):
            tap.equal(f"news: {name}", news(rig, a, **words), status)
        tap.equal("none of these is told", told(rig, c, a), [])
        for text in ("first", "\u202e" + "x" * 997):
            tap.equal("news are taken, again under the same key", news(rig, a, text=text), 200)
        tap.equal("who asked and who decided hear them", told(rig, c, a), [ALICE, BOB])
        n = unread(rig, c, BOB, a)
        tap.equal("the latest words of a key, once", (n["news"][1:3], n["id"], n["state"]),
                  ("xx", a + ".k-1", "succeeded"))
        tap.equal("with a key of 64", news(rig, a, key="k" * 64), 200)
    rig.restart_gate()
    with rig.client() as c:
        tap.equal("a restart forgets no news", told(rig, c, a), [ALICE, BOB])
        as_person(rig, BOB, c)
        for notice in [n for n in c.ask("notices")["notices"] if n["approval"] == a]:
            c.ask("read", notice=notice["id"])
        tap.equal("each reads for themselves", told(rig, c, a), [ALICE])
    status = 200
    for _ in range(400):
        status = status if status != 200 else news(rig, a, key="n")
    tap.equal("a server that tells without end is slowed", status, 429)


def test_live(rig):
    with rig.client() as c, rig.client() as other:
        other.ask("notices")
        a = put(c, "live", "1")
        c.approve(a)
        c.wait(a, "succeeded")
        event = other.events.pop(0) if other.events else other.receive()
        tap.equal("who listens is told at once", (event["m"], event["notice"]["approval"]),
                  ("notice", a))
        other.ask("read", notice=event["notice"]["id"])
        tap.equal("what was read is not told again", told(rig, c, a), [])
        try:
            other.ask("read", notice=event["notice"]["id"])
            tap.ok("nor read twice", False)
        except Refused as e:
            tap.equal("nor read twice", e.code, "not_found")


def test_restart(rig):
    with rig.client() as c:
        a = put(c, "again", "1")
        c.wait(a, "pending")
        b = put(c, "again", "2")
        c.wait(b, "pending")
        as_person(rig, BOB, c)
        c.deny(a)
        as_person(rig, ALICE, c)
        # No answer is waited for: it dies between the notice and its end, or after both.
        c.send_bytes(b'{"m":"cancel","id":900,"approval":"%s"}' % b.encode())
    rig.restart_gate()
    with rig.client() as c:
        tap.equal("a restart forgets no notice", told(rig, c, a), [ALICE])
        state = c.state(b)
        tap.equal("and tells of nothing that did not happen", told(rig, c, b),
                  [BOB] if state == "cancelled" else [])
        try:
            as_person(rig, BOB, c)
            c.ask("read", notice=a)
            tap.ok("nobody reads another's", False)
        except Refused as e:
            tap.equal("nobody reads another's", e.code, "not_found")
        as_person(rig, ALICE, c)
    wingman = os.path.join(BUILD, "bin", "wingman")
    done = subprocess.run([wingman, "--dir", rig.dir, "notices"], capture_output=True, text=True,
                          check=False)
    tap.ok("the console prints them", done.returncode == 0 and
           f"fixture.put_value of {ALICE} is denied, by {BOB}" in done.stdout,
           done.stdout + done.stderr)
    done = subprocess.run([wingman, "--dir", rig.dir, "notices"], capture_output=True, text=True,
                          check=False)
    tap.equal("once", done.stdout, "nothing new\n")


TESTS = [test_who, test_ends_of_time, test_news, test_live, test_restart]

if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.start()
        tap.run([lambda t=t: (tap.note(t.__name__), t(the_rig)) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
