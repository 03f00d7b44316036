/* wingman-assistant: one conversation with a model, in a process that can do nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assistant/messages.h"
#include "assistant/worker/serve.h"
#include "base/log.h"

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	if (argc > 1) {
		bool version = strcmp(argv[1], "--version") == 0;

		(void)fprintf(
			version ? stdout : stderr,
			version ? "wingman-assistant %s\n"
				: "wingman-assistant %s: started by a surface, with a "
				  "socket pair at descriptor 3\n",
			WINGMAN_VERSION);
		return version ? 0 : 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_setup("assistant", LOG_INFO);
	bool good = worker_enter(&err) && worker_serve(ASSISTANT_FD, &err);
	if (!good)
		log_failure("assistant.ended", &err);
	_exit(good ? 0 : 1); /* nothing is left to write, and little is allowed */
}
