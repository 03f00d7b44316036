#include "guard/burn.h"

#include "base/canonical.h"

static const char prefix[] = "burn/";
enum {
	KEY_BYTES = sizeof prefix + 80,
	RECORD_ROOM = 480, /* bytes that most records without a plan need, got at once */
};

static bool make_key(const char *id, char ret[static KEY_BYTES], struct error *err)
{
	if (!name_is_id(id))
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the id of the grant is malformed");
	memcpy(ret, prefix, sizeof prefix - 1);
	memcpy(ret + sizeof prefix - 1, id, strlen(id) + 1);
	return true;
}

static json_t *parse(const char *id, const char *text, struct error *err)
{
	struct error why = ERROR_INIT;
	json_auto_t *record = json_parse(text, strlen(text), JSON_CONTRACT, &why);

	if (record && json_get_string(record, "state"))
		return TAKE(record);
	error_set(err, ERR_INTERNAL, "the record of execution '%s' is damaged", id);
	error_cause(err, "%s", why.message);
	return NULL;
}

static bool is_started(const json_t *record)
{
	return strcmp(json_get_string(record, "state"), "started") == 0;
}

static bool write_record(struct strbuf *sb, json_t *record, struct error *err)
{
	if (!record)
		return error_oom(err);
	return canonical_write(sb, record, err);
}

static bool add_text(struct strbuf *sb, const char *before, const char *text,
		     struct error *err)
{
	const size_t length = strlen(text);

	strbuf_add_string(sb, before);
	strbuf_add_json_string(sb, text, length);
	return json_check_text(text, length, err);
}

/* By hand, for it is done for every call: the members stand in canonical order. */
static bool write_started(struct strbuf *sb, const struct grant *g, const char *client,
			  const json_t *plan, int64_t now_ms, struct error *err)
{
	(void)strbuf_reserve(sb, RECORD_ROOM);
	if (!add_text(sb, "{\"args\":", g->args, err))
		return false;
	strbuf_add_string(sb, ",\"at\":");
	strbuf_add_int64(sb, now_ms);
	if (!add_text(sb, ",\"client\":", client, err) ||
	    !add_text(sb, ",\"id\":", g->id, err))
		return false;
	if (plan) {
		strbuf_add_string(sb, ",\"plan\":");
		if (!canonical_write(sb, plan, err))
			return false;
	}
	if (!add_text(sb, ",\"requester\":", g->requester, err) ||
	    !add_text(sb, ",\"state\":\"started\",\"tool\":", g->tool, err))
		return false;
	strbuf_add_string(sb, ",\"v\":1}");
	return strbuf_ok(sb) || error_oom(err);
}

/* An id that comes back for something else must not fetch that execution's result. */
static bool is_same_call(const json_t *record, const struct grant *g)
{
	const struct {
		const char *name, *value;
	} members[] = { { "tool", g->tool },
			{ "args", g->args },
			{ "requester", g->requester } };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *found = json_get_string(record, members[i].name);
		if (!found || strcmp(found, members[i].value) != 0)
			return false;
	}
	return true;
}

bool burn_start(struct coordination *c, const struct grant *g, const char *client,
		const json_t *plan, int64_t now_ms, bool *ret_first, json_t **ret_record,
		struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
	_cleanup_free_ char *existing = NULL;
	char key[KEY_BYTES];
	bool first = false;

	if (!make_key(g->id, key, err) ||
	    !write_started(&value, g, client, plan, now_ms, err) ||
	    !coord_claim(c, key, value.data, BURN_KEEP_MS, &first, &existing, err))
		return false;
	if (first) {
		*ret_first = true;
		*ret_record = NULL;
		return true;
	}
	json_auto_t *known = parse(g->id, existing ? existing : "", err);
	if (!known)
		return false;
	if (!is_same_call(known, g))
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the approval was already used for another call");
	*ret_first = false;
	*ret_record = TAKE(known);
	return true;
}

/* Replace 'old' unless somebody else already has: an outcome is written once. */
static bool end(struct coordination *c, const char *key, const char *old, json_t *record,
		const char *state, int64_t now_ms, struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
	bool changed = false;

	if (json_object_set_new(record, "state", json_string(state)) != 0 ||
	    json_object_set_new(record, "finished_at", json_integer(now_ms)) != 0)
		return error_oom(err);
	if (!write_record(&value, record, err) ||
	    !coord_swap(c, key, old, value.data, &changed, err))
		return false;
	return changed || error_set(err, ERR_CONFLICT,
				    "the outcome of this execution is already recorded");
}

/* A result too long to keep is left out; the state is what must not be lost. */
static bool put_result(json_t *record, const json_t *result, struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!result || !json_check_contract(result, &ignored) ||
	    !canonical_write(&bytes, result, &ignored) || bytes.length > BURN_RESULT_MAX)
		return true;
	return json_object_set_new(record, "result", json_deep_copy(result)) == 0 ||
	       error_oom(err);
}

static bool is_end_state(const char *state)
{
	return strcmp(state, "succeeded") == 0 || strcmp(state, "failed") == 0 ||
	       strcmp(state, "unknown") == 0 || strcmp(state, "revoked") == 0;
}

bool burn_finish(struct coordination *c, const char *id, const char *state,
		 const json_t *result, int64_t now_ms, struct error *err)
{
	_cleanup_free_ char *old = NULL;
	char key[KEY_BYTES];

	if (!is_end_state(state))
		return error_set(err, ERR_INTERNAL, "'%s' is no end of an execution",
				 state);
	if (!make_key(id, key, err) || !coord_get(c, key, &old, err))
		return false;
	if (!old)
		return error_set(err, ERR_NOT_FOUND, "execution '%s' was never started",
				 id);
	json_auto_t *record = parse(id, old, err);
	if (!record)
		return false;
	if (!is_started(record))
		return error_set(err, ERR_CONFLICT, "execution '%s' has ended already",
				 id);
	return put_result(record, result, err) &&
	       end(c, key, old, record, state, now_ms, err);
}

bool burn_find(struct coordination *c, const char *id, json_t **ret_record,
	       struct error *err)
{
	_cleanup_free_ char *value = NULL;
	char key[KEY_BYTES];
	json_t *record = NULL;

	if (!make_key(id, key, err) || !coord_get(c, key, &value, err))
		return false;
	if (value && !(record = parse(id, value, err)))
		return false;
	*ret_record = record;
	return true;
}

/* ---- After a crash ---- */

struct unfinished {
	json_t *list; /* of [key, text]: the store is not written while it is scanned */
	bool failed;
};

static bool collect(void *context, const char *key, const char *value)
{
	struct unfinished *u = context;

	/* Most records have ended; only what may be 'started' is looked at closely. */
	if (strstr(value, "\"state\":\"started\""))
		u->failed = json_array_append_new(u->list,
						  json_pack("[s, s]", key, value)) != 0;
	return !u->failed;
}

static bool declare_unknown(struct coordination *c, const char *key, const char *text,
			    int64_t now_ms, void (*fn)(void *, const json_t *),
			    void *context, size_t *count, struct error *err)
{
	json_auto_t *record = parse(key + sizeof prefix - 1, text, err);

	if (!record)
		return false;
	if (!is_started(record))
		return true;
	if (json_object_set_new(
		    record, "error",
		    json_string("the process that ran it ended before it did")) != 0)
		return error_oom(err);
	if (!end(c, key, text, record, "unknown", now_ms, err))
		return false;
	(*count)++;
	if (fn)
		fn(context, record);
	return true;
}

bool burn_recover(struct coordination *c, int64_t now_ms,
		  void (*fn)(void *context, const json_t *record), void *context,
		  size_t *ret_count, struct error *err)
{
	json_auto_t *list = json_array();
	struct unfinished u = { .list = list };
	size_t count = 0;

	if (!list)
		return error_oom(err);
	if (!coord_scan(c, prefix, collect, &u, err))
		return false;
	if (u.failed)
		return error_oom(err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *found = json_array_get(list, i);
		if (!declare_unknown(c, json_string_value(json_array_get(found, 0)),
				     json_string_value(json_array_get(found, 1)), now_ms,
				     fn, context, &count, err))
			return false;
	}
	*ret_count = count;
	return true;
}

bool burn_observe(struct coordination *c, const char *id, const char *text,
		  struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
	_cleanup_free_ char *old = NULL;
	char key[KEY_BYTES];
	bool changed = false;

	if (!make_key(id, key, err) || !coord_get(c, key, &old, err))
		return false;
	json_auto_t *record = old ? parse(id, old, err) : NULL;
	if (!record)
		return error_set(err, ERR_NOT_FOUND, "execution '%s' was never started",
				 id);
	if (strcmp(json_get_string(record, "state"), "unknown") != 0)
		return error_set(err, ERR_CONFLICT,
				 "the outcome of execution '%s' is known", id);
	json_t *seen = json_pack("{s:s}", "observed", text);
	if (!seen || json_object_set_new(record, "result", seen) != 0)
		return error_oom(err);
	return write_record(&value, record, err) &&
	       coord_swap(c, key, old, value.data, &changed, err) &&
	       (changed ||
		error_set(err, ERR_CONFLICT, "execution '%s' has changed", id));
}
