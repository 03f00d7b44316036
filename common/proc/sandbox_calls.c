#include "proc/sandbox_private.h"

#include <errno.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <seccomp.h>

/* Refused to everyone: what reaches into other processes, changes the system, or opens
 * a way around this list. */
static const int refused[] = {
	/* other processes' memory, descriptors and keys */
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(add_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(request_key),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(bpf),
	/* system calls by another door */
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(vm86),
	SCMP_SYS(vm86old),
	/* mounts and namespaces */
	SCMP_SYS(mount),
	SCMP_SYS(umount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(fanotify_init),
	SCMP_SYS(quotactl),
	/* the machine */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(reboot),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(syslog),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(vhangup),
	SCMP_SYS(settimeofday),
	SCMP_SYS(stime),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_settime64),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(nfsservctl),
	SCMP_SYS(lookup_dcookie),
};

static const int refused_exec[] = { SCMP_SYS(execve), SCMP_SYS(execveat) };

/* Address families below AF_NETLINK that a process with a network has no use for either;
 * resolving a name asks the kernel by AF_NETLINK. */
static const int odd_families[] = { AF_AX25,   AF_IPX,     AF_APPLETALK, AF_NETROM,
				    AF_BRIDGE, AF_ATMPVC,  AF_X25,       AF_ROSE,
				    AF_DECnet, AF_NETBEUI, AF_SECURITY,  AF_KEY };

static const unsigned long namespaces[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
					    CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
					    CLONE_NEWNET };

/* A rule on a call that this architecture lacks is no failure. */
static bool forgive(int result)
{
	return result == 0 || result == -EDOM;
}

static bool refuse_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!forgive(
			    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0)))
			return false;
	return true;
}

/* Refuse 'call' where its argument number 'arg' compares like that. */
static bool refuse_if(scmp_filter_ctx filter, int call, unsigned arg,
		      enum scmp_compare how, uint64_t a, uint64_t b)
{
	const struct scmp_arg_cmp cmp = {
		.arg = arg, .op = how, .datum_a = a, .datum_b = b
	};

	return forgive(
		seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &cmp));
}

/* The kernel reads 32 bits of the family and we compare 64: bits above make a family
 * unequal to AF_UNIX, and greater than AF_NETLINK, so they lead nowhere. */
static bool refuse_families(scmp_filter_ctx filter, const struct sandbox *s)
{
	const int call = SCMP_SYS(socket);

	if (!s->network)
		return s->unix_sockets
			       ? refuse_if(filter, call, 0, SCMP_CMP_NE, AF_UNIX, 0)
			       : refuse_all(filter, &call, 1);
	if (!s->unix_sockets && !refuse_if(filter, call, 0, SCMP_CMP_EQ, AF_UNIX, 0))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(odd_families); i++)
		if (!refuse_if(filter, call, 0, SCMP_CMP_EQ, (unsigned)odd_families[i],
			       0))
			return false;
	return refuse_if(filter, call, 0, SCMP_CMP_GT, AF_NETLINK, 0);
}

/* clone3 hides its flags in memory, where a filter cannot look: as if it did not exist,
 * so that the C library takes clone. TIOCSTI and TIOCLINUX type into a terminal. */
static bool refuse_by_argument(scmp_filter_ctx filter)
{
	static const unsigned long typing[] = { TIOCSTI, TIOCLINUX };

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (!refuse_if(filter, SCMP_SYS(clone), 0, SCMP_CMP_MASKED_EQ,
			       namespaces[i], namespaces[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(typing); i++)
		if (!refuse_if(filter, SCMP_SYS(ioctl), 1, SCMP_CMP_MASKED_EQ, UINT32_MAX,
			       typing[i]))
			return false;
	return forgive(
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

static bool fill(scmp_filter_ctx filter, const struct sandbox *s)
{
	static const int trace[] = { SCMP_SYS(ptrace) };

	/* calls of another architecture (32 bits, x32) are numbered differently */
	return seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ==
		       0 &&
	       refuse_all(filter, refused, ARRAY_SIZE(refused)) &&
	       (SANDBOX_TRACEABLE || refuse_all(filter, trace, ARRAY_SIZE(trace))) &&
	       (s->exec || refuse_all(filter, refused_exec, ARRAY_SIZE(refused_exec))) &&
	       refuse_families(filter, s) && refuse_by_argument(filter);
}

/* ---- The list turned round ---- */

/* Talk, wait, remember, compute, end. */
static const int bare_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recv),
	SCMP_SYS(send),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(lseek),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static bool allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp cmp)
{
	return forgive(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &cmp));
}

static bool fill_bare(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_code = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0
	};
	/* what abort() does, and nobody else's end */
	const struct scmp_arg_cmp ourselves = { .arg = 0,
						.op = SCMP_CMP_EQ,
						.datum_a = (scmp_datum_t)getpid() };

	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(bare_calls); i++)
		if (!forgive(seccomp_rule_add(filter, SCMP_ACT_ALLOW, bare_calls[i], 0)))
			return false;
	return allow_if(filter, SCMP_SYS(mmap), no_code) &&
	       allow_if(filter, SCMP_SYS(mmap2), no_code) &&
	       allow_if(filter, SCMP_SYS(mprotect), no_code) &&
	       allow_if(filter, SCMP_SYS(tgkill), ourselves);
}

static void filter_release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

bool sandbox_limit_calls(const struct sandbox *s, bool *ret_missing, struct error *err)
{
	_cleanup_(filter_release) scmp_filter_ctx filter = NULL;

	if (seccomp_api_get() == 0) {
		*ret_missing = true;
		return error_set(err, ERR_INTERNAL,
				 "this kernel cannot limit system calls (seccomp)");
	}
	filter = seccomp_init(s->bare ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	if (!filter || !(s->bare ? fill_bare(filter) : fill(filter, s)))
		return error_set(err, ERR_INTERNAL,
				 "cannot make the filter of system calls");
	int result = seccomp_load(filter);
	if (result != 0) {
		*ret_missing = result == -ENOSYS || result == -EINVAL;
		errno = -result;
		return error_errno(err, "cannot limit system calls (seccomp)");
	}
	return true;
}
