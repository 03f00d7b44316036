/*
 * metrics -- counters of one server, and their OpenMetrics text. Thread-safe.
 */
#ifndef MCP_METRICS_H
#define MCP_METRICS_H

#include <stdatomic.h>

#include "base/strbuf.h"
#include "mcp/revision.h"

enum { METRICS_METHODS = MCP_METHOD_COUNT + 1, METRICS_STATUSES = 12 };

struct metrics_time {
	atomic_llong sum_us, count;
};

struct metrics {
	/* The last method is 'other': unknown ones and requests that had none. */
	atomic_llong requests[METRICS_METHODS][METRICS_STATUSES];
	atomic_llong calls[ERR_CODE_COUNT]; /* by outcome; ERR_NONE is 'ok' */
	atomic_llong failed; /* as a whole, with structure of its own instead of a code */
	atomic_llong input_required;
	atomic_int in_flight;
	struct metrics_time plan, run;
};

void metrics_count_request(struct metrics *m, enum mcp_method method, unsigned status);
void metrics_count_call(struct metrics *m, enum error_code code);
void metrics_add_time(struct metrics_time *t, int64_t us);
/* Microseconds of the monotonic clock. */
int64_t metrics_now_us(void);

void metrics_write(struct metrics *m, struct strbuf *sb);

#endif
