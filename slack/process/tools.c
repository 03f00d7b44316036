#include "slack/process/tools.h"

#include "base/canonical.h"

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

json_t *tools_find(struct front *f, const char *name, struct error *err)
{
	const char *dot = strchr(name, '.');
	_cleanup_free_ char *server = dot ? strndup(name, (size_t)(dot - name)) : NULL;
	json_auto_t *servers = server && *server ? tools_servers(f, server, err) : NULL;
	json_t *first = json_array_get(servers, 0), *tool;
	size_t i;

	if (!servers && error_is_set(err))
		return NULL;
	json_array_foreach(json_object_get(first, "tools"), i, tool)
	{
		const char *is = json_get_string(tool, "name");

		if (is && strcmp(is, dot + 1) == 0)
			return whole(first, tool, name, err);
	}
	error_set(err, ERR_NOT_FOUND, "there is no tool '%.100s'", name);
	error_hint(err, "a tool is named server.tool: /wingman tools lists them");
	return NULL;
}
