"""The official client of the handshake revisions in a session with our server, over
Streamable HTTP, over HTTP+SSE, and on stdio through the bridge: what it is told and asked
while calls are under way.
"""

import asyncio
import json
import os
import signal
import subprocess

import tap

try:
    from mcp import ClientSession, types
    from mcp.client.sse import sse_client
except ImportError:
    sse_client = None

SOURCE = os.environ["WINGMAN_SOURCE"]
SERVER = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "conformance-server")
BRIDGE = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "stdio-bridge")
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
SCRIPT = os.path.join(SOURCE, "tests", "interop", "sessions.mjs")
PATIENCE_S = 60


class Server:
    def __enter__(self):
        self.process = subprocess.Popen([SERVER, "--port", "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"].removesuffix("/mcp")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(timeout=PATIENCE_S)
        self.process.stdout.close()


def javascript(server, transport, path):
    spec = {"transport": transport, "url": server.url + path, "command": BRIDGE}
    with open(SCRIPT, encoding="utf-8") as script:
        done = subprocess.run([NODE, "--input-type=module", "-", json.dumps(spec)], cwd=NPM,
                              stdin=script, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE_S, check=False)
    if not done.stdout.strip():
        raise RuntimeError(f"status {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def judge(name, heard):
    tap.ok(f"{name}: log messages come in their order",
           heard["logs"][:3] == ["Tool execution started", "Tool processing data",
                                 "Tool execution completed"], heard["logs"])
    # It forgets whom to tell when the response comes in one piece with the last of them.
    tap.ok(f"{name}: progress grows", heard["progress"] in ([0, 50], [0, 50, 100]),
           heard["progress"])
    tap.ok(f"{name}: its model was asked", heard["sampled"] == "LLM response: re: hello",
           heard["sampled"])
    tap.ok(f"{name}: its person was asked", "ada@example.test" in heard["elicited"],
           heard["elicited"])
    tap.ok(f"{name}: a result is fetched later", "Reconnection" in heard["reconnected"],
           heard["reconnected"])
    tap.ok(f"{name}: it gives a call up", heard["aborted"] == "aborted", heard["aborted"])
    tap.ok(f"{name}: it hears of changes", heard["listChanged"] is True)
    tap.ok(f"{name}: it subscribes and goes on",
           heard["subscribed"] == heard["unsubscribed"] == heard["pong"] == {})


def test_javascript():
    with Server() as server:
        judge("sdk, Streamable HTTP", javascript(server, "http", "/mcp"))
        judge("sdk, HTTP+SSE", javascript(server, "sse", "/sse"))
        judge("sdk, the bridge", javascript(server, "stdio", "/mcp"))
    tap.ok("the server ends well", server.status == 0, server.status)


async def python_over_sse(url):
    async def sample(_context, params):
        text = "re: " + params.messages[0].content.text
        return types.CreateMessageResult(
            role="assistant", model="m", content=types.TextContent(type="text", text=text))

    async with sse_client(url) as (read, write):
        async with ClientSession(read, write, sampling_callback=sample) as session:
            await session.initialize()
            tools = await session.list_tools()
            result = await session.call_tool("test_sampling", {"prompt": "hello"})
            return len(tools.tools), result.content[0].text


def test_python():
    if not tap.ok("the Python client is installed", sse_client is not None):
        return
    with Server() as server:
        count, text = asyncio.run(
            asyncio.wait_for(python_over_sse(server.url + "/sse"), PATIENCE_S))
    tap.ok("Python, HTTP+SSE: it lists", count > 20, count)
    tap.ok("Python, HTTP+SSE: its model was asked", text == "LLM response: re: hello", text)
    tap.ok("the server ends well", server.status == 0, server.status)


if __name__ == "__main__":
    tap.run([test_javascript, test_python])
    tap.done()
