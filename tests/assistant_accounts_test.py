"""'block @john.doe' with all that a person has: a directory (slapd), Okta, GitHub and Slack (doubles),
who is who asked of the people server, a mock for the model's provider; in 'wingman chat' at a
pseudo-terminal and in Slack (npm's emulator). The prompt shows his four accounts; with two John
Does the assistant asks which; a yes blocks exactly these, and nobody else's.
"""

import json
import os

import tap

try:
    import pexpect
    from assistant_people_test import FIXTURES, JOHN, SECOND, Company
    from chat_rig import YES, plain
except ImportError:
    pexpect = None
from accounts_people_test import EVERYBODY, binds
from assistant_rig import NODE
from doubles import emulator
from doubles.github_double import GithubDouble
from doubles.okta_double import OktaDouble
from doubles.slack_double import SlackDouble
from slack_assistant_test import AssistantSuite

HIS = {"okta": "00usample01", "github": "jdoe-example", "ldap": "john.doe", "slack": "U0SAMPLE01"}
ACCOUNTS = ("uid=john.doe,ou=people", JOHN, "00usample01", "jdoe-example", "U0SAMPLE01")


class Vendors:
    """Doubles that have an account of everybody of the sample, and who of them can sign in."""

    def __init__(self, suite):
        self.okta, self.github, self.slack = OktaDouble(), GithubDouble(), SlackDouble()
        self.github.has_saml = False
        self.github.add_user("orgadmin", 1, "admin")
        with open(suite.path("people", "people.json"), encoding="utf-8") as f:
            people = json.load(f)["people"]
        for n, person in enumerate([*people, SECOND]):
            okta, github, slack = (person.get(k) for k in ("okta", "github", "slack"))
            if okta:
                self.okta.add_user(okta["id"], okta["login"], firstName=person["name"])
            if github:
                self.github.add_user(github["login"], 100 + n, "member", verified=[okta["login"]] if okta else [])
            if slack:
                self.slack.add_user(slack["id"], slack["handle"], slack["email"], real_name=person["name"])
        for name, text in (("okta", self.okta.token), ("github", self.github.token),
                           ("slack", self.slack.token), ("slack-admin", self.slack.admin_token)):
            with open(os.open(suite.path("tokens", name), os.O_WRONLY | os.O_CREAT, 0o600), "w",
                      encoding="ascii") as f:
                f.write(text)
        backend = {
            "okta": {"api": {"url": self.okta.url, "token_file": "tokens/okta"}},
            "github": {"api": {"url": self.github.url, "organization": self.github.org,
                               "token_file": "tokens/github"}},
            "slack": {"api": {"url": self.slack.url + "/api", "scim_url": self.slack.url + "/scim/v2",
                              "token_file": "tokens/slack", "admin_token_file": "tokens/slack-admin"},
                      "deactivate": True, "reset_sessions": True}}
        path = suite.path("config", "accounts.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("backend:\n", "backend:\n" + "".join(
                f"  {name}: {json.dumps(what)}\n" for name, what in backend.items()), 1))
        with open(suite.path("config", "policy.yaml"), "w", encoding="utf-8") as f:
            f.write("rules:\n  - {name: one of us, needed: 1}\n")

    def blocked(self, suite):
        """{system: whoever cannot sign in}"""
        return {"okta": [u for u, user in self.okta.users.items() if user["status"] != "ACTIVE"],
                "github": [u for u in self.github.users if u not in self.github.membership],
                "ldap": [u for u, status in binds(suite).items() if status != 0],
                "slack": [u for u, user in self.slack.users.items() if user["deleted"]]}

    def close(self):
        for double in (self.okta, self.github, self.slack):
            double.close()


NOBODY = {name: [] for name in HIS}
JUST_HIM = {name: [account] for name, account in HIS.items()}


def shows_all(page):
    page = page.replace("\r\n", " ").replace("\n", " ")
    return [a for a in ACCOUNTS if a not in page]


# --- on the console ---

class Everything(Company):
    def __init__(self, second):
        super().__init__(second)
        self.vendors = Vendors(self.suite)
        self.suite.stop()
        self.suite.start()

    def done(self):
        super().done()
        self.vendors.close()

    def blocked(self):
        return self.vendors.blocked(self.suite)


def approve(company, p, where):
    p.expect(YES)
    page, digits = plain(p.before), p.match.group(1)
    tap.equal(f"{where}: the prompt shows his accounts in the directory, Okta, GitHub and Slack",
              shows_all(page), [])
    tap.ok(f"{where}: and no other John's", "U0SAMPLE99" not in page and "johndoe-hosting" not in page, page)
    tap.equal(f"{where}: nobody is blocked before a yes", company.blocked(), NOBODY)
    p.sendline(digits)
    p.expect("Done: John Doe's accounts are blocked.")
    p.expect("you> ")
    tap.equal(f"{where}: exactly these are blocked", company.blocked(), JUST_HIM)


def test_console(company):
    p = company.suite.terminal("chat")
    p.expect("you> ")
    p.sendline("block @john.doe")
    approve(company, p, "one")
    p.sendline("/quit")
    p.close()


def test_console_two(company):
    p = company.suite.terminal("chat")
    p.expect("you> ")
    p.sendline("block @john.doe")
    p.expect("Which one do you mean?")
    p.expect("you> ")
    tap.equal("of two it asks which, and proposes nothing", company.suite.json("approvals", "list"), [])
    p.sendline(f"{JOHN}, please")
    approve(company, p, "two")
    p.sendline("/quit")
    p.close()


# --- in Slack ---

class SlackEverything(AssistantSuite):
    fixtures = FIXTURES if pexpect else []
    second = False

    def __init__(self, **options):
        super().__init__(**options)
        self.vendors = Vendors(self.suite)
        if self.second:
            with open(self.path("people/people.json"), encoding="utf-8") as f:
                people = json.load(f)
            people["people"].append(SECOND)
            self.write("people/people.json", json.dumps(people))

    def done(self):
        super().done()
        self.vendors.close()

    def blocked(self):
        return self.vendors.blocked(self.suite)


class SlackTwo(SlackEverything):
    second = True


def press(rig, where):
    prompt = rig.prompt("john.doe")
    pages = prompt.text
    tap.equal(f"{where}: the prompt shows his accounts in the directory, Okta, GitHub and Slack",
              shows_all(pages), [])
    tap.ok(f"{where}: and no other John's", "U0SAMPLE99" not in pages and "johndoe-hosting" not in pages, pages)
    tap.equal(f"{where}: nobody is blocked before a yes", rig.blocked(), NOBODY)
    rig.press(prompt, "approve", rig.alice)
    rig.wait_text(prompt, "succeeded")
    rig.said("Done: John Doe's accounts are blocked.")
    tap.equal(f"{where}: exactly these are blocked", rig.blocked(), JUST_HIM)


def test_slack(rig):
    rig.mention("block @john.doe", rig.alice)
    press(rig, "one in Slack")


def test_slack_two(rig):
    thread = "1700000000.000300"
    rig.mention("block @john.doe", rig.alice, thread_ts=thread)
    rig.said("Which one do you mean?")
    tap.equal("of two it asks which, in Slack", rig.suite.json("approvals", "list"), [])
    rig.mention(f"{JOHN}, please", rig.alice, thread_ts=thread)
    press(rig, "two in Slack")


def main():
    missing = not pexpect and "pexpect" or not os.path.exists(NODE) and "node (npm packages)" or \
        not os.path.exists("/usr/sbin/slapd") and "slapd"
    if missing:
        tap.skip("all accounts of a person", f"{missing} is not there")
        tap.done()
        return
    assert "john.doe" in EVERYBODY
    for second, test in ((False, test_console), (True, test_console_two)):
        company = Everything(second)
        try:
            tap.run([lambda t=test, c=company: t(c)])
        finally:
            company.done()
    if emulator.is_installed():
        SlackEverything().test([test_slack])
        SlackTwo().test([test_slack_two])
    else:
        tap.skip("in Slack", emulator.WHY)
    tap.done()


if __name__ == "__main__":
    main()
