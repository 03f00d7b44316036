/*
 * keeper_context -- reading for conversations, and what of it the gate remembers.
 */
#ifndef GATE_KEEPER_CONTEXT_H
#define GATE_KEEPER_CONTEXT_H

#include "gate/keeper.h"
#include "gate/provenance.h"

json_t *keeper_on_context(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err);
bool keeper_on_fetched(struct keeper *k, const struct fields *f, struct error *err);
void keeper_reads_tick(struct keeper *k);
/* Nobody waits for what this peer asked. */
void keeper_reads_forget_peer(struct keeper *k, const struct peer *p);
void keeper_reads_free(struct keeper *k);

/* Add what was read under this id, or what this call gave, if it was for this person and
 * is still known; nothing otherwise. */
bool keeper_reads_add(struct keeper *k, const char *person, const char *id,
		      struct provenance *p, struct error *err);
bool keeper_calls_add(struct keeper *k, const char *person, const char *approval,
		      struct provenance *p, struct error *err);

/* [{server, uri, description}]: what may be read; new reference. */
json_t *keeper_context_json(const struct keeper *k) _must_use_;

#endif
