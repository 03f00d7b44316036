/* What the assistant says, step by step; in the loop alone. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/process/answer_private.h"
#include "slack/render/blocks.h"

enum { BUSY_MS = 1000 };

static const char heading[] = "Written by the assistant";

static void go(struct answer *a);

/* --- which --- */

static struct answer *find(const struct talks *t, const char *id)
{
	for (struct answer *a = t->answers; a; a = a->next)
		if (strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

/* An earlier one of the same thread is shown to its end first. */
static bool is_first(const struct answer *a)
{
	for (const struct answer *b = a->talks->answers; b != a; b = b->next)
		if (strcmp(a->chat, b->chat) == 0)
			return false;
	return true;
}

static void answer_free(struct answer *a)
{
	if (!a)
		return;
	loop_remove(a->timer);
	slack_stream_free(a->stream);
	json_decref(a->people);
	json_decref(a->blocks);
	json_decref(a->held);
	free(a);
}

/* It goes; the one behind it in the thread may begin. */
static void finish(struct answer *a)
{
	struct talks *t = a->talks;
	struct answer **at = &t->answers;
	char chat[TALKS_ID_BYTES];

	memcpy(chat, a->chat, sizeof chat);
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	answer_free(a);
	for (struct answer *b = t->answers; b; b = b->next)
		if (strcmp(b->chat, chat) == 0) {
			go(b);
			return;
		}
}

static struct answer *answer_new(struct chat *c)
{
	struct answer **end = &c->talks->answers;
	struct answer *a;
	size_t count = 0;

	for (; *end; end = &(*end)->next)
		count++;
	a = count < ANSWERS_MAX ? calloc(1, sizeof *a) : NULL;
	if (!a)
		return NULL;
	a->talks = c->talks;
	digest_random_id(a->id);
	memcpy(a->chat, c->id, sizeof a->chat);
	a->place = c->place;
	a->people = talk_people(c->talk);
	a->how = (struct slack_markdown){
		.heading = heading,
		.hosts = c->talks->front->settings.link_hosts,
		.people = a->people,
	};
	a->stream = slack_stream_new(&a->how);
	if (!a->stream || !a->people) {
		answer_free(a);
		return NULL;
	}
	*end = a;
	return a;
}

/* --- calls --- */

static json_t *message_of(const struct answer *a)
{
	return slack_message(a->how.heading ? a->how.heading : "About what was asked",
			     json_deep_copy(a->blocks));
}

/* Nothing comes behind it that a restart would have to close. */
static bool is_last(const struct answer *a, enum answer_call call)
{
	const bool is_over = a->is_silent || slack_stream_is_over(a->stream);

	if (!is_over || a->held)
		return false;
	return a->mode == ANSWER_EDITS || call == ANSWER_WHOLE ||
	       (call == ANSWER_STOP && !a->is_lost);
}

static json_t *arguments_of(const struct answer *a, enum answer_call call,
			    const json_t *blocks)
{
	const bool is_direct = a->place.channel[0] == 'D';
	json_auto_t *o = NULL;

	switch (call) {
	case ANSWER_START:
		o = json_pack("{s:s, s:s}", "channel", a->place.channel, "thread_ts",
			      a->place.thread);
		return is_direct || (json_put_string(o, "recipient_user_id",
						     a->place.user) &&
				     json_put_string(o, "recipient_team_id",
						     a->talks->front->identity.team_id))
			       ? TAKE(o)
			       : NULL;
	case ANSWER_APPEND:
		return json_pack("{s:[{s:s, s:o}]}", "chunks", "type", "blocks", "blocks",
				 json_deep_copy(blocks));
	case ANSWER_STOP:
		return json_object();
	case ANSWER_POST:
		o = message_of(a);
		return json_put_string(o, "channel", a->place.channel) &&
				       json_put_string(o, "thread_ts", a->place.thread)
			       ? TAKE(o)
			       : NULL;
	default:
		return message_of(a);
	}
}

static void on_timer(void *context)
{
	struct answer *a = context;

	a->timer = NULL;
	go(a);
}

static void wait_ms(struct answer *a, int64_t ms)
{
	struct error err = ERROR_INIT;

	if (a->timer)
		return;
	a->timer = loop_add_timer(a->talks->front->loop, ms, false, on_timer, a, &err);
	if (!a->timer)
		log_failure("assistant.no_timer", &err);
}

/* What cannot even be tried is closed later, as far as it went. */
static void step(struct answer *a, enum answer_call call, const json_t *blocks)
{
	struct answer_step *s = calloc(1, sizeof *s);

	a->is_busy = true;
	a->under_way = call;
	a->last_ms = clock_mono_ms();
	if (s) {
		*s = (struct answer_step){
			.talks = a->talks,
			.place = a->place,
			.number = a->number,
			.call = call,
			.change = a->changes++,
			.is_last = is_last(a, call),
			.arguments = arguments_of(a, call, blocks),
		};
		memcpy(s->id, a->id, sizeof s->id);
		s->is_kept = (call == ANSWER_START || call == ANSWER_POST) && !s->is_last;
		a->is_kept = s->is_kept || (a->is_kept && !s->is_last);
	}
	if (s && s->arguments && answer_put(s))
		return;
	if (s && !s->arguments)
		answer_step_free(s);
	log_warn("assistant.busy");
	a->is_busy = false;
	a->is_silent = true;
	wait_ms(a, BUSY_MS);
}

/* --- messages --- */

/* Steals 'blocks'. */
static void begin_message(struct answer *a, json_t *blocks)
{
	json_decref(a->blocks);
	a->blocks = blocks;
	a->number++;
	a->is_lost = false;
	/* All of it is there at once, or there are no streams here. */
	if (a->mode == ANSWER_ASKS &&
	    (slack_stream_is_over(a->stream) || clock_mono_ms() < a->talks->no_stream_ms))
		a->mode = ANSWER_EDITS;
	a->is_open = a->mode != ANSWER_EDITS;
	step(a, a->is_open ? ANSWER_START : ANSWER_POST, NULL);
}

/* Steals 'blocks'. */
static void show(struct answer *a, json_t *blocks, bool is_new)
{
	json_auto_t *own = blocks;

	if (is_new && a->is_open) {
		a->held = TAKE(own);
		step(a, ANSWER_STOP, NULL);
	} else if (is_new) {
		begin_message(a, TAKE(own));
	} else if (json_array_extend(a->blocks, own) != 0) {
		a->is_silent = true;
	} else {
		step(a, a->is_open ? ANSWER_APPEND : ANSWER_CHANGE, own);
	}
}

static int64_t pace_ms(const struct answer *a)
{
	return a->mode == ANSWER_EDITS ? SLACK_STREAM_EDIT_MS : SLACK_STREAM_APPEND_MS;
}

static void wait(struct answer *a)
{
	const int64_t left_ms = a->last_ms + pace_ms(a) - clock_mono_ms();

	if (left_ms > 0)
		wait_ms(a, left_ms);
}

/* Whose words still come. */
static struct chat *owner(const struct answer *a)
{
	for (struct chat *c = a->talks->chats; c; c = c->next)
		if (c->answer == a)
			return c;
	return NULL;
}

static void close_it(struct answer *a)
{
	if (a->is_open) {
		step(a, ANSWER_STOP, NULL);
		return;
	}
	/* What comes yet is swallowed. */
	if (owner(a))
		return;
	if (a->is_kept)
		answer_forget(a);
	finish(a);
}

static void go(struct answer *a)
{
	struct error err = ERROR_INIT;
	bool is_new = false;
	json_t *blocks;

	if (a->is_busy || !is_first(a))
		return;
	if (a->is_silent) {
		close_it(a);
		return;
	}
	if (!slack_stream_is_due(a->stream, a->last_ms, pace_ms(a), clock_mono_ms())) {
		wait(a);
		return;
	}
	blocks = slack_stream_take(a->stream, &is_new, &err);
	if (blocks) {
		show(a, blocks, is_new);
	} else if (error_is_set(&err)) {
		log_failure("assistant.not_said", &err);
		a->is_silent = true;
		close_it(a);
	} else if (slack_stream_is_over(a->stream)) {
		close_it(a);
	}
}

/* --- what came of a call --- */

static void next_message(struct answer *a)
{
	a->is_open = false;
	if (a->held && !a->is_silent)
		begin_message(a, TAKE(a->held));
}

/* Slack does not stream here: the same as a message that is changed. */
static void do_without(struct answer *a, bool is_local)
{
	if (!is_local)
		a->talks->no_stream_ms = clock_mono_ms() + ANSWER_NO_STREAM_MS;
	log_info("assistant.no_stream", LOG_STR("channel", a->place.channel));
	a->mode = ANSWER_EDITS;
	a->is_open = false;
	step(a, ANSWER_POST, NULL);
}

static void take(struct answer *a, const struct answer_step *s)
{
	/* Who stopped it there, or cannot be told anything, is told no more. */
	a->is_silent = a->is_silent || s->is_stopped ||
		       (!s->ok && s->call == ANSWER_POST);
	a->is_lost = a->is_lost || (!s->ok && !s->is_stopped);
	switch (s->call) {
	case ANSWER_START:
		if (!s->ok && !a->is_silent) {
			do_without(a, s->is_local);
			return;
		}
		if (s->ok)
			a->mode = ANSWER_STREAMS;
		else
			a->is_open = false;
		if (!a->is_silent)
			step(a, ANSWER_APPEND, a->blocks);
		return;
	case ANSWER_STOP:
		a->is_open = false;
		if (a->is_lost && !a->is_silent)
			step(a, ANSWER_WHOLE, NULL);
		else
			next_message(a);
		return;
	case ANSWER_WHOLE:
		next_message(a);
		return;
	default:
		return;
	}
}

void answer_stepped(void *argument)
{
	struct answer_step *s = argument;
	struct answer *a = find(s->talks, s->id);
	struct chat *c;

	/* What was told already, and what nobody waits for any more, is passed over. */
	if (a && a->is_busy && s->number == a->number && s->call == a->under_way) {
		a->is_busy = false;
		take(a, s);
		c = a->is_silent ? owner(a) : NULL;
		if (!a->is_busy)
			go(a);
		/* Nobody hears it: the model need not go on. */
		if (c)
			talk_stop(c->talk);
	}
	answer_step_free(s);
}

/* --- what is to be said --- */

static void fail(struct answer *a, const struct error *err)
{
	log_failure("assistant.not_said", err);
	a->is_silent = true;
}

static struct answer *of_chat(struct chat *c)
{
	if (!c->answer)
		c->answer = answer_new(c);
	if (!c->answer)
		log_warn("assistant.busy");
	return c->answer;
}

/* What was read for it, and what was not. */
static bool note_reads(struct chat *c, struct answer *a, struct error *err)
{
	bool ok;

	if (c->reads.length == 0)
		return true;
	ok = strbuf_ok(&c->reads) ? slack_stream_note(a->stream, c->reads.data, err)
				  : error_oom(err);
	strbuf_clear(&c->reads);
	return ok;
}

void answer_say(struct chat *c, const char *text, bool final)
{
	struct error err = ERROR_INIT;
	struct answer *a;

	if (!c->answer && !*text)
		return;
	a = of_chat(c);
	if (!a)
		return;
	if (!slack_stream_add(a->stream, text, strlen(text), &err) ||
	    (final && (!slack_stream_end(a->stream, &err) || !note_reads(c, a, &err))))
		fail(a, &err);
	if (final)
		c->answer = NULL;
	go(a);
}

void answer_words(struct chat *c, const char *words)
{
	struct error err = ERROR_INIT;
	struct answer *a;

	if (c->answer)
		answer_say(c, "", true);
	a = of_chat(c);
	if (!a)
		return;
	c->answer = NULL;
	a->how.heading = NULL;
	if (!slack_stream_end(a->stream, &err) ||
	    !slack_stream_note(a->stream, words, &err))
		fail(a, &err);
	go(a);
}

void answers_free(struct talks *t)
{
	while (t->answers) {
		struct answer *a = t->answers;

		t->answers = a->next;
		answer_free(a);
	}
}
