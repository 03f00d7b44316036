/* What the parts of slack/result share. */
#ifndef SLACK_RESULT_PRIVATE_H
#define SLACK_RESULT_PRIVATE_H

#include "slack/render/rich.h"
#include "slack/result/result.h"

enum {
	RESULT_CELL_MAX =
		300, /* characters of a cell; more is cut, and to be had whole */
	RESULT_DEPTH_MAX = 32,   /* of values in values that are drawn one by one */
	RESULT_JOINED_MAX = 20,  /* words of a list that stand in one cell */
	RESULT_RECORDS_MAX = 20, /* objects of a list that are drawn one by one */
	RESULT_LINE_MAX = 1000,  /* characters of a value beside its name */
	RESULT_NAME_MAX = 120,
	/* Bytes of a result that are drawn: more than all pages hold. */
	RESULT_BYTES_MAX = 512 * 1024,
};

struct result_draw {
	const struct slack_result_view *view;
	json_t *pieces;
	size_t open_units, open_count; /* of 'open' */
	json_t *open; /* the section at the end that lines are added to; borrowed, or NULL */
	bool tables;   /* where they may stand; else rows are lines */
	bool cut;      /* something was: there is more than the pieces say */
	size_t budget; /* bytes that are still read */
	size_t hidden; /* bytes that were not */
	bool failed;
	const char *field; /* the name of the value being drawn; NULL: none */
};

/* words.c: state, error, what was not verified. */
const char *result_state_words(const char *state);
void result_heading(struct result_draw *d, const json_t *record);
void result_error(struct result_draw *d, const json_t *error);

/* value.c: JSON as lines and tables. */
void result_value(struct result_draw *d, const char *name, const json_t *value,
		  int depth);
/* Elements of a scalar (or a short list of them), appended to 'elements'. */
void result_scalar(struct result_draw *d, json_t *elements, const json_t *value,
		   size_t units);

/* table.c. False: it is no array of flat objects that fits. */
bool result_table(struct result_draw *d, const json_t *rows);

/* text.c */
void result_line(struct result_draw *d, const char *words, unsigned style);
/* A line of elements (steals), in the section of the lines before it if there is room. */
void result_elements(struct result_draw *d, json_t *elements);
void result_preformatted(struct result_draw *d, const char *text, size_t length);
/* The visible form: exact. If nothing in 'text' hides, it is itself; else escapes, and
 * then also backslashes are doubled and '*ret_escaped' is true. */
void result_visible(struct strbuf *sb, const char *text, size_t length,
		    bool *ret_escaped);
/* JSON with members on lines; what does not show is \uXXXX. Of at most 'most' bytes;
 * '*ret_left' is how many were left out. */
bool result_json(struct strbuf *sb, const json_t *value, size_t most, size_t *ret_left);
/* Take from what may still be read: how much of 'length' it is. */
size_t result_spend(struct result_draw *d, const char *text, size_t length);

/* redact.c: a copy without what looks like a secret. NULL without memory. */
json_t *result_redact(const json_t *value, int depth) _must_use_;

/* What is drawn of a record, and of its parts, without secrets. New. */
json_t *result_clean(const json_t *record, struct error *err) _must_use_;

/* content.c: the blocks of a result. */
void result_content(struct result_draw *d, const json_t *result);

#endif
