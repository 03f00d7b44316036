/* What reading the kinds of requests has in common; private to inbound*.c. */
#ifndef SLACK_INBOUND_PRIVATE_H
#define SLACK_INBOUND_PRIVATE_H

#include "slack/inbound/inbound.h"

/* Copy a member; false and "" where it is absent, too long or has other characters than
 * an id's (letters, digits, "._-"), or, of a word, than printable ASCII without spaces. */
bool inbound_id(char *to, size_t size, const json_t *object, const char *member);
bool inbound_word(char *to, size_t size, const json_t *object, const char *member);

bool inbound_begin(struct inbound *ret, struct error *err);
bool inbound_is_ours(const char *team, const struct inbound_self *self);
/* ERR_PERMISSION_DENIED unless 'in->team' is one of ours and the app ('member' of 'object')
 * is; an app that is not named is taken only where Slack names none. */
bool inbound_check(const struct inbound *in, const json_t *object, bool names_app,
		   const struct inbound_self *self, struct error *err);

/* 'in->response_url', where it is one that may be called. */
void inbound_take_response(struct inbound *in, const json_t *from,
			   const struct inbound_self *self);

/* It is not for us. 'why' is static. */
bool inbound_nothing(struct inbound *in, const char *why);
bool inbound_refuse(struct error *err, const char *why);

/* Owned texts: replaced by a copy. */
bool inbound_text(char **text, const char *with, struct error *err);
/* 'in->text' from a message; nothing of one that is too long. */
bool inbound_take_text(struct inbound *in, const json_t *message, const char *without,
		       struct error *err);

#endif
