/*
 * keeper_pick -- of several whom a server named, who asked picks one: the same call anew.
 *
 * What the call was, whose words stand in it and where they came from is taken from the
 * record of the one that was refused, never from whoever carries the choice; and only what
 * its server offered can be picked.
 */
#ifndef GATE_KEEPER_PICK_H
#define GATE_KEEPER_PICK_H

#include "gate/keeper.h"

struct keeper_pick {
	json_t *record;     /* of the refused one */
	json_t *arguments;  /* its arguments, the choice over them */
	json_t *provenance; /* NULL: nothing of it is traced */
	const char *server, *tool;
	const json_t *words_from; /* NULL: of nobody else */
	bool is_assistants;
};
void keeper_pick_done(struct keeper_pick *p);

/* 'person' picks 'choice' for 'approval', which they asked for. */
bool keeper_pick(struct keeper *k, const char *approval, const json_t *choice,
		 const char *person, struct keeper_pick *ret, struct error *err);

#endif
