#include "slack/outbox/outbox.h"

#include <pthread.h>
#include <search.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "slack/outbox/outbox_send.h"

struct outbox {
	struct documents *records;
	struct outbox_options options;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on CLOCK_MONOTONIC */
	atomic_bool stopping;
	pthread_t threads[OUTBOX_THREADS_MAX];
	unsigned started;
	/* Under the lock; in order of number. An item is the thread's that has it 'busy',
	 * but for 'next' and 'ahead'. */
	struct item *active, *ended, *ended_last;
	size_t active_count, ended_count;
	void *by_key; /* tsearch */
	uint64_t next_number;
};

/* ---- What there is, under the lock ------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static struct item *find(struct outbox *o, const char *key)
{
	struct item wanted = { 0 };
	struct item **found;

	if (snprintf(wanted.key, sizeof wanted.key, "%s", key) >= (int)sizeof wanted.key)
		return NULL;
	found = tfind(&wanted, &o->by_key, compare);
	return found ? *found : NULL;
}

static bool is_same_lane(const struct item *a, const struct item *b)
{
	return *a->lane && strcmp(a->lane, b->lane) == 0;
}

static void append_active(struct outbox *o, struct item *it)
{
	struct item **at = &o->active;

	it->ahead = 0;
	for (; *at; at = &(*at)->next)
		it->ahead += is_same_lane(*at, it) ? 1 : 0;
	it->next = NULL;
	*at = it;
	o->active_count++;
}

static void append_ended(struct outbox *o, struct item *it)
{
	it->next = NULL;
	if (o->ended_last)
		o->ended_last->next = it;
	else
		o->ended = it;
	o->ended_last = it;
	o->ended_count++;
}

/* An active item goes; those of its lane behind it move up. */
static void remove_active(struct outbox *o, struct item *it)
{
	struct item **at = &o->active;

	while (*at != it)
		at = &(*at)->next;
	*at = it->next;
	for (struct item *later = it->next; later; later = later->next)
		later->ahead -= is_same_lane(later, it) ? 1 : 0;
	o->active_count--;
}

static bool forget_oldest(struct outbox *o)
{
	struct item *it = o->ended;
	struct error err = ERROR_INIT;

	if (!item_delete(it, o->records, &err))
		return false;
	o->ended = it->next;
	if (!o->ended)
		o->ended_last = NULL;
	o->ended_count--;
	(void)tdelete(it, &o->by_key, compare);
	item_free(it);
	return true;
}

/* ---- Waiting ---------------------------------------------------------------------- */

static void wait_until(struct outbox *o, int64_t mono_ms)
{
	const struct timespec at = { .tv_sec = mono_ms / 1000,
				     .tv_nsec = mono_ms % 1000 * 1000000 };

	if (mono_ms == INT64_MAX)
		(void)pthread_cond_wait(&o->changed, &o->lock);
	else
		(void)pthread_cond_timedwait(&o->changed, &o->lock, &at);
}

/* The next one that may go, now busy; NULL: the outbox closes. */
static struct item *take_next(struct outbox *o)
{
	for (;;) {
		int64_t now = clock_mono_ms(), soonest = INT64_MAX;

		if (atomic_load(&o->stopping))
			return NULL;
		for (struct item *it = o->active; it; it = it->next) {
			if (it->ahead > 0 || it->busy)
				continue;
			if (it->retry_ms <= now) {
				it->busy = true;
				return it;
			}
			if (it->retry_ms < soonest)
				soonest = it->retry_ms;
		}
		wait_until(o, soonest);
	}
}

static int64_t backoff_ms(const struct outbox *o, int tries, bool long_rest)
{
	int64_t first = o->options.retry_ms;
	int64_t wait = first;
	uint16_t jitter;

	for (int i = 0; i < tries && wait < OUTBOX_RETRY_MAX_MS; i++)
		wait *= 2;
	if (long_rest && wait < first * 32)
		wait = first * 32;
	if (wait > OUTBOX_RETRY_MAX_MS)
		wait = OUTBOX_RETRY_MAX_MS;
	digest_random(&jitter, sizeof jitter);
	return wait / 2 + wait * jitter / UINT16_MAX / 2;
}

static void put_off(struct outbox *o, struct item *it, bool long_rest)
{
	(void)pthread_mutex_lock(&o->lock);
	it->retry_ms = clock_mono_ms() + backoff_ms(o, it->tries++, long_rest);
	it->busy = false;
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
}

/* ---- Telling ---------------------------------------------------------------------- */

static void tell(const struct outbox *o, const struct item *it, const json_t *answer)
{
	const struct outbox_said said = { .key = it->key,
					  .ok = it->state == OUTBOX_SAID,
					  .is_unknown = it->state == OUTBOX_UNKNOWN,
					  .channel = it->place,
					  .ts = it->ts,
					  .why = it->why ? it->why : "",
					  .answer = answer };

	if (o->options.told)
		o->options.told(o->options.context, &said);
}

static void complain(const char *event, const struct error *err)
{
	log_error(event, LOG_STR("error", err->message));
}

/* Of its own it has nothing: what it points to is the item's. */
static struct item copy_of(struct outbox *o, const struct item *it)
{
	struct item copy;

	(void)pthread_mutex_lock(&o->lock);
	copy = *it;
	(void)pthread_mutex_unlock(&o->lock);
	return copy;
}

/* How it ended is durable before anybody hears of it. False: not yet. */
static bool finish(struct outbox *o, struct item *it, const struct outbox_result *r)
{
	struct item ended = copy_of(o, it);
	struct error err = ERROR_INIT;
	char *why = strdup(r->why);

	ended.why = why;
	ended.state = r->state;
	memcpy(ended.place, r->place, sizeof ended.place);
	memcpy(ended.ts, r->ts, sizeof ended.ts);
	ended.arguments = NULL;
	if (!why || !item_write(&ended, o->records, &err)) {
		complain("outbox.not_written", &err);
		free(why);
		return false;
	}
	tell(o, &ended, r->answer);
	(void)pthread_mutex_lock(&o->lock);
	remove_active(o, it);
	json_decref(it->arguments);
	free(it->why);
	ended.next = NULL;
	*it = ended;
	it->busy = false;
	append_ended(o, it);
	while (o->ended_count > o->options.kept_max && !o->ended->busy &&
	       forget_oldest(o))
		continue;
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
	return true;
}

/* ---- One item --------------------------------------------------------------------- */

enum about { ABOUT_READY, ABOUT_LATER, ABOUT_NEVER };

/* The arguments, with the place of the message that it is about. */
static enum about resolve(struct outbox *o, const struct item *it, json_t **ret)
{
	const struct item *of;
	enum about about = ABOUT_READY;
	json_auto_t *place = NULL;

	*ret = json_copy(it->arguments);
	if (!*it->of)
		return *ret ? ABOUT_READY : ABOUT_LATER;
	(void)pthread_mutex_lock(&o->lock);
	of = find(o, it->of);
	if (of && !item_has_ended(of))
		about = ABOUT_LATER;
	else if (!of || of->state != OUTBOX_SAID)
		about = ABOUT_NEVER;
	else
		place = json_pack("{s:s, s:s}", "channel", of->place, "ts", of->ts);
	(void)pthread_mutex_unlock(&o->lock);
	if (about == ABOUT_READY &&
	    (!*ret || !place || json_object_update(*ret, place) != 0))
		return ABOUT_LATER;
	return about;
}

/* Durable, then so. */
static bool set_state(struct outbox *o, struct item *it, enum outbox_state state,
		      int64_t begun_ms)
{
	struct item changed = copy_of(o, it);
	struct error err = ERROR_INIT;

	changed.state = state;
	changed.begun_ms = begun_ms;
	if (!item_write(&changed, o->records, &err)) {
		complain("outbox.not_written", &err);
		return false;
	}
	(void)pthread_mutex_lock(&o->lock);
	it->state = state;
	it->begun_ms = begun_ms;
	(void)pthread_mutex_unlock(&o->lock);
	return true;
}

static enum outbox_step say(struct outbox *o, struct item *it, const json_t *arguments,
			    struct outbox_result *ret)
{
	enum outbox_step step = OUTBOX_AGAIN;

	if (item_may_stand(it)) {
		step = item_look(it, arguments, &o->options, &o->stopping, ret);
		if (step == OUTBOX_END || ret->state == OUTBOX_SENDING)
			return step;
	}
	ret->state = it->state;
	/* From now on it may have been said. */
	if (!set_state(o, it, OUTBOX_SENDING, clock_wall_ms()))
		return OUTBOX_AGAIN;
	step = item_send(it, arguments, &o->options, &o->stopping, ret);
	/* Nothing came of it for sure: should we die now, nobody need look for it. */
	if (step != OUTBOX_END && ret->state == OUTBOX_WAITING)
		(void)set_state(o, it, OUTBOX_WAITING, it->begun_ms);
	return step;
}

static void give_up(struct outbox *o, struct item *it, const char *why)
{
	struct outbox_result r = { .state = item_may_stand(it) ? OUTBOX_UNKNOWN
							       : OUTBOX_FAILED };

	(void)snprintf(r.why, sizeof r.why, "%s", why);
	if (!finish(o, it, &r))
		put_off(o, it, false);
}

static void work_on(struct outbox *o, struct item *it)
{
	_cleanup_(outbox_result_done) struct outbox_result r = { 0 };
	json_auto_t *arguments = NULL;
	enum about about = resolve(o, it, &arguments);
	enum outbox_step step;

	if (it->until_ms != 0 && clock_wall_ms() >= it->until_ms) {
		give_up(o, it, "it was too late to say it");
		return;
	}
	if (about == ABOUT_NEVER) {
		give_up(o, it, "what it is about was never said");
		return;
	}
	if (about == ABOUT_LATER) {
		put_off(o, it, false);
		return;
	}
	step = say(o, it, arguments, &r);
	if (step != OUTBOX_END || !finish(o, it, &r))
		put_off(o, it, step == OUTBOX_REST);
}

static void *run(void *context)
{
	struct outbox *o = context;

	(void)pthread_mutex_lock(&o->lock);
	for (struct item *it; (it = take_next(o));) {
		(void)pthread_mutex_unlock(&o->lock);
		work_on(o, it);
		(void)pthread_mutex_lock(&o->lock);
	}
	(void)pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* ---- Putting ---------------------------------------------------------------------- */

/* Those that the new one takes the place of end unsaid. */
static void replace(struct outbox *o, const struct outbox_item *item)
{
	struct item *next;

	for (struct item *it = o->active; it; it = next) {
		struct error err = ERROR_INIT;

		next = it->next;
		if (!it->replaceable || it->busy || it->state != OUTBOX_WAITING ||
		    strcmp(it->of, item->of) != 0)
			continue;
		/* Unwritten it would only be said as well. */
		if (!item_delete(it, o->records, &err))
			continue;
		remove_active(o, it);
		(void)tdelete(it, &o->by_key, compare);
		item_free(it);
	}
}

static bool add(struct outbox *o, const struct outbox_item *item, struct error *err)
{
	struct item *it;

	if (o->active_count >= o->options.waiting_max) {
		error_set(err, ERR_RATE_LIMITED,
			  "%zu messages to Slack are waiting already",
			  o->options.waiting_max);
		return error_hint(err, "Slack may be down: see the log");
	}
	it = item_new(item, o->next_number, err);
	if (!it)
		return false;
	if (!item_write(it, o->records, err)) {
		item_free(it);
		return false;
	}
	if (!tsearch(it, &o->by_key, compare)) {
		struct error ignored = ERROR_INIT;

		(void)item_delete(it, o->records, &ignored);
		item_free(it);
		return error_oom(err);
	}
	o->next_number++;
	if (item->replaceable && item->of)
		replace(o, item);
	append_active(o, it);
	(void)pthread_cond_broadcast(&o->changed);
	return true;
}

bool outbox_put(struct outbox *o, const struct outbox_item *item, struct error *err)
{
	struct item *it;
	bool ok = true, ended = false;

	(void)pthread_mutex_lock(&o->lock);
	it = find(o, item->key);
	if (!it)
		ok = add(o, item, err);
	else if (item_has_ended(it) && !it->busy) {
		/* It may not be forgotten while it is told of. */
		ended = true;
		it->busy = true;
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (!ended)
		return ok;
	tell(o, it, NULL);
	(void)pthread_mutex_lock(&o->lock);
	it->busy = false;
	(void)pthread_mutex_unlock(&o->lock);
	return true;
}

size_t outbox_waiting(struct outbox *o)
{
	size_t count;

	(void)pthread_mutex_lock(&o->lock);
	count = o->active_count;
	(void)pthread_mutex_unlock(&o->lock);
	return count;
}

/* ---- Beginning and end ------------------------------------------------------------ */

struct loading {
	struct outbox *o;
	struct error *err;
	bool failed;
};

static bool load_one(void *context, const struct document *doc)
{
	struct loading *l = context;
	struct item *it = item_read(doc, l->err);

	if (!it || !tsearch(it, &l->o->by_key, compare)) {
		item_free(it);
		l->failed = true;
		return false;
	}
	if (it->number >= l->o->next_number)
		l->o->next_number = it->number + 1;
	if (item_has_ended(it))
		append_ended(l->o, it);
	else
		append_active(l->o, it);
	return true;
}

static bool load(struct outbox *o, struct error *err)
{
	struct loading l = { .o = o, .err = err };

	if (!documents_query(o->records, "outbox", NULL, NULL, false, SIZE_MAX / 2,
			     load_one, &l, err))
		return false;
	return !l.failed || error_is_set(err) || error_oom(err);
}

static void free_list(struct outbox *o, struct item *list)
{
	while (list) {
		struct item *it = list;

		list = it->next;
		(void)tdelete(it, &o->by_key, compare);
		item_free(it);
	}
}

static bool start(struct outbox *o, struct error *err)
{
	for (; o->started < o->options.threads; o->started++)
		if (pthread_create(&o->threads[o->started], NULL, run, o) != 0)
			return error_oom(err);
	return true;
}

struct outbox *outbox_open(struct documents *records,
			   const struct outbox_options *options, struct error *err)
{
	_cleanup_(outbox_closep) struct outbox *o = calloc(1, sizeof *o);
	pthread_condattr_t attributes;

	if (!o || pthread_condattr_init(&attributes) != 0) {
		error_oom(err);
		return NULL;
	}
	o->records = records;
	o->options = *options;
	if (o->options.waiting_max == 0)
		o->options.waiting_max = OUTBOX_WAITING_MAX;
	if (o->options.kept_max == 0)
		o->options.kept_max = OUTBOX_KEPT_MAX;
	if (o->options.retry_ms == 0)
		o->options.retry_ms = OUTBOX_RETRY_MS;
	o->next_number = 1;
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&o->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (!load(o, err) || error_is_set(err) || !start(o, err))
		return NULL;
	return TAKE(o);
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	(void)pthread_mutex_lock(&o->lock);
	atomic_store(&o->stopping, true);
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
	for (unsigned i = 0; i < o->started; i++)
		(void)pthread_join(o->threads[i], NULL);
	free_list(o, o->active);
	free_list(o, o->ended);
	(void)pthread_cond_destroy(&o->changed);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}
