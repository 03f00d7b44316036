/*
 * members -- who of some people is in the team's group, asked now of whoever has the group:
 * Slack, LDAP or Okta. For the caller, which has a network, and for its tests.
 *
 * By a credential of the gate's own, read when it is opened; nothing is kept between two
 * questions. People are ids: Slack's of users, or persons as the configuration calls them,
 * which are addresses of mail. Whoever is not found, found twice, or not in good standing
 * there is no member. Blocking; thread-safe.
 */
#ifndef GATE_MEMBERS_H
#define GATE_MEMBERS_H

#include "api/rest/rest.h"
#include "gate/settings.h"

enum {
	MEMBERS_LOOK_MS = 10 *
			  1000, /* when it gives up; what is under way then may end */
};

struct members;
/* Reads its credential at once, before a sandbox closes; nobody need answer yet. 'settings'
 * are borrowed. */
struct members *members_open(const struct statedir *dir, const struct settings *settings,
			     struct error *err) _must_use_;
void members_close(struct members *m);
DEFINE_CLEANUP(struct members, members_close);

/* Adds those of 'ids' who are members to 'found', an array. False: it is not known of all
 * of them, and what was found counts for nothing. */
bool members_look(struct members *m, const json_t *ids, json_t *found, struct error *err);

/* A place where groups are: a row. */
struct members_kind {
	void *(*open)(const struct statedir *dir, const struct settings *settings,
		      struct error *err);
	void (*close)(void *self);
	bool (*look)(void *self, const json_t *ids, const struct rest_patience *patience,
		     json_t *found, struct error *err);
};
extern const struct members_kind members_slack, members_ldap, members_okta;

#endif
