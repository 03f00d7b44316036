/*
 * visible -- strangers' text where people and models read it: nothing hidden in it.
 *
 * Over base/text.h's text_visible, but line breaks and backslashes stay what they are.
 */
#ifndef PLAYBOOKS_VISIBLE_H
#define PLAYBOOKS_VISIBLE_H

#include "base/strbuf.h"

/* On one line, runs of white space as one space, none after a space. */
void visible_line(struct strbuf *sb, const char *text, size_t length);
/* With its lines; a tab is four spaces. */
void visible_text(struct strbuf *sb, const char *text, size_t length);
/* Visible text so that Markdown takes no character of it for markup. */
void visible_escape(struct strbuf *sb, const char *text, size_t length);

#endif
