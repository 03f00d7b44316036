/*
 * What worker and egress cannot do, found out from inside.
 *
 *   assistant-inside worker|egress
 *
 * Gives up what the program gives up, by its own function, and then tries. A line of JSON
 * on standard output for each try: {"try": ..., "refused": bool, "errno": n}. Status 0
 * says that all was tried, not that all was refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "assistant/egress/egress.h"
#include "assistant/worker/serve.h"

enum { FAMILIES_MAX = 64, CALLS_MAX = 600 };

static void tell(const char *what, bool refused)
{
	(void)dprintf(1, "{\"try\": \"%s\", \"refused\": %s, \"errno\": %d}\n", what,
		      refused ? "true" : "false", refused ? errno : 0);
}

static void try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	char what[120];

	(void)snprintf(what, sizeof what, "%s %s", flags & O_CREAT ? "write" : "read",
		       path);
	tell(what, fd < 0);
	if (fd >= 0)
		(void)close(fd);
}

static void files(void)
{
	struct stat st;

	try_open("/etc/passwd", O_RDONLY);
	try_open("/etc/shadow", O_RDONLY);
	try_open("/proc/self/maps", O_RDONLY);
	try_open("/", O_RDONLY | O_DIRECTORY);
	try_open("/tmp/assistant-inside", O_WRONLY | O_CREAT | O_EXCL);
	(void)unlink("/tmp/assistant-inside");
	tell("make a folder", mkdir("/tmp/assistant-inside-folder", 0700) != 0);
	(void)rmdir("/tmp/assistant-inside-folder");
	tell("look at a file", stat("/etc/passwd", &st) != 0);
	tell("make a file in memory", syscall(SYS_memfd_create, "x", 0) < 0);
	tell("watch files", inotify_init1(IN_CLOEXEC) < 0);
}

static void sockets(void)
{
	static const struct {
		const char *name;
		int family, type;
	} rows[] = {
		{ "socket IPv4", AF_INET, SOCK_STREAM },
		{ "socket IPv6", AF_INET6, SOCK_STREAM },
		{ "socket UDP", AF_INET, SOCK_DGRAM },
		{ "socket unix", AF_UNIX, SOCK_STREAM },
		{ "socket netlink", AF_NETLINK, SOCK_RAW },
		{ "socket packet", AF_PACKET, SOCK_RAW },
		{ "socket raw", AF_INET, SOCK_RAW },
		{ "socket vsock", AF_VSOCK, SOCK_STREAM },
		{ "socket alg", AF_ALG, SOCK_SEQPACKET },
	};
	int pair[2];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = socket(rows[i].family, rows[i].type | SOCK_CLOEXEC, 0);

		tell(rows[i].name, fd < 0);
		if (fd >= 0)
			(void)close(fd);
	}
	tell("socket pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0);
}

/* Families that have no name here, too. */
static void every_family(void)
{
	int made = 0, last = 0;

	for (int family = 0; family <= FAMILIES_MAX; family++)
		for (int type = SOCK_STREAM; type <= SOCK_PACKET; type++) {
			int fd = socket(family, type | SOCK_CLOEXEC, 0);

			made += fd >= 0;
			if (fd >= 0)
				(void)close(fd);
			else
				last = errno;
		}
	errno = last;
	tell("a socket of any family", made == 0);
}

static void *nothing(void *argument)
{
	return argument;
}

static void processes(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };
	char byte = 0;
	struct iovec own = { &byte, 1 }, other = { &byte, 1 };
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	tell("start a process", pid < 0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	int failed = pthread_create(&thread, NULL, nothing, NULL);
	errno = failed;
	tell("start a thread", failed != 0);
	if (failed == 0)
		(void)pthread_join(thread, NULL);
	tell("run a program", execve("/bin/true", argv, argv + 1) != 0);
	tell("trace another", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) != 0);
	tell("read another's memory",
	     process_vm_readv(getppid(), &own, 1, &other, 1, 0) < 0);
	tell("signal another", kill(getppid(), 0) != 0);
	tell("hold another", syscall(SYS_pidfd_open, getppid(), 0) < 0);
	tell("write another's memory",
	     process_vm_writev(getppid(), &own, 1, &other, 1, 0) < 0);
	tell("signal everybody", kill(-1, 0) != 0);
	tell("signal a thread of another",
	     syscall(SYS_tgkill, getppid(), getppid(), 0) != 0);
	tell("signal by a descriptor",
	     syscall(SYS_pidfd_send_signal, 3, 0, NULL, 0) != 0);
}

/* Where a filter can only look at the number. */
static void processes_otherwise(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };
	struct {
		uint64_t flags[11];
	} how = { .flags = { 0 } };
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	tell("clone", pid < 0);
	pid = syscall(SYS_clone3, &how, sizeof how);
	if (pid == 0)
		_exit(0);
	tell("clone3", pid < 0);
	tell("run what lies in memory",
	     syscall(SYS_execveat, 3, "", argv, NULL, AT_EMPTY_PATH) != 0);
	tell("change who it is", setresuid(65534, 65534, 65534) != 0);
	tell("share memory with others",
	     syscall(SYS_shmget, 0x77696e67, 4096, 01600) < 0);
	tell("a queue for messages", syscall(SYS_msgget, 0x77696e67, 01600) < 0);
	tell("duplicate a descriptor", dup(1) < 0);
	tell("a pipe", syscall(SYS_pipe2, (int[2]){ 0 }, 0) < 0);
}

/* Locks that were shut, opened from inside. */
static void locks(void)
{
	static const struct {
		const char *name;
		int option;
		unsigned long value;
	} rows[] = {
		{ "take new privileges again", PR_SET_NO_NEW_PRIVS, 0 },
		{ "another filter of calls", PR_SET_SECCOMP, 2 },
		{ "let another trace it", PR_SET_PTRACER, (unsigned long)-1 },
		{ "keep its capabilities", PR_SET_KEEPCAPS, 1 },
		{ "outlive its parent", PR_SET_PDEATHSIG, 0 },
		{ "adopt orphans", PR_SET_CHILD_SUBREAPER, 1 },
		{ "map where it likes", PR_SET_MM, PR_SET_MM_START_CODE },
	};
	static char page[4096] __attribute__((aligned(4096)));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tell(rows[i].name, prctl(rows[i].option, rows[i].value, 0, 0, 0) != 0);
	tell("a filter by its own call", syscall(SYS_seccomp, 1, 0, NULL) != 0);
	tell("another set of paths",
	     syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0);
	tell("make its own memory executable",
	     mprotect(page, sizeof page, PROT_READ | PROT_EXEC) != 0);
	tell("other rules of the machine", syscall(SYS_personality, 0x0040000) < 0);
	tell("wait for faults of memory", syscall(SYS_userfaultfd, 0) < 0);
	tell("add a key", syscall(SYS_add_key, "user", "x", "y", 1, -2) < 0);
	tell("ask for a key", syscall(SYS_request_key, "user", "x", NULL, 0) < 0);
	tell("open by another door", syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) < 0);
	tell("open by a handle", syscall(SYS_open_by_handle_at, -1, NULL, 0) < 0);
	tell("type into a terminal", syscall(SYS_ioctl, 1, 0x5412, "x") != 0);
}

/*
 * Every number there is, but for those of the few calls that it needs: refused by the filter
 * (EPERM), not by what the call thinks of its arguments.
 */
static void every_call(void)
{
	static const int needed[] = {
		SYS_read,
		SYS_write,
		SYS_readv,
		SYS_writev,
		SYS_recvfrom,
		SYS_recvmsg,
		SYS_sendto,
		SYS_sendmsg,
		SYS_close,
		SYS_fstat,
		SYS_poll,
		SYS_ppoll,
		SYS_munmap,
		SYS_mremap,
		SYS_madvise,
		SYS_brk,
		SYS_futex,
		SYS_clock_gettime,
		SYS_gettimeofday,
		SYS_nanosleep,
		SYS_clock_nanosleep,
		SYS_getrandom,
		SYS_getpid,
		SYS_gettid,
		SYS_rt_sigaction,
		SYS_rt_sigprocmask,
		SYS_rt_sigreturn,
		SYS_sigaltstack,
		SYS_restart_syscall,
		SYS_sched_yield,
		SYS_sched_getaffinity,
		SYS_lseek,
		SYS_exit,
		SYS_exit_group,
		SYS_mmap,
		SYS_mprotect,
#ifdef SYS_time
		SYS_time,
#endif
	};
	long wrong = -1;

	for (long number = 0; number <= CALLS_MAX && wrong < 0; number++) {
		/* The kernel's own, which no filter sees: uretprobe and uprobe. */
		bool is_needed = number == 335 || number == 336;

		for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
			is_needed = is_needed || needed[i] == number;
		errno = 0;
		if (!is_needed &&
		    (syscall(number, 0, 0, 0, 0, 0, 0) != -1 || errno != EPERM))
			wrong = number;
	}
	if (wrong >= 0)
		(void)fprintf(stderr, "call %ld is not refused\n", wrong);
	errno = EPERM;
	tell("any call but the few it needs", wrong < 0);
}

static void machine(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct perf_event_attr perf = { .size = sizeof perf };
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tell("make memory executable", code == MAP_FAILED);
	tell("mount", mount("none", "/mnt", "tmpfs", 0, NULL) != 0);
	tell("a namespace of its own", unshare(CLONE_NEWUSER) != 0);
	tell("change its root", chroot("/") != 0);
	tell("bpf", syscall(SYS_bpf, 0, NULL, 0) < 0);
	tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0);
	tell("perf", syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0) < 0);
	tell("keys", syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0);
	tell("lift its limits", setrlimit(RLIMIT_FSIZE, &all) != 0);
	tell("allow to be looked at", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0);
}

/* What was open and handed in by mistake. */
static void descriptors(void)
{
	bool none = true;

	for (int fd = ASSISTANT_FD + 1; fd < 1024; fd++)
		none = none && close(fd) != 0;
	errno = EBADF;
	tell("use a descriptor that was handed in by mistake", none);
}

static void memory(void)
{
	void *much = malloc(2UL * WORKER_MEMORY_MAX);

	tell("take much memory", !much);
	free(much);
}

int main(int argc, char **argv)
{
	const struct assistant_settings settings = { .stream = true };
	struct error err = ERROR_INIT;
	bool worker = argc > 1 && strcmp(argv[1], "worker") == 0;

	if (!(worker ? worker_enter(&err) : egress_enter(&settings, &err))) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	descriptors();
	files();
	sockets();
	every_family();
	processes();
	processes_otherwise();
	machine();
	locks();
	if (worker) {
		/* Where it is not refused, the next signal would stop us for good. */
		tell("be traced", ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
		every_call();
	}
	memory();
	_exit(0);
}
