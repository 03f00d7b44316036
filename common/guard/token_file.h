/*
 * token_file -- callers/index.json as rows, read and written whole.
 *
 * Private to guard. Reading is strict: unknown members, wrong types, malformed
 * names or two rows with one id or hash refuse the whole file.
 */
#ifndef GUARD_TOKEN_FILE_H
#define GUARD_TOKEN_FILE_H

#include "guard/token.h"

struct token_row {
	char id[65];
	char sha256[DIGEST_HEX_BYTES];
	struct caller caller;
	int64_t created_at;
	int64_t expires_at; /* 0: never */
	int64_t revoked_at; /* 0: not */
};

/* Ordered by hash. '*ret_rows' is malloc'd and has room for one row more.
 * ERR_NOT_FOUND when there is no file. */
bool token_file_read(const char *path, struct token_row **ret_rows, size_t *ret_count,
		     struct error *err);
bool token_file_write(const char *path, const struct token_row *rows, size_t count,
		      struct error *err);

/* One row as an object, with or without its hash; NULL without memory. */
json_t *token_row_json(const struct token_row *row, bool with_hash) _must_use_;

/* Set the caller's scopes: " a b ". */
bool token_scopes_set(struct caller *c, const char *const *scopes, size_t count,
		      struct error *err);

#endif
