/*
 * sandbox -- a process gives up what it does not need, before its first outside byte.
 *
 * Always: no_new_privs, not dumpable, no core files. Then Landlock for paths
 * (everything not listed is out of reach) and seccomp (libseccomp) for system
 * calls: 'network' off refuses to make internet sockets, 'unix_sockets' off those of
 * this machine, 'exec' off refuses execve; ptrace, mount, kernel modules, keyrings and bpf are refused always.
 * Refused calls return EPERM (clone3 ENOSYS, so that the C library takes clone).
 * 'bare' turns that round, for a process that computes and talks over what it has open:
 * only the few calls that takes are let through; no file is opened, no socket made, no
 * process or thread begun, no memory made executable, whatever the other members say.
 * Where the kernel lacks a feature, this fails unless the caller's configuration
 * allows its absence by name.
 *
 * What loads libraries when they are needed (base/library.h: ICU, libcurl, libjose) must
 * have done so before, unless the paths include sandbox_system_paths.
 *
 * It holds for the calling thread, for threads started later, and for children.
 * Threads that run already would stay outside: then sandbox_enter fails. Open
 * descriptors stay usable. With 'unix_sockets' on, one can be connected to wherever
 * the file mode allows, the gate's among them, where the user id is all the proof there
 * is; Landlock does not limit that. With 'exec' on, the program, its
 * loader and libraries need SANDBOX_EXEC on their paths.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include "base/error.h"

enum sandbox_access { SANDBOX_READ = 1, SANDBOX_WRITE = 2, SANDBOX_EXEC = 4 };

struct sandbox_path {
	const char *path; /* file or folder, all below it included; skipped when absent */
	unsigned access;
};

struct sandbox {
	const struct sandbox_path *paths;
	size_t path_count;
	bool network;
	bool unix_sockets; /* to make; those that are open stay usable */
	bool exec;
	bool bare;
	bool allow_missing_landlock;
	bool allow_missing_seccomp;
};

bool sandbox_enter(const struct sandbox *s, struct error *err);

/* What every program of ours reads: libraries, locale and time zone data, certificates, /etc/ldap, resolver files. */
extern const struct sandbox_path sandbox_system_paths[];
extern const size_t sandbox_system_path_count;

/* The always-part alone: no_new_privs, not dumpable, RLIMIT_CORE 0. */
bool sandbox_basics(struct error *err);

#endif
