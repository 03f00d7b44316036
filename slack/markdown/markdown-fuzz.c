/* Any bytes as Markdown: messages within Slack's limits, in which every text is literal. */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "slack/markdown/markdown.h"
#include "slack/markdown/stream.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

static const char *const kinds[] = {
	"rich_text",
	"rich_text_section",
	"rich_text_quote",
	"rich_text_preformatted",
	"rich_text_list",
	"table",
	"raw_text",
	"text",
	"link",
	"user",
};

static void check_type(const json_t *value, const json_t *hosts)
{
	const char *type = json_get_string(value, "type");
	const char *user = json_get_string(value, "user_id");
	const char *url = json_get_string(value, "url");
	bool known = !type;

	for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
		known = known || strcmp(kinds[i], type) == 0;
	if (!known || (user && strcmp(user, "U0ALICE01") != 0) ||
	    (url && !slack_markdown_is_allowed(url, hosts)))
		abort();
}

static void check_text(const char *text)
{
	const size_t length = strlen(text);
	uint32_t c = 0;

	if (length == 0 || slack_text_units(text, length) > 3000)
		abort();
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (size == 0 || (c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) ||
		    (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
			abort();
	}
}

static void check(const json_t *value, const json_t *hosts)
{
	const char *text = json_get_string(value, "text");
	const char *name;
	size_t i;
	json_t *member;

	check_type(value, hosts);
	if (text)
		check_text(text);
	json_array_foreach(value, i, member)
	{
		check(member, hosts);
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		check(member, hosts);
	}
}

static void check_messages(const json_t *messages, const json_t *hosts)
{
	size_t i;
	json_t *message;

	if (json_array_size(messages) == 0 ||
	    json_array_size(messages) > SLACK_MARKDOWN_MESSAGES_MAX)
		abort();
	json_array_foreach(messages, i, message)
	{
		const json_t *blocks = json_object_get(message, "blocks");

		if (json_array_size(blocks) == 0 ||
		    json_array_size(blocks) > SLACK_MESSAGE_BLOCKS_MAX ||
		    rich_units(blocks) > SLACK_MESSAGE_CHARACTERS_MAX)
			abort();
		check(blocks, hosts);
	}
}

/* However it comes: what is cut is the text, to its last byte, and what is drawn fits. */
static void check_cuts(const char *text, size_t size)
{
	struct slack_stream_cut cut = { 0 };
	size_t shown = 0;

	for (size_t known = 0; known < size; known += known % 7 + 1) {
		size_t bytes = slack_stream_cut(text + shown, known - shown, false, &cut);

		if (bytes > known - shown || strlen(cut.fence) >= sizeof cut.fence)
			abort();
		shown += bytes;
	}
	if (slack_stream_cut(text + shown, size - shown, true, &cut) != size - shown)
		abort();
}

static void check_stream(const char *text, size_t size, const struct slack_markdown *how)
{
	_cleanup_(slack_stream_freep) struct slack_stream *s = slack_stream_new(how);
	struct error err = ERROR_INIT;
	bool is_new = true, is_first = true;
	bool ok = s != NULL;

	for (size_t at = 0, n = 1; ok && at < size; at += n, n = n % 31 + 1) {
		n = n < size - at ? n : size - at;
		ok = slack_stream_add(s, text + at, n, &err);
	}
	ok = ok && slack_stream_end(s, &err);
	while (ok) {
		json_auto_t *blocks = slack_stream_take(s, &is_new, &err);

		if (!blocks)
			break;
		if ((is_first && !is_new) ||
		    rich_units(blocks) > SLACK_MESSAGE_CHARACTERS_MAX)
			abort();
		check(blocks, how->hosts);
		is_first = false;
	}
	if (error_is_set(&err) && err.code != ERR_INTERNAL)
		abort();
	/* Whoever waits for its end gets it. */
	if (ok && !error_is_set(&err) && !slack_stream_is_over(s))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_auto_t *hosts =
		json_pack("[s, s]", "docs.company.com", "*.wiki.company.com");
	json_auto_t *people = json_pack("{s:{s:s, s:b}, s:{s:s}}", "U0ALICE01", "name",
					"Alice", "notify", 1, "U0BOB0001", "name",
					"Bob \xE2\x80\xAE");
	const struct slack_markdown how = { .heading = "Written by the assistant",
					    .hosts = hosts,
					    .people = people };
	struct error err = ERROR_INIT;
	json_auto_t *messages =
		slack_markdown_messages((const char *)data, size, &how, &err);

	if (!hosts || !people || !messages)
		return err.code == ERR_INTERNAL ? 0 : (abort(), 0);
	check_messages(messages, hosts);
	check_cuts((const char *)data, size);
	check_stream((const char *)data, size, &how);
	return 0;
}
