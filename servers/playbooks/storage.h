/*
 * storage -- Confluence's storage format into Markdown.
 *
 * The format is XHTML with elements of Confluence's own, entities of HTML and prefixes that
 * nobody declares, so it is no XML document that a library would take as it is; and of all
 * that it could say we want text. Read in one pass: headings, paragraphs, lists, tasks,
 * tables, quotations, code (the macro too), bold, italic, links. Panels and expanding parts
 * keep their content; every other macro, scripts, styles and whatever is unknown are
 * dropped, their text too if it is in a macro's parameters. What is broken is read as far
 * as it makes sense. Text is escaped, so that none of it becomes markup.
 */
#ifndef PLAYBOOKS_STORAGE_H
#define PLAYBOOKS_STORAGE_H

#include "base/strbuf.h"

enum { STORAGE_DEPTH_MAX = 64 };

/* Append; false without memory, or where elements stand deeper in one another. */
bool storage_to_markdown(const char *text, size_t length, struct strbuf *ret);

#endif
