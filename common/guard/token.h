/*
 * token -- bearer tokens for local use, kept as hashes.
 *
 * callers/index.json: {"v":1,"tokens":[{id, sha256, principal, client, scopes[],
 * created_at, expires_at?, revoked_at?}]}. A token is "wm_" and 43 base64url
 * characters (256 random bits), so its plain SHA-256 is enough. Times are wall clock
 * milliseconds. Servers read the index and never a token's text; a changed index is
 * noticed within a second. An index that is missing, damaged or writable by others
 * lets nobody in.
 * OAuth access tokens come later beside this, giving the same struct caller.
 */
#ifndef GUARD_TOKEN_H
#define GUARD_TOKEN_H

#include "base/json.h"
#include "base/secret.h"

enum {
	TOKEN_SCOPES_MAX = 32,
	TOKEN_BYTES_MAX = 4096, /* of what a stranger calls a token */
	TOKENS_MAX = 4096,      /* rows of an index, revoked ones included */
	TOKEN_LOOK_MS = 500,
};

/* Who calls, as proved by a token. Counted by nobody: a plain value. */
enum { CALLER_SUBJECT_BYTES = 520 };

struct caller {
	char principal[129];
	char client[65]; /* token id: two clients of one person are two */
	/* Whom an issuer's token is about, "<issuer> <sub>", an odd or long sub as
	 * "sha256:<hex>"; "" for tokens of our own and where there is no sub. */
	char subject[CALLER_SUBJECT_BYTES];
	char scopes[1024]; /* separated by spaces, with one before and after */
};
bool caller_has_scope(const struct caller *c, const char *scope);
/* "<server>:read" and the like. */
bool caller_may(const struct caller *c, const char *server, const char *right);

struct token_index;
struct token_index *token_index_open(const char *path, struct error *err) _must_use_;
void token_index_free(struct token_index *t);
DEFINE_CLEANUP(struct token_index, token_index_free);

/* ERR_PERMISSION_DENIED for a token that is unknown, revoked or expired (NULL is
 * unknown); ERR_INTERNAL when the index cannot be read. Thread-safe. */
bool token_index_find(struct token_index *t, const char *token, int64_t now_ms,
		      struct caller *ret, struct error *err);

/*
 * Administration; each takes <index>.lock (waiting up to two seconds) and replaces
 * the index atomically, mode 0600. The first token makes the index. Scopes are 1 to
 * 64 of [a-z0-9:_-]. Revoking twice keeps the first time; ERR_NOT_FOUND for no such id.
 */
bool token_create(const char *index_path, const char *principal,
		  const char *const *scopes, size_t scope_count,
		  int64_t expires_ms /* 0: never */, int64_t now_ms,
		  struct secret **ret_token, char ret_id[static 65], struct error *err);
bool token_revoke(const char *index_path, const char *id, int64_t now_ms,
		  struct error *err);
/* The rows without hashes, a new array. */
json_t *token_list(const char *index_path, struct error *err) _must_use_;

#endif
