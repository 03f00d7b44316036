/* wingman accounts drift: who is blocked in one system and active in another. */
#include "console/call.h"
#include "console/interrupt.h"

static int run(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *arguments = json_object();

	if (argc != 2 || strcmp(argv[1], "drift") != 0)
		return console_usage(c, &command_accounts, "say what: accounts drift");
	interrupt_catch();
	g = gate_link_open(c->dir, &err);
	return g && arguments ? call_run(c, g, "accounts.list_drift", arguments, -1)
			      : console_fail(c, &err);
}

const struct command command_accounts = {
	"accounts", "accounts drift",
	"Who is blocked in one system and active in another.", run
};
