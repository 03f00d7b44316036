"""Our client against the reference server of the official project, over each of its transports.

The server is of 2025-11-25, so all of this goes by way of the probe and the fallback. It
asks back, for forms, samples and roots: on the stream of a call, on the GET stream, on the
one stream of HTTP+SSE, or on stdout. Our bridge must hand all of that on.
"""

import json
import os
import signal
import socket
import subprocess
import time

import tap

SOURCE = os.environ["WINGMAN_SOURCE"]
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
SERVER = os.path.join(NPM, "node_modules", "@modelcontextprotocol", "server-everything",
                      "dist", "index.js")
CLIENT = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "interop-client")
BRIDGE = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "stdio-bridge")
START_S = 30
PATIENCE_S = 90
LEGACY = 2
ARCHITECTURE = "demo://resource/static/document/architecture.md"


def call(tool, **arguments):
    return ["call", tool, json.dumps(arguments)]


STEPS = [
    ["about"], ["era"], ["tools"], ["templates"], ["prompts"], ["resources"],
    call("echo", message="hüt"),
    call("trigger-elicitation-request"),
    call("trigger-sampling-request", prompt="p", maxTokens=10),
    call("get-roots-list"),
    call("trigger-long-running-operation", duration=0.4, steps=4),
    call("get-structured-content", location="Chicago"),
    ["read", ARCHITECTURE],
    ["read", "demo://nowhere"],
    ["prompt", "args-prompt", json.dumps({"city": "Bern"})],
]


def steps(where):
    """What each step brought, and how often the server spoke unasked."""
    words = [word for step in STEPS for word in step]
    done = subprocess.run([CLIENT, *where, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1]["notified"]


def text_of(result):
    return "".join(block.get("text", "") for block in result.get("content", []))


def check(name, where, version):
    got, notified = steps(where)
    if not tap.equal(f"{name}: every step says something", len(got), len(STEPS)):
        return
    (about, era, tools, templates, prompts, resources, echo, form, sample, roots, slow,
     structured, read, nowhere, prompt) = got
    tap.equal(f"{name}: revision", about.get("protocolVersion"), version)
    tap.equal(f"{name}: era", era, LEGACY)
    tap.ok(f"{name}: tools", {"echo", "get-sum"} <= {t["name"] for t in tools}, tools)
    for what, found in (("templates", templates), ("prompts", prompts),
                        ("resources", resources)):
        tap.ok(f"{name}: {what}", isinstance(found, list) and found, found)
    tap.equal(f"{name}: a call", text_of(echo), "Echo: hüt")
    tap.ok(f"{name}: a form is filled in, with its defaults",
           "Name: Ada" in text_of(form) and "Favorite Integer: 42" in text_of(form), form)
    tap.ok(f"{name}: a sample", "sampled" in text_of(sample), sample)
    tap.ok(f"{name}: roots", "file:///tmp" in text_of(roots), roots)
    tap.ok(f"{name}: progress before the result",
           "completed" in text_of(slow) and notified >= 4, f"{slow} {notified}")
    tap.ok(f"{name}: structured content",
           "temperature" in structured.get("structuredContent", {}), structured)
    tap.equal(f"{name}: a resource", [c["uri"] for c in read.get("contents", [])],
              [ARCHITECTURE])
    tap.ok(f"{name}: a resource that is not there", "error" in nowhere, nowhere)
    tap.ok(f"{name}: a prompt", "Bern" in json.dumps(prompt), prompt)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the server does not listen")


def check_http(name, transport, path, version, bridge=False):
    port = free_port()
    with subprocess.Popen([NODE, SERVER, transport], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env={**os.environ, "PORT": str(port)}) as server:
        try:
            await_port(port)
            url = f"http://127.0.0.1:{port}{path}"
            check(name, ["--", BRIDGE, url, "--"] if bridge else [url], version)
        finally:
            server.send_signal(signal.SIGKILL)


def test_stdio():
    check("stdio", ["--", NODE, SERVER, "stdio", "--"], "2025-11-25")


def test_streamable_http():
    check_http("Streamable HTTP", "streamableHttp", "/mcp", "2025-11-25")


def test_bridge():
    check_http("our bridge", "streamableHttp", "/mcp", "2025-11-25", bridge=True)


def test_sse():
    check_http("HTTP+SSE", "sse", "/sse", "2025-11-25")


if __name__ == "__main__":
    if os.path.exists(NODE) and os.path.exists(SERVER):
        tap.run([test_stdio, test_streamable_http, test_bridge, test_sse])
    else:
        tap.skip("the everything server", "build/npm has none; 'make test' installs it")
    tap.done()
