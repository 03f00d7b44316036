#include "replay/world_private.h"

#include "gate/pins_compare.h"
#include "replay/clock.h"

enum {
	TICK_MS = 1000,
	LONG_MS = 1000 * 1000,
	LONG_TICKS = 1000,
	SETTLE_ROUNDS = 50,
	SLACK_UID = 990
};

bool __wrap_channel_send(struct channel *ch, const json_t *message);

/* Whom the keeper speaks to: the caller of the world that is open. */
static struct world *listening;

bool __wrap_channel_send(struct channel *ch, const json_t *message)
{
	(void)ch;
	return listening &&
	       json_array_append_new(listening->sent, json_deep_copy(message)) == 0;
}

/* --- the keeper --- */

/* Each server says at its start where it burns. */
static bool hear_stores(struct world *w, struct error *err)
{
	struct keeper *k = &w->keeper;
	char store[DIGEST_ID_BYTES];

	if (!coord_identity(w->stand.store, store, err))
		return false;
	for (size_t i = 0; i < k->settings->server_count; i++)
		if (!keeper_store_said(k, k->settings->servers[i].name, store, NULL, err))
			return false;
	return true;
}

static bool open_keeper(struct world *w, struct error *err)
{
	struct keeper *k = &w->keeper;
	_cleanup_free_ char *records = statedir_path(w->dir, "gate/records.db");
	_cleanup_free_ char *store = statedir_path(w->dir, "gate/coordination.db");
	_cleanup_free_ char *key = statedir_path(w->dir, "keys/gate.key");

	*k = (struct keeper){ .dir = w->dir };
	w->is_up = true;
	k->caller = (struct channel *)w; /* nobody looks into it: see channel_send */
	k->reader = settings_reader_new(w->dir, err);
	k->settings = k->reader ? settings_read(k->reader, err) : NULL;
	if (!k->settings)
		return false;
	k->policy = TAKE(k->settings->policy);
	k->proposals = limiter_new((unsigned)k->settings->proposals_at_once,
				   (unsigned)k->settings->proposals_per_minute);
	k->refusals = limiter_new(60, 60);
	k->key = sign_key_read(key, err);
	k->documents = k->key ? documents_open_sqlite(records, err) : NULL;
	k->coordination = k->documents ? coord_open_sqlite(store, err) : NULL;
	k->audit = k->coordination ? audit_open(w->dir, "gate", err) : NULL;
	k->pins = k->audit ? pins_open(k->settings, k->documents, err) : NULL;
	return k->pins && keeper_own_open(k, err) &&
	       coord_now_ms(k->coordination, &k->now_ms, err) && hear_stores(w, err) &&
	       keeper_recover(k, err) && keeper_notices_recover(k, err);
}

/* Without a word to anybody, as when it is killed. */
static void close_keeper(struct world *w)
{
	struct keeper *k = &w->keeper;

	if (!w->is_up)
		return;
	w->is_up = false;
	keeper_notices_free(k);
	audit_close(k->audit);
	pins_free(k->pins);
	coord_close(k->coordination);
	documents_close(k->documents);
	for (struct approval *a = k->approvals, *next; a; a = next) {
		next = a->next;
		keeper_approval_free(a);
	}
	if (k->own_tools)
		pin_set_done(k->own_tools);
	free(k->own_tools);
	limiter_free(k->proposals);
	limiter_free(k->refusals);
	sign_key_free(k->key);
	policy_free(k->policy);
	settings_free(k->settings);
	settings_reader_free(k->reader);
	*k = (struct keeper){ .dir = w->dir };
	(void)json_array_clear(w->sent);
}

static bool tell_all(struct world *w, struct error *err)
{
	const char *server;
	json_t *tools;

	json_object_foreach(w->listed, server, tools)
	{
		if (!world_tell_tools(w, server, err))
			return false;
	}
	return true;
}

/* --- answering what it sends --- */

static bool take(struct world *w, const json_t *message, const char *name,
		 struct error *err)
{
	static const struct {
		enum message message;
		bool (*fn)(struct keeper *k, const struct fields *f, struct error *err);
	} answers[] = { { MSG_PLANNED, keeper_on_planned },
			{ MSG_EXECUTED, keeper_on_executed },
			{ MSG_DEFINED, keeper_on_defined } };
	struct fields f;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (message_find(name) == answers[i].message)
			return fields_decode(answers[i].message, message, &f, err) &&
			       keeper_is_sound(&w->keeper, err) &&
			       answers[i].fn(&w->keeper, &f, err);
	return error_set(err, ERR_INTERNAL, "nobody takes '%s'", name);
}

static bool answer(struct world *w, const json_t *message, struct error *err)
{
	const char *name = json_get_string(message, "m");
	json_auto_t *reply = NULL;

	if (strcmp(name, "plan") == 0)
		reply = stand_plan(&w->stand, message);
	else if (strcmp(name, "execute") == 0)
		reply = stand_execute(&w->stand, message);
	else
		return true;
	if (strcmp(name, "execute") == 0 && w->dies) {
		w->dies = false;
		return world_restart(w, err);
	}
	return reply ? take(w, reply, json_get_string(reply, "m"), err) : error_oom(err);
}

/* Until nothing more is said. */
static bool settle(struct world *w, struct error *err)
{
	for (int i = 0; i < SETTLE_ROUNDS && json_array_size(w->sent) > 0; i++) {
		json_auto_t *message = json_incref(json_array_get(w->sent, 0));

		(void)json_array_remove(w->sent, 0);
		if (!answer(w, message, err))
			return false;
	}
	return true;
}

bool world_tell_tools(struct world *w, const char *server, struct error *err)
{
	json_auto_t *message = json_pack("{s:s, s:s, s:b, s:O}", "m", "defined", "server",
					 server, "up", 1, "tools",
					 json_object_get(w->listed, server));

	return message ? take(w, message, "defined", err) && settle(w, err)
		       : error_oom(err);
}

bool world_restart(struct world *w, struct error *err)
{
	close_keeper(w);
	return open_keeper(w, err) && tell_all(w, err);
}

/* --- opening --- */

bool world_open(struct world *w, struct toolset *tools, int64_t ttl_s, struct error *err)
{
	*w = (struct world){ .tools = tools,
			     .ttl_s = ttl_s,
			     .listed = json_deep_copy(tools->servers),
			     .approvers = json_array(),
			     .slack_uid = SLACK_UID,
			     .sent = json_array() };
	listening = w;
	for (size_t i = 0; i < tools->people_count; i++)
		if (tools->people[i].may_approve)
			(void)json_array_append_new(
				w->approvers, json_string(tools->people[i].principal));
	return world_make_folder(w, err) && world_write_config(w, err) &&
	       world_pin(w, err) && stand_open(&w->stand, w->dir, tools->servers, err) &&
	       open_keeper(w, err) && tell_all(w, err);
}

void world_close(struct world *w)
{
	close_keeper(w);
	stand_close(&w->stand);
	statedir_free(w->dir);
	json_decref(w->listed);
	json_decref(w->approvers);
	json_decref(w->sent);
	listening = NULL;
	world_remove_folder(w);
}

/* --- Slack --- */

json_t *world_slack(struct world *w, enum message m, json_t *members, struct error *err)
{
	static const struct {
		enum message message;
		json_t *(*fn)(struct keeper *k, struct peer *p, const struct fields *f,
			      struct error *err);
	} messages[] = { { MSG_SLACK_TURN, keeper_on_slack_turn },
			 { MSG_SLACK_PROPOSE, keeper_on_slack_propose },
			 { MSG_SLACK_POSTED, keeper_on_slack_posted },
			 { MSG_SLACK_CLICK, keeper_on_slack_click } };
	struct peer peer = { .keeper = &w->keeper, .uid = SLACK_UID, .is_slack = true };
	json_auto_t *message = json_copy(members);
	json_auto_t *reply = NULL;
	struct fields f;

	if (!message || json_object_set_new(message, "m", json_string(message_name(m))) ||
	    json_object_set_new(message, "id", json_integer(1))) {
		error_oom(err);
		return NULL;
	}
	if (!fields_decode(m, message, &f, err) || !keeper_is_sound(&w->keeper, err))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		if (messages[i].message == m)
			reply = messages[i].fn(&w->keeper, &peer, &f, err);
	return reply && settle(w, err) ? TAKE(reply) : NULL;
}

/* Somebody mentions us in the one thread there is; each time in other words. */
static json_t *mention(struct world *w, int uid, const char *channel, struct error *err)
{
	static unsigned count;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	char user[65] = "U0NOBODY", place[65], timestamp[24], signature[80];

	for (size_t i = 0; i < w->tools->people_count; i++)
		if (w->tools->people[i].uid == uid)
			world_slack_user(w, w->tools->people[i].slack, user);
	world_slack_channel(channel, place);
	strbuf_add_format(&body,
			  "{\"type\":\"event_callback\",\"api_app_id\":\"" WORLD_APP
			  "\",\"team_id\":\"" WORLD_TEAM "\",\"event\":{\"type\":\"%s\","
			  "\"channel_type\":\"%s\",\"user\":\"%s\",\"text\":\"%u\","
			  "\"ts\":\"2.%u\",\"thread_ts\":\"1.1\",\"channel\":\"%s\"}}",
			  place[0] == 'D' ? "message" : "app_mention",
			  place[0] == 'D' ? "im" : "channel", user, count, count, place);
	count++;
	world_sign(WORLD_SECRET, &body, timestamp, signature);
	json_auto_t *said = json_pack("{s:s, s:s, s:s}", "raw", body.data, "timestamp",
				      timestamp, "signature", signature);
	return said ? world_slack(w, MSG_SLACK_TURN, said, err) : NULL;
}

/* 'members' is stolen. */
void world_propose(struct world *w, int uid, const char *conversation, json_t *members,
		   char ret[static RECORD_ID_BYTES], struct error *err)
{
	json_auto_t *said = members;
	json_auto_t *turn = mention(w, uid, conversation, err);
	json_auto_t *reply = NULL;
	const char *id;

	if (turn && said &&
	    json_object_set(said, "turn", json_object_get(turn, "turn")) == 0 &&
	    json_object_set_new(said, "outsiders", json_false()) == 0)
		reply = world_slack(w, MSG_SLACK_PROPOSE, said, err);
	id = json_get_string(reply, "approval");
	(void)snprintf(ret, RECORD_ID_BYTES, "%s", id ? id : "");
}

/* --- what is there --- */

const json_t *world_executed(struct world *w)
{
	return w->stand.executed;
}

bool world_server(struct world *w, const char *server, bool is_up, struct error *err)
{
	(void)err;
	if (is_up)
		(void)json_object_del(w->stand.down, server);
	else
		(void)json_object_set_new(w->stand.down, server, json_true());
	return true;
}

void world_answer(struct world *w, const char *server, const char *text)
{
	(void)w, (void)server, (void)text;
}

json_t *world_record(struct world *w, const char *approval)
{
	struct error ignored = ERROR_INIT;

	return *approval ? keeper_load(&w->keeper, approval, &ignored) : NULL;
}

void world_wait(struct world *w, int64_t ms)
{
	struct error err = ERROR_INIT;

	while (ms > 0) {
		int64_t step = ms < TICK_MS   ? ms
			       : ms > LONG_MS ? ms / LONG_TICKS
					      : TICK_MS;

		replay_clock_advance(step);
		ms -= step;
		keeper_tick(&w->keeper);
		(void)settle(w, &err);
	}
}
