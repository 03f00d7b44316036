/*
 * handlers -- what is done about each kind of delivery: a row in handlers.c.
 *
 * Those of the first part run in a thread of 'workers', for somebody of the team, and own
 * nothing. Those of the second answer what Slack waits for, at once.
 */
#ifndef SLACK_PROCESS_HANDLERS_H
#define SLACK_PROCESS_HANDLERS_H

#include "slack/process/front.h"

/* In a worker, whoever it is of. */
void handle(struct delivery *d);
/* Somebody who may not: one sentence, and a line in the gate's log. */
void handle_stranger(const struct delivery *d, const char *why);

/* command.c: the words behind /wingman, in a mention and in a direct message. */
void command_handle(const struct delivery *d);

/* forms.c */
void form_open(const struct delivery *d, const char *tool);
/* Each may be NULL; nothing of it has been judged. */
struct form_start {
	const json_t *values; /* what it begins with */
	const json_t *faults; /* slack/form/form.h */
	const char *note;     /* likewise */
};
void form_open_with(const struct delivery *d, const char *tool,
		    const struct form_start *start);
void form_back(const struct delivery *d);
void form_on_message(const struct delivery *d); /* a shortcut, by configuration */
/* What was filled in, in *ret_ack; true: 'd' was taken over. */
bool form_submit(struct delivery *d, json_t **ret_ack, struct error *err);
/* What a menu offers, in *ret_ack. */
bool form_options(const struct delivery *d, json_t **ret_ack, struct error *err);

/* click.c */
bool click_is_one(const struct inbound *in);
void click_handle(const struct delivery *d);

/* apphome.c */
void apphome_opened(const struct delivery *d);
void apphome_stranger(const struct delivery *d);
void apphome_press(const struct delivery *d);
bool apphome_options(const struct delivery *d, json_t **ret_ack, struct error *err);
/* Something changed for these persons: draw anew for those who have looked at it lately. */
/* In the loop: an event of the gate's that says what changed. */
void apphome_heard(struct front *f, const json_t *event);
void apphome_changed(struct front *f, const char *user);

#endif
