"""The sandbox that is not Slack, for tests: its programs, and its page in a browser."""

import json
import os
import subprocess
import urllib.error
import urllib.request

from browser import CHROMIUM, Browser

SOURCE = os.environ.get("WINGMAN_SOURCE", os.path.join(os.path.dirname(__file__), ".."))
NPM = os.path.join(SOURCE, "build", "npm")
NODE = os.path.join(NPM, "node", "bin", "node")
FOLDER = os.path.join(SOURCE, "tests", "sandbox")
PICTURES = os.path.join(SOURCE, "build", "screenshots")
ALICE, BOB, MALLORY = "U0ALICE001", "U0BOB00001", "U0MALLORY1"
SECOPS, GENERAL, HOME = "C0SECOPS01", "C0GENERAL1", "home"
DIRECT = {ALICE: "D0ALICE001", BOB: "D0BOB00001", MALLORY: "D0MALLORY1"}
CONTROL = "test-control"


def missing():
    """Why none of this can run here, or None."""
    if not os.path.exists(os.path.join(NPM, "node_modules", "slack-blocks-to-jsx")):
        return "npm's packages are not installed: make build/npm/.done"
    return None if CHROMIUM else "chromium is not installed: deploy/packages/test.txt"


class Script:
    """A script of the folder that prints one line of JSON when it is ready."""

    def __init__(self, name, *arguments, env=None):
        self.process = subprocess.Popen(
            [NODE, os.path.join(FOLDER, name), *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{name} did not start:\n" + self.process.communicate()[1][-4000:])
        self.ready = json.loads(line)
        self.url = self.ready["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def control(self, what, body=None):
        """'calls' and 'sent' are read; 'faults' and 'event' are told."""
        return fetch(self.url + "_control/" + what, body, {"X-Control": CONTROL})[1]

    def calls(self, method):
        return [c for c in self.control("calls")["calls"] if c["method"] == method]


def fetch(url, body=None, headers=None, method=None):
    """(status, JSON or text)."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={
        **({"Content-Type": "application/json"} if data is not None else {}), **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        status, text = e.code, e.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


class Person(Browser):
    """Somebody of the workspace at the page."""

    def __init__(self, sandbox, **size):
        super().__init__(**size)
        self.sandbox = sandbox

    def go(self, who, at):
        self.open(f"{self.sandbox.url}?as={who}&at={at}")
        self.wait(f"document.querySelector('main')?.dataset.as === '{who}' "
                  f"&& document.querySelector('main').dataset.at === '{at}'")

    def say(self, words):
        self.fill("#say", words)
        self.enter()

    def field(self, block, action="v"):
        return f"[data-block='{block}'][data-action='{action}']"

    def picture_of(self, name, css=None):
        self.picture(os.path.join(PICTURES, name + ".png"), css)
