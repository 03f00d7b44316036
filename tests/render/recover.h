/*
 * recover -- from what was drawn back to the call, without the prompt. For tests.
 *
 * Reads a page of the terminal, or the blocks of a message or of all pages of a review, as
 * a person would: sections, names, values. What comes out is the arguments object; if its
 * canonical bytes are those of the call, nothing was hidden, cut, doubled or drawn over.
 * 'run' is 0 for a prompt of one call; of several it says which, from 1.
 */
#ifndef TESTS_RENDER_RECOVER_H
#define TESTS_RENDER_RECOVER_H

#include "base/json.h"

/* NULL with 'err' when the page cannot be read. New reference. */
json_t *recover_terminal(const char *page, unsigned run, struct error *err) _must_use_;
json_t *recover_blocks(const json_t *blocks, unsigned run, struct error *err) _must_use_;

/* Everything that blocks say, one text, lines that were broken put together. */
void recover_text(const json_t *blocks, struct strbuf *sb);
/* The same of a page of the terminal. */
void recover_page_text(const char *page, struct strbuf *sb);

#endif
