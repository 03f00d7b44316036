"""Sentences of the promise (docs/approvals-musts.md) that no other test holds.

Real wingman-gate and the fixture server; see gate_rig.py.
"""

import json
import os
import re
import sqlite3
import subprocess
import urllib.request

import tap
from gate_client import Refused
from gate_crash_test import caller_pid
from gate_rig import FIXTURE, PEOPLE, Rig, free_port
from gate_test import WHY, put, refused

ALICE, BOB, CAROL = PEOPLE


def asked(key, value="1"):
    return {"key": key, "value": value, "reason": WHY}


def error_of(result):
    return (result.get("structuredContent") or {}).get("error", {})


# --- who is trusted with what ---

def inodes(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        found.update(re.findall(r"^socket:\[(\d+)\]", target))
    return found


def network_sockets():
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            found.update(line.split()[9] for line in f.readlines()[1:])
    return found


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def files(pid):
    return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}


def test_processes(rig):
    keeper, caller = rig.gate.process.pid, caller_pid(rig)
    with rig.client() as c:
        c.approve(put(c, "processes", "1"))
    tap.equal("who holds the key has no network socket", inodes(keeper) & network_sockets(), set())
    tap.ok("who calls and listens has one", inodes(caller) & network_sockets())
    for name, pid in (("keeper", keeper), ("caller", caller)):
        said = status(pid)
        tap.equal(f"{name}: system calls are filtered, and nothing gives rights back",
                  (said["Seccomp"].strip(), said["NoNewPrivs"].strip()), ("2", "1"))
    opened = files(caller)
    tap.equal("the caller has none of the keeper's files open",
              [f for f in opened if f.startswith((rig.path("keys"), rig.path("gate"),
                                                  rig.path("audit")))], [])
    tap.ok("nor the keeper a token", not any(f.startswith(rig.path("tokens"))
                                             for f in files(keeper)))


def test_arguments_of_programs(_):
    """What a server trusts comes from its folder alone."""
    text = subprocess.run([FIXTURE, "--help"], capture_output=True, text=True, check=True).stdout
    tap.equal("a server has no option but its folder",
              sorted(set(re.findall(r"--[a-z-]+", text)) - {"--help", "--version"}),
              ["--check-config", "--dir"])
    folder = os.path.join(os.environ["WINGMAN_SOURCE"])
    read = set()
    for place in ("common", "gate"):
        for root, _, names in os.walk(os.path.join(folder, place)):
            for name in names:
                if name.endswith(".c") and not name.endswith("-test.c"):
                    with open(os.path.join(root, name), encoding="utf-8") as f:
                        read.update(re.findall(r"\bgetenv\(([^)]*)\)", f.read()))
    tap.equal("nor does any program read whom to trust from its environment", sorted(read),
              sorted(ENVIRONMENT))


# Where its folder is; how much it says; what children get; secrets that configuration names;
# sockets to listen on.
ENVIRONMENT = ['"WINGMAN_DIR"', '"XDG_STATE_HOME"', '"HOME"', '"WINGMAN_LOG_LEVEL"',
               "inherited[i]", '"CREDENTIALS_DIRECTORY"', "name", '"LISTEN_FDS"', '"LISTEN_PID"']


# --- arguments ---

def raw_call(rig, arguments):
    """tools/call with these bytes as arguments, by a direct client."""
    prefix = "io.modelcontextprotocol/"
    meta = {prefix + "protocolVersion": "2026-07-28", prefix + "clientCapabilities": {},
            prefix + "clientInfo": {"name": "t", "version": "1"}}
    body = (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"put_value",'
            b'"arguments":' + arguments + b',"_meta":' + json.dumps(meta).encode() + b"}}")
    code, reply = rig.post(f"http://127.0.0.1:{rig.server_port}/mcp", rig.tokens["client"], body, {
        "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "put_value",
        "Accept": "application/json, text/event-stream"})
    return code, reply


def raw_propose(c, arguments):
    """The gate's answer to a frame with these bytes as arguments."""
    c.send_bytes(b'{"m":"propose","id":77,"tool":"fixture.put_value","arguments":' + arguments + b"}")
    return c.receive()


def test_alike(rig):
    """What is not exact is refused by gate and server alike."""
    head = b'{"key":"alike","reason":"because",'
    odd = {
        "an integer past 2^53-1": head + b'"value":"1","at":9007199254740992}',
        "one below": head + b'"value":"1","at":-9007199254740992}',
        "a number that changes when it is written": head + b'"value":"1","at":0.1000000000000000055}',
        "a number too large for any": head + b'"value":"1","at":1e999}',
        "a key given twice": head + b'"value":"1","value":"2"}',
        "a lone surrogate": head + b'"value":"\\ud800"}',
        "the other half": head + b'"value":"\\udc00x"}',
        "NUL": head + b'"value":"\\u0000"}',
        "no UTF-8": head + b'"value":"\xff"}',
    }
    with rig.client() as c:
        before = len(c.ask("list", limit=500)["records"])
    for name, arguments in odd.items():
        _, reply = raw_call(rig, arguments)
        tap.ok(f"{name}: not taken by the server", "not json at byte" in json.dumps(reply).lower(),
               reply)
        try:
            with rig.client() as c:
                answer = raw_propose(c, arguments)
        except ConnectionError:
            answer = None
        tap.equal(f"{name}: the gate hangs up", answer, None)
    with rig.client() as c:
        tap.equal("and nothing was proposed of it", len(c.ask("list", limit=500)["records"]), before)
        answer = raw_propose(c, head + b'"value":"1"}')
        tap.ok("what is exact is taken in the same words", answer["ok"], answer)
        c.ask("cancel", approval=answer["approval"])


# --- outcomes for repeats ---

def expire_recent(rig):
    """As if two minutes had passed, while the gate is down."""
    db = sqlite3.connect(rig.path("gate/coordination.db"))
    with db:
        found = db.execute("update entry set expires_ms = 1 where key like 'recent/%'").rowcount
    db.close()
    return found


def test_two_minutes(rig):
    call = asked("minutes")
    a = error_of(rig.call("put_value", call))["details"]["approval"]
    with rig.client() as c:
        c.approve(a)
    rig.call("put_value", call)
    again = rig.call("put_value", call)
    tap.ok("the same again gets the outcome", not again.get("isError"), again)
    other = error_of(rig.call("put_value", call, token="client2"))
    tap.ok("another client of the same person asks anew", other.get("code") == "approval_required"
           and other["details"]["approval"] != a, other)
    with rig.client() as c:
        c.ask("cancel", approval=other["details"]["approval"])
    rig.gate.stop()
    tap.ok("(there is something to forget)", expire_recent(rig) > 0)
    rig.start_gate()
    later = error_of(rig.call("put_value", call))
    tap.ok("after two minutes it is a new request", later.get("code") == "approval_required" and
           later["details"]["approval"] not in (a, other["details"]["approval"]), later)
    with rig.client() as c:
        prompt = c.wait(later["details"]["approval"], "pending")["prompt"]
        tap.ok("whose prompt says when it last ran", prompt.get("last_run", 0) > 0, prompt)
        c.ask("cancel", approval=later["details"]["approval"])
    tap.equal("it ran once", len([r for r in rig.runs() if r[0] == "minutes"]), 1)


def test_subjects(rig):
    """Of an issuer's tokens it is the subject too, and the gate's own map says whose that is."""
    body = {"v": 1, "tool": "put_value", "principal": ALICE, "client": "oauth:1:ide",
            "arguments": asked("subjects")}
    ids = [rig.register({**body, **more})[1]["approval"]
           for more in ({"subject": "https://i 1"}, {"subject": "https://i 2"},
                        {"subject": "https://i 1"}, {})]
    tap.equal("each subject is another, itself the same", [ids.index(i) for i in ids], [0, 1, 0, 3])
    with rig.client() as c:
        for a in set(ids):
            c.ask("cancel", approval=a)
    text = rig.read("config/gate.yaml")
    line = f"  - {{id: '{BOB}'"
    assert line in text, text
    rig.write("config/gate.yaml", text.replace(line, line + ", oauth: ['https://i 2']"))
    with rig.client() as c:
        c.hello()       # it reads who is who
    for subject, status in (("https://i 2", 422), ("https://i 3", 422), ("https://j 3", 200)):
        tap.equal(f"mapped: {subject}",
                  rig.register({**body, "subject": subject, "arguments": asked("s" + subject[8])})[0],
                  status)
    rig.write_gate_config()
    with rig.client() as c:
        c.hello()
    tap.equal("an endless subject", rig.register({**body, "subject": "x" * 520})[0], 400)


def test_sessions(rig):
    """Whoever has a session is matched by it as well."""
    body = {"v": 1, "tool": "put_value", "principal": ALICE, "client": "t",
            "arguments": asked("sessions")}
    ids = [rig.register({**body, **more})[1]["approval"]
           for more in ({}, {"session": "one"}, {"session": "one"}, {"session": "two"})]
    tap.equal("each session is another, itself the same", [ids.index(i) for i in ids], [0, 1, 1, 3])
    with rig.client() as c:
        for a in set(ids):
            c.ask("cancel", approval=a)


class Session:
    """A client of an older revision: calls, and the session that they are in."""

    def __init__(self, rig, token="client"):
        self.rig, self.token, self.id = rig, token, None
        headers, _ = self.post("initialize", {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "old", "version": "1"}})
        self.id = headers["Mcp-Session-Id"]
        self.post("notifications/initialized")

    def post(self, method, params=None):
        body = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if not method.startswith("notifications/"):
            body["id"] = 1
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.rig.server_port}/mcp", data=json.dumps(body).encode(),
            method="POST", headers={
                "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-06-18",
                "Authorization": "Bearer " + self.rig.tokens[self.token],
                **({"Mcp-Session-Id": self.id} if self.id else {})})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=60) as reply:
            text = reply.read().decode()
            for line in text.splitlines():      # a stream: its last event answers
                if line.startswith("data:") and line[5:].strip():
                    text = line[5:]
            return reply.headers, json.loads(text) if text.strip() else None

    def call(self, arguments):
        return self.post("tools/call", {"name": "put_value", "arguments": arguments})[1]["result"]

    def end(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.rig.server_port}/mcp", method="DELETE", headers={
                "Authorization": "Bearer " + self.rig.tokens[self.token],
                "MCP-Protocol-Version": "2025-06-18", "Mcp-Session-Id": self.id})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60).close()


def test_lost_session(rig):
    """Whoever lost a session comes back in another: what was approved is still theirs, what
    came of it too, and nobody else's."""
    call = asked("lostsession")
    first = Session(rig)
    a = error_of(first.call(call))["details"]["approval"]
    first.end()
    other = error_of(Session(rig, "client2").call(call))
    tap.ok("another client of the same person asks anew", other["details"]["approval"] != a, other)
    stranger = error_of(Session(rig, "bob").call(call))
    tap.ok("and so does another person", stranger["details"]["approval"] not in
           (a, other["details"]["approval"]), stranger)
    with rig.client() as c:
        c.approve(a)
    second = Session(rig)
    result = second.call(call)
    tap.ok("in the next session it runs", not result.get("isError"), result)
    second.end()
    result = Session(rig).call(call)
    tap.ok("in a third its outcome is told", not result.get("isError"), result)
    tap.equal("and it ran once", len([r for r in rig.runs() if r[0] == "lostsession"]), 1)
    with rig.client() as c:
        c.ask("cancel", approval=other["details"]["approval"])


# --- signing ---

def test_signing(rig):
    """Between the yes and the signing the world may change: it is looked at again."""
    def approved(key):
        a = error_of(rig.call("put_value", asked(key)))["details"]["approval"]
        rig.become(BOB)
        with rig.client() as c:
            c.approve(a)
        rig.become(ALICE)
        return a

    a = approved("left")
    rig.team = [ALICE]
    rig.write_gate_config()
    answer = error_of(rig.call("put_value", asked("left")))
    with rig.client() as c:
        tap.equal("who left the team since does not count any more", (c.state(a), answer["code"]),
                  ("revoked", "permission_denied"))
    rig.team = [ALICE, BOB]
    rig.write_gate_config()
    a = approved("unread")
    kept = rig.read("config/gate.yaml")
    rig.write("config/gate.yaml", "persons: [\n")
    answer = error_of(rig.call("put_value", asked("unread")))
    tap.equal("who cannot tell who is in the team signs nothing", answer["code"],
              "backend_unavailable")
    tap.equal("and nothing ran", rig.value("unread"), "")
    rig.write("config/gate.yaml", kept)
    rig.call("put_value", asked("unread"))
    with rig.client() as c:
        tap.ok("mended, it is", c.wait(a, "succeeded"))
    signed = [x["data"]["approval"] for x in rig.audit() if x["event"] == "grant.signing"]
    tap.equal("once", signed.count(a), 1)


def test_log_first(rig):
    """What is under way stands in the logs already."""
    with rig.client() as c:
        a = put(c, "log", "1")
        rig.hold("run")
        c.approve(a)
        rig.wait_held("run")
    lines = [x["event"] for x in rig.audit() if x["data"].get("approval") == a]
    tap.equal("the gate's, in order, before the act",
              [e for e in lines if e.startswith(("approval.", "grant."))],
              ["approval.proposed", "approval.planned", "approval.pending", "approval.approved",
               "grant.signing", "approval.granted"] +
              lines[len(lines) - lines[::-1].index("approval.granted"):])
    started = [json.loads(x) for x in rig.read("audit/fixture.jsonl").splitlines()]
    started = [x for x in started if x["event"] == "call.started" and x["data"]["approval"] == a]
    head = started[0]["data"]["gate_head"]["hash"]
    signing = [x for x in rig.audit() if x["event"] == "grant.signing" and
               x["data"]["approval"] == a]
    tap.equal("the server's anchors the gate's line of the signing", head, signing[0]["hash"])
    rig.release("run")
    with rig.client() as c:
        c.wait(a, "succeeded")


# --- words ---

def test_direct_words(rig):
    result = rig.call("put_value", asked("words"))
    error = error_of(result)
    a = error["details"]["approval"]
    tap.ok("who must wait is told where, and that the same call may be repeated",
           f"wingman approvals show {a}" in json.dumps(error) and "repeat the very same call"
           in error.get("hint", ""), error)
    with rig.client() as c:
        prompt = c.wait(a, "pending")["prompt"]
        tap.ok("people read which server says so", "says fixture" in prompt["surface"],
               prompt["surface"])
        c.ask("cancel", approval=a)


def test_another_address(rig):
    """An approval is for the address that was shown."""
    with rig.client() as c:
        a = put(c, "address", "1")
        c.wait(a, "pending")
    b = error_of(rig.call("put_value", asked("address", "2")))["details"]["approval"]
    with rig.client() as c:
        c.approve(b)
    rig.gate.stop()
    kept, rig.server_port = rig.server_port, free_port()
    rig.write_gate_config()
    rig.start_gate()
    with rig.client() as c:
        try:
            c.approve(a)
        except (Refused, AssertionError):
            pass
        tap.ok("what waits for a server that moved cannot be approved",
               c.state(a) in ("pending", "superseded", "revoked"), c.state(a))
        rig.server_port = kept
        rig.call("put_value", asked("address", "2"))
        tap.ok("nor is a grant signed for it", c.state(b) in ("approved", "revoked"), c.state(b))
    signed = [x["data"]["approval"] for x in rig.audit() if x["event"] == "grant.signing"]
    tap.equal("no grant left", [x for x in (a, b) if x in signed], [])
    tap.equal("nothing ran", rig.value("address"), "")
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()


TESTS = [test_processes, test_arguments_of_programs, test_alike, test_two_minutes, test_sessions, test_lost_session,
         test_subjects, test_signing, test_log_first, test_direct_words, test_another_address]


def run_one(test, rig):
    rig.become(ALICE)
    tap.note(test.__name__)
    test(rig)


if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.start()
        tap.run([lambda t=t: run_one(t, the_rig) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
