/*
 * testing_index -- accounts written as text, for tests: "ldap adam m=adam@x n=Adam Smith",
 * fields divided by '|' after the key.
 */
#ifndef PEOPLE_TESTING_INDEX_H
#define PEOPLE_TESTING_INDEX_H

#include "base/testing.h"
#include "servers/people/index.h"

/* One account of such a row, with 'row' for its number. */
static inline void testing_index_add(struct index_builder *b, const char *text,
				     uint32_t row)
{
	char copy[1024], *save = NULL;
	struct account a = ACCOUNT_INIT;
	struct error err = ERROR_INIT;
	enum people_system system = SYSTEM_COUNT;

	assert_true(strlen(text) < sizeof copy);
	memcpy(copy, text, strlen(text) + 1);
	const char *name = strtok_r(copy, " ", &save);
	assert_true(name && system_find(name, &system));
	const char *key = strtok_r(NULL, " ", &save);
	assert_non_null(key);
	account_begin(&a, system);
	account_set_key(&a, key);
	for (char *field = strtok_r(NULL, "|", &save); field;
	     field = strtok_r(NULL, "|", &save)) {
		assert_true(field[0] && field[1] == '=');
		account_add(&a, (enum account_field)field[0], field + 2);
	}
	assert_true(account_finish(&a, &err));
	if (!index_add(b, system, a.key, row, a.fields.data, a.fields.length, &err))
		fail_msg("%s", err.message);
	account_done(&a);
}

/* "ldap~adam" is whose "okta~adam" is. */
static inline bool testing_index_same(const struct people_index *x, const char *a,
				      const char *b)
{
	uint32_t p = 0, q = 0;

	if (!index_by_id(x, a, &p) || !index_by_id(x, b, &q))
		fail_msg("%s or %s is not there", a, b);
	return p == q;
}

#endif
