"""The clients that others write list and call the tools of a whole suite: over HTTP, over
HTTP+SSE and over stdio, in each era that they speak.

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
    from fastmcp.client import transports
    from mcp.client import sse, streamable_http
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
WAYS = ["HTTP", "stdio", "HTTP+SSE"]   # the last is of the handshake alone
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


# ---- Clients: (suite, way, era, calls) -> {version, tools, calls} ----

def bridge(s):
    return [WINGMAN, "--dir", s.dir, "connect", "accounts", "--stdio"]


def url(s, way):
    found = s.ready["servers"]["accounts"]["url"]
    return found.replace("/mcp", "/sse") if way == "HTTP+SSE" else found


def bearer(s):
    return {"Authorization": "Bearer " + s.token("client")}


def run(argv, cwd=None, stdin=subprocess.DEVNULL, home=None):
    done = subprocess.run(argv, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
                          env={**os.environ, **({"HOME": home} if home else {})})
    if not done.stdout.strip():
        raise RuntimeError(f"status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def javascript(client):
    def talk(s, way, era, calls):
        where = {"command": bridge(s)} if way == "stdio" else {
            "url": url(s, way), "headers": bearer(s), "sse": way == "HTTP+SSE"}
        spec = {"client": client, "era": era, "calls": calls, **where}
        with open(SCRIPT, encoding="utf-8") as f:
            return json.loads(run([NODE, "--input-type=module", "-", json.dumps(spec)], NPM, f))
    return talk


def inspector_argv(s, way, era, words):
    argv = [NODE, INSPECTOR, "--cli", "--protocol-era", era, "--format", "json", "--quiet", *words]
    if way == "stdio":
        return [*argv, "--", *bridge(s)]
    return [*argv, "--transport", "sse" if way == "HTTP+SSE" else "http", "--server-url",
            url(s, way), "--header", "Authorization: " + bearer(s)["Authorization"]]


def inspector_call(call):
    return ["--method", "tools/call", "--tool-name", call["name"],
            "--tool-args-json", json.dumps(call["arguments"])]


def inspector(s, way, era, calls):
    with tempfile.TemporaryDirectory() as home:
        def ask(*words):
            argv = inspector_argv(s, way, era, words)
            return json.loads(run(argv, NPM, home=home))["result"]
        return {"tools": ask("--method", "tools/list")["tools"],
                "calls": [ask(*inspector_call(c)) for c in calls]}


def fast(s, way, era, calls):
    async def talk():
        if way == "stdio":
            argv = bridge(s)
            transport = transports.StdioTransport(argv[0], argv[1:], keep_alive=False)
        elif way == "HTTP":
            transport = transports.StreamableHttpTransport(url(s, way), headers=bearer(s))
        else:
            transport = transports.SSETransport(url(s, way), headers=bearer(s))
        async with fastmcp.Client(transport, mode=era) as c:
            tools = [{"name": t.name} for t in await c.list_tools()]
            got = []
            for call in calls:
                r = await c.call_tool(call["name"], call["arguments"], raise_on_error=False)
                got.append({"isError": r.is_error, "structuredContent": r.structured_content,
                            "content": [{"text": b.text} for b in r.content]})
            return {"version": c.protocol_version, "tools": tools, "calls": got}
    return asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))


def python(s, way, era, calls):
    async def talk():
        if way == "stdio":
            argv = bridge(s)
            where = mcp.StdioServerParameters(command=argv[0], args=argv[1:])
            transport = mcp.stdio_client(where)
        elif way == "HTTP":
            http = streamable_http.create_mcp_http_client(headers=bearer(s))
            transport = streamable_http.streamable_http_client(url(s, way), http_client=http)
        else:
            transport = sse.sse_client(url(s, way), headers=bearer(s))
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


def check(s, name, talk, way, era, version, waiting):
    got = talk(s, way, era, [GOOD, BAD, waiting, WRITE])
    if "version" in got:
        tap.equal(f"{name}: it speaks {version}", got["version"], version)
    check_plain(name, got)
    approval = check_refused(f"{name}: a read", got["calls"][2])
    check_refused(f"{name}: a write", got["calls"][3])
    return approval


def check_approved(s, name, talk, approval, way, era, waiting):
    """Somebody says yes, and the same call, repeated, runs."""
    _, status = s.decide(approval)
    result = talk(s, way, era, [waiting])["calls"][0]
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
        for way in WAYS if version == LEGACY else WAYS[:2]:
            where = f"{name}, {way}, {era}"
            # Another read each time: what was approved once need not wait again.
            number += 1
            waiting = {"name": "list_blocked_accounts", "arguments": {"limit": number}}
            try:
                approval = check(s, where, talk, way, era, version, waiting)
                if era != "auto":
                    check_approved(s, where, talk, approval, way, era, waiting)
            except Exception as e:
                tap.ok(where, False, repr(e))


@contextlib.contextmanager
def calling(s, way, call):
    """The Inspector at a call that waits, and the id of the approval that it waits for."""
    before = {a["id"] for a in s.json("approvals", "list")}
    argv = inspector_argv(s, way, "modern", inspector_call(call))
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
    for number, way in enumerate(WAYS[:2], 150):
        where = f"Inspector, {way}, modern"
        got = inspector(s, way, "modern", [GOOD, BAD])
        check_plain(where, got)
        read = {"name": "list_blocked_accounts", "arguments": {"limit": number}}
        with calling(s, way, read) as (process, approval):
            s.decide(approval)
            result = json.loads(process.communicate(timeout=PATIENCE_S)[0])["result"]
        tap.ok(f"{where}: a read that was approved gives its structure", not result.get("isError")
               and isinstance(result.get("structuredContent"), dict), result)
        write = {"name": "block_account", "arguments": {"person": PERSON, "reason": where}}
        with calling(s, way, write) as (process, approval):
            s.wingman("approvals", "deny", approval)
            result = json.loads(process.communicate(timeout=PATIENCE_S)[0])["result"]
        tap.ok(f"{where}: a write that was denied is an error with structure",
               result.get("isError") is True and code_of(result) is not None, result)


def test_clients():
    with serving() as s:
        for i, (name, talk, eras) in enumerate(CLIENTS):
            test_client(s, name, talk, eras, 20 * i)
        test_inspector_tasks(s)


if __name__ == "__main__":
    if fastmcp and os.path.exists(INSPECTOR):
        tap.run([test_clients])
    else:
        tap.skip("clients of others", "'make test' installs them into build/venv and build/npm")
    tap.done()
