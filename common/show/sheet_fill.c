/* What stands on a sheet, in its order. */
#include "show/sheet_build.h"

#include "base/canonical.h"
#include "base/clock.h"

enum { PROMPT_VERSION = 1 };

static const char kept_back[] =
	"kept from those who read along; approvers see it in Review";

/* --- what a prompt may hold --- */

/* Members that are not known are not shown, so there may be none. */
static bool has_only(const json_t *object, const char *const *members)
{
	size_t known = 0;

	for (size_t i = 0; members[i]; i++)
		known += json_object_get(object, members[i]) != NULL;
	return known == json_object_size(object);
}

static bool all_have_only(const json_t *list, const char *const *members)
{
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry)
	{
		if (!json_is_object(entry) || !has_only(entry, members))
			return false;
	}
	return true;
}

bool sheet_check(const json_t *prompt, struct error *err)
{
	static const char *const members[] = {
		"v",           "approval",   "server",    "address",    "tool",
		"title",       "risk",       "requester", "surface",    "asked_at",
		"expires_at",  "good_for_s", "approvers", "outcome_to", "arguments",
		"effects",     "warnings",   "free_text", "pin",        "args",
		"plan_digest", "data",       "last_run",  NULL,
	};
	static const char *const of_argument[] = { "name",   "value",     "text",
						   "note",   "default",   "kind",
						   "flags",  "sensitive", "escaped",
						   "length", "from",      NULL };
	static const char *const of_effect[] = { "system", "target",     "from",
						 "to",     "reversible", NULL };
	static const char *const of_text[] = { "by",     "name",      "text",
					       "flags",  "sensitive", "escaped",
					       "length", "from",      NULL };
	static const char *const of_approvers[] = { "needed", "who", "four_eyes", NULL };

	if (json_get_int64(prompt, "v", 0) == PROMPT_VERSION &&
	    has_only(prompt, members) &&
	    all_have_only(json_object_get(prompt, "arguments"), of_argument) &&
	    all_have_only(json_object_get(prompt, "effects"), of_effect) &&
	    all_have_only(json_object_get(prompt, "free_text"), of_text) &&
	    has_only(json_object_get(prompt, "approvers"), of_approvers))
		return true;
	error_set(err, ERR_INTERNAL, "the prompt holds something that cannot be shown");
	return error_hint(err, "wingman and wingman-gate must be of one version");
}

static bool is_sensitive(const json_t *entry)
{
	return json_is_true(json_object_get(entry, "sensitive"));
}

bool sheet_has_sensitive(const json_t *prompt)
{
	static const char *const lists[] = { "arguments", "free_text" };
	size_t i;
	json_t *entry;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_object_get(prompt, lists[l]), i, entry)
		{
			if (is_sensitive(entry))
				return true;
		}
	return false;
}

/* --- the call --- */

void sheet_time(struct sheet *s, const char *label, int64_t at_ms, const char *mark)
{
	char absolute[CLOCK_TEXT_BYTES], relative[CLOCK_TEXT_BYTES];
	char text[2 * CLOCK_TEXT_BYTES + 4];

	(void)clock_format(at_ms, absolute);
	if (s->view->stands)
		(void)snprintf(text, sizeof text, "%s", absolute);
	else
		(void)snprintf(text, sizeof text, "%s (%s)", absolute,
			       clock_relative(at_ms, s->view->now_ms, relative));
	sheet_mark(s, sheet_item(s, label, text), mark);
}

static void add_call(struct sheet *s)
{
	const json_t *p = s->prompt;
	const char *risk = sheet_need(s, p, "risk");
	_cleanup_strbuf_ struct strbuf tool = STRBUF_INIT, server = STRBUF_INIT,
				       who = STRBUF_INIT;

	sheet_section(s, "The call", NULL);
	strbuf_add_format(&tool, "%s.%s", sheet_need(s, p, "server"),
			  sheet_need(s, p, "tool"));
	strbuf_add_format(&server, "%s at %s", sheet_need(s, p, "server"),
			  sheet_need(s, p, "address"));
	strbuf_add_format(&who, "%s, %s", sheet_need(s, p, "requester"),
			  sheet_need(s, p, "surface"));
	if (json_object_get(p, "last_run"))
		sheet_time(s, "RAN BEFORE", sheet_need_number(s, p, "last_run"), "warn");
	sheet_item(s, "tool", tool.data);
	sheet_mark(s, sheet_item(s, "risk", risk),
		   strcmp(risk, "destructive") == 0 ? "danger" : "warn");
	sheet_item(s, "server", server.data);
	sheet_item(s, "asked by", who.data);
	s->failed = s->failed || tool.failed || server.failed || who.failed;
}

/* --- arguments --- */

static void add_oddities(struct sheet *s, json_t *item, const json_t *entry)
{
	const json_t *flags = json_object_get(entry, "flags");
	const char *escaped = json_get_string(entry, "escaped");
	_cleanup_strbuf_ struct strbuf odd = STRBUF_INIT;
	char length[48];
	size_t i;
	json_t *flag;

	if (json_object_get(entry, "length")) {
		(void)snprintf(length, sizeof length, "%lld characters",
			       (long long)sheet_need_number(s, entry, "length"));
		sheet_line(s, item, "length", length, "dim");
	}
	json_array_foreach(flags, i, flag)
	{
		strbuf_add_format(&odd, "%s%s", i ? ", " : "",
				  json_is_string(flag) ? json_string_value(flag) : "?");
	}
	s->failed = s->failed || odd.failed;
	if (json_array_size(flags) > 0)
		sheet_line(s, item, "odd", odd.data, "warn");
	if (escaped)
		sheet_line(s, item, "escaped", escaped, NULL);
	else if (json_array_size(flags) > 0)
		s->missing = true;
}

/* Not what who asks said: where it was said instead. */
static void add_from(struct sheet *s, json_t *item, const json_t *entry)
{
	size_t i;
	json_t *line;

	if (!json_object_get(entry, "from"))
		return;
	json_array_foreach(sheet_need_array(s, entry, "from"), i, line)
	{
		if (!json_is_string(line))
			s->missing = true;
		sheet_line(s, item, "from",
			   json_is_string(line) ? json_string_value(line) : "?", "warn");
	}
}

static void add_argument(struct sheet *s, const json_t *entry)
{
	bool is_hidden = s->keeps_back && is_sensitive(entry);
	const char *note = json_get_string(entry, "note");
	json_t *item = sheet_named(s, sheet_need(s, entry, "name"),
				   is_hidden ? kept_back : sheet_need(s, entry, "text"));

	if (json_is_true(json_object_get(entry, "default")))
		sheet_line(s, item, "default", "left out; not part of the call", "dim");
	else if (!is_hidden)
		sheet_is_argument(s, item);
	if (is_sensitive(entry))
		sheet_line(s, item, "sensitive", "kept out of the logs", "dim");
	if (is_hidden)
		return;
	if (note && !s->keeps_back)
		sheet_line(s, item, "note", note, NULL);
	add_from(s, item, entry);
	add_oddities(s, item, entry);
}

static void add_arguments(struct sheet *s)
{
	size_t i;
	json_t *entry;

	sheet_section(s, "Arguments", "none");
	json_array_foreach(sheet_need_array(s, s->prompt, "arguments"), i, entry)
	{
		add_argument(s, entry);
	}
}

/* --- what the server says --- */

static void add_effect(struct sheet *s, const json_t *effect)
{
	bool reversible = json_is_true(json_object_get(effect, "reversible"));
	json_t *item = sheet_named(s, sheet_need(s, effect, "system"),
				   sheet_need(s, effect, "target"));

	sheet_line(s, item, "from", sheet_need(s, effect, "from"), NULL);
	sheet_line(s, item, "to", sheet_need(s, effect, "to"), NULL);
	sheet_line(s, item, "undo", reversible ? "can be undone" : "CANNOT BE UNDONE",
		   reversible ? "dim" : "danger");
}

static void add_effects(struct sheet *s)
{
	const json_t *effects = sheet_need_array(s, s->prompt, "effects");
	size_t i;
	json_t *effect;

	/* A read changes nothing; one that says it does is shown like any other. */
	if (strcmp(sheet_need(s, s->prompt, "risk"), "read") == 0 &&
	    json_array_size(effects) == 0)
		return;
	sheet_section(s, "What will change", "nothing");
	if (s->keeps_back) {
		sheet_item(s, "effects", kept_back);
		return;
	}
	json_array_foreach(effects, i, effect)
	{
		add_effect(s, effect);
	}
}

static void add_warnings(struct sheet *s)
{
	const json_t *warnings = sheet_need_array(s, s->prompt, "warnings");
	size_t i;
	json_t *warning;

	if (json_array_size(warnings) == 0)
		return;
	sheet_section(s, "Warnings", NULL);
	if (s->keeps_back) {
		sheet_item(s, "!", kept_back);
		return;
	}
	json_array_foreach(warnings, i, warning)
	{
		if (!json_is_string(warning))
			s->missing = true;
		sheet_mark(s,
			   sheet_item(s, "!",
				      json_is_string(warning) ? json_string_value(warning)
							      : "?"),
			   "warn");
	}
}

static void add_data(struct sheet *s)
{
	const json_t *data = json_object_get(s->prompt, "data");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, visible = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!data)
		return;
	sheet_section(s, "Details that the server will act on", NULL);
	if (!canonical_write(&text, data, &err))
		s->missing = true;
	/* Canonical JSON has backslashes of its own, which sheet_text must not take for
	 * those of visible text. */
	for (size_t i = 0; i < text.length; i++)
		strbuf_add_string(&visible, text.data[i] == '\\'
						    ? "\\\\"
						    : (char[]){ text.data[i], '\0' });
	s->failed = s->failed || visible.failed;
	sheet_item(s, "data", s->keeps_back ? kept_back : visible.data);
}

/* --- terms --- */

void sheet_approvers(struct sheet *s)
{
	const json_t *approvers = json_object_get(s->prompt, "approvers");
	const json_t *who = sheet_need_array(s, approvers, "who");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;
	json_t *one;

	strbuf_add_format(
		&text, "%lld of: ", (long long)sheet_need_number(s, approvers, "needed"));
	json_array_foreach(who, i, one)
	{
		if (!json_is_string(one))
			s->missing = true;
		strbuf_add_format(&text, "%s%s", i ? ", " : "",
				  json_is_string(one) ? json_string_value(one) : "?");
	}
	if (json_array_size(who) == 0)
		strbuf_add_string(&text, "nobody");
	if (json_is_true(json_object_get(approvers, "four_eyes")))
		strbuf_add_string(&text, " (not the requester)");
	s->failed = s->failed || text.failed;
	sheet_item(s, "who may approve", text.data);
}

/* In full in 'wingman approvals show ID --json'; the prompt's own covers them all. */
static void add_digests(struct sheet *s)
{
	static const struct {
		const char *member, *label;
		bool is_optional;
	} rows[] = {
		{ "pin", "pinned tool", false },
		{ "args", "arguments", false },
		{ "plan_digest", "plan", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SHEET_DIGEST_SHOWN + 1];

		if (rows[i].is_optional && !json_object_get(s->prompt, rows[i].member))
			continue;
		(void)snprintf(text, sizeof text, "%s",
			       sheet_need(s, s->prompt, rows[i].member));
		sheet_item(s, rows[i].label, text);
	}
}

static void add_terms(struct sheet *s)
{
	const json_t *p = s->prompt;
	char good[64];

	sheet_section(s, "Terms", NULL);
	sheet_approvers(s);
	sheet_time(s, "asked", sheet_need_number(s, p, "asked_at"), NULL);
	sheet_time(s, "decide until", sheet_need_number(s, p, "expires_at"), NULL);
	(void)snprintf(good, sizeof good, "%lld seconds after the last yes",
		       (long long)sheet_need_number(s, p, "good_for_s"));
	sheet_item(s, "good for", good);
	sheet_item(s, "outcome goes to", sheet_need(s, p, "outcome_to"));
	sheet_item(s, "approval", sheet_need(s, p, "approval"));
	add_digests(s);
}

/* --- words --- */

static void add_words(struct sheet *s, const char *by, const char *heading)
{
	bool is_server = strcmp(by, "server") == 0;
	bool has_section = false;
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(s->prompt, "free_text"), i, entry)
	{
		const char *author = json_get_string(entry, "by");
		bool is_hidden = s->keeps_back && (is_server || is_sensitive(entry));
		json_t *item;

		if (!author || strcmp(author, by) != 0)
			continue;
		if (!has_section)
			sheet_section(s, heading, NULL);
		has_section = true;
		item = sheet_named(s, sheet_need(s, entry, "name"),
				   is_hidden ? kept_back : sheet_need(s, entry, "text"));
		if (!is_server && !is_hidden)
			sheet_is_argument(s, item);
		if (!is_hidden) {
			add_from(s, item, entry);
			add_oddities(s, item, entry);
		}
	}
}

/* Whoever wrote them, they stand last; an author that is not known hides none of them. */
static void add_free_text(struct sheet *s)
{
	static const struct {
		const char *by, *heading;
	} authors[] = {
		{ "requester", "Written by the requester" },
		{ "assistant", "Written by the assistant" },
		{ "server", "Written by the server" },
	};
	size_t known = 0, i;
	json_t *entry;

	json_array_foreach(sheet_need_array(s, s->prompt, "free_text"), i, entry)
	{
		const char *by = sheet_need(s, entry, "by");

		for (size_t a = 0; a < ARRAY_SIZE(authors); a++)
			known += strcmp(authors[a].by, by) == 0;
	}
	if (known != json_array_size(json_object_get(s->prompt, "free_text")))
		s->missing = true;
	for (size_t a = 0; a < ARRAY_SIZE(authors); a++)
		add_words(s, authors[a].by, authors[a].heading);
	sheet_section(s, "What the tool calls itself, as pinned", NULL);
	sheet_item(s, "title", sheet_need(s, s->prompt, "title"));
}

void sheet_fill(struct sheet *s)
{
	add_call(s);
	add_arguments(s);
	add_effects(s);
	add_warnings(s);
	add_data(s);
	add_terms(s);
	add_free_text(s);
}
