/*
 * redis_bench -- burnt grants on Redis, alone and with the server's own copy, against
 * what a bare 'SET key value NX PX' costs there. A private redis-server with
 * 'appendfsync always' in the folder given; over its Unix socket.
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "bench/measure.h"
#include "guard/burn.h"
#include "link/coordination/coordination_redis.h"

enum {
	CALLERS = 64,
	SLICES = 5,
	SLICE_NS = 100000000,
	START_MS = 10000,
	ROW_BYTES = 320
};

#define NOW_MS (INT64_C(1800000000) * 1000)
#define ARGS   "2222222222222222222222222222222222222222222222222222222222222222"

/* ---- A server ---- */

struct server {
	char *socket;
	pid_t pid;
	redisContext *link;
};

static void server_start(struct server *s, const char *folder)
{
	int64_t deadline_ms = clock_mono_ms() + START_MS;

	s->socket = measure_path(folder, "s");
	s->pid = fork();
	if (s->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execlp("redis-server", "redis-server", "--port", "0",
			     "--unixsocket", s->socket, "--dir", folder, "--logfile",
			     "log", "--save", "", "--appendonly", "yes", "--appendfsync",
			     "always", (char *)NULL);
		_exit(127);
	}
	for (;;) {
		s->link = redisConnectUnix(s->socket);
		if (s->link && !s->link->err)
			return;
		if (s->link)
			redisFree(s->link);
		if (s->pid < 0 || clock_mono_ms() > deadline_ms ||
		    waitpid(s->pid, NULL, WNOHANG) != 0)
			measure_fail("redis-server does not start");
		(void)usleep(5000);
	}
}

static void server_stop(struct server *s)
{
	redisFree(s->link);
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	free(s->socket);
}

/* As long as the record of a burn. */
static void bare_slice(struct measure *m, const struct server *s)
{
	const int64_t start = measure_now_ns();
	int64_t now = start;
	char row[ROW_BYTES + 1];

	memset(row, 'x', ROW_BYTES);
	row[ROW_BYTES] = '\0';
	for (; now - start < SLICE_NS; now = measure_now_ns()) {
		redisReply *r = redisCommand(s->link, "SET bare/%llu %s NX PX 600000",
					     (unsigned long long)m->count++, row);

		if (!r || r->type != REDIS_REPLY_STATUS)
			measure_fail("redis: %s", r && r->str ? r->str : s->link->errstr);
		freeReplyObject(r);
	}
	m->ns += now - start;
}

/* ---- Callers, each waiting for its own ---- */

struct caller {
	struct coordination *store;
	const char *name;
	const atomic_bool *stop;
	pthread_t thread;
	unsigned id;
	uint64_t count;
};

struct crowd {
	struct measure measure;
	struct coordination *store;
	unsigned size;
	struct caller callers[CALLERS];
};

static bool burn(const struct caller *c, uint64_t number)
{
	struct grant g = { .server = "accounts",
			   .tool = "block_account",
			   .args = ARGS,
			   .requester = "alice@company.example" };
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	bool first = false;

	(void)snprintf(g.id, sizeof g.id, "%s-%02u-number-%06llu", c->name, c->id,
		       (unsigned long long)number);
	if (!burn_start(c->store, &g, "bench", NULL, NOW_MS, &first, &record, &err))
		measure_fail_error("cannot burn", &err);
	return first;
}

static void *call(void *context)
{
	struct caller *c = context;

	while (!atomic_load_explicit(c->stop, memory_order_relaxed))
		if (!burn(c, c->count++))
			measure_fail("a fresh grant was burnt already");
	return NULL;
}

static void crowd_slice(struct crowd *crowd)
{
	const struct timespec length = { .tv_nsec = SLICE_NS };
	const int64_t start = measure_now_ns();
	atomic_bool stop = false;

	for (unsigned i = 0; i < crowd->size; i++) {
		struct caller *c = &crowd->callers[i];

		*c = (struct caller){ crowd->store, crowd->measure.variant, &stop,
				      .id = i, .count = c->count };
		if (pthread_create(&c->thread, NULL, call, c) != 0)
			measure_fail("cannot start %u threads", crowd->size);
	}
	(void)nanosleep(&length, NULL);
	atomic_store(&stop, true);
	crowd->measure.count = 0;
	for (unsigned i = 0; i < crowd->size; i++) {
		(void)pthread_join(crowd->callers[i].thread, NULL);
		crowd->measure.count += crowd->callers[i].count;
	}
	crowd->measure.ns += measure_now_ns() - start;
}

static void crowd_check(const struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->size; i++)
		if (crowd->callers[i].count > 0 &&
		    burn(&crowd->callers[i], crowd->callers[i].count - 1))
			measure_fail("a burnt grant was good again");
	measure_print(&crowd->measure);
}

static struct coordination *open_store(const struct server *s)
{
	const struct coord_redis_config config = {
		.socket = s->socket, .timeout_ms = COORD_REDIS_TIMEOUT_MAX_MS
	};
	struct error err = ERROR_INIT;
	struct coord_redis_access *access = coord_redis_access_read(&config, &err);
	struct coordination *c = access ? coord_open_redis(&access, "bench", &err) : NULL;

	if (!c)
		measure_fail_error("cannot begin", &err);
	return c;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct measure bare = { .variant = "bare" };
	struct server server = { .pid = 0 };

	if (argc != 2)
		measure_fail("usage: bench-redis FOLDER");
	_cleanup_free_ char *path = measure_path(argv[1], "own.db");
	server_start(&server, argv[1]);
	struct coordination *own = coord_open_sqlite(path, &err);
	struct coordination *store = open_store(&server);
	struct coordination *kept = own ? coord_open_kept(open_store(&server), own, &err)
					: NULL;
	if (!kept)
		measure_fail_error("cannot begin", &err);
	struct crowd crowds[] = {
		{ .measure = { .variant = "one" }, .store = store, .size = 1 },
		{ .measure = { .variant = "burn" }, .store = store, .size = CALLERS },
		{ .measure = { .variant = "kept" }, .store = kept, .size = CALLERS },
	};

	for (int slice = 0; slice < SLICES; slice++) {
		bare_slice(&bare, &server);
		for (size_t i = 0; i < ARRAY_SIZE(crowds); i++)
			crowd_slice(&crowds[i]);
	}
	measure_print(&bare);
	for (size_t i = 0; i < ARRAY_SIZE(crowds); i++)
		crowd_check(&crowds[i]);

	coord_close(store);
	coord_close(kept);
	server_stop(&server);
	return 0;
}
