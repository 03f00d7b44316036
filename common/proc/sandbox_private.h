/* sandbox_private -- the two halves of sandbox.h: paths (Landlock) and calls (seccomp). */
#ifndef PROC_SANDBOX_PRIVATE_H
#define PROC_SANDBOX_PRIVATE_H

#include "proc/sandbox.h"

/* '*ret_missing': the kernel has no such feature; then nothing was done and 'err' is set. */
bool sandbox_limit_paths(const struct sandbox *s, bool *ret_missing, struct error *err);
bool sandbox_limit_calls(const struct sandbox *s, bool *ret_missing, struct error *err);

/* Sanitizers look for leaks at exit by tracing their own process: builds with them, which
 * are for tests alone, leave that much open. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_TRACEABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_TRACEABLE 1
#endif
#endif
#ifndef SANDBOX_TRACEABLE
#define SANDBOX_TRACEABLE 0
#endif
/* The thread sanitizer has a thread of its own from the start. */
#if defined(__SANITIZE_THREAD__)
#define SANDBOX_HAS_HELPER 1
#else
#define SANDBOX_HAS_HELPER 0
#endif

#endif
