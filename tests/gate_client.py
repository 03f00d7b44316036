"""A person's side of the gate: frames of run/gate.sock, as gate/messages.h has them.

    gate = GateClient(folder + "/run/gate.sock")
    approval = gate.propose("fixture.put_value", key="a", value="b")
    gate.wait(approval, "pending")
    gate.approve(approval)
    record = gate.wait(approval, "succeeded")
"""

import hashlib
import json
import socket
import struct
import time


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.message = error.get("message", "")
        self.error = error


class GateClient:
    def __init__(self, path, timeout_s=30):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.last_id = 0
        self.events = []

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- frames ---

    def send_bytes(self, data):
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def _read(self, count):
        data = b""
        while len(data) < count:
            some = self.socket.recv(count - len(data))
            if not some:
                raise ConnectionError("the gate closed the connection")
            data += some
        return data

    def receive(self):
        (length,) = struct.unpack(">I", self._read(4))
        return json.loads(self._read(length))

    def ask(self, m, **members):
        """The reply, or Refused. Events that come meanwhile are kept in 'events'."""
        self.last_id += 1
        self.send_bytes(json.dumps({"m": m, "id": self.last_id, **members}).encode())
        while True:
            reply = self.receive()
            if reply["m"] in ("event", "notice"):
                self.events.append(reply)
                continue
            assert reply["m"] == "reply" and reply["id"] == self.last_id, reply
            if not reply["ok"]:
                raise Refused(reply["error"])
            return reply

    # --- what people do ---

    def hello(self):
        return self.ask("hello", v=4)

    def propose(self, tool, **arguments):
        return self.ask("propose", tool=tool, arguments=arguments)["approval"]

    def show(self, approval):
        return self.ask("show", approval=approval)["record"]

    def state(self, approval):
        return self.show(approval)["state"]

    def wait(self, approval, *states, timeout_s=20):
        """The record once it is in one of these states; fails when it ends in another."""
        deadline = time.monotonic() + timeout_s
        while True:
            record = self.show(approval)
            if record["state"] in states:
                return record
            if time.monotonic() > deadline or "ended_at" in record:
                raise AssertionError(f"wanted {states}, it is {record['state']}: "
                                     f"{json.dumps(record.get('outcome'))} "
                                     f"{json.dumps(record.get('history'))}")
            time.sleep(0.05)

    def decide(self, approval, decision, shown=None, **more):
        if shown is None:
            shown = self.show(approval).get("shown", "0" * 64)
        return self.ask("decide", approval=approval, decision=decision, shown=shown, **more)

    def approve(self, approval, **more):
        """Read first, as the gate wants it; then say yes."""
        record = self.wait(approval, "pending")
        left = record["posted_at"] / 1000 + 1.05 - time.time()
        if left > 0:
            time.sleep(left)
        return self.decide(approval, "approve", record["shown"], **more)

    def deny(self, approval, **more):
        record = self.wait(approval, "pending")
        left = record["posted_at"] / 1000 + 1.05 - time.time()
        if left > 0:
            time.sleep(left)
        return self.decide(approval, "deny", record["shown"], **more)


def canonical_digest(value):
    """Good enough for what prompts of tests hold: no fractions, only names in ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
