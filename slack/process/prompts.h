/*
 * prompts -- what the gate asks people, put before them, kept true, and closed.
 *
 * The gate's record says what is the case and where its prompt stands; here is only what
 * leads there. prompts_look asks for the record and does what is not done yet: it posts
 * what is pending, has a message say what became of it, posts what came out, and may be called as
 * often as anybody likes. One replica at a time has an approval (its name in the store, for
 * half a minute, renewed), so that nothing is posted twice and no old state overwrites a new
 * one; another takes over where that one fell.
 *
 * A prompt counts once the gate knows where it stands (slack_posted), and a message that took
 * longer than a minute to get through is drawn anew first.
 */
#ifndef SLACK_PROCESS_PROMPTS_H
#define SLACK_PROCESS_PROMPTS_H

#include "slack/process/front.h"

enum {
	PROMPTS_OURS_MS = 25 * 1000,
	PROMPTS_EVERY_MS = 10 * 1000,   /* what is open is looked at so often */
	PROMPTS_STILL_MS = 30 * 1000,   /* what runs that long is said to, so often */
	PROMPTS_PROGRESS_MS = 3 * 1000, /* how far it is is told no more often */
	PROMPTS_POSTS_MAX = 32,         /* messages of one prompt; the gate's limit */
	PROMPTS_TOLD_MAX = 10,          /* approvers who are told of one prompt */
};

/* An approval's record and where it goes, as the gate says it. */
struct prompt_look {
	struct front *front;
	const char *approval;
	const json_t *record, *to, *prompt;
	const json_t *progress; /* NULL: nothing is known */
	const char *state;
};

/* True: it is as it should be, or will be by the outbox. False: somebody else has it, or
 * it failed, which is logged. Any thread that may wait. */
bool prompts_look(struct front *f, const char *approval);

/* All that is open, and what ended and nobody has heard of. A job for 'workers'. */
void prompts_sweep(void *front);
/* An event or a notice of the gate: {approval} or {notice}. A job; frees its argument. */
struct prompt_heard {
	struct front *front;
	json_t *message;
};
void prompts_heard(void *heard);

/* As the outbox tells. */
void prompts_told(void *front, const struct outbox_said *said);

/* The prompt, in the direct messages of who pressed. */
void prompts_bring(const struct delivery *d, const char *approval);

/* --- prompts_post.c --- */
bool prompts_post(const struct prompt_look *l, struct error *err);
/* It stands there, or does not; draws it anew if it took too long. */
struct prompt_said {
	struct front *front;
	char *approval, *target, *channel, *ts;
	bool ok;
};
void prompts_said(void *said);
/* Where messages of this approval stand, as far as gate and we know: [{channel, ts,
 * read_along}]. New. */
json_t *prompts_places(const struct prompt_look *l, struct error *err) _must_use_;
/* It is over, and every message is certain to say so: what is kept of them goes. */
bool prompts_forget(const struct prompt_look *l, struct error *err);

/* --- prompts_words.c --- */
/* What became of it, in a sentence a line; 'progress' as the gate has it (gate/messages.h),
 * or NULL. New string. */
char *prompts_how(const json_t *record, const json_t *progress,
		  int64_t now_ms) _must_use_;
/* How long its server has had it; 0: it has not, or it has ended. */
int64_t prompts_ran_ms(const json_t *record, int64_t now_ms);
/* Whether a press may stop it yet, as far as we know: the gate judges, and its server's burn
 * decides. Once that was asked for there is nothing more to press. */
bool prompts_may_stop(const json_t *record, int64_t now_ms);

/* --- results.c --- */
/* What came out, under the prompt; where none ever stood, told to who asked. 'places' as
 * prompts_places has them. */
bool results_post(const struct prompt_look *l, const json_t *places, struct error *err);
/* Its pages, to whoever the approval concerns. */
/* What its server says later, below it. 'notice' has 'id' and 'news'. */
bool results_news(const struct prompt_look *l, const json_t *places, const json_t *notice,
		  struct error *err);
bool results_is_press(const char *action);
void results_press(const struct delivery *d);

/* --- picks.c --- */
/* Where several persons could be meant: who they are, and a button for each; '*ret' NULL:
 * there is nothing to pick. New. */
bool picks_message(const json_t *record, json_t **ret, struct error *err);
bool picks_is_press(const char *action);
/* It is proposed anew, in the name of who asked first and nobody else. */
void picks_press(const struct delivery *d);

/* --- steps.c --- */
/* Where a playbook was read whose steps suggest calls: these, and a button for each; '*ret'
 * NULL: there are none. New. */
bool steps_message(const json_t *record, json_t **ret, struct error *err);
bool steps_is_press(const char *action);
/* The form of that tool opens, begun with what the page suggests; no more. */
void steps_press(const struct delivery *d);

#endif
