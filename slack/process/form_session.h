/*
 * form_session -- a form that somebody fills in, between its pages: kept in the store, so
 * that whichever replica gets the next page knows of it. A view carries its id and nothing
 * else.
 */
#ifndef SLACK_PROCESS_FORM_SESSION_H
#define SLACK_PROCESS_FORM_SESSION_H

#include "slack/form/form.h"
#include "slack/process/front.h"

enum { FORM_SESSION_MS = 60 * 60 * 1000, FORM_ID_BYTES = 33 };

struct form_session {
	char id[FORM_ID_BYTES];
	char user[INBOUND_ID_BYTES];
	char channel[INBOUND_ID_BYTES]; /* where it was begun; "": nowhere */
	char *tool;                     /* "server.tool" */
	char *turn;                     /* that it was begun by */
	char *digest;                   /* of the tool as it was then */
	char *author;   /* whose words are in it besides; NULL: nobody's */
	json_t *values; /* so far */
	json_t *unread; /* as slack_form_keep has it; an object */
	size_t page;
};

void form_session_done(struct form_session *s);
/* A new id; the rest is the caller's to fill. */
void form_session_begin(struct form_session *s);
bool form_session_keep(struct front *f, const struct form_session *s, struct error *err);
/* ERR_NOT_FOUND: there is none, it is too old, or it is somebody else's. */
bool form_session_find(struct front *f, const char *id, const char *user,
		       struct form_session *ret, struct error *err);
void form_session_end(struct front *f, const struct form_session *s);

/* --- forms.c --- */
/* The form of its tool. ERR_CONFLICT: the tool is not what it was when the form was begun. */
struct slack_form *form_of(struct front *f, struct form_session *s, struct error *err);
json_t *form_page(const struct slack_form *form, const struct form_session *s,
		  const json_t *faults, struct error *err) _must_use_;

/* --- forms_sent.c: a form that was sent in, until gate and server have said what they make
 * of it. Whichever replica hears of it first changes the view. --- */
enum { FORM_SENT_MS = 10 * 60 * 1000 };

/* It became this approval; 'view' is open and waits. */
void form_sent(struct front *f, const char *view, const struct form_session *s,
	       const char *approval);
/* The approval is past its plan, or ended: 'record' is the gate's, and so is 'progress' (or
 * NULL), which a read that nobody is asked about shows while it runs. */
void form_heard(struct front *f, const char *approval, const json_t *record,
		const json_t *progress);
/* The form once more in its view, with what is wrong where it is. */
bool form_shown_again(struct front *f, const char *view, struct form_session *s,
		      const struct error *why, struct error *err);

#endif
