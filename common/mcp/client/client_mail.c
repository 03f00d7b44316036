#include "base/clock.h"
#include "mcp/client/client_private.h"

enum {
	QUESTIONS_MAX = 16, /* of the server, that wait */
	NOTES_MAX = 1024,   /* for one subscription, that were not heard yet */
	CANCEL_POLL_MS = 25,
};

struct waiter {
	struct waiter *next;
	long long id;
	json_t *answer;
	int64_t heard_ms; /* the last time the server spoke of it */
	bool hears;       /* it is a subscription */
	json_t *notes;    /* what came for it; NULL: nothing */
};

struct client_mail {
	struct mcp_client *c;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiter *waiters;
	bool is_broken, is_ending;
	/* Questions are answered by a thread of their own, so that a person who thinks
	 * does not keep the channel from being read. Begun with the first. */
	json_t *questions[QUESTIONS_MAX];
	size_t question_count;
	bool has_thread;
	pthread_t thread;
};

struct client_mail *client_mail_new(struct mcp_client *c, struct error *err)
{
	struct client_mail *m = calloc(1, sizeof *m);
	pthread_condattr_t attributes;

	if (!m) {
		error_oom(err);
		return NULL;
	}
	m->c = c;
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&m->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return m;
}

void client_mail_free(struct client_mail *m)
{
	if (!m)
		return;
	(void)pthread_mutex_lock(&m->lock);
	m->is_ending = true;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
	if (m->has_thread)
		(void)pthread_join(m->thread, NULL);
	for (size_t i = 0; i < m->question_count; i++)
		json_decref(m->questions[i]);
	(void)pthread_cond_destroy(&m->changed);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

/* ---- Questions ---- */

static void answer_question(struct client_mail *m, const json_t *question)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct jsonrpc_message message;
	struct error ignored = ERROR_INIT;
	const json_t *id;

	if (!jsonrpc_read(question, &message, &id, &ignored))
		return;
	client_serve(m->c, &message, &text);
	client_legacy_tell(m->c, &text);
}

static void *answer_questions(void *context)
{
	struct client_mail *m = context;

	(void)pthread_mutex_lock(&m->lock);
	while (!m->is_ending) {
		if (m->question_count == 0) {
			(void)pthread_cond_wait(&m->changed, &m->lock);
			continue;
		}
		json_auto_t *question = m->questions[0];
		m->question_count--;
		for (size_t i = 0; i < m->question_count; i++)
			m->questions[i] = m->questions[i + 1];
		(void)pthread_mutex_unlock(&m->lock);
		answer_question(m, question);
		(void)pthread_mutex_lock(&m->lock);
	}
	(void)pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* Who asks more than can wait is not answered. Consumes 'question'. */
static void add_question(struct client_mail *m, json_t *question)
{
	bool is_taken = false;

	(void)pthread_mutex_lock(&m->lock);
	if (!m->has_thread && !m->is_ending)
		m->has_thread = pthread_create(&m->thread, NULL, answer_questions, m) ==
				0;
	if (m->has_thread && !m->is_ending && m->question_count < QUESTIONS_MAX) {
		m->questions[m->question_count++] = question;
		is_taken = true;
		(void)pthread_cond_broadcast(&m->changed);
	}
	(void)pthread_mutex_unlock(&m->lock);
	if (!is_taken)
		json_decref(question);
}

/* ---- What comes ---- */

/* Values go from the thread that reads to the one that waits as a whole: nobody shares
 * references. Consumes 'body'. */
static void give_answer(struct client_mail *m, const struct jsonrpc_message *message,
			json_t *body)
{
	/* An error without an id may be about anybody's request; it is nobody's here. */
	bool is_taken = false;

	(void)pthread_mutex_lock(&m->lock);
	for (struct waiter *w = m->waiters; w && message->id; w = w->next)
		if (!w->answer && client_is_answer(message, w->id)) {
			w->answer = body;
			is_taken = true;
			(void)pthread_cond_broadcast(&m->changed);
			break;
		}
	(void)pthread_mutex_unlock(&m->lock);
	if (!is_taken)
		json_decref(body);
}

/* Progress keeps a request from being given up for silence. */
static void note_progress(struct client_mail *m, const struct jsonrpc_message *message)
{
	const json_t *token = json_object_get(message->params, "progressToken");

	if (!json_is_integer(token))
		return;
	(void)pthread_mutex_lock(&m->lock);
	for (struct waiter *w = m->waiters; w; w = w->next)
		if (w->id == json_integer_value(token))
			w->heard_ms = clock_mono_ms();
	(void)pthread_mutex_unlock(&m->lock);
}

/* Notifications of a subscription are for who waits at its request, in that thread. True:
 * it is one, and 'body' is consumed. */
static bool give_note(struct client_mail *m, const struct jsonrpc_message *message,
		      json_t *body)
{
	const json_t *mark = json_object_get(json_object_get(message->params, "_meta"),
					     META_SUBSCRIPTION);
	struct waiter *w;

	(void)pthread_mutex_lock(&m->lock);
	for (w = m->waiters; w; w = w->next)
		if (w->hears && json_is_integer(mark) &&
		    w->id == json_integer_value(mark))
			break;
	if (w) {
		if (!w->notes)
			w->notes = json_array();
		/* Who does not keep up has been told enough. */
		if (json_array_size(w->notes) < NOTES_MAX)
			(void)json_array_append_new(w->notes, body);
		else
			json_decref(body);
		(void)pthread_cond_broadcast(&m->changed);
	}
	(void)pthread_mutex_unlock(&m->lock);
	return w != NULL;
}

/* Consumes 'body'. */
static void take_message(struct client_mail *m, json_t *body)
{
	struct jsonrpc_message message;
	struct error ignored = ERROR_INIT;
	const json_t *id = NULL;

	if (!jsonrpc_read(body, &message, &id, &ignored)) {
		json_decref(body);
		return;
	}
	switch (message.kind) {
	case JSONRPC_RESULT:
	case JSONRPC_ERROR:
		give_answer(m, &message, body);
		return;
	case JSONRPC_REQUEST:
		/* A modern server has no business asking (C-15). */
		if (mcp_client_era(m->c, NULL) == MCP_ERA_MODERN)
			break;
		add_question(m, body);
		return;
	case JSONRPC_NOTIFICATION:
		note_progress(m, &message);
		if (give_note(m, &message, body))
			return;
		client_notified(m->c, &message);
		break;
	}
	json_decref(body);
}

void client_mail_take(struct client_mail *m, const char *text, size_t length)
{
	struct error ignored = ERROR_INIT;
	json_t *body = json_parse(text, length, JSON_SYNTAX, &ignored), *one;
	size_t i;

	if (!json_is_array(body)) {
		take_message(m, body);
		return;
	}
	json_array_foreach(body, i, one)
	{
		take_message(m, json_deep_copy(one));
	}
	json_decref(body);
}

void client_mail_set_broken(struct client_mail *m, bool is_broken)
{
	(void)pthread_mutex_lock(&m->lock);
	m->is_broken = is_broken;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
}

/* ---- Waiting ---- */

static bool is_cancelled(const struct client_request *r)
{
	return r->cancel && atomic_load_explicit(r->cancel, memory_order_relaxed);
}

static int64_t ends_ms(const struct client_request *r, const struct waiter *w)
{
	return r->idle_ms && w->heard_ms + r->idle_ms < r->until_ms
		       ? w->heard_ms + r->idle_ms
		       : r->until_ms;
}

/* With the lock held, which is given up meanwhile. */
static void hear(struct client_mail *m, const struct client_request *r, struct waiter *w)
{
	json_auto_t *notes = w->notes;
	const json_t *note;
	size_t i;

	w->notes = NULL;
	(void)pthread_mutex_unlock(&m->lock);
	json_array_foreach(notes, i, note)
	{
		struct jsonrpc_message message;
		struct error ignored = ERROR_INIT;
		const json_t *id = NULL;

		if (jsonrpc_read(note, &message, &id, &ignored))
			r->heard(r->heard_context, &message, w->id);
	}
	(void)pthread_mutex_lock(&m->lock);
}

/* With the lock held, which is given up meanwhile. */
static bool wait_for_it(struct client_mail *m, const struct client_request *r,
			struct waiter *w, struct error *err)
{
	while (!w->answer || w->notes) {
		int64_t now_ms = clock_mono_ms(), until_ms = ends_ms(r, w);

		if (is_cancelled(r))
			return error_set(err, ERR_UNKNOWN_OUTCOME,
					 "the call was given up");
		if (w->notes) {
			hear(m, r, w);
			continue;
		}
		if (m->is_broken)
			return error_set(err, ERR_UNKNOWN_OUTCOME,
					 "the server went away before it answered");
		if (now_ms >= until_ms)
			return error_set(err, ERR_TIMEOUT,
					 "the server did not answer in time");
		if (r->cancel && until_ms > now_ms + CANCEL_POLL_MS)
			until_ms = now_ms + CANCEL_POLL_MS;
		const struct timespec at = { .tv_sec = until_ms / 1000,
					     .tv_nsec = until_ms % 1000 * 1000000 };
		(void)pthread_cond_timedwait(&m->changed, &m->lock, &at);
	}
	return true;
}

static void leave(struct client_mail *m, struct waiter *w)
{
	for (struct waiter **at = &m->waiters; *at; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			return;
		}
}

bool client_mail_exchange(struct client_mail *m, struct client_request *r, long long id,
			  const struct strbuf *body, client_mail_send *send,
			  struct error *err)
{
	struct waiter w = { .id = id,
			    .heard_ms = clock_mono_ms(),
			    .hears = r->heard != NULL };
	bool good;

	(void)pthread_mutex_lock(&m->lock);
	w.next = m->waiters;
	m->waiters = &w; // cppcheck-suppress autoVariables ; leaves the list below
	(void)pthread_mutex_unlock(&m->lock);
	good = send(m->c, body, r, err);
	(void)pthread_mutex_lock(&m->lock);
	/* A POST that was refused will not be answered on the stream. */
	if (good && r->status < 300)
		good = wait_for_it(m, r, &w, err);
	leave(m, &w);
	(void)pthread_mutex_unlock(&m->lock);
	json_decref(w.notes);
	r->answer = w.answer;
	if (w.answer)
		r->status = 0;
	return good || w.answer;
}
