/*
 * credentials -- the model's key, and the headers that prove we have it.
 *
 * Read once, before the sandbox; a variable is wiped from the environment. Never in a
 * message, a log or an error.
 */
#ifndef EGRESS_CREDENTIALS_H
#define EGRESS_CREDENTIALS_H

#include "assistant/settings.h"
#include "base/secret.h"
#include "base/statedir.h"
#include "link/http/http_client.h"

enum { CREDENTIALS_HEADERS_MAX = 12 };

struct credentials {
	struct secret *key, *access_key_id, *session_token; /* NULL: none */
};

bool credentials_read(const struct assistant_settings *s, const struct statedir *dir,
		      struct credentials *ret, struct error *err);
/* Whether the files that are named can be read; variables and credentials are there only
 * where a surface starts us. */
bool credentials_check(const struct assistant_settings *s, const struct statedir *dir,
		       struct error *err);
void credentials_done(struct credentials *c);

/* The headers of one request. */
struct credentials_headers {
	struct http_client_header list[CREDENTIALS_HEADERS_MAX + 1];
	struct strbuf texts[4]; /* what 'list' borrows from; wiped at the end */
};

void credentials_headers_init(struct credentials_headers *h);
/* Wiped, and as after init. */
void credentials_headers_done(struct credentials_headers *h);

/* 'path' as it goes out, with that of the base address. */
bool credentials_headers(const struct credentials *c, const struct assistant_settings *s,
			 const char *path, const char *body, size_t body_bytes,
			 int64_t now_ms, struct credentials_headers *ret,
			 struct error *err);

#endif
