/* A message as plain text. */
#include "slack/inbound/inbound.h"

enum { NESTING_MAX = 6 };

static bool is(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_get_string(object, member);

	return text && strcmp(text, wanted) == 0;
}

/* A label may say anything: it stands behind the address, and only where it differs. */
static void add_link(struct strbuf *sb, const char *url, const char *label)
{
	static const char mail[] = "mailto:";

	if (strncmp(url, mail, sizeof mail - 1) == 0 && label &&
	    strcmp(url + sizeof mail - 1, label) == 0)
		url = label;
	strbuf_add_string(sb, url);
	if (label && *label && strcmp(label, url) != 0)
		strbuf_add_format(sb, " (labelled \"%s\")", label);
}

/* ---- Rich text -------------------------------------------------------------------- */

static void add_reference(struct strbuf *sb, const char *open, const char *id)
{
	if (id)
		strbuf_add_format(sb, "%s%s>", open, id);
}

static void add_leaf(struct strbuf *sb, const json_t *e, const char *without)
{
	const char *type = json_get_string(e, "type"), *text = json_get_string(e, "text");
	const char *user = json_get_string(e, "user_id");

	if (!type)
		return;
	if (strcmp(type, "text") == 0 && text)
		strbuf_add_string(sb, text);
	else if (strcmp(type, "link") == 0 && json_get_string(e, "url"))
		add_link(sb, json_get_string(e, "url"), text);
	else if (strcmp(type, "user") == 0 && user) {
		if (!without || strcmp(user, without) != 0)
			add_reference(sb, "<@", user);
	} else if (strcmp(type, "channel") == 0)
		add_reference(sb, "<#", json_get_string(e, "channel_id"));
	else if (strcmp(type, "usergroup") == 0)
		add_reference(sb, "<!subteam^", json_get_string(e, "usergroup_id"));
	else if (strcmp(type, "broadcast") == 0)
		add_reference(sb, "<!", json_get_string(e, "range"));
	else if (strcmp(type, "emoji") == 0 && json_get_string(e, "name"))
		strbuf_add_format(sb, ":%s:", json_get_string(e, "name"));
	else if (strcmp(type, "color") == 0 && json_get_string(e, "value"))
		strbuf_add_string(sb, json_get_string(e, "value"));
	else if (strcmp(type, "date") == 0 && json_get_string(e, "fallback"))
		strbuf_add_string(sb, json_get_string(e, "fallback"));
}

static void end_line(struct strbuf *sb)
{
	if (sb->length > 0 && sb->data[sb->length - 1] != '\n')
		strbuf_add_char(sb, '\n');
}

static void add_elements(struct strbuf *sb, const json_t *of, const char *without,
			 int depth)
{
	bool list = is(of, "type", "rich_text_list");
	size_t i;
	json_t *e;

	if (depth > NESTING_MAX)
		return;
	json_array_foreach(json_object_get(of, "elements"), i, e)
	{
		if (list) {
			end_line(sb);
			strbuf_add_string(sb, "- ");
		} else if (json_object_get(e, "elements") &&
			   !is(e, "type", "rich_text_section"))
			end_line(sb);
		if (json_object_get(e, "elements"))
			add_elements(sb, e, without, depth + 1);
		else
			add_leaf(sb, e, without);
		if (json_object_get(e, "elements") && !is(e, "type", "rich_text_section"))
			end_line(sb);
	}
}

/* People write nothing but rich text; other blocks are an app's. */
static bool has_rich_text(const json_t *blocks)
{
	size_t i;
	json_t *block;

	json_array_foreach(blocks, i, block)
	{
		if (!is(block, "type", "rich_text"))
			return false;
	}
	return json_array_size(blocks) > 0;
}

/* ---- Slack's own markup ----------------------------------------------------------- */

static void add_unescaped(struct strbuf *sb, const char *text, size_t length)
{
	static const struct {
		const char *entity;
		char c;
	} entities[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' } };

	for (size_t at = 0; at < length;) {
		size_t size = 0;

		for (size_t i = 0; i < ARRAY_SIZE(entities) && !size; i++) {
			size_t own = strlen(entities[i].entity);

			if (own <= length - at &&
			    memcmp(text + at, entities[i].entity, own) == 0) {
				strbuf_add_char(sb, entities[i].c);
				size = own;
			}
		}
		if (!size)
			strbuf_add_char(sb, text[at]);
		at += size ? size : 1;
	}
}

static char *unescaped(const char *text, size_t length)
{
	struct strbuf sb = STRBUF_INIT;

	add_unescaped(&sb, text, length);
	return strbuf_take(&sb);
}

/* What stands between < and >. */
static void add_token(struct strbuf *sb, const char *token, size_t length,
		      const char *without)
{
	const char *bar = memchr(token, '|', length);
	size_t before = bar ? (size_t)(bar - token) : length;
	_cleanup_free_ char *first = unescaped(token, before);
	_cleanup_free_ char *label = bar ? unescaped(bar + 1, length - before - 1) : NULL;

	if (!first || (bar && !label))
		sb->failed = true;
	else if (strncmp(first, "!date^", 6) == 0)
		strbuf_add_string(sb, label ? label : "");
	else if (*first && strchr("@#!", *first)) {
		if (*first != '@' || !without || strcmp(first + 1, without) != 0)
			strbuf_add_format(sb, "<%s>", first);
	} else
		add_link(sb, first, label);
}

static void add_markup(struct strbuf *sb, const char *text, const char *without)
{
	while (*text) {
		size_t plain = strcspn(text, "<"), length;

		add_unescaped(sb, text, plain);
		text += plain;
		if (!*text)
			break;
		length = strcspn(text + 1, "<>");
		if (text[1 + length] == '>') {
			add_token(sb, text + 1, length, without);
			text += length + 2;
		} else {
			strbuf_add_char(sb, '<');
			text++;
		}
	}
}

/* ---- Both ------------------------------------------------------------------------- */

void inbound_message_text(struct strbuf *sb, const json_t *message, const char *without)
{
	const json_t *blocks = json_object_get(message, "blocks");
	const char *text = json_get_string(message, "text");
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	size_t start, end, i;
	json_t *block;

	if (has_rich_text(blocks)) {
		json_array_foreach(blocks, i, block)
		{
			end_line(&whole);
			add_elements(&whole, block, without, 0);
		}
	} else if (text)
		add_markup(&whole, text, without);
	start = strspn(whole.data, " \t\r\n");
	end = whole.length;
	while (end > start && strchr(" \t\r\n", whole.data[end - 1]))
		end--;
	strbuf_add(sb, whole.data + start, end - start);
	sb->failed = sb->failed || !strbuf_ok(&whole);
}
