/*
 * render -- Markdown of strangers as Markdown that is safe to show.
 *
 * Written anew from what md4c understood: HTML is dropped, and with it everything between
 * <script> or <style> and their ends; hidden characters show as escapes. Relative links
 * and images stay links; one that leads elsewhere is text with its address behind it,
 * unless its host is allowed.
 */
#ifndef PLAYBOOKS_RENDER_H
#define PLAYBOOKS_RENDER_H

#include "base/json.h"

/* 'hosts': an array of host names that links may lead to; may be NULL. What nests deeper
 * than outline.h allows is ERR_INVALID_ARGUMENT. */
bool render_markdown(const char *source, size_t length, const json_t *hosts,
		     struct strbuf *ret, struct error *err);

/* Whether an address leads into the same folder: no scheme, no host. */
bool render_is_relative(const char *address, size_t length);

#endif
