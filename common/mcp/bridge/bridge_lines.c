#include "mcp/bridge/bridge_lines.h"

void bridge_lines_done(struct bridge_lines *l)
{
	strbuf_done(&l->line);
}

void bridge_lines_feed(struct bridge_lines *l, const char *bytes, size_t length)
{
	l->at = bytes;
	l->end = bytes + length;
}

static void forget_given(struct bridge_lines *l)
{
	if (l->is_given)
		strbuf_clear(&l->line);
	l->is_given = false;
}

static enum bridge_line give(struct bridge_lines *l, const char **ret, size_t *ret_length)
{
	l->is_given = true;
	*ret = l->line.data;
	*ret_length = l->line.length;
	return BRIDGE_LINE_WHOLE;
}

static enum bridge_line give_up(struct bridge_lines *l)
{
	strbuf_clear(&l->line);
	l->is_skipping = true;
	return BRIDGE_LINE_TOO_LONG;
}

enum bridge_line bridge_lines_next(struct bridge_lines *l, const char **ret,
				   size_t *ret_length)
{
	forget_given(l);
	while (l->at < l->end) {
		const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));
		size_t part = (size_t)((newline ? newline : l->end) - l->at);
		bool was_skipping = l->is_skipping;

		if (!was_skipping) {
			if (part > l->max - l->line.length)
				return give_up(l);
			strbuf_add(&l->line, l->at, part);
			if (!strbuf_ok(&l->line))
				return give_up(l);
		}
		l->at += part + (newline != NULL);
		if (!newline)
			break;
		l->is_skipping = false;
		if (!was_skipping)
			return give(l, ret, ret_length);
	}
	return BRIDGE_LINE_NONE;
}

enum bridge_line bridge_lines_last(struct bridge_lines *l, const char **ret,
				   size_t *ret_length)
{
	forget_given(l);
	if (l->is_skipping || l->line.length == 0)
		return BRIDGE_LINE_NONE;
	return give(l, ret, ret_length);
}
