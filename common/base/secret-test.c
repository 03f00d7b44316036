#include "base/secret.h"

#include "base/file.h"
#include "base/testing.h"

static char folder[TESTING_PATH_BYTES];

static int set_up(void **state)
{
	(void)state;
	testing_folder(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testing_remove(folder);
	return 0;
}

static void test_new(void **state)
{
	_cleanup_(secret_freep) struct secret *s = secret_new("a\0b", 3);
	_cleanup_(secret_freep) struct secret *empty = secret_new(NULL, 0);
	_cleanup_free_ char *big = calloc(1, SECRET_MAX + 1);

	(void)state;
	assert_int_equal(secret_length(s), 3);
	assert_memory_equal(secret_bytes(s), "a\0b", 4);
	assert_int_equal(secret_length(empty), 0);
	assert_null(secret_new(big, SECRET_MAX + 1));
	_cleanup_(secret_freep) struct secret *most = secret_new(big, SECRET_MAX);
	assert_non_null(most);
	secret_free(NULL);
}

static void test_read(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "token");
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(path, "abc\n\n", 0600);
	_cleanup_(secret_freep) struct secret *whole = secret_read(path, false, &err);
	_cleanup_(secret_freep) struct secret *trimmed = secret_read(path, true, &err);
	assert_int_equal(secret_length(whole), 5);
	assert_int_equal(secret_length(trimmed), 4);
	assert_string_equal(secret_bytes(trimmed), "abc\n");
	testing_put(path, "x", 0400);
	_cleanup_(secret_freep) struct secret *read_only = secret_read(path, true, &err);
	assert_int_equal(secret_length(read_only), 1);
}

static void test_read_refused(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "refused");
	_cleanup_free_ char *none = file_join(folder, "none");
	_cleanup_free_ char *fifo = file_join(folder, "fifo");
	_cleanup_free_ char *big = calloc(1, SECRET_MAX + 2);
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(secret_read(none, true, &err));
	testing_error(&err, ERR_NOT_FOUND, none);
	assert_null(secret_read(folder, true, &err));
	testing_error(&err, ERR_INTERNAL, "no regular file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(secret_read(fifo, true, &err));
	testing_error(&err, ERR_INTERNAL, "no regular file");
	testing_put(path, "", 0600);
	assert_null(secret_read(path, true, &err));
	testing_error(&err, ERR_INTERNAL, "is empty");
	testing_put(path, "\n", 0600);
	assert_null(secret_read(path, true, &err));
	testing_error(&err, ERR_INTERNAL, "is empty");
	memset(big, 'x', SECRET_MAX + 1);
	testing_put(path, big, 0600);
	assert_null(secret_read(path, true, &err));
	testing_error(&err, ERR_INTERNAL, "longer than");
	big[SECRET_MAX] = '\0';
	testing_put(path, big, 0600);
	_cleanup_(secret_freep) struct secret *most = secret_read(path, true, &err);
	assert_int_equal(secret_length(most), SECRET_MAX);
}

/* Root's files may be readable by our group, nobody's by the world, none writable. */
static void test_privacy(void **state)
{
	static const mode_t never[] = { 0604, 0644, 0606, 0602, 0601,
					0620, 0610, 0660, 0666, 0777 };
	_cleanup_free_ char *path = file_join(folder, "mode");
	_cleanup_free_ char *link_path = file_join(folder, "mode-link");
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		testing_put(path, "x", never[i]);
		assert_null(secret_read(path, true, &err));
		assert_non_null(strstr(err.hint, "chmod 600"));
		testing_error(&err, ERR_INTERNAL, "others may read or write");
	}
	testing_put(path, "x", 0640);
	_cleanup_(secret_freep) struct secret *grouped = secret_read(path, true, &err);
	assert_int_equal(grouped != NULL, geteuid() == 0);
	error_clear(&err);
	assert_int_equal(symlink(path, link_path), 0);
	testing_put(path, "x", 0600);
	_cleanup_(secret_freep) struct secret *linked =
		secret_read(link_path, true, &err);
	assert_non_null(linked);
	testing_put(path, "x", 0604);
	assert_null(secret_read(link_path, true, &err));
	testing_error(&err, ERR_INTERNAL, "others may");
}

static void test_create(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "state.key");
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	_cleanup_(secret_freep) struct secret *made = secret_create(path, 32, &err);
	testing_no_error(&err);
	assert_int_equal(secret_length(made), 32);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	_cleanup_(secret_freep) struct secret *read = secret_read(path, false, &err);
	assert_memory_equal(secret_bytes(read), secret_bytes(made), 32);
	assert_null(secret_create(path, 32, &err));
	testing_error(&err, ERR_CONFLICT, "exists already");
	assert_null(secret_create(path, 0, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	assert_null(secret_create(path, SECRET_MAX + 1, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
}

static void test_keys(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "gate.key");
	_cleanup_free_ char *public_path = file_join(folder, "gate.pem");
	uint8_t signature[KEY_SIGNATURE_BYTES], again[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	_cleanup_(sign_key_freep) struct sign_key *made = sign_key_create(path, &err);
	testing_no_error(&err);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(sign_key_create(path, &err));
	testing_error(&err, ERR_CONFLICT, "exists already");
	_cleanup_(sign_key_freep) struct sign_key *read = sign_key_read(path, &err);
	assert_true(sign_key_write_public(made, public_path, &err));
	_cleanup_(verify_key_freep) struct verify_key *half =
		verify_key_read(public_path, &err);
	_cleanup_(verify_key_freep) struct verify_key *same = verify_key_of(read, &err);
	testing_no_error(&err);
	assert_int_equal(strlen(sign_key_kid(made)), 16);
	assert_string_equal(sign_key_kid(made), sign_key_kid(read));
	assert_string_equal(sign_key_kid(made), verify_key_kid(half));
	assert_string_equal(sign_key_kid(made), verify_key_kid(same));
	assert_true(sign_key_sign(made, "text", 4, signature, &err));
	assert_true(sign_key_sign(read, "text", 4, again, &err));
	assert_memory_equal(signature, again, sizeof again);
	assert_true(verify_key_check(half, "text", 4, signature));
	assert_true(verify_key_check(same, "text", 4, signature));
	assert_false(verify_key_check(half, "texT", 4, signature));
	assert_false(verify_key_check(half, "text", 3, signature));
	for (size_t i = 0; i < sizeof signature; i++) {
		signature[i] ^= 1;
		assert_false(verify_key_check(half, "text", 4, signature));
		signature[i] ^= 1;
	}
	assert_true(sign_key_sign(made, "", 0, signature, &err));
	assert_true(verify_key_check(half, "", 0, signature));
	sign_key_free(NULL);
	verify_key_free(NULL);
}

/* RFC 8032, section 7.1, test 3, its seed wrapped as PKCS#8. */
static void test_known_key(void **state)
{
	static const char pem[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
		"-----END PRIVATE KEY-----\n";
	_cleanup_free_ char *path = file_join(folder, "rfc.key");
	uint8_t signature[KEY_SIGNATURE_BYTES];
	char hex[2 * KEY_SIGNATURE_BYTES + 1];
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(path, pem, 0600);
	_cleanup_(sign_key_freep) struct sign_key *key = sign_key_read(path, &err);
	testing_no_error(&err);
	assert_string_equal(sign_key_kid(key), "dac073e0123bdea5");
	assert_true(sign_key_sign(key, "\xaf\x82", 2, signature, &err));
	digest_hex(signature, sizeof signature, hex);
	assert_string_equal(
		hex, "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
		     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

/* The forms that are read without OpenSSL, and what it takes beside them: the same keys. */
static void test_key_forms(void **state)
{
#define PRIVATE_BODY "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3"
#define PUBLIC_BODY  "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
	static const char *const private_forms[] = {
		"-----BEGIN PRIVATE KEY-----\n" PRIVATE_BODY
		"\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\r\n" PRIVATE_BODY
		"\r\n-----END PRIVATE KEY-----\r\n",
		"of the gate\n-----BEGIN PRIVATE KEY-----\n" PRIVATE_BODY
		"\n-----END PRIVATE KEY-----\n",
	};
	static const char *const public_forms[] = {
		"-----BEGIN PUBLIC KEY-----\n" PUBLIC_BODY "\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n" PUBLIC_BODY "\n-----END PUBLIC KEY-----",
		"\n-----BEGIN PUBLIC KEY-----\n" PUBLIC_BODY
		"\n-----END PUBLIC KEY-----\n",
	};
	_cleanup_free_ char *path = file_join(folder, "form.pem");
	struct error err = ERROR_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(private_forms); i++) {
		testing_put(path, private_forms[i], 0600);
		_cleanup_(sign_key_freep) struct sign_key *key =
			sign_key_read(path, &err);
		testing_no_error(&err);
		assert_string_equal(sign_key_kid(key), "dac073e0123bdea5");
		assert_true(sign_key_sign(key, "text", 4, signature, &err));
	}
	for (size_t i = 0; i < ARRAY_SIZE(public_forms); i++) {
		testing_put(path, public_forms[i], 0600);
		_cleanup_(verify_key_freep) struct verify_key *key =
			verify_key_read(path, &err);
		testing_no_error(&err);
		assert_string_equal(verify_key_kid(key), "dac073e0123bdea5");
		assert_true(verify_key_check(key, "text", 4, signature));
		assert_false(verify_key_check(key, "texT", 4, signature));
	}
}

/* Nearly a key: each is OpenSSL's to refuse. */
static void test_key_forms_refused(void **state)
{
	static const char *const bodies[] = {
		"",
		"MCowBQYDK2VuAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=", /* X25519 */
		"MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgA==", /* too short */
		"MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=AAAA",
		"MCowBQYDK2VwAyEA!FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
	};
	_cleanup_free_ char *path = file_join(folder, "nearly.pem");
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;
		strbuf_add_format(&pem,
				  "-----BEGIN PUBLIC KEY-----\n%s\n"
				  "-----END PUBLIC KEY-----\n",
				  bodies[i]);
		testing_put(path, pem.data, 0600);
		assert_null(verify_key_read(path, &err));
		testing_error(&err, ERR_INTERNAL, NULL);
		error_clear(&err);
	}
	testing_put(path,
		    "-----BEGIN PRIVATE KEY-----\n" PUBLIC_BODY
		    "\n-----END PRIVATE KEY-----\n",
		    0600);
	assert_null(sign_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no private key");
	/* A public key is none of a pair, whatever it calls itself. */
	testing_put(path,
		    "-----BEGIN PUBLIC KEY-----\n" PRIVATE_BODY
		    "\n-----END PUBLIC KEY-----\n",
		    0600);
	error_clear(&err);
	assert_null(verify_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no public key");
}

static void test_keys_refused(void **state)
{
	static const char rsa_like[] =
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	static const char x25519[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VuBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
		"-----END PRIVATE KEY-----\n";
	static const char encrypted[] =
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhLZ2m3J3iYqgICCAAw\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n";
	_cleanup_free_ char *path = file_join(folder, "bad.key");
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(path, rsa_like, 0600);
	assert_null(sign_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no private key");
	testing_put(path, encrypted, 0600);
	assert_null(sign_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no private key");
	testing_put(path, x25519, 0600);
	assert_null(sign_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no Ed25519 key");
	testing_put(path, x25519, 0644);
	assert_null(sign_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "others may");
	assert_null(verify_key_read(path, &err));
	testing_error(&err, ERR_INTERNAL, "no public key");
	assert_null(verify_key_read("/nonexistent/key.pem", &err));
	testing_error(&err, ERR_NOT_FOUND, "/nonexistent/key.pem");
}

static void test_seal(void **state)
{
	_cleanup_(secret_freep) struct secret *key =
		secret_new("0123456789abcdef0123456789abcdef", 32);
	_cleanup_(secret_freep) struct secret *other =
		secret_new("0123456789abcdef0123456789abcdeF", 32);
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT, second = STRBUF_INIT,
				       out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(secret_seal(key, "state", "hello", 5, &sealed, &err));
	assert_true(secret_seal(key, "state", "hello", 5, &second, &err));
	assert_int_equal(sealed.length, 12 + 5 + 16);
	assert_memory_not_equal(sealed.data, second.data, sealed.length);
	strbuf_add_string(&out, "kept ");
	assert_true(secret_open(key, "state", sealed.data, sealed.length, &out, &err));
	assert_string_equal(out.data, "kept hello");
	assert_false(secret_open(key, "State", sealed.data, sealed.length, &out, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "altered");
	assert_false(secret_open(other, "state", sealed.data, sealed.length, &out, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "altered");
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 1;
		assert_false(secret_open(key, "state", sealed.data, sealed.length, &out,
					 &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "altered");
		sealed.data[i] ^= 1;
		assert_false(secret_open(key, "state", sealed.data, i, &out, &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "altered");
	}
	assert_string_equal(out.data, "kept hello");
}

static void test_seal_edges(void **state)
{
	_cleanup_(secret_freep) struct secret *key =
		secret_new("0123456789abcdef0123456789abcdef", 32);
	_cleanup_(secret_freep) struct secret *brief = secret_new("0123456789abcdef", 16);
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT, out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(secret_seal(key, "", "", 0, &sealed, &err));
	assert_true(secret_open(key, "", sealed.data, sealed.length, &out, &err));
	assert_int_equal(out.length, 0);
	assert_false(secret_seal(brief, "", "x", 1, &sealed, &err));
	testing_error(&err, ERR_INTERNAL, "cannot seal");
	assert_false(secret_open(brief, "", sealed.data, sealed.length, &out, &err));
	testing_error(&err, ERR_INTERNAL, "cannot open");
}

/* Once derived with another implementation (hashlib.scrypt). */
static void test_scrypt(void **state)
{
	_cleanup_(secret_freep) struct secret *pin = secret_new("123456", 6);
	static const uint8_t salt[16] = "saltsaltsaltsalt";
	struct error err = ERROR_INIT;
	uint8_t key[32];
	char hex[65];

	(void)state;
	assert_true(secret_scrypt(pin, salt, key, &err));
	digest_hex(key, sizeof key, hex);
	assert_string_equal(
		hex, "148b45d9d28f4927d7cae2c9edd5ff63216aeb7ac4103f3e9a40e93fa7c9c331");
}

static void test_encrypted_key(void **state)
{
	char here[] = "/tmp/wingman-secret-XXXXXX", path[64], plain[64];
	_cleanup_(secret_freep) struct secret *right = secret_new("open sesame", 11);
	_cleanup_(secret_freep) struct secret *wrong = secret_new("open sesam", 10);
	struct error err = ERROR_INIT;

	(void)state;
	assert_non_null(mkdtemp(here));
	(void)snprintf(path, sizeof path, "%s/key", here);
	(void)snprintf(plain, sizeof plain, "%s/plain", here);
	_cleanup_(sign_key_freep) struct sign_key *made =
		sign_key_create_encrypted(path, right, &err);
	assert_non_null(made);
	/* Never over another. */
	assert_null(sign_key_create_encrypted(path, right, &err));
	error_clear(&err);
	_cleanup_(sign_key_freep) struct sign_key *read =
		sign_key_read_encrypted(path, right, &err);
	assert_non_null(read);
	assert_string_equal(sign_key_kid(read), sign_key_kid(made));
	assert_null(sign_key_read_encrypted(path, wrong, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	error_clear(&err);
	/* Nor is it read as a plain one, or a plain one as encrypted. */
	assert_null(sign_key_read(path, &err));
	error_clear(&err);
	_cleanup_(sign_key_freep) struct sign_key *bare = sign_key_create(plain, &err);
	assert_non_null(bare);
	assert_null(sign_key_read_encrypted(plain, right, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	(void)unlink(path);
	(void)unlink(plain);
	(void)rmdir(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_privacy),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_known_key),
		cmocka_unit_test(test_key_forms),
		cmocka_unit_test(test_key_forms_refused),
		cmocka_unit_test(test_keys_refused),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_seal_edges),
		cmocka_unit_test(test_scrypt),
		cmocka_unit_test(test_encrypted_key),
	};

	return cmocka_run_group_tests_name("secret", tests, set_up, tear_down);
}
