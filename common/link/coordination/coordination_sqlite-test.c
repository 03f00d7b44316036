#include "link/coordination/coordination_contract.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/testing.h"

enum { STORE_MAX = 16 * 1024 * 1024 };

static char dir[TESTING_PATH_BYTES];
static char path[TESTING_PATH_BYTES + 32];
static int made;

static struct coordination *open_store(void)
{
	struct error err = ERROR_INIT;
	struct coordination *c = coord_open_sqlite(path, &err);

	if (!c)
		fail_msg("%s (%s)", err.message, err.cause);
	return c;
}

static struct coordination *fresh(void)
{
	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	return open_store();
}

const struct contract_twin contract_twin = { .fresh = fresh, .reopen = open_store };

static void test_private_and_exclusive(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = fresh();
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct error err = ERROR_INIT;

	(void)state;
	(void)c;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char name[sizeof path + 8];
		struct stat st;

		(void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_null(coord_open_sqlite(path, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

/* A child claims, says so, and is killed at once; the claim must still stand. */
static void test_claim_survives_kill(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		_cleanup_(coord_closep) struct coordination *c = fresh();
		struct error err = ERROR_INIT;
		bool first = true;
		int told[2], status;
		char byte = 0;
		pid_t pid;

		coord_close(TAKE(c));
		assert_int_equal(pipe(told), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			c = coord_open_sqlite(path, &err);
			if (c &&
			    coord_claim(c, "burn/x", "started", 60000, &first, NULL,
					&err) &&
			    first && write(told[1], "y", 1) == 1)
				pause();
			_exit(1);
		}
		close(told[1]);
		assert_int_equal(read(told[0], &byte, 1), 1);
		close(told[0]);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		c = open_store();
		assert_true(coord_claim(c, "burn/x", "again", 60000, &first, NULL, &err));
		assert_false(first);
	}
}

/* As if the clock had been ahead when the store was last used. */
static int set_time(int ahead_ms)
{
	char sql[120];
	sqlite3 *db = NULL;
	int rc;

	(void)snprintf(sql, sizeof sql,
		       "UPDATE state SET value = %lld WHERE name = 'now_ms'",
		       (long long)clock_wall_ms() + ahead_ms);
	rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	return rc;
}

static const char *full_value(void)
{
	static char text[64 * 1024 + 1];

	memset(text, 'x', sizeof text - 1);
	return text;
}

/* Files may not grow past a limit: writes fail, nothing half stands, and when
 * there is room again the store goes on. */
static void test_disk_full(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = fresh();
	struct rlimit before, small = { .rlim_cur = 1024 * 1024 };
	struct error err = ERROR_INIT;
	_cleanup_free_ char *value = NULL;
	char key[32] = "";
	bool first = false;
	int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 200; i++) {
		(void)snprintf(key, sizeof key, "fill/%d", i);
		if (!coord_claim(c, key, full_value(), 0, &first, NULL, &err))
			break;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(i > 1 && i < 200);
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, path));

	assert_true(coord_get(c, key, &value, &err));
	assert_null(value);
	error_clear(&err);
	assert_true(coord_claim(c, key, "there is room again", 0, &first, NULL, &err));
	assert_true(first);
	coord_close(TAKE(c));
	c = open_store();
	assert_true(coord_claim(c, "fill/0", "", 0, &first, NULL, &err));
	assert_false(first);
}

static void test_foreign_files(void **state)
{
	struct error err = ERROR_INIT;
	static const char junk[] =
		"this is no database, whatever its name may say; "
		"it is long enough to have a header of its own, is it not? "
		"0123456789012345678901234567890123456789";
	char link[sizeof path];
	int fd;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/junk.db", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0 && write(fd, junk, sizeof junk) == (ssize_t)sizeof junk);
	close(fd);
	assert_null(coord_open_sqlite(path, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);

	error_clear(&err);
	(void)snprintf(link, sizeof link, "%s/link.db", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_null(coord_open_sqlite(link, &err));
	assert_true(error_is_set(&err));

	error_clear(&err);
	(void)snprintf(path, sizeof path, "%s/no/such/folder.db", dir);
	assert_null(coord_open_sqlite(path, &err));
	assert_true(error_is_set(&err));
}

/* The store's time never goes back; far behind it, the store says what is wrong. */
static void test_clock_set_back(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = fresh();
	struct error err = ERROR_INIT;
	int64_t before = 0, now = 0;

	(void)state;
	coord_close(TAKE(c));
	assert_int_equal(set_time(60 * 1000), 0);
	c = open_store();
	assert_true(coord_epoch_ms(c, &before, &err));
	assert_true(coord_now_ms(c, &now, &err));
	assert_true(now >= before && before > clock_wall_ms() + 50 * 1000);
	coord_close(TAKE(c));
	assert_int_equal(set_time(2 * 60 * 60 * 1000), 0);
	assert_null(coord_open_sqlite(path, &err));
	assert_int_equal(err.code, ERR_PRECONDITION_FAILED);
	assert_non_null(strstr(err.message, "clock"));
}

static int64_t remembers(struct coordination *c)
{
	struct error err = ERROR_INIT;
	int64_t since = 0;

	assert_true(coord_remembers_ms(c, &since, &err));
	return since;
}

/* It keeps what it had over a restart; another file in its place may be of any age. */
static void test_remembers_as_long_as_it_is_this_file(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = fresh();
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	char old[sizeof path + 8];
	struct error err = ERROR_INIT;
	int64_t began = remembers(c), epoch = 0;

	(void)state;
	coord_close(TAKE(c));
	c = open_store();
	assert_true(coord_epoch_ms(c, &epoch, &err));
	assert_int_equal(remembers(c), began);
	assert_true(epoch > began);
	coord_close(TAKE(c));

	(void)snprintf(old, sizeof old, "%s.old", path);
	assert_int_equal(rename(path, old), 0);
	assert_true(file_read(old, STORE_MAX, &bytes, &err));
	assert_true(file_write(path, bytes.data, bytes.length, 0600, &err));
	c = open_store();
	assert_true(coord_epoch_ms(c, &epoch, &err));
	assert_int_equal(remembers(c), epoch);
	coord_close(TAKE(c));
	c = open_store();
	assert_int_equal(remembers(c), epoch);
}

static int make_dir(void **state)
{
	(void)state;
	testing_folder(dir);
	/* The store's own modes, not the umask's. */
	(void)umask(0);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	testing_remove(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		COORD_CONTRACT_TESTS,
		cmocka_unit_test(test_private_and_exclusive),
		cmocka_unit_test(test_claim_survives_kill),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_remembers_as_long_as_it_is_this_file),
	};

	return cmocka_run_group_tests_name("coordination_sqlite", tests, make_dir,
					   remove_dir);
}
