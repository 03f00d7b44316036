/*
 * prompt_defaults -- what a server will take for arguments that were left out: private
 * to prompt.
 *
 * Nothing is written into a call; a prompt shows these beside it. Looked for in the
 * schema's own properties, in objects and lists that were given, and behind references
 * to #/$defs; what only holds in one branch of several is no default for sure.
 */
#ifndef GATE_PROMPT_DEFAULTS_H
#define GATE_PROMPT_DEFAULTS_H

#include "base/json.h"

enum { PROMPT_DEFAULTS_DEPTH_MAX = JSON_DEPTH_MAX };

/* 'path' is the member's ("limit", "filter.limit", "rules[0].limit"). All borrowed. */
typedef bool prompt_default_function(void *context, const char *path, json_t *value,
				     const json_t *property, struct error *err);

/* Calls 'fn' for each; stops with false when it does. */
bool prompt_defaults(const json_t *input_schema, const json_t *arguments,
		     prompt_default_function *fn, void *context, struct error *err);

#endif
