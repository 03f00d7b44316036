/* How it ended, and why, in words. */
#include "base/text.h"
#include "slack/result/private.h"
#include "slack/text/text.h"

enum { NAME_UNITS = 130, CODE_UNITS = 60 };

static const struct {
	const char *state, *words;
} endings[] = {
	{ "succeeded", "Done" },
	{ "failed", "It failed" },
	{ "refused", "Refused; nothing ran" },
	{ "denied", "Denied; nothing ran" },
	{ "expired", "Nobody approved it in time; nothing ran" },
	{ "superseded", "A later request took its place; nothing ran" },
	{ "cancelled", "Cancelled; nothing ran" },
	{ "revoked", "The approval was taken back; nothing ran" },
	{ "lapsed", "It was approved, and did not begin in time; nothing ran" },
	{ "unknown", "Nobody knows whether it happened, and it is not repeated. Look "
		     "before you ask again" },
};

const char *result_state_words(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (state && strcmp(endings[i].state, state) == 0)
			return endings[i].words;
	return "It has not ended";
}

static const struct {
	const char *code, *words;
} errors[] = {
	{ "invalid_argument", "an argument is not as the tool wants it" },
	{ "not_found", "it was not found" },
	{ "ambiguous", "several match" },
	{ "permission_denied", "this is not allowed" },
	{ "protected", "it is protected" },
	{ "conflict", "it conflicts with what is there" },
	{ "precondition_failed", "things have changed since it was shown" },
	{ "rate_limited", "too many calls at once; try later" },
	{ "backend_unavailable", "the system behind the tool does not answer" },
	{ "timeout", "it took too long" },
	{ "approval_required", "it needs an approval" },
	{ "approval_invalid", "the approval did not count" },
	{ "unknown_outcome", "the outcome is not known" },
	{ "internal", "the server failed" },
};

/* "server.tool: words." in bold; the names are anybody's. */
void result_heading(struct result_draw *d, const json_t *record)
{
	const char *server = json_get_string(record, "server");
	const char *tool = json_get_string(record, "tool");
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	json_auto_t *elements = json_array();
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	strbuf_add_string(&words, result_state_words(json_get_string(record, "state")));
	strbuf_add_string(&words, ". ");
	slack_text_words(&name, server ? server : "?", NAME_UNITS);
	strbuf_add_char(&name, '.');
	slack_text_words(&name, tool ? tool : "?", NAME_UNITS);
	if (name.failed || words.failed ||
	    json_array_append_new(elements,
				  rich_text(words.data, words.length, RICH_BOLD)) != 0 ||
	    json_array_append_new(elements,
				  rich_text(name.data, name.length, RICH_CODE)) != 0)
		d->failed = true;
	else
		result_elements(d, TAKE(elements));
}

static void add_said(struct result_draw *d, const char *words, const char *text)
{
	if (!text || !*text)
		return;
	result_line(d, words, 0);
	result_preformatted(d, text, strlen(text));
}

static void add_candidates(struct result_draw *d, const json_t *candidates)
{
	char words[80];

	if (json_array_size(candidates) == 0)
		return;
	(void)snprintf(words, sizeof words,
		       "It could be one of these %zu:", json_array_size(candidates));
	result_line(d, words, 0);
	result_value(d, NULL, candidates, 0);
}

void result_error(struct result_draw *d, const json_t *error)
{
	const char *code = json_get_string(error, "code");
	const char *message = json_get_string(error, "message");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	if (!json_is_object(error))
		return;
	strbuf_add_string(&words, "Why: ");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (code && strcmp(errors[i].code, code) == 0)
			strbuf_add_string(&words, errors[i].words);
	if (words.length == strlen("Why: ")) {
		strbuf_add_string(&words, "error ");
		slack_text_words(&words, code ? code : "without a name", CODE_UNITS);
	}
	strbuf_add_string(&words, message && *message ? ". In the server's words:" : ".");
	d->failed = d->failed || words.failed;
	result_line(d, words.data, 0);
	if (message)
		result_preformatted(d, message, strlen(message));
	add_said(d, "What can be done:", json_get_string(error, "hint"));
	add_candidates(d,
		       json_object_get(json_object_get(error, "details"), "candidates"));
}
