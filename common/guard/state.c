#include "guard/state.h"

#include "base/canonical.h"
#include "guard/copy.h"
#include "guard/names.h"

static const char prefix[] = "v1.";
/* Binds the ciphertext to its purpose: nothing else sealed with the key opens here. */
static const char purpose[] = "org.wingman/request-state v1";

struct members {
	const char *principal, *server, *tool, *args, *plan, *store;
	int64_t planned_at, expires;
};

static bool are_valid(const struct members *m)
{
	return name_is_principal(m->principal) && name_is_server(m->server) &&
	       name_is_tool(m->tool) && digest_is_hex(m->args) &&
	       (!m->plan || digest_is_hex(m->plan)) && name_is_id(m->store);
}

bool state_seal(struct strbuf *sb, const struct request_state *s,
		const struct secret *key, struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT;
	const struct members m = { s->principal,
				   s->server,
				   s->tool,
				   s->args,
				   s->plan[0] ? s->plan : NULL,
				   s->store,
				   s->planned_at_ms,
				   s->expires_ms };
	json_auto_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s, s:I, s:I}", "principal",
			  m.principal, "server", m.server, "tool", m.tool, "args", m.args,
			  "plan", m.plan, "store", m.store, "planned_at",
			  (json_int_t)m.planned_at, "expires", (json_int_t)m.expires);

	if (!are_valid(&m))
		return error_set(err, ERR_INTERNAL,
				 "the request state to be sealed is incomplete");
	/* json_pack leaves an optional member out when there is no memory for it. */
	if (json_object_size(json) != (m.plan ? 8 : 7))
		return error_oom(err);
	if (!canonical_write(&bytes, json, err) ||
	    !secret_seal(key, purpose, bytes.data, bytes.length, &sealed, err))
		return false;
	strbuf_add_string(sb, prefix);
	digest_base64url(sb, sealed.data, sealed.length);
	return strbuf_ok(sb) || error_oom(err);
}

static bool refuse(struct error *err)
{
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "the request state was altered or is not ours");
}

static bool unseal(const char *word, const struct secret *key, struct strbuf *bytes)
{
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT;
	const size_t skip = sizeof prefix - 1;
	struct error ignored = ERROR_INIT;

	if (!word || strncmp(word, prefix, skip) != 0)
		return false;
	const size_t length = strnlen(word, STATE_MAX + 1);
	return length <= STATE_MAX &&
	       digest_base64url_decode(word + skip, length - skip, &sealed, &ignored) &&
	       secret_open(key, purpose, sealed.data, sealed.length, bytes, &ignored);
}

bool state_open(const char *word, const struct secret *key, int64_t now_ms,
		struct request_state *ret, struct error *err)
{
	static const struct json_field fields[] = {
#define FIELD(name, type, flags) { #name, type, offsetof(struct members, name), flags }
		FIELD(principal, JSON_FIELD_STRING, JSON_FIELD_REQUIRED),
		FIELD(server, JSON_FIELD_STRING, JSON_FIELD_REQUIRED),
		FIELD(tool, JSON_FIELD_STRING, JSON_FIELD_REQUIRED),
		FIELD(args, JSON_FIELD_STRING, JSON_FIELD_REQUIRED),
		FIELD(plan, JSON_FIELD_STRING, 0),
		FIELD(store, JSON_FIELD_STRING, JSON_FIELD_REQUIRED),
		FIELD(planned_at, JSON_FIELD_INT64, JSON_FIELD_REQUIRED),
		FIELD(expires, JSON_FIELD_INT64, JSON_FIELD_REQUIRED),
#undef FIELD
		{ 0 },
	};
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	struct members m = { 0 };

	if (!unseal(word, key, &bytes))
		return refuse(err);
	json_auto_t *json = json_parse(bytes.data, bytes.length, JSON_CONTRACT, &ignored);
	if (!json || !json_decode(json, fields, &m, "request state", &ignored) ||
	    !are_valid(&m))
		return refuse(err);
	if (now_ms >= m.expires)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the request state has expired; ask again");
	*ret = (struct request_state){ .planned_at_ms = m.planned_at,
				       .expires_ms = m.expires };
	COPY(ret->principal, m.principal);
	COPY(ret->server, m.server);
	COPY(ret->tool, m.tool);
	COPY(ret->args, m.args);
	COPY(ret->plan, m.plan ? m.plan : "");
	COPY(ret->store, m.store);
	return true;
}
