/*
 * membership -- the member "membership" of config/gate.yaml: the group elsewhere that
 * people must be in, besides being in 'team'.
 *
 * A group of LDAP or Okta is asked for at the door, again and again for all of the team,
 * and afresh whenever a grant is signed. A user group of Slack is asked for when a grant is
 * signed (its door is the Slack process's); it may also stand as slack.membership, as it
 * did first, and is kept with Slack's settings (gate/slack_settings.h) either way.
 * Credentials are files, which the gate's caller alone reads. Pure.
 */
#ifndef GATE_MEMBERSHIP_H
#define GATE_MEMBERSHIP_H

#include "gate/policy.h"
#include "gate/slack_settings.h"

enum {
	MEMBERSHIP_EVERY_MS = 20 * 1000, /* between two questions for the door */
#ifdef MEMBERSHIP_QUICK                  /* a test's own build of the gate */
	MEMBERSHIP_KEPT_MS = 3 * 1000,
#else
	MEMBERSHIP_KEPT_MS = 60 * 1000, /* an answer is believed, from its question on */
#endif
	MEMBERSHIP_TEAM_MAX = 500, /* people who can be asked for */
};

enum membership_kind {
	MEMBERSHIP_NONE, /* 'team' alone says who is of it */
	MEMBERSHIP_SLACK,
	MEMBERSHIP_LDAP,
	MEMBERSHIP_OKTA,
};

struct membership {
	enum membership_kind kind;
	/* Of LDAP or Okta: what stands there, as $defs/membership_ldap or _okta. */
	json_t *config;
	int64_t every_ms;
};

/* From what the schema has let through. A user group goes into 's'. False: two places say
 * who is a member, or there is no Slack to ask. */
bool membership_decode(struct membership *m, const json_t *root, struct slack_settings *s,
		       struct error *err);
void membership_done(struct membership *m);
/* What must not be: a team that is too large to ask for. */
bool membership_check(const struct membership *m, const struct policy *p,
		      struct error *err);

/* Whether the gate itself keeps the door by it. */
bool membership_has_door(const struct membership *m);
/* "LDAP", "Okta", "Slack": as people are told. */
const char *membership_name(const struct membership *m);

/* wingman config check: add {level, text} to 'findings'. What is wrong with the place that
 * has the group, as far as that shows without asking it, members_open finds. */
void membership_find(const struct membership *m, const struct policy *p,
		     json_t *findings);

#endif
