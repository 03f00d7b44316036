#include "console/endpoint.h"

#include <unistd.h>

#include "base/config.h"
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

/* ---- Trust ---- */

/* The file that a member names, if we may read it; new string. */
static char *readable(const struct console *c, const json_t *tls, const char *member)
{
	const char *name = json_get_string(tls, member);
	_cleanup_free_ char *path = name ? statedir_file(c->dir, name) : NULL;

	return path && access(path, R_OK) == 0 ? TAKE(path) : NULL;
}

static struct http_tls *read_tls(const struct console *c, const json_t *tls,
				 struct error *err)
{
	_cleanup_free_ char *ca = readable(c, tls, "ca");
	_cleanup_free_ char *cert = readable(c, tls, "certificate");
	_cleanup_free_ char *key = readable(c, tls, "key");
	bool has_own = cert && key;

	return http_tls_read(ca, has_own ? cert : NULL, has_own ? key : NULL, err);
}

struct http_client *endpoint_http(const struct console *c, const char *agent,
				  struct error *err)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "config/gate.yaml");
	struct error unread = ERROR_INIT;
	_cleanup_(config_freep) struct config *config = path ? config_read(path, &unread)
							     : NULL;
	const json_t *tls = config ? json_object_get(config_root(config), "tls") : NULL;
	_cleanup_(http_client_freep) struct http_client *http =
		http_client_new(agent, err);
	struct http_tls *trust = http && tls ? read_tls(c, tls, err) : NULL;

	if (!http || (tls && !trust))
		return NULL;
	if (trust)
		http_client_use_tls(http, trust);
	return TAKE(http);
}
