/*
 * signature -- whether a request was made by Slack. Pure: bytes and a time in, a word out.
 *
 * Slack signs "v0:TIMESTAMP:BODY" with HMAC-SHA256 and the app's signing secret. The body
 * is the raw bytes as they came, before anybody reads them. Refused are another form than
 * Slack's, a header that is missing or stands twice, a time more than SLACK_WINDOW_S away
 * in either direction, and every signature but the one; compared in time that tells
 * nothing. Two secrets may hold at once, so that one can be replaced. That the same request
 * is not taken twice is replay.h's.
 */
#ifndef SLACK_SIGNATURE_H
#define SLACK_SIGNATURE_H

#include "base/secret.h"

enum {
	SLACK_WINDOW_S = 300, /* exactly so old is accepted */
	SLACK_SECRETS_MAX = 2,
	SLACK_SECRET_BYTES_MAX = 256,
	SLACK_BODY_MAX = 1024 * 1024,
	SLACK_SIGNATURE_CHARACTERS = 67, /* "v0=" and 64 digits */
	SLACK_TIMESTAMP_CHARACTERS_MAX = 12,
	SLACK_FIELDS_MAX = 128,
};

struct slack_field {
	const char *name, *value; /* names in any case */
};

/* Either both texts, as received, or the fields of the request to find them in. */
struct slack_evidence {
	const char *timestamp, *signature; /* NULL: missing */
	const void *body;
	size_t length;
};

/* Fill the two texts from header fields. ERR_PERMISSION_DENIED: missing, or there twice. */
bool slack_evidence_read(const struct slack_field *fields, size_t count,
			 struct slack_evidence *ret, struct error *err);

/* 'secrets' has 1 to SLACK_SECRETS_MAX entries. ERR_PERMISSION_DENIED with the reason, which
 * holds neither secret nor signature; ERR_INVALID_ARGUMENT for a body that is too long. */
bool slack_signature_check(const struct slack_evidence *e,
			   const struct secret *const *secrets, size_t count,
			   int64_t now_s, struct error *err);

#endif
