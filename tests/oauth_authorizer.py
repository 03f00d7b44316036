"""An issuer that also gives tokens to clients: authorization code with PKCE, refresh
tokens that rotate, dynamic registration. A person who says yes is built in.

    authorizer = Authorizer("/realm")
    authorizer.add_key("k1", "ES256")
    authorizer.audience = resource

It is strict where RFC 6749, 7636, 8707 and 7591 let it be: what is not as it must be is
invalid_request, and stands in 'complaints'.
"""

import base64
import hashlib
import json
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth_issuer import Issuer


class Authorizer(Issuer):
    def __init__(self, path=""):
        super().__init__(path)
        self.audience = None
        self.spoilt = 0               # so many tokens are for somebody else
        self.complaints = []
        self.scopes = []              # of each authorization request
        self.grants = []              # types, in order
        self.clients = {}             # id: redirect URIs
        self.codes, self.refreshes = {}, {}
        self.metadata_more = {
            "authorization_endpoint": self.url + "/authorize",
            "token_endpoint": self.url + "/token",
            "registration_endpoint": self.url + "/register",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": ["offline_access"],
        }

    # ---- the browser ----

    def _answer(self, handler):
        parts = urlsplit(handler.path)
        if parts.path != self.path + "/authorize":
            super()._answer(handler)
            return
        self.asked.append(parts.path)
        asked = self._form(parts.query)
        need = {"response_type": "code", "code_challenge_method": "S256",
                "resource": self.audience}
        if not self._has(asked, need) or \
                asked.get("redirect_uri") not in self.clients.get(asked.get("client_id"), []):
            self.reply(handler, 400)
            return
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        self.scopes.append(asked.get("scope"))
        back = {"code": code, "state": asked["state"], "iss": self.url}
        self.reply(handler, 302, headers={
            "Location": asked["redirect_uri"] + "?" + urlencode(back)})

    # ---- the client ----

    def _take(self, handler):
        self.asked.append(handler.path)
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        if handler.path == self.path + "/register":
            status, answer = self._register(json.loads(body))
        elif handler.path == self.path + "/token":
            status, answer = self._give(self._form(body))
        else:
            status, answer = 404, {}
        self.reply(handler, status, json.dumps(answer).encode())

    def _register(self, wish):
        if wish.get("application_type") != "native" or not wish.get("redirect_uris"):
            self.complaints.append(wish)
            return 400, {"error": "invalid_client_metadata"}
        name = secrets.token_urlsafe(8)
        self.clients[name] = wish["redirect_uris"]
        return 201, {"client_id": name, "token_endpoint_auth_method": "none", **wish}

    def _give(self, asked):
        self.grants.append(asked.get("grant_type"))
        if asked.get("grant_type") == "authorization_code":
            granted = self.codes.pop(asked.get("code"), None)
            verifier = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
            good = granted and granted["code_challenge"] == proof and \
                self._has(asked, {n: granted[n] for n in ("redirect_uri", "client_id", "resource")})
        else:
            granted = self.refreshes.pop(asked.get("refresh_token"), None)
            good = granted and self._has(asked, {n: granted[n] for n in ("client_id", "resource")})
        if not good:
            return 400, {"error": "invalid_grant"}
        refresh = secrets.token_urlsafe(16)
        self.refreshes[refresh] = granted
        self.spoilt -= 1
        token = self.token(next(iter(self.keys)), scope=granted.get("scope", ""),
                           client_id=granted["client_id"],
                           aud=self.audience + "/other" if self.spoilt >= 0 else self.audience)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 300,
                     "refresh_token": refresh}

    # ---- forms ----

    def _form(self, text):
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
        if len(dict(pairs)) != len(pairs):
            self.complaints.append(text)
        return dict(pairs)

    def _has(self, asked, wanted):
        wrong = {n: asked.get(n) for n, value in wanted.items() if asked.get(n) != value}
        if wrong:
            self.complaints.append(wrong)
        return not wrong
