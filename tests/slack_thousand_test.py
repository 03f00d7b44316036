"""A thousand hostile values through forms, gate and Slack process, and read back from what was
sent to Slack: each stands in its prompt byte for byte, and nothing of them is markup, leads
anywhere, calls anybody or hides. Everything is real but Slack and the one server."""

import json
import random
import re

import tap
from doubles import emulator
from doubles.slack_front import APP, TEAM
from slack import blocks
from slack_blocks_test import hostile, preformatted, unescape
from slack_forms_rig import OddSuite, tool

VALUES, OF_A_CALL, DECIDED = 1000, 10, 5
UNITS = 3000            # of what one input of Slack's holds
NAMES = [f"v{i}" for i in range(OF_A_CALL)]
TOOLS = [tool("say", {n: {"type": "string"} for n in NAMES})]


def values(count):
    """Such as a person can type: not empty, not longer than an input."""
    random_ = random.Random(11)
    made = []
    while len(made) < count:
        one = hostile(random_)
        while len(one.encode("utf-16-le")) > 2 * UNITS:
            one = one[:-1]
        if one:
            made.append(one)
    return made


def shown(messages, name):
    """The value below its name; the first such line is the argument's."""
    lines = preformatted(messages)
    for i, line in enumerate(lines):
        if line == name and i + 1 < len(lines) and lines[i + 1].startswith('  "'):
            return unescape(lines[i + 1][3:-1])
    return None


def reviewed(rig, prompt):
    """Every page of its review, as it was sent."""
    before = len(rig.slack.find("views.open"))
    rig.press(prompt, "review", rig.alice)
    call = rig.slack.wait_call("views.open", before + 1)
    view_id, pages = call.answer["view"]["id"], [call.arguments["view"]]
    while True:
        found = blocks.buttons(pages[-1])
        if "wingman.page.next" not in found:
            return pages, found
        button = next(e for b in pages[-1]["blocks"] for e in b.get("elements", [])
                      if e.get("action_id") == "wingman.page.next")
        before = len(rig.slack.find("views.update"))
        rig.interact({"type": "block_actions", "user": {"id": rig.alice, "team_id": TEAM},
                      "trigger_id": rig.slack.trigger(rig.alice),
                      "container": {"type": "view", "view_id": view_id},
                      "view": {**pages[-1], "id": view_id, "app_id": APP},
                      "actions": [{**button, "block_id": "b", "action_ts": "1.1"}]})
        call = rig.slack.wait(lambda s, n=before: next(
            (c for c in s.find("views.update")[n:] if c.arguments["view_id"] == view_id), None))
        pages.append(call.arguments["view"])


def propose(rig, given):
    """A form filled in with these; the prompt that comes of it."""
    waiting = set(rig.open())
    form = rig.run("odd.say", rig.alice)
    answer = rig.send_view(form, rig.state(form, **given))
    assert answer["response_action"] == "update", answer
    new = rig.slack.wait(lambda _: next((a for a in rig.open() if a not in waiting), None))
    return rig.stands(rig.message(lambda c: "wingman.deny" in blocks.buttons(
        c.arguments.get("blocks")) and new in json.dumps(c.arguments["blocks"])))


def test_a_thousand(rig):
    made, wrong, in_review, unfinished = values(VALUES), [], 0, []
    calls = [dict(zip(NAMES, made[at:at + OF_A_CALL])) for at in range(0, VALUES, OF_A_CALL)]
    prompts = [propose(rig, given) for given in calls]
    for at, (given, prompt) in enumerate(zip(calls, prompts)):
        if "wingman.approve" in prompt.buttons:
            drawn = [{"blocks": prompt.blocks}]
        else:
            drawn, found = reviewed(rig, prompt)
            in_review += 1
            if "wingman.approve" not in found:
                unfinished.append(prompt.id)
        wrong += [f"{at} {n}: {v[:60]!r} is {shown(drawn, n)!r:.80}" for n, v in given.items()
                  if shown(drawn, n) != v]
        if rig.arguments(prompt.id) != given:
            wrong.append(f"{at}: the gate has other arguments")
        if at < DECIDED:
            rig.press(prompt, "deny", rig.bob)
            rig.wait_text(prompt, "denied by bob")
        elif at < 6 * DECIDED and "wingman.approve" in prompt.buttons:
            rig.press(prompt, "approve", rig.bob)
            rig.wait_text(prompt, "This is over")
    tap.equal(f"{VALUES} values stand in what was sent to Slack, byte for byte", wrong[:8], [])
    tap.ok("those that fit no message on the pages of a review", in_review > 0, in_review)
    tap.equal("the last page of which, and no other, approves", unfinished, [])


def test_what_was_sent(rig):
    calls = [(c.method, c.arguments) for c in rig.slack.calls
             if "blocks" in c.arguments or "view" in c.arguments]
    faults = [f for _, a in calls for f in blocks.check_promises(
        [a.get("blocks"), a.get("view")], users=(rig.alice, rig.bob), hosts=("acme.slack.com",),
        channels=(rig.channel,))]
    tap.equal(f"none of {len(calls)} messages and views has markup, a link, a ping, or hides",
              faults[:8], [])
    texts = [a["text"] for _, a in calls if "text" in a]
    tap.equal("and what phones show before they are unlocked has nothing of them",
              sorted({re.sub(r"\d+", "0", t) for t in texts if re.search("[<>&*~`@#|]", t)}), [])
    pressed = {n for _, a in calls for n in blocks.buttons([a.get("blocks"), a.get("view")])}
    tap.equal("what can be pressed is ours", sorted(n for n in pressed if not n.startswith("wingman.")
                                                    and n not in ("v", "why")), [])


def test_back_in_the_form(rig):
    """Somebody's words are in the form again: to be edited, and as they were."""
    made = values(60)[50:]
    given = dict(zip(NAMES, made))
    form = rig.run("odd.say", rig.alice)
    state = rig.state(form, **{**given, NAMES[0]: "x" * (UNITS + 1)})
    errors = rig.next(form, state)["errors"]
    tap.ok("one unit more than an input holds is said at its field", list(errors.values()) ==
           ["is too long to be entered here"], errors)
    rig.send_view(form, rig.state(form, **{**given, NAMES[0]: "y" * UNITS}))
    prompt = rig.prompt("y" * 100)
    tap.equal("what it holds is taken whole", rig.arguments(prompt.id)[NAMES[0]], "y" * UNITS)


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("a thousand hostile values", emulator.WHY)
    else:
        OddSuite(TOOLS).test([test_a_thousand, test_back_in_the_form, test_what_was_sent])
    tap.done()
