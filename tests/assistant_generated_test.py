"""A thousand hostile models, made up from a seed: each says something over the wire of a
provider, sent in a way that its fate chooses, through the real egress and worker; what comes
out as a call is one of those that it made, to the byte, and what comes out as words is drawn
for Slack, where none of it may be alive. With "whole N" that many converse in Slack itself
(npm's emulator), with gate, servers and directory behind.

    python3 assistant_generated_test.py [wires N] [whole N]
"""

import http.server
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "assistant"))

# pylint: disable=wrong-import-position
import assistant_hostile_test as wires
import hostile_model
import tap
from assistant_rig import BUILD, NODE, Egress, Surface, Worker
from doubles import emulator
from slack_rig import SlackSuite, text_of

SEED = 20261123
TOOLS = ["accounts.block_account", "people.find_person", "firewall.create_exception"]
REAL = ["accounts.block_account", "accounts.get_account", "accounts.revoke_sessions", "people.find_person"]
HOSTS = ["docs.example.test"]
KEY = "sk-test-0123456789abcdefghij"
LEAK = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
JOHN = "john.doe@example.test"
AT_ONCE = 6


class Pieces(http.server.BaseHTTPRequestHandler):
    """Answers with what its server says, in pieces of any size."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind, data, sizes = self.server.says(body)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data:
            size = next(sizes)
            self.wfile.write(b"%x\r\n" % len(data[:size]) + data[:size] + b"\r\n")
            data = data[size:]
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Provider(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, says):
        super().__init__(("127.0.0.1", 0), Pieces)
        self.says, self.bodies = says, []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass                # who left while it was answered

    def close(self):
        self.shutdown()
        self.server_close()


def sizes(rng, fate):
    while True:
        yield rng.choice([1, 2, 3, 7, 64, 4096]) if fate == "split anywhere" else 65536


# ---- at the wires ----

def draw(texts):
    """What slack/markdown makes of each, as the Slack process uses it: [messages]."""
    lines = b"".join(json.dumps({"what": "stream", "data": {
        "text": t, "heading": "Written by the assistant", "hosts": HOSTS, "people": {}}}).encode() + b"\n"
        for t in texts)
    done = subprocess.run([os.path.join(BUILD, "tests", "slack-draw-all")], input=lines, capture_output=True,
                          check=False, timeout=600)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(texts), done.stderr.decode()[-2000:]
    return rows


def could_be(got, turn):
    """A broken stream may lose events, of which each has a piece of some arguments: what is
    left of them may be arguments as well. Still nothing that the model did not say."""
    tool, arguments = json.loads(got)
    for call in turn["tool_calls"]:
        if wires.clean(call["real"]) != tool:
            continue
        parts = wires.pieces(call["raw"])
        for i in range(len(parts) + 1):
            for j in range(i, len(parts) + 1):
                left = "".join(parts[:i] + parts[j:])
                if (wires.arguments_of(left) if left else {}) == arguments:
                    return True
    return False


def judge(turn, is_whole, end, surface):
    """What is wrong with it, or None."""
    made = [hostile_model.wire(c) for c in wires.expected([turn])]
    got = [hostile_model.wire(c) for p in surface.proposals for c in p["calls"]]
    if end["m"] not in ("done", "failed"):
        return f"no end: {end}"
    if any(p["together"] for p in surface.proposals):
        return "several in one"
    if is_whole and end.get("why") != "end":
        return f"it broke: {end}"
    if is_whole and got != made[:len(got)]:
        return f"{got} of {made}"
    if is_whole and len(got) != min(len(made), 8):
        return f"{len(got)} of {len(made)}"
    if any(g not in made and (is_whole or not could_be(g, turn)) for g in got):
        return f"nobody said {[g[:200] for g in got if g not in made]}"
    if len(got) > 8:
        return f"{len(got)} proposals"
    return None


def through(name, count):
    """[(text)] that came out, [fault]"""
    rng = random.Random(f"{SEED} {name}")
    write = {"anthropic": wires.anthropic, "openai": wires.openai, "bedrock": wires.bedrock}[name]
    now, texts, faults = {}, [], []

    def says(body):
        provider.bodies.append(body)
        if not now:
            return (*write({"text": "Over.", "tool_calls": []}), sizes(rng, ""))
        turn, fate = now.pop("turn"), now.pop("fate")
        kind, data = write(turn)
        data, now_whole = hostile_model.bent(rng, fate, data, name != "bedrock")
        whole.append(now_whole)
        return kind, data, sizes(rng, fate)

    provider = Provider(says)
    tools = [{"name": t, "description": "", "schema": {"type": "object"}} for t in TOOLS]
    try:
        with tempfile.TemporaryDirectory(prefix="wingman-made-up-") as folder:
            config = {"provider": name, "model": "m", "key": "env:K", "url": provider.url + wires.PATHS[name],
                      "egress": {"requests_per_minute": 10000, "tries": 1}}
            with Egress(folder, config, env={"K": KEY}) as egress, Worker(name, max_output=1000) as worker:
                for i in range(count):
                    turn, fate = hostile_model.made_up(rng, TOOLS)
                    for call in turn["tool_calls"]:
                        call["real"] = call["name"]
                        for t in TOOLS:
                            if call["name"] == t.replace(".", "__"):
                                call["real"] = t
                    whole = []
                    now.update(turn=turn, fate=fate)
                    surface = Surface(worker, egress)
                    end = surface.turn("go", tools=tools, sources=[], requests=20)
                    now.clear()
                    texts += surface.finals
                    why = judge(turn, all(whole), end, surface)
                    if why:
                        faults.append(f"{name} {i}, {fate}: {why}\n{json.dumps(turn)[:1500]}")
                tap.equal(f"{name}: both programs live to the end",
                          (egress.process.poll(), worker.process.poll()), (None, None))
    finally:
        provider.close()
    tap.ok(f"{name}: no body has the key", not any(KEY.encode() in b for b in provider.bodies))
    return texts, faults


def test_wires(count):
    texts = []
    for name in wires.PROVIDERS:
        said, faults = through(name, count // 3 + 1)
        texts += said
        tap.ok(f"{name}: {count // 3 + 1} made up become the calls that they made, or none", not faults,
               "\n".join(faults[:3]))
    texts = sorted({t for t in texts if t})
    rows = draw(texts)
    faults = []
    for text, row in zip(texts, rows):
        for message in row.get("messages", [{"error": row}]):
            found = hostile_model.alive(message, HOSTS) + hostile_model.buttons(message)
            if found or "error" in message:
                faults.append(f"{text!r}: {found or message}")
    tap.ok(f"{len(texts)} different texts were said", len(texts) > count // 4, len(texts))
    tap.ok("and nothing in them is alive in Slack", not faults, "\n".join(faults[:5]))


# ---- whole ----

class GeneratedSuite(SlackSuite):
    def __init__(self, count, **options):
        super().__init__(**options)
        self.rng, self.lock = random.Random(SEED), threading.Lock()
        self.cases = [hostile_model.made_up(self.rng, REAL)[0] for _ in range(count)]
        # The same call twice is one prompt, and both are told so.
        twice = {"name": "accounts__block_account", "raw": json.dumps({"person": JOHN, "reason": "the same twice"})}
        self.cases[0] = {"text": "Twice.", "tool_calls": [{"id": "a", **twice}, {"id": "b", **twice}]}
        for case in self.cases:     # another request says that it is over
            if not case["tool_calls"]:
                case["tool_calls"] = [{"id": "c", "name": "people__nothing", "raw": "{}"}]
        self.asked, self.bodies = {}, []
        self.provider = Provider(self.says)
        self.write("keys/model", KEY)
        self.write("config/assistant.yaml", json.dumps({
            "provider": "anthropic", "model": "claude-test-1", "url": self.provider.url, "key": "keys/model",
            "egress": {"requests_per_minute": 10000}}))

    def says(self, body):
        marks = re.findall(rb"case-(\d+)-end", body)
        with self.lock:
            self.bodies.append(body)
            number = int(marks[-1]) if marks else None
            nth = self.asked[number] = self.asked.get(number, 0) + 1
        turn = self.cases[number] if marks and nth == 1 else {"text": f"over-{number}-now", "tool_calls": []}
        return (*wires.anthropic(turn), sizes(self.rng, "split anywhere" if nth == 1 else ""))

    def done(self):
        self.provider.close()
        super().done()


def test_whole(rig):
    def converse(numbers):
        for n in numbers:
            rig.mention(f"case-{n}-end: what about john.doe? my key is {LEAK}", rig.alice)
            rig.said(f"over-{n}-now", 120)

    count = len(rig.cases)
    threads = [threading.Thread(target=converse, args=(range(i, count, AT_ONCE),)) for i in range(AT_ONCE)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal("every one was heard to its end", sorted(n for n in rig.asked if rig.asked[n] > 1), list(range(count)))
    posted = [c for c in rig.slack.calls if c.method in ("chat.postMessage", "chat.update", "chat.postEphemeral",
                                                         "chat.startStream", "chat.appendStream", "chat.stopStream")]
    faults, fakes, prompts = [], [], 0
    for call in posted:
        faults += [f"{why}: {str(call.arguments)[:600]}" for why in hostile_model.alive(call.arguments, HOSTS, ())]
        can = [b for b in hostile_model.buttons(call.arguments) if re.match(r"wingman\.(approve|deny|review)", b)]
        by_model = "Written by the assistant" in text_of(call.arguments.get("blocks", []))[:60]
        prompts += bool(can)
        if can and by_model:
            fakes.append(str(call.arguments)[:600])
    tap.ok(f"in {len(posted)} calls to Slack nothing is alive", len(posted) > count and not faults,
           "\n".join(faults[:4]))
    tap.ok("what the model says never stands beside a button that decides", not fakes, "\n".join(fakes[:2]))
    tap.ok(f"{prompts} prompts were put", prompts > 0)
    states = [x["event"] for x in rig.audit() if str(x.get("event", "")).startswith("approval.")]
    tap.equal("nobody pressed, and nothing was granted or ran",
              [s for s in states if re.search("granted|executing|succeeded|failed", s)], [])
    tap.equal("John is as he was", rig.suite.bind("john.doe"), 0)
    secrets = [KEY, LEAK, "xoxb-wingman-test", "wm_"] + [rig.suite.read("keys", "slack").strip()]
    leaks = [s for s in secrets if any(s.encode() in b for b in rig.bodies)]
    tap.equal(f"no secret is in what the provider got ({len(rig.bodies)} requests)", leaks, [])


def test_oracle():
    """What is to be found is found."""
    def one(element):
        return {"blocks": [{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}, element]}]}]}
    for value in (one({"type": "broadcast", "range": "here"}), one({"type": "usergroup", "usergroup_id": "S1"}),
                  one({"type": "user", "user_id": "U1"}), one({"type": "channel", "channel_id": "C1"}),
                  one({"type": "link", "url": "https://evil.test/"}), one({"type": "link", "url": "http://docs.example.test/"}),
                  one({"type": "link", "url": "https://docs.example.test@evil.test/"}), one({"type": "date", "timestamp": 1}),
                  {"blocks": [{"type": "image", "image_url": "https://evil.test/x.png"}]},
                  {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "<https://evil.test|ok>"}}]},
                  {"text": "<!here>"}, {"text": "x", "unfurl_links": True}):
        tap.ok("alive", hostile_model.alive(value, HOSTS), value)
    good = one({"type": "link", "url": "https://docs.example.test/a", "text": "a"})
    tap.equal("and a good one is not", hostile_model.alive(good, HOSTS), [])
    made = {"text": "", "tool_calls": [{"id": "c", "name": "a__b", "real": "a.b", "raw": '{"x":1}'}]}

    class Said:
        proposals = [{"calls": [{"tool": "a.b", "arguments": {"x": 2}}], "together": False}]
    tap.ok("a call that nobody made", "nobody said" in judge(made, False, {"m": "done", "why": "end"}, Said))


def main():
    counts = {"wires": 1000, "whole": 100}
    for name, number in zip(sys.argv[1::2], sys.argv[2::2]):
        counts[name] = int(number)
    tap.run([test_oracle])
    if counts["wires"]:
        tap.run([lambda: test_wires(counts["wires"])])
    if not emulator.is_installed() or not os.path.exists(NODE):
        tap.skip("hostile models in Slack", emulator.WHY)
    elif counts["whole"]:
        GeneratedSuite(counts["whole"]).test([test_whole])
    tap.done()


if __name__ == "__main__":
    main()
