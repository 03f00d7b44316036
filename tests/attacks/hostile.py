"""What a hostile client, surface, server or caller sends; used by attacks_test.py.

Every attack takes an effect (what it is, what its approval is called) and tries to have it,
or something like it, executed without anybody's yes, or once more. None of them looks at
the answer: what counts is what the backend saw.
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import struct
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate_client import GateClient, Refused
from gate_rig import PEOPLE

ODD = ("\t", "\n", "\x1b[2J", "\x7f", "\u0085", "\u00a0", "\u200b", "\u202e", "\u2028", "\u2066",
       "\ufeff", "e\u0301", "\u0430", "\u03bf", "\uff21", "\U0001f47b", "\u2705", "<!channel>", "</b>",
       "&amp;", "*", "`", "\"", "\\", "\\u0061", "{}", "[ok](https://x.test)", "approved by bob",
       "%s%n", "'; --", "../..")
NUMBERS = ("9007199254740992", "9007199254740993", "-9007199254740993", "18446744073709551617",
           "1e400", "0.1", "1.0000000000000001", "01", "NaN", "\"1\"", "1e")
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
PREFIX = "io.modelcontextprotocol/"


def text(dice, most):
    """Plain, or something that draws, deceives or breaks out."""
    if dice.random() < 0.5:
        return "".join(dice.choice("abcdefghij klm") for _ in range(dice.randint(1, most)))
    return "".join(dice.choice(ODD) if dice.random() < 0.4 else dice.choice("abcdef")
                   for _ in range(dice.randint(1, most)))[:most]


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(word):
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))


def canonical(value):
    """Good enough for grants: texts in ASCII and small integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Hostile:
    def __init__(self, rig, dice):
        self.rig, self.dice = rig, dice
        with open(rig.path("keys/gate.key"), "rb") as f:
            self.key = serialization.load_pem_private_key(f.read(), None)
        self.kid = rig.kid()
        self.other_key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def run(self, kind, effect, client):
        KINDS[kind](self, effect, client)

    # --- what leaked ---

    def stored(self, where, *values):
        """Records out of the gate's own store, as who has broken in there reads them."""
        db = sqlite3.connect(f"file:{self.rig.path('gate/records.db')}?mode=ro", uri=True,
                             timeout=10)
        try:
            return [json.loads(body) for (body,) in db.execute(
                "select body from document where +collection in ('approvals', 'calls') and "
                + where, values)]
        except (sqlite3.Error, ValueError):
            return []
        finally:
            db.close()

    def leaked(self):
        """One with a real grant, in whatever state; None: there is none yet."""
        # From some place on: to read it all gets long.
        granted = "body like '%\"grant\":\"%' limit 3"
        rows = self.stored("rowid >= (select max(rowid) from document) * ? and " + granted,
                           self.dice.random()) or self.stored(granted)
        rows = [r for r in rows if isinstance(r.get("grant"), str)]
        return self.dice.choice(rows) if rows else None

    def asked(self, effect):
        """One that was planned and to which nobody has said yes: all it lacks is a grant."""
        rows = self.stored("collection in ('approvals', 'calls') and id = ?",
                           effect.approval or "")
        if not rows or rows[0]["state"] != "pending":
            rows = [r for r in self.stored("1 order by rowid desc limit 60")
                    if r["state"] == "pending"]
        rows = [r for r in rows if r.get("request_state")]
        return self.dice.choice(rows) if rows else None

    # --- towards the server ---

    def present(self, arguments, word=None, state=None, token="gate", ticket=None,
                tool="put_value"):
        """A tools/call with whatever stands in its _meta. 'arguments' may be JSON text."""
        meta = {PREFIX + "protocolVersion": "2026-07-28", PREFIX + "clientCapabilities": {},
                PREFIX + "clientInfo": {"name": "x", "version": "1"}}
        if word is not None:
            meta["org.wingman/grant"] = word
        if ticket is not None:
            meta["org.wingman/requester"] = ticket
        params = {"name": tool, "_meta": meta}
        if state is not None:
            params["requestState"] = state
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        body = body.replace('"name": "' + tool + '", "_meta"',
                            '"name": "' + tool + '", "arguments": ' + arguments + ', "_meta"')
        return self.rig.post(
            f"http://127.0.0.1:{self.rig.server_port}/mcp", self.rig.tokens[token],
            body.encode("utf-8", "surrogatepass"),
            {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
             "Accept": "application/json, text/event-stream"})

    def present_row(self, row, **changes):
        """A leaked one as it was, but for the changes."""
        given = {"arguments": row["arguments"], "word": row.get("grant"),
                 "state": row.get("request_state"), **changes}
        return self.present(**given)

    def sign(self, payload, key=None):
        data = payload if isinstance(payload, bytes) else canonical(payload)
        return encode(data) + "." + encode((key or self.key).sign(data))

    def replay(self, _effect, _client):
        row = self.leaked()
        if row:
            self.present_row(row)

    def other_argument(self, effect, _client):
        row = self.leaked()
        if row:
            arguments = json.loads(row["arguments"])
            name = self.dice.choice(("key", "value", "reason"))
            arguments[name] = effect.key if name == "key" else text(self.dice, 20) + "."
            if self.dice.random() < 0.3:
                arguments["until"] = "2030-01-01T00:00:00Z"
            self.present_row(row, arguments=arguments)

    def other_tool(self, _effect, _client):
        row = self.leaked()
        if row:
            self.present_row(row, tool=self.dice.choice(("echo_text", "get_route", "sleep_for")),
                             arguments={"text": "x"} if self.dice.random() < 0.5 else
                             json.loads(row["arguments"]))

    def other_state(self, _effect, _client):
        row, other = self.leaked(), self.leaked()
        if row and other:
            state = other.get("request_state") or ""
            if self.dice.random() < 0.4 and len(state) > 20:
                at = self.dice.randrange(3, len(state))
                state = state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1:]
            self.present_row(row, state=self.dice.choice((state, "", "v1.", None)))

    def by_a_client(self, effect, _client):
        row = self.leaked()
        if row:
            self.present_row(row, token=self.dice.choice(("client", "client2", "stranger")),
                             state=self.dice.choice((None, row.get("request_state"))))

    def altered(self, _effect, _client):
        row = self.leaked()
        if not row:
            return
        word = row["grant"]
        at = self.dice.randrange(len(word))
        payload, signature = word.split(".")
        raw = decode(signature)
        more = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(33, "little")[:32]
        self.present_row(row, word=self.dice.choice((
            word[:at], word + "A", word + "=", word + "." + signature,
            word[:at] + self.dice.choice("ABab09-_") + word[at + 1:],
            word[:at] + " " + word[at:], payload, "." + signature, "",
            payload + "." + encode(raw[:32] + more))))

    def claims(self, row):
        """What a grant for it would say, had somebody said yes."""
        now = int(time.time())
        return {"typ": "org.wingman/grant", "v": 1, "kid": self.kid, "iat": now,
                "exp": now + 60, "id": row["id"] + self.dice.choice(("", "x")),
                "aud": row["instance"], "server": row["server"], "tool": row["tool"],
                "pin": row["pin"], "args": row["args"], "plan": row["plan_digest"],
                "shown": row["shown"], "requester": row["requester"],
                "approvers": ["alice@example.test"]}

    def confused_key(self, effect, _client):
        row = self.asked(effect)
        if row:
            claims = self.claims(row)
            if self.dice.random() < 0.5:
                raw = self.other_key.public_key().public_bytes(
                    serialization.Encoding.Raw, serialization.PublicFormat.Raw)
                claims["kid"] = self.dice.choice((hashlib.sha256(raw).hexdigest()[:16], "",
                                                  "../gate", claims["kid"].upper()))
            self.present_row(row, word=self.sign(claims, self.other_key))

    def signed_for_else(self, effect, _client):
        """By the gate's own key, for something else, some other time, or by nobody."""
        row = self.asked(effect)
        if not row:
            return
        claims, now = self.claims(row), int(time.time())
        self.dice.choice((
            lambda: claims.update(aud="elsewhere"), lambda: claims.update(server="elsewhere"),
            lambda: claims.update(tool="set_value"), lambda: claims.update(pin="0" * 64),
            lambda: claims.update(args="0" * 64), lambda: claims.update(plan="0" * 64),
            # Whoever it is, somebody else: signed as it should be it would be good.
            lambda: claims.update(requester=next(p for p in PEOPLE if p != row["requester"])),
            lambda: claims.update(approvers=[]), lambda: claims.pop("plan"),
            lambda: claims.update(approvers=[], rule="free"),
            lambda: claims.update(iat=now - 120, exp=now), lambda: claims.update(exp=now + 121),
            # Far enough ahead for a machine that has much else to do.
            lambda: claims.update(iat=now + 3600, exp=now + 3630),
            lambda: claims.update(typ="org.wingman/requester"), lambda: claims.update(v=2),
            lambda: claims.update(more=1), lambda: claims.pop("shown")))()
        self.present_row(row, word=self.sign(claims))

    def second_spelling(self, effect, _client):
        row = self.asked(effect)
        if row:
            data = canonical(self.claims(row))
            data = self.dice.choice((
                b" " + data, data + b"\n", data.replace(b'"v":1', b'"v":1.0'), b"[" + data + b"]",
                data.replace(b'{', b'{"aud":"elsewhere",', 1), data[:-1] + b',"aud":"fixture"}',
                data.replace(b'"aud"', b'"\\u0061ud"'), b"\xef\xbb\xbf" + data))
            self.present_row(row, word=self.sign(data))

    def forged(self, effect, _client):
        """As it would be, with no signature, or one that only looks like one."""
        row = self.asked(effect)
        if row:
            data = canonical(self.claims(row))
            mac = hmac.new(self.public, data, hashlib.sha256).digest()
            self.present_row(row, word=encode(data) + "." + self.dice.choice((
                "", encode(bytes(64)), encode(b"\x01" + bytes(63)), encode(mac), encode(mac + mac),
                encode(os.urandom(64)), encode(os.urandom(256)))))

    def ticket_as_grant(self, effect, _client):
        row = self.asked(effect)
        if row:
            now = int(time.time())
            word = self.sign({"typ": "org.wingman/requester", "v": 1, "kid": self.kid,
                              "aud": "fixture", "requester": "alice@example.test",
                              "request": row["request"], "iat": now, "exp": now + 60})
            self.present_row(row, word=word)
            self.present_row(row, word=None, ticket=word)

    def twice_named(self, effect, _client):
        row = self.leaked()
        if row:
            inner = row["arguments"][1:-1]
            more = self.dice.choice((f'"key":"{effect.key}"', f'"k\\u0065y":"{effect.key}"',
                                     '"value":"x"', '"Key":"a"', '"value":"\\ud800"'))
            self.present_row(row, arguments="{" + inner + "," + more + "}")

    def number(self, _effect, client):
        count = self.dice.choice(NUMBERS)
        self.present('{"text":"x","count":' + count + "}", tool="echo_text",
                     token=self.dice.choice(("client", "gate")))

    # --- as a direct client ---

    def another_client(self, effect, _client):
        """The same call, of another token or another person."""
        self.present(effect.arguments(), token=self.dice.choice(("client2", "stranger")))

    def made_up_state(self, effect, _client):
        row = self.leaked()
        state = self.dice.choice(("v1.AAAA", "x", row and row.get("request_state") or "q1.A"))
        self.present(effect.arguments(), token="client", state=state)

    # --- as a surface ---

    def frame(self, client, message):
        with GateClient(self.rig.path("run/gate.sock"), 10) as gate:
            gate.send_bytes(message if isinstance(message, bytes) else
                            json.dumps(message).encode())
            gate.receive()

    def stale_click(self, effect, client):
        if not effect.approval:
            return
        shown = (client.patient("show", approval=effect.approval) or {}).get("record", {}).get(
            "shown", "0" * 64)
        client.ask("decide", approval=effect.approval, decision="approve", shown=self.dice.choice((
            shown[:12], shown.upper() if shown.upper() != shown else "", shown[::-1] + "0",
            "0" * 64, shown + " ", hashlib.sha256(effect.key.encode()).hexdigest())))

    def early_click(self, _effect, client):
        """Within a second of a proposal of its own, again and again."""
        reply = client.ask("propose", tool="fixture.put_value", arguments={
            "key": "early", "value": text(self.dice, 30) + str(self.dice.random()),
            "reason": "why not"})
        approval = (reply or {}).get("approval", "x")
        for _ in range(3):
            record = (client.ask("show", approval=approval) or {}).get("record", {})
            readable_at = record.get("posted_at", 2 ** 52) + 1000
            if time.time() * 1000 > readable_at - 100:
                return
            try:
                reply = client.ask("decide", approval=approval, decision="approve",
                                   shown=record.get("shown", "0" * 64))
            except Refused:
                continue
            if time.time() * 1000 >= readable_at:
                # A busy machine was slower than the second: then it is a yes like any other.
                client.all.slow_yes.add(approval)
            elif reply:
                client.all.surprise(f"{approval}: a yes counted before it could be read")

    def forged_decision(self, effect, client):
        approval = effect.approval or "x"
        shown = "0" * 64
        self.frame(client, self.dice.choice((
            {"m": "decide", "id": 1, "approval": approval, "decision": "APPROVE", "shown": shown},
            {"m": "decide", "id": 1, "approval": approval, "decision": "approve", "shown": shown,
             "by": "bob@example.test"},
            {"m": "decide", "id": 1, "approval": "../" + approval, "decision": "approve",
             "shown": shown},
            {"m": "decide", "id": 1, "approval": approval, "decision": ["approve"],
             "shown": shown},
            {"m": "executed", "id": 1, "approval": approval, "result": {}},
            {"m": "planned", "id": 1, "approval": approval, "plan": {}, "request_state": "x"},
            {"m": "register", "id": 1, "request": 1, "server": "fixture", "body": {}},
            {"m": "outcome", "id": 1, "request": 1, "server": "fixture", "approval": approval,
             "body": {"v": 1, "state": "succeeded"}},
            b'{"m":"decide","id":1,"approval":"' + approval.encode() +
            b'","decision":"deny","decision":"approve","shown":"' + shown.encode() + b'"}',
            b"\xff", b"[]", struct.pack(">I", 7))))

    def odd_proposal(self, effect, client):
        client.ask("propose", tool=self.dice.choice(
            ("fixture.put_value", "fixture.echo_text", "gate.rotate_key", "fixture.put_valuе",
             "other.put_value")), arguments=self.dice.choice((
                 effect.arguments() | {"value": text(self.dice, 60)},
                 {"text": text(self.dice, 80)}, effect.arguments() | {"grant": "x"},
                 {"key": "../" + effect.key, "value": "x", "reason": "why"})))

    # --- as a server ---

    def register_for_another(self, effect, _client):
        body = {"v": 1, "tool": "put_value", "principal": "alice@example.test",
                "client": "client", "arguments": effect.arguments()}
        if effect.approval and self.dice.random() < 0.5:
            body["approval"] = effect.approval
        self.rig.register(body, self.dice.choice(("other", "client", "gate", "wm_x")))

    def register_strangely(self, effect, _client):
        """With its own token: for persons and clients that it makes up."""
        body = {"v": 1, "tool": "put_value", "principal": self.dice.choice(
            ("mallory@example.test", "alice@example.test ", "Alice@example.test", "service/gate",
             "bob@example.test")), "client": self.dice.choice(("client", "x) approved (", "")),
                "arguments": effect.arguments()}
        if effect.approval:
            body["approval"] = effect.approval
        self.rig.register(body)

    def report_for_another(self, effect, _client):
        if effect.approval:
            what, body = self.dice.choice((
                ("outcome", {"v": 1, "state": "succeeded", "server_head": {
                    "program": "fixture", "seq": 1, "hash": "0" * 64}}),
                ("cancel", {"v": 1, "principal": "alice@example.test"})))
            self.rig.post(f"http://127.0.0.1:{self.rig.gate_port}/approvals/"
                          f"{effect.approval}/{what}",
                          self.rig.tokens[self.dice.choice(("other", "client", "gate"))], body)

    # --- as a browser ---

    def page(self, effect, _client):
        for path in ("/a/" + (effect.approval or "x"), "/a/" + encode(os.urandom(16)) + "?yes=1",
                     f"/approvals/{effect.approval}/approve"):
            self.rig.post(f"http://127.0.0.1:{self.rig.gate_port}{path}", None,
                          {"decision": "approve"})


KINDS = {
    "a replay of a real grant": Hostile.replay,
    "a real grant, other arguments": Hostile.other_argument,
    "a real grant, another tool": Hostile.other_tool,
    "a real grant, requestState of another call": Hostile.other_state,
    "a real grant in a client's hands": Hostile.by_a_client,
    "an altered, cut or extended grant": Hostile.altered,
    "a confused key": Hostile.confused_key,
    "a forged signature": Hostile.forged,
    "signed for something else": Hostile.signed_for_else,
    "bytes that are not canonical": Hostile.second_spelling,
    "a ticket for a grant": Hostile.ticket_as_grant,
    "a name given twice": Hostile.twice_named,
    "a number that collides": Hostile.number,
    "the same call of another client": Hostile.another_client,
    "a requestState made up": Hostile.made_up_state,
    "a click on what is not shown": Hostile.stale_click,
    "a click before one can read": Hostile.early_click,
    "a forged decision": Hostile.forged_decision,
    "an odd proposal": Hostile.odd_proposal,
    "a server registers for another": Hostile.register_for_another,
    "a server makes up who asks": Hostile.register_strangely,
    "a report about another's approval": Hostile.report_for_another,
    "a page that shall decide": Hostile.page,
}
