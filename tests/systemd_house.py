"""Inside the systemd that systemd_test.py boots: an operator installs, sets up, starts and uses the
house, and then each user tries what is not theirs. Everything in here is thrown away."""

import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request

import pexpect

import slapd
import tap

SOURCE = pathlib.Path(os.environ["WINGMAN_SOURCE"])
STATE = pathlib.Path("/var/lib/wingman")
ETC = pathlib.Path("/etc/wingman")
SERVERS = ["accounts", "people", "playbooks"]
UNITS = ["wingman-gate", *(f"wingman-server@{s}" for s in SERVERS), "wingman-slack"]
PATIENCE_S = 30

# What each user alone may read (with root).
SECRETS = {
    "wingman-gate": ["/var/lib/wingman/gate/keys/gate.key", "/var/lib/wingman/gate/gate/records.db",
                     "/var/lib/wingman/gate/audit/gate.key", "/var/lib/wingman/gate/audit/gate.jsonl"],
    "wingman-accounts": ["/var/lib/wingman/accounts/accounts/state.key",
                         "/var/lib/wingman/accounts/accounts/records.db",
                         "/var/lib/wingman/accounts/audit/accounts.jsonl"],
    "wingman-people": ["/var/lib/wingman/people/people/links.db",
                       "/var/lib/wingman/people/audit/people.jsonl"],
    "wingman-playbooks": ["/var/lib/wingman/playbooks/playbooks/records.db"],
    "wingman-slack": ["/var/lib/wingman/slack/slack/records.db"],
}
# Nobody's but root's: systemd reads them for the program that they are for.
PASSED = ["accounts/gate.token", "accounts/ldap.password", "accounts/people.token", "people/gate.token",
          "people/ldap.password", "playbooks/gate.token", "caller/gate.token", "gate/signing",
          "slack/signing", "slack/bot.token", "egress/model.key"]


def run(*words, **more):
    return subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **more)


def must(*words):
    done = run(*words)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stdout}")
    return done.stdout


def as_user(user, *words):
    return run("runuser", "-u", user, "--", *words)


def until(what):
    """Look again until it is so; the only clock is for giving up."""
    by = time.monotonic() + PATIENCE_S
    while time.monotonic() < by:
        if what():
            return True
        time.sleep(0.05)
    return False


def wingman(*words, user="alice"):
    return as_user(user, "wingman", "--dir", STATE, *words)


def pids_of(user):
    uid = pwd.getpwnam(user).pw_uid
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid or status_of(pid)["Uid"].split()[0] == str(uid):
                found.append(pid)
        except OSError:
            pass
    return found


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


# --- setting up ------------------------------------------------------------------------

def test_install():
    """As docs/operators.md has it."""
    must("cp", "-a", "/wm/stage/usr", "/")
    must("systemctl", "daemon-reload")
    done = run("wingman-setup")
    tap.equal("wingman-setup ends well", (done.returncode, done.stdout[-300:] if done.returncode else ""), (0, ""))
    before = {p: p.read_bytes() for p in ETC.rglob("*") if p.is_file()}
    key = (STATE / "gate/keys/gate.key").read_bytes()
    tap.equal("and again", run("wingman-setup").returncode, 0)
    tap.ok("which changes nothing", before == {p: p.read_bytes() for p in ETC.rglob("*") if p.is_file()}
           and key == (STATE / "gate/keys/gate.key").read_bytes())
    for name, uid in (("alice", "4001"), ("bob", "4002")):
        must("useradd", "--uid", uid, "--no-create-home", name)
    must("usermod", "-aG", "wingman-surface", "alice")


def edit(name, changes):
    path = ETC / f"{name}.yaml"
    text = path.read_text()
    for old, new in changes.items():
        if old not in text:
            raise RuntimeError(f"{path} has no {old}")
        text = text.replace(old, new)
    path.write_text(text)


def credential(name, text):
    path = ETC / "credentials" / name
    path.write_text(text)
    path.chmod(0o600)


def configure(directory):
    """The samples, for this company."""
    here = {"ldaps://directory.company.com": directory.uri, "dc=company,dc=com": slapd.SUFFIX}
    edit("accounts", {**here, "    people_base:": f"    default_policy: cn=default,ou=policies,{slapd.SUFFIX}\n"
                                                  "    people_base:"})
    edit("people", {**here, "cn=wingman-people,": "cn=wingman,"})
    edit("gate", {"[1000]": "[4001]"})
    shutil.copytree(SOURCE / "deploy/sample/playbooks", "/srv/playbooks")
    slack_uid = pwd.getpwnam("wingman-slack").pw_uid
    with open(ETC / "gate.yaml", "a", encoding="utf-8") as f:
        f.write(f"slack:\n  unix: {slack_uid}\n  app: A0WINGMAN1\n  teams: [T0COMPANY1]\n"
                "  signing_secrets: [credential:own_signing]\n")
    for name in ("slack", "assistant"):
        shutil.copy(f"/usr/local/share/wingman/config/{name}.yaml", ETC)
        shutil.chown(ETC / f"{name}.yaml", "root", "wingman")
        (ETC / f"{name}.yaml").chmod(0o640)
    for name in ("accounts/ldap.password", "people/ldap.password"):
        credential(name, directory.password)
    for name in ("gate/signing", "slack/signing"):
        credential(name, "8f742231b10e8888abcd99yyyzzz85a5")
    credential("slack/bot.token", "xoxb-1-made-up")
    credential("egress/model.key", "sk-made-up")


def test_start():
    for unit in ("wingman.target", *UNITS[1:]):
        done = run("systemctl", "start", unit)
        tap.equal(f"{unit} starts", (done.returncode, done.stdout), (0, ""))

    def is_well():
        said = wingman("status").stdout
        return all(re.search(rf"{s} +up", said) for s in SERVERS)
    good = until(is_well)
    tap.ok("the gate and all servers are well, says a person's console", good, wingman("status").stdout)
    for unit in UNITS:
        state = run("systemctl", "is-active", unit).stdout.strip()
        if not tap.equal(f"{unit} runs", state, "active") or not good:
            tap.note(run("journalctl", "--no-pager", "-n", "4", "-u", unit).stdout)
    if not good:
        tap.note(run("journalctl", "--no-pager", "-n", "20").stdout)


# --- using it --------------------------------------------------------------------------

def call(tool, arguments):
    child = pexpect.spawn("runuser", ["-u", "alice", "--", "wingman", "--dir", str(STATE), "call", tool,
                                      "--args", json.dumps(arguments)],
                          encoding="utf-8", dimensions=(60, 120), timeout=PATIENCE_S)
    child.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    child.sendline(child.match.group(1))
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def test_approval(directory):
    john = slapd.person_dn("john.doe")
    tap.ok("John Doe can sign in", directory.can_bind(john, "pw-john.doe"))
    status, said = call("accounts.block_account", {"person": "john.doe@example.test", "reason": "Phished"})
    tap.ok("a person approves", status == 0 and "verified" in said, said)
    tap.ok("and he cannot any more", not directory.can_bind(john, "pw-john.doe"))
    status, said = call("accounts.unblock_account", {"person": "john.doe@example.test", "reason": "Clean"})
    tap.ok("and takes it back", status == 0 and directory.can_bind(john, "pw-john.doe"), said)
    done = wingman("call", "playbooks.search_playbooks", "--args", '{"query": "phishing"}')
    tap.ok("playbooks are searched", done.returncode == 0 and "hishing" in done.stdout, done.stdout)


def test_strangers():
    for user, why in (("bob", "who is not of the group"), ("wingman-accounts", "a server"),
                      ("wingman-worker", "a conversation")):
        done = wingman("status", user=user)
        tap.ok(f"{why} does not reach the gate", done.returncode != 0, done.stdout)
    connect = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for name, owner in (("caller", "wingman-gate"), ("worker", "wingman-slack"), ("egress", "wingman-slack")):
        path = f"/run/wingman/{name}.sock"
        got = [u for u in (*SECRETS, "wingman-caller", "wingman-worker", "wingman-egress", "alice", "bob")
               if as_user(u, "/usr/bin/python3", "-c", connect, path).returncode == 0]
        tap.equal(f"who reaches {name}.sock", got, [owner])


def test_rotation():
    """By the gate, whose own folder it is; the servers see the new key and take its grants."""
    before = sorted(os.listdir(STATE / "keys/trusted"))
    child = pexpect.spawn("runuser", ["-u", "alice", "--", "wingman", "--dir", str(STATE), "keys", "rotate"],
                          encoding="utf-8", dimensions=(60, 120), timeout=PATIENCE_S)
    child.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    child.sendline(child.match.group(1))
    child.expect(pexpect.EOF)
    child.close()
    tap.ok("the signing key is rotated", child.exitstatus == 0 and
           len(os.listdir(STATE / "keys/trusted")) == len(before) + 1, child.before)
    status, said = call("accounts.list_blocked_accounts", {})
    tap.ok("and servers take what it signs", status == 0, said)


def test_tokens():
    """Root makes a client's token; the server that is asked knows it without a restart."""
    index = STATE / "callers/index.json"
    made = json.loads(run("wingman", "--dir", STATE, "--json", "token", "new", "--for", "alice@company.com",
                          "--scopes", "playbooks:read").stdout)
    tap.equal("hashes of tokens are for the programs", (index.stat().st_mode & 0o777, index.group()),
              (0o640, "wingman"))

    def status(token):
        req = urllib.request.Request("http://127.0.0.1:4703/mcp", method="POST",
                                     data=b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
                                     headers={"Authorization": f"Bearer {token}",
                                              "Content-Type": "application/json",
                                              "Accept": "application/json, text/event-stream"})
        try:
            return urllib.request.urlopen(req, timeout=10).status
        except urllib.error.HTTPError as e:
            return e.code
    tap.ok("a new token is known", until(lambda: status(made["token"]) != 401))
    must("wingman", "--dir", STATE, "token", "revoke", made["id"])
    tap.ok("a revoked one is not", until(lambda: status(made["token"]) == 401))


# --- what each may not -------------------------------------------------------------------

def test_secrets():
    users = [*SECRETS, "wingman-caller", "wingman-worker", "wingman-egress", "alice", "bob"]
    for owner, paths in SECRETS.items():
        for path in paths:
            got = [u for u in users if as_user(u, "cat", path).returncode == 0]
            tap.equal(f"who reads {path}", got, [owner])
    for name in PASSED:
        path = ETC / "credentials" / name
        got = [u for u in users if as_user(u, "cat", path).returncode == 0]
        tap.ok(f"nobody but root reads {name}", path.exists() and not got, got)
    passed = [p for p in pathlib.Path("/run/credentials").glob("wingman*/*")]
    tap.ok("credentials are passed", len(passed) >= 8, passed)
    for unit, user in (("wingman-gate.service", "wingman-gate"), ("wingman-slack.service", "wingman-slack"),
                       *((f"wingman-server@{s}.service", f"wingman-{s}") for s in SERVERS)):
        # what a unit is passed only its user reads
        paths = [p for p in passed if p.parent.name == unit]
        wrong = [(u, p) for p in paths for u in users if u != user and as_user(u, "cat", p).returncode == 0]
        tap.ok(f"what {unit} is passed is read by its user alone", paths and not wrong, wrong)
    # Its configuration and the keys it trusts are not a program's to change.
    for user in users[:-2]:
        wrong = [p for p in (ETC, STATE, STATE / "callers", STATE / user.removeprefix("wingman-"))
                 if as_user(user, "test", "-w", p).returncode == 0]
        tap.equal(f"{user} owns neither configuration nor tokens", wrong, [])


def test_processes():
    """One user a process; no rights, no new ones, a filter of calls."""
    own_net = os.readlink("/proc/self/ns/net")
    for user in (*SECRETS, "wingman-caller"):
        pids = pids_of(user)
        tap.equal(f"{user} has one process", len(pids), 1)
        for pid in pids:
            s = status_of(pid)
            tap.equal(f"of {user}: rights, new ones, filter", (int(s["CapEff"], 16), int(s["CapBnd"], 16),
                                                             s["NoNewPrivs"], s["Seccomp"]), (0, 0, "1", "2"))
            alone = os.readlink(f"/proc/{pid}/ns/net") != own_net
            tap.equal(f"of {user}: a network of its own, which is none", alone, user == "wingman-gate")


def frame(message):
    data = json.dumps(message).encode()
    return struct.pack(">I", len(data)) + data


def test_assistant():
    """The two programs are begun for whoever connects, and end with the connection."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/wingman/worker.sock")
        tap.ok("a conversation has a process", until(lambda: len(pids_of("wingman-worker")) == 1))
        pid = pids_of("wingman-worker")[0]
        until(lambda: status_of(pid)["Seccomp"] == "2" and status_of(pid)["Name"].strip() == "wingman-assista")
        until(lambda: int(status_of(pid).get("Seccomp_filters", "9")) >= 2)
        tap.ok("without a network", os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        tap.equal("with nothing open but its socket", sorted(os.listdir(f"/proc/{pid}/fd")), ["0", "1", "2", "3"])
        begin = {"m": "begin"}
        s.sendall(frame(begin))  # not all of it: it ends
        s.settimeout(PATIENCE_S)
        tap.equal("a malformed message ends it", s.recv(1), b"")
    tap.ok("and it is gone", until(lambda: not pids_of("wingman-worker")))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/wingman/egress.sock")
        s.settimeout(PATIENCE_S)
        head = s.recv(4)
        said = json.loads(s.recv(struct.unpack(">I", head)[0])) if len(head) == 4 else None
        tap.equal("the way to the model has its key and is ready", said and said["m"], "ready")
        tap.equal("under its own user", len(pids_of("wingman-egress")), 1)
    tap.ok("and ends with its connection", until(lambda: not pids_of("wingman-egress")))


def test_fall():
    """The gate falls, with its caller; both come back, and people go on."""
    pid = pids_of("wingman-gate")[0]
    must("kill", "-9", pid)
    tap.ok("a gate that fell is back", until(lambda: pids_of("wingman-gate") not in ([], [pid])
                                             and wingman("status").returncode == 0), wingman("status").stdout)
    tap.ok("with one caller", until(lambda: len(pids_of("wingman-caller")) == 1))
    tap.ok("and its servers", until(lambda: re.search(r"accounts +up", wingman("status").stdout)))
    status, said = call("accounts.list_blocked_accounts", {})
    tap.ok("and executes", status == 0, said)


def test_look():
    done = run("wingman", "--dir", STATE, "audit", "verify")
    tap.ok("root verifies all chains", done.returncode == 0 and
           all(f"{p}: sound" in done.stdout for p in ("gate", *SERVERS)), done.stdout)
    done = run("wingman", "--dir", STATE, "doctor")
    wrong = [line for line in done.stdout.splitlines() if line.startswith("fail ")]
    tap.ok("the doctor finds nothing broken, but that root is nobody of the team",
           len(wrong) == 2 and wrong[0].startswith("fail  you") and wrong[1].startswith("fail  server"), done.stdout)
    done = run("wingman", "--dir", STATE, "config", "check")
    tap.ok("the configuration is good", done.returncode == 0, done.stdout)
    journal = run("journalctl", "--no-pager", "-o", "cat").stdout
    secrets = [(ETC / "credentials" / n).read_text().strip() for n in PASSED]
    tap.ok("no secret is in the journal", not [s for s in secrets if s in journal])


def test_stop():
    must("systemctl", "stop", "wingman.target")
    left = {u: pids_of(u) for u in (*SECRETS, "wingman-caller", "wingman-worker", "wingman-egress")}
    tap.ok("nothing is left", until(lambda: not any(pids_of(u) for u in left)), left)
    bad = run("systemctl", "--failed", "--plain", "--no-legend").stdout
    tap.ok("and nothing failed", "wingman" not in bad, bad)


def main():
    tap.run([test_install])
    with slapd.Slapd() as directory:
        configure(directory)
        tap.run([test_start, lambda: test_approval(directory), test_rotation, test_tokens, test_strangers,
                 test_secrets, test_processes, test_assistant, test_fall, test_look, test_stop])
    tap.done()


if __name__ == "__main__":
    main()
