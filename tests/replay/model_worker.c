/* The model as it is in earnest: a provider, wingman-egress and wingman-assistant. */
#include "replay/model.h"

#include <unistd.h>

#include "assistant/config.h"
#include "assistant/host/context.h"
#include "assistant/host/host.h"
#include "assistant/host/outcome.h"
#include "base/file.h"
#include "replay/clock.h"
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
	char *worker, *egress, *log;
	struct conversation conversation;
	/* Of the turn that runs. */
	struct host_turn *turn;
	const json_t *output;
	size_t next; /* of its calls, not yet seen again */
	unsigned strange;
	struct strbuf text;
	enum assistant_code code;
};

/* A program of the suite; this one is in build/tests. */
static char *program(const char *name)
{
	_cleanup_free_ char *folder = program_beside("../bin");

	return folder ? file_join(folder, name) : NULL;
}

/* 'limits': as many calls as a turn may have at all; what is refused is the gate's part. */
static bool read_settings(struct model *m, struct error *err)
{
	const char *url = getenv("REPLAY_PROVIDER");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = statedir_path(m->world->dir, "config/assistant.yaml");

	strbuf_add_format(&text,
			  "provider: openai\nmodel: hostile-1\nurl: '%s'\nkey: "
			  "env:REPLAY_MODEL_KEY\n"
			  "turn: {requests: 20, proposals: %d, text_bytes: %d}\n"
			  "egress: {requests_per_minute: 10000}\n",
			  url ? url : "", ASSISTANT_PROPOSALS_MAX,
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
	strbuf_init(&m->text);
	if (!conversation_init(&m->conversation, "replay", err) ||
	    !read_settings(m, err) || !open_host(m, err)) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	host_turn_free(m->turn);
	host_free(m->host);
	loop_free(m->loop);
	conversation_done(&m->conversation);
	strbuf_done(&m->text);
	free(m->worker);
	free(m->egress);
	free(m->log);
	free(m);
}

/* --- what the worker says --- */

static void on_say(void *context, const char *text, bool final)
{
	struct model *m = context;

	strbuf_add_string(&m->text, text);
	if (!final || m->text.length == 0)
		return;
	m->hooks.said(m->context, m->text.data);
	if (!conversation_add(
		    &m->conversation,
		    json_pack("{s:s, s:s}", "kind", "answered", "text", m->text.data)))
		m->code = ASSISTANT_FAULT;
	strbuf_clear(&m->text);
}

static const json_t *call_at(const struct model *m, size_t i)
{
	return json_array_get(json_object_get(m->output, "tool_calls"), i);
}

/* The record's calls come in their order; what is missing before this one was dropped. A
 * call that the record does not have is proposed too, under a name of ours. New. */
static json_t *said_call(struct model *m, const json_t *came)
{
	const char *tool = json_get_string(came, "tool");
	json_t *call = NULL;
	char id[32];
	size_t at = m->next;

	while (call_at(m, at) &&
	       strcmp(json_get_string(call_at(m, at), "name") ?: "", tool) != 0)
		at++;
	if (call_at(m, at)) {
		for (; m->next < at; m->next++)
			m->hooks.dropped(m->context, call_at(m, m->next));
		call = json_copy((json_t *)(uintptr_t)call_at(m, m->next++));
		(void)json_object_del(call, "arguments_raw");
		(void)json_object_del(call, "arguments");
	} else {
		(void)snprintf(id, sizeof id, "worker-%u", m->strange++);
		call = json_pack("{s:s, s:s}", "id", id, "name", tool);
	}
	(void)json_object_set(call, "arguments", json_object_get(came, "arguments"));
	return call;
}

static void on_propose(void *context, int64_t proposal, const json_t *calls,
		       bool together)
{
	struct model *m = context;
	json_auto_t *results = json_array();
	size_t i;
	json_t *came;

	whole_sources(m->world, conversation_pieces(&m->conversation, m->person, NULL));
	json_array_foreach(calls, i, came)
	{
		char approval[RECORD_ID_BYTES] = "";
		json_auto_t *call = said_call(m, came);
		json_auto_t *result = m->hooks.called(m->context, call, approval);
		json_t *entry = json_pack("{s:s, s:[O], s:b, s:O, s:s}", "kind",
					  "proposed", "calls", came, "together", 0,
					  "results", result, "approval", approval);

		if (!entry || !conversation_add(&m->conversation, entry))
			m->code = ASSISTANT_FAULT;
		(void)json_array_extend(results, result);
	}
	(void)together;
	host_turn_result(m->turn, proposal, TAKE(results));
}

/* Nothing is freed here. */
static void on_read(void *context, int64_t read, const char *uri, const char *pattern,
		    const json_t *values)
{
	struct model *m = context;

	(void)uri, (void)pattern, (void)values;
	host_turn_content(m->turn, read, NULL, NULL, false, error_name(ERR_NOT_FOUND));
}

static void on_ended(void *context, enum assistant_code code, const char *why)
{
	struct model *m = context;

	(void)why;
	if (m->code == ASSISTANT_OK)
		m->code = code;
	on_say(m, "", true);
	loop_stop(m->loop);
}

static const struct host_hooks turn_hooks = { on_say, on_propose, on_read, on_ended };

/* --- turns --- */

/* What became of what was proposed before, as the model is told it. */
static void refresh_results(struct model *m)
{
	size_t i;
	json_t *entry;

	json_array_foreach(m->conversation.entries, i, entry)
	{
		const char *approval = json_get_string(entry, "approval");
		json_auto_t *record = approval ? world_record(m->world, approval) : NULL;

		if (record)
			(void)json_object_set_new(entry, "results",
						  outcome_of_record(record, NULL, 1));
	}
}

/* As the gate lists them. */
static json_t *listed(const struct world *w)
{
	json_t *all = json_array(), *tools;
	const char *server;

	json_object_foreach(w->listed, server, tools)
	{
		(void)json_array_append_new(
			all, json_pack("{s:s, s:O}", "name", server, "tools", tools));
	}
	return all;
}

static json_t *message(struct model *m, const char *words, struct error *err)
{
	json_auto_t *tools = listed(m->world);
	const struct context_input in = {
		.conversation = &m->conversation,
		.asker = m->person,
		.tools = tools,
		.limits = &m->settings.turn,
		.now_ms = replay_clock_ms(),
	};

	refresh_results(m);
	if (!conversation_said(&m->conversation, m->person, m->person,
			       whole_turn_id(m->world), words, replay_clock_ms())) {
		error_oom(err);
		return NULL;
	}
	return context_build(&in, err);
}

static void drop_rest(struct model *m)
{
	for (; call_at(m, m->next); m->next++)
		m->hooks.dropped(m->context, call_at(m, m->next));
}

/* A name of the record that means a tool on the wire alone is put before the gate as it
 * is: the worker would not have said it. */
static bool speak_directly(struct model *m, const json_t *output)
{
	const json_t *text = json_object_get(output, "text");
	char approval[RECORD_ID_BYTES];
	size_t i;
	json_t *call;

	if (json_is_string(text) && json_string_length(text) > 0)
		m->hooks.said(m->context, json_string_value(text));
	json_array_foreach(json_object_get(output, "tool_calls"), i, call)
	{
		json_decref(m->hooks.called(m->context, call, approval));
	}
	return true;
}

bool model_speak(struct model *m, const json_t *output, struct error *err)
{
	const char *words = json_get_string(output, "marker");
	struct error unheard = ERROR_INIT;
	json_t *turn;

	if (!words)
		return speak_directly(m, output);
	m->output = output;
	m->next = 0;
	m->code = ASSISTANT_OK;
	/* Whom the gate does not hear no model answers. */
	if (!whole_turn(m->world, m->requester, m->channel, words, &unheard)) {
		drop_rest(m);
		return true;
	}
	turn = message(m, words, err);
	m->turn = turn ? host_turn_new(m->host, m->person, turn, &turn_hooks, m, err)
		       : NULL;
	if (!m->turn || !loop_run(m->loop, err))
		return false;
	host_turn_free(m->turn);
	m->turn = NULL;
	drop_rest(m);
	switch (m->code) {
	case ASSISTANT_MODEL_DOWN:
	case ASSISTANT_MODEL_BUSY:
	case ASSISTANT_MODEL_REFUSED:
	case ASSISTANT_MODEL_UNPAID:
	case ASSISTANT_NOT_ALLOWED:
	case ASSISTANT_BUDGET_SPENT:
	case ASSISTANT_BUDGET_UNKNOWN:
	case ASSISTANT_FAULT:
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "no model was heard: %s",
				 assistant_code_name(m->code));
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
