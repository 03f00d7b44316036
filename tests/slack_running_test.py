"""What people see of a call while it runs, and how they stop it: a slow tool in a process of its
own (the fixture server), the gate, Slack's process, and npm's emulator as Slack.
"""

import json

import tap
from doubles import emulator
from gate_client import GateClient
from gate_rig import FIXTURE, Program, Rig, free_port
from slack_rig import SlackSuite, text_of

WHY = "as the test wants it"


class SlowSuite(SlackSuite):
    """The suite, and a server whose calls wait where they are told to."""

    hold, wait_held, release, runs = Rig.hold, Rig.wait_held, Rig.release, Rig.runs
    name = "fixture"
    propose_pin = Rig.propose_pin

    def __init__(self):
        super().__init__()
        self.server_port = free_port()
        self.server = None
        self.add_server("fixture", f"http://127.0.0.1:{self.server_port}")

    def path(self, *names):
        return self.suite.path(*names)

    def read(self, *names):
        try:
            return self.suite.read(*names)
        except FileNotFoundError:
            return ""

    def start(self):
        super().start()
        self.server = Program([FIXTURE, "--dir", self.suite.dir], self.path("run/fixture.log"))
        with GateClient(self.path("run/gate.sock")) as c:
            c.hello()
            approval = self.propose_pin(c)
            c.approve(approval)
            c.wait(approval, "succeeded")

    def done(self):
        if self.server:
            self.server.kill()
        super().done()

    def approved(self, tool, **arguments):
        """Asked for by alice and approved by her."""
        self.submit(self.run("fixture." + tool, self.alice), **arguments)
        prompt = self.prompt(tool)
        self.press(prompt, "approve", self.alice)
        return prompt

    def put(self, key, point):
        """A write that is just before the burn ('plan') or behind it ('run')."""
        self.submit(self.run("fixture.put_value", self.alice), key=key, value="1", reason=WHY)
        prompt = self.prompt(key)
        self.hold(point)
        self.press(prompt, "approve", self.alice)
        self.wait_held(point)
        return self.wait_text(prompt, "granted")

    def ran(self, key):
        return len([r for r in self.runs() if r[0] == key])

    def said_to(self, user):
        return [json.dumps(c.arguments, ensure_ascii=False)
                for c in self.slack.calls if c.arguments.get("user") == user]


def test_progress(rig):
    prompt = rig.approved("talk_slowly", steps="30", gap_ms="200")
    rig.wait_text(prompt, "its server says: ")
    tap.ok("how far it is, in its server's words", " of 30 (" in prompt.text and
           "step" in prompt.text, prompt.text)
    rig.wait_text(prompt, "succeeded")
    tap.ok("what is over is not on its way", "its server says" not in prompt.text and
           not prompt.buttons, prompt.text)
    updates = [c for c in rig.slack.find("chat.update", ts=prompt.ts)
               if "its server says" in json.dumps(c.arguments)]
    tap.ok("told now and then, not each time", 1 <= len(updates) <= 6, len(updates))


def test_before_the_burn(rig):
    prompt = rig.put("cancelled", "plan")
    tap.ok("while it runs there is a button", "wingman.cancel" in prompt.buttons and
           "wingman.revoke" in prompt.buttons, prompt.buttons)
    rig.press(prompt, "cancel", rig.alice)
    rig.wait_text(prompt, "nothing of it ran")
    rig.release("plan")
    tap.ok("it says who, and that nothing ran", "taken back by alice@" in prompt.text and
           not prompt.buttons, prompt.text)
    prompt = rig.put("other", "run")
    rig.release("run")
    rig.wait_text(prompt, "succeeded")
    tap.equal("nor did it when its server came to it", [rig.ran("cancelled"), rig.ran("other")],
              [0, 1])


def test_after_the_burn(rig):
    prompt = rig.put("late", "run")
    rig.press(prompt, "revoke", rig.bob)
    rig.wait_text(prompt, "it could no longer be stopped")
    tap.ok("it is told while it still runs, and there is nothing left to press",
           "granted" in prompt.text or "executing" in prompt.text, prompt.text)
    tap.equal("no buttons", list(prompt.buttons), [])
    rig.release("run")
    rig.wait_text(prompt, "succeeded")
    tap.ok("the end says both", "taken back by bob@" in prompt.text and
           "it could no longer be stopped" in prompt.text, prompt.text)
    tap.equal("it ran once", rig.ran("late"), 1)


def test_who(rig):
    """The gate judges: a stranger's press is nothing, and bob is not who asked."""
    prompt = rig.put("stranger", "plan")
    status, _ = rig.interact(rig.press_payload(prompt, "cancel", rig.mallory))
    tap.equal("a stranger's press is taken in", status, 200)
    rig.press(prompt, "cancel", rig.bob)
    rig.slack.wait(lambda s: any("only who asked may cancel" in x for x in rig.said_to(rig.bob)))
    tap.ok("who did not ask may not cancel", "revoke" not in rig.record(prompt.id))
    rig.release("plan")
    rig.wait_text(prompt, "succeeded")
    tap.equal("it ran", rig.ran("stranger"), 1)


def test_server_falls(rig):
    """Its server falls behind the burn: nobody knows, and that is what is said."""
    prompt = rig.put("fallen", "run")
    rig.press(prompt, "cancel", rig.alice)
    rig.wait_text(prompt, "it could no longer be stopped")
    rig.server.kill()
    rig.release("run")
    rig.server = Program([FIXTURE, "--dir", rig.suite.dir], rig.path("run/fixture.log"))
    rig.wait_text(prompt, "unknown", timeout_s=60)
    tap.ok("the end is unknown, and no button is left", not prompt.buttons, prompt.text)


class FreedSuite(SlowSuite):
    """The same, where nobody is asked before the slow read runs."""

    def __init__(self):
        super().__init__()
        config = json.loads(self.read("config", "fixture.yaml"))
        self.write("config/fixture.yaml", json.dumps({**config, "freed_reads": ["talk_slowly"]}))

    def start(self):
        super().start()
        self.write("config/policy.yaml", "rules:\n  - {name: slowly, server: fixture, "
                   "tool: talk_slowly, free: true}\n  - {name: rest, needed: 1}\n")


def test_freed(rig):
    """What stands in no message is told where it was sent in."""
    rig.submit(rig.run("fixture.talk_slowly", rig.alice), steps="30", gap_ms="200")
    told = rig.slack.wait(lambda s: next((c for c in s.find("views.update") if "its server says: " in
                                          json.dumps(c.arguments)), None))
    text = text_of(told.arguments["view"]["blocks"])
    tap.ok("how far a freed read is, in its form's view", " of 30 (" in text and
           "Nobody has to be asked" in text, text)
    rig.slack.wait(lambda s: "What comes of it is told" in json.dumps(
        s.find("views.update")[-1].arguments))
    tap.ok("and that it ended", "its server says" not in json.dumps(
        rig.slack.find("views.update")[-1].arguments))
    tap.equal("nobody was asked", [c for c in rig.slack.find("chat.postMessage")
                                   if "wingman.approve" in json.dumps(c.arguments)], [])


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("calls that run", emulator.WHY)
    else:
        SlowSuite().test([test_progress, test_before_the_burn, test_after_the_burn, test_who,
                          test_server_falls])
        FreedSuite().test([test_freed])
    tap.done()
