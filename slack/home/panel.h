/* A panel of App Home, as it is drawn; private to slack/home. */
#ifndef SLACK_HOME_PANEL_H
#define SLACK_HOME_PANEL_H

#include "base/json.h"

/* Append the blocks of what slack_home_panel or slack_home_panel_fault made.
 * ERR_INTERNAL: it is not such data. */
bool panel_add(json_t *blocks, const json_t *panel, struct error *err);

#endif
