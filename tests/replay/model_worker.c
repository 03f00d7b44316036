/* The model as it is in earnest: a provider, wingman-egress and wingman-assistant. */
#include "replay/model.h"

#include <unistd.h>

#include "assistant/config.h"
#include "assistant/host/talk.h"
#include "base/file.h"
#include "replay/programs.h"
#include "replay/whole.h"

struct model {
	struct world *world;
	const char *requester, *channel;
	const char *person; /* who that is */
	struct model_hooks hooks;
	void *context;
	struct assistant_settings settings;
	struct loop *loop;
	struct host *host;
	struct talk *talk;
	char *worker, *egress, *log;
	json_t *approvals; /* that came of what it proposed */
	json_t *read;
	struct strbuf text; /* of the answer that is being given */
	/* Of the turn that runs. */
	json_t *calls; /* of the record, in the order in which they are said; borrowed */
	size_t next;   /* of them, not yet seen again */
	unsigned strange;
	enum assistant_code code;
};

/* A program of the suite; this one is in build/tests. */
static char *program(const char *name)
{
	_cleanup_free_ char *folder = file_beside_program("../bin");

	return folder ? file_join(folder, name) : NULL;
}

/* 'limits': as many calls as a turn may have at all; what is refused is the gate's part. */
static bool read_settings(struct model *m, struct error *err)
{
	const char *url = getenv("REPLAY_PROVIDER");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = statedir_path(m->world->dir, "config/assistant.yaml");

	strbuf_add_format(
		&text,
		"provider: openai\nmodel: hostile-1\nurl: '%s'\nkey: "
		"env:REPLAY_MODEL_KEY\n"
		"turn: {requests: 20, proposals: %d, reads: %d, text_bytes: %d}\n"
		"egress: {requests_per_minute: 10000}\n",
		url ? url : "", ASSISTANT_PROPOSALS_MAX, ASSISTANT_READS_MAX,
		ASSISTANT_TURN_TEXT_MAX);
	return path && file_write(path, text.data, text.length, 0600, err) &&
	       assistant_config_parse("assistant.yaml", text.data, text.length,
				      &m->settings, err);
}

static bool open_host(struct model *m, struct error *err)
{
	m->worker = program("wingman-assistant");
	m->egress = program("wingman-egress");
	m->log = statedir_path(m->world->dir, "run/assistant.log");
	m->loop = loop_new(err);
	if (!m->loop || !m->worker || !m->egress || !m->log)
		return error_oom(err);
	const struct host_options o = {
		.loop = m->loop,
		.settings = &m->settings,
		.worker = m->worker,
		.egress = m->egress,
		.dir = m->world->root,
		.log_path = m->log,
	};
	m->host = host_new(&o, err);
	return m->host != NULL;
}

/* --- what the assistant says --- */

static void on_say(void *context, const char *text, bool final)
{
	struct model *m = context;

	strbuf_add_string(&m->text, text);
	if (!final || m->text.length == 0)
		return;
	m->hooks.said(m->context, m->text.data);
	strbuf_clear(&m->text);
}

/* --- what it proposes --- */

/* Arguments of the record as the worker may have read them; new, NULL: as nothing. */
static json_t *arguments_of(const json_t *call)
{
	const json_t *raw = json_object_get(call, "arguments_raw");
	struct error ignored = ERROR_INIT;

	if (!raw)
		return json_incref(json_object_get(call, "arguments"));
	if (json_string_length(raw) == 0)
		return json_object();
	return json_parse(json_string_value(raw), json_string_length(raw), JSON_CONTRACT,
			  &ignored);
}

/* 'came' is {tool, arguments}, or {calls} of several for one decision. */
static bool is_same(const json_t *call, const json_t *came)
{
	const json_t *name = json_object_get(call, "name");
	const json_t *tool = json_object_get(came, "tool");
	json_auto_t *arguments = arguments_of(call);

	if (!tool)
		return json_is_string(name) &&
		       strcmp(json_string_value(name), MODEL_TOGETHER) == 0 &&
		       json_equal(json_object_get(arguments, "calls"),
				  json_object_get(came, "calls"));
	return json_equal(name, tool) &&
	       json_equal(arguments, json_object_get(came, "arguments"));
}

/* The record's calls come in their order; what is missing before this one was dropped. A
 * call that the record does not have is proposed too, under a name of ours. New. */
static json_t *said_call(struct model *m, const json_t *came)
{
	json_t *call, *calls = json_object_get(came, "calls");
	size_t at = m->next;
	char id[32];

	while (at < json_array_size(m->calls) &&
	       !is_same(json_array_get(m->calls, at), came))
		at++;
	if (at < json_array_size(m->calls)) {
		for (; m->next < at; m->next++)
			m->hooks.dropped(m->context, json_array_get(m->calls, m->next));
		call = json_copy(json_array_get(m->calls, m->next++));
		(void)json_object_del(call, "arguments_raw");
		(void)json_object_del(call, "arguments");
	} else {
		(void)snprintf(id, sizeof id, "worker-%u", m->strange++);
		call = json_pack("{s:s}", "id", id);
	}
	if (calls)
		(void)json_object_set(call, "calls", calls);
	else {
		(void)json_object_set(call, "name", json_object_get(came, "tool"));
		(void)json_object_set(call, "arguments",
				      json_object_get(came, "arguments"));
	}
	return call;
}

static void tell_record(struct model *m, const char *approval, bool in_turn)
{
	json_auto_t *shown = whole_show(m->world, approval);
	const json_t *record = json_object_get(shown, "record");

	if (!record)
		return;
	if (in_turn)
		talk_record(m->talk, approval, record, json_object_get(shown, "parts"));
	else
		talk_note_record(m->talk, approval, record,
				 json_object_get(shown, "parts"));
}

static void on_propose(void *context, int64_t number, json_t *members)
{
	struct model *m = context;
	json_auto_t *came = members;
	json_auto_t *call = said_call(m, came);
	char approval[RECORD_ID_BYTES] = "";
	struct error err = ERROR_INIT;

	whole_sources(m->world, json_incref(json_object_get(came, "sources")));
	m->hooks.called(m->context, call, approval, &err);
	if (!approval[0]) {
		if (!error_is_set(&err))
			error_set(&err, ERR_INTERNAL, "the gate named no approval");
		talk_proposed(m->talk, number, NULL, &err);
		return;
	}
	(void)json_array_append_new(m->approvals, json_string(approval));
	talk_proposed(m->talk, number, approval, NULL);
	tell_record(m, approval, true);
}

/* --- what it reads --- */

static void on_read(void *context, int64_t number, const char *uri)
{
	struct model *m = context;
	struct error err = ERROR_INIT;
	json_auto_t *reply = whole_ask(
		m->world, message_name(MSG_CONTEXT),
		json_pack("{s:s, s:s}", "uri", uri, "turn", whole_turn_id(m->world)),
		&err);
	const char *text = json_get_string(reply, "text");

	if (!text) {
		talk_content(m->talk, number, NULL, uri, NULL, false, &err);
		return;
	}
	(void)json_array_append_new(m->read, json_string(uri));
	talk_content(m->talk, number, json_get_string(reply, "read"),
		     json_get_string(reply, "label"), text,
		     json_is_true(json_object_get(reply, "cut")), NULL);
}

static void on_ended(void *context, enum assistant_code code, const char *words)
{
	struct model *m = context;

	(void)words;
	m->code = code;
	on_say(m, "", true);
	loop_stop(m->loop);
}

/* --- life --- */

static bool open_talk(struct model *m, struct error *err)
{
	static const struct talk_hooks hooks = { on_say, on_propose, on_read, on_ended };
	const struct talk_options o = { .host = m->host, .settings = &m->settings };

	m->talk = talk_new(&o, "replay", NULL, &hooks, m, err);
	return m->talk != NULL;
}

struct model *model_new(struct world *w, const char *requester, const char *channel,
			const struct model_hooks *hooks, void *context, struct error *err)
{
	struct model *m = calloc(1, sizeof *m);
	const struct toolset_person *who = toolset_find(w->tools, requester);

	if (!m) {
		error_oom(err);
		return NULL;
	}
	m->world = w;
	m->requester = requester ? requester : "U0NOBODY";
	m->channel = channel;
	m->person = who ? who->principal : "nobody";
	m->hooks = *hooks;
	m->context = context;
	m->approvals = json_array();
	m->read = json_array();
	strbuf_init(&m->text);
	if (!read_settings(m, err) || !open_host(m, err) || !open_talk(m, err)) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	talk_free(m->talk);
	host_free(m->host);
	loop_free(m->loop);
	strbuf_done(&m->text);
	json_decref(m->approvals);
	json_decref(m->read);
	free(m->worker);
	free(m->egress);
	free(m->log);
	free(m);
}

const char *model_lacks(const json_t *record)
{
	(void)record;
	return NULL;
}

const json_t *model_read(const struct model *m)
{
	return m->read;
}

/* --- turns --- */

static bool is_among(const json_t *names, const char *server, const char *tool)
{
	char name[160];
	size_t i;
	json_t *one;

	(void)snprintf(name, sizeof name, "%s.%s", server, tool);
	json_array_foreach(names, i, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* As the gate lists them, without those. New. */
static json_t *listed(const struct world *w, const json_t *without)
{
	json_t *all = json_array(), *tools, *one;
	const char *server;
	size_t i;

	json_object_foreach(w->listed, server, tools)
	{
		json_t *some = json_array();

		json_array_foreach(tools, i, one)
		{
			if (!is_among(without, server, json_get_string(one, "name")))
				(void)json_array_append(some, one);
		}
		(void)json_array_append_new(
			all, json_pack("{s:s, s:o}", "name", server, "tools", some));
	}
	return all;
}

/* What there is to call and to read, and what became of what was proposed before. */
static void set_up(struct model *m, const json_t *without)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *reply = whole_ask(m->world, message_name(MSG_TOOLS), NULL, &ignored);
	json_auto_t *sources = talk_sources(json_object_get(reply, "context"));
	json_auto_t *tools = listed(m->world, without);
	size_t i;
	json_t *one;

	talk_set_sources(m->talk, sources);
	talk_set_tools(m->talk, tools);
	json_array_foreach(m->approvals, i, one)
	{
		tell_record(m, json_string_value(one), false);
	}
}

static void drop_rest(struct model *m)
{
	for (; m->next < json_array_size(m->calls); m->next++)
		m->hooks.dropped(m->context, json_array_get(m->calls, m->next));
}

static bool was_heard(enum assistant_code code, struct error *err)
{
	switch (code) {
	case ASSISTANT_MODEL_DOWN:
	case ASSISTANT_MODEL_BUSY:
	case ASSISTANT_MODEL_REFUSED:
	case ASSISTANT_MODEL_UNPAID:
	case ASSISTANT_NOT_ALLOWED:
	case ASSISTANT_BUDGET_SPENT:
	case ASSISTANT_BUDGET_UNKNOWN:
	case ASSISTANT_FAULT:
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "no model was heard: %s",
				 assistant_code_name(code));
	case ASSISTANT_OK:
	case ASSISTANT_STOPPED:
	case ASSISTANT_MODEL_BROKEN:
	case ASSISTANT_TOO_LONG:
	case ASSISTANT_LIMIT_TIME:
	case ASSISTANT_LIMIT_REQUESTS:
	case ASSISTANT_LIMIT_TEXT:
	case ASSISTANT_LIMIT_TOKENS:
	case ASSISTANT_CODE_COUNT:
		break;
	}
	return true;
}

/* 'turn' is full.py's: {words, calls, without}. */
static bool speak(struct model *m, const json_t *turn, struct error *err)
{
	const char *words = json_get_string(turn, "words");
	struct error unheard = ERROR_INIT;
	bool ok = true;

	m->calls = json_object_get(turn, "calls");
	m->next = 0;
	m->code = ASSISTANT_OK;
	/* Whom the gate does not hear no model answers. */
	if (whole_turn(m->world, m->requester, m->channel, words, &unheard)) {
		set_up(m, json_object_get(turn, "without"));
		ok = talk_said(m->talk, m->person, m->person, whole_turn_id(m->world),
			       words, err) &&
		     loop_run(m->loop, err) && was_heard(m->code, err);
	}
	drop_rest(m);
	return ok;
}

bool model_speak(struct model *m, const json_t *output, struct error *err)
{
	const json_t *turns = json_object_get(output, "turns");
	size_t i;
	json_t *turn;

	if (!turns)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "no provider can say this output");
	json_array_foreach(turns, i, turn)
	{
		if (!speak(m, turn, err))
			return false;
	}
	return true;
}
