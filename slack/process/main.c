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

static int fail(const struct error *err)
{
	(void)fprintf(stderr, "wingman-slack: %s\n", err->message);
	if (err->hint[0])
		(void)fprintf(stderr, "wingman-slack: %s\n", err->hint);
	return 2;
}

/* It becomes part of paths. */
static bool is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length <= 32 && !name[length];
}

int main(int argc, char **argv)
{
	struct main_options o = { .name = "slack" };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_(statedir_freep) struct statedir *dir = NULL;

	switch (options_parse(rows, &o, argc, argv, &operands, &err)) {
	case OPTIONS_OK:
		break;
	case OPTIONS_HELP:
		options_help(
			"wingman-slack", "[--dir DIR]",
			"Carries what people do in Slack to the gate, and draws what "
			"it says.",
			rows, stdout);
		return 0;
	case OPTIONS_VERSION:
		(void)printf("wingman-slack %s\n", WINGMAN_VERSION);
		return 0;
	case OPTIONS_BAD:
		return fail(&err);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (operands > 0 || !is_name(o.name))
		error_set(&err, ERR_INVALID_ARGUMENT, "unknown operand or name");
	else
		dir = statedir_new(o.dir, &err);
	if (!dir)
		return fail(&err);
	log_setup(o.name, LOG_INFO);
	return o.check_config ? front_check_config(dir, o.name)
			      : front_main(dir, o.name, o.assistant_apart);
}
