/* Blocks end when they were approved to: with a system in memory, a real record, a
 * real audit chain, and the time as the test says. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "guard/testing_audit.h"
#include "servers/accounts/expire.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/testing_accounts.h"

#define NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */
enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

struct house {
	struct chain *chain;
	struct fake_account people[4];
	struct fake_system fake;
	struct account_system system;
	struct documents *records;
	struct turns turns, sagas;
	atomic_bool stopping;
	int asked; /* decisions so far */
};

/* ---- The house ---- */

static void open_records(struct house *h)
{
	char path[TESTING_PATH_BYTES + 32];
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/records.db", h->chain->folder);
	h->records = documents_open_sqlite(path, &err);
	testing_no_error(&err);
}

static int set_up(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	(void)chain_set_up((void **)&h->chain);
	h->people[0] = (struct fake_account)FAKE_ACCOUNT("1", "dn1", "john", "John",
							 "john@example.test", "");
	h->people[1] = (struct fake_account)FAKE_ACCOUNT("2", "dn2", "jane", "Jane",
							 "jane@example.test", "");
	h->people[2] = (struct fake_account)FAKE_ACCOUNT("3", "dn3", "guarded", "Guarded",
							 "g@example.test", "");
	h->fake.accounts = h->people;
	h->system = (struct account_system){ .backend = &fake_backend, .self = &h->fake };
	turns_init(&h->turns);
	turns_init(&h->sagas);
	open_records(h);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct house *h = *state;

	documents_close(h->records);
	turns_done(&h->turns);
	turns_done(&h->sagas);
	(void)chain_tear_down((void **)&h->chain);
	free(h);
	return 0;
}

/* Another process, with the same files. */
static void restart(struct house *h)
{
	documents_close(h->records);
	chain_close(h->chain);
	chain_open(h->chain);
	open_records(h);
}

static bool tick_with(struct house *h, int64_t now_ms, bool watch, struct error *err)
{
	const struct expire e = { .systems = &h->system,
				  .system_count = 1,
				  .records = h->records,
				  .turns = &h->turns,
				  .audit = h->chain->audit,
				  .stopping = &h->stopping,
				  .now_ms = now_ms,
				  .watch = watch };

	return expire_blocks(&e, err);
}

static void tick(struct house *h, int64_t now_ms)
{
	struct error err = ERROR_INIT;

	assert_true(tick_with(h, now_ms, false, &err));
}

static void watch(struct house *h, int64_t now_ms)
{
	struct error err = ERROR_INIT;

	assert_true(tick_with(h, now_ms, true, &err));
}

static struct saga_env env_of(struct house *h)
{
	return (struct saga_env){ .systems = &h->system,
				  .system_count = 1,
				  .records = h->records,
				  .turns = &h->turns,
				  .sagas = &h->sagas,
				  .now_ms = NOW };
}

/* One decision about an account. Its approval: "ap-1", "ap-1.1" and so on. */
static bool decide(struct house *h, enum saga_kind kind, size_t who, int64_t expires_ms,
		   json_t **ret, struct error *err)
{
	const struct saga_env env = env_of(h);
	char approval[32] = "ap-1";
	const struct testing_asked asked = { .kind = kind,
					     .person = h->people[who].uid,
					     .approval = approval,
					     .expires_ms = expires_ms };

	if (h->asked > 0)
		(void)snprintf(approval, sizeof approval, "ap-1.%d", h->asked);
	h->asked++;
	return testing_decide(&env, &asked, ret, err);
}

static void must(struct house *h, enum saga_kind kind, size_t who, int64_t expires_ms)
{
	struct error err = ERROR_INIT;
	json_auto_t *saga = NULL;

	if (!decide(h, kind, who, expires_ms, &saga, &err))
		fail_msg("%s", err.message);
	assert_string_equal(json_get_string(saga, "state"), "closed");
}

static void must_block(struct house *h, size_t who, int64_t expires_ms)
{
	must(h, SAGA_BLOCK, who, expires_ms);
}

static bool is_waiting(struct house *h, const char *id)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };
	struct error err = ERROR_INIT;
	bool found;

	assert_true(expiry_get(h->records, "fake", id, &x, &found, &err));
	return found;
}

/* Whether we are on record for the lock that it has. */
static bool is_ours(struct house *h, size_t who)
{
	const struct fake_account *a = &h->people[who];
	struct account account = { .id = strdup(a->id) };
	struct error err = ERROR_INIT;
	json_auto_t *e = NULL;

	memcpy(account.lock, a->lock, sizeof account.lock);
	assert_true(record_explain(h->records, "fake", &account, &e, &err));
	free(account.id);
	return e != NULL;
}

/* How often an event is in the log; '*ret_last' (borrowed until the next call). */
static size_t said(struct house *h, const char *name, json_t **ret_last)
{
	size_t count = 0;

	*ret_last = NULL;
	chain_read(h->chain);
	for (size_t i = 0; i < h->chain->count; i++) {
		json_t *line = json_loads(h->chain->lines[i], 0, NULL);
		const char *what = json_get_string(line, "event");

		if (what && strcmp(what, name) == 0) {
			count++;
			json_decref(*ret_last);
			*ret_last = json_incref(json_object_get(line, "data"));
		}
		json_decref(line);
	}
	return count;
}

static void assert_said(struct house *h, const char *name, size_t times)
{
	json_t *last;
	size_t count = said(h, name, &last);

	json_decref(last);
	if (count != times)
		fail_msg("%s: %zu times instead of %zu", name, count, times);
}

static void assert_dropped(struct house *h, const char *why)
{
	json_auto_t *last = NULL;

	assert_int_equal(said(h, "account.unblock_dropped", &last), 1);
	assert_string_equal(json_get_string(last, "approval"), "ap-1");
	if (!strstr(json_get_string(last, "why"), why))
		fail_msg("'%s'", json_get_string(last, "why"));
	assert_false(is_waiting(h, "1"));
}

/* ---- Due and not due ---- */

static void it_ends_when_due_and_not_before(void **state)
{
	struct house *h = *state;
	json_auto_t *last = NULL;

	must_block(h, 0, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	tick(h, NOW);
	tick(h, NOW + HOUR - 1);
	watch(h, NOW + HOUR - 1);
	assert_string_equal(h->people[0].lock, "locked");
	assert_said(h, "call.expired", 0);
	assert_true(is_ours(h, 0));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "");
	assert_said(h, "call.expired", 1);
	assert_int_equal(said(h, "account.unblocked", &last), 1);
	assert_string_equal(json_get_string(last, "approval"), "ap-1");
	assert_string_equal(json_get_string(last, "identifier"), "dn1");
	assert_string_equal(json_get_string(last, "approved_by"), "bob@example.test");
	assert_string_equal(json_get_string(last, "expires_at"), "2026-11-22T11:00:00Z");
	assert_true(json_is_true(json_object_get(last, "verified")));
	assert_false(is_waiting(h, "1"));
	/* Once. */
	tick(h, NOW + 2 * HOUR);
	assert_int_equal(h->fake.changes, 2);
	assert_said(h, "account.unblocked", 1);
}

static void a_block_without_end_stays(void **state)
{
	struct house *h = *state;

	must_block(h, 0, 0);
	watch(h, NOW + 1000 * (int64_t)HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	assert_false(is_waiting(h, "1"));
}

static void it_outlives_the_process(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	restart(h);
	assert_true(is_waiting(h, "1"));
	tick(h, NOW + 3 * HOUR);
	assert_string_equal(h->people[0].lock, "");
	assert_said(h, "account.unblocked", 1);
}

/* Killed between the act and the word about it: it is found done, and said. */
static void what_died_half_way_is_finished(void **state)
{
	struct house *h = *state;
	_cleanup_(expiry_done) struct expiry x = { 0 };
	struct error err = ERROR_INIT;
	bool found;

	must_block(h, 0, NOW + HOUR);
	assert_true(expiry_get(h->records, "fake", "1", &x, &found, &err));
	x.announced = x.ending = true;
	assert_true(expiry_put(h->records, &x, &err));
	h->people[0].lock[0] = '\0';
	restart(h);
	tick(h, NOW + HOUR);
	assert_said(h, "account.unblocked", 1);
	assert_said(h, "account.unblock_dropped", 0);
	assert_int_equal(h->fake.changes, 1);
	assert_false(is_waiting(h, "1"));
}

static void assert_ending(void *context)
{
	struct house *h = context;
	_cleanup_(expiry_done) struct expiry x = { 0 };
	struct error err = ERROR_INIT;
	bool found;

	assert_true(expiry_get(h->records, "fake", "1", &x, &found, &err));
	assert_true(found && x.announced && x.ending);
	assert_said(h, "call.expired", 1);
	assert_said(h, "account.unblocked", 0);
}

static void that_it_begins_is_on_record_before_it_does(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->fake.context = h;
	h->fake.changing = assert_ending;
	tick(h, NOW + HOUR);
	assert_int_equal(h->fake.changes, 2);
}

static void the_end_may_not_have_passed_before_the_block(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;

	assert_false(decide(h, SAGA_BLOCK, 0, NOW, NULL, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "before now");
	assert_false(is_waiting(h, "1"));
	assert_int_equal(h->fake.changes, 0);
	must_block(h, 0, NOW + 1);
}

static void a_block_that_failed_has_no_end(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;
	json_auto_t *refused = NULL, *unknown = NULL;

	h->fake.change_fails = ERR_PERMISSION_DENIED;
	assert_true(decide(h, SAGA_BLOCK, 0, NOW + HOUR, &refused, &err));
	assert_string_equal(testing_phase(refused, "fake", "sign_in"), "refused");
	assert_false(is_waiting(h, "1"));
	/* One that may have happened has. */
	h->fake.change_fails = ERR_UNKNOWN_OUTCOME;
	assert_true(decide(h, SAGA_BLOCK, 0, NOW + HOUR, &unknown, &err));
	assert_string_equal(testing_phase(unknown, "fake", "sign_in"), "retry");
	assert_true(is_waiting(h, "1"));
}

/* The end is on record before the block is: while that is under way, its lock is not
 * there yet, and nobody takes that for somebody's doing. */
static void a_block_that_is_under_way_keeps_its_end(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;
	json_auto_t *saga = NULL, *later = NULL;
	struct saga_env env = env_of(h);

	h->fake.change_fails = ERR_BACKEND_UNAVAILABLE;
	assert_true(decide(h, SAGA_BLOCK, 0, NOW + HOUR, &saga, &err));
	assert_string_equal(h->people[0].lock, "");
	watch(h, NOW + MINUTE);
	assert_true(is_waiting(h, "1"));
	env.now_ms = NOW + MINUTE;
	assert_true(saga_work(&env, "ap-1", &later, &err));
	assert_string_equal(h->people[0].lock, "locked");
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "");
	assert_said(h, "account.unblocked", 1);
}

static void it_is_announced_before_once(void **state)
{
	struct house *h = *state;
	json_auto_t *last = NULL;

	must_block(h, 0, NOW + HOUR);
	tick(h, NOW + HOUR - EXPIRE_FORETELL_MS - 1);
	assert_said(h, "account.unblock_due", 0);
	tick(h, NOW + HOUR - EXPIRE_FORETELL_MS);
	restart(h);
	tick(h, NOW + HOUR - 1);
	assert_int_equal(said(h, "account.unblock_due", &last), 1);
	assert_string_equal(json_get_string(last, "expires_at"), "2026-11-22T11:00:00Z");
	assert_string_equal(h->people[0].lock, "locked");
	/* Not one that was taken away meanwhile. */
	h->people[0].lock[0] = '\0';
	must_block(h, 1, NOW + HOUR);
	h->people[1].lock[0] = '\0';
	watch(h, NOW + HOUR - 1);
	assert_said(h, "account.unblock_due", 1);
	assert_false(is_waiting(h, "2"));
}

static void memberships_come_back_with_it(void **state)
{
	struct house *h = *state;

	h->fake.facets = 1u << FACET_MEMBERSHIPS | 1u << FACET_SESSIONS;
	(void)snprintf(h->people[0].teams, sizeof h->people[0].teams, "ab");
	must_block(h, 0, NOW + HOUR);
	assert_string_equal(h->people[0].teams, "");
	/* Somebody gave one back, and another one. */
	(void)snprintf(h->people[0].teams, sizeof h->people[0].teams, "bc");
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].teams, "abc");
	assert_string_equal(h->people[0].lock, "");
	assert_false(is_waiting(h, "1"));
}

/* Memberships are tried again though the sign-in is open already. */
static void what_is_left_of_an_end_is_tried_again(void **state)
{
	struct house *h = *state;

	h->fake.facets = 1u << FACET_MEMBERSHIPS;
	(void)snprintf(h->people[0].teams, sizeof h->people[0].teams, "ab");
	must_block(h, 0, NOW + HOUR);
	h->fake.change_fails = ERR_RATE_LIMITED; /* the first of the two */
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "");
	assert_string_equal(h->people[0].teams, "");
	assert_true(is_waiting(h, "1"));
	restart(h);
	tick(h, NOW + HOUR + EXPIRE_RETRY_MS);
	assert_string_equal(h->people[0].teams, "ab");
	assert_said(h, "account.unblocked", 1);
	assert_false(is_waiting(h, "1"));
}

/* ---- Whose lock ---- */

static void anothers_lock_is_left_alone(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	(void)snprintf(h->people[0].lock, sizeof h->people[0].lock,
		       "by an administrator");
	assert_false(is_ours(h, 0));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "by an administrator");
	assert_int_equal(h->fake.changes, 1);
	assert_dropped(h, "changed elsewhere");
}

/* Gone when it is due: not our doing, unless we may have done it. */
static void what_others_unblocked_is_not_claimed(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->people[0].lock[0] = '\0';
	tick(h, NOW + HOUR);
	assert_dropped(h, "changed elsewhere");
	assert_said(h, "account.unblocked", 0);
	/* Nor after an attempt of ours that surely failed. */
	must_block(h, 1, NOW + HOUR);
	h->fake.change_fails = ERR_PERMISSION_DENIED;
	tick(h, NOW + HOUR);
	h->people[1].lock[0] = '\0';
	tick(h, NOW + 2 * HOUR);
	assert_said(h, "account.unblocked", 0);
	assert_said(h, "account.unblock_dropped", 2);
	/* But after one whose answer was lost. */
	must_block(h, 1, NOW + HOUR);
	h->fake.change_fails = ERR_UNKNOWN_OUTCOME;
	tick(h, NOW + HOUR);
	h->people[1].lock[0] = '\0';
	tick(h, NOW + 2 * HOUR);
	assert_said(h, "account.unblocked", 1);
}

/* Taken away and set again, reading the same: told apart by having looked in between. */
static void a_lock_seen_gone_is_never_ours_again(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->people[0].lock[0] = '\0';
	watch(h, NOW + MINUTE);
	assert_dropped(h, "changed elsewhere");
	(void)snprintf(h->people[0].lock, sizeof h->people[0].lock, "locked");
	assert_false(is_ours(h, 0));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	assert_said(h, "account.unblocked", 0);
}

static void another_account_under_the_name_is_left_alone(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->people[0].id = "9";
	watch(h, NOW + MINUTE); /* not there just now: no reason to give up */
	assert_true(is_waiting(h, "1"));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	assert_said(h, "account.unblock_failed", 1);
	tick(h, NOW + HOUR + EXPIRE_MISSING_MS);
	assert_true(is_waiting(h, "1"));
	tick(h, NOW + HOUR + EXPIRE_MISSING_MS + EXPIRE_RETRY_MAX_MS);
	assert_dropped(h, "no such account");
	assert_string_equal(h->people[0].lock, "locked");
}

static void the_protected_are_left_alone(void **state)
{
	struct house *h = *state;

	must_block(h, 2, NOW + HOUR);
	h->people[2].uid = "protected.one"; /* since */
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[2].lock, "locked");
	assert_said(h, "account.unblock_dropped", 1);
	assert_false(is_waiting(h, "3"));
}

/* ---- What people do in between ---- */

static void an_unblock_cancels_it(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	must(h, SAGA_UNBLOCK, 0, 0);
	assert_false(is_waiting(h, "1"));
	/* And a block without end that follows does not inherit it. */
	must_block(h, 0, 0);
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	assert_said(h, "call.expired", 0);
}

static void a_second_block_moves_the_end(void **state)
{
	struct house *h = *state;
	json_auto_t *last = NULL;

	must_block(h, 0, NOW + HOUR);
	must_block(h, 0, NOW + 2 * HOUR);
	assert_int_equal(h->fake.changes, 1);
	assert_true(is_ours(h, 0));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
	tick(h, NOW + 2 * HOUR);
	assert_string_equal(h->people[0].lock, "");
	/* Under the yes that it was last given. */
	assert_int_equal(said(h, "account.unblocked", &last), 1);
	assert_string_equal(json_get_string(last, "approval"), "ap-1.1");
}

static void a_second_block_without_end_takes_it_away(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	must_block(h, 0, 0);
	assert_true(is_ours(h, 0));
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
}

/* A stale end must not end a later block that has none. */
static void a_new_block_forgets_an_end_of_before(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->people[0].lock[0] = '\0'; /* elsewhere, and nobody saw it */
	must_block(h, 0, 0);
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
}

/* ---- Faults ---- */

static void a_failure_is_tried_again_and_said_once(void **state)
{
	struct house *h = *state;
	json_auto_t *last = NULL;
	int64_t at_ms = NOW + HOUR;

	must_block(h, 0, at_ms);
	h->fake.lookup_fails = ERR_BACKEND_UNAVAILABLE;
	for (int64_t wait = EXPIRE_RETRY_MS; wait < EXPIRE_RETRY_MAX_MS; wait *= 2) {
		tick(h, at_ms);
		tick(h, at_ms + wait - 1); /* too early: does not count */
		at_ms += wait;
	}
	assert_int_equal(said(h, "account.unblock_failed", &last), 1);
	assert_string_equal(json_get_string(json_object_get(last, "error"), "code"),
			    "backend_unavailable");
	restart(h);
	tick(h, at_ms);
	assert_said(h, "account.unblock_failed", 1);
	assert_said(h, "call.expired", 0);
	h->fake.lookup_fails = ERR_NONE;
	tick(h, at_ms + EXPIRE_RETRY_MAX_MS - 1);
	assert_string_equal(h->people[0].lock, "locked");
	tick(h, at_ms + EXPIRE_RETRY_MAX_MS);
	assert_string_equal(h->people[0].lock, "");
	assert_said(h, "account.unblocked", 1);
}

static void the_act_may_fail_in_every_way(void **state)
{
	static const enum error_code codes[] = { ERR_CONFLICT, ERR_PERMISSION_DENIED,
						 ERR_BACKEND_UNAVAILABLE,
						 ERR_UNKNOWN_OUTCOME };
	struct house *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		must_block(h, 0, NOW + HOUR);
		h->fake.change_fails = codes[i];
		tick(h, NOW + HOUR);
		assert_string_equal(h->people[0].lock, "locked");
		assert_true(is_waiting(h, "1"));
		tick(h, NOW + HOUR + EXPIRE_RETRY_MS);
		assert_string_equal(h->people[0].lock, "");
		assert_false(is_waiting(h, "1"));
		assert_said(h, "call.expired", i + 1);
		assert_said(h, "account.unblock_failed", i + 1);
		assert_said(h, "account.unblocked", i + 1);
	}
}

/* The answer was lost, but it happened: reading says so. */
static void a_lost_answer_is_settled_by_reading(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	h->fake.change_fails = ERR_UNKNOWN_OUTCOME;
	h->fake.change_happens = true;
	tick(h, NOW + HOUR);
	assert_said(h, "account.unblocked", 1);
	assert_said(h, "account.unblock_failed", 0);
	assert_false(is_waiting(h, "1"));
}

static void one_failure_does_not_keep_the_others(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;
	int64_t revision;
	json_auto_t *nonsense = json_pack("{s:s, s:s}", "system", "fake", "id", "0");

	assert_true(documents_put(h->records, "expiries", "fake:0", nonsense,
				  DOCUMENT_NEW, &revision, &err));
	must_block(h, 0, NOW + HOUR);
	must_block(h, 1, NOW + HOUR);
	h->fake.change_fails = ERR_BACKEND_UNAVAILABLE;
	assert_false(tick_with(h, NOW + HOUR, false, &err));
	assert_string_equal(h->people[0].lock, "locked");
	assert_string_equal(h->people[1].lock, "");
}

static void without_the_log_nothing_ends(void **state)
{
	struct house *h = *state;
	struct rlimit before, none = { 0 };
	struct error err = ERROR_INIT;

	must_block(h, 0, NOW + HOUR);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_false(
		audit_append(h->chain->audit, "test.line", json_object(), NULL, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	error_clear(&err);
	assert_false(tick_with(h, NOW + HOUR, true, &err));
	testing_error(&err, ERR_INTERNAL, "no block ends");
	assert_string_equal(h->people[0].lock, "locked");
	assert_int_equal(h->fake.changes, 1);
	restart(h);
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "");
}

static void nothing_begins_while_it_stops(void **state)
{
	struct house *h = *state;

	must_block(h, 0, NOW + HOUR);
	atomic_store(&h->stopping, true);
	tick(h, NOW + HOUR);
	assert_string_equal(h->people[0].lock, "locked");
}

/* More than one page of the store. */
static void all_of_many_are_found(void **state)
{
	enum { MANY = 501 };
	struct house *h = *state;
	struct error err = ERROR_INIT;
	json_auto_t *list = NULL;

	for (int i = 0; i < MANY; i++) {
		char id[16];
		const struct expiry x = { .system = "fake",
					  .id = id,
					  .identifier = "dn",
					  .lock = "locked",
					  .by = "a",
					  .approved_by = "b",
					  .approval = "c",
					  .at_ms = NOW };

		(void)snprintf(id, sizeof id, "id-%d", i);
		assert_true(expiry_put(h->records, &x, &err));
	}
	assert_true(expiry_list(h->records, &list, &err));
	assert_int_equal(json_array_size(list), MANY);
}

static void an_account_has_one_turn(void **state)
{
	struct house *h = *state;
	struct turn turn = turn_take(&h->turns, "fake", "1");

	assert_int_not_equal(pthread_mutex_trylock(turn.held), 0);
	turn_end(&turn);
	struct turn again = turn_take(&h->turns, "fake", "1");
	assert_ptr_equal(again.held, turn.held);
	turn_end(&again);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(it_ends_when_due_and_not_before),
		TEST(a_block_without_end_stays),
		TEST(it_outlives_the_process),
		TEST(what_died_half_way_is_finished),
		TEST(that_it_begins_is_on_record_before_it_does),
		TEST(the_end_may_not_have_passed_before_the_block),
		TEST(a_block_that_failed_has_no_end),
		TEST(a_block_that_is_under_way_keeps_its_end),
		TEST(it_is_announced_before_once),
		TEST(memberships_come_back_with_it),
		TEST(what_is_left_of_an_end_is_tried_again),
		TEST(anothers_lock_is_left_alone),
		TEST(what_others_unblocked_is_not_claimed),
		TEST(a_lock_seen_gone_is_never_ours_again),
		TEST(another_account_under_the_name_is_left_alone),
		TEST(the_protected_are_left_alone),
		TEST(an_unblock_cancels_it),
		TEST(a_second_block_moves_the_end),
		TEST(a_second_block_without_end_takes_it_away),
		TEST(a_new_block_forgets_an_end_of_before),
		TEST(a_failure_is_tried_again_and_said_once),
		TEST(the_act_may_fail_in_every_way),
		TEST(a_lost_answer_is_settled_by_reading),
		TEST(one_failure_does_not_keep_the_others),
		TEST(without_the_log_nothing_ends),
		TEST(nothing_begins_while_it_stops),
		TEST(all_of_many_are_found),
		TEST(an_account_has_one_turn),
	};

	return cmocka_run_group_tests_name("expire", tests, NULL, NULL);
}
