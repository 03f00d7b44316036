"""The Slack process from a command to a blocked account, with everything real but Slack, which
is npm's emulator behind a recorder."""

import json

import tap
from doubles import emulator
from slack_rig import SlackSuite

WHY = "Laptop stolen at the airport"


def test_run(rig):
    form = rig.run("accounts.block_account", rig.alice)
    tap.ok("the form asks for the arguments", "Person" in str(form["blocks"]) and
           form["submit"]["text"], form)
    tap.equal("the account is open", rig.suite.bind("john.doe"), 0)
    status, answer = rig.submit(form, person="john.doe@example.test", reason=WHY,
                                unblock="10m")
    tap.equal("what is sent in is taken", (status, answer["response_action"]), (200, "update"))
    prompt = rig.prompt("john.doe")
    tap.ok("the prompt shows the call", WHY in prompt.text and "wingman.approve" in prompt.buttons,
           prompt.text)
    tap.equal("in the conversation that it was asked for in", prompt.channel, rig.channel)
    tap.equal("and nothing happened", rig.suite.bind("john.doe"), 0)
    rig.press(prompt, "approve", rig.alice)
    rig.wait_text(prompt, "succeeded")
    tap.equal("the account is blocked", rig.suite.bind("john.doe") != 0, True)
    tap.ok("the message says who and what", "approved by alice@example.test" in prompt.text,
           prompt.text)
    tap.equal("and has no button", prompt.buttons, {})
    result = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts)
    tap.ok("what came out stands in the thread", "accounts.block_account" in
           result.text and "John Doe" in result.text, result.text)
    news = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts and
                       "ends soon" in str(c.arguments), timeout_s=60)
    tap.ok("and later what its server has to say", "accounts.block_account, later: " in news.text,
           news.text)
    done = rig.verify_audit()
    tap.equal("the logs verify", done.returncode, 0)


def test_pick(rig):
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="Alex Kim", reason=WHY)
    question = rig.message(lambda c: "Who is meant?" in str(c.arguments))
    tap.ok("two of one name: both are shown, each with a button",
           "alex.kim@example.test" in question.text and "alex.kim2@example.test" in question.text
           and sorted(question.buttons) == ["wingman.pick.1", "wingman.pick.2"], question.text)
    second = question.text.index("alex.kim2@") > question.text.index("alex.kim@")
    rig.interact(rig.press_payload(question, "pick.2", rig.bob))
    told = rig.message(lambda c: "not proposed" in str(c.arguments))
    tap.ok("who did not ask may not pick", "says who asked" in told.text, told.text)
    rig.interact({**rig.press_payload(question, "pick.2", rig.alice), "actions": [
        {**rig.press_payload(question, "pick.2", rig.alice)["actions"][0], "value":
         question.buttons["wingman.pick.2"]["value"].split()[0] + " 3"}]})
    told = rig.message(lambda c: "no such choice" in str(c.arguments))
    tap.equal("nor may somebody be picked who was not named", told.channel, question.channel)
    rig.interact(rig.press_payload(question, "pick.2", rig.alice))
    rig.wait_text(question, "This was picked")
    tap.equal("the question is answered, and has no button any more", question.buttons, {})
    prompt = rig.prompt("uid=alex.kim")
    meant, other = ("alex.kim2", "alex.kim,") if second else ("alex.kim,", "alex.kim2")
    tap.ok("what was picked, and nobody else, is in the prompt",
           f"uid={meant}" in prompt.text and f"uid={other}" not in prompt.text, prompt.text)
    rig.press(prompt, "approve", rig.alice)
    rig.wait_text(prompt, "succeeded")
    blocked = meant.strip(",")
    tap.equal("and is blocked, the other not",
              (rig.suite.bind(blocked) != 0, rig.suite.bind(other.strip(","))), (True, 0))


def users(value):
    """Everybody who is drawn as Slack shows people."""
    if isinstance(value, list):
        return [u for v in value for u in users(v)]
    if isinstance(value, dict):
        return [value["user_id"]] if value.get("type") == "user" else users(list(value.values()))
    return []


def test_people(rig):
    """Who blocked an account is a person of the team: named by a change of the message, which
    notifies nobody."""
    rig.submit(rig.run("accounts.list_blocked_accounts", rig.bob))
    prompt = rig.prompt("list_blocked_accounts")
    rig.press(prompt, "approve", rig.bob)
    rig.wait_text(prompt, "succeeded")
    result = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts)
    rig.slack.wait(lambda s: s.find("chat.update", ts=result.ts))
    post = next(c for c in rig.slack.find("chat.postMessage") if c.answer.get("ts") == result.ts)
    tap.equal("what was posted mentions nobody", users(post.arguments["blocks"]), [])
    tap.ok("but says who", "alice@example.test" in json.dumps(post.arguments))
    tap.ok("its change does", set(users(result.blocks)) == {rig.alice} and
           "alice@example.test" in result.text, result.text)
    tap.ok("rows are a table, times in the zone of who reads",
           any(b["type"] == "table" for b in result.blocks) and
           '"type": "date"' in json.dumps(result.blocks), result.blocks)


def test_person(rig):
    """Somebody whom the people server knows, in the pages of a result."""
    form = rig.run("people.find_person", rig.alice)
    rig.submit(form, **{"or typed": "john.doe@example.test"})
    prompt = rig.prompt("find_person")
    rig.press(prompt, "approve", rig.alice)
    rig.wait_text(prompt, "succeeded")
    result = rig.message(lambda c: c.arguments.get("thread_ts") == prompt.ts and
                         "wingman.result.show" in json.dumps(c.arguments))
    before = len(rig.slack.find("views.open"))
    payload = rig.press_payload(result, "result.show", rig.alice)
    rig.interact(payload)
    view = rig.slack.wait_call("views.open", before + 1).arguments["view"]
    tap.ok("is shown as Slack shows them, where that notifies nobody",
           "U0SAMPLE01" in users(view["blocks"]), view)
    tap.ok("and in no message", "U0SAMPLE01" not in users(
        [c.arguments.get("blocks", []) for c in rig.slack.find("chat.postMessage")]))


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("the Slack process", emulator.WHY)
    else:
        SlackSuite().test([test_run, test_people, test_person, test_pick])
    tap.done()
