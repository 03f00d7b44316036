/* What became of an approval, in words. */
#include "base/clock.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/text/text.h"

enum { RESULT_UNITS = 5000 };

static void add_decisions(struct strbuf *sb, const json_t *record)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(record, "decisions"), i, one)
	{
		const char *by = json_get_string(one, "by");
		const char *what = json_get_string(one, "decision");
		const bool is_yes = what && strcmp(what, "approve") == 0;
		char at[CLOCK_TEXT_BYTES];

		strbuf_add_format(sb, "%s by %s, %s\n", is_yes ? "approved" : "denied",
				  by ? by : "?",
				  clock_format(json_get_int64(one, "at", 0), at));
	}
}

char *prompts_how(const json_t *record)
{
	const json_t *history = json_object_get(record, "history");
	const size_t steps = json_array_size(history);
	const json_t *last = steps ? json_array_get(history, steps - 1) : NULL;
	const char *state = json_get_string(record, "state");
	const char *by = json_get_string(last, "by");
	const char *why = json_get_string(last, "why");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES];

	add_decisions(&text, record);
	strbuf_add_format(&text, "%s", state ? state : "?");
	if (by)
		strbuf_add_format(&text, " by %s", by);
	strbuf_add_format(&text, ", %s", clock_format(json_get_int64(last, "at", 0), at));
	if (why)
		strbuf_add_format(&text, ": %s", why);
	return strbuf_take(&text);
}

static void add_content(struct strbuf *sb, const json_t *result)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(result, "content"), i, one)
	{
		const char *text = json_get_string(one, "text");

		if (text)
			strbuf_add_format(sb, "%s%s", sb->length ? "\n" : "", text);
		else
			strbuf_add_format(sb, "%s(%s, which cannot be shown here)",
					  sb->length ? "\n" : "",
					  json_get_string(one, "type") ?: "something");
	}
}

static void add_error(struct strbuf *sb, const json_t *record)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const char *message = json_get_string(error, "message");
	const char *hint = json_get_string(error, "hint");

	if (message)
		strbuf_add_string(sb, message);
	if (message && hint)
		strbuf_add_format(sb, "\n%s", hint);
}

/* Nothing is cut in secret. */
static json_t *cut(const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	const size_t length = strlen(text), units = slack_text_units(text, length);
	size_t bytes = length < RESULT_UNITS ? length : RESULT_UNITS;
	json_t *elements;

	if (units > RESULT_UNITS) {
		/* Not within a character. */
		while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes--;
		strbuf_add(&shown, text, bytes);
		strbuf_add_format(&shown, "\n... %zu of %zu bytes are shown", bytes,
				  length);
		text = shown.data;
	}
	elements = strbuf_ok(&shown) ? slack_elements(text) : NULL;
	if (!elements)
		error_oom(err);
	return elements;
}

bool prompts_result(const json_t *record, json_t **ret, struct error *err)
{
	const char *state = json_get_string(record, "state");
	const json_t *result = json_object_get(record, "result");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, heading = STRBUF_INIT;
	json_auto_t *elements = NULL;

	*ret = NULL;
	add_content(&text, result);
	if (!text.length)
		add_error(&text, record);
	if (!text.length && strbuf_ok(&text))
		return true;
	/* Names of tools are plain by the gate's own rule. */
	strbuf_add_format(&heading, "%s.%s: %s", json_get_string(record, "server"),
			  json_get_string(record, "tool"), state);
	if (!strbuf_ok(&text) || !strbuf_ok(&heading))
		return error_oom(err);
	elements = cut(text.data, err);
	if (!elements)
		return false;
	*ret = say_words(heading.data, TAKE(elements));
	return *ret || error_oom(err);
}
