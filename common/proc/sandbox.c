#include "proc/sandbox.h"
#include "proc/sandbox_private.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool sandbox_basics(struct error *err)
{
	const struct rlimit none = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_errno(err, "cannot give up new privileges");
	if (!SANDBOX_TRACEABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return error_errno(err, "cannot keep others from reading our memory");
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return error_errno(err, "cannot turn core files off");
	return true;
}

/* What is given up is given up by the calling thread and those it starts later. */
static bool check_alone(struct error *err)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;

	if (!tasks)
		return error_errno(err, "cannot count our threads");
	for (const struct dirent *d = readdir(tasks); d; d = readdir(tasks))
		count += d->d_name[0] != '.';
	(void)closedir(tasks);
	if (count != 1 && !SANDBOX_HAS_HELPER)
		return error_set(
			err, ERR_INTERNAL,
			"the sandbox must be entered before threads start; there are %u",
			count);
	return true;
}

/* One half; a kernel without it is forgiven if the configuration says so by name. */
static bool enter_half(bool (*half)(const struct sandbox *, bool *, struct error *),
		       const struct sandbox *s, bool may_miss, const char *option,
		       struct error *err)
{
	struct error why = ERROR_INIT;
	bool missing = false;

	if (half(s, &missing, &why) || (missing && may_miss))
		return true;
	if (missing)
		error_hint(&why, "use a newer kernel, or set '%s' in the configuration",
			   option);
	if (!error_is_set(err))
		*err = why;
	return false;
}

bool sandbox_enter(const struct sandbox *s, struct error *err)
{
	return sandbox_basics(err) && check_alone(err) &&
	       enter_half(sandbox_limit_paths, s, s->allow_missing_landlock,
			  "allow_missing_landlock", err) &&
	       enter_half(sandbox_limit_calls, s, s->allow_missing_seccomp,
			  "allow_missing_seccomp", err);
}
