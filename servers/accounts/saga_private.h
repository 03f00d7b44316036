/*
 * saga_private -- what saga.c and saga_work.c share.
 */
#ifndef ACCOUNTS_SAGA_PRIVATE_H
#define ACCOUNTS_SAGA_PRIVATE_H

#include "servers/accounts/saga.h"

#define SAGAS "sagas"

enum { SAGAS_OPEN_MAX = 1000 };

void saga_point(const struct saga_env *env, const char *where);
/* Whether the member is this text; 'wanted' NULL: never. */
bool saga_text_is(const json_t *object, const char *member, const char *wanted);
/* The account that a step is about; borrowed. */
const json_t *saga_account(const json_t *saga, const json_t *step);
/* Steals 'value', also NULL, which is out of memory. */
bool saga_set(json_t *object, const char *member, json_t *value, struct error *err);
/* Durable when true; 'state' follows from the steps. */
bool saga_save(const struct saga_env *env, json_t *saga, struct error *err);

/* Where no step is open any more: what those who approved it are to hear is on record
 * (news.h). In saga_news.c. */
bool saga_tell_settled(const struct saga_env *env, const json_t *saga, struct error *err);

/* In saga_account.c: what our records say of each account before its steps begin, and
 * after they ended. Both may be repeated. */
bool saga_open_account(const struct saga_env *env, const json_t *saga, json_t *account,
		       struct error *err);
bool saga_close_account(const struct saga_env *env, const json_t *saga, json_t *account,
			struct error *err);

#endif
