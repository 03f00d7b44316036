/*
 * ldap_link against a real directory; run by ldap_link_test.py, which starts it
 * and causes its faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "link/ldap/ldap_link.h"
#include "tests/live/slapd_control.h"

#define SUFFIX "dc=example,dc=test"
#define PEOPLE "ou=people," SUFFIX
#define JOHN   "uid=john.doe," PEOPLE
#define LOCKED "000001010000Z"

enum { TIMEOUT_MS = 700 };

static const char *const dn_only[] = { "1.1", NULL };

static struct ldap_link *open_link(const char *password, unsigned connections)
{
	_cleanup_(secret_freep) struct secret *secret = NULL;
	struct error err = ERROR_INIT;
	struct ldap_link *l;

	secret = password ? secret_new(password, strlen(password))
			  : secret_read(slapd_env("SLAPD_PASSWORD_FILE"), true, &err);
	const struct ldap_link_config config = {
		.uri = slapd_env("SLAPD_URI"),
		.bind_dn = slapd_env("SLAPD_SERVICE_DN"),
		.password = secret,
		.timeout_ms = TIMEOUT_MS,
		.connections = connections,
	};

	l = secret ? ldap_link_new(&config, &err) : NULL;
	if (!l)
		fail_msg("%s", err.message);
	return l;
}

struct found {
	int count, stop_after;
	char dn[256], mail[128], hidden[16];
};

static bool see(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct found *f = context;
	const char *mail = ldap_entry_value(e, "MAIL", 0);

	f->count++;
	snprintf(f->dn, sizeof f->dn, "%s", ldap_entry_dn(e));
	snprintf(f->mail, sizeof f->mail, "%s", mail ? mail : "");
	if (ldap_entry_value(e, "userPassword", 0))
		snprintf(f->hidden, sizeof f->hidden, "seen");
	assert_null(ldap_entry_value(e, "mail", 1));
	return f->count != f->stop_after;
}

static int search(struct ldap_link *l, const char *base, const char *filter, size_t limit,
		  struct found *f, bool *more)
{
	static const char *const attributes[] = { "mail", "userPassword", NULL };
	struct error err = ERROR_INIT;
	int stop_after = f->stop_after;

	*f = (struct found){ .stop_after = stop_after };
	if (!ldap_link_search(l, base, LDAP_LINK_SUBTREE, filter, attributes, limit, see,
			      f, more, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	return f->count;
}

static void test_search(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 2);
	struct found f = { 0 };
	bool more = true;

	(void)state;
	assert_int_equal(search(l, SUFFIX, "(uid=john.doe)", 2, &f, &more), 1);
	assert_true(ldap_link_same_dn(f.dn, JOHN));
	assert_string_equal(f.mail, "john.doe@example.test");
	assert_string_equal(f.hidden, "");
	assert_false(more);
	assert_int_equal(search(l, SUFFIX, "(uid=nobody)", 2, &f, &more), 0);
	assert_int_equal(search(l, "ou=nowhere," SUFFIX, "(uid=*)", 2, &f, &more), 0);
	assert_int_equal(search(l, SUFFIX, "(cn=Alex Kim)", 1, &f, &more), 1);
	assert_true(more);
	assert_int_equal(search(l, SUFFIX, "(cn=Alex Kim)", 2, &f, &more), 2);
	assert_false(more);
	f.stop_after = 3;
	assert_int_equal(search(l, SUFFIX, "(uid=*)", 0, &f, &more), 3);
}

static void test_hostile_values(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 1);
	static const char *const names[] = { "Star* Lane", "Liam O'Brien (contractor)",
					     "Stone, Peter", "Zo\xc3\xab M\xc3\xbcller" };
	static const char *const nobody[] = { "*", "Star*", "x)(uid=*", "\\2a", "" };
	struct found f = { 0 };
	bool more;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names) + ARRAY_SIZE(nobody); i++) {
		_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
		bool known = i < ARRAY_SIZE(names);

		ldap_link_filter(&filter, "cn",
				 known ? names[i] : nobody[i - ARRAY_SIZE(names)]);
		assert_int_equal(search(l, SUFFIX, filter.data, 10, &f, &more), known);
	}
}

/* 250 more entries come from the Python test: more than two pages. */
static void test_pages(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 1);
	const char *filter = "(title=Crowd)";
	struct found f = { 0 };
	bool more = true;

	(void)state;
	assert_int_equal(search(l, SUFFIX, filter, 0, &f, &more), 250);
	assert_false(more);
	assert_int_equal(search(l, SUFFIX, filter, 99, &f, &more), 99);
	assert_true(more);
	assert_int_equal(search(l, SUFFIX, filter, 100, &f, &more), 100);
	assert_true(more);
	assert_int_equal(search(l, SUFFIX, filter, 249, &f, &more), 249);
	assert_true(more);
	assert_int_equal(search(l, SUFFIX, filter, 250, &f, &more), 250);
	assert_false(more);
	/* Stopped in the middle, the connection serves the next search whole. */
	f.stop_after = 120;
	assert_int_equal(search(l, SUFFIX, filter, 0, &f, &more), 120);
	f.stop_after = 0;
	assert_int_equal(search(l, SUFFIX, filter, 0, &f, &more), 250);
}

static enum error_code modify(struct ldap_link *l, const char *dn, const char *only_if,
			      int op, const char *value, bool *unchanged)
{
	struct ldap_link_change change = { .attribute = "pwdAccountLockedTime",
					   .value = value };
	struct error err = ERROR_INIT;

	if (op == LDAP_LINK_DELETE)
		change.op = LDAP_LINK_DELETE;
	return ldap_link_modify(l, dn, only_if, &change, 1, unchanged, &err) ? ERR_NONE
									     : err.code;
}

static bool binds(void)
{
	const struct ldap_link_config config = { .uri = slapd_env("SLAPD_URI"),
						 .timeout_ms = TIMEOUT_MS };
	struct error err = ERROR_INIT;
	bool ok = false;

	if (!ldap_link_try_bind(&config, JOHN, "pw-john.doe", &ok, &err))
		fail_msg("%s", err.message);
	return ok;
}

static void test_modify(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 1);
	const char *unlocked = "(!(pwdAccountLockedTime=*))";
	bool unchanged = true;

	(void)state;
	assert_true(binds());
	assert_int_equal(modify(l, JOHN, unlocked, LDAP_LINK_REPLACE, LOCKED, &unchanged),
			 ERR_NONE);
	assert_false(unchanged);
	assert_false(binds());
	assert_int_equal(modify(l, JOHN, unlocked, LDAP_LINK_REPLACE, LOCKED, &unchanged),
			 ERR_CONFLICT);
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_DELETE, NULL, &unchanged),
			 ERR_NONE);
	assert_false(unchanged);
	assert_true(binds());
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_DELETE, NULL, &unchanged),
			 ERR_NONE);
	assert_true(unchanged);
	assert_int_equal(modify(l, "uid=nobody," PEOPLE, NULL, LDAP_LINK_REPLACE, LOCKED,
				&unchanged),
			 ERR_NOT_FOUND);
	assert_int_equal(
		modify(l, "no name", NULL, LDAP_LINK_REPLACE, LOCKED, &unchanged),
		ERR_INVALID_ARGUMENT);
	assert_int_equal(modify(l, JOHN, "(((", LDAP_LINK_REPLACE, LOCKED, &unchanged),
			 ERR_INVALID_ARGUMENT);
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_REPLACE, "no time", &unchanged),
			 ERR_INVALID_ARGUMENT);
	assert_int_equal(modify(l, "uid=breakglass-1,ou=breakglass," SUFFIX, NULL,
				LDAP_LINK_REPLACE, LOCKED, &unchanged),
			 ERR_PERMISSION_DENIED);
	assert_true(binds());
}

static void test_wrong_password(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link("wrong", 1);
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(ldap_link_ping(l, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.hint, "service account"));
	assert_null(strstr(err.message, "wrong"));
}

static enum error_code try_search(struct ldap_link *l, struct error *err)
{
	struct found f = { 0 };

	error_clear(err);
	(void)ldap_link_search(l, SUFFIX, LDAP_LINK_SUBTREE, "(uid=john.doe)", dn_only, 2,
			       see, &f, NULL, err);
	return err->code;
}

static void test_restart(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 2);
	struct error err = ERROR_INIT;
	bool unchanged;

	(void)state;
	assert_int_equal(try_search(l, &err), ERR_NONE);
	slapd_control("restart");
	/* The pooled connection is dead: noticed, replaced, asked again. */
	assert_int_equal(try_search(l, &err), ERR_NONE);
	slapd_control("restart");
	usleep(1100000);
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_DELETE, NULL, &unchanged),
			 ERR_NONE);
	slapd_control("stop");
	assert_int_equal(try_search(l, &err), ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, slapd_env("SLAPD_URI")));
	assert_non_null(strstr(err.message, "since "));
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_DELETE, NULL, &unchanged),
			 ERR_BACKEND_UNAVAILABLE);
	slapd_control("start");
	assert_int_equal(try_search(l, &err), ERR_NONE);
	error_clear(&err);
	assert_true(ldap_link_ping(l, &err));
}

static void test_stall(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 1);
	struct error err = ERROR_INIT;
	bool unchanged;
	int64_t began;

	(void)state;
	assert_int_equal(try_search(l, &err), ERR_NONE);
	slapd_control("pause");
	began = clock_mono_ms();
	/* Sent over a fresh connection, unanswered: nobody knows. */
	assert_int_equal(modify(l, JOHN, NULL, LDAP_LINK_DELETE, NULL, &unchanged),
			 ERR_UNKNOWN_OUTCOME);
	assert_in_range(clock_mono_ms() - began, TIMEOUT_MS - 50, 3 * TIMEOUT_MS);
	began = clock_mono_ms();
	assert_int_equal(try_search(l, &err), ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - began, TIMEOUT_MS - 50, 3 * TIMEOUT_MS);
	slapd_control("resume");
	assert_int_equal(try_search(l, &err), ERR_NONE);
}

static void *many_thread(void *context)
{
	struct ldap_link *l = context;

	for (int i = 0; i < 40; i++) {
		struct error err = ERROR_INIT;

		if (try_search(l, &err) != ERR_NONE)
			return l;
	}
	return NULL;
}

static void test_threads(void **state)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_link(NULL, 2);
	pthread_t threads[6];
	void *bad = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_thread, l), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("ldap_link", tests, NULL, NULL);
}
