"""A private gate and the fixture server in a folder of their own, for tests.

One uid plays several persons: the gate reads config/gate.yaml afresh for each
decision and each hello, so become() rewrites who the uid is. Everything is stopped by pid.
"""

import base64
import hashlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from gate_client import GateClient

BUILD = os.environ["WINGMAN_BUILD"]
GATE = os.path.join(BUILD, "bin", "wingman-gate")
FIXTURE = os.path.join(BUILD, "tests", "fixture-server")
START_S = 120
NO_LIMITS = ("{proposals_at_once: 1000, proposals_per_minute: 1000, open_per_person: 1000, "
             "denials: 1000}")
PEOPLE = ("alice@example.test", "bob@example.test", "carol@example.test")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A program that prints one ready line."""

    def __init__(self, argv, log, **popen):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, **popen)
        # One that hangs is a fault too.
        told = select.select([self.process.stdout], [], [], START_S)[0]
        line = self.process.stdout.readline() if told else b""
        if not line:
            self.kill()
            with open(log, encoding="utf-8", errors="replace") as f:
                raise RuntimeError(f"{argv} did not start:\n" + f.read()[-3000:])
        self.ready = json.loads(line)

    def stop(self):
        """SIGTERM; (exit status, seconds it took)."""
        began = time.monotonic()
        self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._close()
        return status, time.monotonic() - began

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        self.process.stdout.close()
        self.log.close()


class Rig:
    name, program = "fixture", FIXTURE
    more_gate = ""              # of config/gate.yaml
    more_server_listen = ""     # of the member 'listen' in the server's
    scheme, ssl_context = "http", None
    before, popen = [], {}      # how programs are started

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="wingman-gate-")
        self.gate_port = free_port()
        self.server_port = free_port()
        self.tokens = {}
        self.gate = self.server = None
        self.whoami = PEOPLE[0]
        self.team = list(PEOPLE[:2])
        self.limits = None
        for name in ("keys/trusted", "tokens", "callers", "config", "audit", "run", self.name, "gate"):
            os.makedirs(self.path(name), mode=0o700)
        os.chmod(self.dir, 0o700)
        self._make_key()
        self._make_tokens()
        with open(self.path(self.name, "state.key"), "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(secrets.token_bytes(32))
        self.write_gate_config()
        self.write(f"config/{self.name}.yaml",
                   f"listen: {{address: 127.0.0.1, port: {self.server_port}{self.more_server_listen}}}\n"
                   f"gate: {{url: 'http://127.0.0.1:{self.gate_port}'}}\n"
                   "freed_reads: [get_route]\n")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        # As an editor does: a new file in place of the old.
        with open(self.path(name + ".new"), "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)
        os.rename(self.path(name + ".new"), self.path(name))

    def read(self, *names):
        try:
            with open(self.path(*names), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def _make_key(self):
        key = self.path("keys/gate.key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True,
                       capture_output=True)
        os.chmod(key, 0o600)

    def kid(self):
        der = subprocess.run(["openssl", "pkey", "-in", self.path("keys/gate.key"), "-pubout",
                              "-outform", "DER"], check=True, capture_output=True).stdout
        return hashlib.sha256(der[-32:]).hexdigest()[:16]

    def _make_tokens(self):
        rows = []
        rights = [self.name + ":read", self.name + ":write"]
        for name, principal, scopes in (
                ("gate", "service/gate", ["wingman:gate"]),
                (self.name, f"service/{self.name}", ["wingman:register"]),
                ("other", "service/other", ["wingman:register"]),
                ("client", PEOPLE[0], rights),
                ("client2", PEOPLE[0], rights),
                ("bob", PEOPLE[1], rights),
                ("stranger", "mallory@example.test", rights)):
            token = "wm_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            self.tokens[name] = token
            with open(self.path("tokens", name + ".token"), "w", encoding="ascii") as f:
                os.fchmod(f.fileno(), 0o600)
                f.write(token)
            rows.append({"id": name, "sha256": hashlib.sha256(token.encode()).hexdigest(),
                         "principal": principal, "client": name, "scopes": scopes,
                         "created_at": int(time.time() * 1000)})
        self.write("callers/index.json", json.dumps({"v": 1, "tokens": rows}))

    def write_gate_config(self):
        persons = "".join(
            f"  - {{id: '{p}', unix: [{os.getuid()}]}}\n" if p == self.whoami else
            f"  - {{id: '{p}'}}\n" for p in PEOPLE)
        self.write("config/gate.yaml",
                   f"persons:\n{persons}"
                   f"team: {json.dumps(self.team)}\n"
                   "servers:\n"
                   f"  - {{name: {self.name}, url: '{self.scheme}://127.0.0.1:{self.server_port}/mcp'}}\n"
                   f"listen: {{address: 127.0.0.1, port: {self.gate_port}}}\n"
                   f"limits: {self.limits or NO_LIMITS}\n" + self.more_gate)

    def become(self, person):
        self.whoami = person
        self.write_gate_config()

    # --- processes ---

    def start_server(self):
        self.server = Program([*self.before, self.program, "--dir", self.dir],
                              self.path(f"run/{self.name}.log"), **self.popen)

    def start_gate(self):
        self.gate = Program([*self.before, GATE, "--dir", self.dir], self.path("run/gate.log"),
                            **self.popen)
        return self.gate.ready

    def restart_gate(self, how="kill"):
        getattr(self.gate, how)()
        self.start_gate()

    def client(self):
        return GateClient(self.path("run/gate.sock"))

    def start(self):
        """Both, and the server's tools pinned: its schemas are not compiled into the gate."""
        self.start_server()
        self.start_gate()
        if not self.server:     # a double, which says nothing by itself
            self.say_store("thedoublesown")
        team, self.team = self.team, [PEOPLE[0]]
        self.write_gate_config()
        with self.client() as c:
            approval = self.propose_pin(c)
            c.approve(approval)
            c.wait(approval, "succeeded")
        self.team = team
        self.write_gate_config()

    def propose_pin(self, c):
        deadline = time.monotonic() + 10
        while True:
            if c.ask("tools", server=self.name)["servers"][0]["up"]:
                break
            assert time.monotonic() < deadline, "the gate does not see the server"
            time.sleep(0.05)
        current = c.ask("pins", server=self.name)["current"]
        return c.ask("propose_gate", action="pin_server",
                     arguments={"server": self.name, "digest": current})["approval"]

    def say_store(self, store, **more):
        return self.post(f"http://127.0.0.1:{self.gate_port}/stores", self.tokens[self.name],
                         {"v": 1, "store": store, **more})

    def accept_store(self, c):
        """The store that its server was refused for; two must agree."""
        store = c.ask("pins", server=self.name)["store"]
        approval = c.ask("propose_gate", action="accept_store", arguments=store)["approval"]
        c.approve(approval)
        self.become(PEOPLE[1])
        if c.state(approval) == "pending":
            c.decide(approval, "approve", c.ask("show", approval=approval)["record"]["shown"])
        self.become(PEOPLE[0])
        c.hello()
        return c.wait(approval, "succeeded")

    def done(self):
        for program in (self.gate, self.server):
            if program and program.process.poll() is None:
                os.kill(program.process.pid, signal.SIGKILL)
                program.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the fixture's backend ---

    def value(self, key):
        return self.read("fixture/values", key)

    def runs(self):
        return [line.split(" ", 3) for line in self.read("fixture/runs").splitlines()]

    def hold(self, point):
        open(self.path("fixture/hold-" + point), "w", encoding="ascii").close()

    def wait_held(self, point, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while not os.path.exists(self.path("fixture/held-" + point)):
            assert time.monotonic() < deadline, f"nothing came to '{point}'"
            time.sleep(0.02)

    def release(self, point):
        for name in ("hold-", "held-"):
            try:
                os.unlink(self.path("fixture", name + point))
            except FileNotFoundError:
                pass

    # --- HTTP ---

    def post(self, url, token, body, headers=None):
        """(status, JSON or text)"""
        request = urllib.request.Request(url, data=body if isinstance(body, bytes)
                                         else json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self.ssl_context))
        try:
            with opener.open(request, timeout=60) as reply:
                status, text = reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                status, text = e.code, e.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def register(self, body, token="fixture"):
        return self.post(f"http://127.0.0.1:{self.gate_port}/approvals",
                         self.tokens.get(token, token), body)

    def call(self, tool, arguments, token="client"):
        """tools/call of revision 2026-07-28; the result."""
        prefix = "io.modelcontextprotocol/"
        _, reply = self.post(
            f"{self.scheme}://127.0.0.1:{self.server_port}/mcp", self.tokens[token],
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": tool, "arguments": arguments, "_meta": {
                    prefix + "protocolVersion": "2026-07-28",
                    prefix + "clientInfo": {"name": "test", "version": "1"},
                    prefix + "clientCapabilities": {}}}},
            {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
             "Accept": "application/json, text/event-stream"})
        assert "result" in reply, reply
        return reply["result"]

    def audit(self):
        return [json.loads(line) for line in self.read("audit/gate.jsonl").splitlines()]
