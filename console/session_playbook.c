/*
 * What a step of a playbook suggests, made a proposal without typing it again: /playbook.
 *
 * The page is read as the person, through the gate; the step's call becomes what a form begins
 * with. Everything is shown before it is taken, and then it is a call like any other.
 */
#include "console/session.h"

#include "console/call.h"
#include "console/tools.h"
#include "show/suggested.h"

static const char READ_PAGE[] = "playbooks.get_playbook";

static void print_steps(const json_t *answer)
{
	const json_t *step, *steps = json_object_get(answer, "steps");
	size_t i;

	json_array_foreach(steps, i, step)
	{
		const json_t *call = json_object_get(step, "suggestion");
		const char *fault = json_get_string(call, "fault");

		printf("%4lld. ", (long long)json_get_int64(step, "step", 0));
		console_print_visible(console_member(step, "text"));
		if (!call)
			continue;
		printf("      suggests ");
		console_put_visible(console_member(call, "tool"));
		if (fault) {
			printf(", which cannot be used: ");
			console_put_visible(fault);
		}
		printf("\n");
	}
	printf(json_array_size(steps)
		       ? "/playbook PAGE N begins the call that a step suggests\n"
		       : "it has no steps\n");
}

static void print_origin(const json_t *answer, const json_t *step, const char *tool)
{
	printf("Step %lld of ", (long long)json_get_int64(step, "step", 0));
	console_put_visible(console_member(answer, "title"));
	printf(": ");
	console_print_visible(console_member(step, "text"));
	printf("Whoever wrote the page suggests ");
	console_put_visible(tool);
	printf("; nothing runs before you have asked for it and somebody said yes.\n");
}

/* Where nobody can fill in a form, it is only shown. */
static int print_call(struct session *s, const char *tool, const json_t *call)
{
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (s->console->json) {
		console_print_json(call);
		return EXIT_DONE;
	}
	strbuf_add_format(&text, "%s ", tool);
	if (!json_write(&text, json_object_get(call, "arguments"), &err))
		return console_fail(s->console, &err);
	console_print_visible(text.data);
	return EXIT_DONE;
}

static int propose(struct session *s, const json_t *answer, const json_t *step,
		   const json_t *call)
{
	const char *tool = console_member(call, "tool"), *server;
	const json_t *definition = tools_find(s->servers, tool, &server);
	struct error err = ERROR_INIT;

	if (!definition)
		return session_refuse_tool(s, tool);
	if (!editor_is_terminal(s->editor))
		return print_call(s, tool, call);
	json_auto_t *given =
		suggested_arguments(json_object_get(definition, "inputSchema"), call);
	print_origin(answer, step, tool);
	json_auto_t *arguments =
		given ? session_ask_arguments(s, tool, definition, given, &err) : NULL;
	if (arguments)
		return call_run(s->console, s->gate, tool, arguments, -1);
	if (!given)
		error_oom(&err);
	if (error_is_set(&err))
		return console_fail(s->console, &err);
	printf("given up; nothing was asked of anybody\n");
	return EXIT_DONE;
}

int session_playbook(struct session *s, char *rest)
{
	_cleanup_free_ char *page = NULL;
	struct error err = ERROR_INIT;
	int status = EXIT_FAILED;
	int64_t number;

	if (!suggested_read(rest, &page, &number, &err)) {
		error_hint(&err,
			   "/playbook PAGE N; playbooks.search_playbooks finds pages");
		return console_fail(s->console, &err);
	}
	json_auto_t *ask = json_pack("{s:s}", "playbook", page);
	json_auto_t *answer =
		ask ? call_fetch(s->console, s->gate, READ_PAGE, ask, &status) : NULL;
	if (!ask)
		return session_complain(s, "the page's name is no text", NULL);
	if (!answer)
		return status;
	if (number == 0) {
		if (s->console->json)
			console_print_json(json_object_get(answer, "steps"));
		else
			print_steps(answer);
		return EXIT_DONE;
	}
	const json_t *step = suggested_step(answer, number, &err);
	const json_t *call = step ? suggested_call(step, &err) : NULL;
	return call ? propose(s, answer, step, call) : console_fail(s->console, &err);
}
