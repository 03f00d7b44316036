#include "proc/sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Younger than the oldest kernel headers that we build with. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

/* What is granted. Making devices, pipes and symbolic links is in no row: a link in our
 * folder could lead a process outside the sandbox astray. */
static const uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE |
				    LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t write_rights =
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
	LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER;
static const uint64_t exec_rights = LANDLOCK_ACCESS_FS_EXECUTE |
				    LANDLOCK_ACCESS_FS_READ_FILE;
/* Those that a rule on a file, not a folder, may name. */
static const uint64_t file_rights = LANDLOCK_ACCESS_FS_EXECUTE |
				    LANDLOCK_ACCESS_FS_WRITE_FILE |
				    LANDLOCK_ACCESS_FS_READ_FILE |
				    LANDLOCK_ACCESS_FS_TRUNCATE;

const struct sandbox_path sandbox_system_paths[] = {
	{ "/usr", SANDBOX_READ },
	{ "/lib", SANDBOX_READ },
	{ "/lib64", SANDBOX_READ },
	{ "/etc/ld.so.cache", SANDBOX_READ },
	{ "/etc/localtime", SANDBOX_READ },
	{ "/etc/nsswitch.conf", SANDBOX_READ },
	{ "/etc/passwd", SANDBOX_READ },
	{ "/etc/group", SANDBOX_READ },
	{ "/etc/hosts", SANDBOX_READ },
	{ "/etc/host.conf", SANDBOX_READ },
	{ "/etc/resolv.conf", SANDBOX_READ },
	{ "/etc/gai.conf", SANDBOX_READ },
	{ "/etc/services", SANDBOX_READ },
	{ "/etc/protocols", SANDBOX_READ },
	{ "/etc/ssl/openssl.cnf", SANDBOX_READ },
	{ "/etc/ssl/certs", SANDBOX_READ },
	{ "/etc/ca-certificates", SANDBOX_READ },
	{ "/etc/ldap", SANDBOX_READ },
	{ "/proc/self", SANDBOX_READ },
	{ "/dev/null", SANDBOX_READ | SANDBOX_WRITE },
	{ "/dev/urandom", SANDBOX_READ },
	{ "/dev/random", SANDBOX_READ },
};
const size_t sandbox_system_path_count = ARRAY_SIZE(sandbox_system_paths);

/* All file rights that a kernel of this Landlock version knows. */
static uint64_t rights_of_version(int version)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* version 1 */

	if (version >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static uint64_t wanted_rights(unsigned access)
{
	return (access & SANDBOX_READ ? read_rights : 0) |
	       (access & SANDBOX_WRITE ? write_rights : 0) |
	       (access & SANDBOX_EXEC ? exec_rights : 0);
}

static bool add_path(int ruleset, const struct sandbox_path *p, uint64_t known,
		     struct error *err)
{
	_cleanup_close_ int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       error_errno(err, "cannot look at '%s'", p->path);
	if (fstat(fd, &st) != 0)
		return error_errno(err, "cannot look at '%s'", p->path);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = wanted_rights(p->access) & known &
				  (S_ISDIR(st.st_mode) ? ~UINT64_C(0) : file_rights),
		.parent_fd = fd,
	};
	if (rule.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
		    0) != 0)
		return error_errno(err, "cannot allow '%s' in the sandbox", p->path);
	return true;
}

bool sandbox_limit_paths(const struct sandbox *s, bool *ret_missing, struct error *err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1) {
		*ret_missing = errno == ENOSYS || errno == EOPNOTSUPP;
		return error_errno(err, "this kernel cannot limit paths (Landlock)");
	}
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						      rights_of_version((int)version) };
	/* only the oldest field: a kernel of any version takes that size */
	_cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
						   sizeof attr.handled_access_fs, 0);
	if (ruleset < 0)
		return error_errno(err, "cannot make the sandbox's list of paths");
	for (size_t i = 0; i < s->path_count; i++)
		if (!add_path(ruleset, &s->paths[i], attr.handled_access_fs, err))
			return false;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return error_errno(err, "cannot enter the sandbox's list of paths");
	return true;
}
