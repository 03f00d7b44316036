/* One answer that is being shown; see talks_private.h. */
#ifndef SLACK_PROCESS_ANSWER_PRIVATE_H
#define SLACK_PROCESS_ANSWER_PRIVATE_H

#include "slack/markdown/stream.h"
#include "slack/process/talks_private.h"

enum {
	ANSWERS_MAX = 256,                /* that are not whole in Slack yet */
	ANSWER_UNTIL_MS = 10 * 60 * 1000, /* then a step is not shown any more */
	ANSWER_NO_STREAM_MS = 3600 * 1000,
};

enum answer_mode {
	ANSWER_ASKS, /* whether Slack streams here is not known yet */
	ANSWER_STREAMS,
	ANSWER_EDITS,
};

/* The calls that make one message: start, append, ..., stop; or post, change, ... */
enum answer_call {
	ANSWER_START,
	ANSWER_APPEND,
	ANSWER_STOP,
	ANSWER_WHOLE, /* everything again, where a step may have been lost */
	ANSWER_POST,
	ANSWER_CHANGE,
	ANSWER_CALLS,
};

struct answer {
	struct answer *next;
	struct talks *talks;
	char id[DIGEST_HEX_BYTES];
	char chat[TALKS_ID_BYTES];
	struct talks_place place;
	json_t *people; /* owned */
	struct slack_markdown how;
	struct slack_stream *stream;
	enum answer_mode mode;
	size_t number;  /* of its messages, the last */
	json_t *blocks; /* that the last one has, or will; owned */
	json_t *held;   /* of the next one, until the last is closed */
	unsigned changes;
	bool is_open; /* the last one is in Slack's stream */
	bool is_lost; /* of the last one something may be missing */
	bool is_busy; /* this call is under way */
	enum answer_call under_way;
	bool is_kept;   /* for a restart to find */
	bool is_silent; /* nothing more is to be said */
	int64_t last_ms;
	struct loop_source *timer;
};

/* A call for a worker; owns everything. */
struct answer_step {
	struct talks *talks;
	char id[DIGEST_HEX_BYTES];
	struct talks_place place;
	size_t number;
	enum answer_call call;
	unsigned change;
	bool is_last; /* of the answer */
	bool is_kept; /* so that a restart finds it */
	json_t *arguments;
	/* What came of it: it is to go no further; it is so of this conversation alone. */
	bool ok, is_stopped, is_local;
};

/* answer_put.c. Into the outbox, in a worker; how it ends comes to 'answer_stepped', in the
 * loop, which frees it. Steals; NULL: there was no memory. */
bool answer_put(struct answer_step *s);
void answer_step_free(struct answer_step *s);
/* A restart need not close it any more. */
void answer_forget(const struct answer *a);
void answer_stepped(void *step);

#endif
