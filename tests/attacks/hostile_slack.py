"""What a Slack process that was taken over sends, and who has an emergency key and no
emergency; used by attacks_test.py. See hostile.py: none of it looks at the answer.
"""

import json
import os
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attacks.hostile import canonical, decode, encode
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import IDS, SlackSurface, as_slack_holds_it, block_actions, draw, form, signed, ts

CHANNEL = "C0ATTACK"
GONE = (OSError, EOFError)


class HostileSlack:
    """One connection as the Slack process, and what it knows of prompts."""

    def __init__(self, rig, dice):
        self.rig, self.dice = rig, dice
        self.slack = None
        self.taken = []     # presses that counted or were refused, to send again
        self.places = {}    # what was posted so long ago that it may be pressed on

    def ask(self, m, **members):
        try:
            if not self.slack:
                self.slack = SlackSurface(self.rig)
            return self.slack.ask(m, **members)
        except GONE:
            self.close()
            return None

    def close(self):
        if self.slack:
            self.slack.close()
        self.slack = None

    def pending(self, effect):
        """The record that people decide on, or None."""
        reply = self.ask("show", approval=effect.decided) if effect.decided else None
        record = reply and reply["record"]
        return record if record and record["state"] == "pending" else None

    def post(self, record):
        """Where it stands now: (channel, ts, blocks)."""
        at = int(time.time() * 1000)
        message = draw(record["prompt"], "message", at, "along")
        where = (CHANNEL, ts(), as_slack_holds_it(message["blocks"]))
        self.ask("slack_posted", approval=record["id"], shown=record["shown"], channel=CHANNEL,
                 message_ts=where[1], drawn_at=at)
        return where

    def press(self, record, where, user=None, action="approve", **more):
        channel, at, blocks = where
        return block_actions(
            IDS[PEOPLE[1]] if user is None else user, "wingman." + action,
            more.pop("value", f"{record['id']} {record['shown']}"),
            container={"type": "message", "message_ts": at, "channel_id": channel},
            channel={"id": channel}, message={"ts": at, "blocks": blocks}, **more)

    def click(self, payload, **how):
        words = signed(form(payload), **how)
        self.taken.append(words)
        return self.ask("slack_click", **words)

    def say(self, effect, action):
        """A person's own press, whole: read, posted, pressed. True when it counted."""
        record = self.pending(effect)
        if not record:
            return False
        try:
            where = self.post(record)
            time.sleep(1.05)
            if action == "approve":
                effect.say_yes()
            return bool(self.click(self.press(record, where, action=action)))
        except Refused:
            return False

    # --- attacks ---

    def placed(self, effect):
        """Where it stands, most often long enough to be read."""
        record = self.pending(effect)
        if not record:
            return None, None
        where = self.places.get(record["id"])
        if not where:
            where = self.places[record["id"]] = self.post(record)
            if self.dice.random() < 0.5:
                time.sleep(1.02)
        return record, where

    def unsigned(self, effect, _):
        record, where = self.placed(effect)
        if not record:
            return
        press = form(self.press(record, where))
        self.ask("slack_click", **self.dice.choice((
            {"raw": press}, signed(press, secret="x"), signed(press, at=int(time.time()) - 301),
            {**signed(press), "signature": "v0=" + 64 * "0"},
            {**signed(press + "x"), "raw": press},
            {"raw": json.dumps({"envelope_id": "e", "type": "interactive",
                                "payload": self.press(record, where)})})))

    def repeated(self, *_):
        if self.taken:
            words = self.dice.choice(self.taken)
            self.ask("slack_click", **self.dice.choice((words, signed(words["raw"]))))

    def by_nobody(self, effect, _):
        record, where = self.placed(effect)
        if record:
            self.click(self.press(record, where, user=self.dice.choice(
                ("U0NOBODY", IDS[PEOPLE[2]], IDS[PEOPLE[1]].lower(), "U0BOB ", ""))))

    def elsewhere(self, effect, _):
        record = self.pending(effect)
        if not record:
            return
        at = int(time.time() * 1000)
        blocks = as_slack_holds_it(draw(record["prompt"], "message", at, "along")["blocks"])
        self.click(self.press(record, (self.dice.choice((CHANNEL, "C0ELSE", "D0X")), ts(),
                                       blocks)))

    def other_words(self, effect, _):
        record, where = self.placed(effect)
        if not record:
            return
        channel, at, blocks = where
        lie = self.dice.choice((
            [], blocks[1:], blocks[:-2] + blocks[-1:],
            json.loads(json.dumps(blocks).replace("fixture", "other"))))
        assert lie != blocks
        self.click(self.press(record, (channel, at, lie)))

    def other_digest(self, effect, client):
        record, where = self.placed(effect)
        other = self.pending(self.dice.choice(client.all.effects[:]))
        if not record:
            return
        shown = other["shown"] if other and other["id"] != record["id"] else "0" * 64
        self.click(self.press(record, where, value=self.dice.choice((
            f"{record['id']} {shown}", f"{record['id']} {record['shown'][:12]}",
            f"{record['id']} {record['shown']} 1", f"{record['id']}-1 {record['shown']}"))))

    def unread_page(self, effect, _):
        record = self.pending(effect)
        if not record:
            return
        at = int(time.time() * 1000)
        view = draw(record["prompt"], "page", at, 1)
        self.click(block_actions(
            IDS[PEOPLE[1]], "wingman.approve", f"{record['id']} {record['shown']}",
            container={"type": "view", "view_id": "V0"},
            view={"id": "V0", "private_metadata": view["private_metadata"],
                  "blocks": as_slack_holds_it(view["blocks"])}))

    def as_a_console(self, effect, _):
        record = self.pending(effect)
        if record:
            self.ask("decide", approval=record["id"], decision="approve", shown=record["shown"])

    def in_a_name(self, effect, _):
        """A proposal by evidence that is none, or a press's."""
        record = self.pending(effect)
        words = self.taken and self.dice.choice(self.taken)
        if words:
            self.ask("slack_turn", **signed(words["raw"]))
        self.ask("slack_propose", turn=self.dice.choice(("0" * 64, (record or {}).get(
            "shown", "1" * 64))), tool="fixture.put_value", people=1, outsiders=False,
            arguments=effect.arguments())


class Emergency:
    """An emergency key, and what is made with it while nothing is wrong."""

    def __init__(self, rig):
        self.key, self.other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        os.makedirs(rig.path("keys/emergency"), mode=0o700, exist_ok=True)
        self.kid = self.kid_of(self.key)
        with open(rig.path("keys/emergency", self.kid + ".pem"), "wb") as f:
            f.write(self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))

    @staticmethod
    def kid_of(key):
        import hashlib
        return hashlib.sha256(key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)).hexdigest()[:16]

    def word(self, approval, shown, key=None, **more):
        key = key or self.key
        payload = canonical({"typ": "org.wingman/emergency", "v": 1, "kid": self.kid_of(key),
                             "approval": approval, "shown": shown, "typed": shown[:12],
                             "reason": "nothing is wrong", "iat": int(time.time()), **more})
        return encode(payload) + "." + encode(key.sign(payload))

    def words(self, record, own):
        """Ways to make one; the first is right, and 'own' the gate's own key."""
        approval, shown = record["id"], record["shown"]
        right = self.word(approval, shown)
        return (
            lambda: right,
            lambda: self.word(approval, shown, key=self.other),
            lambda: self.word(approval, shown, key=own),
            lambda: self.word(approval, shown, kid=self.kid, key=self.other),
            lambda: self.word(approval, "0" * 64),
            lambda: self.word(approval, shown, typed="0" * 12),
            lambda: self.word("0" * 26, shown),
            lambda: self.word(approval, shown, iat=int(time.time()) - 3600),
            lambda: self.word(approval, shown, iat=int(time.time()) + 3600),
            lambda: self.word(approval, shown, typ="org.wingman/grant"),
            lambda: self.word(approval, shown, reason=""),
            lambda: self.word(approval, shown, more=1),
            lambda: right[:-2], lambda: right + "A", lambda: right.split(".")[0] + ".",
            lambda: encode(decode(right.split(".")[0]) + b" ") + "." + right.split(".")[1])

    def use(self, hostile, effect, client):
        """The right word for the right prompt: only that nothing is down."""
        record = client.slack.pending(effect)
        if not record:
            return
        word = hostile.dice.choice(self.words(record, hostile.key))()
        client.ask("emergency", approval=record["id"], shown=record["shown"], word=word)


SLACK_KINDS = {
    "a press that Slack did not sign": HostileSlack.unsigned,
    "a press repeated": HostileSlack.repeated,
    "a press of nobody who may": HostileSlack.by_nobody,
    "a press where nothing was posted": HostileSlack.elsewhere,
    "a press on other words": HostileSlack.other_words,
    "a press with another digest": HostileSlack.other_digest,
    "a press on a page that nobody opened": HostileSlack.unread_page,
    "the Slack process as a console": HostileSlack.as_a_console,
    "a proposal in somebody's name": HostileSlack.in_a_name,
}
