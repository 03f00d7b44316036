"""kill -9 of keeper, caller and server at every step: afterwards the state is known, and
nothing has run twice. Prompts and decisions survive; see gate_rig.py."""

import hashlib
import os
import signal
import sqlite3
import time

import tap
from gate_client import Refused
from gate_rig import Rig

WHY = "as the test wants it"


def put(c, key, value):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY)


def runs_of(rig, key):
    return len([r for r in rig.runs() if r[0] == key])


def caller_pid(rig):
    """The keeper's only child."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                stat = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat[1]) == rig.gate.process.pid and stat[0] != "Z":
            return int(pid)
    raise AssertionError("the keeper has no caller")


def test_while_planning(rig):
    rig.hold("plan")
    with rig.client() as c:
        a = put(c, "planning", "1")
        rig.wait_held("plan")
    rig.gate.kill()
    rig.release("plan")
    rig.start_gate()
    with rig.client() as c:
        tap.ok("what was being planned is planned again", c.wait(a, "pending"))
        c.approve(a)
        c.wait(a, "succeeded")
    tap.equal("and runs once", runs_of(rig, "planning"), 1)


def test_while_pending(rig):
    with rig.client() as c:
        a = put(c, "pending", "1")
        before = c.wait(a, "pending")
    rig.restart_gate()
    with rig.client() as c:
        after = c.wait(a, "pending")
        tap.equal("the prompt is as it was", (after["prompt"], after["shown"]),
                  (before["prompt"], before["shown"]))
        tap.equal("the same proposal is still the same", put(c, "pending", "1"), a)
        c.approve(a)
        c.wait(a, "succeeded")
    tap.equal("it runs once", runs_of(rig, "pending"), 1)


def test_while_granted(rig):
    """The server has not burned it yet: it makes the plan again first."""
    with rig.client() as c:
        a = put(c, "granted", "1")
        c.wait(a, "pending")
        rig.hold("plan")
        c.approve(a)
        rig.wait_held("plan")
    rig.gate.kill()
    rig.start_gate()
    time.sleep(0.5)
    rig.release("plan")
    with rig.client() as c:
        tap.ok("before the burn", c.wait(a, "succeeded"))
    tap.equal("it runs once, though it was sent twice", runs_of(rig, "granted"), 1)


def test_while_running(rig):
    for point in ("run", "done"):
        with rig.client() as c:
            a = put(c, "running", point)
            rig.hold(point)
            c.approve(a)
            rig.wait_held(point)
        rig.gate.kill()
        rig.start_gate()
        with rig.client() as c:
            time.sleep(1)
            tap.ok("while it runs the gate does not say that it ended",
                   c.state(a) in ("granted", "executing"), c.state(a))
            rig.release(point)
            tap.ok(f"killed at '{point}', the outcome is learnt", c.wait(a, "succeeded"))
    tap.equal("each ran once", runs_of(rig, "running"), 2)


def test_after_the_answer(rig):
    with rig.client() as c:
        a = put(c, "after", "1")
        c.approve(a)
        c.wait(a, "succeeded")
    rig.restart_gate()
    with rig.client() as c:
        tap.equal("what ended stays ended", c.state(a), "succeeded")
        try:
            c.decide(a, "approve")
            tap.ok("and cannot be decided again", False)
        except Refused as e:
            tap.equal("and cannot be decided again", e.code, "conflict")
    tap.equal("nor run", runs_of(rig, "after"), 1)


def test_server_dies(rig):
    with rig.client() as c:
        a = put(c, "server", "1")
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        rig.server.kill()
        rig.release("run")
        rig.start_server()
        record = c.wait(a, "unknown", "failed")
        tap.ok("a server that died in the act: nobody says that it succeeded",
               record["outcome"]["error"], record["outcome"])
        tap.equal("and it is not repeated", runs_of(rig, "server"), 0)
        b = put(c, "server", "2")
        c.wait(b, "pending")
        rig.server.kill()
        c.approve(b)
        time.sleep(1)
        tap.ok("a server that is away is waited for while the grant lives",
               c.state(b) == "granted", c.state(b))
        rig.start_server()
        # Grants from before its store's epoch are refused: nothing ran, and that is said.
        record = c.wait(b, "succeeded", "refused")
        tap.equal("what became of it is known and true",
                  runs_of(rig, "server"), 1 if record["state"] == "succeeded" else 0)


def test_caller_dies(rig):
    with rig.client() as c:
        a = put(c, "caller", "1")
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
    os.kill(caller_pid(rig), signal.SIGKILL)
    status = rig.gate.process.wait(5)
    tap.equal("without its caller the keeper leaves", status, 1)
    tap.ok("and says why", "caller is gone" in rig.read("run/gate.log"))
    rig.gate.kill()
    rig.start_gate()
    rig.release("run")
    with rig.client() as c:
        tap.ok("the next one learns the outcome", c.wait(a, "succeeded"))
    tap.equal("of the one run", runs_of(rig, "caller"), 1)


def test_keeper_dies(rig):
    pid = caller_pid(rig)
    rig.gate.kill()
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.02)
    tap.ok("without its keeper the caller leaves", not os.path.exists(f"/proc/{pid}"))
    rig.start_gate()


def forgettable(path, count):
    """Entries of the store that have expired, and much of them."""
    db = sqlite3.connect(path)
    with db:
        db.executemany("insert into entry values (?, ?, 1)",
                       ((f"recent/{hashlib.sha256(b'%d' % i).hexdigest()}", "x" * 26)
                        for i in range(count)))
    db.close()


def left(path):
    db = sqlite3.connect(path)
    (found,) = db.execute("select count(*) from entry where expires_ms = 1").fetchone()
    db.close()
    return found


def test_much_to_forget(rig):
    """What has expired meanwhile is forgotten, without a file that the sandbox has no place for."""
    stores = [rig.path(name, "coordination.db") for name in ("gate", "fixture")]
    rig.gate.kill()
    rig.server.kill()
    for path in stores:
        forgettable(path, 3000)
    rig.start_server()
    rig.start_gate()
    with rig.client() as c:
        a = put(c, "forget", "1")
        c.approve(a)
        tap.ok("all goes on", c.wait(a, "succeeded"))
        # Not while they start: a write a second later takes the first of it away.
        deadline = time.monotonic() + 30
        while max(map(left, stores)) == 3000 and time.monotonic() < deadline:
            a = put(c, "forget", "1")
            c.approve(a)
            c.wait(a, "succeeded")
    for path in stores:
        tap.ok("and some of it is gone", left(path) < 3000, left(path))


def test_direct(rig):
    asked = {"key": "direct", "value": "1", "reason": WHY}
    a = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
    with rig.client() as c:
        c.approve(a)
    rig.restart_gate()
    with rig.client() as c:
        tap.equal("an approval that waits for its client waits on", c.state(a), "approved")
        rig.call("put_value", asked)
        tap.ok("and is claimed", c.wait(a, "succeeded"))
        rig.call("put_value", asked)
    rig.restart_gate()
    rig.call("put_value", asked)
    tap.equal("once, however often it is repeated", runs_of(rig, "direct"), 1)


def test_at_random(rig):
    """The keeper dies again and again, at moments nobody chose."""
    approvals = []
    for i in range(12):
        with rig.client() as c:
            a = put(c, "random", str(i))
            c.wait(a, "pending")
            approvals.append((a, str(i)))
            record = c.show(a)
            time.sleep(max(0, record["posted_at"] / 1000 + 1.05 - time.time()))
            # No answer is waited for: it dies between any two of its steps.
            c.send_bytes(b'{"m":"decide","id":900,"approval":"%s","decision":"approve",'
                         b'"shown":"%s"}' % (a.encode(), record["shown"].encode()))
            time.sleep(i * 0.0015)
        rig.gate.kill()
        rig.start_gate()
        with rig.client() as c:
            if c.state(a) == "pending":
                c.approve(a)
            c.wait(a, "succeeded")
    ran = [r[1] for r in rig.runs() if r[0] == "random"]
    tap.equal("each approval ran exactly once", sorted(ran), sorted(a for a, _ in approvals))
    tap.ok("nothing was left half-way", "approval.stuck" not in rig.read("run/gate.log"))


TESTS = [test_while_planning, test_while_pending, test_while_granted, test_while_running,
         test_after_the_answer, test_server_dies, test_caller_dies, test_keeper_dies, test_much_to_forget,
         test_direct,
         test_at_random]


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
