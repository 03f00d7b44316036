/* The index made anew, by the tick or because somebody asked, while the old one is searched. */
#include "servers/playbooks/playbooks.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "servers/playbooks/renames.h"

static void swap_index(struct playbooks *p, struct index *made)
{
	struct index *old;

	(void)pthread_mutex_lock(&p->lock);
	old = p->current;
	p->current = made;
	(void)pthread_mutex_unlock(&p->lock);
	index_unref(old);
}

/* ---- The sources ---- */

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

/* ---- The index ---- */

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
