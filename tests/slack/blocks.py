"""What Slack takes: a checker of its own, written from Slack's tables and not from our code.

    from slack import blocks

    faults = blocks.check_call("chat.postMessage", {"channel": ..., "text": ..., "blocks": ...})
    faults = blocks.check_log(calls)     # [(method, arguments), ...] of a recorded run

A fault is a sentence with a path ("blocks[2].elements[0]: ..."); no faults, an empty list.
Arguments are as they were sent: 'blocks', 'view', 'chunks' and 'metadata' may be JSON text.

Three things are held apart: the limits and surfaces of Slack's reference ("Block Kit"), the
published types (types.py, by way of ajv, which knows shapes but no lengths), and what we
promise of our own messages (check_promises: literal texts, no markup, nobody is paged).
"""

import json
import re
import unicodedata

MESSAGE, MODAL, HOME = "message", "modal", "home"
ALL = (MESSAGE, MODAL, HOME)

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 13200  # a message with more is refused; reported, not promised
TABLE_CHARACTERS = 10000
VIEW_BYTES = 250 * 1000
TEXT_POSTED = 40000
TEXT_UPDATED = 4000
MARKDOWN = 12000


def units(text):
    """Characters as Slack counts them where it counts most: UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Checker:
    def __init__(self, surface):
        self.surface = surface
        self.faults = []
        self.characters = 0
        self.tables = 0
        self.markdown = 0
        self.focused = 0
        self.block_ids = set()
        self.inputs = 0

    def fault(self, path, words):
        self.faults.append(f"{path}: {words}")

    # ---- small things ----

    def string(self, value, path, most, least=1, counted=False):
        if not isinstance(value, str):
            return self.fault(path, f"is no string: {value!r:.60}")
        if not least <= units(value) <= most:
            self.fault(path, f"has {units(value)} characters, not {least} to {most}")
        if counted:
            self.characters += units(value)

    def count(self, value, path, most, least=1):
        if not isinstance(value, list):
            self.fault(path, "is no list")
            return []
        if not least <= len(value) <= most:
            self.fault(path, f"has {len(value)} members, not {least} to {most}")
        return value

    def only(self, value, path, needed, optional=""):
        if not isinstance(value, dict):
            self.fault(path, "is no object")
            return False
        for name in needed.split():
            if name not in value:
                self.fault(path, f"lacks '{name}'")
        for name in value:
            if name not in needed.split() + optional.split():
                self.fault(path, f"has '{name}', which is not known")
        return all(name in value for name in needed.split())

    def flag(self, value, path, name):
        if name in value and not isinstance(value[name], bool):
            self.fault(path, f"'{name}' is no boolean")

    def one_of(self, value, path, words):
        if value not in words:
            self.fault(path, f"is {value!r}, not one of {', '.join(words)}")

    def text(self, value, path, most=3000, plain=False):
        """A text object."""
        if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
            return self.fault(path, "is no text object")
        if value["type"] == "mrkdwn" and plain:
            self.fault(path, "is mrkdwn where only plain text may stand")
        self.only(value, path, "type text",
                  "emoji" if value["type"] == "plain_text" else "verbatim")
        self.flag(value, path, "emoji")
        self.flag(value, path, "verbatim")
        self.string(value.get("text"), path, most, counted=True)

    def plain(self, value, path, most):
        self.text(value, path, most, plain=True)

    # ---- elements ----

    def option(self, value, path, texts="plain"):
        if not self.only(value, path, "text value", "description url"):
            return
        if texts == "plain":
            self.plain(value["text"], path + ".text", 75)
        else:
            self.text(value["text"], path + ".text", 75)
        self.string(value["value"], path + ".value", 150)
        if "description" in value:
            self.text(value["description"], path + ".description", 75, texts == "plain")

    def options(self, value, path, most=100, least=1, texts="plain"):
        seen = set()
        for i, one in enumerate(self.count(value, path, most, least)):
            self.option(one, f"{path}[{i}]", texts)
            if isinstance(one, dict):
                if one.get("value") in seen:
                    self.fault(f"{path}[{i}]", "has the value of another")
                seen.add(one.get("value"))

    def confirm(self, value, path):
        if self.only(value, path, "title text confirm deny", "style"):
            self.plain(value["title"], path + ".title", 100)
            self.text(value["text"], path + ".text", 300)
            self.plain(value["confirm"], path + ".confirm", 30)
            self.plain(value["deny"], path + ".deny", 30)

    def element_common(self, value, path):
        if "action_id" in value:
            self.string(value["action_id"], path + ".action_id", 255)
        if "placeholder" in value:
            self.plain(value["placeholder"], path + ".placeholder", 150)
        if "confirm" in value:
            self.confirm(value["confirm"], path + ".confirm")
        self.focused += value.get("focus_on_load") is True

    def button(self, value, path):
        self.only(value, path, "type text", "action_id value url style confirm "
                  "accessibility_label")
        self.plain(value.get("text"), path + ".text", 75)
        if "value" in value:
            self.string(value["value"], path + ".value", 2000)
        if "url" in value:
            self.string(value["url"], path + ".url", 3000)
        if "style" in value:
            self.one_of(value["style"], path + ".style", ("primary", "danger"))
        if "accessibility_label" in value:
            self.string(value["accessibility_label"], path, 75)

    def menu(self, value, path):
        kind = value["type"]
        multi = kind.startswith("multi_")
        extra = "max_selected_items " if multi else ""
        initial = "initial_options" if multi else "initial_option"
        if kind.endswith("static_select"):
            self.only(value, path, "type", "action_id options option_groups placeholder "
                      f"confirm focus_on_load {extra}{initial}")
            if ("options" in value) == ("option_groups" in value):
                self.fault(path, "has not one of options and option_groups")
            if "options" in value:
                self.options(value["options"], path + ".options")
                chosen = value.get(initial, [])
                for one in chosen if isinstance(chosen, list) else [chosen]:
                    if one not in value["options"]:
                        self.fault(path, "begins with what is no option of it")
            groups = value.get("option_groups")
            for i, group in enumerate([] if groups is None else self.count(
                    groups, path + ".option_groups", 100)):
                where = f"{path}.option_groups[{i}]"
                if self.only(group, where, "label options"):
                    self.plain(group["label"], where + ".label", 75)
                    self.options(group["options"], where + ".options")
        elif kind.endswith("external_select"):
            self.only(value, path, "type", "action_id placeholder confirm focus_on_load "
                      f"min_query_length {extra}{initial}")
        else:
            what = re.sub("^multi_|s_select$", "", kind)
            self.only(value, path, "type", "action_id placeholder confirm focus_on_load "
                      f"{extra}initial_{what} initial_{what}s filter response_url_enabled "
                      "default_to_current_conversation")
        if multi and value.get("max_selected_items", 1) < 1:
            self.fault(path, "max_selected_items is below 1")

    def boxes(self, value, path):
        initial = "initial_options" if value["type"] == "checkboxes" else "initial_option"
        self.only(value, path, "type options", f"action_id confirm focus_on_load {initial}")
        self.options(value.get("options"), path + ".options", 10, texts="any")
        chosen = value.get(initial, [])
        for one in chosen if isinstance(chosen, list) else [chosen]:
            if one not in value.get("options", []):
                self.fault(path, "begins with what is no option of it")

    def overflow(self, value, path):
        self.only(value, path, "type options", "action_id confirm")
        self.options(value.get("options"), path + ".options", 5)

    def written(self, value, path):
        """An input of text or of a number."""
        self.only(value, path, "type", "action_id initial_value placeholder focus_on_load "
                  "dispatch_action_config multiline min_length max_length is_decimal_allowed "
                  "min_value max_value")
        for name, least in (("max_length", 1), ("min_length", 0)):
            if name in value and not (isinstance(value[name], int) and
                                      least <= value[name] <= 3000):
                self.fault(path, f"{name} is not {least} to 3000")
        if value.get("min_length", 0) > value.get("max_length", 3000):
            self.fault(path, "min_length is above max_length")
        if value["type"] == "number_input":
            if not isinstance(value.get("is_decimal_allowed"), bool):
                self.fault(path, "lacks is_decimal_allowed")
            for name in ("min_value", "max_value", "initial_value"):
                if name in value and not isinstance(value[name], str):
                    self.fault(path, f"{name} is no string")
        if "initial_value" in value:
            self.string(value["initial_value"], path + ".initial_value",
                        min(3000, value.get("max_length", 3000)), least=0)

    def picker(self, value, path):
        kind = value["type"]
        initial = {"datepicker": "initial_date", "timepicker": "initial_time",
                   "datetimepicker": "initial_date_time"}[kind]
        self.only(value, path, "type", f"action_id placeholder confirm focus_on_load timezone "
                  f"{initial}")
        if initial not in value:
            return
        shape = {"datepicker": r"\d{4}-\d\d-\d\d", "timepicker": r"\d\d:\d\d",
                 "datetimepicker": r"\d{10}"}[kind]
        if not re.fullmatch(shape, str(value[initial])):
            self.fault(path, f"{initial} is {value[initial]!r}")

    ELEMENTS = {
        "button": (ALL, button),
        "overflow": (ALL, overflow),
        "checkboxes": (ALL, boxes),
        "radio_buttons": (ALL, boxes),
        "plain_text_input": (ALL, written),
        "number_input": ((MODAL,), written),
        "email_text_input": ((MODAL,), written),
        "url_text_input": ((MODAL,), written),
        "datepicker": (ALL, picker),
        "timepicker": (ALL, picker),
        "datetimepicker": ((MESSAGE, MODAL), picker),
    }
    for _kind in ("static", "external", "users", "conversations", "channels"):
        ELEMENTS[_kind + "_select"] = (ALL, menu)
        ELEMENTS[f"multi_{_kind}_select"] = (ALL, menu)

    def element(self, value, path):
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in self.ELEMENTS:
            return self.fault(path, f"is no element that we send: {kind!r}")
        surfaces, check = self.ELEMENTS[kind]
        if self.surface not in surfaces:
            self.fault(path, f"a {kind} may not stand in a {self.surface}")
        self.element_common(value, path)
        check(self, value, path)

    # ---- rich text ----

    RICH = {
        "text": ("text", "style"),
        "link": ("url", "text style unsafe"),
        "user": ("user_id", "style"),
        "usergroup": ("usergroup_id", "style"),
        "channel": ("channel_id", "style"),
        "team": ("team_id", "style"),
        "emoji": ("name", "unicode style url"),
        "date": ("timestamp format", "url fallback style"),
        "broadcast": ("range", "style"),
        "color": ("value", "style"),
    }

    def rich_inline(self, value, path, kinds=None):
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in self.RICH or (kinds and kind not in kinds):
            return self.fault(path, f"may not stand here: {kind!r}")
        needed, optional = self.RICH[kind]
        self.only(value, path, "type " + needed, optional)
        if "text" in value:
            self.string(value["text"], path + ".text", 3000, counted=True)
        if "url" in value:
            self.string(value["url"], path + ".url", 3000)
        if kind == "date":
            if not isinstance(value.get("timestamp"), int):
                self.fault(path, "timestamp is no number of seconds")
            self.string(value.get("format"), path + ".format", 3000, counted=True)
        if kind == "user" and not re.fullmatch("[UW][A-Z0-9]{2,}", str(value.get("user_id"))):
            self.fault(path, "user_id is none")
        style = value.get("style", {})
        if not isinstance(style, dict) or \
                any(name not in ("bold", "italic", "strike", "underline", "code", "highlight",
                                 "client_highlight", "unlink") or style[name] not in (True, False)
                    for name in style):
            self.fault(path, "has a style that is not known")

    def rich_part(self, value, path):
        kind = value.get("type") if isinstance(value, dict) else None
        optional = {"rich_text_section": "", "rich_text_quote": "border",
                    "rich_text_preformatted": "border language",
                    "rich_text_list": "indent offset border"}
        if kind not in optional:
            return self.fault(path, f"is no part of rich text: {kind!r}")
        needed = "type elements" + (" style" if kind == "rich_text_list" else "")
        if not self.only(value, path, needed, optional[kind]):
            return
        for i, one in enumerate(self.count(value["elements"], path + ".elements", 10000)):
            where = f"{path}.elements[{i}]"
            if kind == "rich_text_list":
                if not isinstance(one, dict) or one.get("type") != "rich_text_section":
                    self.fault(where, "is no section")
                else:
                    self.rich_part(one, where)
            else:
                self.rich_inline(one, where,
                                 ("text", "link") if kind == "rich_text_preformatted" else None)
        if kind == "rich_text_list":
            self.one_of(value["style"], path + ".style", ("bullet", "ordered"))
            if value.get("indent", 0) not in range(0, 9):
                self.fault(path, f"indent is {value['indent']}, not 0 to 8")
            if not isinstance(value.get("offset", 0), int) or value.get("offset", 0) < 0:
                self.fault(path, "offset is no count")

    # ---- blocks ----

    def rich_text(self, value, path):
        self.only(value, path, "type elements", "block_id")
        for i, one in enumerate(self.count(value.get("elements"), path + ".elements", 10000)):
            self.rich_part(one, f"{path}.elements[{i}]")

    def actions(self, value, path):
        self.only(value, path, "type elements", "block_id")
        seen = set()
        for i, one in enumerate(self.count(value.get("elements"), path + ".elements", 25)):
            self.element(one, f"{path}.elements[{i}]")
            action = one.get("action_id") if isinstance(one, dict) else None
            if action in seen:
                self.fault(f"{path}.elements[{i}]", "has the action_id of another")
            seen.add(action)

    def context(self, value, path):
        self.only(value, path, "type elements", "block_id")
        for i, one in enumerate(self.count(value.get("elements"), path + ".elements", 10)):
            if isinstance(one, dict) and one.get("type") == "image":
                self.only(one, f"{path}.elements[{i}]", "type alt_text",
                          "image_url slack_file")
            else:
                self.text(one, f"{path}.elements[{i}]")

    def divider(self, value, path):
        self.only(value, path, "type", "block_id")

    def header(self, value, path):
        self.only(value, path, "type text", "block_id level")
        self.plain(value.get("text"), path + ".text", 150)

    def section(self, value, path):
        self.only(value, path, "type", "block_id text fields accessory expand")
        if "text" not in value and "fields" not in value:
            self.fault(path, "has neither text nor fields")
        if "text" in value:
            self.text(value["text"], path + ".text")
        for i, one in enumerate(self.count(value["fields"], path + ".fields", 10)
                                if "fields" in value else []):
            self.text(one, f"{path}.fields[{i}]", 2000)
        if "accessory" in value:
            self.element(value["accessory"], path + ".accessory")

    def input(self, value, path):
        self.inputs += 1
        self.only(value, path, "type label element", "block_id hint optional dispatch_action")
        self.plain(value.get("label"), path + ".label", 2000)
        if "hint" in value:
            self.plain(value["hint"], path + ".hint", 2000)
        self.flag(value, path, "optional")
        self.flag(value, path, "dispatch_action")
        self.element(value.get("element"), path + ".element")

    def table(self, value, path):
        before = self.characters
        self.tables += 1
        self.only(value, path, "type rows", "block_id column_settings")
        for i, row in enumerate(self.count(value.get("rows"), path + ".rows", 100)):
            for j, cell in enumerate(self.count(row, f"{path}.rows[{i}]", 20)):
                where = f"{path}.rows[{i}][{j}]"
                kind = cell.get("type") if isinstance(cell, dict) else None
                if kind == "raw_text":
                    self.only(cell, where, "type text")
                    self.string(cell.get("text"), where, 3000, counted=True)
                elif kind == "rich_text":
                    self.rich_text(cell, where)
                elif kind != "raw_number":
                    self.fault(where, f"is no cell: {kind!r}")
        lengths = {len(row) for row in value.get("rows", []) if isinstance(row, list)}
        if len(lengths) > 1:
            self.fault(path, f"has rows of {sorted(lengths)} cells")
        for i, one in enumerate(self.count(value["column_settings"], path, 20)
                                if "column_settings" in value else []):
            self.only(one, f"{path}.column_settings[{i}]", "", "align is_wrapped")
            if "align" in one:
                self.one_of(one["align"], path, ("left", "center", "right"))
        if self.characters - before > TABLE_CHARACTERS:
            self.fault(path, f"has {self.characters - before} characters in its cells")

    def markdown_block(self, value, path):
        self.only(value, path, "type text", "block_id")
        self.string(value.get("text"), path + ".text", MARKDOWN, counted=True)
        self.markdown += units(value.get("text") or "")

    def context_actions(self, value, path):
        self.only(value, path, "type elements", "block_id")
        for i, one in enumerate(self.count(value.get("elements"), path + ".elements", 5)):
            where = f"{path}.elements[{i}]"
            if not isinstance(one, dict) or one.get("type") != "feedback_buttons":
                self.fault(where, "is no element that we send")
                continue
            for name in ("positive_button", "negative_button"):
                if self.only(one.get(name), f"{where}.{name}", "text value",
                             "accessibility_label"):
                    self.plain(one[name]["text"], f"{where}.{name}.text", 75)
                    self.string(one[name]["value"], f"{where}.{name}.value", 2000)

    def task_card(self, value, path):
        self.only(value, path, "type task_id title", "block_id status details output sources")
        self.string(value.get("title"), path + ".title", 3000, counted=True)
        self.one_of(value.get("status", "pending"), path + ".status",
                    ("pending", "in_progress", "complete", "error"))
        for name in ("details", "output"):
            if name in value:
                self.rich_text(value[name], f"{path}.{name}")

    BLOCKS = {
        "rich_text": (ALL, rich_text),
        "actions": (ALL, actions),
        "context": (ALL, context),
        "divider": (ALL, divider),
        "header": (ALL, header),
        "section": (ALL, section),
        "input": (ALL, input),
        "table": ((MESSAGE,), table),
        "markdown": ((MESSAGE,), markdown_block),
        "context_actions": ((MESSAGE,), context_actions),
        "task_card": ((MESSAGE,), task_card),
    }

    def block(self, value, path):
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in self.BLOCKS:
            return self.fault(path, f"is no block that we send: {kind!r}")
        surfaces, check = self.BLOCKS[kind]
        if self.surface not in surfaces:
            self.fault(path, f"a {kind} may not stand in a {self.surface}")
        if "block_id" in value:
            self.string(value["block_id"], path + ".block_id", 255)
            if value["block_id"] in self.block_ids:
                self.fault(path, f"has the block_id of another: {value['block_id']!r}")
            self.block_ids.add(value["block_id"])
        check(self, value, path)

    def blocks(self, value, path="blocks"):
        most = MESSAGE_BLOCKS if self.surface == MESSAGE else VIEW_BLOCKS
        for i, one in enumerate(self.count(value, path, most)):
            self.block(one, f"{path}[{i}]")
        if self.tables > 1:
            self.fault(path, f"{self.tables} tables in one message")
        if self.markdown > MARKDOWN:
            self.fault(path, f"{self.markdown} characters of Markdown")
        if self.focused > 1:
            self.fault(path, "several elements take the focus")
        if self.surface == MESSAGE and self.characters > MESSAGE_CHARACTERS:
            self.fault(path, f"{self.characters} characters in all")
        return self.faults


def check_blocks(value, surface=MESSAGE):
    return Checker(surface).blocks(value)


def check_view(view):
    """A view as views.open, push, update and publish take it."""
    surface = view.get("type") if isinstance(view, dict) else None
    if surface not in (MODAL, HOME):
        return ["view: is neither modal nor home"]
    checker = Checker(surface)
    shared = "private_metadata callback_id external_id"
    if surface == MODAL:
        checker.only(view, "view", "type title blocks",
                     shared + " submit close clear_on_close notify_on_close")
        for name in ("title", "submit", "close"):
            if name in view:
                checker.plain(view[name], "view." + name, 24)
    else:
        checker.only(view, "view", "type blocks", shared)
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if name in view:
            checker.string(view[name], "view." + name, most, least=0)
    checker.blocks(view.get("blocks"), "view.blocks")
    if checker.inputs and surface == MODAL and "submit" not in view:
        checker.fault("view", "has inputs and no submit")
    # However it is escaped on its way.
    size = len(json.dumps(view, separators=(",", ":")).encode())
    if size > VIEW_BYTES:
        checker.fault("view", f"has {size} bytes")
    return checker.faults


# ---- Calls of the Web API --------------------------------------------------------------------

POSTS = ("chat.postMessage", "chat.postEphemeral", "chat.update")
VIEWS = ("views.open", "views.push", "views.update", "views.publish")
STREAMS = ("chat.startStream", "chat.appendStream", "chat.stopStream")


def _given(arguments, name):
    """The argument as a value, however it was sent."""
    value = arguments.get(name)
    if isinstance(value, str) and name in ("blocks", "view", "chunks", "metadata", "prompts"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _is(value, words):
    return str(value).lower() in words


def _check_post(method, arguments):
    faults = []
    text, blocks = arguments.get("text"), _given(arguments, "blocks")
    most = TEXT_UPDATED if method == "chat.update" else TEXT_POSTED
    if not isinstance(text, str) or text == "":
        faults.append(f"{method}: no text for notifications")
    elif units(text) > most:
        faults.append(f"{method}: text of {units(text)} characters")
    if blocks is not None:
        faults += check_blocks(blocks)
    if not _is(arguments.get("parse"), ("none",)):
        faults.append(f"{method}: parse is not none")
    if _is(arguments.get("link_names"), ("true", "1")):
        faults.append(f"{method}: link_names is on")
    if method == "chat.postMessage":
        for name in ("unfurl_links", "unfurl_media"):
            if not _is(arguments.get(name), ("false", "0")):
                faults.append(f"{method}: {name} is not off")
    if method == "chat.update" and blocks is None:
        faults.append(f"{method}: text without blocks takes the blocks away")
    return faults


def _check_stream(method, arguments):
    faults = []
    text = arguments.get("markdown_text")
    if text is not None and not 0 < units(text) <= MARKDOWN:
        faults.append(f"{method}: markdown_text of {units(text)} characters")
    for i, chunk in enumerate(_given(arguments, "chunks") or []):
        kind = chunk.get("type")
        if kind == "blocks":
            faults += check_blocks(chunk.get("blocks"))
        elif kind == "markdown_text":
            if not 0 < units(chunk.get("text") or "") <= MARKDOWN:
                faults.append(f"{method}: chunks[{i}] has no text that fits")
        elif kind not in ("task_update", "plan_update"):
            faults.append(f"{method}: chunks[{i}] is {kind!r}")
    if "blocks" in arguments:
        faults += check_blocks(_given(arguments, "blocks"))
    return faults


def _check_agent(method, arguments):
    """What stands beside a thread."""
    faults = []
    prompts = _given(arguments, "prompts")
    if prompts is not None and not 1 <= len(prompts) <= 4:
        faults.append(f"{method}: {len(prompts)} prompts")
    for prompt in prompts or []:
        if not prompt.get("title") or not prompt.get("message"):
            faults.append(f"{method}: a prompt without words")
    if "title" in arguments and not 1 <= units(arguments["title"]) <= 200:
        faults.append(f"{method}: a title of {units(arguments['title'])} characters")
    return faults


def check_call(method, arguments):
    """What is wrong with one call; of methods that draw nothing nothing is."""
    if method in POSTS:
        return _check_post(method, arguments)
    if method in VIEWS:
        return [f"{method} {fault}" for fault in check_view(_given(arguments, "view"))]
    if method in STREAMS:
        return _check_stream(method, arguments)
    if method.startswith(("assistant.threads.", "agents.sessions.")):
        return _check_agent(method, arguments)
    return []


def check_log(calls, types=None):
    """Every fault of [(method, arguments), ...], each with the number of its call. 'types' is a
    types.Types, which knows the published shapes besides."""
    found = []
    for i, (method, arguments) in enumerate(calls):
        faults = check_call(method, arguments)
        if types:
            if method in VIEWS:
                faults += types.check_view(_given(arguments, "view"))
            elif _given(arguments, "blocks") is not None:
                faults += types.check_blocks(_given(arguments, "blocks"))
        found += [f"call {i}, {method}: {fault}" for fault in faults]
    return found


# ---- What we promise -------------------------------------------------------------------------

INERT_BLOCKS = {"rich_text", "table", "actions", "header", "input", "section"}
PAGING = {"usergroup", "broadcast", "channel", "team", "emoji", "color"}


def hidden_characters(text):
    """Those that move, hide or break what stands beside them."""
    return [c for c in text if c != "\n" and
            (unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs") or
             (unicodedata.category(c) == "Zs" and c != " ") or
             c in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0" or
             "\ufe00" <= c <= "\ufe0f" or "\U000e0000" <= c <= "\U000e0fff")]


def check_promises(value, users=(), hosts=(), path="drawn", channels=()):
    """Anywhere in what was drawn: no mrkdwn, no Markdown, no image, nobody and nothing called,
    no link but to 'hosts' ("*.x" is all below x), no channel but 'channels', no text that hides."""
    faults = []
    if isinstance(value, list):
        for i, one in enumerate(value):
            faults += check_promises(one, users, hosts, f"{path}[{i}]", channels)
        return faults
    if not isinstance(value, dict):
        return faults
    kind = value.get("type")
    is_ours = kind == "channel" and value.get("channel_id") in channels
    if kind in ("mrkdwn", "markdown", "image", "video") or kind in PAGING and not is_ours:
        faults.append(f"{path}: is {kind}")
    if kind == "plain_text" and value.get("emoji") is not False:
        faults.append(f"{path}: plain text in which :words: are emoji")
    if kind == "user" and value.get("user_id") not in users:
        faults.append(f"{path}: calls {value.get('user_id')}")
    for name in ("url", "image_url"):
        if name in value and not is_host_of(value[name], hosts):
            faults.append(f"{path}: leads to {value[name]!r}")
    for name, one in value.items():
        if isinstance(one, str) and name in ("text", "fallback", "title", "value") and \
                hidden_characters(one):
            faults.append(f"{path}.{name}: hides {hidden_characters(one)[:4]!r}")
        else:
            faults += check_promises(one, users, hosts, f"{path}.{name}", channels)
    return faults


def is_host_of(url, hosts):
    found = re.match(r"https://([A-Za-z0-9.-]+)(?=[/?#]|$)", url)
    if not found:
        return False
    host = found.group(1).lower()
    return any(host.endswith(h[1:]) and len(host) > len(h) - 1 if h.startswith("*.")
               else host == h for h in hosts)


def buttons(value):
    """The action_ids of everything that can be pressed."""
    if isinstance(value, list):
        return [a for one in value for a in buttons(one)]
    if isinstance(value, dict):
        own = [value["action_id"]] if "action_id" in value else []
        return own + [a for one in value.values() for a in buttons(one)]
    return []


def texts(value):
    """Every text that is drawn, in order."""
    if isinstance(value, list):
        return [t for one in value for t in texts(one)]
    if isinstance(value, dict):
        own = [value[name] for name in ("text", "fallback") if isinstance(value.get(name), str)]
        return own + [t for name, one in value.items() if not isinstance(one, str)
                      for t in texts(one)]
    return []
