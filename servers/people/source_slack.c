/* Slack: everybody in the workspace, deactivated ones and bots too; not strangers of
 * shared channels. */
#include <string.h>

#include "api/slack/slack.h"
#include "servers/people/source.h"

enum { READ_MS = 60 * 60 * 1000 };

struct slack_source {
	struct slack *slack;
	bool believes_mail; /* also where Slack does not say that it was confirmed */
};

static void close_slack(void *self)
{
	struct slack_source *s = self;

	slack_close(s->slack);
	free(s);
}

static void *open_slack(const struct statedir *dir, const json_t *config,
			struct error *err)
{
	struct slack_source *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->believes_mail = json_is_true(json_object_get(config, "believe_email"));
	s->slack = slack_open(dir, json_object_get(config, "api"), err);
	if (s->slack)
		return s;
	close_slack(s);
	return NULL;
}

struct walk {
	const struct slack_source *source;
	struct source_read *read;
	struct account account;
};

/* Denied is not unsaid. */
static bool is_confirmed(const struct slack_source *s, const struct slack_user *u)
{
	return u->email_confirmed ||
	       (s->believes_mail && !json_object_get(u->object, "is_email_confirmed"));
}

static void add_flags(struct account *a, const struct slack_user *u)
{
	if (u->is_bot) {
		account_add(a, ACCOUNT_KIND, "service");
		account_add(a, ACCOUNT_FLAG, "bot");
	}
	if (u->is_guest)
		account_add(a, ACCOUNT_FLAG, "guest");
	if (u->is_owner || u->is_primary_owner)
		account_add(a, ACCOUNT_FLAG, "slack-owner");
	else if (u->is_admin)
		account_add(a, ACCOUNT_FLAG, "slack-admin");
	if (u->deleted)
		account_add(a, ACCOUNT_CLOSED, "1");
}

static bool on_user(void *context, const struct slack_user *u, struct error *err)
{
	struct walk *w = context;
	struct account *a = &w->account;

	if (u->is_stranger || strcmp(u->id, "USLACKBOT") == 0)
		return true;
	account_begin(a, SYSTEM_SLACK);
	account_set_key(a, u->id);
	account_add(a, ACCOUNT_ID, u->id);
	account_add(a, ACCOUNT_LOGIN, u->name);
	account_add(a, ACCOUNT_NAME, u->real_name);
	account_add(
		a, ACCOUNT_DISPLAY,
		json_get_string(json_object_get(u->object, "profile"), "display_name"));
	account_add(a, is_confirmed(w->source, u) ? ACCOUNT_MAIL : ACCOUNT_OTHER_MAIL,
		    u->email);
	add_flags(a, u);
	return account_finish(a, err) && w->read->sink.put(w->read->sink.context, a, err);
}

static bool read_slack(void *self, struct source_read *read, struct error *err)
{
	const struct slack_source *s = self;
	struct walk w = { .source = s, .read = read, .account = ACCOUNT_INIT };
	struct rest_patience patience = rest_patience(READ_MS);
	bool ok;

	patience.cancel = read->stopping;
	ok = slack_each_user(s->slack, &patience, on_user, &w, err);
	account_done(&w.account);
	return ok;
}

const struct source_kind source_slack = {
	.name = "slack",
	.open = open_slack,
	.close = close_slack,
	.read = read_slack,
};
