/*
 * testing_store -- a private Redis for one test, a store open on it, and what such tests ask.
 *
 * For *-test.c alone: setup and teardown by WITH_STORE.
 */
#ifndef LINK_TESTING_STORE_H
#define LINK_TESTING_STORE_H

#include "base/testing_calls.h"
#include "link/coordination/testing_proxy.h"

enum { LONG_MS = 10000, SHORT_MS = 400, PATIENCE_MS = 5000 };

#define assert_fails(part, call)                                                         \
	do {                                                                             \
		struct error bad_ = ERROR_INIT;                                          \
		struct error *err = &bad_;                                               \
		assert_false(call);                                                      \
		testing_error(&bad_, ERR_BACKEND_UNAVAILABLE, part);                     \
	} while (0)

/* ---- One server a test ---- */

struct fixture {
	struct redis_server server, second;
	struct testing_proxy proxy;
	bool has_proxy;
};

static inline int store_start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	redis_server_start(&f->server);
	*state = f;
	return 0;
}

static inline int store_stop(void **state)
{
	struct fixture *f = *state;

	if (f->has_proxy)
		testing_proxy_stop(&f->proxy);
	redis_server_stop(&f->server);
	redis_server_stop(&f->second);
	free(f);
	return 0;
}

static inline struct coordination *open_store(const struct redis_server *s, uint16_t port,
					      int64_t timeout_ms)
{
	struct error why = ERROR_INIT;
	struct coordination *c = redis_server_open(s, port, "t", timeout_ms, &why);

	if (!c)
		fail_msg("%s (%s)", why.message, why.cause);
	return c;
}

static inline struct coordination *open_proxied(struct fixture *f)
{
	testing_proxy_start(&f->proxy, f->server.port);
	f->has_proxy = true;
	return open_store(&f->server, f->proxy.port, LONG_MS);
}

static inline int64_t epoch_of(struct coordination *c)
{
	int64_t epoch = 0;

	assert_good(coord_epoch_ms(c, &epoch, err));
	return epoch;
}

static inline bool claim(struct coordination *c, const char *key)
{
	bool first = false;

	assert_good(coord_claim(c, key, "mine", 60000, &first, NULL, err));
	return first;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, store_start, store_stop)

/* The group, or nothing where there is no redis-server. */
#define RUN_STORE_TESTS(name, tests)                                                     \
	(redis_server_exists() ? cmocka_run_group_tests_name(name, tests, NULL, NULL)    \
			       : (printf("1..0 # SKIP no redis-server\n") < 0))

#endif
