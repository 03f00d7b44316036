/*
 * documents_contract -- what every twin of documents is asked.
 *
 * The cases know the interface alone; see coordination_contract.h.
 */
#ifndef LINK_DOCUMENTS_CONTRACT_H
#define LINK_DOCUMENTS_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/documents/documents.h"

struct contract_twin {
	struct documents *(*fresh)(void);  /* an empty store, opened */
	struct documents *(*reopen)(void); /* the one 'fresh' made last, after a close */
};

/* The twin under test, given by the test file. */
extern const struct contract_twin contract_twin;

void contract_put_and_get(void **state);
void contract_compare_and_set(void **state);
void contract_delete(void **state);
void contract_writers(void **state);
void contract_query_order(void **state);
void contract_query_filters(void **state);
void contract_query_hostile(void **state);
void contract_bounds(void **state);

#define DOCUMENTS_CONTRACT_TESTS                                                         \
	cmocka_unit_test(contract_put_and_get),                                          \
		cmocka_unit_test(contract_compare_and_set),                              \
		cmocka_unit_test(contract_delete), cmocka_unit_test(contract_writers),   \
		cmocka_unit_test(contract_query_order),                                  \
		cmocka_unit_test(contract_query_filters),                                \
		cmocka_unit_test(contract_query_hostile),                                \
		cmocka_unit_test(contract_bounds)

#endif
