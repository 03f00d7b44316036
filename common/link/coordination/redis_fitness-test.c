/* What a Redis must be and allow to be a store. */
#include "link/coordination/testing_store.h"

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_STORE(test_unfit),
		WITH_STORE(test_least_rights),
		WITH_STORE(test_hidden_configuration),
		WITH_STORE(test_full),
	};

	return RUN_STORE_TESTS("redis_fitness", tests);
}
