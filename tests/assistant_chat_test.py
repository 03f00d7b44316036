"""wingman chat with nothing in anybody's place: console, gate, servers, directory, the real
worker and the real egress, and the independent mock for a provider, over each wire.
"""

import json
import os
import re
import subprocess

import tap

try:
    import pexpect
    from suite import BIN, Suite
except ImportError:
    pexpect = None
import assistant_hostile_test
from assistant_rig import NODE, Mock

KEY = "sk-end-to-end-0123456789"
YES = r"Type '(approve [0-9a-f]{4})'[^:]*: "
PERSON = "jane.roe@example.test"
CONFIGS = {
    "anthropic": {"provider": "anthropic", "model": "claude-test-1"},
    "openai": {"provider": "openai", "model": "gpt-test-1"},
    "bedrock": {"provider": "bedrock", "model": "eu.x.claude-test-1:0", "region": "eu-central-1"},
}


def call(tool, **arguments):
    return {"toolCalls": [{"name": tool, "arguments": json.dumps(arguments)}]}


FIXTURES = [
    {"match": {"userMessage": "unblock jane", "hasToolResult": False},
     "response": call("accounts__unblock_account", person=PERSON, reason="found it")},
    {"match": {"userMessage": "block jane", "hasToolResult": False},
     "response": {"content": "I propose to block Jane.",
                  **call("accounts__block_account", person=PERSON, reason="lost laptop",
                         systems=["ldap"])}},
    {"match": {"userMessage": "find jane", "hasToolResult": False},
     "response": call("read_context", uri="person://search?q=jane.roe")},
    {"match": {"userMessage": "hello"}, "response": {"content": "Hello, I am the mock."}},
    {"match": {"userMessage": "slow down"},
     "response": {"error": {"message": "Rate limited", "type": "rate_limit_error"},
                  "status": 429}},
    {"match": {"userMessage": "What was proposed has ended"}, "response": {"content": "Heard what became of it."}},
    {"match": {"hasToolResult": True}, "response": {"content": "I heard of it."}},
]


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def configure(suite, mock, provider, **more):
    base = mock.url + ("/v1" if provider == "openai" else "")
    with open(suite.path("config", "assistant.yaml"), "w", encoding="utf-8") as f:
        json.dump({**CONFIGS[provider], "url": base, "key": "keys/model",
                   "egress": {"tries": 1}, **more}, f)


def chat(suite, *arguments):
    p = pexpect.spawn(os.path.join(BIN, "wingman"), ["--dir", suite.dir, "chat", *arguments],
                      encoding="utf-8", dimensions=(60, 160), timeout=60)
    p.setecho(False)
    return p


def converse(suite, mock, provider):
    configure(suite, mock, provider)
    p = chat(suite)
    p.expect("you> ")
    p.sendline("hello")
    p.expect("Hello, I am the mock.")
    p.expect("you> ")
    tap.ok(f"{provider}: it converses", True)
    p.sendline("block jane, lost laptop")
    p.expect(YES)
    digits = p.match.group(1)
    tap.equal(f"{provider}: nothing before a yes", suite.bind("jane.roe"), 0)
    p.sendline(digits)
    p.expect("Heard what became of it.")
    p.expect("you> ")
    tap.equal(f"{provider}: after a yes it ran", suite.bind("jane.roe"), 49)
    p.sendline("/clear")
    p.expect("you> ")
    p.sendline("unblock jane")
    p.expect(YES)
    p.sendline(p.match.group(1))
    p.expect("Heard what became of it.")
    p.expect("you> ")
    tap.equal(f"{provider}: and back", suite.bind("jane.roe"), 0)
    p.sendline("/clear")
    p.expect("you> ")
    p.sendline("find jane")
    p.expect("read: person://search")
    p.expect("I heard of it.")
    p.expect("you> ")
    tap.ok(f"{provider}: it reads, and the person sees what", True)
    p.sendline("/clear")
    p.expect("you> ")
    p.sendline("slow down")
    p.expect("too much to do")
    p.expect("you> ")
    tap.ok(f"{provider}: a provider that is busy is told in our words", True)
    p.sendline("hello")
    p.expect("Hello, I am the mock.")
    p.expect("you> ")
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal(f"{provider}: it leaves, and its status says that a turn failed", p.exitstatus, 1)


def executed(suite):
    """Approvals whose calls ran, but those of playbooks: the sample frees these reads."""
    return [e["data"]["approval"] for e in suite.audit_events("gate")
            if "execut" in json.dumps(e) and e["data"].get("server") != "playbooks"]


def hostile(suite):
    """Judged hostile models, the whole way to the gate, and nobody who says yes."""
    if not os.path.exists(assistant_hostile_test.DATA):
        tap.skip("hostile models through wingman chat", "../shared is not there")
        return
    tools = [{"name": t["name"]} for t in assistant_hostile_test.toolset()]
    provider = assistant_hostile_test.Provider("anthropic")
    before = executed(suite)
    odd = []
    try:
        with open(suite.path("config", "assistant.yaml"), "w", encoding="utf-8") as f:
            json.dump({**CONFIGS["anthropic"], "url": f"http://127.0.0.1:{provider.port}",
                       "key": "keys/model", "egress": {"tries": 1}}, f)
        count = 0
        for name, turns in assistant_hostile_test.records(tools):
            provider.turns = [dict(t) for t in turns]
            done = subprocess.run(
                [os.path.join(BIN, "wingman"), "--dir", suite.dir, "chat", "please help"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=60, check=False)
            count += 1
            out = done.stdout.decode() + done.stderr.decode()
            if any(ord(c) < 32 and c != "\n" or c in "\u202e\u2066\u200b\u00ad" for c in out):
                odd.append((name, out[:300]))
            subprocess.run([os.path.join(BIN, "wingman"), "--dir", suite.dir, "chat", "--clear"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60,
                           check=False)
        tap.ok(f"{count} hostile models conversed", count >= 30)
    finally:
        provider.close()
    tap.equal("what they said draws nothing on a terminal", odd, [])
    tap.equal("nothing was executed", executed(suite), before)
    tap.equal("nobody was blocked", suite.bind("jane.roe"), 0)
    tap.ok("the key was in no request's body", all(KEY.encode() not in b for b in provider.bodies)
           and len(provider.bodies) >= 30, len(provider.bodies))


def test_all():
    if not pexpect or not os.path.exists(NODE):
        tap.ok("pexpect and node are installed: make test", False)
        return
    suite = Suite()
    mock = None
    try:
        suite.start()
        mock = Mock(suite.dir, FIXTURES, "--chunk-size", "9")
        if not tap.ok("the mock started", mock.start()):
            return
        path = suite.path("keys", "model")
        with open(path, "w", encoding="utf-8") as f:
            f.write(KEY + "\n")
        os.chmod(path, 0o600)
        for provider in CONFIGS:
            converse(suite, mock, provider)
        hostile(suite)
        configure(suite, mock, "openai", budget={"tokens_per_person_per_day": 1})
        p = chat(suite)
        p.expect("you> ")
        p.sendline("hello")
        p.expect("budget for the language model is spent")
        p.expect("you> ")
        tap.ok("a budget that is spent is told", True)
        p.close(force=True)
    finally:
        if mock:
            mock.stop()
        suite.stop()
        suite.done()


if __name__ == "__main__":
    tap.run([test_all])
    tap.done()
