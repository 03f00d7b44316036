#include <string.h>

#include "base/text.h"
#include "servers/playbooks/source.h"

void sink_skip(struct sink *s, const char *path, const char *why)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	s->skipped_count++;
	if (json_array_size(s->skipped) >= SKIPPED_SHOWN_MAX)
		return;
	if (text_is_utf8(path, strlen(path)))
		text_visible(&name, path, strlen(path));
	else
		strbuf_add_string(&name, "a name that is not UTF-8");
	/* Without memory it is counted, and not shown. */
	(void)json_array_append_new(
		s->skipped, json_pack("{s:s, s:s}", "path", name.data, "why", why));
}

bool sink_stopping(const struct sink *s)
{
	return s->stopping && atomic_load(s->stopping);
}

bool sink_add(struct sink *s, const struct page *page, struct error *err)
{
	struct page of_source = *page;
	struct error why = ERROR_INIT;

	if (sink_stopping(s))
		return error_set(err, ERR_TIMEOUT, "the server is stopping");
	of_source.source = s->source->name;
	of_source.tags = page->tags ? page->tags : s->source->tags;
	if (builder_add(s->builder, &of_source, &why)) {
		s->pages++;
		return true;
	}
	if (why.code == ERR_INVALID_ARGUMENT) {
		sink_skip(s, page->id, why.message);
		return true;
	}
	*err = why;
	return false;
}

static bool keep(struct sink *s, uint32_t document, struct error *err)
{
	const struct index_document *d = &s->old->documents[document];
	_cleanup_free_ char *stamp = index_stamp(s->old, document);
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct page page = {
		.id = d->id,
		.source = d->source,
		.revision = d->revision,
		.title = d->title,
		.url = d->url,
		.stamp = stamp,
		.tags = d->tags,
		.readers = d->readers,
		.updated_ms = d->updated_ms,
	};

	if (!index_body(s->old, document, &body, err))
		return false;
	page.body = body.data;
	page.length = body.length;
	return sink_add(s, &page, err);
}

static bool is_ours(const struct sink *s, uint32_t document)
{
	return strcmp(s->old->documents[document].source, s->source->name) == 0;
}

bool sink_keep(struct sink *s, const char *id, const char *stamp, bool *ret_kept,
	       struct error *err)
{
	uint32_t document;

	*ret_kept = false;
	if (!s->old || !index_find_page(s->old, id, &document) || !is_ours(s, document))
		return true;
	if (stamp) {
		_cleanup_free_ char *known = index_stamp(s->old, document);

		if (!known || strcmp(known, stamp) != 0)
			return true;
	}
	*ret_kept = keep(s, document, err);
	return *ret_kept; /* false: 'err' is set */
}

bool sink_keep_all(struct sink *s, struct error *err)
{
	for (uint32_t i = 0; s->old && i < s->old->document_count; i++)
		if (is_ours(s, i) && !builder_has(s->builder, s->old->documents[i].id) &&
		    !keep(s, i, err))
			return false;
	return true;
}
