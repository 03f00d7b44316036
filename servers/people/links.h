/*
 * links -- what people said about who is who: an account is somebody's, or is not.
 *
 * Kept durably, one document an account, with who asked, who approved, when and why; the
 * last word counts. Not derived from anything, so it is what to keep of this server.
 */
#ifndef PEOPLE_LINKS_H
#define PEOPLE_LINKS_H

#include "link/documents/documents.h"
#include "servers/people/index.h"

enum { LINKS_MAX = 20000 };

enum link_says {
	LINK_OF,        /* it is the person's */
	LINK_NOT,       /* it is not, and nobody's by inference */
	LINK_FORGOTTEN, /* a link was taken back: what the sources say holds again */
};

struct link {
	enum people_system system, anchor_system;
	const char *key;        /* of the account in its system */
	const char *identifier; /* what people know it by */
	const char *
		anchor_key; /* of the person's account, or entry in a file, it hangs on */
	const char *person; /* the person's id then */
	enum link_says says;
	int64_t at_ms;
	const char *by, *approved_by, *approval, *reason;
};

/* Put, only if what is kept of the account is at 'revision' (0: nothing).
 * '*ret_revision' 0: it is not. */
bool links_put(struct documents *d, const struct link *link, int64_t revision,
	       int64_t *ret_revision, struct error *err);
/* What is kept of an account: NULL members and revision 0 where nothing is. The texts
 * are those of 'ret_body', a new reference. */
bool links_get(struct documents *d, enum people_system system, const char *key,
	       struct link *ret, int64_t *ret_revision, json_t **ret_body,
	       struct error *err);
/* All of them, to an index that is being built. */
bool links_add(struct documents *d, struct index_builder *b, struct error *err);

#endif
