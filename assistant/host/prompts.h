/*
 * prompts -- the team's own notes: files prompts/NAME.md in the suite's folder.
 *
 * In the order of their names. A folder that is not there has none; a file that others may
 * write, that is too long or no UTF-8 is an error that names it, so that nobody else's
 * words stand among them.
 */
#ifndef ASSISTANT_HOST_PROMPTS_H
#define ASSISTANT_HOST_PROMPTS_H

#include "base/json.h"

enum { PROMPTS_FILES_MAX = 48, PROMPTS_FILE_MAX = 64 * 1024 };

/* [{name, text}]; new reference. */
json_t *prompts_read(const char *folder, struct error *err) _must_use_;

#endif
