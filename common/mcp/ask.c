#include "mcp/ask.h"

#include "base/canonical.h"
#include "mcp/call.h"
#include "mcp/serving.h"

static const char prefix[] = "i1.";
static const char purpose[] = "org.wingman/input-state v1";

void ask_done(struct asking *a)
{
	json_decref(a->answers);
	json_decref(a->memory);
	json_decref(a->requests);
	json_decref(a->missing);
	*a = (struct asking){ 0 };
}

bool ask_is_open(const struct asking *a)
{
	return json_object_size(a->requests) > 0 || json_object_size(a->missing) > 0 ||
	       a->is_asked_in_vain || a->is_broken;
}

/* Steals 'value'. */
static void put(struct asking *a, json_t **object, const char *key, json_t *value)
{
	if (!*object)
		*object = json_object();
	if (!*object || json_object_size(*object) >= ASK_KEYS_MAX ||
	    json_object_set_nocheck(*object, key, value) != 0)
		a->is_broken = true;
	json_decref(value);
}

/* ---- The sealed word ---- */

bool ask_bind(struct ask_binding *b, const char *principal, const char *client,
	      const char *method, const json_t *params, struct error *err)
{
	/* What may differ between the rounds is not part of what was asked. */
	static const char *const others[] = { "_meta", "inputResponses", "requestState" };
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = params };
	json_auto_t *rest = json_copy(borrowed.out);

	*b = (struct ask_binding){ principal, client, method, "" };
	if (!rest)
		return error_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		(void)json_object_del(rest, others[i]);
	return canonical_digest(rest, b->params, err);
}

bool ask_is_state(const char *word)
{
	return word && strncmp(word, prefix, sizeof prefix - 1) == 0;
}

bool ask_seal(const struct asking *a, const struct ask_binding *b,
	      const struct secret *key, int64_t now_ms, char **ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT, sealed = STRBUF_INIT,
				       word = STRBUF_INIT;

	const json_int_t expires = now_ms + (a->ttl_ms ? a->ttl_ms : ASK_TTL_MS);

	*ret = NULL;
	if (json_object_size(a->answers) == 0 && json_object_size(a->memory) == 0)
		return true;
	json_auto_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:O*, s:O*}", "principal", b->principal,
		"client", b->client, "method", b->method, "params", b->params, "expires",
		expires, "answers", a->answers, "memory", a->memory);
	if (!json)
		return error_oom(err);
	if (!json_write(&bytes, json, err) ||
	    !secret_seal(key, purpose, bytes.data, bytes.length, &sealed, err))
		return false;
	strbuf_add_string(&word, prefix);
	digest_base64url(&word, sealed.data, sealed.length);
	if (word.length > ASK_STATE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the answers so far are too long to go on");
	*ret = strbuf_take(&word);
	return *ret || error_oom(err);
}

static bool is_member(const json_t *json, const char *name, const char *wanted)
{
	const char *found = json_get_string(json, name);

	return found && strcmp(found, wanted) == 0;
}

static json_t *unseal(const char *word, const struct secret *key)
{
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT, bytes = STRBUF_INIT;
	const size_t skip = sizeof prefix - 1;
	struct error ignored = ERROR_INIT;
	size_t length = strnlen(word, ASK_STATE_MAX + 1);

	if (!ask_is_state(word) || length > ASK_STATE_MAX ||
	    !digest_base64url_decode(word + skip, length - skip, &sealed, &ignored) ||
	    !secret_open(key, purpose, sealed.data, sealed.length, &bytes, &ignored))
		return NULL;
	return json_parse(bytes.data, bytes.length, JSON_SYNTAX, &ignored);
}

bool ask_open(struct asking *a, const char *word, const struct ask_binding *b,
	      const struct secret *key, int64_t now_ms, struct error *err)
{
	json_auto_t *json = unseal(word, key);

	if (!json || !is_member(json, "principal", b->principal) ||
	    !is_member(json, "client", b->client) ||
	    !is_member(json, "method", b->method) ||
	    !is_member(json, "params", b->params))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the requestState was altered or belongs to another "
				 "request");
	if (now_ms >= json_get_int64(json, "expires", 0))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the requestState has expired; ask again");
	a->answers = json_incref(json_object_get(json, "answers"));
	a->memory = json_incref(json_object_get(json, "memory"));
	return true;
}

/* ---- Judging answers ---- */

static bool fits(const json_t *schema, const json_t *content)
{
	struct error ignored = ERROR_INIT;
	_cleanup_(schema_freep) struct schema *compiled =
		schema_compile(NULL, schema, NULL, SCHEMA_ASSERT_FORMAT, &ignored);

	return compiled && json_is_object(content) &&
	       schema_validate(compiled, content, NULL);
}

static json_t *judge_elicitation(const json_t *params, const json_t *answer)
{
	const char *action = json_get_string(answer, "action") ?: "";
	const char *mode = json_get_string(params, "mode") ?: "form";
	json_t *content = json_object_get(answer, "content");
	bool is_accept = strcmp(action, "accept") == 0;

	if (!is_accept && strcmp(action, "decline") != 0 && strcmp(action, "cancel") != 0)
		return NULL;
	if (!is_accept || strcmp(mode, "url") == 0)
		return json_pack("{s:s}", "action", action);
	if (!fits(json_object_get(params, "requestedSchema"), content))
		return NULL;
	return json_pack("{s:s, s:O}", "action", action, "content", content);
}

static json_t *judge_sample(const json_t *answer)
{
	json_t *content = json_object_get(answer, "content");
	const char *role = json_get_string(answer, "role") ?: "";

	if ((strcmp(role, "assistant") != 0 && strcmp(role, "user") != 0) ||
	    !json_get_string(answer, "model") ||
	    (!json_is_object(content) && !json_is_array(content)))
		return NULL;
	return json_pack("{s:s, s:s, s:O, s:s*}", "role", role, "model",
			 json_get_string(answer, "model"), "content", content,
			 "stopReason", json_get_string(answer, "stopReason"));
}

static json_t *judge_roots(const json_t *answer)
{
	json_t *roots = json_object_get(answer, "roots");
	const json_t *root;
	size_t i;

	if (!json_is_array(roots))
		return NULL;
	json_array_foreach(roots, i, root)
	{
		const char *uri = json_get_string(root, "uri");

		if (!uri || strncmp(uri, "file://", strlen("file://")) != 0)
			return NULL;
	}
	return json_pack("{s:O}", "roots", roots);
}

json_t *ask_judge(const json_t *request, const json_t *answer)
{
	const char *method = json_get_string(request, "method") ?: "";

	if (!json_is_object(answer))
		return NULL;
	if (strcmp(method, "elicitation/create") == 0)
		return judge_elicitation(json_object_get(request, "params"), answer);
	if (strcmp(method, "sampling/createMessage") == 0)
		return judge_sample(answer);
	return judge_roots(answer);
}

const json_t *ask_answer(struct asking *a, const char *key, const json_t *request)
{
	const json_t *known = json_object_get(a->answers, key);
	json_t *good;

	if (known)
		return known;
	good = ask_judge(request, json_object_get(a->responses, key));
	if (!good)
		return NULL;
	put(a, &a->answers, key, good);
	return json_object_get(a->answers, key);
}

/* ---- What clients can ---- */

static bool may_ask(const json_t *capabilities, enum mcp_question kind)
{
	const json_t *elicitation = json_object_get(capabilities, "elicitation");
	const json_t *sampling = json_object_get(capabilities, "sampling");

	switch (kind) {
	case MCP_ASK_FORM: /* {} means forms */
		return json_is_object(elicitation) &&
		       (json_is_object(json_object_get(elicitation, "form")) ||
			!json_object_get(elicitation, "url"));
	case MCP_ASK_URL:
		return json_is_object(json_object_get(elicitation, "url"));
	case MCP_ASK_SAMPLE:
		return json_is_object(sampling);
	case MCP_ASK_SAMPLE_TOOLS:
		return json_is_object(json_object_get(sampling, "tools"));
	case MCP_ASK_ROOTS:
		return json_is_object(json_object_get(capabilities, "roots"));
	}
	return false;
}

static enum mcp_question kind_of(const json_t *request)
{
	const char *method = json_get_string(request, "method") ?: "";
	const json_t *params = json_object_get(request, "params");

	if (strcmp(method, "elicitation/create") == 0)
		return strcmp(json_get_string(params, "mode") ?: "", "url") == 0
			       ? MCP_ASK_URL
			       : MCP_ASK_FORM;
	if (strcmp(method, "sampling/createMessage") == 0)
		return json_object_get(params, "tools") ? MCP_ASK_SAMPLE_TOOLS
							: MCP_ASK_SAMPLE;
	return MCP_ASK_ROOTS;
}

static void miss(struct asking *a, enum mcp_question kind)
{
	json_t *wanted = kind == MCP_ASK_FORM           ? json_pack("{s:{}}", "form")
			 : kind == MCP_ASK_URL          ? json_pack("{s:{}}", "url")
			 : kind == MCP_ASK_SAMPLE_TOOLS ? json_pack("{s:{}}", "tools")
							: json_object();
	const char *name = kind == MCP_ASK_ROOTS                         ? "roots"
			   : kind == MCP_ASK_FORM || kind == MCP_ASK_URL ? "elicitation"
									 : "sampling";
	json_t *known = json_object_get(a->missing, name);

	if (known) {
		(void)json_object_update(known, wanted);
		json_decref(wanted);
	} else {
		put(a, &a->missing, name, wanted);
	}
}

/* ---- For functions: mcp/tool.h ---- */

bool mcp_call_can_ask(const struct mcp_call *call, enum mcp_question kind)
{
	return call->asking && call->asking->is_allowed &&
	       may_ask(call->asking->capabilities, kind);
}

const json_t *mcp_call_ask(struct mcp_call *call, const char *key, json_t *request)
{
	struct asking *a = call->asking;
	json_auto_t *owned = request;
	const json_t *answer;

	if (!a)
		return NULL;
	if (!owned || !a->is_allowed) {
		a->is_broken |= !owned;
		a->is_asked_in_vain = true;
		return NULL;
	}
	answer = ask_answer(a, key, owned);
	if (answer)
		return answer;
	if (may_ask(a->capabilities, kind_of(owned)))
		put(a, &a->requests, key, TAKE(owned));
	else
		miss(a, kind_of(owned));
	return NULL;
}

void mcp_call_remember(struct mcp_call *call, const char *name, json_t *value)
{
	if (call->asking)
		put(call->asking, &call->asking->memory, name, value);
	else
		json_decref(value);
}

const json_t *mcp_call_recall(const struct mcp_call *call, const char *name)
{
	return call->asking ? json_object_get(call->asking->memory, name) : NULL;
}

json_t *mcp_ask_form(const char *message, json_t *schema)
{
	return json_pack("{s:s, s:{s:s, s:s, s:o}}", "method", "elicitation/create",
			 "params", "mode", "form", "message", message, "requestedSchema",
			 schema);
}

json_t *mcp_ask_url(const char *message, const char *url)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}}", "method", "elicitation/create",
			 "params", "mode", "url", "message", message, "url", url);
}

json_t *mcp_ask_sample(json_t *params)
{
	return json_pack("{s:s, s:o}", "method", "sampling/createMessage", "params",
			 params);
}

json_t *mcp_ask_roots(void)
{
	return json_pack("{s:s, s:{}}", "method", "roots/list", "params");
}
