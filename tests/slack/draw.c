/*
 * slack-draw-all -- a line {"what": ..., "data": {...}} on stdin, what slack/ draws of it on
 * stdout, for tests in other languages:
 *
 *   {"message": {...}}, {"messages": [...]}, {"view": {...}}, {"text": "..."} or
 *   {"error": "..."}; of "call", the gate's {"prompt": {...}}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/prompt.h"
#include "slack/form/form.h"
#include "slack/home/home.h"
#include "slack/markdown/stream.h"
#include "slack/render/prompt.h"
#include "slack/result/result.h"

static size_t number(const json_t *data, const char *name, size_t otherwise)
{
	return (size_t)json_get_int64(data, name, (int64_t)otherwise);
}

static json_t *wrap(const char *kind, json_t *drawn)
{
	return drawn ? json_pack("{s:o}", kind, drawn) : NULL;
}

/* --- prompts --- */

/* The prompt that the gate makes of a call. */
static json_t *draw_call(const json_t *data, struct error *err)
{
	static const char *const approvers[] = { "alice@company.com", NULL };
	const json_t *arguments = json_object_get(data, "arguments");
	char args[DIGEST_HEX_BYTES], shown[DIGEST_HEX_BYTES];
	_cleanup_(tool_definition_freep) struct tool_definition *tool =
		tool_definition_read("accounts", json_object_get(data, "tool"), err);
	struct prompt_input in = { .approval = "01k5",
				   .address = "http://127.0.0.1/mcp",
				   .requester = "alice@company.com",
				   .surface = "slack",
				   .outcome_to = "this thread",
				   .tool = tool,
				   .arguments = arguments,
				   .author = json_get_string(data, "author"),
				   .args_digest = args,
				   .asked_at_ms = 1,
				   .expires_at_ms = 600001,
				   .good_for_ms = 300000,
				   .approvers_needed = 1,
				   .approvers = approvers };

	if (!tool || !canonical_digest(arguments, args, err))
		return NULL;
	return wrap("prompt", prompt_build(&in, shown, err));
}

static json_t *draw_prompt(const json_t *data, struct error *err)
{
	const struct slack_prompt_view view = { json_get_int64(data, "at", 0),
						json_is_true(
							json_object_get(data, "along")) };

	return wrap("message",
		    slack_prompt_message(json_object_get(data, "prompt"), &view, err));
}

static json_t *draw_prompt_page(const json_t *data, struct error *err)
{
	size_t pages;

	return wrap("view", slack_prompt_page(json_object_get(data, "prompt"),
					      json_get_int64(data, "at", 0),
					      number(data, "page", 1), &pages, err));
}

static json_t *draw_prompt_why(const json_t *data, struct error *err)
{
	return wrap("view", slack_prompt_why(json_object_get(data, "prompt"), err));
}

static json_t *draw_prompt_ended(const json_t *data, struct error *err)
{
	const struct slack_prompt_view view = { json_get_int64(data, "at", 0), false };

	return wrap("message", slack_prompt_ended(json_object_get(data, "prompt"), &view,
						  json_get_string(data, "how"), err));
}

static json_t *draw_words(const json_t *data, struct error *err)
{
	return wrap("messages", slack_words_of(json_get_string(data, "by"),
					       json_get_string(data, "text"), err));
}

/* --- forms and App Home --- */

static json_t *draw_form(const json_t *data, struct error *err)
{
	const struct slack_form_view view = { .page = number(data, "page", 1),
					      .values = json_object_get(data, "values"),
					      .faults = json_object_get(data, "faults"),
					      .metadata = "m" };
	_cleanup_(slack_form_freep) struct slack_form *form =
		slack_form_new(json_object_get(data, "tool"), err);

	return form ? wrap("view", slack_form_view(form, &view, err)) : NULL;
}

static json_t *draw_home(const json_t *data, struct error *err)
{
	return wrap("view", slack_home_view(json_object_get(data, "home"),
					    number(data, "page", 1),
					    json_get_int64(data, "at", 0), err));
}

static json_t *draw_stranger(const json_t *data, struct error *err)
{
	(void)data;
	return wrap("view", slack_home_stranger(err));
}

static json_t *draw_docs(const json_t *data, struct error *err)
{
	return wrap("view", slack_docs_view(json_object_get(data, "tool"), err));
}

/* --- Markdown and results --- */

static json_t *draw_markdown(const json_t *data, struct error *err)
{
	const struct slack_markdown how = {
		.heading = json_get_string(data, "heading"),
		.hosts = json_object_get(data, "hosts"),
		.people = json_object_get(data, "people"),
		.messages_max = number(data, "messages_max", 0),
	};
	const json_t *text = json_object_get(data, "text");

	return wrap("messages",
		    slack_markdown_messages(json_string_value(text),
					    json_string_length(text), &how, err));
}

/* The text in pieces of 'step' bytes: {steps: [{new, blocks}], messages: what edits show}. */
static bool add_steps(struct slack_stream *s, json_t *steps, struct error *err)
{
	bool is_new = false;
	json_t *blocks;

	while ((blocks = slack_stream_take(s, &is_new, err)))
		if (json_array_append_new(steps, json_pack("{s:b, s:o}", "new", is_new,
							   "blocks", blocks)) != 0)
			return error_oom(err);
	return !error_is_set(err);
}

static json_t *draw_stream(const json_t *data, struct error *err)
{
	const struct slack_markdown how = {
		.heading = json_get_string(data, "heading"),
		.hosts = json_object_get(data, "hosts"),
		.people = json_object_get(data, "people"),
	};
	const char *text = json_get_string(data, "text");
	const size_t length = text ? strlen(text) : 0, step = number(data, "step", 1);
	_cleanup_(slack_stream_freep) struct slack_stream *s = slack_stream_new(&how);
	json_auto_t *steps = json_array();
	json_auto_t *messages = NULL;

	for (size_t at = 0; at < length; at += step)
		if (!slack_stream_add(s, text + at,
				      step < length - at ? step : length - at, err) ||
		    !add_steps(s, steps, err))
			return NULL;
	if (!slack_stream_end(s, err) || !add_steps(s, steps, err))
		return NULL;
	messages = slack_stream_messages(s, err);
	return messages ? json_pack("{s:O, s:O}", "steps", steps, "messages", messages)
			: NULL;
}

static struct slack_result_view result_view(const json_t *data)
{
	return (struct slack_result_view){ .id = json_get_string(data, "id"),
					   .people = json_object_get(data, "people"),
					   .hosts = json_object_get(data, "hosts") };
}

static json_t *draw_result(const json_t *data, struct error *err)
{
	const struct slack_result_view view = result_view(data);
	struct slack_result r;
	json_t *drawn;

	if (!slack_result_draw(json_object_get(data, "record"), &view, &r, err))
		return NULL;
	drawn = json_pack("{s:O, s:I, s:b}", "messages", r.messages, "pages",
			  (json_int_t)r.pages, "as_file", r.as_file);
	slack_result_done(&r);
	return drawn;
}

static json_t *draw_result_page(const json_t *data, struct error *err)
{
	const struct slack_result_view view = result_view(data);
	size_t pages;

	return wrap("view", slack_result_page(json_object_get(data, "record"), &view,
					      number(data, "page", 1), &pages, err));
}

static json_t *draw_result_file(const json_t *data, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char name[SLACK_RESULT_NAME_BYTES];

	if (!slack_result_file(json_object_get(data, "record"), &text, name, err))
		return NULL;
	return json_pack("{s:o, s:s}", "text", json_stringn(text.data, text.length),
			 "name", name);
}

static json_t *draw_progress(const json_t *data, struct error *err)
{
	return wrap("message",
		    slack_result_progress(json_get_string(data, "server"),
					  json_get_string(data, "tool"),
					  json_get_int64(data, "ran_ms", 0), err));
}

static const struct {
	const char *what;
	json_t *(*draw)(const json_t *data, struct error *err);
} rows[] = {
	{ "call", draw_call },
	{ "prompt", draw_prompt },
	{ "prompt_page", draw_prompt_page },
	{ "prompt_why", draw_prompt_why },
	{ "prompt_ended", draw_prompt_ended },
	{ "words", draw_words },
	{ "form", draw_form },
	{ "home", draw_home },
	{ "stranger", draw_stranger },
	{ "docs", draw_docs },
	{ "markdown", draw_markdown },
	{ "stream", draw_stream },
	{ "result", draw_result },
	{ "result_page", draw_result_page },
	{ "result_file", draw_result_file },
	{ "progress", draw_progress },
};

static json_t *draw(const json_t *line, struct error *err)
{
	const char *what = json_get_string(line, "what");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (what && strcmp(what, rows[i].what) == 0)
			return rows[i].draw(json_object_get(line, "data"), err);
	error_set(err, ERR_INVALID_ARGUMENT, "nothing is drawn of '%s'",
		  what ? what : "");
	return NULL;
}

int main(void)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	while ((length = getline(&line, &capacity, stdin)) > 0) {
		struct error err = ERROR_INIT;
		json_auto_t *asked = json_parse(line, (size_t)length, JSON_SYNTAX, &err);
		json_auto_t *drawn = asked ? draw(asked, &err) : NULL;

		if (!drawn)
			drawn = json_pack("{s:s, s:s}", "error", err.message, "code",
					  error_name(err.code));
		if (json_dumpf(drawn, stdout, JSON_COMPACT) != 0 ||
		    putchar('\n') == EOF || fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
