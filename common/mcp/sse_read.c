#include "mcp/sse_read.h"

struct stream {
	const char *at, *end;
};

/* The next line without its end; false when the text is used up or the line has no end. */
static bool next_line(struct stream *s, const char **ret_line, size_t *ret_length)
{
	const char *end = s->at;

	while (end < s->end && *end != '\r' && *end != '\n')
		end++;
	if (end == s->end)
		return false;
	*ret_line = s->at;
	*ret_length = (size_t)(end - s->at);
	s->at = end + (end + 1 < s->end && end[0] == '\r' && end[1] == '\n' ? 2 : 1);
	return true;
}

/* The value of a line "data: value"; false for every other line. */
static bool is_data(const char *line, size_t length, const char **ret_value,
		    size_t *ret_length)
{
	if (length < 4 || memcmp(line, "data", 4) != 0 || (length > 4 && line[4] != ':'))
		return false;
	size_t skip = length > 4 ? 5 : 4;
	if (length > skip && line[skip] == ' ')
		skip++;
	*ret_value = line + skip;
	*ret_length = length - skip;
	return true;
}

static json_t *parse_response(const struct strbuf *data)
{
	struct error why = ERROR_INIT;
	json_auto_t *value = json_parse(data->data, data->length, JSON_SYNTAX, &why);

	if (json_object_get(value, "result") || json_object_get(value, "error"))
		return TAKE(value);
	return NULL;
}

json_t *sse_read_response(const char *text, size_t length, struct error *err)
{
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
	struct stream s = { text, text + length };
	bool has_data = false;
	const char *line, *value;
	size_t line_length, value_length;
	json_t *found = NULL;

	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		s.at += 3;
	while (!found && next_line(&s, &line, &line_length)) {
		if (line_length == 0) {
			if (data.length > 0)
				found = parse_response(&data);
			strbuf_clear(&data);
			has_data = false;
		} else if (is_data(line, line_length, &value, &value_length)) {
			if (has_data)
				strbuf_add_char(&data, '\n');
			strbuf_add(&data, value, value_length);
			has_data = true;
		}
	}
	if (!found)
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the stream ended before the response");
	return found;
}
