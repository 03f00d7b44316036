#include "servers/accounts/backend.h"

#include <assert.h>
#include <stdarg.h>

enum { FACET_TEXT_BYTES = 400 };

const char *account_state_name(enum account_state state)
{
	switch (state) {
	case ACCOUNT_ACTIVE:
		return "active";
	case ACCOUNT_BLOCKED:
		return "blocked";
	case ACCOUNT_ABSENT:
		return "absent";
	case ACCOUNT_UNKNOWN:
		break;
	}
	return "unknown";
}

void account_done(struct account *a)
{
	free(a->id);
	free(a->identifier);
	free(a->uid);
	free(a->name);
	free(a->mail);
	free(a->detail);
	*a = (struct account){ 0 };
}

void account_list_done(struct account_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		account_done(&list->items[i]);
	free(list->items);
	*list = (struct account_list)ACCOUNT_LIST_INIT;
}

struct account *account_list_add(struct account_list *list)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct account *items =
			reallocarray(list->items, capacity, sizeof *list->items);

		if (!items)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count] = (struct account){ 0 };
	return &list->items[list->count++];
}

/* ---- Facets ----------------------------------------------------------------------- */

static const char *const facet_names[FACET_COUNT] = {
	[FACET_SIGN_IN] = "sign_in",
	[FACET_SESSIONS] = "sessions",
	[FACET_TOKENS] = "tokens",
	[FACET_MEMBERSHIPS] = "memberships",
};

const char *account_facet_name(enum account_facet facet)
{
	assert(facet < FACET_COUNT);
	return facet_names[facet];
}

bool account_facet_from_name(const char *name, enum account_facet *ret)
{
	for (size_t i = 0; i < FACET_COUNT; i++) {
		if (strcmp(facet_names[i], name) == 0) {
			*ret = (enum account_facet)i;
			return true;
		}
	}
	return false;
}

void facet_step_done(struct facet_step *step)
{
	free(step->refused);
	free(step->from);
	free(step->to);
	json_decref(step->change);
	json_decref(step->snapshot);
	for (size_t i = 0; i < step->warning_count; i++)
		free(step->warnings[i]);
	*step = (struct facet_step){ 0 };
}

bool facet_step_words(struct facet_step *step, const char *from, const char *to,
		      struct error *err)
{
	free(step->from);
	free(step->to);
	step->from = strdup(from);
	step->to = strdup(to);
	return (step->from && step->to) || error_oom(err);
}

/* New text; NULL without memory. */
static char *_printf_(1, 0) format_text(const char *format, va_list args)
{
	char text[FACET_TEXT_BYTES];

	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): set by the caller. */
	(void)vsnprintf(text, sizeof text, format, args);
	return strdup(text);
}

bool facet_step_refuse(struct facet_step *step, struct error *err, const char *format,
		       ...)
{
	va_list args;

	free(step->refused);
	va_start(args, format);
	step->refused = format_text(format, args);
	va_end(args);
	step->act = false;
	return step->refused || error_oom(err);
}

bool facet_step_warn(struct facet_step *step, struct error *err, const char *format, ...)
{
	char *text;
	va_list args;

	if (step->warning_count == FACET_WARNINGS_MAX) {
		text = strdup("there is more to say about this than fits here");
		if (!text)
			return error_oom(err);
		free(step->warnings[--step->warning_count]);
	} else {
		va_start(args, format);
		text = format_text(format, args);
		va_end(args);
		if (!text)
			return error_oom(err);
	}
	step->warnings[step->warning_count++] = text;
	return true;
}
