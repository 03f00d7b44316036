/*
 * field -- what a property of a tool's schema wants of the person who fills it in, and a
 * typed line as its value; the same for every surface that asks. Pure.
 */
#ifndef SHOW_FIELD_H
#define SHOW_FIELD_H

#include "base/json.h"

/* The property behind "$ref": "#/$defs/...", borrowed; the property itself otherwise. */
const json_t *field_resolve(const json_t *schema, const json_t *property);

/* Whether the (resolved) property allows this JSON type by name. */
bool field_allows(const json_t *property, const char *type);

/* Fixed choices of a property, or of the items of a list: enum, or const with a
 * title in oneOf or anyOf. 0 when there are none. */
size_t field_choice_count(const json_t *property);
/* Choice 'index', borrowed; its title (may be NULL) goes to 'ret_title'. */
const json_t *field_choice(const json_t *property, size_t index, const char **ret_title);

/* An example of how to write it, for people; NULL if it explains itself. */
const char *field_hint(const json_t *property);

/* A line as JSON of the right type; not yet held against the schema. */
json_t *field_read(const json_t *schema, const json_t *property, const char *line,
		   struct error *err) _must_use_;

#endif
