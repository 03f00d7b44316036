"""What a real server of ours says to a plain client of revision 2026-07-28, where the
fixtures of the unit tests have everything and this one has tools alone."""

import json
import threading

import tap
from suite import Suite

PERSON = "jane.roe@example.test"
ABSENT = [  # method, what Mcp-Name holds, parameters
    ("prompts/list", None, {}),
    ("prompts/get", "x", {"name": "x"}),
    ("completion/complete", None, {"ref": {"type": "ref/prompt", "name": "x"},
                                   "argument": {"name": "x", "value": ""}}),
]
AT_ONCE = 8


def test_what_is_not_advertised(s):
    """S-20"""
    token = s.token("client")
    status, body = s.mcp("server/discover", token=token)
    can = body["result"]["capabilities"]
    tap.ok("there are tools", status == 200 and "tools" in can, body)
    for method, name, params in ABSENT:
        word = {"completion": "completions"}.get(method.split("/")[0], method.split("/")[0])
        status, body = s.mcp(method, params, token, name)
        error = body.get("error", {}) if isinstance(body, dict) else {}
        tap.ok(f"{method}: not advertised, and 404 with the id",
               word not in can and (status, error.get("code"), body.get("id")) == (404, -32601, 1),
               (can, status, body))


def test_several_at_once(s):
    """S-64"""
    token, got = s.token("client"), []

    def ask():
        got.append(s.mcp("tools/list", token=token))

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.ok("each of several POSTs at once is answered", len(got) == AT_ONCE and
           all(status == 200 and body["result"]["tools"] for status, body in got), got)
    tap.equal("and alike", len({json.dumps(body, sort_keys=True) for _, body in got}), 1)


if __name__ == "__main__":
    s = Suite()
    try:
        s.start()
        tap.run([lambda: test_what_is_not_advertised(s), lambda: test_several_at_once(s)])
    finally:
        s.done()
    tap.done()
