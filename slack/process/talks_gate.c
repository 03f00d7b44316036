/* What the assistant proposes and wants read: to the gate, and back. */
#include "assistant/host/outcome.h"
#include "base/log.h"
#include "slack/process/talks_private.h"

enum { READS_MAX = 2000 };

/* --- how it stands --- */

static void on_looked(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct chat *c = talks_find(j->talks, j->id);
	const json_t *record = json_object_get(j->message, "record");
	const char *state = json_get_string(record, "state");

	if (!c || !state)
		return;
	/* Until it waits for people nothing need be said of it. */
	if (strcmp(state, "proposed") != 0 && strcmp(state, "planned") != 0)
		(j->is_told ? talk_note_record
			    : talk_record)(c->talk, j->approval, record,
					   json_object_get(j->message, "parts"));
	talks_show_now(c);
}

static void look(void *argument)
{
	struct job *j = argument;
	struct error err = ERROR_INIT;

	j->message = gate_ask(j->talks->front->gate, MSG_SHOW,
			      json_pack("{s:s}", "approval", j->approval), NULL, &err);
	j->then = on_looked;
	j->is_told = outcome_is_end(json_object_get(j->message, "record")) &&
		     talks_is_told_elsewhere(j->talks->front, j->approval);
	if (j->message)
		talks_back(j);
	else
		talks_job_free(j);
}

void talks_look_at(const struct chat *c, const char *approval)
{
	struct job *j = talks_job_new(c);

	if (j && !(j->approval = strdup(approval))) {
		talks_job_free(j);
		j = NULL;
	}
	(void)talks_submit(j, look);
}

void talks_heard(struct talks *t, const json_t *event)
{
	const char *approval = json_get_string(event, "approval");

	for (struct chat *c = t->chats; approval && c; c = c->next)
		if (conversation_proposed(talk_conversation(c->talk), approval))
			talks_look_at(c, approval);
}

/* --- proposing --- */

static void on_proposed(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct chat *c = talks_find(j->talks, j->id);
	const char *approval = json_get_string(j->message, "approval");

	if (!c)
		return;
	if (!approval && !error_is_set(&j->err))
		error_set(&j->err, ERR_INTERNAL, "the gate named no approval");
	talk_proposed(c->talk, j->number, approval, &j->err);
	/* What happened before the talk knew its name. */
	if (approval)
		talks_look_at(c, approval);
}

static void propose(void *argument)
{
	struct job *j = argument;

	/* Without it the gate takes it that there are some. */
	(void)json_object_set_new(
		j->message, "outsiders",
		json_boolean(talks_has_outsiders(j->talks, j->place.channel)));
	j->message = gate_ask(j->talks->front->gate, MSG_SLACK_PROPOSE, TAKE(j->message),
			      NULL, &j->err);
	if (j->message)
		front_count(j->talks->front, COUNT_PROPOSED);
	j->then = on_proposed;
	talks_back(j);
}

void talks_on_propose(void *context, int64_t number, json_t *members)
{
	struct chat *c = context;
	struct error err = ERROR_INIT;
	struct job *j = talks_job_new(c);
	bool ok = j && j->turn &&
		  json_object_set_new(members, "turn", json_string(j->turn)) == 0 &&
		  json_object_set_new(members, "model",
				      json_string(c->talks->settings.model)) == 0 &&
		  (c->people == 0 ||
		   json_object_set_new(members, "people",
				       json_integer((json_int_t)c->people)) == 0);

	/* No thread shares a tree with another. */
	if (ok)
		j->message = json_deep_copy(members);
	json_decref(members);
	if (ok && j->message) {
		j->number = number;
		if (talks_submit(j, propose))
			return;
	} else {
		talks_job_free(j);
	}
	error_set(&err, ERR_RATE_LIMITED, "too much waits already");
	talk_proposed(c->talk, number, NULL, &err);
}

/* --- reading --- */

static void on_has_read(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct chat *c = talks_find(j->talks, j->id);

	if (!c)
		return;
	/* What was refused was not read, and who reads along is to know which. */
	if (c->reads.length < READS_MAX)
		strbuf_add_format(&c->reads, "%s[%sread: %s]", c->reads.length ? " " : "",
				  json_get_string(j->message, "text") ? "" : "not ",
				  j->text);
	talk_content(c->talk, j->number, json_get_string(j->message, "read"),
		     json_get_string(j->message, "label"),
		     json_get_string(j->message, "text"),
		     json_is_true(json_object_get(j->message, "cut")), &j->err);
}

static void read_it(void *argument)
{
	struct job *j = argument;

	j->message = gate_ask(j->talks->front->gate, MSG_CONTEXT,
			      json_pack("{s:s, s:s}", "uri", j->text, "turn", j->turn),
			      NULL, &j->err);
	j->then = on_has_read;
	talks_back(j);
}

void talks_on_read(void *context, int64_t number, const char *uri)
{
	struct chat *c = context;
	struct error err = ERROR_INIT;
	struct job *j = talks_job_new(c);

	if (j && j->turn && (j->text = strdup(uri))) {
		j->number = number;
		if (talks_submit(j, read_it))
			return;
	} else {
		talks_job_free(j);
	}
	error_set(&err, ERR_RATE_LIMITED, "too much waits already");
	talk_content(c->talk, number, NULL, NULL, NULL, false, &err);
}
