#include "mcp/listing.h"

#include "base/digest.h"

enum { CURSOR_BYTES = 128 };

void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->pages[i]);
	free(l->pages);
	*l = (struct listing){ 0 };
}

/* Nobody should read it, so it does not look like a number. */
static bool make_cursor(const struct listing *l, size_t page, struct strbuf *ret)
{
	char text[CURSOR_BYTES];
	int length =
		snprintf(text, sizeof text, "%s/%zu/%zu", l->member, l->page_size, page);

	digest_base64url(ret, text, (size_t)length);
	return strbuf_ok(ret);
}

static bool write_page(const struct listing *l, const json_t *list, size_t page,
		       struct strbuf *sb, struct error *err)
{
	size_t from = page * l->page_size, to = from + l->page_size;

	strbuf_add_format(sb, "\"%s\":[", l->member);
	for (size_t i = from; i < to && i < json_array_size(list); i++) {
		if (i > from)
			strbuf_add_char(sb, ',');
		if (!json_write(sb, json_array_get(list, i), err))
			return false;
	}
	strbuf_add_char(sb, ']');
	if (to < json_array_size(list)) {
		strbuf_add_string(sb, ",\"nextCursor\":\"");
		(void)make_cursor(l, page + 1, sb);
		strbuf_add_char(sb, '"');
	}
	return strbuf_ok(sb) || error_oom(err);
}

bool listing_make(struct listing *l, const char *member, const json_t *list,
		  size_t page_size, struct error *err)
{
	size_t size = json_array_size(list), count = (size + page_size - 1) / page_size;

	*l = (struct listing){ .page_size = page_size, .member = member };
	count += count == 0;
	l->pages = calloc(count, sizeof *l->pages);
	if (!l->pages)
		return error_oom(err);
	for (; l->count < count; l->count++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		if (!write_page(l, list, l->count, &sb, err))
			return false;
		l->pages[l->count] = strbuf_take(&sb);
		if (!l->pages[l->count])
			return error_oom(err);
	}
	return true;
}

const char *listing_page(const struct listing *l, const json_t *cursor)
{
	const char *text = cursor ? json_string_value(cursor) : "";

	if (!text || strlen(text) != (cursor ? json_string_length(cursor) : 0))
		return NULL;
	if (!*text)
		return l->pages[0];
	for (size_t i = 1; i < l->count; i++) {
		_cleanup_strbuf_ struct strbuf known = STRBUF_INIT;

		if (make_cursor(l, i, &known) && strcmp(known.data, text) == 0)
			return l->pages[i];
	}
	return NULL;
}
