"""The official MCP conformance suite against our server and our client.

One result for each scenario of the suite, for every run below: good when each of its
checks is a success. A warning, and a check that the suite skipped because it found
nothing to check, is none. What is not asked yet stands in docs/conformance.md by name.
"""

import glob
import json
import os
import re
import signal
import subprocess
import tempfile

import tap

BUILD = os.environ["WINGMAN_BUILD"]
SOURCE = os.environ["WINGMAN_SOURCE"]
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
# Two releases, of which neither covers what the other does: CURRENT speaks all revisions,
# STABLE the handshake alone, with checks of its own.
CURRENT = os.path.join(NPM, "node_modules", "@modelcontextprotocol", "conformance", "dist",
                       "index.js")
STABLE = os.path.join(NPM, "node_modules", "conformance-stable", "dist", "index.js")
PAGE = os.path.join(SOURCE, "docs", "conformance.md")
SERVER = os.path.join(BUILD, "tests", "conformance-server")
CLIENT = os.path.join(BUILD, "tests", "conformance-client")
# Release, what the page calls the run, and the words that ask for it. Scenarios of
# extensions have no revision: the suite runs them as 'pending', among others.
SERVER_RUNS = [(CURRENT, revision, ["--suite", "all", "--spec-version", revision])
               for revision in ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26")] + \
              [(CURRENT, "extension", ["--suite", "pending"]),
               (STABLE, "0.1.16", ["--suite", "all"])]
CLIENT_RUNS = [(CURRENT, revision, ["--suite", "all", "--spec-version", revision])
               for revision in ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26")] + \
              [(CURRENT, "extension", ["--suite", "extensions"]),
               (STABLE, "0.1.16", ["--suite", "all"])]
PATIENCE_S = 150

# Checks that hold of silence too: alone they show nothing.
HOLLOW = {"wire-schema-valid"}
# Scenarios that want something done within 200 ms.
TIMED = {"sse-retry"}
# Skipped by the suite itself, whoever is asked: a scenario, the check, the reason that it gives.
SKIPPED = [
    ("http-standard-headers", "sep-2243-client-includes-standard-headers",
     r"a (notifications/initialized|initialize) request"),  # the revision has no handshake
]


def suite(release, *args):
    """What the suite prints. Its status says less than its checks, and is not looked at."""
    done = subprocess.run([NODE, release, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S,
                          check=False)
    return done.stdout


def listed(release, side, run):
    """The scenarios of a run as the suite lists them; side is 'server' or 'client'."""
    found = re.findall(r"^ +- (\S+) \[([^\]]*)\]$", suite(release, "list", "--" + side),
                       re.MULTILINE)
    return {name for name, revisions in found
            if release == STABLE or run in revisions.split(",")}


def not_yet(side, run):
    """Names that the page says are not asked yet: rows '| side | runs | `name`, ... |'."""
    names = set()
    with open(PAGE, encoding="utf-8") as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if len(cells) > 2 and cells[0] == side and run in cells[1].split(", "):
                names.update(re.findall(r"`([^`]+)`", cells[2]))
    return names


def verdicts(folder, side):
    """{scenario: its checks}, from what the suite left in 'folder'."""
    found = {}
    for path in glob.glob(os.path.join(folder, "**", "checks.json"), recursive=True):
        name = os.path.relpath(os.path.dirname(path), folder).removeprefix(side + "-")
        name = re.sub(r"-\d{4}-\d\d-\d\dT[\d-]+Z$", "", name)
        with open(path, encoding="utf-8") as f:
            found[name] = json.load(f)
    return found


def is_fine(scenario, check):
    return check["status"] in ("SUCCESS", "INFO") or check["status"] == "SKIPPED" and any(
        scenario == name and check["id"] == found and re.search(reason, check["errorMessage"])
        for name, found, reason in SKIPPED)


def is_good(scenario, checks):
    successes = {c["id"] for c in checks if c["status"] == "SUCCESS"}
    return bool(successes - HOLLOW) and all(is_fine(scenario, c) for c in checks)


def why(scenario, checks):
    if checks is None:
        return "the suite says nothing of it"
    return "\n".join(f"{c['status']} {c['id']}: {c.get('errorMessage') or c.get('description', '')}"
                     for c in checks if not is_fine(scenario, c)) or "nothing was checked"


def judge(release, side, run, found, said):
    """One result for each scenario of a run that is not put off."""
    names = listed(release, side, run)
    later = not_yet(side, run)
    tap.ok(f"{side} {run}: the suite has scenarios", len(names) > 0)
    tap.ok(f"{side} {run}: what is put off exists", later <= names, sorted(later - names))
    for name in sorted(names - later):
        checks = found.get(name)
        if not tap.ok(f"{side} {run}: {name}", checks is not None and is_good(name, checks)):
            tap.note(why(name, checks))
    if not found:
        tap.note(said)


# ---- our server ----

class Server:
    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen([SERVER, "--port", "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.__exit__()
            raise RuntimeError("it did not start: " + self.tail)
        self.url = json.loads(line)["url"]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.status = self.process.wait()
        self.process.stdout.close()
        with self.log:
            self.log.seek(0)
            self.tail = self.log.read()[-4000:]


def test_installed():
    tap.ok("npm's packages are installed (make build/npm/.done)",
           all(os.path.exists(path) for path in (NODE, CURRENT, STABLE)))


def test_server():
    for release, run, words in SERVER_RUNS:
        with tempfile.TemporaryDirectory() as folder, Server() as server:
            said = suite(release, "server", "--url", server.url, *words, "--output-dir", folder)
            judge(release, "server", run, verdicts(folder, "server"), said)
            alive = server.process.poll() is None
        tap.ok(f"server {run}: it was there to the end", alive)
        tap.ok(f"server {run}: it ends well", server.status == 0,
               f"status {server.status}\n{server.tail}")


def play(release, words):
    """(verdicts, what the suite said) of our client."""
    with tempfile.TemporaryDirectory() as folder:
        said = suite(release, "client", "--command", CLIENT, *words, "--output-dir", folder)
        return verdicts(folder, "client"), said


def test_client():
    # The suite waits at the address until the client is gone, for all scenarios at once: some
    # thirty programs. What measures time is asked again, alone.
    for release, run, words in CLIENT_RUNS:
        found, said = play(release, words)
        for name in TIMED & set(found):
            found.update(play(release, ["--scenario", name, *words[2:]])[0])
        judge(release, "client", run, found, said)


# ---- this file ----

def test_judging():
    def check(status, name="x"):
        return {"id": name, "status": status}

    good = check("SUCCESS")
    tap.ok("all successes are good", is_good("s", [good, check("INFO")]))
    for status in ("FAILURE", "WARNING", "SKIPPED"):
        tap.ok(f"{status} is not good", not is_good("s", [good, check(status)]))
    tap.ok("nothing is not good", not is_good("s", []))
    tap.ok("silence is not good", not is_good("s", [check("SUCCESS", "wire-schema-valid")]))
    for name, found, _ in SKIPPED:
        other = {"id": found, "status": "SKIPPED", "errorMessage": "did not send a tools/list request"}
        tap.ok(f"{name}: another skip is not good", not is_good(name, [good, other]))


if __name__ == "__main__":
    tap.run([test_installed, test_judging, test_server, test_client])
    tap.done()
