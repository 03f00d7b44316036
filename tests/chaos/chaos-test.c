/*
 * Memory runs out at the first allocation, at the second, and so on through every
 * path of what is signed, shown and judged: once for a moment, once for good.
 *
 * Whatever happens, a function either fails and says so, or has done all of its work:
 * an effect that is missing from a prompt for lack of memory would be an effect that
 * nobody approved. What leaks is found by the sanitizers.
 */
#include "tests/chaos/site.h"

#include "base/file.h"
#include "guard/audit.h"
#include "guard/audit_files.h"
#include "guard/burn.h"
#include "guard/token.h"
#include "tests/chaos/faults.h"

/* Above, only some of the allocations fail. */
enum { POINTS_MAX = 1200 };

/* ---- The driver ---- */

static struct outcome wanted, got; /* too large for a stack */

static bool run(scenario *f, const struct site *s, struct outcome *o, unsigned long nth,
		bool onward, unsigned long *ret_count, struct error *err)
{
	o->length = 0;
	error_clear(err);
	faults_arm(nth, onward);
	bool good = f(s, o, err);
	*ret_count = faults_disarm();
	return good;
}

static bool same_outcome(void)
{
	return got.length == wanted.length &&
	       memcmp(got.text, wanted.text, got.length) == 0;
}

static void survive(const struct site *s, const char *name, scenario *f, bool onward)
{
	unsigned said[ERR_CODE_COUNT] = { 0 };
	unsigned long count, reached;
	struct error err = ERROR_INIT;

	if (!run(f, s, &wanted, 0, false, &count, &err))
		fail_msg("%s fails with memory: %s", name, err.message);
	assert_true(count > 0);
	const unsigned long step = count / POINTS_MAX + 1;
	for (unsigned long nth = 1; nth <= count; nth += step) {
		bool good = run(f, s, &got, nth, onward, &reached, &err);

		if (good && error_is_set(&err))
			fail_msg("%s: without allocation %lu it succeeds, and says '%s'",
				 name, nth, err.message);
		if (good && !same_outcome())
			fail_msg("%s: allocation %lu of %lu is missed by nobody", name,
				 nth, count);
		if (!good && !error_is_set(&err))
			fail_msg("%s: without allocation %lu it fails without a word",
				 name, nth);
		said[err.code]++;
	}
	/* And nothing of it stays. */
	if (!run(f, s, &got, 0, false, &reached, &err) || !same_outcome())
		fail_msg("%s: with memory again it is not as before: %s", name,
			 err.message);
	print_message("# %s: %lu allocations%s;", name, count,
		      step > 1 ? ", some of which failed" : "");
	for (enum error_code code = 0; code < ERR_CODE_COUNT; code++)
		if (said[code] > 0)
			print_message(" %s %u", code ? error_name(code) : "no loss",
				      said[code]);
	print_message("\n");
}

#define SCENARIO(f)                                                                      \
	static void test_##f(void **state)                                               \
	{                                                                                \
		survive(*state, #f, f, false);                                           \
		survive(*state, #f, f, true);                                            \
	}
SCENARIO(parse_and_write)
SCENARIO(read_configuration)
SCENARIO(make_text_visible)
SCENARIO(find_state_folder)
SCENARIO(compile_and_judge)
SCENARIO(find_fault)
SCENARIO(read_message)
SCENARIO(make_plan)
SCENARIO(sign_and_check_grant)
SCENARIO(sign_and_check_ticket)
SCENARIO(seal_and_open_state)
SCENARIO(read_keys)
SCENARIO(find_caller)
SCENARIO(accept_arguments)
SCENARIO(show_prompt)
SCENARIO(draw_prompt)
SCENARIO(draw_markdown)
SCENARIO(draw_result)
SCENARIO(judge_by_policy)

/* ---- What is durable ---- */

/* A burn that fails burnt nothing: the next one is the first. */
static void test_burn(void **state)
{
	const struct site *s = *state;
	_cleanup_free_ char *path = statedir_path(s->dir, "coordination.db");
	_cleanup_(coord_closep) struct coordination *c = NULL;
	struct error err = ERROR_INIT;
	struct grant g = s->grant;
	bool reached = true;

	c = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	for (unsigned long nth = 1; reached; nth++) {
		json_t *record = NULL;
		bool first = false;

		(void)snprintf(g.id, sizeof g.id, "burn-%lu", nth);
		faults_arm(nth, true);
		bool good = burn_start(c, &g, "t", s->plan, 1000, &first, &record, &err);
		reached = faults_disarm() >= nth;
		assert_true(good || reached);
		assert_int_equal(good, !error_is_set(&err));
		assert_true(!good || first);
		error_clear(&err);
		if (!good)
			assert_true(burn_start(c, &g, "t", s->plan, 1000, &first, &record,
					       &err));
		testing_no_error(&err);
		assert_true(first);
		assert_null(record);
		/* Ending it, the same way. */
		faults_arm(nth, true);
		good = burn_finish(c, g.id, "succeeded", s->data, 2000, &err);
		reached |= faults_disarm() >= nth;
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		assert_true(burn_find(c, g.id, &record, &err));
		if (good)
			assert_string_equal(json_get_string(record, "state"),
					    "succeeded");
		else
			assert_string_equal(json_get_string(record, "state"), "started");
		json_decref(record);
	}
}

/* Whatever happens to the index while others are changed, who is out stays out. */
static void test_revoked_stays_revoked(void **state)
{
	const struct site *s = *state;
	_cleanup_free_ char *path = statedir_path(s->dir, "callers/index.json");
	const int64_t now_ms = (int64_t)NOW_S * 1000;
	const char *scopes[] = { "accounts:read" };
	struct secret *out = NULL, *late = NULL;
	char out_id[65], late_id[65], id[65];
	struct error err = ERROR_INIT;
	bool reached = true;

	assert_true(token_create(path, "mallory@x", scopes, 1, 0, now_ms, &out, out_id,
				 &err));
	assert_true(token_create(path, "late@x", scopes, 1, now_ms + 1, now_ms, &late,
				 late_id, &err));
	assert_true(token_revoke(path, out_id, now_ms, &err));
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT;
	assert_true(file_read(path, 64 * 1024, &before, &err));
	for (unsigned long nth = 1; reached; nth++) {
		_cleanup_(secret_freep) struct secret *made = NULL;
		struct caller caller;

		assert_true(file_write(path, before.data, before.length, 0600, &err));
		faults_arm(nth, false);
		bool good = token_create(path, "bob@x", scopes, 1, 0, now_ms, &made, id,
					 &err);
		reached = faults_disarm() >= nth;
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		_cleanup_(token_index_freep) struct token_index *index =
			token_index_open(path, &err);
		testing_no_error(&err);
		assert_false(token_index_find(index, secret_bytes(out), now_ms, &caller,
					      &err));
		testing_error(&err, ERR_PERMISSION_DENIED, NULL);
		assert_false(token_index_find(index, secret_bytes(late), now_ms + 2,
					      &caller, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, NULL);
		assert_true(token_index_find(index, secret_bytes(late), now_ms, &caller,
					     &err));
	}
	secret_free(out);
	secret_free(late);
}

static int64_t count_tried(const char *folder, const char *program)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };
	struct error err = ERROR_INIT;
	int64_t count = 0;

	assert_true(audit_files_list(folder, program, &files, &err));
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		assert_true(file_read(files.file[i].path, 1024 * 1024, &text, &err));
		for (const char *at = text.data; at && (at = strstr(at, "chaos.tried"));
		     at++)
			count++;
	}
	return count;
}

/* The chain has exactly the lines that were acknowledged, or says that it is broken. */
static void try_audit(const struct site *s, const char *program, int64_t file_bytes)
{
	_cleanup_free_ char *folder = statedir_path(s->dir, "audit");
	struct error err = ERROR_INIT;
	struct audit_report report;
	int64_t lines = 0;
	bool reached = true;

	struct audit *a = audit_open(s->dir, program, &err);
	testing_no_error(&err);
	audit_limit_file(a, file_bytes);
	for (unsigned long nth = 1; reached; nth++) {
		json_t *data = json_pack("{s:s}", "what", "chaos");

		assert_non_null(data);
		faults_arm(nth, true);
		bool good = audit_append(a, "chaos.tried", data, NULL, &err);
		reached = faults_disarm() >= nth;
		assert_true(good || reached);
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		lines += good;
		if (audit_is_sound(a))
			continue;
		/* Broken for this process, and for no other. */
		audit_close(a);
		a = audit_open(s->dir, program, &err);
		testing_no_error(&err);
		audit_limit_file(a, file_bytes);
	}
	assert_true(lines > 0);
	audit_close(a);
	assert_true(audit_verify(folder, program, NULL, NULL, 0, &report, &err));
	assert_string_equal(report.finding, "");
	assert_true(report.sound && report.lines >= lines);
	assert_int_equal(report.files > 1, file_bytes == 1);
	assert_int_equal(count_tried(folder, program), lines);
}

static void test_audit(void **state)
{
	try_audit(*state, "chaos", AUDIT_FILE_BYTES);
}

/* Each line begins a file of its own. */
static void test_audit_files(void **state)
{
	try_audit(*state, "chaosfiles", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_write),
		cmocka_unit_test(test_read_configuration),
		cmocka_unit_test(test_make_text_visible),
		cmocka_unit_test(test_find_state_folder),
		cmocka_unit_test(test_compile_and_judge),
		cmocka_unit_test(test_find_fault),
		cmocka_unit_test(test_read_message),
		cmocka_unit_test(test_make_plan),
		cmocka_unit_test(test_sign_and_check_grant),
		cmocka_unit_test(test_sign_and_check_ticket),
		cmocka_unit_test(test_seal_and_open_state),
		cmocka_unit_test(test_read_keys),
		cmocka_unit_test(test_find_caller),
		cmocka_unit_test(test_accept_arguments),
		cmocka_unit_test(test_show_prompt),
		cmocka_unit_test(test_draw_prompt),
		cmocka_unit_test(test_draw_markdown),
		cmocka_unit_test(test_draw_result),
		cmocka_unit_test(test_judge_by_policy),
		cmocka_unit_test(test_burn),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_audit_files),
		cmocka_unit_test(test_revoked_stays_revoked),
	};

	return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
