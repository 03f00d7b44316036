/* What the model wants, made into proposals and reads; and what became of it. */
#include "assistant/worker/turn_private.h"

#include <string.h>

#include "assistant/worker/clean.h"

void turn_calls_clear(struct turn *t)
{
	for (size_t i = 0; i < t->call_count; i++) {
		json_decref(t->calls[i].args);
		json_decref(t->calls[i].calls);
		strbuf_done(&t->calls[i].text);
	}
	t->call_count = 0;
}

bool turn_calls_ready(const struct turn *t)
{
	for (size_t i = 0; i < t->call_count; i++)
		if (!t->calls[i].is_answered)
			return false;
	return true;
}

/* The model gets this at once; nobody else hears of the call. */
static void answer_self(struct call *c, const char *why)
{
	c->wish = WISH_NONE;
	c->is_answered = c->is_error = true;
	strbuf_add_string(&c->text, why);
}

/* ---- what it wants ---- */

/* Arguments as what may be proposed, parsed once. */
static void parse_args(struct call *c, const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (text->length == 0) { /* some say nothing for "no arguments" */
		c->args = json_object();
		return;
	}
	if (text->length > TURN_ARGUMENTS_MAX) {
		answer_self(c, "invalid: the arguments are too long");
		c->args = json_object();
		return;
	}
	c->args = json_parse(text->data, text->length, JSON_CONTRACT, &err);
	if (c->args && !json_is_object(c->args)) {
		json_decref(c->args);
		c->args = NULL;
		error_set(&err, ERR_INVALID_ARGUMENT, "they are no object");
	}
	if (c->args && chat_depth(c->args) > TURN_DEPTH_MAX) {
		json_decref(c->args);
		c->args = NULL;
		error_set(&err, ERR_INVALID_ARGUMENT, "they are nested too deep");
	}
	if (c->args)
		return;
	strbuf_add_format(&why, "invalid: the arguments cannot be read: %s", err.message);
	answer_self(c, why.data);
	c->args = json_object(); /* what goes back must be an object */
}

static void want_together(const struct turn *t, struct call *c)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	const json_t *calls = json_object_get(c->args, "calls"), *one;
	json_auto_t *list = json_array();
	size_t i;

	if (!list || json_object_size(c->args) != 1 ||
	    !assistant_calls_check(calls, true, &err)) {
		strbuf_add_format(&why,
				  "invalid: 'calls' must have two to %d entries "
				  "{tool, arguments}: %s",
				  ASSISTANT_CALLS_MAX, err.message);
		answer_self(c, why.data);
		return;
	}
	json_array_foreach((json_t *)(uintptr_t)calls, i, one)
	{
		const char *tool = names_real(t->names, json_get_string(one, "tool"));

		if (!append(list, json_pack("{s:s, s:O}", "tool", tool, "arguments",
					    json_object_get(one, "arguments")))) {
			answer_self(c, "failed: out of memory");
			return;
		}
	}
	c->wish = WISH_TOGETHER;
	c->calls = json_incref(list);
}

static void want_proposal(const struct turn *t, struct call *c)
{
	const char *tool = names_real(t->names, c->name);

	if (!*tool || strlen(tool) > ASSISTANT_NAME_MAX) {
		answer_self(c, "invalid: there is no such tool");
		return;
	}
	c->calls = json_pack("[{s:s, s:O}]", "tool", tool, "arguments", c->args);
	if (!c->calls)
		answer_self(c, "failed: out of memory");
	else
		c->wish = WISH_PROPOSAL;
}

static void want_read(struct call *c)
{
	const char *uri = json_get_string(c->args, "uri");

	if (!uri || !*uri || json_object_size(c->args) != 1 ||
	    strlen(uri) > ASSISTANT_URI_MAX)
		answer_self(c, "invalid: the one argument is 'uri', a text");
	else
		c->wish = WISH_READ;
}

static void want_search(struct call *c)
{
	struct error err = ERROR_INIT;
	json_auto_t *message = json_pack("{s:s, s:i, s:O*, s:O*}", "m", "read", "read", 1,
					 "template", json_object_get(c->args, "template"),
					 "values", json_object_get(c->args, "values"));
	struct assistant_fields f;

	/* what the surface would refuse is the model's mistake here */
	if (json_object_size(c->args) != 2 || !message ||
	    !assistant_fields_decode(ASSISTANT_AT_SURFACE_OF_WORKER, message, &f, &err))
		answer_self(c, "invalid: the arguments are 'template', a text, and "
			       "'values', an object of texts");
	else
		c->wish = WISH_READ;
}

static void read_wish(const struct turn *t, struct call *c)
{
	if (strcmp(c->name, NAMES_TOGETHER) == 0)
		want_together(t, c);
	else if (strcmp(c->name, NAMES_READ) == 0)
		want_read(c);
	else if (strcmp(c->name, NAMES_SEARCH) == 0)
		want_search(c);
	else
		want_proposal(t, c);
}

static void keep_limits(struct turn *t, struct call *c)
{
	bool reads = c->wish == WISH_READ;
	int64_t *count = reads ? &t->reads : &t->proposals;

	if (c->wish == WISH_NONE)
		return;
	if (*count >= (reads ? t->limits.reads : t->limits.proposals)) {
		answer_self(c,
			    reads ? "refused: nothing more is read in this turn; answer "
				    "with what you have"
				  : "refused: no more proposals in this turn; tell the "
				    "person what is left to do");
		return;
	}
	c->number = ++*count;
}

static json_t *wish_message(const struct call *c)
{
	const json_t *uri = json_object_get(c->args, "uri");

	if (c->wish != WISH_READ)
		return json_pack("{s:s, s:I, s:O, s:b}", "m", "propose", "proposal",
				 (json_int_t)c->number, "calls", c->calls, "together",
				 c->wish == WISH_TOGETHER);
	if (uri)
		return json_pack("{s:s, s:I, s:O}", "m", "read", "read",
				 (json_int_t)c->number, "uri", uri);
	return json_pack("{s:s, s:I, s:O, s:O}", "m", "read", "read",
			 (json_int_t)c->number, "template",
			 json_object_get(c->args, "template"), "values",
			 json_object_get(c->args, "values"));
}

static bool take_call(struct turn *t, const struct answer_block *b, struct error *err)
{
	struct call *c = &t->calls[t->call_count];

	*c = (struct call){ .wish = WISH_NONE };
	strbuf_init(&c->text);
	/* Ours, whatever the model wrote: the one that the record of the next turn has. */
	conversation_call_id(++t->past, c->id);
	(void)snprintf(c->name, sizeof c->name, "%s", b->name);
	parse_args(c, &b->text);
	t->call_count++;
	if (!c->args)
		return error_oom(err);
	if (c->is_answered)
		return true;
	if (t->call_count > TURN_CALLS_MAX / 2)
		answer_self(c, "refused: too many calls at once");
	else
		read_wish(t, c);
	keep_limits(t, c);
	return c->wish == WISH_NONE || turn_say(t, wish_message(c), err);
}

bool turn_calls_begin(struct turn *t, struct error *err)
{
	for (size_t i = 0; i < t->answer.count; i++) {
		const struct answer_block *b = &t->answer.blocks[i];

		if (b->kind != ANSWER_CALL)
			continue;
		if (t->call_count >= TURN_CALLS_MAX)
			break; /* not recorded either: as if it had not been said */
		if (!take_call(t, b, err))
			return false;
	}
	return true;
}

/* ---- what became of it ---- */

static struct call *find(struct turn *t, bool read, int64_t number)
{
	for (size_t i = 0; i < t->call_count; i++) {
		struct call *c = &t->calls[i];

		if (!c->is_answered && c->wish != WISH_NONE &&
		    (c->wish == WISH_READ) == read && c->number == number)
			return c;
	}
	return NULL;
}

bool turn_calls_result(struct turn *t, const struct assistant_fields *f,
		       struct error *err)
{
	struct call *c = find(t, false, f->proposal);
	const json_t *one;
	size_t i;

	if (!c || json_array_size(f->results) != json_array_size(c->calls))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "results that answer no proposal");
	json_array_foreach(f->results, i, one)
	{
		char name[NAMES_MAX_BYTES + 1];
		bool failed = false;

		names_model(t->names,
			    json_get_string(json_array_get(c->calls, i), "tool"), name);
		if (i > 0)
			strbuf_add_char(&c->text, '\n');
		if (!conversation_result(one, name, &c->text, &failed, err))
			return false;
		c->is_error = c->is_error || failed;
	}
	c->is_answered = true;
	return true;
}

bool turn_calls_content(struct turn *t, const struct assistant_fields *f,
			struct error *err)
{
	struct call *c = find(t, true, f->read);

	if (!c)
		return error_set(err, ERR_INVALID_ARGUMENT, "content that nobody wanted");
	if (f->code)
		strbuf_add_format(&c->text, "not read: %s", f->code);
	else
		fence(&c->text, f->label, f->text, strlen(f->text), f->cut);
	c->is_error = f->code != NULL;
	c->is_answered = true;
	return strbuf_ok(&c->text) || error_oom(err);
}

/* ---- the record ---- */

static bool record_block(struct turn *t, const struct answer_block *b, size_t *ret_call,
			 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *part = NULL;

	if (b->kind == ANSWER_CALL) {
		if (*ret_call >= t->call_count)
			return true;
		const struct call *c = &t->calls[(*ret_call)++];
		char name[NAMES_MAX_BYTES + 1];

		/* a name that no provider takes back would end the conversation */
		names_model(t->names, names_real(t->names, c->name), name);
		if (strcmp(c->name, NAMES_TOGETHER) == 0 ||
		    strcmp(c->name, NAMES_READ) == 0 ||
		    strcmp(c->name, NAMES_SEARCH) == 0)
			(void)snprintf(name, sizeof name, "%s", c->name);
		part = json_pack("{s:s, s:s, s:O}", "call", c->id, "name",
				 *name ? name : "unnamed", "args", c->args);
	} else if (b->kind == ANSWER_KEPT) {
		/* it began after the end; or is nothing that a provider would send */
		if (!b->kept || chat_depth(b->kept) > TURN_DEPTH_MAX)
			return true;
		part = json_pack("{s:O}", "kept", b->kept);
	} else {
		clean_text(&text, b->text.data, b->text.length);
		if (text.length == 0)
			return true;
		part = conversation_text_part(&text);
	}
	return conversation_add(t->messages, "assistant", part) || error_oom(err);
}

bool turn_calls_record(struct turn *t, struct error *err)
{
	size_t at = 0;

	for (size_t i = 0; i < t->answer.count; i++)
		if (!record_block(t, &t->answer.blocks[i], &at, err))
			return false;
	for (size_t i = 0; i < t->call_count; i++) {
		const struct call *c = &t->calls[i];

		if (!conversation_add(
			    t->messages, "user",
			    conversation_result_part(c->id, &c->text, c->is_error)))
			return error_oom(err);
	}
	return true;
}
