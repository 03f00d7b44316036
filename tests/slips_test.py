"""Slips at the terminal: each gets one error that says what to do, and the status for it."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import pexpect

import suite
import tap
from console_test import BLOCK, Suite, ends, spawn


def says(name, r, status, message, hint=""):
    """One sentence on stderr, and a hint; nothing on stdout."""
    lines = r.stderr.splitlines()
    tap.ok(name, r.returncode == status and r.stdout == "" and len(lines) == (2 if hint else 1)
           and message in lines[0] and (not hint or lines[1].startswith("hint: ") and hint in lines[1]),
           (r.returncode, r.stdout, r.stderr))


def test_names():
    with Suite() as s:
        says("a tool misspelt", s.run("docs", "accounts.block_acount"), 2, "no tool",
             "did you mean 'accounts.block_account'")
        says("without its server", s.run("docs", "block_acount"), 2, "no tool",
             "did you mean 'accounts.block_account'")
        says("like none", s.run("docs", "xyzzy"), 2, "no tool 'xyzzy'", "'wingman tools' lists them")
        says("an option that there is not", s.run("docs", "--all"), 2, "name one tool", "usage: ")
        says("more approvals than one", s.run("approvals", "show", "a", "b"), 2, "one approval at a time",
             "usage: ")


def test_files():
    with Suite(gate=False) as s:
        path = os.path.join(s.dir, "x.token")
        r = s.run("token", "new", "--for", "a@x", "--scopes", "accounts:read", "--file", path)
        tap.equal("a token goes into a file", (r.returncode, os.stat(path).st_mode & 0o777), (0, 0o600))
        with open(path, "rb") as f:
            before = f.read()
        says("and takes the place of none", s.run("token", "new", "--service", "accounts", "--file", path),
             1, "already", "remove it")
        with open(path, "rb") as f:
            tap.equal("(it is as it was)", f.read(), before)
        tap.equal("no token was made for it", len(s.run("token", "list").stdout.splitlines()), 1)
        tap.equal("the first key", s.run("keys", "new").returncode, 0)
        says("and no second one", s.run("keys", "new"), 1, "a key already", "wingman keys rotate")


def test_given_up():
    with Suite() as s:
        says("no terminal for a PIN", s.run("approvals", "set-pin"), 2, "no terminal", "in a terminal")
        s.gate.pin = "4711"
        p = spawn(s, "approvals", "set-pin")
        p.expect("so far: ")
        p.sendcontrol("c")
        p.expect("given up; nothing was changed")
        tap.ok("Ctrl-C at the first question ends it there", "new PIN" not in p.before, p.before)
        tap.equal("and changes nothing", (ends(p), s.gate.pin), (2, "4711"))
        p = spawn(s, "emergency", "new-key", os.path.join(s.dir, "e.key"))
        p.expect("passphrase for")
        p.sendcontrol("c")
        p.expect("given up; nothing was made")
        tap.ok("the same of a key", "once more" not in p.before, p.before)
        tap.equal("and none is made", (ends(p), os.path.exists(os.path.join(s.dir, "e.key"))), (2, False))


def test_before_the_question():
    """Ctrl-C while the prompt is to be read first."""
    with Suite() as s:
        p = spawn(s, *BLOCK)
        p.expect("is the digest of all of the above")
        p.sendcontrol("c")
        p.expect("decide with: wingman approvals approve")
        tap.ok("no question comes any more", "Type 'approve" not in p.before, p.before)
        tap.equal("it stays pending, and nothing is decided", (ends(p), s.gate.decisions), (6, []))


def test_no_folder():
    """Programs that are sent to a folder that is not there say so, and make nothing."""
    with tempfile.TemporaryDirectory(prefix="wm-none-") as parent:
        there = os.path.join(parent, "none")
        plain = os.path.join(parent, "plain")
        with open(plain, "w", encoding="utf-8"):
            pass
        for folder, why in ((there, "no such folder"), (plain, "that is no folder")):
            for words in (["wingman", "status"], ["wingman", "token", "list"], ["wingman", "audit", "verify"],
                          ["wingman", "connect", "accounts", "--stdio"], ["wingman-gate"], ["wingman-slack"],
                          ["wingman-egress"], ["wingman-accounts"], ["wingman-people", "--check-config"],
                          ["wingman-playbooks"]):
                r = subprocess.run([os.path.join(suite.BIN, words[0]), "--dir", folder, *words[1:]],
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                                   check=False)
                tap.ok(f"{' '.join(words)}: {why}", r.returncode == 2 and r.stdout == ""
                       and f"there is no suite in '{folder}': {why}" in r.stderr and "--dir" in r.stderr,
                       (r.returncode, r.stderr))
        r = subprocess.run([suite.WINGMAN, "--dir", there, "doctor"], capture_output=True, text=True,
                           timeout=60, check=False)
        tap.ok("doctor finds that, and the machine alone", r.returncode == 1
               and r.stdout.count("folder") == 3 and "secret" not in r.stdout, r.stdout)
        tap.equal("nothing was made", sorted(os.listdir(parent)), ["plain"])


@contextlib.contextmanager
def changed(path, change):
    """A file for a while as 'change' makes it of what is there."""
    before = path.read_bytes()
    path.write_bytes(change(before))
    try:
        yield
    finally:
        path.write_bytes(before)


def test_up_fails(s):
    """Each in one sentence, with what to do, and with nothing left running."""
    root = pathlib.Path(s.dir)

    def refused(name, message, hint):
        r = s.wingman("up", "--no-console")
        lines = r.stderr.splitlines()
        tap.ok(name, r.returncode in (1, 2) and r.stdout == "" and len(lines) == 2
               and re.search(message, lines[0]) and re.search(hint, lines[1]), (r.returncode, r.stderr))

    with changed(root / "config/policy.yaml", lambda was: was + b"  - {name: x, neded: 1}\n"):
        refused("a typo in the policy", r"wingman-gate ended before it was ready: .*policy.yaml:\d+: .*neded",
                "its log is .*wingman-gate.log")
    with changed(root / "config/accounts.yaml", lambda was: was[:was.index(b"password_file")]):
        refused("half a file", r"wingman-accounts ended before it was ready: \S*accounts.yaml:\d+: .*password_file",
                "its log is")
    with changed(root / "config/suite.yaml", lambda was: b""):
        refused("an empty file", "suite.yaml names no port of the gate", "put it back")
    with changed(root / "gate/records.db", lambda was: os.urandom(5000)):
        refused("a store of noise", "wingman-gate ended .*records.db.*damaged", "its log is")
    with changed(root / "keys/gate.key", lambda was: b"noise\n"):
        refused("a key of noise", "no private key", "keys/gate.key")
    os.chmod(root / "keys/gate.key", 0o644)
    refused("a key for everybody", "others may read .*gate.key", "chmod 600")
    os.chmod(root / "keys/gate.key", 0o600)
    port = int(re.search(rb"port: (\d+)", (root / "config/accounts.yaml").read_bytes()).group(1))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused("a port that is taken", f"port {port} of config/accounts.yaml is in use", "end what uses it")
    (root / "run/gate.sock").write_text("")
    refused("a file where the socket belongs", "gate.sock' is in the way and no socket", "move it away")
    (root / "run/gate.sock").unlink()
    (root / "lock").write_text("99999999\n")
    tap.equal("a lock that nobody holds: nothing to end", s.wingman("down").stdout,
              f"nothing runs in {s.dir}\n")
    s.start()
    tap.ok("and it starts as before", s.ready["ready"])
    r = s.wingman("up", "--no-console")
    tap.ok("twice", r.returncode == 1 and "runs in" in r.stderr and "wingman down" in r.stderr, r.stderr)
    r = subprocess.run([os.path.join(suite.BIN, "wingman-accounts"), "--dir", s.dir], capture_output=True,
                       text=True, timeout=60, check=False)
    tap.ok("a second server by hand", r.returncode == 1 and "is held by process" in r.stderr
           and "end that one first" in r.stderr, r.stderr)


def test_interrupted_start():
    """Ctrl-C while it starts, on a terminal and without: nothing stays, and no console opens."""
    s = suite.Suite()
    try:
        for words in (["up"], ["up", "--no-console"]):
            p = s.terminal(*words)
            s.wait_for(lambda: os.path.exists(s.path("run", "slapd.log")), what="the first child")
            p.sendcontrol("c")
            p.expect("interrupted before the suite was ready")
            p.expect("nothing runs")
            p.expect(pexpect.EOF)
            p.close()
            tap.equal(f"{' '.join(words)}: interrupted", (p.exitstatus, "wingman> " in p.before), (1, False))
            tap.equal("nothing runs", s.wingman("down").stdout, f"nothing runs in {s.dir}\n")
            os.unlink(s.path("run", "slapd.log"))
    finally:
        s.done()


def test_up():
    s = suite.Suite()
    try:
        s.start()
        up = {server["name"]: server["up"] for server in s.json("tools")}
        tap.equal("once it is ready, nothing is down", up, {"accounts": True, "people": True, "playbooks": True})
        s.stop()
        test_up_fails(s)
    finally:
        s.done()


if __name__ == "__main__":
    tap.run([test_names, test_files, test_given_up, test_before_the_question, test_no_folder, test_interrupted_start,
             test_up])
    tap.done()
