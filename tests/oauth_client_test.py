"""Our client and our server with an issuer between them that is neither's: nobody of us
has made the token, the server's metadata and challenges are what the client finds its way
by, and the scopes that one wants are what the other asks for."""

import contextlib
import json
import os
import socket
import subprocess

import tap
from oauth_authorizer import Authorizer
from oauth_test import Server

CLIENT = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "conformance-client")


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def served(path="/mcp", **more):
    """(issuer, the server's URL); the resource is the very URL."""
    issuer = Authorizer("/realm")
    issuer.add_key("es256", "ES256")
    port = free_port()
    url = f"http://127.0.0.1:{port}{path}"
    issuer.audience = url
    server = None
    try:
        server = Server({"resource": url, "issuers": [{"issuer": issuer.url}],
                         "keys": {"refetch_s": 1}, **more}, port=port)
        yield issuer, url
    finally:
        if server:
            tap.equal("the server ends properly", server.close(), 0)
        issuer.close()


def play(url, *calls):
    """The client makes calls, and ends."""
    context = {"toolCalls": [{"name": name, "arguments": arguments} for name, arguments in calls]}
    done = subprocess.run([CLIENT, url], env={
        **os.environ, "MCP_CONFORMANCE_SCENARIO": "auth/calls-of-the-context",
        "MCP_CONFORMANCE_CONTEXT": json.dumps(context)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


ECHO = ("echo_text", {"text": "x"})


def test_a_token_is_got():
    with served() as (issuer, url):
        tap.equal("a call through", play(url, ECHO, ECHO), (0, ""))
        tap.equal("one grant", issuer.grants, ["authorization_code"])
        tap.equal("for what the server wants", issuer.scopes,
                  ["fixture:read offline_access"])
        tap.equal("one registration", len(issuer.clients), 1)
        tap.equal("nothing to complain of", issuer.complaints, [])


def test_more_is_asked_for():
    with served(tool_scopes={"get_route": ["mfa"]}) as (issuer, url):
        tap.equal("a tool that needs more", play(url, ECHO, ("get_route", {}), ECHO), (0, ""))
        tap.equal("is asked for on top", issuer.scopes,
                  ["fixture:read offline_access", "fixture:read mfa offline_access"])
        tap.equal("as the same client", len(issuer.clients), 1)
        tap.equal("nothing to complain of", issuer.complaints, [])


def test_a_token_that_is_not_taken():
    with served() as (issuer, url):
        issuer.spoilt = 1
        status, said = play(url, ECHO)
        tap.equal("a token for somebody else gets nowhere", status, 1)
        tap.ok("and the client says so", "does not take the token" in said, said)
        tap.ok("without the token", "eyJ" not in said, said)
        tap.equal("one try", issuer.grants, ["authorization_code"])


def test_nobody_gives_tokens():
    with served() as (issuer, url):
        issuer.metadata_more = {}
        status, said = play(url, ECHO)
        tap.ok("an issuer without endpoints", status == 1 and "endpoints" in said, said)
        issuer.down = True
        status, said = play(url, ECHO)
        tap.ok("an issuer in trouble", status == 1 and "trouble" in said, said)


if __name__ == "__main__":
    tap.run([test_a_token_is_got, test_more_is_asked_for, test_a_token_that_is_not_taken,
             test_nobody_gives_tokens])
    tap.done()
