"""A person, wingman chat, worker, egress, an independent mock of the provider, gate, servers
and a directory: 'block @john.doe', from the question to the answer.

The mock (@copilotkit/aimock) answers by what it is sent: what the tool said of the person
decides whether the model asks which one, or proposes.
"""

import json
import os
import shutil
import urllib.request

import tap

try:
    import pexpect
    from assistant_rig import NODE, Mock
    from chat_rig import YES, plain
    from suite import Suite
except ImportError:
    pexpect = None

KEY = "sk-test-0123456789abcdefghij"
JOHN = "john.doe@example.test"
SECOND = {"id": "john.doe.two", "name": "John Doe", "type": "employee", "status": "active",
          "nicknames": [], "former_names": [], "groups": ["all-staff"],
          "slack": {"id": "U0SAMPLE99", "handle": "john.doe", "display_name": "John D",
                    "real_name": "John Doe", "email": "john.doe2@example.test", "deleted": False}}


def call(tool, **arguments):
    return {"name": tool, "arguments": json.dumps(arguments)}


FIXTURES = [
    # What was looked up stands before the model already; it reads it itself all the same.
    {"match": {"userMessage": "block @john.doe", "hasToolResult": False},
     "response": {"content": "I look up who that is.",
                  "toolCalls": [call("read_context", uri="person://search?q=%40john.doe")]}},
    {"match": {"userMessage": "block @john.doe", "toolResultContains": "ambiguous"},
     "response": {"content": "There are two: John Doe (john.doe@example.test) and John Doe "
                             "(john.doe2@example.test). Which one do you mean?"}},
    {"match": {"userMessage": "block @john.doe", "toolResultContains": "unique"},
     "response": {"content": "I propose to block John Doe everywhere.",
                  "toolCalls": [call("accounts__block_account", person=JOHN,
                                     reason="asked for by the security team")]}},
    {"match": {"userMessage": "block @john.doe", "toolResultContains": "pending"},
     "response": {"content": "It waits for your decision."}},
    {"match": {"userMessage": "john.doe@example.test, please", "hasToolResult": False},
     "response": {"content": "I propose to block that one.",
                  "toolCalls": [call("accounts__block_account", person=JOHN,
                                     reason="asked for by the security team")]}},
    {"match": {"userMessage": "john.doe@example.test, please", "hasToolResult": True},
     "response": {"content": "It waits for your decision."}},
    {"match": {"userMessage": "block the handle", "hasToolResult": False},
     "response": {"content": "I propose it by the handle.",
                  "toolCalls": [call("accounts__block_account", person="@john.doe",
                                     reason="asked for by the security team")]}},
    {"match": {"userMessage": "block the handle", "hasToolResult": True},
     "response": {"content": "It waits for your decision."}},
    {"match": {"userMessage": "What was proposed has ended"},
     "response": {"content": "Done: John Doe's accounts are blocked."}},
    {"match": {"userMessage": "who has"},
     "response": {"content": "That is <@U0SAMPLE99>, not <@U0STRANGER>."}},
]


class Company:
    """A suite that converses with the mock; 'second': another John Doe with the handle."""

    def __init__(self, second):
        self.suite = Suite()
        self.suite.start()
        self.mock = Mock(self.suite.path(), FIXTURES)
        self.mock.start()
        if second:
            path = self.suite.path("people", "people.json")
            with open(path, encoding="utf-8") as f:
                people = json.load(f)
            people["people"].append(SECOND)
            with open(path, "w", encoding="utf-8") as f:
                json.dump(people, f)
            self.suite.stop()
            self.suite.start()
        os.makedirs(self.suite.path("prompts"), mode=0o700)
        with open(self.suite.path("prompts", "team.md"), "w", encoding="utf-8") as f:
            f.write("We call the finance laptops aubergines.\n")
        key = self.suite.path("keys", "model")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(KEY)
        with open(self.suite.path("config", "assistant.yaml"), "w", encoding="utf-8") as f:
            json.dump({"provider": "anthropic", "model": "claude-test-1", "url": self.mock.url,
                       "key": "keys/model"}, f)

    def done(self):
        self.mock.stop()
        self.suite.done()

    def journal(self):
        with urllib.request.urlopen(self.mock.url + "/__aimock/journal?limit=100", timeout=10) as r:
            answer = json.load(r)
        return answer if isinstance(answer, list) else answer.get("entries", answer)


def test_one(company):
    p = company.suite.terminal("chat")
    p.expect("you> ")
    p.sendline("block @john.doe")
    p.expect(YES)
    page, digits = plain(p.before), p.match.group(1)
    tap.ok("the assistant says what it is about to do",
           "I propose to block John Doe everywhere." in page, page)
    tap.ok("what was read stands in the conversation", "[read: person://search?q=%40john.doe]" in page,
           page)
    tap.ok("all his accounts are shown", "uid=john.doe" in page and JOHN in page, page)
    tap.ok("with where the name comes from", 'people, looked up for "@john.doe"' in page, page)
    tap.ok("and no reason to doubt whom it is about", "'person' was not named" not in page, page)
    tap.ok("its sentences stand under its name", "Written by the assistant" in page, page)
    tap.equal("nothing before a yes", company.suite.bind("john.doe"), 0)
    p.sendline(digits)
    p.expect("Done: John Doe's accounts are blocked.")
    p.expect("you> ")
    tap.equal("blocked", company.suite.bind("john.doe"), 49)
    p.sendline("/quit")
    p.expect(pexpect.EOF)
    p.close()
    tap.equal("and left", p.exitstatus, 0)
    sent = json.dumps([e.get("body", e) for e in company.journal()])
    tap.ok("the model was told the team's note", "aubergines" in sent)
    tap.ok("and no key, no token, no grant", KEY not in sent and "grant" not in sent.lower().replace(
        "granted", ""), [w for w in ("grant", KEY) if w in sent])


def test_pick(company):
    """The plan finds two: the person picks by number, and decides about that one."""
    p = company.suite.terminal("chat")
    p.expect("you> ")
    p.sendline("block the handle @john.doe")
    p.expect(r"Who is meant \(1 to 2, or nothing\)\? ")
    page = plain(p.before)
    tap.ok("the candidates stand there, numbered", "1. John" in page and "2. John" in page and
           JOHN in page and "john.doe2@" in page, page)
    number = "1" if JOHN in page.split("1. ")[1].split("2. ")[0] else "2"
    p.sendline(number)
    p.expect(YES)
    page, digits = plain(p.before), p.match.group(1)
    tap.ok("the one who was picked is decided about", "uid=john.doe" in page, page)
    tap.ok("as the person's word", "'person' was not named" not in page, page)
    p.sendline(digits)
    p.expect("Done: John Doe's accounts are blocked.")
    p.expect("you> ")
    tap.equal("is blocked", company.suite.bind("john.doe"), 49)
    sent = json.dumps([e.get("body", e) for e in company.journal()])
    tap.ok("the model was told that the name is ambiguous, not of the candidates",
           "john.doe2@" not in sent and "ambiguous" in sent, sent[-3000:])
    p.sendline("who has <@U0SAMPLE99>?")
    p.expect("you> ")
    tap.ok("who is known is named, nobody else", "That is John Doe (john.doe), not <@U0STRANGER>." in
           plain(p.before), p.before)
    p.sendline("/quit")
    p.close()


def test_two(company):
    p = company.suite.terminal("chat")
    p.expect("you> ")
    p.sendline("block @john.doe")
    p.expect("Which one do you mean?")
    p.expect("you> ")
    tap.ok("with two it asks which one, and proposes nothing",
           company.suite.json("approvals", "list") == [], company.suite.json("approvals", "list"))
    p.sendline("john.doe@example.test, please")
    p.expect(YES)
    page, digits = plain(p.before), p.match.group(1)
    tap.ok("then the one who was named", "uid=john.doe" in page, page)
    tap.ok("whom the person named", "'person' was not named" not in page, page)
    p.sendline(digits)
    p.expect("Done: John Doe's accounts are blocked.")
    tap.equal("is blocked", company.suite.bind("john.doe"), 49)
    p.sendline("/quit")
    p.close()


def test_down(company):
    company.mock.stop()
    r = company.suite.wingman("chat", "hello?")
    tap.ok("with the model down it says so in words", r.returncode == 1 and "wingman: " in r.stderr
           and "Traceback" not in r.stderr, r.stderr)


def main():
    missing = not pexpect and "pexpect" or not os.path.exists(NODE) and "node (npm packages)" or \
        not shutil.which("slapd") and not os.path.exists("/usr/sbin/slapd") and "slapd"
    if missing:
        tap.skip("a conversation end to end", f"{missing} is not there")
        tap.done()
        return
    company = Company(second=False)
    try:
        tap.run([lambda: test_one(company), lambda: test_down(company)])
    finally:
        company.done()
    company = Company(second=True)
    try:
        tap.run([lambda: test_two(company)])
    finally:
        company.done()
    company = Company(second=True)
    try:
        tap.run([lambda: test_pick(company)])
    finally:
        company.done()
    tap.done()


if __name__ == "__main__":
    main()
