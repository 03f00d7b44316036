"""The console against stand-ins: words, exit codes, forms, prompts on a terminal, the bridge."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import console_fakes
import tap

WINGMAN = os.path.join(os.environ["WINGMAN_BUILD"], "bin", "wingman")
BLOCK = ["call", "accounts.block_account", "--args", '{"person":"john"}']


class Suite:
    """A folder, and whatever stand-ins a test wants, for the time of a 'with'."""

    def __init__(self, gate=True):
        self.dir = tempfile.mkdtemp(prefix="wm-")
        for folder in ("run", "config", "tokens", "callers", "audit", "keys", "keys/trusted"):
            os.makedirs(os.path.join(self.dir, folder), mode=0o700)
        self.write("config/suite.yaml", "sample: true\nports:\n  gate: 1\n")
        self.gate = console_fakes.FakeGate(self.dir) if gate else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.gate:
            self.gate.stop()
        shutil.rmtree(self.dir)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def argv(self, *args):
        return [WINGMAN, "--dir", self.dir, *args]

    def env(self):
        return {"PATH": "/usr/bin:/bin", "TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8",
                "HOME": self.dir, **{k: v for k, v in os.environ.items()
                                     if k.endswith("SAN_OPTIONS")}}

    def run(self, *args, stdin="", timeout=30):
        """No terminal anywhere: a session of its own has none."""
        return subprocess.run(self.argv(*args), input=stdin, capture_output=True, text=True,
                              timeout=timeout, env=self.env(), start_new_session=True,
                              check=False)


# ---- words and exit codes ----

def test_words():
    with Suite(gate=False) as s:
        r = s.run("--help")
        tap.ok("--help lists the commands", r.returncode == 0 and "approvals" in r.stdout)
        r = s.run("--version")
        tap.ok("--version", r.returncode == 0 and r.stdout.startswith("wingman "))
        r = s.run("call", "--help")
        tap.ok("a command's --help", r.returncode == 0 and r.stdout.startswith("usage: wingman call"))
        r = s.run("aprovals")
        tap.ok("an unknown command gets the nearest one",
               r.returncode == 2 and "did you mean 'approvals'" in r.stderr, r.stderr)
        r = s.run()
        tap.equal("no command and no terminal", r.returncode, 2)
        r = s.run("call", "--nonsense")
        tap.equal("an unknown option", r.returncode, 2)
        r = s.run("status")
        tap.ok("no gate: it says how to start one",
               r.returncode == 1 and "wingman up" in r.stderr, r.stderr)
        r = s.run("status", "--json")
        tap.ok("errors are JSON with --json",
               json.loads(r.stdout)["error"]["code"] == "backend_unavailable", r.stdout)
        tap.equal("/dev/full is noticed", subprocess.run(
            s.argv("--version"), stdout=open("/dev/full", "w", encoding="utf-8"),
            env=s.env(), check=False).returncode, 1)


def test_lists():
    with Suite() as s:
        r = s.run("tools")
        tap.ok("tools", r.returncode == 0 and "accounts.block_account" in r.stdout
               and "destructive" in r.stdout, r.stdout)
        s.gate.auto = {"state": "failed", "error": {"code": "internal", "message": "\x9b2J ü 😀"}}
        r = s.run(*BLOCK, "--json")
        tap.ok("--json is ASCII, and says the same", r.stdout.isascii() and json.loads(
            r.stdout.splitlines()[-1])["outcome"] == s.gate.auto, r.stdout)
        r = s.run("tools", "--json")
        tap.equal("tools --json", json.loads(r.stdout)[0]["name"], "accounts")
        r = s.run("docs", "accounts.block_account")
        tap.ok("docs", r.returncode == 0 and "person" in r.stdout and "required" in r.stdout
               and "ldap" in r.stdout, r.stdout)
        tap.equal("docs of nothing", s.run("docs", "accounts.nothing").returncode, 2)
        r = s.run("status")
        tap.ok("status", r.returncode == 0 and "alice@example.test" in r.stdout, r.stdout)


def test_calls_without_a_terminal():
    ends = {"succeeded": 0, "failed": 1, "refused": 1, "denied": 3, "expired": 4, "superseded": 4,
            "cancelled": 4, "revoked": 4, "lapsed": 4, "unknown": 5}
    with Suite() as s:
        for state, status in ends.items():
            s.gate.auto = {"state": state}
            r = s.run(*BLOCK)
            tap.equal(f"a call that ends {state}", r.returncode, status)
        s.gate.auto = {"state": "succeeded"}
        r = s.run(*BLOCK)
        tap.ok("it prints the approval's id and waits",
               re.search(r"approvals approve 01test\d+", r.stdout), r.stdout)
        tap.ok("text of the result is made visible", "all \\u001B[31mdone" in r.stdout, r.stdout)
        r = s.run(*BLOCK, "--json")
        lines = [json.loads(line) for line in r.stdout.splitlines()]
        tap.equal("--json: the id, then the record", [lines[0]["state"], lines[-1]["state"]],
                  ["pending", "succeeded"])
        s.gate.auto = {"state": "failed", "error": {
            "code": "ambiguous", "message": "two people", "hint": "say which",
            "details": {"candidates": [{"id": "john\x1b[2J"}]}}}
        r = s.run(*BLOCK)
        tap.ok("a failure with its candidates", "ambiguous: two people" in r.stdout
               and "candidate: " in r.stdout and "\x1b" not in r.stdout, r.stdout)
        s.gate.auto = {"state": "failed", "error": {"code": "odd\x1b[2J", "message": "x"}}
        tap.ok("an error's code moves no cursor either", "\x1b" not in s.run(*BLOCK).stdout)
        s.gate.auto = None
        tap.equal("--wait 0", s.run(*BLOCK, "--wait", "0").returncode, 6)
        tap.equal("--wait 1", s.run(*BLOCK, "--wait", "1").returncode, 6)
        tap.equal("nobody decided", s.gate.decisions, [])


def test_arguments():
    with Suite() as s:
        s.gate.auto = {"state": "succeeded"}
        path = s.write("args.json", '{"person":"from file"}')
        for name, args, stdin in (("from a file", "@" + path, ""),
                                  ("from stdin", "-", '{"person":"from file"}')):
            tap.equal(name, s.run("call", "accounts.block_account", "--args", args,
                                  stdin=stdin).returncode, 0)
            tap.equal(name + ": what came", s.gate.asked[-3]["arguments"]
                      if "arguments" in s.gate.asked[-3] else
                      [m for m in s.gate.asked if m["m"] == "propose"][-1]["arguments"],
                      {"person": "from file"})
        before = len([m for m in s.gate.asked if m["m"] == "propose"])
        for name, args in (("no JSON", "{"), ("no object", "[1]"), ("a duplicate key", '{"a":1,"a":2}'),
                           ("a number too large", '{"a":9007199254740993}'),
                           ("NUL", '{"a":"\\u0000"}'), ("a lone surrogate", '{"a":"\\ud800"}'),
                           ("a missing file", "@/nonexistent/file")):
            tap.equal(f"refused here: {name}",
                      s.run("call", "accounts.block_account", "--args", args).returncode, 2)
        tap.equal("and nobody was asked",
                  len([m for m in s.gate.asked if m["m"] == "propose"]), before)
        tap.equal("an unknown tool", s.run("call", "accounts.nothing").returncode, 2)


def test_approvals():
    with Suite() as s:
        s.run(*BLOCK, "--wait", "0")
        approval = list(s.gate.records)[0]
        tap.ok("list", approval in s.run("approvals").stdout)
        r = s.run("approvals", "show", approval)
        tap.ok("show", "uid=john" in r.stdout and "pending" in r.stdout, r.stdout)
        r = s.run("approvals", "approve", approval)
        tap.ok("no terminal, no approval", r.returncode != 0 and "terminal" in r.stderr
               and not s.gate.decisions, r.stderr)
        r = s.run("approvals", "deny", approval, "--reason", "not today")
        tap.equal("deny is one step", (r.returncode, s.gate.decisions[-1]["reason"]),
                  (0, "not today"))
        tap.equal("approving what is over", s.run("approvals", "approve", approval).returncode, 3)
        tap.equal("nothing of that name", s.run("approvals", "show", "01none").returncode, 2)
        s.run(*BLOCK, "--wait", "0")
        tap.equal("cancel", s.run("approvals", "cancel", list(s.gate.records)[1]).returncode, 0)
        tap.equal("revoke", s.run("approvals", "revoke", list(s.gate.records)[1]).returncode, 0)
        s.gate.records[approval]["prompt"]["surprise"] = "!"
        r = s.run("approvals", "show", approval)
        tap.ok("a prompt that cannot be shown whole is not shown", r.returncode == 1
               and "cannot be shown" in r.stderr, r.stderr)


def test_scripts():
    with Suite() as s:
        s.gate.auto = {"state": "succeeded"}
        r = s.run("console", stdin="# a comment\n\n/servers\naccounts.get_account {\"person\":\"eve\"}\n"
                                   "/call list_all\n")
        tap.ok("commands from stdin", r.returncode == 0 and "accounts" in r.stdout
               and r.stdout.count("done") >= 2, r.stdout + r.stderr)
        tap.ok("no banner, no prompt", "wingman>" not in r.stdout and "sample" not in r.stdout)
        r = s.run("console", stdin="/aprove 1\n")
        tap.ok("an unknown word, the nearest one, and its status",
               r.returncode == 2 and "did you mean '/approve'" in r.stderr, r.stderr)
        r = s.run("console", stdin="/call accounts.get_account\n")
        tap.ok("no form without a terminal", r.returncode == 2 and "as JSON" in r.stderr, r.stderr)
        r = s.run("console", stdin="get_acount {}\n")
        tap.ok("the nearest tool", "accounts.get_account" in r.stderr, r.stderr)
        s.gate.auto = {"state": "denied"}
        r = s.run("console", stdin="accounts.get_account {\"person\":\"eve\"}\n")
        tap.equal("the status of the last command", r.returncode, 3)
        r = s.run("console", stdin="/deny --state x\n/show -x\n/quit\n/servers\n")
        tap.ok("an id is no option, and /quit ends", "accounts" not in r.stdout, r.stdout)


def audit_line(seq, event):
    return json.dumps({"at": "2026-01-01T00:00:00.%03dZ" % (seq // 2), "seq": seq, "program": "gate",
                       "event": event, "data": {"approval": f"a{seq % 2}", "text": "\x1b[2J",
                                                "digest": "ab" * 32}}) + "\n"


def test_audit():
    with Suite(gate=False) as s:
        path = s.write("audit/gate.jsonl", "".join(audit_line(i, f"e{i}") for i in range(50))
                       + "junk\n" + audit_line(50, "e50"))
        r = s.run("audit", "tail", "gate", "--lines", "3")
        tap.equal("tail: the newest, in their order",
                  [line.split()[2] for line in r.stdout.splitlines()], ["e48", "e49", "e50"])
        tap.ok("digests short, nothing raw", "digest=" + "ab" * 6 in r.stdout
               and "ab" * 7 not in r.stdout and "\x1b" not in r.stdout, r.stdout)
        tap.equal("no log of that name", s.run("audit", "tail", "nothing").returncode, 2)
        r = s.run("audit", "show", "a1", "--json")
        tap.equal("one approval's lines", len(r.stdout.splitlines()), 25)
        tap.equal("no such approval", s.run("audit", "show", "a9").returncode, 2)
        r = s.run("audit", "verify")
        tap.ok("what is no chain does not verify", r.returncode == 1 and "BROKEN" in r.stdout, r.stdout)
        p = subprocess.Popen(s.argv("audit", "tail", "--lines", "1", "--follow"), env=s.env(),
                             stdout=subprocess.PIPE, text=True)
        tap.ok("--follow begins with the tail", "e50" in p.stdout.readline())
        line = audit_line(51, "e51")
        with open(path, "a", encoding="utf-8") as f:
            f.write(line[:20])
            f.flush()
            time.sleep(0.4)
            f.write(line[20:])
        tap.ok("and goes on with whole lines", "e51" in p.stdout.readline())
        p.kill()
        p.communicate()


# ---- on a terminal ----

def spawn(s, *args, rows=50, columns=100):
    import pexpect
    # libedit never frees the names of functions that were added to it
    env = {**s.env(), "ASAN_OPTIONS": "detect_leaks=0"}
    p = pexpect.spawn(WINGMAN, ["--dir", s.dir, *args], env=env, timeout=15,
                      dimensions=(rows, columns), encoding="utf-8")
    p.delaybeforesend = 0.05
    return p


def digits(p):
    p.expect(r"Type 'approve ([0-9a-f]{4})'")
    found = p.match.group(1)
    p.expect("leaves it: ")
    return found


def ends(p):
    import pexpect
    p.expect(pexpect.EOF)
    p.close()
    return p.exitstatus


def test_terminal_call():
    with Suite() as s:
        p = spawn(s, *BLOCK)
        p.expect("Approve a change")
        p.expect("asked by alice@example.test")
        p.sendline("approve " + digits(p))
        p.expect("done")
        tap.equal("approved and done", ends(p), 0)
        decision = s.gate.decisions[-1]
        record = s.gate.records[decision["approval"]]
        tap.equal("it named the digest of the whole prompt", decision["shown"],
                  console_fakes.digest(record["prompt"]))

        p = spawn(s, *BLOCK)
        wrong = "0000" if digits(p) != "0000" else "1111"
        p.sendline("approve " + wrong)
        tap.equal("wrong digits leave it pending", ends(p), 6)
        tap.equal("and decide nothing", len(s.gate.decisions), 1)

        p = spawn(s, *BLOCK)
        digits(p)
        p.sendline("deny it is wrong")
        tap.equal("denied", (ends(p), s.gate.decisions[-1]["decision"],
                             s.gate.decisions[-1]["reason"]), (3, "deny", "it is wrong"))

        p = spawn(s, *BLOCK)
        digits(p)
        p.sendcontrol("c")
        tap.equal("Ctrl-C at the question leaves it pending", ends(p), 6)


def test_terminal_type_ahead():
    """A person's Enter from before, or bytes that were pasted, decide nothing."""
    with Suite() as s:
        approval = "01test0000"
        s.run(*BLOCK, "--wait", "0")
        known = console_fakes.digest(s.gate.records[approval]["prompt"])[:4]
        p = spawn(s, "approvals", "approve", approval)
        p.send(f"approve {known}\n")
        p.expect("leaves it: ")
        time.sleep(0.5)
        tap.equal("type-ahead is thrown away", s.gate.decisions, [])
        p.sendline("approve " + known)
        tap.equal("the same words afterwards count", ends(p), 0)


def test_terminal_too_small():
    with Suite() as s:
        p = spawn(s, *BLOCK, columns=39)
        p.expect("too narrow")
        tap.equal("too narrow: no question", (ends(p), s.gate.decisions), (6, []))
        s.gate.records.clear()
        long = {"person": "x" * 30000}
        p = spawn(s, "call", "accounts.block_account", "--args", json.dumps(long), rows=20)
        pages = 0
        while p.expect(["-- more below", "leaves it: "]) == 0:
            pages += 1
            p.sendline("")
        p.close()
        tap.ok("what does not stay on the screen is paged", pages > 10, pages)


def test_terminal_pin():
    with Suite() as s:
        s.gate.pin = "4711"
        p = spawn(s, *BLOCK)
        p.sendline("approve " + digits(p))
        p.expect("PIN: ")
        p.sendline("4711")
        p.expect("done")
        tap.ok("the PIN is not echoed", "4711" not in p.before, p.before)
        tap.equal("approved with a PIN", (ends(p), s.gate.decisions[-1]["pin"]), (0, "4711"))
        p = spawn(s, *BLOCK)
        p.sendline("approve " + digits(p))
        p.expect("PIN: ")
        p.sendline("wrong")
        p.expect("the PIN is wrong")
        tap.equal("a wrong PIN", ends(p), 6)
        p = spawn(s, "approvals", "set-pin")
        for question, answer in (("so far: ", "4711"), ("remove it.: ", "0815"), ("more: ", "0815")):
            p.expect(question)
            p.sendline(answer)
        p.expect("your PIN is set")
        tap.equal("a new PIN", (ends(p), s.gate.pin), (0, "0815"))


def test_two_approvers():
    with Suite() as s:
        s.gate.approvals_needed = 2
        p = spawn(s, *BLOCK)
        p.sendline("approve " + digits(p))
        p.expect("2 are needed; waiting")
        s.gate.finish("01test0000")
        p.expect("done")
        tap.equal("it goes on when the second said yes", ends(p), 0)


def test_interactive():
    with Suite() as s:
        p = spawn(s)
        p.expect("You are alice@example.test")
        p.expect("accounts is up")
        p.expect("This is a sample on one user id: it demonstrates, it does not protect.")
        p.expect("wingman> ")

        p.send("/appro\t\t")
        p.expect("/approvals\r\n/approve\r\n")
        p.sendcontrol("c")
        p.expect("wingman> ")
        p.send("/docs accounts.b\t\r")
        p.expect("Block an account")
        p.expect("wingman> ")
        tap.ok("Tab completes commands and tools", True)

        p.sendline("/hlep")
        p.expect("did you mean '/help'")
        p.expect("wingman> ")
        p.sendline("/help")
        p.expect("/deny ID")
        p.expect("wingman> ")
        tap.ok("/help, and the nearest command", True)

        p.sendline("/call accounts.block_account")
        p.expect("person> ")
        p.sendline("jo")
        p.expect("at least 3")
        p.sendline("john")
        p.expect("systems> ")
        p.sendline("ldap,2")
        p.expect("revoke_sessions> ")
        p.sendline("")
        p.sendline("approve " + digits(p))
        p.expect("done")
        p.expect("wingman> ")
        tap.equal("a form becomes a call",
                  [m for m in s.gate.asked if m["m"] == "propose"][-1]["arguments"],
                  {"person": "john", "systems": ["ldap", "okta"]})

        before = len(s.gate.records)
        p.sendline("/call accounts.block_account")
        p.expect("person> ")
        p.sendline("john")
        p.expect("systems> ")
        p.sendcontrol("c")
        p.expect("given up")
        p.expect("wingman> ")
        tap.equal("Ctrl-C gives up the form", len(s.gate.records), before)

        p.sendline('accounts.get_account {"person":"eve"}')
        digits(p)
        p.sendline("later")
        p.expect("is pending")
        p.expect("wingman> ")
        p.send("/deny 01\t not this one\r")
        p.expect("is denied")
        p.expect("wingman> ")
        tap.equal("a bare tool, ids by Tab, a denial with its reason",
                  s.gate.decisions[-1]["reason"], "not this one")

        s.gate.approvals_needed = 2
        p.sendline('accounts.get_account {"person":"eve"}')
        p.sendline("approve " + digits(p))
        p.expect("waiting for the others")
        p.sendcontrol("c")
        p.expect("pending")
        p.expect("wingman> ")
        tap.ok("Ctrl-C ends the waiting, not the console", True)

        p.sendline('accounts.say_secret {"words":"hush"}')
        digits(p)
        p.sendline("no")
        p.expect("wingman> ")
        p.sendline("/quit")
        tap.equal("/quit leaves", ends(p), 0)
        path = os.path.join(s.dir, "run", "console_history")
        tap.equal("the history is ours alone", os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        tap.ok("it holds commands, not answers and nothing sensitive", "/help" in text
               and "ldap,2" not in text and "approve " not in text and "hush" not in text
               and "/call accounts.say_secret\n" in text, text)

        p = spawn(s)
        p.expect("wingman> ")
        p.send("\x1b[A")
        p.expect("/quit")
        p.sendcontrol("c")
        p.expect("wingman> ")
        p.sendcontrol("d")
        tap.equal("the history is back, and Ctrl-D leaves", ends(p), 0)


def test_signals():
    """The terminal is left as it was, and whoever started us is left alone."""
    import pexpect
    with Suite() as s:
        cases = [("console", "wingman> "), ("call accounts.list_all", "leaves it: "),
                 ("approvals set-pin", "remove it")]
        for words, until in cases:
            p = pexpect.spawn("/bin/sh", ["-c", f"{WINGMAN} --dir {s.dir} {words}; stty -a; echo E''ND"],
                              env={**s.env(), "ASAN_OPTIONS": "detect_leaks=0"}, timeout=15,
                              dimensions=(50, 100), encoding="utf-8")
            p.expect(until)
            time.sleep(0.3)
            pids = [int(n) for n in os.listdir("/proc") if n.isdigit()
                    and parent(int(n)) == p.pid]
            for pid in pids:
                os.kill(pid, signal.SIGTERM)
            p.expect("END")
            modes = set(p.before.replace(";", " ").split())
            tap.ok(f"SIGTERM at a question of '{words}' leaves the terminal as it was",
                   {"isig", "icanon", "echo"} <= modes, p.before)
            p.close()
        p = spawn(s, *BLOCK)
        p.sendline("approve " + digits(p))
        s.gate.outcome = {"state": "succeeded"}
        p.expect("done")
        tap.equal("(done)", ends(p), 0)
        s.gate.approvals_needed = 2
        p = spawn(s, *BLOCK)
        p.sendline("approve " + digits(p))
        p.expect("waiting for the others")
        p.sendcontrol("c")
        p.expect("decide with: wingman approvals")
        tap.equal("Ctrl-C while waiting says the id, and that it is pending", ends(p), 6)


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def test_window():
    with Suite() as s:
        p = spawn(s, columns=60)
        p.expect("wingman> ")
        p.setwinsize(50, 39)
        time.sleep(0.8)
        p.sendline('accounts.get_account {"person":"eve"}')
        p.expect("too narrow")
        p.expect("wingman> ")
        p.setwinsize(50, 100)
        time.sleep(0.8)
        p.send("caf\u00e9 \u4e2d\r")
        p.expect("no tool 'caf\u00e9'")
        p.expect("wingman> ")
        p.sendcontrol("d")
        tap.equal("another size of the window, and letters of several bytes", ends(p), 0)


def test_gate_goes_away():
    with Suite() as s:
        p = spawn(s)
        p.expect("wingman> ")
        s.gate.stop()
        p.sendline("/servers")
        p.expect("the gate went away")
        p.expect("wingman up")
        p.expect("wingman> ")
        s.gate.start()
        p.sendline("/servers")
        p.expect("connected to the gate again")
        p.expect("accounts .*up")
        p.expect("wingman> ")
        p.sendcontrol("d")
        tap.equal("it comes back with the gate", ends(p), 0)
        s.gate.person = None
        p = spawn(s)
        p.expect("not mapped to a person")
        p.expect("wingman> ")
        p.sendcontrol("d")
        tap.equal("somebody unknown may look", ends(p), 0)


# ---- connect and the bridge ----

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}}


def request(number, name, **params):
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call",
            "params": {"name": name, "arguments": {}, "_meta": META, **params}}


class Bridge:
    def __init__(self, s, *args):
        self.process = subprocess.Popen(s.argv("connect", "accounts", "--stdio", *args),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=s.env())

    def send(self, message):
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def read(self):
        return json.loads(self.process.stdout.readline())

    def end(self):
        out, err = self.process.communicate(timeout=30)
        return out, err, self.process.returncode


def bridged(s):
    server = console_fakes.FakeServer()
    s.write("tokens/client.token", "wm_secret\n")
    s.write("run/suite.json", json.dumps({"ready": True, "servers": {"accounts": {"url": server.url}}}))
    return server


def test_connect():
    with Suite() as s:
        for client in ("generic", "vscode", "cursor", "claude", "inspector"):
            r = s.run("connect", "accounts", "--client", client)
            config = json.loads(r.stdout)
            row = list(list(config.values())[0].values())[0]
            tap.ok(f"{client}: starts the bridge and holds no token",
                   row["command"] == WINGMAN and row["args"][-1] == "--stdio"
                   and "Bearer" not in r.stdout, r.stdout)
            r = s.run("connect", "accounts", "--client", client, "--http")
            tap.ok(f"{client} --http: the token by reference", "Bearer ${" in r.stdout
                   and s.gate.url in r.stdout, r.stdout)
        tap.equal("an unknown server", s.run("connect", "nothing").returncode, 2)
        tap.equal("an unknown client", s.run("connect", "accounts", "--client", "x").returncode, 2)


def test_bridge():
    with Suite(gate=False) as s:
        server = bridged(s)
        b = Bridge(s)
        b.send(request(1, "sum"))
        tap.equal("an answer", b.read()["id"], 1)
        headers, body = server.requests[-1]
        tap.equal("its headers", {k.lower(): v for k, v in headers.items() if k.lower() in (
            "authorization", "content-type", "accept", "mcp-protocol-version", "mcp-method",
            "mcp-name")}, {
                "authorization": "Bearer wm_secret", "content-type": "application/json",
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call",
                "mcp-name": "sum"})
        tap.equal("its body is the line", json.loads(body), request(1, "sum"))
        b.send(request("two", "Zürich"))
        tap.equal("a string as id", b.read()["id"], "two")
        tap.equal("a name that no header can hold",
                  {k.lower(): v for k, v in server.requests[-1][0].items()}["mcp-name"],
                  "=?base64?WsO8cmljaA==?=")
        b.send(request(3, "stream"))
        tap.equal("an event stream", [b.read().get("method"), b.read().get("id")],
                  ["notifications/progress", 3])
        b.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        b.send(request(4, "sum"))
        tap.equal("a notification is posted and not answered", b.read()["id"], 4)
        b.send(request(5, "noauth"))
        answer = b.read()
        tap.ok("HTTP without JSON-RPC becomes an error",
               answer["id"] == 5 and answer["error"]["code"] == -32603
               and "token" in answer["error"]["message"], answer)
        b.send(request(6, "die"))
        answer = b.read()
        tap.ok("a broken connection becomes an error that says it may have arrived",
               answer["id"] == 6 and answer["error"]["code"] == -32603
               and "may" in answer["error"]["message"], answer)
        out, err, status = b.end()
        tap.equal("the end", (out, status), (b"", 0))
        tap.ok("no token on stderr", b"wm_secret" not in err, err)
        server.stop()


def test_bridge_lines():
    with Suite(gate=False) as s:
        server = bridged(s)
        b = Bridge(s)
        for line, code in ((b"{", -32700), (b"\xff\xfe", -32700), (b"[]", -32600), (b"7", -32600),
                           (b'{"jsonrpc":"2.0","id":null,"method":"x"}', -32600),
                           (b'{"a":1,"a":2}', -32700)):
            b.send(line)
            answer = b.read()
            tap.ok(f"{line!r} is answered without an id", "id" not in answer
                   and answer["error"]["code"] == code, answer)
        for line in (b"", b"  ", b"\r"):
            b.send(line)
        b.send(json.dumps(request(1, "sum")).encode() + b"\r")
        tap.equal("blank lines and CRLF are nothing", b.read()["id"], 1)
        big = json.dumps(request(2, "sum", pad="")).encode()
        pad = 4 * 1024 * 1024 - len(big)
        b.send(json.dumps(request(2, "sum", pad="x" * pad)).encode())
        tap.equal("a line of 4 MiB", b.read()["id"], 2)
        b.send(json.dumps(request(3, "sum", pad="x" * (pad + 1))).encode())
        answer = b.read()
        tap.ok("one byte more is refused", "id" not in answer
               and answer["error"]["code"] == -32700, answer)
        b.send(request(4, "sum"))
        tap.equal("and the next line is read", b.read()["id"], 4)
        b.process.stdin.write(json.dumps(request(5, "sum")).encode())
        out, _, status = b.end()
        tap.equal("a last line without its end", (json.loads(out)["id"], status), (5, 0))
        server.stop()


def test_bridge_together():
    with Suite(gate=False) as s:
        server = bridged(s)
        b = Bridge(s)
        start = time.monotonic()
        for number in range(10):
            b.send(request(number, "slow"))
        b.send(request("quick", "sum"))
        first = b.read()["id"]
        ids = {b.read()["id"] for _ in range(10)}
        took = time.monotonic() - start
        tap.equal("the quick one does not wait for the slow", first, "quick")
        tap.ok("slow ones run together", ids == set(range(10)) and took < 10, (ids, took))
        b.send(request(1, "hang"))
        time.sleep(0.3)
        b.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "1"}})
        tap.ok("a foreign id cancels nothing", not server.hung_up.wait(0.5))
        b.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
        tap.ok("a cancelled request closes its connection", server.hung_up.wait(5))
        b.send(request(2, "slow"))
        out, _, status = b.end()
        tap.equal("what runs is finished at the end of stdin, the cancelled one unanswered",
                  ([json.loads(line)["id"] for line in out.splitlines()], status), ([2], 0))
        server.stop()


def test_bridge_failures():
    with Suite(gate=False) as s:
        server = bridged(s)
        server.stop()
        b = Bridge(s)
        b.send(request(1, "sum"))
        answer = b.read()
        tap.ok("nobody listens: an error with the id", answer["id"] == 1
               and answer["error"]["code"] == -32603, answer)
        tap.equal("and it lives on", b.end()[2], 0)
        s.write("tokens/client.token", "wm_secret\n", 0o644)
        r = s.run("connect", "accounts", "--stdio")
        tap.ok("a token that others can read is refused", r.returncode == 1
               and "wm_secret" not in r.stderr, r.stderr)
        os.unlink(os.path.join(s.dir, "tokens/client.token"))
        tap.ok("no token", s.run("connect", "accounts", "--stdio").returncode != 0)
        other = s.write("other.token", "wm_other\n")
        server = bridged(s)
        b = Bridge(s, "--token-file", other)
        b.send(request(1, "sum"))
        b.read()
        tap.equal("--token-file", server.requests[-1][0]["Authorization"], "Bearer wm_other")
        b.process.stdout.close()
        b.send(request(2, "sum"))
        time.sleep(0.5)
        b.process.stdin.close()
        tap.ok("nobody reads the answers: it ends", b.process.wait(10) == 1)
        b.process.stderr.close()
        server.stop()
        s.write("run/suite.json", '{"servers":{"accounts":{"url":"http://192.0.2.1:9/mcp"}}}')
        r = s.run("connect", "accounts", "--stdio")
        tap.ok("no token leaves the machine without TLS", r.returncode == 3 and "TLS" in r.stderr, r.stderr)


# ---- config and doctor ----

def test_config():
    with Suite(gate=False) as s:
        s.write("config/suite.yaml", "sample: maybe\nnonsense: 1\n")
        s.write("config/Odd Name.yaml", "")
        s.write("config/nothing.yaml", "listen:\n  port: 1\n")
        s.write("config/accounts.yaml", "listen:\n  port: 65536\nbackend: 7\n")
        s.write("config/policy.yaml", "rules: 7\n")
        r = s.run("config", "check")
        for word in ("suite.yaml:1", "suite.yaml:2", "Odd Name", "wingman-nothing", "gate.yaml",
                     "accounts.yaml:2", "accounts.yaml:3", "policy.yaml:1"):
            tap.ok(f"config check tells of {word}", word in r.stdout, r.stdout)
        tap.equal("its status", r.returncode, 1)
        r = s.run("config", "check", "--json")
        tap.ok("--json", len(json.loads(r.stdout)["faults"]) >= 5, r.stdout)
        tap.equal("its words", s.run("config").returncode, 2)


def test_doctor():
    with Suite() as s:
        server = bridged(s)
        s.write("callers/index.json", '{"v":1,"tokens":[]}')
        findings = json.loads(s.run("doctor", "--json").stdout)
        by = {}
        for f in findings:
            by.setdefault(f["check"], []).append(f)
        for check in ("folder", "secret", "tokens", "audit", "gate", "you", "server", "disk",
                      "clock", "kernel", "program"):
            tap.ok(f"doctor looks at {check}", check in by, findings)
        tap.equal("a folder that is well", [f["level"] for f in by["folder"] + by["secret"]],
                  ["ok", "ok"])
        tap.ok("a server that answers", "ok" in [f["level"] for f in by["server"]], by["server"])
        os.chmod(os.path.join(s.dir, "tokens/client.token"), 0o640)
        os.chmod(os.path.join(s.dir, "keys"), 0o777)
        s.gate.person = None
        server.stop()
        r = s.run("doctor")
        tap.ok("doctor finds what is wrong, and says what to do", r.returncode == 1
               and "client.token can be reached" in r.stdout and "chmod 600" in r.stdout
               and "keys can be written" in r.stdout and "does not know user id" in r.stdout
               and "accounts: " in r.stdout, r.stdout)


def main():
    tests = [test_words, test_lists, test_calls_without_a_terminal, test_arguments,
             test_approvals, test_scripts, test_audit, test_connect, test_bridge, test_bridge_lines,
             test_bridge_together, test_bridge_failures, test_config, test_doctor]
    on_terminal = [test_terminal_call, test_terminal_type_ahead, test_terminal_too_small,
                   test_terminal_pin, test_two_approvers, test_interactive, test_signals, test_window,
                   test_gate_goes_away]
    try:
        import pexpect  # noqa: F401
        tests += on_terminal
    except ImportError:
        tap.skip("everything on a terminal", "python3-pexpect is not installed")
    tap.run(tests)
    tap.done()


if __name__ == "__main__":
    main()
