"""What the assistant says is shown while it comes: in Slack's streams where there are some, else
by changes of a message; and however it ends, it is closed, and nothing is said twice.

Everything is real but Slack (npm's emulator, behind it streams of our own) and the provider
(npm's aimock, which sends a few letters at a time).
"""

import json
import os

import tap
from assistant_rig import NODE
from doubles import emulator
from doubles.slack_front import BOT, TEAM
from slack_assistant_test import AssistantSuite
from slack_rig import Message, elements, text_of

PARAGRAPHS = [f"Step {i}: look at [the page](https://docs.example.test/{i}) and "
              f"[elsewhere](https://evil.test/{i}), <!channel> and <@U0STRANGER>."
              for i in range(1, 9)]
LONG = "\n\n".join(PARAGRAPHS)
SECRET = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n\nIBAAKC\n-----END RSA PRIVATE KEY-----"
ENDLESS = "\n\n".join(f"Line {i} of what never ends." for i in range(400))
STREAMS = ("chat.startStream", "chat.appendStream", "chat.stopStream")

FIXTURES = [
    {"match": {"userMessage": "tell me all"}, "response": {"content": LONG},
     "latency": 40, "chunkSize": 12},
    {"match": {"userMessage": "tell it briefly"}, "response": {"content": "Briefly: *yes*."}},
    {"match": {"userMessage": "show me the key"},
     "response": {"content": f"Here:\n\n{SECRET}\n\nand ghp_0123456789abcdefghijABCDEFGHIJ."},
     "latency": 20, "chunkSize": 5},
    {"match": {"userMessage": "break off"},
     "response": {"content": LONG}, "latency": 40, "chunkSize": 12, "truncateAfterChunks": 30},
    {"match": {"userMessage": "and fall"}, "response": {"content": LONG.replace("Step", "Fall")},
     "latency": 40, "chunkSize": 12},
    {"match": {"userMessage": "go on for ever"}, "response": {"content": ENDLESS},
     "latency": 40, "chunkSize": 12},
]


class StreamSuite(AssistantSuite):
    fixtures = FIXTURES
    slack_config = {"link_hosts": ["docs.example.test"]}
    streams = True

    def __init__(self):
        super().__init__(processes=("slack-s",))
        self.slack.streams = {} if self.streams else None

    def all_of(self, message):
        """Calls that made this message, in their order."""
        return [c for c in self.slack.calls if isinstance(c.answer, dict) and
                c.answer.get("ts") == message.ts and c.method.startswith("chat.")]

    def is_whole(self, message, text):
        """Every paragraph once."""
        shown = message.text
        return all(shown.count(f"Step {i}: ") == 1 for i in range(1, 9)) and text in shown

    def closed(self, message):
        self.slack.wait(lambda s: s.streams.get(message.ts) is False)
        return message

    def kill(self):
        process = self.processes["slack-s"].process
        process.kill()
        process.wait()


def safe(message):
    raw = json.dumps(message.blocks)
    return '"broadcast"' not in raw and '"user_id"' not in raw and \
        '"url": "https://evil' not in raw and not elements(message.blocks)


def test_stream(rig):
    rig.mention("tell me all", rig.alice)
    message = rig.closed(rig.said("Step 8"))
    calls = rig.all_of(message)
    methods = [c.method for c in calls]
    tap.equal("it begins with a stream and ends with its end",
              [methods[0], methods[-1]], ["chat.startStream", "chat.stopStream"])
    tap.ok("in between it grew", methods.count("chat.appendStream") >= 2 and
           set(methods[1:-1]) == {"chat.appendStream"}, methods)
    start = calls[0].arguments
    tap.equal("it says to whom", [start["recipient_user_id"], start["recipient_team_id"]],
              [rig.alice, TEAM])
    tap.ok("each paragraph once", rig.is_whole(message, "Written by the assistant"), message.text)
    tap.ok("nobody is called, and no link leads elsewhere", safe(message), message.blocks)
    raw = json.dumps(message.blocks)
    tap.ok("a link to our host is one", '"url": "https://docs.example.test/1"' in raw, raw)
    tap.equal("nothing was posted besides", [c for c in rig.slack.find("chat.postMessage")
                                             if "Step" in json.dumps(c.arguments)], [])


def test_steps(rig):
    """Whatever stood there at any moment was whole blocks."""
    for call in rig.slack.find("chat.appendStream"):
        text = text_of(call.arguments["chunks"])
        tap.ok("no half link, no half word", "](" not in text and not text.endswith("Ste") and
               text.rstrip().endswith((".", "assistant", "]")), text)


def test_brief(rig):
    before = len(rig.slack.find("chat.startStream"))
    rig.mention("tell it briefly", rig.alice)
    message = rig.said("Briefly")
    tap.equal("what is there at once is one message", [c.method for c in rig.all_of(message)],
              ["chat.postMessage"])
    tap.equal("and no stream", len(rig.slack.find("chat.startStream")), before)
    tap.ok("its Markdown is drawn", '"italic": true' in json.dumps(message.blocks))


def test_secrets(rig):
    rig.mention("show me the key", rig.alice)
    rig.slack.wait(lambda s: "and [redacted]" in json.dumps([c.arguments for c in s.calls]))
    raw = json.dumps([c.arguments for c in rig.slack.calls])
    tap.ok("no part of a key was ever sent", "MIIEow" not in raw and "IBAAKC" not in raw and
           "ghp_0123" not in raw)


def test_lost_step(rig):
    """A step whose answer is lost may stand there or not: the whole makes it good."""
    def lose(arguments):
        return 502, {}, b"gone"
    rig.slack.faults["chat.appendStream"] = [lose]
    rig.mention("tell me all", rig.bob)
    rig.slack.wait(lambda s: any(c.method == "chat.update" for c in s.calls
                                 if "Step 8" in json.dumps(c.arguments)))
    update = [c for c in rig.slack.find("chat.update") if "Step 8" in json.dumps(c.arguments)][-1]
    message = Message(rig, update.arguments["channel"], update.arguments["ts"])
    tap.equal("its stream was closed before",
              [c.method for c in rig.all_of(message)][-2:], ["chat.stopStream", "chat.update"])
    tap.ok("each paragraph once", rig.is_whole(message, "Written by the assistant"), message.text)


def test_broken(rig):
    """The provider's connection ends in the middle."""
    rig.mention("break off", rig.alice)
    rig.said("broke off or could not be read")
    rig.slack.wait(lambda s: not any(s.streams.values()))
    tap.ok("every stream is closed, and words say why", True)


def test_status(rig):
    calls = rig.slack.find("assistant.threads.setStatus")
    words = {c.arguments["status"] for c in calls}
    tap.ok("it says that it thinks, and takes that back", {"is thinking…", ""} <= words, words)
    sessions = {c.arguments["status"] for c in rig.slack.find("agents.sessions.setStatus")}
    tap.ok("and so does its session", {"processing", "active"} <= sessions, sessions)
    titles = [c.arguments["title"] for c in rig.slack.find("agents.sessions.setStatus")
              if "title" in c.arguments]
    tap.ok("which has a title, once", "tell me all" in titles[0], titles)


def test_opened(rig):
    rig.event({"type": "app_home_opened", "user": rig.alice, "channel": "D0ALICE",
               "tab": "messages"})
    call = rig.slack.wait_call("assistant.threads.setSuggestedPrompts")
    tap.ok("who opens it is offered questions", "thread_ts" not in call.arguments and
           1 <= len(call.arguments["prompts"]) <= 4, call.arguments)
    rig.event({"type": "assistant_thread_started", "assistant_thread": {
        "user_id": rig.alice, "channel_id": "D0ALICE", "thread_ts": "1.2", "context": {}}})
    call = rig.slack.wait_call("assistant.threads.setSuggestedPrompts", 2)
    tap.equal("in the older view in its thread", str(call.arguments["thread_ts"]), "1.2")


def test_stop(rig):
    """Slack's own button."""
    ts = "1795370400.000777"
    rig.event({"type": "app_mention", "user": rig.alice, "text": f"<@{BOT}> go on for ever",
               "ts": ts, "team": TEAM, "channel": rig.channel})
    message = rig.said("Line 3 ")
    rig.event({"type": "agent_session_stopped", "user": rig.alice, "channel": rig.channel,
               "thread_ts": ts, "streaming_message_ts": [message.ts]})
    rig.closed(message)
    rig.said("I was stopped here.")
    tap.ok("it stops", "Line 399" not in message.text)
    rig.slack.wait(lambda s: s.find("agents.sessions.setStatus")[-1].arguments["status"] ==
                   "active")
    tap.ok("and its session says so", True)


def test_stopped_by_slack(rig):
    """Or Slack itself refuses more of it: nothing is said elsewhere."""
    rig.slack.fault("chat.appendStream", {"ok": False, "error": "stopped_by_user"})
    before = len(rig.slack.find("chat.postMessage"))
    rig.mention("go on for ever", rig.bob)
    rig.slack.wait(lambda s: not s.faults["chat.appendStream"])
    rig.slack.wait(lambda s: not any(s.streams.values()))
    tap.equal("no message of ours takes its place",
              [c for c in rig.slack.find("chat.postMessage")[before:]
               if "Line" in json.dumps(c.arguments)], [])


def test_restart(rig):
    """The process falls in the middle of an answer."""
    rig.mention("now and fall", rig.alice)
    message = rig.said("Fall 2")
    before = len(rig.slack.find("chat.postMessage"))
    rig.kill()
    rig.start_slack("slack-s")
    rig.closed(message)
    rig.said("My answer broke off here")
    tap.ok("what stood there stands, once", message.text.count("Fall 2: ") == 1, message.text)
    rig.kill()
    rig.start_slack("slack-s")
    rig.mention("tell it briefly", rig.alice)
    rig.slack.wait(lambda s: any("Briefly" in json.dumps(c.arguments)
                                 for c in s.find("chat.postMessage")[before:]))
    tap.equal("that it broke off is said once",
              sum("My answer broke off" in json.dumps(c.arguments)
                  for c in rig.slack.find("chat.postMessage")), 1)


class EditSuite(StreamSuite):
    streams = False


def test_edits(rig):
    """A workspace without streams: the emulator knows none."""
    rig.mention("tell me all", rig.alice)
    message = rig.said("Step 8")
    methods = [c.method for c in rig.all_of(message)]
    tap.equal("a message that is posted,", methods[0], "chat.postMessage")
    tap.ok("and grows by changes", set(methods[1:]) == {"chat.update"}, methods)
    tap.ok("at a polite rate: fewer than there are paragraphs", len(methods) <= 8, methods)
    tap.ok("each paragraph once", rig.is_whole(message, "Written by the assistant"), message.text)
    tap.ok("nobody is called, and no link leads elsewhere", safe(message), message.blocks)
    tap.equal("streams were asked for once", len(rig.slack.find("chat.startStream")), 1)
    rig.mention("tell me all", rig.bob)
    rig.slack.wait(lambda s: sum("Step 8" in json.dumps(c.arguments) for c in s.calls) >= 2)
    tap.equal("and not again", len(rig.slack.find("chat.startStream")), 1)
    for method in ("assistant.threads.setStatus", "agents.sessions.setStatus"):
        tap.equal(f"{method} neither", len(rig.slack.find(method)), 1)


def test_edit_restart(rig):
    rig.mention("now and fall", rig.alice)
    rig.said("Fall 3")
    rig.kill()
    rig.start_slack("slack-s")
    rig.said("My answer broke off here")
    tap.ok("what broke off is told", True)


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("answers that grow", emulator.WHY)
    elif not os.path.exists(NODE):
        tap.skip("answers that grow", "node is not there (npm packages)")
    else:
        StreamSuite().test([test_stream, test_steps, test_brief, test_secrets, test_lost_step,
                            test_broken, test_status, test_opened, test_stop,
                            test_stopped_by_slack, test_restart])
        EditSuite().test([test_edits, test_edit_restart])
    tap.done()
