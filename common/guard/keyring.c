#include "guard/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"

struct keyring {
	char *dir;
	pthread_rwlock_t lock; /* over all below */
	int64_t looked_ms;
	struct timespec changed; /* the folder's mtime when it was read */
	size_t count;
	struct verify_key *keys[KEYRING_MAX];
};

static void drop_keys(struct keyring *k)
{
	for (size_t i = 0; i < k->count; i++)
		verify_key_free(k->keys[i]);
	k->count = 0;
}

static bool is_key_name(const char *name)
{
	const size_t digits = KEY_KID_BYTES - 1;

	return strspn(name, "0123456789abcdef") == digits &&
	       strcmp(name + digits, ".pem") == 0;
}

/* NULL for what is no key of that name; 'err' is set only when memory ran out. */
static struct verify_key *read_key(const char *dir, int dir_fd, const char *name,
				   struct error *err)
{
	_cleanup_(verify_key_freep) struct verify_key *key = NULL;
	struct error ignored = ERROR_INIT;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_mode & S_IWOTH)
		return NULL;
	_cleanup_free_ char *path = file_join(dir, name);
	if (!path) {
		error_oom(err);
		return NULL;
	}
	key = verify_key_read(path, &ignored);
	/* The kid is the digest of the key, so a file cannot pose as another. */
	if (!key || strncmp(verify_key_kid(key), name, KEY_KID_BYTES - 1) != 0)
		return NULL;
	return TAKE(key);
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static bool read_dir(struct keyring *k, DIR *d, struct error *err)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(d))) {
		if (!is_key_name(entry->d_name))
			continue;
		struct verify_key *key = read_key(k->dir, dirfd(d), entry->d_name, err);
		if (error_is_set(err))
			return false;
		if (!key)
			continue;
		if (k->count == KEYRING_MAX) {
			verify_key_free(key);
			return error_set(err, ERR_INTERNAL,
					 "folder '%s' holds more than %d keys", k->dir,
					 KEYRING_MAX);
		}
		k->keys[k->count++] = key;
	}
	if (errno != 0)
		return error_errno(err, "cannot read folder '%s'", k->dir);
	return true;
}

/* With the lock held for writing. On failure no key is left. */
static bool load(struct keyring *k, struct error *err)
{
	_cleanup_(close_dir) DIR *d = opendir(k->dir);
	struct stat st;

	drop_keys(k);
	k->changed = (struct timespec){ 0 };
	if (!d || fstat(dirfd(d), &st) != 0)
		return error_errno(err, "cannot open folder '%s'", k->dir);
	if (st.st_mode & S_IWOTH)
		return error_set(err, ERR_INTERNAL,
				 "folder '%s' can be written by everybody: its keys "
				 "count for nothing",
				 k->dir);
	if (!read_dir(k, d, err)) {
		drop_keys(k);
		return false;
	}
	/* Two changes may share a tick of the clock: what is fresh is read once more. */
	if (clock_wall_ms() / 1000 > st.st_mtim.tv_sec + 1)
		k->changed = st.st_mtim;
	return true;
}

struct keyring *keyring_open(const char *dir, struct error *err)
{
	struct keyring *k = calloc(1, sizeof *k);

	if (!k || !(k->dir = strdup(dir))) {
		free(k);
		error_oom(err);
		return NULL;
	}
	(void)pthread_rwlock_init(&k->lock, NULL);
	/* The first unknown kid may look again at once: a key may be written while we start. */
	k->looked_ms = clock_mono_ms() - KEYRING_LOOK_MS;
	if (!load(k, err)) {
		keyring_free(k);
		return NULL;
	}
	return k;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	drop_keys(k);
	(void)pthread_rwlock_destroy(&k->lock);
	free(k->dir);
	free(k);
}

size_t keyring_count(struct keyring *k)
{
	(void)pthread_rwlock_rdlock(&k->lock);
	size_t count = k->count;
	(void)pthread_rwlock_unlock(&k->lock);
	return count;
}

static bool has_changed(const struct keyring *k)
{
	struct stat st;

	return stat(k->dir, &st) != 0 || st.st_mtim.tv_sec != k->changed.tv_sec ||
	       st.st_mtim.tv_nsec != k->changed.tv_nsec;
}

static const struct verify_key *find(const struct keyring *k, const char *kid)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(verify_key_kid(k->keys[i]), kid) == 0)
			return k->keys[i];
	return NULL;
}

/* With the lock held for reading, which it still is afterwards. */
static void look_again(struct keyring *k, const char *kid)
{
	struct error ignored = ERROR_INIT;
	const int64_t now_ms = clock_mono_ms();

	if (now_ms - k->looked_ms < KEYRING_LOOK_MS)
		return;
	(void)pthread_rwlock_unlock(&k->lock);
	(void)pthread_rwlock_wrlock(&k->lock);
	/* Another thread may have been here while nobody held the lock. */
	if (now_ms - k->looked_ms >= KEYRING_LOOK_MS) {
		k->looked_ms = now_ms;
		if (has_changed(k) || !find(k, kid))
			(void)load(k, &ignored);
	}
	(void)pthread_rwlock_unlock(&k->lock);
	(void)pthread_rwlock_rdlock(&k->lock);
}

enum keyring_answer keyring_check(struct keyring *k, const char *kid, const void *data,
				  size_t length,
				  const uint8_t signature[static KEY_SIGNATURE_BYTES])
{
	enum keyring_answer answer = KEYRING_UNKNOWN_KID;

	(void)pthread_rwlock_rdlock(&k->lock);
	look_again(k, kid);
	const struct verify_key *key = find(k, kid);
	if (key)
		answer = verify_key_check(key, data, length, signature)
				 ? KEYRING_GOOD
				 : KEYRING_BAD_SIGNATURE;
	(void)pthread_rwlock_unlock(&k->lock);
	return answer;
}
