"""What people, clients and servers may do at the gate, and what it refuses.

Real wingman-gate and the fixture server; see gate_rig.py.
"""

import json
import os
import resource
import socket
import sqlite3
import struct
import subprocess
import time

import tap
from gate_client import GateClient, Refused, canonical_digest
from gate_rig import PEOPLE, Rig

ALICE, BOB, CAROL = PEOPLE
LETTERS = "abcdefghij"
WINGMAN = os.path.join(os.environ["WINGMAN_BUILD"], "bin", "wingman")
WHY = "as the test wants it"
GOOD_PIN = "a PIN of this test"


def refused(name, code, words, fn):
    """fn must be refused with this code and these words."""
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was taken: {got}")


def put(c, key, value, **more):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY, **more)


def test_yes(rig):
    with rig.client() as c:
        a = put(c, "yes", "1")
        refused("a yes within a second of posting is not taken", "conflict", "read again",
                lambda: (c.wait(a, "pending"), c.decide(a, "approve"))[1])
        record = c.wait(a, "pending")
        tap.equal("the digest is that of the prompt", record["shown"],
                  canonical_digest(record["prompt"]))
        tap.equal("the prompt's arguments are the canonical ones",
                  json.loads(record["arguments"]), {"key": "yes", "value": "1", "reason": WHY})
        time.sleep(1.1)
        refused("another digest is not taken", "precondition_failed", "read again",
                lambda: c.decide(a, "approve", "0" * 64))
        short = record["shown"][:12]
        refused("the short digest is not taken", "precondition_failed", "read again",
                lambda: c.decide(a, "approve", short))
        refused("a decision is approve or deny", "invalid_argument", "approve or deny",
                lambda: c.decide(a, "yes", record["shown"]))
        c.decide(a, "approve", record["shown"])
        refused("a second yes finds it decided", "conflict", "already",
                lambda: c.decide(a, "approve", record["shown"]))
        record = c.wait(a, "succeeded")
        tap.equal("it ran once", [r[:2] for r in rig.runs() if r[0] == "yes"], [["yes", a]])
        tap.equal("and did what was asked", rig.value("yes"), "1")
        tap.equal("the server has read it back", record["outcome"]["verified"], True)
        tap.ok("grant and requestState stay in the gate",
               "grant" not in record and "request_state" not in record)
        events = [line["event"] for line in rig.audit() if line["data"].get("approval") == a]
        tap.equal("every transition is in the log, in order",
                  [e for e in events if e.startswith("approval.")],
                  ["approval." + s for s in ("proposed", "planned", "pending", "approved",
                                             "granted", "executing", "succeeded")])
        tap.equal("the refused decisions as well", events.count("decision.refused"), 5)
        ends = [line for line in rig.audit() if line["event"] == "approval.succeeded"]
        tap.equal("the log anchors the server's", ends[-1]["data"]["server_head"]["program"],
                  "fixture")
        tap.ok("no grant reached the log", "eyJ" not in rig.read("audit/gate.jsonl"))
        tap.equal("the next prompt says when it last ran",
                  c.wait(put(c, "yes", "1"), "pending")["prompt"]["last_run"] > 0, True)


def test_no(rig):
    with rig.client() as c:
        a = put(c, "no", "1")
        tap.equal("one no is enough", c.deny(a, reason="not today")["state"], "denied")
        tap.equal("and its reason is kept", c.show(a)["history"][-1]["why"], "not today")
        refused("the same is refused for a while", "permission_denied", "denied",
                lambda: put(c, "no", "1"))
        b = put(c, "no", "2")
        tap.ok("something else may be asked", c.wait(b, "pending"))
        tap.equal("the same, while it is open, is the same", put(c, "no", "2"), b)
        other = c.ask("propose", tool="fixture.put_value", conversation="elsewhere",
                      arguments={"key": "no", "value": "2", "reason": WHY})["approval"]
        tap.ok("in another conversation it is not", other != b)
        c.wait(other, "pending")
        tap.equal("who asked may cancel", c.ask("cancel", approval=b)["state"], "cancelled")
        refused("what has ended cannot be decided", "conflict", "cancelled",
                lambda: c.decide(b, "approve"))
        refused("nor cancelled again", "conflict", "cancelled",
                lambda: c.ask("cancel", approval=b))
        refused("revoking wants something approved", "conflict", "cannot become revoked",
                lambda: c.ask("revoke", approval=other))
        rig.become(BOB)
        c.hello()
        refused("nobody else may cancel", "permission_denied", "only who asked",
                lambda: c.ask("cancel", approval=other))
        rig.become(ALICE)
        tap.equal("nothing ran", [r for r in rig.runs() if r[0] == "no"], [])


def deny_five(rig, c, prefix):
    """Bob says no to five calls of Alice."""
    asked = []
    for n in range(5):
        rig.become(ALICE)
        c.hello()
        asked.append(put(c, f"{prefix}{LETTERS[n]}", "1"))
    rig.become(BOB)
    c.hello()
    records = []
    for a in asked:
        c.deny(a)
        records.append(c.show(a))
    rig.become(ALICE)
    c.hello()
    return records


def test_pause(rig):
    """After five noes nothing more is asked for ten minutes, whoever restarts what."""
    rig.gate.stop()
    rig.limits = "{open_per_person: 1000}"
    rig.write_gate_config()
    rig.start_gate()
    with rig.client() as c:
        for n in range(6):
            c.deny(put(c, f"own{LETTERS[n]}", "1"))
        a = put(c, "owng", "1")
        tap.ok("a no to one's own form is a change of mind", c.wait(a, "pending"))
        c.ask("cancel", approval=a)
        records = deny_five(rig, c, "pause")
        tap.equal("the fifth no of another one pauses", ["paused_until" in r for r in records],
                  [False] * 4 + [True])
        refused("nothing more is asked in that name", "rate_limited", "5 calls of " + ALICE,
                lambda: put(c, "pausef", "1"))
        refused("nor several at once", "rate_limited", "nothing more is asked until",
                lambda: c.ask("propose", calls=[
                    {"tool": "fixture.put_value",
                     "arguments": {"key": k, "value": "1", "reason": WHY}} for k in "ab"]))
        told = [e for e in rig.audit() if e["event"] == "proposals.paused"]
        tap.equal("it is in the log", [(e["data"]["who"], e["data"]["denials"]) for e in told],
                  [(ALICE, 5)])
        rig.become(BOB)
        c.hello()
        b = put(c, "pausebob", "1")
        tap.ok("others may ask", c.wait(b, "pending"))
        c.ask("cancel", approval=b)
    rig.gate.stop()
    rig.become(ALICE)
    rig.start_gate()
    with rig.client() as c:
        refused("a restart forgets nothing", "rate_limited", "were denied",
                lambda: put(c, "pausef", "1"))
    rig.gate.stop()
    db = sqlite3.connect(rig.path("gate/coordination.db"))
    with db:
        db.execute("update entry set expires_ms = 1 where key like 'paused/%'")
        db.execute("update counter set expires_ms = 1 where key like 'denials/%'")
    db.close()
    rig.start_gate()
    with rig.client() as c:
        a = put(c, "pausef", "1")
        tap.ok("ten minutes later it goes on", c.wait(a, "pending"))
        c.deny(a)
    rig.limits = None
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()


def test_times(rig):
    """How long there was to read is in the log, and who was in a hurry is told."""
    took = {}
    with rig.client() as c:
        for n in range(10):  # where much else runs two seconds are short
            quick = put(c, f"quick{LETTERS[n]}", "1")
            c.approve(quick)
            took[quick] = c.show(quick)["decisions"][0]
            if took[quick].get("quick"):
                break
        slow = put(c, "slow", "1")
        left = c.wait(slow, "pending")["posted_at"] / 1000 + 2.05 - time.time()
        time.sleep(max(left, 0))
        c.approve(slow)
        took[slow] = c.show(slow)["decisions"][0]
    tap.ok("under two seconds is marked", 1000 <= took[quick]["after_ms"] < 2000
           and took[quick].get("quick") is True, took[quick])
    tap.ok("and longer is not", took[slow]["after_ms"] >= 2000 and "quick" not in took[slow],
           took[slow])
    said = subprocess.run([WINGMAN, "--dir", rig.dir, "audit", "review"], text=True,
                          capture_output=True, timeout=60, check=True).stdout
    tap.ok("'audit review' lists it", f"approval {quick}" in said and slow not in said
           and "in under 2 s" in said, said)
    rows = [json.loads(line) for line in subprocess.run(
        [WINGMAN, "--dir", rig.dir, "audit", "review", "--json"], text=True,
        capture_output=True, timeout=60, check=True).stdout.splitlines()]
    row = [r for r in rows if r.get("by") == ALICE][-1]
    tap.ok("and counts", row["yes"] >= 2 and 1 <= row["quick"] < row["yes"] and row["no"] >= 6
           and row["soonest_ms"] <= took[quick]["after_ms"] and row["median_ms"] >= row["soonest_ms"],
           row)
    tap.ok("pauses too", any(r.get("event") == "proposals.paused" for r in rows), rows)
    none = subprocess.run([WINGMAN, "--dir", rig.dir, "audit", "review", "--since",
                           "2999-01-01T00:00:00Z"], text=True, capture_output=True, timeout=60)
    tap.equal("of a time in which nobody did", none.stdout, "Nobody decided anything.\n")


def test_words(rig):
    """What is proposed must be exact."""
    with rig.client() as c:
        for name in ("fixture.put_valu", "fixture.put_value\t", "Fixture.put_value", "put_value",
                     "fixture.", ".put_value", "fixture.put.value", "fіxture.put_value",
                     "gate.rotate_key", "x" * 300):
            refused(f"no tool is called {name[:24]!r}", "not_found", "there is no tool",
                    lambda n=name: c.propose(n, key="a", value="b", reason=WHY))
        try:
            c.propose("fixture.put_valu")
        except Refused as e:
            tap.equal("the nearest is named, not taken", e.error.get("hint"),
                      "the nearest is fixture.put_value")
        for name, arguments in (
                ("an unknown argument", {"key": "a", "value": "b", "reason": WHY, "also": 1}),
                ("a missing one", {"key": "a", "value": "b"}),
                ("a wrong type", {"key": "a", "value": 5, "reason": WHY}),
                ("a bad format", {"key": "a", "value": "b", "reason": WHY, "until": "soon"}),
                ("a bad pattern", {"key": "../a", "value": "b", "reason": WHY})):
            refused(name + " is refused", "invalid_argument", "argument",
                    lambda a=arguments: c.ask("propose", tool="fixture.put_value", arguments=a))
        a = put(c, "protected", "x")
        record = c.wait(a, "refused")
        tap.equal("a plan that fails ends it, with the error kept",
                  record["outcome"]["error"]["code"], "protected")
        a = c.ask("propose", tool="fixture.put_value", choices={"key": "chosen"},
                  arguments={"key": "first", "value": "b", "reason": WHY})["approval"]
        tap.equal("a choice takes the place of what was said first",
                  json.loads(c.wait(a, "pending")["arguments"])["key"], "chosen")
        a = put(c, "odd", "pаypal\u202e")
        prompt = c.wait(a, "pending")["prompt"]
        value = [x for x in prompt["arguments"] if x["name"] == "value"][0]
        tap.ok("what may deceive is flagged and escaped",
               "bidi" in value["flags"] and "\\u0430" in value["escaped"] and
               "\u202e" not in value["text"], value)
        tap.ok("and warned of", any("value is odd" in w for w in prompt["warnings"]),
               prompt["warnings"])


def raw(rig, data, head=None):
    """Send bytes; the answer, or None when the gate hangs up."""
    with GateClient(rig.path("run/gate.sock"), 5) as c:
        c.socket.sendall((struct.pack(">I", len(data)) if head is None else head) + data)
        try:
            return c.receive()
        except (ConnectionError, socket.timeout):
            return None


def test_frames(rig):
    for name, message in (
            ("an unknown message", {"m": "sudo", "id": 1}),
            ("a message of the caller's", {"m": "planned", "id": 1, "approval": "x", "plan": {}}),
            ("an unknown member", {"m": "hello", "id": 1, "v": 4, "root": True}),
            ("a missing member", {"m": "show", "id": 1}),
            ("a wrong type", {"m": "show", "id": 1, "approval": 5}),
            ("no id", {"m": "status"}),
            ("another version", {"m": "hello", "id": 1, "v": 1}),
            ("an id of an approval that is none", {"m": "show", "id": 1, "approval": "../x"}),
            ("a negative limit", {"m": "list", "id": 1, "limit": -1}),
            ("a limit past the most", {"m": "list", "id": 1, "limit": 501}),
            ("an unknown state", {"m": "list", "id": 1, "state": "done"})):
        reply = raw(rig, json.dumps(message).encode())
        tap.ok(name + " is refused", reply and not reply["ok"] and
               reply["error"]["code"] in ("invalid_argument", "not_found"), reply)
    for name, data, head in (
            ("no JSON", b"hello", None), ("no object", b"[]", None),
            ("an id that is none", b'{"m":"status","id":"1"}', None),
            ("no name", b'{"id":1}', None),
            ("a duplicate member", b'{"m":"status","id":1,"id":2}', None),
            ("a number beyond the contract", b'{"m":"status","id":9007199254740993}', None),
            ("a frame past the most", b"", struct.pack(">I", 5 * 1024 * 1024))):
        reply = raw(rig, data, head)
        tap.ok(name + " ends the conversation", reply is None or not reply["ok"], reply)
    with rig.client() as c:
        tap.ok("and the gate is still there", c.hello()["team"])


def test_reads(rig):
    with rig.client() as c:
        a = c.propose("fixture.echo_text", text="hi")
        record = c.wait(a, "pending")
        tap.ok("a read is asked before it is made", "plan" not in record)
        c.approve(a)
        record = c.wait(a, "succeeded")
        tap.equal("and its result comes back", record["result"]["structuredContent"]["text"], "hi")
        a = c.propose("fixture.fail_with", code="conflict")
        c.approve(a)
        record = c.wait(a, "failed")
        tap.equal("a failure is told with its code", record["outcome"]["error"]["code"], "conflict")
        a = c.propose("fixture.fail_with", code="unknown_outcome")
        c.approve(a)
        tap.ok("an unknown outcome is said to be one", c.wait(a, "unknown"))
        slow = [c.propose("fixture.sleep_for", ms=4000 + i) for i in range(3)]
        for a in slow:
            c.approve(a)
        began = time.monotonic()
        a = put(c, "meanwhile", "1")
        c.approve(a)
        c.wait(a, "succeeded")
        tap.ok("slow calls delay nobody", time.monotonic() - began < 3,
               f"{time.monotonic() - began:.1f} s")
        tap.equal("while they run that is said", [c.state(a) for a in slow], ["executing"] * 3)
        for a in slow:
            c.wait(a, "succeeded")


def test_changed_world(rig):
    with rig.client() as c:
        a = put(c, "moved", "mine")
        c.wait(a, "pending")
        with open(rig.path("fixture/values/moved"), "w", encoding="ascii") as f:
            f.write("theirs")
        c.approve(a)
        record = c.wait(a, "failed")
        tap.equal("what changed since it was shown is not run over",
                  (record["outcome"]["error"]["code"], rig.value("moved")),
                  ("precondition_failed", "theirs"))


def test_several(rig):
    with rig.client() as c:
        a = put(c, "important", "1")  # its plan wants two
        record = c.wait(a, "pending")
        tap.equal("the plan may want two people", record["policy"]["approvers_needed"], 2)
        tap.equal("one of two is not enough", c.approve(a)["state"], "pending")
        refused("and counts once", "conflict", "said yes already",
                lambda: c.decide(a, "approve"))
        tap.equal("nothing ran", rig.value("important"), "")
        rig.become(CAROL)
        refused("who is not in the team does not count", "permission_denied", "not in the team",
                lambda: c.decide(a, "approve", record["shown"]))
        rig.become(BOB)
        tap.ok("the second makes it", c.decide(a, "approve", record["shown"]))
        rig.become(ALICE)
        c.hello()
        record = c.wait(a, "succeeded")
        tap.equal("the grant names both", rig.runs()[-1][3], f"{ALICE}, {BOB}")
        # The first approver leaves the team before the second says yes.
        a = put(c, "important", "2")
        c.approve(a)
        rig.team = [BOB, CAROL]
        rig.become(BOB)
        record = None
        c.hello()
        record = c.show(a)
        refused("whose requester may not call any more is not decided", "permission_denied",
                "no longer lets", lambda: c.decide(a, "approve", record["shown"]))
        rig.team = [ALICE, BOB]
        rig.become(ALICE)
        c.hello()


def test_strangers(rig):
    with rig.client() as c:
        a = put(c, "strange", "1")
        shown = c.wait(a, "pending")["shown"]
        rig.become("nobody@example.test")
        c.hello()
        hello = c.hello()
        tap.equal("who is nobody is told so", (hello.get("principal"), hello["team"]), (None, False))
        tap.ok("and may ask for the status", c.ask("status")["audit"]["sound"])
        for m, more in (("list", {}), ("show", {"approval": a}), ("tools", {}),
                        ("watch", {"approval": a}), ("pins", {"server": "fixture"}),
                        ("cancel", {"approval": a}), ("revoke", {"approval": a}),
                        ("propose", {"tool": "fixture.echo_text", "arguments": {"text": "x"}}),
                        ("explain", {"tool": "fixture.echo_text", "as": ALICE}),
                        ("propose_gate", {"action": "rotate_key", "arguments": {}}),
                        ("set_pin", {"pin": "12345"})):
            refused(f"but not for {m}", "permission_denied", "members of its team",
                    lambda m=m, more=more: c.ask(m, **more))
        refused("and decides nothing", "permission_denied", "nobody the gate knows",
                lambda: c.decide(a, "approve", shown))
        rig.become(ALICE)
        c.hello()
        rig.write("config/gate.yaml", "persons: [\n")
        refused("who the team is must be known to decide", "backend_unavailable",
                "nobody's membership is known", lambda: c.decide(a, "approve", shown))
        rig.write_gate_config()
        tap.ok("with the file mended it works", c.approve(a))
        c.wait(a, "succeeded")


def test_policy(rig):
    rig.write("config/policy.yaml", """
rules:
  - {name: fast echo, server: fixture, tool: get_route, free: true}
  - {name: echo for bob, server: fixture, tool: echo_text, approvers: [bob@example.test]}
  - {name: four eyes, server: fixture, tool: put_value, four_eyes: true, good_for: 1m}
""")
    with rig.client() as c:
        a = c.propose("fixture.get_route")
        record = c.wait(a, "succeeded")
        tap.equal("a freed read runs without a person, by its rule",
                  (record["policy"]["rule"], record["decisions"]), ("fast echo", []))
        refused("what no rule names is refused", "permission_denied", "no rule",
                lambda: c.propose("fixture.fail_with", code="conflict"))
        a = c.propose("fixture.echo_text", text="for bob")
        shown = c.wait(a, "pending")["shown"]
        time.sleep(1.1)
        refused("whom the rule does not name may not approve", "permission_denied",
                "does not let", lambda: c.decide(a, "approve", shown))
        a = put(c, "eyes", "1")
        record = c.wait(a, "pending")
        tap.equal("the prompt says so", record["prompt"]["approvers"],
                  {"needed": 1, "who": [BOB], "four_eyes": True})
        time.sleep(1.1)
        refused("who asked may not approve", "permission_denied", "four eyes",
                lambda: c.decide(a, "approve", record["shown"]))
        # A policy that is laxer now does not undo the one that was frozen in the record.
        os.unlink(rig.path("config/policy.yaml"))
        refused("the frozen policy still counts", "permission_denied", "when this was posted",
                lambda: c.decide(a, "approve", record["shown"]))
        answer = c.ask("explain", tool="fixture.put_value", **{"as": BOB})
        tap.equal("explain tells the rule", (answer["rule"], answer["may_approve"]),
                  ("built-in", True))
        b = put(c, "strict", "1")
        c.wait(b, "pending")
        rig.write("config/policy.yaml", "rules:\n  - {name: none, refuse: true}\n")
        time.sleep(1.1)
        refused("neither does the frozen one undo the present", "permission_denied",
                "no longer lets", lambda: c.decide(b, "approve"))


def test_pin_of_a_person(rig):
    with rig.client() as c:
        c.ask("set_pin", pin=GOOD_PIN)
        tap.equal("hello tells that there is one", c.hello()["pin_set"], True)
        refused("changing it wants the old one", "permission_denied", "PIN",
                lambda: c.ask("set_pin", pin="1357"))
        a = put(c, "pinned", "1")
        shown = c.wait(a, "pending")["shown"]
        time.sleep(1.1)
        refused("a yes wants the PIN", "permission_denied", "has a PIN",
                lambda: c.decide(a, "approve", shown))
        refused("the right one", "permission_denied", "wrong",
                lambda: c.decide(a, "approve", shown, pin="1111"))
        tap.ok("with it, it is taken", c.decide(a, "approve", shown, pin=GOOD_PIN))
        c.wait(a, "succeeded")
        a = put(c, "pinned", "2")
        shown = c.wait(a, "pending")["shown"]
        time.sleep(1.1)
        for i in range(5):
            refused(f"wrong try {i + 1}", "permission_denied", "wrong",
                    lambda: c.decide(a, "approve", shown, pin="the wrong PIN"))
        refused("after five the right one is locked too", "permission_denied", "locked",
                lambda: c.decide(a, "approve", shown, pin=GOOD_PIN))
        tap.ok("a no needs none", c.decide(a, "deny", shown))
        text = rig.read("audit/gate.jsonl") + rig.read("run/gate.log")
        tap.ok("no PIN reached a log", GOOD_PIN not in text and "the wrong PIN" not in text)


def test_watching(rig):
    with rig.client() as c, rig.client() as other:
        a = c.propose("fixture.echo_text", text="watch")
        other.ask("watch", approval=a)
        c.wait(a, "pending")
        c.deny(a)
        seen = []
        while "denied" not in seen:
            event = other.events.pop(0) if other.events else other.receive()
            seen.append(event["state"])
        tap.equal("who watches sees it end", seen[-1], "denied")
        tap.ok("without secrets", "grant" not in event["record"])
        tap.equal("the list has it",
                  [r["state"] for r in c.ask("list", state="denied")["records"]
                   if r["id"] == a], ["denied"])


def test_direct(rig):
    asked = {"key": "direct", "value": "1", "reason": WHY}
    result = rig.call("put_value", asked)
    error = result["structuredContent"]["error"]
    tap.equal("a client of its own is told to wait", error["code"], "approval_required")
    approval = error["details"]["approval"]
    with rig.client() as c:
        record = c.wait(approval, "pending")
        tap.equal("its surface is told", record["surface"], {"kind": "direct", "client": "client"})
        again = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
        tap.equal("the same call again is the same request", again, approval)
        other = rig.call("put_value", asked, token="client2")
        tap.ok("of another client it is another",
               other["structuredContent"]["error"]["details"]["approval"] != approval)
        c.approve(approval)
        tap.equal("a yes alone runs nothing", (rig.value("direct"), c.state(approval)),
                  ("", "approved"))
        result = rig.call("put_value", asked)
        tap.ok("the same call then runs", not result.get("isError"), result)
        tap.equal("once", [r[1] for r in rig.runs() if r[0] == "direct"], [approval])
        record = c.wait(approval, "succeeded")
        tap.equal("and the gate knows", record["outcome"]["server_head"]["program"], "fixture")
        result = rig.call("put_value", asked)
        tap.equal("a repeat gets the outcome, not a second run",
                  (result.get("isError", False), len([r for r in rig.runs() if r[0] == "direct"])),
                  (False, 1))
        asked["value"] = "2"
        approval = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
        c.deny(approval)
        error = rig.call("put_value", asked)["structuredContent"]["error"]
        tap.equal("a no is told", error["code"], "permission_denied")
        error = rig.call("put_value", {**asked, "key": "protected"})["structuredContent"]["error"]
        tap.ok("a plan that fails is told by its bare code",
               error["code"] == "protected" and "details" not in error, error)
        asked["value"] = "3"
        approval = rig.call("put_value", asked)["structuredContent"]["error"]["details"]["approval"]
        c.approve(approval)
        tap.equal("approvers may revoke", c.ask("revoke", approval=approval)["state"], "revoked")
        tap.ok("and then it does not run", rig.call("put_value", asked).get("isError"))
        tap.equal("nothing did", rig.value("direct"), "1")


def test_registering(rig):
    body = {"v": 1, "tool": "put_value", "principal": ALICE, "client": "t",
            "arguments": {"key": "reg", "value": "1", "reason": WHY}}
    for name, change, statuses in (
            ("nobody's principal", {"principal": "mallory@example.test"}, (422,)),
            ("a service as principal", {"principal": "service/fixture"}, (422,)),
            ("another server's tool", {"tool": "accounts.block_account"}, (404,)),
            ("a tool that is not there", {"tool": "drop_all"}, (404,)),
            ("bad arguments", {"arguments": {"key": 1}}, (400,)),
            ("no object as arguments", {"arguments": []}, (400,)),
            ("another version", {"v": 2}, (400,)),
            ("an unknown member", {"approved": True}, (400,)),
            ("an empty client", {"client": ""}, (400,))):
        status, reply = rig.register({**body, **change})
        tap.ok(name + " is refused", status in statuses and "approval" not in reply,
               (status, reply))
    url = f"http://127.0.0.1:{rig.gate_port}"
    for name, token, status in (("without a token", None, 401), ("with a made-up one", "wm_x", 401),
                                ("with a client's", rig.tokens["client"], 403),
                                ("with the gate's own", rig.tokens["gate"], 403),
                                ("of a server it does not know", rig.tokens["other"], 403)):
        tap.equal("registering " + name, rig.post(url + "/approvals", token, body)[0], status)
    tap.equal("no JSON", rig.post(url + "/approvals", rig.tokens["fixture"], b"{")[0], 400)
    tap.equal("a duplicate member", rig.post(url + "/approvals", rig.tokens["fixture"],
                                             b'{"v":1,"v":1}')[0], 400)
    tap.equal("an oversized body", rig.post(url + "/approvals", rig.tokens["fixture"],
                                            b" " * 300000)[0], 413)
    tap.equal("another host", rig.post(url + "/approvals", rig.tokens["fixture"], body,
                                       {"Host": "evil.example"})[0], 403)
    status, reply = rig.register(body)
    tap.equal("a good one waits for people", (status, reply["state"]), (200, "pending"))
    approval = reply["approval"]
    outcome = {"v": 1, "state": "succeeded", "server_head": {}}
    tap.equal("an outcome before a grant is refused",
              rig.post(f"{url}/approvals/{approval}/outcome", rig.tokens["fixture"], outcome)[0],
              409)
    cancel = {"v": 1, "principal": ALICE}
    other = {**body, "arguments": {**body["arguments"], "value": "2"}}
    taken = rig.register(other)[1]["approval"]
    tap.equal("another's call is not taken back",
              rig.post(f"{url}/approvals/{taken}/cancel", rig.tokens["fixture"],
                       {**cancel, "principal": BOB})[0], 404)
    tap.equal("nor with a word that is none",
              rig.post(f"{url}/approvals/{taken}/cancel", rig.tokens["fixture"], {})[0], 400)
    tap.equal("nor without a server's token",
              rig.post(f"{url}/approvals/{taken}/cancel", rig.tokens["client"], cancel)[0], 403)
    status, reply = rig.post(f"{url}/approvals/{taken}/cancel", rig.tokens["fixture"], cancel)
    tap.equal("who asked takes it back", (status, reply["state"]), (200, "cancelled"))
    tap.equal("once", rig.post(f"{url}/approvals/{taken}/cancel", rig.tokens["fixture"],
                               cancel)[0], 409)
    status, reply = rig.register({**other, "approval": taken})
    tap.equal("asking what became of it proposes nothing",
              (status, reply["approval"], reply["state"]), (200, taken, "cancelled"))
    status, reply = rig.register({**other, "principal": BOB, "approval": taken})
    tap.equal("and tells nobody else", status, 404)
    status, reply = rig.register({**body, "approval": approval})
    tap.equal("of one that waits it tells that", (status, reply["state"]), (200, "pending"))
    with rig.client() as c:
        c.approve(approval)
        tap.equal("what was approved another call does not claim",
                  "grant" in rig.register({**other, "approval": approval})[1], False)
        status, reply = rig.register({**body, "approval": approval})
        tap.ok("after a yes one gets the grant", reply["state"] == "granted" and "grant" in reply)
        status, again = rig.register(body)
        tap.ok("and only one", "grant" not in again and again["state"] == "executing", again)
        tap.equal("an outcome that is none",
                  rig.post(f"{url}/approvals/{approval}/outcome", rig.tokens["fixture"],
                           {**outcome, "state": "approved"})[0], 400)
        tap.equal("the server tells how it ended",
                  rig.post(f"{url}/approvals/{approval}/outcome", rig.tokens["fixture"],
                           {**outcome, "state": "refused", "error": "approval_invalid"}),
                  (200, {"state": "refused"}))
        tap.equal("again is fine",
                  rig.post(f"{url}/approvals/{approval}/outcome", rig.tokens["fixture"],
                           {**outcome, "state": "refused"})[0], 200)
        tap.equal("otherwise is not",
                  rig.post(f"{url}/approvals/{approval}/outcome", rig.tokens["fixture"],
                           outcome)[0], 409)
        tap.equal("it stands as told", c.state(approval), "refused")
        a = put(c, "mine", "1")
        tap.equal("of another's approval no server reports",
                  rig.post(f"{url}/approvals/{a}/outcome", rig.tokens["fixture"], outcome)[0], 409)


def test_keys(rig):
    old = rig.kid()
    with rig.client() as c:
        rig.team = [ALICE, BOB]
        a = c.ask("propose_gate", action="rotate_key", arguments={"reason": "yearly"})["approval"]
        record = c.wait(a, "pending")
        tap.equal("a new key cannot be undone, so two must agree",
                  (record["risk"], record["policy"]["approvers_needed"]), ("destructive", 2))
        c.approve(a)
        rig.become(BOB)
        c.decide(a, "approve", record["shown"])
        rig.become(ALICE)
        c.hello()
        c.wait(a, "succeeded")
        tap.ok("there is a new key", rig.kid() != old and c.ask("status")["kid"] == rig.kid())
        tap.equal("both are trusted for now", sorted(os.listdir(rig.path("keys/trusted"))),
                  sorted([old + ".pem", rig.kid() + ".pem"]))
        tap.equal("the key is nobody else's", os.stat(rig.path("keys/gate.key")).st_mode & 0o77, 0)
        b = put(c, "newkey", "1")
        c.approve(b)
        tap.ok("servers take grants of the new key", c.wait(b, "succeeded"))
        refused("there is no such tool of the gate", "not_found", "gate.",
                lambda: c.ask("propose_gate", action="export_key", arguments={}))


def edit(rig, sql, *values):
    """Change the gate's store while it is down."""
    db = sqlite3.connect(rig.path("gate/records.db"))
    with db:
        db.execute(sql, values)
    db.close()


def table(rig):
    """(table, column of the body, column of the id) of the documents."""
    db = sqlite3.connect(rig.path("gate/records.db"))
    for (name,) in db.execute("select name from sqlite_master where type='table'").fetchall():
        columns = [row[1] for row in db.execute(f"pragma table_info({name})").fetchall()]
        if "body" in columns and "id" in columns:
            db.close()
            return name
    db.close()
    raise AssertionError("no table of documents")


def test_time(rig):
    """Prompts expire and approvals lapse, by the gate's clock: the store's times are set back."""
    with rig.client() as c:
        a = put(c, "late", "1")
        c.wait(a, "pending")
    body = {"v": 1, "tool": "put_value", "principal": ALICE, "client": "t",
            "arguments": {"key": "late", "value": "2", "reason": WHY}}
    approval = rig.register(body)[1]["approval"]
    taken = {**body, "client": "silent"}
    given = rig.register(taken)[1]["approval"]
    with rig.client() as c:
        c.approve(approval)
        c.approve(given)
    tap.equal("one that was claimed", rig.register(taken)[1]["state"], "granted")
    rig.gate.stop()
    name = table(rig)
    for which, member in ((a, "expires_at"), (approval, "good_until"), (given, "grant_claims.iat")):
        edit(rig, f"update {name} set body = json_set(body, '$.{member}', 1000) where id = ?", which)
    rig.start_gate()
    with rig.client() as c:
        tap.ok("a prompt expires", c.wait(a, "expired"))
        tap.ok("an approval that nobody claims lapses", c.wait(approval, "lapsed"))
        tap.ok("and whose outcome nobody tells is unknown", c.wait(given, "unknown"))
        refused("and is not decided any more", "conflict", "expired",
                lambda: c.decide(a, "approve"))
    tap.ok("nor run", rig.call("put_value", body["arguments"]).get("isError"))
    tap.equal("nothing ran", rig.value("late"), "")


def superseded_is_told(rig, c, a):
    """A message of its own, to all whom the dead prompt concerned, that says how to go on."""
    for person in PEOPLE[:2]:
        rig.become(person)
        c.hello()
        found = [n for n in c.ask("notices")["notices"] if n["approval"] == a]
        tap.ok(f"{person} is told anew: why, and what to do",
               len(found) == 1 and found[0]["state"] == "superseded" and
               "wingman pin fixture" in found[0]["why"], found)
    rig.become(PEOPLE[0])
    c.hello()


def test_changed_tools(rig):
    with rig.client() as c:
        a = put(c, "rug", "1")
        c.wait(a, "pending")
    rig.gate.stop()
    # As if the server's tool had another description than the one that was pinned.
    db = sqlite3.connect(rig.path("gate/records.db"))
    name = table(rig)
    (body,) = db.execute(f"select body from {name} where collection='pins'").fetchone()
    pin = json.loads(body)
    for tool in pin["tools"]:
        if tool["name"] == "put_value":
            tool["description"] = "Reads a file."
    with db:
        db.execute(f"update {name} set body = ? where collection='pins'", (json.dumps(pin),))
    db.close()
    rig.start_gate()
    with rig.client() as c:
        tap.ok("what waits for a changed tool is superseded", c.wait(a, "superseded"))
        superseded_is_told(rig, c, a)
        refused("and it is not proposed", "precondition_failed",
                "changed since pinned: run wingman pin fixture", lambda: put(c, "rug", "2"))
        differences = c.ask("pins", server="fixture")
        tap.equal("the difference is told", differences["differences"],
                  [{"tool": "put_value", "what": "changed: description"}])
        refused("a difference that was not read is not accepted", "not_found", "x",
                lambda: refuse_pin(c))
        approval = rig.propose_pin(c)
        prompt = c.wait(approval, "pending")["prompt"]
        tap.equal("the prompt shows it", [(e["from"], e["to"]) for e in prompt["effects"]],
                  [('"Reads a file."', '"Writes a file."')])
        c.approve(approval)
        c.wait(approval, "succeeded")
        tap.ok("then it may be proposed again", c.wait(put(c, "rug", "2"), "pending"))


def refuse_pin(c):
    """A pin by a made-up digest ends refused; told here as a refusal."""
    a = c.ask("propose_gate", action="pin_server",
              arguments={"server": "fixture", "digest": "0" * 64})["approval"]
    record = c.wait(a, "refused")
    if record["outcome"]["error"]["code"] == "precondition_failed":
        raise Refused({"code": "not_found", "message": "x"})
    return record


def test_limits(rig):
    rig.gate.stop()
    rig.limits = "{open_per_person: 2, proposals_at_once: 4, proposals_per_minute: 1}"
    rig.write_gate_config()
    name = table(rig)
    edit(rig, f"delete from {name} where collection = 'approvals'")
    rig.start_gate()
    with rig.client() as c:
        c.wait(put(c, "first", "1"), "pending")
        b = put(c, "second", "1")
        c.wait(b, "pending")
        refused("one person has so many open at once", "rate_limited", "wait for a decision",
                lambda: put(c, "third", "1"))
        tap.equal("the same again is none", put(c, "second", "1"), b)
        c.ask("cancel", approval=b)
        c.ask("cancel", approval=put(c, "third", "1"))
        c.ask("cancel", approval=put(c, "fourth", "1"))
        refused("and asks so often", "rate_limited", "", lambda: put(c, "fifth", "1"))
    clients = []
    try:
        for _ in range(64):
            clients.append(rig.client())
            clients[-1].hello()
        tap.ok("one uid has 64 connections", True)
        more = rig.client()
        clients.append(more)
        try:
            more.hello()
            tap.ok("and not 65", False)
        except OSError:
            tap.ok("and not 65", True)
    finally:
        for c in clients:
            c.close()
    rig.limits = None
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()


def test_full_disk(rig):
    """Nothing can be written: nothing is asked, approved or executed, and that is said."""
    with rig.client() as c:
        a = put(c, "full", "1")
        record = c.wait(a, "pending")
        time.sleep(1.1)
        pid = rig.gate.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
        for name, fn in (("a yes", lambda: c.decide(a, "approve", record["shown"])),
                         ("a no", lambda: c.decide(a, "deny", record["shown"])),
                         ("a proposal", lambda: put(c, "full", "2")),
                         ("cancelling", lambda: c.ask("cancel", approval=a))):
            try:
                got = fn()
                tap.ok(f"{name} is not taken", False, got)
            except Refused as e:
                tap.ok(f"{name} is not taken", e.code in ("internal", "backend_unavailable"), e)
        tap.equal("it stays what it was", c.state(a), "pending")
        tap.equal("the status says so", c.ask("status")["audit"]["sound"], False)
        status, reply = rig.register({"v": 1, "tool": "put_value", "principal": ALICE,
                                      "client": "t", "arguments": {"key": "full", "value": "3",
                                                                   "reason": WHY}})
        tap.ok("nor does a server get anything", status >= 500 and "grant" not in reply,
               (status, reply))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        refused("a chain that broke once stays broken for this process", "internal",
                "audit log cannot be written", lambda: c.decide(a, "approve", record["shown"]))
    rig.restart_gate()
    with rig.client() as c:
        c.approve(a)
        c.wait(a, "succeeded")
        tap.equal("afterwards it runs, once", len([r for r in rig.runs() if r[0] == "full"]), 1)


def test_end(rig):
    status, took = rig.gate.stop()
    tap.ok("it leaves when told, within two seconds", status == 0 and took < 2, (status, took))
    tap.equal("the log ends with a checkpoint", rig.audit()[-1]["event"], "checkpoint")
    tap.ok("its socket is gone", not os.path.exists(rig.path("run/gate.sock")))
    text = rig.read("run/gate.log")
    tap.ok("nothing went wrong in between", "approval.stuck" not in text and
           "Sanitizer" not in text and "not_stored" not in rig.read("audit/gate.jsonl"), text[-3000:])


TESTS = [test_yes, test_no, test_pause, test_times, test_words, test_frames, test_reads, test_changed_world, test_several,
         test_strangers, test_policy, test_watching, test_direct, test_registering, test_keys,
         test_time, test_changed_tools, test_limits, test_full_disk, test_pin_of_a_person,
         test_end]


def run_one(test, rig):
    """Each begins as Alice of a team of two, under the built-in policy."""
    rig.team = [ALICE, BOB]
    rig.become(ALICE)
    if os.path.exists(rig.path("config/policy.yaml")):
        os.unlink(rig.path("config/policy.yaml"))
    with rig.client() as c:
        c.hello()
    tap.note(test.__name__)
    test(rig)


if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.start()
        tap.run([lambda t=t: run_one(t, the_rig) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
