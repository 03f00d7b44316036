/*
 * front -- the front matter of a page: YAML between two lines of three hyphens.
 *
 * Read with base/config.h, which is strict: no anchors, tags or duplicate keys.
 * Front matter that is refused costs the page its properties and nothing else; the
 * bytes between the lines are no text in either case.
 */
#ifndef PLAYBOOKS_FRONT_H
#define PLAYBOOKS_FRONT_H

#include "base/json.h"

enum { FRONT_BYTES_MAX = 16 * 1024, FRONT_TAGS_MAX = 32, FRONT_TAG_BYTES_MAX = 64 };

struct front {
	size_t end;      /* where the page's text begins */
	json_t *root;    /* an object; NULL: none, or refused */
	char fault[320]; /* why it was refused; "" */
};

void front_read(const char *source, size_t length, struct front *ret);
void front_done(struct front *f);

/* "title", if it is text and not empty; borrowed. */
const char *front_title(const struct front *f);
/* "tags", "labels" and "categories", lists or texts with commas, lower-cased, each once:
 * a new array; NULL without memory. */
json_t *front_tags(const struct front *f);

#endif
