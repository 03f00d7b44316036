/*
 * account -- what a source says of one account, as a list of fields in one piece of memory.
 *
 * The form in which accounts are kept, compared and read: one byte that says the field,
 * its text, a NUL, and so on. Sources write it with account_add, which takes what
 * strangers wrote in directories: text that is no UTF-8, has control, invisible or
 * direction characters, or is overlong is left out and leaves the flag "odd-values", a
 * list that is too long is cut and leaves the flag "cut". Nothing is ever shortened to
 * something that it is not.
 */
#ifndef PEOPLE_ACCOUNT_H
#define PEOPLE_ACCOUNT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "servers/people/system.h"

enum {
	ACCOUNT_TEXT_MAX = 512,  /* bytes of a value */
	ACCOUNT_NAME_MAX = 256,  /* of a name */
	ACCOUNT_VALUES_MAX = 32, /* of one field */
	ACCOUNT_GROUPS_MAX = 200,
	ACCOUNT_KEY_MAX = 200,
};

enum account_field {
	ACCOUNT_ID = 'i',    /* never given to another account: entryUUID, Okta's id */
	ACCOUNT_LOGIN = 'u', /* uid, login or handle */
	ACCOUNT_DN = 'd',    /* of LDAP */
	ACCOUNT_MAIL = 'm',  /* the system vouches for it; the first is the main one */
	ACCOUNT_OTHER_MAIL = 'o', /* it does not */
	ACCOUNT_NAME = 'n',       /* whole names, the best first */
	ACCOUNT_GIVEN = 'g',
	ACCOUNT_SURNAME = 's',
	ACCOUNT_NICKNAME = 'k',
	ACCOUNT_FORMER = 'f',
	ACCOUNT_DISPLAY = 'y', /* what they call themselves there */
	ACCOUNT_GROUP = 'G',
	ACCOUNT_NUMBER = 'e', /* of the employee */
	ACCOUNT_CLAIM = 'c',  /* "github:login": whose account that is, says this one's */
	ACCOUNT_STATUS = 't', /* in the system's own word */
	ACCOUNT_KIND = 'K',   /* employee, contractor or service */
	ACCOUNT_FLAG = 'F',
	ACCOUNT_PERSON = 'P',    /* says a file: the person's id */
	ACCOUNT_CLOSED = 'x',    /* "1": it is gone, or its person left */
	ACCOUNT_SUSPENDED = 'z', /* "1" */
	ACCOUNT_NICKNAMES_SAID =
		'N', /* "1": the source lists nicknames, so none is guessed */
};

/* One that is being written. */
struct account {
	enum people_system system;
	char key[ACCOUNT_KEY_MAX + 1]; /* in its source; "" when it has none to go by */
	struct strbuf fields;
	size_t counts[128];
	bool is_odd, is_cut;
};
#define ACCOUNT_INIT                                                                     \
	{                                                                                \
		.fields = STRBUF_INIT                                                    \
	}
void account_begin(struct account *a, enum people_system system);
void account_done(struct account *a);
/* The key, made of an id: bytes that have no place in one become "~XX". */
void account_set_key(struct account *a, const char *id);
/* NULL and "" add nothing. */
void account_add(struct account *a, enum account_field field, const char *value);
/* Its flags as fields, too. False without memory. */
bool account_finish(struct account *a, struct error *err);

/* Reading: 'fields' is what account_finish left, or what was kept of it. */
struct account_fields {
	const char *at, *end;
	enum account_field field; /* of the value that account_next returned */
};
static inline struct account_fields account_read(const char *fields, size_t length)
{
	return (struct account_fields){ .at = fields, .end = fields + length };
}
/* The next value, or NULL at the end (and where something is damaged). Borrowed. */
const char *account_next(struct account_fields *f);
/* The first of a field, or NULL. */
const char *account_get(const char *fields, size_t length, enum account_field field);

#endif
