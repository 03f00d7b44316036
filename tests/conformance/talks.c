#include "conformance/rows.h"

#include <time.h>

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 50 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

bool tell_progress(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	for (int done = 0; done <= 100; done += 50) {
		mcp_call_progress(call, done, 100, NULL);
		if (done < 100)
			nap();
	}
	mcp_result_text(r, "All is done.");
	return true;
}

bool tell_log(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	static const char *const lines[] = { "Tool execution started",
					     "Tool processing data",
					     "Tool execution completed" };

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (i > 0)
			nap();
		mcp_call_log(call, MCP_INFO, NULL, json_string(lines[i]));
	}
	mcp_result_text(r, "All is logged.");
	return true;
}

bool come_back(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_call_hang_up(call);
	nap();
	nap();
	mcp_result_text(r, "Reconnection test completed successfully.");
	return true;
}
