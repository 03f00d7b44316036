/*
 * confluence_private -- what the files of this source share: source_confluence.c reads pages,
 * confluence_list.c lists them, confluence_space.c and confluence_readers.c say who in the
 * wiki may see them, confluence_people.c who of ours that is.
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
	/* By id: {title, version, at, parent, kind, url, wanted, space, readers}; 'space' and
	 * 'readers' are lists of persons, or null for everybody. */
	json_t *nodes;
	json_t *group_names; /* by id, as found while listing; null: nobody tells */
};

/* Whom a list of the wiki's users and groups makes. */
struct wiki_people {
	json_t *readers;
	bool is_everybody; /* one of the groups is in 'everybody' */
};

/* The object at this path; new. */
bool wiki_get(struct wiki *w, const struct rest_patience *patience, const char *what,
	      const char *path, json_t **ret, struct error *err);
bool wiki_is_id(const char *text);
/* What is kept of a page or a folder; new, NULL without memory. */
json_t *wiki_node(const json_t *page);
/* Add a name to a list, if it is not in it. False without memory. */
bool wiki_add_name(json_t *names, const char *name);

/* Take over 'value' as a member. False without memory, 'value' NULL among it. */
bool wiki_set(json_t *object, const char *name, json_t *value);

/* Users as v1 tells them, groups with names and ids. False without memory. */
bool wiki_add_users(const struct wiki *w, const json_t *users, struct wiki_people *to);
bool wiki_add_groups(const struct wiki *w, const json_t *groups, struct wiki_people *to);
/* A group by its name or its id; NULL adds nobody. */
bool wiki_add_group(const struct wiki *w, const char *group, struct wiki_people *to);
bool wiki_knows_group(const struct wiki *w, const char *group);
/* Who is in both; null is everybody. New, NULL without memory. */
json_t *wiki_both(const json_t *a, const json_t *b);

/* Who may read the space with this id; null for everybody. New, NULL with 'err'. */
json_t *wiki_space_readers(struct wiki *w, const struct rest_patience *patience,
			   const char *id, struct error *err);
/* The pages of all spaces into 'nodes'. */
bool wiki_list(struct wiki *w, const struct rest_patience *patience, struct error *err);
/* Who may see each page that is wanted: its member 'readers', null for everybody. */
bool wiki_find_readers(struct wiki *w, const struct rest_patience *patience,
		       struct error *err);

#endif
