"""Forms in Slack from the command to the call that the server gets, for schemas of any shape:
nothing that was typed is lost, nothing is added, and what is wrong is said where it is. Then
what comes of calls: files, pages, steps of playbooks, revoking. Everything is real but Slack
and the one server."""

import contextlib
import json
import sqlite3

import tap
from doubles import emulator
from doubles.slack_front import TEAM
from hostile_test import failure, good_plan
from slack_forms_rig import OddSuite, tool
from slack_rig import SlackSuite, text_of

WHY = "as the test wants it"
BIG = "a line of many\n" * 60_000
CHOICES = [f"choice {i:03}" for i in range(101)]
KINDS = {
    "text": {"type": "string", "maxLength": 100}, "long": {"type": "string"},
    "whole": {"type": "integer", "minimum": -5, "maximum": 9007199254740991},
    "part": {"type": "number"}, "few": {"enum": ["a", "b", 1, None]},
    "many": {"type": "string", "enum": CHOICES},
    "several": {"type": "array", "items": {"type": "string", "enum": ["x", "y", "z"]}},
    "yes": {"type": "boolean"}, "day": {"type": "string", "format": "date"},
    "at": {"type": "string", "format": "date-time"},
    "person": {"type": "string", "x-wingman-kind": "person"},
    "people": {"type": "array", "items": {"type": "string", "x-wingman-kind": "person"}},
    "lines": {"type": "array", "items": {"type": "string"}},
    "nested": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/b"}},
               "required": ["a"], "additionalProperties": False},
    "either": {"anyOf": [{"type": "string"}, {"type": "object"}]},
    "maybe": {"type": ["string", "null"]}, "fixed": {"const": "only"},
}
TOOLS = [
    tool("kinds", KINDS, required=["text"], **{"$defs": {"b": {"type": "array", "items": {"type": "boolean"}}}}),
    tool("wide", {f"p{i:02}": {"type": "object"} if i % 2 else {"type": "string", "maxLength": 5}
                  for i in range(30)}, required=["p29"]),
    tool("free", {"a": {"type": "string"}}, additionalProperties={"type": "integer"},
         patternProperties={"^x_": {"type": "string"}}),
    tool("big", {"of": {"type": "string"}}),
    tool("change", {"target": {"type": "string"}, "reason": {"type": "string"}}, risk="write"),
]


# One yes, even of who asked for it, pins a server; and one read needs none.
POLICY = """rules:
  - {name: freed, server: odd, tool: big, free: true}
  - {name: all, needed: 1}
"""


def block_of(view, label):
    return next(b for b in view["blocks"] if b["type"] == "input" and b["label"]["text"] == label)


# --- every kind of field ---

def test_every_kind(rig):
    form = rig.run("odd.kinds", rig.alice)
    tap.ok("what must be there comes first, and there are more pages", form["submit"]["text"] == "Next"
           and form["title"]["text"] == "Page 1 of 2" and
           [b for b in form["blocks"] if b["type"] == "input"][0]["label"]["text"] == "text", form["title"])
    menu = block_of(form, "many")
    tap.equal("more choices than a menu holds are searched", menu["element"]["type"], "external_select")
    tap.equal("of all that fit a hundred are offered", len(rig.options(form, menu["block_id"], "")), 100)
    found = rig.options(form, menu["block_id"], "CE 100")
    tap.equal("and one by what is typed", [o["text"]["text"] for o in found], ["choice 100"])
    said = rig.next(form, rig.state(
        form, text="", whole="9007199254740993", part="0.1.2", day="2026-02-28", few="null",
        lines="a"))
    tap.equal("each fault stands at its field", {
        rig.label(b): said["errors"][b["block_id"]].split(",")[0] for b in form["blocks"]
        if b.get("block_id") in said["errors"]}, {
            "whole": "is beyond ±9007199254740991", "part": "must be a number such as 12 or 0.5"})
    state = rig.state(
        form, text="  a <b> & *c* \\ ", long="two\nlines\u202e", whole="-5", part="1e-7", few="null",
        many=found[0], several=["z", "x"], yes="No", day="2026-02-28", at=1795341600,
        person="U0SAMPLE01", people=["U0SAMPLE01"])
    second = rig.next(form, state)
    tap.ok("what is right leads on", "errors" not in second and
           second["title"]["text"] == "Page 2 of 2", second.get("errors"))
    said = rig.next(second, rig.state(second, nested='{"b": [1]}', lines="a\n b \n\nc", either="{",
                                      maybe="null", fixed='"other"'))
    faults = {rig.label(b): said["errors"][b["block_id"]] for b in second["blocks"]
              if b.get("block_id") in said["errors"]}
    tap.ok("JSON that is none is said at its field", list(faults) == ["either"], faults)
    said = rig.next(second, rig.state(second, nested='{"b": [1]}', lines="a\n b \n\nc", either='{"k": 1}',
                                      maybe="null", fixed='"other"'))
    faults = {rig.label(b): said["errors"][b["block_id"]] for b in second["blocks"]
              if b.get("block_id") in said["errors"]}
    tap.equal("and so is JSON that does not fit", sorted(faults), ["fixed", "nested"])
    end = rig.next(second, rig.state(second, nested='{"a": 1, "b": [true]}', lines="a\n b \n\nc",
                                     either='{"k": 1}', maybe="null", fixed='"only"'))
    tap.ok("then the gate is asked", "Asking the gate" in text_of(end["blocks"]), end)
    prompt = rig.prompt("odd.kinds")
    tap.equal("the call is what was filled in, no more and no less", rig.arguments(prompt.id), {
        "text": "  a <b> & *c* \\ ", "long": "two\nlines\u202e", "whole": -5, "part": 1e-7,
        "few": None, "many": "choice 100", "several": ["x", "z"], "yes": False, "day": "2026-02-28",
        "at": "2026-11-22T10:00:00Z", "person": "<@U0SAMPLE01>", "people": ["<@U0SAMPLE01>"],
        "nested": {"a": 1, "b": [True]}, "lines": ["a", "b", "c"], "either": {"k": 1},
        "maybe": None, "fixed": "only"})
    view = rig.changed(form, 0)
    tap.ok("the form says that it waits", "waits for a yes" in text_of(view["blocks"]), view)
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "This is over")
    tap.equal("and the server gets it", rig.given[-1], ("kinds", rig.arguments(prompt.id)))


def test_as_little_as_possible(rig):
    form = rig.run("odd.kinds", rig.alice)
    second = rig.next(form, rig.state(form, text="little"))
    rig.next(second, rig.state(second))
    prompt = rig.prompt("little")
    tap.equal("what was left empty is no argument", rig.arguments(prompt.id), {"text": "little"})


# --- pages ---

def test_pages(rig):
    form = rig.run("odd.wide", rig.alice)
    first = rig.state(form, p29='{"n": 29}', p00="zero", p01='{"broken": ', p02="two")
    said = rig.next(form, first)
    tap.equal("a page with a fault is not left", list(said["errors"]), [block_of(form, "p01")["block_id"]])
    first = rig.state(form, p29='{"n":29}', p00="zero", p01='{"n":1}', p02="two")
    second = rig.next(form, first)
    tap.equal("there are three", second["title"]["text"], "Page 2 of 3")
    at_12, at_13 = block_of(second, "p12"), block_of(second, "p13")
    again = rig.back(second, rig.state(second, p12="twelv", p13='{"half'))
    tap.equal("back on the first all of it stands there", rig.state(again), first)
    second = rig.next(again, rig.state(again, p02="deux"))
    tap.equal("and on the second, what cannot be read as well",
              (block_of(second, "p12")["element"]["initial_value"],
               block_of(second, "p13")["element"]["initial_value"]), ("twelv", '{"half'))
    tap.equal("at the same places", (block_of(second, "p12")["block_id"], block_of(second, "p13")["block_id"]),
              (at_12["block_id"], at_13["block_id"]))
    said = rig.next(second, rig.state(second))
    tap.equal("which is still wrong", list(said["errors"]), [at_13["block_id"]])
    third = rig.next(second, rig.state(second, p13='{"half": 1}'))
    tap.equal("the last leads to the prompt", third["submit"]["text"], "Review")
    metadata = {v["private_metadata"] for v in (form, second, third)}
    tap.ok("no page carries what was filled in", len(metadata) == 1 and len(metadata.pop()) < 40)
    rig.next(third, rig.state(third, p28="last"))
    prompt = rig.prompt("deux")
    tap.equal("nothing of any page is lost", rig.arguments(prompt.id), {
        "p29": {"n": 29}, "p00": "zero", "p01": {"n": 1}, "p02": "deux", "p12": "twelv",
        "p13": {"half": 1}, "p28": "last"})
    rig.send_view(form, first)
    tap.ok("a form that was sent in begins no second call", rig.slack.wait(
        lambda s: len([a for a in rig.open() if "deux" in json.dumps(rig.record(a))]) == 1))


def test_more_arguments(rig):
    form = rig.run("odd.free", rig.alice)
    said = rig.next(form, rig.state(form, a="x", **{"More arguments": '{"x_1": 2, "n": "m"}'}))
    tap.equal("arguments of any name are held against the schema too", len(said["errors"]), 1)
    rig.next(form, rig.state(form, a="x", **{"More arguments": '{"x_1": "two", "n": 3}'}))
    prompt = rig.prompt("x_1")
    tap.equal("and are part of the call", rig.arguments(prompt.id), {"a": "x", "x_1": "two", "n": 3})


# --- what gate and server find wrong ---

def test_faults_of_the_plan(rig):
    rig.liar.plan = lambda a: failure("not_found", f"nothing is known as '{a['target']}'", hint="ask first")
    form = rig.run("odd.change", rig.alice)
    before = len(rig.slack.find("views.update"))
    rig.next(form, rig.state(form, target="<!here> *x*", reason=WHY))
    again = rig.changed(form, before)
    inputs = [i for i, b in enumerate(again["blocks"]) if b["type"] == "input"]
    at = next(i for i, b in enumerate(again["blocks"]) if "nothing is known as" in text_of(b))
    tap.ok("what the server finds wrong comes back to the form, above its field, with what helps",
           at + 1 == inputs[0] and block_of(again, "target") == again["blocks"][inputs[0]] and
           "ask first" in text_of(again["blocks"][at]), again["blocks"])
    tap.equal("and all of it is there still", rig.state(again), rig.state(
        form, target="<!here> *x*", reason=WHY))
    rig.liar.plan = lambda _: good_plan()
    before = len(rig.slack.find("views.update"))
    rig.next(again, rig.state(again, target="y"))
    prompt = rig.prompt('"y"')
    tap.ok("mended, it goes on", "waits for a yes" in text_of(rig.changed(form, before)["blocks"]))
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    form = rig.run("odd.change", rig.alice)
    before = len(rig.slack.find("views.update"))
    rig.next(form, rig.state(form, target="y", reason=WHY))
    again = rig.changed(form, before)
    tap.ok("what the gate refuses comes back as well", "was denied" in text_of(again["blocks"]) and
           block_of(again, "target")["element"]["initial_value"] == "y", text_of(again["blocks"]))


# --- what was begun long ago ---

def test_begun_long_ago(rig):
    """Nobody remembers the turn that it was begun by, and so not where."""
    form = rig.run("odd.kinds", rig.alice)
    with contextlib.closing(sqlite3.connect(rig.path("slack/coordination.db"), timeout=20)) as db, db:
        key = "form/" + form["private_metadata"]
        (text,) = db.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        turn = json.loads(text)["turn"]
        db.execute("UPDATE entry SET value = ? WHERE key = ?", (text.replace(turn, "0" * 64), key))
    second = rig.next(form, rig.state(form, text="long ago"))
    rig.next(second, rig.state(second))
    prompt = rig.prompt("long ago")
    tap.ok("a form that was open for long still leads to a prompt, for who sent it in",
           prompt.channel.startswith("D"), prompt.channel)


def test_changed_meanwhile(rig):
    """Inputs are known by their numbers: in another schema they would be others."""
    form = rig.run("odd.change", rig.alice)
    change = next(t for t in rig.liar.tools if t["name"] == "change")
    change["inputSchema"]["properties"] = {"zone": {"type": "string"}, **change["inputSchema"]["properties"]}
    rig.suite.kill("wingman-gate")      # it looks at once when it starts
    rig.wait_ready()
    rig.pin()
    rig.wait_ready()
    answer = rig.send_view(form, rig.state(form, target="a", reason=WHY))
    tap.ok("a form of what the tool was before leads nowhere", "has changed since" in text_of(answer["view"]["blocks"]),
           answer)
    form = rig.run("odd.change", rig.alice)
    tap.ok("a new one is of what it is now", block_of(form, "zone"))


# --- what comes out ---

def approve(rig, prompt, who=None):
    rig.press(prompt, "approve", who or rig.alice)
    return rig.wait_text(prompt, "This is over")


def ask_big(rig, of):
    form = rig.run("odd.big", rig.alice)
    rig.next(form, rig.state(form, of=of))
    return approve(rig, rig.prompt(of))


def test_file(rig):
    rig.answers["big"] = lambda a: {"content": [
        {"type": "text", "text": f"<!here> {a['of']}\n" + BIG}]}
    prompt = ask_big(rig, "for a file")
    said = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts and
                       "sent as a file" in text_of(c.arguments["blocks"]))
    tap.equal("what is too long for pages has no button", said.buttons, {})
    done = rig.slack.wait_call("files.completeUploadExternal")
    tap.ok("but a file, in the thread", done.answer["ok"] and
           done.arguments["channel_id"] == rig.channel and
           done.arguments["thread_ts"] == prompt.ts, done)
    file = rig.slack.ask("files.info", file=done.arguments["files"][0]["id"])["file"]
    tap.ok("with all of it", file["name"] == "odd.big.txt" and file["size"] >= len(BIG), file)
    tap.equal("sent once", len(rig.slack.find("files.completeUploadExternal")), 1)


def test_no_file(rig):
    for method in ("files.getUploadURLExternal", "files.completeUploadExternal"):
        rig.slack.fault(method, {"ok": False, "error": "file_uploads_disabled"})
        prompt = ask_big(rig, f"without {method}")
        said = rig.message(lambda c, p=prompt: c.arguments.get("thread_ts") == p.ts and
                           "could not be sent" in text_of(c.arguments["blocks"]))
        button = said.buttons["wingman.result.show"]
        before = len(rig.slack.find("views.open"))
        press = {"type": "block_actions", "user": {"id": rig.bob, "team_id": TEAM},
                 "trigger_id": rig.slack.trigger(rig.bob),
                 "container": {"type": "message", "message_ts": said.ts, "channel_id": said.channel},
                 "channel": {"id": said.channel},
                 "actions": [{**button, "block_id": "b", "action_ts": "1.1"}]}
        rig.interact(press)
        view = rig.slack.wait_call("views.open", before + 1)
        page = view.arguments["view"]
        tap.ok(f"where {method} fails there are pages", "Page 1 of 30" in text_of(page["blocks"]) and
               "a line of many" in text_of(page["blocks"]), text_of(page["blocks"])[-200:])
        last = {**press, "trigger_id": rig.slack.trigger(rig.bob),
                "container": {"type": "view", "view_id": view.answer["view"]["id"]},
                "view": {**page, "id": view.answer["view"]["id"]},
                "actions": [{"type": "button", "action_id": "wingman.result.next", "block_id": "b",
                             "value": button["value"].split()[0] + " 30", "action_ts": "1.2"}]}
        del last["channel"]
        before = len(rig.slack.find("views.update"))
        rig.interact(last)
        text = text_of(rig.slack.wait_call("views.update", before + 1).arguments["view"]["blocks"])
        tap.ok("the last of which says how much that is", "characters shown" in text, text[-300:])


def test_file_of_a_freed_read(rig):
    """No prompt stands anywhere: it goes to the direct messages, which have an id of their own."""
    rig.answers["big"] = lambda a: {"content": [{"type": "text", "text": BIG}]}
    form = rig.run("odd.big", rig.alice)
    rig.next(form, rig.state(form, of="for me alone"))
    done = rig.slack.wait_call("files.completeUploadExternal")
    tap.ok("a file for who asked alone", done.answer["ok"] and done.arguments["channel_id"].startswith("D")
           and "thread_ts" not in done.arguments, done)
    view = rig.changed(form, 0)
    tap.ok("the form says that nobody had to be asked", "Nobody has to be asked" in text_of(view["blocks"]), view)
    rig.answers["big"] = lambda a: failure("not_found", f"nothing is kept of '{a['of']}'")
    form = rig.run("odd.big", rig.alice)
    before = len(rig.slack.find("views.update"))
    rig.next(form, rig.state(form, of="what is not"))
    again = rig.changed(form, before)
    tap.ok("where it fails the form is there again, and says why", "nothing is kept of" in
           text_of(again["blocks"]) and rig.state(again) == rig.state(form, of="what is not"), again)
    tap.equal("and in the channel nothing is said", rig.slack.find("chat.postMessage", channel=rig.channel), [])


# --- presses that are not of this prompt ---

def test_foreign_presses(rig):
    prompts = []
    for target in ("one", "other"):
        form = rig.run("odd.change", rig.alice)
        rig.next(form, rig.state(form, target=target, reason=WHY))
        prompts.append(rig.prompt(f'"{target}"'))
    one, other = prompts
    for prompt in prompts:
        rig.let_read(prompt)
    payload = rig.press_payload(one, "approve", rig.bob)
    value = other.buttons["wingman.approve"]["value"]
    for what, more in {
            "with the value of another prompt": {"actions": [{**payload["actions"][0], "value": value}]},
            "in another conversation": {"channel": {"id": "C0OTHER"}, "container": {
                **payload["container"], "channel_id": "C0OTHER"}},
            "on another message": {"container": {**payload["container"], "message_ts": other.ts},
                                   "message": {**payload["message"], "ts": other.ts}},
            "with a value that is none": {"actions": [{**payload["actions"][0], "value": "<!here> *x*"}]},
            "with an approval that is none": {"actions": [{**payload["actions"][0], "value":
                                                           "01zzzzzzzzzzzzzzzzzzzzzzzz " + "0" * 64}]}}.items():
        before = len(rig.slack.find("chat.postEphemeral", user=rig.bob)) + \
            len(rig.slack.find("chat.postMessage", channel=rig.bob))
        rig.interact({**payload, "trigger_id": rig.slack.trigger(rig.bob), **more})
        rig.slack.wait(lambda s, n=before: len(s.find("chat.postEphemeral", user=rig.bob)) +
                       len(s.find("chat.postMessage", channel=rig.bob)) > n)
        told = (rig.slack.find("chat.postEphemeral", user=rig.bob) +
                rig.slack.find("chat.postMessage", channel=rig.bob))
        tap.ok(f"a press {what} is told that it did not count", any(
            "did not count" in text_of(c.arguments["blocks"]) for c in told), told[-1:])
        tap.equal("and changes neither", [rig.record(p.id)["state"] for p in prompts], ["pending"] * 2)
    rig.press(one, "deny", rig.bob)
    rig.wait_text(one, "denied by bob")
    tap.equal("what is pressed where it stands counts, for that alone", (
        one.buttons, rig.record(other.id)["state"]), ({}, "pending"))


# --- a playbook's steps ---

def test_steps(rig):
    form = rig.run("playbooks.get_playbook", rig.alice)
    rig.next(form, rig.state(form, **{form["blocks"][1]["label"]["text"]: "account-takeover.md"}))
    said = rig.message(lambda c: "suggest a call" in text_of(c.arguments.get("blocks", [])))
    names = sorted(said.buttons)
    tap.ok("steps that suggest a call have a button", len(names) == 3 and
           "accounts.unblock_account" in said.text, (names, said.text))
    name = next(n for n, b in said.buttons.items() if b["text"]["text"] == "Propose step " + n.split(".")[-1] and
                "accounts.block_account" in said.text.split(n.split(".")[-1] + ". ")[1].split("\n")[1])

    def press(user, value=None):
        rig.interact({"type": "block_actions", "user": {"id": user, "team_id": TEAM},
                      "trigger_id": rig.slack.trigger(user),
                      "container": {"type": "message", "message_ts": said.ts, "channel_id": said.channel},
                      "channel": {"id": said.channel},
                      "actions": [{**said.buttons[name], "block_id": "b", "action_ts": "1.1",
                                   **({"value": value} if value else {})}]})

    before, waiting = len(rig.slack.find("views.open")), rig.open()
    press(rig.alice)
    call = rig.slack.wait_call("views.open", before + 1)
    form = {**call.arguments["view"], "id": call.answer["view"]["id"], "user": rig.alice}
    filled = json.dumps(rig.state(form))
    tap.ok("it opens the form of that tool, begun with what the page says",
           "accounts.block_account" in text_of(form["blocks"]) and "Account used by somebody else" in filled
           and "<person>" not in filled, filled)
    tap.ok("which says where that is from", "account-takeover" in text_of(form["blocks"]).lower().replace(" ", "-")
           and "read every value" in text_of(form["blocks"]), text_of(form["blocks"]))
    tap.equal("and asks for nothing yet", rig.open(), waiting)
    errors = rig.next(form, rig.state(form))["errors"]
    tap.ok("what the page left open is asked for", "is needed" in json.dumps(errors), errors)
    rig.next(form, rig.state(form, **{"Person, or typed": "jane.roe@example.test"}))
    prompt = rig.prompt("jane.roe")
    tap.equal("sent in it is a prompt like any other", rig.record(prompt.id)["requester"], rig.people["alice"])
    press(rig.alice, said.buttons[name]["value"].split()[0] + " 999")
    rig.message(lambda c: "no step 999" in text_of(c.arguments["blocks"]))
    tap.ok("a step that is not there says so", True)
    opened = len(rig.slack.find("views.open"))
    press(rig.mallory)
    rig.wait_audit(lambda line: line["event"] == "surface.refused" and line["data"].get("user") == rig.mallory)
    tap.equal("nobody from outside gets a form", len(rig.slack.find("views.open")), opened)
    rig.press(prompt, "deny", rig.alice)
    rig.wait_text(prompt, "denied by alice")


# --- near misses ---

def test_near_misses(rig):
    for words, meant in {
            "tolos": "did you mean 'tools'?", "STAUTS": "did you mean 'status'?",
            "run": "Say which tool", "docs": "Say which tool",
            "run accounts.block_acount": "did you mean accounts.block_account?",
            "docs block_account": "did you mean accounts.block_account?",
            "docs acounts.get_account": "did you mean accounts.get_account?",
            "tools acounts": "did you mean accounts?",
            "run <!here>.*x*": "there is no", "docs " + "../" * 20: "there is no",
            "tools \u202eodd": "no server", "zzzzzz": "I did not understand that. These"}.items():
        before = len(rig.slack.find("chat.postEphemeral", user=rig.bob)) + \
            len(rig.slack.find("views.open"))
        rig.command(words, rig.bob)
        rig.slack.wait(lambda s, n=before: len(s.find("chat.postEphemeral", user=rig.bob)) +
                       len(s.find("views.open")) > n)
        shown = (rig.slack.find("views.open") + rig.slack.find("chat.postEphemeral", user=rig.bob))
        text = "\n".join(text_of(c.arguments.get("view", c.arguments).get("blocks", [])) for c in shown)
        tap.ok(f"{words[:30]!r}: {meant}", meant in text, text[-600:])


# --- a shortcut ---

class Shortcuts(SlackSuite):
    slack_config = {"shortcuts": {"block_author": {
        "tool": "accounts.block_account", "text": "reason", "author": "person"}}}
    label = staticmethod(OddSuite.label)

    def configure(self, policy):
        """What is not asked for in Slack is decided in a channel there."""
        self.gate_slack = {"approvals_channel": self.channel}
        super().configure(policy)


def shortcut(rig, text, author):
    before = len(rig.slack.find("views.open"))
    rig.interact({"type": "message_action", "callback_id": "block_author",
                  "user": {"id": rig.alice, "team_id": TEAM}, "trigger_id": rig.slack.trigger(rig.alice),
                  "message_ts": "1795370400.000100", "channel": {"id": rig.channel, "name": "secops"},
                  "message": {"type": "message", "user": author, "ts": "1795370400.000100", "text": text}})
    call = rig.slack.wait_call("views.open", before + 1)
    return {**call.arguments["view"], "id": call.answer["view"]["id"], "user": rig.alice}


def test_shortcut(rig):
    form = shortcut(rig, "I typed my password &amp; more", "U0SAMPLE01")
    raw = json.dumps(form)
    tap.ok("its author is picked already, its words are filled in",
           '"initial_user": "U0SAMPLE01"' in raw and "I typed my password & more" in raw, raw)
    status, answer = rig.interact({
        "type": "view_submission", "user": {"id": rig.alice, "team_id": TEAM},
        "trigger_id": rig.slack.trigger(rig.alice),
        "view": {**form, "state": {"values": OddSuite.state(rig, form)}}})
    tap.equal("sent in as it stands", (status, answer["response_action"]), (200, "update"))
    prompt = rig.prompt("I typed my password")
    tap.ok("the people server knows who has that Slack account", "uid=john.doe" in prompt.text, prompt.text)
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "This is over")
    tap.equal("and the directory locks it", rig.suite.bind("john.doe") != 0, True)
    form = shortcut(rig, "x" * 3001, "U0SAMPLE01")
    raw = text_of(form["blocks"])
    tap.ok("words too long to be edited are shown, with a field for others",
           "kept as it is: 3001 characters" in raw and "reason, instead" in raw.lower(), raw)
    answer = rig.interact({
        "type": "view_submission", "user": {"id": rig.alice, "team_id": TEAM},
        "view": {**form, "state": {"values": OddSuite.state(rig, form)}}})[1]
    tap.ok("and what is wrong with them is said there", list(answer["errors"])[0].endswith(".instead"), answer)
    form = shortcut(rig, "x" * 41_000, "U0SAMPLE01")
    tap.ok("of a message longer than that nothing is taken, and that is said", "too long to be taken over" in
           text_of(form["blocks"]), text_of(form["blocks"]))


# --- a call from elsewhere, revoked ---

def test_revoke(rig):
    """A client's call is approved in Slack, and taken back there before it comes for it."""
    arguments = {"person": "jane.roe@example.test", "reason": "revoked before it ran"}
    _, answer = rig.suite.call("block_account", arguments)
    tap.equal("a client's call waits for a yes", answer["structuredContent"]["error"]["code"],
              "approval_required")
    prompt = rig.prompt("revoked before it ran")
    rig.press(prompt, "approve", rig.bob)
    rig.slack.wait(lambda s: "wingman.revoke" in prompt.buttons)
    tap.ok("approved, it can be taken back, and not approved again", "wingman.approve" not in prompt.buttons
           and "wingman.deny" not in prompt.buttons, prompt.buttons)
    tap.equal("nothing ran yet", rig.suite.bind("jane.roe"), 0)
    before = len(rig.slack.find("chat.postEphemeral"))
    rig.interact(rig.press_payload(prompt, "revoke", rig.mallory))
    rig.wait_audit(lambda line: line["event"] == "surface.refused" and line["data"].get("user") == rig.mallory)
    tap.equal("not by somebody from outside", rig.record(prompt.id)["state"], "approved")
    rig.interact(rig.press_payload(prompt, "revoke", rig.alice))
    rig.wait_text(prompt, "revoked by alice@example.test")
    tap.equal("who revoked it stands there, and no button", prompt.buttons, {})
    _, answer = rig.suite.call("block_account", arguments)
    tap.ok("the client does not get it any more", answer["isError"], answer)
    tap.equal("and nothing was done", rig.suite.bind("jane.roe"), 0)
    tap.ok("(nobody else was told)", len(rig.slack.find("chat.postEphemeral")) >= before)


# --- from a mention to the account ---

def test_from_a_mention(rig):
    rig.mention("run accounts.block_account", rig.alice)
    offer = rig.message(lambda c: "Run this tool" in text_of(c.arguments.get("blocks", [])))
    before = len(rig.slack.find("views.open"))
    rig.interact({"type": "block_actions", "user": {"id": rig.alice, "team_id": TEAM},
                  "trigger_id": rig.slack.trigger(rig.alice),
                  "container": {"type": "message", "message_ts": offer.ts, "channel_id": offer.channel},
                  "channel": {"id": offer.channel},
                  "actions": [{**offer.buttons["wingman.home.run"], "block_id": "b", "action_ts": "1.1"}]})
    call = rig.slack.wait_call("views.open", before + 1)
    form = {**call.arguments["view"], "id": call.answer["view"]["id"], "user": rig.alice}
    rig.submit(form, **{"or typed": "alex.kim@example.test"}, reason="asked for in a mention")
    prompt = rig.prompt("asked for in a mention")
    tap.equal("nothing before a yes", rig.suite.bind("alex.kim"), 0)
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "succeeded")
    tap.ok("from a mention by a form, a prompt and a press to the account",
           rig.suite.bind("alex.kim") != 0 and prompt.buttons == {}, prompt.text)
    tap.equal("and the logs verify", rig.verify_audit().returncode, 0)


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("forms in Slack", emulator.WHY)
    else:
        OddSuite(TOOLS).test([test_every_kind, test_as_little_as_possible, test_pages, test_more_arguments,
                              test_faults_of_the_plan, test_begun_long_ago, test_file, test_no_file, test_steps,
                              test_near_misses])
        OddSuite(TOOLS, policy=POLICY).test([test_file_of_a_freed_read, test_foreign_presses,
                                                   test_changed_meanwhile])
        Shortcuts().test([test_shortcut, test_revoke, test_from_a_mention])
    tap.done()
