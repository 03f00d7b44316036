#include "console/event_stream.h"

static const char BOM[] = "\xEF\xBB\xBF";

struct line {
	const char *text;
	size_t length;
};

void event_stream_init(struct event_stream *s, const char *body, size_t length)
{
	s->at = body;
	s->end = body + length;
	if (length >= strlen(BOM) && memcmp(body, BOM, strlen(BOM)) == 0)
		s->at += strlen(BOM);
}

/* A line that its end does not follow is not there yet. */
static bool next_line(struct event_stream *s, struct line *ret)
{
	const char *p = s->at;

	while (p < s->end && *p != '\r' && *p != '\n')
		p++;
	if (p == s->end)
		return false;
	*ret = (struct line){ s->at, (size_t)(p - s->at) };
	s->at = p + (*p == '\r' && p + 1 < s->end && p[1] == '\n' ? 2 : 1);
	return true;
}

static bool is_data(const struct line *l, struct line *ret_value)
{
	static const char name[] = "data";
	size_t skip = strlen(name);

	if (l->length < skip || memcmp(l->text, name, skip) != 0)
		return false;
	if (l->length > skip && l->text[skip++] != ':')
		return false;
	if (l->length > skip && l->text[skip] == ' ')
		skip++;
	*ret_value = (struct line){ l->text + skip, l->length - skip };
	return true;
}

bool event_stream_next(struct event_stream *s, struct strbuf *ret)
{
	struct line line, value;
	bool has_data = false;

	strbuf_clear(ret);
	while (next_line(s, &line)) {
		if (is_data(&line, &value)) {
			if (has_data)
				strbuf_add_char(ret, '\n');
			strbuf_add(ret, value.text, value.length);
			has_data = true;
		}
		if (line.length > 0)
			continue;
		if (ret->length > 0)
			return strbuf_ok(ret);
		has_data = false;
	}
	return false;
}
