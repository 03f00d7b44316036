"""What goes wrong at a provider, on each of the three wires with the vendor's own words for it:
429 and 529 and when to try again, refusals, streams that are cut anywhere, broken, of another
type, endless in one piece, or failed in the middle. Each ends a turn in a code that people have
words for, nothing that was half said is proposed, and the next turn goes well with the same
worker and egress.
"""

import http.server
import json
import tempfile
import threading

import assistant_hostile_test as wires
import tap
from assistant_rig import Egress, Surface, Worker

WRITE = {"anthropic": wires.anthropic, "openai": wires.openai, "bedrock": wires.bedrock}
TYPES = {"anthropic": "text/event-stream", "openai": "text/event-stream",
         "bedrock": "application/vnd.amazon.eventstream"}
SAYS = {"text": "All is well, says the model.", "tool_calls": []}
CALLS = {"text": None, "tool_calls": [{"id": "c1", "name": "people__find_person", "raw": '{"query":"ava.reyes"}'}]}
FOUND = [("people.find_person", {"query": "ava.reyes"})]
WORDS = {
    "anthropic": lambda status, kind: {"type": "error", "error": {"type": kind, "message": f"no: {status}"},
                                       "request_id": "req_1"},
    "openai": lambda status, kind: {"error": {"message": f"no: {status}", "type": kind, "param": None, "code": kind}},
    "bedrock": lambda status, kind: {"message": f"no: {status}", "__type": kind},
}
JSON = "application/json"
MIB = 1024 * 1024


class Provider(http.server.ThreadingHTTPServer):
    """Each request takes the next of 'script', (status, type, bytes, headers); then it says that all is well."""

    daemon_threads = True

    def __init__(self, name):
        outer = self
        self.script, self.asked = [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked += 1
                status, kind, data, headers = outer.script.pop(0) if outer.script else good(name)
                self.send_response(status)
                for header, value in {**({"Content-Type": kind} if kind else {}), **headers}.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True    # who had enough

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}" + wires.PATHS[name]

    def close(self):
        self.shutdown()
        self.server_close()


def good(name, turn=None):
    return (200, *WRITE[name](turn or SAYS), {})


def refusal(name, status, kind="some_error", **headers):
    return status, JSON, json.dumps(WORDS[name](status, kind)).encode(), {
        k.replace("_", "-"): v for k, v in headers.items()}


class Rig:
    def __init__(self, name, folder, provider):
        config = {"provider": name, "model": "m", "key": "env:K", "url": provider.url,
                  "egress": {"requests_per_minute": 10000, "tries": 2}}
        if name == "bedrock":
            config["region"] = "eu-central-1"
        self.name, self.provider = name, provider
        self.egress = Egress(folder, config, env={"K": "sk-test-0123456789abcdef"})
        self.worker = Worker(name, max_output=1000)

    def turn(self, *script):
        """(end, surface, how often the provider was asked)"""
        self.provider.script[:] = script
        before = self.provider.asked
        surface = Surface(self.worker, self.egress)
        end = surface.turn("go", requests=3)
        self.provider.script.clear()
        return end, surface, self.provider.asked - before

    def fails(self, what, codes, *script, times=None):
        """One of these codes, nothing proposed; and the turn after it is well."""
        end, surface, asked = self.turn(*script)
        tap.ok(f"{self.name}, {what}: {' or '.join(codes)}", end["m"] == "failed" and end["code"] in codes
               and not surface.proposals and times in (None, asked), (end, surface.finals, surface.proposals, asked))
        self.is_well(what)

    def is_well(self, what):
        end, surface, _ = self.turn()
        tap.ok(f"{self.name}, {what}: and the next turn is well", (end["m"], surface.finals) == ("done", [SAYS["text"]]),
               (end, surface.finals))


# ---- answers that are none ----

def statuses(rig):
    name = rig.name
    for status, kind in ((429, "rate_limit_error"), (529, "overloaded_error"), (500, "api_error"), (503, "unavailable")):
        end, surface, asked = rig.turn(refusal(name, status, kind, Retry_After="1"))
        tap.equal(f"{name}, {status} once: it waits as Retry-After says, and then it is well",
                  (end["m"], surface.finals, asked, [(w["status"], w["after_ms"]) for w in surface.waits]),
                  ("done", [SAYS["text"]], 2, [(status, 1000)]))
        rig.fails(f"{status} again and again", ("model_busy", "model_down"),
                  *2 * [refusal(name, status, kind, Retry_After="0")], times=2)
    end, surface, _ = rig.turn(refusal(name, 429, "rate_limit_error"))
    tap.ok(f"{name}, 429 without Retry-After: a while of our own",
           end["m"] == "done" and 0 < surface.waits[0]["after_ms"] <= 500, surface.waits)
    rig.fails("429 until tomorrow", ("model_busy",), refusal(name, 429, "rate_limit_error", Retry_After="86400"), times=1)
    for status, kind in ((400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
                         (404, "not_found_error")):
        rig.fails(f"{status}", ("model_refused",), refusal(name, status, kind), times=1)
    rig.fails("400 with a page", ("model_refused",), (400, "text/html", b"<html>" + b"x" * MIB, {}), times=1)
    rig.fails("402 or no quota", ("model_refused", "model_unpaid"), refusal(name, 402, "billing_error"), times=1)
    rig.fails("413", ("too_long", "model_refused"), refusal(name, 413, "request_too_large"), times=1)
    rig.fails("a redirect", ("model_refused", "model_broken", "model_down"),
              (307, JSON, b"{}", {"Location": "http://127.0.0.1:9/elsewhere"}), times=1)


# ---- streams that end where they should not ----

def cuts(rig):
    kind, data = WRITE[rig.name](CALLS)
    step = max(1, len(data) // 40)
    faults = []
    for at in range(0, len(data), step):
        end, surface, _ = rig.turn((200, kind, data[:at], {}))
        whole = [(c["tool"], c["arguments"]) for p in surface.proposals for c in p["calls"]]
        # What closes a stream may be missing where the stream itself has said that it is over.
        if (end["m"], end.get("code")) != ("failed", "model_broken") and (end["m"], whole) != ("done", FOUND):
            faults.append((at, end, whole))
        if end["m"] == "failed" and whole:
            faults.append((at, "proposed from half of an answer", whole))
    tap.ok(f"{rig.name}, cut at every {step}th byte: broken, and nothing of it is proposed", not faults, faults[:3])
    end, surface, _ = rig.turn(good(rig.name, CALLS))
    tap.equal(f"{rig.name}, whole: it is proposed", [(c["tool"], c["arguments"]) for p in surface.proposals
                                                     for c in p["calls"]], FOUND)
    rig.is_well("after the cuts")


# ---- events that are none ----

def events(name):
    """The stream of a call in its events."""
    data = WRITE[name](CALLS)[1]
    if name != "bedrock":
        return [e + b"\n\n" for e in data.split(b"\n\n") if e]
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(data[:length])
        data = data[length:]
    return found


def garbage(name):
    """(what, an event that breaks the stream)"""
    if name != "bedrock":
        return [("no JSON", b"data: {broken\n\n"), ("JSON that is no event", b"data: [1,2]\n\n"),
                ("bytes that are no text", b"data: {\"type\":\"\xff\xfe\"}\n\n"),
                ("a line without an end", b"data: " + b"x" * (2 * MIB))]
    whole = wires.frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "x"}}})
    turned = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
    return [("a sum that is wrong", turned), ("a length beyond all", b"\xff\xff\xff\xff" + whole[4:]),
            ("a length of nothing", b"\0\0\0\0" + whole[4:]), ("no frame", b"data: {}\n\n" * 4)]


def unknown(name):
    """An event of tomorrow, which is passed over."""
    return {"anthropic": b"event: later\ndata: {\"type\":\"later\",\"index\":0}\n\n: ping\n\n",
            "openai": b": ping\n\ndata: {\"choices\":[],\"later\":1}\n\n",
            "bedrock": wires.frame("later", {"a": 1})}[name]


def failed_inside(name):
    """The provider's own word in the middle of a stream that it has begun with 200."""
    if name == "bedrock":
        data = wires.frame("throttlingException", {"message": "slow down"})
        return exception(data)
    return b"event: error\ndata: " + json.dumps(WORDS[name](529, "overloaded_error")).encode() + b"\n\n"


def exception(data):
    """The same frame, as AWS marks an exception."""
    payload = json.loads(data[data.index(b"{"):data.rindex(b"}") + 1])
    return wires.frame("throttlingException", payload, message="exception")


def broken_events(rig):
    name, kind = rig.name, TYPES[rig.name]
    parts = events(name)
    for what, event in garbage(name):
        rig.fails(what, ("model_broken",), (200, kind, b"".join([*parts[:-2], event, *parts[-2:]]), {}))
        rig.fails(f"{what}, at once", ("model_broken",), (200, kind, event, {}))
    rig.fails("failed in the middle", ("model_busy", "model_down", "model_broken"),
              (200, kind, b"".join([*parts[:2], failed_inside(name)]), {}))
    end, surface, _ = rig.turn((200, kind, unknown(name).join([b"", *parts]), {}))
    tap.equal(f"{name}, events that nobody knows are passed over",
              (end["m"], [(c["tool"], c["arguments"]) for p in surface.proposals for c in p["calls"]]), ("done", FOUND))


# ---- types and sizes ----

def types(rig):
    name = rig.name
    data = WRITE[name](SAYS)[1]
    for what, kind, body in (("a page", "text/html", b"<html><body>Sign in</body></html>"), ("nothing at all", JSON, b""),
                             ("JSON that is no answer", JSON, b'{"ok":true}'), ("a list", JSON, b"[]"),
                             ("a page that says it is a stream", TYPES[name], b"<html>Sign in</html>\n\n"),
                             ("an image", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(1000)),
                             ("another provider's stream", TYPES["openai" if name == "bedrock" else "bedrock"], data)):
        rig.fails(what, ("model_broken",), (200, kind, body, {}))


def sizes(rig):
    name = rig.name
    end, surface, _ = rig.turn((200, *WRITE[name]({"text": "x" * 60000, "tool_calls": []}), {}))
    tap.equal(f"{name}, a long answer is said whole", (end["m"], [len(t) for t in surface.finals]), ("done", [60000]))
    huge = [("a piece of 3 MiB", "text", ("limit_text", "model_broken")),
            ("an answer of 10 MiB in one piece", "all", ("limit_text", "model_broken")),
            ("arguments of 3 MiB", "arguments", ())]
    for what, where, codes in huge:
        length = 10 * MIB if where == "all" else 3 * MIB
        saved, wires.pieces = wires.pieces, lambda text, size=11: [text] if text else []
        try:
            turn = {"text": "y" * length, "tool_calls": []} if where != "arguments" else {
                "text": None, "tool_calls": [{"id": "c", "name": "people__find_person",
                                              "raw": json.dumps({"query": "z" * length})}]}
            answer = (200, *WRITE[name](turn), {})
        finally:
            wires.pieces = saved
        if codes:
            rig.fails(what, codes, answer)
            continue
        end, surface, _ = rig.turn(answer)
        tap.ok(f"{name}, {what}: nothing is proposed", not surface.proposals and (
            end["m"] == "done" or end["code"] == "model_broken"), (end, surface.finals))
        rig.is_well(what)


def faults(name):
    provider = Provider(name)
    try:
        with tempfile.TemporaryDirectory(prefix="wingman-faults-") as folder:
            rig = Rig(name, folder, provider)
            with rig.egress, rig.worker:
                for part in (statuses, cuts, broken_events, types, sizes):
                    part(rig)
                tap.equal(f"{name}: both programs live to the end",
                          (rig.egress.process.poll(), rig.worker.process.poll()), (None, None))
    finally:
        provider.close()


if __name__ == "__main__":
    tap.run([lambda n=n: faults(n) for n in WRITE])
    tap.done()
