"""The model of approvals (models/README.md), checked whole by spin.

Each configuration is searched to its last state: nothing that must never be, no run that
ends with the approval open, no cycle, no step that no run takes. Then one thing at a time
is broken, and the claim that is there for it has to notice.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

import tap

MODEL = os.path.join(os.environ["WINGMAN_SOURCE"], "tests", "models", "approval.pml")
DEPTH = 10000
MEMORY_MB = 1500
AT_ONCE = 2

# The claims, by their number in the model; the last is spin's own.
TWICE, WITHOUT_YES, OTHER_ARGUMENTS, OTHER_PLAN, BEFORE_BURN, TOLD_WRONG, STUCK = range(1, 8)
WORDS = {
    TWICE: "acted_twice",
    WITHOUT_YES: "acted_without_yes",
    OTHER_ARGUMENTS: "acted_on_other_arguments",
    OTHER_PLAN: "acted_on_other_plan",
    BEFORE_BURN: "acted_before_burn",
    TOLD_WRONG: "told_wrong",
}

# Name: definitions. What no configuration of a group reaches is code that nobody checks.
GROUPS = {
    "console": {
        "people decide, two deaths": ["REPLICAS=1", "DEATHS=2"],
        "two servers, a replay, a death": ["DECIDED", "DEATHS=1", "REVOKES=0"],
        "two servers, a replay, a revocation": ["DECIDED", "DEATHS=0"],
        "two servers, two deaths": ["DECIDED", "DEATHS=2", "REPLAYS=0"],
        "three servers": ["DECIDED", "DEATHS=0", "REPLICAS=3", "REPLAYS=0"],
    },
    "embedded": {
        "a server with a store of its own": ["DECIDED", "EMBEDDED", "REPLICAS=1", "DEATHS=2"],
    },
    "direct": {
        "identical calls of a direct client": ["DIRECT", "DEATHS=2"],
    },
    "direct, embedded": {
        "identical calls of a direct client": ["DIRECT", "EMBEDDED", "REPLICAS=1", "DEATHS=2"],
    },
}

ONE = ["REPLICAS=1", "DEATHS=1"]
ALONE = ["DECIDED", "REPLICAS=1", "DEATHS=0"]
TWO = ["DECIDED", "DEATHS=0", "REPLAYS=0"]
TWO_DYING = ["DECIDED", "DEATHS=1", "REPLAYS=0"]

# What is broken: the least in which it shows, and which claim says so.
BROKEN = {
    "BURN_AFTER_ACT": (ALONE, BEFORE_BURN),
    "RANDOM_ID": (TWO_DYING, TWICE),
    "RUNS_AGAIN": (TWO_DYING, TWICE),
    "STORE_UNCHECKED": (TWO, TWICE),
    "EPOCH_IGNORED": (TWO, TWICE),
    "EPOCH_NOT_READ_AGAIN": (TWO, TWICE),
    "ARGUMENTS_UNCHECKED": (ALONE, OTHER_ARGUMENTS),
    "PLAN_UNCHECKED": (ALONE, OTHER_PLAN),
    "POLICY_NOT_READ_AGAIN": (ONE, WITHOUT_YES),
    "LAPSED_IS_STARTED": (ONE, WITHOUT_YES),
    "DOUBLE_CLICK_COUNTS": (ONE, WITHOUT_YES),
    "SHOWN_UNCHECKED": (ONE, WITHOUT_YES),
    "FOUR_EYES_FORGOTTEN": (ONE, WITHOUT_YES),
    "CANCEL_AFTER_GRANT": (ONE, TOLD_WRONG),
    "NO_LAST_LOOK": (TWO, TOLD_WRONG),
    "REFUSAL_IS_BELIEVED_AT_ONCE": (TWO, TOLD_WRONG),
    "LATE_ANSWER_COUNTS": (TWO, TOLD_WRONG),
    "USED_MEANWHILE_IGNORED": (TWO, TOLD_WRONG),
    "FORGETTING_IS_A_REFUSAL": (TWO, TOLD_WRONG),
    "LOOKED_TOO_EARLY": (["DIRECT", "DEATHS=0"], TOLD_WRONG),
    "REVOKED_UNBURNT": (TWO, TOLD_WRONG),
    "NOT_RESUMED": (ONE, STUCK),
}


class Search:
    """One search of the model, to its end or to the first error."""

    def __init__(self, definitions, compile_flags=("-DSAFETY", "-O2"), flags=()):
        with tempfile.TemporaryDirectory() as folder:
            self.run(folder, "spin", "-a", *["-D" + d for d in definitions], MODEL)
            self.run(folder, "gcc", "-w", "-DCOLLAPSE", "-DVECTORSZ=2048",
                     f"-DMEMLIM={MEMORY_MB}", *compile_flags, "-o", "pan", "pan.c")
            self.text = self.run(folder, "./pan", f"-m{DEPTH}", *flags)
        errors = re.search(r"errors: (\d+)", self.text)
        states = re.search(r"(\d+) states, stored", self.text)
        self.errors = int(errors[1]) if errors else -1
        self.states = int(states[1]) if states else 0
        # A search that gave up for depth or memory says nothing.
        self.complete = not re.search(r"max search depth too small|out of memory|"
                                      r"Search not completed", self.text)

    @staticmethod
    def run(folder, *command):
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=900)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}")
        return done.stdout

    def unreached(self):
        """{(process, state, text)} of the steps that no run took."""
        found, process = set(), None
        for line in self.text.splitlines():
            if line.startswith("unreached in "):
                process = line.split()[-1]
            step = re.match(r"\s+\S+:\d+, state (\d+), \"(.*)\"$", line)
            # Servers and the world never end.
            if process and step and step[2] != "-end-":
                found.add((process, int(step[1]), step[2]))
        return found


def is_good(search):
    return search.errors == 0 and search.complete and search.states > 1000


def test_holds(pool):
    searches = {(group, name): pool.submit(Search, definitions)
                for group, configurations in GROUPS.items()
                for name, definitions in configurations.items()}
    for group, configurations in GROUPS.items():
        missed = []
        for name in configurations:
            search = searches[group, name].result()
            tap.ok(f"{group}: {name}: errors: 0 in {search.states} states", is_good(search),
                   search.text[:3000])
            missed.append(search.unreached())
        if "embedded" in group:
            continue  # less can happen there; each step is taken in the others
        unreached = set.intersection(*missed)
        if group == "direct":
            # One call gets the grant, once: there a server meets none that was used.
            unreached = {step for step in unreached if step[0] != "Server"}
        tap.equal(f"{group}: every step is taken by some run", unreached, set())


def test_ends(pool):
    """Without marks of progress every cycle is one without progress: there is none."""
    searches = {name: pool.submit(Search, definitions, ["-DNP", "-O2"], ["-l"])
                for name, definitions in (("console", ONE), ("direct", ["DIRECT", "DEATHS=1"]))}
    for name, found in searches.items():
        search = found.result()
        tap.ok(f"{name}: nothing goes in a circle: errors: 0 in {search.states} states",
               is_good(search), search.text[:3000])


def search_broken(variant, definitions, claim):
    quick = ["-DSAFETY", "-O0"]  # to compile; an error is found soon
    if claim == STUCK:
        return Search(definitions + [variant], quick, ["-A"])
    return Search(definitions + [variant, f"CLAIM={claim}"], quick, ["-E"])


def test_broken(pool):
    searches = {variant: pool.submit(search_broken, variant, *how)
                for variant, how in BROKEN.items()}
    for variant, (_, claim) in BROKEN.items():
        search = searches[variant].result()
        caught = "invalid end state" in search.text if claim == STUCK else \
            re.search(rf"assertion violated.*{WORDS[claim]}", search.text)
        tap.ok(f"broken: {variant} is caught: {WORDS.get(claim, 'stuck')}",
               search.errors == 1 and caught, search.text[:1500])


def test_variants_are_known():
    """A variant that nobody runs proves nothing, one that the model lacks even less."""
    with open(MODEL, encoding="utf-8") as f:
        named = set(re.findall(r"#ifn?def (\w+)", f.read()))
    settings = {"REPLICAS", "DEATHS", "CLICKS", "SENDS", "REPLAYS", "FLUSHES", "CLAIM",
                "DIRECT", "DECIDED", "EMBEDDED", "LOOKS", "REVOKES"}
    tap.equal("variants of the model are those that are tried", named - settings, set(BROKEN))


def run_all():
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        tap.run([test_variants_are_known, lambda: test_holds(pool), lambda: test_ends(pool),
                 lambda: test_broken(pool)])


if __name__ == "__main__":
    if shutil.which("spin") and shutil.which("gcc"):
        run_all()
    else:
        tap.skip("the model of approvals", "spin and gcc are needed: deploy/packages/test.txt")
    tap.done()
