"""A crowd of clients of the handshake revisions at one server: each does everything that a
session offers, in an order of its own, and nobody's answer is lost or another's.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import threading

import tap

SERVER = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "conformance-server")
CLIENTS, SESSIONS, STEPS = 8, 6, 6
PATIENCE_S = 60
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
TYPES = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


class Stream:
    """A reply, message by message."""

    def __init__(self, server, verb, path, headers, body=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        self.connection.request(verb, path, None if body is None else json.dumps(body), headers)
        self.reply = self.connection.getresponse()
        self.last_id = None

    def messages(self):
        """All of them, until the reply ends."""
        if "event-stream" not in (self.reply.getheader("Content-Type") or ""):
            text = self.reply.read()
            if text:
                yield json.loads(text)
            return
        kind = "message"
        for line in self.reply:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                self.last_id = value
            elif name == "data" and value:
                yield value if kind == "endpoint" else json.loads(value)

    def close(self):
        self.connection.close()


class Session:
    """Over Streamable HTTP, or over HTTP+SSE, where everything comes on one stream."""

    def __init__(self, server, revision, is_sse):
        self.server, self.is_sse, self.last = server, is_sse, 0
        self.headers, self.path, self.stream = dict(TYPES), "/mcp", None
        params = {"protocolVersion": revision, "clientInfo": {"name": "crowd", "version": "1"},
                  "capabilities": {"sampling": {}, "elicitation": {}, "roots": {}}}
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        if is_sse:
            self.stream = Stream(server, "GET", "/sse", {"Accept": "text/event-stream"})
            # What others change is told here, too.
            self.coming = (m for m in self.stream.messages() if "list_changed" not in str(m))
            self.path = next(self.coming)
            self.post(message)
            answer = next(self.coming)
        else:
            reply = self.open(message)
            self.headers["Mcp-Session-Id"] = reply.reply.getheader("Mcp-Session-Id")
            answer = next(reply.messages())
        assert answer["result"]["protocolVersion"] == revision, answer

    def open(self, body, verb="POST", headers=None):
        return Stream(self.server, verb, self.path, {**self.headers, **(headers or {})}, body)

    def post(self, body):
        """What has no answer of its own: its status."""
        reply = self.open(body)
        reply.reply.read()
        reply.close()
        return reply.reply.status

    def call(self, name, arguments=None):
        """The number of the call, its stream, and what comes on that."""
        self.last += 1
        params = {"name": name, "arguments": arguments or {},
                  "_meta": {"progressToken": self.last}}
        body = {"jsonrpc": "2.0", "id": self.last, "method": "tools/call", "params": params}
        if self.is_sse:
            self.post(body)
            return self.last, self.stream, self.coming
        stream = self.open(body)
        return self.last, stream, stream.messages()

    def answer(self, question, **what):
        self.post({"jsonrpc": "2.0", "id": question["id"], **what})

    def end(self):
        if self.is_sse:
            self.stream.close()
        else:
            self.open(None, "DELETE").close()


def response_of(number, messages):
    """The response to a call; all before it are of the same session, and no other's answer."""
    for message in messages:
        if "method" not in message:
            assert message["id"] == number, (number, message)
            return message
    return None


def text_of(message):
    return message["result"]["content"][0]["text"]


def sampled(text):
    return {"role": "assistant", "model": "m", "content": {"type": "text", "text": text}}


# ---- What a client may do; each asserts what must come of it ----

def ask(s, dice):
    """A question, answered: sometimes badly first, and it is put again."""
    word = f"word {dice.random()}"
    number, stream, messages = s.call("test_sampling", {"prompt": word})
    question = next(messages)
    assert question["params"]["messages"][0]["content"]["text"] == word, question
    if dice.random() < 0.3:
        s.answer(question, result={"odd": True})
        question = next(messages)
    s.answer(question, result=sampled(word))
    assert text_of(response_of(number, messages)) == "LLM response: " + word
    if not s.is_sse:
        stream.close()


def refuse(s, _dice):
    number, _, messages = s.call("test_sampling", {"prompt": "no"})
    s.answer(next(messages), error={"code": -1, "message": "no"})
    assert response_of(number, messages)["result"]["isError"] is True


def progress(s, _dice):
    number, _, messages = s.call("test_tool_with_progress")
    seen = []
    for message in messages:
        if message.get("method") == "notifications/progress":
            assert message["params"]["progressToken"] == number, message
            seen.append(message["params"]["progress"])
        elif "method" not in message:
            assert message["id"] == number and message["result"], message
            break
    assert seen == [0, 50, 100], seen


def cancel(s, _dice):
    """Of a call that waits: its question is withdrawn, and there is no response."""
    number, _, messages = s.call("test_sampling", {"prompt": "never"})
    question = next(messages)
    assert s.post({"jsonrpc": "2.0", "method": "notifications/cancelled",
                   "params": {"requestId": number}}) == 202
    for message in messages:
        if message.get("method") == "notifications/cancelled":
            assert message["params"]["requestId"] == question["id"], message
            break
    if not s.is_sse:
        assert response_of(number, messages) is None


def leave(s, dice):
    """The connection breaks behind the question; it is answered, and the rest read on."""
    if s.is_sse:
        return
    word = f"word {dice.random()}"
    number, stream, messages = s.call("test_sampling", {"prompt": word})
    question = next(messages)
    stream.close()
    s.answer(question, result=sampled(word))
    again = s.open(None, "GET", {"Accept": "text/event-stream", "Last-Event-ID": stream.last_id})
    assert again.reply.status == 200, again.reply.status
    assert text_of(response_of(number, again.messages())) == "LLM response: " + word
    again.close()


def change(s, _dice):
    """What changes is told on the standing stream."""
    if s.is_sse:
        return
    standing = s.open(None, "GET", {"Accept": "text/event-stream"})
    number, _, messages = s.call("test_trigger_tool_change")
    assert response_of(number, messages)["result"]
    for message in standing.messages():
        if message["method"] == "notifications/tools/list_changed":
            break
    standing.close()


STEPS_TO_TAKE = [ask, refuse, progress, cancel, leave, change]


class Server:
    def __enter__(self):
        self.process = subprocess.Popen([SERVER, "--port", "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(json.loads(self.process.stdout.readline())["url"].split(":")[2].split("/")[0])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(timeout=PATIENCE_S)
        self.process.stdout.close()


def be_a_client(server, number, failed):
    dice = random.Random(number)
    step = None
    try:
        for _ in range(SESSIONS):
            session = Session(server, dice.choice(REVISIONS), dice.random() < 0.3)
            for _ in range(STEPS):
                step = dice.choice(STEPS_TO_TAKE)
                step(session, dice)
            session.end()
    except Exception as error:  # of whatever kind: told by the thread that counts
        failed.append(f"client {number}, {step and step.__name__}: {error!r}")


def test_crowd():
    failed = []
    with Server() as server:
        crowd = [threading.Thread(target=be_a_client, args=(server, n, failed))
                 for n in range(CLIENTS)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        tap.ok("everybody got what they came for", not failed, "\n".join(failed))
        tap.ok("the server is there to the end", server.process.poll() is None)
    tap.ok("and ends well", server.status == 0, server.status)


if __name__ == "__main__":
    tap.run([test_crowd])
    tap.done()
