"""The Slack process from a command to a blocked account, with everything real but Slack, which
is npm's emulator behind a recorder."""

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


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("the Slack process", emulator.WHY)
    else:
        SlackSuite().test([test_run])
    tap.done()
