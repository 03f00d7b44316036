"""'wingman chat' with a program of the test's own in the worker's place.

    rig = ChatRig(suite)                 programs of the build, but for worker and egress
    rig.script([[["say", "hello"], ["done"]]])
    p = rig.chat()                       at a pseudo-terminal
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys

import pexpect
from suite import BIN

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """provider: anthropic
model: scripted-1
url: http://127.0.0.1:9
key: keys/model
turn: {seconds: 60, proposals: 4, reads: 4, text_bytes: 4000}
"""
YES = r"Type '(approve [0-9a-f]{4})'[^:]*: "


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


class ChatRig:
    def __init__(self, suite, config=CONFIG):
        self.suite = suite
        self.bin = suite.path("chatbin")
        os.makedirs(self.bin, exist_ok=True)
        self.wingman = os.path.join(self.bin, "wingman")
        if not os.path.exists(self.wingman):
            shutil.copy2(os.path.join(BIN, "wingman"), self.wingman)
        with open(os.path.join(HERE, "chat_worker.py"), encoding="utf-8") as f:
            self.program("wingman-assistant", f"#!{sys.executable} -IS\n" + f.read())
        self.program("wingman-egress", "#!/bin/sh\nexit 1\n")
        with open(suite.path("config", "assistant.yaml"), "w", encoding="utf-8") as f:
            f.write(config)

    def file(self, name):
        return os.path.join(self.bin, name)

    def program(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.file(name), stat.S_IRWXU)

    def script(self, turns):
        with open(self.file("script.json"), "w", encoding="utf-8") as f:
            json.dump(turns, f)
        for name in ("next", "seen.jsonl"):
            if os.path.exists(self.file(name)):
                os.unlink(self.file(name))

    def seen(self, member="got"):
        if not os.path.exists(self.file("seen.jsonl")):
            return []
        with open(self.file("seen.jsonl"), encoding="utf-8") as f:
            return [row[member] for row in map(json.loads, f) if member in row]

    def turns(self):
        return [m for m in self.seen() if m["m"] == "turn"]

    def results(self):
        return [m["results"] for m in self.seen() if m["m"] == "result"]

    def chat(self, *arguments):
        p = pexpect.spawn(self.wingman, ["--dir", self.suite.dir, "chat", *arguments],
                          encoding="utf-8", dimensions=(60, 160), timeout=60)
        p.setecho(False)
        return p

    def say(self, *arguments):
        return subprocess.run([self.wingman, "--dir", self.suite.dir, "chat", *arguments],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=90, check=False)

    def console(self, lines):
        return subprocess.run([self.wingman, "--dir", self.suite.dir, "console"], input=lines,
                              capture_output=True, text=True, timeout=90, check=False)
