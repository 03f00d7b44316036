"""A private gate and the playbooks server, over a folder of pages that tests write."""

import os
import shutil
import subprocess
import tempfile
import time

from gate_rig import BUILD, Rig

READS = ["search_playbooks", "get_playbook", "list_playbooks"]


class PlaybooksRig(Rig):
    name, program = "playbooks", os.path.join(BUILD, "bin", "wingman-playbooks")

    def __init__(self, more_sources="", more_backend=""):
        super().__init__()
        self.pages = tempfile.mkdtemp(prefix="wingman-pages-")
        self.more_sources, self.more_backend = more_sources, more_backend
        self.write_server_config()
        self.write("config/policy.yaml", "rules:\n" + "".join(
            f"  - {{name: free {t}, server: playbooks, tool: {t}, free: true}}\n" for t in READS)
            + "  - {name: the rest, needed: 1}\n")

    def write_server_config(self):
        self.write("config/playbooks.yaml",
                   f"listen: {{address: 127.0.0.1, port: {self.server_port}}}\n"
                   f"gate: {{url: 'http://127.0.0.1:{self.gate_port}'}}\n"
                   f"freed_reads: [{', '.join(READS)}]\n"
                   "freed_resources: ['playbook://search{?q}', 'playbook://{+id}', 'playbook-run://{id}']\n"
                   "freed_prompts: [run_playbook, triage_alert]\n"
                   "backend:\n  rescan_s: 1\n  link_hosts: [wiki.example.test]\n" + self.more_backend +
                   "  sources:\n"
                   f"    - {{name: pages, folder: '{self.pages}', tags: [own]}}\n" + self.more_sources)

    def start(self):
        self.start_server()
        self.start_gate()

    def page(self, name, text):
        path = os.path.join(self.pages, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.rename(path + ".new", path)

    def done(self):
        super().done()
        shutil.rmtree(self.pages, ignore_errors=True)

    def until(self, condition, what):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.05)

    def get(self, tool, token="client", **arguments):
        return self.call(tool, arguments, token)["structuredContent"]

    def ids(self, token="client"):
        listed = self.get("list_playbooks", token, limit=200)
        return [p["id"] for p in listed.get("playbooks", [])]

    def method(self, method, params, name, token="client"):
        """Any method of revision 2026-07-28: the whole reply."""
        prefix = "io.modelcontextprotocol/"
        return self.post(
            f"http://127.0.0.1:{self.server_port}/mcp", self.tokens[token],
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": {
                prefix + "protocolVersion": "2026-07-28",
                prefix + "clientInfo": {"name": "test", "version": "1"},
                prefix + "clientCapabilities": {}}}},
            {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": name,
             "Accept": "application/json, text/event-stream"})[1]

    def write_through_gate(self, tool, **arguments):
        with self.client() as c:
            a = c.propose(f"playbooks.{tool}", **arguments)
            c.approve(a)
            return c.wait(a, "succeeded")

    def git(self, *args):
        env = {"PATH": os.environ["PATH"], "HOME": self.pages, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(["git", "-C", self.pages, "-c", "user.name=t", "-c", "user.email=t@t",
                               *args], check=True, capture_output=True, text=True, env=env).stdout.strip()
