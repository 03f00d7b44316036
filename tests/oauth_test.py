"""A real server with issuers of access tokens beside it: who gets in, and what others
are told. The issuers are doubles on loopback; tokens come from python3-cryptography, and
where it is there from PyJWT."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import tap
from authority import SERVER as SERVER_PURPOSE
from authority import Authority
from oauth_issuer import Issuer, compact

SERVER = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "fixture-server")
RESOURCE = "https://tools.example.test/fixture/mcp"
PREFIX = "io.modelcontextprotocol/"
STATIC = "wm_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
METADATA = "https://tools.example.test/.well-known/oauth-protected-resource/fixture/mcp"


class Server:
    """The fixture server with this member 'oauth', or none."""

    def __init__(self, oauth, port=0):
        self.dir = tempfile.mkdtemp(prefix="wingman-oauth-")
        for name in ("keys/trusted", "callers", "config", "audit"):
            os.makedirs(os.path.join(self.dir, name), mode=0o700)
        self.write("callers/index.json", {"v": 1, "tokens": [
            {"id": "one", "sha256": hashlib.sha256(STATIC.encode()).hexdigest(),
             "principal": "bob@example.test", "client": "one", "scopes": ["fixture:read"],
             "created_at": 1}]})
        config = {"listen": {"port": port}, "freed_reads": ["echo_text", "get_route"]}
        if oauth:
            config["oauth"] = oauth
        self.write("config/fixture.yaml", config)
        self.log = open(os.path.join(self.dir, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([SERVER, "--dir", self.dir], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            self.log.close()
            why = self.logged()
            shutil.rmtree(self.dir)
            raise RuntimeError(why)
        self.port = int(json.loads(line)["url"].split(":")[2].split("/")[0])

    def write(self, name, value):
        path = os.path.join(self.dir, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            json.dump(value, f)       # JSON is YAML

    def logged(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
            return f.read()

    def audited(self):
        with open(os.path.join(self.dir, "audit", "fixture.jsonl"), encoding="utf-8") as f:
            return f.read()

    def close(self):
        self.process.terminate()
        status = self.process.wait(20)
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.dir)
        return status

    def request(self, method, path, body=None, headers=None):
        """(status, headers, text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read().decode()

    def call(self, token, tool="echo_text", arguments=None, path="/mcp", headers=None):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments or {"text": "x"}, "_meta": {
                PREFIX + "protocolVersion": "2026-07-28",
                PREFIX + "clientCapabilities": {}}}}
        headers = {"Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream",
                   "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
                   "Mcp-Name": tool, **(headers or {})}
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        return self.request("POST", path, json.dumps(body), headers)

    def status(self, token, **more):
        return self.call(token, **more)[0]


def challenge(headers):
    """The parameters of the one challenge, {} for none."""
    values = headers.get_all("WWW-Authenticate") or []
    assert len(values) <= 1, values
    assert all(v == "Bearer" or v.startswith("Bearer ") for v in values), values
    return dict(re.findall(r'(\w+)="([^"\\]*)"', values[0])) if values else {}


def issuers_of(*issuers, **more):
    return {"resource": RESOURCE, "issuers": [{"issuer": i.url} for i in issuers],
            "keys": {"refetch_s": 1}, **more}


@contextlib.contextmanager
def running(*issuers, **oauth):
    server = Server({**issuers_of(*issuers), **oauth})
    try:
        yield server
    finally:
        status = server.close()
        if status != 0:
            tap.ok("the server ends properly", False, status)


@contextlib.contextmanager
def issuing(path="/realm", algs=("RS256", "ES256", "EdDSA")):
    issuer = Issuer(path)
    for alg in algs:
        issuer.add_key(alg.lower(), alg)
    try:
        yield issuer
    finally:
        issuer.close()


READ = {"aud": RESOURCE, "scope": "fixture:read"}
BOTH = {"aud": RESOURCE, "scope": "fixture:read fixture:write"}


# ---- tokens ----

def test_good_tokens():
    with issuing() as issuer, running(issuer) as server:
        for kid in ("rs256", "es256", "eddsa"):
            token = issuer.token(kid, **READ)
            tap.equal(f"{kid} gets in", server.status(token), 200)
            tap.equal(f"{kid} gets in again", server.status(token), 200)
        tap.equal("the metadata was asked for once", issuer.count("oauth-authorization-server/realm"), 1)
        tap.equal("and the keys", issuer.count(), 1)
        tap.equal("so does a static token", server.status(STATIC), 200)
        tap.equal("an audience among others", server.status(
            issuer.token("es256", aud=["x", RESOURCE], scope="fixture:read")), 200)
        tap.equal("typ JWT", server.status(
            issuer.token("es256", header={"typ": "JWT"}, **READ)), 200)
        tap.equal("scp as an array", server.status(
            issuer.token("es256", aud=RESOURCE, scp=["fixture:read"])), 200)
        long = issuer.token("es256", groups=["x" * 60] * 60, **READ)
        tap.ok("a token with many groups", len(long) > 5000 and server.status(long) == 200)
        tap.equal("azp in place of client_id", server.status(
            issuer.token("es256", client_id=None, azp="web", **READ)), 200)
        for name in ("alice@example.test", "oauth:"):
            tap.ok(f"the audit log says who: {name}", name in server.audited())
        tap.ok("no token is in a log", "eyJ" not in server.logged() + server.audited())


def hmac_sha256(key):
    return lambda data: hmac.new(key, data, hashlib.sha256).digest()


def wrong_tokens(issuer, other):
    now = int(time.time())
    rs, es = issuer.keys["rs256"], issuer.keys["es256"]
    good = issuer.token("es256", **READ)
    header, claims, signature = good.split(".")
    yield "expired", issuer.token("es256", exp=now - 31, **READ)
    yield "without exp", issuer.token("es256", exp=None, **READ)
    yield "not valid yet", issuer.token("es256", nbf=now + 60, **READ)
    yield "issued in the future", issuer.token("es256", iat=now + 60, **READ)
    yield "for another audience", issuer.token("es256", aud="https://other.example/mcp",
                                               scope="fixture:read")
    yield "for our origin alone", issuer.token("es256", aud="https://tools.example.test",
                                               scope="fixture:read")
    yield "for us with a slash", issuer.token("es256", aud=RESOURCE + "/", scope="fixture:read")
    yield "without audience", issuer.token("es256", scope="fixture:read")
    yield "of an issuer unknown here", other.token("es256", **READ)
    yield "of an issuer unknown here that names ours", other.token("es256", iss=issuer.url, **READ)
    yield "of an issuer with a slash", issuer.token("es256", iss=issuer.url + "/", **READ)
    yield "without issuer", issuer.token("es256", iss=None, **READ)
    yield "without subject", issuer.token("es256", sub=None, **READ)
    yield "without client", issuer.token("es256", client_id=None, **READ)
    yield "of an ID token's kind", issuer.token("es256", header={"typ": "id+jwt"}, **READ)
    for name in ("none", "None", "nOnE"):
        yield f"alg {name}, no signature", compact({"alg": name}, issuer.claims(**READ),
                                                   lambda data: b"")
        yield f"alg {name}, some signature", compact({"alg": name, "kid": "es256"},
                                                     issuer.claims(**READ), lambda data: b"xxx")
    for kid, key in issuer.keys.items():
        secrets_ = {"its PEM": key.pem(), "its PEM without the last line": key.pem().rstrip(),
                    "its JWK": json.dumps(key.jwk()).encode(), "nothing": b""}
        for what, secret in secrets_.items():
            yield f"HS256 with {what} of {kid}", issuer.token(
                kid, header={"alg": "HS256"}, sign=hmac_sha256(secret), **READ)
            yield f"RS256 that is an HMAC with {what} of {kid}", issuer.token(
                kid, header={"alg": "RS256"}, sign=hmac_sha256(secret), **READ)
    yield "RS256 by name, ES256 by kid", issuer.token("rs256", header={"kid": "es256"}, **READ)
    yield "ES256 by name, signed with RSA", issuer.token(
        "rs256", header={"alg": "ES256", "kid": "rs256"}, **READ)
    yield "signed by another key with that kid", issuer.token(
        "es256", sign=other.keys["es256"].sign, **READ)
    jwk = other.keys["es256"].jwk()
    yield "with a key of its own", issuer.token(
        "es256", header={"jwk": jwk}, sign=other.keys["es256"].sign, **READ)
    yield "with the address of a key of its own", issuer.token(
        "es256", header={"jku": other.url + "/keys"}, sign=other.keys["es256"].sign, **READ)
    yield "with crit", issuer.token("es256", header={"crit": ["exp"]}, **READ)
    yield "with b64", issuer.token("es256", header={"b64": True}, **READ)
    text = json.dumps(issuer.claims(**READ))
    yield "with a claim twice", compact(
        {"alg": "ES256", "kid": "es256"},
        (text[:-1] + ', "sub": "mallory@example.test"}').encode(), es.sign)
    yield "with an algorithm twice", compact(
        b'{"alg": "none", "alg": "ES256", "kid": "es256"}', issuer.claims(**READ), es.sign)
    yield "whose claims were changed", ".".join((
        header, issuer.token("es256", **BOTH).split(".")[1], signature))
    yield "without signature", header + "." + claims + "."
    yield "with padding", good + "="
    yield "with a further part", good + ".x"
    yield "with a zero signature", header + "." + claims + "." + "A" * 86
    yield "signed with DER", issuer.token("es256", sign=es.sign_der, **READ)
    yield "signed for PS256", issuer.token("rs256", header={"alg": "PS256"}, **READ)
    yield "nested", compact({"alg": "RS256", "kid": "rs256", "cty": "JWT"}, good.encode(), rs.sign)
    yield "three words", "a.b.c"


def test_wrong_tokens():
    with issuing() as issuer, issuing("/realm") as other, running(issuer) as server:
        tap.equal("a good one first", server.status(issuer.token("es256", **READ)), 200)
        for name, token in wrong_tokens(issuer, other):
            status, headers, _ = server.call(token)
            got = challenge(headers)
            tap.ok(f"{name}: 401",
                   status == 401 and got.get("error") == "invalid_token" and
                   got.get("resource_metadata") == METADATA, (status, got))
        tap.equal("the keys were not fetched for those", issuer.count(), 1)
        try:
            status = server.status(issuer.token("es256", more="x" * 9000, **READ))
        except OSError:               # closed before all of it was sent
            status = 431
        tap.equal("longer than the head of a request may be", status, 431)
        tap.equal("nobody else's were", other.asked, [])
        tap.ok("the log says why", "the token is for another audience" in server.logged())


def test_only_what_is_asked_for():
    """Restrictions of an issuer that an operator can set."""
    with issuing() as issuer, issuing("/other") as second:
        oauth = issuers_of(issuer)
        oauth["issuers"] = [
            {"issuer": issuer.url, "algorithms": ["EdDSA"], "principal_claim": "email",
             "client_claim": "cid", "audience": "api://tools"},
            {"issuer": second.url, "jwks_uri": second.url + "/keys"}]
        good = {"aud": "api://tools", "scope": "fixture:read", "email": "a@example.test",
                "cid": "x", "sub": None, "client_id": None}
        with running(**oauth) as server:
            tap.equal("all as configured", server.status(issuer.token("eddsa", **good)), 200)
            for name, change in (("another algorithm", {"kid": "rs256"}),
                                 ("the resource as audience", {"aud": RESOURCE}),
                                 ("no email", {"email": None, "sub": "alice"}),
                                 ("an email that is not verified", {"email_verified": False}),
                                 ("no cid", {"cid": None, "client_id": "x"})):
                claims = {**good, **change}
                kid = claims.pop("kid", "eddsa")
                tap.equal(f"{name}: 401", server.status(issuer.token(kid, **claims)), 401)
            tap.equal("the second issuer", server.status(second.token("es256", **READ)), 200)
            tap.equal("whose metadata nobody needed", second.asked, ["/other/keys"])
            tap.equal("one issuer's key does not sign for the other", server.status(
                issuer.token("es256", sign=second.keys["es256"].sign, iss=second.url,
                             header={"kid": "eddsa", "alg": "EdDSA"}, **READ)), 401)


# ---- scopes ----

def test_scopes():
    put = {"tool": "put_value", "arguments": {"key": "a", "value": "b", "reason": "because"}}
    with issuing() as issuer, running(issuer) as server:
        def answer(scope, **more):
            status, headers, text = server.call(
                issuer.token("es256", aud=RESOURCE, scope=scope), **more)
            return status, challenge(headers), text

        status, got, _ = answer("fixture:read", **put)
        tap.equal("a write with the read scope: 403", status, 403)
        tap.equal("and what is missing", got, {
            "error": "insufficient_scope", "scope": "fixture:write",
            "resource_metadata": METADATA})
        status, got, text = answer("fixture:read fixture:write", **put)
        tap.ok("stepped up, the write is looked at", status == 200 and not got, text)
        for scope in ("", "openid", "other:read", "fixture:reader", "wingman:gate",
                      "wingman:register wingman:gate"):
            status, got, _ = answer(scope)
            tap.ok(f"scope '{scope}': 403", status == 403 and got.get("scope") == "fixture:read",
                   (status, got))
        # As the gate may: without its scope, a grant is not even read.
        _, _, text = answer("fixture:read fixture:write wingman:gate", **put)
        tap.ok("an issuer's token never speaks for the gate",
               "backend_unavailable" in text or "approval_required" in text, text)


def test_names_of_scopes():
    put = {"tool": "put_value", "arguments": {"key": "a", "value": "b", "reason": "because"}}
    more = {"scopes": {"read": ["api://t/R", "legacy"], "write": ["api://t/W"]},
            "tool_scopes": {"put_value": ["api://t/Put", "mfa"], "get_route": ["mfa"]}}
    with issuing() as issuer, running(issuer, **more) as server:
        def answer(scope, **more):
            status, headers, _ = server.call(
                issuer.token("es256", aud=RESOURCE, scope=scope), **more)
            return status, challenge(headers).get("scope")

        tap.equal("the issuer's name of the right", answer("api://t/R"), (200, None))
        tap.equal("its other name", answer("legacy"), (200, None))
        tap.equal("our own name is none now", answer("fixture:read"), (403, "api://t/R"))
        tap.equal("a write names all it needs at once", answer("api://t/R", **put),
                  (403, "api://t/W api://t/Put mfa"))
        tap.equal("also when a part is there", answer("api://t/W mfa", **put),
                  (403, "api://t/W api://t/Put mfa"))
        tap.equal("all of it", answer("api://t/W api://t/Put mfa", **put), (200, None))
        tap.equal("a read that needs more", answer("api://t/R", tool="get_route", arguments={}),
                  (403, "api://t/R mfa"))
        tap.equal("and has it", answer("mfa api://t/R", tool="get_route", arguments={})[0], 200)
        tap.equal("static tokens are not asked", server.status(
            STATIC, tool="get_route", arguments={}), 200)
        document = json.loads(server.request(
            "GET", "/.well-known/oauth-protected-resource")[2])
        tap.equal("all are listed", document["scopes_supported"],
                  ["api://t/R", "api://t/W", "api://t/Put", "mfa"])


# ---- what clients are told ----

def test_metadata():
    with issuing() as issuer, running(issuer) as server:
        want = {"resource": RESOURCE, "authorization_servers": [issuer.url],
                "scopes_supported": ["fixture:read", "fixture:write"],
                "bearer_methods_supported": ["header"]}
        for path in ("/.well-known/oauth-protected-resource",
                     "/.well-known/oauth-protected-resource/fixture/mcp"):
            status, headers, text = server.request("GET", path)
            tap.equal(f"{path}: without a token", (status, headers["Content-Type"]),
                      (200, "application/json"))
            tap.equal(f"{path}: what it says", json.loads(text), want)
            tap.equal(f"{path}: GET alone", server.request("POST", path, "{}")[0], 405)
        for path in ("/.well-known/oauth-protected-resource/", "/.well-known/",
                     "/.well-known/oauth-protected-resource/mcp",
                     "/.well-known/oauth-authorization-server"):
            tap.equal(f"{path}: nothing", server.request("GET", path)[0], 404)


def test_challenges():
    with issuing() as issuer, running(issuer) as server:
        token = issuer.token("es256", **READ)
        want = {"scope": "fixture:read", "resource_metadata": METADATA}
        for name, more in (("no token", {}),
                           ("another scheme", {"headers": {"Authorization": "Basic YTpi"}}),
                           ("a token in the query", {"path": "/mcp?access_token=" + token})):
            status, headers, _ = server.call(None, **more)
            tap.equal(f"{name}: 401", (status, challenge(headers)), (401, want))
        for name, value in (("an empty token", "Bearer"), ("two tokens", f"Bearer {token} {token}"),
                            ("quotes", 'Bearer "x"'), ("a list", f"Bearer {token},x")):
            status, headers, _ = server.call(None, headers={"Authorization": value})
            tap.equal(f"{name}: 400", (status, challenge(headers)),
                      (400, {"error": "invalid_request", **want}))
        for method in ("GET", "DELETE", "PUT", "OPTIONS"):
            tap.equal(f"{method} wants a token too", server.request(method, "/mcp")[0], 401)
            wanted = 400 if method in ("GET", "DELETE") else 405   # no session
            tap.equal(f"{method} with one is {wanted}", server.request(
                method, "/mcp", headers={"Authorization": "Bearer " + token})[0], wanted)
        status, headers, _ = server.call(STATIC[:-1])
        tap.equal("an unknown static token", (status, challenge(headers)),
                  (401, {"error": "invalid_token", **want}))
        tap.equal("a good token and a wrong Host", server.call(
            token, headers={"Host": "evil.example"})[0], 403)
        tap.equal("the token comes before the media type", server.request(
            "POST", "/mcp", "{", {"Content-Type": "text/plain"})[0], 401)
        status, headers, _ = server.call(token, headers={"Authorization": "bearer " + token})
        tap.equal("the scheme has no case", status, 200)


def test_without_oauth():
    server = Server(None)
    try:
        status, headers, _ = server.call(None)
        tap.equal("no token", (status, headers["WWW-Authenticate"]), (401, "Bearer"))
        tap.equal("a JWT is an unknown token", server.status("a.b.c"), 401)
        tap.equal("no metadata", server.request(
            "GET", "/.well-known/oauth-protected-resource")[0], 404)
        tap.equal("a static token", server.status(STATIC), 200)
    finally:
        tap.equal("ends properly", server.close(), 0)


# ---- keys ----

def test_rotation():
    with issuing(algs=("ES256",)) as issuer, \
            running(issuer, keys={"refetch_s": 2}) as server:
        old = issuer.token("es256", **READ)
        tap.equal("the old key", server.status(old), 200)
        issuer.add_key("next", "EdDSA")
        time.sleep(2.1)
        tap.equal("a new key is fetched for the token that names it",
                  server.status(issuer.token("next", **READ)), 200)
        tap.equal("at once, and once", issuer.count(), 2)
        tap.equal("the old one still holds", server.status(old), 200)
        issuer.published.remove("es256")
        issuer.add_key("never", "EdDSA", publish=False)
        time.sleep(2.1)
        tap.equal("a key that the issuer does not have",
                  server.status(issuer.token("never", **READ)), 401)
        tap.equal("a key that was withdrawn, and a token found good before",
                  server.status(old), 401)


def test_no_storm():
    with issuing(algs=("ES256",)) as issuer, \
            running(issuer, keys={"refetch_s": 3600}) as server:
        tap.equal("the keys are there", server.status(issuer.token("es256", **READ)), 200)
        strange = [issuer.token("es256", header={"kid": f"x{i}"}, **READ) for i in range(50)]
        tap.equal("50 unknown keys", {server.status(t) for t in strange}, {401})
        tap.equal("one fetch", issuer.count(), 1)


def in_parallel(server, tokens):
    """The statuses, and how long all took."""
    statuses = [None] * len(tokens)

    def one(i):
        statuses[i] = server.status(tokens[i])

    began = time.monotonic()
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(tokens))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return statuses, time.monotonic() - began


def test_slow_issuer():
    """Nobody but those who need the keys waits for them."""
    with issuing(algs=("ES256",)) as issuer:
        issuer.delay_s = 3
        with running(issuer, keys={"refetch_s": 1}) as server:
            began = time.monotonic()
            waiting = threading.Thread(target=in_parallel, args=(
                server, [issuer.token("es256", **READ)]))
            waiting.start()
            tap.equal("a static token", server.status(STATIC), 200)
            tap.equal("health", server.request("GET", "/healthz")[0], 200)
            tap.equal("an expired one", server.status(issuer.token("es256", exp=1, **READ)), 401)
            tap.ok("did not wait", time.monotonic() - began < 2.5, time.monotonic() - began)
            statuses, _ = in_parallel(server, [issuer.token("es256", **READ)] * 20)
            tap.equal("who needs the keys waits and gets in", statuses, [200] * 20)
            waiting.join()
            tap.equal("one fetch served all", issuer.count(), 1)


def test_too_many_wait():
    with issuing(algs=("ES256",)) as issuer:
        issuer.delay_s = 3
        with running(issuer) as server:
            statuses, _ = in_parallel(server, [issuer.token("es256", **READ)] * 80)
            tap.equal("64 wait, the others are told to come again",
                      (statuses.count(200), statuses.count(503)), (64, 16))


def test_end_while_waiting():
    with issuing(algs=("ES256",)) as issuer:
        issuer.delay_s = 30
        server = Server(issuers_of(issuer))
        got = []
        thread = threading.Thread(target=lambda: got.extend(in_parallel(
            server, [issuer.token("es256", **READ)])[0]))
        thread.start()
        while issuer.count("realm") == 0:
            time.sleep(0.02)
        time.sleep(0.2)
        began = time.monotonic()
        tap.equal("a server ends while the issuer keeps it waiting", server.close(), 0)
        thread.join()
        tap.ok("at once", time.monotonic() - began < 3, time.monotonic() - began)
        tap.equal("and who waited was answered", got, [503])


def test_issuer_down():
    with issuing(algs=("ES256",)) as issuer:
        issuer.down = True
        with running(issuer, keys={"refetch_s": 1, "max_age_s": 1, "max_stale_s": 6}) as server:
            token = issuer.token("es256", **READ)
            status, headers, text = server.call(token)
            tap.equal("no keys yet: 503, not the client's fault", status, 503)
            tap.ok("and nothing about the issuer", issuer.url not in text, text)
            tap.equal("static tokens work", server.status(STATIC), 200)
            issuer.down = False
            time.sleep(1.1)
            tap.equal("it came up", server.status(token), 200)
            issuer.down = True
            time.sleep(2.2)
            tap.equal("down again: the keys are kept", server.status(token), 200)
            tap.equal("an unknown key is unknown", server.status(
                issuer.token("es256", header={"kid": "x"}, **READ)), 401)
            until = time.monotonic() + 20
            while server.status(token) == 200 and time.monotonic() < until:
                time.sleep(0.1)
            tap.equal("until they are too old, for tokens found good before, too",
                      server.status(token), 503)
            issuer.down = False
            time.sleep(1.1)
            tap.equal("and up", server.status(token), 200)
            tap.ok("told in the log", "oauth.keys_failed" in server.logged())


# ---- metadata and key sets of a bad issuer ----

def served_with(change):
    """Whether a good token gets in when the issuer is changed so."""
    with issuing("/a/b", algs=("ES256",)) as issuer:
        change(issuer)
        with running(issuer) as server:
            return server.status(issuer.token("es256", **READ))


def test_discovery():
    for name, path in (
            ("RFC 8414", "/.well-known/oauth-authorization-server/a/b"),
            ("OpenID Connect with the path behind", "/.well-known/openid-configuration/a/b"),
            ("OpenID Connect with the path before", "/a/b/.well-known/openid-configuration")):
        tap.equal(name, served_with(lambda i, p=path: setattr(i, "metadata_at", [p])), 200)
    tap.equal("nowhere", served_with(lambda i: setattr(i, "metadata_at", [])), 503)

    def more(**members):
        return lambda issuer: issuer.metadata_more.update(
            {n: v(issuer) if callable(v) else v for n, v in members.items()})

    for name, change in (
            ("another issuer", more(issuer="https://other.example")),
            ("a slash more", more(issuer=lambda i: i.url + "/")),
            ("no keys", more(jwks_uri=None)),
            ("keys in a file", more(jwks_uri="file:///etc/passwd")),
            ("keys over http elsewhere", more(jwks_uri="http://192.0.2.1/keys")),
            ("keys at a name that only looks like loopback",
             more(jwks_uri="http://127.0.0.1.example.test/keys")),
            ("keys behind a user", more(jwks_uri=lambda i: i.url.replace("//", "//u@") + "/keys")),
            ("keys that are not there", more(jwks_uri=lambda i: i.url + "/nothing"))):
        tap.equal(f"metadata that names {name}", served_with(change), 503)


def test_key_sets():
    def raw(text):
        return lambda issuer: setattr(issuer, "raw_keys", text)

    def padded(issuer):
        good = {"keys": [issuer.keys["es256"].jwk()], "x": "y" * (300 * 1024)}
        issuer.raw_keys = json.dumps(good).encode()

    def crowded(issuer):
        issuer.raw_keys = json.dumps({"keys": [issuer.keys["es256"].jwk()] * 65}).encode()

    def secret(issuer):
        issuer.raw_keys = json.dumps({"keys": [
            {"kty": "oct", "kid": "es256", "k": "AAAA"}]}).encode()

    def mixed(issuer):
        issuer.raw_keys = json.dumps({"keys": [
            {"kty": "oct", "kid": "es256", "k": "AAAA"}, {"kty": "new"}, 7,
            issuer.keys["es256"].jwk()]}).encode()

    for name, change, want in (
            ("no JSON", raw(b"<html>"), 503), ("empty", raw(b'{"keys":[]}'), 503),
            ("no array", raw(b'{"keys":{}}'), 503), ("nothing", raw(b""), 503),
            ("too long", padded, 503), ("too many", crowded, 503),
            ("a secret", secret, 503), ("a good one among others", mixed, 200)):
        tap.equal(f"a key set: {name}", served_with(change), want)


# ---- configuration ----

def test_own_authority():
    folder = tempfile.mkdtemp(prefix="wingman-ca-")
    house = Authority(folder, "house")
    issuer = Issuer("/realm", tls=house.issue("login", SERVER_PURPOSE))
    issuer.add_key("one", "ES256")
    try:
        with running(issuer, ca_file=house.file) as server:
            tap.equal("an issuer behind the house's authority is believed",
                      server.status(issuer.token("one", **READ)), 200)
        with running(issuer) as server:
            tap.equal("one behind an authority that nobody named is not",
                      server.status(issuer.token("one", **READ)), 503)
    finally:
        issuer.close()
        shutil.rmtree(folder)


def test_configuration():
    def with_(**more):
        return {"resource": RESOURCE, "issuers": [{"issuer": "https://a.example"}], **more}

    def issuer(**more):
        return with_(issuers=[{"issuer": "https://a.example", **more}])

    for name, oauth, says in (
            ("no issuers", with_(issuers=[]), "oauth/issuers"),
            ("nine issuers", with_(issuers=[{"issuer": f"https://a{i}.example"}
                                            for i in range(9)]), "oauth/issuers"),
            ("an issuer twice", with_(issuers=[{"issuer": "https://a.example"}] * 2), "twice"),
            ("an http issuer", with_(issuers=[{"issuer": "http://a.example"}]), "loopback"),
            ("an issuer with a query", with_(issuers=[{"issuer": "https://a.example?x"}]),
             "query"),
            ("keys over http", issuer(jwks_uri="http://127.0.0.1/keys"), "https"),
            ("alg none", issuer(algorithms=["none"]), "algorithms"),
            ("HS256", issuer(algorithms=["HS256"]), "algorithms"),
            ("no algorithm", issuer(algorithms=[]), "algorithms"),
            ("a resource with a slash", with_(resource=RESOURCE + "/"), "slash"),
            ("a resource with a fragment", with_(resource=RESOURCE + "#x"), "resource"),
            ("a resource over http", with_(resource="http://tools.example.test/mcp"),
             "loopback"),
            ("a scope of our own programs", with_(scopes={"read": ["wingman:gate"]}), "scopes"),
            ("a scope with a space", with_(scopes={"read": ["a b"]}), "scopes"),
            ("a scope with a quote", with_(tool_scopes={"echo_text": ['a"b']}), "tool_scopes"),
            ("scopes of a tool that is not there", with_(tool_scopes={"no_tool": ["a"]}),
             "no_tool"),
            ("too many scopes", with_(tool_scopes={
                t: [f"{t}{i}" for i in range(6)] for t in ("echo_text", "get_route", "put_value")}),
             "16"),
            ("an unknown member", with_(colour=1), "colour")):
        try:
            Server(oauth).close()
            tap.ok(f"refused: {name}", False, "it started")
        except RuntimeError as e:
            tap.ok(f"refused: {name}", "fixture.yaml:" in str(e) and says in str(e), e)


# ---- another implementation ----

def test_pyjwt():
    try:
        import jwt
        from jwt.algorithms import get_default_algorithms
    except ImportError as e:
        tap.skip("tokens of PyJWT", e)
        return
    algorithms = get_default_algorithms()
    with issuing() as issuer:
        keys = [{**json.loads(algorithms[k.alg].to_jwk(k.private.public_key())), "kid": kid}
                for kid, k in issuer.keys.items()]
        issuer.raw_keys = json.dumps({"keys": keys}).encode()
        with running(issuer) as server:
            for kid, key in issuer.keys.items():
                token = jwt.encode(issuer.claims(**READ), key.private, key.alg,
                                   headers={"kid": kid, "typ": "at+jwt"})
                tap.equal(f"PyJWT's {key.alg}", server.status(token), 200)
                jwt.decode(issuer.token(kid, **READ), key.private.public_key(), [key.alg],
                           audience=RESOURCE)
            for alg in ("RS384", "PS256"):
                token = jwt.encode(issuer.claims(**READ), issuer.keys["rs256"].private, alg,
                                   headers={"kid": "rs256"})
                tap.equal(f"PyJWT's {alg}", server.status(token), 401)


if __name__ == "__main__":
    socket.setdefaulttimeout(30)
    tap.run([test_good_tokens, test_wrong_tokens, test_only_what_is_asked_for, test_scopes,
             test_names_of_scopes, test_metadata, test_challenges, test_without_oauth,
             test_rotation, test_no_storm, test_slow_issuer, test_too_many_wait,
             test_end_while_waiting, test_issuer_down, test_discovery, test_key_sets,
             test_own_authority, test_configuration, test_pyjwt])
    tap.done()
