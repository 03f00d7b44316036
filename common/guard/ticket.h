/*
 * ticket -- the gate's word about who asks, for a plan or for context.
 *
 * {typ, v:1, kid, aud, requester, request, iat, exp}: 'aud' is the server's
 * instance, 'request' the digest of what is asked (request_digest), times in
 * seconds, 60 seconds long. A ticket lets a server plan as that person; it never
 * lets anything run.
 */
#ifndef GUARD_TICKET_H
#define GUARD_TICKET_H

#include "guard/envelope.h"
#include "guard/names.h"

enum { TICKET_TTL_S = 60 };

struct ticket {
	char requester[129];
};

/* SHA-256 hex of the canonical {"args": <digest>, "server":…, "tool":…}. */
bool request_digest(const char *server, const char *tool, const char *args_digest,
		    char ret_hex[static DIGEST_HEX_BYTES], struct error *err);

bool ticket_sign(struct strbuf *sb, const char *aud, const char *requester,
		 const char *request, int64_t now_ms, const struct sign_key *key,
		 struct error *err);
/* ERR_APPROVAL_INVALID unless every member is right for this request now. */
bool ticket_check(const char *word, const char *aud, const char *request, int64_t now_ms,
		  struct keyring *keys, struct ticket *ret, struct error *err);

#endif
