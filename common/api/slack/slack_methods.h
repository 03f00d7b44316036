/*
 * slack_methods -- what is known about methods of the Web API, and about its errors.
 */
#ifndef API_SLACK_METHODS_H
#define API_SLACK_METHODS_H

#include "api/rest/rest.h"

struct slack_method {
	const char *name;
	bool reads;          /* repeated after any failure */
	bool may_repeat;     /* a write that does no harm twice */
	bool is_per_channel; /* its rate is limited in each channel */
};

/* A method that is not known is a write that must not come twice. Never NULL. */
const struct slack_method *slack_method_find(const char *name);

/* What an error's name means. */
struct slack_error {
	const char *name;
	enum rest_verdict verdict;
	enum error_code code;
	const char *hint; /* or NULL */
};
/* NULL for a name that is not known: the request is refused as things are. */
const struct slack_error *slack_error_find(const char *name);

#endif
