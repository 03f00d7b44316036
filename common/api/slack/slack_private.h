/*
 * slack_private -- what the files of the Slack client share.
 */
#ifndef API_SLACK_PRIVATE_H
#define API_SLACK_PRIVATE_H

#include "api/rest/rest_credential.h"
#include "api/slack/slack.h"

struct slack {
	struct rest *rest;       /* Web API, with our token */
	struct rest *admin_rest; /* the same with the owner's; may be NULL */
	struct rest *scim;       /* with the owner's; may be NULL */
	struct rest_credential *token, *admin; /* 'admin' may be NULL */
	char *team;
};

/* Of both APIs. */
extern const struct rest_vendor slack_web_vendor, slack_scim_vendor;

/* What came is not what it should be. */
bool slack_fail_shape(const char *what, struct error *err);
/* There is no owner's token here. */
bool slack_fail_admin(struct error *err);

#endif
