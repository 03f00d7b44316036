"""The whole suite with its Slack process, which "wingman up" starts where it is one, against a
Slack on this machine, and people who type, press and fill in there.

    rig = SlackSuite()
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="john.doe@example.test", reason="Laptop stolen")
    prompt = rig.prompt()
    rig.press(prompt, "approve", rig.alice)
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import tap
from doubles.slack_front import APP, BOT, COMMAND, TEAM, TOKEN, SlackFront
from gate_client import GateClient
from gate_rig import Program, free_port
from slack import blocks, types
from suite import BIN, Suite

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
_numbers = itertools.count(int(time.time()) % 100000 * 1000)


def number():
    return next(_numbers)


def signed(raw, at=None, secret=SECRET):
    at = str(int(time.time()) if at is None else at)
    mac = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + raw, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": "v0=" + mac.hexdigest()}


def as_slack_holds_it(blocks):
    """With what Slack adds to blocks that are sent to it."""
    def add(value):
        if isinstance(value, list):
            return [add(v) for v in value]
        if not isinstance(value, dict):
            return value
        more = {"border": 0} if value.get("type") == "rich_text_preformatted" else {}
        return {**{k: add(v) for k, v in value.items()}, **more}
    return [{"block_id": f"x{i}", **add(b)} for i, b in enumerate(blocks)]


def elements(blocks):
    """Everything in blocks that can be pressed, by action_id."""
    found = {}

    def walk(value):
        if isinstance(value, list):
            for v in value:
                walk(v)
        elif isinstance(value, dict):
            if "action_id" in value:
                found.setdefault(value["action_id"], value)
            for v in value.values():
                walk(v)
    walk(blocks)
    return found


def text_of(value):
    """All that is to be read in blocks."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(text_of, value)))
    if isinstance(value, dict):
        return "\n".join(filter(None, (
            v if k in ("text", "placeholder") and isinstance(v, str) else text_of(v)
            for k, v in value.items() if isinstance(v, (dict, list)) or k == "text")))
    return ""


class Message:
    """What stands in a conversation, as Slack would show it now."""

    def __init__(self, rig, channel, ts):
        self.rig, self.channel, self.ts = rig, channel, ts

    @property
    def blocks(self):
        blocks = []
        for call in list(self.rig.slack.calls):
            answer = call.answer
            if not isinstance(answer, dict) or not answer.get("ok") or \
                    answer.get("ts") != self.ts or not call.method.startswith("chat."):
                continue
            if call.method in ("chat.postMessage", "chat.update"):
                blocks = call.arguments["blocks"]
            for chunk in call.arguments.get("chunks", []):
                blocks = blocks + chunk["blocks"]
        return blocks

    @property
    def text(self):
        return text_of(self.blocks)

    @property
    def buttons(self):
        return elements(self.blocks)

    def approval(self):
        for action in ("wingman.approve", "wingman.review", "wingman.deny"):
            if action in self.buttons:
                return self.buttons[action]["value"].split(" ")[0]
        return None


class SlackSuite:
    """'processes': names of Slack processes; with several, they share a Redis."""

    people = {"alice": "alice@example.test", "bob": "bob@example.test",
              "mallory": "mallory@example.test"}
    team = ("alice", "bob")
    slack_config = {}
    gate_slack = {}

    def __init__(self, processes=("slack",), policy=None, front=SlackFront):
        self.slack = front(self.people)
        for name, user in self.slack.ids.items():
            setattr(self, name, user)
        self.channel = self.slack.channel
        self.slack.members[self.channel] += [self.slack.ids[n] for n in self.team]
        self.suite = Suite()
        self.suite.start()
        self.suite.stop()
        self.names = processes
        self.ports, self.processes = {}, {}
        self.write("keys/slack", SECRET)
        self.write("slack.token", TOKEN)
        self.configure(policy)

    # --- configuration ---

    def path(self, name):
        return self.suite.path(name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)

    def configure(self, policy):
        gate = self.suite.read("config", "gate.yaml")
        persons = "".join(f"  - {{id: {self.people[n]}, slack: [{self.slack.ids[n]}]}}\n"
                          for n in self.team)
        team = ", ".join(self.people[n] for n in self.team)
        slack = {"unix": os.getuid(), "allow_shared_uid": True, "app": APP, "teams": [TEAM],
                 "signing_secrets": ["keys/slack"], **self.gate_slack}
        self.write("config/gate.yaml", gate.replace("team: [", persons + f"team: [{team}, ") +
                   f"slack: {json.dumps(slack)}\n" +
                   ("" if "\nlimits:" in gate else "limits: {denials: 1000}\n"))
        if policy:
            self.write("config/policy.yaml", policy)
        for name in self.names:
            self.ports[name] = free_port()
            self.write(f"config/{name}.yaml", json.dumps({
                "app": APP, "teams": [TEAM], "signing_secrets": ["keys/slack"],
                "api": {"url": self.slack.url, "token_file": "slack.token"},
                "listen": {"port": self.ports[name]}, **self.slack_config}))

    def add_server(self, name, url, **more):
        """One more server: the gate asks it, and it comes to the gate with a token of its own."""
        token = "wm_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        self.write(f"tokens/{name}.token", token)
        index = json.loads(self.suite.read("callers", "index.json"))
        index["tokens"].append({
            "id": name, "sha256": hashlib.sha256(token.encode()).hexdigest(),
            "principal": f"service/{name}", "client": name, "scopes": ["wingman:register"],
            "created_at": int(time.time() * 1000)})
        self.write("callers/index.json", json.dumps(index))
        os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        with open(self.path(f"{name}/state.key"), "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(secrets.token_bytes(32))
        gate = self.suite.read("config", "gate.yaml")
        self.write("config/gate.yaml", gate.replace(
            "servers:\n", f"servers:\n  - {{name: {name}, url: '{url}/mcp'}}\n", 1))
        asked = self.suite.read("config", "accounts.yaml").split("url: ", 1)[1].split()[0]
        self.write(f"config/{name}.yaml", json.dumps({
            "listen": {"address": "127.0.0.1", "port": int(url.rsplit(":", 1)[1])},
            "gate": {"url": asked.strip("'\"")}, **more}))

    # --- processes ---

    def start(self):
        self.suite.start()
        began = time.time()
        for name in self.names:
            if name == "slack":
                self.wait_ready()   # 'wingman up' starts it
            else:
                self.start_slack(name)
        # What is of the second in which the gate's store began is not believed.
        time.sleep(max(0, began + 1.1 - time.time()))
        return self

    def start_slack(self, name="slack"):
        self.processes[name] = Program(
            [os.path.join(BIN, "wingman-slack"), "--dir", self.suite.dir, "--name", name],
            self.path(f"run/{name}.log"))
        self.wait_ready(name)

    def wait_ready(self, name="slack", timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while self.get("/readyz", name)[0] != 200:
            assert time.monotonic() < deadline, "not ready:\n" + self.log(name)
            time.sleep(0.02)

    def done(self):
        for process in self.processes.values():
            if process.process.poll() is None:
                process.stop()
        self.suite.done()
        self.slack.close()

    def log(self, name="slack"):
        name = "wingman-slack" if name == "slack" else name
        try:
            with open(self.path(f"run/{name}.log"), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def check_calls(self):
        """Whatever was sent to Slack, against its limits and its published types."""
        calls = [(c.method, c.arguments) for c in self.slack.calls]
        why = types.missing()
        if why:
            tap.skip("what was sent is of the published types", why)
            faults = blocks.check_log(calls)
        else:
            with types.Types() as published:
                faults = blocks.check_log(calls, published)
        tap.ok(f"all {len(calls)} calls are such as Slack takes", not faults,
               "\n".join(faults[:8]))

    def test(self, tests):
        """Each of 'tests' (rig), and the end of everything."""
        try:
            self.start()
            tap.run([lambda t=t: (tap.note(t.__name__), t(self)) for t in tests])
            self.check_calls()
        finally:
            self.done()

    def wait_until(self, what, words, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while not what():
            assert time.monotonic() < deadline, f"waited for {words}\n" + self.log()[-3000:]
            time.sleep(0.02)

    def wait_log(self, event, words, name="slack"):
        self.wait_until(lambda: any(f'"{event}"' in line and words in line
                                    for line in self.log(name).splitlines()), (event, words))

    def audit(self):
        lines = self.suite.read("audit", "gate.jsonl").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_audit(self, what, count=1):
        self.wait_until(lambda: sum(1 for x in self.audit() if x.get("event") and what(x)) >= count,
                        "the gate's log")

    # --- what Slack sends ---

    def get(self, path, name="slack"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}",
                                        timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()
        except urllib.error.URLError:
            return 0, ""        # it is not there

    def send(self, path, raw, kind, name=None, headers=None):
        """(status, answer or None) of a signed request."""
        raw = raw.encode() if isinstance(raw, str) else raw
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[name or self.names[0]]}/slack/{path}", data=raw,
            method="POST", headers={"Content-Type": kind,
                                    **(signed(raw) if headers is None else headers)})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                status, text = reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                status, text = e.code, e.read().decode()
        return status, json.loads(text) if text[:1] == "{" else text or None

    def interact(self, payload, name=None):
        payload = {"api_app_id": APP, "team": {"id": TEAM}, "token": "x", **payload}
        return self.send("interactions", "payload=" + urllib.parse.quote_plus(
            json.dumps(payload)), "application/x-www-form-urlencoded", name)

    def event(self, event, name=None, **more):
        return self.send("events", json.dumps({
            "type": "event_callback", "api_app_id": APP, "team_id": TEAM, "token": "x",
            "event_id": f"Ev{number()}", "event_time": int(time.time()), "event": event,
            **more}), "application/json", name)

    def command(self, text, user, channel=None, name=None, **more):
        return self.send("commands", urllib.parse.urlencode({
            "token": "x", "team_id": TEAM, "channel_id": channel or self.channel,
            "user_id": user, "command": COMMAND, "text": text, "api_app_id": APP,
            "trigger_id": self.slack.trigger(user), **more}),
            "application/x-www-form-urlencoded", name)

    def mention(self, text, user, **more):
        ts = f"{int(time.time())}.{number() % 1000000:06d}"
        return self.event({"type": "app_mention", "user": user, "text": f"<@{BOT}> {text}",
                           "ts": ts, "team": TEAM, "channel": self.channel, **more})

    # --- what people do ---

    def run(self, tool, user, **more):
        """/wingman run TOOL: the view that opened."""
        before = len(self.slack.find("views.open"))
        status, _ = self.command(f"run {tool}", user, **more)
        assert status == 200, status
        call = self.slack.wait_call("views.open", before + 1)
        return {**call.arguments["view"], "id": call.answer["view"]["id"], "user": user}

    def state_of(self, view, values):
        """state.values, with each input found by its label or its name."""
        state = {}
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            element, label = block["element"], block["label"]["text"]
            value = next((v for k, v in values.items() if k.lower() in label.lower()), None)
            kind, entry = element["type"], {"type": element["type"]}
            if kind in ("plain_text_input", "number_input", "url_text_input"):
                entry["value"] = value if value is not None else element.get("initial_value")
            elif kind in ("static_select", "radio_buttons", "external_select"):
                options = element.get("options", [])
                entry["selected_option"] = next(
                    (o for o in options if value in (o["value"], o["text"]["text"])),
                    element.get("initial_option"))
            elif kind in ("checkboxes", "multi_static_select"):
                entry["selected_options"] = [o for o in element.get("options", [])
                                             if value and o["text"]["text"] in value]
            elif kind == "users_select":
                entry["selected_user"] = None
            elif kind == "multi_users_select":
                entry["selected_users"] = []
            else:
                entry["selected_date"] = None
            state.setdefault(block["block_id"], {})[element["action_id"]] = entry
        return state

    def submit(self, view, name=None, **values):
        return self.interact({
            "type": "view_submission", "user": {"id": view["user"], "team_id": TEAM},
            "trigger_id": self.slack.trigger(view["user"]),
            "view": {**view, "hash": "1.a", "app_id": APP,
                     "state": {"values": self.state_of(view, values)}}}, name)

    def message(self, what, timeout_s=30):
        """The first message of which what(call) is true, that stands."""
        call = self.slack.wait(lambda s: next(
            (c for c in s.calls if c.method == "chat.postMessage" and isinstance(c.answer, dict)
             and c.answer.get("ok") and what(c)), None), timeout_s)
        return Message(self, call.answer["channel"], call.answer["ts"])

    def said(self, words, timeout_s=30):
        """The first message that has these words, however they came into it."""
        def find(slack):
            for call in list(slack.calls):
                answer = call.answer
                if call.method in ("chat.postMessage", "chat.startStream") and \
                        isinstance(answer, dict) and answer.get("ok"):
                    message = Message(self, answer["channel"], answer["ts"])
                    if words in message.text:
                        return message
            return None
        return self.slack.wait(find, timeout_s)

    def prompt(self, holding="", timeout_s=30):
        """A prompt that is pending, that the gate knows to stand there."""
        def fits(call):
            blocks = call.arguments.get("blocks", [])
            return holding in text_of(blocks) and "wingman.deny" in elements(blocks)
        return self.stands(self.message(fits, timeout_s))

    def stands(self, message, pending=True):
        """This message, once the gate knows of it; a call may be given."""
        if not isinstance(message, Message):
            message = Message(self, message.answer["channel"], message.answer["ts"])
        if pending:
            message.id = message.approval()
            self.wait_until(lambda: any(
                p["ts"] == message.ts for p in self.record(message.id).get("places", [])),
                "the gate to know of it")
        return message

    def record(self, approval):
        with GateClient(self.path("run/gate.sock")) as gate:
            return gate.show(approval)

    def open(self):
        """Approvals that wait."""
        with GateClient(self.path("run/gate.sock")) as gate:
            return [r["id"] for r in gate.ask("list", state="pending")["records"]]

    def press_payload(self, message, action, user, **more):
        button = message.buttons["wingman." + action]
        return {"type": "block_actions", "user": {"id": user, "team_id": TEAM},
                "trigger_id": self.slack.trigger(user),
                "container": {"type": "message", "message_ts": message.ts,
                              "channel_id": message.channel, "is_ephemeral": False},
                "channel": {"id": message.channel, "name": "secops"},
                "message": {"type": "message", "ts": message.ts,
                            "blocks": as_slack_holds_it(message.blocks)},
                "actions": [{"type": "button", "action_id": button["action_id"],
                             "block_id": "b1", "value": button["value"],
                             "action_ts": f"{int(time.time())}.000001"}], **more}

    def let_read(self, message):
        """People read first: the gate wants a second of it."""
        places = self.record(message.id)["places"]
        left = max(p["at"] for p in places) / 1000 + 1.05 - time.time()
        if left > 0:
            time.sleep(left)

    def press(self, message, action, user, name=None, **more):
        self.let_read(message)
        return self.interact(self.press_payload(message, action, user, **more), name)

    def wait_text(self, message, words, timeout_s=30):
        """Until the message says so."""
        self.slack.wait(lambda s: words in message.text, timeout_s)
        return message

    def ephemeral(self, user, count=1):
        call = self.slack.wait_call("chat.postEphemeral", count, user=user)
        return text_of(call.arguments["blocks"])

    def verify_audit(self):
        return subprocess.run([os.path.join(BIN, "wingman"), "--dir", self.suite.dir, "audit",
                               "verify"], capture_output=True, text=True, check=False)
