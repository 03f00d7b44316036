/* What became of an approval, in words. */
#include "base/clock.h"
#include "slack/process/prompts.h"

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

int64_t prompts_ran_ms(const json_t *record, int64_t now_ms)
{
	const json_t *history = json_object_get(record, "history");
	const size_t steps = json_array_size(history);
	const json_t *last = steps ? json_array_get(history, steps - 1) : NULL;
	const char *state = json_get_string(record, "state");
	const int64_t since_ms = json_get_int64(last, "at", now_ms);

	return state && strcmp(state, "executing") == 0 && now_ms > since_ms
		       ? now_ms - since_ms
		       : 0;
}

char *prompts_how(const json_t *record, int64_t now_ms)
{
	const int64_t ran_ms = prompts_ran_ms(record, now_ms);
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
	if (ran_ms >= PROMPTS_STILL_MS)
		strbuf_add_format(&text, "\nstill running, for %lld s",
				  (long long)(ran_ms / 1000));
	return strbuf_take(&text);
}
