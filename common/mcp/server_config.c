#include "mcp/server_config.h"

#include <ctype.h>

#include "schemas/schemas.h"
#include "wire/schema.h"

#define SCHEMA_FILE "config.schema.json"

/* The members in the shape of the file, before they become a struct server_config. */
struct raw {
	json_t *listen, *gate, *refuse_emergency, *freed_reads, *freed_resources,
		*freed_resources_for, *freed_prompts, *rights, *oauth, *store, *limits,
		*backend;
	const char *instance, *log_level;
	bool audit_freed_reads, allow_missing_landlock, allow_missing_seccomp;
};

static const struct json_field root_fields[] = {
	{ "listen", JSON_FIELD_OBJECT, offsetof(struct raw, listen), 0 },
	{ "instance", JSON_FIELD_STRING, offsetof(struct raw, instance), 0 },
	{ "gate", JSON_FIELD_OBJECT, offsetof(struct raw, gate), 0 },
	{ "freed_reads", JSON_FIELD_ARRAY, offsetof(struct raw, freed_reads), 0 },
	{ "refuse_emergency", JSON_FIELD_ARRAY, offsetof(struct raw, refuse_emergency),
	  0 },
	{ "freed_resources", JSON_FIELD_ARRAY, offsetof(struct raw, freed_resources), 0 },
	{ "freed_resources_for", JSON_FIELD_ARRAY,
	  offsetof(struct raw, freed_resources_for), 0 },
	{ "freed_prompts", JSON_FIELD_ARRAY, offsetof(struct raw, freed_prompts), 0 },
	{ "audit_freed_reads", JSON_FIELD_BOOL, offsetof(struct raw, audit_freed_reads),
	  0 },
	{ "rights", JSON_FIELD_OBJECT, offsetof(struct raw, rights), 0 },
	{ "oauth", JSON_FIELD_OBJECT, offsetof(struct raw, oauth), 0 },
	{ "store", JSON_FIELD_OBJECT, offsetof(struct raw, store), 0 },
	{ "limits", JSON_FIELD_OBJECT, offsetof(struct raw, limits), 0 },
	{ "log_level", JSON_FIELD_STRING, offsetof(struct raw, log_level), 0 },
	{ "allow_missing_landlock", JSON_FIELD_BOOL,
	  offsetof(struct raw, allow_missing_landlock), 0 },
	{ "allow_missing_seccomp", JSON_FIELD_BOOL,
	  offsetof(struct raw, allow_missing_seccomp), 0 },
	{ "backend", JSON_FIELD_OBJECT, offsetof(struct raw, backend), 0 },
	{ 0 },
};

struct raw_listen {
	const char *address;
	int64_t port;
	json_t *hosts, *origins, *tls;
};

static const struct json_field listen_fields[] = {
	{ "address", JSON_FIELD_STRING, offsetof(struct raw_listen, address), 0 },
	{ "port", JSON_FIELD_INT64, offsetof(struct raw_listen, port), 0 },
	{ "hosts", JSON_FIELD_ARRAY, offsetof(struct raw_listen, hosts), 0 },
	{ "origins", JSON_FIELD_ARRAY, offsetof(struct raw_listen, origins), 0 },
	{ "tls", JSON_FIELD_OBJECT, offsetof(struct raw_listen, tls), 0 },
	{ 0 },
};

static const struct json_field tls_fields[] = {
	{ "certificate", JSON_FIELD_STRING,
	  offsetof(struct server_config, tls_certificate), JSON_FIELD_REQUIRED },
	{ "key", JSON_FIELD_STRING, offsetof(struct server_config, tls_key),
	  JSON_FIELD_REQUIRED },
	{ "client_ca", JSON_FIELD_STRING, offsetof(struct server_config, tls_client_ca),
	  0 },
	{ 0 },
};

static const struct json_field gate_fields[] = {
	{ "url", JSON_FIELD_STRING, offsetof(struct server_config, gate_url),
	  JSON_FIELD_REQUIRED },
	{ "token_file", JSON_FIELD_STRING,
	  offsetof(struct server_config, gate_token_file), 0 },
	{ 0 },
};

/* 'deadline_s' lands in 'deadline_ms' and is multiplied there. */
static const struct json_field limit_fields[] = {
	{ "calls_per_caller", JSON_FIELD_INT64,
	  offsetof(struct server_config, calls_per_caller), 0 },
	{ "plans_per_minute", JSON_FIELD_INT64,
	  offsetof(struct server_config, plans_per_minute), 0 },
	{ "deadline_s", JSON_FIELD_INT64, offsetof(struct server_config, deadline_ms),
	  0 },
	{ "workers", JSON_FIELD_INT64, offsetof(struct server_config, workers), 0 },
	{ "queue", JSON_FIELD_INT64, offsetof(struct server_config, queue), 0 },
	{ "body_bytes", JSON_FIELD_INT64, offsetof(struct server_config, body_bytes), 0 },
	{ "streams_per_caller", JSON_FIELD_INT64,
	  offsetof(struct server_config, streams_per_caller), 0 },
	{ "page_size", JSON_FIELD_INT64, offsetof(struct server_config, page_size), 0 },
	{ 0 },
};

void server_config_done(struct server_config *c)
{
	config_free(c->file);
	*c = (struct server_config){ 0 };
}

/* ---- Judging ---- */

/* What config.schema.json says of 'server', or of any server if it has nothing of this
 * one; the build has put aside what is for other programs (schemas/embed.py). */
static struct schema *compile_schema(const char *server, struct error *err)
{
	char path[sizeof SCHEMA_FILE + 65];

	(void)snprintf(path, sizeof path, SCHEMA_FILE "#%.63s", server);
	const struct schema_file *file = schemas_find(path);
	if (!file)
		file = schemas_find(SCHEMA_FILE "#server");
	json_auto_t *document =
		file ? json_parse(file->text, file->length, JSON_SYNTAX, err) : NULL;
	if (!document) {
		error_set(err, ERR_INTERNAL,
			  "schemas/" SCHEMA_FILE " is not compiled in");
		return NULL;
	}
	return schema_compile(
		NULL, document, NULL,
		SCHEMA_ASSERT_FORMAT | (file->is_proven ? SCHEMA_PROVEN : 0), err);
}

static bool judge(const struct config *file, const char *server, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = compile_schema(server, err);
	struct schema_fault fault;

	if (!schema)
		return false;
	if (schema_validate(schema, config_root(file), &fault))
		return true;
	/* "must be at most 65535" reads well behind the name of what must. */
	return error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s%s%s", config_name(file),
			 config_line(file, fault.instance),
			 fault.instance[0] ? fault.instance + 1 : "",
			 fault.instance[0] ? " " : "", fault.message);
}

/* ---- Decoding ---- */

static void copy_list(const json_t *list, const char *to[static SERVER_HOSTS_MAX + 1])
{
	const json_t *text;
	size_t i;

	json_array_foreach(list, i, text)
	{
		if (i < SERVER_HOSTS_MAX)
			to[i] = json_string_value(text);
	}
}

static bool decode_listen(struct server_config *c, const json_t *listen,
			  struct error *err)
{
	struct raw_listen raw = { .address = c->address, .port = c->port };

	if (listen && !json_decode(listen, listen_fields, &raw, "listen", err))
		return false;
	if (raw.tls && !json_decode(raw.tls, tls_fields, c, "listen/tls", err))
		return false;
	c->address = raw.address;
	c->port = raw.port;
	copy_list(raw.hosts, c->hosts);
	copy_list(raw.origins, c->origins);
	return true;
}

static bool decode(struct server_config *c, struct error *err)
{
	struct raw raw = { .instance = c->instance, .audit_freed_reads = true };

	if (!json_decode(config_root(c->file), root_fields, &raw, config_name(c->file),
			 err) ||
	    !decode_listen(c, raw.listen, err) ||
	    (raw.gate && !json_decode(raw.gate, gate_fields, c, "gate", err)))
		return false;
	c->deadline_ms = 30;
	if (raw.limits && !json_decode(raw.limits, limit_fields, c, "limits", err))
		return false;
	c->deadline_ms *= 1000;
	if (raw.oauth && !oauth_config_decode(&c->oauth, c->file, raw.oauth, err))
		return false;
	coord_config_decode(&c->store, raw.store);
	c->instance = raw.instance;
	c->refuse_emergency = raw.refuse_emergency;
	c->freed_reads = raw.freed_reads;
	c->freed_resources = raw.freed_resources;
	c->freed_resources_for = raw.freed_resources_for;
	c->freed_prompts = raw.freed_prompts;
	c->audit_freed_reads = raw.audit_freed_reads;
	c->rights = raw.rights;
	c->backend = raw.backend;
	c->allow_missing_landlock = raw.allow_missing_landlock;
	c->allow_missing_seccomp = raw.allow_missing_seccomp;
	return !raw.log_level || log_level_parse(raw.log_level, &c->log_level) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "%s: no such log_level",
			 config_name(c->file));
}

static bool override_port(struct server_config *c, const char *server, struct error *err)
{
	char name[64] = "WINGMAN_";
	size_t at = strlen(name);

	for (; *server && at < sizeof name - sizeof "_PORT"; server++)
		name[at++] = (char)toupper((unsigned char)*server);
	memcpy(name + at, "_PORT", sizeof "_PORT");
	const char *text = getenv(name);
	if (!text)
		return true;
	char *end;
	long port = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || port > 65535)
		return error_set(err, ERR_INVALID_ARGUMENT, "$%s is no port", name);
	c->port = port;
	return true;
}

static bool override(struct server_config *c, const char *server, struct error *err)
{
	const char *level = getenv("WINGMAN_LOG_LEVEL");

	if (level && !log_level_parse(level, &c->log_level))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "$WINGMAN_LOG_LEVEL must be debug, info, warn or error");
	return override_port(c, server, err);
}

/* Takes 'file'. */
static bool fill(struct server_config *c, const char *server, struct config *file,
		 struct error *err)
{
	struct server_config made = {
		.file = file,
		.address = "127.0.0.1",
		.instance = server,
		.calls_per_caller = 16,
		.plans_per_minute = 60,
		.workers = 32,
		.queue = 256,
		.body_bytes = 1024 * 1024,
		.page_size = 100,
		.streams_per_caller = 64,
		.log_level = LOG_INFO,
	};

	if (!judge(file, server, err) || !decode(&made, err) ||
	    !override(&made, server, err)) {
		server_config_done(&made);
		return false;
	}
	*c = made;
	return true;
}

bool server_config_parse(struct server_config *c, const char *server, const char *name,
			 const char *text, size_t length, struct error *err)
{
	struct config *file = config_parse(name, text, length, err);

	return file && fill(c, server, file, err);
}

bool server_config_read(struct server_config *c, const char *server, const char *path,
			struct error *err)
{
	struct error why = ERROR_INIT;
	struct config *file = config_read(path, &why);

	if (!file && why.code == ERR_NOT_FOUND) {
		error_clear(&why);
		file = config_parse(path, "{}", 2, &why);
	}
	if (!file)
		return error_set(err, why.code, "%s", why.message);
	return fill(c, server, file, err);
}

bool server_config_frees_for(const struct server_config *c, const char *principal)
{
	const json_t *one;
	size_t i;

	json_array_foreach(c->freed_resources_for, i, one)
	{
		if (strcmp(json_string_value(one) ?: "", principal) == 0)
			return true;
	}
	return !c->freed_resources_for;
}

bool server_config_allows(const struct server_config *c, const char *principal,
			  const char *right)
{
	const json_t *rights, *one;
	size_t i;

	if (!c->rights)
		return true;
	rights = json_object_get(c->rights, principal);
	if (!rights)
		rights = json_object_get(c->rights, "*");
	json_array_foreach(rights, i, one)
	{
		if (strcmp(json_string_value(one) ?: "", right) == 0)
			return true;
	}
	return false;
}
