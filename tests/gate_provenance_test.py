"""Where the values of an assistant's proposal come from: what the gate finds out and shows.

Real wingman-gate and the fixture server; over HTTP as Slack signs it, and as a console.
"""

import tap
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import IDS, SlackRig, SlackSurface, draw, mention

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"
NOWHERE = "nowhere in what was said or read: the assistant chose it"


class ProvenanceRig(SlackRig):
    pass


def refused(name, words, fn):
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == "invalid_argument" and words in e.message,
                      f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was taken: {got}")


def from_of(record):
    entries = record["prompt"]["arguments"] + record["prompt"]["free_text"]
    return {e["name"]: e["from"] for e in entries if "from" in e}


def put(key, value="1"):
    return {"key": key, "value": value, "reason": WHY}


def test_slack(rig):
    with SlackSurface(rig) as slack:
        said = slack.turn(mention(IDS[BOB], event={"text": "I would take mallory &amp; co"}))
        turn = slack.turn(mention(IDS[ALICE], event={
            "text": f"<@U0WINGMAN> put prod for <@{IDS[CAROL]}>, or prodigal"}))
        a = slack.propose_in(turn, "fixture.put_value", {"people": 2, "outsiders": False, "sources": [
            {"turn": said}, {"from": "playbook", "label": "p.md", "text": "then drop table"}]},
            key="prod", value=CAROL, reason="mallory & co")["approval"]
        record = slack.pending(a)["record"]
        tap.equal("the requester's words and whom they mention need no line; another's do",
                  from_of(record), {"reason": ["words of " + BOB]})
        tap.equal("four eyes know whose words they are", record["provenance"]["persons"], [BOB])
        b = slack.propose(turn, "fixture.put_value", **put("prodiga"))
        record = slack.pending(b)["record"]
        tap.equal("what a turn never said", from_of(record)["key"],
                  ["part of a longer word of who asks, no word"])
        drawn = str(draw(record["prompt"], "message", 0))
        tap.ok("the message shows it", "part of a longer word" in drawn, drawn)
        c = slack.propose_in(turn, "fixture.put_value", {"sources": [{"turn": "0" * 64}]},
                             **put("mallory"))["approval"]
        tap.equal("a turn that nobody took says nothing", from_of(slack.pending(c)["record"])["key"],
                  [NOWHERE])
        d = slack.propose_in(turn, "fixture.put_value", {"sources": [
            {"from": "person", "label": IDS[BOB], "text": "put carol"}]}, **put("carol"))["approval"]
        tap.equal("Slack's ids become persons", from_of(slack.pending(d)["record"])["key"],
                  ["words of " + BOB])
        for name, source in (
                ("the Slack process does not say what somebody asked",
                 {"from": "requester", "text": "put it"}),
                ("nor what was looked up", {"from": "resolved", "label": "db", "text": "put"}),
                ("a kind that there is not", {"from": "god", "text": "put it"}),
                ("too many members", {"from": "log", "text": "x", "trust": True}),
                ("no text", {"from": "log"}), ("no object", "x"),
                ("a turn and more", {"turn": said, "from": "requester"})):
            refused(name, "", lambda: slack.propose_in(turn, "fixture.put_value",
                                                       {"sources": [source]}, **put("k")))


def test_console(rig):
    with rig.client() as c:
        pieces = [{"from": "requester", "text": "put 1 in alpha, " + WHY},
                  {"from": "ticket", "label": "SEC-1", "text": "please put beta"}]

        def propose(sources, key):
            return c.ask("propose", tool="fixture.put_value", sources=sources,
                         arguments=put(key))["approval"]
        record = c.wait(propose(pieces, "alpha"), "pending")
        tap.equal("what was typed", from_of(record), {})
        tap.equal("is the assistant's doing", record["author"], "assistant")
        tap.equal("under its name", record["prompt"]["free_text"][0]["by"], "assistant")
        record = c.wait(propose(pieces, "beta"), "pending")
        tap.equal("what a ticket wants", from_of(record), {"key": ["ticket SEC-1"]})
        several = c.ask("propose", sources=pieces, calls=[
            {"tool": "fixture.put_value", "arguments": put("alpha", "2")},
            {"tool": "fixture.put_value", "arguments": put("beta", "1")},
        ])["approval"]
        record = c.wait(several, "pending")
        tap.equal("of several calls each has its own",
                  [sorted(from_of({"prompt": call["prompt"]})) for call in record["prompt"]["calls"]],
                  [["value"], ["key"]])
        mine = c.propose("fixture.put_value", **put("gamma"))
        tap.equal("what a person calls is not traced", from_of(c.wait(mine, "pending")), {})
        refused("a console has no turns", "turns", lambda: propose([{"turn": "0" * 64}], "x"))
        refused("97 pieces", "96", lambda: propose(pieces[:1] * 97, "y"))


def main():
    rig = ProvenanceRig()
    try:
        rig.start()
        test_slack(rig)
        test_console(rig)
    finally:
        rig.done()
    tap.done()


if __name__ == "__main__":
    main()
