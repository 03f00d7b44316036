/*
 * world_private -- what a world in this process (world.c) and one of processes (whole.c)
 * share: everything on disk.
 */
#ifndef TESTS_REPLAY_WORLD_PRIVATE_H
#define TESTS_REPLAY_WORLD_PRIVATE_H

#include "replay/world.h"

enum { WORLD_URL_BYTES = 128 };

void world_url(const struct world *w, const char *server,
	       char ret[static WORLD_URL_BYTES]);
bool world_make_folder(struct world *w, struct error *err);
void world_remove_folder(const struct world *w);
/* Mode 0600; 'name' is below the folder. */
bool world_write_file(const struct world *w, const char *name, const struct strbuf *text,
		      struct error *err);
/* As people accepted the tools once. Nobody else may have the store open. */
bool world_pin(const struct world *w, struct error *err);

#endif
