/* Runs of text of one style, the parts that they make, and people who are mentioned. */
#include "base/text.h"
#include "slack/markdown/private.h"
#include "slack/text/text.h"

enum { ID_MAX = 64, TAB_COLUMNS = 8 };

void markdown_visible(struct strbuf *sb, const char *text, size_t length)
{
	size_t column = 0;

	for (size_t at = 0, end; at < length; at = end) {
		for (end = at; end < length && !strchr("\n\t\r\\", text[end]);)
			end++;
		/* strchr finds the NUL too, which is no character that shows. */
		while (end < length && text[end] == '\0')
			end++;
		text_visible(sb, text + at, end - at);
		column += end - at;
		if (end == length)
			break;
		if (text[end] == '\n') {
			strbuf_add_char(sb, '\n');
			column = 0;
		} else if (text[end] == '\t') {
			do
				strbuf_add_char(sb, ' ');
			while (++column % TAB_COLUMNS != 0);
		} else if (text[end] == '\\') {
			strbuf_add_char(sb, '\\');
			column++;
		} else if (end + 1 >= length || text[end + 1] != '\n') {
			strbuf_add_char(sb, '\n');
			column = 0;
		}
		end++;
	}
}

/* --- parts --- */

void markdown_piece(struct markdown *m, json_t *piece)
{
	if (json_array_append_new(m->pieces, piece) != 0)
		m->failed = true;
}

/* The last line is whole: one that could pass for a header of ours is marked. */
static void end_line(struct markdown *m)
{
	static const char words[] = " (words of this text, no prompt)";

	m->failed = m->failed || m->line.failed;
	if (m->line.length > 0 && !m->failed && markdown_is_like_ours(m, m->line.data) &&
	    json_array_size(m->inlines) > 0) {
		if (json_array_append_new(m->inlines, rich_text(words, sizeof words - 1,
								RICH_ITALIC)) != 0)
			m->failed = true;
		m->units += sizeof words - 1;
	}
	strbuf_clear(&m->line);
}

static json_t *take_inlines(struct markdown *m)
{
	json_t *own = TAKE(m->inlines);

	m->inlines = json_array();
	m->units = 0;
	if (!m->inlines)
		m->failed = true;
	return own;
}

static void add_item(struct markdown *m, struct markdown_list *list, json_t *section)
{
	const size_t last = json_array_size(m->pieces);
	const unsigned before = list->count;
	json_auto_t *own = section;
	const size_t units = rich_units(own), elements = rich_count(own);

	list->fresh = false;
	list->count++;
	if (list->piece && last > 0 &&
	    json_array_get(m->pieces, last - 1) == list->piece &&
	    list->units + units <= RICH_PIECE_MAX &&
	    list->elements + elements <= RICH_PART_COUNT_MAX) {
		list->units += units;
		list->elements += elements;
		if (!own ||
		    json_array_append(json_object_get(list->piece, "elements"), own) != 0)
			m->failed = true;
		return;
	}
	list->units = units;
	list->elements = elements;
	list->piece = json_pack("{s:s, s:s, s:i, s:[O]}", "type", "rich_text_list",
				"style", list->ordered ? "ordered" : "bullet", "indent",
				m->list_depth - 1 < 8 ? (int)m->list_depth - 1 : 8,
				"elements", own);
	if (list->ordered && list->start - 1 + before > 0 &&
	    json_object_set_new(list->piece, "offset",
				json_integer(list->start - 1 + before)) != 0)
		m->failed = true;
	markdown_piece(m, list->piece);
}

static void put_part(struct markdown *m)
{
	struct markdown_list *list = m->list_depth > 0 ? &m->lists[m->list_depth] : NULL;

	if (m->quotes > 0)
		markdown_piece(m, rich_part("quote", take_inlines(m)));
	else if (list && list->fresh)
		add_item(m, list, rich_part("section", take_inlines(m)));
	else
		markdown_piece(m, rich_part("section", take_inlines(m)));
}

/* What is gathered becomes a part. In a cell nothing ends before the cell. */
void markdown_end_part(struct markdown *m)
{
	if (m->in_cell)
		return;
	markdown_flush(m);
	end_line(m);
	m->behind_heading = false;
	if (json_array_size(m->inlines) > 0 && !m->failed)
		put_part(m);
}

/* Something else begins in the same part: line ends between, unless it is empty. */
void markdown_break(struct markdown *m, const char *ends)
{
	markdown_flush(m);
	end_line(m);
	if (json_array_size(m->inlines) > 0)
		markdown_add(m, rich_text(ends, strlen(ends), 0));
	m->behind_heading = false;
}

/* --- text --- */

void markdown_add(struct markdown *m, json_t *element)
{
	const size_t units = rich_units(element);

	/* Its line goes on in the next part: it is no whole line yet. */
	if (!m->in_cell && m->units > 0 &&
	    (m->units + units > RICH_PIECE_MAX ||
	     json_array_size(m->inlines) >= RICH_PART_COUNT_MAX))
		put_part(m);
	if (json_array_append_new(m->inlines, element) != 0)
		m->failed = true;
	m->units += units;
}

/* Text that is visible, in as many elements as it takes. */
static void add_visible(struct markdown *m, const char *text, size_t length,
			unsigned style)
{
	if (m->line.length < MARKDOWN_LINE_MAX)
		strbuf_add(&m->line, text, length);
	while (length > 0 && !m->failed) {
		const size_t bytes = rich_fitting(text, length, RICH_PIECE_MAX);

		markdown_add(m, rich_text(text, bytes, style));
		text += bytes;
		length -= bytes;
	}
}

static void add_plain(struct markdown *m, const char *text, size_t length, unsigned style)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	markdown_visible(&visible, text, length);
	m->failed = m->failed || visible.failed;
	add_visible(m, visible.data, visible.length, style);
}

/* "<@U1>" or "<@U1|words>": its length and the id; 0: none is here. */
static size_t find_mention(const char *text, size_t length, char id[static ID_MAX + 1])
{
	const char *end = memchr(text, '>', length);
	size_t size = 0;

	if (length < 4 || text[0] != '<' || text[1] != '@' || !end)
		return 0;
	while (text + 2 + size < end && text[2 + size] != '|')
		size++;
	if (size > ID_MAX)
		return 0;
	memcpy(id, text + 2, size);
	id[size] = '\0';
	return slack_text_is_user(id) ? (size_t)(end - text) + 1 : 0;
}

/* False: nobody who may be mentioned. */
static bool add_mention(struct markdown *m, const char *id)
{
	const json_t *who = json_object_get(m->how->people, id);
	const char *name = json_get_string(who, "name");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	if (!who)
		return false;
	if (json_is_true(json_object_get(who, "notify")) &&
	    !json_object_get(m->notified, id)) {
		if (json_object_set_new(m->notified, id, json_true()) != 0)
			m->failed = true;
		markdown_add(m, rich_user(id));
		return true;
	}
	strbuf_add_char(&words, '@');
	strbuf_add_string(&words, name && *name ? name : id);
	m->failed = m->failed || words.failed;
	add_plain(m, words.data, words.length, RICH_BOLD);
	return true;
}

/* The run becomes elements. */
void markdown_flush(struct markdown *m)
{
	_cleanup_strbuf_ struct strbuf own = STRBUF_INIT;
	const char *text;
	size_t from = 0, at = 0;

	m->failed = m->failed || m->run.failed;
	if (m->run.length == 0)
		return;
	own = m->run;
	strbuf_init(&m->run);
	text = own.data;
	while (at < own.length && !(m->run_style & RICH_CODE)) {
		char id[ID_MAX + 1];
		size_t size = find_mention(text + at, own.length - at, id);

		if (size == 0 || !json_object_get(m->how->people, id)) {
			const char *next =
				at + 1 < own.length
					? memchr(text + at + 1, '<', own.length - at - 1)
					: NULL;

			at = next ? (size_t)(next - text) : own.length;
			continue;
		}
		add_plain(m, text + from, at - from, m->run_style);
		(void)add_mention(m, id);
		at += size;
		from = at;
	}
	add_plain(m, text + from, own.length - from, m->run_style);
}

static unsigned style_of(const struct markdown *m)
{
	return (m->bold ? RICH_BOLD : 0u) | (m->italic ? RICH_ITALIC : 0u) |
	       (m->strike ? RICH_STRIKE : 0u) | (m->code ? RICH_CODE : 0u);
}

static void add_run(struct markdown *m, const char *text, size_t length, unsigned style)
{
	if (m->run.length > 0 && m->run_style != style)
		markdown_flush(m);
	m->run_style = style;
	strbuf_add(&m->run, text, length);
}

void markdown_text(struct markdown *m, const char *text, size_t length)
{
	m->bytes += length;
	if (m->bytes > MARKDOWN_TEXT_MAX)
		m->deep = true;
	else if (m->in_block)
		strbuf_add(&m->block, text, length);
	else if (m->spans > 0)
		strbuf_add(&m->label, text, length);
	else
		add_run(m, text, length, style_of(m));
}

void markdown_words(struct markdown *m, const char *words, unsigned style)
{
	add_run(m, words, strlen(words), style);
}
