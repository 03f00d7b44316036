"""Everything that slack/ draws, held against Slack's published types and limits by a judge
that was written from Slack's tables (slack/blocks.py), and a thousand hostile values through
every renderer: no markup, no missing byte, nobody paged.
"""

import glob
import json
import os
import random
import re
import subprocess

import tap
from slack import blocks, types

BUILD = os.environ["WINGMAN_BUILD"]
SOURCE = os.environ["WINGMAN_SOURCE"]
PROGRAM = os.path.join(BUILD, "tests", "slack-draw-all")
HOSTILE = 1000
HOSTS = ["docs.company.com", "*.wiki.company.com"]
PEOPLE = {"U0ALICE01": {"name": "Alice <b>", "notify": True},
          "U0BOB0001": {"name": "Bob", "notify": False}}


class Drawer:
    """The C program, a line in, a line out."""

    def __enter__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)

    def draw(self, what, **data):
        line = json.dumps({"what": what, "data": data})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"slack-draw-all ended at {line[:400]}")
        return json.loads(answer)


class Judge:
    """All three judges at once."""

    def __init__(self, published):
        self.published = published
        self.drawn = 0

    def faults(self, drawn, users=(), promises=True):
        found = []
        for message in drawn.get("messages", []) + [drawn[k] for k in ("message",) if k in drawn]:
            self.drawn += 1
            found += blocks.check_call("chat.postMessage", dict(message, channel="C1"))
            found += blocks.check_call("chat.update", dict(message, channel="C1", ts="1.1"))
            found += self.published.check_blocks(message["blocks"])
            if promises:
                found += blocks.check_promises(message, users, HOSTS)
                if re.search("[<>&*~`@#|]", message["text"]):
                    found.append(f"markup in the fallback {message['text']!r}")
        if "view" in drawn:
            self.drawn += 1
            found += blocks.check_view(drawn["view"])
            found += self.published.check_view(drawn["view"])
            if promises:
                found += blocks.check_promises(drawn["view"], (), HOSTS)
        if "error" in drawn:
            found.append(f"not drawn: {drawn}")
        return found


def schemas():
    for path in sorted(glob.glob(os.path.join(SOURCE, "schemas", "*", "*.json"))):
        with open(path) as f:
            tool = json.load(f)
        if "inputSchema" in tool:
            server, name = path.split(os.sep)[-2:]
            yield server, dict(tool, name=f"{server}.{name[:-5]}")


# ---- The judge itself ------------------------------------------------------------------------

def rich(*texts, kind="rich_text_section"):
    return {"type": "rich_text", "elements": [
        {"type": kind, "elements": [{"type": "text", "text": t}]} for t in texts]}


def plain(text):
    return {"type": "plain_text", "text": text, "emoji": False}


def button(**more):
    return dict({"type": "button", "action_id": "a", "text": plain("x"), "value": "v"}, **more)


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def many(n):
    return [button(action_id=f"a{i}") for i in range(n)]


def menu(n, **more):
    return dict({"type": "static_select", "action_id": "a", "options": [
        {"text": plain("x"), "value": str(i)} for i in range(n)]}, **more)


def confirm(n):
    return {"title": plain("t"), "text": plain("x" * n), "confirm": plain("c"),
            "deny": plain("d")}


def field(element, **more):
    return dict({"type": "input", "label": plain("l"), "element": element}, **more)


def choices(n):
    return [{"text": plain("x"), "value": str(i)} for i in range(n)]


def posted(text):
    return {"text": text, "blocks": json.dumps([rich("x")]), "parse": "none",
            "unfurl_links": "false", "unfurl_media": False}


def grouped(groups):
    return modal(field({"type": "static_select", "action_id": "a", "option_groups": groups}))


def modal(*given, **more):
    return dict({"type": "modal", "title": plain("t"), "submit": plain("s"),
                 "blocks": list(given) or [rich("x")]}, **more)


def cells(rows, columns, size=1):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * size}] * columns
                                      for _ in range(rows)]}


# Name: what Slack takes at n, and where; n+1 is too much.
LIMITS = {
    "blocks of a message": (blocks.MESSAGE, lambda n: [{"type": "divider"}] * n, 50),
    "characters of a message": (
        blocks.MESSAGE, lambda n: [rich(*["x" * 3000] * 4, "x" * (n - 12000))], 13200),
    "characters of a text element": (blocks.MESSAGE, lambda n: [rich("x" * n)], 3000),
    "two units of UTF-16 count as two": (
        blocks.MESSAGE, lambda n: [rich("\U0001f600" * 1499 + "x" * (n - 2998))], 3000),
    "characters of a header": (
        blocks.MESSAGE, lambda n: [{"type": "header", "text": plain("x" * n)}], 150),
    "elements of actions": (blocks.MESSAGE, lambda n: [actions(*many(n))], 25),
    "words of a button": (
        blocks.MESSAGE, lambda n: [actions(button(text=plain("x" * n)))], 75),
    "value of a button": (blocks.MESSAGE, lambda n: [actions(button(value="x" * n))], 2000),
    "address of a button": (blocks.MESSAGE, lambda n: [actions(button(url="x" * n))], 3000),
    "action_id": (blocks.MESSAGE, lambda n: [actions(button(action_id="x" * n))], 255),
    "block_id": (blocks.MESSAGE, lambda n: [dict(rich("x"), block_id="x" * n)], 255),
    "words of a dialog": (
        blocks.MESSAGE, lambda n: [actions(button(confirm=confirm(n)))], 300),
    "text of a section": (
        blocks.MESSAGE, lambda n: [{"type": "section", "text": plain("x" * n)}], 3000),
    "fields of a section": (
        blocks.MESSAGE, lambda n: [{"type": "section", "fields": [plain("x")] * n}], 10),
    "a field of a section": (
        blocks.MESSAGE, lambda n: [{"type": "section", "fields": [plain("x" * n)]}], 2000),
    "elements of a context": (
        blocks.MESSAGE, lambda n: [{"type": "context", "elements": [plain("x")] * n}], 10),
    "options of a menu": (blocks.MESSAGE, lambda n: [actions(menu(n))], 100),
    "rows of a table": (blocks.MESSAGE, lambda n: [cells(n, 1)], 100),
    "columns of a table": (blocks.MESSAGE, lambda n: [cells(1, n)], 20),
    "characters of a table": (
        blocks.MESSAGE, lambda n: [{"type": "table", "rows": [
            [{"type": "raw_text", "text": "x" * 2500}]] * 3 +
            [[{"type": "raw_text", "text": "x" * (n - 7500)}]]}], 10000),
    "tables of a message": (blocks.MESSAGE, lambda n: [cells(1, 1)] * n, 1),
    "characters of Markdown": (
        blocks.MESSAGE, lambda n: [{"type": "markdown", "text": "x" * 6000},
                                   {"type": "markdown", "text": "x" * (n - 6000)}], 12000),
    "indent of a list": (blocks.MESSAGE, lambda n: [{"type": "rich_text", "elements": [
        {"type": "rich_text_list", "style": "bullet", "indent": n,
         "elements": [rich("x")["elements"][0]]}]}], 8),
    "blocks of a view": (None, lambda n: modal(*[{"type": "divider"}] * n), 100),
    "title of a view": (None, lambda n: modal(title=plain("x" * n)), 24),
    "submit of a view": (None, lambda n: modal(submit=plain("x" * n)), 24),
    "private_metadata": (None, lambda n: modal(private_metadata="x" * n), 3000),
    "callback_id": (None, lambda n: modal(callback_id="x" * n), 255),
    "label of an input": (None, lambda n: modal(field(menu(1), label=plain("x" * n))), 2000),
    "hint of an input": (None, lambda n: modal(field(menu(1), hint=plain("x" * n))), 2000),
    "length of an input": (None, lambda n: modal(field(
        {"type": "plain_text_input", "action_id": "a", "max_length": n})), 3000),
    "placeholder": (None, lambda n: modal(field(menu(1, placeholder=plain("x" * n)))), 150),
    "words of an option": (None, lambda n: modal(field(
        {"type": "checkboxes", "action_id": "a",
         "options": [{"text": plain("x" * n), "value": "v"}]})), 75),
    "value of an option": (None, lambda n: modal(field(
        {"type": "radio_buttons", "action_id": "a",
         "options": [{"text": plain("x"), "value": "x" * n}]})), 150),
    "boxes": (None, lambda n: modal(field(
        {"type": "checkboxes", "action_id": "a", "options": [
            {"text": plain("x"), "value": str(i)} for i in range(n)]})), 10),
    "title of a dialog": (blocks.MESSAGE, lambda n: [actions(button(confirm=dict(
        confirm(1), title=plain("x" * n))))], 100),
    "yes of a dialog": (blocks.MESSAGE, lambda n: [actions(button(confirm=dict(
        confirm(1), confirm=plain("x" * n))))], 30),
    "no of a dialog": (blocks.MESSAGE, lambda n: [actions(button(confirm=dict(
        confirm(1), deny=plain("x" * n))))], 30),
    "choices of an overflow": (blocks.MESSAGE, lambda n: [actions(
        {"type": "overflow", "action_id": "a", "options": choices(n)})], 5),
    "radio buttons": (None, lambda n: modal(field(
        {"type": "radio_buttons", "action_id": "a", "options": choices(n)})), 10),
    "description of an option": (None, lambda n: modal(field(
        {"type": "radio_buttons", "action_id": "a",
         "options": [dict(choices(1)[0], description=plain("x" * n))]})), 75),
    "options of a menu of several": (None, lambda n: modal(field(
        {"type": "multi_static_select", "action_id": "a", "options": choices(n)})), 100),
    "groups of options": (None, lambda n: grouped([{"label": plain("g"), "options": choices(1)}] * n),
                          100),
    "label of a group": (None, lambda n: grouped([{"label": plain("x" * n), "options": choices(1)}]),
                         75),
    "options of a group": (None, lambda n: grouped([{"label": plain("g"), "options": choices(n)}]),
                           100),
    "close of a view": (None, lambda n: modal(close=plain("x" * n)), 24),
    "external_id": (None, lambda n: modal(external_id="x" * n), 255),
    "least length of an input": (None, lambda n: modal(field(
        {"type": "plain_text_input", "action_id": "a", "min_length": n})), 3000),
    "initial text of an input": (None, lambda n: modal(field(
        {"type": "plain_text_input", "action_id": "a", "initial_value": "x" * n})), 3000),
    "focus of a view": (None, lambda n: modal(*[field(
        {"type": "plain_text_input", "action_id": "a", "focus_on_load": True})] * n), 1),
    "blocks of App Home": (None, lambda n: {"type": "home", "blocks": [{"type": "divider"}] * n}, 100),
}

# The same of what is sent beside blocks: method, arguments at n, n.
SENT = {
    "text of a post": ("chat.postMessage", lambda n: posted("x" * n), 40000),
    "text of an update": ("chat.update", lambda n: posted("x" * n), 4000),
    "Markdown of a stream": ("chat.appendStream", lambda n: {"markdown_text": "x" * n}, 12000),
    "Markdown of a chunk": ("chat.appendStream", lambda n: {"chunks": [
        {"type": "markdown_text", "text": "x" * n}]}, 12000),
    "blocks of a chunk": ("chat.appendStream", lambda n: {"chunks": [
        {"type": "blocks", "blocks": [{"type": "divider"}] * n}]}, 50),
    "blocks at the end of a stream": ("chat.stopStream", lambda n: {
        "blocks": [{"type": "divider"}] * n}, 50),
    "suggested prompts": ("assistant.threads.setSuggestedPrompts", lambda n: {
        "prompts": [{"title": "t", "message": "m"}] * n}, 4),
    "title of a session": ("agents.sessions.setStatus", lambda n: {"title": "x" * n}, 200),
}

# Name: what Slack refuses, whatever its size.
WRONG = {
    "an empty text": [rich("")],
    "two blocks with one id": [dict(rich("x"), block_id="b"), dict(rich("y"), block_id="b")],
    "two buttons with one id": [actions(button(), button())],
    "mrkdwn in a header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "a mention in preformatted text": [{"type": "rich_text", "elements": [
        {"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1A"}]}]}],
    "a block that is not known": [{"type": "blink"}],
    "a member that is not known": [dict(rich("x"), colour="red")],
    "a number where a person chooses one in a message": [field(
        {"type": "number_input", "action_id": "a", "is_decimal_allowed": False})],
    "options with one value": [actions(dict(menu(2), options=[
        {"text": plain("x"), "value": "v"}] * 2))],
    "an initial option that is none": [actions(menu(1, initial_option={
        "text": plain("y"), "value": "0"}))],
    "rows of unequal length": [{"type": "table", "rows": [
        [{"type": "raw_text", "text": "x"}], [{"type": "raw_text", "text": "x"}] * 2]}],
}


def test_judge():
    for name, (surface, make, n) in LIMITS.items():
        check = (lambda v, s=surface: blocks.check_blocks(v, s)) if surface else blocks.check_view
        tap.ok(f"{name}: {n} passes, {n + 1} does not", not check(make(n)) and check(make(n + 1)),
               f"{n}: {check(make(n))[:3]}\n{n + 1}: {check(make(n + 1))[:3]}")
    for name, (method, make, n) in SENT.items():
        good, bad = blocks.check_call(method, make(n)), blocks.check_call(method, make(n + 1))
        tap.ok(f"{name}: {n} passes, {n + 1} does not", not good and bad, (good[:3], bad[:3]))
    for name, given in WRONG.items():
        tap.ok(f"{name} is seen", blocks.check_blocks(given))
    tap.ok("a view with inputs wants a submit", blocks.check_view(
        {"type": "modal", "title": plain("t"), "blocks": [field(menu(1))]}))
    tap.ok("a table may not stand in a view", blocks.check_view(modal(cells(1, 1))))
    tap.ok("a view of more than 250 kB is seen", any(
        "bytes" in f for f in blocks.check_view(modal(*[rich("\u0416" * 3000)] * 20))))
    sent = {"text": "x", "blocks": json.dumps([rich("x")]), "parse": "none",
            "unfurl_links": "false", "unfurl_media": False}
    tap.equal("a call as it is sent passes", blocks.check_call("chat.postMessage", sent), [])
    for name, value in (("text", ""), ("parse", "full"), ("link_names", True),
                        ("unfurl_links", True), ("unfurl_media", None), ("blocks", "[{}]")):
        tap.ok(f"a call with {name} {value!r} does not",
               blocks.check_call("chat.postMessage", dict(sent, **{name: value})))
    tap.ok("an update with 4001 characters does not", blocks.check_call(
        "chat.update", dict(sent, text="x" * 4001)))
    log = [("auth.test", {}), ("chat.postMessage", sent), ("views.open", {"view": "{}"})]
    tap.ok("a log tells which call it was",
           [f.split(":")[0] for f in blocks.check_log(log)] == ["call 2, views.open"])


def test_promises():
    def sees(name, value, **allowed):
        tap.ok(f"a promise is broken by {name}", blocks.check_promises(value, **allowed))

    sees("mrkdwn", {"type": "mrkdwn", "text": "x"})
    sees("an image", {"type": "image", "image_url": "https://docs.company.com/x"},
         hosts=HOSTS)
    sees("a broadcast", [{"type": "broadcast", "range": "here"}])
    sees("a mention of somebody else", {"type": "user", "user_id": "U2"}, users=["U1"])
    sees("a link elsewhere", {"type": "link", "url": "https://docs.company.com.evil.example/"},
         hosts=HOSTS)
    sees("a link without TLS", {"type": "link", "url": "http://docs.company.com/"}, hosts=HOSTS)
    sees("a user in the address", {"type": "link", "url": "https://a@docs.company.com/"},
         hosts=HOSTS)
    sees("a character that hides", {"type": "text", "text": "a\u202eb"})
    sees("emoji", {"type": "plain_text", "text": ":x:", "emoji": True})
    tap.equal("and by nothing of ours", blocks.check_promises(
        [rich("<!here> :x: *b*"), {"type": "link", "url": "https://a.wiki.company.com/x"}],
        hosts=HOSTS), [])


def test_types(published):
    tap.equal("types take rich text", published.check_blocks([rich("x")]), [])
    for name, given in (("a block that is not known", [{"type": "blink"}]),
                        ("mrkdwn in a header", WRONG["mrkdwn in a header"]),
                        ("a button without words", [actions({"type": "button"})])):
        tap.ok(f"types see {name}", published.check_blocks(given))
    tap.ok("types see a view without a title",
           published.check_view({"type": "modal", "blocks": []}))


# ---- Everything that is drawn ----------------------------------------------------------------

def all_good(name, judge, drawings, users=()):
    faults, count = [], 0
    for what, drawn in drawings:
        count += 1
        faults += [f"{what}: {f}" for f in judge.faults(drawn, users)]
    tap.ok(f"{name}: {count} drawings", not faults and count, "\n".join(faults[:8]))


def prompts(d, tool, arguments, **more):
    """Every way in which one prompt is drawn, last the texts of all of its pages."""
    made = d.draw("call", tool=tool, arguments=arguments, **more)
    if "error" in made:
        return made, [("the prompt", made)]
    prompt = made["prompt"]
    drawn = [("message", d.draw("prompt", prompt=prompt, at=2)),
             ("along", d.draw("prompt", prompt=prompt, at=2, along=True)),
             ("why", d.draw("prompt_why", prompt=prompt)),
             ("ended", d.draw("prompt_ended", prompt=prompt, at=2, how="denied: <no>"))]
    for page in range(1, 201):
        view = d.draw("prompt_page", prompt=prompt, at=2, page=page)
        if view.get("code") == "not_found":
            break
        drawn.append((f"page {page}", view))
    return prompt, drawn


TOOL = {"name": "do_it", "title": "Do <!here> it", "description": "d",
        "inputSchema": {"type": "object", "properties": {"person": {"type": "string"}}},
        "_meta": {"org.wingman/risk": "destructive"}}


def test_surfaces(d, judge):
    for server, tool in schemas():
        pages = []
        for page in range(1, 30):
            view = d.draw("form", tool=tool, page=page)
            if view.get("code") == "not_found":
                break
            pages.append((f"page {page}", view))
        all_good(f"the form of {tool['name']}", judge, pages)
        all_good(f"the docs of {tool['name']}", judge, [("docs", d.draw(
            "docs", tool=dict(tool, risk="read", address="http://127.0.0.1/", digest="ab")))])
    prompt, drawn = prompts(d, TOOL, {"person": "bob"})
    all_good("a prompt", judge, drawn)
    _, drawn = prompts(d, TOOL, {"person": "x" * 30000})
    all_good("a long prompt", judge, drawn)
    all_good("words of others", judge,
             [("words", d.draw("words", by="assistant", text="*x* <@U1>\n" * 3000))])
    all_good("App Home for strangers", judge, [("stranger", d.draw("stranger"))])
    home = {"person": "alice@company.com", "checked_ms": 1, "servers": [
        {"name": "accounts", "up": True, "tools": [
            {"name": f"t{i}", "title": "<!here>", "risk": "read"} for i in range(95)]}],
        "waiting": [{"approval": f"a{i}", "server": "accounts", "tool": "t1",
                     "requester": "b@x", "expires_ms": 5} for i in range(12)],
        "recent": [{"server": "accounts", "tool": "t1", "state": "failed", "at_ms": 1,
                    "digest": "ab"}] * 12,
        "panels": [{"title": "h", "server": "s", "lines": ["<@U1>"] * 20, "more": 3, "cut": True,
                    "read_ms": 1}] * 3 + [{"title": "h", "fault": "<!channel>"}] * 2}
    all_good("App Home", judge, [(f"page {p}", d.draw("home", home=home, page=p, at=1))
                                 for p in range(1, 11)])
    all_good("progress", judge, [(str(ms), d.draw(
        "progress", server="accounts", tool="t1", ran_ms=ms)) for ms in
        (-1, 0, 12000, 29999, 30000, 119999, 120000, 10 ** 12)])


# ---- Markdown --------------------------------------------------------------------------------

def test_markdown(d, judge):
    sheet = "\n\n".join([
        "# H\n## *H2*", "a *b* **c** ~~d~~ `e`\nf  \ng\\\nh", "> q\n> > r\n> 1. s",
        "- a\n- b\n  - c\n    1. d\n    2. e\n\n       f\n- [x] g\n- [ ] h",
        "3. three\n4. four", "0. nought", "```py\nx = 1\n\ty\n```", "    indented", "---",
        "| a | b |\n|:-:|--:|\n| 1 | **2** |\n| [l](https://docs.company.com/) | |",
        "[x](https://docs.company.com/a?b) <https://docs.company.com/> www.evil.example "
        "https://evil.example/ a@b.example [y](javascript:alert(1)) ![i](https://e.example/i)",
        "<@U0ALICE01> <@U0BOB0001> <@U0MALLORY> <!here> <!channel> <!subteam^S1> @here"])
    drawn = d.draw("markdown", text=sheet, heading="Written by the assistant", hosts=HOSTS,
                   people=PEOPLE)
    all_good("all of Markdown", judge, [("sheet", drawn)], ["U0ALICE01"])
    tap.ok("one person is called", json.dumps(drawn).count('"user_id"') == 1)
    nothing = d.draw("markdown", text=sheet)
    all_good("the same without hosts and people", judge, [("sheet", nothing)])
    tap.ok("no link and nobody is called then",
           '"url"' not in json.dumps(nothing) and "user_id" not in json.dumps(nothing))
    tap.equal("nothing can be pressed", blocks.buttons(drawn), [])
    wide = "| " + " | ".join("abcdefghijklmnopqrstu") + " |\n|" + "-|" * 21 + "\n"
    long = "| n |\n|---|\n" + "".join(f"| {i} |\n" for i in range(350))
    for name, text in (("long", "word " * 30000), ("one word", "x" * 40000),
                       ("lines", "line\n" * 8000), ("a list", "- item\n" * 4000),
                       ("deep", "> " * 60 + "x"), ("a wide table", wide + wide),
                       ("a long table", long), ("a fence", "```\n" + "code\n" * 5000),
                       ("a row that is long", f"| a |\n|---|\n| {'y' * 9500} |\n"),
                       ("emoji", "\U0001f600" * 6000), ("escapes", "\u202e" * 6000),
                       ("headings", "# x\n" * 3000), ("tables", (long[:60] + "\n\n") * 30),
                       ("nothing", ""), ("spaces", "  \n "), ("a NUL", "a\0b")):
        drawn = d.draw("markdown", text=text, heading="Written by the assistant")
        all_good(f"Markdown, {name}", judge, [(name, drawn)])


def streamed(steps):
    """The messages that the steps of a stream make."""
    messages = []
    for step in steps:
        if step["new"]:
            messages.append([])
        messages[-1] += step["blocks"]
    return [{"text": "x", "blocks": made, "parse": "none", "unfurl_links": False,
             "unfurl_media": False} for made in messages]


def said(messages):
    """All texts, without the headings: where messages end is not the same."""
    return "".join(t for t in blocks.texts([m["blocks"] for m in messages])
                   if not t.startswith("Written by the assistant"))


def test_streams(d, judge):
    page = ("## Head\n\nWords with [a link](https://docs.company.com/x), <@U0ALICE01> and **bold "
            "words**.\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | [e](https://evil.example/) |\n\n"
            "```\ncode\n\nof lines\n```\n\n> <@U0ALICE01> <!here>\n\n")
    for name, text, step in (("a page", page, 1), ("pages", page * 60, 97),
                             ("code", "```\n" + "line\n" * 9000, 33),
                             ("one paragraph", "words **and** " * 3000, 50),
                             ("a list", "- item\n" * 4000, 41), ("one line", "x" * 50000, 64),
                             ("a line of code", "```\n" + "x" * 50000, 64)):
        drawn = d.draw("stream", text=text, step=step, heading="Written by the assistant",
                       hosts=HOSTS, people=PEOPLE)
        messages = streamed(drawn["steps"])
        all_good(f"a stream, {name}, as {len(drawn['steps'])} steps", judge,
                 [("steps", {"messages": messages}), ("edits", drawn)], ["U0ALICE01"])
        tap.equal(f"{name}: each step fits where it goes", blocks.check_log(
            [("chat.appendStream", {"chunks": [{"type": "blocks", "blocks": step["blocks"]}]})
             for step in drawn["steps"]]), [])
        tap.ok(f"{name}: nobody is called twice", json.dumps(messages).count('"user_id"') ==
               ("U0ALICE01" in text))
        tap.ok(f"{name}: steps and edits say the same",
               said(messages) == said(drawn["messages"]))


def test_nothing_is_lost(d):
    """Words that stand anywhere in Markdown stand in what is drawn."""
    text = ("# w1\nw2 *w3* [w4](https://w5.example/w6 \"w7\") ![w8](http://w9.example)\n"
            "<w10>w11</w10> &w12; `w13` <!-- w14 -->\n\n[w15]: https://w16.example 'w17'\n"
            "[//]: # (w18)\n\n| w19 |\n|---|\n| w20 | w21 | w22 |\n\n```w23 w24\nw25\n```\n"
            "> w26\n> - w27\n\n1. w28\n   - w29\n\n         w30\n")
    shown = "\n".join(blocks.texts(d.draw("markdown", text=text)["messages"]))
    lost = [f"w{i}" for i in range(1, 31) if not re.search(rf"w{i}\b", shown)]
    tap.equal("no word of a page of Markdown is lost", lost, [])
    text = "".join(f"paragraph {i} of many words\n\n" for i in range(5000))
    drawn = d.draw("markdown", text=text, messages_max=3)["messages"]
    mark = re.search(r"(\d+) of (\d+) characters shown", "\n".join(blocks.texts(drawn)))
    tap.ok("what is cut says so", len(drawn) == 3 and mark and
           0 < int(mark.group(1)) < int(mark.group(2)))
    drawn = d.draw("markdown", text=text[:9000], messages_max=3)["messages"]
    tap.ok("what is not cut does not", "characters shown" not in str(blocks.texts(drawn)))


# ---- Results ---------------------------------------------------------------------------------

def record(result, **more):
    return dict({"id": "01k5", "state": "succeeded", "server": "accounts", "tool": "get_account",
                 "result": result}, **more)


def text_result(text):
    return {"content": [{"type": "text", "text": text}], "isError": False}


def all_pages(d, given):
    drawn = [("result", d.draw("result", record=given, id="01k5", hosts=HOSTS))]
    for page in range(1, drawn[0][1].get("pages", 0) + 1):
        drawn.append((f"page {page}", d.draw("result_page", record=given, id="01k5",
                                             hosts=HOSTS, page=page)))
    return drawn


def test_results(d, judge):
    rows = [{"system": "ldap", "since": "2026-11-22T10:00:00Z", "n": i, "who": None,
             "tags": ["a", "b"], "url": "https://docs.company.com/x"} for i in range(5)]
    for name, given in (
            ("text", text_result("two accounts\n\tof bob")),
            ("rows", {"content": [], "structuredContent": {"accounts": rows}}),
            ("many rows", {"content": [], "structuredContent": {"accounts": rows * 60}}),
            ("rows alone", {"content": [], "structuredContent": rows}),
            ("odd rows", {"content": [], "structuredContent": {"a": [{"b": {"c": 1}}, 2]}}),
            ("deep", {"content": [], "structuredContent": {"a": {"b": {"c": {"d": {"e": []}}}}}}),
            ("long text", text_result("line of words\n" * 20000)),
            ("very long text", text_result("x" * 900000)),
            ("long cells", {"content": [], "structuredContent": {"a": [{"b": "y" * 400}] * 9}}),
            ("many columns", {"content": [], "structuredContent": {
                "a": [{f"c{i}": i for i in range(21)}]}}),
            ("long names", {"content": [], "structuredContent": {
                "n" * 200: 1, "a": [{"m" * 70: 1}]}}),
            ("empty", {"content": []}),
            ("null", {"content": [], "structuredContent": None}),
            ("other kinds", {"content": [
                {"type": "image", "mimeType": "image/png", "data": "AAAA"},
                {"type": "resource", "resource": {"uri": "x://<!here>", "text": "*t*"}},
                {"type": "resource_link", "uri": "https://evil.example/", "name": "n"}, {}, 7]}),
            ("an error", {"content": [{"type": "text", "text": "e"}], "isError": True,
                          "structuredContent": {"error": {
                              "code": "ambiguous", "message": "two *people*", "hint": "say which",
                              "details": {"candidates": [{"dn": "uid=a"}, {"dn": "uid=b"}]}}}})):
        all_good(f"a result, {name}", judge, all_pages(d, record(given)))
    for state in ("proposed", "executing", "failed", "unknown", "denied", "expired",
                  "superseded", "cancelled", "revoked", "lapsed", "refused"):
        given = {"id": "01k5", "state": state, "server": "a", "tool": "b",
                 "outcome": {"state": state, "error": {"code": "timeout", "message": "slow"},
                             "verified": False}}
        all_good(f"a call that is {state}", judge, all_pages(d, given))
    parts = record(None, state="failed", server="gate", tool="several", parts=[
        record(text_result("one")), record(None, state="failed", outcome={
            "state": "failed", "error": {"code": "x<!here>", "message": "m"}})])
    del parts["result"], parts["parts"][1]["result"]
    all_good("several calls", judge, all_pages(d, parts))


def test_results_say_it_all(d):
    drawn = d.draw("result", record=record({"content": [], "structuredContent": {
        "when": "2026-11-22T10:00:00Z", "who": "alice@company.com", "password": "hunter2",
        "note": "token xoxb-123456789012-abcdefghij", "at": "https://evil.example/x",
        "doc": "https://docs.company.com/x"}}), id="01k5", hosts=HOSTS,
        people={"alice@company.com": {"name": "Alice"}})
    raw = json.dumps(drawn)
    tap.ok("a time is a date", '"timestamp": 1795341600' in raw)
    tap.ok("a person is a name, and nobody is called",
           "@Alice (alice@company.com)" in raw and "user_id" not in raw)
    tap.ok("secrets are struck out", "hunter2" not in raw and "xoxb-1" not in raw
           and raw.count("[redacted]") == 2, raw)
    tap.ok("a link leads where it may", raw.count('"url"') == 1 and "evil.example/x" in raw)
    words = "".join(f"<{i}> " for i in range(20000))
    pages = all_pages(d, record(text_result(words)))
    shown = "".join(preformatted([page["view"] for _, page in pages[1:]]))
    tap.ok("pages have all of it", len(pages) > 2 and shown == words,
           f"{len(pages)} pages, {len(shown)} of {len(words)}")
    tap.equal("what is long can be had whole by one button", blocks.buttons(pages[0][1]),
              ["wingman.result.show"])
    tap.equal("a page in the middle goes both ways", blocks.buttons(pages[2][1]),
              ["wingman.result.back", "wingman.result.next"])
    tap.equal("what is short has no button", blocks.buttons(drawn), [])
    given = record(text_result("y\n" * 400000))
    drawn = d.draw("result", record=given, id="01k5")
    tap.ok("what is longer than pages is a file", drawn["as_file"] and drawn["pages"] == 0)
    made = d.draw("result_file", record=given)
    tap.ok("... with all of it", made["name"] == "accounts.get_account.txt"
           and made["text"].count("y\n") >= 400000)
    tap.equal("... and no button", blocks.buttons(drawn), [])


# ---- A thousand hostile values ---------------------------------------------------------------

WHOLE = [
    "<!channel> <!here> <!everyone> <@U0ALICE01> <#C0OPS> <!subteam^S1>",
    "<https://evil.example|okta.com> https://evil.example mailto:a@b.example",
    "<!date^1795370400^{date_short}^https://evil.example|now>",
    "```\n*Approved by* _alice_ ~no~ `code`\n```", ":white_check_mark: :lock: approved",
    "# Approve this call?\n[Approve](https://docs.company.com/x) **Deny**",
    "| a | b |\n|---|---|\n| <!here> | ![x](https://evil.example/x.png) |",
    "\u202eroot\u202c \u2066x\u2069 \u200b\u200d\u2060\ufeff\u00ad", "p\u0430ypal.com \u2028 \u2029",
    "\x1b[2J\x1b]8;;https://evil.example\x07x", "a\r\nb\rc\td\be\x7f\x85", "\U000e0041\U000e007f\ufe0f",
    "Z\u031b\u033a\u031d\u032c\u0353\u0347", " " * 40 + "x", "\n" * 30 + "Approve", "\"", "\\", "\\u202e",
    "&lt;!here&gt; &#60;!here> &amp;lt;", "", " ", "null", "{\"person\":\"root\"}",
    "<a href='https://evil.example'>x</a><script>alert(1)</script>",
    "[docs.company.com](https://evil.example/) [a](https://docs.company.com@evil.example/)",
    "[evil.example](https://docs.company.com/)", "https://docs.company.com.evil.example/",
    "https://d\u043ecs.company.com/", "- " * 40 + "x", "> " * 20 + "<!here>", "*" * 200, "[" * 200,
]


def hostile(random_):
    if random_.random() < 0.4:
        return "".join(random_.choice(WHOLE) for _ in range(random_.randint(1, 3)))
    length = random_.choice((1, 5, 40, 300, 4000))
    made = []
    for _ in range(random_.randint(1, length)):
        kind = random_.randint(0, 4)
        c = random_.randint(0x20, 0x7e) if kind < 2 else random_.randint(1, 0x2fff) \
            if kind < 4 else random_.randint(1, 0x10fffd)
        # Surrogates and noncharacters are no contract JSON: they never come here.
        if 0xd800 <= c <= 0xdfff or 0xfdd0 <= c <= 0xfdef or c & 0xfffe == 0xfffe:
            c = 0x202e
        made.append(chr(c))
    if random_.random() < 0.3:
        made.insert(random_.randint(0, len(made)), random_.choice(WHOLE))
    return "".join(made)


ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


def unescape(shown):
    simple = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
    return ESCAPE.sub(lambda m: simple.get(m.group(1)) or chr(int(m.group(1)[1:], 16)), shown)


def preformatted(drawn):
    """The lines of all preformatted text, those that go on put together."""
    lines = []
    for message in drawn:
        for block in message["blocks"]:
            for part in block.get("elements", []):
                if part["type"] != "rich_text_preformatted":
                    continue
                for line in part["elements"][0]["text"].split("\n"):
                    if line.startswith("| "):
                        lines[-1] += line[2:]
                    else:
                        lines.append(line)
    return lines


def shown_value(drawn, name):
    lines = preformatted(drawn)
    for i, line in enumerate(lines):
        if line == name and lines[i + 1].startswith('  "'):
            return unescape(lines[i + 1][3:-1])
    return None


def test_hostile(d, judge):
    random_ = random.Random(7)
    faults, wrong, texts_wrong, counted = [], [], [], 0
    for i in range(HOSTILE):
        value = hostile(random_)
        prompt, drawn = prompts(d, TOOL, {"person": value})
        pages = [v["view"] for what, v in drawn if what.startswith("page") and "view" in v]
        if shown_value(pages, "person") != value:
            wrong.append(f"{i}: {value[:80]!r} is {shown_value(pages, 'person')!r:.80}")
        given = record({"content": [{"type": "text", "text": value}],
                        "structuredContent": {"v": value, "rows": [{"a": value, "b": 1}]}})
        result = all_pages(d, given)
        markdown = ("markdown", d.draw("markdown", text=value, hosts=HOSTS,
                                       heading="Written by the assistant"))
        form = ("form", d.draw("form", tool=dict(TOOL, name="a.b"), values={"person": value}))
        for what, one in drawn + result + [markdown, form]:
            counted += 1
            # A form gives people back what they typed, to be edited: it is no text of ours.
            faults += [f"{i} {what}: {f}" for f in judge.faults(one, (), what != "form")]
        pressable = set(blocks.buttons([one for _, one in result + [markdown]]))
        if pressable - {"wingman.result.show", "wingman.result.back", "wingman.result.next"}:
            texts_wrong.append(f"{i}: {pressable}")
    tap.ok(f"{HOSTILE} hostile values in {counted} drawings: no markup, nobody paged, "
           "within all limits", not faults, "\n".join(faults[:8]))
    tap.ok("no byte of a value is missing in a prompt", not wrong, "\n".join(wrong[:8]))
    tap.ok("nothing in a text can be pressed", not texts_wrong, "\n".join(texts_wrong[:8]))


def main():
    test_judge()
    test_promises()
    why = types.missing()
    if why:
        tap.skip("what is drawn", why)
        return
    with types.Types() as published, Drawer() as d:
        judge = Judge(published)
        test_types(published)
        test_surfaces(d, judge)
        test_markdown(d, judge)
        test_streams(d, judge)
        test_nothing_is_lost(d)
        test_results(d, judge)
        test_results_say_it_all(d)
        test_hostile(d, judge)
        tap.note(f"{judge.drawn} messages and views were judged")


if __name__ == "__main__":
    tap.run([main])
    tap.done()
