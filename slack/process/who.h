/*
 * who -- whether a Slack user may use this, asked of the gate and of Slack, and remembered
 * for a minute at most: less where the gate says that it does not know it so freshly.
 *
 * The gate says whom it knows and who is in the team; Slack says who is deactivated, a
 * guest or of another organisation, and, if the configuration names one, who is in the user
 * group. All must agree. What cannot be asked is no. Thread-safe. It is no protection of
 * any call, which is the gate's own, asked again when it decides and when it signs.
 */
#ifndef SLACK_PROCESS_WHO_H
#define SLACK_PROCESS_WHO_H

#include "api/slack/slack.h"
#include "slack/process/gate.h"

enum { WHO_KEPT_MS = 60 * 1000, WHO_PEOPLE_MAX = 4096, WHO_REST_MS = 2000 };

struct who_options {
	struct gate *gate;
	struct slack *slack;
	const char *usergroup; /* or NULL */
	const char *const *teams;
	size_t team_count;
};

struct who;
struct who *who_new(const struct who_options *options, struct error *err) _must_use_;
void who_free(struct who *w);
DEFINE_CLEANUP(struct who, who_free);

struct person {
	bool in_team;
	char principal[129];
	int64_t checked_ms; /* wall */
	int64_t until_ms; /* mono: no longer than a minute after the oldest of it was asked */
	const char *why; /* not: static, for the log */
};

/* False: it cannot be known now; 'ret' says no then. */
bool who_ask(struct who *w, const char *user, struct person *ret, struct error *err);
/* Whether it is known without asking anybody. */
bool who_is_known(struct who *w, const char *user);
/* Forget one, or with NULL all. */
void who_forget(struct who *w, const char *user);

/*
 * Who reads a conversation: how many, and whether anybody is there who is not of the team.
 * What cannot be found out counts as strangers. Direct messages with us are of one person.
 * Remembered as long.
 */
struct audience {
	int64_t people; /* 0: not known */
	bool outsiders;
};
struct audience who_reads(struct who *w, const char *channel, const char *bot_user);

#endif
