"""Slips at the terminal: each gets one error that says what to do, and the status for it."""

import os

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


if __name__ == "__main__":
    tap.run([test_names, test_files, test_given_up, test_before_the_question])
    tap.done()
