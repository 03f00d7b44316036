/*
 * chat -- a request in no provider's words, and what a codec is.
 *
 * messages: [{role: "user"|"assistant", parts: [part]}], roles taking turns, the first
 * and the last a user's. What stands up to a part with 'mark' (true) comes again in the next
 * turn to the byte, and is worth keeping. A part is
 *   {text}                                what is said
 *   {call: id, name, args: object}        of the assistant
 *   {result: id, text, error: bool}       of the user, before its texts, one for each call
 *                                         of the message before
 *   {kept: block}                         of the assistant, the provider's own, unchanged
 */
#ifndef WORKER_CHAT_H
#define WORKER_CHAT_H

#include "assistant/worker/answer.h"

struct chat {
	const char *model;
	int64_t max_output;
	bool stream, cache, old_max_tokens;
	const char *stable; /* what the house says, the same in every turn */
	json_t *tools; /* [{name, description, schema}], names as providers take them */
	json_t *messages;
};

/* A provider's wire, as pure functions. */
struct codec {
	const char *name;
	/* The path below the configured base address, and the body. */
	bool (*write)(const struct chat *c, struct strbuf *ret_path,
		      struct strbuf *ret_body, struct error *err);
	/* A reply that was no stream. */
	bool (*whole)(const json_t *body, struct answer *a, struct error *err);
	/* One event of a stream; 'type' is the frame's or the event's, "" if it has none.
	 * 'data' NULL: a stream's "[DONE]". Unknown events are skipped. */
	bool (*event)(const char *type, const json_t *data, struct answer *a,
		      struct error *err);
	/* Why a status above 299 refused, from its body; ASSISTANT_OK: as the status says. */
	enum assistant_code (*refusal)(int status, const json_t *body);
};

extern const struct codec codec_anthropic, codec_openai, codec_bedrock;

/* NULL for an unknown provider. */
const struct codec *codec_find(const char *provider);

/* Put 'value' (which it takes) into 'object'; false without memory, also where value is NULL. */
bool put(json_t *object, const char *name, json_t *value) _must_use_;
bool append(json_t *array, json_t *value) _must_use_;

/* Containers within one another: 0 for a text, 1 for {}. Of what was parsed, and so is not
 * deeper than JSON_DEPTH_MAX. */
int chat_depth(const json_t *value);

/* Whether 'text' has one of the 'words' (which end with NULL), whatever their case. */
bool says(const char *text, const char *const *words);

#endif
