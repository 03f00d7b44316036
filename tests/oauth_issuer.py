"""An issuer of access tokens on loopback, for tests: metadata, keys, tokens.

    issuer = Issuer("/realm")
    issuer.add_key("k1", "ES256")
    token = issuer.token("k1", sub="alice@example.test", aud=resource, scope="fixture:read")

What it publishes is what 'published' names; 'down', 'delay_s' and 'metadata_at' change how
it answers. It counts what it was asked. Tokens are made by hand with python3-cryptography,
so that wrong ones can be made too.
"""

import base64
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

WELL_KNOWN = "/.well-known/"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, kid, alg):
        self.kid, self.alg = kid, alg
        self.private = {"RS256": lambda: rsa.generate_private_key(65537, 2048),
                        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                        "EdDSA": ed25519.Ed25519PrivateKey.generate}[alg]()

    def jwk(self):
        public = self.private.public_key()
        common = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg == "RS256":
            n = public.public_numbers()
            return {**common, "kty": "RSA", "n": number(n.n), "e": number(n.e)}
        if self.alg == "ES256":
            n = public.public_numbers()
            return {**common, "kty": "EC", "crv": "P-256", "x": number(n.x, 32),
                    "y": number(n.y, 32)}
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {**common, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.alg == "RS256":
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(data)

    def sign_der(self, data):
        """As everybody but JOSE writes an ECDSA signature."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


def compact(header, claims, sign):
    """header.claims.signature, of dicts or of bytes as they are."""
    parts = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in (header, claims)]
    text = b64(parts[0]) + "." + b64(parts[1])
    return text + "." + b64(sign(text.encode()))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass                          # whoever asked has gone


class Issuer:
    def __init__(self, path="", tls=None):
        """'tls': (certificate, key), files, for https."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer._answer(self)

            def do_POST(self):
                issuer._take(self)

            def log_message(self, *args):
                pass

        self.path = path
        self.keys = {}
        self.published = []           # kids
        self.raw_keys = None          # this text instead
        self.down = False
        self.delay_s = 0
        self.metadata_at = [WELL_KNOWN + "oauth-authorization-server" + path]
        self.metadata_more = {}
        self.asked = []               # paths
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.origin = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.server.server_port)
        self.url = self.origin + path
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def add_key(self, kid, alg, publish=True):
        self.keys[kid] = Key(kid, alg)
        if publish:
            self.published.append(kid)
        return self.keys[kid]

    def jwks(self):
        if self.raw_keys is not None:
            return self.raw_keys
        return json.dumps({"keys": [self.keys[k].jwk() for k in self.published]}).encode()

    def metadata(self):
        return json.dumps({"issuer": self.url, "jwks_uri": self.url + "/keys",
                           **self.metadata_more}).encode()

    def _answer(self, handler):
        self.asked.append(handler.path)
        if self.delay_s:
            self.released.wait(self.delay_s)
        body, status = b"", 404
        if self.down:
            status = 503
        elif handler.path in self.metadata_at:
            body, status = self.metadata(), 200
        elif handler.path == self.path + "/keys":
            body, status = self.jwks(), 200
        self.reply(handler, status, body)

    def _take(self, handler):
        """A POST; oauth_authorizer.py takes some."""
        self.asked.append(handler.path)
        self.reply(handler, 404)

    @staticmethod
    def reply(handler, status, body=b"", headers=None):
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            pass                      # whoever asked has gone

    def count(self, what="/keys"):
        return sum(1 for path in self.asked if path.endswith(what))

    def claims(self, **more):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "alice@example.test", "client_id": "cli",
                  "iat": now, "exp": now + 300, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid, header=None, sign=None, **claims):
        """A claim that is None is left out; 'header' replaces members of the header."""
        key = self.keys[kid]
        head = {"alg": key.alg, "typ": "at+jwt", "kid": kid, **(header or {})}
        return compact({n: v for n, v in head.items() if v is not None},
                       self.claims(**claims), sign or key.sign)
