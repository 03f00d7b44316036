/* What the egress gives up before it hears its first message. */
#include <sys/resource.h>

#include "assistant/egress/egress.h"
#include "proc/sandbox.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* Sanitizers look for leaks through files of our own process. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

bool egress_enter(const struct assistant_settings *s, struct error *err)
{
	static const struct sandbox_path resolver[] = {
		{ "/etc/hosts", SANDBOX_READ },
		{ "/etc/resolv.conf", SANDBOX_READ },
		{ "/etc/nsswitch.conf", SANDBOX_READ },
		{ "/etc/host.conf", SANDBOX_READ },
		{ "/etc/gai.conf", SANDBOX_READ },
		{ "/dev/urandom", SANDBOX_READ },
		{ IS_SANITIZED ? "/proc/self" : "/dev/null", SANDBOX_READ },
	};
	const struct rlimit no_files = { 0, 0 };
	const struct sandbox box = {
		.paths = resolver,
		.path_count = ARRAY_SIZE(resolver),
		.network = true,
		.allow_missing_landlock = s->allow_missing_landlock,
		.allow_missing_seccomp = s->allow_missing_seccomp,
	};

	return (setrlimit(RLIMIT_FSIZE, &no_files) == 0 ||
		error_errno(err, "cannot give up writing files")) &&
	       sandbox_enter(&box, err);
}
