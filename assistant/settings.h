/*
 * settings -- config/assistant.yaml decoded: which model, by which key, within which limits.
 *
 * Read by the egress, which takes address and key, and by a surface, which takes limits,
 * budget and what it tells the worker; the worker reads nothing. Without the file there
 * is no assistant and everything else works. Strict by itself: unknown members, wrong
 * types and numbers out of range are refused; schemas/config.schema.json ("assistant")
 * says the same to editors and 'wingman config check'. Names secrets, holds none.
 */
#ifndef ASSISTANT_SETTINGS_H
#define ASSISTANT_SETTINGS_H

#include "assistant/messages.h"
#include "base/json.h"
#include "base/log.h"

enum {
	ASSISTANT_URL_MAX = 512,
	ASSISTANT_FILE_MAX = 1024,
	ASSISTANT_REGION_MAX = 32,
};

enum assistant_provider {
	ASSISTANT_ANTHROPIC,
	ASSISTANT_OPENAI,
	ASSISTANT_BEDROCK,
	ASSISTANT_PROVIDER_COUNT
};
const char *assistant_provider_name(enum assistant_provider p);
/* ASSISTANT_PROVIDER_COUNT for an unknown name. */
enum assistant_provider assistant_provider_find(const char *name);

/* Where a secret is: "env:NAME" of the egress's environment, "credential:NAME" of systemd
 * ($CREDENTIALS_DIRECTORY), else a file, relative to the suite's folder. "": none. */
struct assistant_secret {
	char from[ASSISTANT_FILE_MAX + 1];
};

struct assistant_limits {
	int64_t seconds, requests, proposals, reads, text_bytes, tokens;
};

struct assistant_settings {
	enum assistant_provider provider;
	char model[ASSISTANT_MODEL_MAX + 1];
	char url[ASSISTANT_URL_MAX + 1]; /* no slash at its end */
	char ca_file[ASSISTANT_FILE_MAX + 1];
	/* Sent as it is, but for Bedrock with an access_key_id: then it is the secret access
	 * key of that, with which each request is signed for the region. */
	struct assistant_secret key, access_key_id, session_token;
	char region[ASSISTANT_REGION_MAX + 1];
	bool stream, cache, old_max_tokens;
	int64_t max_output;
	struct assistant_limits turn;
	/* Tokens from midnight to midnight UTC; 0: without limit. */
	int64_t tokens_per_day, tokens_per_person_per_day;
	/* How long a conversation is kept after its last word (0: not at all), and how many of
	 * Slack's at most. */
	int64_t memory_hours, memory_conversations;
	/* Of the egress. */
	int64_t requests_per_minute, at_once, tries, first_byte_s, idle_s, whole_s;
	enum log_level log_level;
	bool allow_missing_landlock, allow_missing_seccomp;
};

/* From the root of the document. */
bool assistant_settings_decode(const json_t *root, struct assistant_settings *ret,
			       struct error *err);

/* 'limits' as the message 'turn' has it; NULL without memory. */
json_t *assistant_limits_json(const struct assistant_limits *l) _must_use_;
/* And back, strictly and within the bounds of messages.h. */
bool assistant_limits_decode(const json_t *object, struct assistant_limits *ret,
			     struct error *err);

/* The message 'begin' for a worker; NULL without memory. */
json_t *assistant_begin_json(const struct assistant_settings *s) _must_use_;

#endif
