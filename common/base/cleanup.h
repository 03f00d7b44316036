/*
 * cleanup -- resources end with their scope.
 *
 * '_cleanup_(fn)' runs 'fn' on the address of the variable when it leaves
 * scope; DEFINE_CLEANUP(type, fn) makes such an 'fnp' out of a destructor that
 * accepts NULL. TAKE hands a pointer on and leaves NULL behind, so that moving
 * ownership is visible at the spot. Lowest of all headers: includes nothing of ours.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/banned.h"

#define _cleanup_(fn)       __attribute__((cleanup(fn)))
#define _must_use_          __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

#define TAKE(p)                                                                          \
	__extension__({                                                                  \
		__auto_type take_ = (p);                                                 \
		(p) = NULL;                                                              \
		take_;                                                                   \
	})

#define TAKE_FD(fd)                                                                      \
	__extension__({                                                                  \
		int take_ = (fd);                                                        \
		(fd) = -1;                                                               \
		take_;                                                                   \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define DEFINE_CLEANUP(type, fn)                                                         \
	static inline void fn##p(type **p)                                               \
	{                                                                                \
		if (*p)                                                                  \
			fn(*p);                                                          \
	}                                                                                \
	struct cleanup_semicolon_

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define _cleanup_free_  _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

#endif
