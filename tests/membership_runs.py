"""A group elsewhere says who is in the team, through a gate: the same runs for each place.

run_all(Source): Source(people) has the group, everybody in it. Its membership() and files()
go into the gate's folder; set_members, disable, copy (a second entry with the same mail),
stop and start change it; secret() may stand in no log.

The gate is wingman-gate-quick, which believes an answer for three seconds, not sixty, or
the plain one where that is in the way.
"""

import json
import os
import subprocess
import time

import gate_rig
import tap
from gate_client import Refused
from gate_rig import BUILD, PEOPLE
from gate_slack import IDS, SlackRig, SlackSurface, mention
from hostile_test import Liar, registration

ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"
PLAIN = gate_rig.GATE
QUICK = os.path.join(BUILD, "tests", "wingman-gate-quick")
WAIT_S = 30
_keys = iter(f"k{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrstuvwxyz")


class MembershipRig(SlackRig):
    def __init__(self, source, every_s):
        self.source, self.every_s = source, every_s
        super().__init__()
        self.team = list(PEOPLE)
        for name, text in source.files().items():
            self.write(name, text)
        self.write_gate_config()

    def write_gate_config(self):
        self.after_slack = "membership: " + json.dumps(
            {**self.source.membership(), "every_s": self.every_s}) + "\n"
        super().write_gate_config()

    def start_gate(self):
        ready = super().start_gate()
        if self.is_reached:
            self.until_known()
        return ready

    is_reached = True

    def begin_again(self):
        self.restart_gate()
        time.sleep(1.1)     # what was done before the store began is not believed

    def status(self):
        with self.client() as c:
            return c.ask("status")["membership"]

    def wingman(self, *arguments):
        done = subprocess.run([os.path.join(BUILD, "bin", "wingman"), "--dir", self.dir,
                               *arguments], stdout=subprocess.PIPE, text=True)
        return " ".join(done.stdout.split())

    def until(self, what, fn):
        deadline = time.monotonic() + WAIT_S
        while not fn():
            assert time.monotonic() < deadline, what
            time.sleep(0.05)

    def until_known(self):
        self.until("the gate hears who is in the group", lambda: self.status()["known"])

    def until_members(self, count):
        self.until(f"{count} are in the group", lambda: self.status().get("members") == count)


def refused(ask):
    """(code, message) of a refusal, or what came instead."""
    try:
        return "", ask()
    except Refused as e:
        return e.code, e.message


def asked(slack, who=ALICE):
    a = slack.propose(slack.turn(mention(IDS[who])), "fixture.put_value", key=next(_keys),
                      value="1", reason=WHY)
    slack.post(a)
    return a


def ended(c, approval, timeout_s=WAIT_S):
    deadline = time.monotonic() + timeout_s
    while True:
        record = c.show(approval)
        if "ended_at" in record or time.monotonic() > deadline:
            return record
        time.sleep(0.05)


# --- at the door ---

def test_in(rig, slack):
    who = slack.ask("slack_who", user=IDS[ALICE])
    tap.ok("a member is in the team, for as long as that is believed",
           who["team"] and 0 < who["good_ms"] <= 3000, who)
    tap.equal("status tells", {k: rig.status().get(k) for k in ("where", "known", "members")},
              {"where": rig.source.name, "known": True, "members": 3})
    a = asked(slack)
    slack.press(a, IDS[BOB], "approve")
    tap.equal("in Slack a member asks and another says yes", ended(slack, a)["state"],
              "succeeded")
    with rig.client() as c:
        tap.equal("on a console too", c.hello()["team"], True)
        a = c.propose("fixture.put_value", key=next(_keys), value="1", reason=WHY)
        c.approve(a)
        tap.equal("and what was asked for is done", ended(c, a)["state"], "succeeded")
    text = rig.read("run/gate.log")
    tap.ok("nobody says its secret", rig.source.secret() not in
           text + rig.read("audit/gate.jsonl") + json.dumps(rig.status()))


def test_left(rig, slack):
    rig.source.set_members([ALICE, CAROL])
    rig.until_members(2)
    group = f"'{BOB}' is not in the team's group in {rig.source.name}"
    who = slack.ask("slack_who", user=IDS[BOB])
    tap.ok("who left is told so at the door", not who["team"] and who["principal"] == BOB, who)
    tap.equal("may ask for nothing", refused(lambda: slack.turn(mention(IDS[BOB]))),
              ("permission_denied", group))
    a = asked(slack)
    tap.equal("nor decide", refused(lambda: slack.press(a, IDS[BOB], "approve")),
              ("permission_denied", group))
    tap.equal("which leaves it as it was", slack.state(a), "pending")
    slack.press(a, IDS[CAROL], "approve")
    tap.equal("for whoever may", ended(slack, a)["state"], "succeeded")
    rig.become(BOB)
    with rig.client() as c:
        hello = c.hello()
        tap.equal("a console says the same", (hello["team"], hello.get("why")), (False, group))
        tap.equal("and shows nothing", refused(lambda: c.ask("list")),
                  ("permission_denied", group))
        tap.equal("nor takes anything",
                  refused(lambda: c.propose("fixture.put_value", key="x", value="1",
                                            reason=WHY)), ("permission_denied", group))
    rig.become(ALICE)
    status, reply = rig.register({**registration(), "principal": BOB})
    tap.ok("nor does a server in that name", status == 403 or "group" in json.dumps(reply),
           (status, reply))
    counted = f"2 of the team are in its group in {rig.source.name}"
    for command in ("doctor", "status"):
        tap.ok(f"wingman {command} counts them", counted in rig.wingman(command),
               rig.wingman(command))
    rig.source.set_members(PEOPLE)
    rig.until_members(3)
    tap.ok("who is back is let in", slack.ask("slack_who", user=IDS[BOB])["team"])


def test_bad_standing(rig, slack):
    for name, spoil, mend in (
            ("disabled there", lambda: rig.source.disable(BOB, True),
             lambda: rig.source.disable(BOB, False)),
            ("twice there", lambda: rig.source.copy(BOB, True),
             lambda: rig.source.copy(BOB, False))):
        spoil()
        rig.until_members(2)
        tap.ok(f"who is {name} is not let in",
               not slack.ask("slack_who", user=IDS[BOB])["team"] and
               slack.ask("slack_who", user=IDS[ALICE])["team"])
        mend()
        rig.until_members(3)


def test_down(rig, slack):
    """What was said is believed for its time (here three seconds), and then nobody is in."""
    a = asked(slack)
    slack.let_read(a)
    rig.source.stop()
    tap.ok("just after it stopped it is believed still",
           slack.ask("slack_who", user=IDS[ALICE])["team"])
    rig.until("it is not known", lambda: not rig.status()["known"])
    code, message = refused(lambda: slack.ask("slack_who", user=IDS[ALICE]))
    tap.ok("then the door says that it does not know", code == "backend_unavailable" and
           f"{rig.source.name} does not say right now" in message, (code, message))
    for name, ask in (
            ("a turn", lambda: slack.turn(mention(IDS[ALICE]))),
            ("a press", lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))):
        code, said = refused(ask)
        tap.equal(f"{name} is refused with the same words", (code, said),
                  ("backend_unavailable", message))
    tap.equal("who is on no list hears nothing of it",
              slack.ask("slack_who", user="U0NOBODY")["team"], False)
    with rig.client() as c:
        tap.equal("a console's question too",
                  refused(lambda: c.propose("fixture.put_value", key="x", value="1",
                                            reason=WHY)), ("backend_unavailable", message))
        rig.until("status says why", lambda: rig.status().get("why"))
        why = rig.status()["why"]
        tap.ok("so does wingman doctor", f"nobody may do anything: {why[:60]}" in
               rig.wingman("doctor"), (why, rig.wingman("doctor")))
        tap.ok("and status that it is so", f"NOT KNOWN: {rig.source.name}" in
               rig.wingman("status"), rig.wingman("status"))
    tap.ok("the log says why it was not answered", "members.unknown" in rig.read("run/gate.log"))
    rig.source.start()
    rig.until_known()
    tap.equal("what waited waits still", slack.state(a), "pending")
    slack.press(a, IDS[CAROL], "approve")
    tap.equal("and is done when it answers", ended(slack, a)["state"], "succeeded")


def test_down_at_start(rig, slack):
    rig.source.stop()
    rig.is_reached = False
    rig.restart_gate()
    with SlackSurface(rig) as early:
        code, message = refused(lambda: early.ask("slack_who", user=IDS[ALICE]))
        tap.ok("a gate that begins while it is down lets nobody in",
               code == "backend_unavailable", (code, message))
    rig.source.start()
    rig.until_known()
    with SlackSurface(rig) as later:
        tap.ok("until it answers", later.ask("slack_who", user=IDS[ALICE])["team"])
    del rig.is_reached


# --- when a grant is signed ---

def at_signing(rig, name, spoil, mend):
    """The door was told before 'spoil', and does not ask again for half a minute; should it
    do so just then, it refuses the press, and that is tried again."""
    for _ in range(3):
        rig.begin_again()
        with SlackSurface(rig) as slack:
            a = asked(slack)
            slack.let_read(a)
            spoil()
            code, _ = refused(lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
            record = ended(slack, a) if not code else {}
            mend()
        if not code:
            break
    tap.ok(f"{name}: the yes is taken back, nothing is signed",
           record.get("state") == "revoked" and
           f"group in {rig.source.name}" in record["history"][-1]["why"] and
           "grant_claims" not in record and a not in rig.liar.executed,
           record.get("history", code))


def test_at_once(rig, slack):
    s = rig.source
    at_signing(rig, "an approver who left", lambda: s.set_members([ALICE, CAROL]),
               lambda: s.set_members(PEOPLE))
    at_signing(rig, "a requester who left", lambda: s.set_members([BOB, CAROL]),
               lambda: s.set_members(PEOPLE))
    at_signing(rig, "an approver who is disabled", lambda: s.disable(BOB, True),
               lambda: s.disable(BOB, False))
    at_signing(rig, "a requester whom there are two of", lambda: s.copy(ALICE, True),
               lambda: s.copy(ALICE, False))


def test_learnt(rig, slack):
    """What signing found out counts at the door."""
    rig.begin_again()
    with SlackSurface(rig) as slack:
        a = asked(slack)
        slack.let_read(a)
        rig.source.set_members([ALICE, CAROL])
        refused(lambda: slack.click(slack.on_message(a, IDS[BOB], "approve")))
        ended(slack, a)
        tap.equal("at once", refused(lambda: slack.turn(mention(IDS[BOB])))[0],
                  "permission_denied")
        rig.source.set_members(PEOPLE)


def test_signing_waits(rig, slack):
    rig.begin_again()
    with SlackSurface(rig) as slack:
        a = asked(slack)
        slack.let_read(a)
        rig.source.stop()
        slack.click(slack.on_message(a, IDS[BOB], "approve"))
        rig.until("it is asked for", lambda: "members.unknown" in rig.read("run/gate.log"))
        tap.ok("while it is down nothing is signed", slack.state(a) == "approved" and
               a not in rig.liar.executed, slack.state(a))
        rig.source.start()
        tap.equal("when it answers it is", ended(slack, a)["state"], "succeeded")


def test_configuration(rig, slack):
    def check():
        done = subprocess.run([PLAIN, "--dir", rig.dir, "--check-config"],
                              stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout
    status, said = check()
    tap.ok("config check finds no fault, and counts the team by itself", status == 0 and
           "membership" not in said, said)
    plain = rig.read("config/gate.yaml")
    rig.write("config/gate.yaml", plain.replace(f"'{CAROL}'", "'carol'").replace(
        f'"{CAROL}"', '"carol"'))
    tap.ok("somebody who has no mail", "'carol' is no address of mail" in check()[1], check())
    rig.write("config/gate.yaml", plain.replace(
        'slack: {', 'slack: {"membership": {"usergroup": "S0A", "token_file": "t"}, ', 1))
    status, said = check()
    tap.ok("two groups", status == 1 and "one of them" in said, said)
    for name, more, level in rig.source.bad():
        rig.write("config/gate.yaml", plain.replace(
            "membership: " + json.dumps({**rig.source.membership(), "every_s": rig.every_s}),
            "membership: " + json.dumps(more)))
        status, said = check()
        tap.ok(name, f'"level":"{level}"' in said and "membership: " in said and
               status == (level == "error"), said)
    rig.write("config/gate.yaml", plain)


DOOR = [test_in, test_left, test_bad_standing, test_down, test_down_at_start]
SIGNING = [test_at_once, test_learnt, test_signing_waits, test_configuration]


def _run(source, gate, every_s, tests):
    gate_rig.GATE = gate
    rig = MembershipRig(source, every_s)
    try:
        rig.liar = Liar(rig.server_port)
        rig.start_server = lambda: None
        rig.start()
        with rig.client() as c:
            c.hello()       # the team is read again, and asked for after this
        time.sleep(1.1)     # what was done before the store began is not believed
        rig.until_members(len(PEOPLE))
        for test in tests:
            tap.note(f"{source.name}: {test.__name__}")
            rig.become(ALICE)
            with SlackSurface(rig) as slack:
                test(rig, slack)
    finally:
        rig.done()
        gate_rig.GATE = PLAIN
        rig.liar.shutdown()
        rig.liar.server_close()


def run_all(make):
    source = make(PEOPLE)
    try:
        _run(source, QUICK, 1, DOOR)
        _run(source, PLAIN, 30, SIGNING)
    finally:
        source.close()
