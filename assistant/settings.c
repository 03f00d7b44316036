#include "assistant/settings.h"

#include <string.h>

static const char *const providers[] = { "anthropic", "openai", "bedrock" };
_Static_assert(ARRAY_SIZE(providers) == ASSISTANT_PROVIDER_COUNT, "each has a name");

const char *assistant_provider_name(enum assistant_provider p)
{
	return p < ASSISTANT_PROVIDER_COUNT ? providers[p] : "?";
}

enum assistant_provider assistant_provider_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
		if (strcmp(providers[i], name) == 0)
			return (enum assistant_provider)i;
	return ASSISTANT_PROVIDER_COUNT;
}

/* ---- pieces ---- */

/* 'text' NULL leaves what is there. */
static bool take_text(const char *text, char *ret, size_t max, const char *name,
		      struct error *err)
{
	if (!text)
		return true;
	if (!*text || strlen(text) > max)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%s' must have 1 to %zu bytes", name, max);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' holds a control character", name);
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

struct range {
	const char *name;
	const int64_t *value;
	int64_t min, max;
};

static bool check_ranges(const struct range *ranges, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (*ranges[i].value < ranges[i].min || *ranges[i].value > ranges[i].max)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' must be %lld to %lld", ranges[i].name,
					 (long long)ranges[i].min,
					 (long long)ranges[i].max);
	return true;
}

static bool read_secret(const char *text, const char *name, struct assistant_secret *ret,
			struct error *err)
{
	static const char *const named[] = { "env:", "credential:" };

	if (!take_text(text, ret->from, ASSISTANT_FILE_MAX, name, err))
		return false;
	for (size_t i = 0; text && i < ARRAY_SIZE(named); i++) {
		size_t length = strlen(named[i]);

		if (strncmp(text, named[i], length) == 0 &&
		    (!text[length] || strchr(text + length, '/') ||
		     strchr(text + length, '=')))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' must name what comes after '%s'", name,
					 named[i]);
	}
	return true;
}

/* ---- limits of a turn ---- */

#define LIMIT(name)                                                                      \
	{                                                                                \
#name, JSON_FIELD_INT64, offsetof(struct assistant_limits, name), 0      \
	}
static const struct json_field limit_fields[] = {
	LIMIT(seconds), LIMIT(requests),   LIMIT(proposals),
	LIMIT(reads),   LIMIT(text_bytes), LIMIT(tokens),
	{ 0 },
};

static bool check_limits(const struct assistant_limits *l, struct error *err)
{
	const struct range ranges[] = {
		{ "seconds", &l->seconds, 1, ASSISTANT_SECONDS_MAX },
		{ "requests", &l->requests, 1, ASSISTANT_REQUESTS_MAX },
		{ "proposals", &l->proposals, 0, ASSISTANT_PROPOSALS_MAX },
		{ "reads", &l->reads, 0, ASSISTANT_READS_MAX },
		{ "text_bytes", &l->text_bytes, 1, ASSISTANT_TURN_TEXT_MAX },
		{ "tokens", &l->tokens, 1, ASSISTANT_TOKENS_MAX },
	};

	return check_ranges(ranges, ARRAY_SIZE(ranges), err);
}

bool assistant_limits_decode(const json_t *object, struct assistant_limits *ret,
			     struct error *err)
{
	struct assistant_limits l = { -1, -1, -1, -1, -1, -1 };

	if (!json_decode(object, limit_fields, &l, "'limits'", err) ||
	    !check_limits(&l, err))
		return false;
	*ret = l;
	return true;
}

json_t *assistant_limits_json(const struct assistant_limits *l)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "seconds",
			 (json_int_t)l->seconds, "requests", (json_int_t)l->requests,
			 "proposals", (json_int_t)l->proposals, "reads",
			 (json_int_t)l->reads, "text_bytes", (json_int_t)l->text_bytes,
			 "tokens", (json_int_t)l->tokens);
}

/* ---- the file ---- */

struct file {
	const char *provider, *model, *url, *ca_file, *region, *log_level, *key,
		*access_key_id, *session_token;
	json_t *turn, *budget, *memory, *egress;
	bool stream, cache, old_max_tokens, allow_missing_landlock, allow_missing_seccomp;
	int64_t max_output_tokens;
};

#define AT(member) offsetof(struct file, member)
static const struct json_field file_fields[] = {
	{ "provider", JSON_FIELD_STRING, AT(provider), JSON_FIELD_REQUIRED },
	{ "model", JSON_FIELD_STRING, AT(model), JSON_FIELD_REQUIRED },
	{ "url", JSON_FIELD_STRING, AT(url), 0 },
	{ "ca_file", JSON_FIELD_STRING, AT(ca_file), 0 },
	{ "region", JSON_FIELD_STRING, AT(region), 0 },
	{ "key", JSON_FIELD_STRING, AT(key), 0 },
	{ "access_key_id", JSON_FIELD_STRING, AT(access_key_id), 0 },
	{ "session_token", JSON_FIELD_STRING, AT(session_token), 0 },
	{ "stream", JSON_FIELD_BOOL, AT(stream), 0 },
	{ "cache", JSON_FIELD_BOOL, AT(cache), 0 },
	{ "old_max_tokens", JSON_FIELD_BOOL, AT(old_max_tokens), 0 },
	{ "max_output_tokens", JSON_FIELD_INT64, AT(max_output_tokens), 0 },
	{ "turn", JSON_FIELD_OBJECT, AT(turn), 0 },
	{ "budget", JSON_FIELD_OBJECT, AT(budget), 0 },
	{ "memory", JSON_FIELD_OBJECT, AT(memory), 0 },
	{ "egress", JSON_FIELD_OBJECT, AT(egress), 0 },
	{ "log_level", JSON_FIELD_STRING, AT(log_level), 0 },
	{ "allow_missing_landlock", JSON_FIELD_BOOL, AT(allow_missing_landlock), 0 },
	{ "allow_missing_seccomp", JSON_FIELD_BOOL, AT(allow_missing_seccomp), 0 },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct assistant_settings, member)
static const struct json_field budget_fields[] = {
	{ "tokens_per_day", JSON_FIELD_INT64, AT(tokens_per_day), 0 },
	{ "tokens_per_person_per_day", JSON_FIELD_INT64, AT(tokens_per_person_per_day),
	  0 },
	{ 0 },
};
static const struct json_field memory_fields[] = {
	{ "hours", JSON_FIELD_INT64, AT(memory_hours), 0 },
	{ "conversations", JSON_FIELD_INT64, AT(memory_conversations), 0 },
	{ 0 },
};
static const struct json_field egress_fields[] = {
	{ "requests_per_minute", JSON_FIELD_INT64, AT(requests_per_minute), 0 },
	{ "at_once", JSON_FIELD_INT64, AT(at_once), 0 },
	{ "tries", JSON_FIELD_INT64, AT(tries), 0 },
	{ "first_byte_s", JSON_FIELD_INT64, AT(first_byte_s), 0 },
	{ "idle_s", JSON_FIELD_INT64, AT(idle_s), 0 },
	{ "whole_s", JSON_FIELD_INT64, AT(whole_s), 0 },
	{ 0 },
};
#undef AT

static const struct assistant_settings defaults = {
	.stream = true,
	.cache = true,
	.max_output = 4096,
	.turn = { .seconds = 300,
		  .requests = 16,
		  .proposals = 8,
		  .reads = 16,
		  .text_bytes = 64 * 1024,
		  .tokens = 400 * 1000 },
	.tokens_per_day = 10 * 1000 * 1000,
	.tokens_per_person_per_day = 2 * 1000 * 1000,
	.memory_hours = 7 * 24,
	.memory_conversations = 500,
	.requests_per_minute = 60,
	.at_once = 4,
	.tries = 4,
	.first_byte_s = 60,
	.idle_s = 60,
	.whole_s = 600,
	.log_level = LOG_INFO,
};

static bool check_numbers(const struct assistant_settings *s, struct error *err)
{
	const struct range ranges[] = {
		{ "max_output_tokens", &s->max_output, 16, ASSISTANT_OUTPUT_MAX },
		{ "tokens_per_day", &s->tokens_per_day, 0, JSON_INTEGER_MAX },
		{ "tokens_per_person_per_day", &s->tokens_per_person_per_day, 0,
		  JSON_INTEGER_MAX },
		{ "hours", &s->memory_hours, 0, 90 * 24 },
		{ "conversations", &s->memory_conversations, 1, 5000 },
		{ "requests_per_minute", &s->requests_per_minute, 1, 10000 },
		{ "at_once", &s->at_once, 1, 32 },
		{ "tries", &s->tries, 1, 10 },
		{ "first_byte_s", &s->first_byte_s, 1, 600 },
		{ "idle_s", &s->idle_s, 1, 600 },
		{ "whole_s", &s->whole_s, 1, 3600 },
	};

	return check_ranges(ranges, ARRAY_SIZE(ranges), err) &&
	       check_limits(&s->turn, err);
}

static bool check_url(const char *url, struct error *err)
{
	const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : NULL;

	if (!host || strcspn(host, "/") == 0 || strpbrk(host, "@?# \\\"") ||
	    strstr(host, "/../") || url[strlen(url) - 1] == '/')
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'url' must be http(s)://HOST[:PORT][/PATH] without a "
				 "slash at its end");
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c >= 0x7f)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'url' holds what is no character of a URL");
	return true;
}

/* Lower case letters, digits and hyphens: it becomes part of a host's name. */
static bool check_region(const char *region, struct error *err)
{
	return region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' ||
	       error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no region", region);
}

static bool default_url(struct assistant_settings *s, struct error *err)
{
	if (s->url[0])
		return true;
	if (s->provider == ASSISTANT_OPENAI)
		(void)snprintf(s->url, sizeof s->url, "https://api.openai.com/v1");
	else if (s->provider == ASSISTANT_ANTHROPIC)
		(void)snprintf(s->url, sizeof s->url, "https://api.anthropic.com");
	else if (s->region[0])
		(void)snprintf(s->url, sizeof s->url,
			       "https://bedrock-runtime.%s.amazonaws.com", s->region);
	else
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "bedrock wants 'region' or 'url'");
	return true;
}

/* A key for Anthropic and Bedrock; compatible servers on one's own machine may want none. */
static bool check_keys(const struct assistant_settings *s, struct error *err)
{
	bool has_key = s->key.from[0], signs = s->access_key_id.from[0];

	if (s->provider != ASSISTANT_BEDROCK &&
	    (signs || s->region[0] || s->session_token.from[0]))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "region, access_key_id and session_token are bedrock's");
	if (!has_key && s->provider != ASSISTANT_OPENAI)
		return error_set(err, ERR_INVALID_ARGUMENT, "%s wants a 'key'",
				 assistant_provider_name(s->provider));
	if (s->session_token.from[0] && !signs)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'session_token' goes with 'access_key_id'");
	return !signs || s->region[0] ||
	       error_set(err, ERR_INVALID_ARGUMENT, "to sign, bedrock wants 'region'");
}

static bool decode_parts(const struct file *f, struct assistant_settings *s,
			 struct error *err)
{
	return (!f->turn ||
		json_decode(f->turn, limit_fields, &s->turn, "'turn'", err)) &&
	       (!f->budget ||
		json_decode(f->budget, budget_fields, s, "'budget'", err)) &&
	       (!f->memory ||
		json_decode(f->memory, memory_fields, s, "'memory'", err)) &&
	       (!f->egress ||
		json_decode(f->egress, egress_fields, s, "'egress'", err)) &&
	       read_secret(f->key, "key", &s->key, err) &&
	       read_secret(f->access_key_id, "access_key_id", &s->access_key_id, err) &&
	       read_secret(f->session_token, "session_token", &s->session_token, err);
}

bool assistant_settings_decode(const json_t *root, struct assistant_settings *ret,
			       struct error *err)
{
	struct assistant_settings s = defaults;
	struct file f = { .stream = s.stream,
			  .cache = s.cache,
			  .max_output_tokens = s.max_output };

	if (!json_decode(root, file_fields, &f, "assistant.yaml", err))
		return false;
	s.provider = assistant_provider_find(f.provider);
	if (s.provider == ASSISTANT_PROVIDER_COUNT)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'provider' is anthropic, openai or bedrock");
	if (f.log_level && !log_level_parse(f.log_level, &s.log_level))
		return error_set(err, ERR_INVALID_ARGUMENT, "unknown 'log_level'");
	s.stream = f.stream;
	s.cache = f.cache;
	s.old_max_tokens = f.old_max_tokens;
	s.max_output = f.max_output_tokens;
	s.allow_missing_landlock = f.allow_missing_landlock;
	s.allow_missing_seccomp = f.allow_missing_seccomp;
	if (!take_text(f.model, s.model, ASSISTANT_MODEL_MAX, "model", err) ||
	    !take_text(f.url, s.url, ASSISTANT_URL_MAX, "url", err) ||
	    !take_text(f.ca_file, s.ca_file, ASSISTANT_FILE_MAX, "ca_file", err) ||
	    !take_text(f.region, s.region, ASSISTANT_REGION_MAX, "region", err) ||
	    !check_region(s.region, err) || !decode_parts(&f, &s, err) ||
	    !default_url(&s, err) || !check_url(s.url, err) || !check_keys(&s, err) ||
	    !check_numbers(&s, err))
		return false;
	*ret = s;
	return true;
}

json_t *assistant_begin_json(const struct assistant_settings *s)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:b, s:I, s:b}", "m", "begin", "v",
			 ASSISTANT_MESSAGES_VERSION, "provider",
			 assistant_provider_name(s->provider), "model", s->model,
			 "stream", (int)s->stream, "cache", (int)s->cache, "max_output",
			 (json_int_t)s->max_output, "old_max_tokens",
			 (int)s->old_max_tokens);
}
