/* wingman-assistant: one conversation with a model, in a process that can do nothing else. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "assistant/messages.h"
#include "assistant/worker/serve.h"
#include "base/log.h"
#include "base/options.h"

int main(int argc, char **argv)
{
	static const struct option_row rows[] = { OPTION_END };
	static const struct options_program program = {
		.name = "wingman-assistant",
		.usage = "",
		.description =
			"One conversation with a model; started by a surface, with a "
			"socket pair at descriptor 3.",
		.rows = rows,
	};
	struct error err = ERROR_INIT;
	int status = options_take(&program, NULL, argc, argv);

	if (status != OPTIONS_GO_ON)
		return status;
	if (fcntl(ASSISTANT_FD, F_GETFD) < 0) {
		error_set(
			&err, ERR_INVALID_ARGUMENT,
			"descriptor %d is not open: a surface starts this, not a person",
			ASSISTANT_FD);
		error_hint(&err, "'wingman chat' does");
		return options_complain(program.name, &err, OPTIONS_EXIT_USAGE);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_setup("assistant", LOG_INFO);
	bool good = worker_enter(&err) && worker_serve(ASSISTANT_FD, &err);
	if (!good)
		log_failure("assistant.ended", &err);
	_exit(good ? 0 : 1); /* nothing is left to write, and little is allowed */
}
