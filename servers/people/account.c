#include "servers/people/account.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

void account_begin(struct account *a, enum people_system system)
{
	struct strbuf fields = a->fields;

	strbuf_clear(&fields);
	*a = (struct account){ .system = system, .fields = fields };
}

void account_done(struct account *a)
{
	strbuf_done(&a->fields);
}

void account_set_key(struct account *a, const char *id)
{
	size_t length = 0;

	for (; *id && length + 3 <= ACCOUNT_KEY_MAX; id++) {
		unsigned char c = (unsigned char)*id;

		if (isalnum(c) || strchr("._=,+@-", c))
			a->key[length++] = (char)c;
		else
			length += (size_t)snprintf(a->key + length, 4, "~%02X", c);
	}
	/* Cut, it could be another's. */
	if (*id)
		length = 0;
	a->key[length] = '\0';
}

/* ---- What strangers wrote ----------------------------------------------------------- */

static size_t longest(enum account_field field)
{
	switch (field) {
	case ACCOUNT_NAME:
	case ACCOUNT_GIVEN:
	case ACCOUNT_SURNAME:
	case ACCOUNT_NICKNAME:
	case ACCOUNT_FORMER:
	case ACCOUNT_DISPLAY:
		return ACCOUNT_NAME_MAX;
	default:
		return ACCOUNT_TEXT_MAX;
	}
}

static bool is_fit(const char *value, size_t length, enum account_field field)
{
	if (length > longest(field) || !text_is_utf8(value, length))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return false;
	return !(text_flags(value, length) & (TEXT_BIDI | TEXT_INVISIBLE));
}

static void put(struct account *a, enum account_field field, const char *value)
{
	strbuf_add_char(&a->fields, (char)field);
	strbuf_add(&a->fields, value, strlen(value) + 1);
}

static bool has(const struct account *a, enum account_field field, const char *value)
{
	struct account_fields f = account_read(a->fields.data, a->fields.length);
	const char *have;

	while ((have = account_next(&f)))
		if (f.field == field && strcmp(have, value) == 0)
			return true;
	return false;
}

void account_add(struct account *a, enum account_field field, const char *value)
{
	const size_t most = field == ACCOUNT_GROUP ? ACCOUNT_GROUPS_MAX
						   : ACCOUNT_VALUES_MAX;
	size_t *count = &a->counts[(size_t)field & 127];

	if (!value || !*value)
		return;
	if (!is_fit(value, strlen(value), field)) {
		a->is_odd = true;
	} else if (*count > 0 && has(a, field, value)) {
		return;
	} else if (*count >= most) {
		a->is_cut = true;
	} else {
		(*count)++;
		put(a, field, value);
	}
}

bool account_finish(struct account *a, struct error *err)
{
	if (a->is_odd)
		put(a, ACCOUNT_FLAG, "odd-values");
	if (a->is_cut)
		put(a, ACCOUNT_FLAG, "cut");
	return strbuf_ok(&a->fields) || error_oom(err);
}

/* ---- Reading ------------------------------------------------------------------------ */

const char *account_next(struct account_fields *f)
{
	const char *value = f->at + 1, *nul;

	if (f->at >= f->end || value >= f->end)
		return NULL;
	nul = memchr(value, 0, (size_t)(f->end - value));
	if (!nul)
		return NULL;
	f->field = (enum account_field) * f->at;
	f->at = nul + 1;
	return value;
}

const char *account_get(const char *fields, size_t length, enum account_field field)
{
	struct account_fields f = account_read(fields, length);
	const char *value;

	while ((value = account_next(&f)))
		if (f.field == field)
			return value;
	return NULL;
}
