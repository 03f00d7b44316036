"""Hostile records on the whole way: what a record's model says is played by an independent mock
of the provider, fetched by wingman-egress, read by wingman-assistant, and only what that
proposes and says comes to wingman-gate, keeper and caller, which asks servers over HTTP.

    python3 full.py PROGRAM FILE        as build/tests/replay-hostile --full FILE does

PROGRAM (replay-whole) is all surface: it starts these processes for each record, gate and
servers in builds that take their clock from it, and presses buttons as Slack would sign them.
Nothing of ours that is secret may have reached the provider.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
os.environ.setdefault("WINGMAN_SOURCE", ROOT)
os.environ.setdefault("WINGMAN_BUILD", os.path.join(ROOT, "build"))

import assistant_rig as rig  # noqa: E402

KEY = "sk-replay-0123456789abcdefghij"
# What nobody may tell a provider: its own key, tokens, the secret that Slack signs with.
SECRETS = (KEY, "wm_", "0123456789abcdef0123456789abcdef")
BATCH_MAX = 40          # records that one mock knows
AT_ONCE = 2


def is_playable(output):
    """A record may be anything; what is no output of a model is left to PROGRAM."""
    calls = output.get("tool_calls", [])
    return isinstance(output.get("text", ""), (str, type(None))) and isinstance(calls, list) and all(
        isinstance(c, dict) and isinstance(c.get("name"), str)
        and isinstance(c.get("arguments_raw", ""), str) for c in calls)


def outputs(record):
    """The record's model outputs in their order; each may be changed in place."""
    then = record.get("then", []) if isinstance(record, dict) else []
    found = [record.get("model_output")] if isinstance(record, dict) else []
    if isinstance(then, list):
        found += [e for e in then if isinstance(e, dict) and e.get("event") == "model_output"]
    return [o for o in found if isinstance(o, dict) and is_playable(o)]


def raw(call):
    if "arguments_raw" in call:
        return call["arguments_raw"]
    return json.dumps(call.get("arguments", {}), ensure_ascii=False)


def fixture(marker, output):
    response = {"content": output.get("text") or ""}
    calls = output.get("tool_calls") or []
    if calls:
        response["toolCalls"] = [{"name": str(c.get("name", "")).replace(".", "__", 1),
                                  "arguments": raw(c)} for c in calls]
    return {"match": {"userMessage": marker, "hasToolResult": False}, "response": response}


def tools_of(toolset):
    """Whatever fits: the worker judges no arguments, the gate does."""
    return [{"name": f"{server}.{tool}", "description": "", "schema": {"type": "object"}}
            for server, tools in toolset.get("servers", {}).items() for tool in tools]


def can_be_said(output, tools):
    """On the wire server__tool is the tool's name: nobody could mean another one by it."""
    wire = {t["name"].replace(".", "__", 1) for t in tools}
    return not any(c.get("name") in wire for c in output.get("tool_calls") or [])


def mark(records, tools):
    """Each output that a model can say gets the words that it answers; its fixtures."""
    fixtures = [{"match": {"userMessage": "nobody says this"}, "response": {"content": "no"}}]
    for i, record in enumerate(records):
        for j, output in enumerate(outputs(record)):
            output.pop("marker", None)
            if can_be_said(output, tools):
                output["marker"] = f"output-{i:05}-{j}-end"
                fixtures += [fixture(output["marker"], output),
                             {"match": {"userMessage": output["marker"], "hasToolResult": True},
                              "response": {"content": "noted"}}]
    return fixtures


def received(mock):
    """What the provider got, as text."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{mock.url}/__aimock/journal", timeout=60) as reply:
        return reply.read().decode()


def play(program, rows, toolset, folder):
    """The lines that PROGRAM says of these rows; None: the provider got what it must not have."""
    records = [r for _, r in rows if r is not None]
    fixtures = mark(records, tools_of(toolset))
    some = os.path.join(folder, "some.jsonl")
    with open(some, "wb") as f:
        for line, record in rows:
            f.write(json.dumps(record).encode() + b"\n" if outputs(record or {}) else line)
    if toolset:
        with open(os.path.join(folder, "some.toolset.json"), "w", encoding="utf-8") as f:
            json.dump(toolset, f)
    # Cut no character in two.
    mock = rig.Mock(folder, fixtures, "--chunk-size", "1000000", "--journal-max", "0")
    if not mock.start():
        with open(mock.log, encoding="utf-8", errors="replace") as f:
            raise RuntimeError("the provider does not start: " + f.read()[-500:])
    try:
        done = subprocess.run([program, some], check=False, stdout=subprocess.PIPE, env={
            **os.environ, "REPLAY_PROVIDER": mock.url + "/v1", "REPLAY_MODEL_KEY": KEY})
        got = received(mock)
    finally:
        mock.stop()
    if any(secret in got for secret in SECRETS):
        return None
    lines = done.stdout.splitlines()
    return lines[:-1] if lines else []


def read(path):
    """[(line, record or None)]"""
    rows = []
    with open(path, "rb") as f:
        for line in f:
            try:
                rows.append((line, json.loads(line)))
            except (ValueError, RecursionError):
                rows.append((line, None))
    return rows


def main():
    program, path = sys.argv[1:3]
    beside = os.path.splitext(path)[0] + ".toolset.json"
    toolset = {}
    if os.path.exists(beside):
        with open(beside, encoding="utf-8") as f:
            toolset = json.load(f)
    rows = [(line, record) for line, record in read(path) if line.strip()]
    size = max(1, min(BATCH_MAX, -(-len(rows) // AT_ONCE)))
    batches = [rows[at:at + size] for at in range(0, len(rows), size)]
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="wingman-full-") as folder:
        def one(number):
            own = os.path.join(folder, str(number))
            os.mkdir(own)
            return play(program, batches[number], toolset, own)

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for number, lines in enumerate(pool.map(one, range(len(batches)))):
                if lines is None or len(lines) != len(batches[number]):
                    print("replay-hostile: " + ("the provider received a secret" if lines is None
                                                else "not every record was played"), file=sys.stderr)
                    return 1
                for line in lines:
                    print(line.decode(), flush=True)
                    good = json.loads(line)["passed"]
                    passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed", flush=True)
    if not rows:
        print(f"replay-hostile: there is no record in {path}", file=sys.stderr)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
