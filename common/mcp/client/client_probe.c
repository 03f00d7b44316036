#include "base/clock.h"
#include "mcp/client/client_private.h"

enum {
	ERA_MAX_MS = 24 * 3600 * 1000, /* after which a server may have been renewed */
	PROBE_STDIO_MS = 3000,
};

static const char *const legacy_versions[] = { "2025-11-25", "2025-06-18", "2025-03-26",
					       "2024-11-05" };

void client_forget_era(struct mcp_client *c)
{
	(void)pthread_mutex_lock(&c->lock);
	if (!c->is_forced)
		c->era = MCP_ERA_UNKNOWN;
	(void)pthread_mutex_unlock(&c->lock);
}

static void note_era(struct mcp_client *c, enum mcp_era era)
{
	(void)pthread_mutex_lock(&c->lock);
	c->era = era;
	c->era_at_ms = clock_wall_ms();
	(void)pthread_mutex_unlock(&c->lock);
}

/* The verdict, unless it is too old to be trusted. */
static enum mcp_era known_era(struct mcp_client *c)
{
	(void)pthread_mutex_lock(&c->lock);
	int64_t age_ms = clock_wall_ms() - c->era_at_ms;
	if (!c->is_forced && (age_ms < 0 || age_ms > ERA_MAX_MS))
		c->era = MCP_ERA_UNKNOWN;
	enum mcp_era era = c->era;
	(void)pthread_mutex_unlock(&c->lock);
	return era;
}

enum mcp_era mcp_client_era(struct mcp_client *c, int64_t *ret_since_ms)
{
	(void)pthread_mutex_lock(&c->lock);
	enum mcp_era era = c->era;
	if (ret_since_ms)
		*ret_since_ms = c->era_at_ms;
	(void)pthread_mutex_unlock(&c->lock);
	return era;
}

/* What a list of versions means for us. */
enum choice { CHOICE_NONE, CHOICE_MODERN, CHOICE_LEGACY, CHOICE_FOREIGN };

static enum choice choose(const json_t *versions)
{
	enum choice best = CHOICE_NONE;
	const json_t *one;
	size_t i;

	json_array_foreach(versions, i, one)
	{
		const char *text = json_string_value(one);
		bool is_legacy = false;

		if (!text)
			continue;
		if (strcmp(text, REVISION_2026) == 0)
			return CHOICE_MODERN;
		for (size_t k = 0; k < ARRAY_SIZE(legacy_versions); k++)
			is_legacy = is_legacy || strcmp(text, legacy_versions[k]) == 0;
		if (is_legacy)
			best = CHOICE_LEGACY;
		else if (best == CHOICE_NONE)
			best = CHOICE_FOREIGN;
	}
	return best;
}

static bool is_modern_code(int64_t code)
{
	return code == JSONRPC_HEADER_MISMATCH || code == JSONRPC_MISSING_CAPABILITY ||
	       code == JSONRPC_UNSUPPORTED_VERSION;
}

bool client_looks_legacy(const struct client_request *r)
{
	/* -32601 and -32602 are what modern servers say of methods and arguments. */
	return r->status >= 400 && r->status < 500 && r->status != 401 &&
	       r->status != 403 && r->status != 408 && r->status != 429 &&
	       !is_modern_code(r->code) && r->code != JSONRPC_METHOD_NOT_FOUND &&
	       r->code != JSONRPC_INVALID_PARAMS;
}

static void keep_about(struct mcp_client *c, const json_t *result)
{
	json_t *copy = json_deep_copy(result);

	(void)pthread_mutex_lock(&c->lock);
	json_t *before = c->about;
	c->about = copy;
	(void)pthread_mutex_unlock(&c->lock);
	json_decref(before);
}

/* An answer came, with 'result' or without; 'err' says what was wrong with it. */
static enum choice judge(const struct client_request *p, const json_t *result)
{
	const json_t *error = json_object_get(p->answer, "error");

	if (result)
		return choose(json_object_get(result, "supportedVersions"));
	if (p->code == JSONRPC_UNSUPPORTED_VERSION)
		return choose(
			json_object_get(json_object_get(error, "data"), "supported"));
	if (p->code == JSONRPC_HEADER_MISMATCH || p->code == JSONRPC_MISSING_CAPABILITY)
		return CHOICE_MODERN;
	return CHOICE_NONE;
}

/* Statuses that say nothing about an era: authorization, and servers in trouble. */
static bool is_no_evidence(int status)
{
	return status == 401 || status == 403 || status == 408 || status == 429 ||
	       status >= 500 || (status >= 300 && status < 400);
}

/* One server/discover. ERA_UNKNOWN with 'err' set, or '*ret_again' without. */
static enum mcp_era probe_once(struct mcp_client *c, struct client_request *p,
			       bool *ret_again, struct error *err)
{
	json_auto_t *result = client_send_once(c, p, MCP_ERA_MODERN, err);

	*ret_again = false;
	if (!result && p->status == 0 && !c->stdio)
		return MCP_ERA_UNKNOWN; /* nobody answered */
	if (!result &&
	    (is_no_evidence(p->status) || (p->cancel && atomic_load(p->cancel))))
		return MCP_ERA_UNKNOWN;
	/* A reply that broke off, or was too long, is no verdict either. */
	if (!result && !c->stdio &&
	    (err->code == ERR_UNKNOWN_OUTCOME || err->code == ERR_TIMEOUT))
		return MCP_ERA_UNKNOWN;
	switch (judge(p, result)) {
	case CHOICE_MODERN:
		*ret_again = p->code == JSONRPC_UNSUPPORTED_VERSION;
		if (*ret_again)
			return MCP_ERA_UNKNOWN;
		if (result)
			keep_about(c, result);
		return MCP_ERA_MODERN;
	case CHOICE_FOREIGN:
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server speaks none of our revisions of MCP");
		return MCP_ERA_UNKNOWN;
	case CHOICE_NONE:
	case CHOICE_LEGACY:
		break;
	}
	return MCP_ERA_LEGACY;
}

static enum mcp_era probe(struct mcp_client *c, const struct client_request *r,
			  struct error *err)
{
	_cleanup_request_ struct client_request p =
		CLIENT_REQUEST_INIT("server/discover");
	enum mcp_era era;
	bool again;

	p.until_ms = r->until_ms;
	p.cancel = r->cancel;
	if (c->stdio) {
		int64_t patience_ms = c->probe_timeout_ms ? c->probe_timeout_ms
							  : PROBE_STDIO_MS;
		int64_t until_ms = clock_mono_ms() + patience_ms;

		if (until_ms < p.until_ms)
			p.until_ms = until_ms;
		if (!client_stdio_start(c->stdio, false, err))
			return MCP_ERA_UNKNOWN;
	}
	era = probe_once(c, &p, &again, err);
	if (again) { /* it names our version now, so it may take it (C-09) */
		struct error first = *err;

		error_clear(err);
		era = probe_once(c, &p, &again, err);
		if (again)
			*err = first;
	}
	if (era == MCP_ERA_UNKNOWN)
		return era;
	error_clear(err);
	note_era(c, era);
	return era;
}

static bool has_session(struct mcp_client *c)
{
	struct client_session s;

	return client_legacy_session(c, &s) && (!c->stdio || client_stdio_runs(c->stdio));
}

static enum mcp_era connect_locked(struct mcp_client *c, const struct client_request *r,
				   struct error *err)
{
	enum mcp_era era = known_era(c);
	bool was_known = era != MCP_ERA_UNKNOWN;
	const int64_t asked_ms = client_asked_ms(c);

	if (!was_known)
		era = probe(c, r, err);
	if (era == MCP_ERA_MODERN && c->stdio &&
	    !client_stdio_start(c->stdio, false, err))
		return MCP_ERA_UNKNOWN;
	if (era != MCP_ERA_LEGACY || has_session(c))
		return era;
	/* A child that was asked what it does not know may have gone silent or away. */
	if (c->stdio && !client_stdio_start(c->stdio, !was_known, err))
		return MCP_ERA_UNKNOWN;
	if (client_legacy_open(c, r->until_ms + client_asked_ms(c) - asked_ms, r->cancel,
			       err))
		return era;
	client_forget_era(
		c); /* a verdict that does not lead anywhere is looked at again */
	return MCP_ERA_UNKNOWN;
}

enum mcp_era client_connect(struct mcp_client *c, struct client_request *r,
			    struct error *err)
{
	const int64_t asked_ms = client_asked_ms(c);
	enum mcp_era era = known_era(c);

	if (era == MCP_ERA_MODERN && !c->stdio)
		return era;
	if (era == MCP_ERA_LEGACY && has_session(c))
		return era;
	(void)pthread_mutex_lock(&c->opening);
	era = connect_locked(c, r, err);
	(void)pthread_mutex_unlock(&c->opening);
	r->until_ms += client_asked_ms(c) - asked_ms;
	return era;
}
