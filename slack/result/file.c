/* All of a result as text. */
#include "slack/result/private.h"

#include "base/utf8.h"
#include "slack/text/text.h"

static void add_text(struct strbuf *sb, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	bool escaped = false;

	result_visible(&visible, text, length, &escaped);
	if (escaped)
		strbuf_add_string(sb, "(Some characters do not show: they are escapes "
				      "here, and a backslash is two.)\n");
	strbuf_add(sb, visible.data, visible.length);
	strbuf_add_char(sb, '\n');
	sb->failed = sb->failed || visible.failed;
}

static bool add_member(struct strbuf *sb, const char *heading, const json_t *value)
{
	size_t left;

	if (!value)
		return true;
	strbuf_add_format(sb, "%s:\n", heading);
	if (!result_json(sb, value, SIZE_MAX, &left))
		return false;
	strbuf_add_char(sb, '\n');
	return true;
}

static bool add_one(struct strbuf *sb, const json_t *record)
{
	const json_t *result = json_object_get(record, "result");
	const char *server = json_get_string(record, "server");
	const char *tool = json_get_string(record, "tool");
	size_t i;
	json_t *block;

	strbuf_add_format(sb, "%s\n",
			  result_state_words(json_get_string(record, "state")));
	slack_text_words(sb, server ? server : "?", SLACK_RESULT_NAME_BYTES);
	strbuf_add_char(sb, '.');
	slack_text_words(sb, tool ? tool : "?", SLACK_RESULT_NAME_BYTES);
	strbuf_add_string(sb, "\n\n");
	json_array_foreach(json_object_get(result, "content"), i, block)
	{
		const json_t *text = json_object_get(block, "text");
		const char *type = json_get_string(block, "type");

		if (type && strcmp(type, "text") == 0 && json_is_string(text))
			add_text(sb, json_string_value(text), json_string_length(text));
		else if (!add_member(sb, "Content", block))
			return false;
	}
	return add_member(sb, "Structure",
			  json_object_get(result, "structuredContent")) &&
	       add_member(sb, "Outcome", json_object_get(record, "outcome"));
}

static void cut(struct strbuf *sb)
{
	const size_t all = sb->length;
	const size_t bytes = utf8_cut(sb->data, all, SLACK_RESULT_FILE_MAX);

	if (bytes == all)
		return;
	strbuf_truncate(sb, bytes);
	strbuf_add_format(sb, "\n%zu of %zu bytes shown.\n", bytes, all);
}

static void name_file(const json_t *record, char name[static SLACK_RESULT_NAME_BYTES])
{
	const char *server = json_get_string(record, "server");
	const char *tool = json_get_string(record, "tool");

	if (server && tool && slack_text_is_plain(server) && slack_text_is_plain(tool))
		(void)snprintf(name, SLACK_RESULT_NAME_BYTES, "%s.%s.txt", server, tool);
	else
		(void)snprintf(name, SLACK_RESULT_NAME_BYTES, "result.txt");
}

bool slack_result_file(const json_t *record, struct strbuf *ret,
		       char ret_name[static SLACK_RESULT_NAME_BYTES], struct error *err)
{
	json_auto_t *clean = result_clean(record, err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool ok;
	size_t i;
	json_t *part;

	if (!clean)
		return false;
	ok = add_one(&text, clean);
	json_array_foreach(json_object_get(clean, "parts"), i, part)
	{
		ok = ok && add_one(&text, part);
	}
	if (!ok || !strbuf_ok(&text))
		return error_oom(err);
	cut(&text);
	strbuf_add(ret, text.data, text.length);
	name_file(record, ret_name);
	return strbuf_ok(ret) || error_oom(err);
}
