"""A program in the place of wingman-assistant that plays a script; see chat_rig.py.

It has descriptor 3 and an empty environment, as the real one. Beside it lies script.json:
[turn], each a list of steps, one turn a process; 'next' counts them, 'seen.jsonl' keeps
what it was told. A step is
  ["say", text] ["propose", [[tool, arguments]...]] ["read", uri] ["done"]
  ["await", name]      wait for a message of that name
  ["send", message]    as it stands      ["bytes", text]   no frame at all
  ["flood", message, n]                  ["hang"]          until it is killed
  ["try"]              what a sandbox should refuse; the answers go to seen.jsonl
"""

import json
import os
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
USAGE = {"input": 10, "output": 5, "cache_read": 0, "cache_write": 0, "requests": 1}


class Worker:
    def __init__(self):
        self.socket = socket.socket(fileno=3)
        self.proposal = self.reading = 0
        self.got = []

    def keep(self, **what):
        with open(os.path.join(HERE, "seen.jsonl"), "a", encoding="utf-8") as f:
            f.write(json.dumps(what) + "\n")

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                sys.exit(0)
            data += more
        return data

    def receive(self):
        message = json.loads(self.exactly(struct.unpack(">I", self.exactly(4))[0]))
        self.keep(got=message)
        return message

    def send(self, message):
        data = json.dumps(message).encode()
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def wait(self, name):
        for i, message in enumerate(self.got):
            if message["m"] == name:
                return self.got.pop(i)
        while True:
            message = self.receive()
            if message["m"] == name:
                return message
            self.got.append(message)

    def step(self, name, *rest):
        if name == "say":
            self.send({"m": "say", "text": rest[0], "final": True})
        elif name == "propose":
            self.proposal += 1
            calls = [{"tool": t, "arguments": a} for t, a in rest[0]]
            self.send({"m": "propose", "proposal": self.proposal, "calls": calls,
                       "together": len(calls) > 1})
        elif name == "read":
            self.reading += 1
            self.send({"m": "read", "read": self.reading, "uri": rest[0]})
        elif name == "await":
            self.wait(rest[0])
        elif name == "done":
            self.send({"m": "done", "why": "end", "usage": USAGE})
        elif name == "send":
            self.send(rest[0])
        elif name == "bytes":
            self.socket.sendall(rest[0].encode("latin-1"))
        elif name == "flood":
            try:
                for _ in range(rest[1]):
                    self.send(rest[0])
            except OSError as e:
                self.keep(flood=str(e))
                sys.exit(0)
        elif name == "hang":
            time.sleep(600)
        elif name == "look":
            self.keep(env=dict(os.environ), fds=sorted(os.listdir("/proc/self/fd"), key=int),
                      argv=sys.argv[1:])

    def run(self):
        number = os.path.join(HERE, "next")
        at = int(open(number, encoding="ascii").read()) if os.path.exists(number) else 0
        with open(number, "w", encoding="ascii") as f:
            f.write(str(at + 1))
        with open(os.path.join(HERE, "script.json"), encoding="utf-8") as f:
            turns = json.load(f)
        steps = turns[at] if at < len(turns) else [["say", "the script is over"], ["done"]]
        if steps and steps[0] == ["early"]:
            steps = steps[1:]
        else:
            self.wait("begin")
            self.send({"m": "ready", "v": 2})
            self.wait("turn")
        for step in steps:
            self.step(*step)
        while True:
            self.receive()


Worker().run()
