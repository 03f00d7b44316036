#include "base/statedir.h"

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
		cmocka_unit_test(test_which), cmocka_unit_test(test_relative),
		cmocka_unit_test(test_path),  cmocka_unit_test(test_create),
		cmocka_unit_test(test_file),  cmocka_unit_test(test_create_failed),
	};

	return cmocka_run_group_tests_name("statedir", tests, set_up, tear_down);
}
