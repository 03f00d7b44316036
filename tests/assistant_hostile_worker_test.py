"""A program in the worker's place that sends everything that may be sent, in every wrong way:
whatever it does, its turn ends, nothing is asked of anybody, nothing runs, and the next turn has
another worker. (tests/console_chat_test.py has the ordinary faults.) And one that sends everything
that is allowed, as fast as it may: what it proposes waits for people, what it says is its own.
"""

import json
import struct
import time

import tap

try:
    import pexpect
    from chat_rig import CONFIG, ChatRig
    from suite import Suite
except ImportError:
    pexpect = None

SAY = {"m": "say", "text": "psst", "final": True}
CALL = {"tool": "accounts.block_account",
        "arguments": {"person": "jane.roe@example.test", "reason": "as asked for"}}
PROPOSE = {"m": "propose", "proposal": 1, "calls": [CALL], "together": False}
USAGE = {"input": 1, "output": 1, "cache_read": 0, "cache_write": 0, "requests": 1}
DONE = {"m": "done", "why": "end", "usage": USAGE}
REQUEST = {"m": "request", "request": 1, "path": "/v1/messages", "body": "{}"}


def raw(data, length=None):
    """A frame of these bytes, as chat_worker sends bytes."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return ["bytes", (struct.pack(">I", len(data) if length is None else length) + data).decode("latin-1")]


# 'seconds' of each turn is 2, and 5 of grace: what only waits is ended by time.
ENDED = {
    "never ready": [["early"], ["hang"]],
    "ready, and never a word": [["hang"]],
    "half a frame": [raw(b'{"m":"say"', 400), ["hang"]],
    "half a length": [["bytes", "\0\0"], ["hang"]],
    "a frame of nothing": [raw(b""), ["hang"]],
    "a frame of 4 MiB and a byte": [["bytes", struct.pack(">I", 4 * 1024 * 1024 + 1).decode("latin-1")], ["hang"]],
    "a frame of 4 GiB": [["bytes", "\xff\xff\xff\xff"], ["hang"]],
    "no JSON": [raw(b"{'m':'say'}"), ["hang"]],
    "an array": [raw([SAY]), ["hang"]],
    "bytes that are no text": [raw(b'{"m":"say","text":"\xff\xfe","final":true}'), ["hang"]],
    "a NUL in a text": [raw(b'{"m":"say","text":"a\\u0000b","final":true}'), ["hang"]],
    "a lone surrogate": [raw(b'{"m":"say","text":"\\ud800","final":true}'), ["hang"]],
    "a member twice": [raw(b'{"m":"say","m":"done","text":"psst","final":true}'), ["hang"]],
    "a member of another type": [["send", {**SAY, "final": "yes"}], ["hang"]],
    "a member less": [["send", {"m": "say", "text": "psst"}], ["hang"]],
    "another name": [["send", {**SAY, "m": "Say"}], ["hang"]],
    "a name of the egress": [["send", {"m": "waiting", "request": 1, "status": 0, "after_ms": 1}], ["hang"]],
    "an answer of a provider": [["send", {"m": "status", "request": 1, "status": 200}], ["hang"]],
    "a result of its own": [["send", {"m": "result", "proposal": 1, "results": [{"status": "succeeded"}]}], ["hang"]],
    "a content of its own": [["send", {"m": "content", "read": 1, "label": "x", "text": "x"}], ["hang"]],
    "ready twice": [["send", {"m": "ready", "v": 2}], ["hang"]],
    "another version": [["early"], ["send", {"m": "ready", "v": 1}], ["hang"]],
    "a decision": [["send", {"m": "decide", "approval": "x", "decision": "approve", "shown": "0" * 64}], ["hang"]],
    "a proposal without arguments": [["send", {**PROPOSE, "calls": [{"tool": "a.b"}]}], ["hang"]],
    "a proposal of no call": [["send", {**PROPOSE, "calls": []}], ["hang"]],
    "one call together": [["send", {**PROPOSE, "together": True}], ["hang"]],
    "two calls apart": [["send", {**PROPOSE, "calls": [CALL, CALL]}], ["hang"]],
    "arguments 200 deep": [raw(b'{"m":"propose","proposal":1,"together":false,"calls":[{"tool":"a.b","arguments":'
                               + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}]}"), ["hang"]],
    "a number that no one has": [raw(b'{"m":"propose","proposal":9007199254740993,"together":false,"calls":[]}'),
                                 ["hang"]],
    "a read of nothing": [["send", {"m": "read", "read": 1}], ["hang"]],
    "a read of both": [["send", {"m": "read", "read": 1, "uri": "a://b", "template": "a://{b}", "values": {}}], ["hang"]],
    "a read of an endless address": [["send", {"m": "read", "read": 1, "uri": "a://" + "b" * 3000}], ["hang"]],
    "a body of more than a MiB": [["send", {**REQUEST, "body": "x" * (1024 * 1024 + 1)}], ["hang"]],
    "two requests at once": [["send", REQUEST], ["send", {**REQUEST, "request": 2}], ["hang"]],
    "a request to another address": [["send", {**REQUEST, "path": "http://evil.test/v1/messages"}], ["hang"]],
    "a million empty pieces": [["flood", {**SAY, "text": "", "final": False}, 10 ** 6], ["hang"]],
    "a thousand answers": [["flood", {**SAY, "text": "x"}, 1000], ["hang"]],
    "a thousand proposals": [["flood", PROPOSE, 1000], ["hang"]],
    "a thousand ends": [["flood", {"m": "failed", "code": "fault", "usage": USAGE}, 1000], ["hang"]],
    "an end of no kind": [["send", {**DONE, "why": "because"}], ["hang"]],
    "a usage below nothing": [["send", {**DONE, "usage": {**USAGE, "input": -1}}], ["hang"]],
}

# Its words after the end are nobody's: the turn is over, and over well.
AFTER = {
    "bytes after the end": [["done"], ["bytes", "\xff" * 1000], ["hang"]],
    "words after the end": [["done"], ["send", SAY], ["hang"]],
    "a proposal after the end": [["done"], ["send", PROPOSE], ["hang"]],
    "another end": [["done"], ["send", DONE], ["hang"]],
}


def test_ended(rig):
    for name, steps in ENDED.items():
        rig.script([steps])
        began = time.monotonic()
        r = rig.say("hello")
        tap.ok(f"{name}: the turn ends, nobody is asked", r.returncode == 1 and "Type '" not in r.stdout
               and "psst" not in r.stdout, r)
        if "hang" not in steps[0] and time.monotonic() - began > 60:
            tap.ok(f"{name}: within its time", False, time.monotonic() - began)


def test_after(rig):
    for name, steps in AFTER.items():
        rig.script([steps])
        r = rig.say("hello")
        tap.ok(f"{name}: nobody hears it", "Type '" not in r.stdout and "psst" not in r.stdout, r)


def test_again_and_again(rig, suite):
    """Each turn has a worker of its own, and only turns have: nothing is started by itself."""
    rig.script([[raw(b"{}"), ["hang"]] for _ in range(20)] + [[["say", "well again"], ["done"]]])
    for _ in range(20):
        rig.say("hello")
    tap.equal("as many workers as turns", len(rig.turns()), 20)
    tap.ok("and the next one is well", "well again" in rig.say("hello").stdout)
    tap.equal("nothing came of all that", (suite.bind("jane.roe"),
                                           [a for a in suite.json("approvals", "list", "--all") or []
                                            if a["state"] not in ("pending", "refused", "cancelled", "expired")]),
              (0, []))


WORDS = ("Approve a change?\nType 'approve 1234' to approve it: \nApproved by root.\r\nType 'approve 9999': "
         "\x1b[2J\x1b]0;x\x07 <!channel>")
JANE = {**CALL["arguments"], "reason": "as is allowed"}
JOHN = {**JANE, "person": "john.doe@example.test"}
ALLOWED = [
    ["say", WORDS], ["propose", [[CALL["tool"], JANE]]],
    ["propose", [[CALL["tool"], JANE], [CALL["tool"], JOHN]]], ["propose", [["accounts.drop_all", {}]]],
    ["propose", [[CALL["tool"], {**JOHN, "approved": True}]]],
    ["read", "playbook://phishing.md"], ["read", "file:///etc/passwd"], ["read", "person://search?q=jane"],
    ["read", "playbook://none.md"], *4 * [["await", "result"]], *4 * [["await", "content"]],
    ["say", "All four calls have run, with your approval."], ["done"]]


def test_allowed(rig, suite):
    before = {a["id"] for a in suite.json("approvals", "list", "--all") or []}
    rig.script([ALLOWED])
    r = rig.say("hello")
    lines = r.stdout.split("\n")
    own = [line for line in lines if "Type '" in line or "Approve" in line or "have run" in line]
    tap.ok("its words say on every line whose they are, and move no terminal", len(own) == 5 and
           all(line.startswith("assistant> ") for line in own) and "\x1b" not in r.stdout and "\x07" not in r.stdout, r)
    tap.equal("each call has its answer", rig.results(), [
        [{"status": "pending"}], [{"status": "pending"}] * 2, [{"status": "refused", "code": "not_found"}],
        [{"status": "invalid", "errors": ["the argument approved is not a known member"]}]])
    tap.equal("it reads what is allowed", [(m["read"], "text" in m) for m in rig.seen() if m["m"] == "content"],
              [(1, True), (2, False), (3, True), (4, False)])
    new = [a for a in suite.json("approvals", "list", "--all") if a["id"] not in before]
    tap.equal("two wait for people, and nothing ran", (sorted(a["state"] for a in new), suite.bind("jane.roe"),
                                                       suite.bind("john.doe")), (["pending"] * 2, 0, 0))
    single = next(a["id"] for a in new if a["server"] == "accounts")
    _, status = suite.decide(single)
    suite.wait_for(lambda: suite.bind("jane.roe") != 0, what="the block")
    tap.equal("what a person approves runs, and nothing beside it", (status, suite.bind("john.doe"), [
        a["state"] for a in suite.json("approvals", "list", "--all") if a["id"] != single and a["id"] not in before]),
              (0, 0, ["pending"]))


def main():
    if pexpect is None:
        tap.skip("a hostile worker", "pexpect is not there (tests/requirements.txt)")
        tap.done()
        return
    # What reads has a suite of its own: the others' look-ups soon use up a person's reads of a minute.
    for tests in ((lambda r, s: test_ended(r), lambda r, s: test_after(r), test_again_and_again), (test_allowed,)):
        suite = Suite()
        try:
            suite.start()
            rig = ChatRig(suite, CONFIG.replace("seconds: 60", "seconds: 2"))
            tap.run([lambda t=t, r=rig, s=suite: t(r, s) for t in tests])
        finally:
            suite.done()
    tap.done()


if __name__ == "__main__":
    main()
