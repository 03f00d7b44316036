/* What became of an approval, in words. */
#include "slack/process/prompts.h"

#include "base/clock.h"
#include "base/text.h"
#include "slack/text/text.h"

enum { WORDS_UNITS = 200 }; /* of a server about how far it is */

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

/* Once granted its server has it, or is about to. */
static bool is_under_way(const json_t *record)
{
	const char *state = json_get_string(record, "state");

	return state &&
	       (strcmp(state, "granted") == 0 || strcmp(state, "executing") == 0);
}

/* When its server got it; 0: it has not. */
static int64_t begun_ms(const json_t *record)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(record, "history"), i, step)
	{
		if (is_under_way(step))
			return json_get_int64(step, "at", 0);
	}
	return 0;
}

int64_t prompts_ran_ms(const json_t *record, int64_t now_ms)
{
	const int64_t since_ms = is_under_way(record) ? begun_ms(record) : 0;

	return since_ms > 0 && now_ms > since_ms ? now_ms - since_ms : 0;
}

bool prompts_may_stop(const json_t *record, int64_t now_ms)
{
	const json_t *claims = json_object_get(record, "grant_claims");
	const char *state = json_get_string(record, "state");

	if (json_object_get(record, "revoke"))
		return false;
	if (!is_under_way(record))
		return state && strcmp(state, "approved") == 0;
	/* Between the calls of several there is always somebody who may. */
	return json_object_get(record, "calls") ||
	       now_ms <= json_get_int64(claims, "exp", 0) * 1000;
}

/* --- words --- */

static void add_revoke(struct strbuf *sb, const json_t *record)
{
	const json_t *revoke = json_object_get(record, "revoke");
	const char *by = json_get_string(revoke, "by");
	const char *why = json_get_string(revoke, "why");
	const char *state = json_get_string(record, "state");
	char at[CLOCK_TEXT_BYTES];

	if (!revoke || !state)
		return;
	strbuf_add_format(sb, "taken back by %s, %s%s%s: ", by ? by : "?",
			  clock_format(json_get_int64(revoke, "at", 0), at),
			  why ? ", " : "", why ? why : "");
	if (strcmp(state, "refused") == 0 ||
	    (strcmp(state, "failed") == 0 && !json_object_get(revoke, "late")))
		strbuf_add_string(sb, "nothing of it ran\n");
	else if (json_object_get(revoke, "late") || strcmp(state, "succeeded") == 0 ||
		 strcmp(state, "failed") == 0)
		strbuf_add_string(sb, "it could no longer be stopped\n");
	else if (strcmp(state, "unknown") == 0)
		strbuf_add_string(sb, "whether it ran before, nobody knows\n");
	else
		strbuf_add_string(sb, "its server is asked not to run it\n");
}

/* A server's word about itself. */
static void add_progress(struct strbuf *sb, const json_t *progress)
{
	const double done = json_number_value(json_object_get(progress, "done"));
	const double total = json_number_value(json_object_get(progress, "total"));
	const char *words = json_get_string(progress, "words");
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	if (!progress)
		return;
	strbuf_add_format(sb, "\nits server says: %.15g", done);
	if (total > 0)
		strbuf_add_format(sb, " of %.15g", total);
	if (total > 0 && done >= 0 && done <= total)
		strbuf_add_format(sb, " (%d %%)", (int)(done * 100 / total));
	if (!words || !*words)
		return;
	text_redact(&clean, words, strlen(words));
	strbuf_add_string(sb, ", ");
	slack_text_words(sb, clean.data ? clean.data : "", WORDS_UNITS);
}

char *prompts_how(const json_t *record, const json_t *progress, int64_t now_ms)
{
	const int64_t ran_ms = prompts_ran_ms(record, now_ms);
	const int64_t paused_ms = json_get_int64(record, "paused_until", 0);
	const json_t *history = json_object_get(record, "history");
	const size_t steps = json_array_size(history);
	const json_t *last = steps ? json_array_get(history, steps - 1) : NULL;
	const char *state = json_get_string(record, "state");
	const char *by = json_get_string(last, "by");
	const char *why = json_get_string(last, "why");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES];

	add_decisions(&text, record);
	add_revoke(&text, record);
	strbuf_add_format(&text, "%s", state ? state : "?");
	if (by)
		strbuf_add_format(&text, " by %s", by);
	strbuf_add_format(&text, ", %s", clock_format(json_get_int64(last, "at", 0), at));
	if (why)
		strbuf_add_format(&text, ": %s", why);
	if (ran_ms >= PROMPTS_STILL_MS)
		strbuf_add_format(&text, "\nstill running since %s, for %lld s",
				  clock_format(begun_ms(record), at),
				  (long long)(ran_ms / 1000));
	if (is_under_way(record))
		add_progress(&text, progress);
	if (paused_ms > 0)
		strbuf_add_format(&text,
				  "\nseveral calls asked for in this way were denied: "
				  "nothing more is asked until %s",
				  clock_format(paused_ms, at));
	return strbuf_take(&text);
}
