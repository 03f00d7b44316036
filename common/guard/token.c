#include "guard/token.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "guard/copy.h"
#include "guard/token_file.h"

/* Which file it was, so that a replaced one shows. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct token_index {
	char *path;
	pthread_rwlock_t lock; /* over all below */
	int64_t looked_ms;
	struct stamp stamp;
	struct token_row *rows; /* ordered by hash */
	size_t count;
	struct error why; /* set while the index cannot be read: nobody gets in */
};

/* ---- Rights of a caller ---- */

bool caller_has_scope(const struct caller *c, const char *scope)
{
	const size_t length = strlen(scope);

	if (length == 0 || strchr(scope, ' '))
		return false;
	for (const char *at = c->scopes; (at = strstr(at, scope)); at++)
		if (at > c->scopes && at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

bool caller_may(const struct caller *c, const char *server, const char *right)
{
	char scope[128];
	const int length = snprintf(scope, sizeof scope, "%s:%s", server, right);

	return length > 0 && (size_t)length < sizeof scope && caller_has_scope(c, scope);
}

/* ---- The index ---- */

static bool take_stamp(const char *path, struct stamp *ret)
{
	struct stat st;

	*ret = (struct stamp){ 0 };
	if (stat(path, &st) != 0)
		return false;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_mtim;
	return true;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

/* With the lock held for writing. The stamp is taken first: a file replaced while
 * it was read is read once more. */
static bool load(struct token_index *t)
{
	free(TAKE(t->rows));
	t->count = 0;
	error_clear(&t->why);
	(void)take_stamp(t->path, &t->stamp);
	return token_file_read(t->path, &t->rows, &t->count, &t->why);
}

struct token_index *token_index_open(const char *path, struct error *err)
{
	struct token_index *t = calloc(1, sizeof *t);

	if (!t || !(t->path = strdup(path))) {
		free(t);
		error_oom(err);
		return NULL;
	}
	(void)pthread_rwlock_init(&t->lock, NULL);
	t->looked_ms = clock_mono_ms();
	if (!load(t)) {
		error_set(err, t->why.code, "%s", t->why.message);
		token_index_free(t);
		return NULL;
	}
	return t;
}

void token_index_free(struct token_index *t)
{
	if (!t)
		return;
	(void)pthread_rwlock_destroy(&t->lock);
	free(t->rows);
	free(t->path);
	free(t);
}

/* With the lock held for reading, which it still is afterwards. */
static void look_again(struct token_index *t, int64_t not_within_ms)
{
	const int64_t now_ms = clock_mono_ms();
	struct stamp stamp;

	if (now_ms - t->looked_ms < not_within_ms)
		return;
	(void)pthread_rwlock_unlock(&t->lock);
	(void)pthread_rwlock_wrlock(&t->lock);
	/* Another thread may have been here while nobody held the lock. */
	if (now_ms - t->looked_ms >= not_within_ms) {
		t->looked_ms = now_ms;
		if (!take_stamp(t->path, &stamp) || error_is_set(&t->why) ||
		    !is_same(&stamp, &t->stamp))
			(void)load(t);
	}
	(void)pthread_rwlock_unlock(&t->lock);
	(void)pthread_rwlock_rdlock(&t->lock);
}

static int compare_hash(const void *key, const void *row)
{
	return strcmp(key, ((const struct token_row *)row)->sha256);
}

/* Where in the order a hash stands may show in the time this takes: it tells of
 * the hash of a guess, and 256 random bits are not guessed from that. */
static const struct token_row *find(const struct token_index *t, const char *hash)
{
	if (t->count == 0 || !*hash)
		return NULL;
	const struct token_row *row =
		bsearch(hash, t->rows, t->count, sizeof *t->rows, compare_hash);
	return row && digest_equal_text(row->sha256, hash) ? row : NULL;
}

/* The token's hash, "" for what is none. */
static void hash_token(const char *token, char ret[static DIGEST_HEX_BYTES])
{
	const size_t length = token ? strnlen(token, TOKEN_BYTES_MAX + 1) : 0;

	if (!token || length > TOKEN_BYTES_MAX)
		ret[0] = '\0';
	else
		digest_sha256_hex(token, length, ret);
}

static bool judge(const struct token_index *t, const struct token_row *row,
		  int64_t now_ms, struct caller *ret, struct error *err)
{
	if (error_is_set(&t->why)) {
		error_set(err, ERR_INTERNAL, "the token index cannot be read");
		return error_cause(err, "%s", t->why.message);
	}
	if (!row)
		return error_set(err, ERR_PERMISSION_DENIED, "the token is not known");
	if (row->revoked_at)
		return error_set(err, ERR_PERMISSION_DENIED, "the token was revoked");
	if (row->expires_at && now_ms >= row->expires_at)
		return error_set(err, ERR_PERMISSION_DENIED, "the token has expired");
	*ret = row->caller;
	return true;
}

bool token_index_find(struct token_index *t, const char *token, int64_t now_ms,
		      struct caller *ret, struct error *err)
{
	char hash[DIGEST_HEX_BYTES];

	hash_token(token, hash);
	(void)pthread_rwlock_rdlock(&t->lock);
	look_again(t, TOKEN_LOOK_MS);
	const struct token_row *row = find(t, hash);
	/* A token that was just made shall work at once. */
	if (!row) {
		look_again(t, 0);
		row = find(t, hash);
	}
	const bool found = judge(t, row, now_ms, ret, err);
	(void)pthread_rwlock_unlock(&t->lock);
	return found;
}
