"""What hostile models say, on the whole way to the gate: each output of a record's model is
played by an independent mock of the provider, fetched by wingman-egress, read by
wingman-assistant, and only what that proposes and says is put before the gate.

    python3 full.py PROGRAM FILE        as build/tests/replay-hostile --full FILE does

The records are then played by PROGRAM (replay-hostile), which has the gate's keeper, servers
that stand in, and a clock that is set. A call that the worker did not hand on is one that was
refused. Nothing of ours that is secret may have reached the provider.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
os.environ.setdefault("WINGMAN_SOURCE", ROOT)
os.environ.setdefault("WINGMAN_BUILD", os.path.join(ROOT, "build"))

import assistant_rig as rig  # noqa: E402

KEY = "sk-replay-0123456789abcdefghij"
CALLS_MAX = 32          # that one turn may propose
BATCH = 200             # records that one mock knows


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


def play(worker, egress, marker, tools):
    surface = rig.Surface(worker, egress)
    end = surface.turn(marker, tools=tools, sources=[], proposals=CALLS_MAX, requests=20)
    # Calls that are no calls may end it; a provider that did not answer tells nothing.
    if end.get("code", "") in ("model_down", "model_busy", "not_allowed", "fault"):
        raise RuntimeError(f"{marker}: {end}")
    return surface


def hand_on(output, surface):
    """What came through takes the place of what the model said."""
    came = [c for p in surface.proposals for c in p["calls"]]
    told = []
    for call in output.get("tool_calls") or []:
        # In their order; one that was not handed on is skipped over.
        name = call.get("name")
        if came and came[0]["tool"] == name:
            told.append({**{k: v for k, v in call.items() if not k.startswith("arguments")},
                         "arguments": came.pop(0)["arguments"]})
        else:
            told.append({k: v for k, v in call.items() if not k.startswith("arguments")})
    # More than the model asked for would be ours alone: it is proposed as well.
    told += [{"id": f"worker-{i}", "name": c["tool"], "arguments": c["arguments"]}
             for i, c in enumerate(came)]
    if "tool_calls" in output:
        output["tool_calls"] = told
    if "text" in output:
        output["text"] = "".join(surface.finals)


def is_on_the_wire(output, tools):
    """On the wire server__tool is the tool's name: nobody could mean another one by it."""
    wire = {t["name"].replace(".", "__", 1) for t in tools}
    return not any(c.get("name") in wire for c in output.get("tool_calls") or [])


def pass_through(records, tools, folder):
    """False: the provider got what it must not have."""
    marked = [(f"output-{i:05}-{j}-end", output) for i, record in enumerate(records)
              for j, output in enumerate(outputs(record)) if is_on_the_wire(output, tools)]
    fixtures = [fixture(marker, output) for marker, output in marked]
    fixtures += [{"match": {"userMessage": marker, "hasToolResult": True},
                  "response": {"content": "noted"}} for marker, _ in marked]
    # Cut no character in two.
    mock = rig.Mock(folder, fixtures, "--chunk-size", "1000000")
    mock.start()
    try:
        config = {"provider": "openai", "model": "hostile-1", "url": mock.url + "/v1",
                  "key": "env:MODEL_KEY", "egress": {"requests_per_minute": 10000}}
        with rig.Egress(folder, config, env={"MODEL_KEY": KEY}) as egress:
            for marker, output in marked:
                with rig.Worker(provider="openai", model="hostile-1") as worker:
                    surface = play(worker, egress, marker, tools)
                    hand_on(output, surface)
                    if any(KEY in json.dumps(r) for r in surface.requests):
                        return False
    finally:
        mock.stop()
    return True


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
    rows = read(path)
    records = [r for _, r in rows if r is not None]
    with tempfile.TemporaryDirectory(prefix="wingman-full-") as folder:
        for at in range(0, len(records), BATCH):
            if not pass_through(records[at:at + BATCH], tools_of(toolset), folder):
                print("the provider received a key", file=sys.stderr)
                return 1
        passed = os.path.join(folder, "passed.jsonl")
        with open(passed, "wb") as f:
            for line, record in rows:
                f.write(line if not outputs(record or {}) else json.dumps(record).encode() + b"\n")
        if toolset:
            shutil.copy(beside, os.path.join(folder, "passed.toolset.json"))
        return subprocess.run([program, passed], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
