/* wingman policy explain: what the gate would say, and by which rule. */
#include "base/options.h"
#include "console/console.h"
#include "console/gate_link.h"

struct policy_options {
	const char *as;
};

static const struct option_row rows[] = {
	OPTION_STRING("as", 0, "PERSON", "for whom (default: you)",
		      offsetof(struct policy_options, as)),
	OPTION_END,
};

static const char *yes_no(const json_t *reply, const char *name)
{
	return json_is_true(json_object_get(reply, name)) ? "yes" : "no";
}

static int run(struct console *c, int argc, char **argv)
{
	struct policy_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *reply = NULL;
	json_t *ask;
	size_t i;
	json_t *who;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_policy, err.message);
	if (operands != 2 || strcmp(argv[1], "explain") != 0)
		return console_usage(c, &command_policy, "say explain and a tool");
	g = gate_link_open(c->dir, &err);
	if (!g)
		return console_fail(c, &err);
	if (!o.as)
		o.as = json_get_string(gate_link_hello(g), "principal");
	if (!o.as)
		return console_usage(c, &command_policy,
				     "the gate does not know you: give --as PERSON");
	ask = json_pack("{s:s, s:s}", "tool", argv[2], "as", o.as);
	reply = gate_link_ask(g, MSG_EXPLAIN, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(reply);
		return EXIT_DONE;
	}
	printf("%s for %s\n", argv[2], o.as);
	printf("  rule               ");
	console_print_visible(console_member(reply, "rule"));
	printf("  may ask            %s\n", yes_no(reply, "may_call"));
	printf("  may approve        %s\n", yes_no(reply, "may_approve"));
	printf("  runs without a yes %s\n", yes_no(reply, "free"));
	printf("  approvers needed   %lld\n",
	       (long long)json_get_int64(reply, "approvers_needed", 0));
	printf("  requester may say yes %s\n",
	       json_is_true(json_object_get(reply, "four_eyes")) ? "no (four eyes)"
								 : "yes");
	printf("  a prompt waits     %lld s\n",
	       (long long)json_get_int64(reply, "expires_s", 0));
	printf("  a yes is good for  %lld s\n",
	       (long long)json_get_int64(reply, "good_for_s", 0));
	printf("  may approve it:   ");
	json_array_foreach(json_object_get(reply, "approvers"), i, who)
	{
		printf("%s ", i ? "," : "");
		console_put_visible(json_is_string(who) ? json_string_value(who) : "?");
	}
	printf("%s\n",
	       json_array_size(json_object_get(reply, "approvers")) ? "" : " nobody");
	return EXIT_DONE;
}

const struct command command_policy = { "policy", "policy explain TOOL [--as PERSON]",
					"Say what the policy asks for a call, and why.",
					run };
