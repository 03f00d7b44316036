"""Socket Mode against a double of Slack's end, which Slack's own client proves first.

The double stands in tests/slack/socket_double.mjs; ours runs in build/tests/slack-socket with
nothing around it. Every wait is for something that is said; times are made short, and no
result depends on how short.
"""

import json
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time

import certificates
import tap
from doubles import emulator

SOURCE = pathlib.Path(os.environ["WINGMAN_SOURCE"])
PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "slack-socket")
FIXTURES = SOURCE.parent / "shared" / "slack" / "fixtures"
NPM = {**os.environ, "NODE_PATH": os.path.join(emulator.NPM, "node_modules")}
PATIENCE_S = 30
TOKEN = "xapp-1-A0WINGMAN1-1-secret"

ENVELOPES = {
    "event": {"envelope_id": "e-1", "type": "events_api", "accepts_response_payload": False,
              "payload": {"type": "event_callback", "event_id": "Ev1",
                          "event": {"type": "app_mention", "text": "\u00e9 & <@U1>"}}},
    "retry": {"envelope_id": "e-2", "type": "events_api", "accepts_response_payload": False,
              "retry_attempt": 1, "retry_reason": "timeout",
              "payload": {"type": "event_callback", "event_id": "Ev1",
                          "event": {"type": "app_mention"}}},
    "press": {"envelope_id": "e-3", "type": "interactive", "accepts_response_payload": False,
              "payload": {"type": "block_actions"}},
    "submit": {"envelope_id": "e-4", "type": "interactive", "accepts_response_payload": True,
               "payload": {"type": "view_submission"}},
    "command": {"envelope_id": "e-5", "type": "slash_commands", "accepts_response_payload": True,
                "payload": {"command": "/wingman", "text": "tools"}},
}
ANSWERS = {
    "view_submission": {"response_action": "errors", "errors": {"p:0": "Enter an address"}},
    "/wingman": {"response_type": "ephemeral", "text": "Working on it"},
    "block_actions": {"text": "nobody takes this"},
}
# What happens soon in these tests, and what within them never does.
TIMES = {"backoff_ms": 20, "backoff_max_ms": 100, "settled_ms": 0, "leave_ms": 600000}


class Talker:
    """A child whose output is lines of JSON; each is waited for, in order, at most once."""

    def __init__(self, args, **more):
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, **more)
        self.lines, self.seen = queue.Queue(), []
        self.all = []
        self.threads = [self._read(self.process.stdout)]
        if self.process.stderr:
            self.threads.append(self._read(self.process.stderr))

    def _read(self, stream):
        def read():
            for line in stream:
                self.all.append(line)
                try:
                    self.lines.put(json.loads(line))
                except ValueError:
                    self.lines.put({"text": line})
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def tell(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def wait(self, fits, patience_s=PATIENCE_S):
        """The first line that fits; those before it stay for others."""
        for i, line in enumerate(self.seen):
            if fits(line):
                return self.seen.pop(i)
        until = time.monotonic() + patience_s
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"it was not said; there was: {self.seen[-20:]}") from None
            if fits(line):
                return line
            self.seen.append(line)

    def has(self, member, value=None, **more):
        return self.wait(lambda o: member in o and (value is None or o[member] == value),
                         **more)

    def drain(self):
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return self.seen

    def end(self):
        """What it still said, once it has ended."""
        self.process.stdin.close()
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        self.process.stdout.close()
        if self.process.stderr:
            self.process.stderr.close()
        return status


class Double(Talker):
    def __init__(self, *args):
        super().__init__([emulator.NODE, SOURCE / "tests/slack/socket_double.mjs", *args],
                         env=NPM)
        self.port = self.has("port")["port"]
        self.tls = bool(args)
        self.api = f"http{'s' if args else ''}://localhost:{self.port}/api"

    def set(self, **mode):
        self.tell(do="set", mode=mode)
        self.has("set")

    def up(self):
        return self.has("up")["up"]

    def send(self, frame, **more):
        self.tell(do="send", frame=frame, **more)

    def ack(self, envelope):
        return self.wait(lambda o: o.get("frame", {}).get("envelope_id") == envelope)


class Ours(Talker):
    def __init__(self, double, times=None, env=None, api=None, token=TOKEN, **config):
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-socket-")
        path = os.path.join(self.folder.name, "app_token")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(token)
        super().__init__([PROGRAM, self.folder.name], stderr=subprocess.PIPE,
                         env={**os.environ, **(env or {})})
        self.tell(**{"api": {"token_file": "app_token", "url": double.api, **(api or {})},
                     "times": {**TIMES, **(times or {})}, "answers": ANSWERS,
                     "connections": 1, **config})

    def event(self, name):
        return self.has("event", "slack.socket." + name)

    def delivery(self):
        return self.wait(lambda o: "raw" in o)

    def finish(self, name):
        status = self.end()
        said = "".join(self.all)
        tap.ok(f"{name}: it ends well, and told no secret",
               status == 0 and "ticket=" not in said and TOKEN not in said,
               f"{status} {said[-3000:]}")
        self.folder.cleanup()
        ends = [o["end"] for o in self.drain() if "end" in o]
        return ends[0] if ends else {}


def test_double_by_slacks_client():
    """Slack's own client gets along with the double: so the double is like Slack."""
    double = Double()
    client = Talker([emulator.NODE, SOURCE / "tests/slack/socket_client.mjs",
                     double.api + "/", TOKEN], env=NPM)
    client.has("connected")
    first = double.up()
    double.send(ENVELOPES["retry"])
    tap.equal("Slack's client gets an event", client.has("type"),
              {"type": "events_api", "body": "event_callback", "retry": 1,
               "accepts_response_payload": False})
    ack = double.ack("e-2")["frame"]
    tap.ok("and acknowledges it", set(ack) <= {"envelope_id", "payload"}, ack)
    double.send(ENVELOPES["command"], pieces=3)
    tap.equal("a command in pieces", client.has("type")["body"], "/wingman")
    tap.equal("and answers it", double.ack("e-5")["frame"].get("payload"), {"text": "seen"})
    double.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
    tap.ok("and comes back when it is sent away", double.up() != first)
    client.end()
    double.end()


def test_envelopes():
    double = Double()
    ours = Ours(double, refused=["EvNo"], app="A0WINGMAN1")
    double.up()
    ours.event("up")
    for name, want in (("event", None), ("retry", None), ("press", None),
                       ("submit", ANSWERS["view_submission"]), ("command", ANSWERS["/wingman"])):
        envelope = ENVELOPES[name]
        double.send(envelope)
        got = ours.delivery()
        tap.equal(f"{name}: what is within it", got["payload"], envelope["payload"])
        tap.equal(f"{name}: the very frame, unsigned",
                  (got["raw"], got["timestamp"], got["signature"]),
                  (json.dumps(envelope, separators=(",", ":"), ensure_ascii=False), False, False))
        want = {"envelope_id": envelope["envelope_id"], **({"payload": want} if want else {})}
        tap.equal(f"{name}: acknowledged", double.ack(envelope["envelope_id"])["frame"], want)
    double.send({"type": "a_new_thing", "envelope_id": "e-new", "payload": {}})
    tap.equal("what is not known is acknowledged", double.ack("e-new")["frame"],
              {"envelope_id": "e-new"})
    double.send({**ENVELOPES["event"], "envelope_id": "e-no",
                 "payload": {"type": "event_callback", "event_id": "EvNo"}})
    ours.event("left")
    for what, bad in (("no JSON", "{"), ("an array", "[]"), ("no type", "{}"),
                      ("no payload", '{"type":"events_api","envelope_id":"e-b1"}'),
                      ("no id", '{"type":"events_api","payload":{}}'),
                      ("an id that is none", '{"type":"events_api","envelope_id":"a\\"b",'
                       '"payload":{}}'),
                      ("twice", '{"type":"hello","type":"events_api","payload":{}}')):
        double.tell(do="send", text=bad)
        tap.ok(f"a frame with {what} is none", ours.event("frame")["code"] == "invalid_argument")
    double.tell(do="binary")
    ours.event("skipped")
    double.send(ENVELOPES["event"])
    double.ack("e-1")
    refused = [o for o in double.drain() if o.get("frame", {}).get("envelope_id") in
               ("e-no", "e-b1")]
    tap.equal("what was not taken is not acknowledged", refused, [])
    end = ours.finish("envelopes")
    tap.equal("counted", (end["taken"], end["left"]), (7, 1))
    tap.equal("closed politely", double.has("closed")["code"], 1000)
    double.end()


def test_sizes():
    double = Double()
    ours = Ours(double)
    double.up()
    ours.event("up")

    def big(length, name):
        frame = {"envelope_id": name, "type": "events_api", "payload": {"pad": ""}}
        room = length - len(json.dumps(frame, separators=(",", ":")))
        frame["payload"]["pad"] = "x" * room
        return frame

    for pieces in (1, 2, 100, 3000):
        double.send(big(200000, f"p-{pieces}"), pieces=pieces)
        double.ack(f"p-{pieces}")
        tap.equal(f"in {pieces} pieces", len(ours.delivery()["raw"]), 200000)
    double.send(big(1024 * 1024, "n"), pieces=7)
    double.ack("n")
    tap.equal("as long as may be", len(ours.delivery()["raw"]), 1024 * 1024)
    for pieces in (1, 50):
        double.send(big(1024 * 1024 + 1, "n1"), pieces=pieces)
        tap.equal("one more", ours.event("skipped")["why"], "it is too long")
    double.send(ENVELOPES["event"])
    double.ack("e-1")
    tap.equal("and the next one comes", ours.delivery()["payload"]["event_id"], "Ev1")
    ours.finish("sizes")
    double.end()


def held(number, pad=0):
    return {"envelope_id": f"h-{number}", "type": "events_api",
            "payload": {"type": "event_callback", "event_id": "EvHeld", "pad": "x" * pad}}


def test_waiting():
    """One that takes long keeps nobody; too many of them are left to Slack."""
    double = Double()
    ours = Ours(double, held="EvHeld")
    double.up()
    ours.event("up")
    for number in range(3):
        double.send(held(number))
        ours.delivery()
    double.send(ENVELOPES["event"])
    tap.ok("others are acknowledged meanwhile", double.ack("e-1"))
    tap.equal("and those not yet", [o for o in double.drain() if "frame" in o], [])
    for number in range(3, 20):
        double.send(held(number, 1000000))
    tap.equal("too many bytes wait", ours.event("left")["why"], "too many are waiting")
    ours.tell(go=True)
    for number in range(19):
        double.ack(f"h-{number}")
    tap.ok("all that was taken is acknowledged at last", True)
    double.send(ENVELOPES["event"])
    tap.ok("and there is room again", double.ack("e-1"))
    end = ours.finish("waiting")
    tap.equal("counted", (end["taken"], end["left"]), (21, 1))
    double.end()


def test_fixtures():
    """The invented frames that are beside the project."""
    if not FIXTURES.exists():
        tap.skip("frames as Slack has them", "../shared is not there")
        return
    double = Double()
    ours = Ours(double, app="A0WINGMAN1")
    double.up()
    ours.event("up")
    for path in sorted(FIXTURES.glob("socket_*.json")):
        frame = json.loads(path.read_text(encoding="utf-8"))
        if "payload" not in frame or "type" not in frame:
            continue
        double.send(frame)
        got = ours.delivery()
        tap.equal(path.name, (got["payload"], double.ack(frame["envelope_id"]) is not None),
                  (frame["payload"], True))
    ours.finish("fixtures")
    double.end()


def test_refresh():
    """The new connection stands before the old one is let go, which is read until then."""
    double = Double()
    ours = Ours(double)
    old = double.up()
    for reason in ("warning", "refresh_requested", "a_reason_of_tomorrow"):
        double.send({"type": "disconnect", "reason": reason}, to=old)
        up = double.has("up")
        tap.equal(f"{reason}: two stand", up["connections"], 2)
        double.send(ENVELOPES["event"], to=old)
        tap.equal(f"{reason}: the old one is read", double.ack("e-1")["on"], old)
        double.send(ENVELOPES["submit"], to=up["up"])
        tap.equal(f"{reason}: and the new one", double.ack("e-4")["on"], up["up"])
        double.tell(do="close", to=old)
        double.has("closed", old)
        old = up["up"]
    ours.finish("refresh")
    double.end()


def test_old_one_is_let_go():
    double = Double()
    ours = Ours(double, times={"leave_ms": 50})
    old = double.up()
    double.send({"type": "disconnect", "reason": "warning"}, to=old)
    double.up()
    closed = double.has("closed", old)
    tap.equal("if Slack does not close it we do", (closed["code"], closed["left"]), (1000, 1))
    ours.finish("let go")
    double.end()


def test_useless():
    """Socket Mode switched off, or too many connections: closed, and not tried soon."""
    for reason in ("link_disabled", "too_many_websockets"):
        double = Double()
        ours = Ours(double, connections=1, times={"slow_ms": 600000, "crowd_ms": 600000})
        old = double.up()
        double.send({"type": "disconnect", "reason": reason}, to=old)
        tap.equal(f"{reason}: it is closed", double.has("closed", old)["code"], 1000)
        ours.event("closed")
        ours.finish(reason)
        tap.equal(f"{reason}: and no other was asked for",
                  [o for o in double.drain() if "opened" in o][1:], [])
        double.end()
    double = Double()
    ours = Ours(double, times={"slow_ms": 50})
    double.send({"type": "disconnect", "reason": "link_disabled"}, to=double.up())
    tap.ok("but in the end it is", double.up())
    ours.finish("in the end")
    double.end()


def test_ends():
    """However a connection ends, another is made."""
    double = Double()
    ours = Ours(double, times={"ping_ms": 200, "silence_ms": 3000})
    old = double.up()
    for deed in ("drop", "close"):
        double.tell(do=deed, to=old)
        new = double.up()
        tap.ok(f"{deed}: another is made", new != old)
        old = new
    double.set(pong=False)
    ours.event("silent")
    new = double.up()
    tap.ok("silence: another is made", new != old)
    double.set(pong=True, hello=False)
    ours.finish("ends")
    double.end()
    double = Double()
    double.set(hello=False, greeting=ENVELOPES["event"])
    ours = Ours(double, times={"hello_ms": 200})
    first = double.up()
    tap.equal("before a hello nothing is taken", ours.event("left")["why"], "there was no hello")
    ours.event("silent")
    tap.ok("without a hello another is made", double.up() != first)
    ours.finish("no hello")
    double.end()


def test_pings():
    """Pings of Slack's are answered; ours are sent where nothing is heard."""
    double = Double()
    double.set(ping_ms=20)
    ours = Ours(double, times={"ping_ms": 20})
    double.up()
    tap.ok("Slack's are answered", double.has("pong"))
    tap.ok("ours are sent", double.has("pinged"))
    ours.finish("pings")
    double.end()


def test_two():
    double = Double()
    ours = Ours(double, connections=2)
    up = sorted([double.up(), double.up()])
    ours.event("up")
    ours.event("up")
    tap.equal("two stand", len(set(up)), 2)
    for link, name in zip(up, ("event", "submit")):
        double.send(ENVELOPES[name], to=link)
        tap.equal(f"{name} is acknowledged where it came",
                  double.ack(ENVELOPES[name]["envelope_id"])["on"], link)
    double.tell(do="drop", to=up[0])
    third = double.up()
    double.send(ENVELOPES["command"], to=up[1])
    tap.equal("one goes, the other stays", double.ack("e-5")["on"], up[1])
    end = ours.finish("two")
    tap.equal("wanted", (end["wanted"], third), (2, 3))
    double.end()


def test_tickets():
    """What apps.connections.open says, and where it sends us."""
    for error in ("invalid_auth", "not_allowed_token_type"):
        double = Double()
        double.set(error=error)
        ours = Ours(double, times={"slow_ms": 600000})
        tap.ok(f"{error} is told", error in json.dumps(ours.event("refused")))
        ours.finish(error)
        tap.equal(f"{error} is not asked again",
                  len([o for o in double.drain() if "refused" in o]), 1)
        double.end()
    double = Double()
    ours = Ours(double, token="xoxb-not-this-kind", times={"slow_ms": 600000})
    tap.ok("a token of another kind", "not_allowed_token_type" in
           json.dumps(ours.event("refused")))
    ours.finish("kind")
    double.end()
    double = Double()
    double.set(error="internal_error")
    ours = Ours(double)
    ours.event("no_ticket")
    double.set(error=None)
    tap.ok("what gets better is tried again", double.up())
    ours.finish("better")
    double.end()
    double = Double()
    for url in (f"ws://127.0.0.1.example.test:{double.port}/link/?ticket=1",
                "wss://slack.com.example.test/link/?ticket=1", "ws://slack.com/?ticket=1",
                "wss://wss-primary.slack.com:444/?ticket=1", "https://slack.com/",
                "wss://user@slack.com/?ticket=1", f"ws://[::1]:{double.port}/", "wss://", ""):
        double.set(url=url)
        ours = Ours(double, times={"backoff_ms": 600000})
        tap.ok(f"'{url.replace(str(double.port), 'PORT')}' is not dialled", "address" in
               ours.event("no_ticket")["message"])
        ours.finish("address")
    tap.equal("nobody came", [o for o in double.drain() if "up" in o or "turned_away" in o], [])
    double.end()
    double = Double()
    double.set(refuse_upgrade=403)
    ours = Ours(double)
    double.has("turned_away")
    ours.event("not_up")
    double.set(refuse_upgrade=0)
    tap.ok("a ticket that is refused: another is asked for", double.up())
    opened = [o["opened"] for o in double.drain() if "opened" in o]
    tap.equal("each of them once", len(set(opened)), len(opened))
    ours.finish("refused")
    double.end()


def test_nowhere_else():
    """Neither a redirect nor a proxy of the environment takes the ticket away."""
    trap = Double()
    double = Double()
    double.set(redirect=f"http://localhost:{trap.port}/link/?ticket=x")
    ours = Ours(double, times={"backoff_ms": 600000, "backoff_max_ms": 600000})
    double.has("turned_away")
    ours.event("not_up")
    ours.finish("redirect")
    double.set(redirect=None)
    proxy = f"http://localhost:{trap.port}"
    ours = Ours(double, env={"http_proxy": proxy, "https_proxy": proxy, "all_proxy": proxy})
    tap.ok("a proxy of the environment is not asked", double.up())
    ours.finish("proxy")
    double.end()
    trap.end()
    tap.equal("nobody came elsewhere", [o for o in trap.drain() if "turned_away" in o or
                                        "refused" in o], [])


def test_other_app():
    double = Double()
    double.set(app="A0OTHER")
    ours = Ours(double, app="A0WINGMAN1", times={"slow_ms": 600000})
    tap.equal("a connection of another app is none",
              (ours.event("other_app")["app"], double.has("closed")["code"]), ("A0OTHER", 1000))
    ours.finish("other app")
    double.end()


def test_storm():
    """Sent away at once, always: the attempts get rarer, so that few are made."""
    for mode in ({"greeting": {"type": "disconnect", "reason": "refresh_requested"}},
                 {"refuse_upgrade": 503}, {"error": "internal_error"}):
        double = Double()
        double.set(**mode)
        ours = Ours(double, times={"backoff_ms": 50, "backoff_max_ms": 3600000,
                                   "settled_ms": 3600000, "leave_ms": 0})
        begin = time.monotonic()
        for _ in range(4):
            double.wait(lambda o: "opened" in o or "refused" in o)
        # After 50, 100 and 200 ms, each of them by half at least.
        tap.ok(f"{mode}: the fourth comes late", time.monotonic() - begin >= 0.175)
        ours.finish("storm")
        double.end()


def test_tls():
    with tempfile.TemporaryDirectory(prefix="wingman-tls-") as name:
        folder = pathlib.Path(name)
        pem, key = certificates.make(folder, "good")
        other, _ = certificates.make(folder, "other")
        double = Double(pem, key)
        plain = Double()
        ours = Ours(double, api={"ca_file": str(pem)})
        double.up()
        double.send(ENVELOPES["event"])
        tap.ok("over TLS", double.ack("e-1"))
        ours.finish("tls")
        # The ticket from where we trust the sender, the connection to where we do not.
        for what, ca in (("an authority that is not ours", {"ca_file": str(other)}),
                         ("the system's authorities", {})):
            plain.set(url=f"wss://localhost:{double.port}/link/?ticket=x")
            ours = Ours(plain, api=ca)
            tap.ok(f"{what}: no connection", ours.event("not_up"))
            ours.finish(what)
        tap.equal("nobody got in", [o for o in double.drain() if "turned_away" in o], [])
        pem, key = certificates.make(folder, "elsewhere", "DNS:elsewhere.example.test")
        third = Double(pem, key)
        plain.set(url=f"wss://localhost:{third.port}/link/?ticket=x")
        ours = Ours(plain, api={"ca_file": str(pem)})
        tap.ok("a certificate of another name: none", ours.event("not_up"))
        ours.finish("name")
        tap.equal("nobody got in there", [o for o in third.drain() if "turned_away" in o], [])
        third.end()
        plain.end()
        double.end()


def test_stop():
    """What was taken is acknowledged before it ends."""
    double = Double()
    ours = Ours(double)
    double.up()
    ours.event("up")
    for i in range(200):
        double.send({**ENVELOPES["event"], "envelope_id": f"s-{i}"})
    ours.delivery()
    end = ours.finish("stop")
    double.has("closed")
    acked = sum("frame" in o for o in double.drain())
    tap.equal("all that it says it took", acked, end["taken"])
    delivered = sum('"raw"' in line for line in ours.all)
    tap.equal("and all that was handed over", delivered, end["taken"])
    double.end()


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("Socket Mode", emulator.WHY)
        tap.done()
    tap.run([test_double_by_slacks_client, test_envelopes, test_sizes, test_waiting, test_fixtures,
             test_refresh, test_old_one_is_let_go, test_useless, test_ends, test_pings, test_two,
             test_tickets, test_nowhere_else, test_other_app, test_storm, test_tls, test_stop])
    tap.done()
