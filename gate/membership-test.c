/* What config/gate.yaml says of the group that people must be in, and what is wrong with it. */
#include "base/testing.h"

#include "gate/settings.h"

#define LDAP                                                                             \
	"membership: {ldap: {uri: 'ldap://127.0.0.1:1', bind_dn: cn=x,"                  \
	" password_file: tokens/ldap, people_base: ou=p, group: cn=g}}\n"

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct statedir *dir;
	struct settings_reader *reader;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;

	assert_non_null(f);
	testing_folder(f->folder);
	f->dir = statedir_new(f->folder, &err);
	assert_true(f->dir && statedir_create(f->dir, &err));
	f->reader = settings_reader_new(f->dir, &err);
	testing_no_error(&err);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	settings_reader_free(f->reader);
	statedir_free(f->dir);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static struct settings *read_team(const struct fixture *f, size_t people,
				  const char *more, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = statedir_path(f->dir, "config/gate.yaml");

	strbuf_add_string(&text, "persons:\n");
	for (size_t i = 0; i < people; i++)
		strbuf_add_format(&text, "  - {id: p%zu@example.test}\n", i);
	strbuf_add_string(&text, "team:\n");
	for (size_t i = 0; i < people; i++)
		strbuf_add_format(&text, "  - p%zu@example.test\n", i);
	strbuf_add_string(&text, more);
	testing_put(path, text.data, 0600);
	return settings_read(f->reader, err);
}

static void assert_refused(const struct fixture *f, const char *more, const char *words)
{
	struct error err = ERROR_INIT;
	_cleanup_(settings_freep) struct settings *s = read_team(f, 1, more, &err);

	if (s || !strstr(err.message, words))
		fail_msg("%s: '%s'", more, s ? "taken" : err.message);
}

/* --- reading --- */

static void test_closed_until_asked(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(settings_freep) struct settings *s = read_team(*state, 1, LDAP, &err);
	_cleanup_(settings_freep) struct settings *plain = NULL;

	testing_no_error(&err);
	assert_true(membership_has_door(&s->membership));
	assert_int_equal(s->membership.every_ms, MEMBERSHIP_EVERY_MS);
	assert_false(policy_in_team(s->policy, "p0@example.test"));
	assert_true(policy_is_listed(s->policy, "p0@example.test"));
	plain = read_team(*state, 1, "", &err);
	testing_no_error(&err);
	assert_int_equal(plain->membership.kind, MEMBERSHIP_NONE);
	assert_true(policy_in_team(plain->policy, "p0@example.test"));
}

static void test_one_place(void **state)
{
	static const char slack[] =
		"slack: {unix: 1, app: A0W, teams: [T0A], signing_secrets: [keys/s],"
		" membership: {usergroup: S0A, token_file: t}}\n";
	_cleanup_strbuf_ struct strbuf both = STRBUF_INIT;

	strbuf_add_format(&both, "%s%s", slack, LDAP);
	assert_refused(*state, both.data, "both say who is a member");
	assert_refused(*state, "membership: {slack: {usergroup: S0A, token_file: t}}\n",
		       "wants 'slack'");
	assert_refused(*state, "membership: {}\n", "membership");
	assert_refused(*state, "membership: {every_s: 5}\n", "membership");
}

static void test_bounds(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(settings_freep) struct settings *most =
		read_team(*state, MEMBERSHIP_TEAM_MAX, LDAP, &err);
	_cleanup_(settings_freep) struct settings *more = NULL;
	_cleanup_(settings_freep) struct settings *by_itself = NULL;

	testing_no_error(&err);
	assert_non_null(most);
	more = read_team(*state, MEMBERSHIP_TEAM_MAX + 1, LDAP, &err);
	assert_null(more);
	assert_non_null(strstr(err.message, "500 at most"));
	error_clear(&err);
	by_itself = read_team(*state, MEMBERSHIP_TEAM_MAX + 1, "", &err);
	assert_non_null(by_itself);
	assert_refused(*state, "membership: {every_s: 31, okta: {}}\n", "every_s");
	assert_refused(*state, "membership: {every_s: 0, okta: {}}\n", "every_s");
}

/* --- wingman config check --- */

static size_t count(const struct settings *s, const char *words)
{
	json_auto_t *findings = json_array();
	size_t i, found = 0;
	json_t *one;

	membership_find(&s->membership, s->policy, findings);
	json_array_foreach(findings, i, one)
	{
		found += strstr(json_get_string(one, "text"), words) != NULL;
	}
	return found;
}

static void test_people_without_mail(void **state)
{
	static const char text[] = "persons: [{id: alice}, {id: a@b@c}, {id: '@c'},"
				   " {id: 'a@'}, {id: a@c}]\n"
				   "team: [alice, a@b@c, '@c', 'a@', a@c]\n" LDAP;
	const struct fixture *f = *state;
	_cleanup_free_ char *path = statedir_path(f->dir, "config/gate.yaml");
	struct error err = ERROR_INIT;
	_cleanup_(settings_freep) struct settings *s = NULL;

	testing_put(path, text, 0600);
	s = settings_read(f->reader, &err);
	testing_no_error(&err);
	assert_int_equal(count(s, "no address of mail"), 4);
	assert_int_equal(count(s, "'a@c' is"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_until_asked),
		cmocka_unit_test(test_one_place),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_people_without_mail),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
