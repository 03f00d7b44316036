/* Children are /bin/sh; each leaves traces in files of a folder made for the test. */
#include "proc/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/testing.h"

enum { WAIT_MS = 5000 };

struct probe {
	char folder[40];
	char log[80];
	struct loop *loop;
	struct supervisor *supervisor;
	unsigned ended, restarted, killed;
	unsigned stop_after; /* restarts */
	int status;
	char ended_names[200];
	int64_t at_ms[32]; /* of restarts */
};

static void on_event(void *context, const char *name, const char *what, int status)
{
	struct probe *p = context;

	if (strcmp(what, "restarted") == 0) {
		p->at_ms[p->restarted++ % 32] = clock_mono_ms();
		if (p->restarted == p->stop_after)
			loop_stop(p->loop);
	} else if (strcmp(what, "ended") == 0) {
		size_t used = strlen(p->ended_names);
		p->ended++;
		p->status = status;
		(void)snprintf(p->ended_names + used, sizeof p->ended_names - used, "%s ",
			       name);
	} else if (strcmp(what, "killed") == 0) {
		p->killed++;
	}
}

static int begin(void **state)
{
	struct probe *p = calloc(1, sizeof *p);
	struct error err = ERROR_INIT;

	(void)snprintf(p->folder, sizeof p->folder, "/tmp/supervise-test-XXXXXX");
	*state = p;
	if (!mkdtemp(p->folder))
		return -1;
	(void)snprintf(p->log, sizeof p->log, "%s/log", p->folder);
	p->loop = loop_new(&err);
	p->supervisor = supervisor_new(p->loop, on_event, p, &err);
	return p->loop && p->supervisor ? 0 : -1;
}

static int end(void **state)
{
	struct probe *p = *state;

	supervisor_free(p->supervisor);
	loop_free(p->loop);
	testing_remove(p->folder);
	free(p);
	return 0;
}

/* The script sees the folder as $0. */
static bool start(struct probe *p, const char *name, const char *script,
		  bool (*ready)(void *), int64_t wait_ms, struct error *err)
{
	static const char *argv[SUPERVISE_CHILDREN_MAX * 2][5];
	static unsigned used;
	const char **a = argv[used++ % ARRAY_SIZE(argv)];

	a[0] = "/bin/sh";
	a[1] = "-c";
	a[2] = script;
	a[3] = p->folder;
	struct supervise_child c = {
		.name = name, .argv = a, .log_path = p->log, .ready = ready, .context = p
	};
	return supervisor_start(p->supervisor, &c, wait_ms, err);
}

static bool has_file(const struct probe *p, const char *name)
{
	char path[120];

	(void)snprintf(path, sizeof path, "%s/%s", p->folder, name);
	return access(path, F_OK) == 0;
}

static bool is_up(void *context)
{
	return has_file(context, "up");
}

static void give_up(void *context)
{
	loop_stop(context);
}

static void run(struct probe *p, int64_t ms)
{
	struct error err = ERROR_INIT;
	struct loop_source *s =
		loop_add_timer(p->loop, ms, false, give_up, p->loop, &err);
	int64_t start_ms = clock_mono_ms();

	assert_true(loop_run(p->loop, &err));
	if (clock_mono_ms() - start_ms < ms)
		loop_remove(s);
}

static void read_text(const struct probe *p, const char *name, struct strbuf *text)
{
	struct error err = ERROR_INIT;
	char path[120];

	(void)snprintf(path, sizeof path, "%s/%s", p->folder, name);
	assert_true(file_read(path, 4096, text, &err));
}

static void start_waits_until_ready(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	assert_true(start(p, "a", "sleep 0.1; : >$0/up; exec sleep 60", is_up, WAIT_MS,
			  &err));
	assert_true(has_file(p, "up"));
	assert_true(supervisor_pid(p->supervisor, "a") > 0);
	assert_int_equal(supervisor_pid(p->supervisor, "b"), 0);
}

static void early_end_tells_the_end_of_the_log(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	assert_true(start(p, "old", "echo of another child; : >$0/said; exec sleep 60",
			  NULL, 0, &err));
	while (!has_file(p, "said"))
		(void)usleep(1000);
	assert_false(start(p, "a", "echo one; printf 'a: two\\tthree\\n' >&2; exit 3",
			   is_up, WAIT_MS, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.message, "a ended before it was ready: two three");
	assert_non_null(strstr(err.hint, p->log));
	assert_int_equal(supervisor_pid(p->supervisor, "a"), 0);
	run(p, 400);
	assert_int_equal(p->restarted,
			 0); /* one that never was ready is not started again */
}

/* What came to nothing is not what a program says while it leaves. */
static void early_end_tells_the_last_complaint(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	assert_false(start(
		p, "a",
		"printf '%s\\n' "
		"'{\"level\":\"warn\",\"message\":\"no\\tkey\",\"hint\":\"make one\"}' "
		"'{\"level\":\"error\"}' '{\"level\":\"info\",\"message\":\"leaving\"}'; "
		"exit 3",
		is_up, WAIT_MS, &err));
	assert_string_equal(err.message, "a ended before it was ready: no key");
	assert_string_equal(err.hint, "make one");
}

static void never_ready_is_a_timeout_and_killed(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;
	int64_t start_ms = clock_mono_ms();

	assert_false(start(p, "a", "echo $$ >$0/pid; exec sleep 60", is_up, 200, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start_ms, 200, 3000);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	read_text(p, "pid", &text);
	assert_int_equal(kill((pid_t)strtol(text.data, NULL, 10), 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void program_that_is_not_there_is_told(void **state)
{
	static const char *const argv[] = { "/nonexistent/program", NULL };
	struct probe *p = *state;
	struct supervise_child c = { .name = "a", .argv = argv, .log_path = p->log };
	struct error err = ERROR_INIT;

	assert_false(supervisor_start(p->supervisor, &c, 0, &err));
	assert_non_null(strstr(err.message, "/nonexistent/program"));
	assert_non_null(strstr(err.message, "No such file"));
}

static void fallen_children_return_ever_more_slowly(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;
	int64_t start_ms = clock_mono_ms();

	p->stop_after = 3;
	assert_true(start(p, "a", "exit 3", NULL, 0, &err));
	run(p, 10000);
	assert_int_equal(p->restarted, 3);
	assert_int_equal(WEXITSTATUS(p->status), 3);
	assert_in_range(p->at_ms[0] - start_ms, 200, 1500);
	assert_in_range(p->at_ms[1] - p->at_ms[0], 400, 1700);
	assert_in_range(p->at_ms[2] - p->at_ms[1], 800, 2100);
}

static void killed_child_comes_back_as_another(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	p->stop_after = 1;
	assert_true(start(p, "a", "exec sleep 60", NULL, 0, &err));
	pid_t before = supervisor_pid(p->supervisor, "a");
	assert_int_equal(kill(before, SIGKILL), 0);
	run(p, WAIT_MS);
	assert_int_equal(p->restarted, 1);
	assert_true(WIFSIGNALED(p->status));
	pid_t after = supervisor_pid(p->supervisor, "a");
	assert_true(after > 0 && after != before);
}

/* They do not end before they are asked, and the first not before the last is gone. */
static void stopping_goes_backwards(void **state)
{
	static const char script[] = "trap 'sleep 0.1; exit 0' TERM; : >$0/up; "
				     "while :; do sleep 0.01; done";
	struct probe *p = *state;
	struct error err = ERROR_INIT;
	char path[120];

	(void)snprintf(path, sizeof path, "%s/up", p->folder);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "a", "b", "c" };
		(void)unlink(path);
		assert_true(start(p, names[i], script, is_up, WAIT_MS, &err));
	}
	int64_t start_ms = clock_mono_ms();
	supervisor_stop(p->supervisor, 12000);
	assert_string_equal(p->ended_names, "c b a ");
	assert_int_equal(p->killed, 0);
	assert_true(clock_mono_ms() - start_ms < 6000);
	assert_int_equal(supervisor_pid(p->supervisor, "a"), 0);
	run(p, 400);
	assert_int_equal(p->restarted, 0);
}

static void stubborn_child_is_killed_and_others_keep_their_time(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;
	char path[120];

	(void)snprintf(path, sizeof path, "%s/up", p->folder);
	assert_true(start(p, "polite",
			  "trap ': >$0/bye; exit 0' TERM; : >$0/up; "
			  "while :; do sleep 0.01; done",
			  is_up, WAIT_MS, &err));
	(void)unlink(path);
	assert_true(start(p, "deaf",
			  "trap '' TERM; : >$0/up; while :; do sleep 0.01; done", is_up,
			  WAIT_MS, &err));
	int64_t start_ms = clock_mono_ms();
	supervisor_stop(p->supervisor, 600);
	assert_in_range(clock_mono_ms() - start_ms, 600, 4000);
	assert_int_equal(p->killed, 1);
	assert_string_equal(p->ended_names, "polite ");
	assert_true(has_file(p, "bye"));
}

static void grandchildren_end_with_the_child(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	assert_true(start(p, "a", "sleep 60 & echo $! >$0/pid; : >$0/up; wait", is_up,
			  WAIT_MS, &err));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	read_text(p, "pid", &text);
	pid_t grandchild = (pid_t)strtol(text.data, NULL, 10);
	assert_int_equal(kill(grandchild, 0), 0);
	supervisor_stop(p->supervisor, WAIT_MS);
	/* whoever inherits it reaps it */
	for (int i = 0; i < 200 && kill(grandchild, 0) == 0; i++) {
		_cleanup_strbuf_ struct strbuf stat = STRBUF_INIT;
		char name[60];
		(void)snprintf(name, sizeof name, "/proc/%d/stat", grandchild);
		if (file_read(name, 4096, &stat, &err) && strstr(stat.data, ") Z"))
			break;
		assert_true(i < 199);
		(void)usleep(10000);
	}
}

/* A supervisor that is killed cannot stop anybody: the kernel must. */
static void children_die_with_their_supervisor(void **state)
{
	struct probe *p = *state;
	int status;
	pid_t middle;

	/* we become the one who inherits, to see the end of the grandchild */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	middle = fork();
	if (middle == 0) {
		struct error err = ERROR_INIT;
		struct loop *l = loop_new(&err);
		p->supervisor = supervisor_new(l, NULL, NULL, &err);
		if (!start(p, "a",
			   "trap '' TERM; echo $$ >$0/pid; : >$0/up; exec sleep 60",
			   is_up, WAIT_MS, &err))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_true(WIFSIGNALED(status));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	read_text(p, "pid", &text);
	pid_t child = (pid_t)strtol(text.data, NULL, 10);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void children_start_clean(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	sigset_t term, before;
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &term, &before), 0);
	assert_true(signal(SIGINT, SIG_IGN) != SIG_ERR);
	assert_true(start(p, "a",
			  "{ ls /proc/self/fd | tr '\\n' ' '; "
			  "grep -E 'Sig(Blk|Ign)' /proc/self/status; } >$0/seen; "
			  ": >$0/up; exec sleep 60",
			  is_up, WAIT_MS, &err));
	assert_true(signal(SIGINT, SIG_DFL) != SIG_ERR);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	read_text(p, "seen", &text);
	assert_int_equal(strncmp(text.data, "0 1 2 3 ", 8),
			 0); /* 3 is the folder that ls reads */
	assert_int_not_equal(text.data[8], '4');
	assert_non_null(strstr(text.data, "SigBlk:\t0000000000000000"));
	assert_non_null(strstr(text.data, "SigIgn:\t0000000000000000"));
	(void)close(leak);
}

static void *start_elsewhere(void *context)
{
	static struct error err = ERROR_INIT;

	return start(context, "a", "exit 0", NULL, 0, &err) ? NULL : &err;
}

static void other_threads_may_not_start_children(void **state)
{
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, start_elsewhere, *state), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_non_null(result);
	assert_non_null(strstr(((struct error *)result)->message, "main thread"));
}

static void children_are_limited(void **state)
{
	struct probe *p = *state;
	struct error err = ERROR_INIT;

	for (int i = 0; i < SUPERVISE_CHILDREN_MAX; i++)
		assert_true(start(p, "a", "exec sleep 60", NULL, 0, &err));
	assert_false(start(p, "a", "exec sleep 60", NULL, 0, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(start_waits_until_ready),
		CASE(early_end_tells_the_end_of_the_log),
		CASE(early_end_tells_the_last_complaint),
		CASE(never_ready_is_a_timeout_and_killed),
		CASE(program_that_is_not_there_is_told),
		CASE(fallen_children_return_ever_more_slowly),
		CASE(killed_child_comes_back_as_another),
		CASE(stopping_goes_backwards),
		CASE(stubborn_child_is_killed_and_others_keep_their_time),
		CASE(grandchildren_end_with_the_child),
		CASE(children_die_with_their_supervisor),
		CASE(children_start_clean),
		CASE(other_threads_may_not_start_children),
		CASE(children_are_limited),
	};

	return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
