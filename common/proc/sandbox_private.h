/* sandbox_private -- the two halves of sandbox.h: paths (Landlock) and calls (seccomp). */
#ifndef PROC_SANDBOX_PRIVATE_H
#define PROC_SANDBOX_PRIVATE_H

#include "proc/sandbox.h"

/* '*ret_missing': the kernel has no such feature; then nothing was done and 'err' is set. */
bool sandbox_limit_paths(const struct sandbox *s, bool *ret_missing, struct error *err);
bool sandbox_limit_calls(const struct sandbox *s, bool *ret_missing, struct error *err);

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SANDBOX_HAS_HELPER 1 /* the sanitizer has a thread of its own from the start */
#else
#define SANDBOX_HAS_HELPER 0
#endif
/* Sanitizers look for leaks at exit by tracing their own process: builds with them, which
 * are for tests alone, leave that much open. */
#if SANDBOX_HAS_HELPER || defined(__SANITIZE_ADDRESS__) ||                               \
	__has_feature(address_sanitizer)
#define SANDBOX_TRACEABLE 1
#else
#define SANDBOX_TRACEABLE 0
#endif

#endif
