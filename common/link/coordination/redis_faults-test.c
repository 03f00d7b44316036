/* What happens when Redis is slow, lost, failed over, flushed, restarted or unfit. */
#include "link/coordination/testing_proxy.h"

enum { LONG_MS = 10000, SHORT_MS = 400, PATIENCE_MS = 5000 };

#define assert_good(call)                                                                \
	do {                                                                             \
		struct error good_ = ERROR_INIT;                                         \
		struct error *err = &good_;                                              \
		if (!(call))                                                             \
			fail_msg("%s: %s (%s)", #call, good_.message, good_.cause);      \
	} while (0)

#define assert_fails(part, call)                                                         \
	do {                                                                             \
		struct error bad_ = ERROR_INIT;                                          \
		struct error *err = &bad_;                                               \
		assert_false(call);                                                      \
		testing_error(&bad_, ERR_BACKEND_UNAVAILABLE, part);                     \
	} while (0)

/* ---- One server a test ----------------------------------------------------------- */

struct fixture {
	struct redis_server server, second;
	struct testing_proxy proxy;
	bool has_proxy;
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	redis_server_start(&f->server);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	if (f->has_proxy)
		testing_proxy_stop(&f->proxy);
	redis_server_stop(&f->server);
	redis_server_stop(&f->second);
	free(f);
	return 0;
}

static struct coordination *open_store(const struct redis_server *s, uint16_t port,
				       int64_t timeout_ms)
{
	struct error why = ERROR_INIT;
	struct coordination *c = redis_server_open(s, port, "t", timeout_ms, &why);

	if (!c)
		fail_msg("%s (%s)", why.message, why.cause);
	return c;
}

static struct coordination *open_proxied(struct fixture *f)
{
	testing_proxy_start(&f->proxy, f->server.port);
	f->has_proxy = true;
	return open_store(&f->server, f->proxy.port, LONG_MS);
}

static int64_t epoch_of(struct coordination *c)
{
	int64_t epoch = 0;

	assert_good(coord_epoch_ms(c, &epoch, err));
	return epoch;
}

static bool claim(struct coordination *c, const char *key)
{
	bool first = false;

	assert_good(coord_claim(c, key, "mine", 60000, &first, NULL, err));
	return first;
}

static bool note_key(void *context, const char *key, const char *value)
{
	(void)value;
	(void)snprintf(context, 64, "%s", key);
	return true;
}

static void ignore(void *context, const char *topic, const char *text)
{
	(void)context;
	(void)topic;
	(void)text;
}

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

/* ---- Slow ------------------------------------------------------------------------ */

static void test_stopped(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, f->server.port, SHORT_MS);
	_cleanup_free_ char *value = NULL;
	int64_t before = epoch_of(c), began;
	bool first = true;

	assert_int_equal(kill(f->server.pid, SIGSTOP), 0);
	began = clock_mono_ms();
	assert_fails("whether it was written is unknown",
		     coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	assert_fails("does not answer in time", coord_get(c, "burn/a", &value, err));
	/* Also one that is only begun: the kernel accepts, nobody reads. */
	assert_fails("in time", coord_get(c, "burn/a", &value, err));
	assert_true(clock_mono_ms() - began >= 3 * SHORT_MS - 10);
	assert_true(clock_mono_ms() - began < 3 * SHORT_MS + PATIENCE_MS);
	assert_int_equal(kill(f->server.pid, SIGCONT), 0);
	/* It was only slow. Nothing is forgotten, and the claim, done late, is ours. */
	assert_int_equal(epoch_of(c), before);
	assert_true(claim(c, "burn/a"));
	assert_false(claim(c, "burn/a"));
}

/* ---- Unfit ----------------------------------------------------------------------- */

static void test_unfit(void **state)
{
	static const struct {
		const char *spoil, *mend, *part;
	} cases[] = {
		{ "CONFIG SET appendfsync everysec", "CONFIG SET appendfsync always",
		  "its appendfsync is 'everysec', not 'always'" },
		{ "CONFIG SET appendfsync no", "CONFIG SET appendfsync always",
		  "its appendfsync is 'no'" },
		{ "CONFIG SET appendonly no", "CONFIG SET appendonly yes",
		  "its appendonly is 'no', not 'yes'" },
		{ "CONFIG SET no-appendfsync-on-rewrite yes",
		  "CONFIG SET no-appendfsync-on-rewrite no", "on-rewrite is 'yes'" },
		{ "CONFIG SET maxmemory-policy allkeys-lru",
		  "CONFIG SET maxmemory-policy noeviction",
		  "its maxmemory-policy is 'allkeys-lru', not 'noeviction'" },
	};
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error why = ERROR_INIT;
		char key[32];
		bool first = false;
		int64_t epoch;

		redis_server_tell(&f->server, cases[i].spoil);
		(void)snprintf(key, sizeof key, "burn/%zu", i);
		assert_false(coord_claim(c, key, "v", 0, &first, NULL, &why));
		if (!strstr(why.hint, "redis.conf"))
			fail_msg("%s: '%s'", why.message, why.hint);
		testing_error(&why, ERR_BACKEND_UNAVAILABLE, cases[i].part);
		assert_fails(cases[i].part, coord_epoch_ms(c, &epoch, err));
		assert_null(redis_server_open(&f->server, 0, "t", LONG_MS, &why));
		testing_error(&why, ERR_BACKEND_UNAVAILABLE, cases[i].part);
		redis_server_tell(&f->server, cases[i].mend);
		assert_good(coord_put(c, "again", "v", 0, err));
		/* Not kept, so it failed; but nobody else got it either. */
		assert_true(claim(c, key));
	}
}

/* The line of docs/operators.md, for the prefix of this test. */
static void test_least_rights(void **state)
{
	static const char acl[] =
		"ACL SETUSER app on >secret resetchannels ~t:* &t:* -@all +eval +evalsha "
		"+script|load "
		"+info +time +config|get +hget +hmget +hset +hdel +zadd +zrem "
		"+zrangebyscore +zrangebylex +publish +subscribe +waitaof";
	struct fixture *f = *state;
	struct error why = ERROR_INIT;
	char path[sizeof f->server.dir + 16], command[sizeof acl];
	struct coord_redis_config config = { .socket = f->server.socket,
					     .user = "app",
					     .password_file = path };
	struct coord_redis_access *a;
	_cleanup_(coord_closep) struct coordination *c = NULL;
	_cleanup_free_ char *value = NULL;
	char seen[64] = "";
	int64_t number = 0;
	bool flag = false;

	(void)snprintf(command, sizeof command, "%s", acl);
	if (!redis_server_waits(&f->server))
		*strstr(command, " +waitaof") = '\0';
	redis_server_tell(&f->server, command);
	(void)snprintf(path, sizeof path, "%s/password", f->server.dir);
	testing_put(path, "secret\n", 0600);
	a = coord_redis_access_read(&config, &why);
	testing_no_error(&why);
	c = coord_open_redis(&a, "t", &why);
	testing_no_error(&why);
	assert_true(claim(c, "k"));
	assert_good(coord_put(c, "k", "v", 1, err));
	assert_good(coord_put(c, "k", "v", 0, err));
	assert_good(coord_swap(c, "k", "v", "w", &flag, err));
	assert_good(coord_get(c, "k", &value, err));
	assert_good(coord_scan(c, "", note_key, seen, err));
	free(TAKE(value));
	assert_good(coord_take(c, "k", &value, err));
	assert_good(coord_count(c, "n", 1, 1000, &number, err));
	assert_good(coord_lease(c, "l", "me", 1000, &number, err));
	assert_good(coord_lease_renew(c, "l", number, 1000, &flag, err));
	assert_good(coord_lease_release(c, "l", number, err));
	assert_good(coord_publish(c, "topic", "text", err));
	assert_non_null(coord_subscribe(c, "topic", ignore, NULL, &why));
	redis_server_tell(&f->server, "SCRIPT FLUSH");
	assert_true(claim(c, "k"));
}

static void test_hidden_configuration(void **state)
{
	struct fixture *f = *state;
	bool waits = redis_server_waits(&f->server);
	struct error why = ERROR_INIT;
	char path[sizeof f->server.dir + 16];
	struct coord_redis_config config = { .socket = f->server.socket,
					     .user = "app",
					     .password_file = path };
	struct coord_redis_access *a;
	_cleanup_(coord_closep) struct coordination *c = NULL;

	(void)snprintf(path, sizeof path, "%s/password", f->server.dir);
	testing_put(path, "secret\n", 0600);
	redis_server_tell(
		&f->server,
		"ACL SETUSER app on >secret ~t:* resetchannels &t:* +@all -config");
	a = coord_redis_access_read(&config, &why);
	testing_no_error(&why);
	c = coord_open_redis(&a, "t", &why);
	assert_null(a);
	if (waits) {
		testing_no_error(&why);
		coord_close(TAKE(c));
	} else {
		assert_null(c);
		assert_non_null(strstr(why.hint, "assume_durable"));
		testing_error(&why, ERR_BACKEND_UNAVAILABLE, "too old for WAITAOF");
	}
	config.assume_durable = !waits;
	a = coord_redis_access_read(&config, &why);
	c = coord_open_redis(&a, "t", &why);
	testing_no_error(&why);
	assert_true(claim(c, "burn/a"));
	/* What it does tell is not assumed. */
	redis_server_tell(&f->server, "CONFIG SET appendonly no");
	bool first;
	assert_fails("appendonly", coord_claim(c, "burn/b", "v", 0, &first, NULL, err));
	redis_server_tell(&f->server, "CONFIG SET appendonly yes");
	redis_server_tell(&f->server, "CONFIG SET maxmemory-policy volatile-lru");
	assert_fails("maxmemory-policy",
		     coord_claim(c, "burn/c", "v", 0, &first, NULL, err));
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);
	int64_t before = epoch_of(c);
	bool first = false;

	redis_server_tell(&f->server, "CONFIG SET maxmemory 1");
	assert_fails("OOM", coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	redis_server_tell(&f->server, "CONFIG SET maxmemory 0");
	assert_true(claim(c, "burn/a"));
	assert_int_equal(epoch_of(c), before);
}

/* ---- Cut, and the script gone ---------------------------------------------------- */

/* The answer to a claim is lost: asked again at once, it is recognised as ours. */
static void test_cut_once(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	_cleanup_(coord_closep) struct coordination *other =
		open_store(&f->server, 0, LONG_MS);

	for (int i = 0; i < 20; i++) {
		char key[16];

		(void)snprintf(key, sizeof key, "burn/%d", i);
		atomic_store(&f->proxy.cuts, 1);
		assert_true(claim(c, key));
		assert_int_equal(atomic_load(&f->proxy.cuts_done), i + 1);
		assert_false(claim(other, key));
		assert_false(claim(c, key));
	}
}

/* Lost twice: unknown. Nobody else gets it; the same owner does, once. */
static void test_cut_twice(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	_cleanup_(coord_closep) struct coordination *other =
		open_store(&f->server, 0, LONG_MS);
	bool first = true, changed = true;
	char *taken = NULL;

	atomic_store(&f->proxy.cuts, 2);
	assert_fails("whether it was written is unknown",
		     coord_claim(c, "burn/a", "v", 60000, &first, NULL, err));
	assert_int_equal(atomic_load(&f->proxy.cuts_done), 2);
	assert_false(claim(other, "burn/a"));
	assert_true(claim(c, "burn/a"));
	assert_false(claim(c, "burn/a"));

	/* What cannot be repeated is not: it fails, and was done once. */
	assert_good(coord_put(c, "k", "old", 0, err));
	f->proxy.word = "swap";
	atomic_store(&f->proxy.cuts, 1);
	assert_fails("unknown", coord_swap(c, "k", "old", "new", &changed, err));
	assert_good(coord_get(c, "k", &taken, err));
	assert_string_equal(taken, "new");
	free(taken);
}

static void test_cut_before(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	bool first = true;

	redis_server_kill(&f->server);
	atomic_store(&f->proxy.is_refusing, true);
	assert_fails("redis://127.0.0.1",
		     coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	atomic_store(&f->proxy.is_refusing, false);
	redis_server_restart(&f->server);
	assert_true(claim(c, "burn/a"));
}

static void test_script_flushed(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);

	assert_true(claim(c, "burn/a"));
	redis_server_tell(&f->server, "SCRIPT FLUSH");
	assert_false(claim(c, "burn/a"));
	redis_server_tell(&f->server, "SCRIPT FLUSH");
	assert_true(claim(c, "burn/b"));
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
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)
	static const struct CMUnitTest tests[] = {
		WITH_SERVER(test_restart),      WITH_SERVER(test_flush),
		WITH_SERVER(test_restored),     WITH_SERVER(test_failover),
		WITH_SERVER(test_demoted),      WITH_SERVER(test_stopped),
		WITH_SERVER(test_unfit),        WITH_SERVER(test_hidden_configuration),
		WITH_SERVER(test_least_rights), WITH_SERVER(test_full),
		WITH_SERVER(test_cut_once),     WITH_SERVER(test_cut_twice),
		WITH_SERVER(test_cut_before),   WITH_SERVER(test_script_flushed),
		WITH_SERVER(test_clock),        WITH_SERVER(test_replicas),
		WITH_SERVER(test_processes),
	};

	if (!redis_server_exists()) {
		(void)printf("1..0 # SKIP no redis-server\n");
		return 0;
	}
	return cmocka_run_group_tests_name("redis_faults", tests, NULL, NULL);
}
