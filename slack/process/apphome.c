/* App Home: drawn when it is opened, and when something of it changed. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/home/home.h"
#include "slack/process/approvals.h"
#include "slack/process/handlers.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/process/tools.h"

enum { SEEN_MS = 24 * 3600 * 1000 }; /* who looked since then is kept up to date */

static void seen_key(const char *user, char key[static FRONT_KEY_BYTES])
{
	(void)snprintf(key, FRONT_KEY_BYTES, "home/%s", user);
}

static void publish(struct front *f, const char *user, json_t *view)
{
	const struct rest_patience patience = front_patience(f, FRONT_API_MS);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s, s:o}", "user_id", user, "view", view);
	struct error err = ERROR_INIT;

	if (!arguments)
		error_oom(&err);
	else if (slack_call(f->slack, "views.publish", arguments, &patience, &answer,
			    &err))
		return;
	front_count(f, COUNT_FAILED);
	log_failure("slack.home", &err);
}

static json_t *collect(struct front *f, const struct person *p, struct error *err)
{
	json_auto_t *servers = tools_servers(f, NULL, err);
	json_auto_t *waiting = servers ? approvals_waiting(f, p->principal, err) : NULL;
	json_auto_t *recent = waiting ? approvals_recent(f, p->principal, err) : NULL;
	json_t *home;

	if (!recent)
		return NULL;
	home = json_pack("{s:s, s:I, s:O, s:O, s:O}", "person", p->principal,
			 "checked_ms", (json_int_t)p->checked_ms, "servers", servers,
			 "waiting", waiting, "recent", recent);
	if (!home)
		error_oom(err);
	return home;
}

static void draw(struct front *f, const char *user, size_t page)
{
	struct error err = ERROR_INIT;
	struct person p;
	json_auto_t *home = NULL;
	json_t *view = NULL;

	if (!who_ask(f->who, user, &p, &err)) {
		log_failure("slack.home", &err);
		return;
	}
	home = p.in_team ? collect(f, &p, &err) : NULL;
	if (!p.in_team)
		view = slack_home_stranger(&err);
	else if (home)
		view = slack_home_view(home, page, clock_wall_ms(), &err);
	if (view)
		publish(f, user, view);
	else
		log_failure("slack.home", &err);
}

void apphome_opened(const struct delivery *d)
{
	char key[FRONT_KEY_BYTES];
	struct error err = ERROR_INIT;

	seen_key(d->in.user, key);
	if (!coord_put(d->front->store, key, "1", SEEN_MS, &err))
		log_failure("slack.home", &err);
	draw(d->front, d->in.user, 1);
}

void apphome_stranger(const struct delivery *d)
{
	struct error err = ERROR_INIT;
	json_t *view = slack_home_stranger(&err);

	if (view)
		publish(d->front, d->in.user, view);
	else
		log_failure("slack.home", &err);
}

void apphome_changed(struct front *f, const char *user)
{
	char key[FRONT_KEY_BYTES];
	_cleanup_free_ char *looked = NULL;
	struct error err = ERROR_INIT;

	seen_key(user, key);
	if (!coord_get(f->store, key, &looked, &err))
		log_failure("slack.home", &err);
	else if (looked)
		draw(f, user, 1);
}

/* --- what is pressed there --- */

static void open_docs(const struct delivery *d)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = tools_find(d->front, d->in.value, &err);
	json_t *view = tool ? slack_docs_view(tool, &err) : NULL;
	char id[INBOUND_ID_BYTES];

	if (view && say_view(d, false, view, id, &err))
		return;
	log_failure("slack.home", &err);
	say_privately(d, say_failure("That could not be shown", &err));
}

void apphome_press(const struct delivery *d)
{
	const char *action = d->in.action;

	if (strncmp(action, SLACK_HOME_PAGE, strlen(SLACK_HOME_PAGE)) == 0)
		draw(d->front, d->in.user, (size_t)strtoul(d->in.value, NULL, 10));
	else if (strcmp(action, SLACK_HOME_REVIEW) == 0)
		prompts_bring(d, d->in.value);
	else
		open_docs(d); /* a button of a tool, or one that was searched */
}

bool apphome_options(const struct delivery *d, json_t **ret_ack, struct error *err)
{
	json_auto_t *servers = tools_servers(d->front, NULL, err);
	json_auto_t *home = servers ? json_pack("{s:O}", "servers", servers) : NULL;

	*ret_ack = home ? slack_home_options(home, d->in.text, err) : NULL;
	return *ret_ack != NULL;
}
