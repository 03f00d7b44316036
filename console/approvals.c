/* wingman approvals: what waits for a person, and the person's answer. */
#include "base/clock.h"
#include "base/options.h"
#include "console/call.h"
#include "console/decide.h"
#include "console/interrupt.h"
#include "console/render.h"
#include "console/terminal.h"

enum { COLUMNS_DEFAULT = 100, OUTCOME_WAIT_MS = 15 * 1000 };

struct approvals_options {
	const char *state;
	const char *reason;
	bool all;
};

static const struct option_row rows[] = {
	OPTION_STRING("state", 's', "STATE", "list only this state (default: pending)",
		      offsetof(struct approvals_options, state)),
	OPTION_BOOL("all", 'a', "list every state",
		    offsetof(struct approvals_options, all)),
	OPTION_STRING("reason", 'r', "TEXT", "why, for deny, cancel and revoke",
		      offsetof(struct approvals_options, reason)),
	OPTION_END,
};

/* "server.tool", or of several calls all of them in their order. */
static void add_what(struct strbuf *sb, const json_t *record)
{
	const json_t *calls = json_object_get(record, "calls");
	size_t i;
	json_t *call;

	if (!calls)
		strbuf_add_format(sb, "%s.%s", console_member(record, "server"),
				  console_member(record, "tool"));
	json_array_foreach(calls, i, call)
	{
		strbuf_add_format(sb, "%s%s.%s", i ? " + " : "",
				  console_member(call, "server"),
				  console_member(call, "tool"));
	}
}

static int list(struct console *c, struct gate_link *g, const struct approvals_options *o)
{
	struct error err = ERROR_INIT;
	json_t *ask = json_object();
	json_auto_t *reply = NULL;
	json_t *records, *r;
	size_t i;

	if (ask && !o->all)
		(void)json_object_set_new(ask, "state",
					  json_string(o->state ? o->state : "pending"));
	reply = gate_link_ask(g, MSG_LIST, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	records = json_object_get(reply, "records");
	if (c->json) {
		console_print_json(records);
		return EXIT_DONE;
	}
	json_array_foreach(records, i, r)
	{
		char when[CLOCK_TEXT_BYTES];
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT, what = STRBUF_INIT;

		add_what(&what, r);
		strbuf_add_format(&line, "%s  %-10s  %s  for %s, %s",
				  console_member(r, "id"), console_member(r, "state"),
				  what.data ? what.data : "?",
				  console_member(r, "requester"),
				  clock_relative(json_get_int64(r, "created_at", 0),
						 clock_wall_ms(), when));
		console_print_visible(line.data);
	}
	if (json_array_size(records) == 0)
		printf("nothing %s\n", o->all     ? "here yet"
				       : o->state ? o->state
						  : "pending");
	return EXIT_DONE;
}

static json_t *fetch(struct gate_link *g, const char *id, struct error *err)
{
	json_auto_t *reply =
		gate_link_ask(g, MSG_SHOW, json_pack("{s:s}", "approval", id), err);

	if (json_object_get(reply, "parts") &&
	    json_object_set(json_object_get(reply, "record"), "parts",
			    json_object_get(reply, "parts")) != 0) {
		error_oom(err);
		return NULL;
	}
	return reply ? json_incref(json_object_get(reply, "record")) : NULL;
}

static size_t columns(void)
{
	struct error ignored = ERROR_INIT;
	_cleanup_(terminal_closep) struct terminal *t =
		isatty(STDOUT_FILENO) ? terminal_open(&ignored) : NULL;

	return t ? terminal_columns(t) : COLUMNS_DEFAULT;
}

static int show(struct console *c, struct gate_link *g, const char *id)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = fetch(g, id, &err);
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct render_style style = { columns(), c->colour, clock_wall_ms() };
	const char *state;

	if (!record)
		return console_fail(c, &err);
	if (c->json) {
		console_print_json(record);
		return EXIT_DONE;
	}
	state = json_get_string(record, "state");
	if (json_object_get(record, "prompt")) {
		if (!render_prompt(&page, json_object_get(record, "prompt"), &style,
				   &err))
			return console_fail(c, &err);
		puts(page.data);
		printf("  digest            %.12s\n", console_member(record, "shown"));
	}
	printf("  state             %s\n", console_member(record, "state"));
	decide_say_unanswered(record, stdout);
	if (state && decide_is_over(state))
		(void)decide_report(c, record);
	return EXIT_DONE;
}

static int decide(struct console *c, struct gate_link *g, const char *id,
		  const char *only)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = fetch(g, id, &err);
	json_auto_t *ended = NULL;
	const char *state = json_get_string(record, "state");

	if (!record)
		return console_fail(c, &err);
	if (!state || strcmp(state, "pending") != 0) {
		if (!c->json)
			printf("%s is not waiting for a decision any more\n", id);
		return decide_report(c, record);
	}
	switch (decide_ask(c, g, record, only, &err)) {
	case ANSWER_REFUSED:
		return console_fail(c, &err);
	case ANSWER_LATER:
		printf("%s is still pending\n", id);
		return EXIT_PENDING;
	case ANSWER_DENIED:
		printf("denied\n");
		return EXIT_DONE;
	case ANSWER_APPROVED:
		break;
	}
	if (decide_say_what_is_missing(c, g, id))
		return EXIT_DONE;
	ended = decide_wait(g, id, OUTCOME_WAIT_MS, false, &err);
	if (!ended && err.code != ERR_TIMEOUT)
		return console_fail(c, &err);
	if (!ended) {
		printf("your yes is recorded; %s\n", err.message);
		return EXIT_DONE;
	}
	return decide_report(c, ended);
}

/* The gate takes no decision within a second of asking, not even a no. */
static void wait_until_readable(const json_t *record)
{
	int64_t early = json_get_int64(record, "posted_at", 0) + DECIDE_READ_FIRST_MS -
			clock_wall_ms();

	if (early > 0 && early <= DECIDE_READ_FIRST_MS)
		(void)usleep((useconds_t)early * 1000);
}

/* A denial without a terminal needs no ceremony: saying no is always one step. */
static int withdraw(struct console *c, struct gate_link *g, enum message m,
		    const char *id, const char *reason)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;
	json_t *ask = json_pack("{s:s}", "approval", id);

	if (ask && reason &&
	    json_object_set_new(ask, "reason", json_string(reason)) != 0) {
		json_decref(ask);
		return console_usage(c, &command_approvals,
				     "the reason is no UTF-8 text");
	}
	if (ask && m == MSG_DECIDE) {
		json_auto_t *record = fetch(g, id, &err);

		if (!record) {
			json_decref(ask);
			return console_fail(c, &err);
		}
		wait_until_readable(record);
		(void)json_object_set_new(ask, "decision", json_string("deny"));
		(void)json_object_set(ask, "shown", json_object_get(record, "shown"));
	}
	reply = gate_link_ask(g, m, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	if (c->json)
		console_print_json(reply);
	else
		printf("%s is %s%s\n", id, console_member(reply, "state"),
		       json_is_true(json_object_get(reply, "revoking"))
			       ? "; its server is asked not to run it, and 'wingman "
				 "approvals show' tells what came of that"
			       : "");
	return EXIT_DONE;
}

static int set_pin(struct console *c, struct gate_link *g)
{
	struct error err = ERROR_INIT;
	_cleanup_(terminal_closep) struct terminal *t = terminal_open(&err);
	bool had = json_is_true(json_object_get(gate_link_hello(g), "pin_set"));
	_cleanup_(secret_freep) struct secret *old = NULL, *pin = NULL, *again = NULL;
	json_t *ask = json_object();
	json_auto_t *reply = NULL;

	if (!t || !ask) {
		json_decref(ask);
		return console_fail(c, &err);
	}
	if (had)
		old = terminal_read_secret(t, "PIN so far: ");
	if (!had || old)
		pin = terminal_read_secret(t, "new PIN (empty to remove it): ");
	if (pin)
		again = terminal_read_secret(t, "once more: ");
	if (!again) {
		json_decref(ask);
		error_set(&err, ERR_INVALID_ARGUMENT, "given up; nothing was changed");
		return console_fail(c, &err);
	}
	if (!digest_equal(secret_bytes(pin), secret_length(pin), secret_bytes(again),
			  secret_length(again))) {
		json_decref(ask);
		error_set(&err, ERR_INVALID_ARGUMENT,
			  "the PINs differ; nothing was changed");
		return console_fail(c, &err);
	}
	if (old)
		(void)json_object_set_new(
			ask, "old", json_stringn(secret_bytes(old), secret_length(old)));
	if (secret_length(pin) > 0)
		(void)json_object_set_new(
			ask, "pin", json_stringn(secret_bytes(pin), secret_length(pin)));
	reply = gate_link_ask(g, MSG_SET_PIN, ask, &err);
	if (!reply)
		return console_fail(c, &err);
	printf(secret_length(pin) > 0 ? "your PIN is set\n" : "your PIN is removed\n");
	return EXIT_DONE;
}

static int run(struct console *c, int argc, char **argv)
{
	struct approvals_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	const char *verb, *id;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_approvals, err.message);
	if (operands > 2)
		return console_usage(c, &command_approvals, "one approval at a time");
	interrupt_catch();
	verb = operands > 0 ? argv[1] : "list";
	id = operands > 1 ? argv[2] : NULL;
	g = gate_link_open(c->dir, &err);
	if (!g)
		return console_fail(c, &err);
	if (strcmp(verb, "list") == 0 && !id)
		return list(c, g, &o);
	if (strcmp(verb, "set-pin") == 0 && !id)
		return set_pin(c, g);
	if (!id)
		return console_usage(c, &command_approvals,
				     "say what to do, and with which approval");
	if (strcmp(verb, "show") == 0)
		return show(c, g, id);
	if (strcmp(verb, "approve") == 0)
		return decide(c, g, id, "approve");
	if (strcmp(verb, "deny") == 0)
		return withdraw(c, g, MSG_DECIDE, id, o.reason);
	if (strcmp(verb, "cancel") == 0)
		return withdraw(c, g, MSG_CANCEL, id, o.reason);
	if (strcmp(verb, "revoke") == 0)
		return withdraw(c, g, MSG_REVOKE, id, o.reason);
	return console_usage(c, &command_approvals, "unknown verb");
}

const struct command command_approvals = {
	"approvals",
	"approvals [list [--state STATE|--all] | show ID | approve ID | deny ID | cancel "
	"ID | revoke ID "
	"[--reason TEXT] | set-pin]",
	"See what waits for a person, and decide.", run
};
