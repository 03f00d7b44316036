"""Several calls in one decision: shown whole, decided once, run in order, stopped by whatever
was not expected. With kill -9 at each step. Real wingman-gate; see gate_rig.py."""

import json
import os
import subprocess
import time

import tap
from gate_client import Refused, canonical_digest
from gate_rig import BUILD, PEOPLE, Rig

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"


def put(key, value):
    return {"tool": "fixture.put_value", "arguments": {"key": key, "value": value, "reason": WHY}}


def echo(text):
    return {"tool": "fixture.echo_text", "arguments": {"text": text}}


def propose(c, *calls, **more):
    return c.ask("propose", calls=list(calls), **more)["approval"]


def parts(c, a):
    return [p["state"] for p in c.ask("show", approval=a)["parts"]]


def runs(rig, *keys):
    return [r[0] for r in rig.runs() if r[0] in keys]


def wait_parts(c, a, states, timeout_s=15):
    deadline = time.monotonic() + timeout_s
    while parts(c, a) != states:
        assert time.monotonic() < deadline, (parts(c, a), c.show(a))
        time.sleep(0.05)


def refused(name, code, words, fn):
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was taken: {got}")


def test_yes(rig):
    with rig.client() as c:
        a = propose(c, echo("first"), put("one", "1"), put("two", "2"))
        record = c.wait(a, "pending")
        prompt = record["prompt"]
        tap.equal("the digest is that of the whole prompt", record["shown"],
                  canonical_digest(prompt))
        tap.equal("most severe first, each with its place",
                  [(x["run"], x["prompt"]["tool"]) for x in prompt["calls"]],
                  [(2, "put_value"), (3, "put_value"), (1, "echo_text")])
        tap.equal("each whole", [e["to"] for e in prompt["calls"][1]["prompt"]["effects"]], ["2"])
        tap.equal("all wait", parts(c, a), ["pending"] * 3)
        tap.equal("the list has the decision and not its calls",
                  [r["id"] for r in c.ask("list", state="pending")["records"]], [a])
        refused("one call of them is not decided by itself", "conflict", "one of several",
                lambda: c.ask("decide", approval=a + "-2", decision="approve",
                              shown=record["shown"]))
        refused("nor cancelled", "conflict", "one of several",
                lambda: c.ask("cancel", approval=a + "-1"))
        tap.equal("the same is the same",
                  propose(c, echo("first"), put("one", "1"), put("two", "2")), a)
        other = propose(c, put("one", "1"), echo("first"), put("two", "2"))
        tap.ok("in another order it is another", other != a)
        c.ask("cancel", approval=other)
        c.approve(a)
        record = c.wait(a, "succeeded")
        tap.equal("each ran once, in order", runs(rig, "one", "two"), ["one", "two"])
        tap.equal("as calls of that decision", [r[1] for r in rig.runs()[-2:]],
                  [a + "-2", a + "-3"])
        tap.equal("all are told", [x["state"] for x in record["outcome"]["calls"]],
                  ["succeeded"] * 3)
        shown = c.ask("show", approval=a)["parts"]
        tap.equal("with their results", shown[0]["result"]["structuredContent"]["text"], "first")
        tap.ok("and without secrets", "request_state" not in json.dumps(shown) and
               "grant" not in [m for p in shown for m in p])
        signed = [x["data"] for x in rig.audit() if x["event"] == "grant.signing" and
                  x["data"]["approval"].startswith(a)]
        ends = [x["data"]["approval"] for x in rig.audit()
                if x["event"] in ("grant.signing", "approval.succeeded") and
                x["data"]["approval"].startswith(a + "-")]
        tap.equal("each grant is signed when its call starts", ends,
                  [a + "-1", a + "-1", a + "-2", a + "-2", a + "-3", a + "-3"])
        tap.equal("by the same yes", [s["grant"]["approvers"] for s in signed], [[ALICE]] * 3)
        notices = [n for n in c.ask("notices")["notices"] if n["approval"].startswith(a)]
        tap.equal("one notice for all", [(n["approval"], len(n["calls"])) for n in notices],
                  [(a, 3)])


def test_alone(rig):
    """What cannot be undone is decided by itself, wherever it stands among others."""
    with rig.client() as c:
        for i in range(3):
            calls = [put("w", "1"), put("v", "2")]
            calls.insert(i, put("forever", "3"))
            a = propose(c, *calls)
            record = c.wait(a, "refused")
            why = record["outcome"]["error"]["message"]
            tap.ok(f"as call {i + 1} it refuses all", f"call {i + 1} (fixture.put_value): " in why
                   and "decided alone" in why, record)
            tap.ok("nobody was asked", "pending" not in [h["state"] for h in record["history"]]
                   and set(parts(c, a)) <= {"refused", "superseded"}, record)
        a = propose(c, put("w", "1"), put("v", "2"))
        tap.ok("without it they are asked", c.wait(a, "pending"))
        c.ask("cancel", approval=a)
        a = c.propose("fixture.put_value", **put("forever", "3")["arguments"])
        record = c.wait(a, "pending")
        tap.equal("and it by itself, of two persons", record["policy"]["approvers_needed"], 2)
        c.approve(a)
        tap.equal("of whom one is not enough", c.state(a), "pending")
        c.ask("cancel", approval=a)
    tap.equal("nothing ran", runs(rig, "w", "v", "forever"), [])


def test_words(rig):
    with rig.client() as c:
        refused("one call is no bundle", "invalid_argument", "two to 8",
                lambda: propose(c, put("w", "1")))
        a = propose(c, *[put("w", str(i)) for i in range(8)])
        tap.ok("eight are the most", c.wait(a, "pending"))
        c.ask("cancel", approval=a)
        tap.equal("cancelled with all its calls", parts(c, a), ["cancelled"] * 8)
        refused("nine are too many", "invalid_argument", "two to 8",
                lambda: propose(c, *[put("w", str(i)) for i in range(9)]))
        refused("the same call twice", "invalid_argument", "call 2: it is the same as call 1",
                lambda: propose(c, put("w", "1"), put("w", "1")))
        refused("what one call lacks is said of it", "invalid_argument", "call 2: ",
                lambda: propose(c, put("w", "1"), {"tool": "fixture.put_value", "arguments": {}}))
        refused("the gate's own tools are not among them", "not_found", "call 1: ",
                lambda: propose(c, {"tool": "gate.rotate_key", "arguments": {}}, put("w", "1")))
        refused("a call has two members", "invalid_argument", "call 1: it is not",
                lambda: propose(c, {**put("w", "1"), "requester": BOB}, put("w", "2")))
        refused("a tool and calls are not mixed", "invalid_argument", "or several calls",
                lambda: c.ask("propose", tool="fixture.echo_text", arguments={"text": "x"},
                              calls=[put("w", "1"), put("w", "2")]))
        refused("nor nothing", "invalid_argument", "or several calls", lambda: c.ask("propose"))
        big = "x" * 200
        a = propose(c, put("w", "1"), put("protected", "1"), put("w", big))
        record = c.wait(a, "refused")
        tap.ok("a plan that fails refuses all, and says which",
               "call 2 (fixture.put_value): " in record["outcome"]["error"]["message"], record)
        tap.equal("and the others are no more", parts(c, a),
                  ["superseded", "refused", "superseded"])


def test_no(rig):
    with rig.client() as c:
        a = propose(c, put("no", "1"), put("no", "2"))
        c.deny(a, reason="no")
        tap.equal("a no is for all", parts(c, a), ["denied", "denied"])
        refused("the same is refused for a while", "permission_denied", "denied",
                lambda: propose(c, put("no", "1"), put("no", "2")))
        b = c.propose("fixture.put_value", key="no", value="3", reason=WHY)
        c.deny(b)
        refused("what was denied alone is not asked among others", "permission_denied",
                "call 1: the same was denied", lambda: propose(c, put("no", "3"), put("no", "4")))
        tap.equal("nothing ran", runs(rig, "no"), [])


def test_people(rig):
    with rig.client() as c:
        a = propose(c, put("people", "1"), put("important", "x"))
        record = c.wait(a, "pending")
        tap.equal("the strictest call decides how many", record["policy"]["approvers_needed"], 2)
        tap.equal("one is not enough", c.approve(a)["state"], "pending")
        tap.equal("nothing ran", runs(rig, "people"), [])
        rig.become(BOB)
        c.hello()
        c.decide(a, "approve", record["shown"])
        rig.become(ALICE)
        c.hello()
        c.wait(a, "succeeded")
        tap.equal("both names stand in each grant", [r[3] for r in rig.runs()[-2:]],
                  [f"{ALICE}, {BOB}"] * 2)
        rig.write("config/policy.yaml", "rules:\n"
                  "  - {name: p, server: fixture, tool: put_value, approvers: [alice@example.test]}\n"
                  "  - {name: e, server: fixture, tool: echo_text, approvers: [bob@example.test]}\n")
        a = propose(c, put("people", "3"), echo("3"))
        record = c.wait(a, "pending")
        tap.ok("nobody may approve all of it, and that is said",
               record["policy"]["approvers"] == [] and
               any("cannot be approved" in w for w in record["prompt"]["warnings"]), record)
        time.sleep(1.1)
        refused("so a yes is refused", "permission_denied", "did not let",
                lambda: c.decide(a, "approve", record["shown"]))
        os.unlink(rig.path("config/policy.yaml"))
        c.hello()
        c.ask("cancel", approval=a)


def test_changed_world(rig):
    with rig.client() as c:
        a = propose(c, put("world", "1"), put("moved", "mine"), put("after", "1"))
        c.wait(a, "pending")
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        with open(rig.path("fixture/values/moved"), "w", encoding="ascii") as f:
            f.write("theirs")
        rig.release("run")
        record = c.wait(a, "failed")
        tap.equal("a plan that is another now stops the rest", parts(c, a),
                  ["succeeded", "revoked", "revoked"])
        tap.ok("and it is said which and why", "call 2 (fixture.put_value) is revoked: what it "
               "would do is not what was shown" in record["outcome"]["error"]["message"] and
               "1 of 3" in record["outcome"]["error"]["message"], record["outcome"])
        tap.equal("nothing was run over", (rig.value("moved"), runs(rig, "after")), ("theirs", []))
        grants = [x for x in rig.audit() if x["event"] == "grant.signing" and
                  x["data"]["approval"].startswith(a)]
        tap.equal("no grant was signed for it", len(grants), 1)


def test_counting_on(rig):
    """A plan may count on what an earlier call does, and says so."""
    with rig.client() as c:
        a = propose(c, put("chain", "1"), put("chain", "2"), put("chain", "3"))
        prompt = c.wait(a, "pending")["prompt"]
        tap.equal("each is planned on the one before",
                  [(e["from"], e["to"]) for x in prompt["calls"] for e in x["prompt"]["effects"]],
                  [("", "1"), ("1", "2"), ("2", "3")])
        tap.ok("and says what it counts on",
               any("call 3 counts on what is done by call 2 (fixture: chain, to '2')" in w
                   for w in prompt["warnings"]), prompt["warnings"])
        c.approve(a)
        c.wait(a, "succeeded")
        tap.equal("all run", (rig.value("chain"), runs(rig, "chain")), ("3", ["chain"] * 3))
        a = propose(c, put("chain", "unknown"), put("chain", "4"))
        c.approve(a)
        c.wait(a, "unknown")
        tap.equal("what did not come to pass stops who counts on it", parts(c, a),
                  ["unknown", "revoked"])


def direct(rig, arguments, meta):
    prefix = "io.modelcontextprotocol/"
    _, reply = rig.post(
        f"http://127.0.0.1:{rig.server_port}/mcp", rig.tokens["client"],
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "put_value", "arguments": arguments, "_meta": {
                prefix + "protocolVersion": "2026-07-28",
                prefix + "clientInfo": {"name": "test", "version": "1"},
                prefix + "clientCapabilities": {}, **meta}}},
        {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
         "Mcp-Name": "put_value", "Accept": "application/json, text/event-stream"})
    return reply["result"]


def test_counting_on_lies(rig):
    """What a client says of earlier calls is nothing to a plan."""
    arguments = {"key": "lies", "value": "mine", "reason": WHY}
    lie = {"org.wingman/assumes": [{"call": 1, "effects": [
        {"system": "fixture", "target": "lies", "from": "x", "to": "", "reversible": True}]}]}
    a = direct(rig, arguments, lie)["structuredContent"]["error"]["details"]["approval"]
    with rig.client() as c:
        record = c.wait(a, "pending")
        tap.ok("its plan counts on nothing", "assumes" not in record["plan"], record["plan"])
        c.approve(a)
        with open(rig.path("fixture/values/lies"), "w", encoding="ascii") as f:
            f.write("theirs")
        error = direct(rig, arguments, lie)["structuredContent"]["error"]
        tap.equal("nor does the one before it runs, so nothing begins",
                  (error["code"], rig.value("lies"), runs(rig, "lies")),
                  ("precondition_failed", "theirs", []))


def test_stopping(rig):
    with rig.client() as c, rig.client() as other:
        a = propose(c, put("stop", "1"), put("halt", "2"), put("halt", "3"))
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        rig.become(BOB)
        other.hello()
        other.ask("revoke", approval=a, reason="enough")
        rig.become(ALICE)
        other.hello()
        tap.equal("who may approve stops what has not begun", parts(c, a)[1:],
                  ["revoked", "revoked"])
        rig.release("run")
        record = c.wait(a, "failed")
        tap.equal("what had begun is told", parts(c, a)[0], "succeeded")
        tap.equal("and by whom it was stopped", record["history"][-1]["by"], BOB)
        tap.equal("nothing else ran", runs(rig, "stop", "halt"), ["stop"])
        refused("there is nothing more to stop", "conflict", "already",
                lambda: c.ask("revoke", approval=a))
        a = propose(c, put("stop", "2"), put("halt", "4"))
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        c.ask("cancel", approval=a)
        rig.release("run")
        c.wait(a, "failed")
        tap.equal("who asked may stop it too", parts(c, a), ["succeeded", "cancelled"])


def test_broken(rig):
    with rig.client() as c:
        a = propose(c, put("unsure", "unknown"), put("later", "1"))
        c.approve(a)
        record = c.wait(a, "unknown")
        tap.equal("an unknown outcome stops the rest", parts(c, a), ["unknown", "revoked"])
        tap.equal("and is the outcome of all", record["outcome"]["error"]["code"],
                  "unknown_outcome")
        a = propose(c, {"tool": "fixture.fail_with", "arguments": {"code": "conflict"}},
                    put("later", "2"))
        c.approve(a)
        c.wait(a, "failed")
        tap.equal("so does a failure", parts(c, a), ["failed", "revoked"])
        tap.equal("nothing ran after either", runs(rig, "later"), [])


def test_policy_now(rig):
    """Membership and policy are read again for each grant."""
    with rig.client() as c:
        a = propose(c, put("member", "1"), put("member", "2"))
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        rig.write("config/policy.yaml", "rules:\n  - {name: none, refuse: true}\n")
        rig.release("run")
        c.wait(a, "failed")
        tap.equal("a rule that is no more stops the rest", parts(c, a), ["succeeded", "revoked"])
        os.unlink(rig.path("config/policy.yaml"))
        c.hello()


def crash(rig):
    rig.gate.kill()
    rig.start_gate()


def test_crash_before_yes(rig):
    with rig.client() as c:
        rig.hold("plan")
        a = propose(c, put("crash", "1"), put("crasha", "2"))
        rig.wait_held("plan")
    rig.gate.kill()
    rig.release("plan")
    rig.start_gate()
    with rig.client() as c:
        before = c.wait(a, "pending")
        tap.equal("what was being planned is planned again", parts(c, a), ["pending"] * 2)
    crash(rig)
    with rig.client() as c:
        tap.equal("what waits for people waits on", c.wait(a, "pending")["shown"],
                  before["shown"])
        c.approve(a)
        c.wait(a, "succeeded")
        tap.equal("and runs once", runs(rig, "crash", "crasha"), ["crash", "crasha"])


def test_crash_running(rig):
    for point in ("plan", "run", "done"):
        with rig.client() as c:
            a = propose(c, put("during", point), put("nextto", point), put("nextto", point + "s"))
            c.wait(a, "pending")
            time.sleep(1.1)
            rig.hold(point)
            c.approve(a)
            rig.wait_held(point)
        rig.gate.kill()
        rig.start_gate()
        rig.release(point)
        with rig.client() as c:
            if point == "plan":  # of the first, made again: it has no grant yet
                c.wait(a, "revoked")
                tap.equal("killed before the first grant, nothing begins", parts(c, a),
                          ["revoked"] * 3)
            else:
                c.wait(a, "failed")
                tap.equal(f"killed at '{point}': what had begun is told, the rest is not begun",
                          parts(c, a), ["succeeded", "revoked", "revoked"])
    tap.equal("each that began ran once", runs(rig, "during", "nextto"), ["during", "during"])


def test_server_dies(rig):
    with rig.client() as c:
        a = propose(c, put("server", "1"), put("survivor", "1"))
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
        rig.server.kill()
        rig.release("run")
        rig.start_server()
        c.wait(a, "unknown", "failed", timeout_s=40)
        tap.equal("a server that dies in the act stops the rest", parts(c, a)[1], "revoked")
        tap.equal("nothing is repeated", runs(rig, "server", "survivor"), [])


def test_crash_at_random(rig):
    decisions = []
    for i in range(10):
        with rig.client() as c:
            a = propose(c, put("randoma", str(i)), put("randomb", str(i)), put("randomc", str(i)))
            record = c.wait(a, "pending")
            decisions.append(a)
            time.sleep(max(0, record["posted_at"] / 1000 + 1.05 - time.time()))
            c.send_bytes(b'{"m":"decide","id":900,"approval":"%s","decision":"approve",'
                         b'"shown":"%s"}' % (a.encode(), record["shown"].encode()))
            time.sleep(i * 0.006)
        crash(rig)
        with rig.client() as c:
            if c.state(a) == "pending":
                c.deny(a)
            record = c.wait(a, "succeeded", "failed", "revoked", "denied", "unknown", "cancelled")
            states = parts(c, a)
            ran = [r[1] for r in rig.runs() if r[1].startswith(a)]
            tap.ok(f"killed at a random moment: what ran is what is told ({states})",
                   ran == [f"{a}-{n + 1}" for n, s in enumerate(states) if s == "succeeded"],
                   (states, ran))
    tap.equal("nothing ran twice", len({r[1] for r in rig.runs()}), len(rig.runs()))
    tap.ok("nothing was left half-way", "approval.stuck" not in rig.read("run/gate.log"),
           [x for x in rig.read("run/gate.log").splitlines() if "stuck" in x])


def test_console(rig):
    wingman = os.path.join(BUILD, "bin", "wingman")
    calls = json.dumps([put("console", "1"), echo("hello")])
    done = subprocess.run([wingman, "--dir", rig.dir, "call", "--several", calls, "--wait", "0"],
                          capture_output=True, text=True, check=False)
    tap.equal("without a terminal it says what waits", done.returncode, 6)
    a = done.stdout.split()[1]
    with rig.client() as c:
        done = subprocess.run([wingman, "--dir", rig.dir, "approvals", "show", a],
                              capture_output=True, text=True, check=False)
        for words in ("Several calls, one decision", "Call 1: Arguments", "Call 2: Arguments",
                      "Terms of the decision", "runs as 1"):
            tap.ok("the page has: " + words, words in done.stdout, done.stdout + done.stderr)
        c.approve(a)
        c.wait(a, "succeeded")
    done = subprocess.run([wingman, "--dir", rig.dir, "approvals", "show", a],
                          capture_output=True, text=True, check=False)
    tap.ok("and afterwards what became of each", "1. fixture.put_value is succeeded" in done.stdout
           and "2. fixture.echo_text is succeeded" in done.stdout, done.stdout)
    done = subprocess.run([wingman, "--dir", rig.dir, "call", "--several", "{}"],
                          capture_output=True, text=True, check=False)
    tap.equal("what is no list is refused", done.returncode, 2)


TESTS = [test_yes, test_alone, test_words, test_no, test_people, test_changed_world, test_counting_on, test_counting_on_lies, test_stopping,
         test_broken, test_policy_now, test_crash_before_yes, test_crash_running,
         test_server_dies, test_crash_at_random, test_console]


def run_one(test, rig):
    tap.note(test.__name__)
    for point in ("plan", "run", "done"):
        rig.release(point)
    test(rig)


if __name__ == "__main__":
    the_rig = Rig()
    # Each call of several is planned twice.
    the_rig.write("config/fixture.yaml", the_rig.read("config/fixture.yaml") +
                  "limits: {plans_per_minute: 100000}\n")
    try:
        the_rig.start()
        tap.run([lambda t=t: run_one(t, the_rig) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
