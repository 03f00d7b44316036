/* wingman call: one tool, once, from the shell. */
#include "console/call.h"

#include "base/file.h"
#include "base/options.h"
#include "console/decide.h"
#include "console/interrupt.h"
#include "console/pick.h"
#include "console/tools.h"

enum {
	ARGUMENTS_MAX = 1024 * 1024,
	PLAN_WAIT_MS = 60 * 1000,
	FETCH_WAIT_MS = 15 * 60 * 1000
};

struct call_options {
	const char *args, *several;
	int64_t wait_s;
};

static const struct option_row rows[] = {
	OPTION_STRING("args", 'a', "JSON",
		      "arguments as a JSON object, @FILE, or - for stdin",
		      offsetof(struct call_options, args)),
	OPTION_STRING("several", 's', "JSON",
		      "two to eight calls for one decision, run in this order, as a "
		      "JSON array of {\"tool\", \"arguments\"}, @FILE, or - for stdin",
		      offsetof(struct call_options, several)),
	OPTION_INT64("wait", 'w', "SECONDS",
		     "how long to wait for the end (default: until it ends)",
		     offsetof(struct call_options, wait_s)),
	OPTION_END,
};

bool call_is_interactive(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static json_t *read_json(const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (strcmp(text, "-") == 0) {
		if (!file_read_fd(STDIN_FILENO, ARGUMENTS_MAX, &sb, err))
			return NULL;
	} else if (text[0] == '@') {
		if (!file_read(text + 1, ARGUMENTS_MAX, &sb, err))
			return NULL;
	} else {
		strbuf_add_string(&sb, text);
	}
	return json_parse(sb.data, sb.length, JSON_CONTRACT, err);
}

static json_t *read_arguments(const char *text, struct error *err)
{
	json_auto_t *arguments = text ? read_json(text, err) : json_object();

	if (arguments && !json_is_object(arguments)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the arguments must be a JSON object");
		return NULL;
	}
	return TAKE(arguments);
}

json_t *call_read_several(const char *text, struct error *err)
{
	json_auto_t *calls = read_json(text, err);

	if (calls && !json_is_array(calls)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the calls must be a JSON array of {\"tool\", \"arguments\"}");
		return NULL;
	}
	return TAKE(calls);
}

static int still_pending(const struct console *c, const char *approval, const char *state)
{
	if (c->json) {
		json_auto_t *line =
			json_pack("{s:s, s:s}", "approval", approval, "state", state);

		console_print_json(line);
	} else {
		printf("approval %s is %s; decide with: wingman approvals approve %s\n",
		       approval, state, approval);
		(void)fflush(stdout);
	}
	return EXIT_PENDING;
}

/* Ask here if there is somebody to ask; say the id where there is not. */
static bool settle(struct console *c, struct gate_link *g, const json_t *record,
		   int *ret_status)
{
	const char *approval = json_get_string(record, "id");
	struct error err = ERROR_INIT;

	if (!call_is_interactive() || c->json) {
		*ret_status = still_pending(c, approval, "pending");
		return true;
	}
	switch (decide_ask(c, g, record, NULL, &err)) {
	case ANSWER_APPROVED:
	case ANSWER_DENIED:
		return true;
	case ANSWER_REFUSED:
		(void)console_fail(c, &err);
		break;
	case ANSWER_LATER:
		break;
	}
	*ret_status = still_pending(c, approval, "pending");
	return false;
}

/* '*ret' (may be NULL): the record of one that ended before anybody was asked. */
static int follow(struct console *c, struct gate_link *g, const char *approval,
		  int64_t wait_ms, json_t **ret)
{
	struct error err = ERROR_INIT;
	int status = EXIT_PENDING;
	json_auto_t *record = decide_wait(g, approval, PLAN_WAIT_MS, true, &err);
	json_auto_t *ended = NULL;

	if (!record)
		return err.code == ERR_TIMEOUT ? still_pending(c, approval, "planned")
					       : console_fail(c, &err);
	if (decide_is_over(json_get_string(record, "state"))) {
		if (ret)
			*ret = json_incref(record);
		return decide_report(c, record);
	}
	if (!settle(c, g, record, &status) || wait_ms == 0)
		return status;
	(void)decide_say_what_is_missing(c, g, approval);
	ended = decide_wait(g, approval, wait_ms, false, &err);
	if (!ended)
		return err.code == ERR_TIMEOUT ? still_pending(c, approval, "pending")
					       : console_fail(c, &err);
	return decide_report(c, ended);
}

int call_follow(struct console *c, struct gate_link *g, const char *approval,
		int64_t wait_ms)
{
	return follow(c, g, approval, wait_ms, NULL);
}

/* 'ask' is stolen; '*ret' as above. */
static int propose(struct console *c, struct gate_link *g, json_t *ask, int64_t wait_ms,
		   json_t **ret)
{
	struct error err = ERROR_INIT;
	const char *named = json_get_string(ask, "tool");
	_cleanup_free_ char *tool = named ? strdup(named) : NULL;
	json_auto_t *reply = gate_link_ask(g, MSG_PROPOSE, ask, &err);
	const char *approval = json_get_string(reply, "approval");

	if (!reply) {
		if (tool)
			tools_hint(g, tool, &err);
		return console_fail(c, &err);
	}
	if (!approval) {
		error_set(&err, ERR_INTERNAL,
			  "the gate took the proposal but named no approval");
		return console_fail(c, &err);
	}
	return follow(c, g, approval, wait_ms, ret);
}

int call_run(struct console *c, struct gate_link *g, const char *tool,
	     const json_t *arguments, int64_t wait_ms)
{
	json_auto_t *record = NULL, *choice = NULL;
	int status = propose(
		c, g, json_pack("{s:s, s:O}", "tool", tool, "arguments", arguments),
		wait_ms, &record);

	if (!record || c->json || !call_is_interactive() ||
	    !(choice = pick_candidate(record)))
		return status;
	return propose(c, g,
		       json_pack("{s:s, s:O, s:O}", "tool", tool, "arguments", arguments,
				 "choices", choice),
		       wait_ms, NULL);
}

int call_run_several(struct console *c, struct gate_link *g, const json_t *calls,
		     int64_t wait_ms)
{
	return propose(c, g, json_pack("{s:O}", "calls", calls), wait_ms, NULL);
}

json_t *call_fetch(struct console *c, struct gate_link *g, const char *tool,
		   const json_t *arguments, int *ret_status)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = gate_link_ask(
		g, MSG_PROPOSE,
		json_pack("{s:s, s:O}", "tool", tool, "arguments", arguments), &err);
	const char *approval = json_get_string(reply, "approval");
	json_auto_t *record = NULL;

	if (approval)
		record = decide_wait(g, approval, PLAN_WAIT_MS, true, &err);
	if (record && !decide_is_over(json_get_string(record, "state"))) {
		if (!settle(c, g, record, ret_status))
			return NULL;
		json_decref(record);
		record = decide_wait(g, approval, FETCH_WAIT_MS, false, &err);
	}
	if (!record) {
		error_set(&err, ERR_INTERNAL, "the gate named no approval");
		*ret_status = console_fail(c, &err);
		return NULL;
	}
	json_t *answer =
		json_object_get(json_object_get(record, "result"), "structuredContent");
	if (strcmp(console_member(record, "state"), "succeeded") == 0 && answer)
		return json_incref(answer);
	*ret_status = decide_report(c, record);
	return NULL;
}

/* TOOL JSON TOOL JSON ...: one call, or several for one decision. */
static json_t *read_pairs(char **words, size_t count, struct error *err)
{
	json_auto_t *calls = json_array();

	if (count == 2)
		return read_arguments(words[1], err);
	for (size_t i = 0; calls && i < count; i += 2) {
		json_auto_t *arguments = read_arguments(words[i + 1], err);
		json_t *call = arguments ? json_pack("{s:s, s:O}", "tool", words[i],
						     "arguments", arguments)
					 : NULL;

		if (!arguments)
			return NULL;
		if (json_array_append_new(calls, call) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(calls);
}

static bool are_good(const struct call_options *o, int operands)
{
	if (o->several)
		return operands == 0 && !o->args;
	return operands == 1 || (operands > 0 && operands % 2 == 0 && !o->args);
}

static int run(struct console *c, int argc, char **argv)
{
	struct call_options o = { .wait_s = -1 };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *arguments = NULL;
	int64_t wait_ms;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_call, err.message);
	interrupt_catch();
	if (!are_good(&o, operands))
		return console_usage(
			c, &command_call,
			"name one tool, such as accounts.get_account, or TOOL JSON for "
			"each of several calls, or give --several and nothing else");
	if (operands > 1)
		arguments = read_pairs(argv + 1, (size_t)operands, &err);
	else
		arguments = o.several ? call_read_several(o.several, &err)
				      : read_arguments(o.args, &err);
	if (!arguments)
		return console_fail(c, &err);
	wait_ms = o.wait_s < 0 ? -1 : o.wait_s * 1000;
	g = gate_link_open(c->dir, &err);
	if (!g)
		return console_fail(c, &err);
	if (json_is_array(arguments))
		return call_run_several(c, g, arguments, wait_ms);
	return call_run(c, g, argv[1], arguments, wait_ms);
}

const struct command command_call = { "call",
				      "call (TOOL [--args JSON|@FILE|-] | TOOL JSON "
				      "[TOOL JSON]... | --several JSON|@FILE|-) "
				      "[--wait SECONDS]",
				      "Propose a call, or several for one decision, show "
				      "them, run them, print the result.",
				      run };
