/*
 * fields -- the members of every message of the assistant's, decoded by table.
 *
 * One struct for all: a message fills what its row names, everything else is NULL, 0 or
 * false. What a row does not name is refused, and so is what is longer than messages.h
 * allows, so a message is read to its last member. Of what lies deeper, calls and usage
 * are checked here too, for the surface that hears them from a worker; the parts of a turn
 * are checked by the worker. Used at all ends.
 */
#ifndef ASSISTANT_FIELDS_H
#define ASSISTANT_FIELDS_H

#include "assistant/messages.h"
#include "base/json.h"

/* Who listens: a message that is not for it is refused. */
enum assistant_end {
	ASSISTANT_AT_WORKER = 1,
	ASSISTANT_AT_EGRESS = 2,
	ASSISTANT_AT_SURFACE_OF_WORKER = 4,
	ASSISTANT_AT_SURFACE_OF_EGRESS = 8,
};

struct assistant_usage {
	int64_t input, output, cache_read, cache_write, requests;
};

/* All borrowed from the message. */
struct assistant_fields {
	enum assistant_message m;
	const char *name;
	const char *provider, *model, *label, *text, *code, *type, *data, *uri,
		*read_template, *path, *body, *why;
	json_t *system, *who, *conversation, *tools, *sources, *limits, *results, *calls,
		*values, *usage_object;
	int64_t v, max_output, proposal, read, request, status, retry_after_ms, after_ms;
	bool stream, cache, old_max_tokens, cut, final, together;
	struct assistant_usage usage;
};

/* ERR_INVALID_ARGUMENT names the member. retry_after_ms is -1 where it is absent. */
bool assistant_fields_decode(enum assistant_end at, const json_t *message,
			     struct assistant_fields *ret, struct error *err);

/* [{tool, arguments}], as many as 'together' wants. */
bool assistant_calls_check(const json_t *calls, bool together, struct error *err);

/* As messages have it; NULL without memory. */
json_t *assistant_usage_json(const struct assistant_usage *u) _must_use_;

#endif
