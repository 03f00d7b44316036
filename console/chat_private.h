/*
 * chat_private -- what the two halves of 'wingman chat' share: the conversation (chat.c), and
 * what comes of it at the gate (chat_gate.c).
 */
#ifndef CONSOLE_CHAT_PRIVATE_H
#define CONSOLE_CHAT_PRIVATE_H

#include "assistant/host/talk.h"
#include "console/console.h"
#include "console/editor.h"
#include "console/gate_link.h"

enum { CHAT_DECISIONS_MAX = 64 };

struct chat {
	struct console *console;
	struct gate_link *gate;
	struct assistant_settings settings;
	struct loop *loop;
	struct documents *store;
	struct memory *memory;
	struct budget *budget;
	struct host *host;
	struct talk *talk;
	struct editor *editor;
	json_t *house_notes, *team_notes;
	char *worker, *egress, *log_path;
	char *to_decide[CHAT_DECISIONS_MAX]; /* approvals, in their order */
	size_t decision_count;
	struct strbuf held; /* of an answer, until a mention in it is whole */
	bool is_speaking;   /* in the middle of an answer */
	bool is_broken_off; /* the turn that runs, and that was said */
	int status;
};

/* End the line that is being said. */
void chat_end_line(struct chat *x);
/* Ctrl-C: the turn is broken off, and that is said. */
void chat_interrupted(struct chat *x);

/* chat_gate.c: hooks of the talk. */
void chat_on_propose(void *chat, int64_t number, json_t *members);
void chat_on_read(void *chat, int64_t number, const char *uri);
/* Whatever was decided elsewhere meanwhile. */
void chat_look_at_open(struct chat *x);
/* Ask the person about what was proposed, one after the other. */
void chat_decide_all(struct chat *x);

#endif
