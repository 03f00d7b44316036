/*
 * surface -- Slack as a replay has it: what is posted there, and what people press.
 *
 * Posts what slack/render makes of each prompt that the gate puts up, checks that nothing
 * in it is alive, tells the gate where it stands, and turns a press into the raw request
 * that Slack would send, made of the button that was posted; which the gate's keeper judges
 * from its bytes. What does not fit into a message is paged through first.
 */
#ifndef TESTS_REPLAY_SURFACE_H
#define TESTS_REPLAY_SURFACE_H

#include "replay/world.h"

enum { SURFACE_PROMPTS_MAX = 256 };

struct posted {
	char approval[RECORD_ID_BYTES];
	char channel[65], message_ts[33];
	char value[160], metadata[160]; /* of the approve button; where it stands */
	int64_t at_ms;
	size_t pages;
	bool in_message; /* the message itself can approve */
	json_t *prompt;
	json_t *blocks;    /* of the message; NULL: it was not drawn */
	json_t *last_page; /* of the review that was opened last, its blocks */
};

struct surface {
	struct world *world;
	char channel[65]; /* of the conversation */
	struct posted prompts[SURFACE_PROMPTS_MAX];
	size_t count;
	struct strbuf shown;  /* what all prompts say, in Slack */
	struct strbuf drawn;  /* and on a terminal */
	struct strbuf faults; /* what was alive, or not to be read back; "" */
	json_t *words;        /* messages that are no prompts */
	/* The last request, to send again. */
	struct strbuf body;
	char timestamp[24], signature[80];
	unsigned presses;
};

bool surface_open(struct surface *s, struct world *w, const char *channel,
		  struct error *err);
void surface_close(struct surface *s);

/* Post the prompt of this approval if it has one and it was not posted yet. */
void surface_post(struct surface *s, const char *approval);
/* Words of "assistant", "server" or "requester". */
void surface_say(struct surface *s, const char *by, const char *text);

/* A person presses: 'event' as in the records, 'approval' of its call ("" if none). */
void surface_click(struct surface *s, const json_t *event, const char *approval);
void surface_repeat_last(struct surface *s);

/* The words that people have read as warnings: names of flags in any prompt. */
bool surface_has_flag(const struct surface *s, const char *flag);
/* The same of a text within a warning. */
bool surface_has_warning(const struct surface *s, const char *text);

#endif
