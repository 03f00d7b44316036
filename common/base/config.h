/*
 * config -- one YAML file per process, checked before it is believed.
 *
 * YAML is read with libyaml into the JSON data model: the core schema's plain
 * scalars only (null, true, false, integers, floats, strings); anchors, aliases,
 * tags, merge keys, several documents and duplicate keys are refused, each with
 * its line. Every complaint reads "FILE:LINE: reason". The JSON Schema in
 * schemas/ judges the result (by the caller, through wire/schema.h: base does
 * not know it); config_line finds the line of a place that it complains about.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/error.h"
#include "base/json.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024, CONFIG_DEPTH_MAX = 16 };

struct config;

struct config *config_read(const char *path, struct error *err) _must_use_;
struct config *config_parse(const char *name, const char *text, size_t length,
			    struct error *err) _must_use_;
void config_free(struct config *c);
DEFINE_CLEANUP(struct config, config_free);

/* The whole document, borrowed. */
json_t *config_root(const struct config *c);
const char *config_name(const struct config *c);
/* 1-based line of the value at a JSON Pointer ("/persons/0/id"), or of its nearest ancestor. */
int config_line(const struct config *c, const char *pointer);

#endif
