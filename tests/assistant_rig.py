"""A surface in Python: starts wingman-assistant and wingman-egress as one does, each with
one socket pair at descriptor 3, and hands requests on and answers back.

    with Egress(folder) as egress, Worker(provider="openai", model="m") as worker:
        said = Surface(worker, egress).turn("summarise")
"""

import base64
import json
import os
import select
import socket
import struct
import subprocess
import time

import private_server

BUILD = os.environ["WINGMAN_BUILD"]
SOURCE = os.environ["WINGMAN_SOURCE"]
NPM = os.path.join(SOURCE, "build", "npm")
NODE_MODULES = os.path.join(NPM, "node_modules")
NODE = os.path.join(NPM, "node", "bin", "node")
PATIENCE_S = 60

LIMITS = {"seconds": 60, "requests": 8, "proposals": 8, "reads": 8, "text_bytes": 65536,
          "tokens": 1000000}
TOOLS = [
    {"name": "people.find_person", "description": "Find a person.",
     "schema": {"type": "object", "properties": {"query": {"type": "string"}},
                "required": ["query"], "additionalProperties": False}},
    {"name": "accounts.block_account", "description": "Block an account.",
     "schema": {"type": "object", "properties": {"account": {"type": "string"}},
                "required": ["account"], "additionalProperties": False}},
]
SOURCES = [{"uri": "playbook://ransomware", "description": "Ransomware playbook"},
           {"template": "playbook://search{?q}", "description": "Search playbooks",
            "values": ["q"]}]


class Gone(Exception):
    """The other end closed."""


class Child:
    """A program of ours with one end of a socket pair at descriptor 3."""

    def __init__(self, command, env=None, cwd=None, stdout=subprocess.DEVNULL):
        ours, theirs = socket.socketpair()
        fd = theirs.fileno()

        def place():
            if fd != 3:
                os.dup2(fd, 3)
            os.set_inheritable(3, True)

        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
            env=env if env is not None else dict(os.environ), cwd=cwd, pass_fds=(3,),
            preexec_fn=place)
        theirs.close()
        self.socket = ours
        self.log = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it by leaving; returns its status."""
        self.socket.close()
        try:
            _, err = self.process.communicate(timeout=PATIENCE_S)
            self.log += err or b""
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode

    def ended(self):
        """Its status when it ends by itself."""
        _, err = self.process.communicate(timeout=PATIENCE_S)
        self.log += err or b""
        return self.process.returncode

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, message):
        data = json.dumps(message, ensure_ascii=False).encode()
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def _read(self, count, deadline):
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self.socket], [], [], deadline - time.monotonic())
            if not ready:
                raise TimeoutError("nothing came")
            try:
                some = self.socket.recv(count - len(data))
            except ConnectionResetError:
                some = b""
            if not some:
                raise Gone(self.process.args)
            data += some
        return data

    def receive(self, timeout_s=PATIENCE_S):
        deadline = time.monotonic() + timeout_s
        (length,) = struct.unpack(">I", self._read(4, deadline))
        return json.loads(self._read(length, deadline))

    def expect(self, name):
        message = self.receive()
        if message["m"] != name:
            raise AssertionError(f"{message} is no '{name}'")
        return message


class Worker(Child):
    def __init__(self, provider="anthropic", model="m", stream=True, cache=True,
                 max_output=1000, program="wingman-assistant", **more):
        super().__init__([os.path.join(BUILD, "bin", program)])
        self.send({"m": "begin", "v": 2, "provider": provider, "model": model,
                   "stream": stream, "cache": cache, "max_output": max_output, **more})
        self.expect("ready")


class Egress(Child):
    """'config' becomes config/assistant.yaml of the folder."""

    def __init__(self, folder, config, env=None, ready=True):
        os.makedirs(os.path.join(folder, "config"), exist_ok=True)
        with open(os.path.join(folder, "config/assistant.yaml"), "w", encoding="utf-8") as f:
            json.dump(config, f)
        super().__init__([os.path.join(BUILD, "bin", "wingman-egress"), "--dir", folder],
                         env={**os.environ, **(env or {})})
        self.number = 0  # of requests; no answer to an older turn is taken for a newer one's
        if ready:
            self.expect("ready")


def turn_message(text, tools=None, sources=None, conversation=None, system=None, who=None,
                 **limits):
    return {"m": "turn",
            "system": system or [{"name": "Style", "text": "Be brief."}],
            "who": {"asker": {"person": "alice@example.test"}} if who is None else who,
            "conversation": conversation or [
                {"kind": "said", "by": "alice@example.test", "text": text, "asker": True}],
            "tools": TOOLS if tools is None else tools,
            "sources": SOURCES if sources is None else sources,
            "limits": {**LIMITS, **limits}}


class Surface:
    """Hands requests on; what the worker wants it answers by 'results' and 'contents',
    functions of the message."""

    def __init__(self, worker, egress, results=None, contents=None):
        self.worker, self.egress = worker, egress
        self.results = results or (lambda m: [{"status": "pending"}] * len(m["calls"]))
        self.contents = contents or (lambda m: {"label": "ransomware", "text": "Isolate."})
        self.requests, self.proposals, self.reads, self.waits = [], [], [], []
        self.text = ""
        self.pieces = 0
        self.finals = []

    def turn(self, text, **more):
        return self.run(turn_message(text, **more))

    def run(self, message):
        """The message that ends the turn."""
        self.worker.send(message)
        open_requests = {}
        while True:
            ready, _, _ = select.select([self.worker.socket, self.egress.socket], [], [],
                                        PATIENCE_S)
            if not ready:
                raise TimeoutError("neither says anything")
            if self.egress.socket in ready:
                self._from_egress(self.egress.receive(), open_requests)
                continue
            m = self.worker.receive()
            if m["m"] in ("done", "failed"):
                return m
            self._from_worker(m, open_requests)

    def _from_egress(self, m, open_requests):
        if m["m"] == "waiting":
            self.waits.append(m)
            return
        own = open_requests.get(m["request"])
        if own is not None:
            self.worker.send({**m, "request": own})

    def _from_worker(self, m, open_requests):
        if m["m"] == "request":
            self.egress.number += 1
            open_requests[self.egress.number] = m["request"]
            self.requests.append({"path": m["path"], "body": json.loads(m["body"])})
            self.egress.send({**m, "request": self.egress.number})
        elif m["m"] == "say":
            self.text += m["text"]
            self.pieces += 1
            if m["final"]:
                self.finals.append(self.text)
                self.text = ""
        elif m["m"] == "propose":
            self.proposals.append(m)
            self.worker.send({"m": "result", "proposal": m["proposal"],
                              "results": self.results(m)})
        elif m["m"] == "read":
            self.reads.append(m)
            self.worker.send({"m": "content", "read": m["read"], **self.contents(m)})
        else:
            raise AssertionError(f"a worker says {m}")


def chunk(request, data):
    return {"m": "chunk", "request": request, "data": base64.b64encode(data).decode()}


class Mock(private_server.PrivateServer):
    """@copilotkit/aimock with fixtures of ours."""

    def __init__(self, folder, fixtures, *options):
        super().__init__()
        self.options = options
        self.file = os.path.join(folder, "fixtures.json")
        self.log = os.path.join(folder, "mock.log")
        with open(self.file, "w", encoding="utf-8") as f:
            json.dump({"fixtures": fixtures}, f)
        self.port = private_server.free_port()

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [NODE, os.path.join(NODE_MODULES, "@copilotkit/aimock/dist/cli.js"),
                 "-p", str(self.port), "-f", self.file, "--strict", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.answers(self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"
