/* The contract on Redis; and on Redis with a store of one's own beside it. */
#include "link/coordination/coordination_contract.h"

#include "link/coordination/testing_redis.h"

static struct redis_server server;
static int made;
static bool is_kept;

/* By turns over TCP and over the Unix socket. */
static struct coordination *open_store(void)
{
	struct error err = ERROR_INIT;
	char prefix[32], path[TESTING_PATH_BYTES + 32];
	struct coordination *c, *own;

	(void)snprintf(prefix, sizeof prefix, "test/%d", made);
	c = redis_server_open(&server, made % 2 ? server.port : 0, prefix, 10000, &err);
	if (!c)
		fail_msg("%s (%s)", err.message, err.cause);
	if (!is_kept)
		return c;
	(void)snprintf(path, sizeof path, "%s/%d.db", server.dir, made);
	own = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	return coord_open_kept(c, own, &err);
}

static struct coordination *fresh(void)
{
	made++;
	return open_store();
}

/* A process that opens it again sees the same store; the store itself is what begins
 * anew. Killed, so that only what is on the disk is there. */
static struct coordination *reopen(void)
{
	redis_server_restart(&server);
	return open_store();
}

const struct contract_twin contract_twin = { .fresh = fresh, .reopen = reopen };

static int start(void **state)
{
	(void)state;
	redis_server_start(&server);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_server_stop(&server);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = { COORD_CONTRACT_TESTS };

	is_kept = argc > 1 && strcmp(argv[1], "kept") == 0;
	if (!redis_server_exists()) {
		(void)printf("1..0 # SKIP no redis-server\n");
		return 0;
	}
	return cmocka_run_group_tests_name(
		is_kept ? "coordination_kept" : "coordination_redis", tests, start, stop);
}
