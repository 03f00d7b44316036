/* Who is spoken with, and how: TLS, passwords, names, and one that is no Redis. */
#include "link/coordination/testing_proxy.h"
#include "wire/testing_tls.h"

enum { TIMEOUT_MS = 5000, SHORT_MS = 300 };

static char dir[TESTING_PATH_BYTES];
static char password_file[TESTING_PATH_BYTES + 32];
static struct identity ca, other_ca, redis_id, client_id;
static struct redis_server server; /* TLS alone on 'tls_port', and a password */
static uint16_t tls_port;

static struct coordination *open_with(const struct coord_redis_config *config,
				      struct error *err)
{
	struct coord_redis_access *a = coord_redis_access_read(config, err);

	return a ? coord_open_redis(&a, "t", err) : NULL;
}

static bool works(struct coordination *c)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *value = NULL;

	return c && coord_put(c, "k", "v", 0, &err) && coord_get(c, "k", &value, &err) &&
	       value && strcmp(value, "v") == 0;
}

static struct coord_redis_config tls_config(void)
{
	return (struct coord_redis_config){ .host = "127.0.0.1",
					    .port = tls_port,
					    .tls = true,
					    .tls_ca = ca.cert_file,
					    .tls_certificate = client_id.cert_file,
					    .tls_key = client_id.key_file,
					    .password_file = password_file,
					    .timeout_ms = TIMEOUT_MS };
}

static void test_tls(void **state)
{
	struct coord_redis_config config = tls_config();
	struct error err = ERROR_INIT;
	_cleanup_(coord_closep) struct coordination *c = open_with(&config, &err);

	(void)state;
	testing_no_error(&err);
	assert_true(works(c));
	coord_close(TAKE(c));
	/* By its name, which a thread looks up. */
	config.host = "localhost";
	c = open_with(&config, &err);
	testing_no_error(&err);
	assert_true(works(c));
}

static void test_tls_strangers(void **state)
{
	struct coord_redis_config config = tls_config();
	struct error err = ERROR_INIT;

	(void)state;
	config.tls_ca = other_ca.cert_file;
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "certificate");
	/* The right authority, another's name. */
	config = tls_config();
	config.host = "127.1";
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "certificate");
	/* Redis wants to see a certificate too. */
	config = tls_config();
	config.tls_certificate = config.tls_key = NULL;
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, NULL);
	/* Plain words on the port of TLS. */
	config = tls_config();
	config.tls = false;
	config.tls_ca = config.tls_certificate = config.tls_key = NULL;
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, NULL);
	/* An authority of the system has not signed it. */
	config.tls = true;
	assert_null(open_with(&config, &err));
	assert_true(error_is_set(&err));
}

static void test_password(void **state)
{
	struct coord_redis_config config = { .socket = server.socket };
	struct error err = ERROR_INIT;
	_cleanup_(coord_closep) struct coordination *c = NULL;
	char wrong[TESTING_PATH_BYTES + 32];

	(void)state;
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "NOAUTH");
	(void)snprintf(wrong, sizeof wrong, "%s/wrong", dir);
	testing_put(wrong, "not-it-either", 0600);
	config.password_file = wrong;
	assert_null(open_with(&config, &err));
	assert_null(strstr(err.message, "not-it-either"));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "refuses our password");
	assert_int_equal(chmod(wrong, 0644), 0);
	assert_null(open_with(&config, &err));
	assert_true(error_is_set(&err));
	error_clear(&err);
	config.password_file = password_file;
	c = open_with(&config, &err);
	testing_no_error(&err);
	assert_true(works(c));
	/* A new connection says it again. */
	redis_server_restart(&server);
	assert_true(works(c));
}

static void test_configuration(void **state)
{
	static const struct coord_redis_config bad[] = {
		{ .socket = NULL },
		{ .socket = "/s", .host = "h" },
		{ .socket = "/s", .tls = true },
		{ .host = "h", .user = "u" },
		{ .host = "h", .tls_certificate = "c" },
		{ .host = "h", .timeout_ms = COORD_REDIS_TIMEOUT_MIN_MS - 1 },
		{ .host = "h", .timeout_ms = COORD_REDIS_TIMEOUT_MAX_MS + 1 },
		{ .host = "h", .tls_ca = "/no/such/file" },
		{ .host = "h", .password_file = "/no/such/file" },
	};
	static const char *const prefixes[] = { "", "a b", "a*", "a?", "a[", "\xc3\xa4" };
	char long_path[200];
	struct coord_redis_config config = { .socket = long_path };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(coord_redis_access_read(&bad[i], &err));
		assert_true(error_is_set(&err));
		error_clear(&err);
	}
	/* 107 characters and a NUL are what a Unix socket's path may have. */
	memset(long_path, 'x', sizeof long_path);
	long_path[0] = '/';
	long_path[108] = '\0';
	assert_null(coord_redis_access_read(&config, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too long");
	long_path[107] = '\0';
	{
		_cleanup_(coord_redis_access_freep) struct coord_redis_access *a =
			coord_redis_access_read(&config, &err);

		assert_non_null(a);
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct coord_redis_access *a = coord_redis_access_read(&config, &err);

		assert_null(coord_open_redis(&a, prefixes[i], &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "prefix");
	}
}

/* One that does not know AUTH says it back. */
static void test_password_is_not_repeated(void **state)
{
	struct coord_redis_config config = { .socket = NULL };
	struct redis_server own = { .options = { "--rename-command", "AUTH", "NO" } };
	struct error err = ERROR_INIT;

	(void)state;
	redis_server_start(&own);
	config.socket = own.socket;
	config.password_file = password_file;
	assert_null(open_with(&config, &err));
	redis_server_stop(&own);
	assert_null(strstr(err.message, "sesame"));
	assert_null(strstr(err.cause, "sesame"));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "refuses our password");
}

/* ---- No Redis ---- */

static struct impostor {
	int listen_fd, stop_fds[2];
	const char *says; /* to whatever is asked; NULL: nothing */
	pthread_t thread;
} impostor;

/* Says the same for ever. */
static void *impostor_work(void *argument)
{
	struct impostor *i = argument;
	char bytes[4096];

	for (;;) {
		struct pollfd fds[] = { { .fd = i->stop_fds[0], .events = POLLIN },
					{ .fd = i->listen_fd, .events = POLLIN } };
		int fd;

		(void)poll(fds, 2, -1);
		if (fds[0].revents)
			return NULL;
		fd = accept4(i->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		(void)!read(fd, bytes, sizeof bytes);
		while (i->says && send(fd, i->says, strlen(i->says), MSG_NOSIGNAL) > 0)
			;
		if (!i->says)
			(void)!read(fd, bytes, sizeof bytes); /* until they leave */
		close(fd);
	}
}

static void test_impostors(void **state)
{
	static const struct {
		const char *says, *part;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", "not Redis" },
		{ "$-1\r\n", "does not say what it is" },
		{ "-ERR go away\r\n", "go away" },
		{ "-ERR \x1b[2J\xff\r\n", "ERR ?[2J?" },
		{ "*2000000000\r\n", "not Redis" },
		{ "*1025\r\n", "not Redis" },
		{ "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
		  "not Redis" },
		{ "$99999999\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		  "bytes" },
		{ "$30\r\nredis_version:7.0.0\r\nrun_id:ab\r\n\r\n", NULL },
		{ NULL, "in time" },
	};
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct coord_redis_config config = { .host = "127.0.0.1",
						     .timeout_ms = SHORT_MS };

		impostor.says = cases[i].says;
		impostor.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		a.sin_port = 0;
		assert_int_equal(
			bind(impostor.listen_fd, (struct sockaddr *)&a, sizeof a), 0);
		assert_int_equal(listen(impostor.listen_fd, 8), 0);
		assert_int_equal(
			getsockname(impostor.listen_fd, (struct sockaddr *)&a, &length),
			0);
		assert_int_equal(pipe(impostor.stop_fds), 0);
		assert_int_equal(
			pthread_create(&impostor.thread, NULL, impostor_work, &impostor),
			0);
		config.port = ntohs(a.sin_port);
		assert_null(open_with(&config, &err));
		assert_int_equal(write(impostor.stop_fds[1], "", 1), 1);
		pthread_join(impostor.thread, NULL);
		close(impostor.stop_fds[0]);
		close(impostor.stop_fds[1]);
		close(impostor.listen_fd);
		testing_error(&err, ERR_BACKEND_UNAVAILABLE, cases[i].part);
	}
}

static void test_names(void **state)
{
	struct coord_redis_config config = { .host = "no-such-host.invalid",
					     .timeout_ms = TIMEOUT_MS };
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "no-such-host.invalid");
	config.host = "127.0.0.1";
	config.port = redis_server_free_port();
	assert_null(open_with(&config, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "cannot be reached");
}

static int start(void **state)
{
	static char port[8];
	const char *const options[] = { "--tls-port",         port,
					"--tls-cert-file",    redis_id.cert_file,
					"--tls-key-file",     redis_id.key_file,
					"--tls-ca-cert-file", ca.cert_file,
					"--requirepass",      "open sesame" };

	(void)state;
	testing_folder(dir);
	testing_identity(dir, &ca, "ca", NULL, NULL);
	testing_identity(dir, &other_ca, "other", NULL, NULL);
	testing_identity(dir, &redis_id, "redis", &ca, NULL);
	testing_identity(dir, &client_id, "client", &ca, NULL);
	(void)snprintf(password_file, sizeof password_file, "%s/password", dir);
	testing_put(password_file, "open sesame\n", 0600);
	tls_port = redis_server_free_port();
	(void)snprintf(port, sizeof port, "%u", tls_port);
	memcpy(server.options, options, sizeof options);
	redis_server_start(&server);
	return 0;
}

static int stop(void **state)
{
	struct identity *const all[] = { &ca, &other_ca, &redis_id, &client_id };

	(void)state;
	redis_server_stop(&server);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		testing_identity_done(all[i]);
	testing_remove(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_strangers),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_password_is_not_repeated),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_impostors),
		cmocka_unit_test(test_names),
	};

	if (!redis_server_exists()) {
		(void)printf("1..0 # SKIP no redis-server\n");
		return 0;
	}
	return cmocka_run_group_tests_name("redis_link", tests, start, stop);
}
