/*
 * pages -- a sheet as lines of preformatted text, and these as pages that fit.
 *
 * An item is a line with its label or name, then, each two spaces further in, its text and
 * its remarks ("note: ..."). What is longer than one line of ours goes on in lines that
 * begin with a bar. So whatever is in a text, it ends where the item says: the value of an
 * argument is the line below its name, with the lines below that have a bar. Nothing is
 * cut and nothing is left out.
 */
#ifndef SLACK_PAGES_H
#define SLACK_PAGES_H

#include "base/json.h"

enum {
	SLACK_LINE_CHARACTERS_MAX = 2000, /* a whole line fits into an element */
	SLACK_PAGE_BLOCKS_MAX = 45,       /* header, words and buttons come besides */
	SLACK_REVIEW_PAGES_MAX = 200,
};

/*
 * An array of pages; a page is an array of at most SLACK_PAGE_BLOCKS_MAX rich_text blocks
 * with at most 'characters' of text. A section that goes on on the next page says so in its heading.
 * ERR_INVALID_ARGUMENT: it would take more than SLACK_REVIEW_PAGES_MAX.
 */
json_t *slack_pages(const json_t *sheet, size_t characters, struct error *err) _must_use_;

/* A text of any length as elements of preformatted text, lines kept; visible. New array. */
json_t *slack_elements(const char *text) _must_use_;

#endif
