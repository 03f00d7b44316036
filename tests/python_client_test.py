"""The official Python client lists and calls a freed read of our server, in each era."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile

import tap

try:
    import mcp
    from mcp.client import streamable_http
except ImportError as e:
    tap.skip("the official Python client", e)
    tap.done()

SERVER = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "fixture-server")
TOKEN = "wm_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def write(root, name, value):
    with open(os.open(os.path.join(root, name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        json.dump(value, f)       # JSON is YAML


@contextlib.contextmanager
def serving():
    root = tempfile.mkdtemp(prefix="wingman-client-")
    for name in ("keys/trusted", "callers", "config", "audit"):
        os.makedirs(os.path.join(root, name), mode=0o700)
    write(root, "callers/index.json", {"v": 1, "tokens": [
        {"id": "one", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
         "principal": "bob@example.test", "client": "one", "scopes": ["fixture:read"],
         "created_at": 1}]})
    write(root, "config/fixture.yaml", {"listen": {"port": 0}, "freed_reads": ["echo_text"]})
    with open(os.path.join(root, "log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen([SERVER, "--dir", root], stdout=subprocess.PIPE,
                                   stderr=log, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        tap.equal("the server ends in peace", process.wait(30), 0)
        process.stdout.close()
        shutil.rmtree(root)


async def talk(url, mode):
    http = streamable_http.create_mcp_http_client(headers={"Authorization": "Bearer " + TOKEN})
    async with http:
        transport = streamable_http.streamable_http_client(url, http_client=http)
        async with mcp.Client(transport, mode=mode) as client:
            listed = await client.list_tools()
            called = await client.call_tool("echo_text", {"text": "hello"})
            wrong = await client.call_tool("echo_text", {"text": 7})
            return client.protocol_version, listed, called, wrong


def test_era(url, mode, version):
    spoken, listed, called, wrong = asyncio.run(asyncio.wait_for(talk(url, mode), 60))
    tap.equal(f"{mode}: it speaks {version}", spoken, version)
    tap.ok(f"{mode}: the tools are listed", "echo_text" in [t.name for t in listed.tools])
    tap.equal(f"{mode}: a call gives its text", called.content[0].text, "hello")
    tap.equal(f"{mode}: and its structure", called.structured_content["text"], "hello")
    tap.ok(f"{mode}: bad arguments are an error of the tool", wrong.is_error)


with serving() as address:
    test_era(address, "legacy", "2025-11-25")
    test_era(address, "auto", "2026-07-28")
tap.done()
