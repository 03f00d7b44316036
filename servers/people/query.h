/*
 * query -- what somebody typed to name a person, understood before anything is looked up.
 *
 * Trims, takes the id out of a mention or a link, and says whether the rest can only be
 * an identifier: then no name is tried. A value that mixes alphabets whose letters look
 * alike, or has characters that cannot be seen, is nothing at all: it is never folded
 * into somebody's name. Pure, and for strangers' bytes.
 */
#ifndef PEOPLE_QUERY_H
#define PEOPLE_QUERY_H

#include "base/error.h"
#include "servers/people/system.h"

enum { QUERY_BYTES_MAX = 512 };

struct query {
	char *text;         /* owned; trimmed and unwrapped, "" when flagged */
	bool is_identifier; /* nothing but an identifier */
	bool is_dn;         /* in the form of a DN */
	bool has_system;    /* of this system alone: */
	enum people_system system;
	const char *flag; /* "mixed-script", "invisible-characters"; NULL: none */
};
/* ERR_INVALID_ARGUMENT for no UTF-8, for nothing, and for more than QUERY_BYTES_MAX. */
bool query_read(struct query *ret, const char *text, struct error *err);
void query_done(struct query *q);

#endif
