"""The worker and the egress against the independent mock @copilotkit/aimock, over all
three wires, and what became of each request as the mock's journal has it.
"""

import json
import os
import tempfile
import urllib.request

import assistant_rig as rig
import tap
from assistant_rig import Egress, Mock, Surface, Worker

KEY = "sk-test-0123456789abcdef"
CONFIGS = {
    "anthropic": {"provider": "anthropic", "model": "claude-test-1"},
    "openai": {"provider": "openai", "model": "gpt-test-1"},
    "bedrock": {"provider": "bedrock", "model": "eu.anthropic.claude-test-1:0",
                "region": "eu-central-1"},
}
FIXTURES = [
    {"match": {"userMessage": "lock ava", "hasToolResult": False},
     "response": {"content": "I will look her up first.",
                  "toolCalls": [{"name": "people__find_person",
                                 "arguments": '{"query":"ava.reyes é"}'}]}},
    {"match": {"userMessage": "lock ava", "hasToolResult": True},
     "response": {"content": "People were asked."}},
    {"match": {"userMessage": "two things", "hasToolResult": False},
     "response": {"toolCalls": [
         {"name": "people__find_person", "arguments": '{"query":"a"}'},
         {"name": "read_context", "arguments": '{"uri":"playbook://ransomware"}'}]}},
    {"match": {"userMessage": "two things", "hasToolResult": True},
     "response": {"content": "Both done."}},
    {"match": {"userMessage": "overload"},
     "response": {"error": {"message": "Overloaded", "type": "overloaded_error"},
                  "status": 529}},
    {"match": {"userMessage": "slow down"},
     "response": {"error": {"message": "Rate limited", "type": "rate_limit_error"},
                  "status": 429}},
    {"match": {"userMessage": "no money"},
     "response": {"error": {"message": "quota", "type": "insufficient_quota",
                            "code": "insufficient_quota"}, "status": 429}},
    {"match": {"userMessage": "summarise"},
     "response": {"content": "Three alerts, one host, started 09:14 UTC. Ünïcödé \U0001F600."}},
]


def config(mock, provider, **more):
    base = mock.url + ("/v1" if provider == "openai" else "")
    return {**CONFIGS[provider], "url": base, "key": "env:MODEL_KEY", **more}


def journal(mock):
    with urllib.request.urlopen(mock.url + "/__aimock/journal?limit=100", timeout=10) as r:
        answer = json.load(r)
    return answer if isinstance(answer, list) else answer.get("entries", answer)


def session(folder, mock, provider, stream=True, **more):
    egress = Egress(folder, config(mock, provider, **more), env={"MODEL_KEY": KEY})
    worker = Worker(provider=provider, model=CONFIGS[provider]["model"], stream=stream)
    return egress, worker


def conversations(folder, mock, provider, stream):
    name = f"{provider}, {'streamed' if stream else 'whole'}"
    egress, worker = session(folder, mock, provider, stream)
    with egress, worker:
        s = Surface(worker, egress)
        end = s.turn("summarise the alerts")
        tap.equal(f"{name}: it is said", s.finals,
                  ["Three alerts, one host, started 09:14 UTC. Ünïcödé \U0001F600."])
        tap.equal(f"{name}: and done", (end["m"], end.get("why")), ("done", "end"))
        if stream:
            tap.ok(f"{name}: in pieces", s.pieces > 2, s.pieces)

        s = Surface(worker, egress)
        end = s.turn("lock ava please")
        tap.equal(f"{name}: a call is a proposal by its own name",
                  [(p["calls"], p["together"]) for p in s.proposals],
                  [([{"tool": "people.find_person",
                      "arguments": {"query": "ava.reyes é"}}], False)])
        tap.equal(f"{name}: told what became of it, it goes on",
                  (s.finals, end["m"], end.get("why"), end["usage"]["requests"]),
                  (["I will look her up first.", "People were asked."], "done", "end", 2))

        s = Surface(worker, egress)
        end = s.turn("two things")
        tap.equal(f"{name}: two calls are a proposal and a read",
                  ([len(p["calls"]) for p in s.proposals], [r["uri"] for r in s.reads],
                   s.finals), ([1], ["playbook://ransomware"], ["Both done."]))
    tap.equal(f"{name}: both ended in peace",
              (egress.process.returncode, worker.process.returncode), (0, 0))


def failures(folder, mock, provider):
    egress, worker = session(folder, mock, provider,
                             egress={"tries": 2, "whole_s": 30})
    with egress, worker:
        s = Surface(worker, egress)
        end = s.turn("slow down")
        tap.equal(f"{provider}: 429 after a second try is busy",
                  (end["m"], end.get("code")), ("failed", "model_busy"))
        tap.equal(f"{provider}: it waited as Retry-After said",
                  [(w["status"], w["after_ms"]) for w in s.waits], [(429, 1000)])
        s = Surface(worker, egress)
        end = s.turn("overload")
        tap.equal(f"{provider}: 529 too", (end["m"], end.get("code"), len(s.waits)),
                  ("failed", "model_busy", 1))
        s = Surface(worker, egress)
        end = s.turn("nothing fits this")
        tap.equal(f"{provider}: 503 too", (end["m"], end.get("code"), len(s.waits)),
                  ("failed", "model_busy", 1))
        if provider == "openai":
            s = Surface(worker, egress)
            end = s.turn("no money")
            tap.equal("openai: a quota that is out is not tried again",
                      (end["code"], s.waits), ("model_unpaid", []))
    tap.ok(f"{provider}: the key is in no log", KEY.encode() not in egress.log + worker.log)


def broken_streams(folder):
    """What the mock can break: every answer malformed, or cut off."""
    for option, word in (("--chaos-malformed", "malformed"),
                         ("--chaos-disconnect", "cut off"), ("--chaos-drop", "dropped")):
        mock = Mock(folder, FIXTURES, "--chunk-size", "5", option, "1.0")
        if not mock.start():
            tap.ok("the mock started", False)
            return
        try:
            for provider in CONFIGS:
                egress, worker = session(folder, mock, provider,
                                         egress={"tries": 1})
                with egress, worker:
                    end = Surface(worker, egress).turn("summarise")
                    tap.ok(f"{provider}: an answer that is {word} fails in known words",
                           end["m"] == "failed" and end["code"] in (
                               "model_broken", "model_down", "model_busy"), end)
        finally:
            mock.stop()


def test_conversations():
    if not os.path.exists(rig.NODE):
        tap.ok("node is installed: make build/npm/.done", False)
        return
    with tempfile.TemporaryDirectory(prefix="wingman-assistant-") as folder:
        mock = Mock(folder, FIXTURES, "--chunk-size", "7", "-l", "5")
        if not tap.ok("the mock started", mock.start()):
            return
        try:
            for provider in CONFIGS:
                for stream in (True, False):
                    conversations(folder, mock, provider, stream)
                failures(folder, mock, provider)
            tap.ok("the mock saw what was sent", len(journal(mock)) > 20)
        finally:
            mock.stop()


def test_broken_streams():
    with tempfile.TemporaryDirectory(prefix="wingman-assistant-") as folder:
        broken_streams(folder)


if __name__ == "__main__":
    tap.run([test_conversations, test_broken_streams])
    tap.done()
