/*
 * library -- one of the system's libraries, loaded when something first needs it.
 *
 * A few libraries are large, bring a dozen others along, and serve what only some
 * configurations ask for; to be linked with them costs every program time at its start
 * and memory for as long as it runs. Beside the code that calls such a library stands
 * one file, '..._late.c', which defines the functions that are used under their own
 * names and passes each call on; one that is missing there does not link. The callers
 * include the library's own header, as ever; whoever makes the first object of the kind
 * says library_need before. A program that is about to enter a sandbox does that while
 * all of the system can still be read.
 *
 * A library is found by its soname as the dynamic linker finds those a program is linked
 * with, no other way, and stays. Any number of threads.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"

/* 'to' is the address of a pointer to a function of the right type. */
struct library_function {
	const char *name;
	void *to;
};

/* Static, and changed by library_need alone. */
struct library {
	const char *soname;
	const struct library_function *functions;
	size_t count;
	pthread_mutex_t lock;
	atomic_bool is_loaded;
};
#define LIBRARY(name, rows)                                                              \
	{                                                                                \
		.soname = (name), .functions = (rows), .count = ARRAY_SIZE(rows),        \
		.lock = PTHREAD_MUTEX_INITIALIZER                                        \
	}

static inline bool library_is_loaded(struct library *l)
{
	return atomic_load_explicit(&l->is_loaded, memory_order_acquire);
}

/* Once is enough; again costs nothing. ERR_INTERNAL says what is not there. */
bool library_need(struct library *l, struct error *err);

#endif
