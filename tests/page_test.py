"""A direct client that can open pages and knows no tasks: real gate, real server, a browser's eyes."""

import json
import re
import threading
import urllib.error
import urllib.request

import tap
from gate_rig import Rig

PREFIX = "io.modelcontextprotocol/"
SECRET = "nobody-else-may-read-this"
rig = Rig()


def call(arguments, **params):
    """tools/call of put_value as such a client makes it; the result."""
    _, reply = rig.post(
        f"http://127.0.0.1:{rig.server_port}/mcp", rig.tokens["client"],
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "put_value", "arguments": arguments, **params, "_meta": {
                PREFIX + "protocolVersion": "2026-07-28",
                PREFIX + "clientInfo": {"name": "test", "version": "1"},
                PREFIX + "clientCapabilities": {"elicitation": {"url": {}}}}}},
        {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "put_value",
         "Accept": "application/json, text/event-stream"})
    if isinstance(reply, str):      # a stream: comments, then the answer
        reply = json.loads(re.findall(r"^data: ?(.+)$", reply, re.MULTILINE)[-1])
    assert "result" in reply, reply
    return reply["result"]


def look(url, method="GET"):
    """(status, headers, text) of a page, as whoever opens it."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, method=method), timeout=20) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.headers, e.read().decode()


def heading(url):
    return re.search("<h1>(.*?)</h1>", look(url)[2]).group(1)


def begin(key):
    """(arguments, URL, word, approval) of a call that waits."""
    arguments = {"key": key, "value": SECRET, "reason": "for the test"}
    result = call(arguments)
    assert result["resultType"] == "input_required", result
    url = result["inputRequests"]["approval"]["params"]["url"]
    with rig.client() as c:
        approval = [r["id"] for r in c.ask("list")["records"] if r["state"] == "pending"][0]
    return arguments, url, result["requestState"], approval


def come_again(arguments, word, action="accept"):
    return call(arguments, requestState=word,
                inputResponses={"approval": {"action": action}})


def test_yes():
    arguments, url, word, approval = begin("pageyes")
    status, headers, text = look(url)
    tap.equal("the page is there for whoever opens it", status, 200)
    tap.equal("and says how it stands", heading(url), "Waiting for a decision")
    tap.ok("it says where to decide, and nothing of the call",
           "wingman approvals show " + approval in text and SECRET not in text
           and "put_value" not in text and "pageyes" not in text, text)
    tap.ok("it can do nothing", "<script" not in text and "<form" not in text and "<a " not in text
           and headers["Content-Security-Policy"].startswith("default-src 'none'"), headers)
    tap.ok("its address is not the approval's id", approval not in url, url)
    tap.equal("nothing is posted to it", look(url, "POST")[0], 404)
    got = {}
    waiting = threading.Thread(target=lambda: got.update(come_again(arguments, word)))
    waiting.start()
    with rig.client() as c:
        c.approve(approval)
    waiting.join(40)
    tap.equal("the client that came again has its result", got.get("structuredContent", got).get("key"),
              "pageyes")
    tap.equal("it ran once", len([r for r in rig.runs() if r[0] == "pageyes"]), 1)
    tap.equal("the page says so", heading(url), "Done")
    tap.ok("and looks no more by itself", "http-equiv" not in look(url)[2])


def test_no():
    arguments, url, word, approval = begin("pageno")
    with rig.client() as c:
        c.deny(approval)
    error = come_again(arguments, word)["structuredContent"]["error"]
    tap.equal("a denial is told", error["code"], "permission_denied")
    tap.equal("by the page too", heading(url), "Denied")


def test_taken_back():
    arguments, url, word, approval = begin("pageback")
    error = come_again(arguments, word, "decline")["structuredContent"]["error"]
    tap.equal("whoever declines takes the call back", error["code"], "permission_denied")
    with rig.client() as c:
        tap.equal("at the gate", c.state(approval), "cancelled")
    tap.equal("nothing ran", [r for r in rig.runs() if r[0] in ("pageback", "pageno")], [])


def test_strange_pages():
    base = f"http://127.0.0.1:{rig.gate_port}/a/"
    for what, name in (("a page that is none", "A" * 22), ("a short name", "A"), ("no name", ""),
                       ("a long name", "A" * 23), ("a name from below", "../approvals"),
                       ("markup", "%3Cb%3E" + "A" * 15)):
        status, _, text = look(base + name)
        tap.ok(f"{what} is not found", status == 404 and "<b>" not in text, (status, text))
    statuses = [look(base + "A" * 22)[0] for _ in range(80)]
    tap.ok("many pages at once are refused", 429 in statuses, statuses)


try:
    rig.start()
    tap.run([test_yes, test_no, test_taken_back, test_strange_pages])
finally:
    rig.done()
tap.done()
