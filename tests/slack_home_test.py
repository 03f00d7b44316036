"""App Home with everything real but Slack: who may do what, panels from a server that tells of
changes, what is drawn anew and what is not."""

import json
import os
import time

import tap
from doubles import emulator
from doubles.slack_front import TEAM
from gate_client import GateClient
from gate_rig import FIXTURE, Program, free_port
from slack_forms_rig import OddSuite, tool
from slack_rig import SlackSuite, elements, number, text_of

HOSTILE = ("<!channel> *b* `x` [click](https://evil.example) <https://evil.example|good> "
           "\u202e\u200b @here :tada:\nApproved by <@U0BOSS>")
PANELS = [{"title": "Open <incidents>", "server": "fixture", "uri": "fixture://values/incidents"},
          {"title": "Nothing there", "server": "fixture", "uri": "fixture://values/none"},
          {"title": "Not named", "server": "fixture", "uri": "fixture://text"},
          {"title": "Elsewhere", "server": "people", "uri": "fixture://values/b"}]
EVERY_S = 2.0


class Homes(SlackSuite):
    slack_config = {"panels": PANELS}

    def __init__(self):
        super().__init__()
        self.port, self.fixture = free_port(), None
        self.add_server("fixture", f"http://127.0.0.1:{self.port}",
                        freed_resources=["fixture://text", "fixture://values/{key}"])
        os.makedirs(self.path("fixture/values"), mode=0o700)
        self.write_value("incidents", HOSTILE)
        self.write_value("b", "of another server")
        gate = self.suite.read("config", "gate.yaml")
        rows = "".join(f"    - {{server: fixture, uri: 'fixture://values/{key}'}}\n"
                       for key in ("incidents", "none", "b"))
        self.write("config/gate.yaml", gate.replace("  templates:\n", "  templates:\n" + rows, 1))

    def write_value(self, key, text):
        with open(self.path("fixture/values/" + key), "w", encoding="utf-8") as f:
            f.write(text)

    def start_fixture(self):
        self.fixture = Program([FIXTURE, "--dir", self.suite.dir], self.path("run/fixture.log"))

    def start(self):
        self.start_fixture()
        super().start()
        with GateClient(self.path("run/gate.sock")) as c:
            self.wait_until(lambda: c.ask("tools", server="fixture")["servers"][0]["up"], "the fixture")
            digest = c.ask("pins", server="fixture")["current"]
            approval = c.ask("propose_gate", action="pin_server",
                             arguments={"server": "fixture", "digest": digest})["approval"]
            c.approve(approval)
            c.wait(approval, "succeeded")
        return self

    def done(self):
        if self.fixture and self.fixture.process.poll() is None:
            self.fixture.kill()
        super().done()

    # --- App Home ---

    def open_home(self, user, **more):
        return self.event({"type": "app_home_opened", "user": user, "channel": "D0",
                           "tab": "home", **more})

    def published(self, user):
        return [c for c in self.slack.find("views.publish", user_id=user)
                if isinstance(c.answer, dict) and c.answer.get("ok")]

    def home(self, user):
        """What stands there."""
        calls = self.published(user)
        return calls[-1].arguments["view"] if calls else {"blocks": []}

    def wait_home(self, user, words, without=None):
        def fits():
            text = text_of(self.home(user)["blocks"])
            return words in text and (without is None or without not in text)
        self.wait_until(fits, f"{words!r} in App Home", 40)
        return text_of(self.home(user)["blocks"])

    def put_value(self, user, key, value):
        """By its form, and somebody's yes."""
        form = self.run("fixture.put_value", user)
        self.submit(form, key=key, value=value, reason="as somebody asked")
        prompt = self.prompt(value[:20])
        self.press(prompt, "approve", self.bob)
        self.wait_text(prompt, "This is over")
        return prompt


def test_opened(rig):
    tap.equal("nobody's Home is published before they opened it",
              rig.slack.find("views.publish"), [])
    rig.open_home(rig.alice)
    text = rig.wait_home(rig.alice, "From the server fixture")
    tap.ok("who somebody is, and what they may do", "alice@example.test" in text and
           "member of the security team" in text and "Membership was checked " in text and "you may run " in text, text)
    tap.ok("servers with their health", "accounts: up, " in text and "fixture: up, " in text, text)
    tap.ok("tools with their risk, and whether it is for this person",
           "you may ask for it, and decide about it" in text, text)
    tap.ok("its first drawing did not wait for panels", "it is being read." in text_of(
        rig.published(rig.alice)[0].arguments["view"]["blocks"]))


def test_panels(rig):
    text = rig.wait_home(rig.alice, "From the server fixture")
    shown = HOSTILE.split("\n")[0].replace("\u202e", "\\u202E").replace("\u200b", "\\u200B")
    tap.ok("a resource is drawn letter for letter", shown + "\nApproved by <@U0BOSS>" in text, text)
    blocks = json.dumps(rig.home(rig.alice)["blocks"])
    tap.ok("as preformatted text alone", "mrkdwn" not in blocks and '"markdown"' not in blocks and
           '"link"' not in blocks and '"user"' not in blocks, blocks)
    lines = {line.split(": ")[0]: line for line in text.splitlines()}
    tap.ok("one that is not there says so in a line", "could not be read" in
           lines["Nothing there"] and "no value" in lines["Nothing there"], text)
    tap.ok("so does one that the gate was not told of", "nothing that the gate reads" in
           lines["Not named"], text)
    tap.ok("and one that is of another server", "another server" in lines["Elsewhere"], text)
    reads = [x["data"] for x in rig.audit() if x.get("event") == "context.read"]
    tap.ok("each read is in the gate's log, as who looked", reads and {r["requester"] for r in reads} ==
           {"alice@example.test"} and "fixture://values/incidents" in {r["uri"] for r in reads}, reads)
    tap.ok("and each that was refused", any(
        x.get("event") == "context.refused" and x["data"]["uri"] == "fixture://text"
        for x in rig.audit()))


def test_changes(rig):
    """What its server tells of is read anew, and published over what stood there."""
    before = rig.published(rig.alice)[-1]
    rig.put_value(rig.bob, "incidents", "INC-7 is open now")
    text = rig.wait_home(rig.alice, "INC-7 is open now")
    tap.ok("a panel is drawn anew when its resource changed", "Approved by <@U0BOSS>" not in text, text)
    after = [c for c in rig.slack.find("views.publish", user_id=rig.alice)]
    at = after.index(before)
    tap.equal("each view with the hash of the one before", [
        c.arguments.get("hash") for c in after[at + 1:at + 2]], [before.answer["view"]["hash"]])
    tap.equal("nothing is published to who never opened theirs",
              rig.slack.find("views.publish", user_id=rig.bob), [])


def test_waiting(rig):
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="john.doe@example.test", reason="waits in App Home")
    prompt = rig.prompt("waits in App Home")
    rig.wait_until(lambda: prompt.id in json.dumps(rig.home(rig.alice)), "what waits")
    tap.ok("what waits comes by itself", True)
    review = elements(rig.home(rig.alice)["blocks"])["wingman.home.review"]
    tap.equal("with Review", review["value"], prompt.id)
    link = f"https://acme.slack.com/archives/{rig.channel}/p{prompt.ts.replace('.', '')}"
    tap.ok("and a link to its message", link in json.dumps(rig.home(rig.alice)),
           rig.home(rig.alice)["blocks"][3:7])
    before = len(rig.slack.find("chat.postMessage", channel=rig.alice))
    rig.interact({"type": "block_actions", "user": {"id": rig.alice}, "container": {
        "type": "view", "view_id": "V1"}, "view": {"id": "V1", "type": "home", "hash": "1.a"},
        "trigger_id": rig.slack.trigger(rig.alice),
        "actions": [{**review, "block_id": "b", "action_ts": "1.1"}]})
    rig.slack.wait_call("chat.postMessage", before + 1, channel=rig.alice)
    tap.ok("Review brings the prompt to who pressed", True)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    text = rig.wait_home(rig.alice, "accounts.block_account: denied")
    record = rig.record(prompt.id)
    tap.ok("what was decided goes, and is among the last calls with outcome and digest",
           prompt.id not in json.dumps(rig.home(rig.alice)) and record["shown"][:12] in text, text)


def pressed(rig, user, action, value, block="b"):
    return rig.interact({
        "type": "block_actions", "user": {"id": user}, "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home", "hash": "1.a"}, "trigger_id": rig.slack.trigger(user),
        "actions": [{"type": "button", "action_id": action, "block_id": block, "value": value,
                     "action_ts": f"{number()}.1"}]})


def test_tools(rig):
    view = rig.home(rig.alice)
    names = [b["block_id"] for b in view["blocks"] if "." in b.get("block_id", "")]
    tap.equal("ten tools on a page", len(names), 10)
    text = text_of(view["blocks"])
    pages = int(text.split("Page 1 of ")[1].split(".")[0])
    seen = set(names)
    for page in range(2, pages + 1):
        pressed(rig, rig.alice, "wingman.home.page.next", str(page))
        rig.wait_home(rig.alice, f"Page {page} of {pages}.")
        seen |= {b["block_id"] for b in rig.home(rig.alice)["blocks"] if "." in b.get("block_id", "")}
    with GateClient(rig.path("run/gate.sock")) as gate:
        every = {f"{s['name']}.{t['name']}" for s in gate.ask("tools")["servers"] for t in s["tools"]}
    tap.equal("all pages together are all tools", seen, every)
    rig.write_value("incidents", "on another page")
    rig.put_value(rig.bob, "b", "something else")
    rig.run("fixture.get_route", rig.alice)     # whatever: the page stays
    tap.ok("a page stays what it was when something changes", f"Page {pages} of {pages}." in
           text_of(rig.home(rig.alice)["blocks"]))
    before = len(rig.slack.find("views.open"))
    pressed(rig, rig.alice, "wingman.home.docs", "accounts.block_account", "accounts.block_account")
    shown = rig.slack.wait_call("views.open", before + 1).arguments["view"]
    tap.ok("Docs tells of a tool", "Digest of its definition" in text_of(shown["blocks"]) and
           "person  string" in text_of(shown["blocks"]), text_of(shown["blocks"]))
    pressed(rig, rig.alice, "wingman.home.run", "accounts.block_account", "accounts.block_account")
    form = rig.slack.wait_call("views.open", before + 2).arguments["view"]
    tap.equal("Run brings its form", form["callback_id"], "wingman.form")


def test_conflict(rig):
    """Somebody else published meanwhile: it is looked at anew, and published over that."""
    time.sleep(EVERY_S + 0.5)       # what is still due of before
    before = len(rig.published(rig.alice))
    at = len(rig.slack.find("views.publish", user_id=rig.alice))
    rig.slack.fault("views.publish", {"ok": False, "error": "hash_conflict"})
    rig.open_home(rig.alice, view={"id": "V1", "type": "home", "hash": "1.old"})
    rig.wait_until(lambda: len(rig.published(rig.alice)) > before, "another try")
    calls = rig.slack.find("views.publish", user_id=rig.alice)[at:]
    refused = next(i for i, c in enumerate(calls) if c.answer.get("error") == "hash_conflict")
    tap.equal("with the hash that the opening came with first",
              calls[refused].arguments.get("hash"), "1.old")
    tap.ok("then without", "hash" not in calls[refused + 1].arguments, calls[refused + 1].arguments)


def test_gathered(rig):
    """Many changes at once are few drawings."""
    rig.open_home(rig.alice)
    rig.wait_home(rig.alice, "From the server fixture")
    time.sleep(EVERY_S + 0.5)       # what is still due of before
    began, before = time.monotonic(), len(rig.slack.find("views.publish", user_id=rig.alice))
    for i in range(8):
        form = rig.run("accounts.get_account", rig.alice)
        rig.submit(form, person=f"nobody{i}@example.test")
    def ended():
        return sum("accounts.get_account: " in line and "proposed" not in line and "planned" not in line
                   for line in text_of(rig.home(rig.alice)["blocks"]).splitlines())
    rig.wait_until(lambda: ended() >= 8, "all eight among the last calls: " + text_of(rig.home(rig.alice)["blocks"])[-900:])
    took = time.monotonic() - began
    drawn = len(rig.slack.find("views.publish", user_id=rig.alice)) - before
    tap.ok(f"eight calls that ended, {drawn} drawings in {took:.1f} s", drawn <= took / EVERY_S + 1, drawn)


def test_health(rig):
    rig.fixture.kill()
    rig.open_home(rig.alice)
    text = rig.wait_home(rig.alice, "Open <incidents>: it could not be read.")
    rig.wait_home(rig.alice, "fixture: DOWN")
    tap.ok("a server that is gone is said to be", True)
    tap.ok("its panel says so in a line, and the rest stands", "accounts: up" in text, text)
    rig.start_fixture()
    rig.wait_home(rig.alice, "fixture: up")
    rig.wait_home(rig.alice, "From the server fixture")
    tap.ok("when it is back its panel is read again by itself", True)


def test_strangers(rig):
    rig.open_home(rig.mallory)
    rig.wait_home(rig.mallory, "works for the security team")
    text = json.dumps(rig.home(rig.mallory))
    tap.ok("an outsider reads a refusal without names", not any(
        word in text for word in ("accounts", "fixture", "incidents", "alice", "actions")), text)
    rig.wait_audit(lambda x: x["event"] == "surface.refused" and
                   x["data"].get("user") == rig.mallory)
    pressed(rig, rig.mallory, "wingman.home.page.next", "2")
    rig.slack.wait_call("chat.postMessage", 1, channel=rig.mallory)
    tap.ok("and presses nothing there", "accounts" not in json.dumps(rig.home(rig.mallory)))
    count = len(rig.slack.find("views.publish", user_id=rig.mallory))
    rig.put_value(rig.bob, "incidents", "not for outsiders")
    rig.wait_home(rig.alice, "not for outsiders")
    tap.equal("theirs is not drawn anew", len(rig.slack.find("views.publish", user_id=rig.mallory)), count)
    rig.slack.users[rig.alice] = {"is_restricted": True}
    rig.event({"type": "user_change", "user": {"id": rig.alice}})
    rig.put_value(rig.bob, "incidents", "nor for guests")
    rig.wait_home(rig.alice, "works for the security team")
    tap.ok("who is none of the team any more loses what stood there",
           "accounts" not in json.dumps(rig.home(rig.alice)))
    del rig.slack.users[rig.alice]
    rig.event({"type": "user_change", "user": {"id": rig.alice}})


# --- a server with many tools, which says what it likes of them ---

MANY = [tool(f"tool_{i:02}", {"a": {"type": "string", "description": HOSTILE}}) for i in range(45)]
for _i, _t in enumerate(MANY):
    if _i % 3 == 0:
        del _t["title"]
        _t["description"] = HOSTILE + " x" * 900
    else:
        _t["title"] = f"{_i} " + HOSTILE.split("\n", maxsplit=1)[0]


def test_many_tools(rig):
    rig.event({"type": "app_home_opened", "user": rig.alice, "channel": "D0", "tab": "home"})
    view = rig.slack.wait_call("views.publish", user_id=rig.alice).arguments["view"]
    pages = int(text_of(view["blocks"]).split("Page 1 of ")[1].split(".")[0])
    seen, faults = [], []
    for page in range(1, pages + 1):
        before = len(rig.slack.find("views.publish", user_id=rig.alice))
        if page > 1:
            pressed(rig, rig.alice, "wingman.home.page.next", str(page))
            view = rig.slack.wait(lambda s, p=page, b=before: next(
                (c for c in s.find("views.publish", user_id=rig.alice)[b:] if f"Page {p} of " in
                 text_of(c.arguments["view"]["blocks"])), None)).arguments["view"]
        names = [b["block_id"] for b in view["blocks"] if "." in b.get("block_id", "")]
        seen += names
        faults += [page] * (len(view["blocks"]) > 100 or len(names) > 10)
    odd = [n for n in seen if n.startswith("odd.")]
    tap.equal("45 tools are on pages of ten, each once", (sorted(odd), faults),
              ([f"odd.tool_{i:02}" for i in range(45)], []))
    said = [text_of(c.arguments["view"]["blocks"]) for c in rig.slack.find("views.publish", user_id=rig.alice)]
    tap.ok("what their server says of them stands there letter for letter, the first line of it",
           any("<https://evil.example|good>" in t for t in said) and not any(
               "U0BOSS" in t or "\u202e" in t for t in said), said[-1])
    _, answer = rig.interact({
        "type": "block_suggestion", "user": {"id": rig.alice, "team_id": TEAM}, "action_id": "wingman.home.search",
        "block_id": "search", "value": "tool_44", "container": {"type": "view", "view_id": "V1"}})
    tap.equal("the search finds one of them", [o["value"] for o in answer["options"]], ["odd.tool_44"])
    before = len(rig.slack.find("views.open"))
    pressed(rig, rig.alice, "wingman.home.docs", "odd.tool_00", "odd.tool_00")
    docs = rig.slack.wait_call("views.open", before + 1).arguments["view"]
    tap.ok("its page tells all of it, as preformatted text", "Approved by <@U0BOSS>" in text_of(docs["blocks"]) and
           "mrkdwn" not in json.dumps(docs), text_of(docs["blocks"])[:300])


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("App Home", emulator.WHY)
    else:
        Homes().test([test_opened, test_panels, test_changes, test_waiting, test_tools,
                      test_conflict, test_gathered, test_health, test_strangers])
        OddSuite(MANY).test([test_many_tools])
    tap.done()
