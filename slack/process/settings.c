#include "slack/process/settings.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "schemas/schemas.h"
#include "wire/schema.h"

void front_settings_done(struct front_settings *s)
{
	for (size_t i = 0; i < s->secret_count; i++)
		secret_free(s->secrets[i]);
	config_free(s->file);
	*s = (struct front_settings){ 0 };
}

/* --- judging --- */

static struct schema *compile(struct error *err)
{
	const struct schema_file *file = schemas_find("config.schema.json");
	json_auto_t *document =
		file ? json_parse(file->text, file->length, JSON_SYNTAX, err) : NULL;

	if (!document) {
		error_set(err, ERR_INTERNAL,
			  "this program was built without config.schema.json");
		return NULL;
	}
	if (json_object_set_new(document, "$ref", json_string("#/$defs/slack")) != 0) {
		error_oom(err);
		return NULL;
	}
	return schema_compile(NULL, document, NULL, SCHEMA_ASSERT_FORMAT, err);
}

static struct config *read_checked(const char *path, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = compile(err);
	_cleanup_(config_freep) struct config *c = schema ? config_read(path, err) : NULL;
	struct schema_fault fault;

	if (!c || schema_validate(schema, config_root(c), &fault))
		return TAKE(c);
	error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s%s%s %s", config_name(c),
		  config_line(c, fault.instance),
		  fault.instance[0] ? fault.instance + 1 : "this",
		  fault.member[0] ? ", " : "", fault.member, fault.message);
	return NULL;
}

/* --- decoding --- */

/* The schema has seen to how many there are. */
static size_t texts(const char **to, size_t max, const json_t *list)
{
	size_t count = 0;

	while (count < max && count < json_array_size(list)) {
		to[count] = json_string_value(json_array_get(list, count));
		count++;
	}
	return count;
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static enum front_telling telling_of(const char *word)
{
	if (word && strcmp(word, "direct") == 0)
		return FRONT_TELL_DIRECT;
	return word && strcmp(word, "no") == 0 ? FRONT_TELL_NO : FRONT_TELL_THREAD;
}

/* Slack has a host of its own for what is said without a token; a double on this machine, which
 * the API may be for tests alone, takes it as well. */
static void decode_responses(struct front_settings *s, const char *url)
{
	static const char gov[] = "https://slack-gov.com/";
	static const char loopback[] = "http://";
	const char *host, *path;

	(void)snprintf(s->responses, sizeof s->responses, "https://hooks.slack.com/");
	if (url && strncmp(url, gov, sizeof gov - 1) == 0)
		(void)snprintf(s->responses, sizeof s->responses,
			       "https://hooks.slack-gov.com/");
	if (!url || strncmp(url, loopback, sizeof loopback - 1) != 0)
		return;
	host = url + sizeof loopback - 1;
	path = host + strcspn(host, "/");
	/* Too long for a loopback address: then nothing is answered so. */
	if (snprintf(s->responses, sizeof s->responses, "%.*s/", (int)(path - url),
		     url) >= (int)sizeof s->responses)
		s->responses[0] = '\0';
}

static void decode(struct front_settings *s, const json_t *root)
{
	const json_t *listen = json_object_get(root, "listen");
	const json_t *socket = json_object_get(root, "socket");
	const char *level = json_get_string(root, "log_level");

	s->app = json_get_string(root, "app");
	s->command = or_else(json_get_string(root, "command"), "/wingman");
	s->team_count =
		texts(s->teams, ARRAY_SIZE(s->teams), json_object_get(root, "teams"));
	s->api = json_object_get(root, "api");
	decode_responses(s, json_get_string(s->api, "url"));
	s->listens = listen != NULL;
	s->app_token_file = json_get_string(socket, "token_file");
	s->connections = (unsigned)json_get_int64(socket, "connections", 0);
	s->address = or_else(json_get_string(listen, "address"), "127.0.0.1");
	s->port = (uint16_t)json_get_int64(listen, "port", 0);
	(void)texts(s->hosts, FRONT_HOSTS_MAX, json_object_get(listen, "hosts"));
	s->usergroup = json_get_string(root, "usergroup");
	s->telling = telling_of(json_get_string(root, "tell_approvers"));
	s->link_hosts = json_object_get(root, "link_hosts");
	s->shortcuts = json_object_get(root, "shortcuts");
	s->panels = json_object_get(root, "panels");
	s->thread_history = json_is_true(json_object_get(root, "thread_history"));
	coord_config_decode(&s->store, json_object_get(root, "store"));
	s->log_level = LOG_INFO;
	if (level)
		(void)log_level_parse(level, &s->log_level);
	s->allow_missing_landlock =
		json_is_true(json_object_get(root, "allow_missing_landlock"));
	s->allow_missing_seccomp =
		json_is_true(json_object_get(root, "allow_missing_seccomp"));
}

/* --- secrets --- */

/* systemd's word for where they are; of an absolute path or none. */
static struct secret *read_secret(const char *name, const struct statedir *dir,
				  struct error *err)
{
	_cleanup_(secret_freep) struct secret *one = statedir_secret(dir, name, err);

	if (one && secret_length(one) > SLACK_SECRET_BYTES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the signing secret in '%s' is too long", name);
		return NULL;
	}
	return TAKE(one);
}

/* The file of the secret that comes or goes need not be there; one must be. */
static bool read_secrets(struct front_settings *s, const struct statedir *dir,
			 struct error *err)
{
	const json_t *names = json_object_get(config_root(s->file), "signing_secrets");
	struct error why = ERROR_INIT;
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		struct secret *one = read_secret(json_string_value(name), dir, &why);

		if (one && s->secret_count < SLACK_SECRETS_MAX)
			s->secrets[s->secret_count++] = one;
		else
			secret_free(one);
	}
	return !s->listens || s->secret_count > 0 ||
	       error_set(err, ERR_INTERNAL, "Slack's signing secret cannot be read: %s",
			 why.message);
}

bool front_settings_read(struct front_settings *ret, const struct statedir *dir,
			 const char *name, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(dir, "config/%s.yaml", name);
	struct config *file = path ? read_checked(path, err) : NULL;

	if (!path)
		return error_oom(err);
	if (!file)
		return false;
	*ret = (struct front_settings){ .file = file };
	decode(ret, config_root(file));
	if (!ret->listens && !ret->app_token_file)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "%s: nothing can come from Slack: there is neither "
				 "'listen' nor 'socket'",
				 config_name(file));
	return read_secrets(ret, dir, err);
}

bool front_settings_check(const struct front_settings *s, const struct slack_evidence *e,
			  struct error *err)
{
	return slack_signature_check(e, (const struct secret *const *)s->secrets,
				     s->secret_count, clock_wall_ms() / 1000, err);
}
