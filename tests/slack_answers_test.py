"""Where answers go: to a response_url and to no other address, beside the conversation, in direct
messages where that is not shown or others read along; and what a form's view says in the end."""

import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tap
from doubles import emulator
from doubles.slack_front import BOT, TEAM
from slack_rig import SlackSuite, number, text_of

WHY = "Laptop stolen at the airport"


class Elsewhere:
    """An address that nobody may be made to call."""

    def __init__(self):
        self.paths = paths = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                paths.append(self.path)
                self.send_response(200)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def hooks(rig):
    return rig.slack.find("/hooks/")


def test_response_url(rig):
    url = rig.slack.response_url()
    asides = len(rig.slack.find("chat.postEphemeral"))
    rig.command("help", rig.alice, response_url=url)
    call = rig.slack.wait_call("/hooks/")
    tap.equal("a command is answered where Slack says, for one pair of eyes",
              (call.arguments["path"], call.arguments["response_type"]),
              (url[url.index("/hooks/"):], "ephemeral"))
    tap.ok("with blocks, and nothing that Slack would read", "docs TOOL" in text_of(call.arguments["blocks"])
           and call.arguments["parse"] == "none" and call.arguments["unfurl_links"] is False)
    tap.equal("and nowhere else", len(rig.slack.find("chat.postEphemeral")), asides)

    def slow(_):
        time.sleep(3.3)
        return 200, {}, {"ok": True, "members": [rig.alice, BOT], "response_metadata": {"next_cursor": ""}}

    rig.slack.faults["conversations.members"] = [slow]
    before, began = len(hooks(rig)), time.monotonic()
    status, _ = rig.command("tools", rig.alice, channel="C0SLOW", response_url=rig.slack.response_url())
    acknowledged = time.monotonic() - began
    rig.slack.wait_call("/hooks/", before + 1)
    tap.ok(f"what takes {time.monotonic() - began:.1f} s was acknowledged after {acknowledged:.2f} s",
           status == 200 and acknowledged < 1 and time.monotonic() - began > 3)


def test_other_addresses(rig):
    other = Elsewhere()
    try:
        ours = rig.slack.url.removesuffix("/api")
        host = ours.removeprefix("http://")
        for what, url in {
                "another port": f"http://127.0.0.1:{other.port}/hooks/x",
                "another name of this machine": ours.replace("127.0.0.1", "localhost") + "/hooks/x",
                "a user's name": f"http://u@{host}/hooks/x",
                "a user's name that looks like the host": f"http://{host}@127.0.0.1:{other.port}/hooks/x",
                "the host's name going on": f"http://{host}.evil.example/hooks/x",
                "https": f"https://{host}/hooks/x",
                "a port behind the port": f"http://{host}{other.port % 10}/hooks/x",
                "a backslash": f"http://{host}\\@127.0.0.1:{other.port}/hooks/x",
                "another at sign": f"{ours}/hooks/@127.0.0.1:{other.port}/",
                "Slack's own, which this one is not": "https://hooks.slack.com/commands/T/1/x",
                "a file": "file:///etc/passwd", "none": "x", "a long one": f"{ours}/hooks/" + "x" * 600}.items():
            before, asides = len(hooks(rig)), len(rig.slack.find("chat.postEphemeral", user=rig.alice))
            rig.command("help", rig.alice, response_url=url)
            rig.slack.wait_call("chat.postEphemeral", asides + 1, user=rig.alice)
            tap.equal(f"{what}: answered beside the conversation instead",
                      (len(hooks(rig)) - before, other.paths), (0, []))
        for what, answer in {
                "an address that sends on": (302, {"Location": f"http://127.0.0.1:{other.port}/hooks/x"}, b""),
                "one that is used up": (404, {}, {"ok": False, "error": "used_url"}),
                "one that expired": (404, {}, b"expired_url"),
                "one that is down": (500, {}, b"")}.items():
            rig.slack.faults["/hooks/"] = [lambda _, a=answer: a] * 2
            asides = len(rig.slack.find("chat.postEphemeral", user=rig.alice))
            before = len(hooks(rig))
            rig.command("help", rig.alice, response_url=rig.slack.response_url())
            rig.slack.wait_call("chat.postEphemeral", asides + 1, user=rig.alice)
            tap.equal(f"{what}: called once, and then not it", (len(hooks(rig)) - before, other.paths), (1, []))
            rig.slack.faults.pop("/hooks/", None)
    finally:
        other.close()


def test_not_kept(rig):
    """Possession is all that such an address asks for."""
    used = [c.arguments["path"].rsplit("/", 1)[1].encode() for c in hooks(rig)
            if len(c.arguments["path"]) < 60]
    found = []
    for folder, _, files in os.walk(rig.suite.dir):
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as f:
                    data = f.read()
            except OSError:
                continue
            found += [(name, u) for u in used if u in data]
    tap.ok(f"of {len(used)} addresses none stands in a log, record or store", used and not found, found[:5])


def test_not_in_channel(rig):
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="john.doe@example.test", reason="pressed by who is not there")
    prompt = rig.prompt("pressed by who is not there")
    for what, fault in {"is not there": "user_not_in_channel", "sees no such channel": "channel_not_found",
                        "presses where nobody may speak": "is_archived"}.items():
        rig.slack.fault("chat.postEphemeral", {"ok": False, "error": fault})
        before = len(rig.slack.find("chat.postMessage", channel=rig.bob))
        payload = rig.press_payload(prompt, "approve", rig.bob)
        payload["message"]["blocks"] = payload["message"]["blocks"][1:]
        rig.let_read(prompt)
        rig.interact(payload)
        told = rig.slack.wait_call("chat.postMessage", before + 1, channel=rig.bob)
        tap.ok(f"who {what} is told in direct messages",
               "did not count" in text_of(told.arguments["blocks"]), told)
    rig.slack.fault("chat.postEphemeral", {"ok": False, "error": "user_not_in_channel"})
    rig.interact(rig.press_payload(prompt, "approve", rig.mallory))
    told = rig.slack.wait_call("chat.postMessage", 1, channel=rig.mallory)
    tap.ok("so is a stranger, once, and politely", "works for the security team" in
           text_of(told.arguments["blocks"]), told)
    tap.equal("and nothing happened", rig.record(prompt.id)["state"], "pending")
    rig.press(prompt, "deny", rig.alice)
    rig.wait_text(prompt, "denied by alice")


def test_outsiders(rig):
    """Where anybody from outside the team reads, answers of all kinds go to who asked."""
    rig.slack.members["C0MIXED"] = [rig.alice, rig.mallory, BOT]
    there = [len(rig.slack.find(m, channel="C0MIXED")) for m in ("chat.postEphemeral", "chat.postMessage")]
    hooked = len(hooks(rig))

    def told():
        return len(rig.slack.find("chat.postMessage", channel=rig.alice))

    for what, do, words in (
            ("a list", lambda: rig.command("tools accounts", rig.alice, channel="C0MIXED"), "block_account"),
            ("a refusal", lambda: rig.command("docs no.tool", rig.alice, channel="C0MIXED"), "no server 'no'"),
            ("an answer that has an address of its own", lambda: rig.command(
                "status", rig.alice, channel="C0MIXED", response_url=rig.slack.response_url()), "log is sound"),
            ("a shortcut that is for nothing", lambda: rig.interact({
                "type": "message_action", "callback_id": "other", "user": {"id": rig.alice, "team_id": TEAM},
                "trigger_id": rig.slack.trigger(rig.alice), "message_ts": "1795370400.000100",
                "channel": {"id": "C0MIXED", "name": "x"}, "message": {
                    "type": "message", "user": rig.bob, "ts": "1795370400.000100", "text": "x"}}), "Nobody has said"),
            ("a form that cannot be opened", lambda: (rig.slack.fault(
                "views.open", {"ok": False, "error": "expired_trigger_id"}), rig.command(
                    "run accounts.block_account", rig.alice, channel="C0MIXED")), "could not be opened")):
        before = told()
        do()
        call = rig.slack.wait_call("chat.postMessage", before + 1, channel=rig.alice)
        tap.ok(f"{what} goes to who asked", words in text_of(call.arguments["blocks"]), call)
    form = rig.run("accounts.get_account", rig.alice, channel="C0MIXED")
    before = told()
    rig.submit(form, person="alice@example.test")
    prompt = rig.prompt("accounts.get_account")
    rig.press(prompt, "approve", rig.alice)
    rig.wait_text(prompt, "This is over")
    rig.slack.wait(lambda s: any(c.arguments.get("thread_ts") == prompt.ts for c in s.find("chat.postMessage")))
    tap.equal("so do a prompt and its result; the conversation heard nothing", (
        prompt.channel[0], [len(rig.slack.find(m, channel="C0MIXED")) for m in
                            ("chat.postEphemeral", "chat.postMessage")], len(hooks(rig)) - hooked), ("D", there, 0))


# --- what the view of a form says in the end ---

def said_in(rig, form):
    calls = [c for c in rig.slack.find("views.update") if c.arguments.get("view_id") == form["id"]]
    return calls[-1].arguments["view"] if calls else None


def wait_view(rig, form, words):
    def says():
        view = said_in(rig, form)
        return view and words in json.dumps(view)
    rig.wait_until(says, f"{words!r} in the view", 60)
    return said_in(rig, form)


def test_view_link(rig):
    form = rig.run("accounts.block_account", rig.alice)
    _, answer = rig.submit(form, person="john.doe@example.test", reason="where it stands")
    tap.ok("at first it is being looked at", "Asking the gate" in json.dumps(answer), answer)
    prompt = rig.prompt("where it stands")
    view = wait_view(rig, form, "The prompt stands in ")
    link = f"https://acme.slack.com/archives/{rig.channel}/p{prompt.ts.replace('.', '')}"
    tap.ok("then where its prompt stands, with its address", link in json.dumps(view) and
           f'"channel_id": "{rig.channel}"' in json.dumps(view), view)
    rig.press(prompt, "deny", rig.bob)
    rig.wait_text(prompt, "denied by bob")


def test_view_fault(rig):
    form = rig.run("accounts.block_account", rig.alice)
    rig.submit(form, person="nobody.at.all@example.test", reason=WHY)
    view = wait_view(rig, form, "nobody is known as")
    tap.ok("a plan that fails: the form again, and why", view["callback_id"] == "wingman.form" and
           "nobody.at.all@example.test" in json.dumps(view), view)


def test_view_gate_away(rig):
    """The gate hears nothing: no view stays as it was, and Slack does not wait."""
    rig.run("accounts.block_account", rig.alice)        # who that is was asked before
    form = rig.run("accounts.block_account", rig.alice, channel="C0LATE")

    def slow(_):
        time.sleep(1.5)
        return 200, {}, {"ok": True, "members": [rig.alice, BOT], "response_metadata": {"next_cursor": ""}}

    rig.slack.faults["conversations.members"] = [slow]
    asked = len(rig.slack.find("conversations.members"))
    rig.submit(form, person="john.doe@example.test", reason="asked while nobody listens")
    rig.wait_until(lambda: not rig.slack.faults["conversations.members"], "who reads there to be asked")
    gate = rig.suite.child_pid("wingman-gate")
    os.kill(gate, signal.SIGSTOP)
    try:
        rig.slack.wait_call("conversations.members", asked + 1)
        view = wait_view(rig, form, "not proposed")
        tap.ok("that it was not proposed, and why", "the gate did not answer" in json.dumps(view), view)
        began = time.monotonic()
        _, answer = rig.submit(form, person="john.doe@example.test", reason="and once more")
        took = time.monotonic() - began
        tap.ok(f"sent in while it is away: answered in {took:.1f} s", took < 3 and
               "cannot go on" in json.dumps(answer), answer)
    finally:
        os.kill(gate, signal.SIGCONT)
    rig.wait_until(lambda: rig.get("/readyz")[0] == 200, "the gate")


def test_view_refused(rig):
    """A gate that refuses says so in the form."""
    form = rig.run("accounts.block_account", rig.alice)
    rig.slack.usergroups.clear()
    forged = {**form, "private_metadata": "0" * 32}
    _, answer = rig.submit(forged, person="john.doe@example.test", reason=WHY)
    tap.ok("a form that is none of theirs: it cannot go on", "cannot go on" in json.dumps(answer), answer)
    gate = rig.suite.read("config", "gate.yaml")
    rig.write("config/gate.yaml", gate.replace(f"slack: [{rig.alice}]", "slack: [U0OTHER]"))
    try:
        _, answer = rig.submit(form, person="john.doe@example.test", reason=WHY)
        seen = json.dumps(answer)
        if "Asking the gate" in seen:
            seen = json.dumps(wait_view(rig, form, "knows nobody"))
        tap.ok("who is none of the team any more reads so", "knows nobody" in seen or "security team" in seen, seen)
    finally:
        rig.write("config/gate.yaml", gate)


if __name__ == "__main__":
    if not emulator.is_installed():
        tap.skip("answers in Slack", emulator.WHY)
    else:
        SlackSuite().test([test_response_url, test_other_addresses, test_not_kept, test_not_in_channel,
                           test_outsiders, test_view_link, test_view_fault, test_view_gate_away,
                           test_view_refused])
    tap.done()
