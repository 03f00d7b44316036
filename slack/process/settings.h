/*
 * settings -- config/slack.yaml, judged by schemas/config.schema.json and decoded.
 *
 * Read once, at start, the signing secrets too: the sandbox keeps this process from the
 * folder of keys. To replace one, name both and start it again.
 */
#ifndef SLACK_PROCESS_SETTINGS_H
#define SLACK_PROCESS_SETTINGS_H

#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/statedir.h"
#include "link/coordination/coordination_config.h"
#include "slack/inbound/inbound.h"
#include "slack/verify/signature.h"

enum { FRONT_HOSTS_MAX = 32, FRONT_NAME_BYTES = 33 };

enum front_telling { FRONT_TELL_THREAD, FRONT_TELL_DIRECT, FRONT_TELL_NO };

/* Texts are borrowed from the file, which lives as long. */
struct front_settings {
	struct config *file;
	const char *app, *command;
	char responses[128]; /* as inbound_self has it */
	const char *teams[INBOUND_TEAMS_MAX];
	size_t team_count;
	const json_t *api; /* as slack_open wants it */
	bool listens;
	const char *app_token_file; /* of Socket Mode; NULL: there is none */
	unsigned connections;
	const char *address;
	uint16_t port;
	const char *hosts[FRONT_HOSTS_MAX + 1];
	struct secret *secrets[SLACK_SECRETS_MAX]; /* owned */
	size_t secret_count;
	const char *usergroup; /* NULL: none */
	enum front_telling telling;
	const json_t *link_hosts; /* that results may link to; NULL: none */
	const json_t
		*shortcuts;   /* {callback_id: {tool, text?, author?, link?}} or NULL */
	const json_t *panels; /* of App Home: [{title, server, uri}] or NULL */
	bool thread_history;  /* what others wrote in a thread is read, too */
	struct coord_config store;
	enum log_level log_level;
	bool allow_missing_landlock, allow_missing_seccomp;
};

/* "config/NAME.yaml". Complaints read "FILE:LINE: reason". */
bool front_settings_read(struct front_settings *ret, const struct statedir *dir,
			 const char *name, struct error *err);
void front_settings_done(struct front_settings *s);

/* Whether one of the signing secrets made this signature now. ERR_PERMISSION_DENIED. */
bool front_settings_check(const struct front_settings *s, const struct slack_evidence *e,
			  struct error *err);

#endif
