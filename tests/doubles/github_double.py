"""A double of GitHub's API about organisations: what the one on npm lacks.

Invitations that are pending, the last owner, both ways to remove, teams of teams, GraphQL
with errors under 200, SAML identities, credentials, suspension, ETags, limits of both
kinds, the User-Agent, single sign-on.
"""

import hashlib
import json
import time

import jwt

from doubles.vendor_double import Answer, VendorDouble


class GithubDouble(VendorDouble):
    token = "ghp_test-token"
    org = "example-org"

    def __init__(self, page=2, prefix=""):
        super().__init__()
        self.page, self.prefix = page, prefix
        self.users = {}        # login -> id, name, email, suspended
        self.membership = {}   # login -> role, state
        self.teams = {}        # slug -> id, name, parent, members {login: role}
        self.identities, self.outside, self.credentials = [], [], {}
        self.has_saml, self.has_credentials, self.has_graphql = True, True, True
        self.accepts = True    # whether an invitation is accepted at once
        self.app_key, self.app_id, self.installation = None, 7, 70
        self.app_tokens = set()
        self.query_errors = []  # one is taken by each query
        o = prefix + rf"/orgs/{self.org}"
        user = r"([A-Za-z0-9_-]+)"
        self.routes = [
            ("POST", prefix + r"/app/installations/(\d+)/access_tokens", self.issue),
            ("GET", prefix + "/user", self.get_self),
            ("GET", prefix + "/users/" + user, self.get_user),
            ("GET", prefix + r"/user/(\d+)", self.get_user_by_id),
            ("PUT", prefix + "/users/" + user + "/suspended", self.suspend),
            ("DELETE", prefix + "/users/" + user + "/suspended", self.unsuspend),
            ("GET", o, lambda r: Answer(200, {"login": self.org, "id": 1})),
            ("GET", o + "/members", self.list_members),
            ("GET", o + "/outside_collaborators", self.list_outside),
            ("DELETE", o + "/members/" + user, self.remove_member),
            ("GET", o + "/memberships/" + user, self.get_membership),
            ("PUT", o + "/memberships/" + user, self.put_membership),
            ("DELETE", o + "/memberships/" + user, self.delete_membership),
            ("GET", o + "/teams", self.list_teams),
            ("GET", o + "/teams/" + user, self.show_team),
            ("GET", o + "/teams/" + user + "/memberships/" + user, self.get_team),
            ("PUT", o + "/teams/" + user + "/memberships/" + user, self.put_team),
            ("DELETE", o + "/teams/" + user + "/memberships/" + user, self.delete_team),
            ("GET", o + "/credential-authorizations", self.list_credentials),
            ("DELETE", o + r"/credential-authorizations/(\d+)", self.remove_credential),
            ("POST", "/api/graphql" if prefix else "/graphql", self.graphql),
        ]

    # ---- for tests ----

    def add_user(self, login, uid, role=None, **more):
        self.users[login] = {"id": uid, "name": more.get("name", ""),
                             "email": more.get("email", ""), "suspended": False,
                             "verified": more.get("verified", [])}
        if role:
            self.membership[login] = {"role": role, "state": "active"}

    def add_team(self, slug, tid, members, parent=None):
        self.teams[slug] = {"id": tid, "name": slug.title(), "parent": parent,
                            "members": dict(members)}

    # ---- manners ----

    def error(self, status, message, **more):
        return Answer(status, {"message": message, "documentation_url": "https://docs.example",
                               "status": str(status), **more})

    def refuse(self, request):
        if not request.headers.get("User-Agent"):
            return self.error(403, "Request forbidden by administrative rules.")
        value = request.headers.get("Authorization", "")
        if request.path.endswith("/access_tokens") or value == f"Bearer {self.token}" or \
                value.removeprefix("Bearer ") in self.app_tokens:
            return None
        return self.error(401, "Bad credentials")

    def unknown(self, request):
        return self.error(404, "Not Found")

    def decorate(self, request, answer):
        answer.headers.setdefault("x-ratelimit-limit", "5000")
        answer.headers.setdefault("x-ratelimit-remaining", "4999")
        answer.headers.setdefault("x-ratelimit-reset", str(int(time.time()) + 3600))
        answer.headers.setdefault("x-github-request-id", "AB12:34CD:1")
        if request.method == "GET" and answer.status == 200:
            etag = 'W/"%s"' % hashlib.sha256(json.dumps(answer.body).encode()).hexdigest()[:16]
            answer.headers["ETag"] = etag
            if request.headers.get("If-None-Match") == etag:
                return Answer(304, None, answer.headers)
        return answer

    def issue(self, request, installation):
        try:
            claims = jwt.decode(request.headers.get("Authorization", "")[7:], self.app_key,
                                algorithms=["RS256"], issuer=str(self.app_id))
        except (jwt.PyJWTError, TypeError, ValueError) as e:
            return self.error(401, f"A JSON web token could not be decoded: {e}")
        if int(installation) != self.installation or claims["exp"] - time.time() > 600:
            return self.error(404, "Not Found")
        token = f"ghs_{len(self.app_tokens)}"
        self.app_tokens.add(token)
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        return Answer(201, {"token": token, "expires_at": until})

    # ---- users ----

    def show(self, login):
        u = self.users[login]
        shown = {"login": login, "id": u["id"], "type": "User", "site_admin": False,
                 "name": u["name"] or None, "email": u["email"] or None}
        if self.prefix:
            shown["suspended_at"] = "2026-01-01T00:00:00Z" if u["suspended"] else None
        return shown

    def known(self, login):
        return next((k for k in self.users if k.lower() == login.lower()), None)

    def get_self(self, request):
        return Answer(200, self.show(next(iter(self.users))))

    def get_user(self, request, login):
        login = self.known(login)
        return Answer(200, self.show(login)) if login else self.unknown(request)

    def get_user_by_id(self, request, uid):
        for login, u in self.users.items():
            if u["id"] == int(uid):
                return Answer(200, self.show(login))
        return self.unknown(request)

    def suspend(self, request, login):
        if not self.prefix or login not in self.users:
            return self.unknown(request)
        self.users[login]["suspended"] = True
        return Answer(204)

    def unsuspend(self, request, login):
        if not self.prefix or login not in self.users:
            return self.unknown(request)
        self.users[login]["suspended"] = False
        return Answer(204)

    # ---- members ----

    def paged(self, request, items):
        number = int(request.arg("page", "1"))
        size = min(self.page, int(request.arg("per_page", "30")))
        headers = {}
        if number * size < len(items):
            role = f"&role={request.arg('role')}" if request.arg("role") else ""
            base = f"{self.url}{request.raw_path}?per_page={size}{role}"
            headers["Link"] = (f'<{base}&page={number + 1}>; rel="next", '
                               f'<{base}&page=99>; rel="last"')
        return Answer(200, items[(number - 1) * size:number * size], headers)

    def list_members(self, request):
        role = request.arg("role", "all")
        return self.paged(request, [
            {"login": n, "id": self.users[n]["id"], "type": "User", "site_admin": False}
            for n, m in sorted(self.membership.items())
            if m["state"] == "active" and role in ("all", m["role"])])

    def list_outside(self, request):
        return self.paged(request, [self.show(n) for n in self.outside])

    def show_membership(self, login):
        return {**self.membership[login], "url": "", "organization": {"login": self.org},
                "user": {"login": login, "id": self.users[login]["id"]}}

    def get_membership(self, request, login):
        login = self.known(login)
        if login not in self.membership:
            return self.unknown(request)
        return Answer(200, self.show_membership(login))

    def put_membership(self, request, login):
        login = self.known(login)
        role = (request.json() or {}).get("role", "member")
        if not login or role not in ("admin", "member"):
            return self.error(422, "Validation Failed", errors=[{"code": "invalid"}])
        state = self.membership.get(login, {}).get(
            "state", "active" if self.accepts else "pending")
        self.membership[login] = {"role": role, "state": state}
        return Answer(200, self.show_membership(login))

    def accept(self, login):
        self.membership[login]["state"] = "active"

    def take_out(self, request, login, states):
        login = self.known(login)
        member = self.membership.get(login)
        if not member or member["state"] not in states:
            return self.unknown(request)
        owners = [n for n, m in self.membership.items()
                  if m["role"] == "admin" and m["state"] == "active"]
        if owners == [login]:
            return self.error(403, "Cannot remove the last owner")
        del self.membership[login]
        for team in self.teams.values():
            team["members"].pop(login, None)
        return Answer(204)

    def remove_member(self, request, login):
        return self.take_out(request, login, ("active",))

    def delete_membership(self, request, login):
        return self.take_out(request, login, ("active", "pending"))

    # ---- teams ----

    def children(self, slug):
        for name, team in self.teams.items():
            if team["parent"] == slug:
                yield name
                yield from self.children(name)

    def role_in(self, slug, login):
        """His own role, or by a child team."""
        own = self.teams[slug]["members"].get(login)
        if own:
            return own
        if any(login in self.teams[c]["members"] for c in self.children(slug)):
            return "member"
        return None

    def list_teams(self, request):
        return self.paged(request, [
            {"id": t["id"], "slug": s, "name": t["name"], "privacy": "closed"}
            for s, t in sorted(self.teams.items())])

    def show_team(self, request, slug):
        if slug not in self.teams:
            return self.unknown(request)
        team = self.teams[slug]
        return Answer(200, {"id": team["id"], "slug": slug, "name": team["name"]})

    def get_team(self, request, slug, login):
        login = self.known(login)
        role = slug in self.teams and login and self.role_in(slug, login)
        if not role:
            return self.unknown(request)
        state = self.membership.get(login, {}).get("state", "pending")
        return Answer(200, {"role": role, "state": state, "url": ""})

    def put_team(self, request, slug, login):
        login = self.known(login)
        role = (request.json() or {}).get("role", "member")
        if slug not in self.teams or not login:
            return self.unknown(request)
        if login not in self.membership:
            self.membership[login] = {"role": "member", "state": "pending"}
        self.teams[slug]["members"][login] = role
        return Answer(200, {"role": role, "state": self.membership[login]["state"], "url": ""})

    def delete_team(self, request, slug, login):
        if slug not in self.teams or login not in self.teams[slug]["members"]:
            return self.unknown(request)
        del self.teams[slug]["members"][login]
        return Answer(204)

    # ---- credentials ----

    def list_credentials(self, request):
        if not self.has_credentials:
            return self.unknown(request)
        login = request.arg("login")
        return self.paged(request, [
            {"login": who, "credential_id": cid, "credential_type": kind}
            for cid, (who, kind) in sorted(self.credentials.items())
            if login in (None, who)])

    def remove_credential(self, request, cid):
        if self.credentials.pop(int(cid), None) is None:
            return self.unknown(request)
        return Answer(204)

    # ---- GraphQL: told by what a query asks for ----

    def connection(self, variables, items, list_name, size=2):
        start = int((variables.get("c") or "c0")[1:])
        end = start + size
        return {"pageInfo": {"hasNextPage": end < len(items), "endCursor": f"c{end}"},
                list_name: items[start:end]}

    def graphql(self, request):
        if not self.has_graphql:
            return self.unknown(request)
        if self.query_errors:
            return Answer(200, self.query_errors.pop(0))
        body = request.json()
        variables, query = body["variables"], body["query"]
        if variables["o"] != self.org:
            return Answer(200, {"data": {"organization": None}, "errors": [
                {"type": "NOT_FOUND", "path": ["organization"],
                 "message": "Could not resolve to an Organization"}]})
        if "membersWithRole" in query:
            edges = [{"role": m["role"].upper(),
                      "node": {"databaseId": self.users[n]["id"], "login": n,
                               "name": self.users[n]["name"] or None,
                               "email": self.users[n]["email"],
                               "organizationVerifiedDomainEmails": self.users[n]["verified"]}}
                     for n, m in sorted(self.membership.items()) if m["state"] == "active"]
            inner = {"membersWithRole": self.connection(variables, edges, "edges")}
        elif "samlIdentityProvider" in query:
            inner = {"samlIdentityProvider": {"externalIdentities": self.connection(
                variables, self.identities, "nodes")} if self.has_saml else None}
        else:
            inner = {"teams": self.connection(
                variables, self.team_nodes(variables["u"]), "nodes")}
        return Answer(200, {"data": {"organization": inner}})

    def team_nodes(self, login):
        """Those he is in by any way; the members among them like 'login', his own alone."""
        nodes = []
        for slug, team in sorted(self.teams.items()):
            if self.role_in(slug, login):
                edges = [{"role": role.upper(), "node": {"login": n}}
                         for n, role in sorted(team["members"].items())
                         if login.lower() in n.lower()]
                nodes.append({"databaseId": team["id"], "slug": slug, "name": team["name"],
                              "members": {"edges": edges}})
        return nodes
