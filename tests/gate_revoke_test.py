"""Taking back what was approved, until its server burns the grant; see gate_rig.py."""

import time

import tap
from gate_client import Refused
from gate_rig import PEOPLE, Rig

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"


def put(c, key, value):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY)


def runs_of(rig, key):
    return len([r for r in rig.runs() if r[0] == key])


def granted_and_held(rig, c, key, point):
    """Approved, and its server is just before the burn ('plan') or after it ('run')."""
    a = put(c, key, "1")
    c.wait(a, "pending")
    rig.hold(point)
    c.approve(a)
    rig.wait_held(point)
    return a


def ended(c, a, *states):
    record = c.wait(a, *states)
    return record["state"], record["outcome"]["error"]["message"]


def test_before_the_burn(rig):
    for verb, word in (("revoke", "looks wrong"), ("cancel", "never mind")):
        with rig.client() as c:
            a = granted_and_held(rig, c, verb, "plan")
            reply = c.ask(verb, approval=a, reason=word)
            tap.ok(f"{verb}: its server is asked", reply.get("revoking"), reply)
            state, message = ended(c, a, "refused", "failed")
            tap.ok("nothing ran, and whose word that was is told",
                   f"{ALICE} took it back before it ran: {word}" in message, (state, message))
            rig.release("plan")
            b = put(c, "after", verb)
            c.approve(b)
            c.wait(b, "succeeded")
            tap.equal("nor did it when its server came to the burn", runs_of(rig, verb), 0)


def test_after_the_burn(rig):
    with rig.client() as c:
        a = granted_and_held(rig, c, "late", "run")
        c.ask("revoke", approval=a)
        while "late" not in c.show(a)["revoke"]:
            time.sleep(0.05)
        tap.ok("its server says that it is at it already, and that is on record", True)
        rig.release("run")
        record = c.wait(a, "succeeded")
        tap.ok("after the burn nothing stops it, and it says what happened",
               record["revoke"]["by"] == ALICE, record.get("revoke"))
        tap.equal("it ran once", runs_of(rig, "late"), 1)


def test_who(rig):
    with rig.client() as c:
        a = granted_and_held(rig, c, "who", "plan")
        rig.become(CAROL)
        c.hello()
        for verb in ("revoke", "cancel"):
            try:
                c.ask(verb, approval=a)
                tap.ok(f"{verb} by somebody else", False)
            except Refused as e:
                tap.equal(f"{verb} by somebody else is refused", e.code, "permission_denied")
        rig.become(BOB)
        c.hello()
        tap.ok("who may approve may", c.ask("revoke", approval=a).get("revoking"))
        tap.ok("again is no other", c.ask("revoke", approval=a).get("revoking"))
        _, message = ended(c, a, "refused", "failed")
        tap.ok("and it is Bob's", message.startswith(BOB), message)
        rig.become(ALICE)
        rig.release("plan")


def test_server_away(rig):
    with rig.client() as c:
        a = put(c, "away", "1")
        c.wait(a, "pending")
        time.sleep(1.1)     # grants of the second in which its store began are void anyway
        rig.server.kill()
        c.approve(a)
        c.wait(a, "granted", "executing")
        c.ask("revoke", approval=a)
        rig.restart_gate()
    rig.start_server()
    with rig.client() as c:
        record = c.wait(a, "refused", "failed", timeout_s=30)
        tap.ok("a server that was away, and a gate that fell: it still does not run",
               runs_of(rig, "away") == 0, record["outcome"])


def test_direct(rig):
    asked = {"key": "direct", "value": "1", "reason": WHY}
    a = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
    import threading
    with rig.client() as c:
        c.approve(a)
        rig.hold("plan")
        told = []
        thread = threading.Thread(target=lambda: told.append(rig.call("put_value", asked)))
        thread.start()
        rig.wait_held("plan")
        c.ask("revoke", approval=a, reason="stop")
        record = c.wait(a, "refused", "failed")
        rig.release("plan")
        thread.join()
        tap.equal("a direct client's call, taken back as it was about to run",
                  runs_of(rig, "direct"), 0)
        tap.ok("its client is told that it did not run", told[0]["isError"], (told, record))


def test_one_of_several(rig):
    """A read has no plan to be made again, so the first of them is granted at once."""
    with rig.client() as c:
        head = c.ask("propose", calls=[
            {"tool": "fixture.echo_text", "arguments": {"text": "several"}},
            {"tool": "fixture.put_value",
             "arguments": {"key": "several", "value": "1", "reason": WHY}}])["approval"]
        c.wait(head, "pending")
        rig.server.kill()
        c.approve(head)
        c.wait(head, "granted", "executing")
        c.ask("revoke", approval=head)
        record = c.show(head + "-1")
        tap.equal("the one that has left is asked back", record["revoke"]["by"], ALICE)
        rig.start_server()
        record = c.wait(head, "failed", "refused", "revoked", timeout_s=30)
        tap.equal("what had not begun does not", c.state(head + "-2"), "revoked")
        tap.ok("and none of it ran", c.state(head + "-1") in ("refused", "failed") and
               runs_of(rig, "several") == 0, record["outcome"])


def test_log(rig):
    asked = [x for x in rig.audit() if x["event"] == "approval.revoking"]
    tap.ok("who asked for it is in the gate's log", asked and
           all(x["data"]["revoke"]["by"] in (ALICE, BOB) for x in asked), asked)
    tap.ok("what was burnt unused is in the server's",
           '"call.revoked"' in rig.read("audit/fixture.jsonl"))


TESTS = [test_before_the_burn, test_after_the_burn, test_who, test_server_away, test_direct,
         test_one_of_several, test_log]


def run_one(test, rig):
    tap.note(test.__name__)
    for point in ("plan", "run", "done"):
        rig.release(point)
    test(rig)


if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.start()
        tap.run([lambda t=t: run_one(t, the_rig) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
