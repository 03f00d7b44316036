"""'wingman audit' on logs in many files: what is proven of them offline, one approval's
story, and lines handed on."""

import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile

import tap
from gate_rig import Rig

BUILD = os.environ["WINGMAN_BUILD"]
WINGMAN = os.path.join(BUILD, "bin", "wingman")
CHAINS = os.path.join(BUILD, "tests", "audit-chains")
FILE_BYTES = 6000
APPROVALS = 30


class Logs:
    """A suite's folder with logs in it, and a copy that lies elsewhere."""

    def __init__(self, approvals=APPROVALS):
        self.dir = tempfile.mkdtemp(prefix="wingman-test-")
        self.heads = self.add(approvals)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def add(self, approvals):
        done = subprocess.run([CHAINS, self.dir, str(approvals), str(FILE_BYTES)], text=True,
                              stdout=subprocess.PIPE, check=True)
        return dict(line.split(":", 1) for line in done.stdout.split())

    def path(self, *parts):
        return os.path.join(self.dir, "audit", *parts)

    def numbered(self, program):
        return sorted(name for name in os.listdir(self.path(program)) if name.endswith(".jsonl"))

    def lines(self, program):
        files = [self.path(program + ".jsonl")]
        files += [self.path(program, name) for name in self.numbered(program)]
        return [line for f in files for line in open(f, encoding="utf-8").read().splitlines()]

    def copy(self):
        """Flat, as an inspector may have been given it, without any key."""
        folder = tempfile.mkdtemp(prefix="wingman-test-")
        for program in ("gate", "accounts"):
            shutil.copy(self.path(program + ".jsonl"), folder)
            for name in self.numbered(program):
                shutil.copy(self.path(program, name), folder)
        return folder

    def run(self, *words, **more):
        return subprocess.run([WINGMAN, "--dir", self.dir, "audit", *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **more)

    def verify(self, *words):
        done = self.run("verify", *words, "--json")
        return done.returncode, {r["program"]: r for r in map(json.loads, done.stdout.splitlines())
                                 if "program" in r}

    def keys(self):
        return [f"--key={p}={self.path(p + '.pem')}" for p in ("gate", "accounts")]


def test_verify():
    with Logs() as logs:
        status, found = logs.verify()
        tap.ok("logs in many files are sound", status == 0 and all(r["sound"] and r["files"] > 3
               for r in found.values()), found)
        tap.ok("signed with the key beside them", found["gate"]["key"] == "beside the log"
               and found["gate"]["signed_to_seq"] == found["gate"]["last_seq"] - 1, found)
        anchor = f"gate:{found['gate']['last_seq']}:{found['gate']['head']}"
        said = logs.run("verify").stdout
        tap.ok("people are told what to remember", "to remember: --anchor " + anchor in said, said)
        status, found = logs.verify("--anchor", anchor)
        tap.ok("with it the end is proven", status == 0 and found["gate"]["end_proven"]
               and found["gate"]["anchored_to_seq"] == found["gate"]["last_seq"], found)
        wrong = anchor[:-4] + "0000"
        status, found = logs.verify("--anchor", wrong)
        tap.ok("another past than the remembered one is found", status == 1
               and "written anew" in found["gate"]["finding"], found)
        for bad in ("gate", "gate:1", "gate:x:" + "0" * 64, "gate:-1:" + "0" * 64, "Gate:1:" + "0" * 64,
                    "gate:1:" + "0" * 63, "gate:99999999999999999999:" + "0" * 64):
            tap.equal(f"no anchor: {bad[:20]}", logs.run("verify", "--anchor", bad).returncode, 2)
        for bad in ("gate", "gate=", "=x", "gate=/nowhere"):
            tap.ok(f"no key: {bad}", logs.run("verify", "--key", bad).returncode != 0)


def test_offline():
    with Logs() as logs:
        folder = logs.copy()
        status, found = logs.verify(folder)
        tap.ok("a folder without keys: sound, and nothing is signed", status == 0
               and found["gate"]["key"] == "none" and found["gate"]["signed_to_seq"] == -1, found)
        status, found = logs.verify(folder, *logs.keys())
        tap.ok("with keys that are given", status == 0 and found["gate"]["key"] == "given"
               and found["gate"]["signed_to_seq"] == found["gate"]["last_seq"] - 1, found)
        status, found = logs.verify(folder, "--key=gate=" + logs.path("accounts.pem"))
        tap.ok("a chain that another key signed", status == 1 and "key unknown" in found["gate"]["finding"]
               and found["accounts"]["sound"], found)
        # The oldest moved away; a gap; a key of a log that is not there.
        os.unlink(os.path.join(folder, "gate.jsonl"))
        os.unlink(os.path.join(folder, logs.numbered("gate")[0]))
        status, found = logs.verify(folder, *logs.keys())
        first = int(re.search(r"(\d+)\.jsonl", logs.numbered("gate")[1])[1])
        tap.ok("the oldest files moved away: sound from there on", status == 0
               and found["gate"]["first_seq"] == first, found)
        tap.ok("and that is said", f"from seq {first} on" in logs.run("verify", folder).stdout)
        os.unlink(os.path.join(folder, logs.numbered("gate")[3]))
        status, found = logs.verify(folder, *logs.keys())
        tap.ok("a gap is found, and where", status == 1 and "dropped" in found["gate"]["finding"]
               and found["gate"]["finding_file"] == logs.numbered("gate")[4]
               and found["gate"]["finding_line"] == 1, found)
        for name in os.listdir(folder):
            if name.startswith("accounts"):
                os.unlink(os.path.join(folder, name))
        done = logs.run("verify", folder, *logs.keys())
        tap.ok("a log that ought to be there", done.returncode != 0
               and "no audit log of 'accounts'" in done.stderr, done.stdout + done.stderr)
        shutil.rmtree(folder)


def test_cut():
    """The end of one log cut off, with its files: its peer knows better."""
    with Logs() as logs:
        for name in logs.numbered("accounts")[1:]:
            os.unlink(logs.path("accounts", name))
        status, found = logs.verify()
        tap.ok("a cut end shows in the peer's log", status == 1 and not found["accounts"]["sound"]
               and "cut: the log ends" in found["accounts"]["finding"]
               and "gate" in found["accounts"]["finding"], found)
        for name in os.listdir(logs.path()):
            if name.startswith("gate"):
                path = logs.path(name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        status, found = logs.verify()
        tap.ok("without the peer its end is not proven", status == 0
               and not found["accounts"]["end_proven"], found)


def test_story():
    with Logs() as logs:
        done = logs.run("show", "approval0017")
        told = done.stdout.splitlines()
        tap.ok("a story: nine lines and its end", done.returncode == 0 and len(told) == 10, done.stdout)
        words = ["asked for accounts.block_account", "said what it would do", "put before those",
                 "bob@company.example approved", "signed a grant", "may leave", "checked the grant and began",
                 "read back and found so", "learnt that it succeeded, verified", "In the end: it was done"]
        tap.ok("in their order, in words", all(w in line for w, line in zip(words, told)), done.stdout)
        tap.ok("without JSON", "{" not in done.stdout and "?" not in done.stdout, done.stdout)
        lines = [json.loads(line) for line in logs.run("show", "approval0017", "--json").stdout.splitlines()]
        tap.ok("as JSON: the words and the line itself", len(lines) == 9 and all(
            x["says"] and x["line"]["hash"] and x["line"]["data"]["approval"] == "approval0017" for x in lines))
        tap.equal("nobody speaks of it", logs.run("show", "approval9999").returncode, 2)
        folder = logs.copy()
        tap.equal("of logs that lie elsewhere", logs.run("show", "approval0003", folder).stdout,
                  logs.run("show", "approval0003").stdout)
        shutil.rmtree(folder)


def is_chain(lines):
    """By the book, with nobody's code but json and hashlib."""
    prev = {}
    for text in lines:
        line = json.loads(text)
        digest = line.pop("hash")
        bytes_ = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if hashlib.sha256(bytes_).hexdigest() != digest:
            return False
        if line["prev"] != prev.get(line["program"], "0" * 64):
            return False
        prev[line["program"]] = digest
    return len(prev) > 0


def test_export():
    with Logs() as logs:
        lines = logs.run("export").stdout.splitlines()
        times = [json.loads(line)["at"] for line in lines]
        tap.equal("all lines of all files", len(lines), len(logs.lines("gate")) + len(logs.lines("accounts")))
        tap.ok("in the order of time", times == sorted(times))
        tap.ok("each chain as it was", is_chain(lines))
        one = logs.run("export", "--program", "accounts").stdout.splitlines()
        tap.equal("of one program, byte by byte", one, logs.lines("accounts"))
        middle = times[len(times) // 2]
        tap.equal("from a moment on", logs.run("export", "--since", middle).stdout.splitlines(),
                  [line for line, at in zip(lines, times) if at >= middle])
        tap.equal("of the last hour", len(logs.run("export", "--since", "1h").stdout.splitlines()), len(lines))
        tap.equal("from the future on", logs.run("export", "--since", "2999-01-01T00:00:00Z").stdout, "")
        tap.equal("no moment", logs.run("export", "--since", "yesterday").returncode, 2)
        tap.equal("no program", logs.run("export", "--program", "nobody").returncode, 2)


RFC5424 = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) - (\S+) \[wingman@32473((?: \w+=\"(?:[^\"\\\]]|\\.)*\")*)\]"
                     r"(?: \ufeff(.*))?$", re.DOTALL)


def receive_all(receiver):
    messages = []
    while select.select([receiver], [], [], 0)[0]:
        messages.append(receiver.recv(1 << 20).decode())
    return messages


def test_syslog():
    with Logs(approvals=2) as logs:
        lines = logs.run("export").stdout.splitlines()
        path = os.path.join(logs.dir, "log")
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unix.bind(path)
        # A receiver reads while it is sent to: a queue of datagrams is short.
        sender = subprocess.Popen([WINGMAN, "--dir", logs.dir, "audit", "export", "--syslog", path])
        got = []
        while sender.poll() is None or select.select([unix], [], [], 0)[0]:
            if select.select([unix], [], [], 0.2)[0]:
                got.append(unix.recv(1 << 20).decode())
        parsed = [RFC5424.match(m) for m in got]
        tap.ok("to a socket: one message a line", sender.returncode == 0 and len(got) == len(lines)
               and all(parsed), got[:2])
        tap.equal("the text is the line", [m[7] for m in parsed if m], lines)
        first = json.loads(lines[1])
        tap.ok("the elements name the line", parsed[1] and f'seq="{first["seq"]}"' in parsed[1][6]
               and f'hash="{first["hash"]}"' in parsed[1][6], got[1])
        tap.ok("its header", parsed[0][2] == json.loads(lines[0])["at"] and parsed[0][1] == str(13 * 8 + 5)
               and parsed[0][4].startswith("wingman-"), got[0])
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        done = logs.run("export", "--syslog", f"udp:127.0.0.1:{udp.getsockname()[1]}", "--program", "accounts")
        tap.ok("over loopback", done.returncode == 0 and len(receive_all(udp)) == len(logs.lines("accounts")),
               done.stderr)
        for bad in ("udp:192.0.2.1:514", "udp:0.0.0.0:514", "udp:localhost:514", "udp:127.0.0.1:0",
                    "udp:127.0.0.1:65536", "udp:127.0.0.1", "udp:[::2]:514", "tcp:127.0.0.1:514", "log",
                    "/" + "x" * 200):
            tap.equal(f"not to {bad[:20]}", logs.run("export", "--syslog", bad).returncode, 2)
        tap.ok("nobody there", logs.run("export", "--syslog", os.path.join(logs.dir, "none")).returncode != 0)


def test_follow():
    """On into files that are begun meanwhile."""
    with Logs(approvals=1) as logs:
        followers = [subprocess.Popen([WINGMAN, "--dir", logs.dir, "audit", *words], stdout=subprocess.PIPE,
                                      text=True, bufsize=1)
                     for words in (["export", "--follow", "--program", "gate"],
                                   ["tail", "gate", "--lines", "1000", "--follow", "--json"])]
        begun = [[p.stdout.readline() for _ in logs.lines("gate")] for p in followers]
        tap.ok("what is there", all(json.loads(line)["program"] == "gate" for b in begun for line in b))
        logs.add(APPROVALS)
        lines = logs.lines("gate")
        tap.ok("it went on in other files", len(logs.numbered("gate")) > 2, logs.numbered("gate"))
        for p, b in zip(followers, begun):
            whole = b + [p.stdout.readline() for _ in lines[len(b):]]
            tap.ok(f"{p.args[4]}: every line once, in order",
                   [json.loads(x)["seq"] for x in whole] == list(range(len(lines))))
            p.kill()
            p.communicate()


def test_tail():
    with Logs() as logs:
        tail = logs.run("tail", "gate", "--lines", "100", "--json").stdout.splitlines()
        tap.equal("as many as asked for, from as many files as it takes",
                  [json.loads(x)["seq"] for x in tail],
                  [json.loads(x)["seq"] for x in logs.lines("gate")[-100:]])


def test_sandbox():
    """A server begins its next file from inside its sandbox, a gate as well."""
    rig = Rig()
    try:
        for program in ("fixture", "gate"):
            subprocess.run([CHAINS, rig.dir, "fill", program], check=True)
        rig.write("config/fixture.yaml", f"listen: {{address: 127.0.0.1, port: {rig.server_port}}}\n"
                                         "freed_reads: [echo_text]\n")
        rig.start_server()
        rig.start_gate()
        with rig.client() as c:
            for _ in range(40):
                rig.call("echo_text", {"text": "x"})
                with contextlib.suppress(Exception):  # what counts is the line that a refusal leaves
                    c.ask("propose_gate", action="pin_server", arguments={"server": "fixture", "digest": "0" * 64})
        begun = {p: [n for n in os.listdir(rig.path("audit", p)) if n.endswith(".jsonl")]
                 for p in ("fixture", "gate")}
        tap.ok("the server's chain goes on in a new file", len(begun["fixture"]) == 1, begun)
        tap.ok("and the gate's", len(begun["gate"]) == 1, begun)
        rig.server.stop()
        rig.gate.stop()
        done = subprocess.run([WINGMAN, "--dir", rig.dir, "audit", "verify"], text=True, stdout=subprocess.PIPE)
        tap.ok("both are sound", done.returncode == 0 and done.stdout.count("in 2 files") == 2, done.stdout)
        doctor = subprocess.run([WINGMAN, "--dir", rig.dir, "doctor"], text=True, stdout=subprocess.PIPE).stdout
        tap.ok("the doctor reads them", "lines, end" in doctor and "BROKEN" not in doctor, doctor)
    finally:
        rig.done()


if __name__ == "__main__":
    tap.run([test_sandbox, test_verify, test_offline, test_cut, test_story, test_export, test_syslog, test_follow, test_tail])
    tap.done()
