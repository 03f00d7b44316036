#include "slack/process/tools.h"

#include "base/canonical.h"
#include "slack/text/near.h"

static const char meta_risk[] = "org.wingman/risk";

static const char *risk_of(const json_t *tool)
{
	const char *risk = json_get_string(json_object_get(tool, "_meta"), meta_risk);

	return risk ? risk : "not known";
}

static bool add_risks(json_t *server, struct error *err)
{
	size_t i;
	json_t *tool;

	json_array_foreach(json_object_get(server, "tools"), i, tool)
	{
		if (json_object_set_new(tool, "risk", json_string(risk_of(tool))) != 0)
			return error_oom(err);
	}
	return true;
}

static json_t *ask(struct front *f, const char *server, const char *as,
		   json_t **ret_rights, struct error *err)
{
	json_auto_t *members = json_object();
	json_auto_t *reply = NULL;
	json_t *servers, *one;
	size_t i;

	if (!json_put_string(members, "server", server) ||
	    !json_put_string(members, "as", as)) {
		error_oom(err);
		return NULL;
	}
	reply = gate_ask_for(f->gate, MSG_TOOLS, TAKE(members), GATE_QUICK_MS, NULL, err);
	servers = json_object_get(reply, "servers");
	if (!reply)
		return NULL;
	json_array_foreach(servers, i, one)
	{
		if (!add_risks(one, err))
			return NULL;
	}
	if (ret_rights)
		*ret_rights = json_incref(json_object_get(reply, "rights"));
	return json_incref(servers);
}

json_t *tools_servers(struct front *f, const char *server, struct error *err)
{
	return ask(f, server, NULL, NULL, err);
}

json_t *tools_servers_as(struct front *f, const char *principal, json_t **ret_rights,
			 struct error *err)
{
	return ask(f, NULL, principal, ret_rights, err);
}

static json_t *whole(const json_t *server, json_t *tool, const char *name,
		     struct error *err)
{
	json_auto_t *found = json_copy(tool);
	char digest[DIGEST_HEX_BYTES];

	/* 'risk' is ours, beside what the server says. */
	(void)json_object_del(found, "risk");
	if (!found || !canonical_digest(found, digest, err))
		return NULL;
	if (json_object_set_new(found, "risk", json_string(risk_of(tool))) != 0 ||
	    json_object_set_new(found, "name", json_string(name)) != 0 ||
	    json_object_set_new(found, "digest", json_string(digest)) != 0 ||
	    json_object_set(found, "address", json_object_get(server, "url")) != 0) {
		error_oom(err);
		return NULL;
	}
	return TAKE(found);
}

/* --- what may have been meant --- */

/* "accounts.block_account", and what is said without its server. */
static void try_tools(struct near *n, const json_t *server)
{
	const char *own = json_get_string(server, "name");
	char whole[NEAR_BYTES];
	size_t i;
	json_t *tool;

	json_array_foreach(json_object_get(server, "tools"), i, tool)
	{
		const char *name = json_get_string(tool, "name");
		struct near alone = NEAR_OF(n->typed);

		if (!own || !name ||
		    snprintf(whole, sizeof whole, "%s.%s", own, name) >= NEAR_BYTES)
			continue;
		near_try(n, whole);
		near_try(&alone, name);
		if (near_best(&alone) &&
		    (!near_best(n) || alone.distance < n->distance)) {
			n->distance = alone.distance;
			(void)snprintf(n->best, sizeof n->best, "%s", whole);
		}
	}
}

bool tools_suggest(struct front *f, const char *typed, bool is_server, struct error *err)
{
	struct near n = NEAR_OF(typed);
	struct error ignored = ERROR_INIT;
	const struct error found = *err;
	json_auto_t *servers = NULL;
	size_t i;
	json_t *one;

	if (err->code != ERR_NOT_FOUND)
		return false;
	servers = tools_servers(f, NULL, &ignored);
	json_array_foreach(servers, i, one)
	{
		const char *name = json_get_string(one, "name");

		if (!is_server)
			try_tools(&n, one);
		else if (name)
			near_try(&n, name);
	}
	if (!near_best(&n))
		return false;
	/* In place of the hint that there may be. */
	error_clear(err);
	error_set(err, found.code, "%s", found.message);
	return error_hint(err, "did you mean %s?", near_best(&n));
}

json_t *tools_find(struct front *f, const char *name, struct error *err)
{
	const char *dot = strchr(name, '.');
	_cleanup_free_ char *server = dot ? strndup(name, (size_t)(dot - name)) : NULL;
	json_auto_t *servers = server && *server ? tools_servers(f, server, err) : NULL;
	json_t *first = json_array_get(servers, 0), *tool;
	size_t i;

	if (!servers && error_is_set(err)) {
		(void)tools_suggest(f, name, false, err);
		return NULL;
	}
	json_array_foreach(json_object_get(first, "tools"), i, tool)
	{
		const char *is = json_get_string(tool, "name");

		if (dot && is && strcmp(is, dot + 1) == 0)
			return whole(first, tool, name, err);
	}
	error_set(err, ERR_NOT_FOUND, "there is no tool '%.100s'", name);
	(void)tools_suggest(f, name, false, err);
	error_hint(err, "a tool is named server.tool: /wingman tools lists them");
	return NULL;
}
