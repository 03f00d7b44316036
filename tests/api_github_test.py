"""The client of GitHub against two doubles: the independent one on npm, and our own for
what that lacks (invitations, the last owner, GraphQL, SAML, suspension, limits)."""

import tap
from api_rig import Rig
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from doubles import emulator
from doubles.github_double import GithubDouble


def start(prefix=""):
    double = GithubDouble(prefix=prefix)
    double.add_user("orgadmin", 1, "admin", name="Org Admin")
    double.add_user("ava-reyes", 2, "member", name="Ava Reyes", email="ava@home.example",
                    verified=["ava.reyes@example.test"])
    double.add_user("ben-okafor", 3, "member")
    double.add_user("carla", 4, "member")
    double.add_user("outsider", 9)
    double.add_team("ops", 11, {"ava-reyes": "maintainer", "ben-okafor": "member"})
    double.add_team("ops-night", 12, {"carla": "member"}, parent="ops")
    double.add_team("web", 13, {"ava-reyes": "member"})
    rig = Rig("github", {"url": double.url + prefix, "organization": double.org,
                         "token_file": "token"}, {"token": double.token})
    return double, rig


def logins(items):
    return [i["login"] for i in items]


def test_reading():
    double, rig = start()
    tap.equal("who we are", rig.result("self")["login"], "orgadmin")
    tap.equal("a user, whatever his case", rig.result("user", "AVA-Reyes")["id"], 2)
    tap.equal("by id", rig.result("user-by-id", "3")["login"], "ben-okafor")
    tap.equal("nobody", rig.error("user", "nobody"), "not_found")
    tap.equal("members of a role, all pages", logins(rig.items("members", "member")),
              ["ava-reyes", "ben-okafor", "carla"])
    tap.equal("owners", logins(rig.items("members", "admin")), ["orgadmin"])
    double.forget()
    twice = rig.run("members-twice", "admin")
    tap.equal("an unchanged list is not sent again", twice["result"], [True, False])
    tap.ok("by its ETag", double.seen("GET", "/members")[-1].headers["If-None-Match"])
    profiles = rig.items("profiles")
    tap.equal("profiles, all pages", [(p["login"], p["role"]) for p in profiles],
              [("ava-reyes", "member"), ("ben-okafor", "member"), ("carla", "member"),
               ("orgadmin", "admin")])
    tap.equal("with verified addresses", profiles[0]["verified"], ["ava.reyes@example.test"])
    double.outside = ["outsider"]
    tap.equal("outside collaborators", logins(rig.items("outside")), ["outsider"])
    double.identities = [
        {"guid": f"g{i}", "samlIdentity": {"nameId": f"n{i}@example.test"},
         "scimIdentity": None, "user": user}
        for i, user in enumerate([{"databaseId": 2, "login": "ava-reyes"}, None,
                                  {"databaseId": 3, "login": "ben-okafor"}])]
    got = rig.run("identities")
    tap.equal("SAML identities", [(i["name_id"], i["login"], i["id"]) for i in got["items"]],
              [("n0@example.test", "ava-reyes", 2), ("n1@example.test", "", 0),
               ("n2@example.test", "ben-okafor", 3)])
    double.has_saml = False
    tap.equal("no SAML of its own", rig.run("identities"), {"result": False, "items": []})
    tap.equal("a membership", rig.result("membership", "orgadmin"),
              {"state": "active", "role": "admin", "user_id": 1})
    tap.equal("none", rig.result("membership", "outsider")["state"], "none")
    tap.equal("his own teams", [(t["slug"], t["role"]) for t in rig.items("teams-of", "ava-reyes")],
              [("ops", "maintainer"), ("web", "member")])
    tap.equal("not those by a child team", [t["slug"] for t in rig.items("teams-of", "carla")],
              ["ops-night"])
    double.has_graphql = False
    tap.equal("where there is no GraphQL each is asked",
              [(t["slug"], t["role"], t["id"]) for t in rig.items("teams-of", "ava-reyes")],
              [("ops", "maintainer", 11), ("web", "member", 13)])
    tap.equal("which profiles cannot do without", rig.error("profiles"), "not_found")
    tap.ok("every request says who asks and which version", all(
        r.headers["User-Agent"].startswith("wingman/") and
        r.headers["X-GitHub-Api-Version"] == "2022-11-28" for r in double.seen()))
    double.close()
    rig.close()


def test_changes():
    double, rig = start()
    tap.equal("a member is removed", rig.error("remove", "ava-reyes", "active"), None)
    tap.equal("and is out of the teams", double.role_in("ops", "ava-reyes"), None)
    tap.equal("twice", rig.error("remove", "ava-reyes", "active"), "not_found")
    tap.equal("the last owner", rig.error("remove", "orgadmin", "active"),
              "permission_denied")
    double.accepts = False
    tap.equal("invited", rig.result("set-membership", "ava-reyes", "member")["state"],
              "pending")
    tap.equal("into a team meanwhile",
              rig.result("set-team", "ops", "ava-reyes", "maintainer"),
              {"state": "pending", "role": "maintainer", "user_id": 0})
    tap.equal("taken back", (rig.error("remove", "ava-reyes", "pending"),
                             rig.result("membership", "ava-reyes")["state"]),
              (None, "none"))
    tap.equal("by the way that does so",
              double.seen("DELETE")[-1].path, "/orgs/example-org/memberships/ava-reyes")
    double.credentials = {5: ("carla", "personal access token"), 6: ("carla", "SSH key"),
                          7: ("ben-okafor", "SSH key")}
    tap.equal("credentials", [c["id"] for c in rig.items("credentials", "carla")], [5, 6])
    tap.equal("are taken away", (rig.error("remove-credential", "5"), double.credentials.keys()),
              (None, {6, 7}))
    tap.equal("once", rig.error("remove-credential", "5"), "not_found")
    double.has_credentials = False
    tap.equal("a plan without them", rig.error("credentials", "carla"), "not_found")
    tap.equal("github.com suspends nobody", rig.error("suspend", "carla"),
              "precondition_failed")
    for bad in ("", "a/b", "..", "a?b", "x" * 49, "é"):
        tap.equal(f"'{bad[:6]}' never gets into a path",
                  rig.error("remove", bad, "active"), "invalid_argument")
    double.close()
    rig.close()


def test_enterprise_server():
    double, rig = start("/api/v3")
    tap.equal("suspended", (rig.error("suspend", "carla"), rig.result("user", "carla")["suspended"]),
              (None, True))
    tap.equal("with a reason", double.seen("PUT", "/suspended")[0].json(), {"reason": "test"})
    tap.equal("and back", (rig.error("unsuspend", "carla"),
                           rig.result("user", "carla")["suspended"]), (None, False))
    tap.equal("its GraphQL is elsewhere", len(rig.items("profiles")), 4)
    double.close()
    rig.close()


def test_faults():
    double, rig = start()
    double.fault("DELETE", "/members/", cut=True, after=True)
    tap.equal("a reply that was lost", rig.error("remove", "ava-reyes", "active"),
              "unknown_outcome")
    tap.equal("is not repeated", len(double.seen("DELETE")), 1)
    tap.equal("reading tells", rig.result("membership", "ava-reyes")["state"], "none")
    double.fault("PUT", "/memberships/", status=200, body=b"{", after=True)
    tap.equal("an answer nobody can read", rig.error("set-membership", "ava-reyes", "member"),
              "unknown_outcome")
    tap.equal("to what was done", rig.result("membership", "ava-reyes")["state"], "active")
    double.fault("GET", "/members", status=403, headers={"x-ratelimit-remaining": "0",
                                                         "x-ratelimit-reset": "1"},
                 body={"message": "API rate limit exceeded"})
    tap.equal("403 for the rate, whose window is over", logins(rig.items("members", "admin")),
              ["orgadmin"])
    double.fault("DELETE", "/members/", status=403, headers={"Retry-After": "0"},
                 body={"message": "You have exceeded a secondary rate limit"})
    tap.equal("the other limit, even of a write", rig.error("remove", "carla", "active"), None)
    double.fault("GET", "/members", status=403,
                 body={"message": "You have exceeded a secondary rate limit"})
    tap.equal("which wants a minute if it does not say",
              (rig.error("members", "admin", patience_ms=3000), rig.last["hint"]),
              ("rate_limited", "ask again in 60 s"))
    double.fault("GET", "/members", status=403, body={"message": "Must have admin rights"})
    tap.equal("a plain 403", rig.error("members", "admin"), "permission_denied")
    double.fault("GET", "/members", status=403,
                 headers={"X-GitHub-SSO": "required; url=https://github.example/sso?x"},
                 body={"message": "Resource protected by organization SAML enforcement"})
    tap.equal("single sign-on", rig.error("members", "admin"), "permission_denied")
    tap.ok("is said", "single sign-on" in rig.last["hint"] and "sso?x" not in str(rig.last),
           rig.last)
    tap.ok("with the vendor's id", "id AB12:34CD:1" not in rig.last["message"])
    for fault, code in (
            ({"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]},
             "permission_denied"),
            ({"data": {"organization": None}}, "backend_unavailable"),
            ({"data": {"organization": {"membersWithRole": {"edges": []}}}},
             "backend_unavailable"),
            ({"data": {"organization": {"membersWithRole": {
                "edges": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}}},
             "backend_unavailable"),
            ({"data": {"organization": {"membersWithRole": {
                "edges": [{"node": {"login": "a/b", "databaseId": 1}}],
                "pageInfo": {"hasNextPage": False}}}}}, "backend_unavailable"),
            ({"data": {"organization": {}}, "errors": [{"message": "partly"}]},
             "backend_unavailable"),
            ({"errors": [{"type": "RATE_LIMITED"}]}, "rate_limited"),
            ([], "backend_unavailable")):
        double.query_errors = [fault]
        tap.equal(f"200 with {str(fault)[:50]}", rig.error("profiles"), code)
    double.query_errors = [{"data": {"organization": {"membersWithRole": {
        "edges": [], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}}}}] * 2
    tap.equal("a cursor that does not move", rig.error("profiles"), "backend_unavailable")
    double.fault("GET", "/memberships/", status=200,
                 body={"state": "active", "role": "ad\nmin", "user": {"login": "carla"}})
    tap.equal("a role that is none", rig.error("membership", "carla"), "backend_unavailable")
    double.fault("GET", "/users/", status=301, headers={"Location": "/user/3"})
    tap.equal("a user who was renamed answers as another",
              rig.error("user", "old-name"), "not_found")
    double.fault("GET", "/users/", status=200, body={"login": "eve", "id": 66})
    tap.equal("about another user", rig.error("user", "carla"), "not_found")
    rig.put("token", "wrong")
    tap.equal("a token that is refused", rig.error("ping"), "permission_denied")
    double.close()
    rig.close()


def pem(key, kind=serialization.PrivateFormat.TraditionalOpenSSL):
    return key.private_bytes(serialization.Encoding.PEM, kind,
                             serialization.NoEncryption()).decode()


def test_app():
    double, plain = start()
    plain.close()
    key = rsa.generate_private_key(65537, 2048)
    double.app_key = key.public_key()
    config = {"url": double.url, "organization": double.org, "app_id": 7,
              "installation_id": 70, "key_file": "key"}
    rig = Rig("github", config, {"key": pem(key)})
    tap.equal("an app's installation", logins(rig.items("members", "admin")), ["orgadmin"])
    tap.equal("its token is fetched once", len(double.seen("POST", "access_tokens")), 1)
    tap.equal("and used", double.seen("GET")[-1].headers["Authorization"], "Bearer ghs_0")
    double.fault("POST", "access_tokens", cut=True)
    tap.equal("again if it was lost", rig.error("ping"), None)
    tap.equal("another installation", rig.error("ping", config={**config, "installation_id": 71}),
              "not_found")
    double.app_key = rsa.generate_private_key(65537, 2048).public_key()
    tap.equal("a key that GitHub does not know", rig.error("ping"), "permission_denied")
    rig.put("key", pem(ec.generate_private_key(ec.SECP256R1())))
    tap.equal("a key of the wrong kind", rig.error("ping"), "invalid_argument")
    tap.equal("half a configuration",
              rig.error("ping", config={**config, "token_file": "key"}), "invalid_argument")
    double.close()
    rig.close()


def test_independent_double():
    if not emulator.is_installed():
        tap.skip("the independent double", emulator.WHY)
        return
    people = [("orgadmin", "admin"), ("ava-reyes", "member"), ("second", "admin")]
    double = emulator.Emulator("github", {
        "users": [{"login": n, "name": n.title(), "email": f"{n}@example.test"}
                  for n in ("orgadmin", "ava-reyes", "second", "outsider")],
        "orgs": [{"login": "example-org", "name": "Example",
                  "members": [{"login": n, "role": r} for n, r in people]}]},
        {"gh-token": {"login": "orgadmin", "scopes": ["repo", "user", "admin:org"]}})
    rig = Rig("github", {"url": double.url, "organization": "example-org",
                         "token_file": "token"}, {"token": "gh-token"})
    try:
        tap.equal("who we are", rig.result("self")["login"], "orgadmin")
        tap.equal("by login", rig.result("user", "ava-reyes")["name"], "Ava-Reyes")
        tap.equal("members", logins(rig.items("members", "member")), ["ava-reyes"])
        tap.equal("owners", sorted(logins(rig.items("members", "admin"))),
                  ["orgadmin", "second"])
        tap.equal("a membership", rig.result("membership", "second")["role"], "admin")
        tap.equal("none", rig.result("membership", "outsider")["state"], "none")
        tap.equal("teams", [t["role"] for t in rig.items("teams-of", "ava-reyes")][:1],
                  ["member"])
        tap.equal("removed", (rig.error("remove", "ava-reyes", "active"),
                              rig.result("membership", "ava-reyes")["state"]),
                  (None, "none"))
        tap.equal("and back", rig.result("set-membership", "ava-reyes", "member")["state"],
                  "active")
    finally:
        double.close()
        rig.close()


if __name__ == "__main__":
    tap.run([test_reading, test_changes, test_enterprise_server, test_faults, test_app,
             test_independent_double])
    tap.done()
