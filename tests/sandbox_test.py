"""The sandbox itself, with an app on Slack's own library in Wingman's place: what it sends
is what Slack's code takes, what it draws is what the app said, and nothing hostile acts.
"""

import json
import os
import sys

import tap
from sandbox_rig import (ALICE, BOB, CONTROL, DIRECT, GENERAL, HOME, MALLORY, SECOPS, Person,
                         Script, fetch, missing)

HOSTILE = ("*bold* _it_ ~s~ `c` <https://evil.example|good.example> <@U0BOB00001> <!channel> "
           "<!subteam^S0SECTEAM1> https://evil.example www.evil.example :white_check_mark: "
           "<script>window.hit=1</script><img src=x onerror=window.hit=1> &lt;!here&gt; "
           "\" onmouseover=\"window.hit=1 ](javascript:window.hit=1) **b** # h")


def last_state(p):
    words = p.wait("[...document.querySelectorAll('#room pre')].map((e) => e.textContent)"
                   ".filter((t) => t.startsWith('state: ')).at(-1)")
    return json.loads(words.removeprefix("state: "))


# --- what persons do ---

def test_mention(s, p):
    p.go(ALICE, SECOPS)
    p.say("@wingman *please* look <at> https://host.example & this")
    p.wait_text("A prompt *of* peers")
    sent = json.loads([x for x in s.control("sent")["sent"] if x["kind"] == "events"][-1]["raw"])
    event = sent["event"]
    tap.equal("a mention says who, where and that it is one",
              (event["type"], event["user"], event["channel"]), ("app_mention", ALICE, SECOPS))
    tap.equal("its text is Slack's encoding", event["text"],
              "<@U0WINGMAN1> *please* look &lt;at&gt; <https://host.example> &amp; this")
    tap.equal("and its rich text is what was typed",
              [e["type"] for e in event["blocks"][0]["elements"][0]["elements"]],
              ["user", "text", "link", "text"])
    p.click("Approve")
    p.wait_text("Are you sure?", "dialog")
    p.click("Go back", "dialog button")
    p.wait("!document.querySelector('dialog')")
    tap.ok("who goes back has pressed nothing",
           not [x for x in s.control("sent")["sent"] if x["kind"] == "interactions"])
    p.click("Approve")
    p.click("Approve", "dialog button")
    p.wait_text("approve by U0ALICE001: of approve")
    tap.ok("the message took another's place",
           p.js("[...document.querySelectorAll('#room button')].every((b) => b.textContent !== 'Approve')"))
    payload = s.control("sent")["sent"][-1]
    tap.equal("Slack's code took the press", payload["status"], 200)


def test_menu_and_outsider(s, p):
    p.go(MALLORY, GENERAL)
    p.say("@wingman hello")
    p.wait_text("A prompt *of* peers")
    p.click("Deny")
    p.wait_text("you may not")
    tap.ok("what is for one person says so", "Only visible to you" in p.text("#room"))
    p.go(ALICE, GENERAL)
    tap.ok("and nobody else sees it", "you may not" not in p.text("#room"))
    p.choose("#room select", "two")
    p.wait_text("pick by U0ALICE001: two")
    tap.ok("a menu is chosen from", True)
    p.open(f"{s.url}?as={MALLORY}&at={SECOPS}")
    tap.equal("nor gets there", p.js("document.querySelector('main').dataset.at"), GENERAL)
    tap.ok("who is not in a channel does not see it", "secops" not in p.text("#side"))


def test_commands(s, p):
    p.go(ALICE, SECOPS)
    p.say("/wingman a & <b> @bob")
    p.wait_text("you said: a & <b>")
    tap.ok("an answer to a command is drawn, with who is named in it", "@Bob Responder" in p.text("#room"))
    p.say("/wingman later")
    p.wait_text("said later")
    tap.ok("so is what comes by response_url", True)
    p.say("/other")
    p.wait_text("not a valid command", "#notice")
    tap.ok("another command is none", True)
    p.go(BOB, SECOPS)
    tap.ok("others see nothing of it", "you said" not in p.text("#room"))


def test_form(s, p):
    p.go(ALICE, DIRECT[ALICE])
    p.say("/wingman form")
    p.wait("document.querySelector('.modal')")
    before = len(s.control("sent")["sent"])
    p.click("Send", ".modal button")
    p.wait_text("required field", ".modal")
    tap.equal("what must be filled in is, before anything is sent", len(s.control("sent")["sent"]), before)
    p.fill(p.field("text"), "wrong")
    p.fill(p.field("lines"), "two\nlines \u202e*x*")
    p.fill(p.field("number"), "7")
    p.choose(p.field("several"), "one", "two")
    p.choose(p.field("yes"), "two")
    p.choose(p.field("people"), ALICE, BOB)
    p.fill(".query", "abc")
    p.wait("[...document.querySelectorAll('.searched option')].some((o) => o.value === 'f-abc')")
    p.choose(p.field("found") + ":not(.query)", "f-abc")
    p.picture_of("sandbox-form")
    p.click("Send", ".modal button")
    p.wait_text("that is wrong", "[data-error=text]")
    tap.ok("an error stands at its field", True)
    tap.equal("and what was typed is still there",
              (p.js(f"document.querySelector(\"{p.field('number')}\").value"),
               p.js(f"document.querySelector(\"{p.field('found')}:not(.query)\").value")), ("7", "f-abc"))
    p.fill(p.field("text"), "right")
    p.js(f"document.querySelector(\"{p.field('day')}\").value = '2026-11-23'")
    p.js(f"document.querySelector(\"{p.field('time')}\").value = '07:30'")
    p.click("Send", ".modal button")
    p.wait("!document.querySelector('.modal')")
    state = {k: v["v"] for k, v in last_state(p).items()}
    option = lambda v, t=None: {"text": {"type": "plain_text", "text": t or v}, "value": v}
    for name, want in {
            "text": {"type": "plain_text_input", "value": "right"},
            "lines": {"type": "plain_text_input", "value": "two\nlines \u202e*x*"},
            "number": {"type": "number_input", "value": "7"},
            "one": {"type": "static_select", "selected_option": option("two")},
            "several": {"type": "multi_static_select", "selected_options": [option("one"), option("two")]},
            "found": {"type": "external_select", "selected_option": option("f-abc", "found abc")},
            "yes": {"type": "radio_buttons", "selected_option": option("two")},
            "boxes": {"type": "checkboxes", "selected_options": [option("one")]},
            "day": {"type": "datepicker", "selected_date": "2026-11-23"},
            "time": {"type": "timepicker", "selected_time": "07:30"},
            "moment": {"type": "datetimepicker", "selected_date_time": 1795370400},
            "person": {"type": "users_select", "selected_user": None},
            "people": {"type": "multi_users_select", "selected_users": [ALICE, BOB]}}.items():
        tap.equal(f"state of {name}", state.get(name), want)


def test_views_above_views(s, p):
    p.go(ALICE, DIRECT[ALICE])
    p.say("/wingman form")
    p.fill(p.field("text"), "more")
    p.click("Send", ".modal button")
    p.wait_text("Above", ".modal header")
    tap.ok("a view is pushed onto another", True)
    p.click("Back", ".modal button")
    p.wait_text("Every input", ".modal header")
    p.click("×", ".modal button")
    p.wait_text("closed, all: true")
    tap.ok("closing is told to who wants to know", not p.js("!!document.querySelector('.modal')"))


def test_home_and_shortcut(s, p):
    p.go(BOB, HOME)
    p.wait_text("home of U0BOB00001")
    p.click("Press")
    p.wait_text("pressed at home")
    p.go(ALICE, HOME)
    p.wait_text("home of U0ALICE001")
    p.fill(".query", "zz")
    p.wait("[...document.querySelectorAll('.searched option')].some((o) => o.value === 'f-zz')")
    p.choose(".searched select", "f-zz")
    p.wait_text("chose found zz")
    tap.ok("App Home is drawn, pressed and searched", True)
    p.go(ALICE, DIRECT[ALICE])
    p.say("keep <this>")
    p.wait_text("heard: keep <this>")
    p.click("Keep")
    p.wait_text("kept: keep <this>")
    tap.ok("a shortcut brings the message along", True)


# --- nothing that a value says acts ---

def test_hostile(p):
    with Script("peer.mjs", json.dumps({"control": CONTROL, "value": HOSTILE})) as s:
        p.sandbox = s
        p.go(ALICE, SECOPS)
        p.requests.clear()
        p.say("@wingman hello")
        p.wait_text("A prompt")
        p.picture_of("sandbox-hostile")
        block = "[data-by=U0WINGMAN1] [data-block-type={}]"
        for kind in ("rich_text", "section", "table"):
            css = block.format(kind)
            tap.ok(f"{kind} shows every byte of it",
                   " ".join(HOSTILE.split()) in " ".join(p.text(css).split()), p.text(css))
            tap.equal(f"{kind} makes nothing of it", p.js(
                f"[...document.querySelectorAll({json.dumps(css + ' *')})].filter((e) => e.matches("
                "'a, b, strong, em, i, u, s, del, img, script, [data-user-id], .slack_user, .slack_link,"
                " .slack_broadcast, .slack_user_group, .slack_emoji, [onmouseover], [onerror]')).length"), 0)
        tap.ok("no script ran", not p.js("'hit' in window"))
        tap.equal("nothing leads anywhere", p.js(
            "[...document.querySelectorAll('#room [href], #room [src]')]"
            ".filter((e) => !e.getAttribute('href')?.startsWith('?')).length"), 0)
        tap.ok("the same as mrkdwn would have been a link and bold", mrkdwn_acts(s, p))
        tap.ok("everything was asked of the sandbox alone", all(
            r.startswith((s.url, "data:")) for r in p.requests), p.requests)


def mrkdwn_acts(s, p):
    """What the test above would see if a renderer chose the wrong carrier."""
    api(s, "chat.postMessage", {"channel": SECOPS, "text": "x", "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "wrong " + HOSTILE}}]})
    p.wait_text("wrong ")
    return p.js("[...document.querySelectorAll('#room strong, #room .slack_link')].length") >= 2


# --- its own doors ---

def test_doors(s):
    at = s.url
    good = {"Origin": at.rstrip("/"), "X-Sandbox": "1"}
    body = {"as": ALICE, "what": "say", "channel": SECOPS, "text": "through the door"}
    tap.equal("its own page gets in", fetch(at + "do", body, good)[0], 200)
    for name, headers in {
            "another origin": {**good, "Origin": "http://evil.example"},
            "no origin": {"X-Sandbox": "1"}, "null": {**good, "Origin": "null"},
            "no header": {"Origin": good["Origin"]},
            "a form's type": {**good, "Content-Type": "text/plain"}}.items():
        tap.equal(f"{name} does not", fetch(at + "do", body, headers)[0], 403)
    tap.equal("nor another host, to act", fetch(at + "do", body, {**good, "Host": "evil.example"})[0], 421)
    tap.equal("or to read", fetch(at, headers={"Host": "evil.example:80"})[0], 421)
    tap.equal("what tests may do wants their token", fetch(at + "_control/sent")[0], 403)
    tap.equal("who is not there cannot speak", fetch(at + "do", {**body, "as": "U0NOBODY"}, good)[0], 409)
    tap.equal("nor somebody in a channel of others", fetch(at + "do", {**body, "as": MALLORY}, good)[0], 409)
    tap.equal("nothing else is done", fetch(at + "do", {**body, "what": "constructor"}, good)[0], 409)
    for path in ("../package.json", "tests", "page.mjs"):
        tap.equal(f"no file but the page's: {path}", fetch(at + path)[0], 404)


def api(s, method, body=None, token="xoxb-sandbox-bot"):
    return fetch(f"{s.ready['api']}/api/{method}", body or {},
                 {"Authorization": f"Bearer {token}"} if token else {})


def test_odd_blocks(s, p):
    """What is no block is said to be none, and the rest stands."""
    odd = [{"type": "constructor"}, {"type": "header", "text": {"text": {"a": 1}}}, {"type": "nothing"},
           {"type": "section", "text": {"type": "plain_text", "text": "the rest stands"},
            "accessory": {"type": "toString", "action_id": "a"}},
           {"type": "actions", "elements": [{"type": "button", "text": "no object"}]}]
    tap.ok("(posted)", api(s, "chat.postMessage", {"channel": SECOPS, "text": "x", "blocks": odd})[1]["ok"])
    p.go(ALICE, SECOPS)
    p.wait_text("the rest stands")
    words = p.text("#room")
    tap.ok("one that cannot be drawn says so", "cannot be drawn" in words and "of the type nothing" in words, words)


def test_web_api(s):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": []}
    tap.equal("no token, no answer", api(s, "auth.test", token=None)[1]["error"], "not_authed")
    tap.equal("a wrong one neither", api(s, "auth.test", token="xoxb-other")[1]["error"], "invalid_auth")
    tap.equal("a trigger of nobody", api(s, "views.open", {"trigger_id": "1.2", "view": view})[1]["error"],
              "invalid_trigger_id")
    tap.equal("a view that is none", api(s, "views.open", {"view": {**view, "title": {
        "type": "plain_text", "text": "x" * 25}}})[1]["error"], "invalid_arguments")
    tap.equal("what Slack has not", api(s, "chat.shout")[1]["error"], "unknown_method")
    tap.equal("a user group", api(s, "usergroups.users.list", {"usergroup": "S0SECTEAM1"})[1]["users"], [ALICE, BOB])
    s.control("faults", [{"method": "auth.test", "times": 1, "status": 429, "headers": {"Retry-After": "3"}}])
    tap.equal("a limit on demand", api(s, "auth.test")[0], 429)
    tap.equal("and then no more", api(s, "auth.test")[1]["ok"], True)
    user = api(s, "users.info", {"user": ALICE})[1]["user"]
    tap.equal("of a user what the emulator leaves out",
              (user["is_restricted"], user["is_stranger"], user["is_email_confirmed"]), (False, False, True))


def test_wrong_secret(p):
    with Script("peer.mjs", json.dumps({"control": CONTROL, "sign_with": "another"})) as s:
        p.sandbox = s
        p.go(ALICE, SECOPS)
        p.say("/wingman hello")
        p.wait_text("the app did not answer (http 401)", "#notice")
        tap.ok("another secret is refused by Slack's own code, and the page says so", True)


def main():
    if missing():
        tap.skip("the sandbox", missing())
        return tap.done()
    with Script("peer.mjs", json.dumps({"control": CONTROL})) as s, Person(s) as p:
        tap.run([lambda t=t: t(s, p) for t in (
            test_mention, test_menu_and_outsider, test_commands, test_form, test_views_above_views,
            test_home_and_shortcut, test_odd_blocks)])
        tap.run([lambda: test_doors(s), lambda: test_web_api(s), lambda: test_hostile(p),
                 lambda: test_wrong_secret(p)])
        tap.equal("every request of the sandbox was taken by Slack's code", [
            x for x in s.control("sent")["sent"] if x.get("status") != 200], [])
        tap.equal("the page complained of nothing", [
            e for e in p.errors if "status of 4" not in e and "ERR_INCOMPLETE" not in e], [])
    return tap.done()


if __name__ == "__main__":
    main()
