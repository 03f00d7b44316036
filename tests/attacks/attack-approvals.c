/*
 * attack-approvals -- generated attacks on approvals, in this process.
 *
 * Each is made of a good approval: asked for, planned, clicked and signed with the
 * gate's pure parts, then changed in some way and presented to the code that executes
 * grants, behind HTTP. An oracle (model.c) that knows nothing of that code says what
 * may be executed; exactly that must be, once. Good ones are among them, so that
 * refusing everything fails. Prints TAP, and on failure the seed that brings it again.
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "attacks/kinds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"

/*
 * Attacks come in rounds, each in a process of its own with a seed of its own: what fails
 * can be had again without those before it, and what stores and logs keep does not add up.
 */
enum {
	ROUND = 10000,
	KINDS_MAX = 64,
	FULL_COUNT = 10000,
	LEAST_PERCENT = 10,
	JOBS_MAX = 16
};

struct options {
	int64_t count, seed;
};

struct tally {
	uint64_t attacks[KINDS_MAX], executed[KINDS_MAX];
	uint64_t all, ran;
};

static const struct option_row rows[] = {
	OPTION_INT64("count", 0, "N", "how many (default: 10000)",
		     offsetof(struct options, count)),
	OPTION_INT64("seed", 0, "N", "the same ones again (default: others every time)",
		     offsetof(struct options, seed)),
	OPTION_END
};

void attack_differs(const struct attack *a, const char *what)
{
	(void)printf("not ok 1 - '%s' of item %" PRIu64 ": %s\n", a->kind, a->item, what);
	(void)printf("# again with --seed %" PRIu64 "\n1..1\n", a->seed);
	(void)fflush(stdout);
	_exit(1);
}

static size_t pick_kind(struct attack *a)
{
	unsigned sum = 0;

	for (size_t i = 0; i < kind_count(); i++)
		sum += kinds[i].weight;
	size_t at = dice_below(&a->dice, sum);
	for (size_t i = 0;; i++) {
		if (at < kinds[i].weight)
			return i;
		at -= kinds[i].weight;
	}
}

static void attack_round(const char *root, uint64_t seed, uint64_t count, struct tally *t)
{
	struct attack a = { .dice = { seed }, .seed = seed };

	a.world = world_open(root);
	a.play = play_new(a.world);
	for (; a.item < count; a.item++) {
		const size_t kind = pick_kind(&a);
		const size_t before = world_runs(a.world);

		a.kind = kinds[kind].name;
		world_set_now(world_now_ms() + (int64_t)dice_below(&a.dice, 30));
		kinds[kind].run(&a);
		t->attacks[kind]++;
		t->executed[kind] += world_runs(a.world) - before;
	}
	t->ran = world_runs(a.world);
	t->all = count;
	for (size_t i = 0; i < ISSUES; i++)
		issue_done(&a.issues[i]);
	play_free(a.play);
	world_close(a.world);
}

/* ---- Rounds in processes of their own ---- */

struct round {
	pid_t pid; /* 0: there is none */
	int result;
	char root[64];
};

static int remove_entry(const char *path, const struct stat *st, int kind,
			struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static void start_round(struct round *r, uint64_t seed, uint64_t count)
{
	int ends[2];

	/* In memory, if that can be: what is proved here is no disk. */
	(void)snprintf(r->root, sizeof r->root, "%s/wingman-attack-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(r->root) || pipe2(ends, O_CLOEXEC) != 0)
		broken("no folder");
	(void)fflush(stdout);
	r->pid = fork();
	if (r->pid < 0)
		broken("no process");
	if (r->pid == 0) {
		struct tally t = { 0 };

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		attack_round(r->root, seed, count, &t);
		_exit(write(ends[1], &t, sizeof t) == sizeof t ? 0 : 1);
	}
	(void)close(ends[1]);
	r->result = ends[0];
}

/* False: it failed, and has said how. */
static bool end_round(struct round *r, struct tally *sum)
{
	struct tally t = { 0 };
	int status = 1;
	const bool good = read(r->result, &t, sizeof t) == sizeof t;

	(void)close(r->result);
	(void)waitpid(r->pid, &status, 0);
	(void)nftw(r->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	r->pid = 0;
	if (WIFSIGNALED(status))
		(void)printf("not ok 1 - a round ended by signal %d\n1..1\n",
			     WTERMSIG(status));
	for (size_t i = 0; good && i < KINDS_MAX; i++) {
		sum->attacks[i] += t.attacks[i];
		sum->executed[i] += t.executed[i];
	}
	sum->all += t.all;
	sum->ran += t.ran;
	return good && status == 0;
}

/* As many at a time as there are processors. */
static bool run_all(const struct options *o, struct tally *t)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t jobs = processors < 1          ? 1
			    : processors > JOBS_MAX ? JOBS_MAX
						    : (size_t)processors;
	struct round rounds[JOBS_MAX] = { 0 };
	int64_t begun = 0;
	uint64_t seed = (uint64_t)o->seed;
	bool good = true;

	for (size_t i = 0, idle = 0; idle < jobs; i = (i + 1) % jobs) {
		if (rounds[i].pid)
			good = end_round(&rounds[i], t) && good;
		idle = good && begun < o->count ? 0 : idle + 1;
		if (idle > 0)
			continue;
		const int64_t left = o->count - begun;
		const int64_t size = left < ROUND ? left : ROUND;
		start_round(&rounds[i], seed++, (uint64_t)size);
		begun += size;
	}
	return good;
}

/* Of a full count every kind must have occurred, and good calls must have gone through. */
static bool report(const struct tally *t)
{
	bool all = true;

	for (size_t i = 0; i < kind_count(); i++) {
		(void)printf("# %9" PRIu64 " of which %8" PRIu64 " executed: %s\n",
			     t->attacks[i], t->executed[i], kinds[i].name);
		all = all && t->attacks[i] > 0;
	}
	const bool enough = t->ran * 100 >= t->all * LEAST_PERCENT;
	(void)printf("%s 2 - every kind occurred\n",
		     all || t->all < FULL_COUNT ? "ok" : "not ok");
	(void)printf("%s 3 - what was good was executed: %" PRIu64 "\n1..3\n",
		     enough || t->all < FULL_COUNT ? "ok" : "not ok", t->ran);
	return (all && enough) || t->all < FULL_COUNT;
}

int main(int argc, char **argv)
{
	struct options o = { .count = FULL_COUNT, .seed = clock_wall_ms() };
	const int64_t start_ms = clock_mono_ms();
	struct tally t = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;

	switch (options_parse(rows, &o, argc, argv, &operands, &err)) {
	case OPTIONS_OK:
		break;
	case OPTIONS_HELP:
		options_help("attack-approvals", "[options]",
			     "Attack approvals, and see that nothing is executed but "
			     "what was approved.",
			     rows, stdout);
		return 0;
	case OPTIONS_VERSION:
		(void)puts("attack-approvals " WINGMAN_VERSION);
		return 0;
	case OPTIONS_BAD:
		(void)fprintf(stderr, "attack-approvals: %s\n", err.message);
		return 2;
	}
	if (operands > 0 || o.count < 1 || o.seed < 0) {
		(void)fputs(
			"attack-approvals: --count wants a positive number, --seed one "
			"that is not negative\n",
			stderr);
		return 2;
	}
	log_setup("attack-approvals", LOG_ERROR);
	(void)printf("# seed %" PRId64 "\n", o.seed);
	if (!run_all(&o, &t))
		return 1;
	(void)printf("ok 1 - of %" PRIu64
		     " attacks exactly what was approved was executed, "
		     "once (%" PRId64 " s)\n",
		     t.all, (clock_mono_ms() - start_ms) / 1000);
	return report(&t) ? 0 : 1;
}
