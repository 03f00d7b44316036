/* News reach the gate, once it is there; what it does not want is forgotten. */
#include "servers/accounts/news.h"

#include "base/testing.h"

static char dir[TESTING_PATH_BYTES];
static int made;

/* The gate: what it says, and what it was told. */
static enum mcp_told answer;
static char heard[4096];
static int asked;

static enum mcp_told gate(struct mcp_service *s, const char *approval, const char *key,
			  const char *text, struct error *err)
{
	size_t n = strlen(heard);

	(void)s;
	asked++;
	if (answer != MCP_TOLD)
		error_set(err, ERR_BACKEND_UNAVAILABLE, "no");
	else
		(void)snprintf(heard + n, sizeof heard - n, "%s/%s/%s;", approval, key,
			       text);
	return answer;
}

static struct documents *fresh(void)
{
	struct error err = ERROR_INIT;
	char path[TESTING_PATH_BYTES + 32];
	struct documents *d;

	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	d = documents_open_sqlite(path, &err);
	assert_non_null(d);
	*heard = '\0';
	asked = 0;
	answer = MCP_TOLD;
	return d;
}

static void put(struct documents *d, const char *approval, const char *key,
		const char *text)
{
	struct error err = ERROR_INIT;

	assert_true(news_put(d, approval, key, text, 1000, &err));
}

static void send_all(struct documents *d, int64_t now_ms)
{
	struct error err = ERROR_INIT;

	assert_true(news_send(d, NULL, gate, NULL, now_ms, &err));
}

static void told_once(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();

	(void)state;
	put(d, "ap-1", "due", "soon");
	put(d, "ap-1", "due", "very soon");
	put(d, "ap-1", "ended", "over");
	send_all(d, 1000);
	assert_string_equal(heard, "ap-1/due/very soon;ap-1/ended/over;");
	send_all(d, 1000 + NEWS_KEEP_MS);
	assert_int_equal(asked, 2);
}

/* One try each time, ever more rarely. */
static void waits_for_the_gate(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();

	(void)state;
	put(d, "ap-1", "due", "soon");
	put(d, "ap-2", "due", "soon");
	answer = MCP_TOLD_LATER;
	send_all(d, 1000);
	assert_int_equal(asked, 1);
	answer = MCP_TOLD;
	send_all(d, 1000 + NEWS_RETRY_MS - 1);
	assert_string_equal(heard, "ap-2/due/soon;");
	send_all(d, 1000 + NEWS_RETRY_MS);
	assert_string_equal(heard, "ap-2/due/soon;ap-1/due/soon;");
}

static void forgotten(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();

	(void)state;
	put(d, "ap-1", "due", "nobody wants this");
	put(d, "ap-2", "due", "nor this");
	answer = MCP_TOLD_NOBODY;
	send_all(d, 1000);
	assert_int_equal(asked, 2);
	answer = MCP_TOLD_LATER;
	put(d, "ap-3", "due", "too old");
	send_all(d, 1000 + NEWS_KEEP_MS + 1);
	answer = MCP_TOLD;
	send_all(d, 1000 + 2 * (int64_t)NEWS_KEEP_MS);
	assert_string_equal(heard, "");
	assert_int_equal(asked, 3);
}

static void stops(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	const atomic_bool stopping = true;
	struct error err = ERROR_INIT;

	(void)state;
	put(d, "ap-1", "due", "soon");
	assert_true(news_send(d, NULL, gate, &stopping, 1000, &err));
	assert_int_equal(asked, 0);
}

static void cut_between_characters(void **state)
{
	(void)state;
	assert_int_equal(news_cut("abc", 3), 3);
	assert_int_equal(news_cut("abc", 2), 2);
	assert_int_equal(news_cut("a\xc3\xa4", 3), 3);
	assert_int_equal(news_cut("a\xc3\xa4", 2), 1);
	assert_int_equal(news_cut("\xe2\x82\xac", 2), 0);
	assert_int_equal(news_cut("", 0), 0);
}

static int begin(void **state)
{
	(void)state;
	testing_folder(dir);
	return 0;
}

static int end(void **state)
{
	(void)state;
	testing_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_once),
		cmocka_unit_test(waits_for_the_gate),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(stops),
		cmocka_unit_test(cut_between_characters),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
