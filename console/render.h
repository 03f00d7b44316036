/*
 * render -- a prompt as lines of a terminal. Pure: a prompt in, text out.
 *
 * Draws the whole sheet (show/sheet.h) and leaves nothing out; long values wrap, they
 * are never cut. Every text is made visible on the way, whatever the gate did, so that
 * nothing a stranger wrote can move the cursor; and no text can pass for a line of the
 * page: what goes on in the next line begins with a bar, in a column of its own for
 * names, values and remarks, so that every argument can be read back to the byte.
 */
#ifndef CONSOLE_RENDER_H
#define CONSOLE_RENDER_H

#include "base/json.h"

enum { RENDER_COLUMNS_MIN = 40 };

struct render_style {
	size_t columns; /* RENDER_COLUMNS_MIN or more */
	bool colour;
	int64_t now_ms;
};

/*
 * ERR_INTERNAL when the prompt lacks something that must be shown, or holds something
 * that this does not know how to show; ERR_INVALID_ARGUMENT when there is too little
 * room: then nothing may be approved. What was appended so far is of no use then.
 */
bool render_prompt(struct strbuf *sb, const json_t *prompt,
		   const struct render_style *style, struct error *err);

/* Bytes of the first 'rows' lines: a page of what is longer than a screen. */
size_t render_page(const char *text, size_t rows);

/* Append text that is visible already, or make it so: the same for both. */
void render_text(struct strbuf *sb, const char *text);

#endif
