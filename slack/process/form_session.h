/*
 * form_session -- a form that somebody fills in, between its pages: kept in the store, so
 * that whichever replica gets the next page knows of it. A view carries its id and nothing
 * else.
 */
#ifndef SLACK_PROCESS_FORM_SESSION_H
#define SLACK_PROCESS_FORM_SESSION_H

#include "slack/process/front.h"

enum { FORM_SESSION_MS = 60 * 60 * 1000, FORM_ID_BYTES = 33 };

struct form_session {
	char id[FORM_ID_BYTES];
	char user[INBOUND_ID_BYTES];
	char channel[INBOUND_ID_BYTES]; /* where it was begun; "": nowhere */
	char *tool;                     /* "server.tool" */
	char *turn;                     /* that it was begun by */
	char *author;   /* whose words are in it besides; NULL: nobody's */
	json_t *values; /* so far */
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

#endif
