/* What the configuration of Slack says, and what of it cannot be. */
#include "gate/slack_settings.h"

#include "base/testing.h"

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct statedir *dir;
	struct slack_settings s;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;
	json_auto_t *slack = json_pack("{s:i, s:s, s:[s], s:[s, s], s:[s]}", "unix", 990,
				       "app", "A0W", "teams", "T0A", "signing_secrets",
				       "keys/one", "keys/two", "channels", "C0OPS");

	testing_folder(f->folder);
	f->dir = statedir_new(f->folder, &err);
	assert_true(f->dir && statedir_create(f->dir, &err));
	slack_settings_decode(&f->s, slack);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	statedir_free(f->dir);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text, mode_t mode)
{
	_cleanup_free_ char *path = statedir_path(f->dir, "%s", name);

	testing_put(path, text, mode);
}

static void test_names(void **state)
{
	const struct fixture *f = *state;
	struct slack_settings none = { 0 };

	assert_true(f->s.is_on);
	assert_int_equal(f->s.uid, 990);
	assert_true(slack_settings_has_team(&f->s, "T0A"));
	assert_false(slack_settings_has_team(&f->s, "T0A "));
	assert_false(slack_settings_has_team(&f->s, ""));
	assert_true(slack_settings_has_channel(&f->s, "C0OPS"));
	assert_false(slack_settings_has_channel(&f->s, "C0"));
	/* An approvals_channel that is not set names nothing. */
	assert_false(slack_settings_has_channel(&f->s, ""));
	assert_false(f->s.any_look || f->s.socket_mode || f->s.allow_shared_uid);
	slack_settings_decode(&none, NULL);
	assert_false(none.is_on);
}

static size_t count_secrets(const struct fixture *f, struct error *err)
{
	struct slack_secrets secrets = { { NULL }, 0 };
	size_t count = 0;

	error_clear(err);
	if (slack_secrets_read(&secrets, &f->s, f->dir, err))
		count = secrets.count;
	slack_secrets_done(&secrets);
	return count;
}

static void test_secrets(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	char long_one[SLACK_SECRET_BYTES_MAX + 2];

	assert_int_equal(count_secrets(f, &err), 0);
	testing_error(&err, ERR_INTERNAL, "cannot be read");
	put(f, "keys/two", "second\n", 0600);
	assert_int_equal(count_secrets(f, &err), 1);
	put(f, "keys/one", "first\n", 0600);
	assert_int_equal(count_secrets(f, &err), 2);
	/* What others can read is none. */
	put(f, "keys/one", "first\n", 0644);
	assert_int_equal(count_secrets(f, &err), 1);
	memset(long_one, 'x', sizeof long_one);
	long_one[SLACK_SECRET_BYTES_MAX] = '\0';
	put(f, "keys/one", long_one, 0600);
	assert_int_equal(count_secrets(f, &err), 2);
	long_one[SLACK_SECRET_BYTES_MAX] = 'x';
	long_one[SLACK_SECRET_BYTES_MAX + 1] = '\0';
	put(f, "keys/one", long_one, 0600);
	assert_int_equal(count_secrets(f, &err), 1);
	put(f, "keys/two", "", 0600);
	assert_int_equal(count_secrets(f, &err), 0);
	f->s.secret_count = 0;
	assert_int_equal(count_secrets(f, &err), 0);
	testing_error(&err, ERR_INTERNAL, "none is configured");
}

static void test_credentials(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *folder = statedir_path(f->dir, "tokens");

	assert_null(slack_secrets_folder(&f->s));
	f->s.secret_count = 1;
	(void)snprintf(f->s.secrets[0], sizeof f->s.secrets[0], "credential:slack");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_null(slack_secrets_folder(&f->s));
	assert_int_equal(count_secrets(f, &err), 0);
	testing_error(&err, ERR_INTERNAL, "systemd gave no credentials");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "tokens", 1), 0);
	assert_null(slack_secrets_folder(&f->s));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_string_equal(slack_secrets_folder(&f->s), folder);
	assert_int_equal(count_secrets(f, &err), 0);
	put(f, "tokens/slack", "from systemd", 0600);
	assert_int_equal(count_secrets(f, &err), 1);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* --- what is found --- */

static struct policy *people(json_int_t uid, bool has_slack, const char *second)
{
	json_auto_t *persons = json_pack("[{s:s, s:[I]}, {s:s}]", "id", "alice@x", "unix",
					 uid, "id", "bob@x");
	json_auto_t *team = json_pack("[s, s]", "alice@x", "bob@x");
	struct error err = ERROR_INIT;

	if (has_slack)
		(void)json_object_set_new(json_array_get(persons, 0), "slack",
					  json_pack("[s]", "U0A"));
	if (second)
		(void)json_object_set_new(json_array_get(persons, 1), "slack",
					  json_pack("[s]", second));
	return policy_new(persons, team, NULL, &err);
}

static bool finds(const struct fixture *f, const struct policy *p, bool no_console,
		  const char *level, const char *words)
{
	json_auto_t *findings = json_array();
	size_t i;
	json_t *one;

	slack_settings_find(&f->s, p, f->dir, no_console, findings);
	json_array_foreach(findings, i, one)
	{
		if (strstr(json_get_string(one, "text"), words) &&
		    strcmp(json_get_string(one, "level"), level) == 0)
			return true;
	}
	return false;
}

static void test_findings(void **state)
{
	struct fixture *f = *state;
	_cleanup_(policy_freep) struct policy *none = people(1000, false, NULL);
	_cleanup_(policy_freep) struct policy *one = people(1000, true, NULL);
	_cleanup_(policy_freep) struct policy *both = people(1000, true, "U0B");
	_cleanup_(policy_freep) struct policy *same = people(1000, true, "U0A");

	assert_null(same);
	assert_true(finds(f, both, false, "error", "secret cannot be read"));
	put(f, "keys/one", "first", 0600);
	assert_false(finds(f, both, false, "error", ""));
	assert_false(finds(f, both, false, "warning", ""));
	assert_true(finds(f, none, false, "warning", "nobody could approve"));
	assert_true(finds(f, none, true, "error", "nobody could approve"));
	assert_true(finds(f, one, false, "warning", "1 of 2 members"));
	assert_true(finds(f, one, false, "warning", "second person"));
	f->s.socket_mode = true;
	assert_true(finds(f, both, false, "warning", "socket_mode"));
	f->s.any_look = true;
	assert_true(finds(f, both, false, "warning", "check_shown"));
	(void)snprintf(f->s.usergroup, sizeof f->s.usergroup, "S0A");
	assert_true(finds(f, one, false, "warning", "never signed"));
	f->s.is_on = false;
	assert_true(finds(f, one, false, "warning", "there is no 'slack'"));
	assert_false(finds(f, none, false, "warning", ""));
}

static void test_uid(void **state)
{
	struct fixture *f = *state;
	_cleanup_(policy_freep) struct policy *other = people(1000, true, NULL);
	_cleanup_(policy_freep) struct policy *shared = people(990, true, NULL);
	struct error err = ERROR_INIT;

	assert_true(slack_settings_check(&f->s, other, &err));
	assert_false(slack_settings_check(&f->s, shared, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "decides as the other");
	error_clear(&err);
	f->s.allow_shared_uid = true;
	assert_true(slack_settings_check(&f->s, shared, &err));
	assert_true(finds(f, shared, false, "warning", "demonstrates"));
	f->s.allow_shared_uid = f->s.is_on = false;
	assert_true(slack_settings_check(&f->s, shared, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_secrets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_findings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_uid, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("gate-slack_settings", tests, NULL, NULL);
}
