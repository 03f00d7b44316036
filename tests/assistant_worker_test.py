"""wingman-assistant as a process: what ends it, what does not, and what it is left with."""

import base64
import json
import os
import struct

import tap
from assistant_rig import BUILD, Child, Worker, turn_message

BEGIN = {"m": "begin", "v": 2, "provider": "openai", "model": "m", "max_output": 100}
PROGRAM = os.path.join(BUILD, "bin", "wingman-assistant")


def frame(message):
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(data)) + data


def test_malformed_messages_end_it():
    turn = turn_message("hi")
    rows = [
        ("no frame", False, b"\xff\xff\xff\xff"),
        ("too long a frame", False, struct.pack(">I", 4 * 1024 * 1024 + 1)),
        ("no JSON", False, frame(b"{]")),
        ("a NUL", False, frame(b'{"m":"stop\\u0000"}')),
        ("another version", False, frame({**BEGIN, "v": 1})),
        ("another provider", False, frame({**BEGIN, "provider": "x"})),
        ("a key", False, frame({**BEGIN, "key": "sk"})),
        ("a turn first", False, frame(turn)),
        ("a second begin", True, frame(BEGIN)),
        ("a turn with a member too many", True, frame({**turn, "approver": "alice"})),
        ("a turn without limits", True, frame({k: v for k, v in turn.items() if k != "limits"})),
        ("a turn with a limit too high", True,
         frame(turn_message("hi", seconds=3601))),
        ("an entry of no kind", True, frame({**turn, "conversation": [{"kind": "x"}]})),
        ("a tool twice", True, frame({**turn, "tools": turn["tools"] * 2})),
        ("what is for the egress", True, frame({"m": "drop", "request": 1})),
        ("its own message", True, frame({"m": "done", "why": "end", "usage": {}})),
        ("a turn within a turn", True, frame(turn) + frame(turn)),
        ("an answer to nothing", True, frame(turn) + frame(
            {"m": "status", "request": 7, "status": 200})),
        ("an answer that is no base64", True, frame(turn) + frame(
            {"m": "status", "request": 1, "status": 200}) + frame(
                {"m": "chunk", "request": 1, "data": "*"})),
    ]
    for name, begun, data in rows:
        worker = Child([PROGRAM])
        if begun:
            worker.send(BEGIN)
            worker.expect("ready")
        worker.send_bytes(data)
        tap.equal(f"ends it: {name}", worker.ended(), 1)
        worker.socket.close()
        tap.ok("and its log has one line of why", worker.log.count(b"\n") == 1
               and b"assistant.ended" in worker.log, worker.log)


def test_peace():
    with Worker("openai") as worker:
        worker.send({"m": "stop"})
        tap.equal("stopped while idle", worker.expect("failed")["code"], "stopped")
        worker.send(turn_message("hi", seconds=1))
        worker.expect("request")
        tap.equal("a turn ends with its time, by itself", worker.expect("failed")["code"],
                  "limit_time")
        worker.send({"m": "ended", "request": 1})
        worker.send(turn_message("hi"))
        tap.equal("and the next begins anew", worker.expect("request")["request"], 1)
        worker.send({"m": "stop"})
        tap.equal("a turn that is stopped", worker.expect("failed")["code"], "stopped")
    tap.equal("a surface that leaves ends it in peace", worker.process.returncode, 0)


def test_a_model_that_sends_whatever_it_likes():
    """None of it ends the worker: a model is no peer of ours, and its faults are its own."""
    def chunk(data):
        return {"m": "chunk", "request": 1, "data": base64.b64encode(data).decode()}

    answers = {
        "no JSON": b"data: {\n\n",
        "bytes that are no text": b"data: \xff\xfe\n\n",
        "an array": b"data: []\n\n",
        "depth": b"data: " + b"[" * 5000 + b"\n\n",
        "a line without an end": b"data: " + b"x" * 40000,
        "a text of another type": b'data: {"choices":[{"delta":{"content":7}}]}\n\n',
        "calls that are none": b'data: {"choices":[{"delta":{"tool_calls":[7]}}]}\n\n',
        "a long name": b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"'
                       + b"n" * 200 + b'"}}]}}]}\n\n',
    }
    for name, data in answers.items():
        with Worker("openai") as worker:
            worker.send(turn_message("hi"))
            worker.expect("request")
            worker.send({"m": "status", "request": 1, "status": 200,
                         "type": "text/event-stream"})
            worker.send(chunk(data))
            worker.send({"m": "ended", "request": 1})
            end = worker.receive()
            tap.equal(f"its fault: {name}", (end["m"], end.get("code")),
                      ("failed", "model_broken"))
        tap.equal("and the worker lives", worker.process.returncode, 0)


if __name__ == "__main__":
    tap.run([test_malformed_messages_end_it, test_peace,
             test_a_model_that_sends_whatever_it_likes])
    tap.done()
