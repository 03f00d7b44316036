#include "link/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/rounds.h"
#include "base/strbuf.h"
#include "link/sqlite/sqlite_connection.h"

/* How long a group waits for those who were in the one before: a part of the time that
 * writing took, and never longer than this. */
enum { GATHER_PART = 4, GATHER_NS_MAX = 1000000 };

/* One caller waiting for its write; lives on that caller's stack. */
struct job {
	sqlite_work_fn *work;
	void *context;
	struct error *err;
	bool ok;
	atomic_bool done; /* the last word: it is gone afterwards */
	struct job *next;
};

struct sqlite_store {
	char *path;
	int lock_fd;
	struct sqlite_connection *writer;
	struct sqlite_connection *reader; /* NULL until it is needed */
	bool reads_are_short;
	pthread_mutex_t read_lock;

	struct rounds groups;
	pthread_mutex_t queue_lock;
	struct job *first, **last;
	bool leading; /* somebody writes a group; 'writer' is theirs meanwhile */
	pthread_cond_t gathered;
	int queued,
		expected; /* who waits, and for how many the leader does; 0: it does not */
	int last_count;   /* how many the last group had, and how long it took */
	int64_t last_ns;
};

/* ---- Transactions --------------------------------------------------------------- */

static const char begin[] = "BEGIN IMMEDIATE", commit[] = "COMMIT",
		  savepoint[] = "SAVEPOINT job", release[] = "RELEASE job";

/* Statements that every group has, prepared once. */
static bool run(struct sqlite_connection *c, const char *sql, struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(c, sql, err);
	const bool done = st && sqlite_run(c, st, err);

	(void)sqlite3_reset(st);
	return done;
}

/* Within the open transaction. An error of one job leaves the others alone. */
static void run_job(struct sqlite_connection *c, struct job *job)
{
	struct error undo = ERROR_INIT;

	error_clear(job->err);
	sqlite_connection_try(c);
	job->ok = run(c, savepoint, job->err) && job->work(job->context, c, job->err);
	sqlite_connection_reset(c);
	if (sqlite_connection_idle(c)) {
		/* SQLite gave the whole transaction up (disk full, memory). */
		if (job->ok)
			error_set(job->err, ERR_BACKEND_UNAVAILABLE,
				  "the transaction was lost");
		job->ok = false;
		return;
	}
	if ((job->ok || sqlite_connection_exec(c, "ROLLBACK TO job", &undo)) &&
	    run(c, release, &undo))
		return;
	/* What cannot be undone alone is undone with everything else. */
	(void)sqlite_connection_exec(c, "ROLLBACK", &undo);
	if (job->ok)
		*job->err = undo;
	job->ok = false;
}

static void fail_all(struct job *jobs, const struct error *why)
{
	for (struct job *job = jobs; job; job = job->next) {
		if (!job->ok)
			continue; /* has its own reason */
		job->ok = false;
		*job->err = *why;
	}
}

/* Nearly always all of them can be done, and none needs a place to go back to. False:
 * nothing was written; of a single job that is the last word. */
static bool run_together(struct sqlite_connection *c, struct job *jobs)
{
	struct error err = ERROR_INIT, rollback = ERROR_INIT;
	bool good = run(c, begin, &err);

	sqlite_connection_try(c);
	for (struct job *job = jobs; good && job; job = job->next) {
		error_clear(job->err);
		good = job->work(job->context, c, job->err);
		sqlite_connection_reset(c);
		if (!good)
			err = *job->err;
		else if (sqlite_connection_idle(c))
			/* SQLite gave the whole transaction up (disk full, memory). */
			good = error_set(&err, ERR_BACKEND_UNAVAILABLE,
					 "the transaction was lost");
	}
	good = good && run(c, commit, &err);
	if (!good && !sqlite_connection_idle(c))
		(void)sqlite_connection_exec(c, "ROLLBACK", &rollback);
	for (struct job *job = jobs; job; job = job->next) {
		job->ok = good;
		if (!good)
			*job->err = err;
	}
	return good;
}

/* All jobs of a list in one transaction, each undone alone if it fails. False: nothing of
 * it was written. */
static bool run_transaction(struct sqlite_connection *c, struct job *jobs)
{
	struct error err = ERROR_INIT, rollback = ERROR_INIT;
	bool any = false;

	for (struct job *job = jobs; job; job = job->next) {
		job->ok = true;
		error_clear(job->err);
	}
	if (!run(c, begin, &err)) {
		fail_all(jobs, &err);
		return false;
	}
	for (struct job *job = jobs; job; job = job->next) {
		run_job(c, job);
		any |= job->ok;
		if (sqlite_connection_idle(c)) {
			fail_all(jobs, job->err);
			return false;
		}
	}
	/* Even with nothing to keep the transaction must end. */
	if (any ? run(c, commit, &err) : sqlite_connection_exec(c, "ROLLBACK", &err))
		return true;
	if (!sqlite_connection_idle(c))
		(void)sqlite_connection_exec(c, "ROLLBACK", &rollback);
	fail_all(jobs, &err);
	return false;
}

static void run_group(struct sqlite_connection *c, struct job *jobs)
{
	if (run_together(c, jobs) || !jobs->next || run_transaction(c, jobs))
		return;
	/* One of them may be too big for the disk while the others fit: each by itself. */
	for (struct job *job = jobs, *next; job; job = next) {
		next = job->next;
		job->next = NULL;
		(void)run_transaction(c, job);
		job->next = next;
	}
}

static struct job *take_group(struct sqlite_store *s)
{
	struct job *group = s->first, *last = group;

	for (int i = 1; last->next && i < SQLITE_STORE_GROUP_MAX; i++)
		last = last->next;
	s->last_count = 1;
	for (struct job *job = group; job != last; job = job->next)
		s->last_count++;
	s->queued -= s->last_count;
	s->first = last->next;
	last->next = NULL;
	if (!s->first)
		s->last = &s->first;
	return group;
}

/* ---- Callers ------------------------------------------------------------------- */

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/*
 * Those whose write has just ended are about to come with the next one: to begin without
 * them would be two syncs where one does. With the queue's lock held, which is given up
 * meanwhile. Who is alone does not wait.
 */
static void gather(struct sqlite_store *s)
{
	const int64_t part = s->last_ns / GATHER_PART;
	const int64_t until_ns = now_ns() + (part < GATHER_NS_MAX ? part : GATHER_NS_MAX);
	const struct timespec until = { .tv_sec = until_ns / INT64_C(1000000000),
					.tv_nsec = until_ns % INT64_C(1000000000) };
	int rc = 0;

	s->expected = s->last_count;
	while (s->queued < s->expected && rc == 0)
		rc = pthread_cond_timedwait(&s->gathered, &s->queue_lock, &until);
	s->expected = 0;
}

/* With the queue's lock held, which is let go of while the group is written, and after. */
static void lead(struct sqlite_store *s)
{
	struct job *next;

	s->leading = true;
	gather(s);

	struct job *group = take_group(s);

	pthread_mutex_unlock(&s->queue_lock);
	const int64_t began_ns = now_ns();
	run_group(s->writer, group);
	const int64_t took_ns = now_ns() - began_ns;
	pthread_mutex_lock(&s->queue_lock);
	s->last_ns = took_ns;
	s->leading = false;
	pthread_mutex_unlock(&s->queue_lock);
	for (struct job *job = group; job; job = next) {
		next = job->next;
		atomic_store(&job->done, true);
	}
	rounds_end(&s->groups);
}

bool sqlite_store_write(struct sqlite_store *s, sqlite_work_fn *work, void *context,
			struct error *err)
{
	/* Its own error: 'err' may hold an earlier one, which wins. */
	struct error own = ERROR_INIT;
	struct job job = { .work = work, .context = context, .err = &own };

	pthread_mutex_lock(&s->queue_lock);
	*s->last = &job;
	/* cppcheck-suppress autoVariables ; it leaves the queue before we return */
	s->last = &job.next;
	if (++s->queued == s->expected)
		pthread_cond_signal(&s->gathered);
	for (;;) {
		const unsigned seen = rounds_seen(&s->groups);
		const bool waits = s->leading;

		if (waits)
			pthread_mutex_unlock(&s->queue_lock);
		else
			lead(s);
		if (waits && !atomic_load(&job.done))
			rounds_wait(&s->groups, seen);
		if (atomic_load(&job.done))
			break;
		pthread_mutex_lock(&s->queue_lock);
	}
	if (!job.ok && !error_is_set(err))
		*err = own;
	return job.ok;
}

/* With the lock for reading. Whether nobody writes or is about to: 'writer' is ours then. */
static bool borrow_writer(struct sqlite_store *s)
{
	pthread_mutex_lock(&s->queue_lock);
	const bool idle = !s->leading && !s->first;
	s->leading |= idle;
	pthread_mutex_unlock(&s->queue_lock);
	return idle;
}

static void give_back_writer(struct sqlite_store *s)
{
	pthread_mutex_lock(&s->queue_lock);
	s->leading = false;
	pthread_mutex_unlock(&s->queue_lock);
	rounds_end(&s->groups);
}

bool sqlite_store_read(struct sqlite_store *s, sqlite_work_fn *work, void *context,
		       struct error *err)
{
	bool ok;

	pthread_mutex_lock(&s->read_lock);
	const bool borrowed = !s->reader && s->reads_are_short && borrow_writer(s);
	if (!s->reader && !borrowed)
		s->reader = sqlite_connection_open(s->path, err);
	struct sqlite_connection *c = borrowed ? s->writer : s->reader;
	ok = c && work(context, c, err);
	if (c)
		sqlite_connection_reset(c);
	if (borrowed)
		give_back_writer(s);
	pthread_mutex_unlock(&s->read_lock);
	return ok;
}

const char *sqlite_store_path(const struct sqlite_store *s)
{
	return s->path;
}

/* ---- Opening ------------------------------------------------------------------- */

/* Make the file before SQLite does, so that it never has another mode, and make
 * its name durable. -wal and -shm inherit the mode. */
static bool prepare_file(const char *path, struct error *err)
{
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	_cleanup_close_ int dir_fd = -1;
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return error_oom(err);
	if (fd < 0)
		return error_errno(err, "cannot open store '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "store '%s' is not a file",
				 path);
	if ((st.st_mode & 0077) != 0 && fchmod(fd, 0600) < 0)
		return error_errno(err, "cannot make store '%s' private", path);
	/* Nothing was written to it before this was done: once is enough. */
	if (st.st_size > 0)
		return true;
	dir_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || fsync(dir_fd) < 0)
		return error_errno(err, "cannot sync the folder of store '%s'", path);
	return true;
}

static bool migrate(struct sqlite_store *s, const struct sqlite_store_config *config,
		    struct error *err)
{
	struct sqlite_connection *c = s->writer;
	_cleanup_strbuf_ struct strbuf sql = STRBUF_INIT;
	int64_t id = 0, version = 0, tables = 0, known = 0;

	while (config->migrations[known])
		known++;
	if (!sqlite_connection_int64(c, "PRAGMA application_id", &id, err) ||
	    !sqlite_connection_int64(c, "PRAGMA user_version", &version, err))
		return false;
	if (id != config->application_id &&
	    !sqlite_connection_int64(c, "SELECT count(*) FROM sqlite_schema", &tables,
				     err))
		return false;
	if (id != config->application_id && (id != 0 || version != 0 || tables != 0))
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"'%s' is a database, but not the store that belongs here",
			config->path);
	if (version < 0 || version > known)
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"store '%s' was written by a newer version of this program",
			config->path);
	if (version == known)
		return true;
	strbuf_add_string(&sql, "BEGIN IMMEDIATE;");
	for (; version < known; version++)
		strbuf_add_string(&sql, config->migrations[version]);
	strbuf_add_format(&sql,
			  "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
			  (int)config->application_id, (int)known);
	if (!strbuf_ok(&sql))
		return error_oom(err);
	return sqlite_connection_exec(c, sql.data, err);
}

static void init_monotonic(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

struct sqlite_store *sqlite_store_open(const struct sqlite_store_config *config,
				       struct error *err)
{
	_cleanup_(sqlite_store_closep) struct sqlite_store *s = calloc(1, sizeof *s);
	_cleanup_strbuf_ struct strbuf lock_path = STRBUF_INIT;

	if (!s || !(s->path = strdup(config->path))) {
		free(TAKE(s));
		error_oom(err);
		return NULL;
	}
	s->lock_fd = -1;
	s->reads_are_short = config->reads_are_short;
	s->last = &s->first;
	pthread_mutex_init(&s->read_lock, NULL);
	pthread_mutex_init(&s->queue_lock, NULL);
	init_monotonic(&s->gathered);

	strbuf_add_format(&lock_path, "%s.lock", config->path);
	if (!strbuf_ok(&lock_path)) {
		error_oom(err);
		return NULL;
	}
	if (!file_lock(lock_path.data, &s->lock_fd, err) ||
	    !prepare_file(config->path, err))
		return NULL;
	s->writer = sqlite_connection_open(config->path, err);
	if (!s->writer || !migrate(s, config, err))
		return NULL;
	if (!s->reads_are_short && !(s->reader = sqlite_connection_open(s->path, err)))
		return NULL;
	return TAKE(s);
}

void sqlite_store_close(struct sqlite_store *s)
{
	if (!s)
		return;
	sqlite_connection_close(s->reader);
	sqlite_connection_close(s->writer);
	pthread_mutex_destroy(&s->read_lock);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_cond_destroy(&s->gathered);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s->path);
	free(s);
}
