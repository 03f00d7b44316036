/*
 * A thousand runs of blocking and giving back over four systems, with failures, lost
 * answers, limits and deaths at every step, against an oracle that knows nothing of that
 * code: it converges to what was asked, or the record says exactly what is open; nobody
 * else is ever touched; and in the end everything that the block took is back, except
 * what others changed.
 *
 * The systems and the dice stand in memory that outlives a process; each life of the
 * server is a child, which a die may end at any point; the next one finds its records.
 * SAGA_RUNS and SAGA_SEED (environment) ask for more, or for one run again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/testing.h"
#include "servers/accounts/expire.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/held.h"
#include "servers/accounts/testing_accounts.h"

#define NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */

enum { SYSTEMS = 4, PEOPLE = 3, RUNS = 1000, SECOND = 1000, MINUTE = 60 * SECOND };
enum { LDAP, OKTA, GITHUB, SLACK };
enum { KILLED = 9, LIVES_MAX = 200, TICKS_MAX = 4000 };

/* Where a run is: what a life begins with. */
enum stage { BLOCK, BLOCKING, MEDDLE, GIVE_BACK, GIVING_BACK, MEND, MENDING, CHECK };

struct world {
	uint64_t dice;
	int64_t now_ms;
	enum stage stage;
	int decision; /* approvals so far */
	int faults_left, deaths_left, deaths, faults;
	bool expires, keeps_sessions, has_given_back;
	struct fake_account people[SYSTEMS][PEOPLE + 1];
	struct fake_system fakes[SYSTEMS];
	/* As John's accounts must be in the end, but for sessions and tokens. */
	struct fake_account wanted[SYSTEMS];
	struct fake_account before[SYSTEMS]; /* the block */
};

static struct world *w; /* shared with children; the one thing that hooks can reach */
static char folder[TESTING_PATH_BYTES];

static uint64_t roll(uint64_t below)
{
	w->dice ^= w->dice << 13;
	w->dice ^= w->dice >> 7;
	w->dice ^= w->dice << 17;
	return w->dice % below;
}

#define CHECK_THAT(cond)                                                                 \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "# line %d, stage %d, decision %d: %s\n",        \
				__LINE__, (int)w->stage, w->decision, #cond);            \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

/* ---- What may go wrong ---- */

static void may_die(void *context, const char *where)
{
	(void)context;
	(void)where;
	if (w->deaths_left == 0 || roll(12) != 0)
		return;
	w->deaths_left--;
	w->deaths++;
	_exit(KILLED);
}

static void may_fail(void *context)
{
	static const enum error_code codes[] = {
		ERR_RATE_LIMITED,    ERR_BACKEND_UNAVAILABLE, ERR_TIMEOUT,
		ERR_UNKNOWN_OUTCOME, ERR_UNKNOWN_OUTCOME,     ERR_PERMISSION_DENIED,
	};
	struct fake_system *s = context;

	may_die(NULL, "before the act");
	s->change_happens = false;
	if (w->faults_left == 0 || roll(3) != 0)
		return;
	w->faults_left--;
	w->faults++;
	s->change_fails = codes[roll(ARRAY_SIZE(codes))];
	s->change_happens = s->change_fails == ERR_UNKNOWN_OUTCOME && roll(2) == 0;
	s->retry_after_ms =
		s->change_fails == ERR_RATE_LIMITED ? (int64_t)roll(10 * MINUTE) : 0;
}

static void may_be_unreadable(void)
{
	for (size_t i = 0; i < SYSTEMS; i++) {
		w->fakes[i].lookup_fails = ERR_NONE;
		if (w->faults_left > 0 && roll(10) == 0) {
			w->faults_left--;
			w->faults++;
			w->fakes[i].lookup_fails = ERR_BACKEND_UNAVAILABLE;
		}
	}
}

static void all_is_well(void)
{
	for (size_t i = 0; i < SYSTEMS; i++)
		w->fakes[i].lookup_fails = w->fakes[i].change_fails = ERR_NONE;
}

/* ---- A life of the server ---- */

struct life {
	struct account_system systems[SYSTEMS];
	struct turns turns, sagas;
	struct audit *audit;
	struct saga_env env;
	char approval[32];
};

static void begin_life(struct life *l, const char *records)
{
	static const struct account_backend *const backends[SYSTEMS] = {
		&fake_ldap, &fake_okta, &fake_github, &fake_slack
	};
	struct error err = ERROR_INIT;
	struct statedir *dir = statedir_new(folder, &err);

	*l = (struct life){ 0 };
	for (size_t i = 0; i < SYSTEMS; i++)
		l->systems[i] = (struct account_system){ .backend = backends[i],
							 .self = &w->fakes[i] };
	turns_init(&l->turns);
	turns_init(&l->sagas);
	l->audit = audit_open(dir, "accounts", &err);
	l->env = (struct saga_env){ .systems = l->systems,
				    .system_count = SYSTEMS,
				    .records = documents_open_sqlite(records, &err),
				    .turns = &l->turns,
				    .sagas = &l->sagas,
				    .point = may_die };
	if (!l->audit || !l->env.records) {
		fprintf(stderr, "# %s\n", err.message);
		_exit(1);
	}
}

static void name_decision(struct life *l)
{
	(void)snprintf(l->approval, sizeof l->approval, "ap-%d", w->decision);
}

/* Whatever becomes of it: as with a grant, it is not begun twice. */
static void decide(struct life *l, enum saga_kind kind)
{
	struct testing_asked asked = { .kind = kind,
				       .person = "john@example.test",
				       .keeps_sessions = w->keeps_sessions,
				       .expires_ms = kind == SAGA_BLOCK && w->expires
							     ? w->now_ms + 90 * MINUTE
							     : 0 };
	struct error err = ERROR_INIT;

	all_is_well();
	w->decision++;
	w->stage++;
	name_decision(l);
	asked.approval = l->approval;
	l->env.now_ms = w->now_ms;
	l->env.audit = NULL;
	if (!testing_decide(&l->env, &asked, NULL, &err)) {
		fprintf(stderr, "# decision %d: %s\n", w->decision, err.message);
		_exit(1);
	}
}

static json_t *recorded(struct life *l)
{
	struct error err = ERROR_INIT;
	json_t *saga = NULL;

	name_decision(l);
	CHECK_THAT(saga_get(l->env.records, l->approval, &saga, &err));
	return saga;
}

static bool is_waiting(struct life *l)
{
	struct error err = ERROR_INIT;
	json_auto_t *list = NULL;

	CHECK_THAT(expiry_list(l->env.records, &list, &err));
	return json_array_size(list) > 0;
}

static void tick(struct life *l)
{
	struct error err = ERROR_INIT;
	struct expire e = { .systems = l->systems,
			    .system_count = SYSTEMS,
			    .records = l->env.records,
			    .turns = &l->turns,
			    .audit = l->audit };

	w->now_ms += (int64_t)(SECOND + roll(6 * MINUTE));
	may_be_unreadable();
	for (size_t i = 0; i < SYSTEMS; i++)
		if (roll(4) == 0)
			w->fakes[i].shown = w->fakes[i].late;
	l->env.now_ms = e.now_ms = w->now_ms;
	l->env.audit = l->audit;
	e.watch = roll(3) == 0;
	CHECK_THAT(saga_work_all(&l->env, &err));
	CHECK_THAT(expire_blocks(&e, &err));
	all_is_well();
}

/* ---- The oracle ---- */

static bool same(const struct fake_account *a, const struct fake_account *b,
		 enum account_facet facet)
{
	switch (facet) {
	case FACET_SIGN_IN:
		return strcmp(a->lock, b->lock) == 0;
	case FACET_SESSIONS:
		return a->sessions == b->sessions;
	case FACET_TOKENS:
		return a->tokens == b->tokens;
	case FACET_MEMBERSHIPS:
		return strcmp(a->teams, b->teams) == 0;
	case FACET_COUNT:
		break;
	}
	return false;
}

static bool is_blocked(const struct fake_account *a, enum account_facet facet)
{
	switch (facet) {
	case FACET_SIGN_IN:
		return strcmp(a->lock, "locked") == 0;
	case FACET_SESSIONS:
		return a->sessions == 0;
	case FACET_TOKENS:
		return a->tokens == 0;
	case FACET_MEMBERSHIPS:
		return *a->teams == '\0';
	case FACET_COUNT:
		break;
	}
	return false;
}

static void nobody_else_is_touched(void)
{
	for (size_t i = 0; i < SYSTEMS; i++) {
		for (size_t k = 1; k < PEOPLE; k++) {
			const struct fake_account *a = &w->people[i][k];

			CHECK_THAT(*a->lock == '\0' && a->sessions == 7 &&
				   a->tokens == 7 && strcmp(a->teams, "xyz") == 0);
		}
	}
}

/* What the record claims of a facet is what is there. */
static void check_claim(const json_t *saga, size_t system, enum account_facet facet)
{
	static const char *const names[SYSTEMS] = { "ldap", "okta", "github", "slack" };
	const struct fake_account *now = &w->people[system][0];
	const char *phase = testing_phase(saga, names[system], account_facet_name(facet));
	const bool is_changed = !same(now, &w->before[system], facet);

	if (strcmp(phase, "verified") == 0 || strcmp(phase, "accepted") == 0)
		CHECK_THAT(is_blocked(now, facet));
	else if (strcmp(phase, "refused") == 0 || strcmp(phase, "") == 0)
		CHECK_THAT(!is_changed);
	else
		CHECK_THAT(strcmp(phase, "given_up") == 0);
	/* A change that nobody claims is one that is said to be unknown. */
	if (is_changed && strcmp(phase, "given_up") == 0) {
		const json_t *step;
		bool said = false;
		size_t i;

		json_array_foreach(json_object_get(saga, "steps"), i, step)
			said |= json_is_true(json_object_get(step, "sent")) &&
				strcmp(json_get_string(step, "phase"), "given_up") == 0;
		CHECK_THAT(said);
	}
}

/* Blocked here and on record for it, or neither. */
static void check_explained(struct life *l, size_t system)
{
	const struct fake_account *a = &w->people[system][0];
	struct account account = { .id = strdup(a->id) };
	struct error err = ERROR_INIT;
	json_auto_t *event = NULL;

	memcpy(account.lock, a->lock, sizeof account.lock);
	CHECK_THAT(record_explain(l->env.records, l->systems[system].backend->system,
				  &account, &event, &err));
	free(account.id);
	CHECK_THAT((event != NULL) == (strcmp(a->lock, "locked") == 0));
}

static void check_block(struct life *l, const json_t *saga)
{
	for (size_t i = 0; i < SYSTEMS; i++) {
		for (size_t f = 0; f < FACET_COUNT; f++)
			if (f == FACET_SIGN_IN || (w->fakes[i].facets & 1u << f))
				check_claim(saga, i, (enum account_facet)f);
		check_explained(l, i);
	}
}

/* ---- Stages ---- */

/* The saga of the last decision is over; NULL when the process died before it began. */
static json_t *see_it_end(struct life *l)
{
	json_t *saga = recorded(l);

	for (int i = 0; saga && strcmp(json_get_string(saga, "state"), "open") == 0;
	     i++) {
		CHECK_THAT(i < TICKS_MAX);
		json_decref(saga);
		tick(l);
		nobody_else_is_touched();
		saga = recorded(l);
	}
	return saga;
}

static void block(struct life *l)
{
	memcpy(w->before, (const void *)w->wanted, sizeof w->before);
	for (size_t i = 0; i < SYSTEMS; i++)
		w->before[i] = w->people[i][0];
	decide(l, SAGA_BLOCK);
}

static void see_block_end(struct life *l)
{
	json_auto_t *saga = see_it_end(l);

	if (!saga) {
		for (size_t i = 0; i < SYSTEMS; i++)
			for (size_t f = 0; f < FACET_COUNT; f++)
				CHECK_THAT(same(&w->people[i][0], &w->before[i],
						(enum account_facet)f));
		w->stage = BLOCK;
		return;
	}
	/* An end may have come while the last steps were still tried. */
	if (!w->expires)
		check_block(l, saga);
	w->stage = MEDDLE;
}

/* Somebody else's hands. What they do is theirs to stay. */
static void meddle(struct life *l)
{
	struct fake_account *ldap = &w->people[LDAP][0], *github = &w->people[GITHUB][0];

	(void)l;
	if (roll(3) == 0 && !strchr(github->teams, 'c')) {
		(void)snprintf(github->teams, sizeof github->teams, "%s",
			       *github->teams ? "abc" : "c");
		(void)snprintf(w->wanted[GITHUB].teams, FAKE_TEAMS_BYTES, "abc");
	}
	if (roll(4) == 0) {
		(void)snprintf(ldap->lock, sizeof ldap->lock, "by an administrator");
		(void)snprintf(w->wanted[LDAP].lock, ACCOUNT_LOCK_BYTES,
			       "by an administrator");
	}
	w->stage = GIVE_BACK;
}

static void give_back(struct life *l)
{
	if (!w->expires) {
		decide(l, SAGA_UNBLOCK);
		return;
	}
	for (int i = 0; is_waiting(l); i++) {
		CHECK_THAT(i < TICKS_MAX);
		tick(l);
		nobody_else_is_touched();
	}
	w->has_given_back = true;
	w->stage = MEND;
}

static void see_unblock_end(struct life *l)
{
	json_auto_t *saga = see_it_end(l);

	w->has_given_back |= saga != NULL;
	w->stage = saga ? MEND : GIVE_BACK;
}

static bool is_as_wanted(void)
{
	for (size_t i = 0; i < SYSTEMS; i++)
		if (!same(&w->people[i][0], &w->wanted[i], FACET_SIGN_IN) ||
		    !same(&w->people[i][0], &w->wanted[i], FACET_MEMBERSHIPS))
			return false;
	return true;
}

/* What was given up, or refused, is given back when it is asked for again and nothing
 * fails any more. Nothing is asked for that is not needed: a lock of somebody else's
 * would go with it. */
static void mend(struct life *l)
{
	w->faults_left = 0;
	if (is_as_wanted())
		w->stage = CHECK;
	else
		decide(l, SAGA_UNBLOCK);
}

static void see_mending_end(struct life *l)
{
	json_auto_t *saga = see_it_end(l);

	w->stage = saga ? CHECK : MEND;
}

static void check_all(struct life *l)
{
	for (size_t i = 0; i < SYSTEMS; i++) {
		const struct fake_account *now = &w->people[i][0];
		const bool is_others = strcmp(w->wanted[i].lock, "") != 0;

		CHECK_THAT(same(now, &w->wanted[i], FACET_MEMBERSHIPS));
		/* Asked for once more, a lock of others may have been lifted as well. */
		CHECK_THAT(same(now, &w->wanted[i], FACET_SIGN_IN) ||
			   (is_others && *now->lock == '\0' && w->decision > 1));
		CHECK_THAT(w->keeps_sessions ? now->sessions == 3 && now->tokens == 2
					     : now->sessions <= 3);
		check_explained(l, i);
	}
	nobody_else_is_touched();
}

static void live(const char *records)
{
	static void (*const stages[])(struct life * l) = {
		[BLOCK] = block,
		[BLOCKING] = see_block_end,
		[MEDDLE] = meddle,
		[GIVE_BACK] = give_back,
		[GIVING_BACK] = see_unblock_end,
		[MEND] = mend,
		[MENDING] = see_mending_end,
	};
	struct life l;

	begin_life(&l, records);
	while (w->stage != CHECK)
		stages[w->stage](&l);
	check_all(&l);
	_exit(0);
}

/* ---- Runs ---- */

static void create_world(uint64_t seed)
{
	static const char *const ids[SYSTEMS][PEOPLE] = {
		{ "u1", "u2", "u3" },
		{ "o1", "o2", "o3" },
		{ "g1", "g2", "g3" },
		{ "s1", "s2", "s3" },
	};
	static const char *const mails[PEOPLE] = { "john@example.test",
						   "johnny@example.test",
						   "john@example.com" };

	*w = (struct world){ .dice = seed * UINT64_C(0x9E3779B97F4A7C15) + 1,
			     .now_ms = NOW };
	(void)roll(2);
	w->faults_left = (int)roll(12);
	w->deaths_left = (int)roll(5);
	w->expires = roll(3) == 0;
	w->keeps_sessions = roll(4) == 0;
	for (size_t i = 0; i < SYSTEMS; i++) {
		for (size_t k = 0; k < PEOPLE; k++)
			w->people[i][k] = (struct fake_account){
				.id = ids[i][k],
				.identifier = ids[i][k],
				.uid = ids[i][k],
				.name = "John Doe",
				.mail = mails[k],
				.sessions = k ? 7 : 3,
				.tokens = k ? 7 : 2,
			};
		for (size_t k = 0; k < PEOPLE; k++)
			(void)snprintf(w->people[i][k].teams, FAKE_TEAMS_BYTES, "%s",
				       k ? "xyz" : "ab");
		w->wanted[i] = w->people[i][0];
		w->fakes[i] = (struct fake_system){ .accounts = w->people[i],
						    .changing = may_fail,
						    .context = &w->fakes[i] };
	}
	w->fakes[OKTA].facets = 1u << FACET_SESSIONS | 1u << FACET_TOKENS;
	w->fakes[OKTA].blind = 1u << FACET_TOKENS;
	w->fakes[GITHUB].facets = 1u << FACET_MEMBERSHIPS;
	w->fakes[SLACK].facets = 1u << FACET_SESSIONS;
	w->fakes[SLACK].late = 1u << FACET_SESSIONS;
}

static void run(uint64_t seed)
{
	char records[TESTING_PATH_BYTES + 64];
	int status = 0;

	create_world(seed);
	(void)snprintf(records, sizeof records, "%s/%llu.db", folder,
		       (unsigned long long)seed);
	for (int lives = 0; lives < LIVES_MAX; lives++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			live(records);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != KILLED)
			break;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("SAGA_SEED=%llu fails (status %d)", (unsigned long long)seed,
			 status);
}

static uint64_t number_from(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : fallback;
}

static void whatever_fails_it_converges(void **state)
{
	const uint64_t only = number_from("SAGA_SEED", 0);
	const uint64_t runs = only ? 1 : number_from("SAGA_RUNS", RUNS);
	int deaths = 0, faults = 0;

	(void)state;
	for (uint64_t i = 0; i < runs; i++) {
		run(only ? only : i + 1);
		deaths += w->deaths;
		faults += w->faults;
	}
	printf("# %llu runs, %d faults, %d deaths\n", (unsigned long long)runs, faults,
	       deaths);
	/* Else it has tested nothing. */
	assert_true(only || (faults > (int)runs && deaths > (int)runs / 4));
}

static int set_up(void **state)
{
	struct error err = ERROR_INIT;
	struct statedir *dir;

	(void)state;
	/* Processes die here, machines do not: no disk need be waited for. */
	if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	testing_folder(folder);
	dir = statedir_new(folder, &err);
	assert_true(dir && statedir_create(dir, &err));
	statedir_free(dir);
	w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		 0);
	return w == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)munmap(w, sizeof *w);
	testing_remove(folder);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_fails_it_converges),
	};

	return cmocka_run_group_tests_name("saga_runs", tests, set_up, tear_down);
}
