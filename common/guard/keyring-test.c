#include "guard/keyring.h"

#include <stdio.h>

#include "guard/testing_keys.h"

static enum keyring_answer ask(struct keyring *ring, const struct sign_key *key,
			       const char *kid)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;

	assert_true(sign_key_sign(key, "words", 5, signature, &err));
	return keyring_check(ring, kid, "words", 5, signature);
}

static void wait_for_next_look(void)
{
	(void)usleep((KEYRING_LOOK_MS + 50) * 1000);
}

static void test_answers(void **state)
{
	const struct keys *k = *state;

	assert_int_equal(keyring_count(k->ring), 1);
	assert_int_equal(ask(k->ring, k->gate, sign_key_kid(k->gate)), KEYRING_GOOD);
	assert_int_equal(ask(k->ring, k->stranger, sign_key_kid(k->stranger)),
			 KEYRING_UNKNOWN_KID);
	assert_int_equal(ask(k->ring, k->stranger, sign_key_kid(k->gate)),
			 KEYRING_BAD_SIGNATURE);
	assert_int_equal(ask(k->ring, k->gate, ""), KEYRING_UNKNOWN_KID);
	assert_int_equal(ask(k->ring, k->gate, "../gate"), KEYRING_UNKNOWN_KID);
}

static void test_what_is_no_key(void **state)
{
	const struct keys *k = *state;
	char path[3 * TESTING_PATH_BYTES];
	struct error err = ERROR_INIT;
	struct keyring *ring;

	/* A key under the name of another, a link to a key, other names, junk. */
	(void)snprintf(path, sizeof path, "%s/0123456789abcdef.pem", k->trusted);
	assert_true(sign_key_write_public(k->stranger, path, &err));
	assert_true(
		sign_key_write_public(k->stranger, keys_path(k, "outside.pem"), &err));
	(void)snprintf(path, sizeof path, "%s/%s.pem", k->trusted,
		       sign_key_kid(k->stranger));
	assert_int_equal(symlink(keys_path(k, "outside.pem"), path), 0);
	(void)snprintf(path, sizeof path, "%s/%s.pem.old", k->trusted,
		       sign_key_kid(k->stranger));
	assert_true(sign_key_write_public(k->stranger, path, &err));
	(void)snprintf(path, sizeof path, "%s/%s.PEM", k->trusted,
		       sign_key_kid(k->stranger));
	assert_true(sign_key_write_public(k->stranger, path, &err));
	(void)snprintf(path, sizeof path, "%s/ffffffffffffffff.pem", k->trusted);
	testing_put(path, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		    0600);
	(void)snprintf(path, sizeof path, "%s/eeeeeeeeeeeeeeee.pem", k->trusted);
	assert_int_equal(mkdir(path, 0700), 0);

	ring = keyring_open(k->trusted, &err);
	assert_non_null(ring);
	assert_int_equal(keyring_count(ring), 1);
	assert_int_equal(ask(ring, k->stranger, sign_key_kid(k->stranger)),
			 KEYRING_UNKNOWN_KID);
	assert_int_equal(ask(ring, k->stranger, "0123456789abcdef"), KEYRING_UNKNOWN_KID);
	keyring_free(ring);
}

static void test_file_that_all_may_write(void **state)
{
	const struct keys *k = *state;
	char path[2 * TESTING_PATH_BYTES];
	struct error err = ERROR_INIT;
	struct keyring *ring;

	(void)snprintf(path, sizeof path, "%s/%s.pem", k->trusted, sign_key_kid(k->gate));
	assert_int_equal(chmod(path, 0666), 0);
	ring = keyring_open(k->trusted, &err);
	assert_non_null(ring);
	assert_int_equal(keyring_count(ring), 0);
	keyring_free(ring);

	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(k->trusted, 0777), 0);
	assert_null(keyring_open(k->trusted, &err));
	testing_error(&err, ERR_INTERNAL, "written by everybody");
}

static void test_no_folder(void **state)
{
	const struct keys *k = *state;
	struct error err = ERROR_INIT;

	assert_null(keyring_open(keys_path(k, "nowhere"), &err));
	testing_error(&err, ERR_INTERNAL, "nowhere");
}

static void test_rotation(void **state)
{
	const struct keys *k = *state;
	char path[2 * TESTING_PATH_BYTES];

	/* The first unknown kid looks again at once, the second within a second not. */
	keys_trust(k, k->stranger);
	assert_int_equal(ask(k->ring, k->stranger, sign_key_kid(k->stranger)),
			 KEYRING_GOOD);
	(void)snprintf(path, sizeof path, "%s/%s.pem", k->trusted, sign_key_kid(k->gate));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ask(k->ring, k->gate, "0000000000000000"), KEYRING_UNKNOWN_KID);
	assert_int_equal(ask(k->ring, k->gate, sign_key_kid(k->gate)), KEYRING_GOOD);
	/* A key that was taken away stops counting, though its kid is known. */
	wait_for_next_look();
	assert_int_equal(ask(k->ring, k->gate, sign_key_kid(k->gate)),
			 KEYRING_UNKNOWN_KID);
	assert_int_equal(ask(k->ring, k->stranger, sign_key_kid(k->stranger)),
			 KEYRING_GOOD);
}

static void test_lost_folder_trusts_nobody(void **state)
{
	const struct keys *k = *state;

	assert_int_equal(rename(k->trusted, keys_path(k, "elsewhere")), 0);
	wait_for_next_look();
	assert_int_equal(ask(k->ring, k->gate, sign_key_kid(k->gate)),
			 KEYRING_UNKNOWN_KID);
	assert_int_equal(keyring_count(k->ring), 0);
	assert_int_equal(rename(keys_path(k, "elsewhere"), k->trusted), 0);
	wait_for_next_look();
	assert_int_equal(ask(k->ring, k->gate, sign_key_kid(k->gate)), KEYRING_GOOD);
}

static void test_many_keys(void **state)
{
	const struct keys *k = *state;
	struct error err = ERROR_INIT;
	struct keyring *ring;

	for (int i = 1; i <= KEYRING_MAX; i++) {
		struct sign_key *key = sign_key_create(keys_path(k, "one.key"), &err);
		assert_non_null(key);
		if (i == KEYRING_MAX) { /* with the gate's there are as many as may be */
			ring = keyring_open(k->trusted, &err);
			assert_non_null(ring);
			assert_int_equal(keyring_count(ring), KEYRING_MAX);
			keyring_free(ring);
		}
		keys_trust(k, key);
		sign_key_free(key);
		assert_int_equal(unlink(keys_path(k, "one.key")), 0);
	}
	assert_null(keyring_open(k->trusted, &err));
	testing_error(&err, ERR_INTERNAL, "more than 32 keys");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_set_up, keys_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_what_is_no_key),
		TEST(test_file_that_all_may_write),
		TEST(test_no_folder),
		TEST(test_rotation),
		TEST(test_lost_folder_trusts_nobody),
		TEST(test_many_keys),
	};

	return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
