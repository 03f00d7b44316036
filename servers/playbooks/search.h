/*
 * search -- a question answered: ranked, cited, and as text.
 */
#ifndef PLAYBOOKS_SEARCH_H
#define PLAYBOOKS_SEARCH_H

#include "servers/playbooks/playbooks.h"

enum { SEARCH_LIMIT_MAX = 50, SEARCH_LIMIT_DEFAULT = 10 };

struct search {
	const char *query;
	const char *requester;
	const char *source; /* NULL: any */
	const json_t *tags; /* NULL: any */
	size_t limit;
};

/* The structured answer of search_playbooks, new, and the same for people in 'text'. */
json_t *search_run(struct playbooks *p, const struct search *s, struct strbuf *text,
		   struct error *err) _must_use_;

#endif
