"""Who may do what with the Slack process, and what it says: words, forms, App Home, strangers,
requests that are not Slack's. Everything is real but Slack."""

import json
import os
import time
import urllib.parse

import tap
from doubles import emulator
from doubles.slack_front import APP, BOT, TEAM
from slack_rig import SECRET, SlackSuite, elements, number, signed, text_of

WHY = "Laptop stolen at the airport"


class People(SlackSuite):
    slack_config = {
        "usergroup": "S0SEC",
        "shortcuts": {"block_author": {"tool": "accounts.block_account", "text": "reason",
                                       "author": "person", "link": "incident"}}}

    def __init__(self):
        super().__init__()
        self.slack.usergroups["S0SEC"] = [self.alice, self.bob]


def json_post(rig, body, headers=None):
    return rig.send("events", body, "application/json", headers=headers)


# --- the way in ---

def test_ingress(rig):
    status, answer = json_post(rig, json.dumps(
        {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}))
    tap.equal("a challenge is sent back", (status, answer), (200, {"challenge": "3eZbrw1aB"}))
    tap.equal("not without a signature", json_post(rig, json.dumps(
        {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}), headers={})[0], 401)
    status, _ = rig.send("commands", "ssl_check=1&token=x", "application/x-www-form-urlencoded",
                         headers={})
    tap.equal("a health call is answered", status, 200)
    tap.equal("by GET too", rig.get("/slack/commands?ssl_check=1")[0], 200)
    body = json.dumps({"type": "event_callback", "api_app_id": APP, "team_id": TEAM,
                       "event_id": f"Ev{number()}", "event": {"type": "unknown"}})
    raw, now = body.encode(), int(time.time())
    for what, headers in {
            "another secret": signed(raw, secret="guessed"), "another body": signed(raw + b" "),
            "too old": signed(raw, at=now - 302), "of the future": signed(raw, at=now + 310),
            "a time that is none": {**signed(raw), "X-Slack-Request-Timestamp": "+1"},
            "no time": {"X-Slack-Signature": signed(raw)["X-Slack-Signature"]},
            "upper case": {k: v.upper() for k, v in signed(raw).items()}}.items():
        tap.equal(f"{what}: not Slack's", json_post(rig, body, headers=headers), (401, None))
    tap.equal("what nobody waits for is acknowledged", json_post(rig, body), (200, None))
    for junk in ("", "{", "[]", "payload=%7B", "payload=x&payload=y", "a=b", "\x00", "x" * 1_100_000):
        status, _ = json_post(rig, junk)
        tap.ok(f"{junk[:20]!r} is refused", status in (400, 413), status)
    tap.equal("no such path", rig.send("other", "{}", "application/json")[0], 404)
    tap.equal("no GET", rig.get("/slack/events")[0], 405)
    tap.equal("it lives", rig.get("/healthz")[0], 200)
    text = rig.get("/metrics")[1]
    tap.ok("and counts", 'wingman_slack_requests_total{outcome="refused"} ' in text and
           text.endswith("# EOF\n"), text)


def test_not_ours(rig):
    before = len(rig.slack.calls)
    for what, event in {
            "of another app": {"api_app_id": "A0OTHER"},
            "of another team": {"team_id": "T0OTHER"}}.items():
        status, _ = rig.event({"type": "app_mention", "user": rig.alice, "text": "help",
                               "ts": "1.2", "channel": rig.channel, "team": TEAM}, **event)
        tap.equal(f"{what}: taken and nothing more", status, 200)
    said = {"type": "app_mention", "user": rig.alice, "text": "help", "ts": "1.2", "team": TEAM,
            "channel": rig.channel}
    for what, more in {"of a bot": {"bot_id": "B0OTHER"}, "our own": {"user": BOT},
                       "edited": {"edited": {"user": rig.alice, "ts": "1.3"}},
                       "with a subtype": {"subtype": "message_changed"},
                       "hidden": {"hidden": True}}.items():
        status, _ = rig.event({**said, **more})
        tap.equal(f"{what}: taken and nothing more", status, 200)
    tap.equal("and Slack was asked for nothing", len(rig.slack.calls), before)


# --- words ---

def test_words(rig):
    rig.command("", rig.alice)
    tap.ok("without a word: help", "docs TOOL" in rig.ephemeral(rig.alice, 1))
    for i, (words, said) in enumerate({
            "help": "approvals", "tools": "block_account", "tools people": "find",
            "TOOLS accounts": "get_account", "tools nowhere": "no server 'nowhere'",
            "status": "its log is sound", "approvals": "nothing", "docs x.y": "no server 'x'",
            "docs accounts.nothing": "no tool 'accounts.nothing'", "frobnicate": "These words I",
            "run": "These words I", "docs": "These words I", "run " + "x" * 300: "These words I"
            }.items()):
        rig.command(words, rig.alice)
        text = rig.ephemeral(rig.alice, i + 2)
        tap.ok(f"{words[:20]}: {said}", said in text, text)
    rig.command("docs accounts.block_account", rig.alice)
    view = rig.slack.wait_call("views.open").arguments["view"]
    tap.ok("docs are a modal", "What it does" in text_of(view["blocks"]) and
           "wingman.home.run" in elements(view["blocks"]), view)
    rig.mention("tools accounts", rig.bob)
    answer = rig.message(lambda c: "block_account" in text_of(c.arguments.get("blocks", [])))
    tap.equal("a mention is answered in its thread", answer.channel, rig.channel)
    rig.mention("please block everybody", rig.bob)
    rig.message(lambda c: "I did not understand" in text_of(c.arguments.get("blocks", [])))
    rig.mention("run accounts.block_account", rig.bob)
    offer = rig.message(lambda c: "Run this tool" in text_of(c.arguments.get("blocks", [])))
    before = len(rig.slack.find("views.open"))
    rig.interact({"type": "block_actions", "user": {"id": rig.bob, "team_id": TEAM},
                  "trigger_id": rig.slack.trigger(rig.bob),
                  "container": {"type": "message", "message_ts": offer.ts,
                                "channel_id": offer.channel},
                  "channel": {"id": offer.channel},
                  "actions": [{**offer.buttons["wingman.home.run"], "block_id": "b",
                               "action_ts": "1.1"}]})
    view = rig.slack.wait_call("views.open", before + 1).arguments["view"]
    tap.equal("where there is no trigger a button brings one", view["callback_id"], "wingman.form")
    opened = rig.slack.ask("conversations.open", users=rig.alice)["channel"]["id"]
    rig.event({"type": "message", "channel_type": "im", "user": rig.alice, "text": "status",
               "ts": "1795370400.000100", "channel": opened, "team": TEAM})
    answer = rig.message(lambda c: c.arguments.get("channel") == opened)
    tap.ok("a direct message is answered below it", answer and rig.slack.find(
        "chat.postMessage", channel=opened, thread_ts="1795370400.000100"))


# --- who ---

def test_strangers(rig):
    rig.command("tools", rig.mallory)
    text = rig.ephemeral(rig.mallory)
    tap.ok("a stranger gets one polite sentence", "Sorry" in text and "accounts" not in text, text)
    opened = len(rig.slack.find("views.open"))
    rig.command("run accounts.block_account", rig.mallory)
    rig.mention("help", rig.mallory)
    rig.wait_audit(lambda line: line["event"] == "surface.refused" and
                   line["data"].get("user") == rig.mallory, 3)
    tap.equal("and no more in the same minute", len(rig.slack.find(
        "chat.postEphemeral", user=rig.mallory)), 1)
    tap.equal("nor a form", len(rig.slack.find("views.open")), opened)
    tap.ok("each is in the gate's log", True)
    rig.event({"type": "app_home_opened", "user": rig.mallory, "channel": "D0", "tab": "home"})
    view = rig.slack.wait_call("views.publish", user_id=rig.mallory).arguments["view"]
    tap.ok("App Home tells a stranger no names", "accounts" not in json.dumps(view), view)
    status, answer = rig.interact({
        "type": "block_suggestion", "user": {"id": rig.mallory, "team_id": TEAM},
        "action_id": "wingman.home.search", "block_id": "search", "value": "block",
        "container": {"type": "view", "view_id": "V1"}})
    tap.equal("nor does a menu", (status, answer), (200, {"options": []}))


def test_standing(rig):
    """Of the gate's team, and yet not now."""
    def refused(why):
        return sum(1 for x in rig.audit() if x.get("event") == "surface.refused" and
                   x["data"].get("user") == rig.bob and x["data"]["why"] == why)

    for what, why, change in (
            ("deactivated", "deactivated", {"deleted": True}),
            ("a guest", "a guest", {"is_restricted": True}),
            ("a guest of one channel", "a guest", {"is_ultra_restricted": True}),
            ("a stranger", "of another organisation", {"is_stranger": True}),
            ("of another team", "of another organisation", {"team_id": "T0OTHER"})):
        rig.slack.users[rig.bob] = change
        rig.event({"type": "user_change", "user": {"id": rig.bob}})
        opened, logged = len(rig.slack.find("views.open")), refused(why)
        rig.command("run accounts.block_account", rig.bob)
        rig.wait_until(lambda w=why, n=logged: refused(w) > n, what)
        tap.equal(f"{what}: in the gate's log, and no form",
                  len(rig.slack.find("views.open")), opened)
    del rig.slack.users[rig.bob]
    rig.slack.usergroups["S0SEC"] = [rig.alice]
    rig.event({"type": "subteam_members_changed", "subteam_id": "S0SEC"})
    rig.command("help", rig.bob)
    rig.wait_log("slack.stranger", "not in the user group")
    rig.slack.usergroups["S0SEC"] = [rig.alice, rig.bob]
    rig.event({"type": "subteam_members_changed", "subteam_id": "S0SEC"})
    rig.slack.fault("users.info", {"ok": False, "error": "fatal_error"}, times=9)
    rig.command("help", rig.bob)
    rig.wait_log("slack.who", "")
    tap.ok("who cannot be asked about is refused", rig.slack.wait(
        lambda s: any("cannot find out right now" in text_of(c.arguments["blocks"])
                      for c in s.find("chat.postEphemeral", user=rig.bob))))
    rig.slack.faults.clear()
    rig.event({"type": "user_change", "user": {"id": rig.bob}})
    before = len(rig.slack.find("chat.postEphemeral", user=rig.bob))
    rig.command("help", rig.bob)
    tap.ok("and may again", "docs TOOL" in rig.ephemeral(rig.bob, before + 1))


def test_outsiders(rig):
    """Where a stranger reads along nothing is said."""
    rig.slack.members["C0MIXED"] = [rig.alice, rig.mallory, BOT]
    before = len(rig.slack.find("chat.postMessage", channel=rig.alice))
    rig.mention("tools accounts", rig.alice, channel="C0MIXED")
    rig.slack.wait_call("chat.postMessage", before + 1, channel=rig.alice)
    tap.equal("the answer goes to the person alone",
              rig.slack.find("chat.postMessage", channel="C0MIXED"), [])
    form = rig.run("accounts.get_account", rig.alice, channel="C0MIXED")
    rig.submit(form, person="alice@example.test")
    prompt = rig.prompt("get_account")
    tap.ok("and the prompt, which says why", prompt.channel.startswith("D") and
           "outside the team" in prompt.text, prompt.text)
    rig.press(prompt, "deny", rig.alice)
    rig.wait_text(prompt, "denied by alice")
    before = len(rig.slack.find("chat.postMessage", channel=rig.alice))
    rig.event({"type": "app_mention", "user": rig.alice, "text": "help", "ts": "1.9", "team": TEAM,
               "channel": rig.channel}, is_ext_shared_channel=True)
    rig.slack.wait_call("chat.postMessage", before + 1, channel=rig.alice)
    tap.ok("nor in a shared channel", True)


# --- forms ---

def test_form(rig):
    form = rig.run("accounts.block_account", rig.alice)
    status, answer = rig.submit(form, person="", reason="no", expires="3 weeks")
    tap.equal("what is wrong is said where it is", (status, answer["response_action"]),
              (200, "errors"))
    tap.ok("at its input", set(answer["errors"]) <= {b.get("block_id") for b in form["blocks"]}
           and len(answer["errors"]) >= 1, answer)
    status, answer = rig.submit(form, person="nobody.at.all@example.test", reason=WHY)
    tap.equal("what is well-formed is proposed", answer["response_action"], "update")
    told = rig.message(lambda c: "nobody is known as" in text_of(c.arguments.get("blocks", [])))
    tap.ok("a plan that fails is told to who asked", "accounts.block_account" in told.text and
           told.channel.startswith("D"), told.text)
    form = rig.run("accounts.block_account", rig.alice)
    status, answer = rig.submit({**form, "user": rig.bob}, person="a@b.c", reason=WHY)
    tap.ok("a form is its person's alone", "begin anew" in json.dumps(answer), answer)
    status, answer = rig.submit({**form, "private_metadata": "../../x"}, person="a", reason=WHY)
    tap.ok("and has one id", "begin anew" in json.dumps(answer), answer)


def test_shortcut(rig):
    before = len(rig.slack.find("views.open"))
    status, _ = rig.interact({
        "type": "message_action", "callback_id": "block_author", "user": {
            "id": rig.alice, "team_id": TEAM}, "trigger_id": rig.slack.trigger(rig.alice),
        "message_ts": "1795370400.000100", "channel": {"id": rig.channel, "name": "secops"},
        "message": {"type": "message", "user": rig.bob, "ts": "1795370400.000100",
                    "text": "I clicked on <https://evil.example/|a link> &amp; typed <!here>"}})
    view = rig.slack.wait_call("views.open", before + 1).arguments["view"]
    tap.ok("a shortcut opens the form of its tool, filled in", "https://evil.example/" in
           json.dumps(view) and rig.bob in json.dumps(view) and "acme.slack.com" in
           json.dumps(view), view)
    before = len(rig.slack.find("chat.postEphemeral", user=rig.alice))
    rig.interact({
        "type": "message_action", "callback_id": "other", "user": {
            "id": rig.alice, "team_id": TEAM}, "trigger_id": rig.slack.trigger(rig.alice),
        "message_ts": "1795370400.000100", "channel": {"id": rig.channel, "name": "secops"},
        "message": {"type": "message", "user": rig.bob, "ts": "1795370400.000100", "text": "x"}})
    tap.ok("one that is for nothing says so", "Nobody has said" in
           rig.ephemeral(rig.alice, before + 1))


# --- prompts ---

def asked(rig, who="john.doe", user=None, reason=WHY):
    form = rig.run("accounts.block_account", user or rig.alice)
    rig.submit(form, person=f"{who}@example.test", reason=reason)
    return rig.prompt(reason)


def test_deny_and_why(rig):
    prompt = asked(rig, reason="one to be denied")
    before = len(rig.slack.find("views.open"))
    rig.press(prompt, "deny_why", rig.bob)
    view = rig.slack.wait_call("views.open", before + 1)
    status, _ = rig.interact({
        "type": "view_submission", "user": {"id": rig.bob, "team_id": TEAM},
        "trigger_id": rig.slack.trigger(rig.bob), "view": {
            **view.arguments["view"], "id": view.answer["view"]["id"], "state": {"values": {
                "why": {"why": {"type": "plain_text_input", "value": "*not* <!here>"}}}}}})
    rig.wait_text(prompt, "denied by bob@example.test")
    tap.ok("the reason stands in the message, as it was", "*not* <!here>" in prompt.text and
           prompt.buttons == {}, prompt.text)


def test_presses(rig):
    prompt = asked(rig, reason="presses that do not count")
    rig.interact(rig.press_payload(prompt, "approve", rig.mallory))
    rig.wait_audit(lambda line: line["event"] == "surface.refused" and
                   line["data"].get("user") == rig.mallory)
    before = len(rig.slack.find("chat.postEphemeral", user=rig.bob))
    payload = rig.press_payload(prompt, "approve", rig.bob)
    payload["message"]["blocks"] = payload["message"]["blocks"][1:]
    rig.let_read(prompt)
    rig.interact(payload)
    text = rig.ephemeral(rig.bob, before + 1)
    tap.ok("a press that does not count says why", "not what the gate drew" in text, text)
    tap.equal("and nothing happened", rig.record(prompt.id)["state"], "pending")
    rig.press(prompt, "deny", rig.alice)
    rig.wait_text(prompt, "denied by alice")
    before = len(rig.slack.find("chat.postEphemeral", user=rig.bob))
    late = {**payload, "trigger_id": "late"}
    rig.interact(late)
    tap.ok("too late is told too", "already" in rig.ephemeral(rig.bob, before + 1))


def test_home(rig):
    rig.event({"type": "app_home_opened", "user": rig.alice, "channel": "D0", "tab": "home"})
    view = rig.slack.wait_call("views.publish", user_id=rig.alice).arguments["view"]
    tap.ok("App Home says who and what", "alice@example.test" in text_of(view["blocks"]) and
           "accounts" in text_of(view["blocks"]), view)
    prompt = asked(rig, reason="shown in App Home")
    rig.slack.wait(lambda s: any(
        prompt.id in json.dumps(c.arguments) for c in s.find("views.publish", user_id=rig.alice)))
    tap.ok("what waits comes there by itself", True)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    rig.slack.wait(lambda s: prompt.id not in json.dumps(
        s.find("views.publish", user_id=rig.alice)[-1].arguments))
    tap.ok("and goes", True)
    status, answer = rig.interact({
        "type": "block_suggestion", "user": {"id": rig.alice, "team_id": TEAM},
        "action_id": "wingman.home.search", "block_id": "search", "value": "block",
        "container": {"type": "view", "view_id": "V1"}})
    tap.ok("tools are searched", "accounts.block_account" in json.dumps(answer), answer)


def test_duplicates(rig):
    event = {"type": "app_mention", "user": rig.alice, "text": f"<@{BOT}> status", "ts": "1.77",
             "team": TEAM, "channel": rig.channel}
    number_of = f"Ev{number()}"
    for _ in range(3):
        rig.event(event, event_id=number_of)
        time.sleep(0.01)
    rig.slack.wait_call("chat.postMessage", 1, thread_ts="1.77")
    rig.event({**event, "ts": "1.78"})
    rig.slack.wait_call("chat.postMessage", 1, thread_ts="1.78")
    tap.equal("a delivery that comes again does nothing again",
              len(rig.slack.find("chat.postMessage", thread_ts="1.77")), 1)


# --- what Slack is known to send ---

FIXTURES = os.path.join(os.environ["WINGMAN_SOURCE"], "..", "shared", "slack", "fixtures")


def fixture(rig, name):
    with open(os.path.join(FIXTURES, name), encoding="utf-8") as f:
        text = f.read()
    for known, ours in (("A0WINGMAN1", APP), ("T0ACMESEC1", TEAM), ("U0WINGMAN1", BOT),
                        ("U0ALICE001", rig.alice), ("U0BOBOUT01", rig.mallory),
                        ("C0SECOPS01", rig.channel)):
        text = text.replace(known, ours)
    return text


def test_fixtures(rig):
    if not os.path.isdir(FIXTURES):
        tap.skip("what Slack is known to send", "the fixtures are not here")
        return
    for name in sorted(os.listdir(FIXTURES)):
        stem, _, kind = name.partition(".")
        if stem.startswith(("event_", "url_verification")):
            status, answer = json_post(rig, fixture(rig, name))
        elif stem.startswith("interaction_") and kind == "json":
            status, answer = rig.send("interactions", "payload=" + urllib.parse.quote_plus(
                fixture(rig, name)), "application/x-www-form-urlencoded")
        elif stem.startswith(("slash_command", "interaction_")):
            status, answer = rig.send("commands", fixture(rig, name).strip(),
                                      "application/x-www-form-urlencoded")
        else:
            continue
        tap.equal(f"{name} is taken", status, 200)
        if stem == "event_app_mention":
            rig.slack.wait_call("chat.postMessage", thread_ts="1795370400.000100")
            tap.ok("and answered in its thread", True)
        if stem == "event_app_home_opened_home":
            rig.slack.wait_call("views.publish", user_id=rig.alice)
            tap.ok("and App Home is drawn", True)
        if stem == "interaction_block_suggestion":
            tap.ok("with options", "options" in answer, answer)
    tap.equal("it lives", rig.get("/readyz")[0], 200)


# --- who decides besides ---

PAIRS = """rules:
  - {name: pairs, server: accounts, needed: 1, four_eyes: true}
"""


class Pairs(SlackSuite):
    pass


def test_two_persons(rig):
    prompt = asked(rig, reason="for another one to decide")
    told = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts)
    named = json.dumps(told.blocks)
    tap.ok("who may decide is named under it, who asked is not",
           rig.bob in named and rig.alice not in named, named)
    before = len(rig.slack.find("chat.postEphemeral", user=rig.alice))
    rig.press(prompt, "approve", rig.alice)
    text = rig.ephemeral(rig.alice, before + 1)
    tap.ok("who asked cannot decide it alone", "did not count" in text, text)
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "This is over")
    tap.ok("the other can", "approved by bob@example.test" in prompt.text and
           "succeeded" in prompt.text, prompt.text)


def test_by_messages(rig):
    """Asked where nobody else reads: those who may decide get the prompt themselves."""
    rig.slack.members["C0MIXED"] = [rig.alice, rig.mallory, BOT]
    form = rig.run("accounts.block_account", rig.alice, channel="C0MIXED")
    rig.submit(form, person="jane.roe@example.test", reason="in the other one's messages")
    posted = rig.slack.wait(lambda s: len([
        c for c in s.find("chat.postMessage") if "in the other one" in
        text_of(c.arguments.get("blocks", [])) and "wingman.deny" in
        elements(c.arguments["blocks"])]) == 2 and [
            c for c in s.find("chat.postMessage") if "in the other one" in
            text_of(c.arguments["blocks"])])
    tap.equal("in direct messages of both", {c.arguments["channel"] for c in posted},
              {rig.alice, rig.bob})
    theirs = next(c for c in posted if c.arguments["channel"] == rig.bob)
    prompt = rig.stands(theirs)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    other = rig.stands(next(c for c in posted if c.arguments["channel"] == rig.alice), False)
    rig.wait_text(other, "denied by bob")
    tap.equal("a no closes both", (prompt.buttons, other.buttons), ({}, {}))


class PairsDirect(SlackSuite):
    slack_config = {"tell_approvers": "direct"}


class PairsUntold(SlackSuite):
    slack_config = {"tell_approvers": "no"}


def prompts_of(rig, reason):
    return {c.arguments["channel"] for c in rig.slack.find("chat.postMessage")
            if reason in text_of(c.arguments.get("blocks", [])) and
            "wingman.deny" in elements(c.arguments["blocks"])}


def test_told_directly(rig):
    prompt = asked(rig, reason="told in direct messages")
    rig.slack.wait(lambda _: len(prompts_of(rig, "told in direct messages")) == 2)
    tap.equal("who may decide gets the prompt in direct messages besides",
              prompts_of(rig, "told in direct messages"), {rig.channel, rig.bob})
    theirs = rig.stands(rig.message(lambda c: c.arguments["channel"] == rig.bob))
    rig.press(theirs, "approve", rig.bob)
    rig.wait_text(theirs, "This is over")
    rig.wait_text(prompt, "This is over")
    tap.equal("and a yes there closes both", (theirs.buttons, prompt.buttons), ({}, {}))


def test_told_nobody(rig):
    prompt = asked(rig, reason="told to nobody")
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "This is over")
    tap.equal("where nobody is to be told nobody is", (prompts_of(rig, "told to nobody"), [
        c for c in rig.slack.find("chat.postMessage") if "waits for somebody" in
        text_of(c.arguments.get("blocks", []))]), ({rig.channel}, []))


TESTS = [test_ingress, test_not_ours, test_words, test_strangers, test_standing, test_outsiders,
         test_form, test_shortcut, test_deny_and_why, test_presses, test_home, test_duplicates,
         test_fixtures]


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("the Slack process", emulator.WHY)
    else:
        People().test(TESTS)
        Pairs(policy=PAIRS).test([test_two_persons, test_by_messages])
        PairsDirect(policy=PAIRS).test([test_told_directly])
        PairsUntold(policy=PAIRS).test([test_told_nobody])
    tap.done()
