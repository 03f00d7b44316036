"""The suite with its Slack process, where everything of Slack comes by Socket Mode: the same
run as over HTTP, and what Socket Mode must not let through."""

import json
import threading
import urllib.parse
import urllib.request

import tap
from doubles import emulator
from doubles.slack_front import APP, TEAM, SlackFront
from gate_rig import free_port
from redis_server import SERVER, RedisServer
from slack_forms_test import test_from_a_mention
from slack_outage_test import block, runs, test_one_of_two
from slack_rig import SlackSuite, number
from slack_run_test import test_run
from slack_socket_test import TOKEN as APP_TOKEN
from slack_socket_test import Double


class SocketFront(SlackFront):
    """Whose tickets are the double's."""

    def answer(self, method, arguments, body, authorization):
        if method != "apps.connections.open":
            return super().answer(method, arguments, body, authorization)
        request = urllib.request.Request(self.double.api + "/" + method, data=b"", method="POST",
                                         headers={"Authorization": authorization or ""})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, {}, json.loads(reply.read())


class SocketSuite(SlackSuite):
    slack_config = {"socket": {"token_file": "slack.app_token"}}
    gate_slack = {"socket_mode": True}

    def __init__(self, **more):
        self.double = Double()
        self.double.set(app=APP)
        self.lock = threading.Lock()
        super().__init__(front=SocketFront, **more)
        self.slack.double = self.double
        self.write("slack.app_token", APP_TOKEN)

    def put(self, path, raw, link=None):
        """What HTTP would carry, in an envelope over one of the connections; its id."""
        raw = raw.decode() if isinstance(raw, bytes) else raw
        if path == "events":
            kind, payload = "events_api", json.loads(raw)
        else:
            payload = {k: v[0] for k, v in urllib.parse.parse_qs(raw).items()}
            kind = "slash_commands" if path == "commands" else "interactive"
            payload = json.loads(payload["payload"]) if kind == "interactive" else payload
        envelope = f"e-{number()}"
        self.double.send({"envelope_id": envelope, "type": kind, "payload": payload,
                          "accepts_response_payload": kind == "slash_commands" or
                          payload.get("type") in ("view_submission", "block_suggestion")},
                         **({"to": link} if link else {}))
        return envelope

    def send(self, path, raw, kind, name=None, headers=None):
        """200 once it is acknowledged. Of several processes each has one connection."""
        link = self.names.index(name) + 1 if name and len(self.names) > 1 else None
        with self.lock:
            return 200, self.double.ack(self.put(path, raw, link))["frame"].get("payload")

    def done(self):
        super().done()
        self.double.end()


class Replicas(SocketSuite):
    def __init__(self):
        self.redis = RedisServer(free_port())
        self.redis.start()
        self.slack_config = {
            "socket": {"token_file": "slack.app_token", "connections": 1},
            "store": {"redis": {"address": "127.0.0.1", "port": self.redis.port}}}
        super().__init__(processes=("slack-a", "slack-b"))

    def done(self):
        super().done()
        self.redis.done()


def test_the_same_run(rig):
    tap.ok("two connections stand", {rig.double.up(), rig.double.up()} == {1, 2})
    tap.ok("and are counted", "wingman_slack_sockets 2" in rig.get("/metrics")[1])
    with open(f"/proc/{rig.suite.child_pid('wingman-slack')}/maps", encoding="utf-8") as f:
        tap.ok("by a library that only this way in loads", "libwebsockets" in f.read())
    test_run(rig)
    audit = json.dumps([rig.suite.read("audit", "gate.jsonl")])
    tap.ok("the record says how the yes came", "slack-socket" in audit and
           "socket mode" in audit, audit[-500:])


def test_repeated(rig):
    """Each acknowledged, one taken: Slack sends again what it believes lost, in another envelope."""
    before = len(rig.slack.find("chat.postEphemeral"))
    event = f"Ev{number()}"
    for _ in range(3):
        rig.send("events", json.dumps({
            "type": "event_callback", "api_app_id": APP, "team_id": "T000000001",
            "event_id": event, "event_time": 1, "event": {"type": "app_home_opened",
            "tab": "home", "user": rig.alice, "channel": "D1"}}), None)
    rig.slack.wait_call("views.publish", 1, user_id=rig.alice)
    tap.ok("two of three are known again", "wingman_slack_repeated_total 2" in
           rig.get("/metrics")[1], rig.get("/metrics")[1])
    tap.equal("and nothing is said", len(rig.slack.find("chat.postEphemeral")), before)


def test_refresh(rig):
    """Sent away, and pressed on nevertheless."""
    for link in (1, 2):
        rig.double.tell(do="send", to=link, frame={"type": "disconnect", "reason": "warning"})
        rig.double.up()
    for link in (1, 2):
        rig.double.tell(do="drop", to=link)
        rig.double.has("closed", link)
    status, _ = rig.command("help", rig.alice)
    tap.equal("commands come over the new ones", status, 200)
    rig.wait_ready()


def test_not_ready_without(rig):
    rig.double.set(error="internal_error")
    for link in (3, 4):
        rig.double.tell(do="drop", to=link)
        rig.double.has("closed", link)
    rig.double.has("refused")
    status, text = rig.get("/readyz")
    tap.ok("without a connection it is not ready", status == 503 and "Socket Mode" in text, text)
    rig.double.set(error=None)
    rig.wait_ready(timeout_s=60)
    tap.ok("until there is one again", True)


def test_race(rig):
    """Forty presses over the connections of two processes, yes and no, none waiting."""
    prompt = block(rig, "the race by Socket Mode")
    rig.let_read(prompt)
    presses = [rig.press_payload(prompt, action, user, trigger_id=f"{i}.{user}")
               for i in range(10) for action in ("approve", "deny")
               for user in (rig.alice, rig.bob)]
    sent = [rig.put("interactions", "payload=" + urllib.parse.quote_plus(json.dumps(
        {"api_app_id": APP, "team": {"id": TEAM}, **payload})), i % 2 + 1)
        for i, payload in enumerate(presses)]
    links = {rig.double.ack(envelope)["on"] for envelope in sent}
    tap.equal("each is acknowledged, by both", links, {1, 2})
    rig.wait_text(prompt, "This is over", 60)
    record = rig.record(prompt.id)
    tap.equal("one decision counts", len(record["decisions"]), 1)
    yes = record["decisions"][0]["decision"] == "approve"
    tap.equal("and what it said is what happened", runs(rig, prompt.id), 1 if yes else 0)
    tap.equal("no button is left", prompt.buttons, {})


TESTS = [test_the_same_run, test_from_a_mention, test_repeated, test_refresh, test_not_ready_without]


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("the Slack process by Socket Mode", emulator.WHY)
    else:
        SocketSuite().test(TESTS)
        if SERVER:
            Replicas().test([test_one_of_two, test_race])
        else:
            tap.skip("two of them", "redis-server is not installed")
    tap.done()
