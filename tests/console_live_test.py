"""The console with everything real behind it: the bridge, the console of 'wingman up', doctor."""

import json
import os
import subprocess

import tap

try:
    import pexpect
    from suite import WINGMAN, Suite
except ImportError:
    pexpect = None

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}}
PERSON = "jane.roe@example.test"


class Client:
    """An MCP client that starts what its configuration says."""

    def __init__(self, row):
        self.process = subprocess.Popen([row["command"], *row["args"]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.number = 0

    def ask(self, method, **params):
        self.number += 1
        message = {"jsonrpc": "2.0", "id": self.number, "method": method,
                   "params": {**params, "_meta": META}}
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.number, answer
        return answer

    def end(self):
        self.process.communicate(timeout=20)
        return self.process.returncode


def code_of(answer):
    return answer["result"].get("structuredContent", {}).get("error", {}).get("code")


def test_bridge(s):
    config = json.loads(s.wingman("connect", "accounts").stdout)
    c = Client(config["mcpServers"]["wingman-accounts"])
    tap.equal("the printed configuration starts a server", c.ask("server/discover")["result"][
        "supportedVersions"], ["2026-07-28"])
    tools = [t["name"] for t in c.ask("tools/list")["result"]["tools"]]
    tap.ok("with the tools", "block_account" in tools, tools)
    call = {"name": "get_account", "arguments": {"person": PERSON}}
    answer = c.ask("tools/call", **call)
    tap.equal("a call waits for a person", code_of(answer), "approval_required")
    pending = s.json("approvals", "list")
    page, status = s.decide(pending[0]["id"])
    tap.ok("who says yes, and is told what comes next", status == 0
           and "when the client repeats its call" in page, page)
    answer = c.ask("tools/call", **call)
    tap.ok("the same call then runs", code_of(answer) is None
           and "Jane" in answer["result"]["content"][0]["text"], answer)
    tap.equal("a tool that is not there", c.ask("tools/call", name="drop", arguments={})["error"]["code"],
              -32602)
    tap.equal("a method that is not there", c.ask("tools/drop")["error"]["code"], -32601)
    tap.equal("it ends with its client", c.end(), 0)
    gate = s.wingman("connect", "accounts", "--stdio", "--token-file", s.path("tokens", "nobody.token"))
    tap.ok("no such token", gate.returncode != 0, gate.stderr)


def test_checks(s):
    r = s.wingman("doctor")
    tap.ok("doctor finds nothing wrong", r.returncode == 0, r.stdout)
    r = s.wingman("config", "check")
    tap.ok("nor does config check", r.returncode == 0, r.stdout)
    path, kept = s.path("config", "policy.yaml"), s.read("config", "policy.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("version: 1\n")
    r = s.wingman("config", "check")
    tap.ok("a policy is judged by the gate or by its schema", "policy" in r.stdout, r.stdout)
    with open(path, "w", encoding="utf-8") as f:
        f.write(kept)


def test_console(s):
    p = s.terminal("console")
    p.expect("This is a sample on one user id: it demonstrates, it does not protect.")
    p.expect("wingman> ")
    p.sendline("/call accounts.block_account")
    for field, answer in (("person", PERSON), ("reason", "A lost laptop"), ("systems", "ldap")):
        p.expect(field + "> ")
        p.sendline(answer)
    while p.expect([r"([a-z_]+)> ", r"Type '(approve [0-9a-f]{4})'[^:]*: "]) == 0:
        p.sendline("")
    page = p.before
    tap.equal("nothing before a yes", s.bind("jane.roe"), 0)
    p.sendline(p.match.group(1))
    p.expect("done")
    p.expect("wingman> ")
    tap.equal("a form, a prompt, a yes: blocked", s.bind("jane.roe"), 49)
    tap.ok("the prompt showed what was typed", "A lost laptop" in page and "uid=jane.roe" in page, page)
    p.sendline("/audit")
    p.expect("approval.succeeded")
    p.expect("wingman> ")
    p.sendline('accounts.unblock_account {"person":"%s","reason":"found again"}' % PERSON)
    p.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    p.sendline(p.match.group(1))
    p.expect("done")
    p.expect("wingman> ")
    tap.equal("and unblocked", s.bind("jane.roe"), 0)
    p.sendcontrol("d")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("Ctrl-D leaves", p.exitstatus, 0)


def yes(p):
    """Reads what is shown and says yes to all of it; the page."""
    p.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    page = p.before
    p.sendline(p.match.group(1))
    return page


def test_several(s):
    """In one decision: typed one after the other, from a file, in one command of the shell."""
    person, why = {"person": PERSON}, {"person": PERSON, "reason": "lost, all of it"}
    read = "accounts.get_account " + json.dumps(person)
    p = s.terminal("console")
    p.expect("wingman> ")
    p.sendline("/several")
    p.expect("an empty line ends the list")
    p.expect("call 1> ")
    p.sendline(read)
    p.expect("call 2> ")
    p.sendline("accounts.blok_account {}")
    p.expect("did you mean 'accounts.block_account'")
    p.expect("call 2> ")
    p.sendline("accounts.block_account {")
    p.expect("call 2> ")
    p.sendline("accounts.block_account")     # asked field by field
    for field, answer in (("person", PERSON), ("reason", "lost, all of it"), ("systems", "ldap")):
        p.expect(field + "> ")
        p.sendline(answer)
    while p.expect([r"([a-z_]+)> ", r"call 3> "]) == 0:
        p.sendline("")
    p.sendline("")
    page = yes(p)
    p.expect("wingman> ")
    tap.ok("both calls stand on one page", "get_account" in page and "block_account" in page and
           "lost, all of it" in page, page)
    tap.equal("one yes ran both", s.bind("jane.roe"), 49)
    p.sendline("/several")
    p.expect("call 1> ")
    p.sendline(read)
    p.expect("call 2> ")
    p.sendcontrol("c")
    p.expect("given up; nothing was asked of anybody")
    p.expect("wingman> ")
    with open(s.path("calls.json"), "w", encoding="utf-8") as f:
        json.dump([{"tool": "accounts.get_account", "arguments": person},
                   {"tool": "accounts.unblock_account", "arguments": why}], f)
    p.sendline("/several @" + s.path("calls.json"))
    p.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
    p.sendline("deny not all of it")
    p.expect("wingman> ")
    tap.equal("one no is for both", s.bind("jane.roe"), 49)
    p.sendline('/several [{"tool": "accounts.get_account", "arguments": {"person": "secret"}}]')
    p.expect("wingman> ")
    p.sendline("/notices")
    p.expect("wingman approvals show|nothing new")
    p.expect("wingman> ")
    p.sendcontrol("d")
    p.expect(pexpect.EOF)
    p.close()
    with open(s.path("run", "console_history"), encoding="utf-8") as f:
        kept = f.read()
    tap.ok("the history keeps the word, not what several calls held",
           "/several" in kept and "secret" not in kept, kept)
    why["reason"] = "found again"  # what was denied is not asked again so soon
    p = s.terminal("call", "accounts.get_account", json.dumps(person),
                   "accounts.unblock_account", json.dumps(why))
    page = yes(p)
    p.expect(pexpect.EOF)
    p.close()
    tap.ok("pairs of tool and arguments are several calls", p.exitstatus == 0 and
           "get_account" in page and "unblock_account" in page, page)
    tap.equal("which ran", s.bind("jane.roe"), 0)
    p = s.terminal("call", "accounts.get_account", json.dumps(person))
    yes(p)
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("one pair is one call", p.exitstatus, 0)
    for odd in (["accounts.get_account", "{}", "accounts.get_account"],
                ["accounts.get_account", "{}", "--args", "{}"],
                ["accounts.get_account", "[]"], ["accounts.get_account", "{}", "x.y", "3"]):
        tap.equal(f"not so: {odd}", s.wingman("call", *odd).returncode, 2)


def fill(p, answers):
    """Answer the fields of a form that are named, take what stands there in the others; the page before."""
    shown = ""
    while p.expect([r"([a-z_]+)> ", r"Type '(approve [0-9a-f]{4})'[^:]*: "]) == 0:
        shown += p.before
        if p.match.group(1) == "wingman":
            raise AssertionError(shown)
        p.sendline(answers.get(p.match.group(1), ""))
    return shown + p.before


def blocks(s):
    return [r for r in s.json("approvals", "list", "--all") if r["tool"] == "block_account"]


def test_step_of_a_playbook(s):
    """From a page's suggestion to a proposal: nothing is typed again, everything is seen first."""
    p = s.terminal("console")
    p.expect("wingman> ")
    p.sendline("/playbook lost-device.md")
    p.expect(r"4\. .*suggests accounts\.block_account.*5\. ")
    p.expect("wingman> ")
    tap.ok("the steps, and what they suggest", True)
    before = len(blocks(s))
    p.sendline("/playbook lost-device.md 4")
    p.expect("Whoever wrote the page suggests accounts.block_account")
    p.expect("wingman> |person> ")
    tap.ok("a blank of the page is asked for", "<person>" not in p.before and p.after == "person> ", p.before)
    p.sendline(PERSON)
    page = fill(p, {"expires_in": "4h", "systems": "ldap"})
    tap.ok("what stands there is shown", 'here: "Laptop stolen"' in page and 'here: "8h"' in page, page)
    tap.ok("what becomes of it, too", "Laptop stolen" in page and "uid=jane.roe" in page, page)
    tap.equal("nothing before a yes", s.bind("jane.roe"), 0)
    p.sendline("deny")
    p.expect("denied")
    p.expect("wingman> ")
    tap.ok("the proposal is what the form had", len(blocks(s)) == before + 1 and '"expires_in":"4h"' in page
           and '"reason":"Laptop stolen"' in page, page)
    for step, why in ((1, "suggests no call"), (99, "no step 99")):
        p.sendline(f"/playbook lost-device.md {step}")
        p.expect(why)
        p.expect("wingman> ")
    p.sendline("/playbook nowhere.md 1")
    p.expect("not_found|no playbook")
    p.expect("wingman> ")
    p.sendcontrol("d")
    p.expect(pexpect.EOF)
    p.close()
    r = subprocess.run([WINGMAN, "--dir", s.dir, "console"], input="/playbook lost-device.md 4\n", text=True,
                       capture_output=True, timeout=60, check=False)
    tap.ok("where nobody can fill it in, it is only shown",
           r.returncode == 0 and r.stdout.startswith("accounts.block_account {") and "<person>" in r.stdout, r)
    tap.equal("and asks nobody", len(blocks(s)), before + 1)


def test_up_with_a_console(s):
    s.stop()
    p = s.terminal("up")
    p.expect("wingman> ")
    p.sendcontrol("c")
    p.expect("wingman> ")
    p.sendline("/status")
    p.expect("audit .*written")
    p.expect("wingman> ")
    tap.ok("Ctrl-C gives a line up and ends nothing", True)
    r = s.wingman("down")
    tap.ok("'wingman down' ends the suite and its console", r.returncode == 0 and "stopped" in r.stdout,
           r.stdout + r.stderr)
    p.expect(pexpect.EOF)
    p.close()
    p = s.terminal("up")
    p.expect("wingman> ")
    p.sendcontrol("d")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("the console's end is the suite's", p.exitstatus, 0)
    tap.equal("nothing is left", s.wingman("status").returncode, 1)


def main():
    if not pexpect:
        tap.skip("the console with everything real", "python3-pexpect is not installed")
        tap.done()
    s = Suite()
    try:
        s.start()
        tap.run([lambda: test_bridge(s), lambda: test_checks(s), lambda: test_console(s), lambda: test_several(s),
                 lambda: test_step_of_a_playbook(s),
                 lambda: test_up_with_a_console(s)])
    finally:
        s.done()
    tap.done()


if __name__ == "__main__":
    main()
