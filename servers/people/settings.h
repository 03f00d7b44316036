/*
 * settings -- the member "backend" of this server's configuration, decoded.
 *
 * schemas/config.schema.json says what is right; here it only finds its place. What the
 * sources alone need stays JSON and is theirs.
 */
#ifndef PEOPLE_SETTINGS_H
#define PEOPLE_SETTINGS_H

#include "base/json.h"
#include "servers/people/find.h"

enum { SETTINGS_PAIRS_MAX = 200 };

struct people_settings {
	int64_t refresh_ms; /* how often changes are asked for */
	int64_t sweep_ms;   /* and everything */
	int64_t max_age_ms; /* older than this, nothing destructive may rest on it */
	struct find_rules rules;
	/* What 'rules' points to. */
	char *owned[SETTINGS_PAIRS_MAX * 4 + 2];
	size_t owned_count;
	const char *domains[SETTINGS_PAIRS_MAX * 2 + 1];
	const char *nicknames[SETTINGS_PAIRS_MAX * 2 + 1];
};

/* 'config' may be NULL: all defaults. 's' must not move afterwards. */
bool people_settings_read(struct people_settings *s, const json_t *config,
			  struct error *err);
void people_settings_done(struct people_settings *s);

#endif
