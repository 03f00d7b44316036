#include "assistant/host/memory.h"

#include <signal.h>
#include <string.h>

#include "assistant/host/memory_private.h"
#include "base/log.h"

/* --- changing what is kept --- */

/* So that it fits: the oldest entries of a body go, but never the last. */
static bool shorten(json_t *body, struct error *err)
{
	json_t *entries = json_object_get(body, "entries");

	for (;;) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		size_t count = json_array_size(entries);

		if (!json_write(&text, body, err))
			return false;
		if (text.length <= MEMORY_BODY_MAX || count < 2)
			return true;
		for (size_t n = count / 8 + 1; n > 0 && json_array_size(entries) > 1; n--)
			(void)json_array_remove(entries, 0);
	}
}

/* What is kept and what we have, in one. New reference. */
static json_t *merged(const char *id, const json_t *kept, const json_t *ours,
		      struct error *err)
{
	_cleanup_(conversation_done) struct conversation both = { .entries = NULL };
	json_auto_t *body = NULL;

	if (!conversation_init(&both, id, err))
		return NULL;
	(void)snprintf(both.epoch, sizeof both.epoch, "%s",
		       json_get_string(kept ? kept : ours, "epoch"));
	if ((kept && !conversation_take(&both, kept)) ||
	    !conversation_take(&both, ours) || !(body = conversation_body(&both))) {
		error_oom(err);
		return NULL;
	}
	return shorten(body, err) ? TAKE(body) : NULL;
}

static bool change(struct memory *m, const char *id, const json_t *ours,
		   struct error *err)
{
	json_auto_t *kept = NULL, *body = NULL;
	int64_t fence;
	bool ok;

	if (!m->store->lock(m, id, &fence, err))
		return false;
	ok = m->store->get(m, id, &kept, err) && (body = merged(id, kept, ours, err)) &&
	     m->store->put(m, id, body, err);
	m->store->unlock(m, id, fence);
	return ok;
}

static bool write_one(struct memory *m, const char *id, const json_t *body)
{
	struct error err = ERROR_INIT;
	bool ok;

	pthread_mutex_lock(&m->write_lock);
	ok = change(m, id, body, &err);
	pthread_mutex_unlock(&m->write_lock);
	if (!ok)
		log_failure("conversation.not_kept", &err);
	return ok;
}

/* --- the thread --- */

static void waiting_free(struct memory_waiting *w)
{
	if (!w)
		return;
	json_decref(w->body);
	free(w);
}
DEFINE_CLEANUP(struct memory_waiting, waiting_free);

static struct memory_waiting *take_first(struct memory *m)
{
	struct memory_waiting *w = m->waiting;

	if (w) {
		m->waiting = w->next;
		m->waiting_count--;
	}
	return w;
}

/* At the end what waits is still written, until the store fails once. */
static void *run(void *context)
{
	struct memory *m = context;
	bool ok = true;

	for (;;) {
		_cleanup_(waiting_freep) struct memory_waiting *w = NULL;
		bool is_ending;

		pthread_mutex_lock(&m->lock);
		while (!m->waiting && !m->is_ending)
			pthread_cond_wait(&m->changed, &m->lock);
		w = take_first(m);
		m->writing = w;
		is_ending = m->is_ending;
		pthread_mutex_unlock(&m->lock);
		if (w && (ok || !is_ending))
			ok = write_one(m, w->id, w->body);
		pthread_mutex_lock(&m->lock);
		m->writing = NULL;
		pthread_mutex_unlock(&m->lock);
		if (!w)
			return NULL;
	}
}

/* 'body' is stolen. */
static void submit(struct memory *m, const char *id, json_t *body)
{
	struct memory_waiting **at = &m->waiting;
	struct memory_waiting *w;

	pthread_mutex_lock(&m->lock);
	for (; *at && strcmp((*at)->id, id) != 0;)
		at = &(*at)->next;
	w = *at;
	if (!w && m->waiting_count < MEMORY_WAITING_MAX && (w = calloc(1, sizeof *w))) {
		(void)snprintf(w->id, sizeof w->id, "%s", id);
		m->waiting_count++;
		*at = w;
	}
	if (w) {
		json_decref(w->body);
		w->body = body;
		pthread_cond_signal(&m->changed);
	}
	pthread_mutex_unlock(&m->lock);
	if (!w) {
		json_decref(body);
		log_warn("conversation.not_kept",
			 LOG_STR("why", "too many wait to be written"));
	}
}

/* --- the interface --- */

int64_t memory_keep_ms(const struct memory *m)
{
	return m->o.keep_ms;
}

void memory_keep(struct memory *m, const struct conversation *c)
{
	json_t *body = m->o.keep_ms > 0 ? conversation_body(c) : NULL;

	if (!body)
		return;
	if (m->has_thread) {
		submit(m, c->id, body);
		return;
	}
	(void)write_one(m, c->id, body);
	json_decref(body);
}

/* A copy of what waits to be written, or is being written; NULL: nothing does. */
static json_t *find_waiting(struct memory *m, const char *id)
{
	json_t *body = NULL;

	pthread_mutex_lock(&m->lock);
	for (const struct memory_waiting *w = m->waiting; w && !body; w = w->next)
		if (strcmp(w->id, id) == 0)
			body = json_deep_copy(w->body);
	if (!body && m->writing && strcmp(m->writing->id, id) == 0)
		body = json_deep_copy(m->writing->body);
	pthread_mutex_unlock(&m->lock);
	return body;
}

bool memory_load(struct memory *m, const char *id, json_t **ret_body, struct error *err)
{
	json_auto_t *kept = NULL, *waiting = NULL;

	*ret_body = NULL;
	if (m->o.keep_ms == 0)
		return true;
	waiting = find_waiting(m, id);
	if (!m->store->get(m, id, &kept, err))
		return false;
	*ret_body = waiting ? merged(id, kept, waiting, err) : TAKE(kept);
	return *ret_body || !waiting;
}

static void forget_waiting(struct memory *m, const char *id)
{
	struct memory_waiting *gone = NULL;

	pthread_mutex_lock(&m->lock);
	for (struct memory_waiting **at = &m->waiting; *at && !gone; at = &(*at)->next)
		if (strcmp((*at)->id, id) == 0) {
			gone = *at;
			*at = gone->next;
			m->waiting_count--;
			break;
		}
	pthread_mutex_unlock(&m->lock);
	waiting_free(gone);
}

bool memory_forget(struct memory *m, const char *id,
		   char ret_epoch[static DIGEST_ID_BYTES], struct error *err)
{
	_cleanup_(conversation_done) struct conversation none = { .entries = NULL };
	json_auto_t *body = NULL;
	int64_t fence;
	bool ok;

	if (!conversation_init(&none, id, err))
		return false;
	conversation_clear(&none, NULL);
	body = conversation_body(&none);
	if (!body)
		return error_oom(err);
	forget_waiting(m, id);
	if (m->o.keep_ms > 0) {
		pthread_mutex_lock(&m->write_lock);
		ok = m->store->lock(m, id, &fence, err);
		if (ok) {
			ok = m->store->put(m, id, body, err);
			m->store->unlock(m, id, fence);
		}
		pthread_mutex_unlock(&m->write_lock);
		if (!ok)
			return false;
	}
	memcpy(ret_epoch, none.epoch, DIGEST_ID_BYTES);
	return true;
}

json_t *memory_list(struct memory *m, const char *prefix, struct error *err)
{
	json_auto_t *ids = json_array();

	if (!ids) {
		error_oom(err);
		return NULL;
	}
	return m->o.keep_ms == 0 || m->store->list(m, prefix, ids, err) ? TAKE(ids)
									: NULL;
}

bool memory_sweep(struct memory *m, struct error *err)
{
	return m->store->sweep(m, err);
}

/* --- life --- */

/* No signal is for it. */
static bool start_thread(struct memory *m, struct error *err)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&m->thread, NULL, run, m);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	m->has_thread = !failed;
	return !failed || error_set(err, ERR_INTERNAL, "cannot start a thread");
}

struct memory *memory_new(const struct memory_options *o, struct error *err)
{
	struct memory *m = calloc(1, sizeof *m);

	if (!m) {
		error_oom(err);
		return NULL;
	}
	m->o = *o;
	m->store = o->coordination ? &memory_coordination : &memory_documents;
	digest_random_id(m->holder);
	pthread_mutex_init(&m->write_lock, NULL);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	if (!o->coordination || start_thread(m, err))
		return m;
	memory_free(m);
	return NULL;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	if (m->has_thread) {
		pthread_mutex_lock(&m->lock);
		m->is_ending = true;
		pthread_cond_signal(&m->changed);
		pthread_mutex_unlock(&m->lock);
		(void)pthread_join(m->thread, NULL);
	}
	for (struct memory_waiting *w; (w = take_first(m));)
		waiting_free(w);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->write_lock);
	free(m);
}
