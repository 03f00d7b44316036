#include "wire/sse.h"

enum { KEPT_BYTES = 64 * 1024 };

/* ---- Writing ---- */

static void write_field(struct strbuf *sb, const char *name, const char *value)
{
	if (strpbrk(value, "\r\n"))
		sb->failed = true;
	strbuf_add_format(sb, "%s: %s\n", name, value);
}

static size_t line_length(const char *text, size_t length)
{
	const char *lf = length > 0 ? memchr(text, '\n', length) : NULL;
	size_t n = lf ? (size_t)(lf - text) : length;
	const char *cr = n > 0 ? memchr(text, '\r', n) : NULL;

	return cr ? (size_t)(cr - text) : n;
}

void sse_write(struct strbuf *sb, const char *type, const char *id, int64_t retry_ms,
	       const char *data, size_t length)
{
	bool more;

	if (type)
		write_field(sb, "event", type);
	if (id)
		write_field(sb, "id", id);
	if (retry_ms >= 0) {
		strbuf_add_string(sb, "retry: ");
		strbuf_add_int64(sb, retry_ms);
		strbuf_add_char(sb, '\n');
	}
	do {
		size_t n = line_length(data, length);
		strbuf_add_string(sb, "data: ");
		strbuf_add(sb, data, n);
		strbuf_add_char(sb, '\n');
		more = n < length;
		if (more) {
			n += n + 1 < length && data[n] == '\r' && data[n + 1] == '\n' ? 2
										      : 1;
			data += n;
			length -= n;
		}
	} while (more);
	strbuf_add_char(sb, '\n');
}

/* ---- Reading ---- */

void sse_reader_init(struct sse_reader *r, size_t data_max)
{
	*r = (struct sse_reader){ .data_max = data_max, .retry_ms = -1, .at = "" };
	r->end = r->at;
	strbuf_init(&r->line);
	strbuf_init(&r->data);
	strbuf_init(&r->type);
	strbuf_init(&r->id);
	strbuf_init(&r->last_id);
}

void sse_reader_done(struct sse_reader *r)
{
	strbuf_done(&r->line);
	strbuf_done(&r->data);
	strbuf_done(&r->type);
	strbuf_done(&r->id);
	strbuf_done(&r->last_id);
	sse_reader_feed(r, NULL, 0);
}

void sse_reader_feed(struct sse_reader *r, const char *bytes, size_t length)
{
	r->at = length > 0 ? bytes : "";
	r->end = r->at + length;
}

/* One long event must not cost its memory for as long as the stream lasts. */
static void clear(struct strbuf *sb)
{
	if (sb->capacity > KEPT_BYTES)
		strbuf_done(sb);
	else
		strbuf_clear(sb);
}

struct line {
	const char *text;
	size_t length;
};

enum line_got { LINE_MORE, LINE_WHOLE, LINE_TOO_LONG };

/* The piece ends within a line. */
static enum line_got keep_line(struct sse_reader *r, size_t length)
{
	if (r->line.length + length > r->data_max + SSE_LINE_EXTRA)
		return LINE_TOO_LONG;
	strbuf_add(&r->line, r->at, length);
	r->at = r->end;
	return LINE_MORE;
}

/* The next line without its end, which is in the piece or in r->line. */
static enum line_got next_line(struct sse_reader *r, struct line *ret)
{
	if (r->is_line_used)
		clear(&r->line);
	r->is_line_used = false;
	if (r->is_behind && r->at < r->end) {
		r->at += *r->at == '\n';
		r->is_behind = false;
	}
	size_t length = line_length(r->at, (size_t)(r->end - r->at));
	if (r->at + length == r->end)
		return keep_line(r, length);
	if (r->line.length + length > r->data_max + SSE_LINE_EXTRA)
		return LINE_TOO_LONG;
	if (r->line.length > 0) {
		strbuf_add(&r->line, r->at, length);
		*ret = (struct line){ r->line.data, r->line.length };
		r->is_line_used = true;
	} else {
		*ret = (struct line){ r->at, length };
	}
	r->is_behind = r->at[length] == '\r';
	r->at += length + 1;
	return LINE_WHOLE;
}

static void drop_bom(struct line *l)
{
	static const char bom[] = "\xEF\xBB\xBF";

	if (l->length < strlen(bom) || memcmp(l->text, bom, strlen(bom)) != 0)
		return;
	l->text += strlen(bom);
	l->length -= strlen(bom);
}

static bool refuse(struct sse_reader *r, struct error *err, const char *what, size_t max)
{
	r->is_bad = true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "%s of the event stream is longer than %zu bytes", what, max);
}

static bool take_data(struct sse_reader *r, const struct line *value, struct error *err)
{
	if (r->data.length + r->has_data + value->length > r->data_max)
		return refuse(r, err, "the data of an event", r->data_max);
	if (r->has_data)
		strbuf_add_char(&r->data, '\n');
	strbuf_add(&r->data, value->text, value->length);
	r->has_data = true;
	return true;
}

static bool take_text(struct sse_reader *r, struct strbuf *into, const struct line *value,
		      size_t max, const char *what, struct error *err)
{
	if (value->length > max)
		return refuse(r, err, what, max);
	strbuf_clear(into);
	strbuf_add(into, value->text, value->length);
	return true;
}

static void take_retry(struct sse_reader *r, const struct line *value)
{
	int64_t ms = 0;

	if (value->length == 0)
		return;
	for (size_t i = 0; i < value->length; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return;
		ms = ms * 10 + (value->text[i] - '0');
		if (ms > SSE_RETRY_MAX_MS)
			ms = SSE_RETRY_MAX_MS;
	}
	r->retry_ms = ms;
}

static bool is_name(const struct line *name, const char *text)
{
	return name->length == strlen(text) &&
	       memcmp(name->text, text, name->length) == 0;
}

static bool take_line(struct sse_reader *r, const struct line *l, struct error *err)
{
	const char *colon = memchr(l->text, ':', l->length);
	struct line name = { l->text, colon ? (size_t)(colon - l->text) : l->length };
	struct line value = { l->text + l->length, 0 };

	if (colon) {
		value.text = colon + 1;
		value.length = l->length - name.length - 1;
		if (value.length > 0 && *value.text == ' ') {
			value.text++;
			value.length--;
		}
	}
	if (is_name(&name, "data"))
		return take_data(r, &value, err);
	if (is_name(&name, "event"))
		return take_text(r, &r->type, &value, SSE_TYPE_MAX, "an event's type",
				 err);
	if (is_name(&name, "id") && !memchr(value.text, '\0', value.length))
		return take_text(r, &r->id, &value, SSE_ID_MAX, "an event's id", err);
	if (is_name(&name, "retry"))
		take_retry(r, &value);
	return true;
}

/* A blank line: an id counts even where there is no event. */
static bool dispatch(struct sse_reader *r, struct sse_event *ret)
{
	strbuf_clear(&r->last_id);
	strbuf_add(&r->last_id, r->id.data, r->id.length);
	if (!r->has_data) {
		strbuf_clear(&r->type);
		return false;
	}
	*ret = (struct sse_event){
		.type = r->type.length > 0 ? r->type.data : "message",
		.id = r->last_id.data,
		.data = r->data.data,
		.length = r->data.length,
	};
	r->is_told = true;
	return true;
}

static void forget_told(struct sse_reader *r)
{
	if (!r->is_told)
		return;
	clear(&r->data);
	strbuf_clear(&r->type);
	r->has_data = r->is_told = false;
}

static bool is_out_of_memory(const struct sse_reader *r)
{
	return !strbuf_ok(&r->line) || !strbuf_ok(&r->data) || !strbuf_ok(&r->type) ||
	       !strbuf_ok(&r->id) || !strbuf_ok(&r->last_id);
}

static enum sse_got fail(struct sse_reader *r, struct error *err)
{
	r->is_bad = true;
	error_set(err, ERR_INTERNAL, "out of memory for an event stream");
	return SSE_BAD;
}

enum sse_got sse_reader_next(struct sse_reader *r, struct sse_event *ret,
			     struct error *err)
{
	struct line l = { 0 };

	forget_told(r);
	while (!r->is_bad) {
		enum line_got got = next_line(r, &l);
		if (is_out_of_memory(r))
			return fail(r, err);
		if (got == LINE_MORE)
			return SSE_MORE;
		if (got == LINE_TOO_LONG) {
			refuse(r, err, "a line", r->data_max + SSE_LINE_EXTRA);
			break;
		}
		if (!r->is_begun)
			drop_bom(&l);
		r->is_begun = true;
		if (l.length > 0 && !take_line(r, &l, err))
			break;
		if (l.length == 0 && dispatch(r, ret))
			return is_out_of_memory(r) ? fail(r, err) : SSE_EVENT;
	}
	error_set(err, ERR_INVALID_ARGUMENT, "the event stream was refused before");
	return SSE_BAD;
}
