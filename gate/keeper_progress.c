/*
 * How far a call is, as its server says while it runs: told to whoever watches, and kept
 * nowhere. It is a stranger's word about its own work, and decides nothing.
 */
#include "gate/keeper.h"

enum {
	TOLD_MS = 1000,   /* at most once in that time */
	WORDS_MAX = 1024, /* bytes; the caller cuts before */
};

static json_t *progress_of(const struct keeper *k, const json_t *said)
{
	const json_t *done = json_object_get(said, "done");
	const json_t *total = json_object_get(said, "total");
	const char *words = json_get_string(said, "words");
	json_auto_t *o = json_pack("{s:I}", "at", (json_int_t)k->now_ms);

	if (!o || !json_is_number(done) ||
	    json_object_set_new(o, "done", json_real(json_number_value(done))) != 0)
		return NULL;
	if (json_is_number(total) && json_number_value(total) > 0 &&
	    json_object_set_new(o, "total", json_real(json_number_value(total))) != 0)
		return NULL;
	return json_put_string(o, "words",
			       words && strlen(words) <= WORDS_MAX ? words : NULL)
		       ? TAKE(o)
		       : NULL;
}

bool keeper_on_progress(struct keeper *k, const struct fields *f, struct error *err)
{
	struct approval *a = keeper_find(k, f->approval);
	json_t *progress;

	(void)err;
	if (!a || !a->in_flight ||
	    (a->state != RECORD_GRANTED && a->state != RECORD_EXECUTING))
		return true;
	progress = progress_of(k, f->body);
	if (!progress)
		return true;
	json_decref(a->progress);
	a->progress = progress;
	if (k->now_ms < a->progress_told_ms + TOLD_MS && k->now_ms >= a->progress_told_ms)
		return true;
	a->progress_told_ms = k->now_ms;
	keeper_announce(k, a);
	return true;
}

json_t *keeper_progress_json(const struct keeper *k, const char *approval)
{
	const struct approval *a = keeper_find(k, approval);

	if (!a || !keeper_is_bundle(a))
		return a ? json_incref(a->progress) : NULL;
	/* Of several the one that runs: they run one after the other. */
	for (size_t i = 0; i < keeper_bundle_count(a); i++) {
		const struct approval *part = keeper_bundle_part(k, a, i);

		if (part && !part->ended && part->progress)
			return json_incref(part->progress);
	}
	return NULL;
}
