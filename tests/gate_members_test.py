"""Who is in Slack's user group is asked afresh for each grant; see gate_slack.py."""

import os
import threading
import time

import tap
from doubles.slack_double import SlackDouble
from gate_client import Refused
from gate_rig import PEOPLE
from gate_slack import IDS, TEAM, SlackRig, SlackSurface, mention, run
from hostile_test import registration

ALICE, BOB, CAROL = PEOPLE
GROUP = "S0SECTEAM"
WHY = "as the test wants it"
_keys = iter(f"m{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrstuvwxyz")


class MembersRig(SlackRig):
    def __init__(self):
        self.double = SlackDouble()
        self.double.team = TEAM
        self.well()
        self.slack = {"membership": {"usergroup": GROUP, "token_file": "tokens/slack-gate",
                                     "url": self.double.url + "/api"}}
        super().__init__()
        self.write("tokens/slack-gate", self.double.token)

    def well(self):
        for person in PEOPLE:
            self.double.add_user(IDS[person], person.split("@")[0], person)
        self.double.usergroups = {GROUP: {"handle": "sec", "users": [IDS[p] for p in PEOPLE]}}

    def done(self):
        super().done()
        self.double.close()


def asked(slack):
    a = slack.propose(slack.turn(mention(IDS[ALICE])), "fixture.put_value", key=next(_keys),
                      value="1", reason=WHY)
    slack.post(a)
    return a


def ended(c, approval, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        record = c.show(approval)
        if "ended_at" in record:
            break
        time.sleep(0.05)
    return record


def test_good(rig, slack):
    before = len(rig.double.seen())
    a = asked(slack)
    slack.press(a, IDS[BOB], "approve")
    tap.equal("members' word is signed", ended(slack, a)["state"], "succeeded")
    paths = [r.path for r in rig.double.seen()[before:]]
    tap.ok("after Slack was asked, for this one",
           paths.count("/api/usergroups.users.list") == 1 and
           paths.count("/api/users.info") == 2, paths)
    a = asked(slack)
    slack.press(a, IDS[BOB], "approve")
    ended(slack, a)
    paths = [r.path for r in rig.double.seen()[before:]]
    tap.equal("and again for the next", paths.count("/api/usergroups.users.list"), 2)


def test_not(rig, slack):
    def leave(who):
        rig.double.usergroups[GROUP]["users"].remove(IDS[who])
    cases = {
        "an approver who left the group": lambda: leave(BOB),
        "a requester who left the group": lambda: leave(ALICE),
        "an approver who was deactivated": lambda: rig.double.users[IDS[BOB]].update(deleted=True),
        "a guest": lambda: rig.double.users[IDS[BOB]].update(is_restricted=True),
        "a guest of one channel":
            lambda: rig.double.users[IDS[BOB]].update(is_ultra_restricted=True),
        "a stranger": lambda: rig.double.users[IDS[BOB]].update(is_stranger=True),
        "a bot": lambda: rig.double.users[IDS[BOB]].update(is_bot=True),
        "somebody of another workspace":
            lambda: rig.double.users[IDS[BOB]].update(team_id="T0OTHER"),
    }
    for name, happens in cases.items():
        a = asked(slack)
        slack.let_read(a)
        happens()
        slack.press(a, IDS[BOB], "approve")
        record = ended(slack, a)
        tap.ok(f"{name}: taken back, nothing is signed", record["state"] == "revoked" and
               "user group" in record["history"][-1]["why"] and "grant_claims" not in record and
               a not in rig.liar.executed, (record["state"], record["history"][-1]))
        rig.well()


def test_unknown(rig, slack):
    """Without an answer nothing is signed, and the yes waits."""
    faults = {
        "Slack is down": {"status": 503, "times": 50},
        "Slack says no": {"status": 200, "body": {"ok": False, "error": "invalid_auth"},
                          "times": 2},
        "Slack says nothing that can be read": {"status": 200, "body": {"ok": True, "users": 7},
                                                "times": 2},
    }
    for name, fault in faults.items():
        a = asked(slack)
        slack.let_read(a)
        rig.double.fault("POST", r"/usergroups", **fault)
        slack.press(a, IDS[BOB], "approve")
        time.sleep(1)
        tap.ok(f"{name}: nothing is signed", slack.state(a) == "approved" and
               a not in rig.liar.executed, slack.state(a))
        rig.double.forget()
        tap.equal("and when it answers again it is", ended(slack, a, 40)["state"], "succeeded")
    wait = threading.Event()
    a = asked(slack)
    slack.let_read(a)
    rig.double.fault("POST", r"/usergroups", wait=wait)
    slack.press(a, IDS[BOB], "approve")
    tap.equal("while Slack thinks it is approved", slack.state(a), "approved")
    slack.click(slack.on_message(a, IDS[ALICE], "revoke"))
    wait.set()
    time.sleep(0.5)
    tap.ok("revoked meanwhile it stays so", slack.state(a) == "revoked" and
           a not in rig.liar.executed, slack.state(a))


def test_console(rig, slack):
    """Everywhere else it is the same: on a console, for direct clients, for the gate's own."""
    with rig.client() as c:
        a = c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY)
        c.approve(a)
        tap.equal("a console's yes of a member", ended(c, a)["state"], "succeeded")
        rig.double.usergroups[GROUP]["users"].remove(IDS[ALICE])
        a = c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY)
        c.approve(a)
        tap.equal("of nobody's", ended(c, a)["state"], "revoked")
        before = rig.kid()
        a = c.ask("propose_gate", action="rotate_key", arguments={"reason": WHY})["approval"]
        c.approve(a)
        if c.state(a) == "pending":
            rig.become(BOB)
            c.approve(a)
            rig.become(ALICE)
        tap.equal("nor is a key rotated", (ended(c, a)["state"], rig.kid()), ("revoked", before))
        rig.well()
        body = registration()
        a = rig.register(body)[1]["approval"]
        c.approve(a)
        states, deadline = [], time.monotonic() + 20
        while time.monotonic() < deadline:
            status, reply = rig.register(body)
            states.append((status, reply.get("state")))
            if reply.get("state") != "approved":
                break
            time.sleep(0.05)
        tap.ok("a direct client waits, and gets its grant", states[-1] == (200, "granted") and
               all(s == (200, "approved") for s in states[:-1]), states)
        rig.double.usergroups[GROUP]["users"].remove(IDS[ALICE])
        body = registration()
        a = rig.register(body)[1]["approval"]
        c.approve(a)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            status, reply = rig.register(body)
            if reply.get("state") != "approved":
                break
            time.sleep(0.05)
        tap.ok("or none", reply.get("state") == "revoked" and "grant" not in reply, reply)
        rig.well()


def test_several(rig, slack):
    """Of several calls each is asked for; who leaves in between stops the rest."""
    def several():
        turn = slack.turn(mention(IDS[ALICE]))
        a = slack.ask("slack_propose", turn=turn, people=3, outsiders=False, calls=[
            {"tool": "fixture.put_value",
             "arguments": {"key": next(_keys), "value": "1", "reason": WHY}}
            for _ in range(2)])["approval"]
        slack.post(a)
        slack.let_read(a)
        return a
    a = several()
    slack.click(slack.on_message(a, IDS[BOB], "approve"))
    tap.equal("all of it runs", ended(slack, a, 40)["state"], "succeeded")
    a = several()

    def leave(approval):
        # What became of an earlier call may be asked meanwhile.
        if approval == f"{a}-1":
            rig.double.usergroups[GROUP]["users"].remove(IDS[BOB])
        return plain(approval)
    plain, rig.liar.execute = rig.liar.execute, leave
    slack.click(slack.on_message(a, IDS[BOB], "approve"))
    record = ended(slack, a, 40)
    rig.liar.execute = plain
    parts = [p["state"] for p in slack.ask("show", approval=a)["parts"]]
    tap.ok("who left after the first stops the second", record["state"] != "succeeded" and
           parts[0] == "succeeded" and parts[1] != "succeeded" and
           f"{a}-2" not in rig.liar.executed, (record["state"], parts))
    rig.well()


def test_log(rig, slack):
    text = rig.read("audit/gate.jsonl") + rig.read("run/gate.log")
    tap.ok("the token is in no log", rig.double.token not in text)
    os.unlink(rig.path("tokens/slack-gate"))
    rig.gate.stop()
    try:
        rig.start_gate()
        tap.ok("without its token the gate does not start", False)
    except RuntimeError as e:
        tap.ok("without its token the gate does not start", "slack-gate" in str(e), e)


TESTS = [test_good, test_not, test_unknown, test_console, test_several, test_log]


if __name__ == "__main__":
    run(MembersRig(), TESTS)
