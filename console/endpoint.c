#include "console/endpoint.h"

#include "base/file.h"
#include "console/gate_link.h"
#include "console/tools.h"

enum { READY_LINE_MAX = 256 * 1024 };

static bool add(json_t *list, const char *name, const json_t *server)
{
	const char *url = json_get_string(server, "url");

	return !name || !url || json_object_set_new(list, name, json_string(url)) == 0;
}

/* What 'wingman up' said when it was ready. */
static bool add_suite(const struct console *c, json_t *list, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "run/suite.json");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *line = NULL;
	const char *name;
	json_t *server;

	if (!path)
		return error_oom(err);
	if (!file_read(path, READY_LINE_MAX, &text, err))
		return false;
	line = json_parse(text.data, text.length, JSON_SYNTAX, err);
	if (!line)
		return false;
	json_object_foreach(json_object_get(line, "servers"), name, server)
	{
		if (!add(list, name, server))
			return error_oom(err);
	}
	return true;
}

static bool add_gate(const struct console *c, json_t *list, struct error *err)
{
	_cleanup_(gate_link_closep) struct gate_link *g = gate_link_open(c->dir, err);
	json_auto_t *servers = g ? tools_fetch(g, NULL, err) : NULL;
	size_t i;
	json_t *server;

	if (!servers)
		return false;
	json_array_foreach(servers, i, server)
	{
		if (!add(list, json_get_string(server, "name"), server))
			return error_oom(err);
	}
	return true;
}

json_t *endpoint_list(const struct console *c, struct error *err)
{
	json_auto_t *list = json_object();
	struct error no_suite = ERROR_INIT;

	if (!list) {
		error_oom(err);
		return NULL;
	}
	if (!add_suite(c, list, &no_suite) && !add_gate(c, list, err))
		return NULL;
	return TAKE(list);
}

char *endpoint_find(const struct console *c, const char *server, struct error *err)
{
	json_auto_t *list = endpoint_list(c, err);
	const char *url = json_get_string(list, server);
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	const char *name;
	json_t *each;
	char *copy;

	if (!list)
		return NULL;
	if (url) {
		copy = strdup(url);
		if (!copy)
			error_oom(err);
		return copy;
	}
	json_object_foreach(list, name, each)
	{
		strbuf_add_format(&names, " %s", name);
	}
	error_set(err, ERR_NOT_FOUND, "there is no server '%s'", server);
	error_hint(err, "there are:%s", names.length ? names.data : " none");
	return NULL;
}
