"""Headless Chromium over a pipe, for tests of pages: what a person sees and does.

    with Browser() as b:
        b.open(url)
        b.click("text of a button"); b.fill("css", "words"); b.wait("javascript expression")

Nothing listens on a port: commands go over file descriptors that only the child has.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium")
PATIENCE_S = 60
FIRST_FD, SECOND_FD = 3, 4      # Chromium reads commands from the one, answers on the other


class PageError(AssertionError):
    pass


class Browser:
    def __init__(self, width=1100, height=900):
        self.size = (width, height)
        self.errors = []        # what the page complained about
        self.requests = []      # every address that anything was asked for
        self.number = 0
        self.buffer = b""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-chromium-")
        commands_read, self.commands = os.pipe()
        self.answers, answers_write = os.pipe()

        def place():
            # Copies first: one of the two may be where the other belongs.
            a, b = os.dup(commands_read), os.dup(answers_write)
            os.dup2(a, FIRST_FD)
            os.dup2(b, SECOND_FD)

        arguments = [CHROMIUM, "--headless=new", "--remote-debugging-pipe", "--disable-gpu",
                     "--no-first-run", "--hide-scrollbars", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--no-proxy-server",
                     "--force-device-scale-factor=1", "--lang=en-US",
                     "--user-data-dir=" + self.folder.name]
        if os.getuid() == 0:
            arguments.append("--no-sandbox")
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=place, close_fds=False,
            env=dict(os.environ, HOME=self.folder.name, TZ="UTC"))
        os.close(commands_read)
        os.close(answers_write)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=self.size[0], height=self.size[1],
                  deviceScaleFactor=1, mobile=False)
        return self

    def __exit__(self, *_):
        os.close(self.commands)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.answers)
        self._remove()

    def _remove(self):
        # Its children may still write for a moment after it has ended.
        for _ in range(50):
            try:
                self.folder.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    session = None

    # --- the protocol ---

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self, timeout_s=PATIENCE_S):
        until = time.monotonic() + timeout_s
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise PageError("the browser does not answer")
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise PageError("the browser has ended")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"].get("exception", {}).get("description", "?"))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    # --- what a person does ---

    def js(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                        awaitPromise=True)
        if "exceptionDetails" in got:
            raise PageError(got["exceptionDetails"].get("exception", {}).get("description", got))
        return got["result"].get("value")

    def wait(self, expression, timeout_s=PATIENCE_S):
        """Until the expression holds in the page; what it is then."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            value = self.js(f"(() => {{ try {{ const v = {expression}; return v instanceof Node || v; }} "
                            "catch { return null; } })()")
            if value:
                return value
            time.sleep(0.05)
        raise PageError(f"waited for: {expression}\nthe page:\n" + self.text())

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def text(self, css="body"):
        return self.js(f"document.querySelector({json.dumps(css)})?.innerText ?? ''")

    def wait_text(self, words, css="body"):
        return self.wait(f"document.querySelector({json.dumps(css)})?.innerText.includes({json.dumps(words)})")

    def click(self, words, css="button", last=True):
        """The last such element (or the first) with these words, with a real mouse."""
        which = "at(-1)" if last else "at(0)"
        found = (f"[...document.querySelectorAll({json.dumps(css)})].filter((e) => "
                 f"e.textContent.trim() === {json.dumps(words)}).{which}")
        # Where it stands, once it stands still and nothing lies over it.
        box = self.wait(f"""(() => {{
            const e = {found};
            e.scrollIntoView({{block: 'center'}});
            const r = e.getBoundingClientRect(), at = [r.x + r.width / 2, r.y + r.height / 2];
            const still = String(window.lastAt) === String(at);
            window.lastAt = at;
            return still && e.contains(document.elementFromPoint(...at)) && at;
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left",
                      clickCount=1)

    def fill(self, css, words):
        """As if typed, in place of what stood there."""
        self.wait(f"!!document.querySelector({json.dumps(css)})")
        self.js(f"(() => {{ const e = document.querySelector({json.dumps(css)}); e.focus(); "
                "if (e.select) e.select(); })()")
        self.call("Input.insertText", text=words)

    def choose(self, css, *values):
        """In a menu or among boxes."""
        self.wait(f"!!document.querySelector({json.dumps(css)})")
        self.js(f"""(() => {{
            const values = {json.dumps(values)};
            for (const e of document.querySelectorAll({json.dumps(css)})) {{
                if (e.tagName === 'SELECT')
                    for (const o of e.options) o.selected = values.includes(o.value);
                else
                    e.checked = values.includes(e.value);
                e.dispatchEvent(new Event('change', {{bubbles: true}}));
            }} }})()""")

    def enter(self):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                      windowsVirtualKeyCode=13, text="\r")

    def picture(self, path, css=None):
        """Of what can be seen, or of one element."""
        clip = {}
        if css:
            x, y, width, height = self.js(
                f"(() => {{ const e = document.querySelector({json.dumps(css)}); "
                "e.scrollIntoView({block: 'start'}); const r = e.getBoundingClientRect(); "
                "return [r.x, r.y, r.width, r.height]; })()")
            clip = {"clip": {"x": x, "y": y, "width": width, "height": height, "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", **clip)["data"]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
