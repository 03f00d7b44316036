"""Rules that look at arguments, rules with a rate, and what explain says of them.

Real wingman-gate and the fixture server; see gate_rig.py.
"""

import os
import subprocess
import time

import tap
from gate_client import Refused
from gate_rig import BUILD, GATE, PEOPLE, Rig

ALICE, BOB, _ = PEOPLE
WHY = "as the test wants it"
POLICY = """
groups: {leads: [bob@example.test], nobody: []}
rules:
  - {name: never the crown, server: fixture, tool: put_value, arguments: {key: {is: [crown]}}, refuse: true}
  - name: own drafts
    server: fixture
    tool: put_value
    arguments: {key: {prefix: draft}, value: {glob: "v?"}}
    rate: {calls: 2, per: 1h}
  - {name: with an end, server: fixture, tool: put_value, arguments: {until: {glob: "*"}}, four_eyes: true}
  - {name: the rest, server: fixture, tool: put_value, approvers: ["group:leads"], needed: 2}
  - {name: shadowed, server: fixture, tool: put_value, risk: [write]}
  - {name: naps, server: fixture, tool: sleep_for, arguments: {ms: {max: 10}}}
"""


def refused(name, code, words, fn):
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was taken: {got}")


def put(c, key, value, **more):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY, **more)


def rule_of(c, approval):
    return c.wait(approval, "pending")["policy"]["rule"]


def test_arguments(rig):
    with rig.client() as c:
        refused("a rule refuses by argument", "permission_denied", "never the crown",
                lambda: put(c, "crown", "v1"))
        a = put(c, "drafts", "v1")
        tap.equal("a prefix and a glob", rule_of(c, a), "own drafts")
        c.approve(a)
        tap.ok("and it runs", c.wait(a, "succeeded"))
        tap.equal("one that does not fit falls to the next", rule_of(c, put(c, "drafts", "v12")),
                  "the rest")
        tap.equal("what is absent fits no pattern", rule_of(c, put(c, "other", "v1")), "the rest")
        tap.equal("what is there may", rule_of(c, put(c, "other", "v1",
                                                      until="2030-01-01T00:00:00Z")), "with an end")
        tap.equal("a number in range", rule_of(c, c.propose("fixture.sleep_for", ms=10)), "naps")
        refused("past it nothing names it", "permission_denied", "no rule",
                lambda: c.propose("fixture.sleep_for", ms=11))


def as_bob(rig, c, ask):
    rig.become(BOB)
    c.hello()
    try:
        return ask()
    finally:
        rig.become(ALICE)
        c.hello()


def test_authors(rig):
    """Four eyes exclude everybody whose words stand in the arguments."""
    rig.write("config/policy.yaml", "rules:\n  - {name: eyes, server: fixture, four_eyes: true}\n")
    arguments = {"key": "authors", "value": "1", "reason": WHY}
    with rig.client() as c:
        a = c.ask("propose", tool="fixture.put_value", arguments=arguments,
                  words_from=[BOB])["approval"]
        record = c.wait(a, "pending")
        tap.equal("nobody is left", record["policy"]["approvers"], [])
        tap.ok("and the prompt says whose words they are",
               "with words of " + BOB in record["prompt"]["surface"], record["prompt"]["surface"])
        rig.become(BOB)
        c.hello()
        time.sleep(1.1)
        refused("an author may not decide", "permission_denied", "whose words",
                lambda: c.decide(a, "approve", record["shown"]))
        rig.become(ALICE)
        c.hello()
        b = c.ask("propose", tool="fixture.put_value", arguments=arguments)["approval"]
        tap.ok("without those words it is another proposal", a != b)
        other = c.wait(b, "pending")
        tap.equal("which he may decide", other["policy"]["approvers"], [BOB])
        refused("an author's no is none, where somebody else asked", "permission_denied",
                "whose words", lambda: as_bob(rig, c, lambda: c.decide(a, "deny", record["shown"])))
        time.sleep(max(0, other["posted_at"] / 1000 + 1.05 - time.time()))
        refused("who asked may not say yes", "permission_denied", "four eyes",
                lambda: c.decide(b, "approve", other["shown"]))
        refused("nor no to what is not asked", "precondition_failed", "read again",
                lambda: c.decide(b, "deny", "0" * 64))
        tap.equal("but the no of who asked takes it back", c.decide(b, "deny", other["shown"])["state"],
                  "cancelled")
        refused("for others as well", "conflict", "cancelled",
                lambda: as_bob(rig, c, lambda: c.decide(b, "approve", other["shown"])))
        refused("they are persons", "invalid_argument", "names persons",
                lambda: c.ask("propose", tool="fixture.put_value", arguments=arguments,
                              words_from=["bob the builder"]))
        refused("not too many", "invalid_argument", "more than 16",
                lambda: c.ask("propose", tool="fixture.put_value", arguments=arguments,
                              words_from=[f"p{i}" for i in range(17)]))
        c.ask("cancel", approval=a)
    rig.write("config/policy.yaml", POLICY)


def test_frozen(rig):
    """A yes under a rule that has since been narrowed does not count."""
    with rig.client() as c:
        a = put(c, "other", "narrowed", until="2030-01-01T00:00:00Z")
        shown = c.wait(a, "pending")["shown"]
        rig.write("config/policy.yaml", POLICY.replace('{until: {glob: "*"}}',
                                                       '{until: {glob: "2029*"}}'))
        rig.become(BOB)
        c.hello()
        left = c.show(a)["posted_at"] / 1000 + 1.05 - time.time()
        time.sleep(max(0, left))
        tap.equal("the present rule asks for two", c.decide(a, "approve", shown)["state"],
                  "pending")
        rig.become(ALICE)
        rig.write("config/policy.yaml", POLICY)
        c.hello()


def test_rate(rig):
    with rig.client() as c:
        for i in (2, 3):  # the first was test_arguments'
            a = put(c, "draft", f"v{i}")
            if i == 2:
                tap.equal("within its rate", rule_of(c, a), "own drafts")
            else:
                record = c.wait(a, "refused")
                error = record["outcome"]["error"]
                tap.ok("past it a call is refused, and why is said",
                       error["code"] == "rate_limited" and "own drafts" in error["message"] and
                       "wait" in error["hint"], error)
        rig.restart_gate()
    with rig.client() as c:
        a = put(c, "draft", "v4")
        tap.equal("a restart forgets no count",
                  c.wait(a, "refused")["outcome"]["error"]["code"], "rate_limited")
        rig.become(BOB)
        c.hello()
        tap.equal("somebody else has a count of his own", rule_of(c, put(c, "draft", "v5")),
                  "own drafts")
        rig.become(ALICE)
        c.hello()


def test_conversation(rig):
    """A conversation has its turns, whoever takes part in it."""
    rig.limits = "{proposals_at_once: 2, proposals_per_minute: 1}"
    rig.write_gate_config()
    rig.restart_gate()
    ask = {"tool": "fixture.sleep_for", "conversation": "C1"}
    with rig.client() as c:
        c.ask("propose", arguments={"ms": 1}, **ask)
        rig.become(BOB)
        c.hello()
        c.ask("propose", arguments={"ms": 2}, **ask)
        refused("two of it are all, though this person had one", "rate_limited", "too many",
                lambda: c.ask("propose", arguments={"ms": 3}, **ask))
        ask["conversation"] = "C2"
        rig.become(ALICE)
        c.hello()
        tap.ok("elsewhere there are others", c.ask("propose", arguments={"ms": 4}, **ask))
    rig.limits = None
    rig.write_gate_config()
    rig.restart_gate()


def test_explain(rig):
    with rig.client() as c:
        answer = c.ask("explain", tool="fixture.put_value", **{"as": ALICE})
        tap.equal("without arguments a doubt refuses", answer["rule"], "never the crown")
        answer = c.ask("explain", tool="fixture.put_value", arguments={"key": "x", "value": "y"},
                       **{"as": ALICE})
        tap.equal("with them the steps are told",
                  [(s["rule"], s["matches"]) for s in answer["steps"]],
                  [("never the crown", False), ("own drafts", False), ("with an end", False),
                   ("the rest", True)])
        tap.ok("each with its reason", "'until', which is absent" in answer["steps"][2]["why"],
               answer["steps"])
        tap.equal("and who may approve", (answer["approvers"], answer["approvers_needed"]),
                  ([BOB], 2))
        answer = c.ask("explain", tool="fixture.put_value",
                       arguments={"key": "draft", "value": "vx"}, **{"as": ALICE})
        tap.equal("a rate is told", answer["rate"], {"calls": 2, "per_s": 3600})
        done = subprocess.run([os.path.join(BUILD, "bin", "wingman"), "--dir", rig.dir, "policy",
                               "explain", "fixture.put_value", "--args",
                               '{"key":"draft","value":"vx"}'],
                              capture_output=True, text=True, check=False)
        tap.ok("the console prints it", done.returncode == 0 and "-> own drafts" in done.stdout and
               "at most            2 in 3600 s" in done.stdout, done.stdout + done.stderr)


def test_check(rig):
    done = subprocess.run([GATE, "--check-config", "--dir", rig.dir], capture_output=True,
                          text=True, check=False)
    for words in ("group 'nobody' is empty",
                  "rule 'the rest' wants 2 approvals and 1 person may give one: nobody could",
                  "rule 'shadowed' can never match: rule 'the rest' above it"):
        tap.ok("config check says: " + words, words in done.stdout, done.stdout)
    tap.equal("warnings are no faults", done.returncode, 0)
    for words, change in (
            ("/arguments/key", ("{is: [crown]}", "{is: [crown], prefix: c}")),
            ("/rate", ("{calls: 2, per: 1h}", "{calls: 2, per: soon}")),
            ("glob", ('{glob: "v?"}', '{glob: ""}'))):
        rig.write("config/policy.yaml", POLICY.replace(*change))
        done = subprocess.run([GATE, "--check-config", "--dir", rig.dir], capture_output=True,
                              text=True, check=False)
        tap.ok(f"a fault at {words} is one, with its line",
               done.returncode == 1 and "policy.yaml:" in done.stdout, done.stdout)
    rig.write("config/policy.yaml", POLICY)


TESTS = [test_arguments, test_authors, test_frozen, test_rate, test_conversation, test_explain, test_check]

if __name__ == "__main__":
    the_rig = Rig()
    try:
        the_rig.start()
        the_rig.write("config/policy.yaml", POLICY)
        with the_rig.client() as first:
            first.hello()
        tap.run([lambda t=t: (tap.note(t.__name__), t(the_rig)) for t in TESTS])
    finally:
        the_rig.done()
    tap.done()
