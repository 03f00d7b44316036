/*
 * html_text -- what HTML leaves of itself in text: characters for entities, and
 * nothing of scripts.
 */
#ifndef PLAYBOOKS_HTML_TEXT_H
#define PLAYBOOKS_HTML_TEXT_H

#include "base/strbuf.h"

/* Whether text stands between <script> or <style> and its end. */
struct html_filter {
	const char *hiding; /* the element, or NULL */
};
void html_filter_reset(struct html_filter *f);
/* A tag that stands in text, as it is written. */
void html_filter_tag(struct html_filter *f, const char *tag, size_t length);
bool html_filter_hides(const struct html_filter *f);

/* Append the character of "&amp;", "&#233;", "&nbsp;"; one that is not known is appended
 * as it is written. */
void html_entity(struct strbuf *sb, const char *entity, size_t length);

#endif
