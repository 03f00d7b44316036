"""What providers may keep of one request for the next: tools, the house's notes and the
conversation so far come again to the byte, in front of whatever is new. Requests of a real worker
through a real egress, recorded one after the other, over each wire; then a whole conversation of
'wingman chat', with a read, a proposal and its end.
"""

import json
import os
import tempfile

import assistant_generated_test as generated
import assistant_hostile_test as wires
import tap
from assistant_rig import TOOLS, Egress, Surface, Worker, turn_message
from suite import Suite

PEOPLE = {"kind": "people", "text": '{"asker":{"person":"alice@example.test"}}'}
SAID = {"kind": "said", "by": "alice@example.test", "asker": True, "text": "who is ava? \u00fc \U0001f600"}
NOTES = [{"name": "Team", "text": "We are the blue team. " * 40}]
CALL = {"id": "c1", "name": "people__find_person", "raw": '{"query":"ava","z":1,"a":2.50}'}
WRITE = {"anthropic": wires.anthropic, "openai": wires.openai, "bedrock": wires.bedrock}


def elements(body, at):
    """The elements of the array that begins at 'at', as they stand there."""
    decoder, found = json.JSONDecoder(), []
    assert body[at] == "["
    at += 1
    while body[at] != "]":
        _, end = decoder.raw_decode(body, at)
        found.append(body[at:end])
        at = end + (body[end] == ",")
    return found


def array(body, name):
    key = f'"{name}":['
    return elements(body, body.index(key) + len(key) - 1) if key in body else []


def is_mark(piece):
    return "cache_control" in piece or "cachePoint" in piece


def bare(piece):
    """Without marks, which move: they are no part of what is kept."""
    return piece.replace(',"cache_control":{"type":"ephemeral"}', "").replace(',{"cachePoint":{"type":"default"}}', "")


def pieces(provider, body):
    """(what stands before the first mark and never changes, the messages)"""
    tools, messages = array(body, "tools"), [bare(m) for m in array(body, "messages")]
    if provider == "openai":
        return tools + [messages[0]], messages[1:]
    system = array(body, "system")
    first = next(i for i, block in enumerate(system) if is_mark(block))
    return tools + [bare(block) for block in system[:first + 1]], messages


def record(provider):
    """[(turn, its requests' bodies)]: the second goes on from the first, the third is on
    another day for somebody else."""
    bodies, answers = [], []

    def says(body):
        bodies.append(body.decode())
        turn = answers.pop(0) if answers else {"text": "Ava is in the team.", "tool_calls": []}
        return (*WRITE[provider](turn), generated.sizes(None, ""))

    found = []
    server = generated.Provider(says)
    try:
        with tempfile.TemporaryDirectory(prefix="wingman-cache-") as folder:
            config = {"provider": provider, "model": "m", "key": "env:K", "url": server.url + wires.PATHS[provider]}
            with Egress(folder, config, env={"K": "k"}) as egress:
                told = [{"kind": "now"}, SAID, PEOPLE,
                        {"kind": "proposed", "together": False, "calls": [
                            {"tool": "people.find_person", "arguments": {"query": "ava", "z": 1, "a": 2.5}}],
                         "results": [{"status": "pending"}]},
                        {"kind": "answered", "text": "Ava is in the team."}, {"kind": "now"},
                        {"kind": "ended", "of": 2, "results": [{"status": "denied"}]},
                        {**SAID, "text": "and john?"}]
                for conversation, day, who in ((told[:3], None, {}), (told[1:], None, {}),
                                               (told[1:], "Tuesday", {"asker": {"person": "bob@example.test"}})):
                    answers[:] = [{"text": "", "tool_calls": [CALL]}] if len(conversation) == 3 else []
                    del bodies[:]
                    # A process of its own, as each turn has.
                    with Worker(provider, max_output=1000) as worker:
                        Surface(worker, egress).run(turn_message(
                            "", conversation=conversation, tools=TOOLS, who=who, system=NOTES + (
                                [{"name": "Now", "text": f"It is {day}.", "changes": True}] if day else [])))
                    found.append(list(bodies))
    finally:
        server.close()
    return found


def test_provider(provider):
    first, second, third = record(provider)
    tap.equal(f"{provider}: as many requests", [len(first), len(second), len(third)], [2, 1, 1])
    stable = [pieces(provider, body)[0] for body in first + second + third]
    tap.ok(f"{provider}: tools and notes are the same to the byte, whoever asks, whenever, in any process",
           all(s == stable[0] for s in stable) and len(stable[0]) > len(TOOLS)
           and "blue team" in "".join(stable[0]), stable)
    _, before = pieces(provider, first[0])
    _, after = pieces(provider, first[1])
    tap.ok(f"{provider}: within a turn all that was said comes again in front", len(after) > len(before)
           and after[:len(before)] == before, (before, after))
    _, later = pieces(provider, second[0])
    tap.ok(f"{provider}: and so does all of it in the next turn, from the record", later[:len(after)] == after,
           (after, later))
    tap.ok(f"{provider}: how it ended stands behind that", "past_1 has ended" in "".join(later[len(after):]), later)
    _, other = pieces(provider, third[0])
    shared = len(os.path.commonprefix([later, other]))
    tap.ok(f"{provider}: what changes with the day stands behind the record", shared >= len(after)
           and "It is Tuesday" in "".join(other[shared:]), other)
    if provider != "openai":
        mark = "cachePoint" if provider == "bedrock" else "cache_control"
        counts = [body.count(mark) for body in first + second + third]
        tap.ok(f"{provider}: marks on the notes, before what is new, and on the end", all(1 < c <= 4 for c in counts) and
               counts[2] == 3 and is_mark(array(first[0], "messages")[-1]), counts)


# --- a whole conversation ---

READ = {"id": "r", "name": "read_context", "raw": '{"uri":"person://search?q=jane.roe"}'}
BLOCK = {"id": "b", "name": "accounts__block_account",
         "raw": '{"person":"jane.roe@example.test","reason":"lost laptop","systems":["ldap"]}'}
TURNS = [("who is @jane.roe?", [{"text": "I look.", "tool_calls": [READ]}, {"text": "Jane Roe.", "tool_calls": []}]),
         ("block her in ldap, lost laptop", [{"text": "I propose it.", "tool_calls": [BLOCK]},
                                             {"text": "It waits.", "tool_calls": []}]),
         (None, []),  # here it is decided
         ("and now?", [{"text": "It is denied.", "tool_calls": []}]),
         ("thank you", [{"text": "Gladly.", "tool_calls": []}])]


def test_conversation(provider):
    bodies, answers = [], []

    def says(body):
        bodies.append(body.decode())
        return (*WRITE[provider](answers.pop(0)), generated.sizes(None, ""))

    server = generated.Provider(says)
    suite = Suite()
    try:
        suite.start()
        with open(os.open(suite.path("keys", "model"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write("sk-0123456789")
        with open(suite.path("config", "assistant.yaml"), "w", encoding="utf-8") as f:
            json.dump({"provider": provider, "model": "m", "key": "keys/model", "url": server.url + wires.PATHS[provider],
                       **({"region": "eu-central-1"} if provider == "bedrock" else {})}, f)
        for words, turn in TURNS:
            if words is None:
                for waiting in suite.json("approvals", "list"):
                    suite.wingman("approvals", "deny", waiting["id"], "--reason", "no")
                continue
            answers[:] = turn
            said = suite.wingman("chat", words)
            tap.ok(f"{provider}: '{words}' is answered", said.returncode == 0 and not answers, said)
        tap.equal(f"{provider}: as many requests", len(bodies), 6)
        for n, (before, after) in enumerate(zip(bodies, bodies[1:])):
            stable, messages = pieces(provider, before)
            again, more = pieces(provider, after)
            tap.ok(f"{provider}: all of request {n + 1} comes again in the next", again == stable
                   and more[:len(messages)] == messages and len(more) > len(messages),
                   (os.path.commonprefix([messages, more])[-1:], messages[-2:], more[len(messages) - 2:]))
        tap.ok(f"{provider}: the end is told", "has ended" in bodies[-1] and "denied" in bodies[-1], bodies[-1][-3000:])
    finally:
        server.close()
        suite.done()


def test_oracle():
    a = '{"tools":[{"n":1},{"n":2}],"system":[{"t":"x","cache_control":{"type":"ephemeral"}},{"t":"y"}],"messages":[{"m":1}]}'
    tap.equal("pieces as they stand", pieces("anthropic", a), (['{"n":1}', '{"n":2}', '{"t":"x"}'], ['{"m":1}']))
    tap.ok("another order of members is another piece",
           pieces("anthropic", a.replace('{"n":1}', '{"n": 1}')) != pieces("anthropic", a))


if __name__ == "__main__":
    tap.run([test_oracle] + [lambda p=p: test_provider(p) for p in wires.PROVIDERS] +
            [lambda p=p: test_conversation(p) for p in wires.PROVIDERS])
    tap.done()
