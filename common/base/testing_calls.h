/*
 * testing_calls -- what a call in a test must come to.
 *
 * For *-test.c alone. The call is given 'err', which these declare:
 *
 *   assert_good(documents_put(d, "c", "k", body, 0, &revision, err));
 */
#ifndef BASE_TESTING_CALLS_H
#define BASE_TESTING_CALLS_H

#include "base/testing.h"

#define assert_good(call)                                                                \
	do {                                                                             \
		struct error good_ = ERROR_INIT;                                         \
		struct error *err = &good_;                                              \
		if (!(call))                                                             \
			fail_msg("%s: %s (%s)", #call, good_.message, good_.cause);      \
	} while (0)

#define assert_refused(expected_code, call)                                              \
	do {                                                                             \
		struct error refused_ = ERROR_INIT;                                      \
		struct error *err = &refused_;                                           \
		assert_false(call);                                                      \
		assert_int_equal(refused_.code, expected_code);                          \
	} while (0)

#endif
