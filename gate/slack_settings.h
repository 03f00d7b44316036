/*
 * slack_settings -- the member "slack" of config/gate.yaml: which process is Slack's, which
 * app and workspaces count, what proves a press, and where prompts may stand.
 *
 * The signing secrets are files, never in YAML, and read afresh whenever evidence is judged:
 * a secret is replaced by writing a file. Two may hold at once. Pure but for that.
 */
#ifndef GATE_SLACK_SETTINGS_H
#define GATE_SLACK_SETTINGS_H

#include "base/secret.h"
#include "base/statedir.h"
#include "gate/policy.h"
#include "slack/verify/signature.h"

enum {
	SLACK_TEAMS_MAX = 32,
	SLACK_CHANNELS_MAX = 256,
	SLACK_NAME_BYTES = 33,
	SLACK_SECRET_NAME_MAX = 255,
	SLACK_FILE_MAX = 1024,
	SLACK_URL_MAX = 512,
};

struct slack_settings {
	bool is_on;
	uid_t uid; /* of the Slack process */
	bool allow_shared_uid, socket_mode, approvers_only;
	bool any_look; /* what stood before a person is not compared */
	bool any_channel;
	char app[SLACK_NAME_BYTES];
	char teams[SLACK_TEAMS_MAX][SLACK_NAME_BYTES];
	char secrets[SLACK_SECRETS_MAX][SLACK_SECRET_NAME_MAX + 1];
	char channels[SLACK_CHANNELS_MAX][SLACK_NAME_BYTES];
	size_t team_count, secret_count, channel_count;
	char approvals_channel[SLACK_NAME_BYTES]; /* "": none */
	/* Who besides must be in this user group when a grant is signed; "": nobody asks. */
	char usergroup[SLACK_NAME_BYTES];
	char membership_token[SLACK_FILE_MAX + 1], membership_ca[SLACK_FILE_MAX + 1];
	char membership_url[SLACK_URL_MAX + 1];
};

/* From what the schema has let through; NULL: there is no Slack. */
void slack_settings_decode(struct slack_settings *s, const json_t *slack);
/* The user group, from where it stands: slack.membership or membership.slack. */
void slack_settings_take_membership(struct slack_settings *s, const json_t *membership);
/* What must not be: the Slack process under a person's uid, unless that is allowed by name. */
bool slack_settings_check(const struct slack_settings *s, const struct policy *p,
			  struct error *err);

bool slack_settings_has_team(const struct slack_settings *s, const char *team);
/* Whether prompts may stand in this conversation, as far as configuration goes. */
bool slack_settings_has_channel(const struct slack_settings *s, const char *channel);

/* The secrets as they are now, for as long as a judgement takes. At least one. */
struct slack_secrets {
	struct secret *all[SLACK_SECRETS_MAX];
	size_t count;
};
bool slack_secrets_read(struct slack_secrets *ret, const struct slack_settings *s,
			const struct statedir *dir, struct error *err);
void slack_secrets_done(struct slack_secrets *s);
/* The folder of systemd's credentials, if a secret is one of them; NULL. Borrowed. */
const char *slack_secrets_folder(const struct slack_settings *s);

/* wingman config check: add {level, text} to 'findings'. */
void slack_settings_find(const struct slack_settings *s, const struct policy *p,
			 const struct statedir *dir, bool no_yes_by_console,
			 json_t *findings);

#endif
