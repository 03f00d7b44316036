/*
 * testing_keys -- for unit tests of guard: a folder with keys that are trusted and
 * one that is not.
 */
#ifndef GUARD_TESTING_KEYS_H
#define GUARD_TESTING_KEYS_H

#include "base/testing.h"
#include "guard/envelope.h"

struct keys {
	char folder[TESTING_PATH_BYTES];
	char trusted[TESTING_PATH_BYTES + 16]; /* keys/trusted */
	struct sign_key *gate;                 /* trusted */
	struct sign_key *stranger;             /* not */
	struct keyring *ring;
};

/* "<folder>/<name>", valid until the next call. */
static inline const char *keys_path(const struct keys *k, const char *name)
{
	static char path[2 * TESTING_PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s/%s", k->folder, name);
	return path;
}

static inline void keys_trust(const struct keys *k, const struct sign_key *key)
{
	char path[2 * TESTING_PATH_BYTES];
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/%s.pem", k->trusted, sign_key_kid(key));
	assert_true(sign_key_write_public(key, path, &err));
}

static inline int keys_set_up(void **state)
{
	struct keys *k = calloc(1, sizeof *k);
	struct error err = ERROR_INIT;

	assert_non_null(k);
	testing_folder(k->folder);
	(void)snprintf(k->trusted, sizeof k->trusted, "%s/trusted", k->folder);
	assert_int_equal(mkdir(k->trusted, 0700), 0);
	k->gate = sign_key_create(keys_path(k, "gate.key"), &err);
	k->stranger = sign_key_create(keys_path(k, "stranger.key"), &err);
	assert_true(k->gate && k->stranger);
	keys_trust(k, k->gate);
	k->ring = keyring_open(k->trusted, &err);
	assert_non_null(k->ring);
	*state = k;
	return 0;
}

static inline int keys_tear_down(void **state)
{
	struct keys *k = *state;

	keyring_free(k->ring);
	sign_key_free(k->gate);
	sign_key_free(k->stranger);
	testing_remove(k->folder);
	free(k);
	return 0;
}

#endif
