/* Panels: what a resource says, as lines; never more than it is. */
#include "slack/home/panel.h"

#include "base/clock.h"
#include "slack/home/home.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

enum {
	LINE_UNITS = 110, /* all lines together stay below what an element takes */
	TITLE_UNITS = 60,
	FAULT_UNITS = 300,
	JSON_LOOKED_AT = 64 * 1024,
};
_Static_assert((LINE_UNITS + 1) * SLACK_HOME_PANEL_LINES + 100 <=
		       SLACK_ELEMENT_CHARACTERS_MAX,
	       "a panel is one element");

/* ---- What was read, as data ------------------------------------------------------- */

/* JSON indented, so that each member has a line; NULL: it is none. */
static char *indented(const char *text, size_t length)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *value = NULL;

	if (length > JSON_LOOKED_AT || (text[0] != '{' && text[0] != '['))
		return NULL;
	value = json_parse(text, length, JSON_SYNTAX, &ignored);
	return value ? json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;
}

/* Lines that say nothing are left out. */
static bool add_lines(json_t *lines, const char *text, size_t *ret_more)
{
	*ret_more = 0;
	while (*text) {
		size_t length = strcspn(text, "\r\n");
		_cleanup_free_ char *line = strndup(text, length);
		_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

		if (!line)
			return false;
		text += length + (text[length] != '\0');
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (json_array_size(lines) == SLACK_HOME_PANEL_LINES) {
			(*ret_more)++;
			continue;
		}
		slack_text_words(&words, line, LINE_UNITS);
		if (!strbuf_ok(&words) ||
		    json_array_append_new(lines,
					  json_stringn(words.data, words.length)) != 0)
			return false;
	}
	return true;
}

json_t *slack_home_panel(const struct slack_home_read *read, struct error *err)
{
	_cleanup_free_ char *pretty = indented(read->text, strlen(read->text));
	json_auto_t *lines = json_array();
	json_t *panel = NULL;
	size_t more;

	if (lines && add_lines(lines, pretty ? pretty : read->text, &more))
		panel = json_pack("{s:s, s:s, s:O, s:I, s:b, s:I}", "title", read->title,
				  "server", read->server, "lines", lines, "more",
				  (json_int_t)more, "cut", (int)read->is_cut, "read_ms",
				  (json_int_t)read->read_ms);
	if (!panel)
		error_oom(err);
	return panel;
}

json_t *slack_home_panel_fault(const char *title, const char *why, struct error *err)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
	json_t *panel;

	slack_text_words(&words, why, FAULT_UNITS);
	panel = strbuf_ok(&words)
			? json_pack("{s:s, s:s}", "title", title, "fault", words.data)
			: NULL;
	if (!panel)
		error_oom(err);
	return panel;
}

/* ---- Drawing ---------------------------------------------------------------------- */

static bool add(json_t *blocks, json_t *block, struct error *err)
{
	return json_array_append_new(blocks, block) == 0 || error_oom(err);
}

static bool join(struct strbuf *text, const json_t *panel)
{
	size_t i;
	json_t *line;

	json_array_foreach(json_object_get(panel, "lines"), i, line)
	{
		const char *words = json_string_value(line);

		strbuf_add_format(text, "%s%s", i ? "\n" : "", words ? words : "");
	}
	if (json_get_int64(panel, "more", 0) > 0)
		strbuf_add_format(text, "\n... and %lld more lines",
				  (long long)json_get_int64(panel, "more", 0));
	if (json_is_true(json_object_get(panel, "cut")))
		strbuf_add_string(text,
				  "\n... and more than the gate reads of a resource");
	if (text->length == 0)
		strbuf_add_string(text, "(nothing)");
	return strbuf_ok(text);
}

static bool add_read(json_t *blocks, const char *title, const json_t *panel,
		     struct error *err)
{
	const char *server = json_get_string(panel, "server");
	const int64_t read_ms = json_get_int64(panel, "read_ms", 0);
	char at[CLOCK_TEXT_BYTES], whence[80];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *texts = NULL;

	if (!server)
		return error_set(err, ERR_INTERNAL, "a panel lacks its server");
	texts = join(&text, panel) ? json_pack("[s]", text.data) : NULL;
	if (!texts)
		return error_oom(err);
	(void)snprintf(whence, sizeof whence, "From the server %.40s, read ", server);
	return add(blocks, slack_section(title, texts), err) &&
	       add(blocks,
		   rich_block(json_pack(
			   "[o]",
			   rich_part("section",
				     json_pack("[o, o, o]",
					       rich_text(whence, strlen(whence), 0),
					       rich_date(read_ms,
							 clock_format(read_ms, at)),
					       rich_text(".", 1, 0))))),
		   err);
}

bool panel_add(json_t *blocks, const json_t *panel, struct error *err)
{
	const char *title = json_get_string(panel, "title");
	const char *fault = json_get_string(panel, "fault");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT, line = STRBUF_INIT;

	if (!title || !*title)
		return error_set(err, ERR_INTERNAL, "a panel lacks its title");
	slack_text_words(&words, title, TITLE_UNITS);
	if (!strbuf_ok(&words))
		return error_oom(err);
	if (!fault)
		return add_read(blocks, words.data, panel, err);
	strbuf_add_format(&line, "%s: %s", words.data, fault);
	return strbuf_ok(&line) ? add(blocks, slack_words(line.data), err)
				: error_oom(err);
}
