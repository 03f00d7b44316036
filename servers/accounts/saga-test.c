/* Blocks over systems and facets: four systems in memory, real records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/testing_audit.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/held.h"
#include "servers/accounts/news.h"
#include "servers/accounts/testing_accounts.h"

#define NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */
enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, SYSTEMS = 3 };
enum { LDAP, OKTA, GITHUB };

struct house {
	struct chain *chain;
	struct fake_account people[SYSTEMS][3];
	struct fake_system fakes[SYSTEMS];
	struct account_system systems[SYSTEMS];
	struct turns turns, sagas;
	struct saga_env env;
	int asked;
	char approval[32]; /* of the last decision */
};

static void open_records(struct house *h)
{
	char path[TESTING_PATH_BYTES + 32];
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/records.db", h->chain->folder);
	h->env.records = documents_open_sqlite(path, &err);
	testing_no_error(&err);
}

static void fill(struct fake_account *a, const char *id, const char *identifier)
{
	*a = (struct fake_account){ .id = id,
				    .identifier = identifier,
				    .uid = "john",
				    .name = "John Doe",
				    .mail = "john@example.test",
				    .sessions = 3,
				    .tokens = 2,
				    .teams = "ab" };
}

static int set_up(void **state)
{
	static const struct account_backend *const backends[SYSTEMS] = { &fake_ldap,
									 &fake_okta,
									 &fake_github };
	struct house *h = calloc(1, sizeof *h);

	(void)chain_set_up((void **)&h->chain);
	fill(&h->people[LDAP][0], "u1", "uid=john");
	fill(&h->people[OKTA][0], "o1", "john@okta");
	fill(&h->people[GITHUB][0], "g1", "johnny");
	h->fakes[OKTA].facets = 1u << FACET_SESSIONS | 1u << FACET_TOKENS;
	h->fakes[GITHUB].facets = 1u << FACET_MEMBERSHIPS;
	for (size_t i = 0; i < SYSTEMS; i++) {
		h->fakes[i].accounts = h->people[i];
		h->systems[i] = (struct account_system){ .backend = backends[i],
							 .self = &h->fakes[i] };
	}
	turns_init(&h->turns);
	turns_init(&h->sagas);
	open_records(h);
	h->env.systems = h->systems;
	h->env.system_count = SYSTEMS;
	h->env.turns = &h->turns;
	h->env.sagas = &h->sagas;
	h->env.now_ms = NOW;
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct house *h = *state;

	documents_close(h->env.records);
	turns_done(&h->turns);
	turns_done(&h->sagas);
	(void)chain_tear_down((void **)&h->chain);
	free(h);
	return 0;
}

static struct testing_asked asking(struct house *h, enum saga_kind kind)
{
	(void)snprintf(h->approval, sizeof h->approval, "ap-%d", ++h->asked);
	return (struct testing_asked){ .kind = kind,
				       .person = "john@example.test",
				       .approval = h->approval };
}

/* New reference. */
static json_t *decide(struct house *h, enum saga_kind kind)
{
	const struct testing_asked asked = asking(h, kind);
	struct error err = ERROR_INIT;
	json_t *saga = NULL;

	if (!testing_decide(&h->env, &asked, &saga, &err))
		fail_msg("%s", err.message);
	return saga;
}

static struct plan *plan_of(struct house *h, enum saga_kind kind)
{
	const struct testing_asked asked = asking(h, kind);
	struct error err = ERROR_INIT;
	struct plan *plan = testing_plan(&h->env, &asked, &err);

	if (!plan)
		fail_msg("%s", err.message);
	return plan;
}

/* Another process some time later, and its tick. */
static void later(struct house *h, int64_t now_ms)
{
	struct error err = ERROR_INIT;

	documents_close(h->env.records);
	open_records(h);
	h->env.now_ms = now_ms;
	h->env.audit = h->chain->audit;
	if (!saga_work_all(&h->env, &err))
		fail_msg("%s", err.message);
	h->env.audit = NULL;
}

/* As it is on record; new reference. */
static json_t *recorded(struct house *h, const char *approval)
{
	struct error err = ERROR_INIT;
	json_t *saga = NULL;

	assert_true(saga_get(h->env.records, approval, &saga, &err));
	assert_non_null(saga);
	return saga;
}

static void assert_phase(const json_t *saga, const char *system, const char *facet,
			 const char *phase)
{
	const char *is = testing_phase(saga, system, facet);

	if (strcmp(is, phase) != 0)
		fail_msg("%s %s: %s instead of %s", system, facet, is, phase);
}

static char heard[1200];

static enum mcp_told hear(struct mcp_service *s, const char *approval, const char *key,
			  const char *text, struct error *err)
{
	size_t n = strlen(heard);

	(void)s;
	(void)err;
	(void)snprintf(heard + n, sizeof heard - n, "%s %s: %s\n", approval, key, text);
	return MCP_TOLD;
}

/* What people are told now. */
static const char *news(struct house *h)
{
	struct error err = ERROR_INIT;

	*heard = '\0';
	assert_true(news_send(h->env.records, NULL, hear, NULL, h->env.now_ms, &err));
	return heard;
}

static size_t said(struct house *h, const char *event)
{
	size_t count = 0;

	chain_read(h->chain);
	for (size_t i = 0; i < h->chain->count; i++) {
		json_auto_t *line = json_loads(h->chain->lines[i], 0, NULL);
		const char *what = json_get_string(line, "event");

		count += what && strcmp(what, event) == 0;
	}
	return count;
}

static bool explained(struct house *h, size_t system)
{
	const struct fake_account *a = &h->people[system][0];
	struct account account = { .id = strdup(a->id) };
	struct error err = ERROR_INIT;
	json_auto_t *event = NULL;

	memcpy(account.lock, a->lock, sizeof account.lock);
	assert_true(record_explain(h->env.records, h->systems[system].backend->system,
				   &account, &event, &err));
	free(account.id);
	return event != NULL;
}

static size_t holdings(struct house *h, size_t system, enum account_facet facet)
{
	struct error err = ERROR_INIT;
	json_auto_t *list = NULL;

	assert_true(held_list(h->env.records, h->systems[system].backend->system,
			      h->people[system][0].id, facet, &list, &err));
	return json_array_size(list);
}

static bool has_effect(const struct plan *plan, const char *target, const char *from,
		       const char *to)
{
	const json_t *effect;
	size_t i;

	json_array_foreach(json_object_get(plan_json(plan), "effects"), i, effect)
	{
		if (strstr(json_get_string(effect, "target"), target) &&
		    strstr(json_get_string(effect, "from"), from) &&
		    strstr(json_get_string(effect, "to"), to))
			return true;
	}
	return false;
}

static bool warns(const struct plan *plan, const char *text)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(plan_json(plan), "warnings"), i, warning)
	{
		if (strstr(json_string_value(warning), text))
			return true;
	}
	return false;
}

/* ---- All goes well ---- */

static void a_block_reaches_every_facet_and_comes_back(void **state)
{
	struct house *h = *state;
	json_auto_t *block = decide(h, SAGA_BLOCK);
	json_auto_t *undo = NULL;

	assert_string_equal(json_get_string(block, "state"), "closed");
	for (size_t i = 0; i < SYSTEMS; i++) {
		assert_string_equal(h->people[i][0].lock, "locked");
		assert_true(explained(h, i));
	}
	assert_phase(block, "okta", "sessions", "verified");
	assert_phase(block, "okta", "tokens", "verified");
	assert_phase(block, "github", "memberships", "verified");
	assert_phase(block, "ldap", "memberships", "");
	assert_int_equal(h->people[OKTA][0].sessions, 0);
	assert_int_equal(h->people[OKTA][0].tokens, 0);
	assert_int_equal(h->people[LDAP][0].sessions, 3); /* it knows none */
	assert_string_equal(h->people[GITHUB][0].teams, "");
	assert_int_equal(holdings(h, GITHUB, FACET_MEMBERSHIPS), 1);

	undo = decide(h, SAGA_UNBLOCK);
	assert_string_equal(json_get_string(undo, "state"), "closed");
	for (size_t i = 0; i < SYSTEMS; i++) {
		assert_string_equal(h->people[i][0].lock, "");
		assert_false(explained(h, i));
		assert_int_equal(holdings(h, i, FACET_SIGN_IN), 0);
	}
	assert_string_equal(h->people[GITHUB][0].teams, "ab");
	assert_int_equal(holdings(h, GITHUB, FACET_MEMBERSHIPS), 0);
}

static void sign_in_comes_first_everywhere_and_last_on_the_way_back(void **state)
{
	struct house *h = *state;
	json_auto_t *block = decide(h, SAGA_BLOCK), *undo = decide(h, SAGA_UNBLOCK);
	const json_t *steps = json_object_get(block, "steps");
	size_t count = json_array_size(steps);

	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			strcmp(json_get_string(json_array_get(steps, i), "facet"),
			       "sign_in") == 0,
			i < SYSTEMS);
	steps = json_object_get(undo, "steps");
	assert_int_equal(json_array_size(steps), 4);
	assert_string_equal(json_get_string(json_array_get(steps, 0), "facet"),
			    "memberships");
}

static void the_plan_says_all_of_it(void **state)
{
	struct house *h = *state;
	struct testing_asked asked = asking(h, SAGA_BLOCK);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct error err = ERROR_INIT;

	asked.expires_ms = NOW + 2 * HOUR;
	plan = testing_plan(&h->env, &asked, &err);
	assert_non_null(plan);
	assert_true(has_effect(plan, "uid=john (id u1)", "active", "blocked"));
	assert_true(has_effect(plan, "uid=john (id u1)", "blocked",
			       "active, at 2026-11-22T12:00:00Z by itself"));
	assert_true(has_effect(plan, "sessions of john@okta", "valid", "ended"));
	assert_true(has_effect(plan, "memberships of johnny", "ab", ""));
	assert_true(has_effect(plan, "memberships of johnny", "",
			       "restored, at 2026-11-22T12:00:00Z by itself"));
	assert_true(has_effect(plan, "what fails", "open",
			       "tried again until 2026-11-22T11:00:00Z"));
	assert_true(warns(plan, "ldap: the fake knows nothing of it"));
}

static void a_block_without_sessions_leaves_them(void **state)
{
	struct house *h = *state;
	struct testing_asked asked = asking(h, SAGA_BLOCK);
	struct error err = ERROR_INIT;

	asked.keeps_sessions = true;
	assert_true(testing_decide(&h->env, &asked, NULL, &err));
	assert_int_equal(h->people[OKTA][0].sessions, 3);
	assert_string_equal(h->people[OKTA][0].lock, "locked");
}

static void sessions_alone(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = decide(h, SAGA_REVOKE);

	assert_int_equal(json_array_size(json_object_get(saga, "steps")), 2);
	assert_int_equal(h->people[OKTA][0].sessions, 0);
	assert_string_equal(h->people[OKTA][0].lock, "");
	assert_string_equal(h->people[GITHUB][0].teams, "ab");
	assert_int_equal(json_get_int64(json_array_get(json_object_get(saga, "steps"), 0),
					"count", 0),
			 3);
}

static void sessions_where_nobody_knows_any(void **state)
{
	struct house *h = *state;
	const struct testing_asked asked = asking(h, SAGA_REVOKE);
	struct error err = ERROR_INIT;

	h->fakes[OKTA].facets = 0;
	assert_null(testing_plan(&h->env, &asked, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "knows nothing of it");
}

/* ---- Some fails ---- */

static void a_failure_stops_no_other_and_is_tried_again(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL, *after = NULL;

	h->fakes[LDAP].change_fails = ERR_BACKEND_UNAVAILABLE;
	saga = decide(h, SAGA_BLOCK);
	assert_string_equal(json_get_string(saga, "state"), "open");
	assert_phase(saga, "ldap", "sign_in", "retry");
	assert_phase(saga, "okta", "sign_in", "verified");
	assert_phase(saga, "github", "memberships", "verified");
	later(h, NOW + SAGA_RETRY_MS - 1); /* too early */
	assert_string_equal(h->people[LDAP][0].lock, "");
	assert_int_equal(said(h, "account.step_tried"), 0);
	assert_string_equal(news(h), "");
	later(h, NOW + SAGA_RETRY_MS);
	assert_string_equal(h->people[LDAP][0].lock, "locked");
	assert_string_equal(
		news(h), "ap-1 settled: block settled after trying again: 6 of 6 steps "
			 "done\n");
	after = recorded(h, "ap-1");
	assert_phase(after, "ldap", "sign_in", "verified");
	assert_string_equal(json_get_string(after, "state"), "closed");
	assert_int_equal(said(h, "account.step_tried"), 1);
	assert_int_equal(said(h, "account.step_settled"), 1);
}

static void it_waits_as_long_as_it_is_told(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL;

	h->fakes[OKTA].change_fails = ERR_RATE_LIMITED;
	h->fakes[OKTA].retry_after_ms = 5 * MINUTE;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "okta", "sign_in", "retry");
	later(h, NOW + 5 * MINUTE - 1);
	assert_string_equal(h->people[OKTA][0].lock, "");
	later(h, NOW + 5 * MINUTE);
	assert_string_equal(h->people[OKTA][0].lock, "locked");
}

static void after_its_time_it_gives_up_and_says_so(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL, *after = NULL;

	h->fakes[LDAP].change_fails = ERR_TIMEOUT;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "ldap", "sign_in", "retry");
	later(h, NOW + SAGA_RETRY_FOR_MS);
	after = recorded(h, "ap-1");
	assert_phase(after, "ldap", "sign_in", "given_up");
	assert_non_null(strstr(news(h), "; sign_in of uid=john in ldap: given up, "
					"nothing was done ("));
	assert_string_equal(json_get_string(after, "state"), "closed");
	assert_string_equal(h->people[LDAP][0].lock, "");
	assert_false(explained(h, LDAP));
	assert_int_equal(holdings(h, LDAP, FACET_SIGN_IN), 0);
	assert_true(explained(h, OKTA));
	assert_int_equal(said(h, "account.step_settled"), 1);
}

static void what_cannot_be_done_is_not_tried_again(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL;

	h->fakes[LDAP].change_fails = ERR_PERMISSION_DENIED;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "ldap", "sign_in", "refused");
	assert_string_equal(json_get_string(saga, "state"), "closed");
	assert_false(explained(h, LDAP));
	assert_true(explained(h, OKTA));
}

static void a_lost_answer_is_read_before_it_is_repeated(void **state)
{
	struct house *h = *state;
	json_auto_t *happened = NULL, *lost = NULL, *after = NULL;

	h->fakes[LDAP].change_fails = ERR_UNKNOWN_OUTCOME;
	h->fakes[LDAP].change_happens = true;
	happened = decide(h, SAGA_BLOCK);
	assert_phase(happened, "ldap", "sign_in", "verified");
	assert_int_equal(h->fakes[LDAP].changes, 1);

	h->fakes[LDAP].change_fails = ERR_UNKNOWN_OUTCOME;
	h->fakes[LDAP].change_happens = false;
	lost = decide(h, SAGA_UNBLOCK);
	assert_phase(lost, "ldap", "sign_in", "retry");
	later(h, NOW + SAGA_RETRY_MS);
	after = recorded(h, "ap-2");
	assert_phase(after, "ldap", "sign_in", "verified");
	assert_int_equal(h->fakes[LDAP].changes, 3);
	assert_string_equal(h->people[LDAP][0].lock, "");
}

static void what_shows_late_is_requested_until_it_shows(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL, *waiting = NULL, *after = NULL;

	h->fakes[OKTA].late = 1u << FACET_SESSIONS;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "okta", "sessions", "requested");
	assert_string_equal(json_get_string(saga, "state"), "open");
	later(h, NOW + MINUTE);
	waiting = recorded(h, "ap-1");
	assert_phase(waiting, "okta", "sessions", "requested");
	h->fakes[OKTA].shown = 1u << FACET_SESSIONS;
	later(h, NOW + 10 * MINUTE);
	after = recorded(h, "ap-1");
	assert_phase(after, "okta", "sessions", "verified");
	assert_int_equal(h->fakes[OKTA].changes, 3); /* asked for once each */
}

static void what_cannot_be_read_is_accepted_and_never_verified(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL;

	h->fakes[OKTA].blind = 1u << FACET_SESSIONS;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "okta", "sessions", "accepted");
	assert_string_equal(json_get_string(saga, "state"), "closed");
}

static void somebody_was_faster(void **state)
{
	struct house *h = *state;
	_cleanup_(plan_freep) struct plan *plan = plan_of(h, SAGA_BLOCK);
	struct error err = ERROR_INIT;
	json_auto_t *saga = NULL;

	(void)snprintf(h->people[LDAP][0].lock, sizeof h->people[LDAP][0].lock, "other");
	assert_true(testing_carry_out(&h->env, plan, h->approval, &saga, &err));
	assert_phase(saga, "ldap", "sign_in", "refused");
	assert_string_equal(h->people[LDAP][0].lock, "other");
	assert_false(explained(h, LDAP));
	assert_int_equal(holdings(h, LDAP, FACET_SIGN_IN), 0);
}

static void a_system_that_cannot_is_said_and_the_others_go_on(void **state)
{
	struct house *h = *state;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	const struct testing_asked asked = asking(h, SAGA_BLOCK);
	struct error err = ERROR_INIT;

	h->fakes[OKTA].refuses = "status LOCKED_OUT cannot be suspended";
	plan = plan_of(h, SAGA_BLOCK);
	assert_true(warns(plan, "LOCKED_OUT"));
	assert_true(has_effect(plan, "sessions of john@okta", "", "ended"));
	assert_false(has_effect(plan, "john@okta (id", "active", "blocked") &&
		     !has_effect(plan, "of john@okta", "", ""));
	h->env.systems = &h->systems[LDAP];
	h->env.system_count = 1;
	h->fakes[LDAP].refuses = "no policy";
	assert_null(testing_plan(&h->env, &asked, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "no policy");
}

/* ---- Restoring, and what others did meanwhile ---- */

static void what_others_changed_stays(void **state)
{
	struct house *h = *state;
	json_auto_t *block = decide(h, SAGA_BLOCK), *undo = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct error err = ERROR_INIT;

	(void)block;
	(void)snprintf(h->people[LDAP][0].lock, sizeof h->people[LDAP][0].lock,
		       "by an administrator");
	(void)snprintf(h->people[GITHUB][0].teams, sizeof h->people[GITHUB][0].teams,
		       "ac");
	plan = plan_of(h, SAGA_UNBLOCK);
	assert_true(warns(plan, "ldap: the lock was changed elsewhere"));
	assert_true(warns(plan, "team 'a' was given back elsewhere"));
	assert_true(testing_carry_out(&h->env, plan, h->approval, &undo, &err));
	assert_string_equal(h->people[LDAP][0].lock, "by an administrator");
	assert_string_equal(h->people[GITHUB][0].teams, "abc");
	assert_string_equal(h->people[OKTA][0].lock, "");
	assert_int_equal(holdings(h, LDAP, FACET_SIGN_IN), 0); /* overtaken */
	/* Asked for again it is somebody else's lock, and lifted as such. */
	json_auto_t *again = decide(h, SAGA_UNBLOCK);
	assert_phase(again, "ldap", "sign_in", "verified");
	assert_string_equal(h->people[LDAP][0].lock, "");
}

static void a_lock_of_before_comes_back(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;
	json_auto_t *snapshot = json_pack("{s:s}", "lock", "after failures");
	const struct held_key key = { "ldap", "uid=john", "u1" };

	/* As a block over a lock after failed logins leaves it. */
	assert_true(held_add(h->env.records, &key, FACET_SIGN_IN, "ap-0", snapshot, true,
			     &err));
	(void)snprintf(h->people[LDAP][0].lock, sizeof h->people[LDAP][0].lock, "locked");
	json_auto_t *undo = decide(h, SAGA_UNBLOCK);
	assert_phase(undo, "ldap", "sign_in", "verified");
	assert_string_equal(h->people[LDAP][0].lock, "after failures");
}

static void all_that_blocks_took_comes_back(void **state)
{
	struct house *h = *state;
	json_auto_t *first = decide(h, SAGA_BLOCK), *second = NULL, *undo = NULL;

	(void)first;
	/* Somebody let him in and into a third team; blocked again. */
	(void)snprintf(h->people[GITHUB][0].teams, sizeof h->people[GITHUB][0].teams,
		       "ac");
	h->people[GITHUB][0].lock[0] = '\0';
	second = decide(h, SAGA_BLOCK);
	assert_phase(second, "github", "memberships", "verified");
	assert_int_equal(holdings(h, GITHUB, FACET_MEMBERSHIPS), 2);
	assert_int_equal(holdings(h, GITHUB, FACET_SIGN_IN), 1);
	undo = decide(h, SAGA_UNBLOCK);
	(void)undo;
	assert_string_equal(h->people[GITHUB][0].teams, "abc");
	assert_int_equal(holdings(h, GITHUB, FACET_MEMBERSHIPS), 0);
}

/* ---- Decisions after decisions ---- */

static void an_unblock_stops_a_block_that_is_still_tried(void **state)
{
	struct house *h = *state;
	json_auto_t *block = NULL, *undo = NULL, *after = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct error err = ERROR_INIT;

	h->fakes[LDAP].change_fails = ERR_BACKEND_UNAVAILABLE;
	block = decide(h, SAGA_BLOCK);
	assert_phase(block, "ldap", "sign_in", "retry");
	plan = plan_of(h, SAGA_UNBLOCK);
	assert_true(has_effect(plan, "ap-1", "still open", "stopped"));
	assert_true(testing_carry_out(&h->env, plan, h->approval, &undo, &err));
	after = recorded(h, "ap-1");
	assert_phase(after, "ldap", "sign_in", "superseded");
	later(h, NOW + HOUR / 2);
	assert_string_equal(h->people[LDAP][0].lock, "");
	assert_false(explained(h, LDAP));
	json_auto_t *closed = recorded(h, "ap-1");
	assert_string_equal(json_get_string(closed, "state"), "closed");
}

static void an_approval_is_begun_once(void **state)
{
	struct house *h = *state;
	_cleanup_(plan_freep) struct plan *plan = plan_of(h, SAGA_BLOCK);
	struct error err = ERROR_INIT;

	assert_true(testing_carry_out(&h->env, plan, h->approval, NULL, &err));
	assert_false(testing_carry_out(&h->env, plan, h->approval, NULL, &err));
	testing_error(&err, ERR_CONFLICT, "begun already");
}

static void the_protected_are_refused_and_left_alone_later(void **state)
{
	struct house *h = *state;
	const struct testing_asked asked = asking(h, SAGA_BLOCK);
	json_auto_t *saga = NULL, *after = NULL;
	struct error err = ERROR_INIT;

	h->fakes[LDAP].change_fails = ERR_BACKEND_UNAVAILABLE;
	saga = decide(h, SAGA_BLOCK);
	h->people[LDAP][0].uid = "protected.john";
	later(h, NOW + SAGA_RETRY_MS);
	after = recorded(h, h->approval);
	assert_phase(after, "ldap", "sign_in", "refused");
	assert_string_equal(h->people[LDAP][0].lock, "");
	assert_null(testing_plan(&h->env, &asked, &err));
	testing_error(&err, ERR_PROTECTED, "is protected");
}

static void nothing_is_tried_again_while_it_stops(void **state)
{
	struct house *h = *state;
	struct error err = ERROR_INIT;
	atomic_bool stopping = true;
	json_auto_t *saga = NULL;

	h->fakes[LDAP].change_fails = ERR_BACKEND_UNAVAILABLE;
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "ldap", "sign_in", "retry");
	h->env.now_ms = NOW + SAGA_RETRY_MS;
	h->env.audit = h->chain->audit;
	h->env.stopping = &stopping;
	assert_true(saga_work_all(&h->env, &err));
	assert_string_equal(h->people[LDAP][0].lock, "");
}

static void what_is_not_begun_in_time_is_left_for_later(void **state)
{
	struct house *h = *state;
	json_auto_t *saga = NULL;

	h->env.deadline_mono_ms = 1; /* long ago */
	saga = decide(h, SAGA_BLOCK);
	assert_phase(saga, "ldap", "sign_in", "planned");
	assert_string_equal(h->people[LDAP][0].lock, "");
	h->env.deadline_mono_ms = 0;
	later(h, NOW + 1);
	assert_string_equal(h->people[LDAP][0].lock, "locked");
	assert_string_equal(h->people[GITHUB][0].teams, "");
}

/* ---- Long ago ---- */

static void the_old_are_forgotten_once_they_are_closed(void **state)
{
	struct house *h = *state;
	json_auto_t *first = NULL, *second = NULL, *gone = NULL, *kept = NULL;
	struct error err = ERROR_INIT;

	first = decide(h, SAGA_BLOCK);
	h->fakes[LDAP].change_fails = ERR_BACKEND_UNAVAILABLE;
	second = decide(h, SAGA_UNBLOCK);
	assert_string_equal(json_get_string(second, "state"), "open");
	assert_true(saga_forget(h->env.records, NOW, &err));
	kept = recorded(h, "ap-1");
	assert_true(saga_forget(h->env.records, NOW + 1, &err));
	assert_true(saga_get(h->env.records, "ap-1", &gone, &err));
	assert_null(gone);
	json_decref(recorded(h, "ap-2"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_block_reaches_every_facet_and_comes_back),
		TEST(sign_in_comes_first_everywhere_and_last_on_the_way_back),
		TEST(the_plan_says_all_of_it),
		TEST(a_block_without_sessions_leaves_them),
		TEST(sessions_alone),
		TEST(sessions_where_nobody_knows_any),
		TEST(a_failure_stops_no_other_and_is_tried_again),
		TEST(it_waits_as_long_as_it_is_told),
		TEST(after_its_time_it_gives_up_and_says_so),
		TEST(what_cannot_be_done_is_not_tried_again),
		TEST(a_lost_answer_is_read_before_it_is_repeated),
		TEST(what_shows_late_is_requested_until_it_shows),
		TEST(what_cannot_be_read_is_accepted_and_never_verified),
		TEST(somebody_was_faster),
		TEST(a_system_that_cannot_is_said_and_the_others_go_on),
		TEST(what_others_changed_stays),
		TEST(a_lock_of_before_comes_back),
		TEST(all_that_blocks_took_comes_back),
		TEST(an_unblock_stops_a_block_that_is_still_tried),
		TEST(an_approval_is_begun_once),
		TEST(the_protected_are_refused_and_left_alone_later),
		TEST(nothing_is_tried_again_while_it_stops),
		TEST(what_is_not_begun_in_time_is_left_for_later),
		TEST(the_old_are_forgotten_once_they_are_closed),
	};

	return cmocka_run_group_tests_name("saga", tests, NULL, NULL);
}
