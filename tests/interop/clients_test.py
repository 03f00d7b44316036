"""The clients that others write list and call the tools of a whole suite: over HTTP and
over stdio, in each era that they speak.

A read that is free gives its result; a read and a write that wait for a person are errors
with structure, which every client must hand on although the schema of a success is another.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import tempfile

import tap
from suite import Suite, WINGMAN

try:
    import fastmcp
    import mcp
    from mcp.client import streamable_http
except ImportError:
    fastmcp = None

SOURCE = os.environ["WINGMAN_SOURCE"]
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
MODULES = os.path.join(NPM, "node_modules")
INSPECTOR = os.path.join(MODULES, "@modelcontextprotocol", "inspector", "clients", "launcher",
                         "build", "index.js")
SCRIPT = os.path.join(SOURCE, "tests", "interop", "client.mjs")
PATIENCE_S = 60
MODERN, LEGACY = "2026-07-28", "2025-11-25"
POLICY = """
rules:
  - {name: looking is free, server: accounts, tool: get_account, free: true}
  - {name: all else}
"""
LIMITS = "limits: {proposals_at_once: 1000, proposals_per_minute: 1000, open_per_person: 1000}\n"
PERSON = "jane.roe@example.test"
GOOD = {"name": "get_account", "arguments": {"person": PERSON}}
BAD = {"name": "get_account", "arguments": {"person": 7}}
WRITE = {"name": "block_account", "arguments": {"person": PERSON, "reason": "left"}}


# ---- Clients: (suite, whether over stdio, era, calls) -> {version, tools, calls} ----

def bridge(s):
    return [WINGMAN, "--dir", s.dir, "connect", "accounts", "--stdio"]


def url(s):
    return s.ready["servers"]["accounts"]["url"]


def run(argv, cwd=None, stdin=subprocess.DEVNULL, home=None):
    done = subprocess.run(argv, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
                          env={**os.environ, **({"HOME": home} if home else {})})
    if not done.stdout.strip():
        raise RuntimeError(f"status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def javascript(client):
    def talk(s, over_stdio, era, calls):
        where = {"command": bridge(s)} if over_stdio else {"url": url(s), "token": s.token("client")}
        spec = {"client": client, "era": era, "calls": calls, **where}
        with open(SCRIPT, encoding="utf-8") as f:
            return json.loads(run([NODE, "--input-type=module", "-", json.dumps(spec)], NPM, f))
    return talk


def inspector_argv(s, over_stdio, era, words):
    argv = [NODE, INSPECTOR, "--cli", "--protocol-era", era, "--format", "json", "--quiet", *words]
    if over_stdio:
        return [*argv, "--", *bridge(s)]
    return [*argv, "--transport", "http", "--server-url", url(s), "--header",
            "Authorization: Bearer " + s.token("client")]


def inspector_call(call):
    return ["--method", "tools/call", "--tool-name", call["name"],
            "--tool-args-json", json.dumps(call["arguments"])]


def inspector(s, over_stdio, era, calls):
    with tempfile.TemporaryDirectory() as home:
        def ask(*words):
            argv = inspector_argv(s, over_stdio, era, words)
            return json.loads(run(argv, NPM, home=home))["result"]
        return {"tools": ask("--method", "tools/list")["tools"],
                "calls": [ask(*inspector_call(c)) for c in calls]}


def fast(s, over_stdio, era, calls):
    async def talk():
        if over_stdio:
            argv = bridge(s)
            transport = fastmcp.client.transports.StdioTransport(argv[0], argv[1:], keep_alive=False)
        else:
            transport = fastmcp.client.transports.StreamableHttpTransport(
                url(s), headers={"Authorization": "Bearer " + s.token("client")})
        async with fastmcp.Client(transport, mode=era) as c:
            tools = [{"name": t.name} for t in await c.list_tools()]
            got = []
            for call in calls:
                r = await c.call_tool(call["name"], call["arguments"], raise_on_error=False)
                got.append({"isError": r.is_error, "structuredContent": r.structured_content,
                            "content": [{"text": b.text} for b in r.content]})
            return {"version": c.protocol_version, "tools": tools, "calls": got}
    return asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))


def python(s, over_stdio, era, calls):
    async def talk():
        if over_stdio:
            argv = bridge(s)
            where = mcp.StdioServerParameters(command=argv[0], args=argv[1:])
            transport = mcp.stdio_client(where)
        else:
            http = streamable_http.create_mcp_http_client(
                headers={"Authorization": "Bearer " + s.token("client")})
            transport = streamable_http.streamable_http_client(url(s), http_client=http)
        async with mcp.Client(transport, mode=era) as c:
            tools = [{"name": t.name} for t in (await c.list_tools()).tools]
            got = []
            for call in calls:
                r = await c.call_tool(call["name"], call["arguments"])
                got.append({"isError": r.is_error, "structuredContent": r.structured_content,
                            "content": [{"text": b.text} for b in r.content]})
            return {"version": c.protocol_version, "tools": tools, "calls": got}
    return asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))


# ---- What each must see ----

def code_of(result):
    return (result.get("structuredContent") or {}).get("error", {}).get("code")


def check_refused(name, result):
    """An error of the tool that waits for a person; its approval's id, "" if there is none."""
    error = (result.get("structuredContent") or {}).get("error", {})
    tap.ok(f"{name} waits for a person, and the client says so",
           result.get("isError") is True and error.get("code") == "approval_required"
           and "pprov" in result["content"][0]["text"], result)
    return error.get("details", {}).get("approval", "")


def check_plain(name, got):
    """What needs nobody's yes: the first two of 'calls' are GOOD and BAD."""
    tools = [t["name"] for t in got["tools"]]
    tap.ok(f"{name}: the tools are listed", {"get_account", "block_account"} <= set(tools), tools)
    good, bad = got["calls"][:2]
    tap.ok(f"{name}: a free read gives its structure", not good.get("isError")
           and PERSON in json.dumps(good.get("structuredContent")), good)
    tap.ok(f"{name}: arguments that do not fit are an error of the tool", bad.get("isError") is True
           and code_of(bad) == "invalid_argument", bad)


def check(s, name, talk, over_stdio, era, version, waiting):
    got = talk(s, over_stdio, era, [GOOD, BAD, waiting, WRITE])
    if "version" in got:
        tap.equal(f"{name}: it speaks {version}", got["version"], version)
    check_plain(name, got)
    approval = check_refused(f"{name}: a read", got["calls"][2])
    check_refused(f"{name}: a write", got["calls"][3])
    return approval


def check_approved(s, name, talk, approval, over_stdio, era, waiting):
    """Somebody says yes, and the same call, repeated, runs."""
    _, status = s.decide(approval)
    result = talk(s, over_stdio, era, [waiting])["calls"][0]
    tap.ok(f"{name}: once approved, the same call runs", status == 0
           and not result.get("isError") and code_of(result) is None
           and isinstance(result.get("structuredContent"), dict), result)


@contextlib.contextmanager
def serving():
    s = Suite()
    try:
        s.start()
        s.stop()
        with open(s.path("config", "policy.yaml"), "w", encoding="utf-8") as f:
            f.write(POLICY)
        with open(s.path("config", "accounts.yaml"), "a", encoding="utf-8") as f:
            f.write("freed_reads: [get_account]\n")
        with open(s.path("config", "gate.yaml"), "a", encoding="utf-8") as f:
            f.write(LIMITS)
        s.start()
        yield s
    finally:
        s.done()


CLIENTS = [
    ("SDK 1.x", javascript("sdk"), {"legacy": LEGACY}),
    ("client 2.x", javascript("client"), {"legacy": LEGACY, "modern": MODERN, "auto": MODERN}),
    ("Inspector", inspector, {"legacy": LEGACY}),
    ("fastmcp", fast, {"legacy": LEGACY, "auto": MODERN}),
    ("Python", python, {"legacy": LEGACY, "auto": MODERN}),
]


def test_client(s, name, talk, eras, number):
    for era, version in eras.items():
        for over_stdio in (False, True):
            where = f"{name}, {'stdio' if over_stdio else 'HTTP'}, {era}"
            # Another read each time: what was approved once need not wait again.
            number += 1
            waiting = {"name": "list_blocked_accounts", "arguments": {"limit": number}}
            try:
                approval = check(s, where, talk, over_stdio, era, version, waiting)
                if era in ("legacy", "modern"):
                    check_approved(s, where, talk, approval, over_stdio, era, waiting)
            except Exception as e:
                tap.ok(where, False, repr(e))


@contextlib.contextmanager
def calling(s, over_stdio, call):
    """The Inspector at a call that waits, and the id of the approval that it waits for."""
    before = {a["id"] for a in s.json("approvals", "list")}
    argv = inspector_argv(s, over_stdio, "modern", inspector_call(call))
    with tempfile.TemporaryDirectory() as home, \
         subprocess.Popen(argv, cwd=NPM, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True,
                          env={**os.environ, "HOME": home}) as process:
        try:
            yield process, s.wait_for(
                lambda: [a["id"] for a in s.json("approvals", "list") if a["id"] not in before],
                PATIENCE_S, "the Inspector's call")[0]
        finally:
            process.kill()


def test_inspector_tasks(s):
    """In the modern era it knows tasks: a call that waits for a person is one, and it waits too."""
    for over_stdio in (False, True):
        where = f"Inspector, {'stdio' if over_stdio else 'HTTP'}, modern"
        number = 150 + over_stdio
        got = inspector(s, over_stdio, "modern", [GOOD, BAD])
        check_plain(where, got)
        read = {"name": "list_blocked_accounts", "arguments": {"limit": number}}
        with calling(s, over_stdio, read) as (process, approval):
            s.decide(approval)
            result = json.loads(process.communicate(timeout=PATIENCE_S)[0])["result"]
        tap.ok(f"{where}: a read that was approved gives its structure", not result.get("isError")
               and isinstance(result.get("structuredContent"), dict), result)
        write = {"name": "block_account", "arguments": {"person": PERSON, "reason": where}}
        with calling(s, over_stdio, write) as (process, approval):
            s.wingman("approvals", "deny", approval)
            result = json.loads(process.communicate(timeout=PATIENCE_S)[0])["result"]
        tap.ok(f"{where}: a write that was denied is an error with structure",
               result.get("isError") is True and code_of(result) is not None, result)


def test_clients():
    with serving() as s:
        for i, (name, talk, eras) in enumerate(CLIENTS):
            test_client(s, name, talk, eras, 10 * i)
        test_inspector_tasks(s)


if __name__ == "__main__":
    if fastmcp and os.path.exists(INSPECTOR):
        tap.run([test_clients])
    else:
        tap.skip("clients of others", "'make test' installs them into build/venv and build/npm")
    tap.done()
