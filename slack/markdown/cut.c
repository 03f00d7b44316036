/* Where Markdown that is not finished may be cut. Works on lines, as blocks do. */
#include "slack/markdown/stream.h"

enum { FENCE_INDENT_MAX = 3 };

struct line {
	const char *text;
	size_t length; /* without its end */
	bool is_whole; /* it has an end */
};

static struct line line_at(const char *text, size_t length, size_t at)
{
	const char *end = memchr(text + at, '\n', length - at);

	return (struct line){ text + at, end ? (size_t)(end - (text + at)) : length - at,
			      end != NULL };
}

static bool is_blank(const struct line *l)
{
	for (size_t i = 0; i < l->length; i++)
		if (!strchr(" \t\r", l->text[i]) || !l->text[i])
			return false;
	return true;
}

/* How long the fence is that begins this line ("```", "~~~~"); 0: none does. */
static size_t fence_of(const char *text, size_t length, char *ret_mark)
{
	size_t at = 0, size = 0;

	while (at < length && at < FENCE_INDENT_MAX && text[at] == ' ')
		at++;
	if (at == length || (text[at] != '`' && text[at] != '~'))
		return 0;
	*ret_mark = text[at];
	while (at + size < length && text[at + size] == *ret_mark)
		size++;
	/* A line with a backtick behind is a span of code, and no fence. */
	if (size < 3 ||
	    (*ret_mark == '`' && memchr(text + at + size, '`', length - at - size)))
		return 0;
	return size;
}

/* A fence of an item of a list stands further in. */
static size_t fence_in_line(const struct line *l, char *ret_mark)
{
	size_t at = 0;

	while (at < l->length && strchr(" \t>", l->text[at]) && l->text[at])
		at++;
	return fence_of(l->text + at, l->length - at, ret_mark);
}

static bool closes(const struct line *l, const char *fence)
{
	char open = 0, close = 0;
	const size_t least = fence_of(fence, strlen(fence), &open);
	const size_t size = fence_in_line(l, &close);
	size_t at = 0;

	if (size < least || close != open)
		return false;
	while (at < l->length && strchr(" \t>", l->text[at]))
		at++;
	for (at += size; at < l->length; at++)
		if (l->text[at] != ' ' && l->text[at] != '\t' && l->text[at] != '\r')
			return false;
	return true;
}

/* Whether a line that begins so belongs to nothing that came before a blank line. */
static bool stands_alone(const struct line *l)
{
	return l->length > 0 && l->text[0] != ' ' && l->text[0] != '\t' &&
	       l->text[0] != '\r';
}

static bool is_item(const struct line *l)
{
	size_t digits = 0;

	if (l->length < 2)
		return false;
	if (strchr("-*+", l->text[0]) && l->text[0])
		return l->text[1] == ' ';
	while (digits < l->length && l->text[digits] >= '0' && l->text[digits] <= '9')
		digits++;
	return digits > 0 && digits + 1 < l->length &&
	       (l->text[digits] == '.' || l->text[digits] == ')') &&
	       l->text[digits + 1] == ' ';
}

struct scan {
	const char *text;
	size_t length;
	char fence[SLACK_STREAM_FENCE_BYTES]; /* open where the scan is */
	size_t best;                          /* behind the last block that is certain */
	size_t line;     /* behind the last whole line; within code if 'fence' */
	size_t item;     /* where the last item of a list begins */
	size_t quiet;    /* behind the last line that leaves nothing open */
	size_t marks[4]; /* how often each of "`*_~" has come */
	int brackets;
	char at_line[SLACK_STREAM_FENCE_BYTES]; /* open there */
};

/* The fence itself: what stands before and behind it is told where it was opened. */
static void remember(char fence[static SLACK_STREAM_FENCE_BYTES], const struct line *l)
{
	char mark = 0;
	size_t size = fence_in_line(l, &mark);

	if (size > SLACK_STREAM_FENCE_BYTES - 1)
		size = SLACK_STREAM_FENCE_BYTES - 1;
	memset(fence, mark, size);
	fence[size] = '\0';
}

/* Whether nothing is open behind this line that a later one could close. A guess on the
 * safe side. */
static bool is_quiet_behind(struct scan *s, const struct line *l)
{
	static const char marks[] = "`*_~";

	for (size_t i = 0; i < l->length; i++) {
		const char c = l->text[i];

		for (size_t k = 0; k < ARRAY_SIZE(s->marks); k++)
			s->marks[k] += c == marks[k];
		s->brackets += c == '[' || c == '(' || c == '<';
		s->brackets -= c == ']' || c == ')' || c == '>';
	}
	for (size_t k = 0; k < ARRAY_SIZE(s->marks); k++)
		if (s->marks[k] % 2 != 0)
			return false;
	return s->brackets == 0;
}

static void scan_line(struct scan *s, const struct line *l, size_t at, bool was_blank)
{
	char mark = 0;
	const size_t next = at + l->length + (at + l->length < s->length);

	if (s->fence[0]) {
		if (l->is_whole && closes(l, s->fence))
			s->fence[0] = '\0';
	} else {
		if (was_blank && stands_alone(l))
			s->best = at;
		if (at > 0 && l->is_whole && is_item(l))
			s->item = at;
		if (l->is_whole && fence_in_line(l, &mark) > 0)
			remember(s->fence, l);
	}
	if (l->is_whole) {
		s->line = next;
		memcpy(s->at_line, s->fence, sizeof s->at_line);
		if (!s->fence[0] && is_quiet_behind(s, l))
			s->quiet = next;
	}
}

static size_t cut_at_word(const struct scan *s)
{
	size_t at = s->length;

	while (at > 0 && s->text[at - 1] != ' ' && s->text[at - 1] != '\n')
		at--;
	if (at > 0)
		return at;
	at = s->length;
	while (at > 0 && ((unsigned char)s->text[at - 1] & 0xC0) == 0x80)
		at--;
	return at > 1 ? at - 1 : 0;
}

size_t slack_stream_cut(const char *text, size_t length, bool ended,
			struct slack_stream_cut *c)
{
	struct scan s = { .text = text, .length = length };
	bool was_blank = false;

	if (ended)
		return length;
	memcpy(s.fence, c->fence, sizeof s.fence);
	for (size_t at = 0; at < length;) {
		const struct line l = line_at(text, length, at);

		scan_line(&s, &l, at, was_blank);
		was_blank = !s.fence[0] && l.is_whole && is_blank(&l);
		at += l.length + 1;
	}
	if (s.best > 0) {
		c->fence[0] = '\0';
		return s.best;
	}
	if (length <= SLACK_STREAM_HOLD_MAX)
		return 0;
	if (s.at_line[0] && s.line > 0) {
		memcpy(c->fence, s.at_line, sizeof c->fence);
		return s.line;
	}
	if (c->fence[0]) /* a line of code without an end */
		return length > (size_t)2 * SLACK_STREAM_HOLD_MAX ? cut_at_word(&s) : 0;
	if (s.item > 0 || s.quiet > 0)
		return s.item > s.quiet ? s.item : s.quiet;
	if (length <= (size_t)2 * SLACK_STREAM_HOLD_MAX)
		return 0;
	return s.line > 0 ? s.line : cut_at_word(&s);
}
