/* Somebody says something to the assistant, or wants it to stop. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/process/say.h"
#include "slack/process/talks_private.h"

/* --- what the talk does --- */

static void on_say(void *context, const char *text, bool final)
{
	answer_say(context, text, final);
}

static void on_ended(void *context, enum assistant_code code, const char *words)
{
	struct chat *c = context;

	if (words)
		answer_words(c, words);
	else if (code == ASSISTANT_STOPPED)
		answer_words(c, "I was stopped here.");
	talks_show_now(c);
}

static const struct talk_hooks hooks = { on_say, talks_on_propose, talks_on_read,
					 on_ended };

/* --- threads in memory --- */

static void chat_free(struct chat *c)
{
	if (!c)
		return;
	talk_free(c->talk);
	free(c->turn);
	strbuf_done(&c->reads);
	free(c);
}

void talks_free_chats(struct talks *t)
{
	while (t->chats) {
		struct chat *c = t->chats;

		t->chats = c->next;
		chat_free(c);
	}
}

/* What was not used for longest makes room; the store has it still. */
static void make_room(struct talks *t)
{
	struct chat **oldest = NULL;

	for (struct chat **at = &t->chats; *at; at = &(*at)->next)
		if (!talk_is_busy((*at)->talk) &&
		    (!oldest || (*at)->used_ms < (*oldest)->used_ms))
			oldest = at;
	if (t->count < TALKS_MAX || !oldest)
		return;
	struct chat *gone = *oldest;

	*oldest = gone->next;
	t->count--;
	chat_free(gone);
}

/* What ended while this conversation was not in memory. */
static void look_at_open(const struct chat *c)
{
	json_auto_t *open = talk_open(c->talk);
	size_t i;
	json_t *approval;

	json_array_foreach(open, i, approval)
	{
		talks_look_at(c, json_string_value(approval));
	}
}

static struct chat *begin(struct talks *t, const struct job *j, struct error *err)
{
	const struct talk_options o = {
		.host = t->host,
		.settings = &t->settings,
		.memory = t->memory,
		.house_notes = t->house_notes,
		.team_notes = t->team_notes,
	};
	struct chat *c = talks_find(t, j->id);

	if (c) {
		if (!j->is_forgetful)
			talk_refresh(c->talk, j->kept);
		return c;
	}
	make_room(t);
	if (t->count >= TALKS_MAX) {
		error_set(err, ERR_RATE_LIMITED, "too many conversations run already");
		return NULL;
	}
	c = calloc(1, sizeof *c);
	if (!c) {
		error_oom(err);
		return NULL;
	}
	c->talks = t;
	strbuf_init(&c->reads);
	memcpy(c->id, j->id, sizeof c->id);
	c->place = j->place;
	c->talk = talk_new(&o, j->id, j->kept, &hooks, c, err);
	if (!c->talk) {
		chat_free(c);
		return NULL;
	}
	c->next = t->chats;
	t->chats = c;
	t->count++;
	if (j->is_forgetful)
		answer_words(c, talks_forgetful);
	look_at_open(c);
	return c;
}

/* --- somebody says something --- */

static void on_said(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct error err = ERROR_INIT;
	struct chat *c = begin(j->talks, j, &err);
	json_auto_t *sources = talk_sources(json_object_get(j->tools, "context"));

	if (c) {
		free(c->turn);
		c->turn = TAKE(j->turn);
		c->people = j->people;
		c->place = j->place;
		c->used_ms = clock_mono_ms();
		talk_set_tools(c->talk, json_object_get(j->tools, "servers"));
		talk_set_sources(c->talk, sources);
		talk_set_thread(c->talk, j->thread);
		if (talk_said(c->talk, j->principal, j->principal, c->turn, j->text,
			      &err)) {
			talks_show(c, CHAT_THINKS);
			return;
		}
	}
	log_failure("assistant.not_heard", &err);
}

static bool set_place(struct job *j, const struct delivery *d)
{
	const struct inbound *in = &d->in;
	const char *thread = in->thread_ts[0] ? in->thread_ts : in->ts;

	(void)snprintf(j->place.channel, sizeof j->place.channel, "%s", in->channel);
	(void)snprintf(j->place.thread, sizeof j->place.thread, "%s", thread);
	(void)snprintf(j->place.user, sizeof j->place.user, "%s", in->user);
	(void)snprintf(j->id, sizeof j->id, "%s/%s", in->channel, thread);
	(void)snprintf(j->principal, sizeof j->principal, "%s", d->principal);
	return thread[0] != '\0';
}

/* Everything that has to be asked before the loop may have it. */
static bool prepare_said(struct job *j, const struct delivery *d, struct error *err)
{
	(void)set_place(j, d);
	j->text = strdup(d->in.text);
	if (!j->text)
		return error_oom(err);
	talks_remember(j);
	talks_read_thread(j, d);
	j->tools = gate_ask(d->front->gate, MSG_TOOLS, NULL, NULL, err);
	return j->tools && front_turn(d, NULL, &j->turn, err);
}

void talks_said(struct talks *t, const struct delivery *d)
{
	struct audience readers =
		who_reads(t->front->who, d->in.channel, t->front->identity.user_id);
	struct error err = ERROR_INIT;
	struct job *j = calloc(1, sizeof *j);

	if (d->in.shared || readers.outsiders) {
		free(j);
		say_privately(d, say_words("I talk only where nobody from outside the "
					   "team reads along. Write to me directly.",
					   NULL));
		return;
	}
	if (j) {
		j->talks = t;
		j->people = readers.people;
		j->then = on_said;
	}
	if (!j)
		error_oom(&err);
	else if (prepare_said(j, d, &err)) {
		talks_back(j);
		return;
	}
	talks_job_free(j);
	log_failure("assistant.not_heard", &err);
	say_answer(d, say_failure("That did not work", &err));
}

/* --- somebody wants it to stop --- */

static void on_stop(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct chat *c = talks_find(j->talks, j->id);

	if (!c)
		return;
	log_info("assistant.stopped", LOG_STR("by", j->principal));
	talk_stop(c->talk);
	/* Slack leaves its button where it is until it is told. */
	c->status = CHAT_THINKS;
	talks_show_now(c);
}

void talks_stopped(struct talks *t, const struct delivery *d)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return;
	j->talks = t;
	j->then = on_stop;
	if (set_place(j, d))
		talks_back(j);
	else
		talks_job_free(j);
}
