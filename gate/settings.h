/*
 * settings -- config/gate.yaml and the policy file, judged and decoded.
 *
 * Read as a whole at start. Who is in the team, and the policy, are read again
 * whenever a decision is taken or a grant is signed (settings_read once more, its
 * policy taken): a file that cannot be read then means that nobody's membership
 * is known, and nothing is approved or signed. Servers, listener and limits count
 * from the start of the process.
 */
#ifndef GATE_SETTINGS_H
#define GATE_SETTINGS_H

#include "base/log.h"
#include "base/statedir.h"
#include "gate/context.h"
#include "gate/membership.h"
#include "gate/policy.h"
#include "gate/slack_settings.h"
#include "link/coordination/coordination_config.h"

enum { SETTINGS_SERVERS_MAX = 32, SETTINGS_URL_MAX = 512, SETTINGS_FILE_MAX = 1024 };

struct settings_server {
	char name[33];
	char instance[129];
	char url[SETTINGS_URL_MAX + 1]; /* also what people are shown and pins cover */
};

struct settings {
	struct policy *policy;
	struct settings_server servers[SETTINGS_SERVERS_MAX];
	size_t server_count;
	/* PEM files for calls to servers; "": none named. */
	char tls_ca[SETTINGS_FILE_MAX + 1], tls_certificate[SETTINGS_FILE_MAX + 1],
		tls_key[SETTINGS_FILE_MAX + 1];
	char emergency_probe[SETTINGS_URL_MAX + 1]; /* "": no break-glass */
	bool no_yes_by_console;
	struct slack_settings slack;
	struct membership membership;
	struct context_settings context;
	char page_url[SETTINGS_URL_MAX + 1]; /* "": as the caller listens */
	json_t *store_json;                  /* what 'store' borrows from */
	struct coord_config store;
	char listen_address[64];
	uint16_t listen_port;
	int64_t proposals_at_once, proposals_per_minute, open_per_person, open;
	int64_t denials; /* so many noes within ten minutes, and there is a pause */
	enum log_level log_level;
	bool allow_missing_landlock, allow_missing_seccomp;
};

/* The schemas, compiled once. */
struct settings_reader;
struct settings_reader *settings_reader_new(const struct statedir *dir,
					    struct error *err) _must_use_;
void settings_reader_free(struct settings_reader *r);
DEFINE_CLEANUP(struct settings_reader, settings_reader_free);

/* Complaints read "FILE:LINE: reason". Where a group of LDAP or Okta says who is a member,
 * nobody is in the policy's team yet: policy_narrow. */
struct settings *settings_read(const struct settings_reader *r,
			       struct error *err) _must_use_;
void settings_free(struct settings *s);
DEFINE_CLEANUP(struct settings, settings_free);

/* The policy of the files as they are at this moment, or NULL. */
struct policy *settings_fresh_policy(const struct settings_reader *r,
				     struct error *err) _must_use_;

const struct settings_server *settings_find_server(const struct settings *s,
						   const char *name);

#endif
