/* wingman-slack: carries evidence to the gate, and draws what it says; see front.h. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/options.h"
#include "slack/process/process.h"

struct main_options {
	const char *dir, *name;
	bool check_config, assistant_apart;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite",
		      offsetof(struct main_options, dir)),
	OPTION_STRING("name", 0, "NAME",
		      "of its configuration and folder, for a second one on a machine "
		      "(slack)",
		      offsetof(struct main_options, name)),
	OPTION_BOOL("check-config", 0,
		    "say what is wrong with the configuration, and leave",
		    offsetof(struct main_options, check_config)),
	OPTION_BOOL("assistant-sockets", 0,
		    "the assistant's programs are started by systemd, at run/worker.sock "
		    "and run/egress.sock",
		    offsetof(struct main_options, assistant_apart)),
	OPTION_END,
};

/* It becomes part of paths. */
static bool is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length <= 32 && !name[length];
}

int main(int argc, char **argv)
{
	static const struct options_program program = {
		.name = "wingman-slack",
		.usage = "[--dir DIR]",
		.description = "Carries what people do in Slack to the gate, and draws "
			       "what it says.",
		.rows = rows,
	};
	struct main_options o = { .name = "slack" };
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *dir = NULL;
	int status = options_take(&program, &o, argc, argv);

	if (status != OPTIONS_GO_ON)
		return status;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (!is_name(o.name))
		error_set(&err, ERR_INVALID_ARGUMENT,
			  "--name wants 1 to 32 of a to z, 0 to 9 and '-'");
	else
		dir = statedir_new(o.dir, &err);
	if (!dir || !statedir_require(dir, &err))
		return options_complain(program.name, &err, OPTIONS_EXIT_USAGE);
	log_setup(o.name, LOG_INFO);
	return o.check_config ? front_check_config(dir, o.name)
			      : front_main(dir, o.name, o.assistant_apart);
}
