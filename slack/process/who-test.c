/* Who may use this: everything must say yes, a minute at most, and what is not known is no.
 * Gate, Slack and clock are played. */
#include "slack/process/who.h"

#include "base/clock.h"
#include "base/testing.h"

static const char *const teams[] = { "T0OURS", "T0TOO" };

static struct world {
	/* What the gate says; 'gate_error': it cannot be asked. */
	bool gate_error, in_team;
	int64_t good_ms; /* so long that may be believed; INT64_MIN: it does not say */
	char principal[200]; /* "": it names none */
	/* What Slack says of a person. */
	enum error_code slack_error; /* ERR_NONE: it answers */
	struct slack_user user;
	/* And of the group and of conversations. */
	bool group_error;
	const char *group[4], *members[1200];
	size_t member_count;
	bool members_error;
	int asked_gate, asked_slack, asked_group, asked_members;
	int64_t mono_ms;
	struct who *forget; /* told to forget while Slack is asked */
} world;

/* ---- What is played --------------------------------------------------------------- */

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return world.mono_ms;
}

json_t *gate_ask_for(struct gate *g, enum message m, json_t *members, int64_t wait_ms,
		     json_t **ret_details, struct error *err)
{
	json_auto_t *given = members;

	(void)g, (void)ret_details;
	world.asked_gate++;
	assert_int_equal(m, MSG_SLACK_WHO);
	assert_in_range(wait_ms, 1, GATE_QUICK_MS);
	assert_string_equal(json_get_string(given, "user"), "U0ALICE");
	if (world.gate_error) {
		error_set(err, ERR_BACKEND_UNAVAILABLE, "the gate is not there");
		return NULL;
	}
	json_t *who = json_pack("{s:b}", "team", world.in_team);

	if (world.principal[0])
		json_object_set_new(who, "principal", json_string(world.principal));
	if (world.good_ms != INT64_MIN)
		json_object_set_new(who, "good_ms", json_integer(world.good_ms));
	return who;
}

bool slack_get_user(struct slack *s, const char *id, const struct rest_patience *patience,
		    json_t **ret_json, struct slack_user *ret, struct error *err)
{
	(void)s, (void)patience;
	world.asked_slack++;
	assert_string_equal(id, "U0ALICE");
	if (world.forget)
		who_forget(world.forget, NULL);
	if (world.slack_error)
		return error_set(err, world.slack_error, "Slack says no");
	*ret_json = json_object();
	*ret = world.user;
	return true;
}

bool slack_usergroup_members(struct slack *s, const char *group_id,
			     const struct rest_patience *patience, json_t **ret,
			     struct error *err)
{
	(void)s, (void)patience;
	world.asked_group++;
	assert_string_equal(group_id, "S0SEC");
	if (world.group_error)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "no group");
	*ret = json_array();
	for (size_t i = 0; world.group[i]; i++)
		json_array_append_new(*ret, json_string(world.group[i]));
	return true;
}

bool slack_each(struct slack *s, const char *method, const json_t *arguments,
		const char *list, const struct rest_patience *patience,
		bool (*fn)(void *context, const json_t *item, struct error *err),
		void *context, struct error *err)
{
	(void)s, (void)arguments, (void)patience;
	world.asked_members++;
	assert_string_equal(method, "conversations.members");
	assert_string_equal(list, "members");
	if (world.members_error)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "not readable");
	for (size_t i = 0; i < world.member_count; i++) {
		json_auto_t *one = world.members[i] ? json_string(world.members[i])
						    : json_integer(7);

		if (!fn(context, one, err))
			return false;
	}
	return true;
}

bool slack_is_user_id(const char *text)
{
	return text[0] == 'U' || text[0] == 'W';
}

struct rest_patience rest_patience(int64_t ms)
{
	assert_in_range(ms, 1, 5000);
	return (struct rest_patience){ .cancel = NULL };
}

/* ---- The world -------------------------------------------------------------------- */

/* In which alice may. */
static struct who *begin(const char *usergroup)
{
	const struct who_options options = { .usergroup = usergroup,
					     .teams = teams,
					     .team_count = ARRAY_SIZE(teams) };
	struct error err = ERROR_INIT;
	struct who *w = who_new(&options, &err);

	world = (struct world){ .in_team = true,
				.principal = "alice@x",
				.good_ms = INT64_MIN,
				.user = { .team_id = "T0OURS" },
				.group = { "U0BOB", "U0ALICE" },
				.mono_ms = 1000000 };
	testing_no_error(&err);
	return w;
}

static struct person ask(struct who *w)
{
	struct error err = ERROR_INIT;
	struct person p;

	assert_true(who_ask(w, "U0ALICE", &p, &err));
	return p;
}

/* ---- All must agree --------------------------------------------------------------- */

static void test_yes(void **state)
{
	_cleanup_(who_freep) struct who *w = begin("S0SEC");
	struct person p = ask(w);

	(void)state;
	assert_true(p.in_team);
	assert_null(p.why);
	assert_string_equal(p.principal, "alice@x");
	assert_true(p.checked_ms > 0);
	world.user.team_id = "T0TOO";
	who_forget(w, NULL);
	assert_true(ask(w).in_team);
}

static void no_team(void)
{
	world.in_team = false;
}

static void no_principal(void)
{
	world.principal[0] = '\0';
}

/* One that a buffer of ours would cut is nobody's. */
static void long_principal(void)
{
	memset(world.principal, 'p', 129);
	world.principal[129] = '\0';
}

static void deleted(void)
{
	world.user.deleted = true;
}

static void bot(void)
{
	world.user.is_bot = true;
}

static void guest(void)
{
	world.user.is_guest = true;
}

static void stranger(void)
{
	world.user.is_stranger = true;
}

static void other_team(void)
{
	world.user.team_id = "T0OTHER";
}

static void unknown_to_slack(void)
{
	world.slack_error = ERR_NOT_FOUND;
}

static void not_in_group(void)
{
	world.group[1] = "U0CAROL";
}

static void empty_group(void)
{
	world.group[0] = NULL;
}

static void test_every_no(void **state)
{
	static const struct {
		void (*change)(void);
		const char *why;
	} cases[] = {
		{ no_team, "not of the team" },
		{ no_principal, "not of the team" },
		{ long_principal, "not of the team" },
		{ deleted, "deactivated" },
		{ bot, "an app" },
		{ guest, "a guest" },
		{ stranger, "of another organisation" },
		{ other_team, "of another organisation" },
		{ unknown_to_slack, "not known to Slack" },
		{ not_in_group, "not in the user group" },
		{ empty_group, "not in the user group" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(who_freep) struct who *w = begin("S0SEC");
		struct person p;

		cases[i].change();
		p = ask(w);
		assert_false(p.in_team);
		assert_string_equal(p.why, cases[i].why);
	}
}

static void test_ids_that_are_none(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);
	struct error err = ERROR_INIT;
	struct person p;
	char id[66];

	(void)state;
	memset(id, 'U', sizeof id);
	id[65] = '\0';
	assert_true(who_ask(w, id, &p, &err));
	assert_false(p.in_team);
	assert_true(who_ask(w, "", &p, &err));
	assert_false(p.in_team);
	assert_true(who_ask(w, "C0SECOPS", &p, &err));
	assert_false(p.in_team);
	assert_int_equal(world.asked_gate, 0);
}

/* ---- What cannot be asked --------------------------------------------------------- */

static void gate_fails(void)
{
	world.gate_error = true;
}

static void slack_fails(void)
{
	world.slack_error = ERR_BACKEND_UNAVAILABLE;
}

static void slack_slows(void)
{
	world.slack_error = ERR_RATE_LIMITED;
}

static void group_fails(void)
{
	world.group_error = true;
}

static void test_fails_closed(void **state)
{
	static void (*const cases[])(void) = { gate_fails, slack_fails, slack_slows,
					       group_fails };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(who_freep) struct who *w = begin("S0SEC");
		struct error err = ERROR_INIT;
		struct person p = { .in_team = true };

		cases[i]();
		assert_false(who_ask(w, "U0ALICE", &p, &err));
		assert_true(error_is_set(&err));
		assert_false(p.in_team);
		assert_string_equal(p.principal, "");
		assert_false(who_is_known(w, "U0ALICE"));
		/* And it is asked again the next time, not remembered. */
		world.gate_error = world.group_error = false;
		world.slack_error = ERR_NONE;
		assert_true(ask(w).in_team);
	}
}

/* A yes of before does not last over what cannot be asked. */
static void test_a_yes_does_not_outlive_its_minute(void **state)
{
	_cleanup_(who_freep) struct who *w = begin("S0SEC");
	struct error err = ERROR_INIT;
	struct person p;

	(void)state;
	assert_true(ask(w).in_team);
	world.mono_ms += WHO_KEPT_MS;
	world.gate_error = true;
	assert_false(who_ask(w, "U0ALICE", &p, &err));
	assert_false(p.in_team);
}

/* ---- A minute at most ------------------------------------------------------------- */

static void test_a_minute(void **state)
{
	_cleanup_(who_freep) struct who *w = begin("S0SEC");

	(void)state;
	assert_true(WHO_KEPT_MS <= 60 * 1000);
	assert_true(ask(w).in_team);
	world.in_team = false;
	world.mono_ms += WHO_KEPT_MS - 1;
	assert_true(ask(w).in_team);
	assert_true(who_is_known(w, "U0ALICE"));
	assert_int_equal(world.asked_gate, 1);
	world.mono_ms += 1;
	assert_false(who_is_known(w, "U0ALICE"));
	assert_false(ask(w).in_team);
	assert_int_equal(world.asked_gate, 2);
	/* A no is kept as long, and asked for anew as soon. */
	world.in_team = true;
	world.mono_ms += WHO_KEPT_MS - 1;
	assert_false(ask(w).in_team);
	world.mono_ms += 1;
	assert_true(ask(w).in_team);
}

/* What the gate knows may be older than its answer, by its own cache. */
static void test_no_longer_than_the_gate_believes(void **state)
{
	static const int64_t good_ms[] = {
		0, 1, 40000, WHO_KEPT_MS, WHO_KEPT_MS + 1, INT64_MAX
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_ms); i++) {
		_cleanup_(who_freep) struct who *w = begin(NULL);
		int64_t kept_ms = good_ms[i] < WHO_KEPT_MS ? good_ms[i] : WHO_KEPT_MS;

		world.good_ms = good_ms[i];
		assert_true(ask(w).in_team);
		kept_ms = kept_ms > 0 ? kept_ms : 0;
		world.mono_ms += kept_ms > 0 ? kept_ms - 1 : 0;
		assert_int_equal(who_is_known(w, "U0ALICE"), kept_ms > 0);
		world.mono_ms += kept_ms > 0;
		assert_false(who_is_known(w, "U0ALICE"));
	}
}

/* Whoever was asked for later shares what was read of the group before. */
static void test_no_longer_than_the_group(void **state)
{
	_cleanup_(who_freep) struct who *w = begin("S0SEC");

	(void)state;
	world.good_ms = 30000;
	assert_true(ask(w).in_team);
	world.mono_ms += 30000;
	world.good_ms = INT64_MIN;
	assert_true(ask(w).in_team);
	assert_int_equal(world.asked_group, 1);
	world.group[1] = NULL;
	world.mono_ms += WHO_KEPT_MS - 30000 - 1;
	assert_true(ask(w).in_team);
	world.mono_ms += 1;
	assert_false(ask(w).in_team);
	assert_int_equal(world.asked_group, 2);
}

/* Who reads along is not believed longer than any of them. */
static void test_a_conversation_no_longer_than_its_people(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);

	(void)state;
	world.members[0] = "U0ALICE";
	world.member_count = 1;
	assert_true(ask(w).in_team);
	world.mono_ms += WHO_KEPT_MS - 1;
	world.in_team = false;
	assert_false(who_reads(w, "C0A", "U0BOT").outsiders);
	world.mono_ms += 1;
	assert_true(who_reads(w, "C0A", "U0BOT").outsiders);
}

/* A group that was read for somebody else is not older than a minute either. */
static void test_the_group_is_no_older(void **state)
{
	_cleanup_(who_freep) struct who *w = begin("S0SEC");

	(void)state;
	assert_true(ask(w).in_team);
	who_forget(w, "U0ALICE"); /* forgets the group as well */
	world.group[1] = NULL;
	assert_false(ask(w).in_team);
	assert_int_equal(world.asked_group, 2);
}

static void test_forgotten(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);

	(void)state;
	assert_true(ask(w).in_team);
	world.user.deleted = true;
	assert_true(ask(w).in_team);
	who_forget(w, "U0ALICE");
	assert_false(ask(w).in_team);
	world.user.deleted = false;
	who_forget(w, NULL);
	assert_true(ask(w).in_team);
}

/* What Slack said before it told us of a change is not kept. */
static void test_forgotten_while_it_was_asked(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);

	(void)state;
	world.forget = w;
	assert_true(ask(w).in_team);
	assert_false(who_is_known(w, "U0ALICE"));
	world.forget = NULL;
	world.user.is_guest = true;
	assert_false(ask(w).in_team);
}

/* ---- Who reads along -------------------------------------------------------------- */

static struct audience reads(struct who *w, const char *channel)
{
	return who_reads(w, channel, "U0BOT");
}

static void test_readers(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);
	struct audience a;

	(void)state;
	world.members[0] = "U0ALICE";
	world.members[1] = "U0BOT";
	world.member_count = 2;
	a = reads(w, "C0A");
	assert_int_equal(a.people, 1);
	assert_false(a.outsiders);
	a = reads(w, "D0A");
	assert_int_equal(a.people, 1);
	assert_false(a.outsiders);
	assert_int_equal(world.asked_members, 1);
	/* A minute, and what changes is told to forget. */
	world.members_error = true;
	world.mono_ms += WHO_KEPT_MS - 1;
	assert_false(reads(w, "C0A").outsiders);
	world.mono_ms += 1;
	a = reads(w, "C0A");
	assert_true(a.outsiders);
	assert_int_equal(a.people, 0);
	who_forget(w, NULL);
	world.members_error = false;
	assert_false(reads(w, "C0A").outsiders);
	world.user.is_guest = true;
	assert_false(reads(w, "C0A").outsiders);
	who_forget(w, "U0ALICE");
	assert_true(reads(w, "C0A").outsiders);
}

static void test_readers_that_are_not_known(void **state)
{
	_cleanup_(who_freep) struct who *w = begin(NULL);
	char channel[66];

	(void)state;
	world.member_count = 1; /* no text at all */
	assert_true(reads(w, "C0A").outsiders);
	world.members[0] = "U0ALICE";
	world.gate_error = true;
	assert_true(reads(w, "C0B").outsiders);
	memset(channel, 'C', 65);
	channel[65] = '\0';
	assert_true(reads(w, channel).outsiders);
	assert_true(reads(w, "").outsiders);
}

/* 1000 readers can be known, and one more not. */
static void test_a_crowd(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		_cleanup_(who_freep) struct who *w = begin(NULL);

		world.member_count = 1000 + more;
		for (size_t i = 0; i < world.member_count; i++)
			world.members[i] = "U0ALICE";
		assert_int_equal(reads(w, "C0A").outsiders, more == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yes),
		cmocka_unit_test(test_every_no),
		cmocka_unit_test(test_ids_that_are_none),
		cmocka_unit_test(test_fails_closed),
		cmocka_unit_test(test_a_yes_does_not_outlive_its_minute),
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_no_longer_than_the_gate_believes),
		cmocka_unit_test(test_no_longer_than_the_group),
		cmocka_unit_test(test_a_conversation_no_longer_than_its_people),
		cmocka_unit_test(test_the_group_is_no_older),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_forgotten_while_it_was_asked),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_readers_that_are_not_known),
		cmocka_unit_test(test_a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
