/*
 * sigv4 -- AWS Signature Version 4, by hand.
 *
 * libcurl 7.88 signs paths wrongly that hold encoded characters, as those of Bedrock do
 * (model ids hold ':' and '/'): the canonical path is the request's, encoded once more.
 * Pure; time is the caller's. Source: AWS, "Create a signed AWS API request".
 */
#ifndef EGRESS_SIGV4_H
#define EGRESS_SIGV4_H

#include "base/error.h"
#include "base/strbuf.h"

enum { SIGV4_DATE_BYTES = 17, SIGV4_HEADERS_MAX = 32 };

struct sigv4_header {
	const char *name; /* lower case */
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;                   /* encoded as it is sent; no query */
	const struct sigv4_header *headers; /* all that are signed, in any order */
	size_t header_count;
	const void *body;
	size_t body_bytes;
};

struct sigv4_key {
	const char *access_key_id, *secret_key, *region, *service;
};

/* "20261123T071028Z", for the header x-amz-date. */
bool sigv4_date(int64_t wall_ms, char ret[static SIGV4_DATE_BYTES], struct error *err);

/* The value of Authorization, appended. 'date' is also a signed header's value. */
bool sigv4_sign(const struct sigv4_request *r, const struct sigv4_key *k,
		const char *date, struct strbuf *ret, struct error *err);

#endif
