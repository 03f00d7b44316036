#include "gate/keeper.h"

#include "gate/keeper_context.h"
#include "gate/keeper_sources.h"

#include "gate/decide.h"
#include "gate/person_pin.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 500, CONVERSATION_MAX = 256, TOOL_NAME_MAX = 256 };

const char *keeper_person(const struct keeper *k, const struct peer *p)
{
	return p->is_slack ? NULL : policy_person_of_uid(k->policy, p->uid);
}

/* --- watching --- */

static json_t *event_json(const struct keeper *k, const struct approval *a)
{
	/* Without memory for it there is no progress: it is only for show. */
	return json_pack("{s:s, s:s, s:s, s:o, s:o*}", "m", message_name(MSG_EVENT),
			 "approval", a->id, "state", record_state_name(a->state),
			 "record", record_public(a->body), "progress",
			 keeper_progress_json(k, a->id));
}

static bool watches(struct peer *p, const char *id, bool forget)
{
	for (size_t i = 0; i < p->watch_count; i++) {
		if (strcmp(p->watched[i], id) != 0)
			continue;
		if (forget) {
			p->watch_count--;
			memmove(p->watched[i], p->watched[p->watch_count],
				sizeof p->watched[i]);
		}
		return true;
	}
	return false;
}

/* Slack hears of all that it draws, asked or not. */
static void announce_in_slack(struct keeper *k, const struct approval *a)
{
	json_auto_t *event = NULL;

	if (!keeper_slack_concerns(k, a->body))
		return;
	for (struct peer *p = k->peers; p; p = p->next) {
		if (!p->is_slack || !p->wants_all)
			continue;
		if (!event)
			event = keeper_slack_json(k, a, true);
		if (event)
			(void)channel_send(p->channel, event);
	}
}

void keeper_announce(struct keeper *k, const struct approval *a)
{
	json_auto_t *event = NULL;

	announce_in_slack(k, a);
	for (struct peer *p = k->peers; p; p = p->next) {
		if (!watches(p, a->id, a->ended) ||
		    !policy_in_team(k->policy, keeper_person(k, p)))
			continue;
		if (!event)
			event = event_json(k, a);
		if (event)
			(void)channel_send(p->channel, event);
	}
	keeper_answer_waiting(k, a);
	/* Whoever watches a decision hears of its calls. */
	if (keeper_is_part(a) && keeper_bundle_of(k, a))
		keeper_announce(k, keeper_bundle_of(k, a));
}

json_t *keeper_on_watch(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err)
{
	json_auto_t *body = keeper_load(k, f->approval, err);
	const struct approval *a = keeper_find(k, f->approval);

	if (!body)
		return NULL;
	if (a && !watches(p, a->id, false)) {
		if (p->watch_count >= KEEPER_WATCHES_MAX) {
			error_set(err, ERR_RATE_LIMITED,
				  "one peer may watch %d approvals at once",
				  KEEPER_WATCHES_MAX);
			return NULL;
		}
		memcpy(p->watched[p->watch_count++], a->id, sizeof a->id);
	}
	return json_pack("{s:O}", "state", json_object_get(body, "state"));
}

/* --- who is there --- */

json_t *keeper_on_hello(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err)
{
	const struct pin_store pins = { k->documents, k->coordination };
	struct error stale = ERROR_INIT, why = ERROR_INIT;
	json_auto_t *reply = NULL;
	const char *person;
	bool has_pin = false;

	if (f->v != MESSAGES_VERSION) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the gate speaks version %d of its messages, you speak %lld",
			  MESSAGES_VERSION, (long long)f->v);
		return NULL;
	}
	/* A conversation begins with who is who now; that nobody knows shows at a decision. */
	(void)keeper_refresh_policy(k, &stale);
	if (f->surface && strcmp(f->surface, "slack") != 0) {
		error_set(err, ERR_INVALID_ARGUMENT, "there is no surface '%.32s'",
			  f->surface);
		return NULL;
	}
	if (f->surface && !keeper_slack_hello(k, p, err))
		return NULL;
	person = keeper_person(k, p);
	if (person && !person_pin_is_set(&pins, person, &has_pin, err))
		return NULL;
	reply = json_pack("{s:i, s:s*, s:b, s:b, s:s}", "v", MESSAGES_VERSION,
			  "principal", person, "team", policy_in_team(k->policy, person),
			  "pin_set", has_pin, "version", WINGMAN_VERSION);
	if (reply && person && !policy_check_team(k->policy, person, &why) &&
	    json_object_set_new(reply, "why", json_string(why.message)) != 0)
		return NULL;
	return TAKE(reply);
}

static json_int_t count_state(const struct keeper *k, enum record_state from,
			      enum record_state to)
{
	json_int_t count = 0;

	for (const struct approval *a = k->approvals; a; a = a->next)
		count += !a->ended && a->state >= from && a->state <= to;
	return count;
}

json_t *keeper_on_status(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err)
{
	char hash[DIGEST_HEX_BYTES];
	int64_t seq = 0, epoch = 0;
	json_t *reply;

	(void)f;
	audit_head(k->audit, &seq, hash);
	if (!coord_epoch_ms(k->coordination, &epoch, err))
		return NULL;
	reply = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:s, s:b}, s:s}",
			  "uptime_s", (json_int_t)((k->now_ms - k->started_ms) / 1000),
			  "pending", count_state(k, RECORD_PROPOSED, RECORD_PENDING),
			  "approved", count_state(k, RECORD_APPROVED, RECORD_APPROVED),
			  "executing", count_state(k, RECORD_GRANTED, RECORD_EXECUTING),
			  "servers", (json_int_t)pins_server_count(k->pins), "epoch",
			  (json_int_t)epoch, "audit", "seq", (json_int_t)seq, "hash",
			  hash, "sound", audit_is_sound(k->audit), "kid",
			  sign_key_kid(k->key));
	if (!reply || json_object_set_new(reply, "stores", keeper_stores_json(k)) != 0 ||
	    (membership_has_door(&k->settings->membership) &&
	     json_object_set_new(reply, "membership",
				 keeper_door_json(k, keeper_person(k, p) != NULL)) !=
		     0)) {
		json_decref(reply);
		error_oom(err);
		return NULL;
	}
	return reply;
}

/* --- reading --- */

json_t *keeper_on_show(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err)
{
	json_auto_t *body = keeper_load(k, f->approval, err);

	if (!body)
		return NULL;
	if (p->is_slack)
		return json_pack("{s:o, s:o, s:o*, s:o*}", "record", record_public(body),
				 "to", keeper_slack_to(k, body), "parts",
				 keeper_bundle_parts_json(k, body), "progress",
				 keeper_progress_json(k, f->approval));
	return json_pack("{s:o, s:o*, s:o*}", "record", record_public(body), "parts",
			 keeper_bundle_parts_json(k, body), "progress",
			 keeper_progress_json(k, f->approval));
}

static bool add_summary(void *context, const struct document *doc)
{
	json_t *list = context;

	return json_array_append_new(list, record_summary(doc->body)) == 0;
}

json_t *keeper_on_list(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err)
{
	const struct documents_filter filters[] = { { "state", f->state },
						    { NULL, NULL } };
	json_auto_t *list = json_array();
	enum record_state state;

	(void)p;
	if (f->state && !record_state_parse(f->state, &state)) {
		error_set(err, ERR_INVALID_ARGUMENT, "there is no state '%.32s'",
			  f->state);
		return NULL;
	}
	if (f->limit < 0 || f->limit > LIST_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "limit must be 1 to %d", LIST_MAX);
		return NULL;
	}
	if (!documents_query(k->documents, "approvals", f->state ? filters : NULL, NULL,
			     true, f->limit ? (size_t)f->limit : LIST_DEFAULT,
			     add_summary, list, err))
		return NULL;
	return json_pack("{s:O}", "records", list);
}

json_t *keeper_on_tools(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err)
{
	json_auto_t *servers = pins_describe(k->pins, f->server);
	json_auto_t *reply = NULL;
	json_t *rights;

	(void)p;
	if (f->server && json_array_size(servers) == 0) {
		error_set(err, ERR_NOT_FOUND, "there is no server '%.64s'", f->server);
		return NULL;
	}
	if (f->as && !keeper_refresh_policy(k, err))
		return NULL;
	rights = f->as ? keeper_rights_json(k, servers, f->as) : NULL;
	reply = json_pack("{s:O, s:o}", "servers", servers, "context",
			  keeper_context_json(k));
	if (!reply || (f->as && json_object_set_new(reply, "rights", rights) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(reply);
}

json_t *keeper_on_pins(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err)
{
	json_auto_t *store = keeper_store_difference(k, f->server);
	struct error unseen = ERROR_INIT;
	json_auto_t *reply = pins_differences(k->pins, f->server, &unseen);

	(void)p;
	/* A server that does not start for its store has not been seen either. */
	if (!reply && store)
		reply = json_pack("{s:[]}", "differences");
	else if (!reply)
		*err = unseen;
	if (reply && store && json_object_set(reply, "store", store) != 0)
		return NULL;
	return TAKE(reply);
}

bool keeper_split_tool(const char *name, char server[static 33], char tool[static 65],
		       struct error *err)
{
	const char *dot = strchr(name, '.');
	size_t length = dot ? (size_t)(dot - name) : 0;

	if (!dot || length == 0 || length > 32 || strlen(dot + 1) > 64 ||
	    dot[1] == '\0') {
		error_set(err, ERR_NOT_FOUND, "there is no tool '%.*s'",
			  TOOL_NAME_MAX / 2, name);
		return error_hint(err, "a tool is named server.tool");
	}
	(void)snprintf(server, 33, "%.*s", (int)length, name);
	(void)snprintf(tool, 65, "%s", dot + 1);
	return true;
}

/* --- proposing --- */

enum { WORDS_FROM_MAX = 16 };

static bool check_words_from(const json_t *persons, struct error *err)
{
	size_t i;
	json_t *one;

	if (json_array_size(persons) > WORDS_FROM_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "words_from names more than %d persons", WORDS_FROM_MAX);
	json_array_foreach(persons, i, one)
	{
		if (!json_is_string(one) || !name_is_principal(json_string_value(one)))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "words_from names persons, as in gate.yaml");
	}
	return true;
}

static json_t *console_surface(const struct peer *p, const struct fields *f,
			       struct error *err)
{
	char client[32];
	json_t *surface;

	(void)snprintf(client, sizeof client, "uid %u", (unsigned)p->uid);
	if (!check_words_from(f->words_from, err))
		return NULL;
	surface = json_pack("{s:s, s:s}", "kind", "console", "client", client);
	if (!json_put_string(surface, "conversation", f->conversation) ||
	    (json_array_size(f->words_from) > 0 &&
	     json_object_set(surface, "words_from", f->words_from) != 0)) {
		json_decref(surface);
		error_oom(err);
		return NULL;
	}
	return surface;
}

/* A person's choice among candidates takes the place of what was first said. */
json_t *keeper_arguments(const struct fields *f, struct error *err)
{
	json_auto_t *arguments = json_copy(f->arguments);

	if (!arguments ||
	    (f->choices && json_object_update(arguments, f->choices) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(arguments);
}

/* Of an assistant's proposal what was said; '*ret' NULL for any other. */
static bool read_sources(struct keeper *k, const char *person, const struct fields *f,
			 struct provenance **ret, struct error *err)
{
	if (f->sources)
		*ret = keeper_sources_console(k, person, f->sources, err);
	return !f->sources || *ret;
}

static json_t *propose(struct keeper *k, struct peer *p, const char *server,
		       const char *tool, const json_t *arguments, const struct fields *f,
		       struct error *err)
{
	_cleanup_(provenance_freep) struct provenance *sources = NULL;
	json_auto_t *surface = console_surface(p, f, err);
	const char *person = keeper_person(k, p);
	const struct approval *a;
	char who[129];

	if (!surface || !person)
		return NULL;
	/* The policy that the name is borrowed from may be read afresh on the way. */
	(void)snprintf(who, sizeof who, "%s", person);
	if (!read_sources(k, who, f, &sources, err))
		return NULL;
	a = keeper_propose(k,
			   &(struct proposal){ .requester = who,
					       .surface = surface,
					       .server = server,
					       .tool = tool,
					       .arguments = arguments,
					       .sources = sources,
					       .model = f->model },
			   err);
	return a ? json_pack("{s:s, s:s}", "approval", a->id, "state",
			     record_state_name(a->state))
		 : NULL;
}

static json_t *propose_several(struct keeper *k, struct peer *p, const struct fields *f,
			       struct error *err)
{
	_cleanup_(provenance_freep) struct provenance *sources = NULL;
	json_auto_t *surface = console_surface(p, f, err);
	const struct approval *a;
	char who[129];

	if (f->tool || f->arguments || f->choices) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a proposal has a tool and its arguments, or several calls");
		return NULL;
	}
	if (!surface)
		return NULL;
	(void)snprintf(who, sizeof who, "%s", keeper_person(k, p));
	if (!read_sources(k, who, f, &sources, err))
		return NULL;
	const struct proposal of = { .requester = who,
				     .surface = surface,
				     .sources = sources,
				     .model = f->model };

	a = keeper_propose_several(k, &of, f->calls, err);
	return a ? json_pack("{s:s, s:s}", "approval", a->id, "state",
			     record_state_name(a->state))
		 : NULL;
}

bool keeper_is_for_gate(const char *server, const char *tool, struct error *err)
{
	if (strcmp(server, "gate") != 0)
		return false;
	error_set(err, ERR_NOT_FOUND, "there is no tool '%.100s'", tool);
	error_hint(err, "what changes the gate itself: wingman pin, wingman keys rotate");
	return true;
}

json_t *keeper_on_propose(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err)
{
	char server[33], tool[65];
	json_auto_t *arguments = NULL;

	if (f->model && !keeper_is_model_name(f->model)) {
		error_set(err, ERR_INVALID_ARGUMENT, "that is no model's name");
		return NULL;
	}
	if (f->conversation && strlen(f->conversation) > CONVERSATION_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a conversation's id has %d bytes at most", CONVERSATION_MAX);
		return NULL;
	}
	if (f->calls)
		return propose_several(k, p, f, err);
	if (!f->tool || !f->arguments) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a proposal has a tool and its arguments, or several calls");
		return NULL;
	}
	if (!keeper_split_tool(f->tool, server, tool, err) ||
	    keeper_is_for_gate(server, f->tool, err))
		return NULL;
	arguments = keeper_arguments(f, err);
	return arguments ? propose(k, p, server, tool, arguments, f, err) : NULL;
}

json_t *keeper_on_propose_gate(struct keeper *k, struct peer *p, const struct fields *f,
			       struct error *err)
{
	return propose(k, p, "gate", f->action, f->arguments, f, err);
}
