#include "gate/pins_compare.h"

#include "gate/pins.h"

/* Of a member's text in one effect: below PLAN_TEXT_MAX. */
enum { PART_BYTES = 1900 };

void pin_set_done(struct pin_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		tool_definition_free(s->tools[i]);
	free(s->tools);
	s->tools = NULL;
	s->count = 0;
}

const struct tool_definition *pin_set_find(const struct pin_set *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->tools[i]->name, name) == 0)
			return s->tools[i];
	return NULL;
}

bool pin_set_add(struct pin_set *s, struct tool_definition *d, struct error *err)
{
	struct tool_definition **grown;
	size_t at = s->count;

	if (pin_set_find(s, d->name) || s->count >= PINS_TOOLS_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "'%s' lists '%s' twice, or too many tools", d->server, d->name);
		tool_definition_free(d);
		return false;
	}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers. */
	grown = reallocarray(s->tools, s->count + 1, sizeof *grown);
	if (!grown) {
		tool_definition_free(d);
		return error_oom(err);
	}
	s->tools = grown;
	for (; at > 0 && strcmp(grown[at - 1]->name, d->name) > 0; at--)
		grown[at] = grown[at - 1];
	grown[at] = d;
	s->count++;
	return true;
}

bool pin_set_read(struct pin_set *s, const char *server, const json_t *tools,
		  struct error *err)
{
	size_t i;
	json_t *listed;

	if (!json_is_array(tools))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%s' lists no array of tools", server);
	json_array_foreach(tools, i, listed)
	{
		struct tool_definition *d = tool_definition_read(server, listed, err);

		if (!d || !pin_set_add(s, d, err))
			return false;
	}
	return true;
}

json_t *pin_set_json(const struct pin_set *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->count; i++)
		(void)json_array_append(list, s->tools[i]->json);
	return list;
}

bool pin_set_digest(const struct pin_set *s, char ret_hex[static DIGEST_HEX_BYTES],
		    struct error *err)
{
	json_auto_t *pins = json_object();

	for (size_t i = 0; pins && i < s->count; i++)
		if (json_object_set_new(pins, s->tools[i]->name,
					json_string(s->tools[i]->pin)))
			return error_oom(err);
	return pins ? canonical_digest(pins, ret_hex, err) : error_oom(err);
}

/* Call 'fn' for each member that two definitions do not share. */
static void each_difference(const struct tool_definition *was,
			    const struct tool_definition *now,
			    void (*fn)(void *context, const char *member,
				       const json_t *was, const json_t *now),
			    void *context)
{
	const char *member;
	json_t *value;

	json_object_foreach(was->json, member, value)
	{
		const json_t *other = json_object_get(now->json, member);

		if (!other || !json_equal(value, other))
			fn(context, member, value, other);
	}
	json_object_foreach(now->json, member, value)
	{
		if (!json_object_get(was->json, member))
			fn(context, member, NULL, value);
	}
}

static void add_word(void *context, const char *member, const json_t *was,
		     const json_t *now)
{
	struct strbuf *words = context;

	(void)was;
	(void)now;
	strbuf_add_format(words, "%s%.64s", words->length ? ", " : "changed: ", member);
}

static bool add_difference(json_t *list, const char *tool, const char *what)
{
	return json_array_append_new(
		       list, json_pack("{s:s, s:s}", "tool", tool, "what", what)) == 0;
}

json_t *pin_set_differences(const struct pin_set *was, const struct pin_set *now)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < was->count; i++) {
		const struct tool_definition *a = was->tools[i],
					     *b = pin_set_find(now, a->name);
		_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

		if (b && strcmp(a->pin, b->pin) == 0)
			continue;
		if (b)
			each_difference(a, b, add_word, &words);
		if (!strbuf_ok(&words) || !add_difference(list, a->name,
							  !b             ? "removed"
							  : words.length ? words.data
									 : "changed"))
			return NULL;
	}
	for (size_t i = 0; list && i < now->count; i++)
		if (!pin_set_find(was, now->tools[i]->name) &&
		    !add_difference(list, now->tools[i]->name, "added"))
			return NULL;
	return TAKE(list);
}

static void member_text(struct strbuf *sb, const json_t *value, bool whole)
{
	struct error ignored = ERROR_INIT;
	char digest[DIGEST_HEX_BYTES];

	if (!value) {
		strbuf_add_string(sb, "absent");
		return;
	}
	if (!canonical_write(sb, value, &ignored) ||
	    (!whole && sb->length > PART_BYTES)) {
		strbuf_clear(sb);
		if (canonical_digest(value, digest, &ignored))
			strbuf_add_format(sb, "digest %s", digest);
	}
}

/* The next part of 'text' from '*at' on; no character is cut. free() */
static char *next_part(const struct strbuf *text, size_t *at)
{
	size_t start = *at, end = start + PART_BYTES;

	if (end > text->length)
		end = text->length;
	while (end < text->length && ((unsigned char)text->data[end] & 0xC0) == 0x80)
		end--;
	*at = end;
	return strndup(text->data + start, end - start);
}

struct effect_target {
	struct plan *plan;
	const char *server, *tool;
	bool whole;
};

static void add_effect(void *context, const char *member, const json_t *was,
		       const json_t *now)
{
	const struct effect_target *t = context;
	_cleanup_strbuf_ struct strbuf from = STRBUF_INIT, to = STRBUF_INIT;
	size_t from_at = 0, to_at = 0, part = 0;

	member_text(&from, was, t->whole);
	member_text(&to, now, t->whole);
	do {
		_cleanup_strbuf_ struct strbuf target = STRBUF_INIT;
		_cleanup_free_ char *before = next_part(&from, &from_at),
				    *after = next_part(&to, &to_at);
		bool is_more = from_at < from.length || to_at < to.length;

		strbuf_add_format(&target, "%s of %s.%s", member, t->server, t->tool);
		if (part++ > 0 || is_more)
			strbuf_add_format(&target, ", part %zu%s", part,
					  is_more ? "" : ", the last");
		plan_effect(t->plan, "gate", target.data, before, after, true);
	} while (from_at < from.length || to_at < to.length);
}

static void add_new(const struct tool_definition *d, const struct effect_target *t)
{
	json_auto_t *nothing = json_object();
	const struct tool_definition absent = { .json = nothing };
	char target[128], to[160];

	(void)snprintf(target, sizeof target, "pin of %s.%s", t->server, d->name);
	(void)snprintf(to, sizeof to, "%s, risk %s", d->pin, risk_name(d->risk));
	plan_effect(t->plan, "gate", target, "not pinned", to, true);
	if (t->whole)
		each_difference(&absent, d, add_effect, (void *)(uintptr_t)t);
}

void pin_set_effects(const struct pin_set *was, const struct pin_set *now,
		     const char *server, bool whole, struct plan *plan)
{
	struct effect_target t = { .plan = plan, .server = server, .whole = whole };

	for (size_t i = 0; i < was->count; i++) {
		const struct tool_definition *a = was->tools[i],
					     *b = pin_set_find(now, a->name);
		char target[128];

		t.tool = a->name;
		(void)snprintf(target, sizeof target, "pin of %s.%s", server, a->name);
		if (!b)
			plan_effect(plan, "gate", target, a->pin, "removed", true);
		else if (strcmp(a->pin, b->pin) != 0)
			each_difference(a, b, add_effect, &t);
	}
	for (size_t i = 0; i < now->count; i++) {
		t.tool = now->tools[i]->name;
		if (!pin_set_find(was, t.tool))
			add_new(now->tools[i], &t);
	}
}

size_t pin_name_distance(const char *a, const char *b)
{
	size_t row[161];
	size_t width = strnlen(b, 160);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; i < 160 && a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < width; j++) {
			size_t best = corner + (a[i] != b[j]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			corner = row[j + 1];
			row[j + 1] = best;
		}
	}
	return row[width];
}
