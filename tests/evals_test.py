"""The evaluations of the assistant: against the mock all is well, a worse assistant scores
worse, and with a key they go to a live model: here to a server that wants the key as the
provider does, is busy at first, and answers in pieces."""

import copy
import http.server
import json
import os
import subprocess
import sys
import threading

import assistant_hostile_test as wires
import tap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "evals"))
import assistant_rig as rig  # noqa: E402
import run  # noqa: E402


def test_mock(all_conversations):
    rows = run.evaluate(None, all_conversations, {"WINGMAN_EVAL_KEY": "sk-test-0123456789"})
    tap.equal("the mock's good assistant scores full", run.total([s for _, _, s in rows]),
              {"conversations": len(all_conversations), "tools": 1.0, "arguments": 1.0, "refusals": 1.0})
    return rows


def test_worse(rows):
    for c, got, _ in rows:
        worse = copy.deepcopy(got)
        if c["expect"].get("refuses"):
            worse["proposed"] = [{"tool": "accounts.block_account", "arguments": {"person": "x"}}]
            tap.equal(f"{c['name']}: proposing costs the refusal", run.score(c, worse)["refusals"], 0.0)
            continue
        worse["proposed"] = worse["proposed"] + [{"tool": "people.find_person", "arguments": {}}]
        tap.equal(f"{c['name']}: one call too many", run.score(c, worse)["tools"], 0.0)
        worse = copy.deepcopy(got)
        worse["together"] = [] if c["expect"].get("together") else [2]
        tap.equal(f"{c['name']}: decided otherwise", run.score(c, worse)["tools"], 0.0)
        worse = copy.deepcopy(got)
        for name in c["expect"]["proposes"][0]["arguments"]:
            worse["proposed"][0]["arguments"] = {**got["proposed"][0]["arguments"], name: "root@example.test"}
            tap.ok(f"{c['name']}: another {name}", run.score(c, worse)["arguments"] < 1)


def test_what_is_covered(all_conversations):
    wanted = {p["tool"] for c in all_conversations for p in c["expect"].get("proposes", [])}
    tap.equal("every tool of every server is wanted by some conversation", {t["name"] for t in run.tools()} - wanted, set())
    tap.equal("and none that there is not", wanted - {t["name"] for t in run.tools()}, set())
    refuses = [c for c in all_conversations if c["expect"].get("refuses")]
    said = [c["said"] for c in all_conversations]
    tap.ok("forty at least, of which ten refuse, and no two that a mock could take for one another",
           len(all_conversations) >= 40 and len(refuses) >= 10 and
           not any(a != b and a in b for a in said for b in said) and len(set(said)) == len(said), len(all_conversations))


KEY = "sk-live-0123456789abcdefghij"
WANTS = {"anthropic": ("x-api-key", KEY), "openai": ("authorization", "Bearer " + KEY),
         "bedrock": ("authorization", "Bearer " + KEY)}


class Live(http.server.ThreadingHTTPServer):
    """Plays what 'mock' of the conversations says, as the provider's own API would."""

    daemon_threads = True

    def __init__(self, provider, all_conversations):
        self.provider, self.all = provider, all_conversations
        self.steps, self.refused, self.busy = {}, 0, 1
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                name, value = WANTS[provider]
                if self.headers.get(name) != value:
                    outer.refused += 1
                    return self.answer(401, "application/json", b"{}")
                if outer.busy:
                    outer.busy -= 1
                    return self.answer(429, "application/json", b"{}", {"Retry-After": "1"})
                return self.answer(200, *outer.says(json.loads(body)))

            def answer(self, status, kind, data, headers=None):
                self.send_response(status)
                for name, value in {"Content-Type": kind, **(headers or {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                for at in range(0, len(data), 29):
                    self.wfile.write(data[at:at + 29])

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}" + wires.PATHS[provider]

    def says(self, body):
        text = json.dumps(body["messages"], ensure_ascii=False)
        c = max((c for c in self.all if json.dumps(c["said"], ensure_ascii=False)[1:-1] in text),
                key=lambda c: len(c["said"]))
        step = self.steps.get(c["name"], 0)
        self.steps[c["name"]] = step + 1
        says = c["mock"][min(step, len(c["mock"]) - 1)]
        calls = run.calls_of(says)
        write = {"anthropic": wires.anthropic, "openai": wires.openai, "bedrock": wires.bedrock}[self.provider]
        return write({"text": says.get("content", ""), "tool_calls": [
            {"id": f"call_{step}_{i}", "name": name, "raw": json.dumps(arguments)}
            for i, (name, arguments) in enumerate(calls)]})


def run_live(live, provider, key):
    return start(["--provider", provider, "--model", "live-1", "--url", live.url,
                  *(["--region", "eu-central-1"] if provider == "bedrock" else [])], key)


def start(arguments, key):
    return subprocess.run(
        [sys.executable, os.path.join(os.path.dirname(run.__file__), "run.py"), *arguments],
        env={**{k: v for k, v in os.environ.items() if k != "WINGMAN_EVAL_KEY"},
             **({"WINGMAN_EVAL_KEY": key} if key else {})},
        capture_output=True, text=True, timeout=300, check=False)


def test_live(all_conversations):
    for provider in wires.PROVIDERS:
        live = Live(provider, all_conversations)
        try:
            done = run_live(live, provider, KEY)
            lines = done.stdout.splitlines()
            tap.equal(f"{provider}: a live model is asked with its key, after it was busy once, and scored",
                      (done.returncode, json.loads(lines[-1]) if lines else done.stderr[-1500:], live.refused, live.busy),
                      (0, {"conversations": len(all_conversations), "tools": 1.0, "arguments": 1.0, "refusals": 1.0},
                       0, 0))
            tap.equal(f"{provider}: a line a conversation", [json.loads(line)["name"] for line in lines[:-1]],
                      [c["name"] for c in all_conversations])
            tap.ok(f"{provider}: no line has the key", KEY not in done.stdout + done.stderr)
            if provider == "anthropic":
                other = run_live(live, provider, "sk-another-0123456789abcdef")
                tap.ok("another key is refused, and scores say that nothing came of it", live.refused > 0 and
                       json.loads(other.stdout.splitlines()[-1])["tools"] == 0.0, other.stdout[-500:])
                tap.ok("and that no model was heard", other.returncode == 1 and "model_refused" in other.stderr, other.stderr)
                none = run_live(live, provider, None)
                tap.ok("without a key it says what it wants", none.returncode == 2 and "WINGMAN_EVAL_KEY" in none.stderr,
                       none.stderr)
                for what, words, arguments in (("a key and no provider", "--provider", []),
                                               ("no model", "--model", ["--provider", "openai"])):
                    done = start(arguments, KEY)
                    tap.ok(f"{what}: said, and nothing is asked", done.returncode == 2 and words in done.stderr, done.stderr)
                done = start(["--help"], None)
                tap.ok("--help tells of the key and the last line", done.returncode == 0 and "WINGMAN_EVAL_KEY" in
                       done.stdout and "--region" in done.stdout, done.stdout)
        finally:
            live.shutdown()
            live.server_close()


def main():
    test_what_is_covered(run.conversations())
    test_live(run.conversations())
    if not os.path.exists(rig.NODE):
        tap.skip("evaluations", "node is not there (npm packages)")
    else:
        test_worse(test_mock(run.conversations()))
    tap.done()


if __name__ == "__main__":
    main()
