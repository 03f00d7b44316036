#include "link/documents/documents_contract.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing.h"

static char dir[TESTING_PATH_BYTES];
static char path[TESTING_PATH_BYTES + 32];
static int made;

static struct documents *open_store(void)
{
	struct error err = ERROR_INIT;
	struct documents *d = documents_open_sqlite(path, &err);

	if (!d)
		fail_msg("%s (%s)", err.message, err.cause);
	return d;
}

static struct documents *fresh(void)
{
	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	return open_store();
}

const struct contract_twin contract_twin = { .fresh = fresh, .reopen = open_store };

static void test_exclusive(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	(void)d;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(documents_open_sqlite(path, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

static void test_put_survives_kill(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	struct error err = ERROR_INIT;
	int told[2], status;
	bool found = false;
	char byte = 0;
	pid_t pid;

	(void)state;
	documents_close(TAKE(d));
	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		json_t *body = json_pack("{s:s}", "state", "started");
		int64_t revision = 0;

		d = documents_open_sqlite(path, &err);
		if (d &&
		    documents_put(d, "c", "a", body, DOCUMENT_NEW, &revision, &err) &&
		    write(told[1], "y", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	d = open_store();
	assert_true(documents_get(d, "c", "a", &doc, &found, &err));
	assert_true(found);
	assert_string_equal(json_get_string(doc.body, "state"), "started");
}

/* A document that does not fit fails alone: the old revision stands, and smaller
 * ones beside it go on. */
static void test_disk_full(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	_cleanup_free_ char *text = calloc(1, 3 * 1024 * 1024 + 1);
	struct rlimit before, small = { .rlim_cur = 2 * 1024 * 1024 };
	json_auto_t *old = json_pack("{s:s}", "v", "old"), *big = NULL;
	struct error err = ERROR_INIT;
	int64_t revision = 0;
	bool found = false;

	(void)state;
	memset(text, 'x', 3 * 1024 * 1024);
	big = json_pack("{s:s}", "v", text);
	assert_true(documents_put(d, "c", "a", old, DOCUMENT_NEW, &revision, &err));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_false(documents_put(d, "c", "a", big, 1, &revision, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	error_clear(&err);
	assert_true(documents_put(d, "c", "b", old, DOCUMENT_NEW, &revision, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(documents_get(d, "c", "a", &doc, &found, &err));
	assert_true(found);
	assert_int_equal(doc.revision, 1);
	assert_string_equal(json_get_string(doc.body, "v"), "old");
	assert_true(documents_put(d, "c", "a", big, 1, &revision, &err));
	assert_int_equal(revision, 2);
}

static int make_dir(void **state)
{
	(void)state;
	testing_folder(dir);
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
		DOCUMENTS_CONTRACT_TESTS,
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_put_survives_kill),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests_name("documents_sqlite", tests, make_dir,
					   remove_dir);
}
