/*
 * confluence_private -- what the files of this source share: source_confluence.c lists and
 * reads pages, confluence_readers.c says who may see them.
 */
#ifndef PLAYBOOKS_CONFLUENCE_PRIVATE_H
#define PLAYBOOKS_CONFLUENCE_PRIVATE_H

#include "api/rest/rest_credential.h"

struct wiki {
	const json_t *config;
	struct rest_credential *credential;
	struct rest *rest;
	int64_t every_ms;
	int64_t synced_ms; /* monotonic; -1: never */
	json_t *nodes; /* by id: {title, version, at, parent, kind, url, wanted, readers} */
};

/* The object at this path; new. */
bool wiki_get(struct wiki *w, const struct rest_patience *patience, const char *what,
	      const char *path, json_t **ret, struct error *err);
bool wiki_is_id(const char *text);
/* What is kept of a page or a folder; new, NULL without memory. */
json_t *wiki_node(const json_t *page);
/* Add a name to a list, if it is not in it. False without memory. */
bool wiki_add_name(json_t *names, const char *name);

/* Who may see each page that is wanted: its member 'readers', null for everybody. */
bool wiki_find_readers(struct wiki *w, const struct rest_patience *patience,
		       struct error *err);

#endif
