/* What the views of this folder are made with; private to it. */
#ifndef SLACK_HOME_VIEW_H
#define SLACK_HOME_VIEW_H

#include "base/json.h"

enum { SLACK_OPTIONS_MAX = 100, VIEW_NAME_BYTES = 130 };

/* "server.tool" of plain names, as buttons carry it; false: no button then. */
bool view_full_name(const char *server, const char *tool,
		    char ret[static VIEW_NAME_BYTES]);

/* The block with this block_id; steals it. NULL for NULL. */
json_t *view_named(json_t *block, const char *id);

/* Steals 'blocks'. ERR_INTERNAL: more than a view may hold. New. */
json_t *view_home(json_t *blocks, struct error *err) _must_use_;
bool view_check(const json_t *view, struct error *err);

#endif
