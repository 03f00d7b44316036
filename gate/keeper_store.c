/*
 * Replicas of a server share one store: the gate knows which, from the server that said so
 * first, and every grant names it. Whoever says another is refused, and does not start.
 *
 * "store-of/<server>" in the gate's store is its name (coord_identity), and stays until the
 * server's own process says that its store began anew under it, or until people decide for
 * another (gate.accept_store, which 'wingman pin SERVER' proposes).
 */
#include "gate/keeper.h"

#include "base/clock.h"
#include "gate/keeper_direct_private.h"

static bool make_key(const char *server, char ret[static COORD_KEY_MAX + 1])
{
	const int n = snprintf(ret, COORD_KEY_MAX + 1, "store-of/%s", server);

	return n > 0 && n <= COORD_KEY_MAX;
}

static struct look *find_look(struct keeper *k, const char *server)
{
	for (size_t i = 0; i < k->settings->server_count; i++)
		if (strcmp(k->settings->servers[i].name, server) == 0)
			return &k->looks[i];
	return NULL;
}

/*
 * New string, or NULL: none was said yet. Should our store have forgotten it, this process
 * still knows.
 */
static bool load(struct keeper *k, const char *server, char **ret, struct error *err)
{
	struct look *look = find_look(k, server);
	char key[COORD_KEY_MAX + 1];
	bool first = false;

	if (!make_key(server, key))
		return error_set(err, ERR_INTERNAL, "no name of a server");
	if (!coord_get(k->coordination, key, ret, err))
		return false;
	if (!*ret && look && look->store[0]) {
		if (!coord_claim(k->coordination, key, look->store, 0, &first, ret, err))
			return false;
		if (first)
			*ret = strdup(look->store);
		if (!*ret)
			return error_oom(err);
	}
	if (look && *ret)
		(void)snprintf(look->store, sizeof look->store, "%s", *ret);
	return true;
}

bool keeper_store_of(struct keeper *k, const char *server,
		     char ret[static DIGEST_ID_BYTES], struct error *err)
{
	_cleanup_free_ char *known = NULL;

	if (!load(k, server, &known, err))
		return false;
	if (known && strlen(known) >= DIGEST_ID_BYTES)
		return error_set(err, ERR_INTERNAL,
				 "what is known of the store of '%s' is damaged", server);
	(void)snprintf(ret, DIGEST_ID_BYTES, "%s", known ? known : "");
	return true;
}

/* --- what servers say --- */

static bool note(struct keeper *k, const char *event, const char *server,
		 const char *store, const char *was, struct error *err)
{
	json_t *data = json_pack("{s:s, s:s}", "server", server, "store", store);

	if (!json_put_string(data, "was", was)) {
		json_decref(data);
		return error_oom(err);
	}
	return audit_append(k->audit, event, data, NULL, err);
}

static bool learn(struct keeper *k, const char *server, const char *store,
		  struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *existing = NULL;
	bool first = false;

	if (!make_key(server, key) || !note(k, "store.learned", server, store, NULL, err))
		return false;
	/* Another gate that shares our store may have been faster. */
	return coord_claim(k->coordination, key, store, 0, &first, &existing, err) &&
	       (first || (existing && strcmp(existing, store) == 0) ||
		error_set(err, ERR_CONFLICT, "'%s' said another store just now", server));
}

/* The process that had the one we know says that it began anew under it. */
static bool renew(struct keeper *k, const char *server, const char *store,
		  const char *was, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	bool changed = false;

	return make_key(server, key) &&
	       note(k, "store.renewed", server, store, was, err) &&
	       coord_swap(k->coordination, key, was, store, &changed, err) &&
	       (changed ||
		error_set(err, ERR_CONFLICT, "'%s' said another store just now", server));
}

static bool refuse(struct keeper *k, const char *server, const char *store,
		   const char *known, struct error *err)
{
	struct look *look = find_look(k, server);
	json_t *data = json_pack("{s:s, s:s, s:s}", "server", server, "store", store,
				 "known", known);

	error_set(err, ERR_CONFLICT,
		  "'%s' has the store %s, and this process says %s: replicas of a server "
		  "share one store",
		  server, known, store);
	if (look) {
		(void)snprintf(look->other_store, sizeof look->other_store, "%s", store);
		look->other_ms = k->now_ms;
	}
	log_failure("store.refused", err);
	keeper_audit_refusal(k, "store.refused", server, data, err);
	return false;
}

/* Each costs two durable writes, and a store does not begin anew all the time. */
static bool check_often(struct keeper *k, const char *server, struct error *err)
{
	int64_t wait_ms;

	return limiter_take(k->news, server, clock_mono_ms(), &wait_ms, err);
}

bool keeper_store_said(struct keeper *k, const char *server, const char *store,
		       const char *was, struct error *err)
{
	_cleanup_free_ char *known = NULL;

	if (!load(k, server, &known, err))
		return false;
	if (!known)
		return learn(k, server, store, err);
	if (strcmp(known, store) == 0)
		return true;
	if (was && strcmp(known, was) == 0)
		return check_often(k, server, err) && renew(k, server, store, was, err);
	return refuse(k, server, store, known, err);
}

struct said {
	int64_t v;
	const char *store, *was;
};

static bool is_store(const char *text)
{
	return strlen(text) < DIGEST_ID_BYTES && name_is_id(text);
}

static bool read_said(const struct fields *f, struct said *ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, offsetof(struct said, v), JSON_FIELD_REQUIRED },
		{ "store", JSON_FIELD_STRING, offsetof(struct said, store),
		  JSON_FIELD_REQUIRED },
		{ "was", JSON_FIELD_STRING, offsetof(struct said, was), 0 },
		{ 0 }
	};

	if (!json_decode(f->body, fields, ret, "store", err))
		return false;
	if (ret->v == 1 && is_store(ret->store) && (!ret->was || is_store(ret->was)))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "store: 'v' is not 1, or that is no name of a store");
}

bool keeper_on_store(struct keeper *k, const struct fields *f, struct error *err)
{
	struct error why = ERROR_INIT;
	struct said said = { 0 };

	(void)err;
	if (read_said(f, &said, &why) && keeper_is_sound(k, &why) &&
	    keeper_store_said(k, f->server, said.store, said.was, &why))
		return keeper_answer(k, f->request, 200,
				     json_pack("{s:s}", "store", said.store));
	if (!error_is_set(&why))
		error_oom(&why);
	return keeper_direct_error(k, f->request, &why);
}

/* --- what people are told, and decide --- */

/* The store that was refused of late; NULL: none was. */
static const char *other_store(struct keeper *k, const char *server)
{
	const struct look *look = find_look(k, server);

	return look && look->other_store[0] &&
			       k->now_ms - look->other_ms < KEEPER_STORE_SAID_MS
		       ? look->other_store
		       : NULL;
}

json_t *keeper_stores_json(struct keeper *k)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < k->settings->server_count; i++) {
		const char *server = k->settings->servers[i].name;
		struct error ignored = ERROR_INIT;
		_cleanup_free_ char *known = NULL;
		json_t *one = json_pack("{s:s}", "server", server);

		(void)load(k, server, &known, &ignored);
		if (!json_put_string(one, "store", known) ||
		    !json_put_string(one, "refused", other_store(k, server)) ||
		    json_array_append(list, one) != 0)
			json_decref(TAKE(list));
		json_decref(one);
	}
	return TAKE(list);
}

json_t *keeper_store_difference(struct keeper *k, const char *server)
{
	const char *other = other_store(k, server);

	return other ? json_pack("{s:s, s:s}", "server", server, "store", other) : NULL;
}

struct plan *keeper_store_plan(struct keeper *k, const char *server, const char *store,
			       struct error *err)
{
	_cleanup_(plan_freep) struct plan *plan = plan_new();
	const char *other = other_store(k, server);
	char known[DIGEST_ID_BYTES];

	if (!plan) {
		error_oom(err);
		return NULL;
	}
	if (!keeper_store_of(k, server, known, err))
		return NULL;
	if (!known[0] || !other || strcmp(other, store) != 0) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "no process of '%s' said of late that it has this store",
			  server);
		return NULL;
	}
	plan_summary(plan, "take another store for what %s has burnt", server);
	plan_effect(plan, "gate", "store of the server", known, store, false);
	plan_warning(plan,
		     "every process of %s that has the store of before must have "
		     "ended: from now on it runs nothing",
		     server);
	plan_warning(plan, "what is under way there ends as unknown");
	plan_state(plan, json_pack("{s:s, s:s}", "known", known, "store", store));
	plan_data(plan, json_pack("{s:s, s:s, s:s}", "server", server, "was", known,
				  "store", store));
	return plan_finish(plan, err) ? TAKE(plan) : NULL;
}

json_t *keeper_store_accept(struct keeper *k, const json_t *data, bool again,
			    struct error *err)
{
	const char *server = json_get_string(data, "server");
	const char *was = json_get_string(data, "was");
	const char *store = json_get_string(data, "store");
	_cleanup_free_ char *known = NULL;
	struct look *look = server ? find_look(k, server) : NULL;

	if (!server || !was || !store || !load(k, server, &known, err)) {
		if (!error_is_set(err))
			error_set(err, ERR_INTERNAL, "the plan names no store");
		return NULL;
	}
	/* Whether it was done shows in what is known. */
	if (again && (!known || strcmp(known, store) != 0)) {
		error_set(err, ERR_INTERNAL,
			  "the gate fell before it was done: ask again");
		return NULL;
	}
	if (!again && (!known || strcmp(known, was) != 0)) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "the store of '%s' is another since this was asked", server);
		return NULL;
	}
	if (!again && !renew(k, server, store, was, err))
		return NULL;
	if (look)
		look->other_store[0] = '\0';
	return json_pack("{s:s, s:s}", "server", server, "store", store);
}
