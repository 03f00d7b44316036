"""A hostile model at the wires: what it calls arrives as a proposal byte for byte, or not at
all; what it says arrives as text; and it brings neither program down.

A provider of our own plays the judged records of ../shared/data, and generated ones, over
each wire through the real egress and worker. What a gate makes of such proposals is
tests/replay-hostile.c's part.
"""

import http.server
import json
import os
import random
import struct
import tempfile
import threading
import zlib

import tap
from assistant_rig import SOURCE, Egress, Surface, Worker

DATA = os.path.join(os.path.dirname(SOURCE), "shared", "data")
PROVIDERS = ("anthropic", "openai", "bedrock")
PATHS = {"anthropic": "", "openai": "/v1", "bedrock": ""}
GENERATED = 340


# ---- the provider: {"text", "tool_calls": [{"id", "name", "raw"}]} as a stream ----

def pieces(text, size=11):
    return [text[i:i + size] for i in range(0, len(text), size)]


def sse(events):
    return b"".join(b"data: " + (e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n\n"
                    for e in events)


def anthropic(turn):
    events, index = [{"type": "message_start", "message": {"usage": {"input_tokens": 1}}}], 0
    if turn.get("text"):
        events.append({"type": "content_block_start", "index": 0,
                       "content_block": {"type": "text", "text": ""}})
        events += [{"type": "content_block_delta", "index": 0,
                    "delta": {"type": "text_delta", "text": p}} for p in pieces(turn["text"])]
        events.append({"type": "content_block_stop", "index": 0})
        index = 1
    for i, call in enumerate(turn["tool_calls"], index):
        events.append({"type": "content_block_start", "index": i, "content_block": {
            "type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}})
        events += [{"type": "content_block_delta", "index": i, "delta": {
            "type": "input_json_delta", "partial_json": p}} for p in pieces(call["raw"])]
        events.append({"type": "content_block_stop", "index": i})
    events += [{"type": "message_delta", "usage": {"output_tokens": 1}, "delta": {
        "stop_reason": "tool_use" if turn["tool_calls"] else "end_turn"}}, {"type": "message_stop"}]
    return "text/event-stream", sse(events)


def openai(turn):
    def delta(**d):
        return {"choices": [{"index": 0, "delta": d}]}
    events = [delta(content=p) for p in pieces(turn.get("text") or "")]
    for i, call in enumerate(turn["tool_calls"]):
        events.append(delta(tool_calls=[{"index": i, "id": call["id"], "type": "function",
                                         "function": {"name": call["name"], "arguments": ""}}]))
        events += [delta(tool_calls=[{"index": i, "function": {"arguments": p}}])
                   for p in pieces(call["raw"])]
    return "text/event-stream", sse(events + [b"[DONE]"])


def frame(kind, payload, message="event"):
    headers = b""
    for name, value in ((":message-type", message), (f":{message}-type", kind)):
        headers += bytes([len(name)]) + name.encode() + b"\7" + struct.pack(">H", len(value)) \
            + value.encode()
    body = json.dumps(payload).encode()
    head = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    data = head + struct.pack(">I", zlib.crc32(head)) + headers + body
    return data + struct.pack(">I", zlib.crc32(data))


def bedrock(turn):
    data = b"".join(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": p}})
                    for p in pieces(turn.get("text") or ""))
    for i, call in enumerate(turn["tool_calls"], 1):
        data += frame("contentBlockStart", {"contentBlockIndex": i, "start": {
            "toolUse": {"toolUseId": call["id"], "name": call["name"]}}})
        data += b"".join(frame("contentBlockDelta", {"contentBlockIndex": i, "delta": {
            "toolUse": {"input": p}}}) for p in pieces(call["raw"]))
    return "application/vnd.amazon.eventstream", data + frame(
        "messageStop", {"stopReason": "tool_use" if turn["tool_calls"] else "end_turn"})


class Provider:
    """Plays 'turns'; with none left it says that it is done."""

    def __init__(self, name):
        outer = self
        self.write = {"anthropic": anthropic, "openai": openai, "bedrock": bedrock}[name]
        self.turns, self.bodies = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                turn = outer.turns.pop(0) if outer.turns else {"text": "Over.", "tool_calls": []}
                kind, data = outer.write(turn)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.port = self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# ---- what may be proposed ----

def unique(pairs):
    names = [n for n, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name twice")
    return dict(pairs)


def contract(value):
    """I-JSON without NULs, as gate and servers have it."""
    if isinstance(value, str):
        if any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF or 0xFDD0 <= ord(c) <= 0xFDEF
               or ord(c) & 0xFFFE == 0xFFFE for c in value):
            raise ValueError("a character")
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, (int, float)):
        if abs(value) >= (2 ** 53 if isinstance(value, int) else float("inf")):
            raise ValueError("a number")
    elif isinstance(value, list):
        for v in value:
            contract(v)
    else:
        for k, v in value.items():
            contract(k)
            contract(v)
    return value


def depth(value):
    if not isinstance(value, (list, dict)):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


def arguments_of(raw):
    """What these bytes must be proposed as; None: as nothing."""
    try:
        value = contract(json.loads(raw, object_pairs_hook=unique, parse_constant=_no))
        return value if isinstance(value, dict) and depth(value) <= DEPTH_MAX else None
    except (ValueError, RecursionError):
        return None


def _no(word):
    raise ValueError(word)


def toolset():
    with open(os.path.join(DATA, "hostile-model-examples.toolset.json"), encoding="utf-8") as f:
        servers = json.load(f)["servers"]
    return [{"name": f"{s}.{t}", "description": t, "schema": {"type": "object"}}
            for s, tools in servers.items() for t in tools]


def as_turn(output, tools):
    """A record's turn as the provider sends it; names of tools as it was told them."""
    names = {t["name"]: t["name"].replace(".", "__") for t in tools}
    return {"text": output.get("text"), "tool_calls": [
        {"id": c["id"], "name": names.get(c["name"], c["name"]), "real": c["name"],
         "raw": c["arguments_raw"] if "arguments_raw" in c else json.dumps(c["arguments"])}
        for c in output.get("tool_calls", [])]}


def records(tools):
    with open(os.path.join(DATA, "hostile-model-examples.jsonl"), encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            outputs = [r["model_output"]] + [
                e.get("model_output", e) for e in r["then"] if e["event"] == "model_output"]
            yield r["name"], [as_turn(o, tools) for o in outputs]


ODD = ['{}', '', '{"person":"a"}', '{"person":"a","person":"b"}', '[]', 'null', '{"n":1e400}',
       '{"n":9007199254740993}', '{"s":"\\u0000"}', '{"s":"\\ud800"}', '{"s":"\ufdd0"}',
       '{"a":{"a":{"a":1}}}', '{"person":"a"} ', '{"person":"a"}x', '\ufeff{}', '{"a":NaN}',
       '{"a":1,}', "{'a':1}", '{"\\u0061":1,"a":2}', '{"a":-0}', '{"a":1.0}', '{"a":"\u202e"}',
       '{"a":' + '[' * 70 + ']' * 70 + '}', '{"a":' + '[' * 63 + ']' * 63 + '}',
       '{"a":' + '[' * 47 + ']' * 47 + '}', '{"a":' + '[' * 48 + ']' * 48 + '}']
DEPTH_MAX = 48


def generated(tools, count):
    """Names and arguments bent at random, always the same ones."""
    rng = random.Random(20261123)
    for i in range(count):
        calls = []
        for k in range(rng.randint(1, 4)):
            real = rng.choice(tools)["name"]
            name = real.replace(".", "__")
            if rng.random() < 0.4:
                at = rng.randrange(len(name))
                name = real = name[:at] + rng.choice(["", "\u0430", " ", "\t", ".", "__", "A", "\0"]) \
                    + name[at + rng.randint(0, 1):]
                if real.replace("__", ".") in [t["name"] for t in tools]:
                    real = real.replace("__", ".")
            raw = rng.choice(ODD)
            if rng.random() < 0.3 and raw:
                at = rng.randrange(len(raw))
                raw = raw[:at] + rng.choice('{}[]",:\\ux0') + raw[at + 1:]
            calls.append({"id": rng.choice(["c", f"c{k}", "", "x y", "a" * 100]), "name": name,
                          "real": real, "raw": raw})
        yield f"generated {i}", [{"text": rng.choice([None, "<!channel> done", "\0\ufffe"]),
                                  "tool_calls": calls}]


def clean(text):
    return "".join("\ufffd" if c == "\0" or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE
                   else c for c in text)


def expected(turns):
    calls = []
    for turn in turns:
        for c in turn["tool_calls"]:
            arguments = {} if c["raw"] == "" else arguments_of(c["raw"])
            if arguments is not None and c["real"]:
                calls.append({"tool": clean(c["real"]), "arguments": arguments})
    return calls


def same(a, b):
    """Equal, and no 1 for a True."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True) or (
        a == b and "true" not in json.dumps([a, b]) and "false" not in json.dumps([a, b]))


def play(name, turns, worker, egress, provider, tools):
    provider.turns = [dict(t) for t in turns]
    s = Surface(worker, egress)
    end = s.turn("go", tools=tools, sources=[], requests=20, proposals=32)
    got = [p["calls"][0] for p in s.proposals]
    want = expected(turns)
    said = [clean(t["text"]) for t in turns if t["text"]] + ["Over."] * (
        1 if turns[-1]["tool_calls"] else 0)
    good = (end["m"], end.get("why")) == ("done", "end") and s.finals == said and \
        len(got) == len(want) and all(
            g["tool"] == w["tool"] and same(g["arguments"], w["arguments"])
            for g, w in zip(got, want)) and not any(p["together"] for p in s.proposals)
    return good, f"{name}\nend: {end}\nsaid: {s.finals!r} of {said!r}\ngot:  {got!r}\nwant: {want!r}"


def through(provider_name, rows, tools):
    provider = Provider(provider_name)
    failed, count = [], 0
    try:
        with tempfile.TemporaryDirectory(prefix="wingman-hostile-") as folder:
            config = {"provider": provider_name, "model": "m", "key": "env:K",
                      "url": f"http://127.0.0.1:{provider.port}{PATHS[provider_name]}",
                      "egress": {"requests_per_minute": 10000, "tries": 1}}
            with Egress(folder, config, env={"K": "k"}) as egress, \
                    Worker(provider_name, max_output=1000) as worker:
                for name, turns in rows:
                    count += 1
                    good, why = play(name, turns, worker, egress, provider, tools)
                    if not good:
                        failed.append(why)
            tap.equal(f"{provider_name}: both programs live to the end",
                      (egress.process.returncode, worker.process.returncode), (0, 0))
    finally:
        provider.close()
    return count, failed


def test_judged():
    if not os.path.exists(DATA):
        tap.skip("judged records of hostile models", "../shared is not there")
        return
    tools = toolset()
    for name in PROVIDERS:
        count, failed = through(name, records(tools), tools)
        tap.ok(f"{name}: {count} judged records become what they say, or nothing",
               count >= 30 and not failed, "\n".join(failed[:3]))


def test_generated():
    tools = [{"name": n, "description": "", "schema": {"type": "object"}} for n in (
        "accounts.block_account", "people.find_person", "firewall.create_exception")]
    for name in PROVIDERS:
        count, failed = through(name, generated(tools, GENERATED), tools)
        tap.ok(f"{name}: {count} generated ones too", not failed, "\n".join(failed[:3]))


if __name__ == "__main__":
    tap.run([test_judged, test_generated])
    tap.done()
