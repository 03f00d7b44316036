/* The client with a server for a child: a small shell script that plays one. */
#include <signal.h>

#include "base/clock.h"
#include "base/testing.h"
#include "mcp/client/client_listen.h"

struct folder {
	char path[TESTING_PATH_BYTES];
	char script[TESTING_PATH_BYTES + 16];
	char log[TESTING_PATH_BYTES + 16];
};

/* Reads lines, notes them, and answers by what stands in them. $1 is the log. */
#define BEGIN                                                                            \
	"while IFS= read -r line; do\n"                                                  \
	"  echo \"$line\" >>\"$1\"\n"                                                    \
	"  id=${line#*'\"id\":'}; id=${id%%,*}\n"                                        \
	"  case $line in\n"
#define END                                                                              \
	"  esac\n"                                                                       \
	"done\n"                                                                         \
	"echo eof >>\"$1\"\n"
#define ROW(pattern, result)                                                             \
	"  *'\"method\":\"" pattern "\"'*)\n"                                            \
	"    echo '{\"jsonrpc\":\"2.0\",\"id\":'$id',\"result\":{" result "}}' ;;\n"

static const char modern[] = "head -c 300000 /dev/zero >&2\n" /* more than a pipe holds */
	BEGIN ROW("server/discover", "\"resultType\":\"complete\",\"supportedVersions\":["
				     "\"2026-07-28\"],\"capabilities\":{}")
		ROW("tools/list",
		    "\"resultType\":\"complete\",\"tools\":[{\"name\":\"go\"}"
		    "]") "  *'\"name\":\"quit\"'*) exit 3 ;;\n"
			 "  *'\"name\":\"silent\"'*) ;;\n"
			 "  *'\"name\":\"go\"'*)\n"
			 "    echo; echo nonsense\n"
			 "    echo "
			 "'{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":"
			 "\"ping\"}'\n"
			 "    echo "
			 "'{\"jsonrpc\":\"2.0\",\"id\":999,\"result\":{}}'\n"
			 "    printf "
			 "'{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{"
			 "\"env\":\"%s%s\"}}\\r\\n' "
			 "$id \"$SECRET\" \"$GIVEN\" ;;\n" END;

/* Ends at what it does not know, as old ones do. */
static const char legacy[] = BEGIN "  *server/discover*) exit 1 ;;\n" ROW(
	"initialize",
	"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"serverInfo\":{"
	"}") "  *'\"method\":\"tools/list\"'*)\n"
	     "    echo "
	     "'{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"method\":\"ping\"}'\n"
	     "    IFS= read -r pong; echo \"$pong\" >>\"$1\"\n"
	     "    echo "
	     "'{\"jsonrpc\":\"2.0\",\"id\":'$id',\"result\":{\"tools\":[]}}' "
	     ";;\n" END;

/* Never answers what it does not know, and does not mind its input's end. */
static const char silent[] = "trap '' TERM\n" BEGIN ROW(
	"initialize",
	"\"protocolVersion\":\"2024-11-05\",\"capabilities\":{},\"serverInfo\":{}")
	ROW("tools/list", "\"tools\":[]") END "sleep 100\n";

static int set_up(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	testing_folder(f->path);
	(void)snprintf(f->script, sizeof f->script, "%s/server", f->path);
	(void)snprintf(f->log, sizeof f->log, "%s/log", f->path);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *f = *state;

	testing_remove(f->path);
	free(f);
	return 0;
}

static struct mcp_client *run(struct folder *f, const char *script, int64_t probe_ms)
{
	const char *const argv[] = { "sh", f->script, f->log, NULL };
	const char *const env[] = { "GIVEN=yes", NULL };
	const struct mcp_client_options options = {
		.argv = argv, .env = env, .name = "test", .probe_timeout_ms = probe_ms
	};
	struct error err = ERROR_INIT;

	testing_put(f->script, script, 0600);
	struct mcp_client *c = mcp_client_open(&options, &err);
	testing_no_error(&err);
	return c;
}

/* How often 'text' stands in what the script noted. */
static unsigned noted(const struct folder *f, const char *text)
{
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;
	FILE *file = fopen(f->log, "re");

	assert_non_null(file);
	while (getline(&line, &size, file) > 0)
		n += strstr(line, text) != NULL;
	free(line);
	(void)fclose(file);
	return n;
}

static json_t *call(struct mcp_client *c, const char *tool, int64_t timeout_ms,
		    struct error *err)
{
	const struct mcp_client_call call = { .tool = tool,
					      .arguments = "{\"a\":\n1}",
					      .timeout_ms = timeout_ms };

	return mcp_client_call(c, &call, NULL, err);
}

static void a_modern_child(void **state)
{
	struct folder *f = *state;
	struct error err = ERROR_INIT;

	assert_int_equal(setenv("SECRET", "ours", 1), 0);
	struct mcp_client *c = run(f, modern, 5000);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_int_equal(json_array_size(tools), 1);
	json_auto_t *result = call(c, "go", 5000, &err);
	testing_no_error(&err);
	assert_string_equal(json_get_string(result, "env"), "yes");
	assert_int_equal(noted(f, "\"id\":\"q\""), 0); /* no answer to a modern server */
	/* Given up, told, and the channel goes on. */
	assert_null(call(c, "silent", 100, &err));
	testing_error(&err, ERR_TIMEOUT, "in time");
	json_auto_t *more = call(c, "go", 5000, &err);
	testing_no_error(&err);
	assert_non_null(more);
	assert_int_equal(noted(f, "notifications/cancelled"), 1);
	/* It goes; what it was asked is not asked again; the next one finds a new child. */
	assert_null(call(c, "quit", 5000, &err));
	testing_error(&err, ERR_UNKNOWN_OUTCOME, "went away");
	assert_int_equal(noted(f, "\"quit\""), 1);
	json_auto_t *after = call(c, "go", 5000, &err);
	testing_no_error(&err);
	assert_non_null(after);
	assert_int_equal(noted(f, "server/discover"), 1);
	mcp_client_free(c);
	assert_int_equal(noted(f, "eof"), 1);
}

static void a_child_that_ends_at_the_probe(void **state)
{
	struct folder *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = run(f, legacy, 5000);

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_non_null(tools);
	assert_int_equal(mcp_client_era(c, NULL), MCP_ERA_LEGACY);
	assert_int_equal(noted(f, "notifications/initialized"), 1);
	assert_int_equal(noted(f, "{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"result\":{}}"),
			 1);
}

static void a_child_that_stays_silent(void **state)
{
	struct folder *f = *state;
	struct error err = ERROR_INIT;
	struct mcp_client *c = run(f, silent, 200);
	int64_t began_ms = clock_mono_ms();

	json_auto_t *tools = mcp_client_list_tools(c, 10000, &err);
	testing_no_error(&err);
	assert_non_null(tools);
	assert_int_equal(noted(f, "\"initialize\""), 1);
	assert_true(clock_mono_ms() - began_ms >= 200);
	began_ms = clock_mono_ms();
	mcp_client_free(c); /* waits, asks, then kills */
	assert_true(clock_mono_ms() - began_ms >= 4000);
}

static void no_such_program(void **state)
{
	const char *const argv[] = { "/nonexistent/server", NULL };
	const struct mcp_client_options options = { .argv = argv, .name = "test" };
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		mcp_client_open(&options, &err);

	(void)state;
	assert_null(mcp_client_list_tools(c, 1000, &err));
	testing_error(&err, ERR_INTERNAL, "cannot run");
}

#define SUBSCRIPTION "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":'$id'}"
#define NOTE(method, more)                                                               \
	"    echo '{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" method              \
	"\",\"params\":{" SUBSCRIPTION more "}}'\n"

static const char telling[] =
	BEGIN ROW("server/discover", "\"resultType\":\"complete\",\"supportedVersions\":["
				     "\"2026-07-28\"],\"capabilities\":{}")
		ROW("tools/list",
		    "\"tools\":[]") "  "
				    "*'\"method\":\"subscriptions/"
				    "listen\"'*)\n" NOTE("subscriptions/acknowledged",
							 ",\"notifications\":{"
							 "\"toolsListChanged\":true}")
					    NOTE("tools/list_changed", "") " ;;\n" END;

static void count_change(void *context, enum mcp_client_change what, const char *uri)
{
	if (what == MCP_CLIENT_TOOLS && !uri)
		atomic_fetch_add((atomic_uint *)context, 1);
}

static void a_child_tells_what_changes(void **state)
{
	struct folder *f = *state;
	struct error err = ERROR_INIT;
	atomic_uint changes = 0;
	const struct mcp_client_listen what = { .tools = true,
						.context = &changes,
						.changed = count_change };
	struct mcp_client *c = run(f, telling, 5000);
	struct mcp_client_listener *l = mcp_client_listen(c, &what, &err);

	assert_non_null(l);
	for (int64_t until_ms = clock_mono_ms() + 30000;
	     atomic_load(&changes) == 0 && clock_mono_ms() < until_ms;)
		(void)usleep(5000);
	assert_int_equal(atomic_load(&changes), 1);
	/* The channel is free for others meanwhile; and the server learns of the end. */
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_non_null(tools);
	mcp_client_unlisten(l);
	mcp_client_free(c);
	assert_int_equal(noted(f, "subscriptions/listen"), 1);
	assert_int_equal(noted(f, "notifications/cancelled"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(a_modern_child),
		TEST(a_child_that_ends_at_the_probe),
		TEST(a_child_that_stays_silent),
		TEST(a_child_tells_what_changes),
		TEST(no_such_program),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
