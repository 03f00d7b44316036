#include "gate/membership.h"

static const char *const names[] = {
	[MEMBERSHIP_NONE] = "the team",
	[MEMBERSHIP_SLACK] = "Slack",
	[MEMBERSHIP_LDAP] = "LDAP",
	[MEMBERSHIP_OKTA] = "Okta",
};

static bool decode_slack(struct membership *m, const json_t *config,
			 struct slack_settings *s, struct error *err)
{
	if (!s->is_on)
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"membership.slack wants 'slack': which workspaces count");
	m->kind = MEMBERSHIP_SLACK;
	slack_settings_take_membership(s, config);
	return true;
}

bool membership_decode(struct membership *m, const json_t *root, struct slack_settings *s,
		       struct error *err)
{
	const json_t *member = json_object_get(root, "membership");
	json_t *ldap = json_object_get(member, "ldap");
	json_t *okta = json_object_get(member, "okta");

	*m = (struct membership){
		.kind = s->usergroup[0] ? MEMBERSHIP_SLACK : MEMBERSHIP_NONE,
		.every_ms =
			json_get_int64(member, "every_s", MEMBERSHIP_EVERY_MS / 1000) *
			1000,
	};
	if (!member)
		return true;
	if (m->kind != MEMBERSHIP_NONE)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'membership' and slack.membership both say who is a "
				 "member: one of them");
	if (json_object_get(member, "slack"))
		return decode_slack(m, json_object_get(member, "slack"), s, err);
	m->kind = ldap ? MEMBERSHIP_LDAP : MEMBERSHIP_OKTA;
	m->config = json_incref(ldap ? ldap : okta);
	return m->config ||
	       error_set(err, ERR_INVALID_ARGUMENT, "'membership' names no group");
}

void membership_done(struct membership *m)
{
	json_decref(m->config);
	m->config = NULL;
}

bool membership_has_door(const struct membership *m)
{
	return m->kind == MEMBERSHIP_LDAP || m->kind == MEMBERSHIP_OKTA;
}

const char *membership_name(const struct membership *m)
{
	return names[m->kind];
}

bool membership_check(const struct membership *m, const struct policy *p,
		      struct error *err)
{
	return !membership_has_door(m) || !policy_member(p, MEMBERSHIP_TEAM_MAX) ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "%s can be asked for a team of %d at most", membership_name(m),
			 MEMBERSHIP_TEAM_MAX);
}

/* --- wingman config check --- */

_printf_(2, 3) static void find(json_t *findings, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&text, format, args);
	va_end(args);
	(void)json_array_append_new(
		findings, json_pack("{s:s, s:s}", "level", "warning", "text", text.data));
}

/* What an address of mail looks like, as far as it matters: others match no entry. */
static bool is_mail(const char *person)
{
	const char *at = strchr(person, '@');

	return at && at != person && at[1] && !strchr(at + 1, '@');
}

void membership_find(const struct membership *m, const struct policy *p, json_t *findings)
{
	const char *person;

	for (size_t i = 0; membership_has_door(m) && (person = policy_member(p, i)); i++)
		if (!is_mail(person))
			find(findings,
			     "'%s' is no address of mail, by which %s finds people: "
			     "whoever that is, is no member",
			     person, membership_name(m));
}
