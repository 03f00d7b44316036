#include "servers/people/people.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "servers/people/links.h"

/* In the order in which they are read. */
static const struct source_kind *const kinds[] = { &source_file, &source_ldap,
						   &source_okta, &source_github,
						   &source_slack };

/* ---- Snapshots ---------------------------------------------------------------------- */

static void release(struct snapshot *s)
{
	if (!s || --s->references > 0)
		return;
	index_free(s->index);
	free(s);
}

struct snapshot *people_snapshot(struct people *p, struct error *err)
{
	struct snapshot *s;

	pthread_mutex_lock(&p->lock);
	s = p->current;
	if (s)
		s->references++;
	pthread_mutex_unlock(&p->lock);
	if (!s)
		error_set(err, ERR_BACKEND_UNAVAILABLE, "nobody is known yet");
	return s;
}

void people_snapshot_give(struct people *p, struct snapshot *s)
{
	pthread_mutex_lock(&p->lock);
	release(s);
	pthread_mutex_unlock(&p->lock);
}

static bool add_account(void *context, const struct store_account *a, struct error *err)
{
	return index_add(context, a->system, a->key, a->row, a->fields, a->length, err);
}

static struct snapshot *build(struct people *p, struct error *err)
{
	struct index_builder *b = index_builder_new(&p->settings.rules.mail, err);
	struct snapshot *s = calloc(1, sizeof *s);

	if (!b || !s || !people_store_load(p->store, add_account, b, &s->revision, err) ||
	    !links_add(p->links, b, err)) {
		index_builder_free(b);
		free(s);
		error_oom(err);
		return NULL;
	}
	s->references = 1;
	s->index = index_build(b, err);
	if (s->index)
		return s;
	free(s);
	return NULL;
}

static bool rebuild_locked(struct people *p, struct error *err)
{
	struct snapshot *s = build(p, err), *old;

	if (!s)
		return false;
	pthread_mutex_lock(&p->lock);
	old = p->current;
	p->current = s;
	release(old);
	pthread_mutex_unlock(&p->lock);
	return true;
}

bool people_rebuild(struct people *p, struct error *err)
{
	bool ok;

	pthread_mutex_lock(&p->build_lock);
	ok = rebuild_locked(p, err);
	pthread_mutex_unlock(&p->build_lock);
	return ok;
}

bool people_catch_up(struct people *p, int64_t revision, struct error *err)
{
	bool is_old, ok = true;

	pthread_mutex_lock(&p->build_lock);
	pthread_mutex_lock(&p->lock);
	is_old = !p->current || p->current->revision < revision;
	pthread_mutex_unlock(&p->lock);
	if (is_old)
		ok = rebuild_locked(p, err);
	pthread_mutex_unlock(&p->build_lock);
	return ok;
}

/* ---- Reading sources ---------------------------------------------------------------- */

static void note_failure(struct people *p, struct people_feed *f, int64_t now_ms,
			 const struct error *why)
{
	log_failure("source.failed", why);
	pthread_mutex_lock(&p->lock);
	if (!f->failing_since_ms)
		f->failing_since_ms = now_ms;
	(void)snprintf(f->why, sizeof f->why, "%.*s", (int)sizeof f->why - 1,
		       why->message);
	pthread_mutex_unlock(&p->lock);
}

static void note_read(struct people *p, struct people_feed *f,
		      const struct store_source *when)
{
	pthread_mutex_lock(&p->lock);
	f->when = *when;
	f->failing_since_ms = 0;
	f->why[0] = '\0';
	pthread_mutex_unlock(&p->lock);
}

/* One read, applied. '*ret_wants_full': it could not tell what changed. */
static bool read_once(struct people *p, struct people_feed *f, bool is_full,
		      int64_t now_ms, bool *ret_wants_full, size_t *ret_changed,
		      struct error *err)
{
	struct store_stage stage = STORE_STAGE_INIT;
	struct store_source when = f->when;
	struct source_read read = {
		.is_full = is_full,
		.stopping = &p->stopping,
		.sink = { .put = store_stage_put, .context = &stage },
	};
	bool ok;

	(void)snprintf(read.cursor, sizeof read.cursor, "%s", is_full ? "" : when.cursor);
	ok = f->kind->read(f->self, &read, err);
	/* A base that went missing, a token that sees nothing: no company is empty. */
	if (ok && is_full && stage.count == 0)
		ok = error_set(err, ERR_BACKEND_UNAVAILABLE, "%s shows nobody",
			       f->kind->name);
	*ret_wants_full = ok && read.wants_full && !is_full;
	if (ok && !*ret_wants_full) {
		(void)snprintf(when.cursor, sizeof when.cursor, "%s", read.cursor);
		when.read_ms = now_ms;
		if (is_full)
			when.swept_ms = now_ms;
		ok = people_store_apply(p->store, f->kind->name, is_full, &stage, &when,
					ret_changed, err);
		if (ok) {
			note_read(p, f, &when);
			log_info("source.read", LOG_STR("source", f->kind->name),
				 LOG_BOOL("full", is_full),
				 LOG_INT("accounts", (int64_t)stage.count),
				 LOG_INT("without_key", (int64_t)stage.without_key),
				 LOG_INT("changed", (int64_t)*ret_changed));
		}
	}
	store_stage_done(&stage);
	return ok;
}

static bool is_due(const struct people *p, const struct people_feed *f, int64_t now_ms)
{
	const int64_t since = now_ms - f->tried_ms;
	const bool waits = f->kind->has_changes || f->failing_since_ms ||
			   !f->when.swept_ms;

	/* A clock that was set back leaves nothing waiting. */
	return f->tried_ms == 0 || since < 0 ||
	       since >= (waits ? p->settings.refresh_ms : p->settings.sweep_ms);
}

/* Everything in its time, and whenever changes cannot be told. */
static size_t read_feed(struct people *p, struct people_feed *f, int64_t now_ms)
{
	const int64_t since_sweep = now_ms - f->when.swept_ms;
	bool is_full = !f->kind->has_changes || !f->when.swept_ms || since_sweep < 0 ||
		       since_sweep >= p->settings.sweep_ms;
	bool wants_full = false, ok;
	struct error err = ERROR_INIT;
	size_t changed = 0;

	ok = read_once(p, f, is_full, now_ms, &wants_full, &changed, &err);
	if (ok && wants_full)
		ok = read_once(p, f, true, now_ms, &wants_full, &changed, &err);
	if (!ok)
		note_failure(p, f, now_ms, &err);
	return changed;
}

static void *run_feed(void *context)
{
	struct people_feed *f = context;
	struct people *p = f->people;
	struct error err = ERROR_INIT;

	if (read_feed(p, f, f->tried_ms) > 0 && !people_rebuild(p, &err))
		log_failure("people.not_indexed", &err);
	pthread_mutex_lock(&p->lock);
	f->is_running = false;
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void join_feed(struct people_feed *f)
{
	if (f->is_started)
		(void)pthread_join(f->thread, NULL);
	f->is_started = false;
}

static void start_feed(struct people *p, struct people_feed *f, int64_t now_ms)
{
	bool is_free;

	pthread_mutex_lock(&p->lock);
	is_free = !f->is_running && is_due(p, f, now_ms);
	if (is_free) {
		f->is_running = true;
		f->tried_ms = now_ms;
	}
	pthread_mutex_unlock(&p->lock);
	if (!is_free)
		return;
	join_feed(f);
	f->is_started = pthread_create(&f->thread, NULL, run_feed, f) == 0;
	if (!f->is_started) {
		log_warn("source.not_read", LOG_STR("source", f->kind->name));
		pthread_mutex_lock(&p->lock);
		f->is_running = false;
		pthread_mutex_unlock(&p->lock);
	}
}

void people_wait(struct people *p)
{
	for (size_t i = 0; i < p->feed_count; i++)
		join_feed(&p->feeds[i]);
}

void people_tick(void *context, const struct mcp_tick *tick)
{
	struct people *p = context;

	if (tick->stopping && atomic_load(tick->stopping)) {
		atomic_store(&p->stopping, true);
		return;
	}
	for (size_t i = 0; i < p->feed_count; i++)
		start_feed(p, &p->feeds[i], tick->now_ms);
}

/* ---- Life --------------------------------------------------------------------------- */

static void people_closep(struct people **p)
{
	people_close(*p);
}

void people_close(void *context)
{
	struct people *p = context;

	if (!p)
		return;
	atomic_store(&p->stopping, true);
	people_wait(p);
	for (size_t i = 0; i < p->feed_count; i++)
		p->feeds[i].kind->close(p->feeds[i].self);
	release(p->current);
	people_store_close(p->store);
	documents_close(p->links);
	people_settings_done(&p->settings);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->build_lock);
	free(p);
}

static bool open_feeds(struct people *p, const struct statedir *dir,
		       const json_t *sources, struct error *err)
{
	const char *names[SYSTEM_COUNT + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const json_t *config = json_object_get(sources, kinds[i]->name);
		struct people_feed *f = &p->feeds[p->feed_count];

		if (!config)
			continue;
		f->people = p;
		f->kind = kinds[i];
		f->self = kinds[i]->open(dir, config, err);
		if (!f->self)
			return false;
		p->feed_count++;
		names[p->feed_count - 1] = kinds[i]->name;
		if (!people_store_source(p->store, kinds[i]->name, &f->when, err))
			return false;
	}
	if (p->feed_count == 0) {
		error_set(err, ERR_INVALID_ARGUMENT, "no source of people is configured");
		return error_hint(err, "name one under 'backend.sources', for example "
				       "'ldap' or 'file'");
	}
	return people_store_keep_only(p->store, names, err);
}

/* What is read whole is as old as that: with less than this nobody could ever be blocked. */
static bool check_ages(const struct people *p, struct error *err)
{
	for (size_t i = 0; i < p->feed_count; i++) {
		if (p->feeds[i].kind->has_changes ||
		    p->settings.max_age_ms > p->settings.sweep_ms)
			continue;
		error_set(err, ERR_INVALID_ARGUMENT,
			  "max_age_s is not above sweep_s, and %s is read only so often: "
			  "most of the time nobody could be blocked",
			  p->feeds[i].kind->name);
		return error_hint(err, "make max_age_s several times sweep_s");
	}
	return true;
}

static bool open_stores(struct people *p, const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(dir, "people");
	_cleanup_free_ char *index = statedir_path(dir, "people/index.db");
	_cleanup_free_ char *links = statedir_path(dir, "people/links.db");

	if (!folder || !index || !links)
		return error_oom(err);
	if (!file_make_dir(folder, 0700, err))
		return false;
	p->store = people_store_open(index, err);
	p->links = p->store ? documents_open_sqlite(links, err) : NULL;
	return p->links != NULL;
}

/* A file needs no network: whoever asks first already finds its people. */
static void read_files(struct people *p)
{
	for (size_t i = 0; i < p->feed_count; i++)
		if (p->feeds[i].kind == &source_file) {
			p->feeds[i].tried_ms = clock_wall_ms();
			(void)read_feed(p, &p->feeds[i], p->feeds[i].tried_ms);
		}
}

void *people_open(const struct statedir *dir, const json_t *config, struct error *err)
{
	_cleanup_(people_closep) struct people *p = calloc(1, sizeof *p);

	if (!p) {
		error_oom(err);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->build_lock, NULL);
	if (!people_settings_read(&p->settings, config, err) ||
	    !open_stores(p, dir, err) ||
	    !open_feeds(p, dir, json_object_get(config, "sources"), err) ||
	    !check_ages(p, err))
		return NULL;
	read_files(p);
	return people_rebuild(p, err) ? TAKE(p) : NULL;
}

bool people_unix_sockets(const json_t *config)
{
	const char *uri = json_get_string(
		json_object_get(json_object_get(config, "sources"), "ldap"), "uri");

	return uri && strcasestr(uri, "ldapi:");
}

/* ---- How far it can be believed ----------------------------------------------------- */

bool people_ready(void *context, struct error *err)
{
	struct people *p = context;
	bool ok = true;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->feed_count && ok; i++)
		if (!p->feeds[i].when.swept_ms)
			ok = error_set(err, ERR_BACKEND_UNAVAILABLE,
				       "%s was never read%s%s", p->feeds[i].kind->name,
				       *p->feeds[i].why ? ": " : "", p->feeds[i].why);
	pthread_mutex_unlock(&p->lock);
	return ok;
}

void people_freshness(struct people *p, int64_t now_ms, struct freshness *ret)
{
	*ret = (struct freshness){ 0 };
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->feed_count; i++) {
		const struct people_feed *f = &p->feeds[i];
		int64_t age_ms = now_ms - f->when.read_ms;

		if (age_ms < 0)
			age_ms = 0;
		if (age_ms > ret->age_ms)
			ret->age_ms = age_ms;
		ret->is_stale |= f->failing_since_ms != 0 || !f->when.swept_ms;
		ret->is_too_old |= !f->when.swept_ms || age_ms > p->settings.max_age_ms;
	}
	pthread_mutex_unlock(&p->lock);
}

json_t *people_warnings(struct people *p, int64_t now_ms)
{
	json_auto_t *list = json_array();

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; list && i < p->feed_count; i++) {
		const struct people_feed *f = &p->feeds[i];
		char when[CLOCK_TEXT_BYTES], text[480];

		if (!f->failing_since_ms && f->when.swept_ms)
			continue;
		(void)snprintf(text, sizeof text, "%s %s%s%s%s", f->kind->name,
			       f->when.read_ms ? "does not answer; it was last read "
					       : "was never read",
			       f->when.read_ms
				       ? clock_relative(f->when.read_ms, now_ms, when)
				       : "",
			       *f->why ? ": " : "", f->why);
		if (json_array_append_new(list, json_string(text)) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return TAKE(list);
}
