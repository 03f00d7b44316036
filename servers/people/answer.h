/*
 * answer -- what find_person and get_person return, for the tools and for the resources.
 */
#ifndef PEOPLE_ANSWER_H
#define PEOPLE_ANSWER_H

#include "servers/people/people.h"

enum { ANSWER_PEOPLE_MAX = 200, ANSWER_PEOPLE_DEFAULT = 20 };

/* {match, via?, flag?, people, total, stale, age_s, too_old, warnings?}; new reference. */
json_t *answer_find(struct people *p, const char *query, size_t limit, int64_t now_ms,
		    struct error *err) _must_use_;
/* The record of one person, by id or by an identifier that nobody else has. ERR_NOT_FOUND;
 * ERR_AMBIGUOUS with '*ret_candidates' (new reference; untouched otherwise). */
json_t *answer_person(struct people *p, const char *person, int64_t now_ms,
		      json_t **ret_candidates, struct error *err) _must_use_;

#endif
