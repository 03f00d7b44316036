/* wingman notices: what ended while you were not looking. */
#include "base/clock.h"
#include "base/options.h"
#include "console/console.h"
#include "console/gate_link.h"
#include "console/interrupt.h"

enum { FOLLOW_MS = 60 * 1000 };

struct notices_options {
	bool keep, follow;
};

static const struct option_row rows[] = {
	OPTION_BOOL("keep", 'k', "leave them unread",
		    offsetof(struct notices_options, keep)),
	OPTION_BOOL("follow", 'f', "go on until Ctrl-C",
		    offsetof(struct notices_options, follow)),
	OPTION_END,
};

static const char *optional(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	return text ? text : "";
}

static void print_notice(const struct console *c, const json_t *n)
{
	const json_t *error = json_object_get(n, "error");
	const char *by = optional(n, "by"), *why = optional(n, "why");
	const char *news = optional(n, "news");
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	char when[CLOCK_TEXT_BYTES];

	if (c->json) {
		console_print_json(n);
		return;
	}
	strbuf_add_format(&line, "%s  %s.%s of %s is %s",
			  clock_format(json_get_int64(n, "at", 0), when),
			  console_member(n, "server"), console_member(n, "tool"),
			  console_member(n, "requester"), console_member(n, "state"));
	if (json_is_true(json_object_get(n, "emergency")))
		strbuf_add_string(&line, " (EMERGENCY)");
	if (*news)
		strbuf_add_format(&line, "; %s says: %s", console_member(n, "server"),
				  news);
	if (*by)
		strbuf_add_format(&line, ", by %s", by);
	if (*why)
		strbuf_add_format(&line, ": %s", why);
	else if (error)
		strbuf_add_format(&line, ": %s", console_member(error, "message"));
	console_print_visible(line.data ? line.data : "?");
	printf("    wingman approvals show ");
	console_print_visible(console_member(n, "approval"));
	(void)fflush(stdout);
}

static bool mark_read(struct gate_link *g, const json_t *n, struct error *err)
{
	json_auto_t *reply = gate_link_ask(
		g, MSG_READ, json_pack("{s:s}", "notice", console_member(n, "id")), err);

	return reply != NULL;
}

static bool show_one(struct console *c, struct gate_link *g,
		     const struct notices_options *o, const json_t *n, struct error *err)
{
	print_notice(c, n);
	return o->keep || mark_read(g, n, err);
}

static int follow(struct console *c, struct gate_link *g, const struct notices_options *o)
{
	for (;;) {
		struct error err = ERROR_INIT;
		json_auto_t *event = gate_link_event(g, FOLLOW_MS, &err);
		const json_t *n = json_object_get(event, "notice");

		if (interrupt_was_pressed())
			return EXIT_DONE;
		if (!event && err.code != ERR_TIMEOUT)
			return console_fail(c, &err);
		error_clear(&err);
		if (n && !show_one(c, g, o, n, &err))
			return console_fail(c, &err);
	}
}

static int run(struct console *c, int argc, char **argv)
{
	struct notices_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *reply = NULL;
	json_t *notices, *n;
	size_t i;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_notices, err.message);
	if (operands > 0)
		return console_usage(c, &command_notices, "it takes no operand");
	interrupt_catch();
	g = gate_link_open(c->dir, &err);
	reply = g ? gate_link_ask(g, MSG_NOTICES, NULL, &err) : NULL;
	if (!reply)
		return console_fail(c, &err);
	notices = json_object_get(reply, "notices");
	json_array_foreach(notices, i, n)
	{
		if (!show_one(c, g, &o, n, &err))
			return console_fail(c, &err);
	}
	if (json_array_size(notices) == 0 && !c->json && !o.follow)
		printf("nothing new\n");
	if (json_get_int64(reply, "left", 0) > 0 && !c->json)
		printf("and %lld more: ask again\n",
		       (long long)json_get_int64(reply, "left", 0));
	return o.follow ? follow(c, g, &o) : EXIT_DONE;
}

const struct command command_notices = { "notices", "notices [--keep] [--follow]",
					 "Read how calls that concern you ended.", run };
