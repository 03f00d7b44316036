#include "servers/people/answer.h"

#include <string.h>

#include "servers/people/record.h"

enum { TRIES_MAX = 4 };

/* What is asked of one snapshot; NULL and '*ret_moved' when it is too old for that. */
struct asked {
	struct people *p;
	const char *text;
	size_t limit;
	int64_t now_ms;
	json_t *candidates;
	json_t *(*answer)(struct asked *a, const struct snapshot *s, int64_t *ret_moved,
			  struct error *err);
};

/* Again with a newer one, as long as sources change while we look. */
static json_t *ask(struct asked *a, struct error *err)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		struct snapshot *s = people_snapshot(a->p, err);
		int64_t moved = 0;
		json_t *found = s ? a->answer(a, s, &moved, err) : NULL;

		if (s)
			people_snapshot_give(a->p, s);
		if (found || error_is_set(err))
			return found;
		json_decref(a->candidates);
		a->candidates = NULL;
		if (!moved || !people_catch_up(a->p, moved, err))
			break;
	}
	error_set(err, ERR_BACKEND_UNAVAILABLE,
		  "the sources change faster than they can "
		  "be read");
	return NULL;
}

/* ---- find_person -------------------------------------------------------------------- */

static json_t *list_hits(struct asked *a, const struct snapshot *s,
			 const struct find_result *r, const struct freshness *f,
			 int64_t *ret_moved, struct error *err)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < r->count && i < a->limit; i++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		json_auto_t *one =
			record_make(a->p, s, r->hits[i].person, f, ret_moved, err);

		if (!one)
			return NULL;
		find_explain(&r->hits[i], &why);
		if (!strbuf_ok(&why) ||
		    json_object_set_new(one, "score",
					json_integer(find_score(r->hits[i].why))) != 0 ||
		    json_object_set_new(one, "why", json_string(why.data)) != 0 ||
		    json_array_append(list, one) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(list);
}

static bool add_optional(json_t *answer, const char *name, const char *text)
{
	return !text || json_object_set_new(answer, name, json_string(text)) == 0;
}

static json_t *answer_of(struct asked *a, const struct find_result *r, json_t *people,
			 const struct freshness *f, struct error *err)
{
	json_auto_t *warnings = people_warnings(a->p, a->now_ms);
	json_auto_t *answer =
		json_pack("{s:s, s:O, s:I, s:b, s:I, s:b}", "match",
			  find_match_name(r->match), "people", people, "total",
			  (json_int_t)r->count, "stale", (int)f->is_stale, "age_s",
			  (json_int_t)(f->age_ms / 1000), "too_old", (int)f->is_too_old);

	if (!answer || !warnings || !add_optional(answer, "via", find_via_name(r->via)) ||
	    !add_optional(answer, "flag", r->flag) ||
	    (json_array_size(warnings) > 0 &&
	     json_object_set(answer, "warnings", warnings) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(answer);
}

static json_t *find_in(struct asked *a, const struct snapshot *s, int64_t *ret_moved,
		       struct error *err)
{
	_cleanup_(find_result_done) struct find_result r = { 0 };
	json_auto_t *people = NULL;
	struct freshness f;

	if (!find_people(s->index, &a->p->settings.rules, a->text, &r, err))
		return NULL;
	people_freshness(a->p, a->now_ms, &f);
	people = list_hits(a, s, &r, &f, ret_moved, err);
	return people ? answer_of(a, &r, people, &f, err) : NULL;
}

json_t *answer_find(struct people *p, const char *query, size_t limit, int64_t now_ms,
		    struct error *err)
{
	struct asked a = { .p = p,
			   .text = query,
			   .limit = limit < ANSWER_PEOPLE_MAX ? limit : ANSWER_PEOPLE_MAX,
			   .now_ms = now_ms,
			   .answer = find_in };

	return ask(&a, err);
}

/* ---- get_person --------------------------------------------------------------------- */

/* By id first: nothing else has that form. */
static json_t *get_in(struct asked *a, const struct snapshot *s, int64_t *ret_moved,
		      struct error *err)
{
	_cleanup_(find_result_done) struct find_result r = { 0 };
	struct freshness f;
	uint32_t person;

	people_freshness(a->p, a->now_ms, &f);
	if (index_by_id(s->index, a->text, &person))
		return record_make(a->p, s, person, &f, ret_moved, err);
	if (!find_by_identifier(s->index, &a->p->settings.rules, a->text, &r, err))
		return NULL;
	if (r.match == FIND_UNIQUE)
		return record_make(a->p, s, r.hits[0].person, &f, ret_moved, err);
	if (r.match == FIND_NONE) {
		error_set(err, ERR_NOT_FOUND, "nobody has the id or identifier '%.200s'",
			  a->text);
		error_hint(err, r.flag ? "it has letters of several alphabets, or "
					 "characters that cannot be seen"
				       : "names are for find_person");
		return NULL;
	}
	a->candidates = list_hits(a, s, &r, &f, ret_moved, err);
	if (!a->candidates)
		return NULL;
	error_set(err, ERR_AMBIGUOUS, "%zu people have the identifier '%.200s'", r.count,
		  a->text);
	error_hint(err, "say which one by id");
	return NULL;
}

json_t *answer_person(struct people *p, const char *person, int64_t now_ms,
		      json_t **ret_candidates, struct error *err)
{
	struct asked a = { .p = p,
			   .text = person,
			   .limit = ANSWER_PEOPLE_DEFAULT,
			   .now_ms = now_ms,
			   .answer = get_in };
	json_t *found = ask(&a, err);

	if (a.candidates)
		*ret_candidates = a.candidates;
	return found;
}
