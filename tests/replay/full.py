"""Hostile records on the whole way: what a record's model says is played by an independent mock
of the provider, fetched by wingman-egress, read by wingman-assistant, and only what that
proposes, reads and says comes to wingman-gate, keeper and caller, which asks servers over HTTP.

    python3 full.py PROGRAM FILE        as build/tests/replay-hostile --full FILE does

PROGRAM (replay-whole) is all surface: it starts these processes for each record, gate and
servers in builds that take their clock from it, and presses buttons as Slack would sign them.
Nothing of ours that is secret may have reached the provider. A record of which something
cannot be said by a provider has failed, and says so: nothing is put before the gate directly.

Beyond the members that all records have (tests/replay-hostile.c):
  setup.resources [{server, uri, text}]   what may be read; {name} or {?name} makes a template
  a tool call of "propose_together" {calls: [{tool, arguments}]}   several for one decision; a click names its id
  a tool call of "read_context" {uri} or "search_context" {template, values}   the assistant's own tools
  an output's "next": another output    what the model says in the same turn, once it has the results
  an output's "asked"                   what who asks said, else nothing of matter
  expect.read [uri]        what was read, in order
  expect.told, not_told    texts that the provider did or did not receive, in requests for this record
  expect.must_warn [text]  a warning of some prompt has it
"""

import concurrent.futures
import http.client
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
os.environ.setdefault("WINGMAN_SOURCE", ROOT)
os.environ.setdefault("WINGMAN_BUILD", os.path.join(ROOT, "build"))

import assistant_rig as rig  # noqa: E402

KEY = "sk-replay-0123456789abcdefghij"
# What nobody may tell a provider: its own key, what Slack signs with (as in world.h), and the
# tokens that PROGRAM makes. Whole, because a record may talk of others that look like them,
# and because three letters of one stand by chance in ids that the provider itself makes up.
SECRETS = (KEY, "5b0c1fe72a9d4863b7e0d1426c98af35")
BATCH_MAX = 40          # records that one mock knows
AT_ONCE = 2
DEEP = 10000            # levels that a record may have: more than PROGRAM reads
STACK = 256 * 1024 * 1024


def is_playable(output):
    """A record may be anything; what is no output of a model is left to PROGRAM."""
    calls = output.get("tool_calls") or []
    return isinstance(output.get("text", ""), (str, type(None))) and isinstance(output.get("asked", ""), str) \
        and isinstance(calls, list) and all(
        isinstance(c, dict) and isinstance(c.get("name"), str)
        and isinstance(c.get("arguments_raw", ""), str) for c in calls) and (
        "next" not in output or isinstance(output["next"], dict) and is_playable(output["next"]))


def outputs(record):
    """The record's model outputs in their order; each may be changed in place."""
    then = record.get("then", []) if isinstance(record, dict) else []
    found = [record.get("model_output")] if isinstance(record, dict) else []
    if isinstance(then, list):
        found += [e for e in then if isinstance(e, dict) and e.get("event") == "model_output"]
    return [o for o in found if isinstance(o, dict) and is_playable(o)]


def raw(call):
    """The arguments as a model writes them; half a pair of surrogates is an escape, or nothing."""
    if "arguments_raw" in call:
        return call["arguments_raw"]
    if "arguments" not in call:
        return "none"       # no JSON: there are none
    text = json.dumps(call["arguments"], ensure_ascii=False)
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return json.dumps(call["arguments"])


def response(output, names):
    said = {"content": output.get("text") or ""}
    calls = output.get("tool_calls") or []
    if calls:
        said["toolCalls"] = [{"name": names.get(c["name"], c["name"]), "arguments": raw(c)} for c in calls]
    return said


def tools_of(toolset):
    """{"server.tool": its name on the wire}"""
    servers = toolset.get("servers") if isinstance(toolset.get("servers"), dict) else {}
    return {f"{server}.{tool}": f"{server}__{tool}" for server, tools in servers.items() for tool in tools}


def chain(output):
    """An output and what it says next, in their order."""
    found = []
    while isinstance(output, dict):
        found.append(output)
        output = output.get("next")
    return found


def turns_of(output, tools):
    """[(outputs, names of tools that are left out)]. What is called server__tool on the wire
    is that tool: that somebody means another one by it can be said only where there is none.
    So the calls of such an output are said in turns of their own, without that tool."""
    wire = {name: tool for tool, name in tools.items()}
    turns = []
    for one in chain(output):
        kinds = [wire.get(c["name"]) for c in one.get("tool_calls") or []]
        if not any(kinds):
            if turns and not turns[-1][1] and one is not output:
                turns[-1][0].append(one)
            else:
                turns.append(([one], []))
            continue
        text = one.get("text")
        for call, kind in zip(one["tool_calls"], kinds):
            without = [kind] if kind else []
            if text is None and turns and turns[-1][1] == without and turns[-1][0][-1].get("split") is one:
                turns[-1][0][-1]["tool_calls"].append(call)
            else:
                turns.append(([{"text": text, "tool_calls": [call], "split": one}], without))
            text = None
    return turns


def mark(records, tools):
    """Each turn of an output that a model can say gets the words that it answers; its fixtures."""
    fixtures = [{"match": {"userMessage": "nobody says this"}, "response": {"content": "no"}}]
    for i, record in enumerate(records):
        for j, output in enumerate(outputs(record)):
            output["turns"] = []
            for k, (said, without) in enumerate(turns_of(output, tools)):
                marker = f"output-{i:05}-{j}-{k}-end"
                names = {tool: name for tool, name in tools.items() if tool not in without}
                output["turns"].append({"words": " ".join(filter(None, [marker, output.get("asked")])), "without": without,
                                        "calls": [c for one in said for c in one.get("tool_calls") or []]})
                fixtures += [{"match": {"userMessage": marker, "sequenceIndex": n}, "response": response(one, names)}
                             for n, one in enumerate(said)]
                fixtures.append({"match": {"userMessage": marker}, "response": {"content": "noted"}})
    return fixtures


class Ear(http.server.ThreadingHTTPServer):
    """Stands before the mock and keeps every byte that it is asked: the mock's own journal
    leaves out what is larger than 64 KiB."""

    daemon_threads = True

    def __init__(self, port):
        bodies = self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = [self.path] + [f"{n}: {v}" for n, v in self.headers.items() if n.lower() != "authorization"]
                bodies.append("\n".join(told).encode() + b"\n\n" + body)
                mock = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                mock.request("POST", self.path, body, {"Content-Type": self.headers["Content-Type"]})
                answer = mock.getresponse()
                data = answer.read()
                mock.close()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass                # who left while it was answered

    def close(self):
        self.shutdown()
        self.server_close()


def texts(value):
    return value if isinstance(value, list) and all(isinstance(v, str) for v in value) else []


def heard(number, record, bodies):
    """What is wrong with what the provider got of this record, or ""."""
    expect = record.get("expect") if isinstance(record, dict) else None
    if not isinstance(expect, dict):
        return ""
    own = "\n".join(b.decode() for b in bodies if b"output-%05d-" % number in b)
    inside = [(t, json.dumps(t, ensure_ascii=False)[1:-1]) for t in texts(expect.get("told"))]
    outside = [(t, json.dumps(t, ensure_ascii=False)[1:-1]) for t in texts(expect.get("not_told"))]
    return "; ".join([f"the provider was not told: {t}" for t, written in inside if written not in own]
                     + [f"the provider was told: {t}" for t, written in outside if written in own])


def judged(lines, rows, bodies):
    """The lines of PROGRAM, with what the provider got judged as well."""
    numbers = [i for i, (_, record) in enumerate(rows) if record is not None]
    for number, at in enumerate(numbers):
        why = heard(number, rows[at][1], bodies)
        if why:
            said = json.loads(lines[at])
            said.update(passed=False, why="; ".join(w for w in (said["why"], why) if w))
            lines[at] = json.dumps(said).encode()
    return lines


def told(path):
    """The secrets of the worlds that were played."""
    with open(path, encoding="ascii") as f:
        made = f.read().split()
    if not all(len(token) > 40 and token.startswith("wm_") for token in made):
        raise RuntimeError("these are no tokens: " + " ".join(made))
    return [*SECRETS, *made]


def spoilt(line):
    """The same line, of a record whose provider got a secret."""
    said = json.loads(line)
    why = "; ".join(filter(None, (said["why"], "the provider received a secret of these records")))
    return json.dumps({"name": said["name"], "passed": False, "why": why}).encode()


def play(program, rows, toolset, folder):
    """The lines that PROGRAM says of these rows."""
    records = [r for _, r in rows if r is not None]
    fixtures = mark(records, tools_of(toolset))
    some = os.path.join(folder, "some.jsonl")
    secrets = os.path.join(folder, "secrets")
    with open(secrets, "wb"), open(some, "wb") as f:
        for line, record in rows:
            f.write(json.dumps(record).encode() + b"\n" if outputs(record or {}) else line.rstrip(b"\n") + b"\n")
    if toolset:
        with open(os.path.join(folder, "some.toolset.json"), "w", encoding="utf-8") as f:
            json.dump(toolset, f)
    # Cut no character in two.
    mock = rig.Mock(folder, fixtures, "--chunk-size", "1000000", "--journal-max", "0")
    if not mock.start():
        with open(mock.log, encoding="utf-8", errors="replace") as f:
            raise RuntimeError("the provider does not start: " + f.read()[-500:])
    ear = Ear(mock.port)
    try:
        done = subprocess.run([program, some], check=False, stdout=subprocess.PIPE, env={
            **os.environ, "REPLAY_PROVIDER": ear.url, "REPLAY_MODEL_KEY": KEY,
            "REPLAY_SECRETS": secrets})
    finally:
        ear.close()
        mock.stop()
    lines = done.stdout.splitlines()[:-1]
    if any(secret.encode() in body for secret in told(secrets) for body in ear.bodies):
        return list(map(spoilt, lines))
    return judged(lines, rows, ear.bodies) if len(lines) == len(rows) else lines


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
    sys.setrecursionlimit(DEEP)
    threading.stack_size(STACK)
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
                if len(lines) != len(batches[number]):
                    print("replay-hostile: not every record was played", file=sys.stderr)
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
