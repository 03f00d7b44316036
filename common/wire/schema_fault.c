/* Faults: where, which rule, and a sentence for people. */
#include "wire/schema_run.h"

#include <stdarg.h>

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "wire/schema_build.h"

/* ---- Texts that fit ---- */

/* Copy, cut between characters if need be. */
static void put_text(char *to, size_t size, const char *text, size_t length)
{
	size_t n = length;

	if (length >= size)
		n = utf8_cut(text, length, size - sizeof "...");
	memcpy(to, text, n);
	to[n] = '\0';
	if (n < length)
		memcpy(to + n, "...", sizeof "...");
}

static void put_strbuf(char *to, size_t size, const struct strbuf *sb)
{
	put_text(to, size, sb->data, sb->length);
}

static size_t path_depth(const struct path *path)
{
	size_t depth = 0;

	for (; path; path = path->outer)
		depth++;
	return depth;
}

/* No deeper than SCHEMA_DEPTH_MAX, because each level took a node. */
static void add_path(struct strbuf *sb, const struct path *path)
{
	if (!path)
		return;
	add_path(sb, path->outer);
	if (path->key)
		index_add_token(sb, path->key, path->key_length);
	else
		strbuf_add_format(sb, "/%zu", path->index);
}

static struct schema_fault *add_fault(struct run *run, const struct node *node,
				      const struct path *path, const char *keyword)
{
	struct report *report = run->report;

	run->faults++;
	if (!report || report->count == report->capacity)
		return NULL;

	struct schema_fault *f = &report->faults[report->count];
	_cleanup_strbuf_ struct strbuf instance = STRBUF_INIT, schema = STRBUF_INIT;

	if (report->count++ == 0) {
		report->first_depth = path_depth(path);
		report->first_keyword = keyword;
	}
	*f = (struct schema_fault){ .keyword = "" };
	add_path(&instance, path);
	strbuf_add_string(&schema, node->pointer);
	if (*keyword)
		index_add_token(&schema, keyword, strlen(keyword));
	put_strbuf(f->instance, sizeof f->instance, &instance);
	put_strbuf(f->schema, sizeof f->schema, &schema);
	put_text(f->keyword, sizeof f->keyword, keyword, strlen(keyword));
	return f;
}

/* Whether the run wants to hear of more. */
static bool go_on(const struct run *run)
{
	return run->report && run->report->count < run->report->capacity && !run->stop;
}

bool fault(struct run *run, const struct node *node, const struct path *path,
	   const char *keyword, const char *format, ...)
{
	struct schema_fault *f = add_fault(run, node, path, keyword);
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
	va_list args;

	if (f) {
		va_start(args, format);
		strbuf_add_vformat(&message, format, args);
		va_end(args);
		put_strbuf(f->message, sizeof f->message, &message);
	}
	return go_on(run);
}

bool fault_member(struct run *run, const struct node *node, const struct path *path,
		  const char *keyword, const char *name, size_t length,
		  const char *before, const char *after)
{
	enum { SHOWN_MAX = 64 };
	struct schema_fault *f = add_fault(run, node, path, keyword);
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
	char cut[SHOWN_MAX];

	if (f) {
		put_text(f->member, sizeof f->member, name, length);
		put_text(cut, sizeof cut, name, length);
		strbuf_add_format(&message, "%s '", before);
		text_visible(&message, cut, length < sizeof cut ? length : strlen(cut));
		strbuf_add_format(&message, "'%s", after);
		put_strbuf(f->message, sizeof f->message, &message);
	}
	return go_on(run);
}

/* ---- Sentences ---- */

bool fault_type(struct run *run, const struct node *node, const struct path *path)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ TYPE_STRING, "a text" },    { TYPE_INTEGER, "a whole number" },
		{ TYPE_NUMBER, "a number" },  { TYPE_BOOLEAN, "true or false" },
		{ TYPE_OBJECT, "an object" }, { TYPE_ARRAY, "a list" },
		{ TYPE_NULL, "null" },
	};
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	unsigned types = node->types;

	if (!run->report)
		return fault(run, node, path, "type", "%s", "");
	if (types & TYPE_NUMBER)
		types &= ~(unsigned)TYPE_INTEGER;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(types & names[i].bit))
			continue;
		types &= ~names[i].bit;
		if (list.length)
			strbuf_add_string(&list, types ? ", " : " or ");
		strbuf_add_string(&list, names[i].name);
	}
	return fault(run, node, path, "type", "must be %s", list.data);
}

static void add_value(struct strbuf *sb, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	json_write(sb, value, &ignored);
}

bool fault_enum(struct run *run, const struct node *node, const struct path *path)
{
	enum { LISTED_MAX = 12, VALUE_BYTES = 60 };
	const struct enum_rule *rule = node->enumeration;
	bool constant = node->constant != NULL;
	size_t count = constant ? 1 : rule->count;
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; run->report && i < count && i < LISTED_MAX; i++) {
		_cleanup_strbuf_ struct strbuf one = STRBUF_INIT;
		char cut[VALUE_BYTES];

		add_value(&one, constant ? node->constant : rule->values[i]);
		put_strbuf(cut, sizeof cut, &one);
		if (i)
			strbuf_add_string(&list, i + 1 == count ? " or " : ", ");
		strbuf_add_string(&list, cut);
	}
	if (count > LISTED_MAX)
		strbuf_add_format(&list, " or one of %zu more", count - LISTED_MAX);
	return fault(run, node, path, constant ? "const" : "enum", "must be %s",
		     list.data);
}

/* ---- Alternatives ---- */

/*
 * How likely it is that an alternative was meant, judged by the first thing wrong
 * with it: another type was hardly meant, a wrong constant or a missing member
 * tells alternatives apart, and what fails further in was most likely meant.
 */
static int weigh(const struct report *report, size_t depth)
{
	const char *keyword = report->first_keyword;
	bool here = report->first_depth == depth, near = report->first_depth <= depth + 1;

	if (here && (!strcmp(keyword, "type") || !*keyword))
		return 0;
	if ((near && (!strcmp(keyword, "const") || !strcmp(keyword, "enum"))) ||
	    (here && !strcmp(keyword, "required")))
		return 1;
	return 2;
}

/* Ask one alternative again, for its first fault alone. */
static int try_alternative(struct run *run, const struct node *node, json_t *value,
			   const struct path *path, struct schema_fault *ret)
{
	struct report report = { .faults = ret, .capacity = 1 }, *outer = run->report;
	size_t faults = run->faults;
	bool good;

	run->report = &report;
	good = run_node(run, node, value, path, NULL);
	run->report = outer;
	run->faults = faults;
	return good || report.count == 0 ? -1 : weigh(&report, path_depth(path));
}

bool fault_alternatives(struct run *run, const struct node *node,
			const struct node_list *list, json_t *value,
			const struct path *path, const char *keyword)
{
	struct schema_fault *room;
	_cleanup_free_ struct schema_fault *tries = NULL;
	int best = -1;
	bool alone = false;

	if (!run->report || run->report->count == run->report->capacity)
		return fault(run, node, path, keyword, "%s", "");
	tries = calloc(2, sizeof *tries);
	if (!tries)
		return run_stop(run, STOP_NO_MEMORY);
	for (size_t i = 0; i < list->count && !run->stop; i++) {
		int weight = try_alternative(run, list->nodes[i], value, path, &tries[1]);

		alone = weight > best || (alone && weight < best);
		if (weight > best) {
			best = weight;
			tries[0] = tries[1];
		}
	}
	room = &run->report->faults[run->report->count];
	fault(run, node, path, keyword, "must fit one of %zu alternatives", list->count);
	if (alone && best > 0)
		*room = tries[0];
	return go_on(run);
}

void fault_stopped(enum stop stop, struct schema_fault *ret)
{
	const char *why = stop == STOP_NO_MEMORY ? "could not be checked: out of memory"
						 : "is too complex to be checked";

	*ret = (struct schema_fault){ .keyword = "" };
	put_text(ret->message, sizeof ret->message, why, strlen(why));
}
