"""Break-glass: when it may be used, what it never reaches, and the review that clears it.

The gate is wingman-gate-quick, for which five minutes are three seconds. The usual surface
is a small HTTP server of this test's.
"""

import http.server
import json
import os
import subprocess
import threading
import time

import pexpect

import gate_rig
import tap
from gate_client import Refused
from gate_rig import BUILD, PEOPLE, Rig

gate_rig.GATE = os.path.join(BUILD, "tests", "wingman-gate-quick")
ALICE, BOB, CAROL = PEOPLE
WHY = "as the test wants it"
REASON = "the firewall lets everybody in"
PASSPHRASE = "correct horse battery"
WINGMAN = os.path.join(BUILD, "bin", "wingman")


class Surface:
    """What people usually decide on; its health can be told."""

    def __init__(self):
        surface = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(surface.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.status = 200
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/readyz"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def refused(name, code, words, fn):
    try:
        got = fn()
    except Refused as e:
        return tap.ok(name, e.code == code and words in e.message, f"{e.code}: {e.message}")
    return tap.ok(name, False, f"it was taken: {got}")


def put(c, key, value):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY)


def status(rig):
    done = subprocess.run([WINGMAN, "--dir", rig.dir, "--json", "emergency", "status"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def wait_may(rig, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not status(rig)["may"]:
        assert time.monotonic() < deadline, status(rig)
        time.sleep(0.1)


def console(rig, *words):
    p = pexpect.spawn(WINGMAN, ["--dir", rig.dir, *words], timeout=30, encoding="utf-8",
                      dimensions=(60, 160))
    p.delaybeforesend = 0.1
    return p


def break_glass(rig, approval, typed=None, reason=REASON, passphrase=PASSPHRASE):
    """What the console said at the end, and its exit status."""
    with rig.client() as c:
        shown = c.wait(approval, "pending")["shown"]
        time.sleep(max(0, c.show(approval)["posted_at"] / 1000 + 1.05 - time.time()))
    p = console(rig, "emergency", "approve", approval, "--key", rig.path("emergency.key"))
    p.expect("passphrase of the emergency key")
    p.sendline(passphrase)
    if p.expect(["Why can it not wait", "does not open"]) == 1:
        p.expect(pexpect.EOF)
        p.close()
        return "does not open", p.exitstatus
    p.sendline(reason)
    p.expect("Type the twelve digits")
    p.sendline(shown[:12] if typed is None else typed)
    p.expect(pexpect.EOF)
    text = p.before
    p.close()
    return text, p.exitstatus


def test_key(rig):
    done = subprocess.run([gate_rig.GATE, "--check-config", "--dir", rig.dir],
                          capture_output=True, text=True, check=False)
    tap.ok("config check says what is missing", done.returncode == 0 and
           "there is no key for them" in done.stdout and "no yes is taken on a console" in
           done.stdout, done.stdout)
    p = console(rig, "emergency", "new-key", rig.path("emergency.key"))
    p.expect("passphrase for the emergency key")
    p.sendline(PASSPHRASE)
    p.expect("once more")
    p.sendline(PASSPHRASE)
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("a key is made", p.exitstatus, 0)
    tap.ok("encrypted", "ENCRYPTED" in rig.read("emergency.key"))
    tap.equal("its public half is the gate's", len(os.listdir(rig.path("keys/emergency"))), 1)
    tap.equal("it trusts no grant", len(os.listdir(rig.path("keys/trusted"))), 1)


def test_only_while_down(rig):
    with rig.client() as c:
        a = put(c, "glass", "1")
        c.wait(a, "pending")
        refused("a console's yes counts no more", "permission_denied", "no yes on a console",
                lambda: c.approve(a))
        text, code = break_glass(rig, a)
        tap.ok("nor does break-glass while the surface is well",
               code != 0 and "has not seen the usual surface down" in text, text)
        rig.surface.status = 503
        time.sleep(1)
        tap.ok("nor right after it went down", not status(rig)["may"], status(rig))
        rig.surface.status = 200
        time.sleep(0.6)
        rig.surface.status = 503
        time.sleep(2.5)
        tap.ok("a moment in which it was well begins the time anew", not status(rig)["may"],
               status(rig))
        wait_may(rig)
        text, code = break_glass(rig, a, typed="000000000000")
        tap.ok("the digest must be typed", code != 0 and "typed" in text, text)
        text, code = break_glass(rig, a, reason="because")
        tap.ok("and a reason given", code != 0 and "why it cannot wait" in text, text)
        text, code = break_glass(rig, a, passphrase="wrong horse battery")
        tap.ok("and the key opened", code != 0 and "does not open" in text, text)
        tap.equal("nothing ran", (c.state(a), rig.value("glass")), ("pending", ""))
        text, code = break_glass(rig, a)
        tap.ok("with all of it, it runs", code == 0 and "done" in text, text)
        record = c.show(a)
        tap.equal("once, by the same rules", (rig.value("glass"), record["decisions"][0]["by"],
                                              record["decisions"][0]["evidence"]["kind"]),
                  ("1", ALICE, "emergency"))
        tap.equal("the server has it in its log", [
            json.loads(x)["data"].get("emergency") for x in
            rig.read("audit/fixture.jsonl").splitlines() if '"call.started"' in x][-1:], [True])
        used = [x["data"] for x in rig.audit() if x["event"] == "emergency.used"]
        tap.equal("the gate has the reason in its own", used[-1]["reason"], REASON)


def test_team_is_told(rig):
    rig.become(BOB)
    with rig.client() as c:
        c.hello()
        told = [n for n in c.ask("notices")["notices"] if n.get("emergency")]
        tap.equal("the whole team is told", [(n["by"], n["why"]) for n in told],
                  [(ALICE, REASON)])
    rig.restart_gate()
    rig.become(ALICE)
    with rig.client() as c:
        c.hello()
        tap.ok("also after a restart, until it is read", True)


def test_rules_stay(rig):
    wait_may(rig)
    with rig.client() as c:
        a = put(c, "important", "1")
        record = c.wait(a, "pending")
        tap.equal("two are wanted", record["policy"]["approvers_needed"], 2)
        text, code = break_glass(rig, a)
        tap.ok("one by break-glass is one", code == 6 and c.state(a) == "pending", text)
        text, _ = break_glass(rig, a)
        tap.ok("and not twice", "said yes already" in text, text)
        c.ask("cancel", approval=a)
        b = rig.propose_pin(c)
        text, code = break_glass(rig, b)
        tap.ok("pins wait for the usual way", code != 0 and "never in an emergency" in text, text)
        c.ask("cancel", approval=b)
        several = c.ask("propose", calls=[
            {"tool": "fixture.put_value", "arguments": {"key": "a", "value": str(i),
                                                        "reason": WHY}} for i in range(2)])
        text, code = break_glass(rig, several["approval"])
        tap.ok("it is one call", code != 0 and "an emergency is one call" in text, text)
        c.ask("cancel", approval=several["approval"])
        a = put(c, "none", "1")
        shown = c.wait(a, "pending")["shown"]
        time.sleep(1.1)
        refused("a word that is none", "permission_denied", "no word of the emergency key",
                lambda: c.ask("emergency", approval=a, shown=shown, word="x"))
        refused("nor is a surface's digest taken for the record's", "precondition_failed",
                "read again", lambda: c.ask("emergency", approval=a, shown="0" * 64, word="x"))
        c.ask("cancel", approval=a)


def test_server_refuses(rig):
    with rig.client() as c:
        a = c.propose("fixture.echo_text", text="help")
        text, code = break_glass(rig, a)
        tap.ok("a server may take no emergency for a tool",
               code == 1 and "takes no emergency approval" in text, text)


def test_review(rig):
    with rig.client() as c:
        uses = status(rig)["unreviewed"]
        tap.equal("each use is to be reviewed", len(uses), 3)
        a = put(c, "fourth", "1")
        text, code = break_glass(rig, a)
        tap.ok("with three unreviewed it stops", code != 0 and "have not been reviewed" in text,
               text)
        one = uses[0]["approval"]
        refused("not by who used it", "permission_denied", "somebody else",
                lambda: c.ask("review", approval=one))
        rig.become(BOB)
        c.hello()
        done = subprocess.run([WINGMAN, "--dir", rig.dir, "emergency", "review", one, "--reason",
                               "it was right"], capture_output=True, text=True, check=False)
        tap.equal("somebody else reviews it", done.returncode, 0)
        refused("once", "conflict", "reviewed already", lambda: c.ask("review", approval=one))
        refused("and only what there was", "not_found", "no such emergency",
                lambda: c.ask("review", approval=a))
        rig.become(ALICE)
        c.hello()
        text, code = break_glass(rig, a)
        tap.ok("then it goes on", code == 0 and rig.value("fourth") == "1", text)
        tap.ok("the review is in the log",
               any(x["event"] == "emergency.reviewed" for x in rig.audit()))


TESTS = [test_key, test_only_while_down, test_team_is_told, test_rules_stay, test_server_refuses,
         test_review]

if __name__ == "__main__":
    the_rig = Rig()
    the_rig.surface = Surface()
    try:
        the_rig.write("config/fixture.yaml", the_rig.read("config/fixture.yaml") +
                      "refuse_emergency: [echo_text]\n")
        the_rig.start()
        the_rig.more_gate = (f"emergency: {{probe: '{the_rig.surface.url}'}}\n"
                             "yes_by_console: false\n")
        the_rig.write_gate_config()
        the_rig.restart_gate()
        tap.run([lambda t=t: (tap.note(t.__name__), t(the_rig)) for t in TESTS])
    finally:
        the_rig.done()
        the_rig.surface.close()
    tap.done()
