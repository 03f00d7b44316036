"""The server that docs/writing-a-server.md builds, compiled from the page and run as it says."""

import os
import sys

import tap
from gate_rig import BUILD, PEOPLE, Rig

ROOT = os.environ["WINGMAN_SOURCE"]
sys.path.insert(0, os.path.join(ROOT, "tests", "example"))
from extract import shown  # noqa: E402

FILES = shown(os.path.join(ROOT, "docs", "writing-a-server.md"))
ROTA, ALICE = "security", PEOPLE[0]


class OnCall(Rig):
    name, program = "oncall", os.path.join(BUILD, "tests", "example-server")

    def __init__(self):
        super().__init__()
        # The page's own file, but for its ports.
        config = FILES["config/oncall.yaml"]
        for shown_port, port in (("4720", self.server_port), ("4700", self.gate_port)):
            assert shown_port in config, config
            config = config.replace(shown_port, str(port))
        self.write("config/oncall.yaml", config)
        self.write("config/policy.yaml", FILES["config/policy.yaml"])


rig = OnCall()


def code(result):
    return result["structuredContent"].get("error", {}).get("code")


def on_call():
    got = rig.call("get_on_call", {"rota": ROTA})["structuredContent"]
    return got.get("person", got)


def set_on_call(c, person):
    return c.propose("oncall.set_on_call", rota=ROTA, person=person)


def test_page():
    lines = FILES["servers/oncall/main.c"].count("\n")
    tap.ok("it is about 120 lines", lines < 135, lines)
    tap.ok("the page shows the whole server", set(FILES) >= {
        "schemas/oncall/get_on_call.json", "schemas/oncall/set_on_call.json",
        "schemas/oncall/server.json", "servers/oncall/main.c", "servers/oncall/meson.build",
        "config/oncall.yaml", "config/policy.yaml"}, sorted(FILES))


def test_it():
    rig.start()
    tap.equal("nobody is on call yet", code(rig.call("get_on_call", {"rota": ROTA})), "not_found")
    result = rig.call("set_on_call", {"rota": ROTA, "person": ALICE})
    tap.equal("putting somebody on call wants a person's yes", code(result), "approval_required")
    with rig.client() as c:
        effects = c.wait(set_on_call(c, ALICE), "pending")["prompt"]["effects"]
        tap.equal("who is asked sees from what to what", [(e["from"], e["to"]) for e in effects],
                  [("nobody", ALICE)])
        approval = set_on_call(c, ALICE)
        c.approve(approval)
        tap.equal("it runs, and is read back", c.wait(approval, "succeeded")["outcome"]["verified"], True)
    tap.equal("and is so", on_call(), ALICE)


def test_state_bound():
    """Approved on what was so then: not run on what is so now."""
    with rig.client() as c:
        first, second = set_on_call(c, "bob@example.test"), set_on_call(c, "carol@example.test")
        c.approve(first)
        c.wait(first, "succeeded")
        c.approve(second)
        record = c.wait(second, "refused", "failed")
        tap.equal("a plan that rests on what has changed is void",
                  record["outcome"]["error"]["code"], "precondition_failed")
    tap.equal("and nothing ran", on_call(), "bob@example.test")


def test_bad_arguments():
    result = rig.call("get_on_call", {"rota": "Not A Rota"})
    tap.equal("what the schema refuses does not arrive", code(result), "invalid_argument")


try:
    tap.run([test_page, test_it, test_state_bound, test_bad_arguments])
finally:
    rig.done()
tap.done()
