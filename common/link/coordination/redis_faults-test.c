/* What happens when Redis is restarted, flushed, restored or failed over, and to its time; and
 * who of several processes gets what. */
#include "link/coordination/testing_store.h"

/* ---- Restart, flush, failover ---------------------------------------------------- */

/* In Redis, by whoever noticed. */
static void wait_for_epoch(const struct redis_server *s, int64_t after)
{
	int64_t deadline_ms = clock_mono_ms() + TESTING_REDIS_WAIT_MS;
	char text[32] = "";

	while (strtoll(text, NULL, 10) <= after) {
		assert_true(clock_mono_ms() < deadline_ms);
		(void)usleep(10000);
		redis_server_ask(s, "HGET t:store epoch", text, sizeof text);
	}
}

static void test_restart(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, f->server.port, LONG_MS);
	int64_t before = epoch_of(c), now = 0;
	bool first = true;

	assert_true(claim(c, "burn/a"));
	redis_server_kill(&f->server);
	assert_fails("redis://127.0.0.1",
		     coord_claim(c, "burn/b", "v", 0, &first, NULL, err));
	assert_fails("redis://127.0.0.1", coord_now_ms(c, &now, err));
	redis_server_restart(&f->server);
	/* The same handle, by itself; and without being asked. */
	wait_for_epoch(&f->server, before);
	assert_true(epoch_of(c) > before);
	assert_false(claim(c, "burn/a"));
	assert_true(claim(c, "burn/b"));
}

static void test_flush(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	int64_t before = epoch_of(c), fence = 0, after = 0;

	assert_true(claim(c, "burn/a"));
	assert_good(coord_lease(c, "l", "me", 60000, &fence, err));
	redis_server_tell(&f->server, "FLUSHALL");
	assert_true(epoch_of(c) > before);
	assert_good(coord_lease(c, "l", "you", 60000, &after, err));
	assert_true(after > fence);
}

/* A copy of our keys, put back later into the Redis that is still running. */
static void test_restored(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	int64_t before = epoch_of(c);

	redis_server_tell(&f->server, "SET other 1");
	{
		char copied[8];

		redis_server_ask(&f->server, "COPY t:store saved", copied, sizeof copied);
		assert_string_equal(copied, "1");
	}
	assert_true(claim(c, "burn/a"));
	assert_int_equal(epoch_of(c), before);
	redis_server_tell(&f->server, "RENAME saved t:store");
	assert_true(epoch_of(c) > before);
}

static void wait_for_replica(const struct redis_server *replica)
{
	int64_t deadline_ms = clock_mono_ms() + TESTING_REDIS_WAIT_MS;
	char info[8192] = "";

	while (!strstr(info, "master_link_status:up")) {
		assert_true(clock_mono_ms() < deadline_ms);
		(void)usleep(10000);
		redis_server_ask(replica, "INFO replication", info, sizeof info);
	}
}

/* The claims that the replica has not heard of are lost; the epoch says so, and the
 * store of our own beside it knows ours. */
static void test_failover(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = NULL;
	char command[64], path[sizeof f->second.dir + 16];
	struct coordination *own, *shared;
	struct error why = ERROR_INIT;
	int64_t before;

	redis_server_start(&f->second);
	(void)snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u", f->server.port);
	redis_server_tell(&f->second, command);
	wait_for_replica(&f->second);
	shared = open_proxied(f);
	(void)snprintf(path, sizeof path, "%s/own.db", f->second.dir);
	own = coord_open_sqlite(path, &why);
	testing_no_error(&why);
	c = coord_open_kept(shared, own, &why);
	before = epoch_of(c);
	assert_true(claim(c, "burn/told"));
	redis_server_ask(&f->server, "WAIT 1 10000", command, sizeof command);
	assert_string_equal(command, "1");

	/* A replica is no store. */
	assert_null(redis_server_open(&f->second, 0, "t", LONG_MS, &why));
	testing_error(&why, ERR_BACKEND_UNAVAILABLE, "replica");

	/* The replica hears no more: what follows is lost with the primary. */
	assert_int_equal(kill(f->second.pid, SIGSTOP), 0);
	assert_true(claim(c, "burn/lost"));
	redis_server_kill(&f->server);
	assert_int_equal(kill(f->second.pid, SIGCONT), 0);
	redis_server_tell(&f->second, "REPLICAOF NO ONE");
	atomic_store(&f->proxy.target, f->second.port);

	assert_false(claim(c, "burn/told"));
	assert_false(claim(c, "burn/lost"));
	assert_true(epoch_of(c) > before);
}

/* A primary that follows another and comes back has had somebody else's history. */
static void test_demoted(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	_cleanup_free_ char *value = NULL;
	char command[64];
	int64_t before = epoch_of(c), now = 0;
	bool first = true;

	assert_good(coord_put(c, "k", "v", 0, err));
	(void)snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u",
		       redis_server_free_port());
	redis_server_tell(&f->server, command);
	assert_fails("replica", coord_get(c, "k", &value, err));
	assert_fails("replica", coord_now_ms(c, &now, err));
	assert_fails("replica", coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	redis_server_tell(&f->server, "REPLICAOF NO ONE");
	assert_true(epoch_of(c) > before);
	assert_good(coord_get(c, "k", &value, err));
	assert_string_equal(value, "v");
	assert_true(claim(c, "burn/a"));
}

/* ---- Time ------------------------------------------------------------------------ */

/* As if the machine's clock had been ahead when somebody last wrote. */
static void set_time(const struct fixture *f, int64_t ahead_ms)
{
	int64_t now_ms = clock_wall_ms() + ahead_ms;
	char command[96], answer[16];

	(void)snprintf(command, sizeof command, "HSET t:store now %lld",
		       (long long)now_ms);
	redis_server_ask(&f->server, command, answer, sizeof answer);
}

static void test_clock(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	struct error why = ERROR_INIT;
	_cleanup_free_ char *value = NULL;
	int64_t now = 0, later = 0;

	assert_good(coord_put(c, "k", "v", 30 * 60 * 1000, err));
	set_time(f, 20 * 60 * 1000);
	assert_good(coord_now_ms(c, &now, err));
	assert_true(now > clock_wall_ms() + 19 * 60 * 1000);
	set_time(f, 0);
	/* What was shown once does not come back, nor does what expired by it. */
	assert_good(coord_now_ms(c, &later, err));
	assert_true(later >= now);
	assert_good(coord_get(c, "k", &value, err));
	assert_non_null(value);
	set_time(f, 40 * 60 * 1000);
	free(TAKE(value));
	assert_good(coord_get(c, "k", &value, err));
	assert_null(value);
	set_time(f, 2 * 60 * 60 * 1000);
	assert_null(redis_server_open(&f->server, 0, "t", LONG_MS, &why));
	testing_error(&why, ERR_PRECONDITION_FAILED, "clock");
}

/* ---- Replicas -------------------------------------------------------------------- */

static bool note_key(void *context, const char *key, const char *value)
{
	(void)value;
	(void)snprintf(context, 64, "%s", key);
	return true;
}

static struct coordination *open_kept(const struct fixture *f, const char *name)
{
	struct error why = ERROR_INIT;
	char path[sizeof f->server.dir + 16];
	struct coordination *own;

	(void)snprintf(path, sizeof path, "%s/%s.db", f->server.dir, name);
	own = coord_open_sqlite(path, &why);
	testing_no_error(&why);
	return coord_open_kept(open_store(&f->server, f->server.port, LONG_MS), own,
			       &why);
}

/* Whoever shares a store calls it the same, whatever it has forgotten and who asks first. */
static void test_name_after_flush(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *a = open_kept(f, "a");
	_cleanup_(coord_closep) struct coordination *b = open_kept(f, "b");
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	char one[DIGEST_ID_BYTES], two[DIGEST_ID_BYTES], three[DIGEST_ID_BYTES];

	assert_good(coord_identity(a, one, err));
	assert_good(coord_identity(b, two, err));
	assert_string_equal(one, two);
	redis_server_tell(&f->server, "FLUSHALL");
	assert_good(coord_identity(a, three, err));
	assert_string_equal(three, one); /* it keeps what it claimed */
	assert_good(coord_identity(b, two, err));
	assert_string_equal(two, one);
	redis_server_tell(&f->server, "FLUSHALL");
	assert_good(coord_identity(b, two, err)); /* who did not gives another name */
	assert_string_not_equal(two, one);
	assert_good(coord_identity(a, three, err));
	assert_string_equal(three, two);
	redis_server_tell(&f->server, "FLUSHALL");
	assert_good(coord_identity_as(c, one, three, err)); /* who knows it says it */
	assert_string_equal(three, one);
	assert_good(coord_identity_as(c, two, two, err));
	assert_string_equal(two, one);
}

static void test_replicas(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *a = open_kept(f, "a");
	_cleanup_(coord_closep) struct coordination *b = open_kept(f, "b");
	_cleanup_free_ char *value = NULL;
	char seen[64] = "";
	bool changed = false;

	assert_true(claim(a, "burn/x"));
	assert_false(claim(b, "burn/x"));
	assert_good(coord_get(b, "burn/x", &value, err));
	assert_string_equal(value, "mine");
	/* Not for b to look after. */
	assert_good(coord_scan(b, "burn/", note_key, seen, err));
	assert_string_equal(seen, "");
	assert_good(coord_scan(a, "burn/", note_key, seen, err));
	assert_string_equal(seen, "burn/x");
	/* Which a process in a's place does. */
	coord_close(TAKE(a));
	a = open_kept(f, "a");
	seen[0] = '\0';
	assert_good(coord_scan(a, "burn/", note_key, seen, err));
	assert_string_equal(seen, "burn/x");
	assert_good(coord_swap(a, "burn/x", "mine", "done", &changed, err));
	assert_true(changed);

	/* Flushed: a knows what a did, and tells it the shared store again. */
	redis_server_tell(&f->server, "FLUSHALL");
	assert_false(claim(a, "burn/x"));
	free(TAKE(value));
	assert_good(coord_get(b, "burn/x", &value, err));
	assert_string_equal(value, "done");
	/* What was taken may be claimed anew. */
	free(TAKE(value));
	assert_good(coord_take(a, "burn/x", &value, err));
	assert_string_equal(value, "done");
	assert_true(claim(a, "burn/x"));
}

/* ---- Two processes --------------------------------------------------------------- */

enum { RACES = 60, RACERS = 3 };

static void race(const struct redis_server *s, int go_fd, int told_fd)
{
	struct error why = ERROR_INIT;
	struct coordination *c = redis_server_open(s, s->port, "t", LONG_MS, &why);
	char byte, wins[RACES];

	if (!c || read(go_fd, &byte, 1) != 0)
		_exit(1);
	for (int i = 0; i < RACES; i++) {
		char key[32];
		bool first = false;

		(void)snprintf(key, sizeof key, "race/%d", i);
		if (!coord_claim(c, key, "v", 60000, &first, NULL, &why))
			_exit(1);
		wins[i] = first ? 1 : 0;
	}
	_exit(write(told_fd, wins, sizeof wins) == (ssize_t)sizeof wins ? 0 : 1);
}

static void test_processes(void **state)
{
	struct fixture *f = *state;
	int go[2], told[RACERS][2], wins[RACES] = { 0 };
	pid_t pids[RACERS];

	assert_int_equal(pipe(go), 0);
	for (int p = 0; p < RACERS; p++) {
		assert_int_equal(pipe(told[p]), 0);
		pids[p] = fork();
		assert_true(pids[p] >= 0);
		if (pids[p] == 0) {
			close(go[1]);
			race(&f->server, go[0], told[p][1]);
		}
		close(told[p][1]);
	}
	close(go[0]);
	close(go[1]);
	for (int p = 0; p < RACERS; p++) {
		char won[RACES];
		int status;

		assert_int_equal(read(told[p][0], won, sizeof won), sizeof won);
		close(told[p][0]);
		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
		for (int i = 0; i < RACES; i++)
			wins[i] += won[i];
	}
	for (int i = 0; i < RACES; i++)
		assert_int_equal(wins[i], 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_STORE(test_restart),
		WITH_STORE(test_flush),
		WITH_STORE(test_name_after_flush),
		WITH_STORE(test_restored),
		WITH_STORE(test_failover),
		WITH_STORE(test_demoted),
		WITH_STORE(test_clock),
		WITH_STORE(test_replicas),
		WITH_STORE(test_processes),
	};

	return RUN_STORE_TESTS("redis_faults", tests);
}
