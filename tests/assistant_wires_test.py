"""What we send, held against the providers' official SDKs.

A recording server takes the requests of a conversation that has all we ever send (notes,
tools, calls with results, streamed and whole). Then each SDK sends the same bodies to it:
path, body and the headers that matter must come out the same. TypeScript holds the bodies
against the SDKs' types, where a member that the provider does not know is an error; the
AWS SDK drops such members itself. And the signatures: ours of what the SDK signed, the
SDK's of what we signed. What the independent mock streams, both read alike.
"""

import datetime
import http.server
import json
import os
import subprocess
import tempfile
import threading

import assistant_rig as rig
import tap
from assistant_rig import Egress, Surface, Worker, turn_message

KEY = "abcdefgh0123456789/+abcdefgh01234567890"
ID = "AKIDEXAMPLE"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE=="
REGION = "eu-central-1"
MODELS = {"anthropic": "claude-test-1", "openai": "gpt-test-1",
          "bedrock": "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.x.y-v1:0"}
ANSWERS = {
    "anthropic": {"id": "m", "type": "message", "role": "assistant", "model": "m",
                  "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn",
                  "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}},
    "openai": {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
               "choices": [{"index": 0, "finish_reason": "stop",
                            "message": {"role": "assistant", "content": "Yes."}}],
               "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
    "bedrock": {"output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}},
                "stopReason": "end_turn", "metrics": {"latencyMs": 1},
                "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}},
}
CONVERSATION = [
    {"kind": "said", "by": "bob@example.test", "text": "host a is odd", "at": "2026-11-23T07:00:00Z"},
    {"kind": "said", "by": "alice@example.test", "text": "block ava", "asker": True},
    {"kind": "answered", "text": "I look her up."},
    {"kind": "proposed", "together": False, "results": [{"status": "invalid", "errors": ["/query: too short"]}],
     "calls": [{"tool": "people.find_person", "arguments": {"query": "a"}}]},
    {"kind": "proposed", "together": True,
     "calls": [{"tool": "people.find_person", "arguments": {"query": "ava"}},
               {"tool": "accounts.block_account", "arguments": {"account": "ava"}}],
     "results": [{"status": "succeeded", "outcome": {"people": [{"id": "ava@example.test"}]}},
                 {"status": "denied"}]},
    {"kind": "read", "label": "playbook ransomware", "uri": "playbook://ransomware", "text": "Isolate it.", "cut": True},
    {"kind": "read", "label": "search", "template": "playbook://search{?q}", "values": {"q": "x"}, "text": "none"},
    {"kind": "note", "text": "The approval expired."},
    {"kind": "said", "by": "alice@example.test", "text": "and now? ünïcode \U0001F600 \"quoted\"", "asker": True},
]
SYSTEM = [{"name": "Team", "text": "We are the blue team."},
          {"name": "Now", "text": "It is Monday.", "changes": True}]


class Recorder:
    """Answers whatever comes, and keeps it."""

    def __init__(self, answer):
        seen = self.seen = []
        text = json.dumps(answer).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append({"path": self.path, "body": body.decode(),
                             "headers": {k.lower(): v for k, v in self.headers.items()}})
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def ours(folder, provider, recorder, signed=False):
    """The same conversation streamed and whole, by worker and egress."""
    base = recorder.url + ("/v1" if provider == "openai" else "")
    config = {"provider": provider, "model": MODELS[provider], "url": base,
              "key": "env:MODEL_KEY"}
    env = {"MODEL_KEY": KEY}
    if provider == "bedrock":
        config["region"] = REGION
    if signed:
        config.update(access_key_id="env:MODEL_ID", session_token="env:MODEL_TOKEN")
        env.update(MODEL_ID=ID, MODEL_TOKEN=TOKEN)
    for stream in (True, False):
        with Egress(folder, config, env=env) as egress, \
                Worker(provider=provider, model=MODELS[provider], stream=stream) as worker:
            s = Surface(worker, egress)
            end = s.run(turn_message("", conversation=CONVERSATION, system=SYSTEM))
            tap.equal(f"{provider}: it was sent and answered",
                      (end["m"], s.finals, end.get("usage", {}).get("input")),
                      ("done", ["Yes."], 3))
    return list(recorder.seen)


def node(folder, **what):
    done = subprocess.run(
        [rig.NODE, os.path.join(rig.SOURCE, "tests/assistant/sdk.mjs"), rig.NODE_MODULES],
        input=json.dumps(what).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=folder, timeout=60, check=False)
    tap.equal("the SDK ran", (done.returncode, done.stderr.decode()[-2000:]), (0, ""))
    return done.stdout.decode().splitlines()


# What is about a body, a version or a key; agents, retries and lengths are each one's own.
HEADERS = ("content-type", "anthropic-version")


def compare(provider, mine, theirs):
    tap.equal(f"{provider}: as many", len(mine), len(theirs))
    for a, b in zip(mine, theirs):
        tap.equal(f"{provider}: the path", a["path"], b["path"])
        tap.equal(f"{provider}: the body", json.loads(a["body"]), json.loads(b["body"]))
        for name in HEADERS:
            tap.equal(f"{provider}: {name}", a["headers"].get(name), b["headers"].get(name))
        if provider == "openai":
            tap.equal("openai: the key", a["headers"].get("authorization"),
                      b["headers"].get("authorization"))
        elif provider == "anthropic":
            # The SDK says Bearer since 1.0; the vendor's pages show x-api-key, which
            # gateways in between know as well.
            tap.equal("anthropic: the key", "Bearer " + a["headers"].get("x-api-key", ""),
                      b["headers"].get("authorization"))


def typed(folder, provider, bodies):
    """TypeScript knows what members there are."""
    types = {"anthropic": ("@anthropic-ai/sdk", "Anthropic.MessageCreateParams"),
             "openai": ("openai", "OpenAI.Chat.Completions.ChatCompletionCreateParams")}
    package, name = types[provider]
    space = name.split(".")[0]
    source = f"import {space} from '{package}'\n" + "".join(
        f"const b{i}: {name} = {json.dumps(body)}\nvoid b{i}\n" for i, body in enumerate(bodies))
    link = os.path.join(folder, "node_modules")
    if not os.path.exists(link):
        os.symlink(rig.NODE_MODULES, link)
    path = os.path.join(folder, f"{provider}.mts")
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    done = subprocess.run(
        [rig.NODE, os.path.join(rig.NODE_MODULES, "typescript/bin/tsc"), "--noEmit", "--strict",
         "--skipLibCheck", "--module", "nodenext", "--target", "es2022", path],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.stdout.decode()


def signed_part(request):
    """(names that were signed, the header as it is)"""
    authorization = request["headers"]["authorization"]
    return authorization.split("SignedHeaders=")[1].split(",")[0].split(";"), authorization


def our_signature(request):
    names, _ = signed_part(request)
    done = subprocess.run(
        [os.path.join(rig.BUILD, "tests", "sigv4-sign")],
        input=json.dumps({"method": "POST", "path": request["path"], "body": request["body"],
                          "headers": {n: request["headers"][n] for n in names},
                          "date": request["headers"]["x-amz-date"], "region": REGION,
                          "service": "bedrock", "access_key_id": ID,
                          "secret_key": KEY}).encode(),
        stdout=subprocess.PIPE, timeout=60, check=False)
    return done.stdout.decode().strip()


def test_providers():
    for provider in ("anthropic", "openai"):
        with tempfile.TemporaryDirectory(prefix="wingman-wires-") as folder:
            recorder = Recorder(ANSWERS[provider])
            try:
                mine = ours(folder, provider, recorder)
                recorder.seen.clear()
                base = recorder.url + ("/v1" if provider == "openai" else "")
                node(folder, provider=provider, url=base, key=KEY,
                     requests=[{"path": r["path"], "body": json.loads(r["body"])}
                               for r in mine])
                compare(provider, mine, recorder.seen)
                bodies = [json.loads(r["body"]) for r in mine]
                tap.equal(f"{provider}: the SDK's types know every member",
                          typed(folder, provider, bodies), "")
                tap.ok(f"{provider}: and would not know another",
                       "bogus" in typed(folder, provider, [{**bodies[0], "bogus": 1}]))
            finally:
                recorder.close()


def test_bedrock():
    with tempfile.TemporaryDirectory(prefix="wingman-wires-") as folder:
        recorder = Recorder(ANSWERS["bedrock"])
        try:
            mine = ours(folder, "bedrock", recorder, signed=True)
            recorder.seen.clear()
            again = [{"method": "POST", "path": r["path"], "body": r["body"],
                      "date": datetime.datetime.strptime(
                          r["headers"]["x-amz-date"], "%Y%m%dT%H%M%SZ").isoformat() + "Z",
                      "headers": {n: r["headers"][n] for n in signed_part(r)[0]}}
                     for r in mine]
            lines = node(folder, provider="bedrock", url=recorder.url, key=KEY,
                         region=REGION, access_key_id=ID, session_token=TOKEN,
                         model=MODELS["bedrock"], sign=again,
                         requests=[{"path": r["path"], "body": json.loads(r["body"])}
                                   for r in mine])
            compare("bedrock", mine, recorder.seen)
            for theirs in recorder.seen:
                tap.equal("bedrock: our signature of what the SDK signed",
                          our_signature(theirs), signed_part(theirs)[1])
            tap.equal("bedrock: the SDK's signature of what we signed", lines,
                      [signed_part(r)[1] for r in mine])
            tap.ok("bedrock: the token was signed too",
                   all("x-amz-security-token" in signed_part(r)[0] for r in mine))
            recorder.seen.clear()
            bearer = ours(folder, "bedrock", recorder)
            tap.equal("bedrock: or by a bearer key",
                      {r["headers"]["authorization"] for r in bearer}, {"Bearer " + KEY})
        finally:
            recorder.close()


ANSWER = {"match": {"userMessage": "lock ava"}, "response": {
    "content": "I look her up. \u00dcn\u00efc\u00f6d\u00e9 \U0001F600", "toolCalls": [
        {"name": "people__find_person", "arguments": json.dumps({"query": "ava.reyes \u00e9", "limit": 3})},
        {"name": "accounts__block_account", "arguments": json.dumps({"account": "ava", "why": ["a", {"b": None}]})}]}}


def test_answers():
    """The SDK and our worker read the same out of what the independent mock streams."""
    with tempfile.TemporaryDirectory(prefix="wingman-wires-") as folder:
        mock = rig.Mock(folder, [ANSWER], "--chunk-size", "5")
        tap.ok("the mock started", mock.start())
        try:
            for provider, model in MODELS.items():
                url = mock.url + ("/v1" if provider == "openai" else "")
                config = {"provider": provider, "model": model, "url": url, "key": "env:MODEL_KEY",
                          **({"region": REGION} if provider == "bedrock" else {})}
                with Egress(folder, config, env={"MODEL_KEY": KEY}) as egress, \
                        Worker(provider=provider, model=model) as worker:
                    s = Surface(worker, egress)
                    s.turn("lock ava", requests=1)
                ours_read = {"text": s.finals[0], "calls": [
                    {"name": c["tool"].replace(".", "__"), "arguments": c["arguments"]} for p in s.proposals for c in p["calls"]]}
                lines = node(folder, provider=provider, url=url, key=KEY, region=REGION, access_key_id=ID,
                             session_token=TOKEN, model=model, read=True, requests=s.requests)
                tap.equal(f"{provider}: as the SDK reads it", ours_read, json.loads(lines[0]) if lines else None)
                tap.equal(f"{provider}: and as it was said", (ours_read["text"], [c["arguments"] for c in ours_read["calls"]]),
                          (ANSWER["response"]["content"], [json.loads(c["arguments"]) for c in ANSWER["response"]["toolCalls"]]))
        finally:
            mock.stop()


if __name__ == "__main__":
    tap.run([test_providers, test_bedrock, test_answers])
    tap.done()
