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
	processes();
	machine();
	memory();
	_exit(0);
}
