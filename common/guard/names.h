/*
 * names -- the words that gate, servers and clients must spell alike.
 */
#ifndef GUARD_NAMES_H
#define GUARD_NAMES_H

#include <stdbool.h>

/* Members of params._meta and result._meta. */
#define META_GRANT     "org.wingman/grant"     /* request: a signed grant */
#define META_REQUESTER "org.wingman/requester" /* request: a signed requester ticket */
#define META_PLAN      "org.wingman/plan"      /* result: the plan */
#define META_ASSUMES                                                                     \
	"org.wingman/assumes" /* request: effects of earlier calls of one decision */
#define META_LOOK                                                                        \
	"org.wingman/look" /* request: true, with a grant: tell what became of it, run nothing */
#define META_REVOKE                                                                      \
	"org.wingman/revoke" /* request: true, with a grant: burn it unless it is, run nothing */
#define META_OUTCOME                                                                     \
	"org.wingman/outcome" /* result: verified?, approval, audit head of the server */
#define META_RISK "org.wingman/risk" /* tool: read, write, destructive */
#define META_APPROVAL                                                                    \
	"org.wingman/approval" /* result: id of the approval that is waited for */

/* Values of "typ": a signature made for one purpose cannot serve another. */
#define TYP_GRANT      "org.wingman/grant"
#define TYP_REQUESTER  "org.wingman/requester"
#define TYP_CHECKPOINT "org.wingman/checkpoint"

#define SCOPE_GATE "wingman:gate" /* may ask for plans and present grants */
#define SCOPE_REGISTER                                                                   \
	"wingman:register" /* a server: may register its own calls with the gate */

enum risk { RISK_READ, RISK_WRITE, RISK_DESTRUCTIVE };
/* "read", "write", "destructive"; false for anything else. */
bool risk_parse(const char *text, enum risk *ret);
const char *risk_name(enum risk r);

/* A server's name: one lower-case word, 1 to 32. A tool's: verb_noun, 1 to 64 of [a-z0-9_]. */
bool name_is_server(const char *text);
bool name_is_tool(const char *text);
/* A principal: 1 to 128 printable ASCII without space, quotes and backslash
 * ("alice@company.com"). */
bool name_is_principal(const char *text);
/* A configured instance, the audience of grants and tickets: written like a principal. */
bool name_is_instance(const char *text);
/* A rule of the policy: 1 to 128 printable ASCII without quotes and backslash; spaces
 * may stand inside. */
bool name_is_rule(const char *text);
/* An approval's or grant's id: 1 to 80 of [A-Za-z0-9._:-]. */
bool name_is_id(const char *text);

#endif
