#!/usr/bin/env python3
"""The newcomer's first five minutes, played in a pseudo-terminal and printed.

usage: demo.py [--dir DIR] [--build BUILD]

Plays against the suite that runs in DIR; where none runs, and in a folder of its
own without --dir, one is started for the length of the demonstration and stopped
again. Everything printed is what
the programs said; nothing is written down beforehand. Exits 1 when a step does
not end as it must.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import pexpect

PERSON = "john.doe@example.test"
PERSON_DN = "uid=john.doe,ou=people,{base}"
PASSWORD = "pw-john.doe"
STEP_TIMEOUT_S = 60


class Demo:
    def __init__(self, build, folder):
        self.wingman = os.path.join(build, "bin", "wingman")
        self.folder = folder
        self.env = dict(os.environ, TERM="xterm", NO_COLOR="1", WINGMAN_DIR=folder,
                        PATH=os.path.join(build, "bin") + ":" + os.environ.get("PATH", "/usr/bin:/bin"))
        self.suite = None
        self.ready = None

    # --- the suite ---------------------------------------------------------------

    def start(self):
        state = os.path.join(self.folder, "run", "suite.json")
        if self.status() == 0:
            with open(state, encoding="utf-8") as f:
                self.ready = json.load(f)
            return
        self.say("(no suite runs in this folder: starting one for the demonstration)")
        self.suite = subprocess.Popen([self.wingman, "--dir", self.folder, "up", "--no-console"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.suite.stdout.readline()
        if not line:
            sys.exit("the suite did not start; see its messages above")
        self.ready = json.loads(line)

    def status(self):
        return subprocess.run([self.wingman, "--dir", self.folder, "status"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode

    def stop(self):
        if self.suite:
            self.suite.terminate()
            self.suite.wait(timeout=30)

    # --- the transcript ------------------------------------------------------------

    @staticmethod
    def say(text):
        print(text, flush=True)

    def run(self, command, expect_status=0, answer=None):
        """Run 'command' in a pseudo-terminal; 'answer' is typed when the prompt asks."""
        self.say("\n$ " + command)
        child = pexpect.spawn("/bin/sh", ["-c", command], env=self.env, encoding="utf-8",
                              dimensions=(50, 100), timeout=STEP_TIMEOUT_S)
        output = ""
        if answer:
            child.expect(r"Type '(approve [0-9a-f]{4})'[^:]*: ")
            output += child.before + child.after
            child.sendline(child.match.group(1) if answer == "approve" else answer)
        child.expect(pexpect.EOF)
        output += child.before
        child.close()
        self.say(output.replace("\r\n", "\n").rstrip("\n"))
        if child.exitstatus != expect_status:
            self.stop()
            sys.exit(f"demo: '{command}' ended with {child.exitstatus}, expected {expect_status}")
        return output

    def bind(self, works):
        dn = PERSON_DN.format(base=self.ready["directory"]["base"])
        self.run(f"ldapwhoami -x -H {self.ready['directory']['url']} -D '{dn}' -w {PASSWORD}",
                 expect_status=0 if works else 49)

    def play(self):
        self.say("# What is there, and what does it do?")
        self.run("wingman tools")
        self.run("wingman docs accounts.block_account")
        self.say("\n# John Doe can sign in to the directory.")
        self.bind(works=True)
        self.say("\n# Block him. Nothing happens before the exact call has been read and approved.")
        arguments = json.dumps({"person": PERSON, "reason": "Phished; credentials seen in a dump"})
        output = self.run(f"wingman call accounts.block_account --args '{arguments}'", answer="approve")
        self.say("\n# Now he cannot.")
        self.bind(works=False)
        self.run("wingman call accounts.list_blocked_accounts", answer="approve")
        self.say("\n# Everything can be undone, by the same rule.")
        arguments = json.dumps({"person": PERSON, "reason": "Password changed, account clean"})
        self.run(f"wingman call accounts.unblock_account --args '{arguments}'", answer="approve")
        self.bind(works=True)
        self.say("\n# Who did what, and can the record be trusted?")
        approval = re.search(r"approval +(\S+)", output)
        if approval:
            self.run(f"wingman audit show {approval.group(1)}")
        self.run("wingman audit verify")


def main():
    parser = argparse.ArgumentParser(description="the newcomer's first five minutes")
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--build", default=os.path.join(root, "build"))
    parser.add_argument("--dir", help="the suite's folder; left out, a new one in build/demo")
    options = parser.parse_args()
    folder = options.dir
    if not folder:
        folder = os.path.join(root, "build", "demo")
        shutil.rmtree(folder, ignore_errors=True)
    demo = Demo(os.path.abspath(options.build), os.path.abspath(folder))
    demo.start()
    try:
        demo.play()
    finally:
        demo.stop()


if __name__ == "__main__":
    main()
