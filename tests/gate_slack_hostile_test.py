"""Presses that must not count, over the real gate: forged, old, repeated, racing, elsewhere,
of others, and whatever a Slack process that was taken over can say.

Nothing here may run but what a person pressed on, once; the server counts.
"""

import json
import os
import random
import threading
import time

import tap
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import (CHANNEL, IDS, SECRET, SlackRig, SlackSurface, block_actions, command, form,
                        form_sent, mention, signed, ts, run)
from gate_slack_test import WHY, asked, refused
from hostile_test import failure, good_plan

ALICE, BOB, CAROL = PEOPLE
MALLORY_ID = "U0MALLORY"
_keys = iter(f"h{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrstuvwxyz")


def still(rig, slack, name, a):
    tap.ok(name, slack.state(a) == "pending" and a not in rig.liar.executed, slack.state(a))


def ready(slack, **audience):
    a = asked(slack, **audience)
    slack.let_read(a)
    return a


# --- evidence ---

def test_forged(rig, slack):
    a = ready(slack)
    press = form(slack.on_message(a, IDS[BOB], "approve"))
    good, now = signed(press), int(time.time())
    bad = {
        "another secret": signed(press, secret="guessed"),
        "no secret": signed(press, secret=""),
        "another body": {**good, "raw": press.replace(IDS[BOB], IDS[ALICE])},
        "another time": {**good, "timestamp": str(now - 1)},
        "upper case": {**good, "signature": good["signature"].upper().replace("V0", "v0")},
        "cut": {**good, "signature": good["signature"][:-1]},
        "another version": {**good, "signature": "v1" + good["signature"][2:]},
        "five minutes old": signed(press, at=now - 302),
        "five minutes ahead": signed(press, at=now + 310),
        "a time that is none": signed(press, at="17953704OO"),
        "a time with a sign": signed(press, at=f"+{now}"),
    }
    for what, words in bad.items():
        refused(what, "permission_denied", "", lambda w=words: slack.ask("slack_click", **w))
    for what, words in {
            "no signature": {"raw": press, "timestamp": good["timestamp"]},
            "no time": {"raw": press, "signature": good["signature"]},
            "neither": {"raw": press}}.items():
        refused(what, "permission_denied", "", lambda w=words: slack.ask("slack_click", **w))
    still(rig, slack, "nothing of it counts", a)
    slack.ask("slack_click", **good)
    slack.wait(a, "succeeded")
    tap.equal("and none of it has spent the good one", rig.liar.executed.count(a), 1)


def test_contents(rig, slack):
    """Signed, and yet not a press of this person on this prompt."""
    a, other = ready(slack), ready(slack)

    def of(change, action="approve", user=IDS[BOB]):
        payload = slack.on_message(a, user, action)
        change(payload)
        return lambda: slack.click(payload)

    def value(text):
        return of(lambda p: p["actions"][0].update(value=text))
    shown = slack.show(a)["shown"]
    cases = [
        ("another app", "permission_denied", "another app",
         of(lambda p: p.update(api_app_id="A0OTHER"))),
        ("another team", "permission_denied", "another team",
         of(lambda p: (p.update(team={"id": "T0OTHER"}), p["user"].update(team_id="T0OTHER")))),
        ("a person of another team", "invalid_argument", "another team",
         of(lambda p: p["user"].update(team_id="T0OTHER"))),
        ("who is not mapped", "permission_denied", "knows nobody", of(lambda p: 0, user=MALLORY_ID)),
        ("who is mapped and in no team", "permission_denied", "not in the team",
         of(lambda p: 0, user=IDS[CAROL])),
        ("a user id that only looks like it", "permission_denied", "knows nobody",
         of(lambda p: 0, user=IDS[BOB].lower())),
        ("another digest", "precondition_failed", "read again", value(f"{a} {'0' * 64}")),
        ("the digest of another prompt", "precondition_failed", "read again",
         value(f"{a} {slack.show(other)['shown']}")),
        ("the short digest", "invalid_argument", "", value(f"{a} {shown[:12]}")),
        ("another approval's id", "precondition_failed", "not the message",
         value(f"{other} {shown}")),
        ("no such approval", "not_found", "", value(f"{'0' * 26} {shown}")),
        ("another channel", "precondition_failed", "not the message",
         of(lambda p: (p["container"].update(channel_id="C0OTHER"),
                       p["channel"].update(id="C0OTHER")))),
        ("two channels", "invalid_argument", "", of(lambda p: p["channel"].update(id="C0OTHER"))),
        ("another message", "precondition_failed", "not the message",
         of(lambda p: p["container"].update(message_ts=ts()))),
        ("the message of another prompt", "precondition_failed", "not the message",
         of(lambda p: p["container"].update(message_ts=slack.places[other][1]))),
        ("an ephemeral message", "invalid_argument", "ephemeral",
         of(lambda p: p["container"].update(is_ephemeral=True))),
        ("a modal that nobody opened", "precondition_failed", "press Review",
         of(lambda p: (p.update(container={"type": "view", "view_id": "V0X"}, view={
             "id": "V0X", "private_metadata": f"{a} {shown} 1", "blocks": []})))),
        ("two presses in one", "invalid_argument", "",
         of(lambda p: p["actions"].append(p["actions"][0]))),
        ("a menu", "invalid_argument", "", of(lambda p: p["actions"][0].update(type="static_select"))),
        ("a button that is none of ours", "invalid_argument", "",
         of(lambda p: p["actions"][0].update(action_id="wingman.approve_all"))),
        ("Next page on a message", "invalid_argument", "",
         of(lambda p: p["actions"][0].update(action_id="wingman.page.next",
                                             value=f"{a} {shown} 1"))),
        ("an event", "invalid_argument", "", lambda: slack.ask(
            "slack_click", **signed(mention(IDS[BOB])))),
        ("a command", "invalid_argument", "", lambda: slack.ask(
            "slack_click", **signed(command(IDS[BOB])))),
        ("another form", "invalid_argument", "", lambda: slack.click(form_sent(IDS[BOB]))),
    ]
    for name, code, words, ask in cases:
        refused(name, code, words, ask)
    still(rig, slack, "nothing of it counts", a)
    still(rig, slack, "nor for the other", other)


def test_once(rig, slack):
    a = ready(slack)
    press = slack.on_message(a, IDS[BOB], "approve", value=f"{a} {'0' * 64}")
    raw = signed(form(press))
    refused("a press that is refused", "precondition_failed", "", lambda:
            slack.ask("slack_click", **raw))
    refused("is spent all the same", "conflict", "taken before", lambda:
            slack.ask("slack_click", **raw))
    press = form(slack.on_message(a, IDS[BOB], "deny"))
    slack.ask("slack_click", **signed(press))
    refused("signed anew it is the same", "conflict", "taken before", lambda:
            slack.ask("slack_click", **signed(press, at=int(time.time()) - 1)))
    rig.restart_gate()
    time.sleep(1.1)
    with SlackSurface(rig) as later:
        refused("also after a fall", "conflict", "taken before", lambda:
                later.ask("slack_click", **signed(press)))
        refused("and what is from before it counts no more", "conflict", "began anew", lambda:
                later.ask("slack_click", **signed(press + " ", at=int(time.time()) - 60)))
        b = ready(later)
        press = later.on_message(b, IDS[BOB], "approve")
        later.click(press)
        later.wait(b, "succeeded")
        refused("a turn is not made of a press", "invalid_argument", "sets nothing going",
                lambda: later.ask("slack_turn", **signed(form(
                    later.on_message(b, IDS[BOB], "approve")))))
        raw = signed(form(form_sent(IDS[BOB])))
        turn = later.ask("slack_turn", **raw)["turn"]
        refused("nor a press of a turn", "conflict", "taken before",
                lambda: later.ask("slack_click", **raw))
        raw = signed(form(form_sent(IDS[BOB])))
        try:
            later.ask("slack_click", **raw)
        except Refused:
            pass
        refused("nor a turn of what was refused as a press", "not_found", "no such turn",
                lambda: later.ask("slack_turn", **raw))
        tap.ok("a good turn is one", len(turn) == 64)


def race(rig, jobs):
    """All at once, each over a connection of its own; what each was told."""
    told, ready_ = [], threading.Barrier(len(jobs))

    def run(job):
        with SlackSurface(rig) as slack:
            ready_.wait(20)
            try:
                told.append(job(slack)["state"])
            except Refused as e:
                told.append(e.code)
    threads = [threading.Thread(target=run, args=(j,)) for j in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    return told


def test_racing(rig, slack):
    for n in range(5):
        a = ready(slack)
        raw = signed(form(slack.on_message(a, IDS[BOB], "approve")))
        told = race(rig, [lambda s: s.ask("slack_click", **raw)] * 8)
        slack.wait(a, "succeeded")
        if told.count("conflict") != 7 or rig.liar.executed.count(a) != 1:
            tap.ok(f"round {n}: the same press eight times is one", False, told)
    tap.ok("the same press eight times at once is one", True)
    for n in range(5):
        a = ready(slack)
        presses = [slack.on_message(a, user, "approve") for user in (IDS[ALICE], IDS[BOB]) * 3]
        told = race(rig, [lambda s, p=p: s.click(p) for p in presses])
        slack.wait(a, "succeeded")
        if rig.liar.executed.count(a) != 1 or told.count("conflict") != 5:
            tap.ok(f"round {n}: two persons, three times each", False, told)
    tap.ok("of two persons pressing three times each one counts", True)
    ends = {}
    for n in range(8):
        a = ready(slack)
        told = race(rig, [lambda s, p=p: s.click(p) for p in (
            slack.on_message(a, IDS[BOB], "approve"), slack.on_message(a, IDS[ALICE], "deny"),
            slack.on_message(a, IDS[ALICE], "cancel"))])
        deadline = time.monotonic() + 20
        while "ended_at" not in slack.show(a) and time.monotonic() < deadline:
            time.sleep(0.05)
        state = slack.state(a)
        ends[state] = ends.get(state, 0) + 1
        if rig.liar.executed.count(a) != (state == "succeeded"):
            tap.ok(f"round {n}: yes, no and cancel", False, (state, told))
    tap.ok("of yes, no and cancel at once one counts", set(ends) <= {
        "succeeded", "denied", "cancelled"}, ends)


def test_first_second(rig, slack):
    a = asked(slack)
    refused("within a second of posting", "conflict", "read again",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    slack.let_read(a)
    slack.places[a] = (CHANNEL, ts(), slack.places[a][2])
    refused("a message that the gate was not told of", "precondition_failed", "not the message",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    slack.post(a)
    refused("told of it, it counts from then on", "conflict", "read again",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    still(rig, slack, "nothing of it counted", a)


def test_policy_now(rig, slack):
    """Who left between posting and pressing, and who came."""
    a = ready(slack)
    rig.team = [ALICE]
    rig.write_gate_config()
    refused("who left the team decides nothing", "permission_denied", "not in the team",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    rig.team = [ALICE, BOB, CAROL]
    rig.write_gate_config()
    refused("nor who came after it was posted", "permission_denied", "when this was posted",
            lambda: slack.click(slack.on_message(a, IDS[CAROL], "approve")))
    rig.write("config/gate.yaml", "persons: nonsense")
    refused("nor anybody while nobody knows", "backend_unavailable", "",
            lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
    rig.team = [ALICE, BOB]
    rig.write_gate_config()
    still(rig, slack, "nothing of it counted", a)


def test_four_eyes(rig, slack):
    rig.write("config/policy.yaml", "rules:\n  - {name: all of it, four_eyes: true}\n")
    try:
        turn = slack.turn(mention(IDS[ALICE]))
        a = slack.ask("slack_propose", turn=turn, tool="fixture.put_value", people=3,
                      outsiders=False, arguments={"key": next(_keys), "value": "1", "reason": WHY},
                      words_from=[IDS[BOB], MALLORY_ID])["approval"]
        slack.post(a)
        slack.let_read(a)
        prompt = slack.show(a)["prompt"]
        tap.ok("whose words stand in it is said, known or not", BOB in prompt["surface"] and
               MALLORY_ID in prompt["surface"], prompt["surface"])
        for who in (ALICE, BOB):
            refused(f"{who} may not decide it", "permission_denied", "four eyes",
                    lambda w=who: slack.click(slack.on_message(a, IDS[w], "approve")))
        still(rig, slack, "nothing of it counted", a)
    finally:
        os.unlink(rig.path("config/policy.yaml"))


# --- a Slack process that was taken over ---

def test_not_a_console(rig, slack):
    """Its connection says nothing that consoles say, and nobody else says what it says."""
    a = ready(slack)
    shown = slack.show(a)["shown"]
    for m, more in (("decide", {"approval": a, "decision": "approve", "shown": shown}),
                    ("emergency", {"approval": a, "shown": shown, "word": "x"}),
                    ("propose", {"tool": "fixture.put_value", "arguments": {}}),
                    ("propose_gate", {"action": "rotate_key", "arguments": {}}),
                    ("cancel", {"approval": a}), ("revoke", {"approval": a}),
                    ("set_pin", {"pin": "1234"}), ("review", {"approval": a}),
                    ("watch", {"approval": a}), ("emergencies", {}),
                    ("explain", {"tool": "fixture.put_value", "as": ALICE})):
        refused(f"the Slack process says no '{m}'", "permission_denied", "nobody's console",
                lambda m=m, more=more: slack.ask(m, **more))
    with rig.client() as c:
        c.hello()
        for m, more in (("slack_open", {}), ("slack_who", {"user": IDS[BOB]}),
                        ("slack_click", signed(form(slack.on_message(a, IDS[BOB], "approve")))),
                        ("slack_turn", signed(mention(IDS[ALICE]))),
                        ("slack_propose", {"turn": "0" * 64}),
                        ("slack_posted", {"approval": a, "shown": shown, "channel": CHANNEL,
                                          "message_ts": ts(), "drawn_at": 1})):
            refused(f"and a console no '{m}'", "permission_denied", "for the Slack process",
                    lambda m=m, more=more: c.ask(m, **more))
    still(rig, slack, "nothing of it counted", a)


def test_uid(rig, slack):
    """Another uid than the configured one is no Slack process, whatever it says."""
    rig.slack = {"unix": os.getuid() + 1}
    rig.write_gate_config()
    rig.restart_gate("stop")
    with SlackSurface(rig, hello=False) as other:
        refused("another uid", "permission_denied", "not the Slack process's",
                lambda: other.ask("hello", v=4, surface="slack"))
        refused("nor does it go on as one", "permission_denied", "for the Slack process",
                lambda: other.ask("slack_open"))
        refused("there is no third surface", "invalid_argument", "no surface",
                lambda: other.ask("hello", v=4, surface="teams"))
    rig.slack = {"allow_shared_uid": None}
    rig.write_gate_config()
    rig.gate.stop()
    try:
        rig.start_gate()
        tap.ok("a person's uid is not the Slack process's unless allowed", False)
    except RuntimeError as e:
        tap.ok("a person's uid is not the Slack process's unless allowed",
               "decides as the other" in str(e), e)
    rig.slack = {}
    rig.write_gate_config()
    rig.start_gate()
    time.sleep(1.1)


def test_other_words(rig, slack):
    """It posts the prompt in other words, under the right button."""
    a = asked(slack)
    channel, at, blocks = slack.places[a]
    text = json.dumps(blocks)
    lies = {
        "other words": json.loads(text.replace("put_value", "get_route")),
        "other arguments": json.loads(text.replace('\\"1\\"', '\\"2\\"')),
        "a block less": blocks[:1] + blocks[2:],
        "a block more": [{"type": "section", "text": {"type": "mrkdwn", "text": "harmless"}}]
        + blocks,
        "another label": json.loads(text.replace('"text": "Approve"', '"text": "Hello"')),
        "an image": blocks + [{"type": "image", "image_url": "https://x.test/y", "alt_text": "z"}],
        "no blocks": [],
    }
    slack.let_read(a)
    for name, lie in lies.items():
        if json.dumps(lie) == text:
            tap.ok(f"{name}: it is another", False)
        refused(f"{name}: no yes", "precondition_failed", "not what the gate drew",
                lambda b=lie: slack.click(slack.on_message(a, IDS[BOB], "approve",
                                                           place=(channel, at, b))))
    payload = slack.on_message(a, IDS[BOB], "approve")
    del payload["message"]
    refused("no message", "precondition_failed", "not what the gate drew",
            lambda: slack.click(payload))
    still(rig, slack, "nothing of it counted", a)
    tap.equal("a no counts whatever was shown", slack.click(slack.on_message(
        a, IDS[BOB], "deny", place=(channel, at, lies["no blocks"])))["state"], "denied")
    sensitive = slack.propose(slack.turn(mention(IDS[ALICE])), "fixture.set_secret", secret="s")
    slack.post(sensitive)
    slack.let_read(sensitive)
    opened = slack.click(slack.on_message(sensitive, IDS[BOB], "review"))
    time.sleep(1.1)
    page = slack.on_page(sensitive, IDS[BOB], "approve", 1, opened["drawn_at"])
    page["view"]["blocks"] = page["view"]["blocks"][1:]
    refused("nor a page in other words", "precondition_failed", "not what the gate drew",
            lambda: slack.click(page))


def test_posting(rig, slack):
    """It says that the prompt stands where it does not, or should not."""
    turn = slack.turn(mention(IDS[ALICE]))
    a = slack.propose(turn, "fixture.put_value", key=next(_keys), value="1", reason=WHY)
    record = slack.pending(a)["record"]

    def posted(**more):
        return lambda: slack.ask("slack_posted", **{
            "approval": a, "shown": record["shown"], "channel": CHANNEL, "message_ts": ts(),
            "drawn_at": int(time.time() * 1000), **more})
    refused("another channel", "permission_denied", "elsewhere", posted(channel="C0ELSE"))
    refused("somebody's direct messages, without a name", "permission_denied", "elsewhere",
            posted(channel="D0X"))
    refused("those of whom it does not concern", "permission_denied", "elsewhere",
            posted(channel="D0X", user=IDS[CAROL]))
    refused("the channel, as somebody's direct messages", "permission_denied", "elsewhere",
            posted(user=IDS[BOB]))
    refused("another digest", "precondition_failed", "", posted(shown="0" * 64))
    refused("another approval", "not_found", "", posted(approval="0" * 26))
    refused("drawn long ago", "conflict", "another time",
            posted(drawn_at=int(time.time() * 1000) - 120000))
    refused("drawn in the future", "conflict", "another time",
            posted(drawn_at=int(time.time() * 1000) + 120000))
    for bad in ("", "c0secops", "C0 SECOPS", "C" + "0" * 80, "X0Y"):
        refused(f"a channel called '{bad[:12]}'", "invalid_argument", "no place",
                posted(channel=bad))
    at = ts()
    posted(message_ts=at)()
    refused("the same message twice", "conflict", "told of before", posted(message_ts=at))
    for _ in range(31):
        posted()()
    refused("in more places than there are", "rate_limited", "places", posted())
    dm = posted(channel="D0BOB", user=IDS[BOB])
    refused("nor in one more", "rate_limited", "places", dm)
    b = asked(slack)
    slack.post(b, channel="D0BOB", user=IDS[BOB])
    slack.let_read(b)
    refused("somebody else's direct messages", "permission_denied", "somebody else's",
            lambda: slack.click(slack.on_message(b, IDS[ALICE], "approve")))
    tap.equal("in one's own a yes counts",
              slack.click(slack.on_message(b, IDS[BOB], "approve"))["principal"], BOB)


def test_turns(rig, slack):
    """It proposes in nobody's name whose evidence it does not have."""
    def turn(raw, **more):
        return lambda: slack.ask("slack_turn", **signed(raw, **more))
    mine = json.loads(mention(IDS[ALICE]))

    def changed(**event):
        return json.dumps({**mine, "event": {**mine["event"], "ts": ts(), **event}})
    for name, code, words, ask in (
            ("a forged event", "permission_denied", "", turn(mention(IDS[ALICE]), secret="x")),
            ("an old one", "permission_denied", "", turn(mention(IDS[ALICE]),
                                                         at=int(time.time()) - 400)),
            ("of nobody we know", "permission_denied", "knows nobody", turn(mention(MALLORY_ID))),
            ("of who is in no team", "permission_denied", "not in the team",
             turn(mention(IDS[CAROL]))),
            ("an edit", "invalid_argument", "edit", turn(changed(edited={"user": "U1"}))),
            ("a bot's", "invalid_argument", "bot", turn(changed(bot_id="B1"))),
            ("a changed message", "invalid_argument", "", turn(changed(subtype="message_changed"))),
            ("a message in a channel", "invalid_argument", "neither",
             turn(changed(type="message", channel_type="channel"))),
            ("of another workspace", "invalid_argument", "another workspace",
             turn(changed(user_team="T0OTHER"))),
            ("of another app", "permission_denied", "another app",
             turn(json.dumps({**mine, "api_app_id": "A0OTHER"}))),
            ("of another team", "permission_denied", "another team",
             turn(json.dumps({**mine, "team_id": "T0OTHER",
                              "event": {**mine["event"], "team": "T0OTHER"}}))),
            ("a command of another app", "permission_denied", "another app",
             turn(command(IDS[ALICE], api_app_id="A0OTHER"))),
            ("a command twice over", "invalid_argument", "",
             turn(command(IDS[ALICE]) + "&user_id=" + IDS[BOB])),
            ("what asks for the address", "invalid_argument", "no event",
             turn(json.dumps({"type": "url_verification", "challenge": "x"})))):
        refused(name, code, words, ask)
    good = slack.turn(mention(IDS[ALICE]))

    def propose(**more):
        return lambda: slack.ask("slack_propose", **{
            "turn": good, "tool": "fixture.put_value", "people": 2, "outsiders": False,
            "arguments": {"key": next(_keys), "value": "1", "reason": WHY}, **more})
    for name, code, ask in (
            ("a turn that there is not", "not_found", propose(turn="0" * 64)),
            ("a turn that is none", "invalid_argument", propose(turn="../../x")),
            ("in somebody's name", "invalid_argument", propose(requester=BOB)),
            ("outsiders that are a number", "invalid_argument", propose(outsiders=0)),
            ("people below nothing", "invalid_argument", propose(people=-1)),
            ("a model with a sentence", "invalid_argument", propose(model="x), approved by bob")),
            ("a tool of the gate's", "not_found", propose(tool="gate.rotate_key")),
            ("words from a sentence", "invalid_argument", propose(words_from=["bob, who agrees"])),
            ("words from somebody who is no user", "invalid_argument",
             propose(words_from=["approved-by-bob"])),
            ("words from seventeen", "invalid_argument", propose(words_from=[IDS[BOB]] * 17))):
        refused(name, code, "", ask)
    a = propose()()["approval"]
    tap.equal("who asked is who wrote it", slack.pending(a)["record"]["requester"], ALICE)
    rig.team = [BOB]
    rig.become(ALICE)
    refused("who left the team proposes nothing by an old turn", "permission_denied",
            "not in the team", propose())
    rig.team = [ALICE, BOB]
    rig.become(ALICE)


def test_noise(rig, slack):
    """Bytes of any kind: the gate lives, and says no."""
    dice = random.Random(7)
    good = form(slack.on_message(ready(slack), IDS[BOB], "approve"))
    taken = 0
    for _ in range(300):
        raw = list(good)
        for _ in range(dice.randint(1, 6)):
            raw[dice.randrange(len(raw))] = chr(dice.choice((37, 38, 61, 43, 48, 65, 255, 0x202e)))
        raw = "".join(raw)
        if raw == good:
            continue
        try:
            answer = slack.ask("slack_click", **signed(raw))
            taken += answer["state"] != "denied" and answer["principal"] != BOB
        except Refused:
            pass
    tap.equal("three hundred altered presses, signed: none for anybody else", taken, 0)
    for raw in ("", "{", "payload=", "payload=%", "payload=[]", "[]", "x" * 1_200_000,
                "payload=" + "%7B%22a%22:" * 2000, "{\"event\":" * 3000):
        refused(f"{raw[:12]!r}", "invalid_argument", "",
                lambda r=raw: slack.ask("slack_click", **signed(r)))
    tap.ok("the gate lives", slack.ask("status")["audit"]["sound"])


def test_picks(rig, slack):
    """Who asked picks one of those that a server named; nobody else, and nothing else."""
    rig.liar.plan = lambda _: failure("ambiguous", "two of them", details={"candidates": [
        {"display_name": n, "choice": {"value": n}} for n in ("one", "two")]})
    key, told = next(_keys), {"value": "two"}
    asked_by = slack.propose_in(slack.turn(mention(IDS[ALICE])), "fixture.put_value", key=key,
                                value="either", reason="as the model wrote it")["approval"]
    slack.wait(asked_by, "refused")
    rig.liar.plan = lambda _: good_plan()

    def pick(turn, choices, **more):
        return lambda: slack.ask("slack_propose", turn=turn, approval=asked_by, choices=choices,
                                 people=2, outsiders=False, **more)

    def press(user):
        payload = block_actions(user, "wingman.pick.2", f"{asked_by} 2", container={
            "type": "message", "message_ts": ts(), "channel_id": CHANNEL, "is_ephemeral": False},
            channel={"id": CHANNEL})
        return slack.turn(form(payload))
    turn = press(IDS[ALICE])
    for name, code, words, ask in (
            ("somebody else", "permission_denied", "says who asked", pick(press(IDS[BOB]), told)),
            ("words of a conversation", "permission_denied", "words pick nothing",
             pick(slack.turn(mention(IDS[ALICE])), told)),
            ("whom nobody offered", "not_found", "no such choice", pick(turn, {"value": "three"})),
            ("more than was offered", "not_found", "no such choice",
             pick(turn, {"value": "two", "reason": "another"})),
            ("nothing", "not_found", "no such choice", pick(turn, {})),
            ("with arguments", "invalid_argument", "nothing else",
             pick(turn, told, tool="fixture.put_value", arguments={"key": key})),
            ("with sources", "invalid_argument", "nothing else", pick(turn, told, sources=[])),
            ("without a choice", "invalid_argument", "nothing else",
             lambda: slack.ask("slack_propose", turn=turn, approval=asked_by))):
        refused(name + " is refused", code, words, ask)
    other = slack.propose_in(turn, "fixture.put_value", key=next(_keys), value="1",
                             reason=WHY)["approval"]
    refused("nor is one picked for what was not refused so", "not_found", "no such choice",
            lambda: slack.ask("slack_propose", turn=turn, approval=other, choices=told))
    again = pick(turn, told)()["approval"]
    record = slack.pending(again)["record"]
    entries = {e["name"]: e for e in record["prompt"]["arguments"]}
    tap.equal("it is the same call with what was picked", json.loads(record["arguments"]),
              {"key": key, "value": "two", "reason": "as the model wrote it"})
    tap.ok("the assistant wrote it still", record["author"] == "assistant" and
           record["slack"]["author"] == "assistant", record.get("author"))
    tap.ok("and whence each value comes stands there", "picked by who asked, of those that "
           "fixture named" in entries["value"]["from"] and "nowhere" in entries["key"]["from"][0], entries)


def test_tired(rig, slack):
    """A model that asks and asks is told to stop; who it asked for is not."""
    rig.limits = "{open_per_person: 1000, proposals_at_once: 1000}"
    rig.gate.stop()
    rig.write_gate_config()
    rig.start_gate()
    time.sleep(1.1)     # what was done before the store began is not believed
    with SlackSurface(rig) as slack:
        tired(slack)


def tired(slack):
    pending = [asked(slack, user=IDS[BOB]) for _ in range(6)]
    slack.let_read(pending[-1])
    for a in pending[:5]:
        slack.let_read(a)
        slack.press(a, IDS[BOB], "deny")
    tap.equal("his own no counts where the assistant asked",
              ["paused_until" in slack.show(a) for a in pending[:5]], [False] * 4 + [True])
    tap.equal("what waits already goes on waiting", slack.state(pending[5]), "pending")

    def put(turn):
        return slack.propose(turn, "fixture.put_value", key=next(_keys), value="1", reason=WHY)
    refused("the assistant asks for nothing more in his name", "rate_limited",
            f"the assistant for {BOB} were denied", lambda: put(slack.turn(mention(IDS[BOB]))))
    a = put(slack.turn(command(IDS[BOB])))
    tap.equal("his own form is taken", slack.pending(a)["record"]["requester"], BOB)
    a = put(slack.turn(mention(IDS[ALICE])))
    tap.equal("and so is what it asks for others", slack.pending(a)["record"]["requester"], ALICE)


def test_log(rig, slack):
    lines = [x for x in rig.audit() if x["event"] == "decision.refused"]
    tap.ok("what was refused is in the log, with who and why", any(
        x["data"].get("user") == IDS[BOB] and x["data"].get("evidence") == "signed" and
        x["data"].get("why") for x in lines), len(lines))
    text = rig.read("audit/gate.jsonl") + rig.read("run/gate.log")
    tap.ok("no secret and no signature is", SECRET not in text and "v0=" not in text)


TESTS = [test_forged, test_contents, test_once, test_racing, test_first_second, test_policy_now,
         test_four_eyes, test_not_a_console, test_uid, test_other_words, test_posting, test_turns,
         test_noise, test_picks, test_tired, test_log]


if __name__ == "__main__":
    run(SlackRig(), TESTS)
