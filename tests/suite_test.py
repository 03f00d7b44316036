"""The spine, end to end: real programs, a real directory, people at terminals."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import tap
from suite import Suite, WINGMAN, error_of, short_digest

JOHN = "john.doe@example.test"
s = Suite()


def structured(record):
    return (record.get("result") or {}).get("structuredContent", {})


def test_ready_line():
    ready = s.start()
    tap.ok("the ready line says so", ready["ready"] is True and ready["dir"] == s.dir)
    tap.ok("it names the servers and the gate", ready["servers"]["accounts"]["url"].endswith("/mcp")
           and ready["gate"]["url"].startswith("http://127.0.0.1:"))
    index = json.loads(s.read("callers", "index.json"))
    scopes = {t["principal"]: t["scopes"] for t in index["tokens"]}
    person = [p for p in scopes if not p.startswith("service/")]
    tap.ok("the token of the ready line has not the gate's scope",
           person and "wingman:gate" not in scopes[person[0]], scopes)
    tap.equal("private keys are private", os.stat(s.path("keys", "gate.key")).st_mode & 0o777, 0o600)
    modes = {os.stat(s.path("tokens", n)).st_mode & 0o777 for n in os.listdir(s.path("tokens"))}
    tap.ok("so are tokens", all(mode & 0o077 == 0 for mode in modes), modes)
    with open(f"/proc/{s.child_pid('wingman-accounts')}/maps", encoding="ascii") as f:
        maps = f.read()
    tap.equal("what is loaded late (ICU, JOSE) is not there yet where nothing asked for it",
              re.findall("libicui18n|libjose", maps), [])


def test_second_start():
    second = s.wingman("up", "--no-console")
    tap.ok("a second start on the same folder is refused", second.returncode == 1, second.stderr)
    tap.ok("and says why and what to do", "already" in second.stderr and "wingman down" in second.stderr,
           second.stderr)


def test_block_and_unblock():
    tap.equal("John can sign in", s.bind("john.doe"), 0)
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="Phished")
    tap.ok("a call without a terminal prints the approval and waits", bool(approval), child.first)
    tap.equal("nothing happens before a yes", s.bind("john.doe"), 0)
    page, status = s.decide(approval)
    for must in ("accounts.block_account", "destructive", JOHN, "uid=john.doe", "Phished", "What will change",
                 s.ready["servers"]["accounts"]["url"]):
        tap.ok(f"the prompt shows {must}", must in page, page)
    tap.ok("and the defaults that stand", "revoke_sessions" not in page or "default" in page, page)
    tap.equal("approving reports success", status, 0)
    code, record = s.finish(child)
    tap.equal("the waiting call ends with status 0", code, 0)
    tap.equal("its record says succeeded", record["state"], "succeeded")
    tap.ok("the digest on the page is the record's", record["shown"].startswith(short_digest(page) or "-"))
    tap.ok("no secret is in the record", "grant" not in record and "request_state" not in record)
    tap.equal("John cannot sign in any more", s.bind("john.doe"), 49)
    tap.equal("nobody else is touched", s.bind("jane.roe"), 0)
    code, record = s.run("accounts.get_account", person=JOHN)
    tap.ok("get_account says blocked", '"blocked"' in json.dumps(record), record)
    code, record = s.run("accounts.list_blocked_accounts")
    tap.ok("list_blocked_accounts says who and why", "Phished" in json.dumps(record), record)
    code, record = s.run("accounts.block_account", person=JOHN, reason="Once more")
    tap.ok("blocking a blocked account changes nothing and says so",
           code == 0 and '"changed": false' in json.dumps(record.get("result")), record)
    code, record = s.run("accounts.unblock_account", person=JOHN, reason="Clean again")
    tap.equal("unblocking succeeds", (code, record.get("state")), (0, "succeeded"))
    tap.equal("John can sign in again", s.bind("john.doe"), 0)


def test_block_for_a_time():
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="Until tomorrow", expires_in="1d")
    page, _ = s.decide(approval)
    effect = re.search(r"active, at (20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ) by itself", " ".join(page.split()))
    tap.ok("the prompt shows that, and when, it is unblocked by itself", effect, page)
    code, record = s.finish(child)
    outcome = structured(record).get("outcomes", [{}])[0]
    tap.equal("and that is what runs", (code, outcome.get("expires_at")), (0, effect and effect.group(1)))
    tap.equal("John cannot sign in", s.bind("john.doe"), 49)
    code, record = s.run("accounts.get_account", person=JOHN)
    tap.ok("get_account says until when", effect and effect.group(1) in json.dumps(record), record)
    # Tomorrow comes while the server is away.
    os.kill(s.child_pid("wingman-accounts"), signal.SIGKILL)
    with contextlib.closing(sqlite3.connect(s.path("accounts", "records.db"), timeout=20)) as db, db:
        changed = db.execute("UPDATE document SET body = json_set(body, '$.at_ms', ?) WHERE collection = ?",
                             (int(time.time() * 1000) - 1000, "expiries")).rowcount
    tap.equal("(one block waits for its end)", changed, 1)
    s.wait_for(lambda: s.bind("john.doe") == 0, what="the block to end")
    tap.ok("it ends by itself, over a restart", True)
    events = s.wait_for(lambda: [e for e in s.audit_events("accounts", approval)
                                 if e["event"] == "account.unblocked"], what="the audit line")
    tap.ok("under its approval, read back", len(events) == 1 and events[0]["data"]["verified"] is True, events)
    s.wait_for(is_up, what="accounts to answer")
    news = s.wait_for(lambda: [n for n in told() if "is over" in n], what="the news of it")
    tap.ok("who asked and who decided are told", news[0].startswith("the block of uid=john.doe"), news)


def told():
    lines = s.wingman("--json", "notices", "--keep").stdout.splitlines()
    return [n["news"] for n in map(json.loads, lines) if "news" in n]


def test_refusals():
    for name, person, want in (("unknown", "nobody.here@example.test", "not_found"),
                               ("ambiguous", "Alex Kim", "ambiguous"),
                               ("protected", "breakglass-1", "protected"),
                               ("a wildcard", "*", "not_found")):
        child, approval = s.propose("accounts.block_account", person=person, reason="A test")
        code, record = s.finish(child)
        got = ((record.get("outcome") or {}).get("error") or record.get("error") or {}).get("code")
        tap.ok(f"{name}: no prompt, code {want}", not approval and got == want and code not in (0, 6), record)
    for arguments in ({"reason": "no person"}, {"person": JOHN}, {"person": JOHN, "reason": "x"},
                      {"person": JOHN, "reason": "fine", "also": True}, {"person": 7, "reason": "fine"}):
        child, approval = s.propose("accounts.block_account", **arguments)
        code, _ = s.finish(child)
        tap.ok(f"arguments against the schema are refused: {sorted(arguments)}", not approval and code == 2, code)
    for tool in ("accounts.block_account\t", "accounts.drop_all", "аccounts.block_account", "block_account.",
                 "gate.pin_server"):
        child, approval = s.propose(tool, person=JOHN, reason="A test")
        code, _ = s.finish(child)
        tap.ok(f"an unknown tool is refused: {tool!r}", not approval and code != 0, code)
    tap.equal("John was not touched by any of it", s.bind("john.doe"), 0)


def test_decisions():
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="Wrong digits")
    right = s.json("approvals", "show", approval)["shown"][:4]
    page, status = s.decide(approval, "approve 0000" if right != "0000" else "approve 0001")
    tap.equal("wrong digits leave it pending", status, 6)
    tap.equal("and the account open", s.bind("john.doe"), 0)
    for words in ("yes", "approve", "y"):
        _, status = s.decide(approval, words)
        tap.equal(f"'{words}' is no yes", status, 6)
    denied = s.wingman("approvals", "deny", approval, "--reason", "not him")
    tap.equal("deny is one step and needs no terminal", denied.returncode, 0)
    code, record = s.finish(child)
    tap.equal("the waiting call ends with status 3", (code, record["state"]), (3, "denied"))
    again, second = s.propose("accounts.block_account", person=JOHN, reason="Wrong digits")
    s.finish(again)
    tap.ok("the identical proposal is refused after a denial", second is None, again.first)
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="To be cancelled")
    tap.equal("the requester may cancel", s.wingman("approvals", "cancel", approval).returncode, 0)
    tap.equal("and the call ends with status 4", s.finish(child)[0], 4)
    late = s.wingman("approvals", "approve", approval)
    tap.ok("what has ended cannot be approved", late.returncode == 4, late.stdout + late.stderr)
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="No terminal")
    alone = subprocess.run([WINGMAN, "--dir", s.dir, "approvals", "approve", approval],
                           input="approve 0000\n", capture_output=True, text=True, timeout=60,
                           check=False, start_new_session=True)
    tap.ok("approving wants a terminal", alone.returncode != 0 and "terminal" in alone.stderr, alone.stderr)
    tap.equal("(denied)", s.wingman("approvals", "deny", approval).returncode, 0)
    s.finish(child)
    tap.equal("John was not touched by any of it", s.bind("john.doe"), 0)


def test_direct_client():
    arguments = {"person": JOHN, "reason": "Asked by an IDE"}
    status, result = s.call("block_account", arguments)
    tap.equal("a direct client's call waits for a person", (status, error_of(result)), (200, "approval_required"))
    approval = (result.get("_meta") or {}).get("org.wingman/approval")
    tap.ok("it is told which approval", bool(approval), result)
    tap.ok("and gets no plan", "org.wingman/plan" not in (result.get("_meta") or {}) and "uid=" not in
           json.dumps(result), result)
    tap.equal("nothing has happened", s.bind("john.doe"), 0)
    pending = s.wait_for(lambda: (s.json("approvals", "show", approval) or {}).get("state") == "pending",
                         what="the direct client's prompt")
    tap.ok("its prompt is pending", pending)
    status, result = s.call("block_account", arguments)
    tap.equal("a repeat before the yes still waits", error_of(result), "approval_required")
    page, _ = s.decide(approval)
    tap.ok("the prompt says which client asks", "client" in page and JOHN in page, page)
    tap.equal("a yes alone runs nothing for a direct client", s.bind("john.doe"), 0)
    status, result = s.call("block_account", {**arguments, "reason": "Asked by an IDE."})
    tap.equal("other arguments do not get that yes", error_of(result), "approval_required")
    tap.equal("still nothing", s.bind("john.doe"), 0)
    status, result = s.call("block_account", arguments)
    tap.ok("the repeat runs it", error_of(result) is None and s.bind("john.doe") == 49, result)
    status, result = s.call("block_account", arguments)
    started = [e for e in s.audit_events("accounts", approval) if e["event"] == "call.started"]
    tap.equal("another repeat does not run it again", len(started), 1)
    code, _ = s.run("accounts.unblock_account", person=JOHN, reason="End of the test")
    tap.equal("and it can be undone", (code, s.bind("john.doe")), (0, 0))


def test_tokens():
    for name, token, want in (("no token", None, 401), ("an unknown token", "wm_" + "A" * 43, 401),
                              ("a server's token", s.token("accounts"), 403)):
        status, _ = s.mcp("tools/call", {"name": "get_account", "arguments": {"person": JOHN}}, token,
                          "get_account")
        tap.equal(f"{name}: HTTP {want}", status, want)
    made = json.loads(s.wingman("--json", "token", "new", "--for", s.json("status") and person(),
                                "--scopes", "accounts:read").stdout)
    status, result = s.call("get_account", {"person": JOHN}, token=made["token"])
    tap.equal("a new token works at once", (status, error_of(result)), (200, "approval_required"))
    status, _ = s.call("block_account", {"person": JOHN, "reason": "No right"}, token=made["token"])
    tap.equal("without the write scope: 403", status, 403)
    s.wingman("token", "revoke", made["id"])
    time.sleep(1.1)
    tap.equal("a revoked token does not", s.call("get_account", {"person": JOHN}, token=made["token"])[0], 401)
    refused = s.wingman("token", "new", "--for", "x@example.test", "--scopes", "wingman:gate")
    tap.equal("nobody makes a token with the gate's scope", refused.returncode, 2)


def person():
    index = json.loads(s.read("callers", "index.json"))
    return next(t["principal"] for t in index["tokens"] if not t["principal"].startswith("service/"))


def plan_of(arguments, tool="block_account"):
    ticket = s.sign(tool, arguments, extra=["--ticket", "--requester", person()])
    status, result = s.call(tool, arguments, token=s.token("gate"), meta={"org.wingman/requester": ticket})
    return result


def test_forged_grants():
    """A test that plays the gate, first rightly and then in every wrong way."""
    arguments = {"person": JOHN, "reason": "Forged grants"}
    result = plan_of(arguments)
    tap.equal("a ticket and the gate's token get a plan", result.get("resultType"), "input_required")
    plan, state = result["_meta"]["org.wingman/plan"], result["requestState"]
    gate, me = s.token("gate"), ["--requester", person()]
    now = int(time.time())
    stranger = s.path("run", "stranger.key")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", stranger], check=True,
                   capture_output=True)
    os.chmod(stranger, 0o600)
    good = s.sign("block_account", arguments, plan, extra=me)
    head, tail = good.split(".")
    other_plan = dict(plan, summary=plan["summary"] + "!")
    cases = {
        "altered": (head[:-2] + ("AA" if head[-2:] != "AA" else "BB") + "." + tail, arguments, state, gate),
        "without its signature": (head + ".", arguments, state, gate),
        "for other arguments": (good, dict(arguments, person="jane.roe@example.test"), state, gate),
        "for other arguments, state dropped": (good, dict(arguments, person="jane.roe@example.test"), None, gate),
        "without the state": (good, arguments, None, gate),
        "with an altered state": (good, arguments, state[:-4] + "AAAA", gate),
        "for another tool": (s.sign("unblock_account", arguments, plan, extra=me), arguments, state, gate),
        "for another server": (s.sign("block_account", arguments, plan, extra=[*me, "--aud", "people"]),
                               arguments, state, gate),
        "for another pin": (s.sign("block_account", arguments, plan, extra=[*me, "--pin", "0" * 64]),
                            arguments, state, gate),
        "for another plan": (s.sign("block_account", arguments, other_plan, extra=me), arguments, state, gate),
        "without a plan": (s.sign("block_account", arguments, extra=me), arguments, state, gate),
        "for another requester": (s.sign("block_account", arguments, plan,
                                         extra=["--requester", "eve@example.test"]), arguments, state, gate),
        "expired": (s.sign("block_account", arguments, plan, extra=[*me, "--iat", str(now - 100)]),
                    arguments, state, gate),
        "from the future": (s.sign("block_account", arguments, plan, extra=[*me, "--iat", str(now + 100)]),
                            arguments, state, gate),
        "good for too long": (s.sign("block_account", arguments, plan, extra=[*me, "--ttl", "121"]),
                              arguments, state, gate),
        "with an unknown member": (s.sign("block_account", arguments, plan, extra=[*me, "--extra", "x=1"]),
                                   arguments, state, gate),
        "signed by an unknown key": (s.sign("block_account", arguments, plan, stranger, extra=me),
                                     arguments, state, gate),
        "presented by a direct client": (good, arguments, state, s.token("client")),
        "that is a ticket": (s.sign("block_account", arguments, extra=["--ticket", *me]), arguments, state, gate),
        "that is no grant": ("x" * 100, arguments, state, gate),
        "of 20 KB": ("A" * 20000 + "." + tail, arguments, state, gate),
    }
    for name, (grant, args, request_state, token) in cases.items():
        more = {"requestState": request_state} if request_state else {}
        status, result = s.call("block_account", args, token=token, meta={"org.wingman/grant": grant}, **more)
        refused = error_of(result) in ("approval_invalid", "precondition_failed", "invalid_argument") \
            or status in (400, 401, 403) or "code" in (result or {})
        tap.ok(f"a grant {name} is refused", refused and s.bind("john.doe") == 0 and s.bind("jane.roe") == 0,
               (status, result))
    result = plan_of(arguments)
    grant = s.sign("block_account", arguments, result["_meta"]["org.wingman/plan"], extra=me)
    state = result["requestState"]
    status, first = s.call("block_account", arguments, token=gate, meta={"org.wingman/grant": grant},
                           requestState=state)
    tap.ok("the right grant runs once", error_of(first) is None and s.bind("john.doe") == 49, first)
    result = plan_of(arguments, "unblock_account")
    undo = s.sign("unblock_account", arguments, result["_meta"]["org.wingman/plan"], extra=me)
    s.call("unblock_account", arguments, token=gate, meta={"org.wingman/grant": undo},
           requestState=result["requestState"])
    tap.equal("(undone)", s.bind("john.doe"), 0)
    status, again = s.call("block_account", arguments, token=gate, meta={"org.wingman/grant": grant},
                           requestState=state)
    tap.ok("a replay is refused and runs nothing", error_of(again) == "approval_invalid"
           and s.bind("john.doe") == 0, again)


def test_epoch():
    """A grant signed before the server's store began anew is worth nothing."""
    arguments = {"person": JOHN, "reason": "An old epoch"}
    result = plan_of(arguments)
    me = ["--requester", person()]
    grant = s.sign("block_account", arguments, result["_meta"]["org.wingman/plan"], extra=me)
    time.sleep(1.1)
    s.kill("wingman-accounts")
    s.wait_for(lambda: is_up(), what="accounts to answer")
    status, refused = s.call("block_account", arguments, token=s.token("gate"),
                             meta={"org.wingman/grant": grant}, requestState=result["requestState"])
    tap.ok("a grant from before the store's epoch is refused",
           error_of(refused) == "approval_invalid" and s.bind("john.doe") == 0, refused)


def is_up():
    try:
        return s.mcp("server/discover", token=s.token("client"))[0] == 200
    except OSError:
        return False


def test_deaths():
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="Killed in between")
    s.kill("wingman-gate")
    s.wait_for(lambda: s.wingman("status").returncode == 0, what="the gate to answer")
    state = (s.json("approvals", "show", approval) or {}).get("state")
    tap.equal("what was pending is pending after the gate was killed", state, "pending")
    s.kill("wingman-accounts")
    s.wait_for(is_up, what="accounts to answer")
    page, status = s.decide(approval)
    tap.ok("and can be approved", s.bind("john.doe") == 49, page)
    s.finish(child)
    tap.equal("once: its grant is burned", len([e for e in s.audit_events("accounts", approval)
                                                 if e["event"] == "call.started"]), 1)
    s.run("accounts.unblock_account", person=JOHN, reason="End of the test")
    tap.equal("(undone)", s.bind("john.doe"), 0)


def test_directory_faults():
    slapd = s.child_pid("slapd")
    os.kill(slapd, signal.SIGSTOP)
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="A slow directory")
    tap.ok("while the directory stalls the server still answers", is_up())
    code, record = s.finish(child)
    error = (record.get("outcome") or {}).get("error") or record.get("error") or {}
    os.kill(slapd, signal.SIGCONT)
    tap.ok("a stalled directory is named, and nothing is half done",
           not approval and error.get("code") in ("timeout", "backend_unavailable")
           and "ldap" in error.get("message", "").lower(), record)
    s.wait_for(lambda: s.bind("john.doe") == 0, what="the directory to answer")
    tap.equal("John was not touched", s.bind("john.doe"), 0)


def test_audit():
    verified = s.wingman("audit", "verify")
    tap.ok("the logs verify", verified.returncode == 0 and "sound" in verified.stdout, verified.stdout)
    story = s.wingman("audit", "tail", "--lines", "500").stdout
    secrets = [s.token(n) for n in ("gate", "accounts", "client")] + ["pw-john.doe"]
    everything = story + s.logs()
    tap.ok("no token and no grant is in a log", not any(x in everything for x in secrets)
           and "b3JnLndpbmdtYW4vZ3JhbnQ" not in everything)
    copy = Suite()
    shutil.copytree(s.path("audit"), copy.path("audit"))
    path = copy.path("audit", "accounts.jsonl")
    with open(path, encoding="utf-8") as f:
        lines = f.readlines()
    for name, changed in (("edited", lines[:3] + [lines[3].replace("accounts", "accountz", 1)] + lines[4:]),
                          ("dropped", lines[:3] + lines[4:]),
                          ("inserted", lines[:3] + [lines[2]] + lines[3:]),
                          ("reordered", lines[:3] + [lines[4], lines[3]] + lines[5:]),
                          ("cut off", lines[:-3])):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(changed)
        found = copy.wingman("audit", "verify")
        tap.ok(f"a line {name} is found", found.returncode == 1 or "not proven" in found.stdout.split(
            "accounts:")[1].split("\n")[0], found.stdout)
    copy.done()


def test_commands():
    for command in ("up", "down", "call", "approvals", "audit", "config", "policy", "token", "connect", "pin",
                    "keys", "status", "doctor", "tools", "docs", "console"):
        shown = s.wingman(command, "--help")
        tap.ok(f"{command} --help", shown.returncode == 0 and "usage: wingman " + command in shown.stdout,
               shown.stdout + shown.stderr)
    tap.ok("--version", s.wingman("--version").stdout.startswith("wingman "))
    tap.equal("an unknown command is refused", s.wingman("frobnicate").returncode, 2)
    tap.equal("config check finds no fault", s.wingman("config", "check").returncode, 0)
    explained = s.json("policy", "explain", "accounts.block_account", "--as", person())
    tap.ok("policy explain says who and how many", explained["may_call"] and explained["approvers_needed"] == 1,
           explained)
    s.wait_for(lambda: "DOWN" not in s.wingman("status").stdout, timeout_s=5,
               what="the gate to see the server that was killed come back")
    doctor = s.wingman("doctor")
    tap.ok("the doctor is content", doctor.returncode == 0, doctor.stdout + doctor.stderr)
    tap.ok("connect prints configuration", "--stdio" in s.wingman("connect", "accounts").stdout)


def test_rotation():
    before = s.json("status")["kid"]
    child = s.terminal("keys", "rotate")
    child.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    child.sendline(child.match.group(1))
    child.expect("done")
    child.close()
    after = s.json("status")["kid"]
    tap.ok("keys rotate gives a new key after a yes", before != after, (before, after))
    code, record = s.run("accounts.get_account", person=JOHN)
    tap.equal("and servers accept it without a restart", code, 0)


def test_stop_and_return():
    child, approval = s.propose("accounts.block_account", person=JOHN, reason="Over a restart")
    began = time.monotonic()
    down = s.wingman("down")
    tap.ok("down stops everything within seconds", down.returncode == 0 and time.monotonic() - began < 10, down)
    s.finish(child)
    s.process.wait(timeout=10)
    s.start()
    state = (s.json("approvals", "show", approval) or {}).get("state")
    tap.equal("what was pending is pending after a restart", state, "pending")
    s.decide(approval)
    tap.equal("and works", s.bind("john.doe"), 49)
    s.process.terminate()
    tap.equal("SIGTERM is a clean end", s.process.wait(timeout=10), 0)
    left = [p for p in os.listdir("/proc") if p.isdigit() and s.dir in _cmdline(p)]
    tap.equal("nothing is left running", left, [])


def _cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


try:
    tap.run([test_ready_line, test_second_start, test_block_and_unblock, test_block_for_a_time,
             test_refusals, test_decisions, test_direct_client, test_tokens, test_forged_grants,
             test_epoch, test_deaths, test_directory_faults, test_audit, test_commands, test_rotation, test_stop_and_return])
finally:
    s.done()
tap.done()
