#include "console/render.h"

#include "base/clock.h"
#include "base/text.h"

enum { LABEL_COLUMNS = 18, PROMPT_VERSION = 1, DIGEST_SHOWN = 12 };

struct page {
	struct strbuf *sb;
	const struct render_style *style;
	bool missing;
};

void render_text(struct strbuf *sb, const char *text)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	/* Visible text has its backslashes doubled already; doubling them again is
	 * undone here, so that only what was not visible changes. */
	text_visible(&visible, text, strlen(text));
	for (size_t i = 0; i < visible.length; i++) {
		strbuf_add_char(sb, visible.data[i]);
		if (visible.data[i] == '\\' && visible.data[i + 1] == '\\')
			i++;
	}
}

static const char *paint(const struct page *p, const char *code)
{
	return p->style->colour ? code : "";
}

#define BOLD(p)   paint(p, "\033[1m")
#define RED(p)    paint(p, "\033[1;31m")
#define YELLOW(p) paint(p, "\033[33m")
#define DIM(p)    paint(p, "\033[2m")
#define PLAIN(p)  paint(p, "\033[0m")

static const char *need(struct page *p, const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	if (!text)
		p->missing = true;
	return text ? text : "";
}

static int64_t need_number(struct page *p, const json_t *object, const char *name)
{
	const json_t *number = json_object_get(object, name);

	if (!json_is_integer(number))
		p->missing = true;
	return json_integer_value(number);
}

static const json_t *need_array(struct page *p, const json_t *object, const char *name)
{
	const json_t *array = json_object_get(object, name);

	if (!json_is_array(array))
		p->missing = true;
	return array;
}

static size_t utf8_step(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t want = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	size_t have = 1;

	while (have < want && s[have])
		have++;
	return have;
}

/* How many bytes of 's' fit into 'room' columns; behind a space where there is one. */
static size_t fitting(const char *s, size_t room)
{
	size_t bytes = 0, behind_space = 0, column = 0;

	while (s[bytes]) {
		size_t step = utf8_step(s + bytes), width = text_columns(s + bytes, step);

		if (column + width > room)
			return behind_space ? behind_space : bytes;
		column += width;
		bytes += step;
		if (s[bytes - 1] == ' ')
			behind_space = bytes;
	}
	return bytes;
}

/*
 * 'text' from 'column' on, wrapped to the width and nothing lost. Each further line
 * begins with a bar before 'indent', so that no text can pass for a line of the page.
 */
static void put_wrapped(struct page *p, const char *text, size_t indent, size_t column)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	const char *s;

	render_text(&shown, text);
	for (s = shown.data; *s;) {
		size_t bytes = fitting(s, p->style->columns - column);

		strbuf_add(p->sb, s, bytes);
		s += bytes;
		if (*s)
			strbuf_add_format(p->sb, "\n%*s| ", (int)indent - 2, "");
		column = indent;
	}
	strbuf_add_char(p->sb, '\n');
}

/* A label may be a name that a server chose. */
static void put_field(struct page *p, const char *label, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	size_t columns;

	render_text(&shown, label);
	columns = text_columns(shown.data, shown.length);
	strbuf_add_format(p->sb, "  %s", DIM(p));
	if (columns + 3 <= LABEL_COLUMNS) {
		strbuf_add_format(p->sb, "%s%*s%s", shown.data,
				  (int)(LABEL_COLUMNS - 2 - columns), "", PLAIN(p));
	} else {
		put_wrapped(p, label, 4, 2);
		strbuf_add_format(p->sb, "%s%*s", PLAIN(p), LABEL_COLUMNS, "");
	}
	put_wrapped(p, text, LABEL_COLUMNS, LABEL_COLUMNS);
}

static void put_heading(struct page *p, const char *text)
{
	strbuf_add_format(p->sb, "\n%s%s%s\n", BOLD(p), text, PLAIN(p));
}

static void put_flags(struct page *p, const json_t *item)
{
	const json_t *flags = json_object_get(item, "flags");
	const char *escaped = json_get_string(item, "escaped");
	size_t i;
	json_t *flag;

	if (json_array_size(flags) > 0) {
		strbuf_add_format(p->sb, "%*s%s! this value is odd:", LABEL_COLUMNS, "",
				  YELLOW(p));
		json_array_foreach(flags, i, flag)
		{
			strbuf_add_char(p->sb, ' ');
			render_text(p->sb,
				    json_is_string(flag) ? json_string_value(flag) : "?");
		}
		strbuf_add_format(p->sb, "%s\n", PLAIN(p));
	}
	if (escaped) {
		strbuf_add_format(p->sb, "%*s= ", LABEL_COLUMNS, "");
		put_wrapped(p, escaped, LABEL_COLUMNS + 2, LABEL_COLUMNS + 2);
	}
}

static void put_note(struct page *p, const char *note, const char *before)
{
	strbuf_add_format(p->sb, "%*s%s%s", LABEL_COLUMNS, "", DIM(p), before);
	put_wrapped(p, note, LABEL_COLUMNS + 3, LABEL_COLUMNS + strlen(before));
	strbuf_add_string(p->sb, PLAIN(p));
}

static void put_arguments(struct page *p, const json_t *arguments)
{
	size_t i;
	json_t *argument;

	put_heading(p, "Arguments");
	if (json_array_size(arguments) == 0)
		strbuf_add_string(p->sb, "  none\n");
	json_array_foreach(arguments, i, argument)
	{
		const char *note = json_get_string(argument, "note");

		put_field(p, need(p, argument, "name"), need(p, argument, "text"));
		if (json_is_true(json_object_get(argument, "default")))
			put_note(p, "(default; not part of the call)", "");
		if (json_is_true(json_object_get(argument, "sensitive")))
			put_note(p, "(sensitive; kept out of the logs)", "");
		if (note)
			put_note(p, note, "-> ");
		put_flags(p, argument);
	}
}

static void put_effects(struct page *p, const json_t *effects, bool is_read)
{
	size_t i;
	json_t *effect;

	/* A read changes nothing; one that says it does is shown like any other. */
	if (is_read && json_array_size(effects) == 0)
		return;
	put_heading(p, "What will change");
	if (json_array_size(effects) == 0)
		strbuf_add_string(p->sb, "  nothing\n");
	json_array_foreach(effects, i, effect)
	{
		bool reversible = json_is_true(json_object_get(effect, "reversible"));

		put_field(p, need(p, effect, "system"), need(p, effect, "target"));
		strbuf_add_format(p->sb, "%*sfrom ", LABEL_COLUMNS, "");
		put_wrapped(p, need(p, effect, "from"), LABEL_COLUMNS + 5,
			    LABEL_COLUMNS + 5);
		strbuf_add_format(p->sb, "%*sto   ", LABEL_COLUMNS, "");
		put_wrapped(p, need(p, effect, "to"), LABEL_COLUMNS + 5,
			    LABEL_COLUMNS + 5);
		strbuf_add_format(p->sb, "%*s%s%s%s\n", LABEL_COLUMNS, "",
				  reversible ? DIM(p) : RED(p),
				  reversible ? "can be undone" : "CANNOT BE UNDONE",
				  PLAIN(p));
	}
}

static void put_warnings(struct page *p, const json_t *warnings)
{
	size_t i;
	json_t *warning;

	if (json_array_size(warnings) == 0)
		return;
	put_heading(p, "Warnings");
	json_array_foreach(warnings, i, warning)
	{
		strbuf_add_format(p->sb, "  %s! ", YELLOW(p));
		put_wrapped(p, json_is_string(warning) ? json_string_value(warning) : "?",
			    4, 4);
		strbuf_add_string(p->sb, PLAIN(p));
	}
}

static void put_free_text(struct page *p, const json_t *texts)
{
	size_t i;
	json_t *text;

	json_array_foreach(texts, i, text)
	{
		_cleanup_strbuf_ struct strbuf heading = STRBUF_INIT;

		strbuf_add_format(&heading, "%s, written by the %s",
				  need(p, text, "name"), need(p, text, "by"));
		strbuf_add_format(p->sb, "\n%s", BOLD(p));
		put_wrapped(p, heading.data, 4, 0);
		strbuf_add_format(p->sb, "%s  | ", PLAIN(p));
		put_wrapped(p, need(p, text, "text"), 4, 4);
		put_flags(p, text);
	}
}

static void put_time(struct page *p, const char *label, int64_t at_ms)
{
	char absolute[CLOCK_TEXT_BYTES], relative[CLOCK_TEXT_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text, "%s (%s)", clock_format(at_ms, absolute),
			  clock_relative(at_ms, p->style->now_ms, relative));
	put_field(p, label, text.data);
}

static void put_approvers(struct page *p, const json_t *approvers)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;
	json_t *who;

	strbuf_add_format(&text,
			  "%lld of: ", (long long)need_number(p, approvers, "needed"));
	json_array_foreach(need_array(p, approvers, "who"), i, who)
	{
		strbuf_add_format(&text, "%s%s", i ? ", " : "",
				  json_is_string(who) ? json_string_value(who) : "?");
	}
	if (json_array_size(json_object_get(approvers, "who")) == 0)
		strbuf_add_string(&text, "nobody");
	if (json_is_true(json_object_get(approvers, "four_eyes")))
		strbuf_add_string(&text, " (not the requester)");
	put_field(p, "who may approve", text.data);
}

static void put_head(struct page *p, const json_t *prompt)
{
	const char *risk = need(p, prompt, "risk");
	_cleanup_strbuf_ struct strbuf where = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf who = STRBUF_INIT;

	strbuf_add_format(p->sb, "%sApprove this call?%s\n\n  %s", BOLD(p), PLAIN(p),
			  BOLD(p));
	render_text(p->sb, need(p, prompt, "server"));
	strbuf_add_char(p->sb, '.');
	render_text(p->sb, need(p, prompt, "tool"));
	strbuf_add_format(p->sb, "%s   %s", PLAIN(p),
			  strcmp(risk, "destructive") == 0 ? RED(p) : YELLOW(p));
	render_text(p->sb, risk);
	strbuf_add_format(p->sb, "%s\n", PLAIN(p));
	put_field(p, "what it is", need(p, prompt, "title"));
	strbuf_add_format(&where, "%s at %s", need(p, prompt, "server"),
			  need(p, prompt, "address"));
	put_field(p, "server", where.data);
	strbuf_add_format(&who, "%s, %s", need(p, prompt, "requester"),
			  need(p, prompt, "surface"));
	put_field(p, "asked by", who.data);
	if (json_object_get(prompt, "last_run"))
		put_time(p, "RAN BEFORE", need_number(p, prompt, "last_run"));
}

/* In full in 'wingman approvals show ID --json'; the prompt's own covers them all. */
static void put_digests(struct page *p, const json_t *prompt)
{
	static const struct {
		const char *member, *label;
		bool optional;
	} rows[] = {
		{ "pin", "pinned tool", false },
		{ "args", "arguments", false },
		{ "plan_digest", "plan", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		if (rows[i].optional && !json_object_get(prompt, rows[i].member))
			continue;
		strbuf_add_format(&text, "%.*s", DIGEST_SHOWN,
				  need(p, prompt, rows[i].member));
		put_field(p, rows[i].label, text.data);
	}
}

static void put_foot(struct page *p, const json_t *prompt)
{
	_cleanup_strbuf_ struct strbuf good = STRBUF_INIT;
	const json_t *data = json_object_get(prompt, "data");

	if (data) {
		struct error ignored = ERROR_INIT;
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		put_heading(p, "Details that the server will act on");
		if (!json_write(&text, data, &ignored))
			p->missing = true;
		strbuf_add_string(p->sb, "  | ");
		put_wrapped(p, text.data, 4, 4);
	}
	put_heading(p, "Terms");
	put_approvers(p, json_object_get(prompt, "approvers"));
	put_time(p, "asked", need_number(p, prompt, "asked_at"));
	put_time(p, "decide until", need_number(p, prompt, "expires_at"));
	strbuf_add_format(&good, "%lld seconds after the last yes",
			  (long long)need_number(p, prompt, "good_for_s"));
	put_field(p, "good for", good.data);
	put_field(p, "outcome goes to", need(p, prompt, "outcome_to"));
	put_field(p, "approval", need(p, prompt, "approval"));
	put_digests(p, prompt);
}

/* A member that this program does not know is one that it would not show. */
static bool is_known(const json_t *prompt)
{
	static const char *const members[] = {
		"v",           "approval",   "server",    "address",    "tool",
		"title",       "risk",       "requester", "surface",    "asked_at",
		"expires_at",  "good_for_s", "approvers", "outcome_to", "arguments",
		"effects",     "warnings",   "free_text", "pin",        "args",
		"plan_digest", "data",       "last_run",
	};
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		known += json_object_get(prompt, members[i]) != NULL;
	return known == json_object_size(prompt);
}

static bool check_prompt(const json_t *prompt, const struct render_style *style,
			 struct error *err)
{
	if (style->columns < RENDER_COLUMNS_MIN) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "%zu columns are too narrow to show a prompt whole",
			  style->columns);
		return error_hint(err, "make the terminal at least %d columns wide",
				  RENDER_COLUMNS_MIN);
	}
	if (json_get_int64(prompt, "v", 0) != PROMPT_VERSION || !is_known(prompt)) {
		error_set(err, ERR_INTERNAL,
			  "the prompt holds something that cannot be shown");
		return error_hint(err, "wingman and wingman-gate must be of one version");
	}
	return true;
}

bool render_prompt(struct strbuf *sb, const json_t *prompt,
		   const struct render_style *style, struct error *err)
{
	struct page p = { .sb = sb, .style = style };

	if (!check_prompt(prompt, style, err))
		return false;
	put_head(&p, prompt);
	put_arguments(&p, need_array(&p, prompt, "arguments"));
	put_effects(&p, need_array(&p, prompt, "effects"),
		    strcmp(need(&p, prompt, "risk"), "read") == 0);
	put_warnings(&p, need_array(&p, prompt, "warnings"));
	put_foot(&p, prompt);
	put_free_text(&p, need_array(&p, prompt, "free_text"));
	if (p.missing)
		return error_set(err, ERR_INTERNAL,
				 "the gate sent a prompt that lacks something to show");
	if (!strbuf_ok(sb))
		return error_oom(err);
	return true;
}
