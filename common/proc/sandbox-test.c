/* Every case runs in a child of its own, because there is no way back. */
#include "proc/sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <seccomp.h>

static char inside[] = "/tmp/sandbox-test-in-XXXXXX";
static char outside[] = "/tmp/sandbox-test-out-XXXXXX";
static char path_a[80], path_b[80], path_out[80];

static bool write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	bool good = write(fd, "x", 1) == 1;
	(void)close(fd);
	return good;
}

static bool can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(inside) || !mkdtemp(outside))
		return -1;
	(void)snprintf(path_a, sizeof path_a, "%s/a", inside);
	(void)snprintf(path_b, sizeof path_b, "%s/b", inside);
	(void)snprintf(path_out, sizeof path_out, "%s/o", outside);
	return write_file(path_a) && write_file(path_out) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(path_a);
	(void)unlink(path_b);
	(void)unlink(path_out);
	return rmdir(inside) | rmdir(outside);
}

/* In the child: the first expectation that does not hold is the exit status. */
#define EXPECT(condition)                                                                \
	do {                                                                             \
		if (!(condition)) {                                                      \
			dprintf(2, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__,         \
				#condition, errno);                                      \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static void run_child(void (*child)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void enter_with(unsigned access, bool network, bool unix_sockets, bool exec)
{
	struct sandbox_path paths[64] = { { inside, access },
					  { "/nonexistent/x", SANDBOX_READ } };
	struct sandbox s = { .paths = paths,
			     .path_count = 2,
			     .network = network,
			     .unix_sockets = unix_sockets,
			     .exec = exec };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < sandbox_system_path_count; i++)
		paths[s.path_count++] = sandbox_system_paths[i];
	if (!sandbox_enter(&s, &err)) {
		dprintf(2, "%s\n", err.message);
		_exit(2);
	}
}

static void enter(unsigned access, bool network, bool exec)
{
	enter_with(access, network, true, exec);
}

static void paths_child(void)
{
	int before = open(path_out, O_RDONLY | O_CLOEXEC);
	char c;

	enter(SANDBOX_READ | SANDBOX_WRITE, false, false);
	EXPECT(can_open(path_a, O_RDWR));
	EXPECT(write_file(path_b));
	EXPECT(truncate(path_b, 0) == 0);
	EXPECT(unlink(path_b) == 0);
	EXPECT(!can_open(path_out, O_RDONLY) && errno == EACCES);
	EXPECT(!can_open("/etc/shadow", O_RDONLY));
	EXPECT(!can_open("/etc/fstab", O_RDONLY));
	EXPECT(!can_open("/root", O_RDONLY | O_DIRECTORY));
	EXPECT(!can_open("/tmp", O_RDONLY | O_DIRECTORY));
	EXPECT(!can_open("/proc/1/status", O_RDONLY));
	EXPECT(truncate(path_out, 0) != 0);
	EXPECT(unlink(path_out) != 0);
	EXPECT(rename(path_a, path_out) != 0);
	EXPECT(symlink("/etc/passwd", path_b) != 0 && errno == EACCES);
	EXPECT(mkfifo(path_b, 0600) != 0 && errno == EACCES);
	/* what was open before stays usable */
	EXPECT(read(before, &c, 1) == 1);
	/* the system's part */
	EXPECT(can_open("/etc/passwd", O_RDONLY));
	EXPECT(!can_open("/etc/passwd", O_WRONLY));
	EXPECT(can_open("/usr/bin", O_RDONLY | O_DIRECTORY));
	EXPECT(can_open("/dev/null", O_RDWR));
	EXPECT(can_open("/dev/urandom", O_RDONLY));
	EXPECT(can_open("/proc/self/maps", O_RDONLY));
}

static void paths_outside_are_out_of_reach(void **state)
{
	(void)state;
	run_child(paths_child);
}

static void read_only_child(void)
{
	enter(SANDBOX_READ, false, false);
	EXPECT(can_open(path_a, O_RDONLY));
	EXPECT(!can_open(path_a, O_WRONLY) && errno == EACCES);
	EXPECT(!write_file(path_b));
	EXPECT(unlink(path_a) != 0);
}

static void reading_is_not_writing(void **state)
{
	(void)state;
	run_child(read_only_child);
}

static bool can_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void no_network_child(void)
{
	enter(0, false, false);
	EXPECT(can_socket(AF_UNIX, SOCK_STREAM));
	EXPECT(!can_socket(AF_INET, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_INET6, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_INET, SOCK_DGRAM) && errno == EPERM);
	EXPECT(!can_socket(AF_NETLINK, SOCK_RAW) && errno == EPERM);
	/* the kernel looks at 32 bits of the family only */
	EXPECT(syscall(SYS_socket, AF_INET | 1L << 32, SOCK_STREAM, 0) == -1 &&
	       errno == EPERM);
	EXPECT(syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == EPERM);
}

static void network_child(void)
{
	enter(0, true, false);
	EXPECT(can_socket(AF_UNIX, SOCK_STREAM));
	EXPECT(can_socket(AF_INET, SOCK_STREAM));
	EXPECT(can_socket(AF_NETLINK, SOCK_RAW));
	EXPECT(!can_socket(AF_PACKET, SOCK_RAW) && errno == EPERM);
	EXPECT(!can_socket(AF_ALG, SOCK_SEQPACKET) && errno == EPERM);
	EXPECT(!can_socket(AF_VSOCK, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_KEY, SOCK_RAW) && errno == EPERM);
	EXPECT(syscall(SYS_socket, AF_KEY | 1L << 32, SOCK_RAW, 0) == -1 &&
	       errno == EPERM);
}

/* What a server may be made to do, it cannot do at the gate's own socket. */
static void no_unix_child(void)
{
	int pair[2];

	enter_with(0, true, false, false);
	EXPECT(!can_socket(AF_UNIX, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_UNIX, SOCK_DGRAM) && errno == EPERM);
	EXPECT(!can_socket(AF_UNIX, SOCK_SEQPACKET) && errno == EPERM);
	EXPECT(syscall(SYS_socket, AF_UNIX | 1L << 32, SOCK_STREAM, 0) == -1 &&
	       errno == EPERM);
	EXPECT(can_socket(AF_INET, SOCK_STREAM));
	EXPECT(can_socket(AF_INET6, SOCK_STREAM) || errno == EAFNOSUPPORT);
	EXPECT(can_socket(AF_NETLINK, SOCK_RAW));
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
}

static void no_sockets_child(void)
{
	enter_with(0, false, false, false);
	EXPECT(!can_socket(AF_UNIX, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_INET, SOCK_STREAM) && errno == EPERM);
	EXPECT(!can_socket(AF_NETLINK, SOCK_RAW) && errno == EPERM);
}

static void unix_sockets_are_as_asked(void **state)
{
	(void)state;
	run_child(no_unix_child);
	run_child(no_sockets_child);
}

static void network_is_as_asked(void **state)
{
	(void)state;
	run_child(no_network_child);
	run_child(network_child);
}

static int spawn_true(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv("/usr/bin/true", argv);
		_exit(errno);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
								    : -1;
}

static void no_exec_child(void)
{
	enter(0, false, false);
	EXPECT(spawn_true() == EPERM);
}

static void exec_child(void)
{
	struct sandbox_path paths[] = { { "/usr", SANDBOX_READ | SANDBOX_EXEC },
					{ "/lib", SANDBOX_READ | SANDBOX_EXEC },
					{ "/lib64", SANDBOX_READ | SANDBOX_EXEC },
					{ "/etc/ld.so.cache", SANDBOX_READ } };
	struct sandbox s = { .paths = paths,
			     .path_count = ARRAY_SIZE(paths),
			     .exec = true };
	struct error err = ERROR_INIT;

	EXPECT(sandbox_enter(&s, &err));
	EXPECT(spawn_true() == 0);
}

static void exec_elsewhere_child(void)
{
	enter(SANDBOX_READ, false, true); /* the call is allowed, the path is not */
	EXPECT(spawn_true() == EACCES);
}

static void programs_are_as_asked(void **state)
{
	(void)state;
	run_child(no_exec_child);
	run_child(exec_child);
	run_child(exec_elsewhere_child);
}

static void calls_child(void)
{
	enter(0, false, false);
#if !SANDBOX_TRACEABLE
	EXPECT(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM);
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
	EXPECT(mount("none", inside, "tmpfs", 0, NULL) == -1 && errno == EPERM);
	EXPECT(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
	EXPECT(syscall(SYS_keyctl, 0, 0, 0, 0, 0) == -1 && errno == EPERM);
	EXPECT(syscall(SYS_init_module, NULL, 0, "") == -1 && errno == EPERM);
	EXPECT(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == -1 &&
	       errno == EPERM);
	EXPECT(syscall(SYS_clone, 0x10000000 | SIGCHLD, NULL, NULL, NULL, NULL) == -1 &&
	       errno == EPERM);
	EXPECT(syscall(SYS_ioctl, 0, TIOCSTI, "x") == -1 && errno == EPERM);
	EXPECT(syscall(SYS_ioctl, 0, TIOCSTI | 1L << 32, "x") == -1 && errno == EPERM);
	EXPECT(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	struct rlimit core;
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
	       core.rlim_max == 0);
}

static void dangerous_calls_are_refused(void **state)
{
	(void)state;
	run_child(calls_child);
}

static void *look_out(void *context)
{
	*(bool *)context = !can_open(path_out, O_RDONLY) && errno == EACCES &&
			   !can_socket(AF_INET, SOCK_STREAM) && errno == EPERM &&
			   can_open(path_a, O_RDONLY);
	return NULL;
}

static void later_threads_child(void)
{
	pthread_t thread;
	bool held = false;

	enter(SANDBOX_READ, false, false);
	EXPECT(pthread_create(&thread, NULL, look_out, &held) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(held);
}

static void threads_that_start_later_are_inside(void **state)
{
	(void)state;
	run_child(later_threads_child);
}

static void *sleep_long(void *context)
{
	(void)context;
	(void)pause();
	return NULL;
}

static void early_thread_child(void)
{
	struct sandbox s = { 0 };
	struct error err = ERROR_INIT;
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
	EXPECT(!sandbox_enter(&s, &err));
	EXPECT(strstr(err.message, "before threads"));
	EXPECT(can_open(path_out, O_RDONLY)); /* nothing was half done */
}

static void threads_that_run_already_are_an_error(void **state)
{
	(void)state;
	if (SANDBOX_HAS_HELPER)
		skip();
	run_child(early_thread_child);
}

/* Two sandboxes: the second can only narrow. */
static void twice_child(void)
{
	enter(SANDBOX_READ | SANDBOX_WRITE, false, false);
	enter(SANDBOX_READ, true, true);
	EXPECT(!write_file(path_b));
	EXPECT(!can_socket(AF_INET, SOCK_STREAM));
}

static void there_is_no_way_back(void **state)
{
	(void)state;
	run_child(twice_child);
}

static void socket_in_folder_child(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	enter(SANDBOX_READ | SANDBOX_WRITE, false, false);
	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s/s", inside);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
	EXPECT(unlink(a.sun_path) == 0);
}

static void sockets_may_be_made_where_writing_is_allowed(void **state)
{
	(void)state;
	run_child(socket_in_folder_child);
}

static void bare_child(void)
{
	const struct sandbox s = { .bare = true };
	struct error err = ERROR_INIT;
	int pair[2];
	char c = 'x';

	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	EXPECT(sandbox_enter(&s, &err));
	EXPECT(write(pair[0], &c, 1) == 1 && recv(pair[1], &c, 1, 0) == 1);
	EXPECT(!can_open(path_a, O_RDONLY) && errno == EPERM);
	EXPECT(!can_socket(AF_UNIX, SOCK_STREAM) && !can_socket(AF_INET, SOCK_STREAM));
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 && errno == EPERM);
	EXPECT(fork() == -1 && errno == EPERM);
	EXPECT(kill(getppid(), 0) == -1 && errno == EPERM);
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED);
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == -1 && errno == EPERM);
}

static void bare_is_talking_alone(void **state)
{
	(void)state;
	run_child(bare_child);
}

/* An older kernel: the call is not there. */
static void take_away(int call)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	EXPECT(filter && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) == 0 &&
	       seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void old_kernel_child(void)
{
	struct sandbox s = { .network = true };
	struct error err = ERROR_INIT;

	take_away(SCMP_SYS(landlock_create_ruleset));
	EXPECT(!sandbox_enter(&s, &err));
	EXPECT(strstr(err.message, "Landlock"));
	EXPECT(strstr(err.hint, "allow_missing_landlock"));
	error_clear(&err);
	s.allow_missing_seccomp = true; /* of another name */
	EXPECT(!sandbox_enter(&s, &err));
	error_clear(&err);
	s.allow_missing_landlock = true;
	EXPECT(sandbox_enter(&s, &err));
	EXPECT(!can_socket(AF_PACKET, SOCK_RAW) &&
	       errno == EPERM); /* the other half holds */
}

static void missing_features_must_be_allowed_by_name(void **state)
{
	(void)state;
	run_child(old_kernel_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_outside_are_out_of_reach),
		cmocka_unit_test(reading_is_not_writing),
		cmocka_unit_test(network_is_as_asked),
		cmocka_unit_test(unix_sockets_are_as_asked),
		cmocka_unit_test(programs_are_as_asked),
		cmocka_unit_test(dangerous_calls_are_refused),
		cmocka_unit_test(threads_that_start_later_are_inside),
		cmocka_unit_test(threads_that_run_already_are_an_error),
		cmocka_unit_test(there_is_no_way_back),
		cmocka_unit_test(bare_is_talking_alone),
		cmocka_unit_test(missing_features_must_be_allowed_by_name),
		cmocka_unit_test(sockets_may_be_made_where_writing_is_allowed),
	};

	return cmocka_run_group_tests_name("sandbox", tests, begin, end);
}
