"""A double of Slack's Web API and SCIM v2: what the one on npm lacks.

admin.*, SCIM, user groups, scopes that are missing, tokens that are checked, cursors,
limits of each method, views with their hash.
"""

import json

from doubles.vendor_double import Answer, VendorDouble

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

READ_USERS, READ_MAIL, READ_GROUPS = "users:read", "users:read.email", "usergroups:read"
ADMIN = "admin.users:write"


class SlackDouble(VendorDouble):
    token, admin_token = "xoxb-test-token", "xoxp-test-token"
    team = "T0EXAMPLE1"

    def __init__(self, page=2):
        super().__init__()
        self.page = page
        self.users, self.usergroups, self.messages, self.views = {}, {}, [], {}
        self.sessions, self.files, self.uploads = {}, {}, {}
        self.scopes = {
            self.token: {READ_USERS, READ_MAIL, READ_GROUPS, "chat:write", "files:write"},
            self.admin_token: {ADMIN, "admin"},
        }
        self.methods = {
            "auth.test": (None, self.auth_test),
            "users.list": (READ_USERS, self.users_list),
            "users.info": (READ_USERS, self.users_info),
            "users.lookupByEmail": (READ_MAIL, self.lookup),
            "usergroups.list": (READ_GROUPS, self.usergroups_list),
            "usergroups.users.list": (READ_GROUPS, self.usergroups_users),
            "admin.users.session.reset": (ADMIN, self.reset),
            "chat.postMessage": ("chat:write", self.post),
            "chat.postEphemeral": ("chat:write", self.post),
            "chat.update": ("chat:write", self.update),
            "conversations.info": (None, self.conversation),
            "conversations.open": (None, self.conversation),
            "conversations.members": (None, self.conversation_members),
            "views.open": (None, self.view), "views.push": (None, self.view),
            "views.publish": (None, self.view), "views.update": (None, self.view_update),
            "files.getUploadURLExternal": ("files:write", self.upload_url),
            "files.completeUploadExternal": ("files:write", self.complete),
        }
        self.routes = [
            ("POST", r"/api/([A-Za-z.]+)", self.method),
            ("POST", r"/upload/(\w+)", self.take_bytes),
            ("GET", r"/scim/v2/Users", self.scim_list),
            ("GET", r"/scim/v2/Users/(\w+)", self.scim_get),
            ("PATCH", r"/scim/v2/Users/(\w+)", self.scim_patch),
        ]

    def add_user(self, uid, name, email, **more):
        self.users[uid] = {
            "id": uid, "team_id": self.team, "name": name, "deleted": False, "is_bot": False,
            "is_restricted": False, "is_ultra_restricted": False, "is_admin": False,
            "is_owner": False, "is_primary_owner": False, "is_email_confirmed": True,
            "updated": 1, **{k: v for k, v in more.items() if k != "real_name"},
            "profile": {"email": email, "real_name": more.get("real_name", name)}}
        self.sessions[uid] = 3

    # ---- Web API ----

    def bearer(self, request):
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    def method(self, request, name):
        scope, function = self.methods.get(name, (None, None))
        token = self.bearer(request)
        granted = self.scopes.get(token)
        headers = {"x-oauth-scopes": ",".join(sorted(granted or ()))}
        if function is None:
            return Answer(200, {"ok": False, "error": "unknown_method", "req_method": name})
        if not token or granted is None:
            return Answer(200, {"ok": False,
                                "error": "invalid_auth" if token else "not_authed"})
        if scope and scope not in granted:
            kind = "not_allowed_token_type" if scope == ADMIN else "missing_scope"
            return Answer(200, {"ok": False, "error": kind, "needed": scope,
                                "provided": ",".join(sorted(granted))}, headers)
        body = function(request.form())
        if isinstance(body, str):
            body = {"ok": False, "error": body}
        return Answer(200, {"ok": True, **body}, headers)

    def auth_test(self, args):
        return {"team_id": self.team, "user_id": "U0BOT", "bot_id": "B0BOT",
                "url": "https://example.slack.com/", "team": "Example", "user": "wingman"}

    def pages(self, items, args, name):
        start = int(args.get("cursor") or "0")
        end = start + min(self.page, int(args.get("limit", "100")))
        following = str(end) if end < len(items) else ""
        return {name: items[start:end], "response_metadata": {"next_cursor": following}}

    def users_list(self, args):
        return self.pages([u for _, u in sorted(self.users.items())], args, "members")

    def users_info(self, args):
        user = self.users.get(args.get("user"))
        return {"user": user} if user else "user_not_found"

    def lookup(self, args):
        for user in self.users.values():
            if user["profile"]["email"].lower() == args.get("email", "").lower():
                return {"user": user}
        return "users_not_found"

    def usergroups_list(self, args):
        return {"usergroups": [{"id": gid, "handle": g["handle"], "name": g["handle"],
                                "date_delete": 0} for gid, g in self.usergroups.items()]}

    def usergroups_users(self, args):
        group = self.usergroups.get(args.get("usergroup"))
        return {"users": group["users"]} if group else "no_such_subteam"

    def reset(self, args):
        user = self.users.get(args.get("user_id"))
        if not user:
            return "user_not_found"
        if user["is_primary_owner"]:
            return "cannot_reset_primary_owner"
        self.sessions[user["id"]] = 0
        return {}

    def post(self, args):
        if not args.get("text") and not args.get("blocks"):
            return "no_text"
        if args.get("blocks") and not isinstance(json.loads(args["blocks"]), list):
            return "invalid_blocks_format"
        ts = f"1795370400.{len(self.messages):06}"
        self.messages.append({"ts": ts, **args})
        return {"channel": args["channel"], "ts": ts, "message": {"text": args.get("text")}}

    def update(self, args):
        for message in self.messages:
            if message["ts"] == args.get("ts"):
                message.update(args)
                return {"channel": args["channel"], "ts": args["ts"]}
        return "message_not_found"

    def conversation(self, args):
        return {"channel": {"id": args.get("channel", "D0DIRECT01"), "is_channel": True}}

    def conversation_members(self, args):
        return self.pages(sorted(self.users), args, "members")

    def view(self, args):
        view = {**json.loads(args["view"]), "id": f"V{len(self.views)}", "hash": "h0"}
        self.views[view["id"]] = view
        return {"view": view}

    def view_update(self, args):
        view = self.views.get(args.get("view_id"))
        if not view:
            return "not_found"
        if args.get("hash") not in (None, view["hash"]):
            return "hash_conflict"
        view.update(json.loads(args["view"]), hash=view["hash"] + "x")
        return {"view": view}

    # ---- files ----

    def upload_url(self, args):
        fid = f"F{len(self.files)}"
        self.files[fid] = {"name": args["filename"], "length": int(args["length"])}
        return {"upload_url": f"{self.url}/upload/{fid}", "file_id": fid}

    def take_bytes(self, request, fid):
        if request.headers.get("Authorization") or fid not in self.files:
            return Answer(400, "no", type="text/plain")
        self.files[fid]["bytes"] = request.body
        return Answer(200, f"OK - {len(request.body)}", type="text/plain")

    def complete(self, args):
        for file in json.loads(args["files"]):
            known = self.files.get(file["id"])
            if not known or len(known.get("bytes", b"")) != known["length"]:
                return "file_not_found"
            known.update(title=file["title"], channel=args.get("channel_id"))
        return {"files": []}

    # ---- SCIM ----

    def scim_error(self, status, detail):
        return Answer(status, {"schemas": [ERROR_SCHEMA], "detail": detail,
                               "status": str(status)}, type="application/scim+json")

    def scim_refused(self, request):
        if "admin" not in self.scopes.get(self.bearer(request), ()):
            return self.scim_error(401, "invalid_authentication")
        return None

    def scim_user(self, uid):
        user = self.users[uid]
        return {"schemas": [USER_SCHEMA], "id": uid, "userName": user["name"],
                "active": not user["deleted"],
                "emails": [{"value": user["profile"]["email"], "primary": True}]}

    def scim_list(self, request):
        want = request.arg("filter", "").removeprefix('email eq "').removesuffix('"').lower()
        found = [self.scim_user(uid) for uid, u in self.users.items()
                 if u["profile"]["email"].lower() == want]
        return self.scim_refused(request) or Answer(
            200, {"totalResults": len(found), "itemsPerPage": 10, "startIndex": 1,
                  "Resources": found}, type="application/scim+json")

    def scim_get(self, request, uid):
        if self.scim_refused(request):
            return self.scim_refused(request)
        if uid not in self.users:
            return self.scim_error(404, "User not found")
        return Answer(200, self.scim_user(uid), type="application/scim+json")

    def scim_patch(self, request, uid):
        if self.scim_refused(request):
            return self.scim_refused(request)
        if uid not in self.users:
            return self.scim_error(404, "User not found")
        if self.users[uid]["is_primary_owner"]:
            return self.scim_error(403, "Cannot deactivate the primary owner")
        for operation in request.json()["Operations"]:
            if (operation["op"], operation["path"]) != ("replace", "active"):
                return self.scim_error(400, "unsupported")
            self.users[uid]["deleted"] = not operation["value"]
            if self.users[uid]["deleted"]:
                self.sessions[uid] = 0
        return Answer(200, self.scim_user(uid), type="application/scim+json")
