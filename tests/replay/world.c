#include "replay/world.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "gate/pins_compare.h"
#include "replay/clock.h"

enum { TICK_MS = 1000, LONG_MS = 1000 * 1000, LONG_TICKS = 1000, SETTLE_ROUNDS = 50 };

bool __wrap_channel_send(struct channel *ch, const json_t *message);

/* Whom the keeper speaks to: the caller of the world that is open. */
static struct world *listening;

bool __wrap_channel_send(struct channel *ch, const json_t *message)
{
	(void)ch;
	return listening &&
	       json_array_append_new(listening->sent, json_deep_copy(message)) == 0;
}

/* --- files --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

static bool write_file(const struct world *w, const char *name, const struct strbuf *text,
		       struct error *err)
{
	_cleanup_free_ char *path = statedir_path(w->dir, "%s", name);

	if (!path || !strbuf_ok(text))
		return error_oom(err);
	return file_write(path, text->data, text->length, 0600, err);
}

static void add_team(const struct world *w, struct strbuf *sb)
{
	const char *before = "";

	strbuf_add_string(sb, "team: [");
	for (size_t i = 0; i < w->tools->people_count; i++) {
		if (!w->tools->people[i].in_team)
			continue;
		strbuf_add_format(sb, "%s'%s'", before, w->tools->people[i].principal);
		before = ", ";
	}
	strbuf_add_string(sb, "]\n");
}

bool world_write_config(struct world *w, struct error *err)
{
	_cleanup_strbuf_ struct strbuf gate = STRBUF_INIT, policy = STRBUF_INIT;
	const char *server;
	json_t *member;
	size_t i;

	strbuf_add_string(&gate, "persons:\n");
	for (i = 0; i < w->tools->people_count; i++)
		strbuf_add_format(&gate, "  - {id: '%s', slack: ['U0P%zu']}\n",
				  w->tools->people[i].principal, i);
	strbuf_add_string(&gate,
			  "slack: {unix: 990, app: " WORLD_APP ", teams: [" WORLD_TEAM
			  "], signing_secrets: [keys/slack]}\n");
	add_team(w, &gate);
	strbuf_add_string(&gate, "servers:\n");
	json_object_foreach(w->listed, server, member)
	{
		strbuf_add_format(&gate, "  - {name: %s, url: 'http://127.0.0.1:1/%s'}\n",
				  server, server);
	}
	/* The policy's time is in minutes. Nobody left to approve is somebody unknown. */
	strbuf_add_format(&policy,
			  "rules:\n  - {name: replay, needed: 1, four_eyes: %s, "
			  "expires_in: %lldm, approvers: [",
			  w->tools->four_eyes ? "true" : "false",
			  (long long)((w->ttl_s + 59) / 60));
	json_array_foreach(w->approvers, i, member)
	{
		strbuf_add_format(&policy, "%s'%s'", i ? ", " : "",
				  json_string_value(member));
	}
	strbuf_add_string(&policy,
			  json_array_size(w->approvers) ? "]}\n" : "'nobody'] }\n");
	return write_file(w, "config/gate.yaml", &gate, err) &&
	       write_file(w, "config/policy.yaml", &policy, err);
}

/* --- the keeper --- */

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
	       coord_now_ms(k->coordination, &k->now_ms, err) && keeper_recover(k, err) &&
	       keeper_notices_recover(k, err);
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

/* As people accepted them once: whatever servers list later is held against this. */
static bool pin(const struct world *w, struct error *err)
{
	_cleanup_free_ char *records = statedir_path(w->dir, "gate/records.db");
	_cleanup_(documents_closep) struct documents *d =
		documents_open_sqlite(records, err);
	const char *server;
	json_t *tools;
	int64_t revision;

	json_object_foreach(w->listed, server, tools)
	{
		char address[128];

		(void)snprintf(address, sizeof address, "http://127.0.0.1:1/%s", server);
		json_auto_t *body = json_pack("{s:i, s:s, s:s, s:s, s:O, s:s, s:i}", "v",
					      1, "server", server, "instance", server,
					      "address", address, "tools", tools,
					      "approval", "01replay", "pinned_at", 1);
		if (!d || !body ||
		    !documents_put(d, "pins", server, body, DOCUMENT_NEW, &revision, err))
			return false;
	}
	return d != NULL;
}

static bool make_folder(struct world *w, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *gate = NULL, *path = NULL, *trusted = NULL, *secret = NULL;
	_cleanup_(sign_key_freep) struct sign_key *key = NULL;

	(void)snprintf(w->root, sizeof w->root, "%s/wingman-replay-XXXXXX",
		       tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(w->root))
		return error_errno(err, "cannot make a folder");
	w->dir = statedir_new(w->root, err);
	if (!w->dir || !statedir_create(w->dir, err))
		return false;
	gate = statedir_path(w->dir, "gate");
	path = statedir_path(w->dir, "keys/gate.key");
	if (!gate || !path || !file_make_dir(gate, 0700, err))
		return false;
	secret = statedir_path(w->dir, "keys/slack");
	if (!secret || !file_write(secret, WORLD_SECRET, strlen(WORLD_SECRET), 0600, err))
		return false;
	key = sign_key_create(path, err);
	trusted = key ? statedir_path(w->dir, "keys/trusted/%s.pem", sign_key_kid(key))
		      : NULL;
	return trusted && sign_key_write_public(key, trusted, err);
}

bool world_open(struct world *w, struct toolset *tools, int64_t ttl_s, struct error *err)
{
	*w = (struct world){ .tools = tools,
			     .ttl_s = ttl_s,
			     .listed = json_deep_copy(tools->servers),
			     .approvers = json_array(),
			     .sent = json_array() };
	listening = w;
	for (size_t i = 0; i < tools->people_count; i++)
		if (tools->people[i].may_approve)
			(void)json_array_append_new(
				w->approvers, json_string(tools->people[i].principal));
	return make_folder(w, err) && world_write_config(w, err) && pin(w, err) &&
	       stand_open(&w->stand, w->dir, tools->servers, err) &&
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
	if (strstr(w->root, "/wingman-replay-"))
		(void)nftw(w->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- Slack --- */

void world_slack_user(const struct world *w, const char *user, char ret[static 65])
{
	(void)snprintf(ret, 65, "%s", user);
	for (size_t i = 0; i < w->tools->people_count; i++)
		if (strcmp(w->tools->people[i].slack, user) == 0)
			(void)snprintf(ret, 65, "U0P%zu", i);
}

void world_slack_channel(const char *channel, char ret[static 65])
{
	size_t length = strspn(channel, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	(void)snprintf(ret, 65, "%s",
		       strchr("CDG", channel[0]) && length > 2 && length < 31 &&
				       !channel[length]
			       ? channel
			       : "C0REPLAY");
}

void world_sign(const char *key, const struct strbuf *body, char timestamp[static 24],
		char signature[static 80])
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];

	/* Not from before the second in which the gate began. */
	(void)snprintf(timestamp, 24, "%lld",
		       (long long)(replay_clock_ms() + 999) / 1000);
	strbuf_add_format(&base, "v0:%s:", timestamp);
	strbuf_add(&base, body->data, body->length);
	digest_hmac_sha256(key, strlen(key), base.data, base.length, mac);
	memcpy(signature, "v0=", 3);
	digest_hex(mac, sizeof mac, signature + 3);
}

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
	struct peer peer = { .keeper = &w->keeper, .uid = 990, .is_slack = true };
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

void world_propose(struct world *w, int uid, json_t *name, json_t *arguments,
		   const char *conversation, char ret[static RECORD_ID_BYTES],
		   struct error *err)
{
	json_auto_t *turn = mention(w, uid, conversation, err);
	json_auto_t *members = turn ? json_pack("{s:O, s:O, s:O, s:b}", "turn",
						json_object_get(turn, "turn"), "tool",
						name, "arguments", arguments, "outsiders",
						0)
				    : NULL;
	json_auto_t *reply = members ? world_slack(w, MSG_SLACK_PROPOSE, members, err)
				     : NULL;
	const char *id = json_get_string(reply, "approval");

	(void)snprintf(ret, RECORD_ID_BYTES, "%s", id ? id : "");
}

/* --- what is there --- */

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
