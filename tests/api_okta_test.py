"""The client of Okta against two doubles: the independent one on npm, and our own for what
that lacks (sessions, refused transitions, cursors, limits, lost replies)."""

import threading

import tap
from api_rig import Rig
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from doubles import emulator
from doubles.okta_double import OktaDouble, instant


def start():
    double = OktaDouble()
    double.add_user("00uava", "ava@example.test", firstName="Ava", employeeNumber="17")
    double.add_user("00uben", "ben@example.test")
    double.add_user("00udan", "dan@example.test", status="SUSPENDED")
    double.add_user("00ulock", "o'neil/x@example.test", status="LOCKED_OUT")
    double.add_user("00uold", "old@example.test", status="DEPROVISIONED")
    double.add_group("00geveryone", "Everyone", "BUILT_IN", ["00uava", "00uben", "00udan"])
    double.add_group("00gsec", "security", members=["00uava"])
    rig = Rig("okta", {"url": double.url, "token_file": "token"}, {"token": double.token})
    return double, rig


def ids(items):
    return [i["id"] for i in items]


def test_reading():
    double, rig = start()
    user = rig.result("user", "AVA@example.test")
    tap.equal("a user by login, whatever its case", (user["id"], user["employee_number"]),
              ("00uava", "17"))
    tap.equal("and by id", rig.result("user", "00uben")["login"], "ben@example.test")
    tap.equal("a login is one segment of the path",
              rig.result("user", "o'neil/x@example.test")["id"], "00ulock")
    tap.equal("its request was encoded", double.seen("GET")[-1].raw_path,
              "/api/v1/users/o%27neil%2Fx%40example.test")
    tap.equal("nobody", rig.error("user", "nobody@example.test"), "not_found")
    tap.ok("with the vendor's code and id", "E0000007, id oae" in rig.last["message"],
           rig.last)
    tap.equal("all pages of all users but those who are gone", ids(rig.items("users")),
              ["00uava", "00uben", "00udan", "00ulock"])
    tap.equal("by cursors", len(double.seen("GET", "/api/v1/users$")), 2)
    double.touch("00uben")
    double.touch("00uold")
    since = double.users["00uben"]["lastUpdated"]
    tap.equal("only who changed since", ids(rig.items("users", since)), ["00uben", "00uold"])
    tap.equal("a time that is none", rig.error("users", 'x" or true'), "invalid_argument")
    tap.equal("of a status", ids(rig.items("users-of-status", "SUSPENDED")), ["00udan"])
    tap.equal("by address", ids(rig.items("users-by-email", "ben@example.test")), ["00uben"])
    tap.equal("an address with quotes in it", rig.items("users-by-email", 'a"b\\@c'), [])
    ben, ava = "ben@example.test", "ava@example.test"
    tap.equal("by several addresses",
              ids(rig.items("users-by-emails", ben, 'a"b\\@c', ava)), ["00uava", "00uben"])
    tap.ok("at once", " or profile.email eq " in double.seen("GET", "/users$")[-1].arg("filter"))
    tap.equal("ten of them", ids(rig.items("users-by-emails", *[ben] * 10)), ["00uben"])
    tap.equal("not eleven", rig.error("users-by-emails", *[ben] * 11), "invalid_argument")
    tap.equal("nor none", rig.error("users-by-emails"), "invalid_argument")
    tap.equal("nor an empty one", rig.error("users-by-emails", ben, ""), "invalid_argument")
    tap.equal("groups", ids(rig.items("groups")), ["00geveryone", "00gsec"])
    tap.equal("groups of a user", ids(rig.items("groups-of", "00uava")),
              ["00geveryone", "00gsec"])
    tap.equal("members, by pages", ids(rig.items("members", "00geveryone")),
              ["00uava", "00uben", "00udan"])
    double.close()
    rig.close()


def test_changes():
    double, rig = start()
    double.clients["00uava"] = {"0oamail": {"name": "Mail", "tokens": 2},
                                "0oachat": {"name": "Chat", "tokens": 1}}
    double.grants["00uava"] = {"g1"}
    tap.equal("suspend", rig.error("suspend", "00uava"), None)
    tap.equal("it is so", double.users["00uava"]["status"], "SUSPENDED")
    tap.equal("twice is refused", rig.error("suspend", "00uava"), "precondition_failed")
    tap.equal("with the reason for the log", rig.last["cause"],
              "Cannot suspend a user that is not active")
    tap.equal("one who is locked out", rig.error("suspend", "00ulock"),
              "precondition_failed")
    tap.equal("clients", [c["name"] for c in rig.items("clients", "00uava")],
              ["Chat", "Mail"])
    tap.equal("tokens of one", rig.error("revoke-tokens", "00uava", "0oamail"), None)
    tap.equal("are gone", ids(rig.items("clients", "00uava")), ["0oachat"])
    tap.equal("sessions", rig.error("clear-sessions", "00uava"), None)
    tap.equal("with both flags", double.seen("DELETE", "/sessions")[0].query,
              {"oauthTokens": ["true"], "forgetDevices": ["true"]})
    tap.equal("are ended", (double.sessions["00uava"], rig.items("clients", "00uava")),
              (set(), []))
    tap.equal("grants", (rig.error("revoke-grants", "00uava"), double.grants["00uava"]),
              (None, set()))
    tap.equal("unsuspend", (rig.error("unsuspend", "00uava"),
                            double.users["00uava"]["status"]), (None, "ACTIVE"))
    tap.equal("out of a group", (rig.error("remove-from-group", "00gsec", "00uava"),
                                 double.members["00gsec"]), (None, []))
    tap.equal("into it", (rig.error("add-to-group", "00gsec", "00uava"),
                          double.members["00gsec"]), (None, ["00uava"]))
    tap.equal("Okta's own group", rig.error("add-to-group", "00geveryone", "00ulock"),
              "permission_denied")
    for bad in ("", "../x", "a/b", "00u?x", "x" * 65):
        tap.equal(f"'{bad[:8]}' never gets into a path", rig.error("suspend", bad),
                  "invalid_argument")
    double.close()
    rig.close()


def test_faults():
    double, rig = start()
    double.fault("POST", "/suspend", cut=True, after=True)
    tap.equal("a reply that was lost", rig.error("suspend", "00uava"), "unknown_outcome")
    tap.equal("is not repeated", len(double.seen("POST", "/suspend")), 1)
    tap.equal("reading tells", rig.result("user", "00uava")["status"], "SUSPENDED")
    double.fault("GET", "/users", cut=True)
    tap.equal("a read is", rig.result("user", "00uben")["id"], "00uben")
    double.fault("DELETE", "/sessions", cut=True, after=True)
    tap.equal("so is what does no harm twice", rig.error("clear-sessions", "00uben"), None)
    tap.equal("which came twice", len(double.seen("DELETE", "/sessions")), 2)
    double.fault("POST", "/unsuspend", status=500, body={"errorCode": "E0000009"}, after=True)
    tap.equal("500 of a write", rig.error("unsuspend", "00uava"), "unknown_outcome")
    limit = {"X-Rate-Limit-Limit": "1", "X-Rate-Limit-Remaining": "0",
             "X-Rate-Limit-Reset": "0"}
    double.fault("POST", "/suspend", status=429, headers=limit,
                 body={"errorCode": "E0000047", "errorSummary": "too many"})
    tap.equal("429 whose window is over, even of a write", rig.error("suspend", "00uava"),
              None)
    far = {**limit, "X-Rate-Limit-Reset": "99999999999"}
    double.fault("GET", "/users", status=429, headers=far, body={"errorCode": "E0000047"})
    tap.equal("429 for longer than anybody waits",
              rig.error("user", "00uava", patience_ms=3000), "rate_limited")
    tap.ok("says when", rig.last["hint"].startswith("ask again in "), rig.last)
    double.fault("GET", "/users", body="<html>maintenance", status=503, type="text/html",
                 times=2)
    tap.equal("a page of maintenance passes", rig.result("user", "00uben")["id"], "00uben")
    gate = threading.Event()
    double.fault("GET", "/users", wait=gate)
    tap.equal("a slow answer ends with the patience",
              rig.error("user", "00uava", patience_ms=300), "timeout")
    gate.set()
    for body, name in ((b"[]", "a list"), (b'{"id":"00uava"}', "half a user"),
                       (b'{"id":"00uava","status":"ACTIVE","profile":{"login":"eve@x"}}',
                        "another user"), (b"\xff", "no text"), (b'{"a":1e999}', "no number")):
        double.forget()
        double.fault("GET", "/users", status=200, body=body, times=9)
        tap.ok(f"{name} instead of a user", rig.error("user", "ava@example.test") in
               ("backend_unavailable", "not_found"), rig.last)
    double.forget()
    double.fault("GET", "/users", status=200, body=[],
                 headers={"Link": '<https://evil.example/x>; rel="next"'})
    tap.equal("a next page elsewhere", rig.error("users"), "backend_unavailable")
    double.fault("GET", "/users", status=302, headers={"Location": "http://127.0.0.1:1/"})
    tap.equal("a redirect elsewhere", rig.error("user", "00uava"), "backend_unavailable")
    double.fault("GET", "/users", status=403, body={
        "errorCode": "E0000006", "errorSummary": "You do not have \u202epermission\n",
        "errorId": "oae<b>"})
    tap.equal("403", rig.error("user", "00uava"), "permission_denied")
    tap.ok("with clean words", "id oaeb)" in rig.last["message"] and
           rig.last["cause"] == "You do not have \\u202Epermission\\n", rig.last)
    rig.put("token", "wrong-token")
    tap.equal("a token that is refused", rig.error("ping"), "permission_denied")
    tap.ok("is a matter of credentials", "HTTP 401, E0000011" in rig.last["message"] and
           "credentials" in rig.last["hint"], rig.last)
    rig.put("token", "two words")
    tap.equal("a token that is none", rig.error("ping"), "invalid_argument")
    rig.put("token", double.token, 0o644)
    tap.ok("a token that others can read", rig.error("ping") is not None)
    double.close()
    rig.close()


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def test_service_app():
    for name, key in (("RSA", rsa.generate_private_key(65537, 2048)),
                      ("P-256", ec.generate_private_key(ec.SECP256R1()))):
        double, _ = start()
        double.app_key = key.public_key()
        rig = Rig("okta", {"url": double.url, "client_id": double.client_id,
                           "key_file": "key", "key_id": "k1"}, {"key": pem(key)})
        tap.equal(f"a service app with {name}", ids(rig.items("users"))[0], "00uava")
        tap.equal("asks for one token", len(double.seen("POST", "/token")), 1)
        tap.equal("of the scopes of this program", double.access_tokens["at-1"],
                  ["okta.users.manage"])
        double.fault("POST", "/token", status=400, body={
            "error": "invalid_dpop_proof", "error_description": "DPoP"})
        tap.equal("DPoP that is asked for", rig.error("ping"), "precondition_failed")
        tap.ok("is named", "DPoP" in rig.last["hint"], rig.last)
        other = rsa.generate_private_key(65537, 2048)
        double.app_key = other.public_key()
        tap.equal("a key that Okta does not know", rig.error("ping"), "permission_denied")
        double.app_key = key.public_key()
        double.fault("GET", "/users", status=401, body={"errorCode": "E0000011"})
        tap.equal("a fresh token that is refused", rig.error("ping"), "permission_denied")
        double.forget()
        double.fault("POST", "/token", cut=True)
        tap.equal("a token whose reply was lost is asked for again",
                  (rig.error("suspend", "00uben"), len(double.seen("POST", "/token"))),
                  (None, 2))
        double.fault("POST", "/token", cut=True, times=2)
        tap.equal("without one nothing was begun", rig.error("unsuspend", "00uben"),
                  "backend_unavailable")
        tap.equal("as Okta has it", double.users["00uben"]["status"], "SUSPENDED")
        double.close()
        rig.close()


def test_independent_double():
    if not emulator.is_installed():
        tap.skip("the independent double", emulator.WHY)
        return
    double = emulator.Emulator("okta", {
        "users": [
            {"okta_id": "00uava", "login": "ava@example.test", "email": "ava@example.test",
             "first_name": "Ava", "last_name": "Reyes", "status": "ACTIVE"},
            {"okta_id": "00udan", "login": "dan@example.test", "email": "dan@example.test",
             "first_name": "Dan", "last_name": "Smith", "status": "SUSPENDED"}],
        "groups": [{"name": "security", "type": "OKTA_GROUP", "okta_id": "00gsec"}]},
        {"okta-token": {"login": "admin@example.test", "scopes": ["okta.users.manage"]}})
    rig = Rig("okta", {"url": double.url, "token_file": "token"}, {"token": "okta-token"})
    try:
        tap.equal("by login", rig.result("user", "ava@example.test")["id"], "00uava")
        tap.equal("nobody", rig.error("user", "nobody@example.test"), "not_found")
        tap.ok("the list", {"00uava", "00udan"} <= set(ids(rig.items("users"))))
        tap.equal("who has a status", ids(rig.items("users-of-status", "SUSPENDED")),
                  ["00udan"])
        tap.equal("a filter that is not obeyed", ids(rig.items("users-by-email",
                                                               "dan@example.test")),
                  ["00udan"])
        tap.equal("suspend", (rig.error("suspend", "00uava"),
                              rig.result("user", "00uava")["status"]), (None, "SUSPENDED"))
        tap.equal("unsuspend", (rig.error("unsuspend", "00uava"),
                                rig.result("user", "00uava")["status"]), (None, "ACTIVE"))
        tap.equal("into a group", rig.error("add-to-group", "00gsec", "00uava"), None)
        tap.equal("its members", ids(rig.items("members", "00gsec")), ["00uava"])
        tap.equal("his groups", "00gsec" in ids(rig.items("groups-of", "00uava")), True)
        tap.equal("out of it", (rig.error("remove-from-group", "00gsec", "00uava"),
                                rig.items("members", "00gsec")), (None, []))
    finally:
        double.close()
        rig.close()


if __name__ == "__main__":
    assert instant(0) == "2025-10-09T08:53:20.000Z"
    tap.run([test_reading, test_changes, test_faults, test_service_app,
             test_independent_double])
    tap.done()
