"""The Slack process and what falls around it: Slack, the gate, itself. Nothing is said twice,
nothing is lost, and no button lives on what is over."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import tap
from doubles import emulator
from gate_client import GateClient
from gate_rig import free_port
from redis_server import SERVER, RedisServer
from slack_rig import SlackSuite, elements, text_of

DOWN = {"ok": False, "error": "service_unavailable"}


def ask(rig, reason, name=None, then=None):
    """A form, begun at one process and sent in at another; the prompt is not waited for."""
    form = rig.run("accounts.block_account", rig.alice, **({"name": name} if name else {}))
    status, answer = rig.submit(form, name=then or name, person="john.doe@example.test",
                                reason=reason)
    tap.equal(f"{reason}: sent in", (status, answer.get("response_action")), (200, "update"))


def block(rig, reason, **more):
    ask(rig, reason, **more)
    return rig.prompt(reason)


def posts(rig, approval):
    """The messages in which this prompt came to stand."""
    return [c for c in rig.slack.find("chat.postMessage") if isinstance(c.answer, dict)
            and c.answer.get("ok") and approval in json.dumps(c.arguments["blocks"])
            and "wingman.deny" in elements(c.arguments["blocks"])]


def runs(rig, approval):
    return sum(1 for x in rig.audit() if x.get("event", "").endswith("executing") and
               x["data"].get("approval") == approval)


# --- one process ---

def test_restart_between(rig):
    prompt = block(rig, "killed between post and press")
    rig.suite.kill("wingman-slack")
    rig.wait_ready()
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    tap.equal("after a fall the press counts, and the message says so", prompt.buttons, {})
    tap.equal("it was posted once", len(posts(rig, prompt.id)), 1)


def test_decided_meanwhile(rig):
    """Nobody was there when it was decided."""
    prompt = block(rig, "decided while nobody draws")
    pid = rig.suite.child_pid("wingman-slack")
    os.kill(pid, signal.SIGSTOP)
    try:
        rig.suite.wingman("approvals", "deny", prompt.id)
    finally:
        os.kill(pid, signal.SIGKILL)
    rig.wait_text(prompt, "denied by")
    tap.equal("the message is closed afterwards", prompt.buttons, {})


def test_slack_down(rig):
    rig.slack.fault("chat.postMessage", DOWN, times=2, status=503)
    prompt = block(rig, "posted while Slack is down")
    tap.ok("a prompt waits for Slack", prompt.id)
    rig.slack.fault("chat.update", DOWN, times=2, status=503)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob", 60)
    tap.equal("and so does its end", (prompt.buttons, len(posts(rig, prompt.id))), ({}, 1))


def test_lost_answer(rig):
    """It was posted, and nobody heard so."""
    def lose(arguments):
        rig.slack.ask("chat.postMessage", **{k: v if isinstance(v, str) else json.dumps(v)
                                             for k, v in arguments.items()})
        return 500, {}, {"ok": False, "error": "internal_error"}
    rig.slack.faults["chat.postMessage"] = [lose]
    ask(rig, "whose answer was lost")
    rig.slack.wait(lambda s: s.find("conversations.history") or s.find("conversations.replies"))
    with_it = rig.slack.wait(lambda s: next((
        a for a in rig.open() if "whose answer was lost" in json.dumps(rig.record(a)) and
        rig.record(a).get("places")), None))
    place = rig.record(with_it)["places"][0]
    found = [m for m in rig.slack.ask("conversations.history", channel=rig.channel)["messages"]
             if "whose answer was lost" in json.dumps(m)]
    tap.equal("it is looked for, and stands there once",
              [m["ts"] for m in found], [place["ts"]])
    rig.suite.wingman("approvals", "deny", with_it)


def test_gate_falls(rig):
    prompt = block(rig, "the gate fell between")
    rig.suite.kill("wingman-gate")
    rig.wait_ready()
    time.sleep(1.1)     # what is of the second in which its store began is not believed
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")
    tap.equal("the link comes back", prompt.buttons, {})


def test_cancelled(rig):
    """Over before it was posted."""
    rig.slack.fault("chat.postMessage", DOWN, times=3, status=503)
    ask(rig, "cancelled before it stood")
    approval = rig.slack.wait(lambda s: next((
        a for a in rig.open() if "cancelled before it stood" in json.dumps(rig.record(a))), None))
    rig.suite.wait_for(lambda: rig.record(approval)["state"] == "pending", what="pending")
    rig.suite.wingman("approvals", "deny", approval)
    message = rig.message(lambda c: approval in json.dumps(c.arguments["blocks"]), 60)
    rig.wait_text(message, "denied by", 60)
    tap.equal("what comes to stand too late is closed", message.buttons, {})


def test_long(rig):
    """What does not fit is reviewed, page by page."""
    reason = "x" * 450 + " end"
    sure = "".join(chr(0x4e00 + i) for i in range(45))
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="john.doe@example.test", reason=sure + reason)
    prompt = rig.prompt(sure)
    tap.ok("it is there whole or has a review", "wingman.approve" in prompt.buttons or
           "wingman.review" in prompt.buttons)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")


# --- two of them ---

class Replicas(SlackSuite):
    def __init__(self):
        self.redis = RedisServer(free_port())
        self.redis.start()
        self.slack_config = {"store": {"redis": {"address": "127.0.0.1",
                                                 "port": self.redis.port}}}
        super().__init__(("slack-a", "slack-b"))

    def done(self):
        super().done()
        self.redis.done()


def test_one_of_two(rig):
    prompt = block(rig, "for both", name="slack-a", then="slack-b")
    tap.ok("a form begun at one is sent in at the other", prompt.id)
    tap.equal("one of them posts it", len(posts(rig, prompt.id)), 1)
    rig.press(prompt, "deny", rig.bob, name="slack-b")
    rig.wait_text(prompt, "denied by bob")
    event = {"type": "app_mention", "user": rig.alice, "text": "status", "ts": "1.5",
             "team": "T000000001", "channel": rig.channel}
    for name in rig.names * 3:
        rig.event(event, name=name, event_id="EvTWICE")
    rig.slack.wait_call("chat.postMessage", thread_ts="1.5")
    rig.event({**event, "ts": "1.6"}, name="slack-b")
    rig.slack.wait_call("chat.postMessage", thread_ts="1.6")
    tap.equal("an event at both is answered once",
              len(rig.slack.find("chat.postMessage", thread_ts="1.5")), 1)


def test_race(rig):
    """Forty presses at both, yes and no."""
    for turn in range(3):
        prompt = block(rig, f"the race number {turn}")
        rig.let_read(prompt)
        payloads = [rig.press_payload(prompt, action, user, trigger_id=f"{turn}.{i}.{user}")
                    for i in range(10) for action in ("approve", "deny")
                    for user in (rig.alice, rig.bob)]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda p: rig.interact(p[1], rig.names[p[0] % 2])[0],
                                    enumerate(payloads)))
        tap.equal("each is acknowledged", set(answers), {200})
        rig.wait_text(prompt, "This is over", 60)
        record = rig.record(prompt.id)
        tap.equal("one decision counts", len(record["decisions"]), 1)
        yes = record["decisions"][0]["decision"] == "approve"
        tap.equal("and what it said is what happened", runs(rig, prompt.id), 1 if yes else 0)
        tap.equal("no button is left", prompt.buttons, {})


def told(rig, user, words):
    """How often this was said to somebody, seen by nobody else."""
    return sum(1 for c in rig.slack.find("chat.postEphemeral", user=user)
               if words in text_of(c.arguments["blocks"]))


def test_store_down(rig):
    """Without the store nobody knows what was done before: nothing is, and people read so."""
    prompt = block(rig, "while the store is down")
    rig.let_read(prompt)
    form = rig.run("accounts.block_account", rig.alice)
    rig.redis.stop()
    status, answer = rig.command("tools", rig.alice)
    tap.ok("a command is told in plain words", status == 200 and answer["response_type"] ==
           "ephemeral" and "Nothing was done: the store" in answer["text"], (status, answer))
    status, answer = rig.submit(form, person="jane.roe@example.test", reason="sent in without a store")
    inputs = {b["block_id"] for b in form["blocks"] if b["type"] == "input"}
    tap.ok("a form says so beside an input, and keeps what was typed",
           status == 200 and answer["response_action"] == "errors" and
           set(answer["errors"]) <= inputs and len(answer["errors"]) == 1 and
           "Nothing was done" in "".join(answer["errors"].values()), (status, answer))
    status, _ = rig.press(prompt, "approve", rig.bob)
    rig.wait_until(lambda: told(rig, rig.bob, "Nothing was done: the store"), "what a press is told")
    tap.equal("a press is acknowledged, and told", status, 200)
    event = {"type": "app_mention", "user": rig.alice, "text": "status", "ts": "2.5",
             "team": "T000000001", "channel": rig.channel}
    sent = [rig.event(event, event_id="EvSTORE")[0] for _ in range(4)]
    rig.wait_until(lambda: told(rig, rig.alice, "Nothing was done yet"), "what a mention is told")
    tap.equal("a mention is to be sent again, however often", sent, [503] * 4)
    with GateClient(rig.path("run/gate.sock")) as gate:
        tap.equal("nothing was decided, and nothing ran", (gate.state(prompt.id), runs(rig, prompt.id)),
                  ("pending", 0))
    tap.ok("nothing was proposed", "sent in without a store" not in json.dumps(
        [rig.record(a) for a in rig.open()]))
    rig.redis.start()
    rig.wait_until(lambda: rig.event(event, event_id="EvSTORE")[0] == 200, "the store again")
    rig.slack.wait_call("chat.postMessage", thread_ts="2.5")
    tap.equal("what Slack sends again is answered then, and was told of once",
              told(rig, rig.alice, "Nothing was done yet"), 1)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob", 60)
    tap.ok("and a press counts again", True)


def test_takeover(rig):
    """The one that posted it falls for good, and another is there."""
    rig.processes["slack-b"].stop()
    prompt = block(rig, "whose process fell", name="slack-a")
    rig.let_read(prompt)
    rig.processes["slack-a"].kill()
    rig.start_slack("slack-b")
    rig.press(prompt, "deny", rig.bob, name="slack-b")
    rig.wait_text(prompt, "denied by bob", 90)
    tap.equal("that one closes what the other had posted", prompt.buttons, {})


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("the Slack process", emulator.WHY)
    else:
        SlackSuite().test([test_restart_between, test_decided_meanwhile, test_slack_down,
                           test_lost_answer, test_gate_falls, test_cancelled, test_long])
        if SERVER:
            Replicas().test([test_one_of_two, test_race, test_store_down, test_takeover])
        else:
            tap.skip("two of them", "redis-server is not installed")
    tap.done()
