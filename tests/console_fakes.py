"""Stand-ins for the console's tests: a gate on a Unix socket, a server on HTTP.

The gate speaks gate/messages.h's frames and does what a test tells it; it judges
nothing. What belongs to the real gate is tested with the real gate.
"""

import hashlib
import http.server
import json
import os
import socket
import struct
import threading
import time

TOOLS = [
    {"name": "get_account", "title": "Look at an account", "description": "Reads.",
     "_meta": {"org.wingman/risk": "read"},
     "inputSchema": {"type": "object", "properties": {
         "person": {"type": "string", "minLength": 3, "x-wingman-kind": "person",
                    "description": "Whose account."}},
         "required": ["person"], "additionalProperties": False}},
    {"name": "block_account", "title": "Block an account", "description": "Blocks.",
     "_meta": {"org.wingman/risk": "destructive"},
     "inputSchema": {"type": "object", "properties": {
         "systems": {"type": "array", "items": {"enum": ["ldap", "okta"]}},
         "person": {"type": "string", "minLength": 3, "x-wingman-kind": "person"},
         "revoke_sessions": {"type": "boolean", "default": True}},
         "required": ["person"], "additionalProperties": False}},
    {"name": "say_secret", "title": "Say it", "_meta": {"org.wingman/risk": "read"},
     "inputSchema": {"type": "object", "properties": {
         "words": {"type": "string", "x-wingman-sensitive": True}}}},
    {"name": "list_all", "title": "List", "_meta": {"org.wingman/risk": "read"},
     "inputSchema": {"type": "object", "properties": {}}},
]


def canonical(value):
    """RFC 8785 for what is used here: ASCII keys, integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def prompt_of(approval, tool, arguments, needed=1):
    now = int(time.time() * 1000)
    return {
        "v": 1, "approval": approval, "server": "accounts", "address": "http://127.0.0.1:1/mcp",
        "tool": tool, "title": "Do it", "risk": "destructive", "requester": "alice@example.test",
        "surface": "console", "asked_at": now, "expires_at": now + 600000, "good_for_s": 300,
        "approvers": {"needed": needed, "who": ["alice@example.test"], "four_eyes": False},
        "outcome_to": "this terminal",
        "arguments": [{"name": k, "value": v, "text": json.dumps(v)}
                      for k, v in sorted(arguments.items())],
        "effects": [{"system": "ldap", "target": "uid=john", "from": "active", "to": "blocked",
                     "reversible": True}],
        "warnings": [], "free_text": [], "pin": "a" * 64, "args": digest(arguments),
    }


class FakeGate:
    """Set 'outcome' to what an approved call ends as; 'auto' to end it without a person."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "run", "gate.sock")
        self.records, self.asked, self.decisions = {}, [], []
        self.outcome = {"state": "succeeded"}
        self.result = {"content": [{"type": "text", "text": "all \x1b[31mdone"}]}
        self.auto = None
        self.pin = None
        self.person = "alice@example.test"
        self.approvals_needed = 1
        self.url = "http://127.0.0.1:1/mcp"
        self.lock = threading.Lock()
        self.peers = []
        self.listener = None
        self.start()

    # ---- life ----

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        # shutdown wakes the thread in accept; close alone would not
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.peers = []

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        watched = set()
        try:
            while True:
                head = self._exactly(peer, 4)
                message = json.loads(self._exactly(peer, struct.unpack(">I", head)[0]))
                self.asked.append(message)
                try:
                    reply = getattr(self, "on_" + message["m"])(message, peer, watched)
                    reply = {"ok": True, **(reply or {})}
                except Refusal as e:
                    reply = {"ok": False, "error": {"code": e.code, "message": e.args[0]}}
                self.send(peer, {"m": "reply", "id": message["id"], **reply})
        except (OSError, EOFError):
            peer.close()

    @staticmethod
    def _exactly(peer, n):
        data = b""
        while len(data) < n:
            part = peer.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    @staticmethod
    def send(peer, message):
        body = json.dumps(message).encode()
        peer.sendall(struct.pack(">I", len(body)) + body)

    # ---- messages ----

    def on_hello(self, m, *_):
        reply = {"v": 1, "team": True, "pin_set": self.pin is not None, "version": "0.1.0"}
        if self.person:
            reply["principal"] = self.person
        return reply

    def on_tools(self, m, *_):
        return {"servers": [{"name": "accounts", "url": self.url, "instance": "accounts",
                             "up": True, "pinned": True, "tools": TOOLS}]}

    def on_status(self, m, *_):
        return {"uptime_s": 1, "pending": len([r for r in self.records.values()
                                               if r["state"] == "pending"]),
                "approved": 0, "executing": 0, "servers": 1, "epoch": "e", "kid": "0" * 16,
                "audit": {"seq": 1, "hash": "0" * 64, "sound": True}}

    def on_propose(self, m, *_):
        server, _, tool = m["tool"].partition(".")
        if server != "accounts" or tool not in [t["name"] for t in TOOLS]:
            raise Refusal("not_found", "there is no tool " + m["tool"])
        with self.lock:
            approval = "01test%04d" % len(self.records)
            prompt = prompt_of(approval, tool, m["arguments"], self.approvals_needed)
            self.records[approval] = {"id": approval, "state": "pending", "server": server,
                                      "tool": tool, "requester": self.person,
                                      "created_at": int(time.time() * 1000), "prompt": prompt,
                                      "shown": digest(prompt), "decisions": []}
        if self.auto:
            threading.Timer(0.2, self.finish, (approval,), {"outcome": self.auto}).start()
        return {"approval": approval, "state": "pending"}

    def finish(self, approval, outcome=None):
        record = self.records[approval]
        outcome = outcome or self.outcome
        record["outcome"] = outcome
        if outcome["state"] == "succeeded":
            record["result"] = self.result
        record["state"] = outcome["state"]

    def record(self, m):
        if m["approval"] not in self.records:
            raise Refusal("not_found", "there is no approval " + m["approval"])
        return self.records[m["approval"]]

    def on_show(self, m, *_):
        return {"record": self.record(m)}

    def on_list(self, m, *_):
        return {"records": [{k: v for k, v in r.items() if k != "prompt"}
                            for r in self.records.values()
                            if m.get("state") in (None, r["state"])]}

    def on_watch(self, m, peer, watched):
        record = self.record(m)

        def tell(state):
            while record["state"] == state:
                time.sleep(0.02)
            try:
                self.send(peer, {"m": "event", "approval": record["id"],
                                 "state": record["state"], "record": {}})
            except OSError:
                pass
        threading.Thread(target=tell, args=(record["state"],), daemon=True).start()
        return {"state": record["state"]}

    def on_decide(self, m, *_):
        record = self.record(m)
        self.decisions.append(m)
        if m["shown"] != record["shown"]:
            raise Refusal("precondition_failed", "the prompt changed")
        if m["decision"] == "deny":
            record["state"] = "denied"
        elif self.pin and m.get("pin") != self.pin:
            raise Refusal("permission_denied", "the PIN is wrong")
        else:
            record["decisions"].append({"by": self.person, "decision": "approve"})
            if len(record["decisions"]) >= self.approvals_needed:
                record["state"] = "executing"
                threading.Timer(0.1, self.finish, (record["id"],)).start()
        return {"state": record["state"]}

    def on_cancel(self, m, *_):
        self.record(m)["state"] = "cancelled"
        return {"state": "cancelled"}

    def on_revoke(self, m, *_):
        self.record(m)["state"] = "revoked"
        return {"state": "revoked"}

    def on_set_pin(self, m, *_):
        if self.pin is not None and m.get("old") != self.pin:
            raise Refusal("permission_denied", "the PIN is wrong")
        self.pin = m.get("pin")


class Refusal(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class FakeServer:
    """An MCP server that answers by the tool's name; see _Handler.do_POST."""

    def __init__(self):
        self.requests = []
        self.hung_up = threading.Event()
        self.httpd = _Httpd(("127.0.0.1", 0), _Handler)
        self.httpd.fake = self
        self.url = "http://127.0.0.1:%d/mcp" % self.httpd.server_port
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()


class _Httpd(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(200 if self.path in ("/healthz", "/readyz") else 404, b"ok\n", "text/plain")

    def do_POST(self):
        fake = self.server.fake
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = json.loads(body)
        fake.requests.append((dict(self.headers), body))
        if "id" not in message:
            return self.answer(202, b"")
        good = {"jsonrpc": "2.0", "id": message["id"], "result": {"resultType": "complete"}}
        name = message.get("params", {}).get("name")
        if name == "slow":
            time.sleep(1.5)
        if name == "hang":
            # the end of the connection is how a call is cancelled over HTTP
            self.connection.settimeout(20)
            if self.connection.recv(1) == b"":
                fake.hung_up.set()
            return None
        if name == "stream":
            note = {"jsonrpc": "2.0", "method": "notifications/progress"}
            text = "".join("data: %s\n\n" % json.dumps(m) for m in (note, good))
            return self.answer(200, text.encode(), "text/event-stream")
        if name == "noauth":
            return self.answer(401, b"<html>", "text/html")
        if name == "die":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self.answer(200, good)
