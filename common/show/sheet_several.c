/* Several calls in one decision: what is said of all, then each in full, then the terms. */
#include "show/sheet_build.h"

enum { PROMPT_VERSION = 1, CALLS_MAX = 8 };

static bool has_only(const json_t *object, const char *const *members)
{
	size_t known = 0;

	for (size_t i = 0; members[i]; i++)
		known += json_object_get(object, members[i]) != NULL;
	return json_is_object(object) && known == json_object_size(object);
}

static bool check(const json_t *prompt, struct error *err)
{
	static const char *const members[] = {
		"v",        "approval",   "requester",  "surface",
		"asked_at", "expires_at", "good_for_s", "approvers",
		"warnings", "outcome_to", "calls",      NULL,
	};
	static const char *const of_approvers[] = { "needed", "who", "four_eyes", NULL };
	static const char *const of_call[] = { "run", "prompt", NULL };
	const json_t *calls = json_object_get(prompt, "calls");
	unsigned runs = 0;
	bool good = json_get_int64(prompt, "v", 0) == PROMPT_VERSION &&
		    has_only(prompt, members) &&
		    has_only(json_object_get(prompt, "approvers"), of_approvers) &&
		    json_array_size(calls) >= 2 && json_array_size(calls) <= CALLS_MAX;
	size_t i;
	json_t *call;

	json_array_foreach(calls, i, call)
	{
		int64_t run = json_get_int64(call, "run", 0);

		good = good && has_only(call, of_call) && run >= 1 &&
		       !json_object_get(json_object_get(call, "prompt"), "calls") &&
		       run <= (int64_t)json_array_size(calls) && !(runs & 1U << run);
		if (good)
			runs |= 1U << run;
	}
	if (good)
		return true;
	error_set(err, ERR_INTERNAL, "the prompt holds something that cannot be shown");
	return error_hint(err, "wingman and wingman-gate must be of one version");
}

/* The call that runs as number 'run'. */
static const json_t *call_running(const json_t *prompt, int64_t run)
{
	size_t i;
	json_t *call;

	json_array_foreach(json_object_get(prompt, "calls"), i, call)
	{
		if (json_get_int64(call, "run", 0) == run)
			return json_object_get(call, "prompt");
	}
	return NULL;
}

static void add_all(struct sheet *s)
{
	size_t count = json_array_size(json_object_get(s->prompt, "calls"));
	_cleanup_strbuf_ struct strbuf who = STRBUF_INIT;

	sheet_section(s, "Several calls, one decision", NULL);
	strbuf_add_format(&who, "%s, %s", sheet_need(s, s->prompt, "requester"),
			  sheet_need(s, s->prompt, "surface"));
	sheet_item(s, "asked by", who.data);
	s->failed = s->failed || who.failed;
	for (size_t run = 1; run <= count; run++) {
		const json_t *prompt = call_running(s->prompt, (int64_t)run);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		char label[32];

		(void)snprintf(label, sizeof label, "runs as %zu", run);
		strbuf_add_format(&text, "%s.%s (%s)", sheet_need(s, prompt, "server"),
				  sheet_need(s, prompt, "tool"),
				  sheet_need(s, prompt, "risk"));
		sheet_item(s, label, text.data);
		s->failed = s->failed || text.failed;
	}
}

static void add_warnings(struct sheet *s)
{
	size_t i;
	json_t *warning;

	sheet_section(s, "Warnings for all of them", "none");
	json_array_foreach(sheet_need_array(s, s->prompt, "warnings"), i, warning)
	{
		if (!json_is_string(warning))
			s->missing = true;
		else
			sheet_mark(s, sheet_item(s, "!", json_string_value(warning)),
				   "warn");
	}
}

/* All sections of one call, each headed by which it is. */
static bool add_call(struct sheet *s, const json_t *call, bool *whole, struct error *err)
{
	json_auto_t *sheet = sheet_build(json_object_get(call, "prompt"), s->view, err);
	size_t i;
	json_t *section;

	if (!sheet)
		return false;
	*whole = *whole && json_is_true(json_object_get(sheet, "whole"));
	json_array_foreach(json_object_get(sheet, "sections"), i, section)
	{
		char heading[160];

		(void)snprintf(heading, sizeof heading, "Call %lld: %s",
			       (long long)json_get_int64(call, "run", 0),
			       json_get_string(section, "heading"));
		if (json_object_set_new(section, "heading", json_string(heading)) != 0 ||
		    json_array_append(s->sections, section) != 0)
			return error_oom(err);
	}
	return true;
}

static void add_terms(struct sheet *s)
{
	char good[96];

	sheet_section(s, "Terms of the decision", NULL);
	sheet_approvers(s);
	sheet_time(s, "asked", sheet_need_number(s, s->prompt, "asked_at"), NULL);
	sheet_time(s, "decide until", sheet_need_number(s, s->prompt, "expires_at"),
		   NULL);
	(void)snprintf(good, sizeof good,
		       "%lld seconds after the last yes, for each call to begin",
		       (long long)sheet_need_number(s, s->prompt, "good_for_s"));
	sheet_item(s, "good for", good);
	sheet_item(s, "outcome goes to", sheet_need(s, s->prompt, "outcome_to"));
	sheet_item(s, "approval", sheet_need(s, s->prompt, "approval"));
}

json_t *sheet_several(const json_t *prompt, const struct sheet_view *view,
		      struct error *err)
{
	json_auto_t *sections = json_array();
	struct sheet s = { .prompt = prompt, .view = view, .sections = sections };
	bool whole = true;
	size_t i;
	json_t *call;

	if (!check(prompt, err))
		return NULL;
	if (!sections) {
		error_oom(err);
		return NULL;
	}
	add_all(&s);
	add_warnings(&s);
	json_array_foreach(json_object_get(prompt, "calls"), i, call)
	{
		if (!add_call(&s, call, &whole, err))
			return NULL;
	}
	add_terms(&s);
	if (s.missing) {
		error_set(err, ERR_INTERNAL,
			  "the gate sent a prompt that lacks something to show");
		return NULL;
	}
	if (s.failed) {
		error_oom(err);
		return NULL;
	}
	return json_pack("{s:s, s:b, s:O}", "question", "Approve all of these calls?",
			 "whole", whole, "sections", sections);
}
