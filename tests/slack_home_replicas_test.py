"""App Home with two Slack processes and Redis between them: what one was told of, the other
draws; panels of a template, whose server tells of changes, and one that refuses at first."""

import json
import os
import time

import tap
from doubles import emulator
from gate_rig import free_port
from redis_server import SERVER, RedisServer
from slack_home_test import Homes
from slack_rig import SlackSuite, text_of

TEMPLATE = "fixture://values/{key}"


class HomeReplicas(Homes):
    slack_config = {"panels": [
        {"title": "Open incidents", "server": "fixture", "uri": "fixture://values/incidents"}]}

    def __init__(self):
        self.redis = RedisServer(free_port())
        self.redis.start()
        self.slack_config = {**self.slack_config, "store": {"redis": {
            "address": "127.0.0.1", "port": self.redis.port}}}
        SlackSuite.__init__(self, processes=("slack-a", "slack-b"))
        self.port, self.fixture = free_port(), None
        self.add_server("fixture", f"http://127.0.0.1:{self.port}", freed_resources=[TEMPLATE])
        os.makedirs(self.path("fixture/values"), mode=0o700)
        self.write_value("incidents", "INC-1 stands here")
        gate = self.suite.read("config", "gate.yaml")
        self.write("config/gate.yaml", gate.replace(
            "  templates:\n", f"  templates:\n    - {{server: fixture, uri: '{TEMPLATE}'}}\n", 1))

    def done(self):
        super().done()
        self.redis.done()

    def free(self, resources):
        """What the fixture's configuration frees, from its next start on."""
        config = json.loads(self.suite.read("config", "fixture.yaml"))
        self.write("config/fixture.yaml", json.dumps({**config, "freed_resources": resources}))


def still(rig, seconds=5.0):
    """How many views were published in the meantime."""
    before = len(rig.published(rig.alice))
    time.sleep(seconds)
    return len(rig.published(rig.alice)) - before


def test_both(rig):
    """Opened at one, and both hear of what changes."""
    rig.open_home(rig.alice, name="slack-b")
    rig.wait_home(rig.alice, "INC-1 stands here")
    tap.ok("opened at one", True)
    rig.put_value(rig.bob, "other", "of no panel")
    rig.wait_until(lambda: "fixture" in text_of(rig.home(rig.alice)["blocks"]), "anything")
    time.sleep(6)       # each of them has looked
    text = text_of(rig.home(rig.alice)["blocks"])
    tap.ok("whichever draws it, panels stand there as they were read",
           "INC-1 stands here" in text and "being read" not in text, text)
    tap.equal("and where nothing changes nothing is published", still(rig), 0)


def test_other_draws(rig):
    """The one that was told of the opening is gone."""
    rig.processes["slack-b"].kill()
    rig.put_value(rig.bob, "incidents", "INC-2 since it fell")
    rig.wait_home(rig.alice, "INC-2 since it fell")
    tap.ok("the other draws it, with the panel read anew", True)
    time.sleep(4)       # whatever else it draws
    rig.put_value(rig.bob, "incidents", "INC-3 was told of")
    rig.wait_home(rig.alice, "INC-3 was told of")
    tap.ok("a resource of a template is listened to", True)


def test_refused(rig):
    """A server that frees nothing now is asked again."""
    rig.fixture.kill()
    rig.free([])
    rig.start_fixture()
    rig.wait_until(lambda: "caller.not_listening" in rig.suite.read("run", "wingman-gate.log"),
                   "the refusal", 90)
    rig.fixture.kill()
    rig.free([TEMPLATE])
    rig.write_value("incidents", "INC-4 came meanwhile")
    rig.start_fixture()
    rig.wait_home(rig.alice, "INC-4 came meanwhile")
    rig.put_value(rig.bob, "incidents", "INC-5 is told of again")
    rig.wait_home(rig.alice, "INC-5 is told of again")
    tap.ok("and is heard again when it frees it again", True)


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("App Home at two processes", emulator.WHY)
    elif not SERVER:
        tap.skip("App Home at two processes", "redis-server is not installed")
    else:
        HomeReplicas().test([test_both, test_other_draws, test_refused])
    tap.done()
