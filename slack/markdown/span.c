/* Spans: styles, links, images; and text as md4c hands it over. */
#include "slack/markdown/private.h"
#include "slack/text/text.h"

/* --- links --- */

static unsigned style_of(const struct markdown *m)
{
	return (m->bold ? RICH_BOLD : 0u) | (m->italic ? RICH_ITALIC : 0u) |
	       (m->strike ? RICH_STRIKE : 0u);
}

static void add_address(struct markdown *m, const char *url)
{
	_cleanup_strbuf_ struct strbuf address = STRBUF_INIT;

	markdown_address(&address, url);
	m->failed = m->failed || address.failed;
	m->code++;
	markdown_text(m, address.data, address.length);
	m->code--;
}

/* A label that would not fit into a part with its address. */
static bool is_long(const struct strbuf *visible)
{
	return slack_text_units(visible->data, visible->length) >
	       RICH_PIECE_MAX - RICH_URL_MAX;
}

static void add_link(struct markdown *m, const char *label, const char *url)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	markdown_visible(&visible, label, strlen(label));
	m->failed = m->failed || visible.failed;
	markdown_flush(m);
	if (!*label || strcmp(label, url) == 0) {
		markdown_add(m, rich_link(url, url, style_of(m)));
	} else if (markdown_needs_address(m, label) || is_long(&visible)) {
		markdown_text(m, label, strlen(label));
		markdown_words(m, " (", 0);
		markdown_flush(m);
		markdown_add(m, rich_link(url, url, 0));
		markdown_words(m, ")", 0);
	} else {
		markdown_add(m, rich_link(url, visible.data, style_of(m)));
		strbuf_add(&m->line, visible.data, visible.length);
	}
}

/* A label that is more than its address made visible: then both are shown. */
static bool says_more(const char *label, const char *url)
{
	if (!*label || strcmp(label, url) == 0)
		return false;
	/* "www.x.example" and "a@x.example" are links of md4c's own making. */
	return !(strncmp(url, "http://", 7) == 0 && strcmp(label, url + 7) == 0) &&
	       !(strncmp(url, "mailto:", 7) == 0 && strcmp(label, url + 7) == 0);
}

static void add_text_and_address(struct markdown *m, const char *label, const char *url)
{
	if (!says_more(label, url)) {
		add_address(m, *label ? label : url);
		return;
	}
	markdown_text(m, label, strlen(label));
	if (!*url)
		return;
	markdown_text(m, " (", 2);
	add_address(m, url);
	markdown_text(m, ")", 1);
}

static void add_title(struct markdown *m, const MD_ATTRIBUTE *title)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	markdown_attribute(&text, title);
	m->failed = m->failed || text.failed;
	if (text.length == 0)
		return;
	markdown_text(m, " “", strlen(" “"));
	markdown_text(m, text.data, text.length);
	markdown_text(m, "”", strlen("”"));
}

/* It came out of the source there: what did not is told at the end. */
static void see(struct markdown *m, const char *text, size_t size)
{
	if (text && text >= m->source && text + size <= m->source + m->length)
		memset(m->seen + (text - m->source), 1, size);
}

static void enter_link(struct markdown *m)
{
	if (m->spans == MARKDOWN_SPANS_MAX) {
		m->deep = true;
		return;
	}
	m->failed = m->failed || m->label.failed;
	if (m->spans == 0)
		strbuf_clear(&m->label);
	m->label_at[m->spans++] = m->label.length;
}

static void leave_link(struct markdown *m, const MD_ATTRIBUTE *target,
		       const MD_ATTRIBUTE *title, bool is_image)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT, label = STRBUF_INIT;
	const size_t at = m->label_at[--m->spans];

	markdown_attribute(&url, target);
	see(m, target->text, target->size);
	strbuf_add(&label, m->label.data + at, m->label.length - at);
	strbuf_truncate(&m->label, at);
	m->failed = m->failed || url.failed || label.failed || m->label.failed;
	if (m->failed)
		return;
	if (is_image)
		markdown_text(m, "image: ", 7);
	/* Within another link it is part of that one's words. */
	if (m->spans == 0 && slack_markdown_is_allowed(url.data, m->how->hosts))
		add_link(m, label.data, url.data);
	else
		add_text_and_address(m, label.data, url.data);
	add_title(m, title);
}

/* --- what md4c calls --- */

int markdown_enter_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct markdown *m = context;

	(void)detail;
	if (++m->events > MARKDOWN_EVENTS_MAX)
		m->deep = true;
	switch (type) {
	case MD_SPAN_EM:
	case MD_SPAN_U:
		m->italic++;
		break;
	case MD_SPAN_STRONG:
		m->bold++;
		break;
	case MD_SPAN_DEL:
		m->strike++;
		break;
	case MD_SPAN_CODE:
		m->code++;
		break;
	case MD_SPAN_A:
	case MD_SPAN_IMG:
		enter_link(m);
		break;
	case MD_SPAN_LATEXMATH:
	case MD_SPAN_LATEXMATH_DISPLAY:
	case MD_SPAN_WIKILINK:
		break;
	}
	return markdown_go_on(m);
}

int markdown_leave_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct markdown *m = context;

	switch (type) {
	case MD_SPAN_EM:
	case MD_SPAN_U:
		m->italic--;
		break;
	case MD_SPAN_STRONG:
		m->bold--;
		break;
	case MD_SPAN_DEL:
		m->strike--;
		break;
	case MD_SPAN_CODE:
		m->code--;
		break;
	case MD_SPAN_A:
		leave_link(m, &((MD_SPAN_A_DETAIL *)detail)->href,
			   &((MD_SPAN_A_DETAIL *)detail)->title, false);
		break;
	case MD_SPAN_IMG:
		leave_link(m, &((MD_SPAN_IMG_DETAIL *)detail)->src,
			   &((MD_SPAN_IMG_DETAIL *)detail)->title, true);
		break;
	case MD_SPAN_LATEXMATH:
	case MD_SPAN_LATEXMATH_DISPLAY:
	case MD_SPAN_WIKILINK:
		break;
	}
	return markdown_go_on(m);
}

static void line_end(struct markdown *m)
{
	if (m->in_cell || m->spans > 0)
		markdown_text(m, " ", 1);
	else
		markdown_break(m, "\n");
}

int markdown_on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
	struct markdown *m = context;
	_cleanup_strbuf_ struct strbuf decoded = STRBUF_INIT;

	if (++m->events > MARKDOWN_EVENTS_MAX)
		m->deep = true;
	if (m->deep || m->failed)
		return -1;
	m->item_begins = false;
	see(m, text, size);
	if (!m->row_at && text >= m->source && text < m->source + m->length)
		m->row_at = text;
	switch (type) {
	case MD_TEXT_BR:
	case MD_TEXT_SOFTBR:
		line_end(m);
		break;
	case MD_TEXT_ENTITY:
		markdown_entity(&decoded, text, size);
		m->failed = m->failed || decoded.failed;
		markdown_text(m, decoded.data, decoded.length);
		break;
	case MD_TEXT_NULLCHAR:
		markdown_text(m, "\xEF\xBF\xBD", 3);
		break;
	case MD_TEXT_NORMAL:
	case MD_TEXT_CODE:
	case MD_TEXT_HTML:
	case MD_TEXT_LATEXMATH:
		markdown_text(m, text, size);
		break;
	}
	return markdown_go_on(m);
}
