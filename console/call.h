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
/* The same of two to eight calls for one decision: an array of {tool, arguments}, borrowed. */
int call_run_several(struct console *c, struct gate_link *g, const json_t *calls,
		     int64_t wait_ms);
/* The structured answer of a call that is read, not shown; new. NULL: it ended otherwise,
 * which has been said, with the exit status in 'ret_status'. */
json_t *call_fetch(struct console *c, struct gate_link *g, const char *tool,
		   const json_t *arguments, int *ret_status) _must_use_;
/* Such an array as JSON text, "@FILE", or "-" for stdin. */
json_t *call_read_several(const char *text, struct error *err) _must_use_;
/* The rest of the way for something that is proposed already. */
int call_follow(struct console *c, struct gate_link *g, const char *approval,
		int64_t wait_ms);
/* Whether there is a person at this terminal who can be asked. */
bool call_is_interactive(void);

#endif
