#include "gate/members.h"

struct members {
	const struct members_kind *kind;
	void *self;
};

static const struct members_kind *const kinds[] = {
	[MEMBERSHIP_NONE] = NULL,
	[MEMBERSHIP_SLACK] = &members_slack,
	[MEMBERSHIP_LDAP] = &members_ldap,
	[MEMBERSHIP_OKTA] = &members_okta,
};

struct members *members_open(const struct statedir *dir, const struct settings *settings,
			     struct error *err)
{
	_cleanup_free_ struct members *m = calloc(1, sizeof *m);

	if (!m) {
		error_oom(err);
		return NULL;
	}
	m->kind = kinds[settings->membership.kind];
	if (!m->kind) {
		error_set(err, ERR_INTERNAL, "nobody need be in a group");
		return NULL;
	}
	m->self = m->kind->open(dir, settings, err);
	return m->self ? TAKE(m) : NULL;
}

void members_close(struct members *m)
{
	if (!m)
		return;
	m->kind->close(m->self);
	free(m);
}

bool members_look(struct members *m, const json_t *ids, json_t *found, struct error *err)
{
	const struct rest_patience patience = rest_patience(MEMBERS_LOOK_MS);

	return m->kind->look(m->self, ids, &patience, found, err);
}
