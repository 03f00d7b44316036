/*
 * rest_private -- what the files of rest share.
 */
#ifndef API_REST_PRIVATE_H
#define API_REST_PRIVATE_H

#include "api/rest/rest.h"
#include "api/rest/rest_limit.h"
#include "link/http/http_url.h"

struct rest {
	const struct rest_vendor *vendor;
	const struct rest_auth *auth;
	char *base;
	struct http_url parts; /* of the base */
	struct http_client *client;
	int64_t timeout_ms;
	void (*pause)(void *context, int64_t ms);
	void *pause_context;
	struct rest_limits limits;
	atomic_llong ahead_ms; /* the vendor's clock before ours */
};

/* Append the whole URL of a path, or the URL itself if it is of the base's origin.
 * ERR_INVALID_ARGUMENT for one that is not. */
bool rest_url(const struct rest *r, const char *path, struct strbuf *url,
	      struct error *err);

/* ---- rest_judge.c ---- */

/* Read what came into 'reply' and judge it; also learn the vendor's clock and limits.
 * False for lack of memory alone. */
bool rest_judge(struct rest *r, const struct rest_request *request,
		struct rest_reply *reply, struct error *err);
/* "cannot WHAT: VENDOR ..." for the fault of 'reply'. Returns false. */
bool rest_judge_fail(const struct rest *r, const struct rest_request *request,
		     const struct rest_reply *reply, struct error *err);

#endif
