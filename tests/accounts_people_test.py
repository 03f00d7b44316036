"""'Block John', end to end: accounts and people of 'wingman up', a real directory, somebody who picks."""

import os
import signal
import subprocess

import tap

try:
    import pexpect
    from suite import Suite
except ImportError:
    pexpect = None

JOHN = "john.doe@example.test"
EVERYBODY = ["john.doe", "jane.roe", "alex.kim", "alex.kim2", "zoe.mueller", "peter.stone", "star.lane",
             "maria.garcia", "sam.taylor", "priya.patel", "omar.haddad", "lena.novak", "tomas.berg"]


def binds(s):
    """Who can sign in, by a bind as each of them."""
    out = {}
    for uid in EVERYBODY:
        dn = "cn=Stone\\, Peter" if uid == "peter.stone" else "uid=" + uid
        out[uid] = subprocess.run(
            ["ldapwhoami", "-x", "-H", s.ready["directory"]["url"], "-D",
             f"{dn},ou=people,{s.ready['directory']['base']}", "-w", "pw-" + uid],
            capture_output=True, timeout=30, check=False).returncode
    return out


def yes(p):
    p.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    page = p.before
    p.sendline(p.match.group(1))
    return page


def error_of(record):
    return (record.get("outcome") or {}).get("error") or {}


def test_a_name_is_not_enough(s):
    status, record = s.run("accounts.block_account", person="john", reason="phished, by phone")
    e = error_of(record)
    tap.ok("'block john' blocks nobody", status != 0 and e.get("code") == "ambiguous", record)
    found = e.get("details", {}).get("candidates", [])
    tap.ok("it shows several Johns", len(found) >= 2 and all("John" in c["display_name"] for c in found),
           found)
    tap.ok("with the words that mean each", all(c.get("choice", {}).get("person") for c in found), found)
    status, record = s.run("accounts.block_account", person="John Doe", reason="phished, by phone")
    tap.equal("nor does a whole name", error_of(record).get("code"), "ambiguous")
    status, record = s.run("accounts.block_account", person="jon doe", reason="phished, by phone")
    tap.equal("nor a likeness", error_of(record).get("code"), "ambiguous")
    tap.equal("everybody can sign in", set(binds(s).values()), {0})


def test_somebody_picks(s):
    p = s.terminal("call", "accounts.block_account", '{"person":"john","reason":"phished, by phone call"}')
    p.expect(r"Who is meant \(1 to (\d+), or nothing\)\? ")
    lines = [line.strip() for line in p.before.splitlines()]
    number = [line.split(".")[0] for line in lines if JOHN in line and line[:1].isdigit()]
    tap.equal("one of the candidates is John of this company", len(number), 1)
    p.sendline(number[0])
    page = yes(p)
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("picked and approved, it ran", p.exitstatus, 0)
    tap.ok("the prompt shows all accounts: the one that is blocked", "uid=john.doe,ou=people" in page, page)
    tap.ok("and those that this server does not reach",
           "00usample01" in page and "U0SAMPLE01" in page and "stays as it is" in page.replace("\r\n", " "),
           page)
    after = binds(s)
    tap.equal("John cannot sign in", after.pop("john.doe"), 49)
    tap.equal("nobody else was hit", set(after.values()), {0})


def test_undo(s):
    status, record = s.run("accounts.unblock_account", person=JOHN, reason="password changed")
    tap.ok("the undo that was offered", status == 0, record)
    tap.equal("everybody can sign in again", set(binds(s).values()), {0})


def test_guards(s):
    for person, what in (("breakglass-1@example.test", "a break-glass account"),
                         ("ci.runner@example.test", "a service account")):
        status, record = s.run("accounts.block_account", person=person, reason="trying it")
        tap.equal(f"{what} is refused before anybody is asked", error_of(record).get("code"), "protected")
    status, record = s.run("accounts.revoke_sessions", person=JOHN, reason="laptop lost")
    tap.ok("a directory has no sessions, and that is said", status != 0
           and "no sessions" in error_of(record).get("message", ""), record)


def test_drift(s):
    p = s.terminal("accounts", "drift")
    yes(p)
    p.expect(pexpect.EOF)
    p.close()
    tap.ok("'wingman accounts drift' asks and answers", p.exitstatus == 0 and "blocked accounts" in p.before,
           p.before)


def test_people_down(s):
    """Nobody is resolved by any other way then."""
    pid = s.child_pid("wingman-people")
    os.kill(pid, signal.SIGSTOP)
    try:
        status, record = s.run("accounts.block_account", person=JOHN, reason="people is away")
        tap.ok("without the people server nobody is blocked", status != 0
               and error_of(record).get("code") == "backend_unavailable", record)
    finally:
        os.kill(pid, signal.SIGCONT)
    tap.equal("and nobody was", set(binds(s).values()), {0})


def main():
    if not pexpect:
        tap.skip("accounts and people together", "python3-pexpect is not installed")
        tap.done()
    s = Suite()
    try:
        s.start()
        tap.run([lambda: test_a_name_is_not_enough(s), lambda: test_somebody_picks(s), lambda: test_undo(s),
                 lambda: test_guards(s), lambda: test_drift(s), lambda: test_people_down(s)])
    finally:
        s.done()
    tap.done()


if __name__ == "__main__":
    main()
