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
