#include "render/inert.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>

#include "base/utf8.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

static bool fault(struct strbuf *why, const char *what, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	strbuf_add_format(why, "%s: %.200s", what, text ? text : "?");
	free(text);
	return false;
}

static const char *string_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static bool is_of(const json_t *object, const char *type, size_t members)
{
	return strcmp(string_of(object, "type"), type) == 0 &&
	       json_object_size(object) == members;
}

bool inert_has_control(const char *text, size_t length)
{
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (!size)
			return true;
		if (c == '\n')
			continue;
		if (U_GET_GC_MASK((UChar32)c) &
		    (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK |
		     U_GC_CO_MASK | U_GC_CN_MASK | U_GC_ME_MASK))
			return true;
		if (c != ' ' && (U_GET_GC_MASK((UChar32)c) & U_GC_ZS_MASK))
			return true;
		if (u_hasBinaryProperty((UChar32)c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
			return true;
	}
	return false;
}

/* Our words alone: printable ASCII without anything that is markup anywhere. */
static bool is_ours(const char *text)
{
	for (const char *s = text; *s; s++)
		if (*s < 0x20 || *s > 0x7E || strchr("*_~`<>@#&|", *s))
			return false;
	return *text != '\0';
}

static bool is_plain_text(const json_t *o, size_t limit, struct strbuf *why)
{
	const char *text = string_of(o, "text");

	if (!is_of(o, "plain_text", 3) || !json_is_false(json_object_get(o, "emoji")) ||
	    !is_ours(text) || slack_text_units(text, strlen(text)) > limit)
		return fault(why, "no plain text of ours", o);
	return true;
}

/* 'is_literal': preformatted, where others' words may stand. */
static bool is_text(const json_t *o, bool is_literal, struct strbuf *why)
{
	const char *text = string_of(o, "text");
	const json_t *style = json_object_get(o, "style");

	if (strcmp(string_of(o, "type"), "text") != 0 || !*text ||
	    json_object_size(o) != (style ? 3 : 2) ||
	    slack_text_units(text, strlen(text)) > 3000 ||
	    inert_has_control(text, strlen(text)))
		return fault(why, "no text", o);
	if (is_literal ? style != NULL : !is_ours(text))
		return fault(why, "text of others that is not literal", o);
	if (style && (json_object_size(style) != 1 ||
		      !json_is_true(json_object_get(style, "bold"))))
		return fault(why, "another style than bold", o);
	return true;
}

static bool is_rich_element(const json_t *o, struct strbuf *why)
{
	bool is_literal = strcmp(string_of(o, "type"), "rich_text_preformatted") == 0;
	const json_t *elements = json_object_get(o, "elements");

	if (!is_of(o, is_literal ? "rich_text_preformatted" : "rich_text_section", 2) ||
	    json_array_size(elements) != 1)
		return fault(why, "no element of rich text", o);
	return is_text(json_array_get(elements, 0), is_literal, why);
}

static bool is_confirm(const json_t *o, struct strbuf *why)
{
	static const char *const members[] = { "title", "text", "confirm", "deny" };

	if (json_object_size(o) != 4)
		return fault(why, "no dialog", o);
	for (size_t i = 0; i < 4; i++)
		if (!is_plain_text(json_object_get(o, members[i]),
				   i == 1 ? SLACK_CONFIRM_CHARACTERS_MAX : 30, why))
			return false;
	return true;
}

static bool is_button(const json_t *o, struct strbuf *why)
{
	static const char *const actions[] = { "wingman.approve",   "wingman.deny",
					       "wingman.deny_why",  "wingman.review",
					       "wingman.page.back", "wingman.page.next",
					       "wingman.cancel",    "wingman.revoke" };
	const json_t *confirm = json_object_get(o, "confirm");
	const json_t *style = json_object_get(o, "style");
	size_t members = (size_t)4 + (confirm != NULL) + (style != NULL);
	const char *action = string_of(o, "action_id");
	bool known = false;

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		known = known || strcmp(actions[i], action) == 0;
	if (!known || !is_of(o, "button", members) ||
	    strlen(string_of(o, "value")) > SLACK_BUTTON_VALUE_CHARACTERS_MAX)
		return fault(why, "no button of ours", o);
	return (!confirm || is_confirm(confirm, why)) &&
	       is_plain_text(json_object_get(o, "text"), SLACK_BUTTON_TEXT_CHARACTERS_MAX,
			     why);
}

static bool is_block(const json_t *o, struct strbuf *why)
{
	const json_t *elements = json_object_get(o, "elements");
	bool is_rich = is_of(o, "rich_text", 2);
	size_t i;
	json_t *element;

	if (is_of(o, "header", 2))
		return is_plain_text(json_object_get(o, "text"),
				     SLACK_HEADER_CHARACTERS_MAX, why);
	if ((!is_rich && !is_of(o, "actions", 2)) || json_array_size(elements) == 0 ||
	    (!is_rich && json_array_size(elements) > SLACK_ACTIONS_MAX))
		return fault(why, "no block of ours", o);
	json_array_foreach(elements, i, element)
	{
		if (is_rich ? !is_rich_element(element, why) : !is_button(element, why))
			return false;
	}
	return true;
}

bool inert_blocks(const json_t *blocks, struct strbuf *why)
{
	size_t i;
	json_t *block;

	if (json_array_size(blocks) == 0)
		return fault(why, "no blocks", blocks);
	json_array_foreach(blocks, i, block)
	{
		if (!is_block(block, why))
			return false;
	}
	return true;
}

bool inert_message(const json_t *message, struct strbuf *why)
{
	static const char *const off[] = { "unfurl_links", "unfurl_media", "link_names",
					   "mrkdwn" };
	const json_t *blocks = json_object_get(message, "blocks");
	const char *text = string_of(message, "text");

	for (size_t i = 0; i < 4; i++)
		if (!json_is_false(json_object_get(message, off[i])))
			return fault(why, off[i], message);
	if (json_object_size(message) != 7 ||
	    strcmp(string_of(message, "parse"), "none") != 0)
		return fault(why, "no message of ours", message);
	/* Underscores stand inside the names of tools, where they are no markup. */
	for (const char *s = text; *s; s++)
		if (*s < 0x20 || *s > 0x7E || strchr("*~`<>@#&|", *s))
			return fault(why, "the fallback", message);
	if (!*text || strlen(text) > SLACK_FALLBACK_CHARACTERS_MAX)
		return fault(why, "the fallback", message);
	if (json_array_size(blocks) > SLACK_MESSAGE_BLOCKS_MAX ||
	    slack_characters(blocks) > SLACK_MESSAGE_CHARACTERS_MAX)
		return fault(why, "more than a message holds", message);
	return inert_blocks(blocks, why);
}

bool inert_view(const json_t *view, struct strbuf *why)
{
	const json_t *blocks = json_object_get(view, "blocks");
	size_t bytes = json_dumpb(view, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (!is_of(view, "modal", 6) || bytes > SLACK_VIEW_BYTES_MAX ||
	    json_array_size(blocks) > SLACK_VIEW_BLOCKS_MAX ||
	    strlen(string_of(view, "private_metadata")) >
		    SLACK_VIEW_METADATA_CHARACTERS_MAX)
		return fault(why, "no view of ours", view);
	return is_plain_text(json_object_get(view, "title"),
			     SLACK_VIEW_TITLE_CHARACTERS_MAX, why) &&
	       is_plain_text(json_object_get(view, "close"), 24, why) &&
	       inert_blocks(blocks, why);
}
