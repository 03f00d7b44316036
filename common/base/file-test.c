#include "base/file.h"

#include <signal.h>
#include <sys/wait.h>

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

static void test_read(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "f");
	_cleanup_free_ char *none = file_join(folder, "none");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(path, "12345", 0600);
	strbuf_add_string(&sb, "before ");
	assert_false(file_read(path, 4, &sb, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than 4 bytes");
	assert_string_equal(sb.data, "before ");
	assert_true(file_read(path, 5, &sb, &err));
	assert_string_equal(sb.data, "before 12345");
	assert_false(file_read(none, 5, &sb, &err));
	testing_error(&err, ERR_NOT_FOUND, none);
	assert_false(file_read(folder, 5, &sb, &err));
	testing_error(&err, ERR_INTERNAL, folder);
	assert_string_equal(sb.data, "before 12345");
	testing_put(path, "", 0600);
	strbuf_clear(&sb);
	assert_true(file_read(path, 0, &sb, &err));
	assert_string_equal(sb.data, "");
	assert_true(file_read("/proc/self/status", 65536, &sb, &err));
	assert_true(sb.length > 100);
	assert_true(file_exists(path));
	assert_false(file_exists(none));
}

static void test_read_pipe(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	assert_true(file_read_fd(ends[0], 3, &sb, &err));
	assert_string_equal(sb.data, "abc");
	close(ends[0]);
	assert_false(file_read_fd(ends[0], 3, &sb, &err));
	testing_error(&err, ERR_INTERNAL, "read failed");
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_write(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "w");
	_cleanup_free_ char *lost = file_join(folder, "no/such/w");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(file_write(path, "one", 3, 0600, &err));
	assert_int_equal(mode_of(path), 0600);
	assert_true(file_write(path, "second", 6, 0644, &err));
	assert_int_equal(mode_of(path), 0644);
	assert_true(file_read(path, 100, &sb, &err));
	assert_string_equal(sb.data, "second");
	assert_false(file_write(lost, "x", 1, 0600, &err));
	testing_error(&err, ERR_INTERNAL, lost);
}

/* Whatever happens, no temporary file stays behind. */
static int count_new(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return strstr(path, ".new-") ? 1 : 0;
}

static void test_create(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "c");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(file_create(path, "first", 5, 0600, &err));
	assert_int_equal(mode_of(path), 0600);
	assert_false(file_create(path, "other", 5, 0600, &err));
	testing_error(&err, ERR_CONFLICT, "exists already");
	assert_true(file_read(path, 100, &sb, &err));
	assert_string_equal(sb.data, "first");
	_cleanup_free_ char *dir = file_join(folder, "is-a-folder");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_false(file_write(dir, "x", 1, 0600, &err));
	testing_error(&err, ERR_INTERNAL, "cannot rename");
	assert_int_equal(nftw(folder, count_new, 8, FTW_PHYS), 0);
}

static void test_make_dir(void **state)
{
	_cleanup_free_ char *deep = file_join(folder, "a/b//c/");
	_cleanup_free_ char *in_file = file_join(folder, "plain/x");
	_cleanup_free_ char *plain = file_join(folder, "plain");
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(file_make_dir(deep, 0700, &err));
	assert_true(file_make_dir(deep, 0700, &err));
	assert_int_equal(mode_of(deep), 0700);
	testing_put(plain, "", 0600);
	assert_false(file_make_dir(plain, 0700, &err));
	testing_error(&err, ERR_INTERNAL, "is no folder");
	assert_false(file_make_dir(in_file, 0700, &err));
	testing_error(&err, ERR_INTERNAL, "plain");
	assert_false(file_make_dir("", 0700, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "empty");
	assert_true(file_make_dir("/", 0700, &err));
}

static void test_join(void **state)
{
	static const char *const cases[][3] = {
		{ "/a", "b", "/a/b" },
		{ "/a/", "b", "/a/b" },
		{ "", "b", "b" },
		{ "/", "b", "/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = file_join(cases[i][0], cases[i][1]);
		assert_string_equal(path, cases[i][2]);
	}
}

static void test_lock(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "lock");
	struct error err = ERROR_INIT;
	int fd = -1, second = -7;
	char part[64];

	(void)state;
	assert_true(file_lock(path, &fd, &err));
	assert_false(file_lock(path, &second, &err));
	assert_int_equal(second, -7);
	(void)snprintf(part, sizeof part, "process %ld", (long)getpid());
	testing_error(&err, ERR_CONFLICT, part);
	close(fd);
	assert_true(file_lock(path, &fd, &err));
	close(fd);
	_cleanup_free_ char *link_path = file_join(folder, "lock-link");
	assert_int_equal(symlink(path, link_path), 0);
	assert_false(file_lock(link_path, &fd, &err));
	testing_error(&err, ERR_INTERNAL, "lock-link");
}

/* The lock of a process that was killed is free. */
static void test_lock_of_the_dead(void **state)
{
	_cleanup_free_ char *path = file_join(folder, "dead");
	struct error err = ERROR_INIT;
	int fd = -1, ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		bool locked = file_lock(path, &fd, &err);
		if (write(ready[1], locked ? "y" : "n", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_false(file_lock(path, &fd, &err));
	testing_error(&err, ERR_CONFLICT, "is held by process");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(file_lock(path, &fd, &err));
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),     cmocka_unit_test(test_read_pipe),
		cmocka_unit_test(test_write),    cmocka_unit_test(test_create),
		cmocka_unit_test(test_make_dir), cmocka_unit_test(test_join),
		cmocka_unit_test(test_lock),     cmocka_unit_test(test_lock_of_the_dead),
	};

	return cmocka_run_group_tests_name("file", tests, set_up, tear_down);
}
