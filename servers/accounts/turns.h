/*
 * turns -- changes of one account come one after the other, whoever makes them.
 *
 * A call and the end of a block may want the same account at the same moment; our
 * record and its system's lock are two things, and only change together while the
 * turn is held. Different accounts rarely wait for each other.
 */
#ifndef ACCOUNTS_TURNS_H
#define ACCOUNTS_TURNS_H

#include <pthread.h>

#include "base/cleanup.h"

enum { TURNS = 16 };

struct turns {
	pthread_mutex_t of[TURNS];
};

void turns_init(struct turns *t);
void turns_done(struct turns *t);

/* Waits. _cleanup_(turn_end) const struct turn: held to the end of the scope. */
struct turn {
	pthread_mutex_t *held;
};
struct turn turn_take(struct turns *t, const char *system, const char *id) _must_use_;
void turn_end(const struct turn *turn);

#endif
