"""The suite with one more server, played here, whose tools have schemas of any shape, and
people who fill in their forms in Slack page by page.

    rig = OddSuite(tools)
    form = rig.run("odd.wide", rig.alice)
    form = rig.next(form, rig.state(form, p0="x"))      # or the errors
    form = rig.back(form, state)
"""

import base64
import json
import os

from doubles.slack_front import APP, TEAM
from gate_client import GateClient
from gate_rig import NO_LIMITS, free_port
from hostile_test import Liar, good_result
from slack_rig import SlackSuite


def tool(name, properties, risk="read", **more):
    """A tool's definition; 'more' is of its inputSchema."""
    return {"name": name, "title": name.title(), "description": f"Does {name}.",
            "inputSchema": {"type": "object", "properties": properties,
                            "additionalProperties": False, **more},
            "annotations": {"readOnlyHint": risk == "read", "destructiveHint": False,
                            "idempotentHint": True, "openWorldHint": False},
            "_meta": {"org.wingman/risk": risk}}


class OddSuite(SlackSuite):
    """'answers': {tool: function(arguments) -> members of its result}."""

    def __init__(self, tools, **more):
        self.port = free_port()
        self.liar = Liar(self.port)
        self.liar.tools = tools
        self.answers, self.given = {}, []
        self.liar.answer = self.answer
        super().__init__(**more)

    def answer(self, method, params):
        if method == "tools/list":
            return {"resultType": "complete", "tools": self.liar.tools}
        meta = params["_meta"]
        if "org.wingman/grant" not in meta:
            return self.liar.plan(params["arguments"])
        self.given.append((params["name"], params["arguments"]))
        payload = meta["org.wingman/grant"].split(".")[0]
        approval = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["id"]
        made = self.answers.get(params["name"])
        return {**good_result(approval), **(made(params["arguments"]) if made else {})}

    def configure(self, policy):
        """Its tools are pinned before anybody else is of the team."""
        gate = self.suite.read("config", "gate.yaml")
        gate = gate.replace("servers:\n", "servers:\n  - name: odd\n    url: "
                            f"http://127.0.0.1:{self.port}/mcp\n", 1)
        if "\nlimits:" not in gate:
            gate += f"limits: {NO_LIMITS}\n"
        self.write("config/gate.yaml", gate)
        self.suite.start()
        try:
            self.pin()
        except BaseException:
            self.done()
            raise
        self.suite.stop()
        super().configure(policy)

    def pin(self):
        """Its tools as they are now."""
        with GateClient(self.path("run/gate.sock")) as c:
            self.wait_until(lambda: c.ask("tools", server="odd")["servers"][0]["up"],
                            "the gate to see the server")
            self.wait_until(lambda: c.ask("pins", server="odd")["differences"],
                            "it to see what changed", 60)
            digest = c.ask("pins", server="odd")["current"]
            approval = c.ask("propose_gate", action="pin_server",
                             arguments={"server": "odd", "digest": digest})["approval"]
            c.approve(approval)
            c.wait(approval, "succeeded")

    def done(self):
        super().done()
        self.liar.shutdown()
        self.liar.server_close()

    # --- what people do in forms ---

    @staticmethod
    def label(block):
        return block["label"]["text"]

    def state(self, view, **answers):
        """state.values of a view: what stands there, with some answers as Slack would send
        them, by block_id or label."""
        state = {}
        says = {"plain_text_input": ("value", "initial_value"),
                "number_input": ("value", "initial_value"),
                "static_select": ("selected_option", "initial_option"),
                "external_select": ("selected_option", "initial_option"),
                "radio_buttons": ("selected_option", "initial_option"),
                "multi_static_select": ("selected_options", "initial_options"),
                "multi_external_select": ("selected_options", "initial_options"),
                "users_select": ("selected_user", "initial_user"),
                "multi_users_select": ("selected_users", "initial_users"),
                "datepicker": ("selected_date", "initial_date"),
                "datetimepicker": ("selected_date_time", "initial_date_time")}
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            member, begins = says[element["type"]]
            value = element.get(begins, [] if member.endswith("s") else None)
            for name in (self.label(block), block["block_id"]):
                if name in answers:
                    value = answers[name]
            if member == "selected_option" and isinstance(value, str):
                value = next(o for o in element["options"] if o["text"]["text"] == value)
            if member == "selected_options" and value and isinstance(value[0], str):
                value = [o for o in element["options"] if o["text"]["text"] in value]
            state[block["block_id"]] = {element["action_id"]: {"type": element["type"],
                                                              member: value}}
        return state

    def send_view(self, view, state):
        """The answer to a submission."""
        status, answer = self.interact({
            "type": "view_submission", "user": {"id": view["user"], "team_id": TEAM},
            "trigger_id": self.slack.trigger(view["user"]),
            "view": {**{k: v for k, v in view.items() if k != "user"}, "hash": "1.a",
                     "app_id": APP, "state": {"values": state}}})
        assert status == 200, answer
        return answer

    def next(self, view, state):
        """The view that stands there after it was sent; errors are its member 'errors'."""
        answer = self.send_view(view, state)
        if answer["response_action"] == "errors":
            return {**view, "errors": answer["errors"]}
        return {**answer["view"], "id": view["id"], "user": view["user"]}

    def back(self, view, state):
        before = len(self.slack.find("views.update"))
        block = next(b for b in view["blocks"] if b["type"] == "actions")
        status, _ = self.interact({
            "type": "block_actions", "user": {"id": view["user"], "team_id": TEAM},
            "trigger_id": self.slack.trigger(view["user"]),
            "container": {"type": "view", "view_id": view["id"]},
            "view": {**{k: v for k, v in view.items() if k != "user"}, "app_id": APP,
                     "state": {"values": state}},
            "actions": [{"type": "button", "block_id": "b", "action_ts": "1.1",
                         **{k: block["elements"][0][k] for k in ("action_id", "value")}}]})
        assert status == 200
        return self.changed(view, before)

    def changed(self, view, before):
        """The view, once it was updated after so many updates."""
        call = self.slack.wait(lambda s: next(
            (c for c in s.find("views.update")[before:] if c.arguments["view_id"] == view["id"]),
            None))
        return {**call.arguments["view"], "id": view["id"], "user": view["user"]}

    def options(self, view, block, typed):
        """What a menu offers for what is typed."""
        status, answer = self.interact({
            "type": "block_suggestion", "user": {"id": view["user"], "team_id": TEAM},
            "action_id": "v", "block_id": block, "value": typed,
            "container": {"type": "view", "view_id": view["id"]},
            "view": {k: v for k, v in view.items() if k != "user"}})
        assert status == 200, answer
        return answer["options"]

    def arguments(self, approval):
        return json.loads(self.record(approval)["arguments"])


def source(*names):
    return os.path.join(os.environ["WINGMAN_SOURCE"], *names)
