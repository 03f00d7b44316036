"""Our server beside the official ones, each a program on one core; run.py prints it.

Every server has the same trivial tool (and nineteen like it, where the name does not say
one) and is asked in the same way: over so many keep-alive connections by bench-load, on
another core. What is asked of 2026-07-28 is asked of all that speak it; the TypeScript SDK
1 keeps a session. Ours checks a token and validates arguments and results at all times.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import install  # noqa: E402  pylint: disable=wrong-import-position

CONNECTIONS = (1, 16, 64, 128, 256)
METHODS = ("tools/call", "tools/list")
TYPICAL = 64            # connections for latencies and ratios
OPEN_SHARE = 0.5        # of the closed loop's rate: the open loop's
WARM_MS, CELL_MS = 700, 500
STARTS = 9
STREAMS_S = 15          # to open them in; fewer where that is too short
PATIENCE_S = 60
MODERN, SESSION = "2026-07-28", "2025-11-25"
META = {"io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}

# Name: how it is got (build folder, folder for peers -> argv), its revision (None: it is no
# MCP).
SERVERS = {
    "bare HTTP and JSON": (lambda b, r: [os.path.join(b, "bench", "bench-bare")], None),
    "wingman": (lambda b, r: [os.path.join(b, "bench", "bench-server")], MODERN),
    "TypeScript SDK 2, 1 tool": (lambda b, r: install.node(r, "v2.mjs") + ["1"], MODERN),
    "TypeScript SDK 2": (lambda b, r: install.node(r, "v2.mjs") + ["20"], MODERN),
    "TypeScript SDK 2, schemas once": (lambda b, r: install.node(r, "v2.mjs") + ["20", "once"],
                                       MODERN),
    "TypeScript SDK 1": (lambda b, r: install.node(r, "v1.mjs") + ["20"], SESSION),
    "Python SDK": (lambda b, r: install.python(r) + ["20"], MODERN),
    "Go SDK": (lambda b, r: install.go(r) + ["20"], MODERN),
}
OURS, BARE = "wingman", "bare HTTP and JSON"
# Whose streams are measured, and how many: Python's server takes 1,024 and has no option.
STREAMS = {OURS: 10000, "TypeScript SDK 2": 10000, "Python SDK": 1000, "Go SDK": 10000}


class Failed(Exception):
    """A server or a measurement is not as it must be."""


@contextlib.contextmanager
def on_core(number):
    """Children started within stay on this core, if there are two."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[number % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def request(port, method, version, headers, name=None, **params):
    """An HTTP request as bytes."""
    meta = {"_meta": META} if version == MODERN else {}
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method,
                       "params": {**({"name": name} if name else {}), **params, **meta}})
    rows = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": version or MODERN, **headers,
            "Content-Length": str(len(body))}
    if version == MODERN:
        rows |= {"Mcp-Method": method, **({"Mcp-Name": name} if name else {})}
    head = "".join(f"{k}: {v}\r\n" for k, v in rows.items())
    return f"POST /mcp HTTP/1.1\r\n{head}\r\n{body}".encode()


class Server:
    """One running server, started at 'begun'."""

    def __init__(self, argv, version, token=None):
        self.version, self.headers = version, {}
        if token:
            self.headers["Authorization"] = "Bearer " + token
        with on_core(0):
            self.begun = time.monotonic()
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        try:
            said = json.loads(line)
            self.port = said if isinstance(said, int) else int(
                said["url"].split(":")[2].split("/")[0])
        except (ValueError, KeyError, IndexError) as e:
            self.stop()
            raise Failed(f"it did not start: {line!r}") from e

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def begin(self):
        """The handshake of those that need one."""
        if self.version != SESSION:
            return
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        rows = {"Content-Type": "application/json",
                "Accept": "application/json, text/event-stream"}
        c.request("POST", "/mcp", json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": SESSION, "capabilities": {},
                "clientInfo": {"name": "bench", "version": "1"}}}), rows)
        reply = c.getresponse()
        reply.read()
        self.headers["Mcp-Session-Id"] = reply.getheader("Mcp-Session-Id") or ""
        c.request("POST", "/mcp", '{"jsonrpc":"2.0","method":"notifications/initialized"}',
                  {**rows, **self.headers})
        c.getresponse().read()
        c.close()

    def call(self, tool="echo_text"):
        arguments = {"text": "hello there"} if tool == "echo_text" else {}
        return request(self.port, "tools/call", self.version, self.headers, name=tool,
                       arguments=arguments)

    def list(self):
        return request(self.port, "tools/list", self.version, self.headers)

    def listen(self):
        return request(self.port, "subscriptions/listen", self.version, self.headers,
                       notifications={"toolsListChanged": True})

    def first_answer_ms(self):
        """From exec to the first answer of a tools/call."""
        self.begin()
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as s:
            s.sendall(self.call())
            text = b""
            while b"hello there" not in text:
                more = s.recv(65536)
                if not more:
                    raise Failed(f"no answer: {text[:200]!r}")
                text += more
        return (time.monotonic() - self.begun) * 1000

    def cpu_us(self):
        """Processor time that it has used, all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            kib = next(l.split()[1] for l in f if l.startswith("VmRSS"))
        return int(kib) / 1024


class Bench:
    """Programs that measure, and files for them in 'scratch'."""

    def __init__(self, build, scratch):
        self.build, self.scratch = build, scratch

    def run(self, name, *args):
        path = os.path.join(self.build, "bench", name)
        try:
            with on_core(1):
                done = subprocess.run([path, *map(str, args)], capture_output=True, text=True,
                                      timeout=PATIENCE_S * 2, check=False)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Failed(f"{name}: {e}") from e
        if done.returncode != 0:
            raise Failed(f"{name}: {done.stderr.strip()[:400]}")
        return done.stdout

    def file(self, name, data):
        path = os.path.join(self.scratch, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def load(self, server, data, expect, connections, duration_ms=CELL_MS, rate=0):
        path = self.file("request", data)
        return json.loads(self.run("bench-load", server.port, connections, duration_ms, rate,
                                   path, expect))["load"]

    def site(self):
        """Our server's folder and token, made once."""
        folder = os.path.join(self.scratch, "ours")
        token = os.path.join(folder, "token")
        if not os.path.exists(token):
            os.mkdir(folder)
            said = self.run("bench-server", "make", folder)
            with open(token, "w", encoding="ascii") as f:
                f.write(said.strip())
        with open(token, encoding="ascii") as f:
            return os.path.join(folder, "site"), f.read()

    def start(self, name, argv):
        version = SERVERS[name][1]
        if name != OURS:
            return Server(argv, version)
        folder, token = self.site()
        return Server([*argv, "--dir", folder], version, token)


def measure_starts(bench, name, argv):
    """{"start ms", "rest MiB"}, medians."""
    times, sizes = [], []
    for _ in range(STARTS):
        with bench.start(name, argv) as server:
            times.append(server.first_answer_ms())
            sizes.append(server.resident_mib())
    return {"start ms": sorted(times)[STARTS // 2], "rest MiB": sorted(sizes)[STARTS // 2]}


def measure_cell(bench, server, method, connections):
    """Figures of one closed loop; at TYPICAL connections latencies too, and an open loop."""
    data, expect = ((server.call(), '"hello there"') if method == "tools/call"
                    else (server.list(), '"echo_text"'))
    before = server.cpu_us()
    cell = bench.load(server, data, expect, connections)
    found = {(method, connections): cell["rate"]}
    if connections == TYPICAL:
        found[method, "cpu us"] = (server.cpu_us() - before) / (cell["count"] + connections)
        steady = bench.load(server, data, expect, TYPICAL, CELL_MS, cell["rate"] * OPEN_SHARE)
        for prefix, figures in (("", cell), ("open ", steady)):
            for share in ("p50", "p99"):
                found[method, prefix + share] = figures[share + "_us"] / 1e3
    return found


def warm(bench, server):
    server.begin()
    for data in (server.call(), *([server.list()] if server.version else [])):
        bench.load(server, data, "", 16, WARM_MS)
    return {}


def measure_streams(bench, name, argv):
    """{"streams", "bytes" of each, "tell_ms"}."""
    with bench.start(name, argv) as server:
        return json.loads(bench.run(
            "bench-listen", server.port, STREAMS[name], STREAMS_S, server.process.pid,
            bench.file("listen", server.listen()),
            bench.file("tell", server.call("tell_all"))))["listen"]


def prepare(build, say):
    """({name: argv}, {name: why it is left out}); installs."""
    there, missing = {}, {}
    for name, (get, _) in SERVERS.items():
        say(f"peers: {name}")
        try:
            there[name] = get(build, os.path.join(build, "peers"))
        except install.Missing as e:
            missing[name] = str(e)
    return there, missing


class Run:
    """All of it; a peer that fails is left out from then on, with its reason."""

    def __init__(self, build, scratch, say):
        self.bench, self.say = Bench(build, scratch), say
        self.there, self.missing = prepare(build, say)

    def attempt(self, name, measuring, *args):
        """The figures, {} if there are none."""
        if name in self.missing:
            return {}
        try:
            return measuring(*args)
        except Failed as e:
            if name in (OURS, BARE):
                raise
            self.missing[name] = str(e)
            return {}

    def round(self):
        """{name: {what: figure}}; servers take turns at each kind of load."""
        found = {name: {} for name in self.there}
        for name, argv in self.there.items():
            found[name] |= self.attempt(name, measure_starts, self.bench, name, argv)
        with contextlib.ExitStack() as stack:
            running = {}
            for name, argv in self.there.items():
                self.attempt(name, lambda n=name, a=argv: running.update(
                    {n: stack.enter_context(self.bench.start(n, a))}) or {})
            for name, server in running.items():
                self.attempt(name, warm, self.bench, server)
            for method in METHODS:
                self.say(f"peers: {method}")
                for count in CONNECTIONS:
                    for name, server in running.items():
                        if server.version or method == METHODS[0]:
                            found[name] |= self.attempt(name, measure_cell, self.bench, server,
                                                        method, count)
            for name, server in running.items():
                found[name]["load MiB"] = server.resident_mib()
        return {name: figures for name, figures in found.items() if name not in self.missing}

    def streams(self):
        found = {}
        for name in STREAMS:
            self.say(f"peers: streams of {name}")
            if name in self.there:
                found[name] = self.attempt(name, measure_streams, self.bench, name,
                                           self.there[name])
        return {name: figures for name, figures in found.items() if figures}


def run(build, scratch, rounds, say):
    """([{name: {what: figure}} of each round], {name: streams}, {name: why it is left out})."""
    all_ = Run(build, scratch, say)
    results = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: peers")
        results.append(all_.round())
    return results, all_.streams(), all_.missing
