/*
 * find -- whom a query means: identifiers and names first, likeness only as candidates.
 *
 *   unique     one person; by an identifier that is certain, by a name it is not
 *   ambiguous  several, or whoever is only like what was typed, be it one
 *   none       nobody, or a value that is nothing (see query.h)
 *
 * Works on an index alone; knows neither JSON nor where records are kept.
 */
#ifndef PEOPLE_FIND_H
#define PEOPLE_FIND_H

#include "servers/people/index.h"
#include "servers/people/query.h"

enum find_match { FIND_NONE, FIND_UNIQUE, FIND_AMBIGUOUS };
enum find_via { FIND_VIA_NOTHING, FIND_VIA_IDENTIFIER, FIND_VIA_NAME, FIND_VIA_FUZZY };
/* What of a person matched, the best first. */
enum find_why {
	FIND_BY_IDENTIFIER,
	FIND_BY_NAME,
	FIND_BY_NICKNAME,
	FIND_LIKE_NAME,
	FIND_LIKE_IDENTIFIER
};

struct find_hit {
	uint32_t person;
	enum find_why why;
	enum people_system system; /* of an identifier */
	enum index_kind kind;      /* of it */
};

struct find_result {
	enum find_match match;
	enum find_via via;
	const char *flag;      /* of the query */
	struct find_hit *hits; /* owned; the best first */
	size_t count;
};
void find_result_done(struct find_result *r);

struct find_rules {
	/* Further nicknames: pairs "bob", "robert", ..., NULL, folded; NULL: none. */
	const char *const *nicknames;
	struct index_rules mail; /* as the index was built with */
};

bool find_people(const struct people_index *x, const struct find_rules *rules,
		 const char *text, struct find_result *ret, struct error *err);
/* The same by identifiers alone, whatever its form: never by a name. */
bool find_by_identifier(const struct people_index *x, const struct find_rules *rules,
			const char *text, struct find_result *ret, struct error *err);

/* "unique", "identifier"; NULL for FIND_VIA_NOTHING. */
const char *find_match_name(enum find_match match);
const char *find_via_name(enum find_via via);
int find_score(enum find_why why);
/* "login in github", "a name like it". Appended. */
void find_explain(const struct find_hit *hit, struct strbuf *sb);

#endif
