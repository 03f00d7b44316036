"""A person's yes, and what becomes of it in Okta, GitHub and Slack: the gate, the accounts
server in its sandbox, and doubles of the vendors."""

import json
import os

import tap
from doubles.github_double import GithubDouble
from doubles.okta_double import OktaDouble
from doubles.slack_double import SlackDouble
from gate_rig import BUILD, PEOPLE, Rig

AVA = "ava@vendor.test"


class Accounts(Rig):
    name, program = "accounts", os.path.join(BUILD, "bin", "wingman-accounts")

    def __init__(self, okta, github, slack):
        super().__init__()
        for name, text in (("okta", okta.token), ("github", github.token),
                           ("slack", slack.token), ("slack-admin", slack.admin_token)):
            self.write(f"tokens/{name}", text)
        backend = {
            "okta": {"api": {"url": okta.url, "token_file": "tokens/okta"}},
            "github": {"api": {"url": github.url, "organization": github.org,
                               "token_file": "tokens/github"}},
            "slack": {"api": {"url": slack.url + "/api", "scim_url": slack.url + "/scim/v2",
                              "token_file": "tokens/slack",
                              "admin_token_file": "tokens/slack-admin"},
                      "deactivate": True, "reset_sessions": True}}
        config = self.read("config", "accounts.yaml").replace(
            "freed_reads: [get_route]", "freed_reads: [get_account]")
        self.write("config/policy.yaml", "rules:\n"
                   "  - {name: a look, server: accounts, tool: get_account, free: true}\n"
                   "  - {name: one of us, needed: 1}\n")
        self.write("config/accounts.yaml", config + "backend: " + json.dumps(backend) + "\n")

    def start(self):
        """Its schemas are compiled into the gate: nothing to pin."""
        self.start_server()
        self.start_gate()


okta, github, slack = OktaDouble(), GithubDouble(), SlackDouble()
okta.add_user("00uava", AVA, firstName="Ava", lastName="Reyes")
github.add_user("orgadmin", 1, "admin")
github.add_user("ava-reyes", 2, "member", verified=[AVA])
github.add_team("ops", 11, {"ava-reyes": "maintainer"})
github.has_saml = False
slack.add_user("U0AVA", "ava", AVA, real_name="Ava Reyes")
rig = Accounts(okta, github, slack)


def decide(c, tool, **arguments):
    approval = c.propose(f"accounts.{tool}", person=AVA, reason="phished", **arguments)
    prompt = c.wait(approval, "pending")["prompt"]
    c.approve(approval)
    return prompt, c.wait(approval, "succeeded", "failed", "unknown", timeout_s=60)


def test_read():
    rig.start()
    got = rig.call("get_account", {"person": AVA})["structuredContent"]
    tap.ok("a read asks all three", all(f'"system": "{name}"' in json.dumps(got)
                                        for name in ("github", "okta", "slack")), got)


def test_block():
    with rig.client() as c:
        writes = [r for d in (okta, github, slack) for r in d.seen() if r.method in
                  ("PUT", "PATCH", "DELETE")]
        prompt, record = decide(c, "block_account")
        tap.equal("until then nothing was written", writes, [])
        told = json.dumps(prompt)
        for words in ("SUSPENDED", "not in 'example-org'", "deactivated", "private forks",
                      "identity provider"):
            tap.ok(f"who is asked reads '{words}'", words in told, told)
        tap.equal("it is done", record["state"], "succeeded")
    tap.equal("in every system", (okta.users["00uava"]["status"],
                                  "ava-reyes" in github.membership,
                                  slack.users["U0AVA"]["deleted"], slack.sessions["U0AVA"]),
              ("SUSPENDED", False, True, 0))


def test_unblock_by_another_process():
    rig.server.kill()
    rig.start_server()
    with rig.client() as c:
        _, record = decide(c, "unblock_account")
        tap.equal("given back", record["state"], "succeeded")
    tap.equal("in every system", (okta.users["00uava"]["status"],
                                  github.membership.get("ava-reyes"),
                                  github.teams["ops"]["members"],
                                  slack.users["U0AVA"]["deleted"]),
              ("ACTIVE", {"role": "member", "state": "active"},
               {"ava-reyes": "maintainer"}, False))


def test_no_secret_is_told():
    told = rig.read("run", "accounts.log") + rig.read("run", "gate.log") + \
        rig.read("audit", "accounts.jsonl") + rig.read("audit", "gate.jsonl")
    tap.ok("there are logs", len(told) > 1000)
    for secret in (okta.token, github.token, slack.token, slack.admin_token):
        tap.ok("no token in any log", secret not in told)


try:
    assert AVA not in PEOPLE
    tap.run([test_read, test_block, test_unblock_by_another_process, test_no_secret_is_told])
finally:
    rig.done()
    for double in (okta, github, slack):
        double.close()
tap.done()
