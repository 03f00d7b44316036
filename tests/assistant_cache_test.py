"""What providers may keep of one request for the next: tools, the house's notes and the
conversation so far come again to the byte, in front of whatever is new. Requests of a real worker
through a real egress, recorded one after the other, over each wire.
"""

import json
import os
import tempfile

import assistant_generated_test as generated
import assistant_hostile_test as wires
import tap
from assistant_rig import TOOLS, Egress, Surface, Worker, turn_message

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
        return tools + [messages[0].split("## Now")[0]], messages[1:]
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

    def notes(day):
        return NOTES + [{"name": "Now", "text": f"It is {day}.", "changes": True}]

    found = []
    server = generated.Provider(says)
    try:
        with tempfile.TemporaryDirectory(prefix="wingman-cache-") as folder:
            config = {"provider": provider, "model": "m", "key": "env:K", "url": server.url + wires.PATHS[provider]}
            with Egress(folder, config, env={"K": "k"}) as egress:
                told = [SAID,
                        {"kind": "proposed", "together": False, "calls": [
                            {"tool": "people.find_person", "arguments": {"query": "ava", "z": 1, "a": 2.5}}],
                         "results": [{"status": "pending"}]},
                        {"kind": "answered", "text": "Ava is in the team."}, {**SAID, "text": "and john?"}]
                for conversation, day, who in ((told[:1], "Monday", "alice"), (told, "Monday", "alice"),
                                               (told, "Tuesday", "bob")):
                    answers[:] = [{"text": "", "tool_calls": [CALL]}] if len(conversation) == 1 else []
                    del bodies[:]
                    # A process of its own, as each turn has.
                    with Worker(provider, max_output=1000) as worker:
                        Surface(worker, egress).run(turn_message(
                            "", conversation=conversation, system=notes(day), tools=TOOLS,
                            who={"asker": {"person": f"{who}@example.test"}}))
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
    kept = len(os.path.commonprefix(["".join(after), "".join(later)]))
    tap.ok(f"{provider}: and in the next turn, what people said", later[:len(before)] == before, later)
    tap.note(f"{provider}: {kept} of {len(''.join(after))} bytes of the turn before come again as they were")
    if provider == "openai":
        both = os.path.commonprefix([second[0], third[0]])
        tap.ok("openai: the bytes of two bodies part only where the day does", both.endswith("It is "), both[-80:])
    else:
        mark = "cachePoint" if provider == "bedrock" else "cache_control"
        counts = [body.count(mark) for body in first + second + third]
        tap.ok(f"{provider}: two marks, on the notes and on the end", all(1 < c <= 4 for c in counts) and
               is_mark(array(first[0], "messages")[-1]), counts)


def test_oracle():
    a = '{"tools":[{"n":1},{"n":2}],"system":[{"t":"x","cache_control":{"type":"ephemeral"}},{"t":"y"}],"messages":[{"m":1}]}'
    tap.equal("pieces as they stand", pieces("anthropic", a), (['{"n":1}', '{"n":2}', '{"t":"x"}'], ['{"m":1}']))
    tap.ok("another order of members is another piece",
           pieces("anthropic", a.replace('{"n":1}', '{"n": 1}')) != pieces("anthropic", a))


if __name__ == "__main__":
    tap.run([test_oracle] + [lambda p=p: test_provider(p) for p in wires.PROVIDERS])
    tap.done()
