/* wingman audit review: how long people took to decide, and who was in a hurry. */
#include "base/clock.h"
#include "console/audit.h"
#include "console/audit_merge.h"
#include "console/audit_words.h"

enum { PERSONS_MAX = 5000, NAME_COLUMN = 32 };

struct decider {
	char *name;
	int64_t *took_ms; /* of each yes whose time is known */
	size_t count, capacity;
	int64_t yes, no, quick;
};

struct review {
	const struct console *console;
	struct decider *v;
	size_t count;
	char since[CLOCK_TEXT_BYTES];
};

static void review_done(struct review *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->v[i].name);
		free(r->v[i].took_ms);
	}
	free(r->v);
}

/* --- gathering -------------------------------------------------------------------- */

static struct decider *find_or_make(struct review *r, const char *name, struct error *err)
{
	struct decider *grown;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	if (r->count == PERSONS_MAX) {
		error_set(err, ERR_RATE_LIMITED, "the logs name more than %d persons",
			  PERSONS_MAX);
		return NULL;
	}
	grown = reallocarray(r->v, r->count + 1, sizeof *grown);
	if (!grown) {
		error_oom(err);
		return NULL;
	}
	r->v = grown;
	grown[r->count] = (struct decider){ .name = strdup(name) };
	if (!grown[r->count].name) {
		error_oom(err);
		return NULL;
	}
	return &grown[r->count++];
}

static bool add_time(struct decider *d, int64_t ms, struct error *err)
{
	if (d->count == d->capacity) {
		size_t capacity = d->capacity ? d->capacity * 2 : 16;
		int64_t *grown = reallocarray(d->took_ms, capacity, sizeof *grown);

		if (!grown)
			return error_oom(err);
		d->took_ms = grown;
		d->capacity = capacity;
	}
	d->took_ms[d->count++] = ms;
	return true;
}

static void print_line(const struct review *r, const struct audit_merged *line)
{
	const json_t *data = json_object_get(line->json, "data");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (r->console->json) {
		console_print_json(line->json);
		return;
	}
	strbuf_add_format(&text, "%s  ", line->at);
	audit_words_add(&text, line->json);
	if (json_get_string(data, "tool"))
		strbuf_add_format(
			&text, " (%s.%s, approval %s)", console_member(data, "server"),
			console_member(data, "tool"), console_member(data, "approval"));
	if (strbuf_ok(&text))
		console_print_visible(text.data);
}

static bool take_yes(struct review *r, const struct audit_merged *line,
		     const json_t *decision, struct error *err)
{
	const char *by = json_get_string(decision, "by");
	const json_t *after = json_object_get(decision, "after_ms");
	struct decider *d = by ? find_or_make(r, by, err) : NULL;

	if (!by)
		return true;
	if (!d ||
	    (json_is_integer(after) && !add_time(d, json_integer_value(after), err)))
		return false;
	d->yes++;
	if (json_is_true(json_object_get(decision, "quick"))) {
		d->quick++;
		print_line(r, line);
	}
	return true;
}

static bool take(struct review *r, const struct audit_merged *line, struct error *err)
{
	const json_t *data = json_object_get(line->json, "data");
	const char *event = console_member(line->json, "event");
	const char *id = json_get_string(data, "approval");
	const char *by = json_get_string(data, "by");
	struct decider *d;

	if (strcmp(event, "proposals.paused") == 0)
		print_line(r, line);
	/* Calls of several are decided by the decision on all of them. */
	if (!id || strchr(id, '-'))
		return true;
	if (strcmp(event, "approval.approved") == 0 ||
	    strcmp(event, "approval.decision") == 0)
		return take_yes(r, line, json_object_get(data, "decision"), err);
	if (strcmp(event, "approval.denied") != 0 || !by)
		return true;
	d = find_or_make(r, by, err);
	if (d)
		d->no++;
	return d != NULL;
}

/* --- telling ---------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

/* The one in the middle: half of them took no longer. */
static int64_t median_ms(const struct decider *d)
{
	return d->took_ms[(d->count - 1) / 2];
}

static void print_json(const struct decider *d)
{
	json_auto_t *row = json_pack("{s:s, s:I, s:I, s:I}", "by", d->name, "yes",
				     (json_int_t)d->yes, "quick", (json_int_t)d->quick,
				     "no", (json_int_t)d->no);

	if (row && d->count > 0 &&
	    (json_object_set_new(row, "median_ms", json_integer(median_ms(d))) != 0 ||
	     json_object_set_new(row, "soonest_ms", json_integer(d->took_ms[0])) != 0))
		return;
	if (row)
		console_print_json(row);
}

static void print_row(const struct decider *d)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT, middle = STRBUF_INIT,
				       first = STRBUF_INIT;

	if (d->count > 0) {
		audit_words_duration(&middle, median_ms(d));
		audit_words_duration(&first, d->took_ms[0]);
	}
	strbuf_add_format(&line, "%-*s  yes %lld", NAME_COLUMN, d->name,
			  (long long)d->yes);
	if (d->count > 0)
		strbuf_add_format(&line,
				  " (half within %s, the soonest after %s, under 2 s "
				  "%lld)",
				  middle.data, first.data, (long long)d->quick);
	strbuf_add_format(&line, "  no %lld", (long long)d->no);
	if (strbuf_ok(&line) && strbuf_ok(&middle) && strbuf_ok(&first))
		console_print_visible(line.data);
}

static void tell(struct review *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct decider *d = &r->v[i];

		if (d->count > 1)
			qsort(d->took_ms, d->count, sizeof *d->took_ms, by_size);
		if (r->console->json)
			print_json(d);
		else
			print_row(d);
	}
	if (r->count == 0 && !r->console->json)
		console_print_visible("Nobody decided anything.");
}

int audit_review(struct console *c, const struct audit_options *o, const char *folder)
{
	struct error err = ERROR_INIT;
	_cleanup_(review_done) struct review r = { .console = c };
	_cleanup_free_ char *path = audit_folder(c, folder, &err);
	_cleanup_(audit_merge_closep) struct audit_merge *merge = NULL;
	struct audit_merged line;

	if (!path || (o->since && !audit_read_since(o->since, r.since, &err)))
		return console_fail(c, &err);
	/* The gate's alone: it is who takes decisions. */
	merge = audit_merge_open(path, "gate", &err);
	if (!merge)
		return console_fail(c, &err);
	while (audit_merge_next(merge, &line))
		if (strcmp(line.at, r.since) >= 0 && !take(&r, &line, &err))
			return console_fail(c, &err);
	tell(&r);
	return EXIT_DONE;
}
