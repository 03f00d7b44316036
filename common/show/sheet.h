/*
 * sheet -- a prompt as a page of short lines, the same for every surface.
 *
 * Between the prompt, which is data (docs/formats.md), and what draws it: here it is
 * decided what is said, in which order and under which words, and that nothing is left
 * out. A prompt that lacks something, or holds something that this does not know how to
 * say, makes no sheet, and then nothing can be approved. Pure: data in, data out.
 *
 * A sheet is
 *   {question, whole, sections: [{heading, empty?, items: [item]}]}
 *   item: {label | name, text, mark?, argument?: true, lines?: [{label, text, mark?}]}
 * 'question', 'heading', 'empty' and 'label' are words of ours. 'name' was chosen by
 * somebody else and stands in quotes unless it is plain (sheet_name). Every 'text' is
 * visible (base/text.h), whatever the gate did: no line end, no control character, no
 * more than eight spaces in a row. 'mark' is "danger", "warn" or "dim", for colours.
 * 'argument' marks what is part of the call. 'whole' is false when something is kept
 * from those who read along: such a sheet cannot be approved.
 *
 * A prompt of several calls (gate/prompt_several.h) makes one sheet: what is said of all,
 * then every call's own sections under "Call n: …", then the terms of the decision.
 *
 * Order: the call, arguments, effects, warnings, details, terms; last, and under their
 * authors, the words that people, the assistant and the server wrote.
 */
#ifndef SHOW_SHEET_H
#define SHOW_SHEET_H

#include "base/json.h"

enum { SHEET_DIGEST_SHOWN = 12 };

struct sheet_view {
	int64_t now_ms;
	/* Others than approvers see it too: what is sensitive is kept back, and if there
	 * is such, also what the server says of it (effects, notes, warnings, details). */
	bool others_read_along;
	/* It goes on standing where it is drawn: no "in 9 minutes", which soon is not so. */
	bool stands;
};

/* ERR_INTERNAL says that it cannot be shown whole. New reference. */
json_t *sheet_build(const json_t *prompt, const struct sheet_view *view,
		    struct error *err) _must_use_;

/* Append text that is visible already, or make it so: the same for both. */
void sheet_text(struct strbuf *sb, const char *text);
/* Bytes of the next piece of such a text that is not to be cut: an escape, or a character
 * with what stands on it. 0 only at the end. */
size_t sheet_step(const char *text);
/* A name, in quotes unless it is 1 to 64 of [A-Za-z0-9_.-]. */
void sheet_name(struct strbuf *sb, const char *name);
/* Undo it: the name as the prompt has it (visible form). False: it is none of ours. */
bool sheet_name_read(struct strbuf *sb, const char *shown);

#endif
