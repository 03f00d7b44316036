"""deploy/slack: what Slack takes, and no more than what the code asks for.

Slack publishes a schema of its manifests, which is not ours to keep; the members and limits
below are written from its documentation. Scopes and events are held against the code: what a
method or event needs is asked for, and what nothing needs is not.
"""

import copy
import pathlib
import os
import re

import tap
import yaml

SOURCE = pathlib.Path(os.environ["WINGMAN_SOURCE"])
SHARED = SOURCE.parent / "shared" / "slack" / "fixtures"
HTTP, SOCKET = "manifest.yaml", "manifest-socket-mode.yaml"
HISTORY = "manifest-thread-history.yaml"

# Member: what it must be. A number is the most characters of a text; a list holds items of one
# kind and its most; a dictionary has these members, and no other.
LIMITS = {
    "_metadata": {"major_version": int, "minor_version": int},
    "display_information": {"name": 35, "description": 140, "background_color": 7,
                            "long_description": 4000},
    "features": {
        "app_home": {"home_tab_enabled": bool, "messages_tab_enabled": bool,
                     "messages_tab_read_only_enabled": bool},
        "bot_user": {"display_name": 80, "always_online": bool},
        "agent_view": {"agent_description": 300,
                       "suggested_prompts": [{"title": 100, "message": 1000}, 4]},
        "shortcuts": [{"name": 24, "type": 7, "callback_id": 255, "description": 150}, 10],
        "slash_commands": [{"command": 32, "url": 3000, "description": 2000, "usage_hint": 1000,
                            "should_escape": bool}, 50],
    },
    "oauth_config": {"scopes": {"bot": [100, 255]}},
    "settings": {
        "event_subscriptions": {"request_url": 3000, "bot_events": [100, 100]},
        "interactivity": {"is_enabled": bool, "request_url": 3000,
                          "message_menu_options_url": 3000},
        "org_deploy_enabled": bool, "socket_mode_enabled": bool, "token_rotation_enabled": bool,
    },
}

# Which scopes a method needs. () : none.
METHODS = {
    "auth.test": (), "apps.connections.open": (),  # an app-level token's connections:write
    "chat.getPermalink": (), "views.open": (), "views.push": (), "views.update": (),
    "views.publish": (), "chat.postMessage": ("chat:write",), "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",), "chat.delete": ("chat:write",),
    "chat.startStream": ("chat:write",), "chat.appendStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "assistant.threads.setStatus": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "agents.sessions.setStatus": ("assistant:write",),
    "agents.sessions.start": ("assistant:write",), "agents.sessions.stop": ("assistant:write",),
    # Of direct conversations and those of several nothing is asked: answers go to the person.
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "users.info": ("users:read",), "usergroups.users.list": ("usergroups:read",),
    "usergroups.list": ("usergroups:read",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    # To look for what may have been said; without the scope nothing is said twice all the same.
    "conversations.history": (), "conversations.replies": (),
}
# In common/api for servers with tokens of their own, and never called by the surface.
SERVERS_OWN = {"users.list", "users.lookupByEmail", "usergroups.list", "conversations.open",
               "conversations.info", "admin.users.session.reset", "admin.users.session.list"}
# What the client does that has a function of its own.
FUNCTIONS = {"slack_get_user": "users.info", "slack_usergroup_members": "usergroups.users.list",
             "slack_upload": "files.completeUploadExternal",
             "slack_result_file": "files.completeUploadExternal",
             "slack_test": "auth.test"}
EVENTS = {
    "app_mention": "app_mentions:read", "message.im": "im:history", "app_home_opened": None,
    "app_context_changed": "assistant:write", "agent_session_stopped": "assistant:write",
    "subteam_members_changed": "usergroups:read", "user_change": "users:read",
    "app_uninstalled": None, "tokens_revoked": None,
}
# Sent without being asked for, or only to apps with the older view.
NOT_SUBSCRIBED = {"message", "assistant_thread_started", "assistant_thread_context_changed",
                  "app_rate_limited", "url_verification"}
FEATURES = {"commands": ("slash_commands", "shortcuts"), "assistant:write": ("agent_view",)}
# A file that is not asked for anywhere yet would be asked for in the wrong place.
SURFACE = ("slack", "assistant")


def load(name):
    return yaml.safe_load((SOURCE / "deploy" / "slack" / name).read_text(encoding="utf-8"))


def faults(value, rule, where=""):
    if isinstance(rule, dict):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        found = [f"{where}/{k} is none" for k in value if k not in rule]
        return found + [f for k, v in value.items() if k in rule
                        for f in faults(v, rule[k], f"{where}/{k}")]
    if isinstance(rule, list):
        if not isinstance(value, list) or len(value) > rule[1] or not value:
            return [f"{where} is no list of 1 to {rule[1]}"]
        return [f for i, v in enumerate(value) for f in faults(v, rule[0], f"{where}/{i}")]
    if isinstance(rule, int) and not isinstance(rule, bool):
        return [] if isinstance(value, str) and 0 < len(value) <= rule else \
            [f"{where} is no text of 1 to {rule}"]
    return [] if isinstance(value, rule) else [f"{where} is no {rule.__name__}"]


def more_faults(m):
    """What no table says."""
    features, settings = m["features"], m["settings"]
    scopes = m["oauth_config"]["scopes"]["bot"]
    home, name = features["app_home"], m["display_information"]
    urls = [c.get("url") for c in features["slash_commands"]] + \
        [settings["event_subscriptions"].get("request_url"),
         settings["interactivity"].get("request_url"),
         settings["interactivity"].get("message_menu_options_url")]
    kinds = [s["type"] for s in features["shortcuts"]]
    rules = {
        "people can write to it": home["messages_tab_enabled"] and
                                  not home["messages_tab_read_only_enabled"],
        "a long description is long": len(name["long_description"]) >= 175,
        "mentions in commands come as ids": all(c["should_escape"]
                                                for c in features["slash_commands"]),
        "five shortcuts of a kind": max(kinds.count(k) for k in kinds) <= 5 and
                                    set(kinds) <= {"message", "global"},
        "addresses are https": all(u is None or u.startswith("https://") for u in urls),
        "addresses with HTTP, none with Socket Mode":
            all((u is None) == settings["socket_mode_enabled"] for u in urls),
        "one workspace": not settings["org_deploy_enabled"],
        "in order, each once": scopes == sorted(set(scopes)) and
            settings["event_subscriptions"]["bot_events"] ==
            sorted(set(settings["event_subscriptions"]["bot_events"])),
    }
    return [k for k, good in rules.items() if not good]


def called():
    """Methods that the surface calls."""
    found = set()
    for path in (p for folder in SURFACE for p in sorted((SOURCE / folder).rglob("*.c"))
                 if not p.name.endswith(("-test.c", "-fuzz.c"))):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found |= set(re.findall(r'"((?:chat|views|users|usergroups|conversations|files|apps|auth|'
                                r'reactions|pins|bookmarks|team|assistant[.]threads|'
                                r'agents[.]sessions)[.][a-z][A-Za-z]*(?:[.][A-Za-z]+)?)"', code))
        found |= {m for f, m in FUNCTIONS.items() if re.search(rf"\b{f}\(", code)}
    return found


def test_shape():
    for name in (HTTP, SOCKET, HISTORY):
        m = load(name)
        tap.equal(f"{name}: members and limits", faults(m, LIMITS), [])
        tap.equal(f"{name}: rules", more_faults(m), [])


def test_this_test():
    """It finds what is wrong."""
    def spoilt(change):
        m = copy.deepcopy(load(HTTP))
        change(m)
        return faults(m, LIMITS) + more_faults(m)
    for what, change in {
        "an unknown member": lambda m: m["settings"].update(surprise=1),
        "a long name": lambda m: m["display_information"].update(name="x" * 36),
        "both views": lambda m: m["features"].update(assistant_view={}),
        "five prompts": lambda m: m["features"]["agent_view"].update(
            suggested_prompts=[{"title": "a", "message": "b"}] * 5),
        "an address without TLS": lambda m: m["settings"]["interactivity"].update(
            request_url="http://wingman.example.com/"),
        "Socket Mode with addresses": lambda m: m["settings"].update(socket_mode_enabled=True),
        "names in commands": lambda m: m["features"]["slash_commands"][0].update(
            should_escape=False),
        "a scope twice": lambda m: m["oauth_config"]["scopes"]["bot"].append("users:read"),
    }.items():
        tap.ok(f"{what} is found", spoilt(change))
    longest = lambda m: m["display_information"].update(name="x" * 35)  # noqa: E731
    tap.equal("the longest name is none", spoilt(longest), [])


def test_twins():
    http, socket = load(HTTP), load(SOCKET)
    for command in http["features"]["slash_commands"]:
        del command["url"]
    del http["settings"]["event_subscriptions"]["request_url"]
    del http["settings"]["interactivity"]["request_url"]
    del http["settings"]["interactivity"]["message_menu_options_url"]
    http["settings"]["socket_mode_enabled"] = True
    tap.equal("they differ in addresses and Socket Mode alone", http, socket)


def test_history():
    """The optional one asks for two scopes more, which the shipped ones do not, and the code
    reads threads only where it is configured."""
    http, more = load(HTTP), load(HISTORY)
    asked = set(more["oauth_config"]["scopes"]["bot"])
    tap.equal("two scopes more", asked - set(http["oauth_config"]["scopes"]["bot"]),
              {"channels:history", "groups:history"})
    more["oauth_config"] = http["oauth_config"]
    tap.equal("and nothing else", more, http)
    code = (SOURCE / "slack/process/talks_thread.c").read_text(encoding="utf-8")
    tap.ok("only where config/slack.yaml says so", "if (!f->settings.thread_history ||" in code)


def test_scopes():
    m = load(HTTP)
    scopes = set(m["oauth_config"]["scopes"]["bot"])
    events = m["settings"]["event_subscriptions"]["bot_events"]
    methods = called()
    tap.ok("the surface calls something", "chat.postMessage" in methods, methods)
    tap.equal("each method is known here", methods - set(METHODS), set())
    wanted = {s for x in methods for s in METHODS.get(x, ())}
    wanted |= {EVENTS[e] for e in events if EVENTS.get(e)}
    wanted |= {s for s, names in FEATURES.items() if set(names) & set(m["features"])}
    tap.equal("a scope for each that needs one", wanted - scopes, set())
    tap.equal("and none besides", scopes - wanted, set())


def test_events():
    m = load(HTTP)
    events = set(m["settings"]["event_subscriptions"]["bot_events"])
    code = (SOURCE / "slack/inbound/inbound_event.c").read_text(encoding="utf-8")
    read = set(re.findall(r'\{ "([a-z_]+)", read_\w+ \}', code))
    tap.equal("each event is one that is known here", events - set(EVENTS), set())
    tap.equal("each is read", {e.split(".")[0] for e in events} - read, set())
    tap.equal("and what is read is asked for",
              read - {e.split(".")[0] for e in events} - NOT_SUBSCRIBED, set())


def test_addresses():
    """The paths are those that the process has."""
    m = load(HTTP)
    paths = {u.removeprefix("https://wingman.example.com") for u in (
        m["features"]["slash_commands"][0]["url"],
        m["settings"]["event_subscriptions"]["request_url"],
        m["settings"]["interactivity"]["request_url"],
        m["settings"]["interactivity"]["message_menu_options_url"])}
    code = "".join(p.read_text(encoding="utf-8")
                   for p in (SOURCE / "slack/ingress").glob("*.c"))
    tap.equal("paths", {p for p in paths if f'"{p}"' not in code}, set())


def test_shared():
    """The two that were found good against Slack's schema pass here."""
    if not SHARED.exists():
        tap.skip("manifests that Slack's schema takes", "../shared is not there")
        return
    for name in ("manifest_http.yaml", "manifest_socket.yaml"):
        other = yaml.safe_load((SHARED / name).read_text(encoding="utf-8"))
        other["oauth_config"].pop("redirect_urls", None)
        tap.equal(f"{name} is taken", faults(other, LIMITS), [])
        mine = load(HTTP if "http" in name else SOCKET)
        tap.equal(f"{name}: ours has no member that it has not",
                  members(mine) - members(other), set())


def members(value, where=""):
    found = set()
    for k, v in value.items() if isinstance(value, dict) else []:
        found |= {f"{where}/{k}"} | members(v, f"{where}/{k}")
    for v in value if isinstance(value, list) else []:
        found |= members(v, where)
    return found


if __name__ == "__main__":
    tap.run([test_shape, test_this_test, test_twins, test_history, test_scopes, test_events, test_addresses,
             test_shared])
    tap.done()
