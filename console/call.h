/*
 * call -- propose one call and see it through to its end.
 */
#ifndef CONSOLE_CALL_H
#define CONSOLE_CALL_H

#include "console/console.h"
#include "console/gate_link.h"

/* 'arguments' is borrowed. 'wait_ms' negative: until it ends; 0: not at all. */
int call_run(struct console *c, struct gate_link *g, const char *tool,
	     const json_t *arguments, int64_t wait_ms);
/* The rest of the way for something that is proposed already. */
int call_follow(struct console *c, struct gate_link *g, const char *approval,
		int64_t wait_ms);
/* Whether there is a person at this terminal who can be asked. */
bool call_is_interactive(void);

#endif
