/*
 * Two instances of one server in this process, each with a store and an audit chain of
 * its own, over a backend in memory. Calls are handed in behind HTTP, where the loop's
 * thread gives them to a worker; what runs from there on is what runs in a server.
 *
 * Time and epoch of the stores are the test's: the program is linked with --wrap for
 * coord_now_ms and coord_epoch_ms.
 */
#include "attacks/attack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture/fixture.h"
#include "guard/token.h"
#include "mcp/serving.h"

enum { TOOLS_MAX = 16, DEADLINE_MS = 60 * 1000, PLENTY = 1000 * 1000 };

const char *const instance_names[INSTANCES] = { "fixture", "fixture-2" };

struct world {
	struct statedir *dirs[INSTANCES];
	char stores[INSTANCES][DIGEST_ID_BYTES];
	struct mcp_service *services[INSTANCES];
	struct mcp_tool tools[TOOLS_MAX];
	struct mcp_server server;
	struct sign_key *key, *stranger;
	struct strbuf public_pem;

	pthread_mutex_t lock; /* over all below */
	char values[KEYS][VALUE_BYTES];
	size_t runs;
	struct run last;
	int64_t plan_takes_ms;
	bool begins_anew;
	unsigned to_meet; /* plans that wait for each other; 0: none does */
	pthread_cond_t met;
};

/* ---- Time ---- */

static _Atomic int64_t now_ms = INT64_C(1800000000000);
static _Atomic int64_t epoch_ms = INT64_C(1799999000000);

bool __wrap_coord_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err);
bool __wrap_coord_epoch_ms(struct coordination *c, int64_t *ret_began_ms,
			   struct error *err);

bool __wrap_coord_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err)
{
	(void)c;
	(void)err;
	*ret_now_ms = now_ms;
	return true;
}

bool __wrap_coord_epoch_ms(struct coordination *c, int64_t *ret_began_ms,
			   struct error *err)
{
	(void)c;
	(void)err;
	*ret_began_ms = epoch_ms;
	return true;
}

int64_t world_now_ms(void)
{
	return now_ms;
}

void world_set_now(int64_t ms)
{
	now_ms = ms;
}

int64_t world_epoch_ms(void)
{
	return epoch_ms;
}

void world_set_epoch(int64_t ms)
{
	epoch_ms = ms;
}

void world_plan_takes(struct world *w, int64_t ms, bool begins_anew)
{
	w->plan_takes_ms = ms;
	w->begins_anew = begins_anew;
}

/* ---- The backend ---- */

void world_key_name(size_t i, char ret[static 33])
{
	/* The last eight want two people. */
	if (i >= KEYS - 8)
		(void)snprintf(ret, 33, "z%c", (int)('a' + (i - (KEYS - 8))));
	else
		(void)snprintf(ret, 33, "k%c%c", (int)('a' + i / 8), (int)('a' + i % 8));
}

static char *find_value(struct world *w, const char *key)
{
	char name[33];

	for (size_t i = 0; i < KEYS; i++) {
		world_key_name(i, name);
		if (strcmp(name, key) == 0)
			return w->values[i];
	}
	return NULL;
}

const char *world_value(const struct world *w, const char *key)
{
	union {
		const struct world *in;
		struct world *out;
	} own = { .in = w };
	const char *value = find_value(own.out, key);

	return value ? value : "";
}

void world_put(struct world *w, const char *key, const char *value)
{
	char *place = find_value(w, key);

	if (place)
		(void)snprintf(place, VALUE_BYTES, "%s", value);
}

size_t world_runs(const struct world *w)
{
	return w->runs;
}

const struct run *world_last_run(const struct world *w)
{
	return &w->last;
}

void world_plans_meet(struct world *w, unsigned count)
{
	w->to_meet = count;
}

/* With the lock held. */
static void meet(struct world *w)
{
	if (w->to_meet == 0)
		return;
	if (--w->to_meet == 0)
		(void)pthread_cond_broadcast(&w->met);
	while (w->to_meet > 0)
		(void)pthread_cond_wait(&w->met, &w->lock);
}

static bool plan_put(struct mcp_call *call, struct plan *plan, struct error *err)
{
	struct world *w = mcp_call_context(call);
	const char *key = mcp_call_string(call, "key", ""),
		   *value = mcp_call_string(call, "value", "");

	(void)pthread_mutex_lock(&w->lock);
	const char *now = find_value(w, key);

	now_ms += w->plan_takes_ms;
	if (w->begins_anew)
		epoch_ms = now_ms;
	w->plan_takes_ms = 0;
	w->begins_anew = false;
	if (now) {
		plan_summary(plan, "set %s", key);
		plan_effect(plan, "fixture", key, now, value, true);
		plan_state(plan, json_pack("{s:s, s:s}", "key", key, "value", now));
		plan_data(plan, json_pack("{s:s, s:s, s:s}", "key", key, "from", now,
					  "to", value));
	}
	meet(w);
	(void)pthread_mutex_unlock(&w->lock);
	if (!now)
		return error_set(err, ERR_NOT_FOUND, "there is no '%s'", key);
	if (*key >= 'z')
		plan_requires(plan, NEEDED_MAX, "it is important");
	return true;
}

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

/* With the lock held. */
static void note_run(struct world *w, const struct mcp_call *call, enum tool tool)
{
	static const char *const names[][2] = { [TOOL_PUT] = { "value", "-" },
						[TOOL_ECHO] = { "text", "count" },
						[TOOL_ROUTE] = { "region", "hops" } };
	struct meaning *m = &w->last.meaning;

	w->runs++;
	w->last = (struct run){ .meaning.tool = tool };
	copy(w->last.id, sizeof w->last.id, mcp_call_approval(call));
	copy(w->last.requester, sizeof w->last.requester, mcp_call_requester(call));
	copy(m->value, sizeof m->value, mcp_call_string(call, names[tool][0], ""));
	copy(m->key, sizeof m->key, mcp_call_string(call, "key", ""));
	copy(m->reason, sizeof m->reason, mcp_call_string(call, "reason", ""));
	copy(m->until, sizeof m->until, mcp_call_string(call, "until", ""));
	m->has_number = json_object_get(mcp_call_arguments(call), names[tool][1]) != NULL;
	m->number = mcp_call_int64(call, names[tool][1], 0);
}

static bool run_put(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	struct world *w = mcp_call_context(call);
	const json_t *data = plan_get_data(mcp_call_plan(call));
	const char *key = json_get_string(data, "key"), *to = json_get_string(data, "to");

	(void)pthread_mutex_lock(&w->lock);
	char *place = find_value(w, key);
	const bool good = place && strcmp(place, json_get_string(data, "from")) == 0;

	note_run(w, call, TOOL_PUT);
	if (good)
		(void)snprintf(place, VALUE_BYTES, "%s", to);
	(void)pthread_mutex_unlock(&w->lock);
	if (!good)
		return error_set(err, ERR_PRECONDITION_FAILED, "'%s' has changed", key);
	mcp_result_verified(r, true);
	mcp_result_text(r, "Set.");
	mcp_result_structured(r, json_pack("{s:s, s:s, s:s}", "key", key, "before",
					   json_get_string(data, "from"), "after", to));
	return true;
}

static bool run_read(struct mcp_call *call, struct mcp_result *r, enum tool tool)
{
	struct world *w = mcp_call_context(call);

	(void)pthread_mutex_lock(&w->lock);
	note_run(w, call, tool);
	(void)pthread_mutex_unlock(&w->lock);
	mcp_result_text(r, "Read.");
	return true;
}

static bool run_echo(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_result_structured(r, json_pack("{s:s, s:I}", "text",
					   mcp_call_string(call, "text", ""), "count",
					   (json_int_t)mcp_call_int64(call, "count", 1)));
	return run_read(call, r, TOOL_ECHO);
}

static bool run_route(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_result_structured(
		r, json_pack("{s:s}", "region", mcp_call_string(call, "region", "")));
	return run_read(call, r, TOOL_ROUTE);
}

/* ---- The server ---- */

/* Until both are prepared; 'open' gets nothing of ours. */
static struct world *opening;

static void *open_backend(const struct statedir *dir, const json_t *config,
			  struct error *err)
{
	(void)dir;
	(void)config;
	(void)err;
	return opening;
}

static void make_server(struct world *w)
{
	if (fixture_server.tool_count > TOOLS_MAX)
		broken("the fixture has more tools than that");
	for (size_t i = 0; i < fixture_server.tool_count; i++) {
		struct mcp_tool *t = &w->tools[i];

		*t = fixture_server.tools[i];
		if (strcmp(t->name, "put_value") == 0)
			*t = (struct mcp_tool){ .name = t->name,
						.plan = plan_put,
						.run = run_put };
		else if (strcmp(t->name, "echo_text") == 0)
			*t = (struct mcp_tool){ .name = t->name, .run = run_echo };
		else if (strcmp(t->name, "get_route") == 0)
			*t = (struct mcp_tool){ .name = t->name, .run = run_route };
	}
	w->server = fixture_server;
	w->server.tools = w->tools;
	w->server.open = open_backend;
	w->server.close = NULL;
	w->server.ready = NULL;
}

static char *path_in(const struct world *w, size_t i, const char *name)
{
	char *path = statedir_path(w->dirs[i], "%s", name);

	if (!path)
		broken("no memory");
	return path;
}

static void make_keys(struct world *w)
{
	_cleanup_free_ char *own = path_in(w, 0, "keys/gate.key");
	_cleanup_free_ char *other = path_in(w, 0, "keys/stranger.key");
	struct error err = ERROR_INIT;

	w->key = sign_key_create(own, &err);
	w->stranger = w->key ? sign_key_create(other, &err) : NULL;
	need(w->stranger != NULL, &err);
}

static void start_instance(struct world *w, size_t i)
{
	struct error err = ERROR_INIT;
	char name[80], yaml[256];

	_cleanup_free_ char *config = path_in(w, i, "config/fixture.yaml");
	_cleanup_free_ char *callers = path_in(w, i, "callers/index.json");
	(void)snprintf(name, sizeof name, "keys/trusted/%s.pem", sign_key_kid(w->key));
	_cleanup_free_ char *public = path_in(w, i, name);
	(void)snprintf(yaml, sizeof yaml,
		       "instance: %s\nfreed_reads: [echo_text]\n"
		       "rights: {'*': [read, write], %s: []}\n",
		       instance_names[i], person_names[MALLORY]);
	static const char nobody[] = "{\"v\":1,\"tokens\":[]}";
	need(file_write(config, yaml, strlen(yaml), 0600, &err) &&
		     file_write(callers, nobody, sizeof nobody - 1, 0600, &err) &&
		     sign_key_write_public(w->key, public, &err) &&
		     (w->public_pem.length > 0 ||
		      file_read(public, 4096, &w->public_pem, &err)),
	     &err);
	opening = w;
	w->services[i] = mcp_service_prepare(&w->server, w->dirs[i], &err);
	need(w->services[i] != NULL, &err);
	need(mcp_service_start(w->services[i], &err), &err);
	limiter_free(w->services[i]->plan_limiter);
	w->services[i]->plan_limiter = limiter_new(PLENTY, PLENTY);
	need(coord_identity(w->services[i]->store, w->stores[i], &err), &err);
}

struct world *world_open(const char *root)
{
	struct world *w = calloc(1, sizeof *w);
	struct error err = ERROR_INIT;
	char path[80];

	if (!w)
		broken("no memory");
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->met, NULL);
	strbuf_init(&w->public_pem);
	make_server(w);
	for (size_t i = 0; i < INSTANCES; i++) {
		(void)snprintf(path, sizeof path, "%s/%zu", root, i);
		w->dirs[i] = statedir_new(path, &err);
		need(w->dirs[i] && statedir_create(w->dirs[i], &err), &err);
	}
	make_keys(w);
	for (size_t i = 0; i < INSTANCES; i++)
		start_instance(w, i);
	return w;
}

void world_close(struct world *w)
{
	for (size_t i = 0; i < INSTANCES; i++) {
		mcp_service_free(w->services[i]);
		statedir_free(w->dirs[i]);
	}
	sign_key_free(w->key);
	sign_key_free(w->stranger);
	strbuf_done(&w->public_pem);
	free(w);
}

const char *world_store(struct world *w, size_t instance)
{
	return w->stores[instance];
}

struct sign_key *world_key(struct world *w)
{
	return w->key;
}

struct sign_key *world_stranger(struct world *w)
{
	return w->stranger;
}

const char *world_public_pem(struct world *w)
{
	return w->public_pem.data;
}

struct keyring *world_keys(struct world *w)
{
	return w->services[0]->keys;
}

const struct tool_definition *world_definition(struct world *w, enum tool t)
{
	return tool_table_find(&w->services[0]->tools, tool_word(t))->definition;
}

const char *world_pin(struct world *w, enum tool t)
{
	return world_definition(w, t)->pin;
}

/* ---- A call ---- */

static void do_call(struct exchange *x, const struct presented_call *c,
		    struct mcp_result *r)
{
	const struct presented given = { .grant = c->word,
					 .request_state = c->state,
					 .requester = c->requester,
					 .is_look = c->look || c->take_back,
					 .is_revoked = c->take_back };
	struct error err = ERROR_INIT;

	if (!tools_accept(x, true, &err))
		mcp_result_error(r, &err, NULL);
	else if (c->word)
		execute_grant(x, &given, r, NULL);
	else
		planning_answer(x, r);
}

static json_t *read_answer(const struct mcp_service *s, const struct mcp_result *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *id = json_integer(1);

	revision_2026_write_call(&text, &s->identity, id, r);
	json_auto_t *body = json_parse(text.data, text.length, JSON_SYNTAX, &err);
	need(body != NULL, &err);
	return json_incref(json_object_get(body, "result"));
}

json_t *world_call(struct world *w, const struct presented_call *c)
{
	struct mcp_service *s = w->services[c->instance];
	struct mcp_result r = MCP_RESULT_INIT;
	struct error err = ERROR_INIT;
	struct exchange x = {
		.service = s,
		.from_gate = !c->requester,
		.tool = tool_table_find(&s->tools, tool_word(c->tool)),
		.canonical = STRBUF_INIT,
		.ticket = c->ticket,
		.grant = c->word,
		.request_state = c->state,
		.deadline_ms = clock_mono_ms() + DEADLINE_MS,
	};

	(void)snprintf(x.caller.principal, sizeof x.caller.principal, "%s",
		       c->requester ? c->requester : "service/gate");
	(void)snprintf(x.caller.client, sizeof x.caller.client, "a client");
	json_auto_t *arguments =
		json_parse(c->arguments, strlen(c->arguments), JSON_CONTRACT, &err);
	json_auto_t *params = json_is_object(arguments)
				      ? json_pack("{s:O}", "arguments", arguments)
				      : NULL;
	x.message.params = params;
	if (params)
		do_call(&x, c, &r);
	else if (error_set(&err, ERR_INVALID_ARGUMENT, "no object") || true)
		mcp_result_error(&r, &err, NULL);
	json_t *answer = read_answer(s, &r);
	mcp_result_done(&r);
	json_decref(x.arguments);
	strbuf_done(&x.canonical);
	ask_done(&x.asking);
	return answer;
}
