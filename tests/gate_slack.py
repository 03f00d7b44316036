"""The Slack process's side of the gate, and Slack's own: requests as Slack signs them.

    slack = SlackSurface(rig)               a connection that said hello as Slack's
    turn = slack.turn(mention(ALICE_ID))    somebody asks for something
    approval = slack.propose(turn, "fixture.put_value", key="a", value="b")
    slack.post(approval)                    the message as slack/render draws it
    slack.press(approval, BOB_ID, "approve")
"""

import hashlib
import hmac
import itertools
import json
import os
import subprocess
import time
import urllib.parse

import tap
from gate_client import GateClient, Refused
from gate_rig import BUILD, PEOPLE, Rig
from hostile_test import Liar

APP, TEAM, CHANNEL = "A0WINGMAN", "T0ACME", "C0SECOPS"
IDS = dict(zip(PEOPLE, ("U0ALICE", "U0BOB", "U0CAROL")))
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
_numbers = itertools.count(1)


def slack_config(uid, **more):
    members = {"unix": uid, "app": APP, "teams": [TEAM], "signing_secrets": ["keys/slack"],
               "allow_shared_uid": True, **more}
    return f"slack: {json.dumps({k: v for k, v in members.items() if v is not None})}\n"


class SlackRig(Rig):
    """Persons have Slack ids, and one uid is console and Slack process in turn."""

    slack = {}
    after_slack = ""            # of config/gate.yaml

    def __init__(self):
        super().__init__()
        self.write_secret("slack", SECRET)

    def write_secret(self, name, text):
        self.write("keys/" + name, text)

    def write_gate_config(self):
        self.more_gate = slack_config(os.getuid(), **self.slack) + self.after_slack
        persons = "".join(
            f"  - {{id: '{p}', slack: ['{IDS[p]}']"
            + (f", unix: [{os.getuid()}]" if p == self.whoami else "") + "}\n" for p in PEOPLE)
        super().write_gate_config()
        text = self.read("config/gate.yaml")
        begin, end = text.index("persons:\n"), text.index("team:")
        self.write("config/gate.yaml", text[:begin] + "persons:\n" + persons + text[end:])


# --- what Slack sends ---

def ts():
    """Slack's times name messages; each is another."""
    return f"{int(time.time())}.{next(_numbers):06d}"


def form(payload):
    return "payload=" + urllib.parse.quote_plus(json.dumps(payload))


def signed(raw, at=None, secret=SECRET):
    at = str(int(time.time()) if at is None else at)
    mac = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + raw.encode(), hashlib.sha256)
    return {"raw": raw, "timestamp": at, "signature": "v0=" + mac.hexdigest()}


def mention(user, channel=CHANNEL, **more):
    event = {"type": "app_mention", "user": user, "text": "<@U0WINGMAN> please", "ts": ts(),
             "team": TEAM, "channel": channel, **more.pop("event", {})}
    return json.dumps({"type": "event_callback", "api_app_id": APP, "team_id": TEAM,
                       "event": event, "event_id": f"Ev{next(_numbers)}",
                       "is_ext_shared_channel": False, **more})


def command(user, **more):
    return urllib.parse.urlencode({
        "token": "x", "team_id": TEAM, "channel_id": CHANNEL, "user_id": user,
        "command": "/wingman", "text": f"run {next(_numbers)}", "api_app_id": APP, **more})


def form_sent(user, **more):
    return {"type": "view_submission", "team": {"id": TEAM}, "api_app_id": APP,
            "user": {"id": user, "team_id": TEAM}, "trigger_id": str(next(_numbers)),
            "view": {"id": "V0FORM", "callback_id": "tool.invoke", "private_metadata": "{}",
                     "blocks": [], "state": {"values": {}}}, **more}


def block_actions(user, action, value, **more):
    return {"type": "block_actions", "api_app_id": APP, "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM}, "trigger_id": str(next(_numbers)),
            "actions": [{"type": "button", "action_id": action, "block_id": "b1",
                         "value": value, "action_ts": ts()}], **more}


def as_slack_holds_it(blocks):
    """With what Slack adds to blocks that are sent to it."""
    def add(value):
        if isinstance(value, list):
            return [add(v) for v in value]
        if not isinstance(value, dict):
            return value
        more = {"border": 0} if value.get("type") == "rich_text_preformatted" else {}
        return {**{k: add(v) for k, v in value.items()}, **more}
    return [{**add(b), "block_id": f"x{i}"} for i, b in enumerate(blocks)]


def draw(prompt, *arguments):
    done = subprocess.run([os.path.join(BUILD, "tests", "slack-draw"), *map(str, arguments)],
                          input=json.dumps(prompt).encode(), capture_output=True, check=True)
    return json.loads(done.stdout)


# --- the process between Slack and the gate ---

class SlackSurface(GateClient):
    def __init__(self, rig, hello=True):
        super().__init__(rig.path("run/gate.sock"))
        self.places = {}    # approval: (channel, ts, blocks)
        if hello:
            self.ask("hello", v=4, surface="slack")

    def turn(self, raw, **more):
        return self.ask("slack_turn", **signed(raw), **more)["turn"]

    def propose_in(self, turn, tool, audience=None, **arguments):
        return self.ask("slack_propose", turn=turn, tool=tool, arguments=arguments,
                        **(audience or {"people": 12, "outsiders": False}))

    def propose(self, turn, tool, **arguments):
        return self.propose_in(turn, tool, **arguments)["approval"]

    def post(self, approval, channel=None, user=None, drawn=None):
        """Draw it as the gate's answer to 'show' says, and tell where it stands."""
        reply = self.pending(approval)
        record, to = reply["record"], reply["to"]
        channel = channel or to.get("channel") or "D0" + to["requester"][0][2:]
        along = to["others_read_along"] and not channel.startswith("D")
        at = int(time.time() * 1000) if drawn is None else drawn
        message = draw(record["prompt"], "message", at, *(["along"] if along else []))
        where = (channel, ts(), as_slack_holds_it(message["blocks"]))
        more = {"user": user or to["requester"][0]} if channel.startswith("D") and \
            channel != to.get("channel") else {}
        answer = self.ask("slack_posted", approval=approval, shown=record["shown"],
                          channel=channel, message_ts=where[1], drawn_at=at, **more)
        self.places[approval] = where
        return answer

    def pending(self, approval):
        self.wait(approval, "pending")
        return self.ask("show", approval=approval)

    def value(self, approval, page=None):
        record = self.show(approval)
        return f"{approval} {record['shown']}" + (f" {page}" if page else "")

    def on_message(self, approval, user, action, place=None, **more):
        """The interaction, not sent yet."""
        channel, at, blocks = place or self.places[approval]
        more.setdefault("value", self.value(approval, 1 if action == "review" else None))
        value = more.pop("value")
        return block_actions(
            user, "wingman." + action, value,
            container={"type": "message", "message_ts": at, "channel_id": channel,
                       "is_ephemeral": False},
            channel={"id": channel, "name": "secops"},
            message={"type": "message", "ts": at, "blocks": blocks}, **more)

    def on_page(self, approval, user, action, page, drawn_at, to=None):
        view = draw(self.show(approval)["prompt"], "page", drawn_at, page)
        return block_actions(
            user, "wingman." + action, self.value(approval, to),
            container={"type": "view", "view_id": "V0REVIEW"},
            view={"id": "V0REVIEW", "private_metadata": view["private_metadata"],
                  "blocks": as_slack_holds_it(view["blocks"])})

    def why_sent(self, approval, user, reason):
        view = draw(self.show(approval)["prompt"], "why")
        return form_sent(user, view={
            "id": "V0WHY", "callback_id": view["callback_id"],
            "private_metadata": view["private_metadata"], "blocks": view["blocks"],
            "state": {"values": {"why": {"why": {"type": "plain_text_input",
                                                 "value": reason}}}}})

    def click(self, payload, **more):
        return self.ask("slack_click", **signed(form(payload), **more))

    def press(self, approval, user, action, **more):
        """As a person does who reads first."""
        self.let_read(approval)
        return self.click(self.on_message(approval, user, action, **more))

    def let_read(self, approval):
        record = self.show(approval)
        at = max([record.get("posted_at", 0)] + [p["at"] for p in record.get("places", [])])
        left = at / 1000 + 1.05 - time.time()
        if left > 0:
            time.sleep(left)


def run(rig, tests):
    """Each of 'tests' (rig, slack), with Alice at the console and a Slack of its own; then it
    ends."""
    def one(test):
        tap.note(test.__name__)
        rig.become(PEOPLE[0])
        with SlackSurface(rig) as slack:
            test(rig, slack)

    try:
        rig.liar = Liar(rig.server_port)
        rig.start_server = lambda: None
        rig.start()
        time.sleep(1.1)     # what was done before the store began is not believed
        tap.run([lambda t=t: one(t) for t in tests])
    except Refused as e:
        tap.ok("it begins", False, e)
    finally:
        rig.done()
    tap.done()
