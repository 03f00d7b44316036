"""A thin Slack in front of npm's emulator: what that lacks, a record of every call, and
faults on request. What it does not know itself it hands on, and gives the answer back."""

import json
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from doubles.emulator import Emulator

APP, BOT, TEAM, COMMAND = "A0WINGMAN", "U0WINGMAN", "T000000001", "/wingman"
TOKEN = "xoxb-wingman-test"
SCOPES = ["chat:write", "channels:read", "channels:history", "im:read", "im:history", "im:write",
          "users:read", "users:read.email", "files:write", "team:read", "reactions:write"]


def decoded(body):
    """The arguments of a call, as a form carries them."""
    def value(text):
        try:
            return json.loads(text) if text[:1] in "[{" or text in ("true", "false") else text
        except ValueError:
            return text
    return {k: value(v[0]) for k, v in urllib.parse.parse_qs(
        body, keep_blank_values=True).items()}


class Call:
    def __init__(self, method, arguments):
        self.method, self.arguments, self.answer = method, arguments, None

    def __repr__(self):
        return f"{self.method} {json.dumps(self.arguments)[:150]} -> {str(self.answer)[:60]}"


class SlackFront:
    def __init__(self, people):
        """'people': {name: e-mail address}."""
        self.emulator = Emulator("slack", {
            "team": {"name": "Acme", "domain": "acme"},
            "users": [{"name": n, "real_name": n.title(), "email": m} for n, m in people.items()],
            "channels": [{"name": "secops", "topic": "Security operations"}],
            "oauth_apps": [{"app_id": APP, "client_id": "1.2", "client_secret": "x",
                            "name": "Wingman", "bot_name": "wingman", "bot_id": "B0WINGMAN",
                            "bot_user_id": BOT, "redirect_uris": ["http://127.0.0.1/"],
                            "scopes": SCOPES}],
            "tokens": [{"token": TOKEN, "type": "bot", "user_id": BOT, "bot_id": "B0WINGMAN",
                        "bot_user_id": BOT, "app_id": APP, "client_id": "1.2",
                        "scopes": SCOPES}]}, {})
        self.calls, self.changed = [], threading.Condition()
        self.usergroups = {}        # id: [users]
        self.members = {}           # channel: [users], instead of the emulator's
        self.users = {}             # id: members of 'user' that are different
        self.streams = None         # {ts: is open}: it has streams and the agent's surface
        self.faults = {}            # method: [function(arguments) -> (status, headers, body)]
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                hook = self.path.startswith("/hooks/")
                status, headers, answer = front.answer(
                    "/hooks/" if hook else self.path.removeprefix("/api/"),
                    {"path": self.path, **json.loads(body)} if hook else decoded(body), body,
                    self.headers["Authorization"])
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_):
                pass                # who was killed while it asked

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.ids = {n: self.ask("users.lookupByEmail", email=m)["user"]["id"]
                    for n, m in people.items()}
        self.channel = next(c["id"] for c in self.ask("conversations.list")["channels"]
                            if c["name"] == "secops")
        self.members[self.channel] = [BOT]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.emulator.close()

    # --- answering ---

    def answer(self, method, arguments, body, authorization):
        call = Call(method, arguments)
        faults = self.faults.get(method)
        if faults:
            status, headers, answer = faults.pop(0)(arguments)
        else:
            status, headers, answer = self.own(method, arguments) or \
                self.forward(method, body, authorization)
        call.answer = answer
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
        return status, headers, answer

    def own(self, method, arguments):
        if method == "/hooks/":         # a response_url
            return 200, {}, b"ok"
        if method == "usergroups.users.list":
            users = self.usergroups.get(arguments.get("usergroup"))
            return 200, {}, {"ok": True, "users": users} if users is not None else \
                {"ok": False, "error": "no_such_subteam"}
        if method == "conversations.members" and arguments.get("channel") in self.members:
            return 200, {}, {"ok": True, "members": self.members[arguments["channel"]],
                             "response_metadata": {"next_cursor": ""}}
        if method == "chat.getPermalink":
            return 200, {}, {"ok": True, "channel": arguments.get("channel"), "permalink":
                             "https://acme.slack.com/archives/x/p" + arguments["message_ts"]}
        if method == "users.info" and arguments.get("user") in self.users:
            answer = self.ask("users.info", user=arguments["user"])
            answer["user"].update(self.users[arguments["user"]])
            return 200, {}, answer
        return self.streamed(method, arguments) if self.streams is not None else None

    def streamed(self, method, arguments):
        """Streams, and what is shown beside a thread, as far as Slack documents them."""
        def refuse(error):
            return 200, {}, {"ok": False, "error": error}
        ts = arguments.get("ts")
        if method.startswith(("assistant.threads.", "agents.sessions.")):
            return 200, {}, {"ok": True}
        if method == "chat.startStream":
            if arguments["channel"][0] != "D":
                for name in ("recipient_user_id", "recipient_team_id"):
                    if not arguments.get(name):
                        return refuse("missing_" + name)
            answer = self.ask("chat.postMessage", channel=arguments["channel"], text="...",
                              thread_ts=arguments["thread_ts"])
            self.streams[answer["ts"]] = True
            return 200, {}, {"ok": True, "channel": answer["channel"], "ts": answer["ts"]}
        if method in ("chat.appendStream", "chat.stopStream"):
            if not self.streams.get(ts):
                return refuse("message_not_in_streaming_state")
            self.streams[ts] = method == "chat.appendStream"
            return 200, {}, {"ok": True, "channel": arguments["channel"], "ts": ts}
        if method == "chat.update" and self.streams.get(ts):
            return refuse("streaming_state_conflict")
        return None

    def forward(self, method, body, authorization):
        request = urllib.request.Request(
            f"{self.emulator.url}/api/{method}", data=body.encode(), method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded",
                     "Authorization": authorization or ""})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, {}, json.load(reply)
        except urllib.error.HTTPError as e:
            with e:
                return e.code, {}, e.read()

    def ask(self, method, **arguments):
        """A call of the test's own, not recorded."""
        status, _, answer = self.forward(
            method, urllib.parse.urlencode(arguments), "Bearer " + TOKEN)
        assert status == 200, (method, answer)
        return answer

    def fault(self, method, answer, times=1, status=200, headers=None):
        self.faults.setdefault(method, []).extend(
            [lambda _: (status, headers or {}, answer)] * times)

    def response_url(self):
        """One that our process takes for Slack's."""
        return self.url.removesuffix("/api") + f"/hooks/T0/{secrets.token_hex(8)}"

    # --- what was called ---

    def find(self, method, **wanted):
        return [c for c in self.calls if c.method == method and
                all(c.arguments.get(k) == v for k, v in wanted.items())]

    def wait(self, what, timeout_s=30):
        """Until what(self) is something; that."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while True:
                found = what(self)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError("it did not come; calls were:\n" + "\n".join(
                        map(repr, self.calls[-10:])))
                self.changed.wait(min(left, 0.2))

    def wait_call(self, method, count=1, timeout_s=30, **wanted):
        """The last of so many calls of this method."""
        return self.wait(lambda s: len(s.find(method, **wanted)) >= count and
                         s.find(method, **wanted)[-1], timeout_s)

    def trigger(self, user):
        return self.ask("views.generateTriggerId", user_id=user)["trigger_id"]
