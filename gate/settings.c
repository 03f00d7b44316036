#include "gate/settings.h"

#include "base/file.h"
#include "schemas/schemas.h"
#include "wire/schema.h"

struct settings_reader {
	const struct statedir *dir;
	struct schema *gate, *policy;
};

void settings_reader_free(struct settings_reader *r)
{
	if (!r)
		return;
	schema_free(r->gate);
	schema_free(r->policy);
	free(r);
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	policy_free(s->policy);
	membership_done(&s->membership);
	json_decref(s->store_json);
	free(s);
}

/* 'def' NULL: the whole document; else its definition of that name. */
static struct schema *compile(const char *path, const char *def, struct error *err)
{
	const struct schema_file *file = schemas_find(path);
	json_auto_t *document = NULL;
	char ref[64];

	if (!file) {
		error_set(err, ERR_INTERNAL, "this program was built without schemas/%s",
			  path);
		return NULL;
	}
	document = json_parse(file->text, file->length, JSON_SYNTAX, err);
	if (!document)
		return NULL;
	if (def) {
		(void)snprintf(ref, sizeof ref, "#/$defs/%s", def);
		if (json_object_set_new(document, "$ref", json_string(ref)) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return schema_compile(NULL, document, NULL, SCHEMA_ASSERT_FORMAT, err);
}

struct settings_reader *settings_reader_new(const struct statedir *dir, struct error *err)
{
	_cleanup_(settings_reader_freep) struct settings_reader *r = calloc(1, sizeof *r);

	if (!r) {
		error_oom(err);
		return NULL;
	}
	r->dir = dir;
	r->gate = compile("config.schema.json", "gate", err);
	r->policy = r->gate ? compile("policy.schema.json", NULL, err) : NULL;
	return r->policy ? TAKE(r) : NULL;
}

static struct config *read_checked(const char *path, const struct schema *schema,
				   struct error *err)
{
	_cleanup_(config_freep) struct config *c = config_read(path, err);
	struct schema_fault fault;

	if (!c)
		return NULL;
	if (schema_validate(schema, config_root(c), &fault))
		return TAKE(c);
	error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s%s%s %s", config_name(c),
		  config_line(c, fault.instance),
		  fault.instance[0] ? fault.instance + 1 : "this",
		  fault.member[0] ? ", " : "", fault.member, fault.message);
	return NULL;
}

/* --- decoding --- */

/* What people are shown and what is pinned is the whole URL, port included. */
static bool check_url(const struct settings_server *s, struct error *err)
{
	const char *host = strstr(s->url, "://");

	host = host ? host + 3 : "";
	if (strcspn(host, ":/?#") == 0 || memchr(host, '@', strcspn(host, "/?#")))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the url of server '%s' names no plain host", s->name);
	return true;
}

static bool read_servers(struct settings *s, const json_t *list, struct error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry)
	{
		struct settings_server *one = &s->servers[s->server_count];
		const char *name = json_get_string(entry, "name");
		const char *url = json_get_string(entry, "url");
		const char *instance = json_get_string(entry, "instance");

		if (i >= SETTINGS_SERVERS_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "more than %d servers", SETTINGS_SERVERS_MAX);
		if (!name || !name_is_server(name) || strcmp(name, "gate") == 0)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is no name for a server",
					 name ? name : "?");
		if (settings_find_server(s, name))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "two servers are called '%s'", name);
		if (!url || strlen(url) > SETTINGS_URL_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the url of server '%s' is missing or too long",
					 name);
		(void)snprintf(one->name, sizeof one->name, "%s", name);
		(void)snprintf(one->url, sizeof one->url, "%s", url);
		(void)snprintf(one->instance, sizeof one->instance, "%s",
			       instance ? instance : name);
		if (!check_url(one, err))
			return false;
		s->server_count++;
	}
	return true;
}

/* The schema has seen to its length. */
static void read_file_name(char ret[static SETTINGS_FILE_MAX + 1], const json_t *tls,
			   const char *member)
{
	const char *name = json_get_string(tls, member);

	(void)snprintf(ret, SETTINGS_FILE_MAX + 1, "%s", name ? name : "");
}

static void read_tls(struct settings *s, const json_t *tls)
{
	read_file_name(s->tls_ca, tls, "ca");
	read_file_name(s->tls_certificate, tls, "certificate");
	read_file_name(s->tls_key, tls, "key");
}

static void read_emergency(struct settings *s, const json_t *root)
{
	const char *probe = json_get_string(json_object_get(root, "emergency"), "probe");
	const json_t *by_console = json_object_get(root, "yes_by_console");

	(void)snprintf(s->emergency_probe, sizeof s->emergency_probe, "%s",
		       probe ? probe : "");
	s->no_yes_by_console = by_console && !json_is_true(by_console);
}

static void read_plain(struct settings *s, const json_t *root)
{
	const json_t *listen = json_object_get(root, "listen");
	const json_t *limits = json_object_get(root, "limits");
	const char *address = json_get_string(listen, "address");
	const char *level = json_get_string(root, "log_level");

	(void)snprintf(s->listen_address, sizeof s->listen_address, "%s",
		       address ? address : "127.0.0.1");
	(void)snprintf(s->page_url, sizeof s->page_url, "%s",
		       json_get_string(listen, "url") ?: "");
	s->listen_port = (uint16_t)json_get_int64(listen, "port", 0);
	s->proposals_at_once = json_get_int64(limits, "proposals_at_once", 20);
	s->proposals_per_minute = json_get_int64(limits, "proposals_per_minute", 30);
	s->open_per_person = json_get_int64(limits, "open_per_person", 20);
	s->open = json_get_int64(limits, "open", 1000);
	s->denials = json_get_int64(limits, "denials", 5);
	s->log_level = LOG_INFO;
	if (level)
		(void)log_level_parse(level, &s->log_level);
	s->allow_missing_landlock =
		json_is_true(json_object_get(root, "allow_missing_landlock"));
	s->allow_missing_seccomp =
		json_is_true(json_object_get(root, "allow_missing_seccomp"));
}

/* A policy that is named must be there: a file that went missing frees nobody. */
static bool read_policy(const struct settings_reader *r, struct settings *s,
			const json_t *root, struct error *err)
{
	const char *named = json_get_string(root, "policy");
	_cleanup_free_ char *path =
		statedir_path(r->dir, "%s", named ? named : "config/policy.yaml");
	_cleanup_(config_freep) struct config *file = NULL;

	if (!path)
		return error_oom(err);
	if (named || file_exists(path)) {
		file = read_checked(path, r->policy, err);
		if (!file)
			return false;
	}
	s->policy = policy_new(json_object_get(root, "persons"),
			       json_object_get(root, "team"), file, err);
	return s->policy != NULL;
}

static bool check_context(const struct settings *s, struct error *err)
{
	for (size_t i = 0; i < s->context.count; i++)
		if (!settings_find_server(s, s->context.templates[i].server))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "context names the server '%s', which there is "
					 "not",
					 s->context.templates[i].server);
	return true;
}

struct settings *settings_read(const struct settings_reader *r, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(r->dir, "config/gate.yaml");
	_cleanup_(settings_freep) struct settings *s = calloc(1, sizeof *s);
	_cleanup_(config_freep) struct config *c = NULL;
	struct error why = ERROR_INIT;

	if (!path || !s) {
		error_oom(err);
		return NULL;
	}
	c = read_checked(path, r->gate, err);
	if (!c)
		return NULL;
	read_plain(s, config_root(c));
	read_emergency(s, config_root(c));
	read_tls(s, json_object_get(config_root(c), "tls"));
	s->store_json = json_incref(json_object_get(config_root(c), "store"));
	coord_config_decode(&s->store, s->store_json);
	slack_settings_decode(&s->slack, json_object_get(config_root(c), "slack"));
	if (!read_servers(s, json_object_get(config_root(c), "servers"), &why) ||
	    !read_policy(r, s, config_root(c), &why) ||
	    !slack_settings_check(&s->slack, s->policy, &why) ||
	    !membership_decode(&s->membership, config_root(c), &s->slack, &why) ||
	    !membership_check(&s->membership, s->policy, &why) ||
	    !context_settings_decode(&s->context,
				     json_object_get(config_root(c), "context"), &why) ||
	    !check_context(s, &why)) {
		error_set(err, why.code, "%s: %s", config_name(c), why.message);
		return NULL;
	}
	/* Closed, until somebody who has asked opens it. */
	if (membership_has_door(&s->membership))
		policy_narrow(s->policy, NULL, membership_name(&s->membership));
	return TAKE(s);
}

struct policy *settings_fresh_policy(const struct settings_reader *r, struct error *err)
{
	struct error why = ERROR_INIT;
	_cleanup_(settings_freep) struct settings *s = settings_read(r, &why);

	if (!s) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "nobody's membership is known, so nothing is approved: %s",
			  why.message);
		return NULL;
	}
	return TAKE(s->policy);
}

const struct settings_server *settings_find_server(const struct settings *s,
						   const char *name)
{
	for (size_t i = 0; i < s->server_count; i++)
		if (strcmp(s->servers[i].name, name) == 0)
			return &s->servers[i];
	return NULL;
}
