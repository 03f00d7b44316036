#include "slack/process/homes.h"

#include "base/clock.h"
#include "base/log.h"

enum { AGAIN_MS = 1000 };

struct open_home {
	char user[INBOUND_ID_BYTES]; /* "": the place is free */
	unsigned due;
	bool is_busy;            /* a worker draws it */
	int64_t due_ms, used_ms; /* mono */
	int64_t panels_ms;       /* mono: not read before then */
	json_t *panels;
};

struct homes {
	struct front *front;
	pthread_mutex_t lock;
	/* Under the lock. */
	struct open_home all[HOMES_MAX];
	size_t busy;
	unsigned all_due; /* of everybody who has theirs open, wherever they opened it */
	bool is_finding;  /* a worker asks the store who that is */
	int64_t find_at_ms; /* mono: not before */
};

struct job {
	struct homes *homes;
	char user[INBOUND_ID_BYTES];
	unsigned due;
};

static const char prefix[] = "home/";

/* --- under the lock --- */

static struct open_home *find(struct homes *h, const char *user)
{
	for (size_t i = 0; i < HOMES_MAX; i++)
		if (strcmp(h->all[i].user, user) == 0)
			return &h->all[i];
	return NULL;
}

static void clear(struct open_home *o)
{
	json_decref(o->panels);
	*o = (struct open_home){ .panels = NULL };
}

/* A free place, else that of whoever was heard of least lately; NULL: all are drawn now. */
static struct open_home *place(struct homes *h)
{
	struct open_home *oldest = NULL;

	for (size_t i = 0; i < HOMES_MAX; i++) {
		struct open_home *o = &h->all[i];

		if (!o->user[0])
			return o;
		if (!o->is_busy && (!oldest || o->used_ms < oldest->used_ms))
			oldest = o;
	}
	return oldest;
}

static struct open_home *find_or_make(struct homes *h, const char *user)
{
	struct open_home *o = find(h, user);

	if (!o) {
		o = place(h);
		if (!o)
			return NULL;
		clear(o);
		(void)snprintf(o->user, sizeof o->user, "%s", user);
	}
	o->used_ms = clock_mono_ms();
	return o;
}

static void mark(struct open_home *o, unsigned due)
{
	if (!o->due)
		o->due_ms = clock_mono_ms();
	o->due |= due;
}

/* --- what changed --- */

static bool is_open(struct homes *h, const char *user)
{
	char key[FRONT_KEY_BYTES];
	_cleanup_free_ char *known = NULL;
	struct error err = ERROR_INIT;

	(void)snprintf(key, sizeof key, "%s%s", prefix, user);
	if (!coord_get(h->front->store, key, &known, &err))
		log_failure("slack.home", &err);
	return known != NULL;
}

void homes_changed(struct homes *h, const char *user, unsigned due)
{
	struct open_home *o;

	if (strlen(user) >= INBOUND_ID_BYTES || !is_open(h, user))
		return;
	(void)pthread_mutex_lock(&h->lock);
	o = find_or_make(h, user);
	if (o)
		mark(o, due);
	(void)pthread_mutex_unlock(&h->lock);
}

void homes_all_changed(struct homes *h, unsigned due)
{
	(void)pthread_mutex_lock(&h->lock);
	h->all_due |= due;
	(void)pthread_mutex_unlock(&h->lock);
}

/* --- whose are open: the store knows, whichever replica was told --- */

static bool mark_one(void *context, const char *key, const char *value)
{
	const struct job *j = context;
	const char *user = key + strlen(prefix);
	struct open_home *o;

	(void)value;
	if (strlen(user) >= INBOUND_ID_BYTES)
		return true;
	(void)pthread_mutex_lock(&j->homes->lock);
	o = find_or_make(j->homes, user);
	if (o)
		mark(o, j->due);
	(void)pthread_mutex_unlock(&j->homes->lock);
	return true;
}

static void end_finding(struct homes *h, unsigned again)
{
	(void)pthread_mutex_lock(&h->lock);
	h->is_finding = false;
	h->all_due |= again;
	h->find_at_ms = clock_mono_ms() + (again ? AGAIN_MS : 0);
	(void)pthread_mutex_unlock(&h->lock);
}

static void find_open(void *argument)
{
	struct job *j = argument;
	struct error err = ERROR_INIT;
	const bool ok = coord_scan(j->homes->front->store, prefix, mark_one, j, &err);

	if (!ok)
		log_failure("slack.home", &err);
	end_finding(j->homes, ok ? 0 : j->due);
	free(j);
}

static void tick_all(struct homes *h)
{
	struct job *j = NULL;
	unsigned due = 0;

	(void)pthread_mutex_lock(&h->lock);
	if (h->all_due && !h->is_finding && clock_mono_ms() >= h->find_at_ms) {
		due = h->all_due;
		h->all_due = 0;
		h->is_finding = true;
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (!due)
		return;
	j = malloc(sizeof *j);
	if (j)
		*j = (struct job){ .homes = h, .due = due };
	if (j && front_submit(h->front, find_open, j))
		return;
	free(j);
	end_finding(h, due);
}

/* --- drawing --- */

static void end(struct homes *h, const char *user, unsigned again)
{
	struct open_home *o;

	(void)pthread_mutex_lock(&h->lock);
	o = find(h, user);
	h->busy--;
	if (o) {
		o->is_busy = false;
		if (again) {
			o->due |= again;
			o->due_ms = clock_mono_ms() + AGAIN_MS;
		}
	}
	(void)pthread_mutex_unlock(&h->lock);
}

static void work(void *argument)
{
	struct job *j = argument;

	end(j->homes, j->user,
	    apphome_draw(j->homes->front, j->user, j->due) ? 0 : j->due | HOMES_DRAW);
	free(j);
}

/* What of it is due now. */
static unsigned due_now(const struct open_home *o, int64_t now)
{
	if (o->is_busy || now < o->due_ms)
		return 0;
	return now < o->panels_ms ? o->due & ~(unsigned)HOMES_PANELS : o->due;
}

/* The next that is due, now busy. */
static bool take(struct homes *h, struct job *ret)
{
	const int64_t now = clock_mono_ms();
	bool found = false;

	(void)pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < HOMES_MAX && !found && h->busy < HOMES_AT_ONCE; i++) {
		struct open_home *o = &h->all[i];
		const unsigned due = due_now(o, now);

		if (!due)
			continue;
		found = true;
		*ret = (struct job){ .homes = h, .due = due };
		memcpy(ret->user, o->user, sizeof ret->user);
		o->due &= ~due;
		o->is_busy = true;
		h->busy++;
		if (due & HOMES_PANELS)
			o->panels_ms = now + HOMES_PANELS_MS;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return found;
}

void homes_tick(struct homes *h)
{
	struct job next;

	if (atomic_load(&h->front->is_known))
		tick_all(h);
	while (atomic_load(&h->front->is_known) && take(h, &next)) {
		struct job *j = malloc(sizeof *j);

		if (j)
			*j = next;
		if (j && front_submit(h->front, work, j))
			continue;
		free(j);
		end(h, next.user, next.due);
		return;
	}
}

/* --- who has it open --- */

void homes_opened(struct homes *h, const char *user)
{
	struct open_home *o;

	(void)pthread_mutex_lock(&h->lock);
	o = find_or_make(h, user);
	if (o)
		o->panels_ms = 0; /* who looks sees what is */
	(void)pthread_mutex_unlock(&h->lock);
}

void homes_closed(struct homes *h, const char *user)
{
	struct open_home *o;

	(void)pthread_mutex_lock(&h->lock);
	o = find(h, user);
	if (o && o->is_busy) {
		o->due = 0;
		json_decref(TAKE(o->panels));
	} else if (o) {
		clear(o);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

json_t *homes_panels(struct homes *h, const char *user)
{
	struct open_home *o;
	json_t *copy;

	(void)pthread_mutex_lock(&h->lock);
	o = find(h, user);
	copy = o && o->panels ? json_deep_copy(o->panels) : NULL;
	(void)pthread_mutex_unlock(&h->lock);
	return copy;
}

void homes_keep_panels(struct homes *h, const char *user, json_t *panels)
{
	struct open_home *o;

	(void)pthread_mutex_lock(&h->lock);
	o = find(h, user);
	if (o) {
		json_decref(o->panels);
		o->panels = TAKE(panels);
	}
	(void)pthread_mutex_unlock(&h->lock);
	json_decref(panels);
}

/* --- life --- */

struct homes *homes_new(struct front *f, struct error *err)
{
	struct homes *h = calloc(1, sizeof *h);

	if (!h) {
		error_oom(err);
		return NULL;
	}
	h->front = f;
	(void)pthread_mutex_init(&h->lock, NULL);
	return h;
}

void homes_free(struct homes *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < HOMES_MAX; i++)
		clear(&h->all[i]);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
