#include "gate/caller_members.h"

#include "api/slack/slack.h"
#include "gate/fields.h"
#include "proc/workers.h"

enum { THREADS = 2, QUEUE = 64 };

struct caller_members {
	struct loop *loop;
	const struct slack_settings *settings;
	struct slack *slack;
	struct workers *workers;
	void (*tell)(void *context, const json_t *membered);
	void *context;
};

struct question {
	struct caller_members *members;
	json_t *users;  /* the question's own: no other thread counts on it */
	json_t *answer; /* NULL: no memory */
	char approval[96];
};

static void question_free(struct question *q)
{
	json_decref(q->users);
	json_decref(q->answer);
	free(q);
}

static json_t *config_of(const struct slack_settings *s)
{
	json_auto_t *config = json_pack("{s:s}", "token_file", s->membership_token);

	if (!config ||
	    (s->membership_url[0] &&
	     json_object_set_new(config, "url", json_string(s->membership_url)) != 0) ||
	    (s->membership_ca[0] &&
	     json_object_set_new(config, "ca_file", json_string(s->membership_ca)) != 0))
		return NULL;
	return TAKE(config);
}

struct caller_members *caller_members_new(struct loop *loop, const struct statedir *dir,
					  const struct slack_settings *settings,
					  void (*tell)(void *context,
						       const json_t *membered),
					  void *context, struct error *err)
{
	_cleanup_free_ struct caller_members *m = calloc(1, sizeof *m);
	json_auto_t *config = config_of(settings);

	if (!m || !config) {
		error_oom(err);
		return NULL;
	}
	*m = (struct caller_members){
		.loop = loop, .settings = settings, .tell = tell, .context = context
	};
	m->slack = slack_open(dir, config, err);
	return m->slack ? TAKE(m) : NULL;
}

bool caller_members_start(struct caller_members *m, struct error *err)
{
	m->workers = workers_new(THREADS, QUEUE, err);
	return m->workers != NULL;
}

/* --- asking --- */

static bool lists(const json_t *group, const char *id)
{
	size_t i;
	json_t *one;

	json_array_foreach(group, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static bool is_of_workspace(const struct question *q, const struct slack_user *u)
{
	return !u->deleted && !u->is_bot && !u->is_guest && !u->is_stranger &&
	       u->team_id && slack_settings_has_team(q->members->settings, u->team_id);
}

/* Adds those who are members. False: it is not known of all of them. */
static bool look(const struct question *q, json_t *members, struct error *err)
{
	const struct rest_patience patience = rest_patience(CALLER_MEMBERS_MS);
	struct slack *slack = q->members->slack;
	json_auto_t *group = NULL;
	size_t i;
	json_t *one;

	if (!slack_usergroup_members(slack, q->members->settings->usergroup, &patience,
				     &group, err))
		return false;
	json_array_foreach(q->users, i, one)
	{
		const char *id = json_string_value(one);
		json_auto_t *json = NULL;
		struct slack_user user;

		if (!id || !lists(group, id))
			continue;
		if (!slack_get_user(slack, id, &patience, &json, &user, err))
			return false;
		if (is_of_workspace(q, &user) &&
		    json_array_append_new(members, json_string(id)) != 0)
			return error_oom(err);
	}
	return true;
}

static json_t *answer_of(const struct question *q, const json_t *members,
			 const struct error *err)
{
	json_auto_t *answer = json_pack("{s:s, s:s}", "m", message_name(MSG_MEMBERED),
					"approval", q->approval);
	int failed = -1;

	if (answer)
		failed = members ? json_object_set(answer, "users",
						   (json_t *)(uintptr_t)members)
				 : json_object_set_new(answer, "error",
						       fields_error(err, NULL));
	return failed == 0 ? TAKE(answer) : NULL;
}

/* On the loop. Without memory nobody is told, and the keeper asks again. */
static void on_done(void *context)
{
	struct question *q = context;

	if (q->answer)
		q->members->tell(q->members->context, q->answer);
	question_free(q);
}

static void on_worker(void *argument)
{
	struct question *q = argument;
	struct error err = ERROR_INIT;
	json_auto_t *members = json_array();
	bool ok = members && look(q, members, &err);

	if (!ok && !error_is_set(&err))
		error_oom(&err);
	q->answer = answer_of(q, ok ? members : NULL, &err);
	if (!loop_wake(q->members->loop, on_done, q))
		question_free(q);
}

bool caller_members_ask(struct caller_members *m, const char *approval,
			const json_t *users)
{
	struct question *q = calloc(1, sizeof *q);
	struct error err = ERROR_INIT;

	if (!q)
		return false;
	q->members = m;
	q->users = json_deep_copy(users);
	(void)snprintf(q->approval, sizeof q->approval, "%s", approval);
	if (q->users && workers_submit(m->workers, on_worker, q))
		return true;
	error_set(&err, ERR_RATE_LIMITED, "too many questions to Slack wait already");
	q->answer = answer_of(q, NULL, &err);
	on_done(q);
	return true;
}
