"""Clients that others write and that can show their person a page: a call that waits for somebody's
yes, in each era as its revision has it, over HTTP and over stdio.

In the modern era they show the page and come again by themselves, which waits; in the older one
they get the error of 2025-11-25 with the page's address, and whoever has them repeats the call.
"""

import asyncio
import json
import os
import subprocess
import threading

import tap
from clients_test import (LEGACY, MODERN, NODE, NPM, PATIENCE_S, SCRIPT, WAYS, bearer, bridge, code_of,
                          run, serving, url)

try:
    import mcp
    from mcp.client import streamable_http
    import mcp_types
except ImportError:
    mcp = None

URL_REQUIRED = -32042


class Person:
    """Decides what is pending, in the moment when a client has shown the page of it."""

    def __init__(self, s, verb):
        self.s, self.verb, self.pages, self.approvals = s, verb, [], []

    def see(self, page):
        self.pages.append(page)
        if self.verb:
            self.decide()

    def decide(self):
        pending = [a["id"] for a in self.s.json("approvals", "list") if a["state"] == "pending"]
        self.approvals += pending
        for approval in pending:
            if self.verb == "approve":
                self.s.decide(approval)
            else:
                self.s.wingman("approvals", self.verb, approval)


# ---- Clients: (suite, way, era, call, what its person says of pages, Person) -> a call's result ----

def javascript(client):
    def talk(s, way, era, call, page, person):
        where = {"command": bridge(s)} if way == "stdio" else {"url": url(s, way), "headers": bearer(s)}
        spec = {"client": client, "era": era, "calls": [call], "page": page, **where}
        with open(SCRIPT, encoding="utf-8") as f, subprocess.Popen(
                [NODE, "--input-type=module", "-", json.dumps(spec)], cwd=NPM, stdin=f, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            said = []

            def listen():
                for line in process.stderr:
                    said.append(line)
                    if line.startswith("page "):
                        person.see(line.split()[1])

            ear = threading.Thread(target=listen)
            ear.start()
            try:
                out = process.stdout.read()
                process.wait(PATIENCE_S)
            finally:
                process.kill()
                ear.join()
        if not out.strip():
            raise RuntimeError("".join(said)[-2000:])
        got = json.loads(out)
        assert got["pages"] == person.pages, (got["pages"], person.pages)
        return got["version"], got["calls"][0]
    return talk


def python(s, way, era, call, page, person):
    async def see(_context, params):
        await asyncio.to_thread(person.see, params.url)
        return mcp_types.ElicitResult(action=page)

    async def talk():
        if way == "stdio":
            argv = bridge(s)
            transport = mcp.stdio_client(mcp.StdioServerParameters(command=argv[0], args=argv[1:]))
        else:
            http = streamable_http.create_mcp_http_client(headers=bearer(s))
            transport = streamable_http.streamable_http_client(url(s, way), http_client=http)
        async with mcp.Client(transport, mode=era, elicitation_callback=see) as c:
            try:
                r = await c.call_tool(call["name"], call["arguments"])
                result = {"isError": r.is_error, "structuredContent": r.structured_content}
            except mcp.MCPError as e:
                result = {"code": e.error.code, "data": e.error.data}
            return c.protocol_version, result
    return asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))


CLIENTS = [
    ("SDK 1.x", javascript("sdk"), {"legacy": LEGACY}),
    ("client 2.x", javascript("client"), {"legacy": LEGACY, "modern": MODERN}),
    ("Python", python, {"legacy": LEGACY, "auto": MODERN}),
]


def ran(s, call):
    """How often the accounts server has begun this call, by its own log."""
    lines = [json.loads(line) for line in s.read("audit", "accounts.jsonl").splitlines()]
    approvals = {a["id"] for a in s.json("approvals", "list", "--all") if a["tool"] == call["name"]}
    return len([x for x in lines if x["event"] == "call.started"
                and x["data"].get("approval") in approvals])


def is_good(result):
    return not result.get("isError") and isinstance(result.get("structuredContent"), dict)


def test_modern(s, where, talk, way, era, call):
    before = ran(s, call)
    person = Person(s, "approve")
    version, result = talk(s, way, era, call, "accept", person)
    tap.equal(f"{where}: it speaks {MODERN}", version, MODERN)
    tap.ok(f"{where}: it shows the page of the gate, and not what is asked", person.pages
           and all("/a/" in p and "limit" not in p for p in person.pages), person.pages)
    tap.ok(f"{where}: approved meanwhile, it has the result", is_good(result), result)
    tap.equal(f"{where}: it ran once", ran(s, call) - before, 1)
    for page, verb, wanted in (("accept", "deny", "permission_denied"), ("decline", None, "permission_denied")):
        call["arguments"]["limit"] += 1
        person = Person(s, verb)
        _, result = talk(s, way, era, call, page, person)
        tap.ok(f"{where}: {'a denial' if verb else 'declining'} is an error of the tool, whatever was said of "
               "the page", result.get("isError") is True and code_of(result) == wanted, result)
    tap.equal(f"{where}: and nothing more ran", ran(s, call) - before, 1)
    tap.equal(f"{where}: nor waits", [a for a in s.json("approvals", "list") if a["state"] == "pending"], [])


def test_legacy(s, where, talk, way, era, call):
    before = ran(s, call)
    person = Person(s, None)
    version, first = talk(s, way, era, call, "accept", person)
    tap.equal(f"{where}: it speaks {LEGACY}", version, LEGACY)
    asked = (first.get("data") or {}).get("elicitations", [{}])[0]
    tap.ok(f"{where}: it gets the error with the page's address", first.get("code") == URL_REQUIRED
           and asked.get("mode") == "url" and "/a/" in asked.get("url", "") and asked.get("elicitationId"), first)
    tap.equal(f"{where}: nothing ran", ran(s, call) - before, 0)
    person.verb = "approve"
    person.decide()
    _, again = talk(s, way, era, call, "accept", person)
    tap.ok(f"{where}: approved and repeated, it has the result", len(person.approvals) == 1 and is_good(again),
           again)
    tap.equal(f"{where}: it ran once", ran(s, call) - before, 1)


def test_pages():
    with serving() as s:
        number = 0
        for name, talk, eras in CLIENTS:
            for era, version in eras.items():
                for way in WAYS[:2]:
                    # Another read each time: what was approved once need not wait again.
                    number += 3
                    call = {"name": "list_blocked_accounts", "arguments": {"limit": number}}
                    where = f"{name}, {way}, {era}"
                    try:
                        (test_modern if version == MODERN else test_legacy)(s, where, talk, way, era, call)
                    except Exception as e:
                        tap.ok(where, False, repr(e))


if __name__ == "__main__":
    if mcp and os.path.exists(NODE):
        tap.run([test_pages])
    else:
        tap.skip("pages in clients of others", "'make test' installs them into build/venv and build/npm")
    tap.done()
