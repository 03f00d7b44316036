"""Slack from end to end, as persons do it in front of the page of the sandbox: the real
Slack process, gate, servers and directory behind it, an independent Web API between.
"""

import json
import os
import re
import tempfile
import time

import tap
from gate_slack import form, signed
from sandbox_rig import (ALICE, BOB, CONTROL, DIRECT, GENERAL, HOME, MALLORY, SECOPS, Person,
                         Script, fetch, missing)
from slack import blocks, types
from suite import BIN, Suite

SLACK = os.path.join(BIN, "wingman-slack")
JOHN = "john.doe@example.test"
HOSTILE = ("*bold* <https://evil.example|good.example> <@U0BOB00001> <!channel> https://evil.example "
           "<script>window.hit=1</script> <img src=x onerror=window.hit=1> `c` :tada: \u202eback")
READ_MS = 1100      # nobody decides within a second of when the gate heard that it was posted


class Wingman(Suite):
    """What main.mjs started, in the words of the other tests."""

    def __init__(self, script, folder):
        super().__init__(folder)
        self.script, self.ready = script, script.ready["suite"]

    def strangers(self):
        return self.read("run", "wingman-slack.log").count('"slack.stranger"')

    def post(self, path, raw, **more):
        """As Slack would, unless 'more' says otherwise; the status."""
        how = signed(raw, secret=more.pop("secret", self.read("keys", "slack")), at=more.pop("at", None))
        return fetch(self.script.ready["app"] + path, raw.encode(), {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": how["timestamp"], "X-Slack-Signature": how["signature"], **more})[0]


def fill_in(p, tool, **fields):
    """The form of a tool, begun by its command."""
    p.say(f"/wingman run {tool}")
    p.wait("document.querySelector('.modal .input')")
    for label, words in fields.items():
        # By its label, as a person finds it.
        block = p.wait("[...document.querySelectorAll('.modal .input')].find((e) => "
                       f"e.querySelector('.label').textContent.startsWith({json.dumps(label.replace('_', ' '))}))"
                       "?.querySelector('[data-block]').dataset.block")
        p.fill(p.field(block), words)


def close_all(p):
    """It may be drawn anew under the mouse: until it is closed."""
    p.wait("document.querySelector('main')")
    while p.js("!!document.querySelector('.modal')"):
        p.js("document.querySelector('.modal [data-close=all]')?.click()")
        p.wait("!document.querySelector('.modal') || (window.tries = (window.tries ?? 0) + 1) % 20 === 0")


def sent_in(p, words):
    """The form is sent, and its prompt stands in the room with these words."""
    p.click("Review", ".modal button")
    p.wait_text(words, "#room")
    p.wait("[...document.querySelectorAll('#room button')].some((b) => b.textContent === 'Deny')")
    close_all(p)
    time.sleep(READ_MS / 1000)


def block_john(p, reason):
    """Until the prompt stands there."""
    fill_in(p, "accounts.block_account", **{"Person,_or_typed": JOHN, "Reason": reason})
    sent_in(p, reason)


def no_buttons(p):
    return ("![...document.querySelectorAll('#room button')]"
            ".some((b) => ['Approve', 'Deny'].includes(b.textContent))")


def decide(p, button, done):
    """Pressed, and again where the answer was that it was too soon; 'done' is what is waited for."""
    while True:
        seen = p.js("document.querySelectorAll('#room .ephemeral').length")
        p.click(button, "#room button")
        if p.js("!!document.querySelector('dialog')"):
            p.click(button, "dialog button")
        p.wait(f"({done}) || document.querySelectorAll('#room .ephemeral').length > {seen}")
        told = p.js("[...document.querySelectorAll('#room .ephemeral')].at(-1)?.innerText ?? ''")
        if p.js(f"!!({done})") or "read again" not in told:
            return p.wait(done)
        time.sleep(READ_MS / 1000)


# --- what persons see and do ---

def test_tools(w, p):
    p.go(ALICE, SECOPS)
    p.say("/wingman tools")
    p.wait_text("block_account")
    tap.ok("the tools are told to who asks, alone", "Only visible to you" in p.text("#room"))
    p.picture_of("tools")
    p.say("/wingman docs accounts.block_account")
    p.wait_text("Stops a person from logging in", ".modal")
    p.picture_of("docs")
    close_all(p)
    p.go(BOB, SECOPS)
    tap.ok("nobody else reads it", "block_account" not in p.text("#room"))


def test_words(w, p):
    """The same words in a mention and in direct messages; what the app says there comes back to
    it as Slack's events do, and is nobody's question."""
    p.go(BOB, SECOPS)
    p.say("@wingman tools accounts")
    p.wait("document.querySelector('.replies')?.innerText.includes('block_account')")
    tap.ok("a mention is answered in its thread", True)
    p.go(BOB, DIRECT[BOB])
    p.say("status")
    p.wait_text("up for", "#room .replies")
    p.say("<!channel> *what* is this")
    p.wait("document.querySelectorAll('#room .replies article').length === 2")
    before = [json.loads(x["raw"])["event"] for x in w.script.control("sent")["sent"] if x["kind"] == "events"]
    tap.equal("(its own words came back)", len([e for e in before if e.get("bot_id")]), 2)
    p.say("help")
    p.wait("document.querySelectorAll('#room .replies article').length >= 3")
    tap.equal("each is answered once", p.js("document.querySelectorAll('#room .replies article').length"), 3)


def test_doctor(w):
    said = w.wingman("doctor", "slack")
    tap.ok("the doctor finds nothing wrong", said.returncode == 0 and "0 to look at, 0 wrong" in said.stdout,
           said.stdout + said.stderr)


def test_outsider(w, p):
    p.go(MALLORY, GENERAL)
    p.say("/wingman tools")
    p.wait_text("Only visible to you")
    tap.ok("an outsider gets a sentence and no names", "accounts" not in p.text("#room"), p.text("#room"))
    p.picture_of("outsider")
    p.go(MALLORY, HOME)
    p.wait("document.querySelectorAll('#room .block').length")
    tap.ok("and a home without names", "accounts" not in p.text("#room"), p.text("#room"))


def test_approve(w, p):
    p.go(ALICE, SECOPS)
    fill_in(p, "accounts.block_account", **{"Person,_or_typed": JOHN, "Reason": "x"})
    p.picture_of("form")
    p.picture_of("slack-form", ".modal")
    p.click("Review", ".modal button")
    p.wait("document.querySelector('.modal .error')")
    p.picture_of("form-error")
    tap.ok("what does not fit is said at its field", p.js(
        "document.querySelector('.modal .error').closest('.input').innerText.includes('Reason')"))
    tap.equal("and nothing that was typed is lost", p.js(
        "[...document.querySelectorAll('.modal input')].some((e) => e.value === 'john.doe@example.test')"), True)
    close_all(p)
    block_john(p, "Phished; credentials seen in a dump")
    page = p.text("#room")
    for must in ("accounts.block_account", "destructive", JOHN, "uid=john.doe", "Phished",
                 w.ready["servers"]["accounts"]["url"], "alice@example.test"):
        tap.ok(f"the prompt shows {must}", must in page, page)
    p.picture_of("prompt")
    prompt = p.js("[...document.querySelectorAll('#room button')].find((b) => b.textContent === 'Approve')"
                  ".closest('article').dataset.ts")
    p.picture_of("slack-prompt", f"[data-ts='{prompt}']")
    tap.equal("nothing happens before a yes", w.bind("john.doe"), 0)
    p.click("Approve")
    p.wait_text("Are you sure?", "dialog")
    p.picture_of("prompt-confirm")
    p.click("Go back", "dialog button")
    p.wait("!document.querySelector('dialog')")
    decide(p, "Approve", no_buttons(p))
    p.wait_text("succeeded")
    tap.ok("the prompt has no buttons any more", True)
    p.wait_text("To undo it")
    tap.equal("John cannot sign in any more", w.bind("john.doe"), 49)
    tap.equal("nobody else is touched", w.bind("jane.roe"), 0)
    p.picture_of("result")
    p.wait(f"document.querySelector(\"[data-ts='{prompt}'] + .replies article\")")
    p.picture_of("slack-result", f"[data-ts='{prompt}'] + .replies article")
    approval = re.search(r"\b01[0-9a-z]{24}\b", page).group(0)
    events = [e["data"] for e in w.audit_events("gate", approval)]
    evidence = [e["decision"]["evidence"] for e in events if "decision" in e]
    tap.equal("the log says whose press it was", [(e["kind"], e["user"], e["channel"]) for e in evidence],
              [("slack", ALICE, SECOPS)])


def test_deny(w, p):
    p.go(ALICE, SECOPS)
    fill_in(p, "accounts.block_account", **{"Person,_or_typed": "jane.roe@example.test", "Reason": "To be denied"})
    sent_in(p, "To be denied")
    p.go(BOB, SECOPS)
    p.click("Deny, say why")
    p.fill(p.field("why", "why"), "not her, *really* <!here>")
    p.picture_of("deny-why")
    p.js("document.querySelector('.modal footer .primary').click()")
    p.wait_text("not her, *really* <!here>", "#room")
    p.wait(no_buttons(p))
    tap.ok("a no says why, word for word, and its buttons are gone", "bob@example.test" in p.text("#room"))
    tap.equal("and nothing was done", w.bind("jane.roe"), 0)
    p.picture_of("denied")


def test_review(w, p):
    """What does not fit into a message is read page by page, and approved on the last alone."""
    p.go(ALICE, DIRECT[ALICE])
    steps = [{"step": i + 1, "state": "done", "note": f"note {i} " + "\u202e" * 200} for i in range(9)]
    fill_in(p, "playbooks.record_progress", Playbook="phishing.md", Reason="Two people reported it",
            Steps=json.dumps(steps, ensure_ascii=False))
    sent_in(p, "It is not all here")
    tap.ok("a long prompt has no Approve in its message", p.js(
        "![...document.querySelectorAll('#room button')].some((b) => b.textContent === 'Approve')"))
    p.picture_of("review-message")
    p.click("Review")
    read, page, pages = "", 0, 2
    while page < pages:
        page += 1
        p.wait_text(f"Page {page} of", ".modal")
        pages = int(re.search(r"Page \d+ of (\d+)", p.text(".modal")).group(1))
        read += p.text(".modal")
        last = page == pages
        tap.equal(f"Approve is on the last page alone: {page}", p.js(
            "[...document.querySelectorAll('.modal button')].some((b) => b.textContent === 'Approve')"), last)
        if not last:
            p.click("Next page", ".modal button")
    p.picture_of("review-last")
    tap.ok("all of it was read", all(f"note {i} \\u202E" in read for i in range(9)) and "\u202e" not in read)
    time.sleep(READ_MS / 1000)
    p.click("Approve", ".modal button")
    p.wait_text("9 of 10 steps are done", "#room .replies")
    tap.ok("and it was done", True)
    close_all(p)


def test_where_outsiders_read(w, p):
    p.go(ALICE, GENERAL)
    fill_in(p, "accounts.get_account", **{"Person,_or_typed": JOHN})
    p.click("Review", ".modal button")
    p.wait("document.querySelector('.modal') && !document.querySelector('.modal .input')")
    close_all(p)
    p.go(ALICE, DIRECT[ALICE])
    p.wait_text("accounts.get_account", "#room")
    tap.ok("where outsiders read along a prompt goes to who asked", True)
    time.sleep(READ_MS / 1000)
    decide(p, "Approve", no_buttons(p))
    p.wait("[...document.querySelectorAll('#room .replies')].some((e) => e.innerText.includes('blocked_by'))")
    p.picture_of("read-result")
    p.go(MALLORY, GENERAL)
    tap.ok("and nothing of it to them", "john" not in p.text("#room"), p.text("#room"))


def test_shortcut(w, p):
    p.go(BOB, SECOPS)
    p.say("phishing mail from *a supplier*")
    p.wait_text("phishing mail from *a supplier*", "#room")
    p.click("Search playbooks")
    p.wait("document.querySelector('.modal .input')")
    tap.equal("a shortcut fills in the message's words", p.js(
        "document.querySelector('.modal .input [data-block]').value"), "phishing mail from *a supplier*")
    p.picture_of("shortcut")
    close_all(p)


def test_fault_of_the_plan(w, p):
    """What only the server knows to be wrong comes back to the form, with all that was typed."""
    p.go(ALICE, SECOPS)
    fill_in(p, "accounts.block_account", **{"Person,_or_typed": "nobody.at.all@example.test", "Reason": "To be mended"})
    p.click("Review", ".modal button")
    p.wait_text("nobody is known as", ".modal")
    p.picture_of("form-plan-fault", ".modal")
    tap.equal("a fault of the plan stands above its field", p.js(
        "(() => { const b = [...document.querySelectorAll('.modal .block')]; const at = b.findIndex((e) => "
        "e.innerText.includes('nobody is known as')); return b[at + 1].innerText.startsWith('Person'); })()"), True)
    block = p.js("[...document.querySelectorAll('.modal .input')].find((e) => "
                 "e.querySelector('.label').textContent.startsWith('Person, or typed')).querySelector('[data-block]').dataset.block")
    p.fill(p.field(block), "jane.roe@example.test")
    p.click("Review", ".modal button")
    p.wait_text("waits for a yes", ".modal")
    p.picture_of("form-waits", ".modal")
    close_all(p)
    tap.ok("and mended there it goes on", "To be mended" in p.text("#room"))
    time.sleep(READ_MS / 1000)
    decide(p, "Deny", no_buttons(p))


def test_steps(w, p):
    """A playbook's step is a button, and its button a form."""
    p.go(ALICE, DIRECT[ALICE])
    fill_in(p, "playbooks.get_playbook", Playbook="account-takeover.md")
    p.click("Review", ".modal button")
    p.wait("[...document.querySelectorAll('#room button')].some((b) => b.textContent.startsWith('Propose step'))")
    close_all(p)
    p.picture_of("steps")
    words = p.js("[...document.querySelectorAll('#room button')].filter((b) => b.textContent.startsWith('Propose step'))[1]"
                 ".textContent")
    p.click(words)
    p.wait("document.querySelector('.modal .input')")
    p.picture_of("step-form", ".modal")
    tap.ok("a step's button opens the form of its tool, which says whose words these are",
           "read every value" in p.text(".modal") and p.js(
               "[...document.querySelectorAll('.modal textarea')].some((e) => e.value === 'Account used by somebody else')"),
           p.text(".modal"))
    close_all(p)


def test_slow_slack(w, p):
    """Slack says 'later': what is to be said is said, once."""
    p.go(ALICE, DIRECT[ALICE])
    before = len(w.script.calls("chat.postMessage"))
    w.script.control("faults", [{"method": "chat.postMessage", "times": 2, "status": 429,
                                 "headers": {"Retry-After": "1"}}])
    fill_in(p, "accounts.get_account", **{"Person,_or_typed": "jane.roe@example.test"})
    sent_in(p, "jane.roe@example.test")
    posts = [c["answer"].get("ok") for c in w.script.calls("chat.postMessage")[before:]]
    tap.equal("after two limits the prompt stands there once", posts, [False, False, True])
    decide(p, "Deny", no_buttons(p))


def test_home(w, p):
    p.go(ALICE, HOME)
    p.wait_text("alice@example.test")
    p.wait_text("accounts.block_account")
    tap.ok("App Home says what was asked for lately", "succeeded" in p.text("#room"), p.text("#room"))
    p.wait_text("From the server playbooks")
    tap.ok("and what its panel's server says", "When it is over" in p.text("#room"), p.text("#room"))
    p.picture_of("home")
    p.picture_of("slack-home", "#room")
    p.click("Run", last=False)
    p.wait("document.querySelector('.modal .input')")
    tap.ok("a tool's button opens its form", True)
    close_all(p)


# --- what nobody may ---

def pressed_before(s):
    """The last press of Approve as it was sent."""
    for x in reversed(s.control("sent")["sent"]):
        if x["kind"] == "interactions" and "wingman.approve" in x["raw"]:
            return x
    return None


def test_presses_that_do_not_count(w, p):
    p.go(ALICE, SECOPS)
    fill_in(p, "accounts.block_account", **{"Person,_or_typed": "jane.roe@example.test", "Reason": HOSTILE})
    sent_in(p, "window.hit")
    p.picture_of("hostile-prompt")
    css = "[data-by=U0WINGMAN1]"
    shown = " ".join(p.text("#room").split())
    tap.ok("a hostile value stands there letter for letter",
           "*bold* <https://evil.example|good.example> <@U0BOB00001> <!channel> https://evil.example "
           "<script>window.hit=1</script>" in shown, shown)
    tap.ok("what turns text around is an escape", "\\u202E" in shown and "\u202e" not in shown, shown[-3000:])
    tap.equal("it makes no link, mention, picture or bold of its own", p.js(
        f"[...document.querySelectorAll({json.dumps(css)})].flatMap((a) => [...a.querySelectorAll("
        "'.slack_link, .slack_user, .slack_broadcast, .slack_emoji, img, script, strong:not(.plain *), a[data-href]')])"
        ".filter((e) => /evil|bold|channel|hit|tada|Bob/.test(e.outerHTML)).length"), 0)
    tap.ok("and nothing ran", not p.js("'hit' in window"))
    old = pressed_before(w.script)
    tap.ok("(a press was sent before)", bool(old))
    how = old["headers"]
    again = fetch(w.script.ready["app"] + "/slack/interactions", old["raw"].encode(), {
        "Content-Type": how["content-type"], "X-Slack-Request-Timestamp": how["x-slack-request-timestamp"],
        "X-Slack-Signature": how["x-slack-signature"]})
    tap.ok("the same press again changes nothing", again[0] in (200, 401, 409), again)
    calls = len(w.script.calls("chat.update"))
    held = p.js("(() => { const b = [...document.querySelectorAll('#room button')].find((e) => e.textContent === "
                "'Approve'); return {place: JSON.parse(b.closest('[data-place]').dataset.place), "
                "block: b.dataset.block, action: b.dataset.action}; })()")
    time.sleep(READ_MS / 1000)
    message = [c for c in w.script.calls("chat.postMessage") if c["answer"].get("ts") == held["place"]["ts"]][0]
    blocks = message["answer"]["message"]["blocks"]
    button = next(e for b in blocks for e in b.get("elements", []) if e.get("action_id") == held["action"])
    press = {"type": "block_actions", "api_app_id": "A0SANDBOX1", "team": {"id": "T0SANDBOX1"},
             "user": {"id": MALLORY, "team_id": "T0SANDBOX1"}, "trigger_id": "1.2.3",
             "container": {"type": "message", "message_ts": held["place"]["ts"], "channel_id": SECOPS,
                           "is_ephemeral": False}, "channel": {"id": SECOPS, "name": "secops"},
             "message": {"type": "message", "ts": held["place"]["ts"], "blocks": blocks},
             "actions": [{"type": "button", "action_id": held["action"], "block_id": held["block"],
                          "value": button["value"], "action_ts": "1.1"}]}
    strangers = w.strangers()
    w.post("/slack/interactions", form(press))
    w.wait_for(lambda: w.strangers() > strangers, what="the outsider to be refused")
    tap.equal("signed with another secret a press is refused",
              w.post("/slack/interactions", form({**press, "user": {"id": ALICE, "team_id": "T0SANDBOX1"}}),
                     secret="another"), 401)
    p.go(BOB, SECOPS)
    tap.ok("an outsider's press leaves the prompt as it is", p.js("!(" + no_buttons(p) + ")")
           and len(w.script.calls("chat.update")) == calls)
    tap.equal("and changes nothing", w.bind("jane.roe"), 0)
    decide(p, "Deny", no_buttons(p))


# --- signatures, with Slack's own code as the second opinion ---

def test_signatures(w, p):
    raw = "payload=" + "%7B%7D"
    now = int(time.time())
    long_ago, ahead = now - 3600, now + 3600
    how = signed(raw, secret="peer-secret")
    cases = {
        "good": (raw, {}), "another body": (raw + "x", {}), "an older one": (raw, {"at": long_ago}),
        "no timestamp": (raw, {"X-Slack-Request-Timestamp": ""}),
        "no signature": (raw, {"X-Slack-Signature": ""}),
        "upper case": (raw, {"X-Slack-Signature": "v0=" + "A" * 64}),
        "another version": (raw, {"X-Slack-Signature": how["signature"].replace("v0=", "v1=")}),
        "another timestamp": (raw, {"X-Slack-Request-Timestamp": str(now - 1)}),
    }
    with Script("peer.mjs", json.dumps({"control": CONTROL})) as peer:
        for name, (body, more) in cases.items():
            answers = []
            for base, secret in ((w.script.ready["app"], w.read("keys", "slack")),
                                 (peer.ready["app"], "peer-secret")):
                s = signed(raw, at=more.get("at"), secret=secret)
                headers = {"Content-Type": "application/x-www-form-urlencoded",
                           "X-Slack-Request-Timestamp": s["timestamp"], "X-Slack-Signature": s["signature"],
                           **{k: v for k, v in more.items() if k != "at"}}
                answers.append(fetch(base + "/slack/interactions", body.encode(), headers)[0] == 401)
            tap.equal(f"both say the same of: {name}", answers, [name != "good"] * 2)
    # Slack's own code takes what comes from the future; ours does not.
    tap.equal("what is dated ahead is refused", w.post("/slack/interactions", raw, at=ahead), 401)


# --- everything that was said, before a judge that was written from Slack's tables ---

def test_all_that_was_said(w):
    calls = [(c["method"], c["args"]) for c in w.script.control("calls")["calls"] if "args" in c]
    drawn = [c for c in calls if "blocks" in c[1] or "view" in c[1]]
    tap.ok("much was drawn", len(drawn) > 30, len(drawn))
    with types.Types() as judge:
        tap.equal("all of it is within Slack's types and limits", blocks.check_log(calls, judge), [])
    tap.equal("and none of it is markup, leads anywhere or calls anybody", [
        fault for _, args in drawn
        for fault in blocks.check_promises([args.get("blocks"), args.get("view")], users=(ALICE, BOB),
                                           hosts=("sandbox.slack.com",), channels=(SECOPS,))], [])
    refused = {c["answer"].get("error") for c in w.script.control("calls")["calls"]} - {None, "ratelimited"}
    # The press of somebody who is not even there, and a view that its reader closed sooner.
    refused -= {"user_not_in_channel", "not_found"}
    tap.equal("nothing that was asked of Slack lacked a scope or was refused", refused, set())


def main():
    if missing() or types.missing():
        tap.skip("Slack's page", missing() or types.missing())
        return tap.done()
    with tempfile.TemporaryDirectory(prefix="wingman-slack-") as folder:
        env = dict(os.environ, SANDBOX_CONTROL=CONTROL)
        with Script("main.mjs", "--dir", folder, "--bin", BIN, "--patient", env=env) as s, \
                Person(s, height=2200) as p:
            w = Wingman(s, folder)
            tap.run([lambda t=t: t(w, p) for t in (
                test_tools, test_words, test_outsider, test_approve, test_deny, test_review,
                test_where_outsiders_read, test_shortcut, test_fault_of_the_plan, test_steps,
                test_slow_slack, test_home,
                test_presses_that_do_not_count, test_signatures)])
            tap.run([lambda: test_doctor(w), lambda: test_all_that_was_said(w)])
            said = w.wingman("audit", "verify")
            tap.equal("the logs are sound", said.returncode, 0)
            tap.equal("the page complained of nothing", p.errors, [])
    return tap.done()


if __name__ == "__main__":
    main()
