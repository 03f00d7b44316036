/*
 * near -- which of some names somebody may have meant. Pure.
 *
 *   struct near n = NEAR_OF(typed);
 *   near_try(&n, "tools"); near_try(&n, "docs");
 *   near_best(&n)   -- the nearest, or NULL where none is near
 */
#ifndef SLACK_NEAR_H
#define SLACK_NEAR_H

#include <stddef.h>

enum { NEAR_BYTES = 160 /* longer names are near nothing */ };

struct near {
	const char *typed; /* borrowed */
	char best[NEAR_BYTES];
	size_t distance;
};
#define NEAR_OF(text)                                                                    \
	{                                                                                \
		.typed = (text)                                                          \
	}

/* Letters count the same whatever their case. Of two that are as near, the first stays. */
void near_try(struct near *n, const char *name);
const char *near_best(const struct near *n);

#endif
