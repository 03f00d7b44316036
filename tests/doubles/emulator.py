"""The independent doubles of npm's package 'emulate': Okta, GitHub and Slack.

They were written by people who never saw our clients, which is what makes them worth
asking; what they lack or do otherwise stands in the tests that use our own beside them.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

NPM = os.path.join(os.environ["WINGMAN_SOURCE"], "build", "npm")
PROGRAM = os.path.join(NPM, "node_modules", "emulate", "dist", "index.js")
NODE = os.path.join(NPM, "node", "bin", "node")

WHY = "emulate is not installed: make build/npm/.done"


def is_installed():
    return os.path.exists(PROGRAM) and os.path.exists(NODE)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Emulator:
    """One service with a seed (what stands below its name, and its tokens)."""

    def __init__(self, service, seed, tokens, path="/"):
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-emulate-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        seed_file = os.path.join(self.folder.name, "seed.yaml")
        with open(seed_file, "w", encoding="utf-8") as f:
            json.dump({"tokens": tokens, service: seed}, f)  # JSON is YAML
        self.process = subprocess.Popen(
            [NODE, PROGRAM, "start", "--service", service, "--port", str(self.port),
             "--host", "127.0.0.1", "--base-url", self.url, "--seed", seed_file],
            cwd=self.folder.name, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait(path)

    def _wait(self, path):
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url + path, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.05)
        self.close()
        raise RuntimeError("emulate did not start")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()
