"""The client of Slack against two doubles: the independent one on npm, and our own for what
that lacks (admin.*, SCIM, user groups, scopes, limits, lost replies)."""

import json
import os

import tap
from api_rig import Rig
from doubles import emulator
from doubles.slack_double import SlackDouble


FIXTURES = os.path.join(os.environ["WINGMAN_SOURCE"], "..", "shared", "slack", "fixtures")


def start():
    double = SlackDouble()
    double.add_user("U0AVA", "ava", "ava@example.test", real_name="Ava Reyes")
    double.add_user("U0BEN", "ben", "ben@example.test", is_restricted=True)
    double.add_user("U0OWNER", "owner", "owner@example.test", is_primary_owner=True,
                    is_owner=True)
    double.usergroups["S0SEC"] = {"handle": "security", "users": ["U0AVA", "U0OWNER"]}
    rig = Rig("slack", {"url": double.url + "/api", "scim_url": double.url + "/scim/v2",
                        "token_file": "token", "admin_token_file": "admin"},
              {"token": double.token, "admin": double.admin_token})
    return double, rig


def ids(items):
    return [i["id"] for i in items]


def test_reading():
    double, rig = start()
    who = rig.result("test")
    tap.equal("who we are", (who["team_id"], who["user_id"]), (double.team, "U0BOT"))
    tap.ok("and what we may", "users:read.email" in who["scopes"].split(","), who)
    tap.equal("a token of another team",
              rig.error("test", config={**rig.config, "team": "T0OTHER"}),
              "permission_denied")
    tap.equal("all pages of users", ids(rig.items("users")), ["U0AVA", "U0BEN", "U0OWNER"])
    tap.equal("which is two", len(double.seen("POST", "/users.list")), 2)
    user = rig.result("user", "U0BEN")
    tap.equal("a guest", (user["is_guest"], user["deleted"]), (True, False))
    tap.equal("by address, whatever its case",
              rig.result("user-by-email", "AVA@example.test")["id"], "U0AVA")
    tap.equal("nobody", rig.error("user-by-email", "x@example.test"), "not_found")
    tap.ok("with Slack's word for it", "users_not_found" in rig.last["message"], rig.last)
    tap.equal("user groups", [g["handle"] for g in rig.items("usergroups")], ["security"])
    tap.equal("who is in one", rig.result("usergroup", "S0SEC"), ["U0AVA", "U0OWNER"])
    tap.equal("a group that is none", rig.error("usergroup", "S0NONE"), "not_found")
    tap.equal("a handle is no id", rig.error("usergroup", "security"), "invalid_argument")
    double.scopes[double.token].discard("usergroups:read")
    tap.equal("a scope that is missing", rig.error("usergroup", "S0SEC"),
              "permission_denied")
    tap.ok("is named", rig.last["cause"].startswith("needed: usergroups:read; the token has: "),
           rig.last)
    double.close()
    rig.close()


def test_messages():
    double, rig = start()
    text = "a & b = c+d? \u00e4 \"q\" <@U0AVA>"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    got = rig.result("call", "chat.postMessage", json.dumps(
        {"channel": "C0GENERAL1", "text": text, "blocks": blocks, "unfurl_links": False,
         "thread_ts": None}))
    tap.equal("a message comes as it was", (double.messages[0]["text"],
                                            json.loads(double.messages[0]["blocks"])),
              (text, blocks))
    tap.equal("false is false, null is left out",
              (double.messages[0]["unfurl_links"], "thread_ts" in double.messages[0]),
              ("false", False))
    tap.equal("it is updated", rig.error("call", "chat.update", json.dumps(
        {"channel": "C0GENERAL1", "ts": got["body"]["ts"], "text": "done"})), None)
    tap.equal("ephemeral", rig.error("call", "chat.postEphemeral", json.dumps(
        {"channel": "C0GENERAL1", "user": "U0AVA", "text": "psst"})), None)
    view = rig.result("call", "views.open", json.dumps(
        {"trigger_id": "1.2", "view": {"type": "modal"}}))["body"]["view"]
    update = {"view_id": view["id"], "hash": view["hash"], "view": {"type": "modal"}}
    tap.equal("a view is opened and updated",
              rig.error("call", "views.update", json.dumps(update)), None)
    tap.equal("not by who saw an older one",
              rig.error("call", "views.update", json.dumps(update)), "conflict")
    tap.equal("a conversation", rig.result("call", "conversations.info", json.dumps(
        {"channel": "C0GENERAL1"}))["body"]["channel"]["id"], "C0GENERAL1")
    tap.equal("a file", rig.result("upload", "chart.png", "PNG bytes", "C0GENERAL1"), "F0")
    tap.equal("is there, byte by byte", (double.files["F0"]["bytes"],
                                         double.files["F0"]["channel"]),
              (b"PNG bytes", "C0GENERAL1"))
    tap.equal("without a token", double.seen("POST", "/upload/")[0].headers["Authorization"],
              None)
    tap.equal("an empty message", rig.error("call", "chat.postMessage",
                                            '{"channel":"C0"}'), "invalid_argument")
    tap.equal("no such method", rig.error("call", "chat.nothing", "{}"), "invalid_argument")
    tap.equal("a method that is a path", rig.error("call", "../x", "{}"), "invalid_argument")
    double.close()
    rig.close()


def test_administration():
    double, rig = start()
    tap.equal("sessions are reset", (rig.error("reset-sessions", "U0AVA"),
                                     double.sessions["U0AVA"]), (None, 0))
    tap.equal("with the owner's token",
              double.seen("POST", "session.reset")[0].headers["Authorization"],
              f"Bearer {double.admin_token}")
    tap.equal("not the primary owner's", rig.error("reset-sessions", "U0OWNER"),
              "precondition_failed")
    tap.equal("found by SCIM", rig.result("scim-find", "ava@example.test")["id"], "U0AVA")
    tap.equal("nobody", rig.error("scim-find", "x@example.test"), "not_found")
    tap.equal("deactivated", (rig.error("scim-set-active", "U0AVA", "false"),
                              rig.result("scim-get", "U0AVA")["active"],
                              rig.result("user", "U0AVA")["deleted"]), (None, False, True))
    tap.equal("as SCIM has it", double.seen("PATCH")[0].json(), {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": False}]})
    tap.equal("reactivated", (rig.error("scim-set-active", "U0AVA", "true"),
                              rig.result("scim-get", "U0AVA")["active"]), (None, True))
    tap.equal("an owner", rig.error("scim-set-active", "U0OWNER", "false"),
              "permission_denied")
    tap.equal("says why", rig.last["cause"], "Cannot deactivate the primary owner")
    tap.equal("two of an address", (double.add_user("U0TWIN", "twin", "ava@example.test"),
                                    rig.error("scim-find", "ava@example.test"))[1],
              "ambiguous")
    plain = {k: v for k, v in rig.config.items() if k != "admin_token_file"}
    for operation in (("reset-sessions", "U0AVA"), ("scim-get", "U0AVA"),
                      ("scim-set-active", "U0AVA", "false")):
        tap.equal(f"{operation[0]} without an owner's token",
                  (rig.error(*operation, config=plain), rig.last["hint"]),
                  ("permission_denied", "name one as admin_token_file"))
    tap.equal("an address with a quote", rig.error("scim-find", 'a" or id pr "'),
              "invalid_argument")
    double.close()
    rig.close()


def test_faults():
    double, rig = start()
    message = json.dumps({"channel": "C0GENERAL1", "text": "hello"})
    double.fault("POST", "chat.postMessage", cut=True, after=True)
    tap.equal("a reply that was lost", rig.error("call", "chat.postMessage", message),
              "unknown_outcome")
    tap.equal("posts nothing twice", len(double.messages), 1)
    double.fault("POST", "chat.postMessage", status=200,
                 body={"ok": False, "error": "internal_error"})
    tap.equal("nor does an error of Slack's", rig.error("call", "chat.postMessage", message),
              "unknown_outcome")
    double.fault("POST", "chat.postMessage", status=200, body={"fine": True})
    tap.equal("nor an answer that says neither yes nor no",
              rig.error("call", "chat.postMessage", message), "unknown_outcome")
    double.fault("POST", "chat.postMessage", status=200)
    tap.equal("nor none at all", rig.error("call", "chat.postMessage", message),
              "unknown_outcome")
    double.fault("POST", "chat.postMessage", status=429, headers={"Retry-After": "0"},
                 body={"ok": False, "error": "ratelimited"})
    tap.equal("what was not done is done then", (rig.error("call", "chat.postMessage", message),
                                                 len(double.messages)), (None, 2))
    double.fault("POST", "users.info", status=429, headers={"Retry-After": "90"})
    tap.equal("429 without a body, for long", rig.error("user", "U0AVA", patience_ms=3000),
              "rate_limited")
    double.fault("POST", "users.info", status=200, body={"ok": False, "error": "fatal_error"})
    tap.equal("a read is repeated", rig.result("user", "U0AVA")["id"], "U0AVA")
    for body in (b"[]", b'{"ok":"true"}', b"{}", b"<html>", b'{"ok":true,"user":{"id":"../x"}}',
                 b'{"ok":true,"user":{"id":"U0EVE"}}', b'{"ok":true,"ok":false}'):
        double.forget()
        double.fault("POST", "users.info", status=200, body=body, times=9)
        tap.ok(f"{body} is no user", rig.error("user", "U0AVA") in
               ("backend_unavailable", "not_found", "precondition_failed"), rig.last)
    double.forget()
    double.fault("POST", "usergroups.users.list", status=200,
                 body={"ok": True, "users": ["U0AVA", "ava"]})
    tap.equal("a group with what is no id", rig.error("usergroup", "S0SEC"),
              "backend_unavailable")
    double.fault("POST", "users.list", status=200, times=3, body={
        "ok": True, "members": [], "response_metadata": {"next_cursor": "same"}})
    tap.equal("a cursor that does not move", rig.error("users"), "backend_unavailable")
    for url in ("http://127.0.0.1:1/x", "file:///etc/passwd", "ftp://x/", ""):
        double.forget()
        double.fault("POST", "getUploadURLExternal", status=200, body={
            "ok": True, "upload_url": url, "file_id": "F9"})
        tap.equal(f"upload to '{url}'", rig.error("upload", "a.png", "x"),
                  "backend_unavailable")
        tap.ok("the address is a secret", "127.0.0.1:1" not in str(rig.last), rig.last)
    rig.put("token", "xoxb-wrong")
    tap.equal("a token that is refused", rig.error("test"), "permission_denied")
    double.close()
    rig.close()


def test_fixtures():
    """Answers as they are written down beside the project."""
    if not os.path.isdir(FIXTURES):
        tap.skip("answers of Slack's", "../shared is not there")
        return
    double, rig = start()
    call = json.dumps({"channel": "C0SECOPS01", "text": "hello"})

    def answer(method, name, status=200, **headers):
        with open(os.path.join(FIXTURES, f"api_{name}.json"), encoding="utf-8") as f:
            double.fault("POST", method, status=status, body=json.load(f), **headers)

    answer("auth.test", "ok_auth_test")
    who = rig.result("test")
    tap.equal("who we are", (who["team_id"], who["user_id"]), ("T0ACMESEC1", "U0WINGMAN1"))
    for name, user, guest, stranger in (("ok_users_info", "U0ALICE001", False, False),
                                        ("ok_users_info_guest", "U0GUEST001", True, False),
                                        ("ok_users_info_stranger", "U0EXTERN01", False, True)):
        answer("users.info", name)
        got = rig.result("user", user)
        tap.equal(name, (got["id"], got["is_guest"], got["is_stranger"], got["deleted"]),
                  (user, guest, stranger, False))
    answer("usergroups.users.list", "ok_usergroups_users_list")
    tap.equal("who is in a group", rig.result("usergroup", "S0SEC"), ["U0ALICE001", "U0CAROL001"])
    answer("chat.postMessage", "ok_post_message")
    tap.equal("where a message stands", rig.result("call", "chat.postMessage", call)["body"]["ts"],
              "1795371200.000900")
    answer("chat.postMessage", "error_invalid_blocks")
    tap.equal("blocks that it does not take", rig.error("call", "chat.postMessage", call),
              "invalid_argument")
    tap.ok("and where in them", "/blocks/0/text/text" in json.dumps(rig.last), rig.last)
    answer("usergroups.users.list", "error_missing_scope")
    tap.equal("a scope that is missing", rig.error("usergroup", "S0SEC"), "permission_denied")
    tap.ok("is named, with those that are there", rig.last["cause"] ==
           "needed: usergroups:read; the token has: chat:write,users:read", rig.last)
    posted = len(double.messages)
    answer("chat.postMessage", "error_ratelimited", status=429, headers={"Retry-After": "0"})
    tap.equal("too often for now, and sent again", (rig.error("call", "chat.postMessage", call),
                                                    len(double.messages) - posted), (None, 1))
    double.close()
    rig.close()


def test_independent_double():
    if not emulator.is_installed():
        tap.skip("the independent double", emulator.WHY)
        return
    double = emulator.Emulator("slack", {
        "team": {"name": "Example", "domain": "example"},
        "users": [{"name": "developer", "real_name": "Dev", "email": "dev@example.test"},
                  {"name": "ava", "real_name": "Ava Reyes", "email": "ava@example.test"}],
        "channels": [{"name": "general", "topic": "General"}]},
        {"xoxb-test": {"login": "developer", "scopes": []}})
    rig = Rig("slack", {"url": double.url + "/api", "token_file": "token"},
              {"token": "xoxb-test"})
    try:
        tap.equal("who we are", len(rig.result("test")["team_id"]) > 1, True)
        users = rig.items("users")
        tap.ok("users", {"developer", "ava"} <= {u["name"] for u in users}, users)
        ava = rig.result("user-by-email", "ava@example.test")
        tap.equal("by address and by id", rig.result("user", ava["id"])["real_name"],
                  "Ava Reyes")
        tap.equal("nobody", rig.error("user-by-email", "x@example.test"), "not_found")
        posted = rig.result("call", "chat.postMessage", json.dumps(
            {"channel": "general", "text": "a & b", "blocks": [
                {"type": "section", "text": {"type": "plain_text", "text": "a & b"}}]}))["body"]
        tap.equal("a message, and its blocks", posted["message"]["blocks"][0]["text"]["text"],
                  "a & b")
        tap.equal("is updated", rig.error("call", "chat.update", json.dumps(
            {"channel": posted["channel"], "ts": posted["ts"], "text": "done"})), None)
        tap.equal("the channel", rig.result("call", "conversations.info", json.dumps(
            {"channel": posted["channel"]}))["body"]["channel"]["name"], "general")
        tap.ok("a direct conversation", rig.result("call", "conversations.open", json.dumps(
            {"users": ava["id"]}))["body"]["channel"]["id"])
        tap.ok("a file, by its three steps", rig.result("upload", "chart.png", "PNG bytes",
                                                        posted["channel"]))
    finally:
        double.close()
        rig.close()


if __name__ == "__main__":
    tap.run([test_reading, test_messages, test_administration, test_faults,
             test_fixtures, test_independent_double])
    tap.done()
