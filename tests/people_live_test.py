"""wingman-people with a real slapd and doubles of Okta, GitHub and Slack: joined, kept up to
date, and served while they are down."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
import urllib.parse
import urllib.request

import slapd
import tap
from doubles import emulator
from doubles.github_double import GithubDouble
from doubles.okta_double import OktaDouble
from doubles.slack_double import SlackDouble
from gate_rig import BUILD, Program

PREFIX = "io.modelcontextprotocol/"
BASE = f"ou=people,{slapd.SUFFIX}"

# A title is where this company keeps logins of GitHub.
EXTRA = f"""dn: uid=dora.claim,{BASE}
objectClass: inetOrgPerson
uid: dora.claim
cn: Dora Claim
sn: Claim
title: dora-gh
employeeNumber: 4711
memberOf: cn=admins,ou=groups,{slapd.SUFFIX}

dn: uid=ava,{BASE}
objectClass: inetOrgPerson
uid: ava
cn: Ava Reyes
sn: Reyes
mail: ava@example.test
title: ava-reyes

dn: uid=eve.claim,{BASE}
objectClass: inetOrgPerson
uid: eve.claim
cn: Eve Claim
sn: Claim
title: wanted-gh

dn: uid=adam.claim,{BASE}
objectClass: inetOrgPerson
uid: adam.claim
cn: Adam Claim
sn: Claim
title: wanted-gh
"""


class Company:
    """The server, and where it reads from."""

    believes = False  # addresses of which Slack does not say that they were confirmed

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="wingman-people-")
        self.stack = contextlib.ExitStack()
        self.ldap = self.stack.enter_context(slapd.Slapd(EXTRA))
        self.okta, self.github, self.slack = self.vendors()
        for double in (self.okta, self.github, self.slack):
            self.stack.callback(double.close)
        for name in ("keys/trusted", "tokens", "callers", "config", "audit", "run", "people"):
            os.makedirs(os.path.join(self.dir, name), mode=0o700)
        os.chmod(self.dir, 0o700)
        self.token = "wm_" + secrets.token_urlsafe(32)
        self.put("callers/index.json", json.dumps({"v": 1, "tokens": [{
            "id": "t1", "sha256": hashlib.sha256(self.token.encode()).hexdigest(),
            "principal": "service/accounts", "client": "accounts", "scopes": ["people:read"], "created_at": 1}]}))
        self.put("people/state.key", secrets.token_bytes(32))
        for name, token in self.secrets().items():
            self.put("tokens/" + name, token)
        self.put("tokens/ldap", self.ldap.password)
        self.server = None

    def vendors(self):
        return OktaDouble(), GithubDouble(), SlackDouble()

    def secrets(self):
        return {"okta": self.okta.token, "github": self.github.token, "slack": self.slack.token}

    def put(self, name, text):
        path = os.path.join(self.dir, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def configure(self, refresh_s=1, sweep_s=2, max_age_s=3600):
        self.put("config/people.yaml", json.dumps({
            "listen": {"address": "127.0.0.1", "port": 0},
            "freed_resources": ["person://search{?q}", "person://{id}"],
            "freed_resources_for": ["service/accounts"],
            "backend": {
                "refresh_s": refresh_s, "sweep_s": sweep_s, "max_age_s": max_age_s,
                "domain_aliases": {"example.alias": "example.test"},
                "sources": {
                    "ldap": {"uri": self.ldap.uri, "bind_dn": slapd.SERVICE_DN,
                             "password_file": "tokens/ldap", "people_base": slapd.SUFFIX,
                             "claims": {"github": "title"},
                             "service_subtrees": [f"OU=breakglass, {slapd.SUFFIX}"]},
                    "okta": {"api": {"url": self.okta.url, "token_file": "tokens/okta"},
                             "claims": {"github": "githubLogin"}},
                    "github": {"api": {"organization": "example-org", "url": self.github.url,
                                       "token_file": "tokens/github"}},
                    "slack": {"api": {"url": self.slack.url + "/api", "token_file": "tokens/slack"},
                              "believe_email": self.believes}}}}))

    def start(self):
        self.server = Program([os.path.join(BUILD, "bin", "wingman-people"), "--dir", self.dir],
                              os.path.join(self.dir, "run", "people.log"))

    def stop(self):
        if self.server:
            self.server.stop()
        self.server = None

    def close(self):
        self.stop()
        self.stack.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- asking ----

    def read(self, uri):
        """What is at a uri, or the code of the error."""
        params = {"uri": uri, "_meta": {PREFIX + "protocolVersion": "2026-07-28",
                                        PREFIX + "clientCapabilities": {},
                                        PREFIX + "clientInfo": {"name": "t", "version": "1"}}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params}
        request = urllib.request.Request(
            self.server.ready["url"], data=json.dumps(body).encode(), method="POST", headers={
                "Content-Type": "application/json", "MCP-Protocol-Version": "2026-07-28",
                "Accept": "application/json, text/event-stream", "Mcp-Method": "resources/read",
                "Mcp-Name": uri, "Authorization": "Bearer " + self.token})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                answer = json.loads(reply.read())
        except urllib.error.HTTPError as e:
            return e.read().decode(errors="replace")
        if "error" in answer:
            return answer["error"]["data"]["error"]["code"]
        return json.loads(answer["result"]["contents"][0]["text"])

    def find(self, query):
        return self.read("person://search?q=" + urllib.parse.quote(query, safe=""))

    def one(self, query):
        found = self.find(query)
        return found["people"][0] if found["match"] == "unique" else found

    def wait(self, condition, what):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        with open(os.path.join(self.dir, "run", "people.log"), encoding="utf-8") as f:
            raise AssertionError(f"waited for {what}\n" + f.read()[-3000:])


class OtherCompany(Company):
    """The same, with the doubles that others wrote."""

    believes = True

    def vendors(self):
        okta = emulator.Emulator("okta", {
            "users": [{"okta_id": "00uava", "login": "ava@example.test", "email": "ava@example.test",
                       "first_name": "Ava", "last_name": "Reyes", "status": "ACTIVE"},
                      {"okta_id": "00udan", "login": "dan@example.test", "email": "dan@example.test",
                       "first_name": "Dan", "last_name": "Smith", "status": "SUSPENDED"}],
            "groups": [{"name": "security", "type": "OKTA_GROUP", "okta_id": "00gsec"}]},
            {"okta-token": {"login": "admin@example.test", "scopes": ["okta.users.manage"]}})
        members = [("orgadmin", "admin"), ("ava-reyes", "member")]
        github = emulator.Emulator("github", {
            "users": [{"login": n, "name": n.title(), "email": f"{n}@example.test"} for n, _ in members],
            "orgs": [{"login": "example-org", "name": "Example",
                      "members": [{"login": n, "role": r} for n, r in members]}]},
            {"gh-token": {"login": "orgadmin", "scopes": ["repo", "user", "admin:org"]}})
        slack = emulator.Emulator("slack", {
            "team": {"name": "Example", "domain": "example"},
            "users": [{"name": "ava", "real_name": "Ava Reyes", "email": "ava@example.test"}]},
            {"xoxb-test": {"login": "ava", "scopes": []}})
        return okta, github, slack

    def secrets(self):
        return {"okta": "okta-token", "github": "gh-token", "slack": "xoxb-test"}


def test_doubles_of_others():
    if not emulator.is_installed():
        tap.skip("the independent doubles", emulator.WHY)
        return
    other = OtherCompany()
    try:
        other.configure()
        other.start()
        other.wait(lambda: len((f := other.one("ava@example.test")).get("systems", {})) == 4 and f, "Ava")
        ava = other.one("ava@example.test")
        tap.equal("joined across four systems", {e["system"]: e["matched_on"] for e in ava["evidence"]}, {
            "ldap": "email ava@example.test", "okta": "email ava@example.test",
            "slack": "email ava@example.test", "github": "attribute github:ava-reyes"})
        tap.equal("an owner of the organisation is one", other.one("github:orgadmin")["flags"], ["github-owner"])
        tap.equal("who is suspended is so", other.one("00udan")["status"], "suspended")
        tap.ok("and nothing is stale", not other.find("ava@example.test")["stale"])
    finally:
        other.close()


company = None


def identity(login, uid, name_id):
    return {"guid": f"g-{login}", "samlIdentity": {"nameId": name_id},
            "scimIdentity": None, "user": {"login": login, "databaseId": uid}}


def fill():
    okta, github, slack = company.okta, company.github, company.slack
    okta.add_user("00ujohn", "john.doe@example.test", firstName="John", lastName="Doe",
                  displayName="John Doe")
    okta.add_user("00ujane", "jane.roe@example.test", firstName="Jane", lastName="Roe",
                  githubLogin="jane-gh")
    okta.add_user("00udora", "dora@elsewhere.example", firstName="Dora", lastName="Claim",
                  employeeNumber="4711")
    okta.add_user("00uold", "old@example.test", status="DEPROVISIONED", firstName="Old", lastName="Timer")
    okta.add_group("00g1", "Finance", members=["00ujohn"])
    okta.add_group("00gall", "Everyone", kind="BUILT_IN", members=["00ujohn", "00ujane"])
    github.add_user("johnny-d", 1001, role="member", name="Johnny")
    github.add_user("jane-gh", 1002, role="admin")
    github.add_user("dora-gh", 1003, role="member")
    github.add_user("wanted-gh", 1004, role="member")
    github.add_user("pretender", 1005, role="member", name="John Doe", email="john.doe@example.test")
    github.add_user("helper", 1006)
    github.outside.append("helper")
    github.identities = [identity("johnny-d", 1001, "John.Doe+gh@example.alias"),
                         {"guid": "g-x", "samlIdentity": {"nameId": "x@example.test"},
                          "scimIdentity": None, "user": None}]
    slack.add_user("U0JOHN0001", "jd", "JOHN.DOE@example.test", real_name="John Doe")
    slack.add_user("U0JANE0001", "jane", "jane.roe@example.test", is_email_confirmed=False)
    slack.add_user("U0GUEST001", "guest", "guest@partner.example", is_restricted=True)
    slack.add_user("U0STRANGE1", "stranger", "alex.kim@example.test", is_stranger=True)
    slack.add_user("U0HOSTILE1", "hostile", "hostile@example.test",
                   real_name="Jo\u202ehn \u200bDoe")


def test_joining():
    company.wait(lambda: isinstance(company.find("john.doe"), dict) and
                 len(company.one("john.doe").get("systems", {})) == 4, "the four systems")
    john = company.one("john.doe")
    tap.equal("John in four systems", [john["systems"][s][m] for s, m in (
        ("ldap", "uid"), ("okta", "id"), ("github", "login"), ("slack", "user_id"))],
        ["john.doe", "00ujohn", "johnny-d", "U0JOHN0001"])
    tap.equal("each by what its system vouches for", sorted(
        (e["system"], e["matched_on"], e["verified"]) for e in john["evidence"]),
        sorted((s, "email john.doe@example.test", True) for s in ("ldap", "okta", "github", "slack")))
    tap.equal("groups of LDAP and Okta, but the one of everybody", john["groups"],
              [f"cn=all-staff,ou=groups,{slapd.SUFFIX}", "Finance"])
    ways = ("<@U0JOHN0001>", f"UID=john.doe, {BASE}", "john.doe@example.alias", "github:johnny-d",
            "00ujohn", "john.doe+gh@example.test")
    tap.equal("found by a mention, a DN, an alias of the domain and a tag",
              {q: company.one(q).get("id") for q in ways}, {q: john["id"] for q in ways})
    tap.equal("by id, which has the system in it", company.read("person://" + urllib.parse.quote(
        john["id"]))["display_name"], "John Doe")
    tap.equal("and by what would be the id without LDAP", company.read("person://okta~00ujohn")["id"], john["id"])
    pretender = company.one("pretender")
    tap.ok("an address that anybody may write is no proof", pretender["id"] != john["id"] and
           pretender["systems"].keys() == {"github"}, pretender)
    tap.equal("so the name is ambiguous", company.find("John Doe")["match"], "ambiguous")
    jane = company.one("jane.roe")
    tap.ok("an attribute names her login", jane["systems"]["github"]["login"] == "jane-gh" and
           "github-owner" in jane["flags"], jane)
    tap.ok("an address that Slack did not confirm joins nothing", "slack" not in jane["systems"], jane)
    dora = company.one("dora.claim")
    tap.equal("by employee number and attribute", {e["system"]: e["matched_on"] for e in dora["evidence"]}, {
        "ldap": "attribute github:dora-gh", "github": "attribute github:dora-gh",
        "okta": "employee number 4711"})
    wanted = company.one("wanted-gh")
    tap.ok("a login that two claim is nobody's", wanted["systems"].keys() == {"github"} and
           "conflict" in wanted["flags"] and "conflict" in company.one("eve.claim")["flags"] and
           any("adam.claim" in c and "eve.claim" in c for c in wanted["conflicts"] +
               company.one("eve.claim")["conflicts"]), wanted)
    tap.equal("two of one name stay two", len(company.find("Alex Kim")["people"]), 2)
    tap.equal("strangers of shared channels are not read", company.find("stranger")["match"], "none")
    hostile = company.one("hostile")
    tap.ok("a name that turns letters round is no name", hostile["display_name"] == "hostile" and
           "odd-values" in hostile["flags"], hostile)
    tap.equal("who left is found", company.one("old@example.test")["status"], "left")
    tap.equal("break-glass accounts are services", company.one("breakglass-1")["kind"], "service")
    tap.ok("a guest and a helper say so", "guest" in company.one("U0GUEST001")["flags"] and
           "outside-collaborator" in company.one("github:helper")["flags"])
    tap.ok("fresh", not company.find("john.doe")["stale"] and not company.find("john.doe")["too_old"])


def test_changes():
    company.okta.users["00ujane"]["status"] = "SUSPENDED"
    company.okta.touch("00ujane")
    company.wait(lambda: company.one("jane.roe").get("status") == "suspended", "Jane to be suspended")
    tap.ok("a change in Okta arrives, her groups with it", company.one("jane.roe")["groups"])
    changed = [r for r in company.okta.seen("GET", "/users$") if "lastUpdated" in (r.arg("filter") or "")]
    tap.ok("asked for as a change", changed)
    company.slack.users["U0JOHN0001"]["deleted"] = True
    company.github.add_user("late", 1007, role="member")
    company.wait(lambda: company.find("github:late")["match"] == "unique", "somebody new")
    company.github.membership.pop("late")
    company.wait(lambda: company.find("github:late")["match"] == "none", "somebody gone")
    tap.ok("who is gone is seen by a sweep", True)
    company.slack.users["U0JOHN0001"]["deleted"] = False


def test_down():
    company.ldap.stop()
    company.okta.fault("*", "", status=503, times=1000000)
    found = company.wait(lambda: (f := company.find("john.doe"))["stale"] and f, "a source to be missed")
    tap.equal("still served", found["people"][0]["systems"]["ldap"]["uid"], "john.doe")
    tap.ok("and said which does not answer", any(w.startswith("ldap does not answer") for w in found["warnings"]), found["warnings"])
    tap.ok("on the record, too", company.read("person://" + found["people"][0]["id"])["stale"])
    tap.ok("not too old yet", not found["too_old"], found)
    company.stop()
    company.configure(max_age_s=10)
    company.start()
    found = company.find("john.doe")
    tap.equal("a restart serves what was read before", found["people"][0]["systems"].keys(),
              {"ldap", "okta", "github", "slack"})
    old = company.wait(lambda: (f := company.find("john.doe"))["too_old"] and f, "it to be too old")
    tap.ok("too old for what cannot be undone, and how old", old["age_s"] >= 10 and old["stale"], old)
    company.okta.forget()
    company.ldap.start()
    company.wait(lambda: not company.find("john.doe")["stale"], "the sources to be back")
    tap.ok("back", not company.find("john.doe")["too_old"])


def test_nobody_is_no_answer():
    users = dict(company.slack.users)
    company.slack.users.clear()
    found = company.wait(lambda: (f := company.find("john.doe"))["stale"] and f, "an empty workspace to be doubted")
    tap.ok("a workspace that shows nobody is not believed", "slack" in found["people"][0]["systems"] and
           any("shows nobody" in w for w in found["warnings"]), found)
    company.slack.users.update(users)


if __name__ == "__main__":
    why = slapd.missing()
    if why:
        tap.skip("people of real sources", why)
    else:
        company = Company()
        try:
            fill()
            company.configure()
            company.start()
            tap.run([test_joining, test_changes, test_down, test_nobody_is_no_answer,
                     test_doubles_of_others])
        finally:
            company.close()
    tap.done()
