/*
 * page -- one document as a source gives it, before anybody has read it.
 */
#ifndef PLAYBOOKS_PAGE_H
#define PLAYBOOKS_PAGE_H

#include "base/json.h"

enum {
	PAGE_BYTES_MAX = 1024 * 1024,
	PAGE_ID_MAX = 512,       /* bytes of an id */
	PAGE_REVISION_MAX = 160, /* bytes of a revision's name */
	PAGES_MAX = 50 * 1000,
};

struct page {
	const char *id;     /* its path in the folder, or the id of the wiki's page */
	const char *source; /* the source's name in the configuration */
	const char *body;   /* Markdown */
	size_t length;
	const char *revision;  /* "git 3f2a…", "version 7", or "" */
	const char *title;     /* what the source itself calls it; NULL: nothing */
	const char *url;       /* NULL: none */
	const char *stamp;     /* for the source: tells whether it changed */
	const json_t *tags;    /* beside those of the front matter; may be NULL */
	const json_t *readers; /* who may see it: an array of names; NULL: everybody */
	int64_t updated_ms;    /* 0: unknown */
};

#endif
