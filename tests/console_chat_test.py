"""wingman chat with a scripted worker: saying, proposing, deciding, telling; end to end."""

import json
import os
import re
import signal
import sqlite3
import termios

import tap

try:
    import pexpect
    from chat_rig import YES, ChatRig, plain
    from suite import Suite
except ImportError:
    pexpect = None

PERSON = "jane.roe@example.test"
BLOCK = ["accounts.block_account", {"person": PERSON, "reason": "lost laptop", "systems": ["ldap"]}]


def words_of(turn):
    """What was said last."""
    return [e for e in turn["conversation"] if e["kind"] == "said"][-1]["text"]


def test_says(rig):
    rig.script([[["look"], ["say", "Hello, \x1b[31mred\x1b[0m <@U1>\nsecond line"], ["done"]]])
    r = rig.say("hello there")
    tap.ok("one exchange from the shell", r.returncode == 0 and "assistant>" in r.stdout, r.stderr)
    tap.ok("what it says cannot draw", "\x1b" not in r.stdout and "\\u001B" in r.stdout, r.stdout)
    look = rig.seen("fds")
    tap.ok("the worker has one descriptor more than three, and no environment",
           look[0][:4] == ["0", "1", "2", "3"] and len(look[0]) <= 5
           and not set(rig.seen("env")[0]) - {"LC_CTYPE"}, (look, rig.seen("env")))
    turn = rig.turns()[0]
    tap.equal("the turn has what was said", words_of(turn), "hello there")
    tap.ok("and the tools", "accounts.block_account" in [t["name"] for t in turn["tools"]], turn)


def test_proposes(rig, suite):
    rig.script([
        [["say", "I propose to block Jane."], ["propose", [BLOCK]], ["await", "result"], ["done"]],
        [["say", "Jane is blocked."], ["done"]]])
    p = rig.chat()
    p.expect("you> ")
    p.sendline("block jane.roe in ldap, lost laptop")
    p.expect(YES)
    page, digits = plain(p.before), p.match.group(1)
    tap.equal("nothing before a yes", suite.bind("jane.roe"), 0)
    tap.ok("its words stand before the prompt, not in it",
           page.index("I propose to block Jane.") < page.index("Arguments"), page)
    tap.ok("who hears of it is said", "and the model scripted-1" in page, page)
    tap.ok("what the person did not say is marked",
           "part of a longer word" in page or "nowhere in what was said" in page, page)
    tap.ok("the destructive target is warned of", "was not named by who asks" in page, page)
    p.sendline(digits)
    p.expect("Jane is blocked.")
    p.expect("you> ")
    tap.equal("after a yes it ran", suite.bind("jane.roe"), 49)
    tap.equal("the worker was told that a person decides", rig.results()[0], [{"status": "pending"}])
    told = rig.turns()[1]["conversation"]
    proposed = [e for e in told if e["kind"] == "proposed"]
    ended = [e for e in told if e["kind"] == "ended"]
    tap.equal("what it was told stays", proposed[0]["results"], [{"status": "pending"}])
    tap.equal("and then how it ended", (ended[0]["results"][0]["status"], told[ended[0]["of"]]),
              ("succeeded", proposed[0]))
    tap.ok("with the outcome", "blocked" in ended[0]["results"][0]["outcome"], ended)
    rig.script([[["propose", [["accounts.unblock_account", {"person": PERSON, "reason": "found it"}]]],
                 ["await", "result"], ["done"]], [["say", "As you like."], ["done"]]])
    p.sendline(f"unblock {PERSON}, found it")
    p.expect(YES)
    tap.ok("what the person said is not", "nowhere in what" not in plain(p.before), p.before)
    p.sendline("deny")
    p.expect("As you like.")
    p.expect("you> ")
    tap.equal("a no is told", [e for e in rig.turns()[1]["conversation"]
                               if e["kind"] == "ended"][-1]["results"], [{"status": "denied"}])
    p.sendline("/clear")
    p.expect("forgotten")
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("it leaves", p.exitstatus, 0)


def test_refusals(rig):
    rig.script([[["propose", [["accounts.block_account", {"person": 3}]]], ["await", "result"],
                 ["propose", [["accounts.drop_all", {}]]], ["await", "result"],
                 ["propose", [["accounts.block_account", {"person": "nobody@example.test",
                                                          "reason": "as asked"}]]],
                 ["await", "result"], ["say", "no"], ["done"]]])
    r = rig.say("do odd things")
    results = rig.results()
    tap.ok("schema errors go back whole", results[0][0]["status"] == "invalid"
           and results[0][0]["errors"][0], results)
    tap.equal("a tool that is not there", results[1], [{"status": "refused", "code": "not_found"}])
    tap.equal("what a plan found is a bare code to it", results[2],
              [{"status": "refused", "code": "not_found"}])
    tap.ok("and words to the person", "nobody@example.test" in r.stdout + r.stderr, r)


def test_reads(rig, suite):
    """What it asks to read, as who asks, and what that says of where a value comes from."""
    rig.script([[["read", "person://search?q=jane.roe"], ["await", "content"],
                 ["read", "file:///etc/passwd"], ["await", "content"],
                 ["read", "playbook://../../etc/passwd"], ["await", "content"],
                 ["propose", [BLOCK]], ["await", "result"], ["say", "see above"], ["done"]]])
    r = rig.say("block @jane.roe in ldap, lost laptop")
    contents = [m for m in rig.seen() if m["m"] == "content"]
    tap.ok("a person is read", PERSON in contents[0].get("text", ""), contents)
    tap.equal("what is not named is not read", [c.get("code") for c in contents[1:2]],
              ["permission_denied"])
    tap.ok("nor what leads out of its place", "text" not in contents[2], contents[2])
    tap.ok("the person sees what was read", "[read: person://search?q=jane.roe]" in r.stdout
           and "[not read: file:///etc/passwd]" in r.stdout, r.stdout)
    who = json.loads([e for e in rig.turns()[0]["conversation"] if e["kind"] == "people"][-1]["text"])
    tap.ok("who was mentioned was looked up before", who["mentioned"][0]["said"] == "@jane.roe"
           and who["mentioned"][0]["found"]["match"] == "unique", who)
    pending = suite.json("approvals", "list")[0]["id"]
    record = suite.json("approvals", "show", pending)
    record = record.get("record", record)
    arguments = {a["name"]: a.get("from") for a in record["prompt"]["arguments"]}
    tap.ok("a name that was looked up is the requester's, and that is shown",
           arguments["person"] and arguments["person"][0].startswith(
               'people, looked up for "@jane.roe"'), arguments)
    tap.ok("and no reason to warn", not [w for w in record["prompt"]["warnings"]
                                         if "'person' was not named" in w], record["prompt"])
    audit = suite.read("audit", "gate.jsonl")
    tap.ok("it is in the audit log", '"context.read"' in audit and "context.refused" in audit)
    suite.wingman("approvals", "cancel", pending)


def test_interrupted(rig, suite):
    """Ctrl-C while a server is asked what would happen: taken back, and the chat goes on."""
    rig.script([[["propose", [BLOCK]], ["await", "result"], ["say", "never said"], ["done"]],
                [["say", "here again"], ["done"]]])
    p = rig.chat()
    p.expect("you> ")
    accounts = suite.child_pid("wingman-accounts")
    os.kill(accounts, signal.SIGSTOP)
    try:
        p.sendline("block jane.roe in ldap, lost laptop")
        suite.wait_for(lambda: [a for a in suite.json("approvals", "list", "--all") or []
                                if a["state"] == "proposed"], what="a proposal")
        p.sendintr()
        p.expect("interrupted: approval ([0-9a-z]+) is cancelled, nothing ran", timeout=10)
        approval = p.match.group(1)
        p.expect("you> ", timeout=15)
    finally:
        os.kill(accounts, signal.SIGCONT)
    shown = suite.json("approvals", "show", approval)
    tap.equal("what was half proposed is cancelled", shown.get("record", shown)["state"], "cancelled")
    p.sendline("are you there?")
    p.expect("here again")
    tap.ok("and the conversation goes on, without what was broken off", True)
    tap.ok("the model is told that it was cancelled", "cancelled" in
           str([e for e in rig.turns()[-1]["conversation"] if e["kind"] == "proposed"]), rig.turns()[-1])
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()


INTERRUPTED = "interrupted: no answer comes; what you said is kept"
QUICK_S = 8  # a read that nobody breaks off takes 20


def waits_for_the_gate(p):
    """The editor has given the terminal back, and the program sleeps in poll: the loop's is epoll."""
    if not termios.tcgetattr(p.child_fd)[3] & termios.ISIG:
        return False
    try:
        with open(f"/proc/{p.pid}/syscall", encoding="ascii") as f:
            return f.read().split()[0] in ("7", "271", "73")
    except OSError:  # not for us: then it is only likely
        return True


def test_interrupted_read(rig, suite):
    """Ctrl-C while a server is read, by the model or to look up who is meant."""
    rig.script([[["say", "hello"], ["done"]],
                [["read", "person://search?q=jane.roe"], ["await", "content"], ["say", "never said"],
                 ["propose", [BLOCK]], ["await", "result"], ["done"]],
                [["say", "here again"], ["done"]]])
    p = rig.chat()
    p.expect("you> ")
    p.sendline("good day")
    p.expect("hello")
    p.expect("you> ")
    people = suite.child_pid("wingman-people")
    before = suite.json("approvals", "list", "--all")
    os.kill(people, signal.SIGSTOP)
    try:
        p.sendline("read it, aubergine one")
        suite.wait_for(lambda: [m for m in rig.turns() if "aubergine one" in str(m)] and
                       waits_for_the_gate(p), what="a read")
        p.sendintr()
        p.expect(INTERRUPTED, timeout=QUICK_S)
        tap.ok("a read is broken off at once, and said in words",
               "[not read: person://search?q=jane.roe]" in plain(p.before), p.before)
        p.expect("you> ", timeout=QUICK_S)
        p.sendline("look up @jane.roe, aubergine two")
        suite.wait_for(lambda: waits_for_the_gate(p), what="a lookup")
        p.sendintr()
        p.expect(INTERRUPTED, timeout=QUICK_S)
        p.expect("you> ", timeout=QUICK_S)
        tap.ok("and so is looking up who is meant", "never said" not in p.before, p.before)
    finally:
        os.kill(people, signal.SIGCONT)
    tap.equal("no worker heard of that", len(rig.turns()), 2)
    tap.equal("nothing was proposed", suite.json("approvals", "list", "--all"), before)
    p.sendline("are you there?")
    p.expect("here again")
    p.expect("you> ")
    told = str(rig.turns()[-1]["conversation"])
    tap.ok("nothing that was said is lost", "aubergine one" in told and "aubergine two" in told, told)
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()


def test_interrupted_turn(rig):
    """Ctrl-C while a model is awaited: by a worker that stops, and by one that does not."""
    rig.script([[["say", "I begin."], ["await", "stop"], ["say", "never said"],
                 ["send", {"m": "failed", "code": "stopped", "usage": {
                     "input": 1, "output": 1, "cache_read": 0, "cache_write": 0, "requests": 1}}]],
                [["say", "I begin again."], ["hang"]], [["say", "here again"], ["done"]]])
    p = rig.chat()
    p.expect("you> ")
    for words in ("I begin.", "I begin again."):
        p.sendline("go on")
        p.expect(re.escape(words))
        p.sendintr()
        p.expect(INTERRUPTED, timeout=QUICK_S)
        p.expect("you> ", timeout=QUICK_S)
        tap.ok(f"'{words}' and no more", "never said" not in p.before, p.before)
    p.sendline("are you there?")
    p.expect("here again")
    told = str(rig.turns()[-1]["conversation"])
    tap.ok("what was said until then is kept", "I begin." in told and "I begin again." in told
           and "never said" not in told, told)
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("and it leaves in peace", p.exitstatus, 0)


HOSTILE = {
    "no frame": [["bytes", "\xff\xff\xff\xff no frame"], ["hang"]],
    "a message of ours": [["send", {"m": "turn"}], ["hang"]],
    "a member more": [["send", {"m": "say", "text": "x", "final": True, "approve": True}], ["hang"]],
    "speaking before it is ready": [["early"], ["say", "psst"], ["hang"]],
    "an approval": [["send", {"m": "approve", "approval": "x"}], ["hang"]],
    "a proposal with another number": [["send", {"m": "propose", "proposal": 2, "together": False,
                                                 "calls": [{"tool": "a.b", "arguments": {}}]}], ["hang"]],
    "nine calls in one": [["propose", [["a.b", {}]] * 9], ["hang"]],
    "five proposals where four may be": [["propose", [["a.b", {}]]]] * 5 + [["hang"]],
    "five reads where four may be": [["read", "playbook://x"]] * 5 + [["hang"]],
    "more text than it may say": [["flood", {"m": "say", "text": "x" * 1000, "final": False}, 1000],
                                  ["hang"]],
    "33 answers where 32 may be": [["flood", {"m": "say", "text": "x", "final": True}, 33], ["hang"]],
    "pieces without an end": [["flood", {"m": "say", "text": "", "final": False}, 10**6], ["hang"]],
    "a request to another one's number": [["send", {"m": "request", "request": 7, "path": "/",
                                                    "body": "{}"}], ["hang"]],
    "leaving without a word": [],
}


def test_hostile(rig):
    for name, steps in HOSTILE.items():
        rig.script([steps if steps or name != "leaving without a word" else [["send", 1]]])
        r = rig.say("hello")
        tap.ok(f"{name}: the turn ends and nothing is asked of anybody",
               r.returncode == 1 and "Type '" not in r.stdout and "psst" not in r.stdout, r)
    rig.script([[["say", "well again"], ["done"]]])
    tap.ok("and the next worker is another one", "well again" in rig.say("and now?").stdout)


def test_limits(rig, suite):
    """As much as CONFIG allows; HOSTILE has one more of each."""
    rig.script([[["propose", [["a.b", {}]]], ["await", "result"]] * 4 + [["say", "four"], ["done"]]])
    tap.ok("four proposals where four may be", "four" in rig.say("hello").stdout)
    tap.equal("each has its answer", len(rig.results()), 4)
    rig.script([[["read", "playbook://x"], ["await", "content"]] * 4 + [["say", "read"], ["done"]]])
    tap.ok("four reads where four may be", "read" in rig.say("hello").stdout)
    rig.script([[["say", "x" * 4000], ["done"]]])
    r = rig.say("hello")
    tap.ok("4000 bytes where 4000 may be", r.returncode == 0 and "x" * 4000 in r.stdout.replace("\n", ""), r)
    rig.script([[["say", "x" * 4001], ["done"]]])
    r = rig.say("hello")
    tap.ok("and not one more, said in words", r.returncode == 1 and "longer than one turn may be" in r.stderr, r)
    rig.script([[["flood", {"m": "say", "text": "x", "final": True}, 32], ["done"]]])
    tap.equal("32 answers where 32 may be", rig.say("hello").returncode, 0)


def test_budget(rig, suite):
    """Counted on this machine for all terminals; what cannot be looked up refuses."""
    ask = [["send", {"m": "request", "request": 1, "path": "/v1/messages", "body": "{}"}], ["await", "ended"],
           ["say", "so be it"], ["done"]]
    rig.script([ask])
    rig.say("hello")
    codes = [m.get("code") for m in rig.seen() if m["m"] == "ended"]
    tap.equal("what the budget allows goes on, here to an egress that falls", codes, ["model_down"])
    with sqlite3.connect(suite.path("chat", "chat.db")) as db:
        rows = db.execute("SELECT id, body FROM document WHERE collection = 'assistant_budget'").fetchall()
        tap.ok("it is written down, of the day and the person", len(rows) == 2 and all(
            '"tokens"' in body for _, body in rows), rows)
        db.execute("UPDATE document SET body = '{\"tokens\":-1}' WHERE collection = 'assistant_budget'")
    rig.script([ask])
    rig.say("hello")
    tap.equal("what cannot be read allows nothing", [m.get("code") for m in rig.seen() if m["m"] == "ended"],
              ["budget_unknown"])
    with sqlite3.connect(suite.path("chat", "chat.db")) as db:
        db.execute("DELETE FROM document WHERE collection = 'assistant_budget'")
    rig.script([[["send", {"m": "failed", "code": "budget_unknown", "usage": {
        "input": 0, "output": 0, "cache_read": 0, "cache_write": 0, "requests": 1}}], ["hang"]]])
    r = rig.say("hello")
    tap.ok("and people are told so", "cannot be looked up" in r.stderr and r.returncode == 1, r)


def test_in_the_console(rig):
    rig.script([[["say", "heard"], ["done"]]])
    r = rig.console("/chat -- hello there\n/chat\n")
    tap.ok("/chat says one thing", "assistant> heard" in r.stdout, r)
    tap.equal("which is told", words_of(rig.turns()[0]), "-- hello there")
    tap.ok("and wants words", "say what to tell the assistant" in r.stderr, r.stderr)


def test_history(rig):
    rig.say("--clear")
    rig.script([[["say", "noted"], ["done"]], [["say", "yes"], ["done"]]])
    rig.say("remember the word aubergine")
    rig.say("which word?")
    told = str(rig.turns()[1]["conversation"])
    tap.ok("a later chat knows what was said", "aubergine" in told and "noted" in told, told)
    tap.equal("it can be cleared", rig.say("--clear").returncode, 0)
    rig.script([[["say", "hm"], ["done"]]])
    rig.say("which word?")
    tap.equal("then nothing is left", [e["kind"] for e in rig.turns()[0]["conversation"]], ["now", "said", "people"])
    rig.script([[["say", "hm"], ["done"]]])
    rig.say("the token is ghp_0123456789abcdefghijABCDEFGHIJ012345")
    tap.ok("what looks like a secret is masked for the model", "ghp_" not in str(rig.turns()))


def main():
    if not pexpect:
        tap.skip("wingman chat", "pexpect is not there")
        tap.done()
        return
    suite = Suite()
    try:
        suite.start()
        rig = ChatRig(suite)
        tap.run([lambda: test_says(rig), lambda: test_proposes(rig, suite), lambda: test_refusals(rig),
                 lambda: test_reads(rig, suite), lambda: test_interrupted(rig, suite),
                 lambda: test_interrupted_read(rig, suite), lambda: test_interrupted_turn(rig),
                 lambda: test_hostile(rig), lambda: test_limits(rig, suite), lambda: test_budget(rig, suite),
                 lambda: test_in_the_console(rig), lambda: test_history(rig)])
    finally:
        suite.done()
    tap.done()


if __name__ == "__main__":
    main()
