/*
 * copy -- a text whose length has been checked into an array of fixed size.
 *
 * Private to guard. Cuts rather than overflows should a check be missing.
 */
#ifndef GUARD_COPY_H
#define GUARD_COPY_H

#include "base/cleanup.h"

#define COPY(to, from) ((void)snprintf((to), sizeof(to), "%s", (from)))

#endif
