/* The launcher starts what was named, hands its end over, and ends what it started. */
#include "assistant/host/launcher.h"

#include <poll.h>
#include <sys/socket.h>

#include "base/testing.h"

enum { PATIENCE_MS = 20 * 1000 };

struct fixture {
	char folder[TESTING_PATH_BYTES];
	char worker[TESTING_PATH_BYTES + 16], egress[TESTING_PATH_BYTES + 16];
	struct assistant_settings settings;
	struct launcher *launcher;
};

/* What comes in at descriptor 3 goes out there, until it closes. */
static const char echo[] = "#!/bin/sh\nexec cat <&3 >&3\n";
/* Says its arguments and what of the environment it has. */
static const char tell[] =
	"#!/bin/sh\necho \"$1 ${SECRET_OF_OURS-unset} $MODEL_KEY\" >&3\n"
	"exec cat <&3 >&3\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;

	testing_folder(f->folder);
	(void)snprintf(f->worker, sizeof f->worker, "%s/worker", f->folder);
	(void)snprintf(f->egress, sizeof f->egress, "%s/egress", f->folder);
	testing_put(f->worker, echo, 0700);
	testing_put(f->egress, tell, 0700);
	assert_int_equal(setenv("SECRET_OF_OURS", "leaked", 1), 0);
	assert_int_equal(setenv("MODEL_KEY", "k1", 1), 0);
	(void)snprintf(f->settings.key.from, sizeof f->settings.key.from,
		       "env:MODEL_KEY");
	const struct host_options o = { .settings = &f->settings,
					.worker = f->worker,
					.egress = f->egress,
					.dir = f->folder };
	f->launcher = launcher_new(&o, &err);
	testing_no_error(&err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	launcher_free(f->launcher);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static ssize_t read_some(int fd, char *to, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return read(fd, to, size);
}

static void test_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	char text[64] = "";
	pid_t pid;
	int fd;

	assert_true(launcher_begin(f->launcher, LAUNCHER_WORKER, &fd, &pid, &err));
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(read_some(fd, text, sizeof text), 5);
	assert_string_equal(text, "hello");
	launcher_end(f->launcher, pid);
	/* Its end closes with it. */
	assert_int_equal(read_some(fd, text, sizeof text), 0);
	(void)close(fd);
}

static void test_the_egress_gets_what_it_needs(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	char text[64] = "";
	pid_t pid;
	int fd;

	assert_true(launcher_begin(f->launcher, LAUNCHER_EGRESS, &fd, &pid, &err));
	assert_true(read_some(fd, text, sizeof text - 1) > 0);
	assert_string_equal(text, "--dir unset k1\n");
	(void)close(fd);
}

static void test_so_many(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	int fds[LAUNCHER_CHILDREN_MAX], fd;
	pid_t pids[LAUNCHER_CHILDREN_MAX], pid;

	for (int i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		assert_true(launcher_begin(f->launcher, LAUNCHER_WORKER, &fds[i],
					   &pids[i], &err));
	assert_false(launcher_begin(f->launcher, LAUNCHER_WORKER, &fd, &pid, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, NULL);
	launcher_end(f->launcher, pids[0]);
	assert_true(launcher_begin(f->launcher, LAUNCHER_WORKER, &fd, &pid, &err));
	(void)close(fd);
	for (int i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		(void)close(fds[i]);
}

/* It ends nobody whom it did not start. */
static void test_others_live(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	char text[8];
	pid_t pid;
	int fd;

	launcher_end(f->launcher, getpid());
	launcher_end(f->launcher, -1);
	launcher_end(f->launcher, 0);
	assert_true(launcher_begin(f->launcher, LAUNCHER_WORKER, &fd, &pid, &err));
	launcher_free(f->launcher);
	/* With it goes what it started. */
	assert_int_equal(read_some(fd, text, sizeof text), 0);
	(void)close(fd);
	f->launcher = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_egress_gets_what_it_needs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_so_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_live, setup, teardown),
	};

	return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
