/*
 * append_bench -- what is durable before anybody goes on: lines of the audit chain and
 * burnt grants from 64 callers at once, against rows that SQLite (WAL,
 * synchronous=FULL) commits one by one.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "bench/measure.h"
#include "guard/audit.h"
#include "guard/burn.h"

enum { CALLERS = 64, SLICES = 5, SLICE_NS = 100000000, NOW_S = 1800000000 };

#define ARGS "2222222222222222222222222222222222222222222222222222222222222222"

/* ---- Bare: a connection, a prepared statement, a row a commit ---- */

struct bare {
	sqlite3 *db;
	sqlite3_stmt *insert;
	struct measure measure;
};

/* As long as a line of the audit chain with the same data. */
static const char row_text[] =
	"{\"at\":\"2027-01-15T08:00:00.000Z\",\"data\":{\"id\":\"caller-00-number-"
	"000000\","
	"\"requester\":\"alice@company.example\",\"tool\":\"block_account\"},\"event\":"
	"\"bench.append\",\"hash\":\"" ARGS "\",\"prev\":\"" ARGS
	"\",\"program\":\"bench\",\"seq\":100000,\"v\":1}";

static void sqlite_must(sqlite3 *db, int result, int wanted)
{
	if (result != wanted)
		measure_fail("sqlite: %s", sqlite3_errmsg(db));
}

static struct bare bare_open(const char *path)
{
	static const char setup[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL)";
	struct bare bare = { .measure = { .variant = "bare" } };

	sqlite_must(bare.db, sqlite3_open(path, &bare.db), SQLITE_OK);
	sqlite_must(bare.db, sqlite3_exec(bare.db, setup, NULL, NULL, NULL), SQLITE_OK);
	sqlite_must(bare.db,
		    sqlite3_prepare_v2(bare.db, "INSERT INTO entry VALUES (?, ?)", -1,
				       &bare.insert, NULL),
		    SQLITE_OK);
	return bare;
}

static void bare_slice(struct bare *bare)
{
	const int64_t start = measure_now_ns();
	int64_t now = start;
	char key[64];

	for (; now - start < SLICE_NS; now = measure_now_ns()) {
		(void)snprintf(key, sizeof key, "burn/%llu",
			       (unsigned long long)bare->measure.count++);
		sqlite3_bind_text(bare->insert, 1, key, -1, SQLITE_STATIC);
		sqlite3_bind_text(bare->insert, 2, row_text, -1, SQLITE_STATIC);
		sqlite_must(bare->db, sqlite3_step(bare->insert), SQLITE_DONE);
		sqlite_must(bare->db, sqlite3_reset(bare->insert), SQLITE_OK);
	}
	bare->measure.ns += now - start;
}

static void bare_close(struct bare *bare)
{
	sqlite3_stmt *count = NULL;

	sqlite_must(bare->db,
		    sqlite3_prepare_v2(bare->db, "SELECT count(*) FROM entry", -1, &count,
				       NULL),
		    SQLITE_OK);
	sqlite_must(bare->db, sqlite3_step(count), SQLITE_ROW);
	if ((uint64_t)sqlite3_column_int64(count, 0) != bare->measure.count)
		measure_fail("sqlite lost rows");
	sqlite3_finalize(count);
	sqlite3_finalize(bare->insert);
	sqlite3_close(bare->db);
}

/* ---- 64 callers, each waiting for its own ---- */

struct bench {
	struct statedir *dir;
	struct audit *audit;
	struct coordination *store;
};

struct caller {
	struct bench *bench;
	void (*one)(struct bench *b, unsigned caller, uint64_t number);
	const atomic_bool *stop;
	pthread_t thread;
	unsigned id;
	uint64_t count;
};

struct crowd {
	struct measure measure;
	struct caller callers[CALLERS];
};

static void *call(void *context)
{
	struct caller *c = context;

	while (!atomic_load_explicit(c->stop, memory_order_relaxed))
		c->one(c->bench, c->id, c->count++);
	return NULL;
}

/* From the first start to the last end: what is under way when time is up counts. */
static void crowd_slice(struct crowd *crowd, struct bench *b,
			void (*one)(struct bench *, unsigned, uint64_t))
{
	const struct timespec length = { .tv_nsec = SLICE_NS };
	const int64_t start = measure_now_ns();
	atomic_bool stop = false;

	for (unsigned i = 0; i < CALLERS; i++) {
		struct caller *c = &crowd->callers[i];

		*c = (struct caller){ b, one, &stop, .id = i, .count = c->count };
		if (pthread_create(&c->thread, NULL, call, c) != 0)
			measure_fail("cannot start %d threads", CALLERS);
	}
	(void)nanosleep(&length, NULL);
	atomic_store(&stop, true);
	crowd->measure.count = 0;
	for (unsigned i = 0; i < CALLERS; i++) {
		(void)pthread_join(crowd->callers[i].thread, NULL);
		crowd->measure.count += crowd->callers[i].count;
	}
	crowd->measure.ns += measure_now_ns() - start;
}

static void name_it(char id[static 81], unsigned caller, uint64_t number)
{
	(void)snprintf(id, 81, "caller-%02u-number-%06llu", caller,
		       (unsigned long long)number);
}

static void append_line(struct bench *b, unsigned caller, uint64_t number)
{
	struct error err = ERROR_INIT;
	char id[81];

	name_it(id, caller, number);
	if (!audit_append(b->audit, "bench.append",
			  json_pack("{s:s, s:s, s:s}", "id", id, "requester",
				    "alice@company.example", "tool", "block_account"),
			  NULL, &err))
		measure_fail_error("cannot append", &err);
}

static bool burn(struct bench *b, unsigned caller, uint64_t number)
{
	struct grant g = { .server = "accounts",
			   .tool = "block_account",
			   .args = ARGS,
			   .requester = "alice@company.example" };
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	bool first = false;

	name_it(g.id, caller, number);
	if (!burn_start(b->store, &g, "bench", NULL, (int64_t)NOW_S * 1000, &first,
			&record, &err))
		measure_fail_error("cannot burn", &err);
	return first;
}

static void burn_one(struct bench *b, unsigned caller, uint64_t number)
{
	if (!burn(b, caller, number))
		measure_fail("a fresh grant was burnt already");
}

/* ---- Whether it is all there ---- */

static void check_audit(struct bench *b, uint64_t count)
{
	_cleanup_free_ char *folder = statedir_path(b->dir, "audit");
	struct audit_report report;
	struct error err = ERROR_INIT;

	audit_close(TAKE(b->audit));
	if (!folder || !audit_verify(folder, "bench", NULL, NULL, 0, &report, &err))
		measure_fail_error("cannot verify the chain", &err);
	if (!report.sound)
		measure_fail("the chain is not sound: %s", report.finding);
	if ((uint64_t)report.lines < count)
		measure_fail("the chain lost lines");
}

static void check_burns(struct bench *b, const struct crowd *burns)
{
	for (unsigned i = 0; i < CALLERS; i++) {
		const uint64_t count = burns->callers[i].count;

		if (count > 0 && burn(b, i, count - 1))
			measure_fail("a burnt grant was good again");
	}
}

static void measure(struct bench *b, struct bare *bare)
{
	struct crowd lines = { .measure = { .variant = "audit" } };
	struct crowd burns = { .measure = { .variant = "burn" } };

	for (int slice = 0; slice < SLICES; slice++) {
		bare_slice(bare);
		crowd_slice(&lines, b, append_line);
		crowd_slice(&burns, b, burn_one);
	}
	check_audit(b, lines.measure.count);
	check_burns(b, &burns);
	measure_print(&bare->measure);
	measure_print(&lines.measure);
	measure_print(&burns.measure);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct bench b = { 0 };

	if (argc != 2)
		measure_fail("usage: bench-append FOLDER");
	_cleanup_free_ char *bare_path = measure_path(argv[1], "bare.db");
	_cleanup_free_ char *store_path = measure_path(argv[1], "store.db");
	b.dir = statedir_new(argv[1], &err);
	if (!b.dir || !statedir_create(b.dir, &err) ||
	    !(b.audit = audit_open(b.dir, "bench", &err)) ||
	    !(b.store = coord_open_sqlite(store_path, &err)))
		measure_fail_error("cannot begin", &err);
	struct bare bare = bare_open(bare_path);

	measure(&b, &bare);

	bare_close(&bare);
	coord_close(b.store);
	statedir_free(b.dir);
	return 0;
}
