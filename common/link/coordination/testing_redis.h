/*
 * testing_redis -- a redis-server of a test's own, in a folder that goes away.
 *
 * For *-test.c and bench alone. It listens on a free loopback port and on a Unix
 * socket, keeps everything (appendfsync always) unless told otherwise, is stopped by its
 * pid, and ends with the test at the latest.
 */
#ifndef LINK_TESTING_REDIS_H
#define LINK_TESTING_REDIS_H

#include "base/testing.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "link/coordination/coordination_redis.h"

enum { TESTING_REDIS_OPTIONS_MAX = 24, TESTING_REDIS_WAIT_MS = 20000 };

struct redis_server {
	char dir[TESTING_PATH_BYTES];
	char socket[TESTING_PATH_BYTES + 16];
	uint16_t port;
	pid_t pid; /* 0: not running */
	/* Pairs "--name", "value" after the usual ones; kept over a restart. */
	const char *options[TESTING_REDIS_OPTIONS_MAX];
};

/* Debian's, or another version of it to be tried. */
static inline const char *redis_server_program(void)
{
	const char *other = getenv("WINGMAN_REDIS_SERVER");

	return other ? other : "/usr/bin/redis-server";
}

static inline bool redis_server_exists(void)
{
	return access(redis_server_program(), X_OK) == 0;
}

static inline uint16_t redis_server_free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &length), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static inline redisContext *redis_server_connect(const struct redis_server *s)
{
	return redisConnectUnixWithTimeout(s->socket, (struct timeval){ .tv_sec = 10 });
}

static inline void redis_server_wait(const struct redis_server *s)
{
	int64_t deadline_ms = clock_mono_ms() + TESTING_REDIS_WAIT_MS;
	bool ready = false;

	while (!ready) {
		redisContext *c = redis_server_connect(s);
		redisReply *r = c && !c->err ? redisCommand(c, "PING") : NULL;

		/* Who asks for a password is there too. */
		ready = r && (r->type == REDIS_REPLY_STATUS ||
			      strncmp(r->str, "NOAUTH", 6) == 0);
		if (r)
			freeReplyObject(r);
		if (c)
			redisFree(c);
		if (clock_mono_ms() > deadline_ms || waitpid(s->pid, NULL, WNOHANG) != 0)
			fail_msg("redis-server did not start in '%s'", s->dir);
		(void)usleep(2000);
	}
}

/* As it was configured before; what its folder holds is loaded. */
static inline void redis_server_run(struct redis_server *s)
{
	char port[8];
	const char *args[40 + TESTING_REDIS_OPTIONS_MAX] = {
		"redis-server",
		"--bind",
		"127.0.0.1",
		"--port",
		port,
		"--dir",
		s->dir,
		"--unixsocket",
		s->socket,
		"--save",
		"",
		"--appendonly",
		"yes",
		"--appendfsync",
		"always",
		"--logfile",
		"log",
		"--repl-diskless-sync-delay",
		"0",
	};
	size_t n = 19;

	(void)snprintf(port, sizeof port, "%u", s->port);
	for (size_t i = 0; i < TESTING_REDIS_OPTIONS_MAX && s->options[i]; i++)
		args[n++] = s->options[i];
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		char *argv[ARRAY_SIZE(args)];

		for (size_t i = 0; i < ARRAY_SIZE(args); i++)
			memcpy(&argv[i], &args[i], sizeof argv[i]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execv(redis_server_program(), argv);
		_exit(127);
	}
	redis_server_wait(s);
}

static inline void redis_server_start(struct redis_server *s)
{
	testing_folder(s->dir);
	(void)snprintf(s->socket, sizeof s->socket, "%s/s", s->dir);
	s->port = redis_server_free_port();
	redis_server_run(s);
}

static inline void redis_server_kill(struct redis_server *s)
{
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

static inline void redis_server_restart(struct redis_server *s)
{
	redis_server_kill(s);
	(void)unlink(s->socket);
	redis_server_run(s);
}

static inline void redis_server_stop(struct redis_server *s)
{
	redis_server_kill(s);
	if (s->dir[0])
		testing_remove(s->dir);
}

/* One command, its words separated by spaces; its answer as text, "" for what has none. */
static inline void redis_server_ask(const struct redis_server *s, const char *command,
				    char *ret, size_t ret_bytes)
{
	redisContext *c = redis_server_connect(s);
	redisReply *r = c && !c->err ? redisCommand(c, command) : NULL;

	if (!r) {
		fail_msg("redis-server does not answer '%s'", command);
		return;
	}
	(void)snprintf(ret, ret_bytes, "%s", r->str ? r->str : "");
	if (r->type == REDIS_REPLY_INTEGER)
		(void)snprintf(ret, ret_bytes, "%lld", r->integer);
	freeReplyObject(r);
	redisFree(c);
}

static inline void redis_server_tell(const struct redis_server *s, const char *command)
{
	char answer[256];

	redis_server_ask(s, command, answer, sizeof answer);
	assert_string_equal(answer, "OK");
}

/* Whether it knows WAITAOF. */
static inline bool redis_server_waits(const struct redis_server *s)
{
	char answer[256];

	redis_server_ask(s, "WAITAOF 0 0 1", answer, sizeof answer);
	return strncmp(answer, "ERR unknown", 11) != 0;
}

/* By its socket, or by 'port' where that is not 0. */
static inline struct coordination *redis_server_open(const struct redis_server *s,
						     uint16_t port, const char *prefix,
						     int64_t timeout_ms,
						     struct error *err)
{
	const struct coord_redis_config config = {
		.socket = port ? NULL : s->socket,
		.host = port ? "127.0.0.1" : NULL,
		.port = port,
		.timeout_ms = timeout_ms,
	};
	struct coord_redis_access *a = coord_redis_access_read(&config, err);

	return a ? coord_open_redis(&a, prefix, err) : NULL;
}

#endif
