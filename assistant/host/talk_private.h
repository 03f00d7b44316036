/*
 * talk_private -- what the files of a talk share: turns, proposals, reads, who is who.
 */
#ifndef ASSISTANT_HOST_TALK_PRIVATE_H
#define ASSISTANT_HOST_TALK_PRIVATE_H

#include "assistant/host/talk.h"

enum {
	TALK_READS_OPEN = ASSISTANT_READS_MAX,
	TALK_LOOKUPS_KEPT = 32,        /* ids of the gate's, for where names come from */
	TALK_PEOPLE_BYTES = 32 * 1024, /* of who is who, in one turn */
};

/* A read that the surface is at. */
struct talk_reading {
	int64_t number; /* 0: free */
	int64_t read;   /* the worker's */
	int64_t serial;
	bool is_lookup; /* ours, before the turn: of a person */
	bool is_asker;  /* of who asks */
	char uri[ASSISTANT_URI_MAX + 1];
	json_t *how; /* {uri} or {template, values}: as the model asked for it */
	char query[PEOPLE_QUERY_MAX + 1];
};

struct talk {
	struct talk_options o;
	struct talk_hooks hooks;
	void *context;
	struct conversation conversation;
	json_t *tools, *sources, *thread;
	struct host_turn *turn;
	struct loop_source *later; /* begins the next turn, or frees the last */
	int64_t serial;            /* of the turn */
	int64_t last_number;
	char *asker;
	struct strbuf answer; /* that is being given */
	bool wants_turn, is_over;
	/* Who is who, asked before a turn begins. */
	bool is_looking;
	bool is_stopped; /* while it looked: no turn begins when that is over */
	size_t lookups_open;
	json_t *mentioned;  /* [{said, found}] */
	json_t *lookup_ids; /* of the gate, the newest last */
	json_t *self;       /* what the people server says of 'self_of' */
	char *self_of;
	struct talk_reading reads[TALK_READS_OPEN];
};

/* What was said is kept, where anything is. */
void talk_keep(struct talk *t);

/* --- talk_turn.c --- */

/* Have the next turn begin, if one is wanted and none runs. */
void talk_begin(struct talk *t);
/* Everybody was looked up: begin it now. */
void talk_start(struct talk *t);
/* Stopped before it began. */
void talk_not_started(struct talk *t);

/* --- talk_propose.c --- */
void talk_on_propose(void *context, int64_t number, const json_t *calls, bool together);

/* --- talk_read.c --- */
void talk_on_read(void *context, int64_t read, const char *uri, const char *pattern,
		  const json_t *values);
bool talk_is_offered(const struct talk *t, const char *pattern);
/* A free one, with its number; NULL: too many are open. */
struct talk_reading *talk_new_reading(struct talk *t);
void talk_forget_reads(struct talk *t);

/* --- talk_people.c --- */

/* Ask who is who; talk_start follows, at once or when all has been answered. */
void talk_look_up(struct talk *t);
void talk_take_lookup(struct talk *t, const struct talk_reading *r, const char *id,
		      const char *text, bool is_cut);
/* Put down in the conversation who asks and is mentioned, unless it stands there last. */
bool talk_note_people(struct talk *t) _must_use_;

#endif
