/*
 * people -- whom a conversation is about: which words name somebody, and who the people
 * server says that is. Pure.
 *
 * Only who was found alone and by an identifier (a mention, an address, a handle, a login)
 * is known. Of anybody else a model is told the bare fact, without the candidates: a person
 * picks, or it asks to read them itself.
 */
#ifndef ASSISTANT_HOST_PEOPLE_H
#define ASSISTANT_HOST_PEOPLE_H

#include "base/json.h"

enum {
	PEOPLE_QUERIES_MAX = 8, /* of one question, besides who asks */
	PEOPLE_QUERY_MAX = 128, /* bytes of one */
	PEOPLE_KNOWN_MAX = 32,  /* that a conversation remembers; the oldest go */
	PEOPLE_NAME_MAX = 80,   /* bytes of a name that is shown */
};

/* What in 'text' names somebody: "<@U0JOHN>", "@john.doe" and addresses, each once, at most
 * PEOPLE_QUERIES_MAX; none within an address of the web or what looks like a credential.
 * An array of texts; new reference. */
json_t *people_queries(const char *text) _must_use_;

/* The person of an answer of person://search; borrowed, NULL: nobody for certain. */
const json_t *people_certain(const json_t *found);

/* The answer as a model is told it: {match, via?, flag?}, and who it is if that is certain
 * ({id, display_name, emails, status, kind, groups, flags, systems, more}). New reference. */
json_t *people_told(const json_t *found) _must_use_;

/* Add a person (a record of the server's) to those known: [{id, name, slack?, handle?,
 * notify}], the newest last. 'notify': they know that they are talked of. False without
 * memory. */
bool people_remember(json_t *known, const json_t *person, bool notify) _must_use_;

/* Those with an account in Slack as slack/markdown.h wants them: {"U…": {name, notify}}.
 * A tree of its own, for any thread; new reference. */
json_t *people_in_slack(const json_t *known) _must_use_;

/* Whether a person of this id of the people server's is among them. */
bool people_known(const json_t *known, const char *id);
/* The one whose id in Slack this is ("U…", 'length' bytes); borrowed, NULL: nobody known. */
const json_t *people_of_slack(const json_t *known, const char *id, size_t length);

#endif
