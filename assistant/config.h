/*
 * config -- config/assistant.yaml, judged by its schema and decoded.
 *
 * For the egress and surfaces; apart from settings.h because the worker has no use for
 * YAML and schemas. Complaints read "FILE:LINE: reason".
 */
#ifndef ASSISTANT_CONFIG_H
#define ASSISTANT_CONFIG_H

#include "assistant/settings.h"

bool assistant_config_parse(const char *name, const char *text, size_t length,
			    struct assistant_settings *ret, struct error *err);

/* '*ret_is_there' false, and true returned: there is no such file, and so no assistant. */
bool assistant_config_read(const char *path, struct assistant_settings *ret,
			   bool *ret_is_there, struct error *err);

#endif
