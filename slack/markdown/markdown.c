#include "slack/markdown/markdown.h"

#include "base/text.h"
#include "base/utf8.h"
#include "slack/markdown/private.h"

static const char fallback[] = "An answer";

static void done(struct markdown *m)
{
	free(m->seen);
	json_decref(m->pieces);
	json_decref(m->inlines);
	json_decref(m->rows);
	json_decref(m->row);
	json_decref(m->settings);
	strbuf_done(&m->run);
	strbuf_done(&m->line);
	strbuf_done(&m->block);
	strbuf_done(&m->label);
}

/* What is no UTF-8, and NUL, becomes U+FFFD, as md4c and JSON want text. */
static void make_utf8(struct strbuf *sb, const char *text, size_t length)
{
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (size && c != 0)
			strbuf_add(sb, text + at, size);
		else
			strbuf_add_string(sb, "\xEF\xBF\xBD");
		size += !size;
	}
}

int markdown_go_on(const struct markdown *m)
{
	/* md4c 0.4.8 goes on after a positive one. */
	return m->deep || m->failed ? -1 : 0;
}

/* --- what Markdown hides --- */

static bool is_mark(char c)
{
	return strchr(" \t\r>-+*=_`~|:.)(#", c) != NULL;
}

/* Whether the line has something to say: not a marker, a rule, a fence, a number alone. */
static bool says_something(const char *line, size_t length)
{
	size_t at = 0;

	while (at < length && strchr(" \t>", line[at]))
		at++;
	if (length - at >= 3 &&
	    (memcmp(line + at, "```", 3) == 0 || memcmp(line + at, "~~~", 3) == 0))
		return false; /* its words are told where the block is */
	for (; at < length; at++)
		if (!is_mark(line[at]) && !(line[at] >= '0' && line[at] <= '9'))
			return true;
	return false;
}

static bool is_seen(const struct markdown *m, size_t from, size_t to)
{
	return memchr(m->seen + from, 1, to - from) != NULL;
}

static void add_hidden(struct markdown *m)
{
	_cleanup_strbuf_ struct strbuf hidden = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	for (size_t at = 0, end; at < m->length; at = end + 1) {
		const char *stop = memchr(m->source + at, '\n', m->length - at);

		end = stop ? (size_t)(stop - m->source) : m->length;
		if (end == at || is_seen(m, at, end) ||
		    !says_something(m->source + at, end - at))
			continue;
		strbuf_add(&hidden, m->source + at, end - at);
		strbuf_add_char(&hidden, '\n');
	}
	m->failed = m->failed || hidden.failed;
	if (hidden.length == 0)
		return;
	markdown_visible(&visible, hidden.data, hidden.length - 1);
	m->failed = m->failed || visible.failed;
	markdown_piece(m, rich_line("section", "Written besides:", RICH_ITALIC));
	if (!m->failed)
		m->failed =
			!rich_add_preformatted(m->pieces, visible.data, visible.length);
}

/* --- the whole --- */

static json_t *as_source(const char *text, size_t length, struct error *err)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	json_auto_t *pieces = json_array();

	markdown_visible(&visible, text, length);
	if (!pieces || !strbuf_ok(&visible) ||
	    json_array_append_new(
		    pieces,
		    rich_line("section",
			      "This nests too deep to be drawn; it is shown as written:",
			      RICH_ITALIC)) != 0 ||
	    !rich_add_preformatted(pieces, visible.data, visible.length)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(pieces);
}

static json_t *parse(const char *text, size_t length, const struct slack_markdown *how,
		     json_t *notified, struct error *err)
{
	static const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB | MD_FLAG_NOHTML,
		.enter_block = markdown_enter_block,
		.leave_block = markdown_leave_block,
		.enter_span = markdown_enter_span,
		.leave_span = markdown_leave_span,
		.text = markdown_on_text,
	};
	_cleanup_(done) struct markdown m = {
		.how = how,
		.source = text,
		.length = length,
		.seen = calloc(length + 1, 1),
		.pieces = json_array(),
		.inlines = json_array(),
		.notified = notified,
		.run = STRBUF_INIT,
		.line = STRBUF_INIT,
		.block = STRBUF_INIT,
		.label = STRBUF_INIT,
	};
	int rc;

	if (!m.seen || !m.pieces || !m.inlines) {
		error_oom(err);
		return NULL;
	}
	rc = md_parse(text, (MD_SIZE)length, &parser, &m);
	if (m.deep)
		return as_source(text, length, err);
	if (rc == 0) {
		markdown_end_part(&m);
		add_hidden(&m);
	}
	if (rc != 0 || m.failed) {
		error_oom(err);
		return NULL;
	}
	return TAKE(m.pieces);
}

json_t *markdown_pieces(const char *text, size_t length, const struct slack_markdown *how,
			json_t *notified, struct error *err)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	make_utf8(&clean, text, utf8_cut(text, length, SLACK_MARKDOWN_BYTES_MAX));
	if (!strbuf_ok(&clean) || !notified) {
		error_oom(err);
		return NULL;
	}
	return parse(clean.data, clean.length, how, notified, err);
}

json_t *slack_markdown_pieces(const char *text, size_t length,
			      const struct slack_markdown *how, struct error *err)
{
	json_auto_t *notified = json_object();

	return markdown_pieces(text, length, how, notified, err);
}

json_t *slack_markdown_messages(const char *text, size_t length,
				const struct slack_markdown *how, struct error *err)
{
	const size_t read = utf8_cut(text, length, SLACK_MARKDOWN_BYTES_MAX);
	const struct rich_pack pack = {
		.text = how->heading ? how->heading : fallback,
		.heading = how->heading,
		.messages_max = how->messages_max ? how->messages_max
						  : SLACK_MARKDOWN_MESSAGES_MAX,
		.hidden = length - read,
	};
	json_auto_t *pieces = slack_markdown_pieces(text, length, how, err);

	return pieces ? rich_messages(pieces, &pack, NULL, err) : NULL;
}
