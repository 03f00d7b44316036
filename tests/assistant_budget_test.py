"""The day's share of the language model, across replicas: two Slack processes with one Redis, a
person who uses it up at one of them, restarts, and a store that is not there.
"""

import json
import os
import time

import tap
from assistant_rig import NODE
from doubles import emulator
from doubles.slack_front import BOT, TEAM
from gate_rig import free_port
from redis_server import SERVER, RedisServer
from slack_assistant_test import AssistantSuite
from slack_rig import number

SPENT = "Today's budget for the language model is spent"


class Replicas(AssistantSuite):
    def __init__(self):
        self.redis = RedisServer(free_port())
        self.redis.start()
        self.slack_config = {"store": {"redis": {"address": "127.0.0.1", "port": self.redis.port}}}
        super().__init__(processes=("slack-a", "slack-b"))
        self.write("config/assistant.yaml", json.dumps({
            "provider": "anthropic", "model": "claude-test-1", "url": self.mock.url,
            "key": "keys/model", "egress": {"tries": 1},
            "budget": {"tokens_per_person_per_day": 40000}}))

    def done(self):
        super().done()
        self.redis.done()

    def ask(self, name, user, text="question 1: "):
        """In a thread of its own: what is said there."""
        ts = f"{int(time.time())}.{number() % 1000000:06d}"
        self.event({"type": "app_mention", "user": user, "text": f"<@{BOT}> {text}", "ts": ts,
                    "team": TEAM, "channel": self.channel}, name=name)
        return ts

    def hears(self, ts, *words):
        """Which of the words comes in that thread."""
        def find(slack):
            for call in list(slack.calls):
                if call.arguments.get("thread_ts") == ts or call.arguments.get("ts") == ts:
                    said = json.dumps(call.arguments)
                    for word in words:
                        if word in said:
                            return word
            return None
        return self.slack.wait(find, 60)

    def counters(self):
        store = self.redis.ask("EVAL", "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                               "if redis.call('TYPE',k).ok=='hash' then for _,f in "
                               "ipairs(redis.call('HKEYS',k)) do if string.find(f,'c:budget/') then "
                               "n=n+1 end end end end return n", "0")
        return int(store.lstrip(":"))


def use_up(rig, name, user):
    for turn in range(16):
        if rig.hears(rig.ask(name, user, "question 1: " + "and more " * 600), "This is answer 1.",
                     SPENT) == SPENT:
            return turn
    return None


def test_shared(rig):
    turns = use_up(rig, "slack-a", rig.alice)
    tap.ok("a person's share is used up at one of two", turns, turns)
    tap.equal("which the other one knows", rig.hears(rig.ask("slack-b", rig.alice),
                                                     "This is answer 1.", SPENT), SPENT)
    tap.equal("and has some for others", rig.hears(rig.ask("slack-b", rig.bob), "This is answer 1.", SPENT),
              "This is answer 1.")
    tap.ok("it is counted in the store that they share", rig.counters() >= 2, rig.counters())


def test_restarts(rig):
    for name in rig.names:
        rig.processes[name].kill()
        rig.start_slack(name)
    for name in rig.names:
        tap.equal(f"{name} began anew, the day did not",
                  rig.hears(rig.ask(name, rig.alice), "This is answer 1.", SPENT), SPENT)
    rig.redis.stop()
    rig.redis.start()
    tap.equal("nor when the store began anew", rig.hears(
        rig.ask("slack-b", rig.alice), "This is answer 1.", SPENT), SPENT)


if __name__ == "__main__":
    if not emulator.is_installed() or not os.path.exists(NODE):
        tap.skip("the budget of replicas", emulator.WHY)
    elif not SERVER:
        tap.skip("the budget of replicas", "redis-server is not installed")
    else:
        Replicas().test([test_shared, test_restarts])
    tap.done()
