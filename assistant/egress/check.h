/*
 * check -- what the egress sends: nothing but a conversation, to the configured model.
 *
 * The worker's request comes over a surface, and either may be somebody else by then. So
 * the path is one of two, the model is the configured one, no more output is asked for
 * than allowed, and the body has the members that our codecs write and no other: no
 * tools that run at the provider, no images, documents or URLs that it would fetch.
 */
#ifndef EGRESS_CHECK_H
#define EGRESS_CHECK_H

#include "assistant/settings.h"

/* ERR_PERMISSION_DENIED says what is not allowed; quotes nothing of the body. */
bool check_request(const struct assistant_settings *s, const char *path, const char *body,
		   struct error *err);

#endif
