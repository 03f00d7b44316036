"""A private suite for tests: 'wingman up' in a folder of its own, people who
answer at pseudo-terminals, and a plain MCP client of revision 2026-07-28.

Everything started here is stopped by pid; nothing leaves the loopback address.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pexpect

BUILD = os.environ.get("WINGMAN_BUILD", os.path.join(os.path.dirname(__file__), "..", "build"))
BIN = os.path.join(BUILD, "bin")
WINGMAN = os.path.join(BIN, "wingman")
SIGN_GRANT = os.path.join(BUILD, "tests", "sign-grant")
PREFIX = "io.modelcontextprotocol/"
VERSION = "2026-07-28"


class Suite:
    """One folder and what runs in it."""

    def __init__(self, folder=None):
        self.own_folder = folder is None
        self.dir = folder or tempfile.mkdtemp(prefix="wingman-test-")
        self.process = None
        self.ready = None
        self.waiting = []

    def start(self, timeout_s=60):
        self.process = subprocess.Popen([WINGMAN, "--dir", self.dir, "up", "--no-console"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the suite did not start: " + self.process.stderr.read() + self.logs())
        self.ready = json.loads(line)
        return self.ready

    def stop(self):
        for child in self.waiting:
            if child.poll() is None:
                child.kill()
            child.communicate()
        self.waiting = []
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process:
            self.process.stdout.close()
            self.process.stderr.close()
        self.process = None

    def done(self):
        self.stop()
        if self.own_folder:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def read(self, *names):
        with open(self.path(*names), encoding="utf-8") as f:
            return f.read()

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.path("run"))) if os.path.isdir(self.path("run")) else []:
            if name.endswith(".log"):
                text += f"--- {name}\n" + self.read("run", name)[-3000:]
        return text

    # --- processes ----------------------------------------------------------------

    def child_pid(self, program):
        """Pid of a running child of 'wingman up' by its program's name, the oldest; None if down."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    argv = f.read().split(b"\0")
                with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                    stat = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if stat[0] == "Z" or int(stat[1]) != self.process.pid:
                continue
            if os.path.basename(argv[0]).decode() == program:
                found.append(int(pid))
        return min(found) if found else None

    def wait_for(self, condition, timeout_s=20, what="condition"):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise RuntimeError(f"waited {timeout_s} s for {what}\n" + self.logs())

    def kill(self, program):
        """kill -9, then wait until the supervisor has brought it back."""
        pid = self.child_pid(program)
        os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: self.child_pid(program) not in (None, pid), what=program + " to come back")

    # --- the command line -----------------------------------------------------------

    def wingman(self, *args, timeout_s=60):
        return subprocess.run([WINGMAN, "--dir", self.dir, *args], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout_s, check=False)

    def json(self, *args):
        result = self.wingman("--json", *args)
        return json.loads(result.stdout) if result.stdout.strip() else None

    def propose(self, tool, **arguments):
        """A call in the background without a terminal; (process, approval id or None)."""
        child = subprocess.Popen([WINGMAN, "--dir", self.dir, "--json", "call", tool, "--args",
                                  json.dumps(arguments)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.waiting.append(child)
        line = child.stdout.readline()
        first = json.loads(line) if line.strip() else {}
        child.first = first
        return child, first.get("approval") if first.get("state") == "pending" else None

    def finish(self, child, timeout_s=60):
        """(exit status, last record) of a call in the background."""
        out, err = child.communicate(timeout=timeout_s)
        lines = [json.loads(line) for line in out.splitlines() if line.strip()]
        child.err = err
        return child.returncode, lines[-1] if lines else child.first

    def terminal(self, *args):
        return pexpect.spawn(WINGMAN, ["--dir", self.dir, *args], encoding="utf-8",
                             dimensions=(60, 120), timeout=60, env=dict(os.environ, NO_COLOR="1", TERM="xterm"))

    def decide(self, approval, answer=None):
        """A person at a terminal who types what the prompt asks for, or 'answer'; the page
        that was shown and the exit status."""
        child = self.terminal("approvals", "approve", approval)
        index = child.expect([r"Type '(approve [0-9a-f]{4})'[^:]*: ", pexpect.EOF])
        page = child.before
        if index == 0:
            child.sendline(answer or child.match.group(1))
            child.expect(pexpect.EOF)
            page += child.before
        child.close()
        return page.replace("\r\n", "\n"), child.exitstatus

    def run(self, tool, **arguments):
        """Propose, approve, finish: (exit status, record)."""
        child, approval = self.propose(tool, **arguments)
        if approval:
            self.decide(approval)
        return self.finish(child)

    # --- the directory ---------------------------------------------------------------

    def bind(self, uid):
        """Exit status of an LDAP bind as this sample person: 0 works, 49 refused."""
        directory = self.ready["directory"]
        return subprocess.run(["ldapwhoami", "-x", "-H", directory["url"], "-D",
                               f"uid={uid},ou=people,{directory['base']}", "-w", "pw-" + uid],
                              capture_output=True, timeout=30, check=False).returncode

    # --- MCP ---------------------------------------------------------------------------

    def token(self, name):
        return self.read("tokens", name + ".token").strip()

    def mcp(self, method, params=None, token=None, name=None, meta=None, server="accounts", headers=None):
        """(HTTP status, JSON body) of one request of revision 2026-07-28."""
        params = dict(params or {})
        params["_meta"] = {PREFIX + "protocolVersion": VERSION, PREFIX + "clientCapabilities": {},
                           PREFIX + "clientInfo": {"name": "tests", "version": "1"}, **(meta or {})}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        all_headers = {"Content-Type": "application/json", "MCP-Protocol-Version": VERSION,
                       "Accept": "application/json, text/event-stream", "Mcp-Method": method}
        if name:
            all_headers["Mcp-Name"] = name
        if token:
            all_headers["Authorization"] = "Bearer " + token
        all_headers.update(headers or {})
        request = urllib.request.Request(self.ready["servers"][server]["url"], data=body,
                                         headers=all_headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as refused:
            text = refused.read()
            try:
                return refused.code, json.loads(text or b"null")
            except ValueError:
                return refused.code, text.decode(errors="replace")

    def call(self, tool, arguments, token=None, meta=None, **more):
        """tools/call: (HTTP status, result or error object)."""
        status, body = self.mcp("tools/call", {"name": tool, "arguments": arguments, **more},
                                token or self.token("client"), tool, meta)
        if isinstance(body, dict):
            return status, body.get("result", body.get("error"))
        return status, body

    def sign(self, tool, arguments, plan=None, key=None, extra=(), server="accounts"):
        """A word of tests/sign-grant, which plays the gate."""
        with tempfile.TemporaryDirectory() as folder:
            args_file = os.path.join(folder, "args.json")
            with open(args_file, "w", encoding="utf-8") as f:
                json.dump(arguments, f)
            command = [SIGN_GRANT, "--key", key or self.path("keys", "gate.key"), "--server", server,
                       "--tool", tool, "--args", args_file, *extra]
            if plan is not None:
                plan_file = os.path.join(folder, "plan.json")
                with open(plan_file, "w", encoding="utf-8") as f:
                    json.dump(plan, f)
                command += ["--plan", plan_file]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def audit_events(self, program, approval=None):
        events = [json.loads(line) for line in self.read("audit", program + ".jsonl").splitlines()]
        return [e for e in events if approval is None or e.get("data", {}).get("approval") == approval]


def error_of(result):
    """Code of a tool result that is an error, None otherwise."""
    if not isinstance(result, dict) or not result.get("isError"):
        return None
    return result.get("structuredContent", {}).get("error", {}).get("code")


def short_digest(page):
    found = re.search(r"([0-9a-f]{12}) is the digest", page)
    return found.group(1) if found else None
