/*
 * world.h once more, with processes: wingman-gate (keeper and caller) and a server for each
 * that a record may call, on sockets, with a clock that is moved for all of them at once.
 */
#include "replay/whole.h"

#include <dirent.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "gate/messages.h"
#include "proc/channel.h"
#include "replay/clock.h"
#include "replay/clock_page.h"
#include "replay/programs.h"
#include "replay/whole_context.h"
#include "replay/world_private.h"

enum {
	SERVERS_MAX = 16,
	APPROVALS_MAX = 256,
	/* Real, and never waited for where all is well: what takes longer will not come. */
	REPLY_MS = 120 * 1000,
	UP_MS = 120 * 1000,    /* until the gate sees its servers */
	STILL_MS = 120 * 1000, /* for what is under way */
	SEEN_MS = 3 * 1000,
	HELD_MS = 60 * 1000,
	STUCK_MS = 300,       /* for a call whose server is down: nothing will come */
	LOOKS_MS = 31 * 1000, /* after which the gate looks at servers that are up */
	STEPS_MAX = 12,
	HURRIES = 10,
	HURRY_MS = 100,
	RUNS_MAX = 64 * 1024 * 1024,
};

struct server {
	char name[33];
	unsigned port; /* 0: not yet known */
	struct program program;
};

struct whole {
	struct program gate;
	int fd; /* to the gate, as Slack's process; -1: none */
	int64_t last_id;
	struct server servers[SERVERS_MAX];
	size_t server_count;
	char approvals[APPROVALS_MAX][RECORD_ID_BYTES];
	size_t approval_count;
	char turn[DIGEST_HEX_BYTES]; /* "": each proposal has one of its own */
	json_t *sources;             /* that go with proposals; NULL: none */
	json_t *executed;
	struct strbuf config; /* of the gate, beyond what every world has */
	unsigned said;        /* mentions, so that no two are one */
};

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 3 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

static int64_t real_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- servers --- */

static struct server *find_server(struct whole *all, const char *name)
{
	for (size_t i = 0; i < all->server_count; i++)
		if (strcmp(all->servers[i].name, name) == 0)
			return &all->servers[i];
	return NULL;
}

static bool write_tools(const struct world *w, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	return json_write(&text, w->listed, err) &&
	       world_write_file(w, "tools.json", &text, err);
}

/* What records have to be read, for the servers and in the gate's configuration. */
static bool write_context(struct world *w, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *by_server = whole_context_files(w->tools->resources);

	strbuf_clear(&w->whole->config);
	strbuf_add_string(&w->whole->config, "listen: {address: 127.0.0.1, port: 0}\n");
	whole_context_gate(&w->whole->config, w->tools->resources);
	w->more_config = w->whole->config.data;
	return by_server && json_write(&text, by_server, err) &&
	       strbuf_ok(&w->whole->config) &&
	       world_write_file(w, "resources.json", &text, err);
}

static bool write_server(const struct world *w, const struct server *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char name[64];

	strbuf_add_format(&text, "listen: {address: 127.0.0.1, port: %u}\n", s->port);
	whole_context_server(&text, w->tools->resources, s->name);
	(void)snprintf(name, sizeof name, "config/%s.yaml", s->name);
	return world_write_file(w, name, &text, err);
}

/* On the port it had before. */
static bool begin_server(struct world *w, struct server *s, struct error *err)
{
	_cleanup_free_ char *program = file_beside_program("replay-server");
	_cleanup_free_ char *log = statedir_path(w->dir, "run/%s.log", s->name);
	const char *argv[] = { program, s->name, "--dir", w->root, NULL };

	if (!program || !log)
		return error_oom(err);
	return write_server(w, s, err) && program_begin(&s->program, argv, log, err);
}

static bool await_server(struct world *w, struct server *s, struct error *err)
{
	_cleanup_free_ char *log = statedir_path(w->dir, "run/%s.log", s->name);
	json_auto_t *ready = log ? program_await(&s->program, s->name, log, err) : NULL;
	const char *url = json_get_string(ready, "url");
	const char *colon = url ? strrchr(url, ':') : NULL;

	if (!colon)
		return error_set(err, ERR_INTERNAL, "no ready line");
	s->port = (unsigned)strtoul(colon + 1, NULL, 10);
	return json_object_set_new(w->urls, s->name, json_string(url)) == 0 ||
	       error_oom(err);
}

static bool add_server(struct world *w, const char *name, struct error *err)
{
	struct whole *all = w->whole;
	_cleanup_free_ char *folder = statedir_path(w->dir, "%s", name);
	_cleanup_free_ char *path = statedir_path(w->dir, "%s/state.key", name);
	struct server *s = &all->servers[all->server_count];
	uint8_t key[32];

	if (all->server_count == SERVERS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "too many servers");
	*s = (struct server){ .program = PROGRAM_NONE };
	(void)snprintf(s->name, sizeof s->name, "%s", name);
	digest_random(key, sizeof key);
	if (!folder || !path || !file_make_dir(folder, 0700, err) ||
	    !file_write(path, key, sizeof key, 0600, err))
		return false;
	all->server_count++;
	return begin_server(w, s, err);
}

static bool is_any_down(const struct whole *all)
{
	for (size_t i = 0; i < all->server_count; i++)
		if (all->servers[i].program.pid == 0)
			return true;
	return false;
}

/* --- the gate --- */

/* So that whoever plays the provider can look for it. */
static bool tell_secret(const struct strbuf *secret, struct error *err)
{
	const char *path = getenv("REPLAY_SECRETS");
	FILE *f = path ? fopen(path, "ae") : NULL;
	bool ok = f && fprintf(f, "%s\n", secret->data) > 0;

	if (f && fclose(f) != 0)
		ok = false;
	return !path || ok || error_errno(err, "cannot write '%s'", path);
}

/* The gate's token, as its servers know it. */
static bool write_tokens(const struct world *w, struct error *err)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT, index = STRBUF_INIT;
	uint8_t random[32];
	char digest[DIGEST_HEX_BYTES];

	digest_random(random, sizeof random);
	strbuf_add_string(&token, "wm_");
	digest_base64url(&token, random, sizeof random);
	digest_sha256_hex(token.data, token.length, digest);
	strbuf_add_format(&index,
			  "{\"v\":1,\"tokens\":[{\"id\":\"gate\",\"sha256\":\"%s\","
			  "\"principal\":\"service/gate\",\"client\":\"gate\","
			  "\"scopes\":[\"wingman:gate\"],\"created_at\":1}]}",
			  digest);
	return tell_secret(&token, err) &&
	       world_write_file(w, "tokens/gate.token", &token, err) &&
	       world_write_file(w, "callers/index.json", &index, err);
}

json_t *whole_ask(struct world *w, const char *name, json_t *stolen, struct error *err)
{
	json_auto_t *message = stolen ? stolen : json_object();
	struct whole *all = w->whole;
	int64_t id = ++all->last_id;

	if (!message || json_object_set_new(message, "m", json_string(name)) != 0 ||
	    json_object_set_new(message, "id", json_integer((json_int_t)id)) != 0) {
		error_oom(err);
		return NULL;
	}
	if (!channel_write(all->fd, message, err))
		return NULL;
	for (;;) {
		json_auto_t *reply = channel_read(all->fd, REPLY_MS, err);
		const json_t *error = json_object_get(reply, "error");
		const char *code = json_get_string(error, "code");
		const char *why = json_get_string(error, "message");
		enum error_code number;

		if (!reply)
			return NULL;
		if (strcmp(json_get_string(reply, "m"), "reply") != 0 ||
		    json_get_int64(reply, "id", 0) != id)
			continue;
		if (json_is_true(json_object_get(reply, "ok")))
			return TAKE(reply);
		number = code ? error_from_name(code) : ERR_INTERNAL;
		error_set(err, number == ERR_NONE ? ERR_INTERNAL : number, "%s",
			  why ? why : "?");
		return NULL;
	}
}

/* One turn of the gate's loop with its timers, and another that ends it. */
static void come_round(struct world *w)
{
	struct error ignored = ERROR_INIT;

	json_decref(whole_ask(w, "status", NULL, &ignored));
	json_decref(whole_ask(w, "status", NULL, &ignored));
}

static bool are_up(struct world *w, struct error *err)
{
	json_auto_t *reply = whole_ask(w, "tools", NULL, err);
	size_t i, up = 0;
	json_t *server;

	json_array_foreach(json_object_get(reply, "servers"), i, server)
	{
		up += json_is_true(json_object_get(server, "up"));
	}
	return reply && up >= w->whole->server_count;
}

static bool start_gate(struct world *w, struct error *err)
{
	struct whole *all = w->whole;
	_cleanup_free_ char *program = file_beside_program("wingman-gate-clocked");
	_cleanup_free_ char *log = statedir_path(w->dir, "run/gate.log");
	_cleanup_free_ char *socket = statedir_path(w->dir, "run/gate.sock");
	const char *argv[] = { program, "--dir", w->root, NULL };
	int64_t deadline_ms = real_ms() + UP_MS;
	json_auto_t *ready = NULL, *hello = NULL;

	if (!program || !log || !socket)
		return error_oom(err);
	if (!program_begin(&all->gate, argv, log, err))
		return false;
	ready = program_await(&all->gate, "wingman-gate", log, err);
	if (!ready)
		return false;
	all->fd = channel_connect(socket, err);
	if (all->fd < 0)
		return false;
	hello = whole_ask(
		w, "hello",
		json_pack("{s:i, s:s}", "v", MESSAGES_VERSION, "surface", "slack"), err);
	while (hello && !is_any_down(all) && !are_up(w, err)) {
		if (error_is_set(err) || real_ms() > deadline_ms)
			return error_set(err, ERR_TIMEOUT,
					 "the gate does not see its servers");
		nap();
	}
	return hello != NULL;
}

static void end_gate(struct world *w)
{
	if (w->whole->fd >= 0)
		(void)close(w->whole->fd);
	w->whole->fd = -1;
	program_kill(&w->whole->gate);
}

/* --- what is under way --- */

static bool is_one_of(const char *state, const char *const *states)
{
	for (; state && *states; states++)
		if (strcmp(state, *states) == 0)
			return true;
	return false;
}

/* Of several calls in one decision ('gate' decides them) any of their servers may be. */
static bool is_down(struct whole *all, const char *server)
{
	const struct server *s = server ? find_server(all, server) : NULL;

	return s ? s->program.pid == 0 : is_any_down(all);
}

enum motion { STILL, STUCK, MOVING };

/* What is asked of a server that is down ends at once; what was approved waits for it. */
static enum motion motion_of(struct world *w, const char *approval)
{
	static const char *const asked[] = { "proposed", "planned", NULL };
	static const char *const said_yes_to[] = { "approved", "granted", "executing",
						   NULL };
	json_auto_t *record = world_record(w, approval);
	const char *state = json_get_string(record, "state");

	if (is_one_of(state, asked))
		return MOVING;
	if (!is_one_of(state, said_yes_to))
		return STILL;
	return is_down(w->whole, json_get_string(record, "server")) ? STUCK : MOVING;
}

static enum motion motion(struct world *w)
{
	enum motion most = STILL;

	for (size_t i = 0; i < w->whole->approval_count && most < MOVING; i++) {
		enum motion one = motion_of(w, w->whole->approvals[i]);

		if (one > most)
			most = one;
	}
	return most;
}

/* Until nothing moves any more by itself. */
static void settle(struct world *w)
{
	const int64_t began_ms = real_ms();
	enum motion now;

	/* The first rounds of the gate's timers need not be waited for. */
	for (int i = 0; (now = motion(w)) != STILL &&
			real_ms() - began_ms < (now == STUCK ? STUCK_MS : STILL_MS);
	     i++) {
		if (i < HURRIES)
			replay_clock_hurry(HURRY_MS);
		nap();
	}
}

static void remember(struct whole *all, const char *approval)
{
	if (all->approval_count < APPROVALS_MAX)
		(void)snprintf(all->approvals[all->approval_count++], RECORD_ID_BYTES,
			       "%s", approval);
}

json_t *whole_show(struct world *w, const char *approval)
{
	struct error ignored = ERROR_INIT;

	return *approval ? whole_ask(w, "show", json_pack("{s:s}", "approval", approval),
				     &ignored)
			 : NULL;
}

json_t *world_record(struct world *w, const char *approval)
{
	json_auto_t *reply = whole_show(w, approval);

	return json_incref(json_object_get(reply, "record"));
}

/* --- the process falls once a call has left --- */

static char *in_server(const struct world *w, size_t i, const char *name)
{
	return statedir_path(w->dir, "%s/%s", w->whole->servers[i].name, name);
}

static void hold_all(struct world *w, bool is_on)
{
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < w->whole->server_count; i++) {
		_cleanup_free_ char *path = in_server(w, i, "hold");

		if (path && is_on)
			(void)file_write(path, "", 0, 0600, &err);
		else if (path)
			(void)unlink(path);
	}
}

static bool is_held(const struct world *w)
{
	for (size_t i = 0; i < w->whole->server_count; i++) {
		_cleanup_free_ char *path = in_server(w, i, "held");

		if (path && file_exists(path))
			return true;
	}
	return false;
}

static bool fall(struct world *w, struct error *err)
{
	int64_t until_ms = real_ms() + HELD_MS;
	bool ok = true;

	while (!is_held(w) && motion(w) == MOVING && real_ms() < until_ms)
		nap();
	if (is_held(w)) {
		end_gate(w);
		hold_all(w, false);
		ok = start_gate(w, err);
	}
	hold_all(w, false);
	return ok;
}

/* --- Slack --- */

json_t *world_slack(struct world *w, enum message m, json_t *members, struct error *err)
{
	json_auto_t *reply = NULL;
	bool dies = m == MSG_SLACK_CLICK && w->dies;

	if (dies)
		hold_all(w, true);
	reply = whole_ask(w, message_name(m), json_copy(members), err);
	if (dies && !fall(w, err))
		return NULL;
	if (reply)
		settle(w);
	return TAKE(reply);
}

bool whole_turn(struct world *w, const char *user, const char *channel, const char *text,
		struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	json_auto_t *words = json_string(text);
	_cleanup_free_ char *written = json_dumps(words, JSON_ENCODE_ANY);
	char who[65], place[65], timestamp[24], signature[80];
	struct whole *all = w->whole;
	unsigned n = all->said++;
	json_auto_t *reply = NULL;
	const char *turn;

	all->turn[0] = '\0';
	world_slack_user(w, user, who);
	world_slack_channel(channel, place);
	strbuf_add_format(&body,
			  "{\"type\":\"event_callback\",\"api_app_id\":\"" WORLD_APP
			  "\",\"team_id\":\"" WORLD_TEAM "\",\"event\":{\"type\":\"%s\","
			  "\"channel_type\":\"%s\",\"user\":\"%s\",\"text\":%s,"
			  "\"ts\":\"2.%u\",\"thread_ts\":\"1.1\",\"channel\":\"%s\"}}",
			  place[0] == 'D' ? "message" : "app_mention",
			  place[0] == 'D' ? "im" : "channel", who,
			  written ? written : "\"\"", n, place);
	world_sign(WORLD_SECRET, &body, timestamp, signature);
	reply = world_slack(w, MSG_SLACK_TURN,
			    json_pack("{s:s, s:s, s:s}", "raw", body.data, "timestamp",
				      timestamp, "signature", signature),
			    err);
	turn = json_get_string(reply, "turn");
	if (turn)
		(void)snprintf(all->turn, sizeof all->turn, "%s", turn);
	return turn != NULL;
}

const char *whole_turn_id(const struct world *w)
{
	return w->whole->turn;
}

void whole_sources(struct world *w, json_t *stolen)
{
	json_decref(w->whole->sources);
	w->whole->sources = stolen;
}

static const char *user_of(const struct world *w, int uid)
{
	for (size_t i = 0; i < w->tools->people_count; i++)
		if (w->tools->people[i].uid == uid)
			return w->tools->people[i].slack;
	return "U0NOBODY";
}

/* 'members' is stolen. */
void world_propose(struct world *w, int uid, const char *conversation, json_t *members,
		   char ret[static RECORD_ID_BYTES], struct error *err)
{
	struct whole *all = w->whole;
	json_auto_t *said = members;
	bool has_turn = all->turn[0];
	json_auto_t *reply = NULL;
	const char *id;
	char text[32];

	ret[0] = '\0';
	(void)snprintf(text, sizeof text, "%u", all->said);
	if (!has_turn && !whole_turn(w, user_of(w, uid), conversation, text, err))
		return;
	if (!said || json_object_set_new(said, "turn", json_string(all->turn)) != 0 ||
	    json_object_set_new(said, "outsiders", json_false()) != 0 ||
	    (all->sources && has_turn &&
	     json_object_set(said, "sources", all->sources) != 0)) {
		error_oom(err);
		return;
	}
	reply = whole_ask(w, message_name(MSG_SLACK_PROPOSE), json_incref(said), err);
	id = json_get_string(reply, "approval");
	(void)snprintf(ret, RECORD_ID_BYTES, "%s", id ? id : "");
	if (id) {
		remember(all, id);
		settle(w);
	}
	if (!has_turn)
		all->turn[0] = '\0';
}

/* --- what happens around it --- */

void world_wait(struct world *w, int64_t ms)
{
	int64_t steps = ms / 1000 + 1;

	if (steps > STEPS_MAX)
		steps = STEPS_MAX;
	for (int64_t i = 0; ms > 0 && i < steps; i++) {
		int64_t step = i + 1 < steps ? ms / steps
					     : ms - (steps - 1) * (ms / steps);

		replay_clock_advance(step);
		come_round(w);
		settle(w);
	}
}

bool world_restart(struct world *w, struct error *err)
{
	end_gate(w);
	if (!start_gate(w, err))
		return false;
	come_round(w);
	settle(w);
	return true;
}

bool world_server(struct world *w, const char *server, bool is_up, struct error *err)
{
	struct server *s = find_server(w->whole, server);

	if (!s)
		return true;
	if (is_up && s->program.pid == 0)
		return begin_server(w, s, err) && await_server(w, s, err);
	if (!is_up)
		program_kill(&s->program);
	return true;
}

static bool is_as_pinned(struct world *w, const char *server)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *reply =
		whole_ask(w, "tools", json_pack("{s:s}", "server", server), &ignored);
	const json_t *one = json_array_get(json_object_get(reply, "servers"), 0);

	return !one || json_is_true(json_object_get(one, "pinned"));
}

/* It is another one by now, and the gate looks at it. */
bool world_tell_tools(struct world *w, const char *server, struct error *err)
{
	if (!write_tools(w, err) || !world_server(w, server, false, err) ||
	    !world_server(w, server, true, err))
		return false;
	world_wait(w, LOOKS_MS);
	/* It looks in its own time, and the clock was far ahead of that. */
	for (int64_t until_ms = real_ms() + SEEN_MS;
	     is_as_pinned(w, server) && real_ms() < until_ms;) {
		replay_clock_hurry(HURRY_MS);
		nap();
	}
	return true;
}

void world_answer(struct world *w, const char *server, const char *text)
{
	_cleanup_free_ char *path = statedir_path(w->dir, "%s/answer", server);
	struct error err = ERROR_INIT;

	if (path && find_server(w->whole, server))
		(void)file_write(path, text, strlen(text), 0600, &err);
}

/* --- what came of it --- */

static bool read_runs(const struct world *w, size_t i, json_t *all)
{
	_cleanup_free_ char *path = in_server(w, i, "runs");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!path || !file_exists(path))
		return path != NULL;
	if (!file_read(path, RUNS_MAX, &text, &err))
		return false;
	for (char *line = text.data; *line;) {
		char *end = strchr(line, '\n');
		json_t *run = json_parse(line, end ? (size_t)(end - line) : strlen(line),
					 JSON_SYNTAX, &err);

		if (!end || !run || json_array_append_new(all, run) != 0)
			return false;
		line = end + 1;
	}
	return true;
}

const json_t *world_executed(struct world *w)
{
	json_auto_t *all = json_array();
	json_t *executed = json_array(), *run;
	size_t i, next = 0;
	bool found = true;

	for (i = 0; i < w->whole->server_count; i++)
		if (!read_runs(w, i, all))
			(void)json_array_append_new(executed, json_string("unreadable"));
	while (found) {
		found = false;
		json_array_foreach(all, i, run)
		{
			if (json_get_int64(run, "run", -1) != (int64_t)next)
				continue;
			found = true;
			(void)json_object_del(run, "run");
			(void)json_array_append(executed, run);
		}
		next += found;
	}
	/* One that has no place in the order would be a fault of ours. */
	if (json_array_size(executed) != json_array_size(all))
		(void)json_array_append_new(executed, json_string("out of order"));
	json_decref(w->whole->executed);
	w->whole->executed = executed;
	return executed;
}

/* --- opening --- */

static bool open_clock(const struct world *w, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(w->dir, "clock");
	_cleanup_free_ char *tools = statedir_path(w->dir, "tools.json");
	_cleanup_free_ char *resources = statedir_path(w->dir, "resources.json");
	int64_t now_ms = replay_clock_ms();
	struct clock_page *page = path && tools ? clock_page_map(path, err) : NULL;

	if (!page || setenv(CLOCK_PAGE_VARIABLE, path, 1) != 0 ||
	    setenv("REPLAY_TOOLS", tools, 1) != 0 || !resources ||
	    setenv("REPLAY_RESOURCES", resources, 1) != 0)
		return false;
	replay_clock_use(page);
	replay_clock_set(now_ms);
	return true;
}

/* Servers that the record has nothing to do with are down, as far as the gate sees. */
static bool is_wanted(const struct world *w, const char *server)
{
	return !w->tools->wanted || json_object_get(w->tools->wanted, server);
}

static bool open_all(struct world *w, struct error *err)
{
	const char *server;
	json_t *tools;

	if (!world_make_folder(w, err) || !open_clock(w, err) || !write_tokens(w, err) ||
	    !write_tools(w, err) || !write_context(w, err))
		return false;
	json_object_foreach(w->listed, server, tools)
	{
		if (is_wanted(w, server) && !add_server(w, server, err))
			return false;
	}
	for (size_t i = 0; i < w->whole->server_count; i++)
		if (!await_server(w, &w->whole->servers[i], err))
			return false;
	return world_write_config(w, err) && world_pin(w, err) && start_gate(w, err);
}

bool world_open(struct world *w, struct toolset *tools, int64_t ttl_s, struct error *err)
{
	struct whole *all = calloc(1, sizeof *all);

	*w = (struct world){ .tools = tools,
			     .ttl_s = ttl_s,
			     .listed = json_deep_copy(tools->servers),
			     .approvers = json_array(),
			     .urls = json_object(),
			     .slack_uid = (unsigned)getuid(),
			     .whole = all };
	if (!all)
		return error_oom(err);
	all->fd = -1;
	all->gate = (struct program)PROGRAM_NONE;
	strbuf_init(&all->config);
	for (size_t i = 0; i < tools->people_count; i++)
		if (tools->people[i].may_approve)
			(void)json_array_append_new(
				w->approvers, json_string(tools->people[i].principal));
	return open_all(w, err);
}

void world_close(struct world *w)
{
	struct whole *all = w->whole;

	if (!all)
		return;
	end_gate(w);
	for (size_t i = 0; i < all->server_count; i++)
		program_kill(&all->servers[i].program);
	json_decref(all->sources);
	json_decref(all->executed);
	statedir_free(w->dir);
	json_decref(w->listed);
	json_decref(w->approvers);
	json_decref(w->urls);
	strbuf_done(&all->config);
	free(all);
	w->whole = NULL;
	if (!getenv("REPLAY_KEEP"))
		world_remove_folder(w);
}
