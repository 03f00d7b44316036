"""The bridge on stdio: real clients on one side, real and scripted servers on the other."""

import asyncio
import base64
import hashlib
import http.server
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import tap

BUILD = os.environ["WINGMAN_BUILD"]
BRIDGE = os.path.join(BUILD, "tests", "stdio-bridge")
CLIENT = os.path.join(BUILD, "tests", "interop-client")
CONFORMANCE = os.path.join(BUILD, "tests", "conformance-server")
FIXTURE = os.path.join(BUILD, "tests", "fixture-server")
TOKEN = "wm_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
PATIENCE_S = 60
MODERN, LEGACY = 1, 2
REVISIONS = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
LINE_MAX = 4 * 1024 * 1024
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}}


def modern(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def notification(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


def cancelled(number):
    return notification("notifications/cancelled", requestId=number)


def initialize(number, version):
    return request(number, "initialize", protocolVersion=version, capabilities={},
                   clientInfo={"name": "test", "version": "1"})


class Bridge:
    """Every line that it prints is JSON, or read() fails."""

    started = []

    def __init__(self, url, *args, drain_ms=None):
        env = {**os.environ, **({"WINGMAN_TEST_DRAIN_MS": str(drain_ms)} if drain_ms else {})}
        self.process = subprocess.Popen([BRIDGE, url, *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.started.append(self.process)

    def send(self, *messages):
        for m in messages:
            self.process.stdin.write((m if isinstance(m, bytes) else json.dumps(m).encode())
                                     + b"\n")
        self.process.stdin.flush()

    def read(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, message):
        self.send(message)
        return self.read()

    def begin(self, version):
        """A handshake; the version that was agreed."""
        answer = self.ask(initialize(0, version))
        self.send(notification("notifications/initialized"))
        return answer["result"]["protocolVersion"]

    def end(self):
        """(messages that were still to come, stderr, status)"""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return [json.loads(line) for line in out.splitlines()], err.decode(), \
            self.process.returncode


# ---- real servers ----

class Real:
    """A program of ours that prints where it serves."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)


class Folder:
    """What the fixture server needs, and a token for it."""

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="wingman-bridge-")
        for name in ("keys/trusted", "callers", "config", "audit"):
            os.makedirs(os.path.join(self.root, name), mode=0o700)
        self.write("callers/index.json", json.dumps({"v": 1, "tokens": [
            {"id": "one", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
             "principal": "bob@example.test", "client": "one", "scopes": ["fixture:read"],
             "created_at": 1}]}))
        self.listen(0)
        self.token = self.write("token", TOKEN)
        return self

    def listen(self, port):
        self.write("config/fixture.yaml", json.dumps(
            {"listen": {"port": port}, "freed_reads": ["echo_text"]}))

    def write(self, name, text):
        path = os.path.join(self.root, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self):
        return Real(FIXTURE, "--dir", self.root)

    def __exit__(self, *_):
        shutil.rmtree(self.root)


def steps(url, version, *words):
    env = {**os.environ, **({} if version == REVISIONS[0] else {"INTEROP_LEGACY": version})}
    done = subprocess.run([CLIENT, "--", BRIDGE, url, "--", *words], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          timeout=PATIENCE_S, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_our_client():
    server = Real(CONFORMANCE, "--port", "0")
    for version in REVISIONS:
        about, era, tools, text, told, header, sampled, roots, read, prompt, tail = steps(
            server.url, version, "about", "era", "tools", "call", "test_simple_text", "{}",
            "call", "test_tool_with_progress", "{}",
            "call", "test_x_mcp_header", '{"region":"eu\\n"}',
            "call", "test_sampling", '{"prompt":"p"}',
            "call", "test_input_required_result_list_roots", "{}",
            "read", "test://static-text", "prompt", "test_simple_prompt", "{}")
        tap.equal(f"{version}: the revision", about["supportedVersions"], [version])
        tap.equal(f"{version}: the era", era, MODERN if version == REVISIONS[0] else LEGACY)
        tap.ok(f"{version}: tools", "test_simple_text" in [t["name"] for t in tools], tools)
        for what, result in (("a call", text), ("a call that tells of progress", told),
                             ("arguments that travel in headers too", header)):
            tap.ok(f"{version}: {what}", result.get("content") and not result.get("isError"),
                   result)
        tap.ok(f"{version}: a resource", read.get("contents"), read)
        tap.ok(f"{version}: a prompt", prompt.get("messages"), prompt)
        tap.ok(f"{version}: progress came", tail["notified"] >= 3, tail)
        for what, result, word in (("a sample", sampled, "sampled"),
                                   ("its folders", roots, "file:///tmp")):
            tap.ok(f"{version}: the server asks for {what}",
                   word in json.dumps(result.get("content")), result)
    tap.equal("the server ends in peace", server.stop(), 0)


def test_official_client():
    try:
        import mcp
    except ImportError as e:
        tap.skip("the official Python client", e)
        return

    async def talk(url, token, mode):
        params = mcp.StdioServerParameters(command=BRIDGE, args=[url, token])
        async with mcp.Client(mcp.stdio_client(params), mode=mode) as client:
            listed = await client.list_tools()
            called = await client.call_tool("echo_text", {"text": "hüt"})
            wrong = await client.call_tool("echo_text", {"text": 7})
            return client.protocol_version, listed, called, wrong

    with Folder() as folder:
        server = folder.start()
        for mode, version in (("legacy", "2025-11-25"), ("auto", "2026-07-28")):
            spoken, listed, called, wrong = asyncio.run(asyncio.wait_for(
                talk(server.url, folder.token, mode), PATIENCE_S))
            tap.equal(f"official client, {mode}: it speaks {version}", spoken, version)
            tap.ok(f"official client, {mode}: tools",
                   "echo_text" in [t.name for t in listed.tools])
            tap.equal(f"official client, {mode}: a call", called.content[0].text, "hüt")
            tap.ok(f"official client, {mode}: bad arguments", wrong.is_error)
        server.stop()


def echo(number, **more):
    return modern(number, "tools/call", name="echo_text", arguments={"text": "x"}, **more)


def test_restart():
    """The server goes away and comes back; the bridge stays."""
    with Folder() as folder:
        server = folder.start()
        folder.listen(int(server.url.rsplit(":", 1)[1].split("/")[0]))
        new, old = Bridge(server.url, folder.token), Bridge(server.url, folder.token)
        tap.equal("a call", new.ask(echo(1))["result"]["content"][0]["text"], "x")
        tap.equal("a session", old.begin("2025-06-18"), "2025-06-18")
        tap.ok("which works", "result" in old.ask(request(1, "tools/list")))
        server.stop()
        for b, message in ((new, echo(2)), (old, request(2, "tools/list"))):
            answer = b.ask(message)
            tap.ok("the server is down: an error with the id that says what to do",
                   answer["id"] == 2 and answer["error"]["code"] == -32603
                   and "start the server" in answer["error"]["message"], answer)
        server = folder.start()
        tap.equal("the server is back: a call", new.ask(echo(3))["result"]["content"][0]["text"],
                  "x")
        answer = old.ask(request(3, "tools/list"))
        tap.ok("a session that is forgotten is an error for who finds out",
               answer["id"] == 3 and "forgotten the session" in answer["error"]["message"]
               and "again" in answer["error"]["message"], answer)
        tap.ok("sent again, it works", "result" in old.ask(request(4, "tools/list")))
        for b in (new, old):
            rest, err, status = b.end()
            tap.equal("the end", (rest, status), ([], 0))
            tap.ok("no token in the log", TOKEN not in err, err)
        server.stop()


def test_refused_token():
    with Folder() as folder:
        server = folder.start()
        other = folder.write("other", "wm_" + "A" * 43)
        b = Bridge(server.url, other)
        answer = b.ask(echo(1))
        tap.ok("a token that is refused: what to do", answer["id"] == 1
               and "get another token" in answer["error"]["message"], answer)
        tap.equal("and it goes on", b.end()[2], 0)
        server.stop()


def test_listening():
    server = Real(CONFORMANCE, "--port", "0")
    b = Bridge(server.url)
    b.send(modern("L", "subscriptions/listen", notifications={"toolsListChanged": True}))
    tap.equal("listening is acknowledged first", b.read()["method"],
              "notifications/subscriptions/acknowledged")
    b.send(modern(2, "tools/call", name="test_trigger_tool_change", arguments={}))
    came = [b.read(), b.read()]
    tap.ok("what changed is told, while calls go on",
           {m.get("method") or m["id"] for m in came}
           == {"notifications/tools/list_changed", 2}, came)
    b.send(cancelled("L"), modern("M", "subscriptions/listen",
                                  notifications={"toolsListChanged": True}))
    b.read()
    server.stop()
    last = [b.read(), b.read()]
    tap.equal("the server's end of it is told as stdio wants it",
              [last[0].get("method"), last[0]["params"], last[1]["id"], "result" in last[1]],
              ["notifications/cancelled", {"requestId": "M"}, "M", True])
    tap.equal("who was cancelled is told nothing", b.end()[0::2], ([], 0))


# ---- scripted servers ----

class Script:
    """An HTTP server whose 'reply(handler, body)' a test gives it; notes what came."""

    def __init__(self, reply):
        self.came, self.lock, self.changed = [], threading.Lock(), threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(body) if body else None
                with outer.changed:
                    outer.came.append((self.command, dict(self.headers), body))
                    outer.changed.notify_all()
                try:
                    reply(self, body)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            do_GET = do_POST = do_DELETE = serve

            def log_message(self, *_):
                pass

            def say(self, status, value=None, **headers):
                data = b"" if value is None else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, header in headers.items():
                    self.send_header(name.replace("_", "-"), header)
                self.end_headers()
                self.wfile.write(data)

            def result(self, number, **result):
                self.say(200, {"jsonrpc": "2.0", "id": number, "result": result})

            def stream(self):
                self.close_connection = True
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()

            def event(self, value, number=None):
                lines = (f"id: {number}\n" if number else "") + "retry: 20\n"
                data = "" if value is None else json.dumps(value)
                self.wfile.write(f"{lines}data: {data}\n\n".encode())
                self.wfile.flush()

            def await_hangup(self):
                self.connection.settimeout(PATIENCE_S)
                return self.connection.recv(1) == b""

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}/mcp"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()

    def await_request(self, verb, method=None, count=1):
        """The headers and bodies of all like it, once there are as many."""
        def found():
            return [(h, b) for v, h, b in self.came
                    if v == verb and (method is None or (b or {}).get("method") == method)]
        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= count, PATIENCE_S)
            return found()


def test_streams_as_they_come():
    go_on, hung_up = threading.Event(), threading.Event()

    def reply(h, body):
        if body["method"] == "tools/list":
            h.result(body["id"], tools=[])
            return
        h.stream()
        for n in range(2):
            h.event(notification("notifications/progress", progress=n, progressToken="t"))
        if go_on.wait(PATIENCE_S) and body["id"] == 1:
            h.event({"jsonrpc": "2.0", "id": 1, "result": {}})
        elif h.await_hangup():
            hung_up.set()

    with Script(reply) as server:
        b = Bridge(server.url)
        b.send(modern(1, "tools/call", name="x", arguments={}))
        tap.equal("messages come before the stream ends",
                  [b.read()["params"]["progress"] for _ in range(2)], [0, 1])
        tap.equal("others are answered meanwhile", b.ask(modern(2, "tools/list"))["id"], 2)
        go_on.set()
        tap.equal("then the answer", b.read()["id"], 1)
        b.send(modern("1", "tools/call", name="x", arguments={}))
        b.read(), b.read()
        b.send(cancelled(1))
        tap.ok("a foreign id cancels nothing", b.ask(modern(3, "tools/list"))["id"] == 3
               and not hung_up.is_set())
        b.send(cancelled("1"))
        tap.ok("a cancellation closes the stream of its request", hung_up.wait(PATIENCE_S))
        tap.equal("which is not answered", b.end()[0::2], ([], 0))
        tap.equal("and no POST tells of it",
                  server.await_request("POST", "notifications/cancelled", 0), [])


def legacy_server(state):
    """A server of sessions; 'state' says what is odd about it."""
    def reply(h, body):
        session = h.headers.get("Mcp-Session-Id")
        method = (body or {}).get("method") if not isinstance(body, list) else None
        if h.command == "DELETE":
            h.say(200)
        elif method == "initialize" and state.get("busy"):
            h.say(503)
        elif method == "initialize":
            state["sessions"] = state.get("sessions", 0) + 1
            h.say(200, {"jsonrpc": "2.0", "id": body["id"], "result": {
                "protocolVersion": body["params"]["protocolVersion"], "capabilities": {},
                "serverInfo": {"name": "s", "version": "1"}}},
                Mcp_Session_Id=f"s{state['sessions']}")
        elif session != f"s{state['sessions']}":
            h.say(404)
        elif h.command == "GET":
            state["get"](h)
        elif isinstance(body, list):
            state["batch"](h, body)
        elif "id" in body and method:
            state["call"](h, body)
        else:
            h.say(202)
    return reply


def refuse_get(h):
    h.say(405)


def test_session():
    after = threading.Event()

    def get(h):
        last = h.headers.get("Last-Event-ID")
        if h.headers.get("Last-Event-ID") == "e9":      # of a call
            h.stream()
            h.event({"jsonrpc": "2.0", "id": 1, "result": {"resumed": True}}, "e10")
            return
        h.stream()
        if last is None:
            h.event(None, "g0")
            h.event(request("ask", "roots/list"), "g1")     # and breaks
        elif last == "g1":
            h.event(notification("notifications/tools/list_changed"), "g2")
            after.wait(PATIENCE_S)

    def call(h, body):
        h.stream()
        if body["method"] == "tools/call":
            h.event(request("q", "sampling/createMessage"), "e9")     # and breaks
        else:
            h.event({"jsonrpc": "2.0", "id": body["id"], "result": {}})

    state = {"get": get, "call": call}
    with Script(legacy_server(state)) as server:
        b = Bridge(server.url)
        tap.equal("the handshake", b.begin("2025-11-25"), "2025-11-25")
        came = [b.read(), b.read()]
        tap.equal("the standing stream, resumed where it broke",
                  [m.get("id") or m["method"] for m in came],
                  ["ask", "notifications/tools/list_changed"])
        b.send({"jsonrpc": "2.0", "id": "ask", "result": {"roots": []}})
        b.send(request(1, "tools/call", name="x"))
        tap.equal("a request on the stream of a call", b.read()["id"], "q")
        tap.equal("the rest of that stream", b.read(),
                  {"jsonrpc": "2.0", "id": 1, "result": {"resumed": True}})
        b.send({"jsonrpc": "2.0", "id": "q", "error": {"code": -1, "message": "no"}})
        tap.equal("a call after it", b.ask(request(2, "tools/list"))["id"], 2)
        after.set()
        rest, err, status = b.end()
        tap.equal("the end", (rest, status), ([], 0))
        posts = [(h, m) for v, h, m in server.came if v == "POST"]
        tap.equal("all of it, in order", [m.get("method") or m["id"] for _, m in posts],
                  ["initialize", "notifications/initialized", "ask", "tools/call", "q",
                   "tools/list"])
        tap.ok("session and version are told from then on",
               "Mcp-Session-Id" not in posts[0][0] and "MCP-Protocol-Version" not in posts[0][0]
               and all(h.get("Mcp-Session-Id") == "s1" and h["MCP-Protocol-Version"]
                       == "2025-11-25" and "Mcp-Method" not in h for h, _ in posts[1:]),
               posts)
        tap.equal("and the session is ended",
                  [h["Mcp-Session-Id"] for h, _ in server.await_request("DELETE")], ["s1"])


def test_legacy_cancellation():
    go_on = threading.Event()

    def call(h, body):
        h.stream()
        h.event(notification("notifications/progress", progress=1, progressToken=1))
        go_on.wait(PATIENCE_S)
        h.event({"jsonrpc": "2.0", "id": body["id"], "result": {}})

    with Script(legacy_server({"get": refuse_get, "call": call})) as server:
        b = Bridge(server.url)
        b.begin("2025-06-18")
        b.send(request(1, "tools/call", name="x"))
        b.read()
        b.send(cancelled(1))
        tap.equal("older revisions are told of a cancellation", len(server.await_request(
            "POST", "notifications/cancelled")), 1)
        tap.equal("and the request is not answered", b.end()[0::2], ([], 0))
        go_on.set()
        tap.equal("405 to GET: asked once", len(server.await_request("GET")), 1)


def test_batches():
    def batch(h, body):
        asked = [m["id"] for m in body if "id" in m and "method" in m]
        if not asked:
            h.say(202)
        else:       # of the last one nothing is said, and something of a foreign one
            h.say(200, [{"jsonrpc": "2.0", "id": n, "result": {}} for n in asked[:-1] + ["?"]])

    state = {"get": refuse_get, "batch": batch, "call": lambda h, m: h.result(m["id"])}
    with Script(legacy_server(state)) as server:
        b = Bridge(server.url)
        answer = b.ask([request(1, "ping")])
        tap.ok("no batch before a session of 2025-03-26", "id" not in answer
               and answer["error"]["code"] == -32600, answer)
        b.begin("2025-03-26")
        b.send([request(1, "ping"), notification("notifications/x"), request("2", "ping"),
                request(3, "ping")])
        tap.equal("a batch, answered as one", [m["id"] for m in b.read()], [1, "2"])
        answer = b.read()
        tap.ok("each of it is answered", answer["id"] == 3
               and answer["error"]["code"] == -32603, answer)
        b.send([notification("notifications/x")])
        for count in (0, 129):
            answer = b.ask([request(1, "ping")] * count)
            tap.ok(f"{count} messages are too few or too many", "id" not in answer
                   and answer["error"]["code"] == -32600, answer)
        tap.equal("128 are not", len(b.ask([request(n, "ping") for n in range(128)])), 127)
        b.read()
        b.begin("2025-06-18")
        tap.equal("none in a later revision", b.ask([request(1, "ping")])["error"]["code"],
                  -32600)
        tap.equal("the end", b.end()[0::2], ([], 0))
        tap.equal("each session is ended, the first when the second begins",
                  [h["Mcp-Session-Id"] for h, _ in server.await_request("DELETE", count=2)],
                  ["s1", "s2"])


def test_lost_session():
    state = {"get": refuse_get, "call": lambda h, m: h.result(m["id"])}
    with Script(legacy_server(state)) as server:
        b = Bridge(server.url)
        b.begin("2025-06-18")
        state["sessions"] += 7
        state["busy"] = True
        answer = b.ask(request(0, "ping"))
        tap.ok("a server that begins no other either", answer["id"] == 0
               and "later" in answer["error"]["message"], answer)
        state["busy"] = False
        answer = b.ask(request(1, "ping"))
        tap.ok("a lost session is an error", answer["id"] == 1
               and "forgotten the session" in answer["error"]["message"], answer)
        tap.equal("and the next request has another", b.ask(request(2, "ping")),
                  {"jsonrpc": "2.0", "id": 2, "result": {}})
        first, _, last = (m for _, m in server.await_request("POST", "initialize", 3))
        tap.equal("begun with the client's own words", last, first)
        tap.equal("and confirmed", len(server.await_request(
            "POST", "notifications/initialized", 2)), 2)
        tap.equal("the end", b.end()[0::2], ([], 0))
        tap.equal("it is the new one that is ended", [
            h["Mcp-Session-Id"] for h, _ in server.await_request("DELETE")], ["s9"])


def test_mirrored_headers():
    schema = {"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"}}}

    def reply(h, body):
        wanted = body["params"].get("arguments", {}).get("region")
        if body["method"] == "tools/list":
            h.result(body["id"], resultType="complete",
                     tools=[{"name": "x", "inputSchema": schema}])
        elif h.headers.get("Mcp-Param-Region") != wanted or wanted == "nowhere":
            h.say(400, {"jsonrpc": "2.0", "id": body["id"], "error": {
                "code": -32020, "message": "header mismatch"}})
        else:
            h.result(body["id"], resultType="complete")

    def call(number, **arguments):
        return modern(number, "tools/call", name="x", arguments=arguments)

    with Script(reply) as server:
        b = Bridge(server.url)
        tap.ok("a header that is missing is learnt of", "result" in b.ask(call(1, region="eu")))
        tap.ok("and sent from then on", "result" in b.ask(call(2, region="us")))
        tap.equal("calls and lists", [m["method"] for _, _, m in server.came],
                  ["tools/call", "tools/list", "tools/call", "tools/call"])
        answer = b.ask(call(3, region="nowhere"))
        tap.equal("what cannot be mended is the server's error, after one more list",
                  (answer["error"]["code"], len(server.await_request("POST", "tools/list"))),
                  (-32020, 2))
        tap.equal("the end", b.end()[0::2], ([], 0))


def test_bad_answers():
    def reply(h, body):
        name = body["params"]["name"]
        if name == "die":
            h.close_connection = True
        elif name == "html":
            h.say(502)
        elif name == "other":
            h.result(77)
        elif name == "asks":
            h.stream()
            h.event(request(1, "roots/list"))
            h.event({"jsonrpc": "2.0", "id": "?", "result": {}})
            h.wfile.write(b"data: junk\n\n")
        elif name == "anonymous":
            h.say(400, {"jsonrpc": "2.0", "error": {"code": -32600, "message": "no"}})
        else:
            h.result(body["id"])

    with Script(reply) as server:
        b = Bridge(server.url)
        for name, code, word in (("die", -32603, "may have"), ("html", -32603, "502"),
                                 ("other", -32603, "before the result"),
                                 ("asks", -32603, "before the result"),
                                 ("anonymous", -32600, "no")):
            answer = b.ask(modern(1, "tools/call", name=name))
            tap.ok(f"'{name}': one error, with the id", answer["id"] == 1
                   and answer["error"]["code"] == code
                   and word in answer["error"]["message"], answer)
        before = len(server.came)
        for message in (modern(1, "tools/list\r\nX-Evil: 1"), modern(1, "tools/\x01list"),
                        request(1, "x", _meta={**META, next(iter(META)): "1\r\nX: 1"})):
            answer = b.ask(message)
            tap.ok("what would break out of a header is not sent", answer["id"] == 1
                   and "error" in answer and len(server.came) == before, answer)
        for line, code in ((b"{", -32700), (b"\xff\xfe", -32700), (b"[]", -32600), (b"7", -32600),
                           (b'{"jsonrpc":"2.0","id":null,"method":"x"}', -32600),
                           (b'{"a":1,"a":2}', -32700)):
            answer = b.ask(line)
            tap.ok(f"{line!r} is answered without an id", "id" not in answer
                   and answer["error"]["code"] == code, answer)
        b.send(b"", b" \t", b"\r", json.dumps(modern(2, "tools/call", name="ok")).encode() + b"\r")
        tap.equal("blank lines are nothing, CRLF ends one too", b.read()["id"], 2)
        big = json.dumps(modern(3, "tools/call", name="ok", pad=""))
        for more, wanted in ((0, 3), (1, None)):
            pad = "x" * (LINE_MAX - len(big) + more)
            answer = b.ask(modern(3, "tools/call", name="ok", pad=pad))
            tap.equal(f"a line of the limit and {more}", answer.get("id"), wanted)
        b.process.stdin.write(json.dumps(modern(4, "tools/call", name="ok")).encode())
        rest, _, status = b.end()
        tap.equal("a last line without its end", ([m["id"] for m in rest], status), ([4], 0))


def test_many():
    gate = threading.Event()

    def reply(h, body):
        gate.wait(PATIENCE_S)
        h.result(body["id"])

    with Script(reply) as server:
        b = Bridge(server.url)
        b.send(*(modern(n, "tools/call", name="x") for n in range(65)))
        answer = b.read()
        tap.ok("one more than 64 at once is refused", answer["id"] == 64
               and "too many" in answer["error"]["message"], answer)
        gate.set()
        tap.equal("the 64 are answered", {b.read()["id"] for _ in range(64)}, set(range(64)))
        tap.equal("and there is room again", b.ask(modern(65, "tools/call", name="x"))["id"], 65)
        tap.equal("the end", b.end()[0::2], ([], 0))


def test_ends():
    hold = threading.Event()

    def reply(h, body):
        if body["params"].get("name") == "stream" or body["method"] == "subscriptions/listen":
            h.stream()
            h.event(notification("notifications/progress", progress=1, progressToken=1))
        if hold.wait(PATIENCE_S) and body["params"].get("name") == "late":
            h.result(body["id"])

    with Script(reply) as server:
        b = Bridge(server.url, drain_ms=300)
        b.send(modern(1, "tools/call", name="stream"))
        b.read()
        b.send(modern("L", "subscriptions/listen", notifications={}))
        b.read()
        rest, _, status = b.end()
        tap.ok("at the end of stdin what hangs gets its time, and an error",
               [m["id"] for m in rest] == [1] and "ends" in rest[0]["error"]["message"]
               and status == 0, (rest, status))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            b = Bridge(server.url)
            b.send(modern(1, "tools/call", name="stream"), modern(2, "tools/call", name="x"))
            b.read()
            b.process.send_signal(number)
            tap.equal(f"{number.name}: the end, at once", b.process.wait(PATIENCE_S), 0)
            b.end()
        b = Bridge(server.url)
        b.send(modern(1, "tools/call", name="late"))
        server.await_request("POST", count=9)
        b.process.stdin.close()
        hold.set()
        tap.equal("what comes in time is handed on", json.loads(b.process.stdout.read())["id"], 1)
        tap.equal("and that was all", b.process.wait(PATIENCE_S), 0)
        b.process.stdout.close()
        b.process.stderr.close()


def test_nobody_reads():
    def reply(h, body):
        h.result(body["id"], text="x" * 1000000)

    with Script(reply) as server:
        b = Bridge(server.url)
        b.process.stdout.close()
        b.send(modern(1, "tools/call", name="x"))
        tap.equal("nobody reads stdout any more: it ends and says so",
                  (b.process.wait(PATIENCE_S), b"stdout" in b.process.stderr.read()), (1, True))
        b.process.stdin.close()
        b.process.stderr.close()
        b = Bridge(server.url)
        b.send(modern(1, "tools/call", name="x"))
        b.process.stdout.read(1)
        b.process.send_signal(signal.SIGTERM)
        tap.equal("who does not read on cannot keep it from ending",
                  b.process.wait(PATIENCE_S), 0)
        b.process.stdout.close()
        b.process.stdin.close()
        b.process.stderr.close()
        b = Bridge(server.url, drain_ms=100)
        b.send(modern(1, "tools/call", name="x"))
        b.process.stdout.read(1)
        b.process.stdin.close()
        tap.ok("nor at the end of stdin", b.process.wait(PATIENCE_S) in (0, 1))
        b.process.stdout.close()
        b.process.stdin.close()
        b.process.stderr.close()


def test_nobody_there():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        b = Bridge(f"http://127.0.0.1:{s.getsockname()[1]}/mcp")
        for message in (modern(1, "server/discover"), initialize(1, "2025-11-25")):
            answer = b.ask(message)
            tap.ok("nobody listens: what to do", answer["id"] == 1
                   and "start the server" in answer["error"]["message"]
                   and "may have" not in answer["error"]["message"], answer)
        b.send(notification("notifications/initialized"))
        tap.equal("the end", b.end()[0::2], ([], 0))


if __name__ == "__main__":
    tap.run([test_our_client, test_official_client, test_restart, test_refused_token,
             test_listening, test_streams_as_they_come, test_session, test_legacy_cancellation,
             test_batches, test_lost_session, test_mirrored_headers, test_bad_answers, test_many,
             test_ends, test_nobody_reads, test_nobody_there])
    for process in Bridge.started:
        if process.poll() is None:      # of a test that failed
            process.kill()
    tap.done()
