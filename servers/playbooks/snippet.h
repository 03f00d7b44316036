/*
 * snippet -- the few words of a section that answer a query, and where they stand.
 */
#ifndef PLAYBOOKS_SNIPPET_H
#define PLAYBOOKS_SNIPPET_H

#include "servers/playbooks/query.h"

enum { SNIPPET_BYTES = 280, SNIPPET_WORDS_MAX = 6000 };

struct snippet {
	struct strbuf text;   /* visible, on one line */
	struct strbuf marked; /* the same as Markdown, what matches in bold */
	size_t start, end;    /* the bytes of the source that it was taken from */
	json_t *matched;      /* the words that match, each once */
};

/* 'source' is the page's bytes; the section's are from 'start' to 'end'. */
bool snippet_make(const struct index *x, const struct query *q, const char *source,
		  size_t start, size_t end, struct snippet *ret, struct error *err);
void snippet_done(struct snippet *s);

#endif
