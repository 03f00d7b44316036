"""wingman-egress between a surface that may be anybody and a server that may do anything.

What it refuses to send, what it makes of answers, tries and silence, how a malformed
message ends it, and where the key goes: into its one header, and nowhere else.
"""

import base64
import http.server
import json
import os
import pathlib
import ssl
import struct
import subprocess
import tempfile
import threading

import certificates
import tap
from assistant_rig import BUILD, Egress

KEY = "sk-test-0123456789abcdef"
BODY = {"model": "m", "max_tokens": 100, "system": [{"type": "text", "text": "s"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}
PATH = "/v1/messages"


class Server:
    """Each request takes the next of 'script': a function of the handler; the last stays."""

    def __init__(self, *script, tls=None):
        outer = self
        self.script, self.seen, self.release = list(script), [], threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append((self.path, dict(self.headers.items()), self.body))
                act = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                act(self, outer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.port = self.server.server_address[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def reply(status, body=b"{}", **headers):
    def act(handler, _):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return act


def hold(handler, server):
    """A head, a piece, and then silence until the test lets go."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"data: 1\n\n")
    handler.wfile.flush()
    server.release.wait(60)
    handler.close_connection = True


def hang_up(handler, _):
    handler.close_connection = True
    handler.connection.close()


def redirect(handler, _):
    handler.send_response(307)
    handler.send_header("Location", "http://127.0.0.1:9/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def endless(handler, _):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(64 * 1024 * 1024))
    handler.end_headers()
    try:
        for _ in range(1024):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
    handler.close_connection = True


def start(folder, server, ready=True, env=None, **more):
    config = {"provider": "anthropic", "model": "m", "key": "env:K",
              "url": f"http://127.0.0.1:{server.port}", "max_output_tokens": 100, **more}
    return Egress(folder, config, env={"K": KEY} if env is None else env, ready=ready)


def ask(egress, number=1, path=PATH, body=None):
    egress.send({"m": "request", "request": number, "path": path,
                 "body": body if isinstance(body, str) else json.dumps(body or BODY)})


def until_ended(egress, number=1):
    """(the names that came, bytes of the answer, the last message)"""
    names, data = [], b""
    while True:
        m = egress.receive()
        if m["request"] != number:
            raise AssertionError(m)
        names.append(m["m"])
        if m["m"] == "chunk":
            data += base64.b64decode(m["data"])
        if m["m"] == "ended":
            return names, data, m


def in_folder(function):
    def test():
        with tempfile.TemporaryDirectory(prefix="wingman-egress-") as folder:
            function(folder)
    test.__name__ = function.__name__
    return test


@in_folder
def test_only_a_conversation_is_sent(folder):
    def but(**more):
        return {**BODY, **more}

    def with_block(**block):
        return but(messages=[{"role": "user", "content": [block]}])

    rows = [
        ("another path", "/v1/files", BODY),
        ("a path with more", PATH + "?beta=true", BODY),
        ("a path that climbs", "/v1/messages/../files", BODY),
        ("another host", "@evil.example/v1/messages", BODY),
        ("another model", PATH, but(model="dear")),
        ("no model", PATH, {k: v for k, v in BODY.items() if k != "model"}),
        ("more output", PATH, but(max_tokens=101)),
        ("output without an end", PATH, but(max_tokens=None)),
        ("no JSON", PATH, "{"),
        ("two members of one name", PATH, json.dumps(BODY)[:-1] + ', "model": "m"}'),
        ("a server of tools", PATH, but(mcp_servers=[{"url": "https://evil.example"}])),
        ("a tool that the provider runs", PATH,
         but(tools=[{"type": "web_fetch_20260209", "name": "web_fetch"}])),
        ("an image by its address", PATH,
         with_block(type="image", source={"type": "url", "url": "https://evil.example/?q"})),
        ("a document", PATH, with_block(type="document", source={})),
        ("an image in a result", PATH,
         with_block(type="tool_result", tool_use_id="a", content=[{"type": "image"}])),
        ("metadata", PATH, but(metadata={"user_id": "a"})),
    ]
    with Server(reply(200)) as server, start(folder, server) as egress:
        for i, (name, path, body) in enumerate(rows):
            ask(egress, i + 1, path, body)
            tap.equal(f"not sent: {name}", until_ended(egress, i + 1)[2].get("code"),
                      "not_allowed")
        ask(egress, 100)
        names, data, _ = until_ended(egress, 100)
        tap.equal("a conversation is sent", (names, data), (["status", "chunk", "ended"], b"{}"))
        tap.equal("and nothing else was", len(server.seen), 1)
        path, headers, body = server.seen[0]
        tap.equal("as it was given", (path, json.loads(body)), (PATH, BODY))
        with_key = [n for n, v in headers.items() if KEY in v]
        tap.equal("the key is in one header", with_key, ["x-api-key"])
    tap.ok("and in no log", KEY.encode() not in egress.log, egress.log)


@in_folder
def test_tries(folder):
    quick = {"Retry_After": "0"}
    with Server(reply(529, **quick), reply(503, **quick), reply(200, b'{"a":1}')) as server, \
            start(folder, server) as egress:
        ask(egress)
        names, data, _ = until_ended(egress)
        tap.equal("529, 503, then good", (names, data),
                  (["waiting", "waiting", "status", "chunk", "ended"], b'{"a":1}'))
    for status, times in ((400, 1), (401, 1), (404, 1), (408, 3), (429, 3), (500, 3), (307, 1)):
        with Server(reply(status, b"no", **quick)) as server, \
                start(folder, server, egress={"tries": 3}) as egress:
            ask(egress)
            names, data, end = until_ended(egress)
            tap.equal(f"{status} is tried {times} times and handed on",
                      (len(server.seen), data, end.get("code")), (times, b"no", None))
    with Server(reply(429, Retry_After="3600")) as server, start(folder, server) as egress:
        ask(egress)
        names, _, _ = until_ended(egress)
        tap.equal("an hour is not waited for", names, ["status", "chunk", "ended"])
    with Server(redirect) as server, start(folder, server) as egress:
        ask(egress)
        names, _, _ = until_ended(egress)
        tap.equal("nobody sends it elsewhere", (len(server.seen), names),
                  (1, ["status", "ended"]))
    with Server(hang_up) as server, start(folder, server, egress={"tries": 2}) as egress:
        ask(egress)
        names, _, end = until_ended(egress)
        tap.equal("no answer at all is down", (names, end["code"], len(server.seen)),
                  (["waiting", "ended"], "model_down", 2))


@in_folder
def test_silence_and_size(folder):
    with Server(hold) as server, start(folder, server, egress={"idle_s": 1}) as egress:
        ask(egress)
        names, data, end = until_ended(egress)
        tap.equal("an answer that falls silent is broken", (names, data, end["code"]),
                  (["status", "chunk", "ended"], b"data: 1\n\n", "model_broken"))
    with Server(endless) as server, start(folder, server) as egress:
        ask(egress)
        _, data, end = until_ended(egress)
        tap.equal("an answer without an end is cut", end["code"], "model_broken")
        tap.ok("at the limit", len(data) <= 8 * 1024 * 1024, len(data))


@in_folder
def test_a_name_is_found(folder):
    """In the sandbox too, which leaves a resolver's files."""
    with Server(reply(200)) as server, \
            start(folder, server, url=f"http://localhost:{server.port}") as egress:
        ask(egress)
        tap.equal("localhost is found", until_ended(egress)[0], ["status", "chunk", "ended"])
        tap.equal("and told its name", server.seen[0][1]["Host"], f"localhost:{server.port}")


def odd_type(handler, _):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe\r\n"
                        b"Content-Length: 2\r\n\r\n{}")


@in_folder
def test_odd_heads(folder):
    with Server(odd_type) as server, start(folder, server) as egress:
        ask(egress)
        names, data, _ = until_ended(egress)
        tap.equal("a media type that is no text is left out", (names, data),
                  (["status", "chunk", "ended"], b"{}"))
        ask(egress, 2)
        tap.equal("and nobody falls over it", until_ended(egress, 2)[1], b"{}")


@in_folder
def test_dropping(folder):
    with Server(hold) as server, start(folder, server, egress={"at_once": 1}) as egress:
        ask(egress, 1)
        tap.equal("it begins", (egress.receive()["m"], egress.receive()["m"]),
                  ("status", "chunk"))
        egress.send({"m": "drop", "request": 1})
        tap.equal("dropped, it ends", egress.receive(),
                  {"m": "ended", "request": 1, "code": "stopped", "status": 200})
        egress.send({"m": "drop", "request": 1})  # no fault
        ask(egress, 1)
        tap.equal("and the number is free", egress.receive()["m"], "status")
    tap.equal("a surface that leaves ends all", egress.process.returncode, 0)


@in_folder
def test_rate(folder):
    with Server(reply(200)) as server, \
            start(folder, server, egress={"requests_per_minute": 2}) as egress:
        codes = []
        for i in range(3):
            ask(egress, i)
            codes.append(until_ended(egress, i)[2].get("code"))
        tap.equal("a third request within a minute waits for another time", codes,
                  [None, None, "model_busy"])


@in_folder
def test_malformed_messages_end_it(folder):
    frames = {
        "no frame": b"GET / HTTP/1.1\r\n\r\n",
        "too long a frame": struct.pack(">I", 5 * 1024 * 1024),
        "no JSON": struct.pack(">I", 2) + b"{]",
        "no message": struct.pack(">I", 2) + b"{}",
        "another's message": json.dumps({"m": "say", "text": "x", "final": True}).encode(),
        "a member too many": json.dumps({"m": "drop", "request": 1, "url": "x"}).encode(),
        "another address": json.dumps({"m": "request", "request": 1, "path": PATH,
                                       "body": "{}", "url": "http://x"}).encode(),
    }
    with Server(hold) as server:
        for name, data in frames.items():
            egress = start(folder, server)
            if data[:1] == b"{":
                data = struct.pack(">I", len(data)) + data
            egress.send_bytes(data)
            tap.equal(f"ends it: {name}", egress.ended(), 1)
            egress.socket.close()
        egress = start(folder, server)
        ask(egress, 1)
        egress.expect("status")
        ask(egress, 1)
        tap.equal("ends it: a number that is in use", egress.ended(), 1)
        egress.socket.close()


@in_folder
def test_start(folder):
    rows = [
        ("no variable", {"env": {}}, "no variable 'K'"),
        ("no file", {"key": "keys/none"}, "keys/none"),
        ("no credential", {"key": "credential:k"}, "no credential"),
        ("a key with a line end", {"env": {"K": "a\nb"}}, "no key"),
        ("in the clear to elsewhere", {"url": "http://model.example"}, "http"),
        ("an unknown member", {"proxy": "http://x"}, "proxy"),
        ("no such provider", {"provider": "x"}, "provider"),
    ]
    with Server(reply(200)) as server:
        for name, more, words in rows:
            egress = start(folder, server, ready=False, **more)
            status = egress.ended()
            egress.socket.close()
            tap.ok(f"does not start: {name}", status == 1 and words.encode() in egress.log,
                   (status, egress.log))
        path = os.path.join(folder, "keys")
        os.makedirs(path)
        with open(os.path.join(path, "model"), "w", encoding="utf-8") as f:
            f.write(KEY + "\n")
        os.chmod(os.path.join(path, "model"), 0o644)
        egress = start(folder, server, ready=False, key="keys/model")
        tap.equal("does not start: a key that others can read", egress.ended(), 1)
        egress.socket.close()
        os.chmod(os.path.join(path, "model"), 0o600)
        with start(folder, server, key="keys/model") as egress:
            ask(egress)
            until_ended(egress)
        tap.equal("a key from a file", server.seen[-1][1].get("x-api-key"), KEY)
        with start(folder, server, key="credential:model",
                   env={"CREDENTIALS_DIRECTORY": path}) as egress:
            ask(egress)
            until_ended(egress)
        tap.equal("a key from systemd", server.seen[-1][1].get("x-api-key"), KEY)


@in_folder
def test_checking(folder):
    """'wingman config check' asks the program itself."""
    def check(**config):
        os.makedirs(os.path.join(folder, "config"), exist_ok=True)
        with open(os.path.join(folder, "config/assistant.yaml"), "w", encoding="utf-8") as f:
            json.dump({"provider": "anthropic", "model": "m", **config}, f)
        done = subprocess.run([os.path.join(BUILD, "bin", "wingman"), "--dir", folder, "config",
                               "check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, check=False)
        # without a gate.yaml there is always one fault
        return [line for line in done.stdout.decode().splitlines() if "gate.yaml" not in line]

    tap.equal("nothing wrong", check(key="env:NOT_HERE"), [])
    for words, config in (("wants a 'key'", {}), ("keys/none", {"key": "keys/none"}),
                          ("turn/seconds", {"key": "env:X", "turn": {"seconds": 0}}),
                          ("http", {"key": "env:X", "url": "http://elsewhere.example"})):
        found = check(**config)
        tap.ok(f"told: {words}", len(found) == 1 and words in found[0], found)


@in_folder
def test_tls(folder):
    (good, key), (other, _) = (certificates.make(pathlib.Path(folder), name)
                               for name in ("good", "other"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(good, key)
    with Server(reply(200), tls=context) as server:
        for name, ca, code in (("its authority", good, None), ("another", other, "model_down")):
            with start(folder, server, url=f"https://127.0.0.1:{server.port}", ca_file=str(ca),
                       egress={"tries": 1}) as egress:
                ask(egress)
                tap.equal(f"TLS by {name}", until_ended(egress)[2].get("code"), code)
        tap.equal("what is not trusted hears nothing", len(server.seen), 1)


if __name__ == "__main__":
    tap.run([test_only_a_conversation_is_sent, test_tries, test_a_name_is_found, test_silence_and_size, test_odd_heads,
             test_dropping, test_rate, test_malformed_messages_end_it, test_start, test_checking, test_tls])
    tap.done()
