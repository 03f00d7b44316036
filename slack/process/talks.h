/*
 * talks -- conversations with the assistant, in Slack.
 *
 * What somebody of the team says to us, in a mention or a direct message, and which is none
 * of our words, goes to a talk (assistant/host/talk.h) of its thread. Its loop is the main
 * thread's; whatever waits (the gate, Slack) is done by 'workers', and comes back to the
 * loop. The assistant's words stand in messages of their own, never with a button of ours
 * that does anything, and are shown while they come, as far as slack/markdown.h lets them;
 * prompts are drawn as the gate says, by prompts.h, like all others. Where anybody
 * from outside the team reads, it says nothing.
 *
 * Without config/assistant.yaml there is none, and nothing changes.
 */
#ifndef SLACK_PROCESS_TALKS_H
#define SLACK_PROCESS_TALKS_H

#include "slack/process/front.h"

enum {
	TALKS_MAX = 64, /* threads that are in memory; all are in the store (memory.h) */
};

struct talks;

/* Before the sandbox and any thread: what is configured, and who starts its programs.
 * '*ret' NULL and true: there is no assistant. */
bool talks_prepare(struct front *f, struct talks **ret, struct error *err);
/* Once loop and stores are there. */
bool talks_open(struct talks *t, struct error *err);
/* After the loop has stopped and 'workers' have ended. */
void talks_free(struct talks *t);

/* Say it to the assistant; in a worker. */
void talks_said(struct talks *t, const struct delivery *d);
/* Forget what was said in the thread of this, or where there is none in its whole channel;
 * '*ret_count': how many conversations. In a worker. */
bool talks_forget(struct talks *t, const struct delivery *d, size_t *ret_count,
		  struct error *err);
/* Slack's button that stops it was pressed; in a worker. What waits for a decision goes on
 * waiting: it has buttons of its own. */
void talks_stopped(struct talks *t, const struct delivery *d);
/* Somebody opened the conversation with us: what may be asked; in a worker. */
void talks_opened(struct talks *t, const struct delivery *d);
/* What came of something that was to be said, whose key begins with "answer/". */
void talks_told(struct talks *t, const struct outbox_said *said);
/* An event of the gate; in the loop. */
void talks_heard(struct talks *t, const json_t *event);

#endif
