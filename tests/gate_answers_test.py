"""What the gate makes of a server that does not answer, and of one that answers a grant from
before its store began anew: people are told 'nothing ran' only where that is known.

The real wingman-gate; the server is played here. See hostile_test.py.
"""

import time

import tap
from gate_rig import Rig
from hostile_test import ALICE, Liar, ended, failure, good_plan, good_result, put, registration


def refusal(state, outcome=None):
    """What a server says of a grant that it does not carry out."""
    details = {"state": state, **({"outcome": outcome} if outcome else {})}
    return failure("approval_invalid", "this approval was already used", details=details)


class Script:
    """Answers to the same grant, one after the other; the last again and again."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def __call__(self, approval):
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return answer(approval) if callable(answer) else answer


DIES = None


def run(rig, c, *answers):
    script = rig.liar.execute = Script(*answers)
    a = put(c)
    c.approve(a)
    return ended(c, a), script


def test_forgotten(rig):
    with rig.client() as c:
        record, _ = run(rig, c, refusal("forgotten"))
        tap.equal("a store that has forgotten, and nothing that was sent is open: nothing ran",
                  record["state"], "refused")
        record, script = run(rig, c, DIES, refusal("forgotten"))
        tap.equal("one send had no answer: nobody knows", record["state"], "unknown")
        tap.equal("and that is said in the gate's words", record["outcome"]["error"]["code"],
                  "unknown_outcome")
        tap.equal("without asking any further", script.asked, 2)


def test_forgotten_after_a_fall(rig):
    """The gate itself fell while its call was under way: it may have arrived."""
    with rig.client() as c:
        rig.liar.execute = Script(refusal("started"))
        a = put(c)
        c.approve(a)
        c.wait(a, "granted", "executing")
    rig.gate.kill()
    rig.liar.execute = Script(refusal("forgotten"))
    rig.start_gate()
    with rig.client() as c:
        tap.equal("what was sent before is open", ended(c, a)["state"], "unknown")


def test_void(rig):
    with rig.client() as c:
        record, script = run(rig, c, DIES, refusal("void"))
        tap.equal("a store that remembers knows better: it did not run", record["state"], "failed")
        tap.equal("at once, and not when the grant is over", script.asked, 2)
        record, _ = run(rig, c, DIES, refusal("unknown"))
        tap.equal("what fell in the act is unknown", record["state"], "unknown")
        record, _ = run(rig, c, DIES, refusal("succeeded", good_result("x")))
        tap.equal("and what was done is done", record["state"], "succeeded")


def test_away(rig):
    liar = rig.liar
    with rig.client() as c:
        liar.execute = Script(DIES)
        liar.is_dead = True
        a = put(c)
        c.approve(a)
        deadline = time.monotonic() + 20
        while "unanswered" not in c.show(a):
            assert time.monotonic() < deadline, "nothing is said of it"
            time.sleep(0.05)
        said = c.show(a)
        tap.equal("it is under way", said["state"], "executing")
        tap.ok("the record says since when its server says nothing, and what was seen",
               set(said["unanswered"]) == {"since", "code", "message"} and
               said["unanswered"]["code"] in ("backend_unavailable", "unknown_outcome"),
               said["unanswered"])
        while liar.execute.asked < 4:
            assert time.monotonic() < deadline, "it is not asked again"
            time.sleep(0.05)
        lines = [x for x in rig.audit() if x["event"] == "approval.unanswered"
                 and x["data"]["approval"] == a]
        tap.equal("and the log says it once", len(lines), 1)
        liar.execute = Script(refusal("succeeded", good_result("x")))
        liar.is_dead = False
        record = ended(c, a)
        tap.ok("when it answers that is over", record["state"] == "succeeded" and
               "unanswered" not in record, record["state"])


def registered(rig, c, value):
    """A direct client's call, granted to its server, which then says nothing of it."""
    body = registration(arguments={"key": "direct", "value": value, "reason": "as it wants"})
    _, reply = rig.register(body)
    c.approve(reply["approval"])
    status, reply = rig.register(body)
    assert (status, reply["state"]) == (200, "granted"), reply
    return reply["approval"]


def test_direct(rig):
    """A server that fell with the grant of its client, and cannot say what became of it."""
    liar = rig.liar
    liar.looked.clear()
    with rig.client() as c:
        for value, answers, state in (
                ("1", [refusal("started"), refusal("succeeded", good_result("x"))], "succeeded"),
                ("2", [refusal("void")], "refused"),
                ("3", [DIES, refusal("forgotten")], "unknown"),
                ("4", [refusal("forgotten")], "unknown"),
                ("5", [refusal("unknown")], "unknown")):
            script = liar.execute = Script(*answers)
            a = registered(rig, c, value)
            record = ended(c, a)
            tap.equal(f"asked what became of it: {state}", (record["state"], script.asked),
                      (state, len(answers)))
            tap.equal("and nothing was run for that", liar.looked.count(a), script.asked)
            tap.ok("nor is what the client gets kept by the gate", "result" not in record, record)
        liar.execute = Script(refusal("unused"))
        a = registered(rig, c, "6")
        deadline = time.monotonic() + 20
        while liar.execute.asked < 2:
            assert time.monotonic() < deadline, "it is not asked again"
            time.sleep(0.05)
        tap.equal("as long as its server may still use it, nothing is said",
                  c.state(a), "granted")
        status, _ = rig.post(f"http://127.0.0.1:{rig.gate_port}/approvals/{a}/outcome",
                             rig.tokens["fixture"], {"v": 1, "state": "refused"})
        tap.equal("and the server's own word counts", (status, ended(c, a)["state"]),
                  (200, "refused"))


TESTS = [test_forgotten, test_forgotten_after_a_fall, test_void, test_away, test_direct]


def run_one(test, rig):
    rig.become(ALICE)
    rig.liar.is_dead = False
    rig.liar.plan = lambda _: good_plan()
    tap.note(test.__name__)
    test(rig)


if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.liar = Liar(the_rig.server_port)
        the_rig.start_server = lambda: None
        the_rig.start()
        tap.run([lambda t=t: run_one(t, the_rig) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
