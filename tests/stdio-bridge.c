/*
 * stdio-bridge URL [TOKEN-FILE] -- the bridge as an author's program has it, for tests.
 *
 * WINGMAN_TEST_DRAIN_MS is how long it waits for what runs when stdin ends.
 */
#include <stdio.h>

#include "base/log.h"
#include "mcp/bridge/stdio_bridge.h"

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	const char *drain = getenv("WINGMAN_TEST_DRAIN_MS");
	_cleanup_(secret_freep) struct secret *token =
		argc > 2 ? secret_read(argv[2], true, &err) : NULL;
	_cleanup_close_ int stop_fd = stdio_bridge_catch_signals(&err);
	const struct stdio_bridge_options options = {
		.url = argv[1],
		.token = token,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.stop_fd = stop_fd,
		.down_hint = "start the server",
		.token_hint = "get another token",
		.drain_ms = drain ? strtol(drain, NULL, 10) : 0,
	};

	log_setup("stdio-bridge", LOG_INFO);
	if (argc < 2 || error_is_set(&err) || !stdio_bridge_run(&options, &err)) {
		log_failure("bridge_failed", &err);
		return 1;
	}
	return 0;
}
