/*
 * answer -- documents and sections as answers name them.
 *
 * A section's name is its heading as GitHub makes an anchor of it ("Contain the host" is
 * "contain-the-host"; the second of that name is "contain-the-host-1"), and "top" for
 * what stands before any heading.
 */
#ifndef PLAYBOOKS_ANSWER_H
#define PLAYBOOKS_ANSWER_H

#include "servers/playbooks/index.h"

/* The names of all sections of a document, in their order. */
struct section_names {
	char **items;
	uint32_t count;
};
bool section_names_make(const struct index *x, uint32_t document,
			struct section_names *ret) _must_use_;
void section_names_done(struct section_names *n);

/* New strings and objects; NULL without memory. Sections are numbered over the index. */
char *answer_section(const struct index *x, uint32_t section) _must_use_;
json_t *answer_heading_path(const struct index *x, uint32_t section) _must_use_;
/* {revision, sha256, start, end} */
json_t *answer_citation(const struct index *x, uint32_t document, size_t start,
			size_t end) _must_use_;
/* Add id, title, source, url, updated_at and tags. */
bool answer_document(json_t *object, const struct index *x, uint32_t document);
/* When the index was made, as text. */
json_t *answer_indexed_at(const struct index *x) _must_use_;

/* The section of a document with this name, or with this heading. */
bool answer_find_section(const struct index *x, uint32_t document, const char *name,
			 uint32_t *ret);
/* The end of a section and of all that belongs under it. */
size_t answer_whole_end(const struct index *x, uint32_t section);
/* The section that a byte of the document stands in. */
uint32_t answer_section_at(const struct index *x, uint32_t document, size_t at);

/* A heading or a title on one line, nothing hidden in it; new. */
char *answer_visible(const char *text) _must_use_;
/* The uri of a playbook; new. */
char *answer_uri(const char *id) _must_use_;

#endif
