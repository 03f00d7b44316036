"""bench/run.py with programs and peers that are shell scripts: its ratios, and when it fails."""

import json
import os
import re
import subprocess
import sys
import tempfile

import tap

SOURCE = os.environ["WINGMAN_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "bench"))
import peers  # noqa: E402  pylint: disable=wrong-import-position
import report  # noqa: E402  pylint: disable=wrong-import-position
import run  # noqa: E402  pylint: disable=wrong-import-position

GOOD = """echo '{"bare":{"count":10,"rate":100.0}}'; echo '{"grant":{"rate":80.0}}'"""


def bench(script, *args):
    """run.py --only bench-grant over a program that is 'script'."""
    with tempfile.TemporaryDirectory() as build:
        os.mkdir(os.path.join(build, "bench"))
        program = os.path.join(build, "bench", "bench-grant")
        if script is not None:
            with open(program, "w", encoding="utf-8") as f:
                f.write("#!/bin/sh\n" + script + "\n")
            os.chmod(program, 0o755)
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(SOURCE, "bench", "run.py"), "--build", build,
             "--only", "bench-grant", "--rounds", "2", *args],
            capture_output=True, text=True, timeout=60, check=False)
        left = [n for n in os.listdir(os.path.join(build, "bench")) if n != "bench-grant"]
    tap.equal("nothing is left behind", left, [])
    return done


def test_a_good_run():
    done = bench(GOOD)
    tap.equal("a good run succeeds", done.returncode, 0)
    row = next((l for l in done.stdout.splitlines() if l.startswith("| grant")), "")
    tap.equal("its row", [c.strip() for c in row.split("|")[2:-1]],
              ["100", "80", "1.25", "1.25..1.25", "-", "<= 1.3", "-", "goal"])
    tap.ok("the machine is named", " core" in done.stdout.splitlines()[0]
           and os.uname().release in done.stdout.splitlines()[0], done.stdout)


def test_a_slow_run():
    done = bench(GOOD.replace("80.0", "50.0"))
    tap.equal("missing a goal is no failure", done.returncode, 0)
    tap.ok("and is said", "below" in done.stdout, done.stdout)


def test_failures():
    for name, script, word in (
            ("that is not built", None, "No such file"),
            ("that fails", "echo 'a burnt grant was good again' >&2; exit 1", "burnt grant"),
            ("that is killed", "kill -9 $$", "status -9"),
            ("that prints no JSON", "echo 12", "cannot read"),
            ("that prints nothing", "true", "did not measure"),
            ("that leaves the bare one out", "echo '{\"grant\":{\"rate\":80}}'", "'bare'"),
            ("that did nothing", GOOD.replace("80.0", "0"), "'grant'"),
            ("that did not count", GOOD.replace("80.0", "NaN"), "'grant'")):
        done = bench(script)
        tap.ok(f"a benchmark {name} is a failure",
               done.returncode == 1 and word in done.stderr and "|" not in done.stdout,
               f"{done.returncode}\n{done.stdout}\n{done.stderr}")


def test_the_table():
    rounds = {"bench-append": [{"bare": 100, "audit": 300, "burn": 600},
                               {"bare": 200, "audit": 200, "burn": 1000},
                               {"bare": 50, "audit": 200, "burn": 450}]}
    head, audit, burn = run.table(rounds)
    tap.equal("ratios are formed inside a round, then the median",
              [r[3:5] + r[8:] for r in (audit, burn)],
              [("3.00", "1.00..4.00", "floor, 60% of goal"),
               ("6.00", "5.00..9.00", "goal, 60% of moonshot")])
    tap.equal("a cell for each heading", {len(head), len(audit), len(burn)}, {9})
    tap.equal("a row for each that is measured", len(run.table(
        {p: [dict.fromkeys(("ceiling", "call", "open", "unchecked", "audited", "granted"), 1)]
         for p in ("bench-call",)})), 6)


def test_verdicts():
    for ratio, how, marks, wanted in (
            (2, "of", (3, 4, 5), "below, 67% of floor"),
            (3, "of", (3, 4, 5), "floor, 75% of goal"),
            (4.9, "of", (3, 4, 5), "goal, 98% of moonshot"),
            (5, "of", (3, 4, 5), "moonshot"),
            (6, "less", (3, 2, 1), "below, 50% of floor"),
            (1.25, "cost", (3, 2, 1), "goal, 80% of moonshot"),
            (1, "cost", (3, 2, 1), "moonshot"),
            (9, "less", (None, 3, None), "below, 33% of goal"),
            (4, "saves", (3, 4, 8), "goal, 50% of moonshot"),
            (1, "of", (None, None, None), "")):
        tap.equal(f"{ratio} as '{how}' against {marks}", report.verdict(ratio, how, *marks), wanted)


# ---- peers ----

def figures(rate, cost):
    """What a round finds of one server."""
    found = {"start ms": cost, "rest MiB": cost, "load MiB": 2 * cost}
    for method in peers.METHODS:
        found |= {(method, n): rate for n in peers.CONNECTIONS}
        found |= {(method, what): cost for what in ("cpu us", "p50", "p99", "open p50", "open p99")}
    return found


def test_peers_are_compared():
    results = [{"wingman": figures(3000, 2), "TypeScript SDK 2": figures(50, 40)},
               {"wingman": figures(9000, 2), "TypeScript SDK 2": figures(100, 40),
                "Go SDK": figures(18000, 1)}]
    streams = {"wingman": {"streams": 9000, "bytes": 9000, "tell_ms": 5}}
    rows = {row[0]: row for row in report.peer_ratios(results, streams)}
    tap.equal("a peer that is not there has no row", "tools/call / TypeScript SDK 2, 1 tool" in rows,
              False)
    tap.equal("throughput: ours over theirs, inside a round", rows["the same, 20 tools"][3:5],
              ("75.00", "60.00..90.00"))
    tap.equal("processor time: theirs over ours",
              rows["the same, 20 tools: theirs / ours"][3:9:5], ("20.00", "below, 50% of floor"))
    tap.equal("costs: ours over theirs",
              (rows["memory at rest / TypeScript SDK 2"][3],
               rows["memory at rest / TypeScript SDK 2"][8]), ("0.05", "moonshot"))
    tap.equal("a stream in KB", rows["KB of a listen stream"][3:9:5], ("9.00", "goal, 78% of moonshot"))
    lines = report.peer_lines(results, streams, {"Python SDK": "no such thing"})
    table = {l.split("|")[1].strip(): [c.strip() for c in l.split("|")[2:-1]]
             for l in lines if l.startswith("| ")}
    tap.equal("those that are left out are named", lines[-1], "left out: Python SDK: no such thing")
    tap.equal("streams where there are", [table[n][3:] for n in ("wingman", "Go SDK")],
              [["9,000", "9.0", "5"], ["-", "-", "-"]])
    calls = next(l for l in lines if l.startswith("| Go SDK"))
    tap.ok("a peer that is faster is said to be", "| 18,000 |" in calls and "0.5" in calls, calls)
    for part in "\n".join(lines).split("\n\n"):
        counts = {line.count("|") for line in part.splitlines() if line}
        tap.equal("a table has a cell for each heading", len(counts), 1)
    tap.equal("no peers at all, and it is still a report",
              report.peer_ratios([{"wingman": figures(1, 1)}], {}), [])


def test_requests():
    text = peers.request(4711, "tools/call", peers.MODERN, {"Authorization": "Bearer x"},
                         name="echo_text", arguments={"text": "hü"}).decode()
    head, body = text.split("\r\n\r\n")
    tap.ok("a modern request has its headers", all(f"\r\n{h}\r\n" in head + "\r\n" for h in (
        "Host: 127.0.0.1:4711", "Mcp-Method: tools/call", "Mcp-Name: echo_text",
        "Authorization: Bearer x", f"Content-Length: {len(body.encode())}")), head)
    text = peers.request(1, "tools/list", peers.SESSION, {"Mcp-Session-Id": "s"}).decode()
    tap.ok("an older one has its session and no envelope", "Mcp-Session-Id: s" in text
           and "Mcp-Method" not in text and "_meta" not in text, text)


def script(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)
    return [path]


def test_peers_that_fail():
    """Ours must work; of others the rest is left out."""
    with tempfile.TemporaryDirectory() as build:
        before = peers.SERVERS
        mute = script(os.path.join(build, "mute"), "echo not a port; exec sleep 60")

        def gone(*_):
            raise peers.install.Missing("no toolchain is there")

        try:
            peers.SERVERS = {"Go SDK": (gone, peers.MODERN), "Python SDK": (lambda *_: mute, peers.MODERN)}
            results, streams, missing = peers.run(build, build, 1, lambda text: None)
            tap.equal("nothing was measured", (results, streams), ([{}], {}))
            tap.ok("each has its reason", missing["Go SDK"] == "no toolchain is there"
                   and "did not start" in missing["Python SDK"], missing)
            peers.SERVERS = {"bare HTTP and JSON": (lambda *_: mute, None)}
            failed = ""
            try:
                peers.run(build, build, 1, lambda text: None)
            except peers.Failed as e:
                failed = str(e)
            tap.ok("what we compare with must be there", "did not start" in failed, failed)
        finally:
            peers.SERVERS = before


def test_installing():
    """Once for each state of the files, and a failure has a sentence."""
    made = []
    with tempfile.TemporaryDirectory() as root:
        for _ in range(2):
            peers.install.once(root, "go", lambda source, target: made.append(source))
        tap.equal("done once", len(made), 1)
        with open(os.path.join(root, "go", ".done"), "w", encoding="ascii") as f:
            f.write("other files")
        peers.install.once(root, "go", lambda source, target: made.append(source))
        tap.equal("and again when the files are others", len(made), 2)
    for argv in (["/nowhere/program"], ["/bin/sh", "-c", "echo first; echo the reason; exit 3"]):
        try:
            peers.install.run(argv)
            tap.ok("a failure is told", False)
        except peers.install.Missing as e:
            tap.ok("a failure is told with its last line", "reason" in str(e) or "nowhere" in str(e), e)


def test_locks():
    """What is installed is named to the byte, and where it comes from is not."""
    folder = os.path.join(SOURCE, "bench", "peers")
    with open(os.path.join(folder, "npm", "package-lock.json"), encoding="utf-8") as f:
        lock = json.load(f)["packages"]
    tap.ok("every package of npm has its digest", all(
        "integrity" in p for name, p in lock.items() if name), "")
    tap.ok("and no address", not any("resolved" in p for p in lock.values()))
    with open(os.path.join(folder, "python", "requirements.txt"), encoding="utf-8") as f:
        text = f.read()
    wanted = re.findall(r"^[a-z].*==.*$", text, re.MULTILINE)
    tap.equal("every package of Python has its digest",
              len(re.findall(r"^[a-z]\S*==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text,
                             re.MULTILINE)), len(wanted))


if __name__ == "__main__":
    tap.run([test_a_good_run, test_a_slow_run, test_failures, test_the_table, test_verdicts,
             test_peers_are_compared, test_requests, test_peers_that_fail, test_installing,
             test_locks])
    tap.done()
