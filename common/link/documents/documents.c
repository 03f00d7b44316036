#include "link/documents/documents.h"

#include "base/text.h"
#include "link/documents/documents_backend.h"

enum { PAGE_ROWS = 64, COLLECTION_MAX = 64, FILTERS_MAX = 8, FILTER_PATH_MAX = 128 };

/* ---- What every twin may rely on -------------------------------------------------- */

static bool check_name(const char *what, const char *name, size_t max, struct error *err)
{
	size_t length = strlen(name);

	if (length < 1 || length > max)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a document's %s has 1 to %zu bytes, not %zu", what, max,
				 length);
	if (!text_is_utf8(name, length))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a document's %s is UTF-8 text", what);
	return true;
}

static bool check_names(const char *collection, const char *id, struct error *err)
{
	return check_name("collection", collection, COLLECTION_MAX, err) &&
	       check_name("id", id, DOCUMENT_ID_MAX, err);
}

/* "plan.risk": names of letters, digits, '_' and '-', joined by dots. */
static bool check_filter_path(const char *path, struct error *err)
{
	char before = '.';

	for (const char *p = path; *p; before = *p++) {
		bool name = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9') || *p == '_' || *p == '-';

		if (!name && (*p != '.' || before == '.'))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is no path of members", path);
	}
	if (before == '.' || strlen(path) > FILTER_PATH_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no path of members",
				 path);
	return true;
}

static bool check_filters(const struct documents_filter *filters, struct error *err)
{
	size_t count = 0;

	for (const struct documents_filter *f = filters; f && f->path; f++) {
		if (++count > FILTERS_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "at most %d filters at once", FILTERS_MAX);
		if (!f->equals)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "filter '%s' has no value", f->path);
		if (!check_filter_path(f->path, err))
			return false;
	}
	return true;
}

/* ---- Rows ------------------------------------------------------------------------- */

void document_done(struct document *d)
{
	json_decref(d->body);
	d->body = NULL;
}

static void rows_done(struct document_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(TAKE(rows[i].text));
}

static bool read_row(const struct document_row *row, struct document *ret,
		     struct error *err)
{
	struct error bad = ERROR_INIT;
	json_t *body = json_parse(row->text, row->text_bytes, JSON_SYNTAX, &bad);

	if (!body) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "document '%s' in the store is damaged", row->id);
		return error_cause(err, "%s", bad.message);
	}
	memcpy(ret->id, row->id, sizeof ret->id);
	ret->revision = row->revision;
	ret->updated_ms = row->updated_ms;
	ret->body = body;
	return true;
}

/* ---- The verbs -------------------------------------------------------------------- */

void documents_close(struct documents *d)
{
	if (d)
		d->backend->close(d);
}

bool documents_get(struct documents *d, const char *collection, const char *id,
		   struct document *ret, bool *ret_found, struct error *err)
{
	struct document_row row = { 0 };
	bool found = false, ok;

	if (!check_names(collection, id, err) ||
	    !d->backend->get(d, collection, id, &row, &found, err))
		return false;
	ok = !found || read_row(&row, ret, err);
	rows_done(&row, 1);
	if (ok)
		*ret_found = found;
	return ok;
}

bool documents_put(struct documents *d, const char *collection, const char *id,
		   const json_t *body, int64_t expected, int64_t *ret_revision,
		   struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!check_names(collection, id, err))
		return false;
	if (!json_is_object(body) || expected < DOCUMENT_ANY)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a document is a JSON object");
	/* The twins agree only on what both keep: no NUL, no integer past 2^53. */
	if (!json_check_contract(body, err) || !json_write(&text, body, err))
		return false;
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (text.length > DOCUMENT_BYTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a document has at most %d bytes, not %zu",
				 DOCUMENT_BYTES_MAX, text.length);
	return d->backend->put(d, collection, id, text.data, text.length, expected,
			       ret_revision, err);
}

bool documents_delete(struct documents *d, const char *collection, const char *id,
		      bool *ret_existed, struct error *err)
{
	return check_names(collection, id, err) &&
	       d->backend->remove(d, collection, id, ret_existed, err);
}

/* Hand a page to 'fn'. '*ret_more' turns false when it wants no more. */
static bool give_page(const struct document_row *rows, size_t count,
		      bool (*fn)(void *context, const struct document *doc),
		      void *context, bool *ret_more, struct error *err)
{
	for (size_t i = 0; *ret_more && i < count; i++) {
		_cleanup_(document_done) struct document doc = { 0 };

		if (!read_row(&rows[i], &doc, err))
			return false;
		*ret_more = fn(context, &doc);
	}
	return true;
}

bool documents_query(struct documents *d, const char *collection,
		     const struct documents_filter *filters, const char *after,
		     bool newest_first, size_t limit,
		     bool (*fn)(void *context, const struct document *doc), void *context,
		     struct error *err)
{
	_cleanup_free_ struct document_row *rows = calloc(PAGE_ROWS, sizeof *rows);
	char last[DOCUMENT_ID_MAX + 1];
	bool more = true, ok = true;

	if (!rows)
		return error_oom(err);
	if (!check_name("collection", collection, COLLECTION_MAX, err) ||
	    !check_filters(filters, err) ||
	    (after && !check_name("id", after, DOCUMENT_ID_MAX, err)))
		return false;
	/* By pages, so that 'fn' runs outside the store's lock and may use the store. */
	while (ok && more && limit > 0) {
		size_t max = limit < PAGE_ROWS ? limit : PAGE_ROWS, count = 0;

		ok = d->backend->page(d, collection, filters, after, newest_first, max,
				      rows, &count, err) &&
		     give_page(rows, count, fn, context, &more, err);
		if (count > 0)
			memcpy(last, rows[count - 1].id, sizeof last);
		after = last;
		rows_done(rows, max);
		limit -= count;
		more = more && count == max;
	}
	return ok;
}
