"""Random runs over Okta, GitHub and Slack at once: blocks and givings-back while the vendors
cut connections, answer with 429, 5xx and pages of HTML, and the server is killed. However it
went, in the end everything is as it was asked for; and nothing that was not asked for."""

import random
import sys

import tap
from accounts_vendors_test import AVA, Server, github_double, okta_double, slack_double
from doubles.github_double import GithubDouble
from doubles.okta_double import OktaDouble
from doubles.slack_double import SlackDouble

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 4
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
TICKS = 12  # each later than the longest pause between two tries

# What a vendor may do with a request; the second of each lets it have its effect.
FAULTS = [
    {"cut": True}, {"cut": True, "after": True},
    {"status": 500, "body": {"errorCode": "E0000009"}}, {"status": 500, "after": True},
    {"status": 503, "body": "<html>busy", "type": "text/html"},
    {"status": 200, "body": "<html>log in", "type": "text/html", "after": True},
    {"status": 429, "headers": {"Retry-After": "0"}}, {"status": 429, "headers": {
        "Retry-After": "0"}, "times": 3},
    {"status": 200, "body": b'{"half":', "after": True},
]
WRITES = [("okta", "POST", "/lifecycle/"), ("okta", "DELETE", "/sessions"),
          ("okta", "DELETE", "/grants"), ("okta", "DELETE", "/tokens"),
          ("github", "DELETE", "/members/"), ("github", "PUT", "/memberships/"),
          ("slack", "PATCH", "/Users/"), ("slack", "POST", "session.reset")]
READS = [("okta", "GET", "/users/00uava"), ("github", "GET", "/memberships/"),
         ("github", "GET", "/users/"), ("slack", "POST", "users.info"),
         ("slack", "GET", "/Users/")]


class World:
    def __init__(self):
        self.doubles = {"okta": okta_double(), "github": github_double(),
                        "slack": slack_double()}
        okta, github, slack = self.doubles.values()
        self.server = Server(
            {"okta": {"api": {"url": okta.url, "token_file": "okta"}},
             "github": {"api": {"url": github.url, "organization": github.org,
                                "token_file": "github"}},
             "slack": {"api": {"url": slack.url + "/api", "scim_url": slack.url + "/scim/v2",
                               "token_file": "slack", "admin_token_file": "admin"},
                       "deactivate": True, "reset_sessions": True},
             "mass_action": {"people_per_hour": 1000, "all_per_hour": 1000}},
            {"okta": OktaDouble.token, "github": GithubDouble.token,
             "slack": SlackDouble.token, "admin": SlackDouble.admin_token})

    def state(self):
        """All of what a block may touch and an undo must give back; and of bystanders."""
        okta, github, slack = self.doubles.values()
        return {"okta": {u: v["status"] for u, v in okta.users.items()},
                "github": {n: dict(m) for n, m in sorted(github.membership.items())},
                "teams": {t: dict(sorted(v["members"].items()))
                          for t, v in github.teams.items()},
                "slack": {u: v["deleted"] for u, v in slack.users.items()}}

    def spoil(self, rng, count, places):
        for system, method, path in rng.sample(places, min(count, len(places))):
            self.doubles[system].fault(method, path, **rng.choice(FAULTS))

    def heal(self):
        for double in self.doubles.values():
            double.forget()

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()
        self.server.process.stdin.close()
        self.server.process.stdout.close()
        self.server.start()

    def settle(self):
        for n in range(1, TICKS + 1):
            self.server.ask({"tick": n * 230})

    def close(self):
        self.server.close()
        for double in self.doubles.values():
            double.close()


def ask(world, rng, tool):
    """One decision while things go wrong; plans are made in peace, or nobody would be asked."""
    world.spoil(rng, rng.randint(1, 4), WRITES)
    answer = world.server.call(tool)
    told = answer.get("error", {}).get("code", "")
    if rng.random() < 0.4:
        world.kill()
    world.spoil(rng, rng.randint(0, 2), READS)
    world.server.ask({"tick": 20})
    world.heal()
    world.settle()
    return told


def blocked(before):
    after = {k: dict(v) for k, v in before.items()}
    after["okta"]["00uava"] = "SUSPENDED"
    del after["github"]["ava-reyes"]
    after["teams"] = {t: {n: r for n, r in m.items() if n != "ava-reyes"}
                      for t, m in before["teams"].items()}
    after["slack"]["U0AVA"] = True
    return after


def test_runs():
    tap.note(f"seed {SEED}, {RUNS} runs about {AVA}")
    for run in range(RUNS):
        rng = random.Random(SEED + run)
        world = World()
        before = world.state()
        told = ask(world, rng, "block_account")
        tap.equal(f"run {run}: blocked everywhere ({told or 'told done'})", world.state(),
                  blocked(before))
        told = ask(world, rng, "unblock_account")
        tap.equal(f"run {run}: given back, all of it ({told or 'told done'})", world.state(),
                  before)
        world.close()


if __name__ == "__main__":
    tap.run([test_runs])
    tap.done()
