"""Generated attacks on approvals; what may be executed is exactly what was approved, once.

    attacks_test.py inside [--count N] [--seed N]       in process: attacks/attack-approvals.c
    attacks_test.py processes [--count N] [--seed N] [--kills N] [--patience S]

The second form runs the real gate and a real server. Several clients at once ask for
effects, decide some of them, and attack what there is, with what attacks/hostile.py makes;
in its last part keeper, caller and server are killed at moments nobody chose. The oracle is
what the test itself said yes to, beside what the server's backend saw. On failure the seed
is told; moments are not in it, so what depends on them may need several tries.

A line a minute says how far it is. Ctrl-C ends the attacks, and what was done is judged.
"""

import argparse
import os
import random
import sys
import threading
import time

import tap
from attacks.account import EXPIRED_S, GONE, account, settle, show_numbers
from attacks.hostile import KINDS, Hostile, text
from attacks.hostile_slack import CHANNEL, SLACK_KINDS, Emergency, HostileSlack
from attacks.kills import kill_many
from attacks.progress import Progress
from gate_client import GateClient, Refused
from gate_slack import SlackRig

CLIENTS = 4
EFFECTS = 6             # of one scene
ATTACKS = 20
SETTLE_S = 30           # for what nobody was killed over
STUCK_S = 120           # without a single attack
EMERGENCY = "an emergency word while nothing is wrong"
ALL_KINDS = [*KINDS, *SLACK_KINDS, EMERGENCY]
OTHERS = ("several calls in one decision", "a yes, taken back when it is granted",
          "a yes in Slack", "a no in Slack")


class Effect:
    """Something that somebody asked for, and what we said to it."""

    def __init__(self, key, value, reason, is_direct):
        self.key, self.value, self.reason, self.is_direct = key, value, reason, is_direct
        self.approval = None
        self.head = None            # of several: the decision
        self.others = []            # of several: the others in it
        self.yes_sent = self.yes_heard = self.taken_back = False

    @property
    def decided(self):
        """What people decide on."""
        return self.head or self.approval

    def say_yes(self):
        """Before it is sent: whatever happens from now on somebody has said yes to it."""
        for effect in (self, *self.others):
            effect.yes_sent = True

    def take_back(self):
        for effect in (self, *self.others):
            effect.taken_back = True

    def arguments(self):
        return {"key": self.key, "value": self.value, "reason": self.reason}


class Attackers:
    """What all clients know together."""

    def __init__(self, rig, seed):
        self.rig, self.seed = rig, seed
        self.lock = threading.Lock()
        self.effects = []
        self.counts = {}
        self.made = self.kills = 0
        self.began = time.monotonic()
        self.with_kills = False
        self.stop = False
        self.ended_by = None        # the name of a signal
        self.doing = "attacking"
        self.surprises = []
        self.slow_yes = set()       # what was to be a click too early, and was none
        self.emergency = Emergency(rig)

    def new_effect(self, dice):
        with self.lock:
            n = len(self.effects)
            name = "e" + "".join("abcdefghij"[int(d)] for d in str(n))
            effect = Effect(name, text(dice, 40) + str(n), "why " + text(dice, 20),
                            dice.random() < 0.35)
            self.effects.append(effect)
            return effect

    def count(self, kind):
        with self.lock:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.made += 1

    def surprise(self, words):
        tap.note(f"at {self.seconds():.0f} s: {words}")
        with self.lock:
            self.surprises.append(words)

    def seconds(self):
        return time.monotonic() - self.began


class Client(threading.Thread):
    """One of several; repeats what broke."""

    def __init__(self, all_, number, wanted):
        super().__init__(daemon=True)
        self.all, self.rig, self.wanted = all_, all_.rig, wanted
        self.dice = random.Random(f"{all_.seed}/{number}/{all_.with_kills}")
        self.hostile = Hostile(self.rig, self.dice)
        self.slack = HostileSlack(self.rig, self.dice)
        self.gate = None
        self.failed = None

    def run(self):
        try:
            while not self.all.stop and (self.all.made < self.wanted or self.all.with_kills):
                self.scene()
        except Exception as e:  # pylint: disable=broad-except
            import traceback
            self.failed = traceback.format_exc() + str(e)
        finally:
            if self.gate:
                self.gate.close()
            self.slack.close()

    # --- talking to a gate that may die ---

    def ask(self, m, **members):
        """The reply, Refused, or None when the gate died over it."""
        try:
            if not self.gate:
                self.gate = GateClient(self.rig.path("run/gate.sock"))
            return self.gate.ask(m, **members)
        except GONE:
            if self.gate:
                self.gate.close()
            self.gate = None
            return None

    def patient(self, m, **members):
        """The same until somebody answers."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self.all.stop:
            reply = self.ask(m, **members)
            if reply:
                return reply
            time.sleep(0.05)
        return None

    def call(self, effect):
        """A direct client's call; the result, or None when the server died over it."""
        try:
            return self.rig.call("put_value", effect.arguments())
        except GONE:
            return None
        except AssertionError:      # a refusal in HTTP alone
            return None

    # --- one scene ---

    def scene(self):
        effects = [self.all.new_effect(self.dice) for _ in range(EFFECTS)]
        alone = effects
        if self.dice.random() < 0.4:
            several = effects[:self.dice.randint(2, 4)]
            alone = effects[len(several):]
            self.propose_several(several)
        for effect in alone:
            self.propose(effect)
        asked_at = time.monotonic()
        self.attack(effects, ATTACKS)
        for effect in effects:
            self.wait_pending(effect)
        left = asked_at + 1.1 - time.monotonic()
        if left > 0:
            time.sleep(left)
        for effect in effects:
            if effect.approval and (not effect.head or effect.approval.endswith("-1")):
                self.decide(effect)
        self.attack(effects, ATTACKS)
        for effect in effects:
            if effect.is_direct and effect.approval:
                for _ in range(self.dice.randint(1, 3)):
                    self.repeat(effect)

    def propose(self, effect):
        try:
            if effect.is_direct:
                result = self.call(effect)
                error = ((result or {}).get("structuredContent") or {}).get("error", {})
                effect.approval = error.get("details", {}).get("approval")
            else:
                reply = self.ask("propose", tool="fixture.put_value",
                                 arguments=effect.arguments())
                effect.approval = reply and reply["approval"]
        except Refused as e:
            if e.code not in ("rate_limited", "backend_unavailable"):
                self.all.surprise(f"a proposal was refused: {e}")

    def propose_several(self, effects):
        """In one decision: each runs under an id of its own, by one yes to all."""
        for effect in effects:
            effect.is_direct = False
        try:
            reply = self.ask("propose", calls=[{"tool": "fixture.put_value",
                                                "arguments": e.arguments()} for e in effects])
        except Refused as e:
            if e.code not in ("rate_limited", "backend_unavailable"):
                self.all.surprise(f"a proposal of several was refused: {e}")
            return
        self.all.count("several calls in one decision")
        for n, effect in enumerate(effects, 1):
            if reply:
                effect.head, effect.approval = reply["approval"], f"{reply['approval']}-{n}"
                effect.others = [e for e in effects if e is not effect]

    def wait_pending(self, effect):
        deadline = time.monotonic() + 30
        while effect.approval and time.monotonic() < deadline and not self.all.stop:
            reply = self.patient("show", approval=effect.decided)
            if not reply or reply["record"]["state"] not in ("proposed", "planned"):
                effect.posted_at = reply and reply["record"].get("posted_at")
                return
            time.sleep(0.05)

    def say(self, effect, decision, gate=None):
        """Read it and decide; True when the gate took it."""
        ask = gate.ask if gate else self.patient
        reply = ask("show", approval=effect.decided)
        record = reply and reply["record"]
        if not record or record["state"] != "pending":
            return False
        left = record["posted_at"] / 1000 + 1.05 - time.time()
        if left > 0:
            time.sleep(min(left, 2))
        if decision == "approve":
            effect.say_yes()
        try:
            ask = gate.ask if gate else self.ask
            return bool(ask("decide", approval=effect.decided, decision=decision,
                            shown=record["shown"]))
        except (Refused, *GONE):
            return False

    def decide(self, effect):
        roll = self.dice.random()
        if roll < 0.10:
            self.all.count("a yes in Slack")
            effect.yes_heard = self.slack.say(effect, "approve")
        elif roll < 0.14:
            self.all.count("a no in Slack")
            self.slack.say(effect, "deny")
        elif roll < 0.52:
            effect.yes_heard = self.say(effect, "approve")
        elif roll < 0.60:
            self.all.count("a yes, taken back when it is granted")
            effect.take_back()
            self.say(effect, "approve")
            self.take_back(effect)
        elif roll < 0.70:
            self.all.count("two clicks at once")
            self.both(effect, lambda gate: self.say(effect, "approve", gate),
                      lambda: self.say(effect, "approve"))
        elif roll < 0.78:
            self.all.count("yes against cancel")
            effect.take_back()
            self.both(effect, lambda gate: gate.ask("cancel", approval=effect.decided),
                      lambda: self.say(effect, "approve"))
        elif roll < 0.86:
            self.all.count("yes against revoke")
            effect.take_back()
            self.both(effect, lambda gate: gate.ask("revoke", approval=effect.decided),
                      lambda: self.say(effect, "approve"))
        elif roll < 0.93:
            self.say(effect, "deny")
        # else nobody says anything

    def take_back(self, effect):
        """Whatever it has come to; of the server's two burns one is first."""
        try:
            self.ask(self.dice.choice(("revoke", "cancel")), approval=effect.decided)
        except Refused:
            pass

    def both(self, effect, other, mine):
        """Two at the same moment, over two connections."""
        heard = []

        def run():
            try:
                with GateClient(self.rig.path("run/gate.sock")) as gate:
                    heard.append(bool(other(gate)))
            except (Refused, *GONE):
                pass
        thread = threading.Thread(target=run)
        thread.start()
        mine_heard = mine()
        thread.join()
        effect.yes_heard = effect.yes_sent and (mine_heard or True in heard)

    def repeat(self, effect):
        self.all.count("a repeated call")
        result = self.call(effect)
        if result is None:
            result = self.call(effect)      # what a client does whose request broke
        if result and not result.get("isError"):
            after = (result.get("structuredContent") or {}).get("after")
            if after != effect.value:
                self.all.surprise(f"{effect.key}: a repeat was told {result}")
            if not effect.yes_sent:
                self.all.surprise(f"{effect.key}: done, and nobody said yes: {result}")

    def attack(self, effects, count):
        for _ in range(count):
            if self.all.stop or (self.all.made >= self.wanted and not self.all.with_kills):
                return
            effect = self.dice.choice(effects if self.dice.random() < 0.6 else
                                      self.all.effects[:])
            kind = self.dice.choice(ALL_KINDS)
            try:
                if kind in SLACK_KINDS:
                    SLACK_KINDS[kind](self.slack, effect, self)
                elif kind == EMERGENCY:
                    self.all.emergency.use(self.hostile, effect, self)
                else:
                    self.hostile.run(kind, effect, self)
            except (Refused, *GONE):
                pass
            self.all.count(kind)


# --- the whole ---

def join(all_, threads):
    """However long it takes, as long as something comes of it."""
    while any(t.is_alive() for t in threads):
        made, deadline = all_.made, time.monotonic() + STUCK_S
        while all_.made == made and any(t.is_alive() for t in threads):
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)


def clients(all_, wanted, during=None):
    all_.doing = "attacking"
    threads = [Client(all_, i, wanted) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        if during:
            during()
    finally:
        # Also when it failed: who attacks on would never be done.
        if during:
            all_.stop = True
        join(all_, threads)
        all_.stop = bool(all_.ended_by)
    for thread in threads:
        if thread.failed or thread.is_alive():
            all_.surprise(thread.failed or "a client is stuck")


def judge(all_, name, was_killed, patience_s=SETTLE_S):
    """All, or when there is no gate that could say what became of it why it cannot be judged."""
    try:
        with all_.rig.client() as gate:
            records = settle(all_, gate, patience_s, was_killed and patience_s < EXPIRED_S)
    except (Refused, *GONE) as e:
        records = {}
        all_.surprise(f"the gate does not say what became of it: {e!r}")
    all_.doing = "counting"
    faults = (account(all_, records, was_killed) if records else []) + all_.surprises
    tap.ok(name, not faults, "\n".join([f"again with --seed {all_.seed}"] + faults[:20]))
    show_numbers(all_, records)
    return records


class AttackedRig(SlackRig):
    slack = {"approvals_channel": CHANNEL}
    # A Ctrl-C is for this program alone, which has an account to give; and none outlives it.
    before, popen = ["setpriv", "--pdeathsig", "KILL"], {"process_group": 0}

    def __init__(self):
        super().__init__()
        self.limits = ("{proposals_at_once: 10000, proposals_per_minute: 1000000, "
                       "open_per_person: 10000, open: 10000, denials: 10000}")
        # The usual surface is well, so there is no emergency.
        self.after_slack = (f"emergency: {{probe: 'http://127.0.0.1:{self.server_port}"
                            "/readyz'}\n")
        self.write_gate_config()
        self.write("config/fixture.yaml", self.read("config/fixture.yaml") +
                   "limits: {plans_per_minute: 100000, calls_per_caller: 64}\n")


def attack(all_, args):
    clients(all_, args.count)
    records = judge(all_, "exactly what was approved was executed, each once", False)
    good = sum(r["state"] == "succeeded" for r in records.values())
    if all_.ended_by:
        return
    tap.ok("what was good was executed", good * 4 > len(records), good)
    missing = [k for k in (*ALL_KINDS, *OTHERS) if not all_.counts.get(k)]
    if args.count >= 1000:
        tap.equal("every kind occurred", missing, [])
    if args.kills:
        all_.with_kills = True
        clients(all_, 0, lambda: kill_many(all_, args.kills))
        judge(all_, f"with {all_.kills} times kill -9: each approved effect once, or "
                    "reported as unknown", True, args.patience)
        if not all_.ended_by:
            tap.equal("as often as was asked for", all_.kills, args.kills)


def logs(rig):
    """What every program has logged, whichever file it is in by now."""
    for folder in ("audit", "run"):
        for name in os.listdir(rig.path(folder)):
            if os.path.isfile(rig.path(folder, name)):
                yield name, rig.read(folder, name)


def processes(args):
    tap.note(f"seed {args.seed}")
    rig = AttackedRig()
    try:
        rig.start()
        all_ = Attackers(rig, args.seed)
        with Progress(all_, args.count, args.kills):
            attack(all_, args)
            if all_.ended_by:
                tap.ok("all of it was done", False, f"{all_.ended_by} ended it early")
            with rig.client() as gate:
                tap.ok("the gate lives", gate.hello()["ok"])
            tap.equal("no grant reached a log",
                      [name for name, text in logs(rig) if "eyJhcHByb3ZlcnMi" in text], [])
    except BaseException:
        tap.note(f"again with --seed {args.seed}")
        raise
    finally:
        rig.done()


def inside(args):
    program = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "attack-approvals")
    sys.stdout.flush()
    os.execv(program, [program, "--count", str(args.count), "--seed", str(args.seed)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("form", choices=("inside", "processes"))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--patience", type=int, default=30,
                        help="seconds for what the killed ones left; from 180 on all must end")
    parser.add_argument("--seed", type=int, default=int(time.time() * 1000))
    args = parser.parse_args()
    if args.form == "inside":
        inside(args)
    tap.run([lambda: processes(args)])
    tap.done()


if __name__ == "__main__":
    main()
