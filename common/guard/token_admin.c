#include "guard/token_file.h"

#include "base/clock.h"
#include "base/file.h"
#include "guard/copy.h"
#include "guard/names.h"

enum { SECRET_BYTES = 32, LOCK_TRIES = 100, LOCK_PAUSE_US = 20 * 1000, ID_RANDOM = 12 };

/* What one change of the index needs. */
struct edit {
	int lock;
	struct token_row *rows; /* with room for one more */
	size_t count;
};

static void edit_done(struct edit *e)
{
	cleanup_close(&e->lock);
	free(e->rows);
}

static bool take_lock(const char *index_path, int *ret_fd, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

	strbuf_add_format(&path, "%s.lock", index_path);
	if (!strbuf_ok(&path))
		return error_oom(err);
	for (int try = 1;; try++) {
		struct error why = ERROR_INIT;
		if (file_lock(path.data, ret_fd, &why))
			return true;
		if (why.code != ERR_CONFLICT || try == LOCK_TRIES)
			return error_set(err, why.code, "%s", why.message);
		(void)usleep(LOCK_PAUSE_US);
	}
}

/* Lock and read; a missing index is an empty one. */
static bool edit_begin(const char *index_path, struct edit *e, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!take_lock(index_path, &e->lock, err))
		return false;
	if (token_file_read(index_path, &e->rows, &e->count, &why))
		return true;
	if (why.code != ERR_NOT_FOUND)
		return error_set(err, why.code, "%s", why.message);
	e->rows = calloc(1, sizeof *e->rows);
	if (!e->rows)
		(void)error_oom(err);
	return e->rows != NULL;
}

static struct token_row *find_id(const struct edit *e, const char *id)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->rows[i].id, id) == 0)
			return &e->rows[i];
	return NULL;
}

/* Short, for people type it; unique among all there ever were. */
static void choose_id(const struct edit *e, char ret[static DIGEST_ID_BYTES + 2])
{
	char random[DIGEST_ID_BYTES];

	do {
		digest_random_id(random);
		(void)snprintf(ret, DIGEST_ID_BYTES + 2, "t-%.*s", ID_RANDOM, random);
	} while (find_id(e, ret));
}

/* The token's text; its hash goes to 'row'. */
static struct secret *make_token(struct token_row *row, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	uint8_t random[SECRET_BYTES];
	struct secret *token = NULL;

	digest_random(random, sizeof random);
	strbuf_add_string(&text, "wm_");
	digest_base64url(&text, random, sizeof random);
	if (strbuf_ok(&text)) {
		digest_sha256_hex(text.data, text.length, row->sha256);
		token = secret_new(text.data, text.length);
	}
	explicit_bzero(random, sizeof random);
	strbuf_wipe(&text);
	if (!token)
		error_oom(err);
	return token;
}

bool token_create(const char *index_path, const char *principal,
		  const char *const *scopes, size_t scope_count, int64_t expires_ms,
		  int64_t now_ms, struct secret **ret_token, char ret_id[static 65],
		  struct error *err)
{
	_cleanup_(secret_freep) struct secret *token = NULL;
	_cleanup_(edit_done) struct edit e = { .lock = -1 };
	char id[DIGEST_ID_BYTES + 2];

	if (!name_is_principal(principal))
		return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no principal",
				 principal);
	if (expires_ms < 0 || (expires_ms > 0 && expires_ms <= now_ms))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a token cannot expire in the past");
	if (!edit_begin(index_path, &e, err))
		return false;
	if (e.count >= TOKENS_MAX)
		return error_set(err, ERR_CONFLICT, "there are %d tokens already",
				 TOKENS_MAX);

	struct token_row *row = &e.rows[e.count];
	*row = (struct token_row){ .created_at = now_ms, .expires_at = expires_ms };
	if (!token_scopes_set(&row->caller, scopes, scope_count, err) ||
	    !(token = make_token(row, err)))
		return false;
	choose_id(&e, id);
	COPY(row->id, id);
	COPY(row->caller.client, id);
	COPY(row->caller.principal, principal);
	if (!token_file_write(index_path, e.rows, e.count + 1, err))
		return false;
	*ret_token = TAKE(token);
	(void)snprintf(ret_id, 65, "%s", id);
	return true;
}

bool token_revoke(const char *index_path, const char *id, int64_t now_ms,
		  struct error *err)
{
	_cleanup_(edit_done) struct edit e = { .lock = -1 };

	if (!edit_begin(index_path, &e, err))
		return false;
	struct token_row *row = find_id(&e, id);
	if (!row)
		return error_set(err, ERR_NOT_FOUND, "there is no token '%s'", id);
	if (row->revoked_at)
		return true;
	row->revoked_at = now_ms;
	return token_file_write(index_path, e.rows, e.count, err);
}

json_t *token_list(const char *index_path, struct error *err)
{
	_cleanup_free_ struct token_row *rows = NULL;
	json_auto_t *list = json_array();
	struct error why = ERROR_INIT;
	size_t count = 0;

	if (!list) {
		error_oom(err);
		return NULL;
	}
	if (!token_file_read(index_path, &rows, &count, &why) &&
	    why.code != ERR_NOT_FOUND) {
		error_set(err, why.code, "%s", why.message);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, token_row_json(&rows[i], false)) != 0) {
			error_oom(err);
			return NULL;
		}
	return TAKE(list);
}
