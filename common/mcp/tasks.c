#include "mcp/tasks.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "mcp/task.h"

enum { LOOK_MS = 250 };

/* ---- One task ---- */

const char *task_text(const struct task *k, const char *name)
{
	return json_get_string(k->record, name);
}

bool task_is(const struct task *k, const char *status)
{
	return strcmp(task_text(k, "status"), status) == 0;
}

bool task_is_over(const struct task *k)
{
	return !task_is(k, "working") && !task_is(k, "input_required");
}

static int64_t ends_ms(const struct task *k)
{
	return json_get_int64(k->record, "created", 0) + TASK_TTL_MS;
}

static void task_free(struct task *k)
{
	json_decref(k->record);
	free(k);
}

static void make_key(const char *id, char key[static 64])
{
	(void)snprintf(key, 64, "task/%.40s", id);
}

/* ---- The store ---- */

static bool write_record(const struct task *k, struct strbuf *sb, struct error *err)
{
	return json_write(sb, k->record, err) && (strbuf_ok(sb) || error_oom(err));
}

bool task_keep(struct tasks *t, const struct task *k, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int64_t left_ms = ends_ms(k) - clock_wall_ms();
	char key[64];

	make_key(k->id, key);
	return write_record(k, &text, err) &&
	       coord_put(t->service->store, key, text.data,
			 left_ms > 1000 ? left_ms : 1000, err);
}

void task_move(struct tasks *t, struct task *k, const char *status, const char *name,
	       json_t *value)
{
	struct error err = ERROR_INIT;

	if (name && value)
		(void)json_object_set_new(k->record, name, value);
	(void)json_object_set_new(k->record, "status", json_string(status));
	(void)json_object_set_new(k->record, "updated", json_integer(clock_wall_ms()));
	if (task_is_over(k))
		(void)json_object_del(k->record, "requests");
	if (!task_keep(t, k, &err))
		log_failure("task.not_kept", &err);
	json_auto_t *shown = task_json(k);
	if (shown)
		listeners_tell_task(t->service->listeners, task_text(k, "principal"),
				    task_text(k, "client"), k->id, shown);
}

/* ---- The table ---- */

struct task *task_find(struct tasks *t, const char *id, const char *principal,
		       const char *client)
{
	for (struct task *k = t->first; k; k = k->next)
		if (strcmp(k->id, id) == 0)
			return strcmp(task_text(k, "principal"), principal) == 0 &&
					       strcmp(task_text(k, "client"), client) == 0
				       ? k
				       : NULL;
	return NULL;
}

bool tasks_has(struct tasks *t, const char *id, const char *principal, const char *client)
{
	(void)pthread_mutex_lock(&t->lock);
	bool has = task_find(t, id, principal, client) != NULL;
	(void)pthread_mutex_unlock(&t->lock);
	return has;
}

static struct task *add(struct tasks *t, json_t *record)
{
	struct task *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	k->record = json_incref(record);
	k->id = json_get_string(record, "id");
	k->next = t->first;
	t->first = k;
	t->count++;
	return k;
}

/* What has been readable for long enough. */
static void forget_old(struct tasks *t)
{
	int64_t now_ms = clock_wall_ms();

	for (struct task **at = &t->first; *at;) {
		struct task *k = *at;

		if (k->is_running || now_ms < ends_ms(k)) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		t->count--;
		task_free(k);
	}
}

/* ---- Making ---- */

static json_t *make_record(const struct exchange *x, const char *approval)
{
	json_int_t now_ms = clock_wall_ms();
	char id[2 * DIGEST_ID_BYTES];

	/* 260 random bits: the id is a secret too. */
	digest_random_id(id);
	digest_random_id(id + DIGEST_ID_BYTES - 1);
	return json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O*, s:s*, s:s, s:I, s:I, "
		"s:O*, s:O*}",
		"v", 1, "id", id, "principal", x->caller.principal, "client",
		x->caller.client, "subject", x->caller.subject, "scopes",
		x->caller.scopes, "tool", x->tool->definition->name, "arguments",
		x->canonical.data, "capabilities", x->asking.capabilities, "approval",
		approval, "status", "working", "created", now_ms, "updated", now_ms,
		"answers", x->asking.answers, "memory", x->asking.memory);
}

static bool has_room(const struct tasks *t, const struct exchange *x, struct error *err)
{
	size_t kept = 0, active = 0;

	for (const struct task *k = t->first; k; k = k->next) {
		bool is_own = strcmp(task_text(k, "client"), x->caller.client) == 0;

		kept += is_own;
		active += is_own && !task_is_over(k);
	}
	return (active < TASKS_PER_CALLER_MAX && kept < TASKS_KEPT_PER_CALLER_MAX &&
		t->count < TASKS_MAX) ||
	       error_set(err, ERR_RATE_LIMITED, "there are too many tasks already");
}

/* Durable before anybody knows of it. */
static bool create(struct tasks *t, struct exchange *x, const char *approval,
		   json_t **ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *record = make_record(x, approval);
	bool is_first = false;
	char key[64];

	if (!record || !json_write(&text, record, err))
		return error_is_set(err) ? false : error_oom(err);
	make_key(json_get_string(record, "id"), key);
	if (!coord_claim(t->service->store, key, text.data, TASK_TTL_MS, &is_first, NULL,
			 err))
		return false;
	struct task *k = add(t, record);
	*ret = k ? task_json(k) : NULL;
	if (!*ret)
		return error_oom(err);
	if (approval)
		k->due_ms = clock_mono_ms() + TASK_POLL_MS;
	else if (!task_submit(t, k))
		k->due_ms = clock_mono_ms(); /* when a worker is free */
	return true;
}

static bool start_watching(struct tasks *t, struct error *err);

bool tasks_create(struct exchange *x, const char *approval, json_t **ret,
		  struct error *err)
{
	struct tasks *t = x->service->tasks;

	(void)pthread_mutex_lock(&t->lock);
	forget_old(t);
	bool good = has_room(t, x, err) && start_watching(t, err) &&
		    create(t, x, approval, ret, err);
	(void)pthread_mutex_unlock(&t->lock);
	return good;
}

/* ---- Looking after them ---- */

static void look(struct tasks *t)
{
	int64_t now_ms = clock_mono_ms();

	forget_old(t);
	for (struct task *k = t->first; k; k = k->next)
		if (task_is(k, "working") && !k->is_running && now_ms >= k->due_ms)
			(void)task_submit(t, k);
}

static void *work(void *argument)
{
	struct tasks *t = argument;

	(void)pthread_mutex_lock(&t->lock);
	while (!t->is_stopping) {
		struct timespec until;

		look(t);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		(void)pthread_cond_timedwait(&t->woken, &t->lock, &until);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* ---- Beginning and ending ---- */

static bool restore(void *context, const char *key, const char *value)
{
	struct tasks *t = context;
	struct error err = ERROR_INIT;
	json_auto_t *record = json_parse(value, strlen(value), JSON_SYNTAX, &err);

	(void)key;
	if (json_get_string(record, "id") && json_get_string(record, "status") &&
	    json_get_string(record, "principal") && json_get_string(record, "client"))
		(void)add(t, record);
	return t->count < TASKS_MAX;
}

struct tasks *tasks_new(struct mcp_service *s, struct error *err)
{
	struct tasks *t = calloc(1, sizeof *t);
	pthread_condattr_t monotonic;

	if (!t) {
		error_oom(err);
		return NULL;
	}
	t->service = s;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->woken, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (!coord_scan(s->store, "task/", restore, t, err)) {
		tasks_free(t);
		return NULL;
	}
	/* Their functions died with the process, and a read is not repeated unasked. */
	for (struct task *k = t->first; k; k = k->next)
		if (!task_is_over(k) && !task_text(k, "approval"))
			task_move(t, k, "failed", "error",
				  json_pack("{s:i, s:s}", "code", JSONRPC_INTERNAL_ERROR,
					    "message",
					    "the server was restarted meanwhile"));
	return t;
}

/* With the lock held. */
static bool start_watching(struct tasks *t, struct error *err)
{
	sigset_t all, before;

	if (!t->is_watched || t->is_started || t->is_stopping)
		return true;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&t->thread, NULL, work, t);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno != 0)
		return error_errno(err, "cannot start a thread");
	t->is_started = true;
	return true;
}

bool tasks_start(struct tasks *t, struct error *err)
{
	(void)pthread_mutex_lock(&t->lock);
	t->is_watched = true;
	const bool good = !t->first || start_watching(t, err);
	(void)pthread_mutex_unlock(&t->lock);
	return good;
}

void tasks_stop(struct tasks *t)
{
	(void)pthread_mutex_lock(&t->lock);
	const bool is_started = t->is_started;
	t->is_stopping = true;
	t->is_started = false;
	(void)pthread_cond_broadcast(&t->woken);
	(void)pthread_mutex_unlock(&t->lock);
	if (is_started)
		(void)pthread_join(t->thread, NULL);
}

void tasks_free(struct tasks *t)
{
	struct task *next;

	if (!t)
		return;
	for (struct task *k = t->first; k; k = next) {
		next = k->next;
		task_free(k);
	}
	(void)pthread_cond_destroy(&t->woken);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}
