#include "attacks/attack.h"

#include <stdio.h>
#include <string.h>

const char *tool_word(enum tool t)
{
	static const char *const words[] = { "put_value", "echo_text", "get_route" };

	return words[t];
}

static void roll_text(struct dice *d, size_t max, char *ret, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	dice_text(d, max, &text);
	(void)snprintf(ret, size, "%s", text.data);
}

/* Numbers next to which others lie that some reader takes for the same. */
static int64_t roll_number(struct dice *d)
{
	static const int64_t edges[] = { 0,
					 1,
					 -1,
					 INT32_MAX,
					 (int64_t)INT32_MAX + 1,
					 INT64_C(9007199254740991),
					 INT64_C(-9007199254740991),
					 INT64_C(9007199254740990),
					 16777217,
					 100 };

	return dice_chance(d, 70) ? edges[dice_below(d, ARRAY_SIZE(edges))]
				  : (int64_t)(dice_next(d) >> 12);
}

struct meaning meaning_roll(struct dice *d, enum tool t, const char *key)
{
	static const char *const instants[] = { "2030-01-01T00:00:00Z",
						"2030-01-01T00:00:00+00:00",
						"2030-01-01T00:00:00.0Z" };
	struct meaning m = { .tool = t };

	roll_text(d, 200, m.value, sizeof m.value);
	if (t != TOOL_PUT) {
		m.has_number = dice_chance(d, 80);
		m.number = m.has_number ? roll_number(d) : 0;
		return m;
	}
	(void)snprintf(m.key, sizeof m.key, "%s", key);
	(void)snprintf(m.reason, sizeof m.reason, "why");
	roll_text(d, 30, m.reason + 3, sizeof m.reason - 3);
	if (dice_chance(d, 20))
		(void)snprintf(m.until, sizeof m.until, "%s",
			       instants[dice_below(d, ARRAY_SIZE(instants))]);
	return m;
}

bool meaning_equal(const struct meaning *a, const struct meaning *b)
{
	return a->tool == b->tool && strcmp(a->key, b->key) == 0 &&
	       strcmp(a->value, b->value) == 0 && strcmp(a->reason, b->reason) == 0 &&
	       strcmp(a->until, b->until) == 0 && a->has_number == b->has_number &&
	       a->number == b->number;
}

/* ---- Spelling ---- */

static void space(struct dice *d, struct strbuf *ret)
{
	static const char *const spaces[] = { " ", "\n", "\t", "  ", "\r\n" };

	if (dice_chance(d, 15))
		strbuf_add_string(ret, spaces[dice_below(d, ARRAY_SIZE(spaces))]);
}

/* Some ASCII letters as escapes: the same text to whoever reads JSON. */
static void spell_text(struct dice *d, const char *text, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;

	strbuf_add_json_string(&plain, text, strlen(text));
	for (size_t i = 0; i < plain.length; i++) {
		const char c = plain.data[i];

		if (c == '\\') { /* an escape as it is: two characters, or six */
			const size_t length = plain.data[i + 1] == 'u' ? 6 : 2;

			strbuf_add(ret, plain.data + i, length);
			i += length - 1;
		} else if (c >= 'a' && c <= 'z' && dice_chance(d, 3)) {
			strbuf_add_format(ret, "\\u%04x", (unsigned)c);
		} else {
			strbuf_add_char(ret, c);
		}
	}
}

static void spell_number(struct dice *d, int64_t number, struct strbuf *ret)
{
	switch (dice_below(d, 6)) {
	case 0:
		strbuf_add_format(ret, "%lld.0", (long long)number);
		break;
	case 1:
		strbuf_add_format(ret, "%llde0", (long long)number);
		break;
	case 2:
		strbuf_add_format(ret, "%lld.000E+00", (long long)number);
		break;
	default:
		strbuf_add_int64(ret, number);
	}
}

void meaning_spell(const struct meaning *m, struct dice *d, struct strbuf *ret)
{
	static const char *const names[][2] = { [TOOL_PUT] = { "value", NULL },
						[TOOL_ECHO] = { "text", "count" },
						[TOOL_ROUTE] = { "region", "hops" } };
	const struct {
		const char *name, *text;
	} members[] = {
		{ names[m->tool][0], m->value },
		{ "key", m->tool == TOOL_PUT ? m->key : NULL },
		{ "reason", m->tool == TOOL_PUT ? m->reason : NULL },
		{ "until", *m->until ? m->until : NULL },
		{ m->has_number ? names[m->tool][1] : NULL, NULL },
	};
	const size_t first = dice_below(d, ARRAY_SIZE(members));
	bool is_first = true;

	strbuf_add_char(ret, '{');
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const size_t at = (first + i) % ARRAY_SIZE(members);
		const bool is_number = at == ARRAY_SIZE(members) - 1;

		if (!members[at].name || (!is_number && !members[at].text))
			continue;
		if (!is_first)
			strbuf_add_char(ret, ',');
		is_first = false;
		space(d, ret);
		spell_text(d, members[at].name, ret);
		space(d, ret);
		strbuf_add_char(ret, ':');
		space(d, ret);
		if (is_number)
			spell_number(d, m->number, ret);
		else
			spell_text(d, members[at].text, ret);
	}
	strbuf_add_char(ret, '}');
}
