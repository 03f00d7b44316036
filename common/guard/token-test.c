#include "guard/token.h"

#include <pthread.h>

#include "base/file.h"
#include "base/testing.h"

static char folder[TESTING_PATH_BYTES];
static char index_path[TESTING_PATH_BYTES + 16];

static int set_up(void **state)
{
	(void)state;
	testing_folder(folder);
	(void)snprintf(index_path, sizeof index_path, "%s/index.json", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testing_remove(folder);
	return 0;
}

static const char *const read_and_write[] = { "accounts:read", "accounts:write" };

/* A new token's text (free it); its id goes to 'id'. */
static char *create(const char *principal, int64_t expires_ms, char id[static 65])
{
	_cleanup_(secret_freep) struct secret *token = NULL;
	struct error err = ERROR_INIT;

	if (!token_create(index_path, principal, read_and_write, 2, expires_ms, 1000,
			  &token, id, &err))
		fail_msg("%s", err.message);
	return strndup(secret_bytes(token), secret_length(token));
}

static void wait_for_next_look(void)
{
	(void)usleep((TOKEN_LOOK_MS + 50) * 1000);
}

static void assert_denied(struct token_index *t, const char *token, int64_t now_ms,
			  const char *why)
{
	struct error err = ERROR_INIT;
	struct caller c;

	assert_false(token_index_find(t, token, now_ms, &c, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, why);
}

static void test_scopes(void **state)
{
	const struct caller c = {
		.scopes = " accounts:read wingman:gate accounts:writer "
	};

	(void)state;
	assert_true(caller_has_scope(&c, "accounts:read"));
	assert_true(caller_has_scope(&c, "wingman:gate"));
	assert_false(caller_has_scope(&c, "accounts:write"));
	assert_false(caller_has_scope(&c, "read"));
	assert_false(caller_has_scope(&c, "accounts:rea"));
	assert_false(caller_has_scope(&c, ""));
	assert_false(caller_has_scope(&c, " "));
	assert_false(caller_has_scope(&c, "accounts:read wingman:gate"));
	assert_false(caller_has_scope(&(struct caller){ 0 }, "accounts:read"));
	assert_true(caller_may(&c, "accounts", "read"));
	assert_true(caller_may(&c, "accounts", "writer"));
	assert_false(caller_may(&c, "accounts", "write"));
	assert_false(caller_may(&c, "account", "s:read"));
	assert_false(caller_may(&c, "", ""));
}

static void test_create_and_find(void **state)
{
	char id[65];
	_cleanup_free_ char *token = create("alice@company.com", 0, id);
	struct error err = ERROR_INIT;
	struct caller c;
	struct stat st;

	(void)state;
	assert_int_equal(strlen(token), 46);
	assert_memory_equal(token, "wm_", 3);
	_cleanup_(token_index_freep) struct token_index *t =
		token_index_open(index_path, &err);
	assert_non_null(t);
	assert_true(token_index_find(t, token, 2000, &c, &err));
	assert_string_equal(c.principal, "alice@company.com");
	assert_string_equal(c.client, id);
	assert_string_equal(c.scopes, " accounts:read accounts:write ");
	assert_int_equal(stat(index_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A folder that passes its group on is read by that group's programs. */
	assert_int_equal(chmod(folder, 02750), 0);
	free(create("bob@company.com", 0, id));
	assert_int_equal(stat(index_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(chmod(folder, 0750), 0);
	free(create("bob@company.com", 0, id));
	assert_int_equal(stat(index_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(folder, 0700), 0);
	/* The text stands nowhere in the index. */
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	assert_true(file_read(index_path, 100000, &text, &err));
	assert_null(strstr(text.data, token));
	assert_null(strstr(text.data, token + 3));
}

static void test_what_is_no_token(void **state)
{
	char id[65];
	_cleanup_free_ char *token = create("alice@company.com", 0, id);
	_cleanup_free_ char *flood = calloc(1, TOKEN_BYTES_MAX + 2);
	struct error err = ERROR_INIT;

	(void)state;
	_cleanup_(token_index_freep) struct token_index *t =
		token_index_open(index_path, &err);
	assert_non_null(t);
	assert_denied(t, NULL, 0, "not known");
	assert_denied(t, "", 0, "not known");
	assert_denied(t, "wm_", 0, "not known");
	assert_denied(t, token + 1, 0, "not known");
	assert_denied(t, id, 0, "not known");
	token[45] ^= 1;
	assert_denied(t, token, 0, "not known");
	memset(flood, 'w', TOKEN_BYTES_MAX + 1);
	assert_denied(t, flood, 0, "not known");
}

static void test_expiry(void **state)
{
	char id[65];
	_cleanup_free_ char *token = create("alice@company.com", 5000, id);
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	_cleanup_(token_index_freep) struct token_index *t =
		token_index_open(index_path, &err);
	assert_true(token_index_find(t, token, 4999, &c, &err));
	assert_denied(t, token, 5000, "expired");
}

static void test_a_change_is_noticed(void **state)
{
	char first_id[65], second_id[65];
	_cleanup_free_ char *first = create("alice@company.com", 0, first_id);
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	_cleanup_(token_index_freep) struct token_index *t =
		token_index_open(index_path, &err);
	_cleanup_free_ char *second = create("alice@company.com", 0, second_id);
	assert_string_not_equal(first_id, second_id);
	wait_for_next_look();
	assert_true(token_index_find(t, second, 0, &c, &err));
	assert_string_equal(c.client, second_id);
	assert_true(token_revoke(index_path, first_id, 7000, &err));
	wait_for_next_look();
	assert_denied(t, first, 0, "revoked");
	assert_true(token_index_find(t, second, 0, &c, &err));
	assert_true(token_revoke(index_path, first_id, 9000, &err)); /* again: no harm */
	assert_false(token_revoke(index_path, "nobody", 9000, &err));
	testing_error(&err, ERR_NOT_FOUND, "nobody");
}

static void test_a_lost_index_lets_nobody_in(void **state)
{
	char id[65];
	_cleanup_free_ char *token = create("alice@company.com", 0, id);
	_cleanup_strbuf_ struct strbuf good = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	assert_true(file_read(index_path, 100000, &good, &err));
	_cleanup_(token_index_freep) struct token_index *t =
		token_index_open(index_path, &err);
	assert_int_equal(unlink(index_path), 0);
	wait_for_next_look();
	assert_false(token_index_find(t, token, 0, &c, &err));
	testing_error(&err, ERR_INTERNAL, "cannot be read");
	testing_put(index_path, "{\"v\":1,\"tokens\":[", 0600);
	wait_for_next_look();
	assert_false(token_index_find(t, token, 0, &c, &err));
	testing_error(&err, ERR_INTERNAL, "cannot be read");
	testing_put(index_path, good.data, 0600);
	wait_for_next_look();
	assert_true(token_index_find(t, token, 0, &c, &err));
	assert_null(token_index_open(folder, &err));
	testing_error(&err, ERR_INTERNAL, NULL);
}

static void assert_index_refused(const char *text, const char *why)
{
	struct error err = ERROR_INIT;

	testing_put(index_path, text, 0600);
	assert_null(token_index_open(index_path, &err));
	testing_error(&err, ERR_INTERNAL, why);
}

#define HASH "\"1111111111111111111111111111111111111111111111111111111111111111\""
#define ROW(more)                                                                        \
	"{\"id\":\"t-1\",\"sha256\":" HASH ",\"principal\":\"a\",\"client\":\"t-1\","    \
	"\"created_at\":1,\"scopes\":[\"accounts:read\"]" more "}"
#define INDEX(rows) "{\"v\":1,\"tokens\":[" rows "]}"

static void test_damaged_index(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	testing_put(index_path, INDEX(ROW("")), 0600);
	_cleanup_(token_index_freep) struct token_index *good =
		token_index_open(index_path, &err);
	assert_non_null(good);
	assert_int_equal(chmod(index_path, 0620), 0);
	assert_null(token_index_open(index_path, &err));
	testing_error(&err, ERR_INTERNAL, "written by others");
	assert_index_refused("", "");
	assert_index_refused("[]", "");
	assert_index_refused("{\"v\":2,\"tokens\":[]}", "version");
	assert_index_refused("{\"v\":1,\"tokens\":[],\"x\":1}", "x");
	assert_index_refused(INDEX("7"), "token");
	assert_index_refused(INDEX(ROW("") "," ROW("")), "the same");
	assert_index_refused(INDEX(ROW(",\"admin\":true")), "admin");
	assert_index_refused(INDEX(ROW(",\"expires_at\":0")), "malformed");
	assert_index_refused(INDEX(ROW(",\"revoked_at\":0")), "malformed");
	assert_index_refused(INDEX(ROW(",\"revoked_at\":null")), "revoked_at");
	assert_index_refused(
		INDEX("{\"id\":\"t-1\",\"sha256\":\"AB\",\"principal\":\"a\","
		      "\"client\":\"c\",\"created_at\":1,\"scopes\":[\"s\"]}"),
		"malformed");
	assert_index_refused(
		INDEX("{\"id\":\"t-1\",\"sha256\":" HASH ",\"principal\":\"a b\","
		      "\"client\":\"c\",\"created_at\":1,\"scopes\":[\"s\"]}"),
		"malformed");
	assert_index_refused(INDEX("{\"id\":\"t-1\",\"sha256\":" HASH
				   ",\"principal\":\"a\","
				   "\"client\":\"c\",\"created_at\":1,\"scopes\":[\"s "
				   "wingman:gate\"]}"),
			     "no scope");
	assert_index_refused(INDEX("{\"id\":\"t-1\",\"sha256\":" HASH
				   ",\"principal\":\"a\","
				   "\"client\":\"c\",\"created_at\":1,\"scopes\":[]}"),
			     "1 to 32 scopes");
}

static void test_create_refuses(void **state)
{
	static const char *const bad[] = { "accounts read" };
	const char *many[TOKEN_SCOPES_MAX + 1];
	_cleanup_(secret_freep) struct secret *token = NULL;
	struct error err = ERROR_INIT;
	char id[65];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = "accounts:read";
	assert_false(token_create(index_path, "a b", read_and_write, 2, 0, 0, &token, id,
				  &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no principal");
	assert_false(token_create(index_path, "alice", bad, 1, 0, 0, &token, id, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no scope");
	assert_false(token_create(index_path, "alice", many, 0, 0, 0, &token, id, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "1 to 32");
	assert_false(token_create(index_path, "alice", many, 33, 0, 0, &token, id, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "1 to 32");
	assert_false(
		token_create(index_path, "alice", many, 1, 500, 500, &token, id, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "in the past");
	assert_false(file_exists(index_path));
	assert_true(token_create(index_path, "alice", many, 32, 0, 0, &token, id, &err));
}

static void test_list(void **state)
{
	char id[65], gone[65];
	struct error err = ERROR_INIT;

	(void)state;
	free(create("alice@company.com", 9000, id));
	free(create("bob@company.com", 0, gone));
	assert_true(token_revoke(index_path, gone, 7000, &err));
	json_auto_t *list = token_list(index_path, &err);
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *row = json_array_get(list, i);
		const bool is_gone = strcmp(json_get_string(row, "id"), gone) == 0;
		json_auto_t *expected = json_pack(
			"{s:s, s:s, s:s, s:[s, s], s:i, s:i}", "id", is_gone ? gone : id,
			"principal", is_gone ? "bob@company.com" : "alice@company.com",
			"client", is_gone ? gone : id, "scopes", "accounts:read",
			"accounts:write", "created_at", 1000,
			is_gone ? "revoked_at" : "expires_at", is_gone ? 7000 : 9000);
		assert_true(json_equal(row, expected));
	}
	assert_int_equal(unlink(index_path), 0);
	json_auto_t *none = token_list(index_path, &err);
	assert_int_equal(json_array_size(none), 0);
}

static void *create_ten(void *arg)
{
	char id[65];

	(void)arg;
	for (int i = 0; i < 10; i++)
		free(create("alice@company.com", 0, id));
	return NULL;
}

static void test_two_administrators(void **state)
{
	pthread_t threads[2];
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, create_ten, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	json_auto_t *list = token_list(index_path, &err);
	assert_int_equal(json_array_size(list), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scopes),
		TEST(test_create_and_find),
		TEST(test_what_is_no_token),
		TEST(test_expiry),
		TEST(test_a_change_is_noticed),
		TEST(test_a_lost_index_lets_nobody_in),
		TEST(test_damaged_index),
		TEST(test_create_refuses),
		TEST(test_list),
		TEST(test_two_administrators),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
