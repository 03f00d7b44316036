/*
 * context -- what the gate may read for conversations: which address belongs to which
 * server and template, and what of an answer is text. Pure: settings and data in.
 */
#ifndef GATE_CONTEXT_H
#define GATE_CONTEXT_H

#include "base/json.h"

enum {
	CONTEXT_TEMPLATES_MAX = 64,
	CONTEXT_URI_MAX = 2048,
	CONTEXT_TEXT_MAX = 64 * 1024, /* of one read */
	CONTEXT_PER_TURN = 25, /* what a turn reads by itself, and who is who before */
};

struct context_template {
	char server[33];
	char uri[257]; /* a resource's, or a template (mcp/uri_template.h) */
	char description[501];
};

struct context_settings {
	struct context_template templates[CONTEXT_TEMPLATES_MAX];
	size_t count;
	int64_t per_turn;
};

/* 'context' of config/gate.yaml, judged by its schema; may be NULL. ERR_INVALID_ARGUMENT
 * names a template that is none. */
bool context_settings_decode(struct context_settings *s, const json_t *context,
			     struct error *err);

/* The row that this address fits; NULL: it may not be read. '*ret_values' (new, may be
 * NULL) are those of the template. */
const struct context_template *context_find(const struct context_settings *s,
					    const char *uri, json_t **ret_values);

/* The texts of the result of resources/read, cut at CONTEXT_TEXT_MAX; what is no text is
 * left out. New string. */
json_t *context_text(const json_t *result, bool *ret_is_cut) _must_use_;

/* Of an answer of the people server: all that names the one person that was found by a
 * name or an identifier, a line each. NULL: nobody, several, or only somebody like it. */
json_t *context_resolved(const json_t *found) _must_use_;

#endif
