#include "base/statedir.h"

#include "base/file.h"
#include "base/secret.h"
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

static void assert_root(const char *option, const char *want)
{
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *d = statedir_new(option, &err);

	testing_no_error(&err);
	assert_string_equal(statedir_root(d), want);
}

/* The option wins over the variable, which wins over the defaults. */
static void test_which(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	setenv("HOME", "/home/x", 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("WINGMAN_DIR");
	assert_root(NULL, "/home/x/.local/state/wingman");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_root(NULL, "/home/x/.local/state/wingman");
	setenv("XDG_STATE_HOME", "/state", 1);
	assert_root(NULL, "/state/wingman");
	setenv("WINGMAN_DIR", "/by/variable", 1);
	assert_root(NULL, "/by/variable");
	assert_root("/by/option///", "/by/option");
	assert_root("/", "/");
	setenv("WINGMAN_DIR", "", 1);
	assert_root(NULL, "/state/wingman");
	assert_null(statedir_new("", &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "empty");
	statedir_free(NULL);
}

static void test_relative(void **state)
{
	_cleanup_free_ char *here = getcwd(NULL, 0);
	_cleanup_free_ char *want = file_join(here, "sub/dir");

	(void)state;
	assert_root("sub/dir", want);
	setenv("WINGMAN_DIR", "sub/dir/", 1);
	assert_root(NULL, want);
	unsetenv("WINGMAN_DIR");
}

static void test_path(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *d = statedir_new("/dir", &err);
	_cleanup_free_ char *path = statedir_path(d, "keys/trusted/%s.pem", "abc");

	(void)state;
	assert_string_equal(path, "/dir/keys/trusted/abc.pem");
}

static void assert_file(const char *name, const char *want)
{
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *d = statedir_new("/dir", &err);
	_cleanup_free_ char *path = statedir_file(d, name);

	assert_string_equal(path, want);
}

/* What a configuration names; credentials only as systemd passes them. */
static void test_file(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_file("tokens/x", "/dir/tokens/x");
	assert_file("/etc/x", "/etc/x");
	assert_file("credential:x", "/dir/credential:x");
	setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	assert_file("credential:x", "/dir/credential:x");
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/u", 1);
	assert_file("credential:x", "/run/credentials/u/x");
	assert_file("credential:../x", "/dir/credential:../x");
	assert_file("credential:a/b", "/dir/credential:a/b");
	assert_file("tokens/x", "/dir/tokens/x");
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* A credential that nobody passed is no file of the folder, whatever lies there. */
static void test_secret(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *d = statedir_new(folder, &err);
	_cleanup_free_ char *plain = file_join(folder, "one");
	_cleanup_free_ char *trap = file_join(folder, "credential:one");
	struct secret *s;

	(void)state;
	testing_put(plain, "of a file\n", 0600);
	testing_put(trap, "not this one\n", 0600);
	unsetenv("CREDENTIALS_DIRECTORY");
	s = statedir_secret(d, "one", &err);
	assert_memory_equal(secret_bytes(s), "of a file", 9);
	assert_int_equal(secret_length(s), 9);
	secret_free(s);
	assert_null(statedir_secret(d, "credential:one", &err));
	testing_error(&err, ERR_INTERNAL,
		      "systemd gave no credentials, 'credential:one'");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_string_equal(statedir_credentials(), folder);
	s = statedir_secret(d, "credential:one", &err);
	assert_int_equal(secret_length(s), 9);
	secret_free(s);
	assert_null(statedir_secret(d, "credential:two", &err));
	testing_error(&err, ERR_NOT_FOUND, "two");
	assert_null(statedir_secret(d, "credential:x/../one", &err));
	testing_error(&err, ERR_NOT_FOUND, "x/../one");
	assert_int_equal(chmod(plain, 0604), 0);
	assert_null(statedir_secret(d, "one", &err));
	testing_error(&err, ERR_INTERNAL, "one");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(statedir_credentials());
	assert_true(statedir_is_credential("credential:x"));
	assert_false(statedir_is_credential("tokens/credential:x"));
}

static void test_require(void **state)
{
	static const struct {
		const char *name, *says;
	} rows[] = { { "nothing", "no such folder" }, { "one", "no folder" } };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = file_join(folder, rows[i].name);
		_cleanup_(statedir_freep) struct statedir *d = statedir_new(path, &err);

		assert_false(statedir_require(d, &err));
		assert_non_null(strstr(err.hint, "--dir"));
		testing_error(&err, ERR_NOT_FOUND, rows[i].says);
	}
	_cleanup_(statedir_freep) struct statedir *d = statedir_new(folder, &err);
	assert_true(statedir_require(d, &err));
}

static void test_create(void **state)
{
	static const char *const folders[] = { ".",      "keys",    "keys/trusted",
					       "tokens", "callers", "config",
					       "audit",  "run" };
	_cleanup_free_ char *root = file_join(folder, "new/suite");
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *d = statedir_new(root, &err);
	struct stat st;

	(void)state;
	assert_true(statedir_create(d, &err));
	assert_true(statedir_create(d, &err));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = statedir_path(d, "%s", folders[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	_cleanup_free_ char *keys = statedir_path(d, "keys");
	assert_int_equal(chmod(keys, 0770), 0);
	assert_false(statedir_create(d, &err));
	testing_error(&err, ERR_INTERNAL, "can be written by others");
	assert_int_equal(chmod(keys, 0755), 0);
	assert_true(statedir_create(d, &err));
}

static void test_create_failed(void **state)
{
	_cleanup_free_ char *plain = file_join(folder, "plain");
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(plain, "", 0600);
	_cleanup_(statedir_freep) struct statedir *d = statedir_new(plain, &err);
	assert_false(statedir_create(d, &err));
	testing_error(&err, ERR_INTERNAL, "no folder");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),   cmocka_unit_test(test_relative),
		cmocka_unit_test(test_path),    cmocka_unit_test(test_create),
		cmocka_unit_test(test_file),    cmocka_unit_test(test_secret),
		cmocka_unit_test(test_require), cmocka_unit_test(test_create_failed),
	};

	return cmocka_run_group_tests_name("statedir", tests, set_up, tear_down);
}
