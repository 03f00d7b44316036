/*
 * panels -- resources that config/slack.yaml names, as App Home shows them.
 *
 * They are read by the gate, as who opened their Home and only for as long as the gate
 * takes that opening for a reason (HOMES_TURN_MS); the gate reads what its own configuration names
 * ('context'), judges that person's rights and writes each read down. What was read is kept in
 * memory alone. A panel that cannot be read says so in one line.
 */
#ifndef SLACK_PROCESS_PANELS_H
#define SLACK_PROCESS_PANELS_H

#include "slack/process/front.h"

bool panels_are_there(const struct front *f);
/* Whether one shows this resource, or something above it. NULLs are none. */
bool panels_have(const struct front *f, const char *server, const char *uri);
/* False: this process has not read them; another may have. */
bool panels_are_known(struct front *f, const char *user);
/* Read all of them anew; in a worker. 'turn' "": nobody opened it lately. */
void panels_read(struct front *f, const char *user, const char *turn, int64_t turn_ms);
/* As they were last read, an array for slack_home_view; NULL: there are none, or there was
 * no memory. New. */
json_t *panels_shown(struct front *f, const char *user) _must_use_;

#endif
