#include "servers/playbooks/playbooks.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "servers/playbooks/checkout.h"
#include "servers/playbooks/renames.h"

enum { RESCAN_S = 30, RENAMES_FOLLOWED_MAX = 8, PATHS_PER_SOURCE = 2 };

static const struct source_kind *const kinds[] = { &source_folder, &source_confluence };

/* ---- Opening ---- */

static bool open_source(struct playbooks *p, const struct statedir *dir,
			const json_t *config, struct error *err)
{
	struct source *s = &p->sources[p->source_count];

	*s = (struct source){ .name = json_get_string(config, "name"),
			      .tags = json_object_get(config, "tags") };
	if (!s->name)
		return error_set(err, ERR_INVALID_ARGUMENT, "a source has no name");
	if (playbooks_source(p, s->name))
		return error_set(err, ERR_INVALID_ARGUMENT, "two sources are called '%s'",
				 s->name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (json_object_get(config, kinds[i]->name))
			s->kind = kinds[i];
	s->self = s->kind ? s->kind->open(dir, config, err) : NULL;
	p->source_count += s->self != NULL;
	return s->self || error_set(err, ERR_INVALID_ARGUMENT,
				    "source '%s' says not where it is", s->name);
}

static bool open_sources(struct playbooks *p, const struct statedir *dir,
			 struct error *err)
{
	const json_t *sources = json_object_get(p->config, "sources"), *one;
	size_t i;

	if (json_array_size(sources) == 0 || json_array_size(sources) > SOURCES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "no source of playbooks is configured");
		return error_hint(err, "name a folder under 'backend', 'sources'");
	}
	json_array_foreach(sources, i, one)
	{
		if (!open_source(p, dir, one, err))
			return false;
	}
	return true;
}

static bool open_stores(struct playbooks *p, const struct statedir *dir,
			struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(dir, "playbooks");
	_cleanup_free_ char *records = statedir_path(dir, "playbooks/records.db");

	p->index_path = statedir_path(dir, "playbooks/index.db");
	if (!folder || !records || !p->index_path)
		return error_oom(err);
	if (!file_make_dir(folder, 0700, err))
		return false;
	p->records = documents_open_sqlite(records, err);
	return p->records != NULL;
}

static bool open_vectors(struct playbooks *p, const struct statedir *dir,
			 struct error *err)
{
	const json_t *config = json_object_get(p->config, "embeddings");
	_cleanup_free_ char *path = statedir_path(dir, "playbooks/vectors.db");

	if (!config)
		return true;
	if (!path)
		return error_oom(err);
	p->vectors = vectors_open(path, dir, config, err);
	return p->vectors != NULL;
}

/* One that is broken is no reason to fail: it is made anew. */
static void open_index(struct playbooks *p)
{
	struct error err = ERROR_INIT;

	p->current = index_open(p->index_path, &err);
	if (!p->current && err.code != ERR_NOT_FOUND)
		log_failure("playbooks.index_unread", &err);
}

static void playbooks_closep(struct playbooks **p)
{
	playbooks_close(*p);
}

void *playbooks_open(const struct statedir *dir, const json_t *config, struct error *err)
{
	_cleanup_(playbooks_closep) struct playbooks *p = calloc(1, sizeof *p);

	if (!p) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_mutex_init(&p->making, NULL);
	(void)pthread_mutex_init(&p->faults_lock, NULL);
	p->config = json_deep_copy(config);
	p->link_hosts = json_object_get(p->config, "link_hosts");
	p->rescan_ms = 1000 * json_get_int64(p->config, "rescan_s", RESCAN_S);
	p->looked_ms = -1;
	p->thesaurus = thesaurus_built_in(err);
	if (!p->thesaurus || !open_sources(p, dir, err) || !open_stores(p, dir, err) ||
	    !open_vectors(p, dir, err))
		return NULL;
	open_index(p);
	return TAKE(p);
}

void playbooks_close(void *context)
{
	struct playbooks *p = context;

	if (!p)
		return;
	for (size_t i = 0; i < p->source_count; i++)
		p->sources[i].kind->close(p->sources[i].self);
	for (size_t i = 0; i < SOURCES_MAX; i++)
		free(p->faults[i]);
	vectors_close(p->vectors);
	index_unref(p->current);
	documents_close(p->records);
	thesaurus_free(p->thesaurus);
	json_decref(p->config);
	free(p->index_path);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_mutex_destroy(&p->making);
	(void)pthread_mutex_destroy(&p->faults_lock);
	free(p);
}

size_t playbooks_reads(const struct statedir *dir, const json_t *config, char **paths,
		       size_t room)
{
	const json_t *sources = json_object_get(config, "sources"), *one;
	size_t i, count = 0;

	json_array_foreach(sources, i, one)
	{
		const char *folder = json_get_string(one, "folder");

		if (!folder || count + PATHS_PER_SOURCE > room)
			continue;
		paths[count] = statedir_file(dir, folder);
		if (!paths[count])
			continue;
		paths[count + 1] = checkout_find(paths[count]);
		count += paths[count + 1] ? 2 : 1;
	}
	return count;
}

/* ---- The index ---- */

struct index *playbooks_index(struct playbooks *p, struct error *err)
{
	struct index *x;

	(void)pthread_mutex_lock(&p->lock);
	x = p->current ? index_ref(p->current) : NULL;
	(void)pthread_mutex_unlock(&p->lock);
	if (!x) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the playbooks are being read for the first time");
		error_hint(err, "ask again in a few seconds");
	}
	return x;
}

bool playbooks_ready(void *context, struct error *err)
{
	struct playbooks *p = context;
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, err);

	return x != NULL;
}

static void swap_index(struct playbooks *p, struct index *made)
{
	struct index *old;

	(void)pthread_mutex_lock(&p->lock);
	old = p->current;
	p->current = made;
	(void)pthread_mutex_unlock(&p->lock);
	index_unref(old);
}

/* ---- Making it ---- */

static void set_fault(struct playbooks *p, size_t source, const char *why)
{
	(void)pthread_mutex_lock(&p->faults_lock);
	free(p->faults[source]);
	p->faults[source] = why ? strdup(why) : NULL;
	(void)pthread_mutex_unlock(&p->faults_lock);
}

/* What all sources are like now; of one that cannot be asked, what is known of it. */
static json_t *look(struct playbooks *p, const json_t *known, const atomic_bool *stopping,
		    struct error *err)
{
	json_auto_t *now = json_object();

	for (size_t i = 0; now && i < p->source_count; i++) {
		const struct source *s = &p->sources[i];
		_cleanup_strbuf_ struct strbuf print = STRBUF_INIT;
		struct error why = ERROR_INIT;
		json_t *value;

		set_fault(p, i, NULL);
		if (s->kind->fingerprint(s->self, stopping, &print, &why))
			value = json_string(print.data);
		else {
			const json_t *before = json_object_get(known, s->name);

			log_failure("playbooks.source_failed", &why);
			set_fault(p, i, why.message);
			value = before ? json_deep_copy(before) : json_string("");
		}
		if (!value || json_object_set_new(now, s->name, value) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(now);
}

static bool read_source(struct playbooks *p, size_t i, struct sink *sink,
			struct error *err)
{
	const struct source *s = &p->sources[i];
	struct error why = ERROR_INIT;

	if (!p->faults[i] && s->kind->read(s->self, sink, &why))
		return true;
	if (sink_stopping(sink))
		return error_set(err, ERR_TIMEOUT, "the server is stopping");
	if (error_is_set(&why)) {
		log_failure("playbooks.source_failed", &why);
		if (why.code == ERR_INTERNAL)
			return error_set(err, why.code, "%s", why.message);
		set_fault(p, i, why.message);
	}
	return sink_keep_all(sink, err);
}

static bool read_sources(struct playbooks *p, struct builder *b, const struct index *old,
			 const char *only, bool force, const atomic_bool *stopping,
			 json_t *reports, struct error *err)
{
	for (size_t i = 0; i < p->source_count; i++) {
		const struct source *s = &p->sources[i];
		struct sink sink = {
			.builder = b,
			.old = old,
			.source = s,
			.stopping = stopping,
			.fresh = force && (!only || strcmp(only, s->name) == 0),
			.skipped = json_array(),
		};
		const bool ok = (sink.skipped || error_oom(err)) &&
				read_source(p, i, &sink, err);
		json_t *report = json_pack(
			"{s:s, s:s, s:I, s:o, s:I}", "source", s->name, "kind",
			s->kind->name, "pages", (json_int_t)sink.pages, "skipped",
			sink.skipped, "skipped_count", (json_int_t)sink.skipped_count);

		if (!ok) {
			json_decref(report);
			return false;
		}
		if (json_array_append_new(reports, report) != 0)
			return error_oom(err);
	}
	return true;
}

static bool note(struct builder *b, const char *name, const json_t *value,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	return json_write(&text, value, err) && builder_note(b, name, text.data, err);
}

static bool build(struct playbooks *p, const json_t *now, const struct index *old,
		  bool force, const char *only, const atomic_bool *stopping,
		  struct error *err)
{
	_cleanup_(builder_freep) struct builder *b =
		builder_new(p->index_path, &weights_default, err);
	json_auto_t *reports = json_array();
	json_auto_t *made = json_pack("{s:I}", "at_ms", (json_int_t)clock_wall_ms());

	if (!b)
		return false;
	if (!reports || !made)
		return error_oom(err);
	return read_sources(p, b, old, only, force, stopping, reports, err) &&
	       note(b, "fingerprints", now, err) && note(b, "sources", reports, err) &&
	       note(b, "config", p->config, err) && note(b, "made", made, err) &&
	       builder_finish(b, err);
}

static bool is_current(const struct playbooks *p, const struct index *old,
		       const json_t *now)
{
	json_auto_t *known = old ? index_note(old, "fingerprints") : NULL;
	json_auto_t *config = old ? index_note(old, "config") : NULL;

	return known && config && json_equal(known, now) && json_equal(config, p->config);
}

static bool make(struct playbooks *p, bool force, const char *only,
		 const atomic_bool *stopping, bool *ret_changed, struct error *err)
{
	struct error none = ERROR_INIT;
	_cleanup_(index_unrefp) struct index *old = playbooks_index(p, &none);
	json_auto_t *known = old ? index_note(old, "fingerprints") : NULL;
	json_auto_t *now = look(p, known, stopping, err);
	struct index *made;

	if (!now)
		return false;
	if (!force && is_current(p, old, now))
		return true;
	if (!build(p, now, old, force, only, stopping, err))
		return false;
	made = index_open(p->index_path, err);
	if (!made)
		return false;
	if (old && !renames_note(p->records, old, made, err)) {
		index_unref(made);
		return false;
	}
	log_info("playbooks.indexed", LOG_INT("documents", made->document_count),
		 LOG_INT("sections", made->section_count),
		 LOG_INT("bytes", (int64_t)index_memory(made)));
	swap_index(p, made);
	*ret_changed = true;
	return true;
}

bool playbooks_make(struct playbooks *p, bool force, const char *only,
		    const atomic_bool *stopping, bool *ret_changed, struct error *err)
{
	bool ok;

	*ret_changed = false;
	(void)pthread_mutex_lock(&p->making);
	ok = make(p, force, only, stopping, ret_changed, err);
	(void)pthread_mutex_unlock(&p->making);
	return ok;
}

static void rescan(struct playbooks *p, const struct mcp_tick *tick)
{
	const int64_t now_ms = clock_mono_ms();
	struct error err = ERROR_INIT;
	bool changed;

	if (p->looked_ms >= 0 && now_ms - p->looked_ms < p->rescan_ms)
		return;
	p->looked_ms = now_ms;
	if (!playbooks_make(p, false, NULL, tick->stopping, &changed, &err))
		log_failure("playbooks.not_indexed", &err);
	else if (changed)
		mcp_service_changed(tick->service, MCP_CHANGED_RESOURCES, NULL);
}

void playbooks_tick(void *context, const struct mcp_tick *tick)
{
	struct playbooks *p = context;
	struct error none = ERROR_INIT;

	rescan(p, tick);
	if (!p->vectors)
		return;
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, &none);
	if (x)
		vectors_step(p->vectors, x, tick->stopping);
}

/* ---- Asking ---- */

const struct source *playbooks_source(const struct playbooks *p, const char *name)
{
	for (size_t i = 0; i < p->source_count; i++)
		if (strcmp(p->sources[i].name, name) == 0)
			return &p->sources[i];
	return NULL;
}

bool playbooks_may_see(const struct index_document *d, const char *requester)
{
	const json_t *reader;
	size_t i;

	if (!d->readers)
		return true;
	json_array_foreach(d->readers, i, reader)
	{
		const char *name = json_string_value(reader);

		if (name && requester && strcmp(name, requester) == 0)
			return true;
	}
	return false;
}

bool playbooks_find(struct playbooks *p, const struct index *x, const char *id,
		    const char *requester, uint32_t *ret, bool *ret_renamed,
		    struct error *err)
{
	_cleanup_free_ char *at = strdup(id);

	*ret_renamed = false;
	for (int i = 0; at && i <= RENAMES_FOLLOWED_MAX; i++) {
		char *next;

		if (index_find_page(x, at, ret)) {
			/* Who may not see it learns no more than that there is none. */
			if (playbooks_may_see(&x->documents[*ret], requester))
				return true;
			break;
		}
		next = renames_follow(p->records, at, err);
		if (error_is_set(err))
			return false;
		free(at);
		at = next;
		*ret_renamed = true;
	}
	error_set(err, ERR_NOT_FOUND, "there is no playbook '%.200s'", id);
	return error_hint(err, "find its id with search_playbooks or list_playbooks");
}
