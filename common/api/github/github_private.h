/*
 * github_private -- what the files of the GitHub client share.
 */
#ifndef API_GITHUB_PRIVATE_H
#define API_GITHUB_PRIVATE_H

#include "api/github/github.h"
#include "api/rest/rest_credential.h"
#include "base/jwt_sign.h"

struct github {
	struct rest *rest;
	struct rest_credential *credential;
	char *organization;
	char *graphql; /* its whole URL */
	bool is_server;
	atomic_bool has_no_graphql; /* the last query was answered with 404 */
	/* Of an app; NULL otherwise. */
	struct jwt_signer *signer;
	int64_t app_id, installation_id;
};

/* An installation's access token; a rest_credential_fetch. */
bool github_fetch_token(void *context, const struct rest_patience *patience,
			struct strbuf *token, int64_t *ret_life_ms, struct error *err);

/* What came is not what it should be. */
bool github_fail_shape(const char *what, struct error *err);
/* ERR_INVALID_ARGUMENT for what must not get into a path. */
bool github_check_login(const char *login, struct error *err);

/* A request about the organisation or beside it; 'path' by printf. */
bool github_do(struct github *g, const char *what, const char *method, const json_t *body,
	       bool may_repeat, const struct rest_patience *patience,
	       struct rest_reply *reply, struct error *err, const char *path, ...)
	_printf_(9, 10);

typedef bool github_item_fn(void *context, const json_t *item, struct error *err);
/* A list by REST, page by page. */
bool github_each(struct github *g, const char *what, const struct rest_patience *patience,
		 github_item_fn *fn, void *context, struct error *err, const char *path,
		 ...) _printf_(7, 8);

/*
 * One GraphQL query with variables (an object, borrowed), which may have errors with 200:
 * ERR_NOT_FOUND, ERR_PERMISSION_DENIED, ERR_BACKEND_UNAVAILABLE. '*ret_data' is new.
 */
bool github_query(struct github *g, const char *what, const char *query,
		  const json_t *variables, const struct rest_patience *patience,
		  json_t **ret_data, struct error *err);
/* A connection, page by page: 'find' gives it within the data; 'fn' gets what is in its
 * member 'list' ("nodes", "edges"). Variables $o (the organisation), $c (the cursor) and,
 * if 'login' is not NULL, $u. Where 'find' gives NULL '*ret_there' is false; without a
 * 'ret_there' that is an error, for nothing is no list of nobody. */
bool github_query_each(struct github *g, const char *what, const char *query,
		       const char *login, const char *list,
		       const struct rest_patience *patience,
		       const json_t *(*find)(const json_t *data), github_item_fn *fn,
		       void *context, bool *ret_there, struct error *err);

#endif
