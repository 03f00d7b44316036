"""What a server that lies, a client that floods and a peer that is nobody can do to the gate.

The real wingman-gate; the server it calls is played here, in this process.
"""

import http.client
import http.server
import json
import os
import socket
import threading
import time

import tap
from gate_client import Refused
from gate_rig import PEOPLE, Rig
from gate_test import edit, table

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"
ESCAPE = "\x1b]0;owned\x07\u009b31m\u202egnp"
META_OUTCOME, META_PLAN = "org.wingman/outcome", "org.wingman/plan"


class Liar(http.server.ThreadingHTTPServer):
    """An MCP server whose answers are functions of this test."""

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), _Handler)
        schemas = os.path.join(os.environ["WINGMAN_SOURCE"], "tests/fixture/schemas/fixture")
        self.tools = []
        for name in sorted(os.listdir(schemas)):
            if name != "server.json":
                with open(os.path.join(schemas, name), encoding="utf-8") as f:
                    self.tools.append(json.load(f))
        self.tools.append({
            "name": "set_secret", "title": "Set a secret", "description": "Writes.",
            "_meta": {"org.wingman/risk": "write"},
            "inputSchema": {"type": "object", "additionalProperties": False, "properties": {
                "plain": {"type": "string"},
                "secret": {"type": "string", "x-wingman-sensitive": True},
                "deep": {"type": "object", "properties": {
                    "inner": {"type": "string", "x-wingman-sensitive": True}}}}}})
        self.plan = lambda arguments: good_plan()
        self.execute = lambda approval: good_result(approval)
        self.executed = []
        self.looked = []    # those of them that were only asked what had become of them
        self.is_dead = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, method, params):
        if method == "tools/list":
            if self.is_dead:
                return None
            return {"resultType": "complete", "tools": self.tools}
        meta = params["_meta"]
        if "org.wingman/grant" in meta:
            payload = meta["org.wingman/grant"].split(".")[0]
            approval = json.loads(_unbase64(payload))["id"]
            if "org.wingman/revoke" in meta:    # what it had, it has done
                return self.execute(approval)
            self.executed.append(approval)
            if meta.get("org.wingman/look"):
                self.looked.append(approval)
            return self.execute(approval)
        return self.plan(params["arguments"])


def _unbase64(text):
    import base64
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):  # pylint: disable=invalid-name
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        result = self.server.answer(body["method"], body["params"])
        if result is None:  # as one that dies over it
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        reply = (result if isinstance(result, bytes) else
                 json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": result}).encode())
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


def good_plan(**more):
    plan = {"v": 1, "summary": "set a", "warnings": [], "state_digest": "0" * 64,
            "effects": [{"system": "fixture", "target": "a", "from": "", "to": "1",
                         "reversible": True}], **more}
    return {"resultType": "input_required", "requestState": "v1.x", "_meta": {META_PLAN: plan}}


def good_result(approval, **more):
    return {"resultType": "complete", "content": [{"type": "text", "text": "done"}],
            "_meta": {META_OUTCOME: {"approval": approval, "state": "succeeded", **more}}}


def failure(code, message, **more):
    return {"resultType": "complete", "isError": True, "content": [],
            "structuredContent": {"error": {"code": code, "message": message, **more}}}


_keys = iter(f"{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrstuvwxyz")


def put(c, **more):
    return c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY, **more)


def is_alive(rig, name):
    with rig.client() as c:
        tap.ok(name, rig.gate.process.poll() is None and c.hello()["ok"])


def ended(c, approval, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        record = c.show(approval)
        if "ended_at" in record:
            return record
        time.sleep(0.05)
    return record


# --- a server that lies ---

def test_odd_plans(rig):
    liar = rig.liar
    huge = "x" * 900_000
    odd = {
        "nothing": {},
        "no plan": {"resultType": "input_required", "requestState": "v1.x"},
        "a plan without its state": {k: v for k, v in good_plan().items() if k != "requestState"},
        "a plan that is a list": {**good_plan(), "_meta": {META_PLAN: [1]}},
        "an effect without 'to'": good_plan(effects=[{"system": "s", "target": "t", "from": "",
                                                      "reversible": True}]),
        "an effect that may be reversible": good_plan(effects=[
            {"system": "s", "target": "t", "from": "", "to": "", "reversible": "yes"}]),
        "no approvers": good_plan(requires={"approvers": 0, "why": "x"}),
        "a member too many": good_plan(approved=True),
        "a fraction": good_plan(data={"x": 0.5}),
        "a text of a megabyte": good_plan(summary=huge),
        "a state of a megabyte": {**good_plan(), "requestState": huge},
        "a hundred effects": good_plan(effects=100 * good_plan()["_meta"][META_PLAN]["effects"]),
        "not JSON-RPC": b'{"jsonrpc":"2.0"}',
        "not JSON": b"\xff\xfe{",
        "a lone surrogate": b'{"jsonrpc":"2.0","id":1,"result":{"x":"\\ud800"}}',
        "an answer of another request": b'{"jsonrpc":"2.0","id":99999,"result":{}}',
        "an answer of 20 MB": b'{"jsonrpc":"2.0","id":1,"result":"' + 20_000_000 * b"x" + b'"}',
    }
    with rig.client() as c:
        for what, reply in odd.items():
            liar.plan = lambda _, r=reply: r
            record = ended(c, put(c))
            tap.ok(f"{what}: refused, nothing asked",
                   record["state"] == "refused" and "prompt" not in record,
                   (record["state"], record.get("outcome")))
        liar.plan = lambda _: failure(ESCAPE, "é" * 20_000 + ESCAPE, hint="h" * 20_000,
                                      details={"candidates": ["y" * 100_000]})
        record = ended(c, put(c))
        error = record["outcome"]["error"]
        tap.equal("a failure of no known code is internal", error["code"], "internal")
        tap.ok("what it says is cut", len(json.dumps(record)) < 100_000, len(json.dumps(record)))
        liar.plan = lambda _: good_plan()
    tap.equal("nothing was executed", liar.executed, [])
    is_alive(rig, "the gate lives")


def test_counting(rig):
    """Of several calls in one decision: a plan that counts on what no earlier call would do."""
    def propose(c, assumes):
        keys = [next(_keys) for _ in range(3)]
        rig.liar.plan = lambda arguments: (good_plan(assumes=assumes)
                                           if arguments["key"] == keys[1] else good_plan())
        return c.ask("propose", calls=[
            {"tool": "fixture.put_value", "arguments": {"key": key, "value": "1", "reason": WHY}}
            for key in keys])["approval"]

    with rig.client() as c:
        for what, call, effect in (("on itself", 2, 0), ("on what comes later", 3, 0), ("on no call", 9, 0),
                                   ("on an effect that is not shown", 1, 1)):
            record = ended(c, propose(c, [{"call": 1, "effect": 0}, {"call": call, "effect": effect}]))
            tap.ok(f"a plan that counts {what}: refused, nothing asked",
                   record["state"] == "refused" and "prompt" not in record,
                   (record["state"], record.get("outcome")))
        a = propose(c, [{"call": 1, "effect": 0}])
        words = json.dumps(c.wait(a, "pending")["prompt"])
        tap.ok("one that counts on what is shown is asked, and says so",
               "call 2 counts on what is done by call 1" in words, words)
        c.ask("cancel", approval=a)
        rig.liar.plan = lambda _: good_plan(assumes=[{"call": 1, "effect": 0}])
        record = ended(c, put(c))
        tap.ok("a call by itself has none before it: refused, nothing asked",
               record["state"] == "refused" and "prompt" not in record, (record["state"], record.get("outcome")))
        rig.liar.plan = lambda _: good_plan()
    tap.equal("nothing was executed by it", rig.liar.executed, [])


def test_odd_outcomes(rig):
    liar = rig.liar
    with rig.client() as c:
        def run(execute):
            liar.execute = execute
            a = put(c)
            c.approve(a)
            return ended(c, a)

        record = run(lambda a: failure(ESCAPE, ESCAPE + "m" * 500_000, hint=ESCAPE,
                                       other="o" * 500_000))
        tap.equal("a long and odd failure ends the call at once", record["state"], "failed")
        error = record.get("outcome", {}).get("error", {})
        tap.equal("with a code of ours", error.get("code"), "internal")
        tap.ok("and a message that is cut", len(error.get("message", "")) < 400 and
               "other" not in error, len(json.dumps(error)))
        record = run(lambda a: {"resultType": "complete", "content": []})
        tap.equal("who says nothing of the grant is not believed", record["state"], "unknown")
        record = run(lambda a: good_result("another-approval"))
        tap.equal("nor who speaks of another", record["state"], "unknown")
        record = run(lambda a: good_result(a, state=["succeeded"]))
        tap.equal("nor who is not clear", record["state"], "unknown")
        long = [{"type": "text", "text": "z" * 3_000_000}]
        record = run(lambda a: {**good_result(a), "content": long})
        tap.equal("a result of 3 MB is left out, what happened is kept", record["state"],
                  "succeeded")
        tap.ok("and the record stays small", len(json.dumps(record)) < 100_000)
        record = run(good_result)
        tap.equal("a good one is one", record["state"], "succeeded")
    is_alive(rig, "the gate lives")


# --- what is shown of what it says ---

def test_shown(rig):
    with rig.client() as c:
        rig.liar.plan = lambda _: good_plan(
            effects=[{"system": "fixture", "target": "m\u0430ria", "from": "", "to": ESCAPE,
                      "reversible": True}],
            notes={"key": "this is m\u0430ria", "reason": "a note on the reason",
                   "other": "a note on nothing"},
            requires={"approvers": 1, "why": "because of the moon"}, warnings=[ESCAPE])
        prompt = c.wait(put(c), "pending")["prompt"]
        text = json.dumps(prompt, ensure_ascii=False)
        rig.liar.plan = lambda _: good_plan()
        tap.ok("no character that moves a cursor is in a prompt",
               not any(ord(ch) < 32 or 0x7f <= ord(ch) < 0xa0 or ch == "\u202e" for ch in text))
        warnings = "\n".join(prompt["warnings"])
        tap.ok("why the server wants so many approvers stands there", "the moon" in text, text)
        tap.ok("a note beside free text stands there", "a note on the reason" in text)
        tap.ok("and one beside no argument", "a note on nothing" in text)
        tap.ok("a look-alike in an effect has its escaped line", "m\\u0430ria" in warnings,
               warnings)
        tap.ok("and so has one in a note",
               [w for w in prompt["warnings"] if "m\\u0430ria" in w and "note" in w], warnings)


# --- who registers ---

def registration(**more):
    return {"v": 1, "tool": "put_value", "principal": ALICE, "client": "t",
            "arguments": {"key": next(_keys), "value": "1", "reason": WHY}, **more}


def test_registering(rig):
    status, reply = rig.register(registration(client="x), approved by bob (y"))
    tap.ok("a client's name draws no sentence", status == 400, (status, reply))
    rig.liar.plan = lambda _: failure("not_found", "nobody is called Maria Kovacs",
                                      details={"candidates": ["maria.k"]})
    status, reply = rig.register(registration())
    tap.equal("of a plan that failed a client learns the code alone",
              (status, reply.get("state"), reply.get("error")),
              (200, "refused", {"code": "not_found"}))
    tap.ok("and nothing else", "Kovacs" not in json.dumps(reply) and
           "maria" not in json.dumps(reply), reply)
    rig.liar.plan = lambda _: good_plan()


def test_flood(rig):
    """A server's registrations are many and large, and come all at once."""
    body = json.dumps(registration(arguments={"x": "y" * 250_000})).encode()
    head = (f"POST /approvals HTTP/1.1\r\nHost: 127.0.0.1:{rig.gate_port}\r\n"
            f"Authorization: Bearer {rig.tokens['fixture']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    sockets, pid = [], rig.gate.process.pid
    try:
        for _ in range(200):
            s = socket.create_connection(("127.0.0.1", rig.gate_port), 10)
            s.settimeout(30)
            s.sendall(head + body[:-1])
            sockets.append(s)
        os.kill(pid, 19)  # SIGSTOP: the keeper is busy with something else
        for s in sockets:
            s.sendall(body[-1:])
        time.sleep(1.5)
        os.kill(pid, 18)
        statuses = {}
        for s in sockets:
            try:
                status = s.recv(100).split(b" ", 2)[1]
            except (OSError, IndexError):
                status = b"none"
            statuses[status] = statuses.get(status, 0) + 1
        tap.ok("each is answered, the many with 503", b"none" not in statuses and
               statuses.get(b"503", 0) > 100, statuses)
    finally:
        for s in sockets:
            s.close()
    is_alive(rig, "the gate lives")


def test_crowding_out(rig):
    """A server proposes in a person's name as often as it can; the person still gets a turn."""
    rig.limits = "{open_per_person: 3, proposals_at_once: 6, proposals_per_minute: 1}"
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()
    replies = [rig.register(registration()) for _ in range(10)]
    tap.ok("a server is limited", any(s == 429 for s, _ in replies), replies)
    with rig.client() as c:
        try:
            tap.ok("the person at the console is not", put(c))
        except Refused as e:
            tap.ok("the person at the console is not", False, e)
    rig.limits = None
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()


# --- people ---

def test_second_thoughts(rig):
    """Whoever said yes may say no while others are still waited for."""
    rig.liar.plan = lambda _: good_plan(requires={"approvers": 2, "why": "it is important"})
    with rig.client() as c:
        a = put(c)
        tap.equal("one yes of two", c.approve(a)["state"], "pending")
        shown = c.show(a)["shown"]
        try:
            c.decide(a, "approve", shown)
            tap.ok("the same person's second yes is none", False)
        except Refused as e:
            tap.ok("the same person's second yes is none", "said yes already" in e.message, e)
        tap.equal("but a no it is", c.decide(a, "deny", shown)["state"], "denied")
    rig.liar.plan = lambda _: good_plan()


def test_leaver_watches(rig):
    """A connection made by a member tells nothing to who is none any more."""
    body = registration()
    approval = rig.register(body)[1]["approval"]
    with rig.client() as c:
        c.approve(approval)
        c.ask("watch", approval=approval)
        rig.team = [BOB, CAROL]
        rig.become(ALICE)
        status, reply = rig.register(body)
        tap.equal("a yes of who left counts no more", (status, reply.get("state"), "grant" in reply),
                  (200, "revoked", False))
        c.socket.settimeout(1)
        try:
            tap.ok("and who left is told nothing", False, c.receive())
        except TimeoutError:
            tap.ok("and who left is told nothing", True)


# --- what is the gate's own ---

def test_own_after_a_fall(rig):
    """Approved, and then the gate was not there for long: nothing is begun, nothing repeated."""
    rig.team = [ALICE]
    rig.become(ALICE)
    with rig.client() as c:
        a = c.ask("propose_gate", action="rotate_key", arguments={"reason": WHY})["approval"]
        c.approve(a)
        c.wait(a, "succeeded")
    kid = rig.kid()
    for state, end, why in (("granted", "refused", "lapsed"), ("executing", "failed", "fell")):
        rig.gate.stop()
        edit(rig, f"update {table(rig)} set body = json_remove(json_set(body, '$.state', ?, "
             "'$.good_until', 1000, '$.plan.data.kid', ?), '$.ended_at', '$.outcome', '$.result') "
             "where id = ?", state, kid, a)
        rig.start_gate()
        with rig.client() as c:
            record = ended(c, a)
            tap.equal(f"found {state}, it is {end}", record["state"], end)
            tap.ok("and it is said why", why in record["outcome"]["error"]["message"], record)
        tap.equal("the key is the one it was", rig.kid(), kid)


# --- what the log tells ---

def test_story(rig):
    with rig.client() as c:
        a = put(c)
        c.deny(a)
    lines = [line for line in rig.audit() if line["data"].get("approval") == a]
    proposed = [line for line in lines if line["event"] == "approval.proposed"]
    tap.equal("the log holds what was proposed", proposed[0]["data"]["arguments"].get("reason"),
              WHY)


def test_sensitive(rig):
    with rig.client() as c:
        a = c.propose("fixture.set_secret", plain="in the open", secret="hunter2",
                      deep={"inner": "correct horse"})
        tap.ok("a prompt shows it", "hunter2" in json.dumps(c.wait(a, "pending")["prompt"]))
        c.ask("cancel", approval=a)
    text = rig.read("audit/gate.jsonl")
    tap.ok("the log holds what is no secret", "in the open" in text)
    tap.ok("and no secret, however deep", "hunter2" not in text and "correct horse" not in text)
    tap.ok("nor does the other log", "hunter2" not in rig.read("run/gate.log"))


def test_all_at_once(rig):
    """Every thread that calls a server brings the largest answer there is, while the gate is busy."""
    gate, here, pid = threading.Event(), threading.Semaphore(0), rig.gate.process.pid

    def large(reply, n):
        here.release()
        gate.wait(30)
        return {**reply, "content": [{"type": "text", "text": "l" * n}]}

    rig.liar.execute = lambda approval: large(good_result(approval), 2_000_000)
    with rig.client() as c:
        approvals = [put(c) for _ in range(8)]
        for a in approvals:
            c.approve(a)
        rig.liar.plan = lambda _: large(failure("not_found", "x", details={"y": "d" * 1_900_000}), 1)
        for _ in range(3):
            put(c)
        for _ in range(11):
            here.acquire(timeout=10)
        os.kill(pid, 19)
        gate.set()
        time.sleep(1.5)
        os.kill(pid, 18)
        rig.liar.plan, rig.liar.execute = lambda _: good_plan(), good_result
        tap.equal("each has ended", {ended(c, a)["state"] for a in approvals}, {"succeeded"})
    is_alive(rig, "the gate lives")


TESTS = [test_odd_plans, test_counting, test_odd_outcomes, test_shown, test_registering, test_flood,
         test_second_thoughts, test_leaver_watches, test_story, test_sensitive,
         test_crowding_out, test_all_at_once,
         test_own_after_a_fall]


def run_one(test, rig):
    rig.team = [ALICE, BOB]
    rig.become(ALICE)
    with rig.client() as c:
        c.hello()
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
