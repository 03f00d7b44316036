/* wingman status: what runs, what waits. */
#include "console/console.h"
#include "console/gate_link.h"
#include "console/tools.h"

static void print_stores(const json_t *stores)
{
	size_t i;
	json_t *one;

	json_array_foreach(stores, i, one)
	{
		if (json_get_string(one, "refused"))
			printf("store        a process of %s HAS ANOTHER and was "
			       "refused: "
			       "wingman doctor\n",
			       console_member(one, "server"));
	}
}

/* The group of LDAP or Okta that people must be in. */
static void print_membership(const json_t *m)
{
	if (!m)
		return;
	if (json_is_true(json_object_get(m, "known")))
		printf("membership   %lld of the team are in its group in %s\n",
		       (long long)json_get_int64(m, "members", 0),
		       console_member(m, "where"));
	else
		printf("membership   NOT KNOWN: %s does not say who is in the team's "
		       "group: wingman doctor\n",
		       console_member(m, "where"));
}

static int run(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *reply = NULL;
	json_auto_t *servers = NULL;
	const json_t *audit;
	const char *person;

	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_status, "status takes no arguments");
	g = gate_link_open(c->dir, &err);
	reply = g ? gate_link_ask(g, MSG_STATUS, NULL, &err) : NULL;
	if (!reply)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(reply);
		return EXIT_DONE;
	}
	audit = json_object_get(reply, "audit");
	person = json_get_string(gate_link_hello(g), "principal");
	printf("gate         up %lld s, key %s\n",
	       (long long)json_get_int64(reply, "uptime_s", 0),
	       console_member(reply, "kid"));
	printf("you          %s\n",
	       person ? person : "nobody: you may not ask or approve");
	printf("approvals    %lld pending, %lld approved, %lld executing\n",
	       (long long)json_get_int64(reply, "pending", 0),
	       (long long)json_get_int64(reply, "approved", 0),
	       (long long)json_get_int64(reply, "executing", 0));
	printf("audit        line %lld, %s\n", (long long)json_get_int64(audit, "seq", 0),
	       json_is_true(json_object_get(audit, "sound"))
		       ? "written"
		       : "CANNOT BE WRITTEN: nothing executes");
	print_stores(json_object_get(reply, "stores"));
	print_membership(json_object_get(reply, "membership"));
	servers = tools_fetch(g, NULL, &err);
	if (servers)
		tools_print_servers(c, servers);
	return EXIT_DONE;
}

const struct command command_status = { "status", "status", "What runs, and what waits.",
					run };
