/* What the views of this folder are made with; private to it. */
#ifndef SLACK_HOME_VIEW_H
#define SLACK_HOME_VIEW_H

#include "base/json.h"

enum { SLACK_OPTIONS_MAX = 100 };

/* The block with this block_id; steals it. NULL for NULL. */
json_t *view_named(json_t *block, const char *id);

/* Steals 'blocks'. ERR_INTERNAL: more than a view may hold. New. */
json_t *view_home(json_t *blocks, struct error *err) _must_use_;
bool view_check(const json_t *view, struct error *err);

#endif
