/*
 * talks_private -- what the parts of conversations in Slack share; see talks.h.
 *
 *   talks.c         life: configuration, programs, stores
 *   talks_said.c    somebody says something; a stop; the agent view is opened
 *   talks_memory.c  what was said before, and forgetting it
 *   talks_thread.c  what others wrote in the thread, where it is allowed
 *   talks_gate.c    what the assistant proposes and reads, and what became of it
 *   answer.c        its words, shown while they come
 *   talks_status.c  what Slack shows beside a thread: thinking, waiting
 */
#ifndef SLACK_PROCESS_TALKS_PRIVATE_H
#define SLACK_PROCESS_TALKS_PRIVATE_H

#include "assistant/config.h"
#include "assistant/host/launcher.h"
#include "assistant/host/memory.h"
#include "assistant/host/talk.h"
#include "slack/process/talks.h"

enum { TALKS_ID_BYTES = INBOUND_ID_BYTES + INBOUND_TS_BYTES + 1 };

/* What is shown beside a thread. */
enum chat_status { CHAT_IDLE, CHAT_THINKS, CHAT_WAITS };

/* Where something is said, and to whom. */
struct talks_place {
	char channel[INBOUND_ID_BYTES], thread[INBOUND_TS_BYTES];
	char user[INBOUND_ID_BYTES]; /* who asked */
};

/* One thread's; of the loop alone. */
struct chat {
	struct chat *next;
	struct talks *talks;
	char id[TALKS_ID_BYTES];
	struct talks_place place;
	char *turn; /* the gate's, of what was said last */
	int64_t people, used_ms;
	struct talk *talk;
	struct answer *answer; /* that is being given; borrowed from the talks' */
	struct strbuf reads;
	enum chat_status status;
	int64_t status_ms; /* mono: when it was told last */
	bool is_named;     /* its session has a title */
};

struct talks {
	struct front *front;
	struct assistant_settings settings;
	struct launcher *launcher;
	struct budget *budget;
	struct host *host;
	struct memory *memory;
	json_t *house_notes, *team_notes;
	char *worker, *egress, *log_path;
	char *worker_socket, *egress_socket; /* in place of those */
	struct chat *chats;
	size_t count;
	struct answer *answers; /* the oldest first; of the loop */
	int64_t no_stream_ms;   /* mono: until then none is tried; of the loop */
	struct loop_source *ticker;
	/* Mono: until then the workspace has no such thing. Any thread. */
	atomic_llong no_status_ms, no_session_ms, no_prompts_ms;
};

/* Something for a worker, and what came of it for the loop: it owns everything. */
struct job {
	struct talks *talks;
	char id[TALKS_ID_BYTES];
	struct talks_place place;
	char principal[129];
	char *turn, *text, *approval;
	int64_t number, people;
	enum chat_status status;
	json_t *message, *tools, *kept, *thread;
	bool is_forgetful; /* the store could not be asked */
	bool is_told;      /* of the end: by another process */
	struct error err;
	loop_callback *then;
};
void talks_job_free(struct job *j);
DEFINE_CLEANUP(struct job, talks_job_free);
struct job *talks_job_new(const struct chat *c) _must_use_;
/* Steals 'j', which may be NULL. */
bool talks_submit(struct job *j, workers_function *fn);
/* From a worker to the loop, by 'then'. Steals. */
void talks_back(struct job *j);
struct chat *talks_find(const struct talks *t, const char *id);
bool talks_has_outsiders(const struct talks *t, const char *channel);

/* talks_said.c */
void talks_free_chats(struct talks *t);

/* talks_gate.c: hooks of the talk. */
void talks_on_propose(void *chat, int64_t number, json_t *members);
void talks_on_read(void *chat, int64_t number, const char *uri);
void talks_look_at(const struct chat *c, const char *approval);

/* talks_memory.c */
bool talks_open_memory(struct talks *t, struct error *err);
/* What was said before; in a worker. A store that is down only makes us forgetful. */
void talks_remember(struct job *j);
/* Words of ours for that. */
extern const char talks_forgetful[];
/* Several processes may have the conversation: whether another one tells people how this
 * ended. In a worker. */
bool talks_is_told_elsewhere(const struct front *f, const char *approval);

/* talks_thread.c: into 'thread', if it may be read; in a worker. */
void talks_read_thread(struct job *j, const struct delivery *d);

/* talks_status.c; all of it is only for show, and what fails is not said again for a while. */
void talks_show(struct chat *c, enum chat_status status);
/* What it should be now, whoever asks how often. */
void talks_show_now(struct chat *c);
void talks_tick(void *talks);

/*
 * answer.c. Text is shown while it comes, in Slack's streams or, where the workspace has
 * none, by changing a message now and then; by way of the outbox one step at a time, in
 * the order in which it came. A step that may have been lost is made good at the end of its
 * message, by a change of the whole. What a restart broke off is closed, and told so.
 */
void answer_say(struct chat *c, const char *text, bool final);
/* Words of ours, behind what is being said. */
void answer_words(struct chat *c, const char *words);
#define ANSWER_PREFIX "answer/" /* of keys of the outbox */
/* What an earlier process left open. */
bool answers_recover(struct talks *t, struct error *err);
void answers_free(struct talks *t);

#endif
