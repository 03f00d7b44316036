#include "servers/playbooks/index.h"

#include <string.h>

#include "base/file.h"
#include "servers/playbooks/index_private.h"

static void free_documents(struct index *x)
{
	for (uint32_t i = 0; x->documents && i < x->document_count; i++) {
		json_decref(x->documents[i].tags);
		json_decref(x->documents[i].readers);
	}
	free(x->documents);
}

static void index_free(struct index *x)
{
	struct index_private *p = x->private;

	free_documents(x);
	free(x->signatures);
	free(x->sections);
	free(x->postings);
	free(x->surface_rows);
	lexicon_done(&x->stems);
	lexicon_done(&x->surfaces);
	lexicon_done(&x->acronyms);
	if (p) {
		(void)sqlite3_finalize(p->body);
		(void)sqlite3_finalize(p->stamp);
		(void)sqlite3_close(p->db);
		lexicon_done(&p->ids);
		free(p->postings);
		while (p->blocks) {
			struct index_block *next = p->blocks->next;

			free(p->blocks);
			p->blocks = next;
		}
		(void)pthread_mutex_destroy(&p->lock);
		free(p);
	}
	free(x);
}

struct index *index_ref(struct index *x)
{
	atomic_fetch_add(&x->private->references, 1);
	return x;
}

void index_unref(struct index *x)
{
	if (x && (!x->private || atomic_fetch_sub(&x->private->references, 1) == 1))
		index_free(x);
}

json_t *index_json(sqlite3_stmt *s, int column)
{
	struct error ignored = ERROR_INIT;
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? json_parse(text, strlen(text), JSON_CONTRACT, &ignored) : NULL;
}

/* Who has the same text is folded into the first with it that has the same readers. */
bool index_fail(const struct index *x, struct error *err)
{
	return error_set(err, ERR_INTERNAL, "cannot read the index: %s",
			 sqlite3_errmsg(x->private->db));
}

bool index_prepare(const struct index *x, const char *sql, sqlite3_stmt **ret,
		   struct error *err)
{
	return sqlite3_prepare_v2(x->private->db, sql, -1, ret, NULL) == SQLITE_OK ||
	       index_fail(x, err);
}

struct index *index_open(const char *path, struct error *err)
{
	_cleanup_(index_unrefp) struct index *x = calloc(1, sizeof *x);

	if (!file_exists(path)) {
		error_set(err, ERR_NOT_FOUND, "there is no index yet");
		return NULL;
	}
	if (x)
		x->private = calloc(1, sizeof *x->private);
	if (!x || !x->private) {
		error_oom(err);
		return NULL;
	}
	atomic_init(&x->private->references, 1);
	(void)pthread_mutex_init(&x->private->lock, NULL);
	/* Immutable: nobody writes it, a newer one is another file. */
	if (sqlite3_open_v2(path, &x->private->db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		index_fail(x, err);
		return NULL;
	}
	return index_load(x, err) ? TAKE(x) : NULL;
}

bool index_find_page(const struct index *x, const char *id, uint32_t *ret)
{
	return lexicon_find(&x->private->ids, id, ret);
}

bool index_body(const struct index *x, uint32_t document, struct strbuf *ret,
		struct error *err)
{
	struct index_private *p = x->private;
	bool ok = false;

	(void)pthread_mutex_lock(&p->lock);
	(void)sqlite3_bind_int64(p->body, 1, document);
	if (sqlite3_step(p->body) == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(p->body, 0);
		const int length = sqlite3_column_bytes(p->body, 0);

		if (length > 0 && bytes)
			strbuf_add(ret, bytes, (size_t)length);
		ok = true;
	} else
		index_fail(x, err);
	(void)sqlite3_reset(p->body);
	(void)pthread_mutex_unlock(&p->lock);
	return ok && (strbuf_ok(ret) || error_oom(err));
}

char *index_stamp(const struct index *x, uint32_t document)
{
	struct index_private *p = x->private;
	char *copy = NULL;

	(void)pthread_mutex_lock(&p->lock);
	(void)sqlite3_bind_int64(p->stamp, 1, document);
	if (sqlite3_step(p->stamp) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(p->stamp, 0);

		copy = text ? strdup(text) : NULL;
	}
	(void)sqlite3_reset(p->stamp);
	(void)pthread_mutex_unlock(&p->lock);
	return copy;
}

json_t *index_note(const struct index *x, const char *name)
{
	struct error ignored = ERROR_INIT;
	sqlite3_stmt *s = NULL;
	json_t *value = NULL;

	(void)pthread_mutex_lock(&x->private->lock);
	if (index_prepare(x, "SELECT value FROM notes WHERE name=?", &s, &ignored)) {
		(void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
		if (sqlite3_step(s) == SQLITE_ROW)
			value = index_json(s, 0);
	}
	(void)sqlite3_finalize(s);
	(void)pthread_mutex_unlock(&x->private->lock);
	return value;
}

size_t index_memory(const struct index *x)
{
	const struct lexicon *all[] = { &x->stems, &x->surfaces, &x->acronyms,
					&x->private->ids };
	size_t sum = x->private->memory;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		sum += all[i]->room + all[i]->capacity * sizeof(uint32_t) +
		       all[i]->slot_count * sizeof(uint32_t);
	return sum;
}
