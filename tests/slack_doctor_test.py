"""wingman doctor slack: each line is found where something is wrong, and says what to do."""

import email.utils
import json
import os
import re
import subprocess
import tempfile
import time

import tap
from doubles.slack_double import SlackDouble
from gate_rig import Program, free_port

BIN = os.path.join(os.environ["WINGMAN_BUILD"], "bin")
SOURCE = os.environ["WINGMAN_SOURCE"]
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HISTORY = {"channels:history", "groups:history"}
WANTED = {"app_mentions:read", "assistant:write", "channels:read", "chat:write", "commands",
          "files:write", "groups:read", "im:history", "im:write", "usergroups:read", "users:read"}


LEVELS = ("", "ok", "warn", "fail")


class Rig:
    def __init__(self):
        self.double = SlackDouble()
        self.double.scopes[self.double.token] = set(WANTED)
        self.double.scopes["xapp-good"] = {"connections:write"}
        self.double.usergroups["S0SEC"] = {"handle": "security", "users": ["U0AVA", "U0BEN"]}
        self.double.usergroups["S0NOBODY"] = {"handle": "nobody", "users": []}
        self.double.methods["apps.connections.open"] = (
            "connections:write", lambda _: {"url": "wss://wss-primary.slack.com/link/?ticket=s3"})
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-doctor-")
        for name in ("config", "keys", "tokens", "run"):
            os.mkdir(os.path.join(self.folder.name, name), 0o700)
        self.put("tokens/bot", self.double.token)
        self.put("tokens/app", "xapp-good")
        self.put("keys/slack", SECRET)
        self.port = free_port()
        self.config = {"app": "A0WINGMAN1", "teams": [self.double.team],
                       "api": {"token_file": "tokens/bot", "url": self.double.url + "/api"},
                       "usergroup": "S0SEC", "listen": {"port": self.port},
                       "signing_secrets": ["keys/slack"]}
        self.gate = {"app": "A0WINGMAN1", "teams": [self.double.team],
                     "signing_secrets": ["keys/slack"]}
        self.configure()

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.folder.name, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def configure(self, gate=None, **more):
        config = {k: v for k, v in {**self.config, **more}.items() if v is not None}
        self.put("config/slack.yaml", json.dumps(config))
        theirs = {k: v for k, v in {**self.gate, **(gate or {})}.items() if v is not None}
        self.put("config/gate.yaml", json.dumps({"slack": theirs} if gate is not False else {}))

    def run(self, *args):
        done = subprocess.run([os.path.join(BIN, "wingman"), "--dir", self.folder.name, *args,
                               "doctor", "slack"], capture_output=True, text=True, timeout=60,
                              check=False)
        for secret in (SECRET, self.double.token, "xapp-good", "ticket="):
            assert secret not in done.stdout + done.stderr, "a secret was shown"
        return done

    def look(self, gate=None, **more):
        """{check: (level, detail)}, the worst of each; and the remedies."""
        self.configure(gate, **more)
        done = self.run("--json")
        found, self.remedies = {}, {}
        for f in json.loads(done.stdout):
            worse = LEVELS.index(f["level"]) > LEVELS.index(found.get(f["check"], ("",))[0])
            if worse:
                found[f["check"]] = (f["level"], f["detail"])
            if f["level"] == "fail":
                self.remedies[f["check"]] = f.get("remedy", "")
        self.status = done.returncode
        return found

    def fails(self, name, check, words, gate=None, **more):
        found = self.look(gate, **more)
        level, detail = found.get(check, ("absent", ""))
        tap.ok(f"{name}: is found, and what to do", level == "fail" and words in detail and
               self.remedies[check] and self.status == 1, f"{found} {self.remedies}")

    def close(self):
        self.double.close()
        self.folder.cleanup()


def start(rig):
    """wingman-slack by itself, once it knows who it is."""
    rig.configure()
    log = os.path.join(rig.folder.name, "run", "slack.log")
    process = Program([os.path.join(BIN, "wingman-slack"), "--dir", rig.folder.name], log)
    deadline = time.monotonic() + 30
    while "slack.known" not in read(log):
        assert time.monotonic() < deadline, read(log)
        time.sleep(0.02)
    return process


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def test_all_well(rig):
    process = start(rig)
    tap.ok("without Socket Mode nothing of it is loaded", "libwebsockets" not in
           read(f"/proc/{process.process.pid}/maps"))
    found = rig.look()
    tap.equal("nothing is wrong", {k: v for k, v in found.items() if v[0] != "ok"}, {})
    tap.equal("and all was looked at", set(found), {"gate", "secret", "token", "scopes", "clock",
                                                    "group", "address"})
    tap.equal("it says so", rig.status, 0)
    tap.ok("to people too", "7 ok, 0 to look at, 0 wrong" in rig.run().stdout, rig.run().stdout)
    rig.put("keys/slack", "another secret altogether")
    rig.fails("a secret that is not the process's", "address", "401")
    rig.put("keys/slack", SECRET)
    tap.ok("a host that nobody has is a warning", rig.look(listen={
        "port": rig.port, "hosts": ["wingman.invalid"]})["address"][0] == "warn" and
        rig.status == 0)
    process.stop()
    rig.fails("nobody is there", "address", "/slack/events")


def test_configuration(rig):
    rig.fails("another app", "gate", "another app", gate={"app": "A0OTHER"})
    rig.fails("other teams", "gate", "other teams", gate={"teams": ["T0OTHER"]})
    rig.fails("no slack at the gate", "gate", "nothing of Slack", gate=False)
    rig.fails("a gate without a secret", "gate", "no signing secret",
              gate={"signing_secrets": None})
    rig.fails("Socket Mode that the gate does not want", "gate", "Socket Mode",
              socket={"token_file": "tokens/app"})
    rig.fails("neither way in", "address", "nothing can come", listen=None)
    rig.put("keys/slack", SECRET, 0o644)
    rig.fails("a secret that others read", "secret", "no signing secret")
    rig.put("keys/slack", SECRET)
    rig.configure()
    os.unlink(os.path.join(rig.folder.name, "config", "slack.yaml"))
    done = rig.run()
    tap.ok("no configuration", done.returncode == 1 and "docs/slack.md" in done.stdout,
           done.stdout)
    done = subprocess.run([os.path.join(BIN, "wingman"), "--dir", rig.folder.name, "doctor",
                           "teams"], capture_output=True, text=True, check=False)
    tap.equal("another word is none", done.returncode, 2)


def test_tokens(rig):
    rig.put("tokens/bot", "xoxb-wrong")
    rig.fails("a token that is none", "token", "invalid_auth")
    os.unlink(os.path.join(rig.folder.name, "tokens", "bot"))
    rig.fails("a token that is not there", "token", "tokens/bot")
    rig.put("tokens/bot", rig.double.token)
    rig.fails("another workspace", "token", rig.double.team, teams=["T0OTHER"],
              gate={"teams": ["T0OTHER"]})
    socket = {"token_file": "tokens/app"}
    tap.equal("an app-level token", rig.look(gate={"socket_mode": True}, socket=socket,
                                             listen=None)["app token"][0], "ok")
    rig.put("tokens/app", "xoxb-wrong")
    rig.fails("one that is none", "app token", "invalid_auth", gate={"socket_mode": True},
              socket=socket)
    rig.put("tokens/app", "xapp-good")


def test_scopes(rig):
    granted = rig.double.scopes[rig.double.token]
    for scope in sorted(WANTED):
        granted.discard(scope)
        rig.fails(scope, "scopes", f"{scope} is missing")
        granted.add(scope)
    granted.add("admin")
    found = rig.look()
    tap.ok("what nothing needs", found["scopes"][0] == "warn" and "admin" in found["scopes"][1],
           found)
    granted.discard("admin")
    for name, wanted in (("manifest.yaml", WANTED), ("manifest-thread-history.yaml", WANTED | HISTORY)):
        manifest = read(os.path.join(SOURCE, "deploy", "slack", name))
        listed = set(re.findall(r"^      - ([a-z_]+(?::[a-z]+)?) +#", manifest, re.MULTILINE))
        tap.equal(f"{name} asks for the same", listed, wanted)


def test_history(rig):
    """Where threads may be read there are two scopes more, and nowhere else."""
    granted = rig.double.scopes[rig.double.token]
    granted.update(HISTORY)
    for scope in sorted(HISTORY):
        granted.discard(scope)
        rig.fails(f"without {scope}", "scopes", f"{scope} is missing", thread_history=True)
        granted.add(scope)
    tap.equal("all are there", rig.look(thread_history=True)["scopes"][0], "ok")
    found = rig.look()
    tap.ok("and too much where nothing reads them", found["scopes"][0] == "warn" and
           all(s in found["scopes"][1] for s in HISTORY), found)
    granted.difference_update(HISTORY)


def test_group(rig):
    rig.fails("a group that is none", "group", "S0NONE", usergroup="S0NONE")
    rig.fails("an empty one", "group", "empty", usergroup="S0NOBODY")
    tap.ok("none is wanted", "group" not in rig.look(usergroup=None))


def test_clock(rig):
    handler = rig.double.server.RequestHandlerClass
    for apart, level in ((0, "ok"), (60, "warn"), (-60, "warn"), (400, "fail"), (-400, "fail")):
        handler.date_time_string = lambda self, _=None, a=apart: email.utils.formatdate(
            time.time() + a, usegmt=True)
        tap.equal(f"{apart} s apart", rig.look()["clock"][0], level)
    del handler.date_time_string


if __name__ == "__main__":
    for test in (test_all_well, test_configuration, test_tokens, test_scopes, test_history, test_group,
                 test_clock):
        rig = Rig()
        try:
            tap.run([lambda test=test, rig=rig: test(rig)])
        finally:
            rig.close()
    tap.done()
