"""Slack as a surface of the real gate: turns, prompts, presses, and what counts for nothing."""

import json
import time

import tap
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import (CHANNEL, IDS, SECRET, SlackRig, SlackSurface, command, draw, form,
                        form_sent, mention, signed, run)

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"
_keys = iter(f"{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrstuvwxyz")


def refused(name, code, words, ask):
    try:
        got = ask()
        return tap.ok(name, False, got)
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, e)


def asked(slack, user=IDS[ALICE], **audience):
    """Somebody's mention, and a call that is before people."""
    approval = slack.propose_in(slack.turn(mention(user)), "fixture.put_value",
                                audience or None, key=next(_keys), value="1",
                                reason=WHY)["approval"]
    slack.post(approval)
    return approval


# --- the good way ---

def test_whole_way(rig, slack):
    turn = slack.ask("slack_turn", **signed(mention(IDS[ALICE])))
    tap.equal("a turn names the person", (turn["principal"], turn["kind"], turn["first"],
                                          turn["channel"], turn["shared"]),
              (ALICE, "mention", True, CHANNEL, False))
    reply = slack.propose_in(turn["turn"], "fixture.put_value", key="whole", value="1", reason=WHY)
    approval, to = reply["approval"], reply["to"]
    tap.equal("it goes where it was asked", (to["kind"], to["channel"], to["thread"],
                                             to["others_read_along"]),
              ("conversation", CHANNEL, turn["thread"], True))
    record = slack.pending(approval)["record"]
    tap.equal("the requester is who sent the message", record["requester"], ALICE)
    tap.ok("the prompt says the surface and its audience",
           "Slack" in record["prompt"]["surface"] and "12 people" in record["prompt"]["surface"]
           and CHANNEL in record["prompt"]["outcome_to"], record["prompt"]["surface"])
    tap.equal("the assistant wrote the words", record["prompt"]["free_text"][0]["by"],
              "assistant")
    answer = slack.post(approval)
    tap.equal("the gate knows what was drawn", (answer["pages"], answer["approvable"],
                                                answer["others_read_along"]), (1, True, True))
    answer = slack.press(approval, IDS[BOB], "approve")
    tap.equal("a press counts, for the person", (answer["action"], answer["principal"],
                                                 answer["user"]), ("approve", BOB, IDS[BOB]))
    record = slack.wait(approval, "succeeded")
    evidence = record["decisions"][0]["evidence"]
    tap.equal("the record keeps the evidence", (record["decisions"][0]["by"], evidence["kind"],
                                                evidence["channel"], evidence["user"]),
              (BOB, "slack", CHANNEL, IDS[BOB]))
    tap.equal("and it was done, once", rig.liar.executed.count(approval), 1)


def test_deny_and_why(rig, slack):
    a = asked(slack)
    tap.equal("deny is one click", slack.press(a, IDS[BOB], "deny")["state"], "denied")
    a = asked(slack)
    slack.let_read(a)
    answer = slack.click(slack.on_message(a, IDS[BOB], "deny_why"))
    tap.equal("who wants to say why is given the form", (answer["action"], "prompt" in answer),
              ("why", True))
    answer = slack.click(slack.why_sent(a, IDS[BOB], "not <!here>, *today*"))
    record = slack.show(a)
    tap.equal("and the reason is kept as it is",
              (record["state"], record["decisions"][0]["reason"], record["history"][-1]["why"]),
              ("denied", "not <!here>, *today*", "not <!here>, *today*"))
    a = asked(slack)
    slack.let_read(a)
    slack.click(slack.why_sent(a, IDS[BOB], None))
    tap.equal("no reason is one as well", slack.show(a)["state"], "denied")


def test_cancel_and_revoke(rig, slack):
    a = asked(slack)
    refused("only who asked cancels", "permission_denied", "only who asked",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "cancel")))
    tap.equal("who asked does", slack.click(slack.on_message(a, IDS[ALICE], "cancel"))["state"],
              "cancelled")
    a = asked(slack)
    refused("what is not approved is not revoked", "conflict", "cannot become",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "revoke")))


def test_forms_and_commands(rig, slack):
    turn = slack.ask("slack_turn", **signed(command(IDS[ALICE])))
    tap.equal("a command is a turn", (turn["kind"], turn["channel"]), ("command", CHANNEL))
    sent = slack.ask("slack_turn", **signed(form(form_sent(IDS[ALICE]))), begun=turn["turn"])
    tap.equal("a form belongs to the conversation it was begun in",
              (sent["kind"], sent.get("channel")), ("form", CHANNEL))
    reply = slack.propose_in(sent["turn"], "fixture.put_value", key=next(_keys), value="1",
                             reason=WHY)
    record = slack.pending(reply["approval"])["record"]
    tap.equal("and its words are the requester's", record["prompt"]["free_text"][0]["by"],
              "requester")
    refused("not to somebody else's", "permission_denied", "somebody else",
            lambda: slack.ask("slack_turn", **signed(form(form_sent(IDS[BOB]))),
                              begun=turn["turn"]))
    alone = slack.ask("slack_turn", **signed(form(form_sent(IDS[ALICE]))))
    reply = slack.propose_in(alone["turn"], "fixture.put_value", key=next(_keys), value="1",
                             reason=WHY)
    tap.equal("without one it goes to the person alone", reply["to"]["kind"], "direct")


def test_repeated_turn(rig, slack):
    raw = mention(IDS[ALICE])
    first = slack.ask("slack_turn", **signed(raw))
    again = slack.ask("slack_turn", **signed(raw, at=int(time.time()) - 1))
    tap.equal("a repeated delivery is the same turn", (again["turn"], again["first"]),
              (first["turn"], False))
    rig.restart_gate()
    time.sleep(1.1)
    with SlackSurface(rig) as other:
        again = other.ask("slack_turn", **signed(raw))
        tap.equal("also after a fall", (again["turn"], again["first"]), (first["turn"], False))
        a = other.propose(again["turn"], "fixture.put_value", key=next(_keys), value="1",
                          reason=WHY)
        tap.ok("and something may be proposed by it", other.pending(a))
        for i in range(40):
            try:
                other.propose(again["turn"], "fixture.put_value", key=next(_keys), value=str(i),
                              reason=WHY)
            except Refused as e:
                tap.ok("so often and no more", e.code == "rate_limited" and i >= 30, (i, e))
                break
        else:
            tap.ok("so often and no more", False)


# --- where ---

def test_where(rig, slack):
    def to(raw, **audience):
        turn = slack.ask("slack_turn", **signed(raw))["turn"]
        return slack.ask("slack_propose", turn=turn, tool="fixture.put_value",
                         arguments={"key": next(_keys), "value": "1", "reason": WHY},
                         **audience)
    reply = to(mention(IDS[ALICE]), outsiders=True, people=40)
    tap.equal("with outsiders it goes to the requester's direct messages",
              (reply["to"]["kind"], reply["to"]["requester"], "channel" in reply["to"]),
              ("direct", [IDS[ALICE]], False))
    record = slack.pending(reply["approval"])["record"]
    tap.ok("and the prompt says so", "direct messages" in record["prompt"]["surface"] and
           "outside the team" in record["prompt"]["surface"], record["prompt"]["surface"])
    refused("so it cannot stand in the conversation", "permission_denied", "elsewhere",
            lambda: slack.post(reply["approval"], channel=CHANNEL))
    tap.ok("but there it can", slack.post(reply["approval"])["approvable"])
    tap.equal("nobody having counted counts as outsiders", to(mention(IDS[ALICE]))["to"]["kind"],
              "direct")
    tap.equal("Slack's own word that it is shared weighs more",
              to(mention(IDS[ALICE], is_ext_shared_channel=True), outsiders=False)["to"]["kind"],
              "direct")
    dm = mention(IDS[ALICE], channel="D0ALICE", event={"type": "message", "channel_type": "im"})
    reply = to(dm)
    tap.equal("a direct message stays where it is", (reply["to"]["kind"],
                                                     reply["to"]["others_read_along"]),
              ("conversation", False))
    rig.slack = {"channels": ["C0OTHER"]}
    rig.write_gate_config()
    rig.restart_gate("stop")
    with SlackSurface(rig) as other:
        time.sleep(1.1)
        turn = other.turn(mention(IDS[ALICE]))
        reply = other.propose_in(turn, "fixture.put_value", key=next(_keys), value="1",
                                 reason=WHY)
        tap.equal("nor in a conversation that is not configured", reply["to"]["kind"], "direct")
    rig.slack = {}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)


def test_sensitive(rig, slack):
    """What is sensitive stands in the review alone, where others read along."""
    turn = slack.turn(mention(IDS[ALICE]))
    a = slack.propose(turn, "fixture.set_secret", plain="in the open", secret="hunter2",
                      deep={"inner": "correct horse"})
    answer = slack.post(a)
    tap.equal("the message cannot approve", answer["approvable"], False)
    tap.ok("and does not say it", "hunter2" not in json.dumps(slack.places[a][2]))
    slack.let_read(a)
    refused("so a press there is none", "precondition_failed", "press Review",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    opened = slack.click(slack.on_message(a, IDS[BOB], "review"))
    tap.equal("Review gives an approver the page", (opened["page"], opened["pages"]), (1, 1))
    page = draw(opened["prompt"], "page", opened["drawn_at"], 1)
    tap.ok("where it stands", "hunter2" in json.dumps(page))
    refused("and it wants to be read", "conflict", "read again",
            lambda: slack.click(slack.on_page(a, IDS[BOB], "approve", 1, opened["drawn_at"])))
    time.sleep(1.1)
    refused("by the person who opened it", "precondition_failed", "press Review",
            lambda: slack.click(slack.on_page(a, IDS[ALICE], "approve", 1, opened["drawn_at"])))
    answer = slack.click(slack.on_page(a, IDS[BOB], "approve", 1, opened["drawn_at"]))
    tap.equal("then a yes counts", answer["principal"], BOB)
    refused("who is in no team reads nothing", "permission_denied", "not in the team",
            lambda: slack.click(slack.on_message(asked(slack), IDS[CAROL], "review")))


def test_long(rig, slack):
    """What does not fit is paged through, page by page."""
    turn = slack.turn(mention(IDS[ALICE]))
    a = slack.propose(turn, "fixture.set_secret", plain="v" * 30000)
    answer = slack.post(a)
    pages = answer["pages"]
    tap.ok("it has several pages, and the message no button", pages > 2 and
           not answer["approvable"], answer)
    slack.let_read(a)
    opened = slack.click(slack.on_message(a, IDS[BOB], "review"))
    at = opened["drawn_at"]
    time.sleep(1.1)
    refused("the last page cannot be opened first", "precondition_failed", "not been read",
            lambda: slack.click(slack.on_page(a, IDS[BOB], "page.next", 1, at, to=pages)))
    refused("nor pressed on", "precondition_failed", "read on",
            lambda: slack.click(slack.on_page(a, IDS[BOB], "approve", pages, at)))
    for n in range(1, pages):
        got = slack.click(slack.on_page(a, IDS[BOB], "page.next", n, at, to=n + 1))
        if got["page"] != n + 1:
            tap.ok("page by page", False, got)
    back = slack.click(slack.on_page(a, IDS[BOB], "page.back", pages, at, to=pages - 1))
    tap.equal("back as well", back["page"], pages - 1)
    tap.equal("at the end a yes counts",
              slack.click(slack.on_page(a, IDS[BOB], "approve", pages, at))["principal"], BOB)


# --- what is drawn hears of everything ---

def test_events(rig, slack):
    a = asked(slack)
    with SlackSurface(rig) as other:
        reply = other.ask("slack_open")
        tap.ok("what is open is told", a in [x["approval"] for x in reply["approvals"]])
        before = {n["approval"] for n in other.ask("notices")["notices"]}
        slack.press(a, IDS[BOB], "approve")
        slack.wait(a, "succeeded")
        other.ask("status")
        states = [e["state"] for e in other.events if e.get("approval") == a]
        tap.equal("every transition comes", [s for i, s in enumerate(states)
                                             if i == 0 or s != states[i - 1]][-3:],
                  ["granted", "executing", "succeeded"])
        event = [e for e in other.events if e.get("approval") == a][-1]
        tap.ok("with where it stands", event["record"]["places"][0]["channel"] == CHANNEL and
               event["to"]["kind"] == "conversation", event.get("to"))
        tap.ok("the end waits in the outbox", a not in before and
               a in [e["notice"]["approval"] for e in other.events if e["m"] == "notice"])
    rig.restart_gate()
    with SlackSurface(rig) as other:
        unread = [n["approval"] for n in other.ask("notices")["notices"]]
        tap.ok("over a fall", a in unread, unread)
        other.ask("read", notice=a)
        unread = [n["approval"] for n in other.ask("notices")["notices"]]
        tap.ok("until it was read", a not in unread)
    with rig.client() as c:
        tap.ok("and the person's own copy is another",
               a in [n["approval"] for n in c.ask("notices")["notices"]])
    time.sleep(1.1)


def test_alone(rig, slack):
    """Whoever did it alone: people are not told, the message is drawn anew all the same."""
    a = asked(slack)
    slack.click(slack.on_message(a, IDS[ALICE], "cancel"))
    unread = [n["approval"] for n in slack.ask("notices")["notices"]]
    tap.ok("the message is told that it is over", a in unread)


def test_elsewhere(rig, slack):
    """What a console asks for is drawn where the configuration says, and nowhere else."""
    with rig.client() as c:
        a = c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY)
        c.wait(a, "pending")
        tap.equal("without a channel Slack does not have it",
                  slack.ask("show", approval=a)["to"]["kind"], "nowhere")
        refused("nor posts it", "permission_denied", "elsewhere",
                lambda: slack.post(a, channel=CHANNEL))
    rig.slack = {"approvals_channel": "C0APPROVE"}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)
    with rig.client() as c, SlackSurface(rig) as other:
        a = c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY)
        c.wait(a, "pending")
        tap.ok("with one it has", a in [x["approval"] for x in
                                        other.ask("slack_open")["approvals"]])
        other.post(a)
        other.press(a, IDS[BOB], "approve")
        tap.equal("and people decide there", c.wait(a, "succeeded")["decisions"][0]["by"], BOB)
    rig.slack = {}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)


# --- secrets ---

def test_rotation(rig, slack):
    rig.slack = {"signing_secrets": ["keys/slack", "keys/slack-next"]}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)
    with SlackSurface(rig) as other:
        def turn(secret):
            return other.ask("slack_turn", **signed(mention(IDS[ALICE]), secret=secret))["turn"]
        tap.ok("the secret to come need not be there yet", turn(SECRET))
        rig.write_secret("slack-next", "the next one")
        tap.ok("it counts as soon as it is", turn("the next one"))
        tap.ok("beside the old one", turn(SECRET))
        rig.write_secret("slack", "the next one")
        refused("until that is gone", "permission_denied", "not Slack's", lambda: turn(SECRET))
        tap.ok("then it alone", turn("the next one"))
    rig.write_secret("slack", SECRET)
    rig.slack = {}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)


# --- Socket Mode ---

def test_socket_mode(rig, slack):
    def frame(payload, kind, n=[0]):
        n[0] += 1
        return json.dumps({"envelope_id": f"e{n[0]}", "type": kind, "payload": payload,
                           "accepts_response_payload": False})
    raw = frame(json.loads(mention(IDS[ALICE])), "events_api")
    refused("nothing unsigned is believed unless configured", "permission_denied",
            "nobody signed", lambda: slack.ask("slack_turn", raw=raw))
    rig.slack = {"socket_mode": True, "signing_secrets": None}
    rig.write_gate_config()
    rig.restart_gate("stop")
    with SlackSurface(rig) as other:
        event = json.loads(mention(IDS[ALICE]))
        turn = other.ask("slack_turn", raw=frame(event, "events_api"))
        tap.equal("configured, it is", turn["evidence"], "socket mode")
        again = other.ask("slack_turn", raw=frame(event, "events_api"))
        tap.equal("another envelope around the same is the same",
                  (again["turn"], again["first"]), (turn["turn"], False))
        a = other.propose(turn["turn"], "fixture.put_value", key=next(_keys), value="1",
                          reason=WHY)
        tap.ok("the prompt says how it is known",
               "Socket Mode" in other.pending(a)["record"]["prompt"]["surface"])
        other.post(a)
        other.let_read(a)
        press = other.on_message(a, IDS[BOB], "approve")
        other.ask("slack_click", raw=frame(press, "interactive"))
        record = other.wait(a, "succeeded")
        tap.equal("a press counts, and the record says how",
                  record["decisions"][0]["evidence"]["kind"], "slack-socket")
        refused("once", "conflict", "taken before",
                lambda: other.ask("slack_click", raw=frame(press, "interactive")))
        refused("without a secret nothing signed is taken", "internal", "none is configured",
                lambda: other.ask("slack_turn", **signed(mention(IDS[ALICE]))))
    lines = [x for x in rig.audit() if x["data"].get("approval") == a]
    tap.ok("and the log says so", any(
        x["data"].get("decision", {}).get("evidence", {}).get("kind") == "slack-socket"
        for x in lines) and any(
            x["data"].get("slack", {}).get("evidence") == "socket mode" for x in lines))
    rig.slack = {}
    rig.write_gate_config()
    rig.restart_gate("stop")
    time.sleep(1.1)


TESTS = [test_whole_way, test_deny_and_why, test_cancel_and_revoke, test_forms_and_commands,
         test_repeated_turn, test_where, test_sensitive, test_long, test_events, test_alone,
         test_elsewhere, test_rotation, test_socket_mode]


if __name__ == "__main__":
    run(SlackRig(), TESTS)
