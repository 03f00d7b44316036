/* config/gate.yaml as people write it, and as they get it wrong. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "base/file.h"
#include "gate/settings.h"

struct fixture {
	char folder[64];
	struct statedir *dir;
	struct settings_reader *reader;
};

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	(void)s;
	(void)kind;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;

	(void)snprintf(f->folder, sizeof f->folder, "/tmp/wingman-settings-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->dir = statedir_new(f->folder, &err);
	f->reader = f->dir && statedir_create(f->dir, &err)
			    ? settings_reader_new(f->dir, &err)
			    : NULL;
	if (!f->reader)
		print_message("# %s\n", err.message);
	*state = f;
	return f->reader ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	settings_reader_free(f->reader);
	statedir_free(f->dir);
	(void)nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	_cleanup_free_ char *path = statedir_path(f->dir, "config/%s", name);
	struct error err = ERROR_INIT;

	assert_true(file_write(path, text, strlen(text), 0600, &err));
}

#define GOOD                                                                             \
	"persons:\n"                                                                     \
	"  - {id: alice@x, unix: [1000]}\n"                                              \
	"team: [alice@x]\n"                                                              \
	"servers:\n"                                                                     \
	"  - {name: accounts, url: 'http://127.0.0.1:4711/mcp'}\n"                       \
	"  - {name: people, url: 'https://people.example/mcp', instance: prod-people}\n"

static void test_good(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;

	put(f, "gate.yaml", GOOD "limits: {open: 7}\nlisten: {port: 4700}\n");
	_cleanup_(settings_freep) struct settings *s = settings_read(f->reader, &err);
	if (!s)
		print_message("# %s\n", err.message);
	assert_non_null(s);
	if (!s)
		return;
	assert_int_equal(s->server_count, 2);
	assert_string_equal(settings_find_server(s, "accounts")->instance, "accounts");
	assert_string_equal(settings_find_server(s, "people")->instance, "prod-people");
	assert_null(settings_find_server(s, "peopl"));
	assert_int_equal(s->open, 7);
	assert_int_equal(s->proposals_at_once, 20);
	assert_string_equal(s->listen_address, "127.0.0.1");
	assert_int_equal(s->listen_port, 4700);
	assert_true(policy_in_team(s->policy, "alice@x"));
}

static void test_policy_file(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;

	put(f, "gate.yaml", GOOD);
	put(f, "policy.yaml", "rules:\n  - {name: none, refuse: true}\n");
	_cleanup_(policy_freep) struct policy *p = settings_fresh_policy(f->reader, &err);
	const struct policy_question q = { .server = "accounts",
					   .tool = "get_account",
					   .risk = RISK_READ,
					   .reversible = true,
					   .plan_approvers = 1,
					   .requester = "alice@x" };
	struct policy_answer a;
	assert_non_null(p);
	policy_judge(p, &q, &a);
	assert_false(a.may_call);

	/* A file that cannot be read never means the built-in policy. */
	put(f, "policy.yaml", "rules:\n  - {nam: none}\n");
	assert_null(settings_fresh_policy(f->reader, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, "policy.yaml:2"));
	error_clear(&err);
	put(f, "gate.yaml", GOOD "policy: config/other.yaml\n");
	assert_null(settings_fresh_policy(f->reader, &err));
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"persons: [\n",
		"person: []\n",
		"persons: [{id: 'a b'}]\n",
		"persons: [{id: a}]\nteam: [b]\n",
		"persons: [{id: a, unix: [-1]}]\n",
		"persons: [{id: a, unix: [root]}]\n",
		"persons: [{id: a, pin: '1234'}]\n",
		"servers: [{name: accounts}]\n",
		"servers: [{name: gate, url: 'http://127.0.0.1/mcp'}]\n",
		"servers: [{name: Accounts, url: 'http://127.0.0.1/mcp'}]\n",
		"servers: [{name: a, url: 'file:///etc/passwd'}]\n",
		"servers: [{name: a, url: 'http://'}]\n",
		"servers: [{name: a, url: 'http://user@host/mcp'}]\n",
		"servers: [{name: a, url: 'http://h/'}, {name: a, url: 'http://i/'}]\n",
		"listen: {port: 65536}\n",
		"listen: {address: everywhere}\n",
		"limits: {open: 0}\n",
		"policy: /etc/policy.yaml\n",
		"policy: config/../keys/gate.key\n",
		"log_level: loud\n",
		"[]\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		put(f, "gate.yaml", bad[i]);
		_cleanup_(settings_freep) struct settings *s =
			settings_read(f->reader, &err);
		if (s)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(err.message, "gate.yaml"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
