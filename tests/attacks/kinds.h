/*
 * kinds -- what the kinds of attacks share; private to kinds.c and clicks.c.
 */
#ifndef TESTS_ATTACKS_KINDS_H
#define TESTS_ATTACKS_KINDS_H

#include "attacks/attack.h"
#include "mcp/definition.h"

/* A call of this tool, any. */
struct meaning attack_meaning(struct attack *a, enum tool t);
/* Set rules under which something can be asked for; who asks. */
unsigned attack_rules(struct attack *a);
/* As it was approved. */
struct presentation attack_good(const struct issue *is);
/* Present it, with the arguments spelled in some way. */
bool attack_spelled(struct attack *a, const struct presentation *p);
/* The model and the code under test do not agree: say so and end. */
_Noreturn void attack_differs(const struct attack *a, const char *what);

void clicks_any(struct attack *a);
void clicks_double(struct attack *a);
void clicks_stranger(struct attack *a);
void clicks_stale(struct attack *a);
void clicks_times(struct attack *a);
void clicks_policy(struct attack *a);
void clicks_ends(struct attack *a);

#endif
