"""What the gate reads for conversations: as who asks, what is named, so often, into the log.

Real wingman-gate and the fixture server; as Slack's process and as a console.
"""

import json
import os
import socket
import struct
import time

import tap
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import IDS, SlackRig, SlackSurface, form, form_sent, mention

ALICE, BOB, CAROL = PEOPLE
PER_TURN = 3
HOME_READS = 480
CONTEXT = {"templates": [{"server": "fixture", "uri": "fixture://text", "description": "A text."},
                         {"server": "fixture", "uri": "fixture://values/{key}"},
                         {"server": "fixture", "uri": "fixture://bytes"}],
           "reads_per_turn": PER_TURN}


class ContextRig(SlackRig):
    after_slack = f"context: {json.dumps(CONTEXT)}\n"

    def __init__(self):
        super().__init__()
        path = f"config/{self.name}.yaml"
        self.write(path, self.read(path) +
                   "freed_resources: ['fixture://text', 'fixture://values/{key}']\n"
                   f"rights: {{'{ALICE}': [read, write], '{BOB}': [write]}}\n")


def refused(name, code, words, fn):
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was read: {got}")


def audit(rig, event):
    return [line for line in map(json.loads, rig.read("audit/gate.jsonl").splitlines())
            if line.get("event") == event]


def test_slack(rig):
    with SlackSurface(rig) as slack:
        def read(turn, uri="fixture://text"):
            return slack.ask("context", uri=uri, turn=turn)

        turn = slack.turn(mention(IDS[ALICE]))
        got = read(turn)
        tap.equal("it is read", (got["text"], got["label"], got["server"], got["cut"]),
                  ("a text", "fixture://text", "fixture", False))
        read(turn)
        refused("what the server does not have", "invalid_argument", "no value", lambda: read(turn, "fixture://values/none"))
        refused("so often and no more", "rate_limited", str(PER_TURN), lambda: read(turn))
        turn = slack.turn(mention(IDS[ALICE]))
        tap.equal("another turn reads again", read(turn)["text"], "a text")
        refused("what is not named", "permission_denied", "nothing that", lambda: read(turn, "fixture://other"))
        refused("what the server does not free", "invalid_argument", "approval", lambda: read(turn, "fixture://bytes"))
        refused("as somebody who may not read there", "invalid_argument", "may not read",
                lambda: read(slack.turn(mention(IDS[BOB]))))
        refused("for nobody's turn", "not_found", "", lambda: read("0" * 64))
        refused("for no turn", "invalid_argument", "turn", lambda: slack.ask("context", uri="fixture://text"))
        refused("2049 bytes", "invalid_argument", "2048",
                lambda: read(turn, "fixture://values/" + "x" * (2049 - len("fixture://values/"))))
        reads = audit(rig, "context.read")
        tap.ok("each is in the log, under its person", [r["data"]["requester"] for r in reads[:2]] ==
               [ALICE, ALICE] and reads[0]["data"]["uri"] == "fixture://text", reads[:1])
        tap.ok("and so are refusals", audit(rig, "context.refused"))
        approval = slack.propose_in(turn, "fixture.put_value", {"sources": [{"read": got["read"]}]},
                                    key="text", value="none", reason="as asked")["approval"]
        entries = {e["name"]: e.get("from") for e in
                   slack.pending(approval)["record"]["prompt"]["arguments"]}
        tap.equal("the gate knows by itself what stood there", entries["key"],
                  ["fixture://text, which was read"])
        other = slack.turn(mention(IDS[BOB]))
        approval = slack.propose_in(other, "fixture.put_value", {"sources": [{"read": got["read"]}]},
                                    key="text", value="none", reason="as asked")["approval"]
        entries = {e["name"]: e.get("from") for e in
                   slack.pending(approval)["record"]["prompt"]["arguments"]}
        tap.ok("what was read for another person is not his", "nowhere" in entries["key"][0], entries)


def home_opened(user, tab="home"):
    return mention(user, event={"type": "app_home_opened", "tab": tab, "channel": "D0ALICE"})


def test_app_home(rig):
    """Who opens App Home may have its panels read, and nothing proposed."""
    with SlackSurface(rig) as slack:
        def read(turn):
            return slack.ask("context", uri="fixture://text", turn=turn)

        before = len(audit(rig, "context.read"))
        turn = slack.turn(home_opened(IDS[ALICE]))
        for _ in range(HOME_READS):
            got = read(turn)
        tap.equal("its panels are read often", got["text"], "a text")
        refused("so often and no more", "rate_limited", str(HOME_READS), lambda: read(turn))
        read(slack.turn(home_opened(IDS[ALICE])))
        made = audit(rig, "context.read")[before:]
        tap.equal("each is in the log, as who opened it", [r["data"]["requester"] for r in made],
                  [ALICE] * (HOME_READS + 1))
        refused("it proposes nothing", "permission_denied", "asks for nothing",
                lambda: slack.propose_in(turn, "fixture.put_value", key="text", value="none", reason="as asked"))
        refused("nor is a form begun there", "invalid_argument", "nothing is begun",
                lambda: slack.turn(form(form_sent(IDS[ALICE])), begun=turn))
        refused("another tab is no reason", "invalid_argument", "another tab",
                lambda: slack.turn(home_opened(IDS[ALICE], "messages")))
        refused("nor is somebody unknown", "permission_denied", "nobody",
                lambda: slack.turn(home_opened("U0NOBODY")))


def test_rights(rig):
    """What the policy says of a person, for their App Home."""
    with SlackSurface(rig) as slack:
        rights = slack.ask("tools", **{"as": ALICE})["rights"]
        tap.equal("a tool that needs a yes", rights["fixture.put_value"],
                  {"call": True, "approve": True, "free": False})
        strange = slack.ask("tools", **{"as": "mallory@example.test"})["rights"]
        tap.ok("of whom nobody knows: nothing", strange and not any(
            r["call"] or r["approve"] or r["free"] for r in strange.values()), strange)
        tap.ok("unasked: nothing", "rights" not in slack.ask("tools"))


def test_changed(rig):
    """A server tells the gate of what changed there, and the gate the Slack process."""
    with SlackSurface(rig) as slack:
        slack.ask("slack_open")

        def heard(what):
            deadline = time.monotonic() + 30
            while not any(e.get("changed") == what for e in slack.events):
                assert time.monotonic() < deadline, slack.events
                slack.ask("status")
                time.sleep(0.05)

        rig.server.kill()
        refused("who reads there finds that it is gone", "backend_unavailable", "",
                lambda: slack.ask("context", uri="fixture://text", turn=slack.turn(home_opened(IDS[ALICE]))))
        heard("servers")
        rig.start_server()
        heard("resource")
        tap.ok("that it went and came back", True)
        uris = {e["uri"] for e in slack.events if e.get("changed") == "resource"}
        tap.ok("and that what it has may be another", "fixture://text" in uris, uris)


def test_console(rig):
    with rig.client() as c:
        tap.equal("what may be read is listed", [r["uri"] for r in c.ask("tools")["context"]],
                  [t["uri"] for t in CONTEXT["templates"]])
        tap.equal("a console reads as its person", c.ask("context", uri="fixture://text")["text"], "a text")
        refused("it has no turns", "invalid_argument", "turns",
                lambda: c.ask("context", uri="fixture://text", turn="0" * 64))


def test_not_waiting(rig):
    """Whoever asked and left costs nobody anything; the gate answers others meanwhile."""
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(rig.path("run/gate.sock"))
    for message in ({"m": "hello", "id": 1, "v": 4}, {"m": "context", "id": 2, "uri": "fixture://text"}):
        data = json.dumps(message).encode()
        raw.sendall(struct.pack(">I", len(data)) + data)
    raw.close()
    with rig.client() as c:
        tap.ok("the gate goes on", c.ask("status")["uptime_s"] >= 0)


def test_server_away(rig):
    rig.server.kill()
    with SlackSurface(rig) as slack:
        turn = slack.turn(mention(IDS[ALICE]))
        refused("a server that is away", "backend_unavailable", "",
                lambda: slack.ask("context", uri="fixture://text", turn=turn))


def main():
    rig = ContextRig()
    try:
        rig.start()
        tap.run([lambda t=t: t(rig) for t in (test_slack, test_app_home, test_rights, test_changed, test_console, test_not_waiting, test_server_away)])
    finally:
        rig.done()
    tap.done()


if __name__ == "__main__":
    assert os.environ.get("WINGMAN_BUILD")
    main()
