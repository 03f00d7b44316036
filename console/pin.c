/* wingman pin, wingman keys: changes to what the gate trusts, approved like any call. */
#include "base/file.h"
#include "base/secret.h"
#include "console/call.h"
#include "console/console.h"
#include "console/gate_link.h"
#include "console/interrupt.h"
#include "console/tools.h"

static int propose(struct console *c, struct gate_link *g, const char *action,
		   json_t *arguments)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = gate_link_ask(
		g, MSG_PROPOSE_GATE,
		json_pack("{s:s, s:o}", "action", action, "arguments", arguments), &err);
	const char *approval = json_get_string(reply, "approval");

	if (!reply)
		return console_fail(c, &err);
	interrupt_catch();
	return call_follow(c, g, approval ? approval : "", -1);
}

static void print_differences(const json_t *reply)
{
	size_t i;
	json_t *difference;

	json_array_foreach(json_object_get(reply, "differences"), i, difference)
	{
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		const char *tool = json_get_string(difference, "tool");
		const char *what = json_get_string(difference, "what");

		strbuf_add_format(&line, "%s: %s", tool ? tool : "server",
				  what ? what : "changed");
		console_print_visible(line.data);
	}
}

static int run_pin(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *reply = NULL;
	json_t *arguments;

	if (argc != 2 || argv[1][0] == '-')
		return console_usage(c, &command_pin, "name one server");
	g = gate_link_open(c->dir, &err);
	reply = g ? gate_link_ask(g, MSG_PINS, json_pack("{s:s}", "server", argv[1]),
				  &err)
		  : NULL;
	if (!reply) {
		if (g)
			tools_hint_server(g, &err);
		return console_fail(c, &err);
	}
	const json_t *store = json_object_get(reply, "store");
	if (store) {
		if (!c->json)
			printf("a process of %s has another store than the gate knows\n",
			       argv[1]);
		return propose(c, g, "accept_store", json_deep_copy(store));
	}
	if (json_array_size(json_object_get(reply, "differences")) == 0) {
		if (c->json)
			console_print_json(reply);
		else
			printf("%s is as it was pinned\n", argv[1]);
		return EXIT_DONE;
	}
	if (!c->json)
		print_differences(reply);
	arguments = json_pack("{s:s}", "server", argv[1]);
	if (arguments && json_object_get(reply, "current"))
		(void)json_object_set(arguments, "digest",
				      json_object_get(reply, "current"));
	return propose(c, g, "pin_server", arguments);
}

/* The first one, of a gate that has never run; whoever may write its folder may do this. */
static int make_first_key(struct console *c)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *path = statedir_path(c->dir, "keys/gate.key");
	_cleanup_free_ char *trusted = NULL;
	_cleanup_(sign_key_freep) struct sign_key *key = NULL;

	if (!path)
		return console_fail(c, &err);
	if (file_exists(path)) {
		error_set(&err, ERR_CONFLICT, "there is a key already: %s", path);
		error_hint(&err, "'wingman keys rotate' puts a new one in its place");
		return console_fail(c, &err);
	}
	key = sign_key_create(path, &err);
	trusted = key ? statedir_path(c->dir, "keys/trusted/%s.pem", sign_key_kid(key))
		      : NULL;
	if (!trusted || !sign_key_write_public(key, trusted, &err))
		return console_fail(c, &err);
	printf("key %s is in %s\n", sign_key_kid(key), path);
	return EXIT_DONE;
}

static int run_keys(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;

	if (argc == 2 && strcmp(argv[1], "new") == 0)
		return make_first_key(c);
	if (argc != 2 || strcmp(argv[1], "rotate") != 0)
		return console_usage(c, &command_keys,
				     "say rotate, or new for the first one");
	g = gate_link_open(c->dir, &err);
	if (!g)
		return console_fail(c, &err);
	return propose(c, g, "rotate_key", json_object());
}

const struct command command_pin = {
	"pin", "pin SERVER",
	"Show how a server changed since it was pinned, and accept it.", run_pin
};
const struct command command_keys = {
	"keys", "keys rotate | new",
	"Give the gate a new signing key, or one that has never run its first.", run_keys
};
