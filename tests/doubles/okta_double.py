"""A double of Okta's Management API: what the one on npm lacks.

Sessions, grants and tokens of clients, transitions that are refused, tokens that are
checked (SSWS, and a service app's with a verified assertion), filters, cursors, limits.
"""

import re
import time

import jwt

from doubles.vendor_double import Answer, VendorDouble

ORIGIN = 1760000000


def instant(n):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ORIGIN + n)) + ".000Z"


class OktaDouble(VendorDouble):
    token = "00okta-test-token"

    def __init__(self, page=2):
        super().__init__()
        self.page = page
        self.changes = 0
        self.users, self.groups, self.members = {}, {}, {}
        self.sessions, self.clients, self.grants, self.roles = {}, {}, {}, {}
        self.app_key = None  # public key of the service app 'client_id'
        self.client_id = "0oaservice"
        self.access_tokens = {}
        self.assertions = set()
        u = r"/api/v1/users/([^/]+)"
        self.routes = [
            ("POST", r"/oauth2/v1/token", self.issue),
            ("GET", r"/api/v1/users", self.list_users),
            ("GET", u, self.get_user),
            ("POST", u + r"/lifecycle/(suspend|unsuspend)", self.lifecycle),
            ("DELETE", u + r"/sessions", self.clear_sessions),
            ("GET", u + r"/clients", self.list_clients),
            ("DELETE", u + r"/clients/([^/]+)/tokens", self.revoke_tokens),
            ("DELETE", u + r"/grants", self.revoke_grants),
            ("GET", u + r"/groups", self.groups_of),
            ("GET", u + r"/roles", self.roles_of),
            ("GET", r"/api/v1/groups", self.list_groups),
            ("GET", r"/api/v1/groups/([^/]+)/users", self.list_members),
            ("PUT", r"/api/v1/groups/([^/]+)/users/([^/]+)", self.add_member),
            ("DELETE", r"/api/v1/groups/([^/]+)/users/([^/]+)", self.remove_member),
        ]

    # ---- for tests ----

    def add_user(self, uid, login, status="ACTIVE", **profile):
        self.users[uid] = {
            "id": uid, "status": status, "lastUpdated": "",
            "profile": {"login": login, "email": profile.pop("email", login), **profile}}
        self.sessions[uid] = {"web", "mobile"}
        self.clients[uid] = {}
        self.grants[uid] = set()
        self.touch(uid)

    def add_group(self, gid, name, kind="OKTA_GROUP", members=()):
        self.groups[gid] = {"id": gid, "type": kind, "profile": {"name": name}}
        self.members[gid] = list(members)

    def touch(self, uid):
        self.changes += 1
        self.users[uid]["lastUpdated"] = instant(self.changes)

    # ---- manners ----

    def error(self, status, code, summary, causes=()):
        self.changes += 1
        return Answer(status, {"errorCode": code, "errorSummary": summary, "errorLink": code,
                               "errorId": f"oae{self.changes}",
                               "errorCauses": [{"errorSummary": c} for c in causes]})

    def refuse(self, request):
        if request.path == "/oauth2/v1/token":
            return None
        value = request.headers.get("Authorization", "")
        if value == f"SSWS {self.token}":
            return None
        if value.startswith("Bearer ") and self.access_tokens.get(value[7:]):
            return None
        return self.error(401, "E0000011", "Invalid token provided")

    def unknown(self, request):
        return self.error(404, "E0000022", "The endpoint does not support the provided method")

    def decorate(self, request, answer):
        answer.headers.setdefault("X-Rate-Limit-Limit", "600")
        answer.headers.setdefault("X-Rate-Limit-Remaining", "599")
        answer.headers.setdefault("X-Rate-Limit-Reset", str(int(time.time()) + 60))
        return answer

    def missing(self, what):
        return self.error(404, "E0000007", f"Not found: Resource not found: {what} (User)")

    # ---- sign-in of a service app ----

    def issue(self, request):
        form = request.form()
        try:
            claims = jwt.decode(form.get("client_assertion", ""), self.app_key,
                                algorithms=["RS256", "ES256"],
                                audience=f"{self.url}/oauth2/v1/token",
                                issuer=self.client_id, options={"require": ["exp", "jti"]})
            good = (claims["sub"] == self.client_id and claims["jti"] not in self.assertions
                    and form["grant_type"] == "client_credentials"
                    and form["client_assertion_type"].endswith(":jwt-bearer"))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as e:
            return Answer(401, {"error": "invalid_client", "error_description": str(e)})
        if not good:
            return Answer(400, {"error": "invalid_client", "error_description": "replayed"})
        self.assertions.add(claims["jti"])
        token = f"at-{len(self.assertions)}"
        self.access_tokens[token] = form["scope"].split()
        return Answer(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token,
                            "scope": form["scope"]})

    # ---- users ----

    def find(self, who):
        for user in self.users.values():
            if who == user["id"] or who.lower() == user["profile"]["login"].lower():
                return user
        return None

    def get_user(self, request, who):
        user = self.find(who)
        return Answer(200, user) if user else self.missing(who)

    def matches(self, user, text):
        if not text:
            return user["status"] != "DEPROVISIONED"
        one = r'profile\.email eq "(?:[^"\\]|\\.)*"'
        if re.fullmatch(f"{one}(?: or {one})+", text):
            return any(self.matches(user, o) for o in re.findall(one, text))
        m = re.fullmatch(r'(status|lastUpdated|profile\.email) (eq|ge|gt) "((?:[^"\\]|\\.)*)"',
                         text)
        if not m:
            raise ValueError(text)
        value = re.sub(r"\\(.)", r"\1", m[3])
        if m[1] == "status":
            return user["status"] == value
        if m[1] == "lastUpdated":
            return user["lastUpdated"] >= value
        return user["profile"]["email"] == value

    def paged(self, request, items):
        """By an opaque cursor, and at most 'page' a page whatever the limit."""
        after = request.arg("after", "0")
        start = int(after.removeprefix("c"))
        end = start + min(self.page, int(request.arg("limit", "200")))
        links = [f'<{self.url}{request.raw_path}>; rel="self"']
        if end < len(items):
            rest = "".join(f"&{k}={v[0]}" for k, v in request.query.items()
                           if k == "limit")
            filters = request.arg("filter")
            if filters:
                from urllib.parse import quote
                rest += "&filter=" + quote(filters)
            links.append(f'<{self.url}{request.raw_path}?after=c{end}{rest}>; rel="next"')
        return Answer(200, items[start:end], {"Link": links})

    def list_users(self, request):
        try:
            found = [u for u in sorted(self.users.values(), key=lambda u: u["id"])
                     if self.matches(u, request.arg("filter"))]
        except ValueError as e:
            return self.error(400, "E0000031", f"Invalid search criteria: {e}")
        return self.paged(request, found)

    def lifecycle(self, request, uid, change):
        user = self.users.get(uid)
        want = "ACTIVE" if change == "suspend" else "SUSPENDED"
        if not user:
            return self.missing(uid)
        if user["status"] != want:
            return self.error(400, "E0000001", f"Api validation failed: {change}User",
                              [f"Cannot {change} a user that is not "
                               f"{'active' if change == 'suspend' else 'suspended'}"])
        user["status"] = "SUSPENDED" if change == "suspend" else "ACTIVE"
        self.touch(uid)
        return Answer(200, {})

    def clear_sessions(self, request, uid):
        if uid not in self.users:
            return self.missing(uid)
        self.sessions[uid].clear()
        if request.arg("oauthTokens") == "true":
            for client in self.clients[uid].values():
                client["tokens"] = 0
        return Answer(204)

    def list_clients(self, request, uid):
        if uid not in self.users:
            return self.missing(uid)
        return self.paged(request, [
            {"client_id": cid, "client_name": c["name"]}
            for cid, c in sorted(self.clients[uid].items()) if c["tokens"]])

    def revoke_tokens(self, request, uid, cid):
        if uid not in self.users or cid not in self.clients[uid]:
            return self.missing(cid)
        self.clients[uid][cid]["tokens"] = 0
        return Answer(204)

    def revoke_grants(self, request, uid):
        if uid not in self.users:
            return self.missing(uid)
        self.grants[uid].clear()
        return Answer(204)

    # ---- groups ----

    def list_groups(self, request):
        return self.paged(request, sorted(self.groups.values(), key=lambda g: g["id"]))

    def groups_of(self, request, uid):
        if uid not in self.users:
            return self.missing(uid)
        return self.paged(request, [g for gid, g in sorted(self.groups.items())
                                    if uid in self.members[gid]])

    def roles_of(self, request, uid):
        if uid not in self.users:
            return self.missing(uid)
        return Answer(200, [{"id": f"ra{i}", "type": kind, "status": "ACTIVE"}
                            for i, kind in enumerate(self.roles.get(uid, ()))])

    def list_members(self, request, gid):
        if gid not in self.groups:
            return self.missing(gid)
        return self.paged(request, [self.users[u] for u in sorted(self.members[gid])])

    def writable(self, gid):
        if gid not in self.groups:
            return self.missing(gid)
        if self.groups[gid]["type"] != "OKTA_GROUP":
            return self.error(403, "E0000038",
                              "This operation is not allowed in the user's current status.")
        return None

    def add_member(self, request, gid, uid):
        refused = self.writable(gid)
        if not refused and uid not in self.members[gid]:
            self.members[gid].append(uid)
        return refused or Answer(204)

    def remove_member(self, request, gid, uid):
        refused = self.writable(gid)
        if not refused and uid in self.members[gid]:
            self.members[gid].remove(uid)
        return refused or Answer(204)
