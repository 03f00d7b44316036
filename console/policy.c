/* wingman policy explain: what the gate would say, and by which rule. */
#include "base/options.h"
#include "console/console.h"
#include "console/gate_link.h"

struct policy_options {
	const char *as, *args;
};

static const struct option_row rows[] = {
	OPTION_STRING("as", 0, "PERSON", "for whom (default: you)",
		      offsetof(struct policy_options, as)),
	OPTION_STRING("args", 'a', "JSON",
		      "arguments of the call, for rules that look at them",
		      offsetof(struct policy_options, args)),
	OPTION_END,
};

static const char *yes_no(const json_t *reply, const char *name)
{
	return json_is_true(json_object_get(reply, name)) ? "yes" : "no";
}

/* Every rule that was looked at, in order, and why it was or was not the one. */
static void print_steps(const json_t *reply)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(reply, "steps"), i, step)
	{
		printf("  %s ",
		       json_is_true(json_object_get(step, "matches")) ? "->" : "  ");
		console_put_visible(console_member(step, "rule"));
		printf(": ");
		console_print_visible(console_member(step, "why"));
	}
}

static void print_names(const json_t *names)
{
	size_t i;
	json_t *who;

	json_array_foreach(names, i, who)
	{
		printf("%s ", i ? "," : "");
		console_put_visible(json_is_string(who) ? json_string_value(who) : "?");
	}
	printf("%s\n", json_array_size(names) ? "" : " nobody");
}

static void print_judgement(const json_t *reply)
{
	const json_t *rate = json_object_get(reply, "rate");

	printf("  rule               ");
	console_print_visible(*console_member(reply, "rule")
				      ? console_member(reply, "rule")
				      : "none: refused");
	printf("  why                ");
	console_print_visible(console_member(reply, "why"));
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
	if (rate)
		printf("  at most            %lld in %lld s\n",
		       (long long)json_get_int64(rate, "calls", 0),
		       (long long)json_get_int64(rate, "per_s", 0));
	printf("  may approve it:   ");
	print_names(json_object_get(reply, "approvers"));
}

/* Only what is another thing than for a plan that can be undone. */
static void print_irreversible(const json_t *reply, const json_t *worse)
{
	if (strcmp(console_member(reply, "rule"), console_member(worse, "rule")) == 0 &&
	    json_equal(json_object_get(reply, "approvers_needed"),
		       json_object_get(worse, "approvers_needed")))
		return;
	printf("where its plan says that something cannot be undone:\n");
	print_judgement(worse);
}

static json_t *read_arguments(const char *text, struct error *err)
{
	json_auto_t *arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);

	if (arguments && !json_is_object(arguments)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the arguments must be a JSON object");
		return NULL;
	}
	return TAKE(arguments);
}

static json_t *question(const char *tool, const struct policy_options *o,
			struct error *err)
{
	json_auto_t *ask = json_pack("{s:s, s:s}", "tool", tool, "as", o->as);
	json_t *arguments;

	if (!ask) {
		error_oom(err);
		return NULL;
	}
	if (!o->args)
		return TAKE(ask);
	arguments = read_arguments(o->args, err);
	if (!arguments || json_object_set_new(ask, "arguments", arguments) != 0)
		return NULL;
	return TAKE(ask);
}

static int run(struct console *c, int argc, char **argv)
{
	struct policy_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *reply = NULL;
	json_t *ask;

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
	ask = question(argv[2], &o, &err);
	if (!ask)
		return console_fail(c, &err);
	reply = gate_link_ask(g, MSG_EXPLAIN, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(reply);
		return EXIT_DONE;
	}
	printf("%s for %s\n", argv[2], o.as);
	print_steps(reply);
	print_judgement(reply);
	if (json_object_get(reply, "irreversible"))
		print_irreversible(reply, json_object_get(reply, "irreversible"));
	return EXIT_DONE;
}

const struct command command_policy = { "policy",
					"policy explain TOOL [--as PERSON] [--args JSON]",
					"Say what the policy asks for a call, and why.",
					run };
