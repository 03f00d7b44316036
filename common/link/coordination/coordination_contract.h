/*
 * coordination_contract -- what every twin of coordination is asked.
 *
 * The cases know the interface alone. A twin's test file gives a row of
 * functions that make a fresh store, open the same one again, and wait until a
 * time has passed; then it lists COORD_CONTRACT_TESTS in its group.
 */
#ifndef LINK_COORDINATION_CONTRACT_H
#define LINK_COORDINATION_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/coordination/coordination.h"

struct contract_twin {
	struct coordination *(*fresh)(void); /* an empty store, opened */
	struct coordination *(*reopen)(
		void); /* the one 'fresh' made last, after a close */
};

/* The twin under test, given by the test file. */
extern const struct contract_twin contract_twin;

void contract_identity(void **state);
void contract_claim_once(void **state);
void contract_claim_of_threads(void **state);
void contract_expiry(void **state);
void contract_put_keeps_expiry(void **state);
void contract_swap(void **state);
void contract_take_once(void **state);
void contract_scan(void **state);
void contract_scan_many(void **state);
void contract_count(void **state);
void contract_lease(void **state);
void contract_fence_rises_over_reopen(void **state);
void contract_epoch(void **state);
void contract_bounds(void **state);
void contract_announce(void **state);
void contract_unsubscribe_within(void **state);

#define COORD_CONTRACT_TESTS                                                             \
	cmocka_unit_test(contract_identity), cmocka_unit_test(contract_claim_once),      \
		cmocka_unit_test(contract_claim_of_threads),                             \
		cmocka_unit_test(contract_expiry),                                       \
		cmocka_unit_test(contract_put_keeps_expiry),                             \
		cmocka_unit_test(contract_swap), cmocka_unit_test(contract_take_once),   \
		cmocka_unit_test(contract_scan), cmocka_unit_test(contract_scan_many),   \
		cmocka_unit_test(contract_count), cmocka_unit_test(contract_lease),      \
		cmocka_unit_test(contract_fence_rises_over_reopen),                      \
		cmocka_unit_test(contract_epoch), cmocka_unit_test(contract_bounds),     \
		cmocka_unit_test(contract_announce),                                     \
		cmocka_unit_test(contract_unsubscribe_within)

#endif
