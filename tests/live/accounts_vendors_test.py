"""Blocking and giving back in Okta, GitHub and Slack: the tools of the accounts server against
our own doubles, and against npm's where those have what it takes."""

import json
import os
import subprocess
import tempfile

import tap
from doubles import emulator
from doubles.github_double import GithubDouble
from doubles.okta_double import OktaDouble
from doubles.slack_double import SlackDouble

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "live-accounts_call")
AVA = "ava@example.test"


class Server:
    """live-accounts_call with a folder, as a server that is asked one thing at a time."""

    def __init__(self, backend, secrets):
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-accounts-")
        self.backend, self.secrets = backend, secrets
        for name, text in secrets.items():
            with open(os.open(os.path.join(self.folder.name, name),
                              os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
                f.write(text)
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, self.folder.name], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.is_open = self.ask(self.backend).get("open")

    def ask(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        text = self.process.stdout.readline()
        for secret in self.secrets.values():
            assert secret not in text, "a secret was shown"
        return json.loads(text)

    def call(self, tool, person=AVA, more=None, **how):
        arguments = {"person": person, **(more or {})}
        if tool != "get_account":
            arguments["reason"] = "phished"
        return self.ask({"tool": tool, "arguments": arguments, **how})

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        self.stop()
        self.folder.cleanup()


def effects(answer):
    return [(e["system"], e["from"], e["to"]) for e in answer["plan"]["effects"]]


def warnings(answer):
    return " | ".join(answer["plan"].get("warnings", []))


def phases(answer):
    """{(system, facet): state} of a result."""
    found = {}

    def walk(value, system):
        if isinstance(value, dict):
            system = value.get("system", system)
            if "facet" in value and "state" in value:
                found[system, value["facet"]] = value["state"]
            for v in value.values():
                walk(v, system)
        elif isinstance(value, list):
            for v in value:
                walk(v, system)

    walk(answer.get("result"), None)
    return found


def okta_server(double, **more):
    return Server({"okta": {"api": {"url": double.url, "token_file": "okta"}, **more}},
                  {"okta": OktaDouble.token})


def okta_double():
    double = OktaDouble()
    double.add_user("00uava", AVA, firstName="Ava", lastName="Reyes")
    double.add_user("00uben", "ben@example.test", status="LOCKED_OUT")
    double.add_user("00uroot", "root@example.test")
    double.add_user("00uglass", "glass@example.test")
    double.roles["00uroot"] = ["USER_ADMIN", "SUPER_ADMIN"]
    double.add_group("00gglass", "break-glass", members=["00uglass"])
    double.clients["00uava"] = {"0oamail": {"name": "Mail", "tokens": 2}}
    double.grants["00uava"] = {"g1"}
    return double


def test_okta():
    double = okta_double()
    s = okta_server(double, protected_groups=["00gglass"])
    plan = s.call("block_account", only_plan=True, again=True)
    tap.ok("a plan reads the same twice", plan.get("same"), plan)
    tap.ok("the plan says from what to what",
           ("okta", "ACTIVE", "SUSPENDED") in [(e[0], e[1].split(": ")[-1], e[2].split(": ")[-1])
                                               for e in effects(plan)], effects(plan))
    tap.ok("and what does not come back", "does not come back" in warnings(plan),
           warnings(plan))
    tap.equal("planning changes nothing", [r.method for r in double.log if r.method != "GET"],
              [])
    done = s.call("block_account")
    tap.equal("blocked", (done.get("error"), double.users["00uava"]["status"]),
              (None, "SUSPENDED"))
    tap.equal("facet by facet", phases(done),
              {("okta", "sign_in"): "verified", ("okta", "sessions"): "accepted",
               ("okta", "tokens"): "verified", ("okta", "memberships"): "none"})
    tap.equal("sessions, tokens and grants are gone",
              (double.sessions["00uava"], double.clients["00uava"]["0oamail"]["tokens"],
               double.grants["00uava"]), (set(), 0, set()))
    order = [r.path.rsplit("/", 1)[1] for r in double.log if r.method != "GET"]
    tap.equal("suspended first", order[0], "suspend")
    tap.equal("again changes no status", (s.call("block_account").get("error"),
                                          len(double.seen("POST", "/suspend"))), (None, 1))
    got = s.call("get_account")["result"]
    tap.ok("it is told", "blocked" in json.dumps(got), got)
    s.restart()
    undone = s.call("unblock_account")
    tap.equal("given back after a restart", (undone.get("error"),
                                             double.users["00uava"]["status"],
                                             phases(undone).get(("okta", "sign_in"))),
              (None, "ACTIVE", "verified"))
    locked = s.call("block_account", "ben@example.test", only_plan=True)
    tap.ok("who is locked out cannot be suspended, and that is said before",
           "LOCKED_OUT cannot be suspended" in json.dumps(locked), locked)
    for who, why in (("root@example.test", "super administrator"),
                     ("glass@example.test", "break-glass")):
        refused = s.call("block_account", who).get("error", {})
        tap.ok(f"{who} is protected", refused.get("code") == "protected" and
               why in refused["message"], refused)
    s.close()
    double.close()


def test_okta_faults():
    double = okta_double()
    s = okta_server(double)
    double.fault("POST", "/suspend", cut=True, after=True)
    done = s.call("block_account")
    tap.equal("a reply that was lost is read back",
              (phases(done).get(("okta", "sign_in")), len(double.seen("POST", "/suspend"))),
              ("verified", 1))
    s.call("unblock_account")
    double.forget()
    double.fault("POST", "/suspend", status=429, headers={"Retry-After": "300"})
    done = s.call("block_account")
    tap.equal("a rate that lasts is tried again later",
              phases(done).get(("okta", "sign_in")), "retrying")
    tap.equal("nothing happened yet", double.users["00uava"]["status"], "ACTIVE")
    s.ask({"tick": 20})
    tap.equal("not before the vendor wants it", double.users["00uava"]["status"], "ACTIVE")
    s.restart()  # which forgets that the vendor is to be left alone, and not the step
    s.ask({"tick": 400})
    tap.equal("then it is done, by another process", double.users["00uava"]["status"],
              "SUSPENDED")
    double.users["00uava"]["status"] = "ACTIVE"
    undone = s.call("unblock_account", only_plan=True)
    tap.ok("what somebody undid meanwhile stays, and is said",
           "meanwhile" in json.dumps(undone), undone)
    double.users["00uava"]["status"] = "ACTIVE"
    double.fault("POST", "/suspend", status=403, body={"errorCode": "E0000006",
                                                       "errorId": "oae1"})
    done = s.call("block_account")
    tap.ok("a right that is missing is said with the vendor's id",
           "oae1" in json.dumps(done), (done.get("result"), done.get("error")))
    s.close()
    double.close()


def github_double(prefix=""):
    double = GithubDouble(prefix=prefix)
    double.add_user("orgadmin", 1, "admin")
    double.add_user("ava-reyes", 2, "member", name="Ava", verified=[AVA])
    double.add_user("glass", 3, "member")
    double.add_user("stranger", 9)
    double.has_saml = False
    double.add_team("ops", 11, {"ava-reyes": "maintainer"})
    double.add_team("web", 12, {"ava-reyes": "member", "glass": "member"})
    double.add_team("breakglass", 13, {"glass": "member"})
    return double


def github_server(double, prefix="", **more):
    return Server({"github": {"api": {"url": double.url + prefix, "organization": double.org,
                                      "token_file": "github"}, **more}},
                  {"github": GithubDouble.token})


def test_github():
    double = github_double()
    double.credentials = {5: ("ava-reyes", "SSH key"), 6: ("glass", "SSH key")}
    s = github_server(double, credentials=True, protected_teams=["breakglass"])
    plan = s.call("block_account", only_plan=True, again=True)
    tap.ok("a plan reads the same twice", plan.get("same"), plan)
    tap.ok("the plan tells role and teams", any("role member, 2 teams" in e[1] and
                                                "not in 'example-org'" in e[2]
                                                for e in effects(plan)), effects(plan))
    for word in ("private forks", "invitation that the person must accept",
                 "belong to the person"):
        tap.ok(f"and '{word}'", word in warnings(plan), warnings(plan))
    done = s.call("block_account")
    tap.equal("taken out", (done.get("error"), "ava-reyes" in double.membership),
              (None, False))
    tap.equal("facet by facet", phases(done),
              {("github", "sign_in"): "none", ("github", "sessions"): "none",
               ("github", "tokens"): "verified", ("github", "memberships"): "verified"})
    tap.equal("and the credentials", list(double.credentials), [6])
    double.accepts = False
    s.restart()
    back = s.call("unblock_account", only_plan=True)
    tap.ok("giving back names the teams", any("2 teams" in e[2] for e in effects(back)) and
           "must accept an invitation" in warnings(back), back)
    undone = s.call("unblock_account")
    tap.equal("invited, with the teams as they were",
              (undone.get("error"), double.membership.get("ava-reyes"),
               double.teams["ops"]["members"].get("ava-reyes"),
               double.teams["web"]["members"].get("ava-reyes")),
              (None, {"role": "member", "state": "pending"}, "maintainer", "member"))
    tap.equal("is requested until the person accepts",
              phases(undone).get(("github", "memberships")), "requested")
    double.accept("ava-reyes")
    s.ask({"tick": 30})
    state = s.call("get_account")["result"]
    tap.ok("and then so", "active" in json.dumps(state), state)
    for who, why in (("orgadmin", "owner of the GitHub organisation"),
                     ("glass", "breakglass")):
        refused = s.call("block_account", who).get("error", {})
        tap.ok(f"{who} is protected", refused.get("code") == "protected" and
               why in refused["message"], refused)
    tap.equal("who does not belong here is nobody",
              s.call("block_account", "stranger").get("error", {}).get("code"), "not_found")
    s.close()
    double.close()


def test_github_meanwhile():
    double = github_double()
    s = github_server(double)
    s.call("block_account")
    del double.teams["web"]
    double.teams["ops"]["id"] = 99  # another team of the name
    plan = s.call("unblock_account", only_plan=True)
    tap.ok("teams that are gone are said", "'ops' was deleted" in warnings(plan) and
           "'web' was deleted" in warnings(plan), warnings(plan))
    undone = s.call("unblock_account")
    tap.equal("and left out", (undone.get("error"), double.membership.get("ava-reyes"),
                               double.teams["ops"]["members"]),
              (None, {"role": "member", "state": "active"}, {}))
    s.call("block_account")
    double.users["ava-reyes"]["id"] = 77  # the login is another person's now
    refused = s.call("unblock_account", "ava-reyes")
    tap.ok("a login that changed hands is nobody's", "error" in refused, refused)
    tap.equal("and gets nothing", double.membership.get("ava-reyes"), None)
    s.close()
    double.close()


def test_github_faults():
    double = github_double()
    s = github_server(double)
    double.fault("DELETE", "/members/", cut=True, after=True)
    done = s.call("block_account")
    tap.equal("a reply that was lost is read back",
              (phases(done).get(("github", "memberships")), len(double.seen("DELETE"))),
              ("verified", 1))
    double.fault("PUT", "/teams/web", status=502)
    undone = s.call("unblock_account")
    tap.equal("half way is not done, and is said",
              (undone.get("error") or {}).get("code"), "unknown_outcome")
    s.ask({"tick": 60})
    tap.equal("the rest follows, and nothing twice",
              (sorted(t for t in double.teams if "ava-reyes" in double.teams[t]["members"]),
               len(double.seen("PUT", "/orgs/example-org/memberships"))), (["ops", "web"], 1))
    s.close()
    double.close()


def test_github_server():
    double = github_double("/api/v3")
    s = github_server(double, "/api/v3")
    done = s.call("block_account", "ava-reyes")
    tap.equal("Enterprise Server suspends", (phases(done).get(("github", "sign_in")),
                                             phases(done).get(("github", "memberships")),
                                             double.users["ava-reyes"]["suspended"]),
              ("verified", "none", True))
    undone = s.call("unblock_account", "ava-reyes")
    tap.equal("and back", (undone.get("error"), double.users["ava-reyes"]["suspended"]),
              (None, False))
    s.close()
    double.close()


def slack_double():
    double = SlackDouble()
    double.add_user("U0AVA", "ava", AVA, real_name="Ava Reyes")
    double.add_user("U0GUEST", "guest", "guest@example.test", is_restricted=True)
    double.add_user("U0OWNER", "owner", "owner@example.test", is_owner=True)
    double.add_user("U0FAKE", "fake", "fake@example.test", is_email_confirmed=False)
    return double


def slack_server(double, **more):
    api = {"url": double.url + "/api", "scim_url": double.url + "/scim/v2",
           "token_file": "slack"}
    if more:
        api["admin_token_file"] = "admin"
    return Server({"slack": {"api": api, **more}},
                  {"slack": SlackDouble.token, "admin": SlackDouble.admin_token})


def test_slack():
    double = slack_double()
    s = slack_server(double, deactivate=True, reset_sessions=True)
    plan = s.call("block_account", only_plan=True, again=True)
    tap.ok("a plan reads the same twice", plan.get("same"), plan)
    tap.ok("and names the identity provider", "identity provider" in warnings(plan), plan)
    done = s.call("block_account")
    tap.equal("deactivated", (done.get("error"), double.users["U0AVA"]["deleted"],
                              double.sessions["U0AVA"]), (None, True, 0))
    tap.equal("facet by facet", phases(done),
              {("slack", "sign_in"): "verified", ("slack", "sessions"): "accepted",
               ("slack", "tokens"): "none", ("slack", "memberships"): "none"})
    undone = s.call("unblock_account")
    tap.equal("and back", (undone.get("error"), double.users["U0AVA"]["deleted"]),
              (None, False))
    guest = s.call("block_account", "guest@example.test", only_plan=True)
    tap.ok("a guest's channels", "lost the channels" in warnings(guest), guest)
    tap.equal("an owner is protected",
              s.call("block_account", "owner@example.test").get("error", {}).get("code"),
              "protected")
    tap.equal("an address that nobody confirmed is nobody's",
              s.call("block_account", "fake@example.test").get("error", {}).get("code"),
              "not_found")
    double.users["U0GUEST"]["profile"]["real_name"] = "\ufffe\u202eevil\u0000"
    odd = s.call("block_account", "guest@example.test", only_plan=True)
    tap.ok("nobody hides behind a name that no plan takes", "plan" in odd, odd)
    double.users["U0GUEST"]["profile"]["real_name"] = "x" * 100000
    odd = s.call("block_account", "guest@example.test", only_plan=True)
    tap.ok("or that is too long", "plan" in odd, odd)
    tap.equal("a handle is nobody's",
              s.call("block_account", "ava").get("error", {}).get("code"), "not_found")
    s.close()
    s = slack_server(double, reset_sessions=True)
    ended = s.call("revoke_sessions")
    tap.equal("sessions alone, without SCIM", phases(ended).get(("slack", "sessions")),
              "accepted")
    s.close()
    s = slack_server(double)
    nothing = s.call("block_account")
    tap.ok("with no rights at all it is said, not skipped",
           "was not given the right" in json.dumps(nothing), nothing)
    s.close()
    double.close()


def test_all_at_once():
    okta, github, slack = okta_double(), github_double(), slack_double()
    s = Server({"okta": {"api": {"url": okta.url, "token_file": "okta"}},
                "github": {"api": {"url": github.url, "organization": github.org,
                                   "token_file": "github"}},
                "slack": {"api": {"url": slack.url + "/api", "scim_url": slack.url + "/scim/v2",
                                  "token_file": "slack", "admin_token_file": "admin"},
                          "deactivate": True}},
               {"okta": OktaDouble.token, "github": GithubDouble.token,
                "slack": SlackDouble.token, "admin": SlackDouble.admin_token})
    github.fault("DELETE", "/members/", status=403, body={"message": "no"}, times=9)
    done = s.call("block_account")
    tap.equal("one system that refuses stops no other",
              (okta.users["00uava"]["status"], slack.users["U0AVA"]["deleted"],
               "ava-reyes" in github.membership), ("SUSPENDED", True, True))
    tap.ok("and says so", "GitHub does not allow it" in json.dumps(done), done)
    github.forget()
    s.call("block_account")
    listed = s.ask({"tool": "list_blocked_accounts", "arguments": {}})
    tap.equal("all are listed", sorted(a["system"] for a in listed["result"]["accounts"]),
              ["github", "okta", "slack"])
    undone = s.call("unblock_account")
    tap.equal("all is given back",
              (undone.get("error"), okta.users["00uava"]["status"],
               slack.users["U0AVA"]["deleted"], github.membership.get("ava-reyes")),
              (None, "ACTIVE", False, {"role": "member", "state": "active"}))
    s.close()
    for double in (okta, github, slack):
        double.close()


def test_independent_doubles():
    if not emulator.is_installed():
        tap.skip("the independent doubles", emulator.WHY)
        return
    okta = emulator.Emulator("okta", {"users": [
        {"okta_id": "00uava", "login": AVA, "email": AVA, "first_name": "Ava",
         "last_name": "Reyes", "status": "ACTIVE"}]},
        {"okta-token": {"login": "admin@example.test", "scopes": ["okta.users.manage"]}})
    s = Server({"okta": {"api": {"url": okta.url, "token_file": "okta"},
                         "protect_administrators": False}}, {"okta": "okta-token"})
    done = s.call("block_account", more={"revoke_sessions": False})
    tap.equal("Okta's: suspended", phases(done).get(("okta", "sign_in")), "verified")
    undone = s.call("unblock_account")
    tap.equal("Okta's: and back", phases(undone).get(("okta", "sign_in")), "verified")
    s.close()
    okta.close()
    github = emulator.Emulator("github", {
        "users": [{"login": n, "email": f"{n}@example.test"} for n in ("boss", "ava-reyes")],
        "orgs": [{"login": "example-org", "members": [
            {"login": "boss", "role": "admin"}, {"login": "ava-reyes", "role": "member"}]}]},
        {"gh-token": {"login": "boss", "scopes": ["admin:org"]}})
    s = Server({"github": {"api": {"url": github.url, "organization": "example-org",
                                   "token_file": "github"}}}, {"github": "gh-token"})
    done = s.call("block_account", "ava-reyes")
    tap.equal("GitHub's: taken out", phases(done).get(("github", "memberships")), "verified")
    undone = s.call("unblock_account", "ava-reyes")
    tap.equal("GitHub's: and back", phases(undone).get(("github", "memberships")), "verified")
    s.close()
    github.close()


def test_configuration():
    double = slack_double()
    s = Server({"slack": {"api": {"url": double.url + "/api", "token_file": "slack"},
                          "deactivate": True}}, {"slack": SlackDouble.token})
    tap.equal("deactivation without an owner's token does not start", s.is_open, False)
    s.folder.cleanup()
    double.close()


if __name__ == "__main__":
    tap.run([test_okta, test_okta_faults, test_github, test_github_meanwhile,
             test_github_faults, test_github_server, test_slack, test_all_at_once,
             test_independent_doubles, test_configuration])
    tap.done()
