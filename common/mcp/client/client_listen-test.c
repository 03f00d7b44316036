/* Hearing of changes: from our server, and from one that says what it should not. */
#include "mcp/client/client_listen.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture/rig.h"
#include "mcp/server.h"
#include "wire/httpd.h"

enum { PATIENCE_MS = 30000 };

struct world {
	struct rig rig;
	struct http_client *http;
	struct mcp_client *client;
	struct httpd *httpd; /* the server that nobody should be */
	const char *reply;   /* "%ID%" becomes the request's id */
	unsigned status;
	atomic_uint asked;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char heard[4096]; /* "T P R U(uri)", in order */
	char why[400];    /* "": it goes on */
};

static void note(struct world *w, const char *text)
{
	(void)pthread_mutex_lock(&w->lock);
	size_t at = strlen(w->heard);
	(void)snprintf(w->heard + at, sizeof w->heard - at, "%s ", text);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

static void hear(void *context, enum mcp_client_change what, const char *uri)
{
	static const char *const letters[] = { "T", "P", "R", "U" };
	char text[200];

	(void)snprintf(text, sizeof text, "%s%s", letters[what], uri ? uri : "");
	note(context, text);
}

static void end(void *context, const struct error *why)
{
	struct world *w = context;

	(void)pthread_mutex_lock(&w->lock);
	(void)snprintf(w->why, sizeof w->why, "%s", why->message);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

/* Until 'text' was heard, or it ended; 'nudge' is done meanwhile, again and again. */
static void await(struct world *w, const char *text, void (*nudge)(struct world *w))
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	for (;;) {
		(void)pthread_mutex_lock(&w->lock);
		bool done = strstr(w->heard, text) || w->why[0];
		(void)pthread_mutex_unlock(&w->lock);
		if (done)
			return;
		if (clock_mono_ms() > until_ms)
			fail_msg("no %s in %s", text, w->heard);
		if (nudge)
			nudge(w);
		(void)usleep(5000);
	}
}

static void serve(void *context, struct http_request *req)
{
	struct world *w = context;
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	size_t length;
	const char *sent = http_request_body(req, &length), *text = w->reply;
	json_auto_t *request = json_parse(sent, length, JSON_SYNTAX, &err);

	for (const char *mark; (mark = strstr(text, "%ID%")); text = mark + 4) {
		strbuf_add(&body, text, (size_t)(mark - text));
		strbuf_add_int64(&body, json_get_int64(request, "id", 0));
	}
	strbuf_add_string(&body, text);
	atomic_fetch_add(&w->asked, 1);
	http_reply(req, w->status,
		   *w->reply == 'd' ? "text/event-stream" : "application/json", NULL,
		   &body);
}

static void open_client(struct world *w, uint16_t port)
{
	struct error err = ERROR_INIT;
	char url[64];

	mcp_client_free(w->client);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", port);
	const struct mcp_client_options options = { .url = url,
						    .token = w->rig.alice,
						    .http = w->http,
						    .name = "test",
						    .era = MCP_ERA_MODERN };
	w->client = mcp_client_open(&options, &err);
	assert_non_null(w->client);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = w
	};
	struct error err = ERROR_INIT;

	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->status = 200;
	rig_open(&w->rig);
	rig_config(&w->rig, "freed_resources: ['fixture://values/{key}']\n");
	rig_start(&w->rig);
	w->http = http_client_new("test", &err);
	w->httpd = httpd_start(&config, &err);
	open_client(w, w->rig.port);
	*state = w;
	return w->http && w->httpd ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	mcp_client_free(w->client);
	http_client_free(w->http);
	httpd_stop(w->httpd, 1000);
	rig_close(&w->rig);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	return 0;
}

static struct mcp_client_listener *begin(struct world *w, struct error *err)
{
	static const char *const uris[] = { "fixture://values/a", NULL };
	const struct mcp_client_listen what = { .tools = true,
						.resources = true,
						.uris = uris,
						.context = w,
						.changed = hear,
						.ended = end };

	return mcp_client_listen(w->client, &what, err);
}

static void change_tools(struct world *w)
{
	mcp_service_changed(w->rig.service, MCP_CHANGED_TOOLS, NULL);
}

static void changes_are_heard(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	struct mcp_client_listener *l = begin(w, &err);

	assert_non_null(l);
	await(w, "T ", change_tools); /* so it is open */
	mcp_service_changed(w->rig.service, MCP_CHANGED_PROMPTS, NULL);
	mcp_service_changed(w->rig.service, MCP_CHANGED_RESOURCE, "fixture://values/b");
	mcp_service_changed(w->rig.service, MCP_CHANGED_RESOURCE, "fixture://values/a");
	mcp_service_changed(w->rig.service, MCP_CHANGED_RESOURCES, NULL);
	await(w, "R ", NULL);
	assert_non_null(strstr(w->heard, "Ufixture://values/a R "));
	assert_null(strstr(w->heard, "P "));
	assert_null(strstr(w->heard, "values/b"));
	/* The client is of use meanwhile. */
	json_auto_t *tools = mcp_client_list_tools(w->client, 10000, &err);
	assert_non_null(tools);
	mcp_client_unlisten(l);
	w->heard[0] = '\0';
	change_tools(w);
	assert_string_equal(w->heard, "");
	assert_string_equal(w->why, "");
}

#define NOTE(method, id, more)                                                           \
	"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/" method                  \
	"\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":" id       \
	"}" more "}}\n\n"
#define ACK(what)                                                                        \
	NOTE("subscriptions/acknowledged", "%ID%", ",\"notifications\":{" what "}")
#define END                                                                              \
	"data: {\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{\"resultType\":"             \
	"\"complete\"}}\n\n"

static void what_was_missed_counts_as_changed(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	open_client(w, httpd_port(w->httpd));
	w->reply = NOTE("resources/list_changed", "%ID%", "")
		ACK("\"toolsListChanged\":true,\"resourceSubscriptions\":[\"x\"]")
			NOTE("tools/list_changed", "0", "") NOTE("tools/list_changed",
								 "\"%ID%\"", "")
				NOTE("prompts/list_changed", "%ID%", "") NOTE("progress",
									      "%ID%", "")
					NOTE("resources/updated", "%ID%", "")
						NOTE("tools/list_changed", "%ID%", "");
	struct mcp_client_listener *l = begin(w, &err);
	await(w, "U", NULL);
	mcp_client_unlisten(l);
	/* Once told, then the stream broke; on the next, all that is honoured. */
	assert_memory_equal(w->heard, "T T Ufixture://values/a ",
			    strlen("T T Ufixture://values/a "));
	assert_string_equal(w->why, "");
	assert_true(atomic_load(&w->asked) >= 2);
}

static void when_there_is_nothing_to_hear_it_ends(void **state)
{
	static const struct {
		unsigned status;
		const char *reply;
	} rows[] = {
		{ 200, ACK("") END },
		{ 200, END },
		{ 200, "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":-32601,"
		       "\"message\":\"no\"}}" },
		{ 401, "{}" },
		{ 404, "{}" },
	};
	struct world *w = *state;

	open_client(w, httpd_port(w->httpd));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		w->reply = rows[i].reply;
		w->status = rows[i].status;
		w->why[0] = '\0';
		atomic_store(&w->asked, 0);
		struct mcp_client_listener *l = begin(w, &err);
		await(w, "never heard", NULL);
		mcp_client_unlisten(l);
		assert_string_equal(w->heard, "");
		assert_string_not_equal(w->why, "");
		assert_int_equal(atomic_load(&w->asked), 1);
	}
}

static void trouble_is_no_end(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	open_client(w, httpd_port(w->httpd));
	w->reply = "{}";
	w->status = 503;
	struct mcp_client_listener *l = begin(w, &err);
	for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	     atomic_load(&w->asked) < 2 && clock_mono_ms() < until_ms;)
		(void)usleep(5000);
	mcp_client_unlisten(l);
	assert_true(atomic_load(&w->asked) >= 2);
	assert_string_equal(w->why, "");
}

static void what_cannot_be_listened_to(void **state)
{
	struct world *w = *state;
	const char *uris[MCP_CLIENT_LISTEN_URIS_MAX + 2] = { NULL };
	struct mcp_client_listen what = { .context = w, .changed = hear };
	struct error err = ERROR_INIT;

	assert_null(mcp_client_listen(w->client, &what, &err));
	for (size_t i = 0; i <= MCP_CLIENT_LISTEN_URIS_MAX; i++)
		uris[i] = "fixture://values/a";
	what.uris = uris;
	error_clear(&err);
	assert_null(mcp_client_listen(w->client, &what, &err));
	uris[MCP_CLIENT_LISTEN_URIS_MAX] = NULL;
	error_clear(&err);
	struct mcp_client_listener *l = mcp_client_listen(w->client, &what, &err);
	assert_non_null(l);
	mcp_client_unlisten(l);
	what.changed = NULL;
	assert_null(mcp_client_listen(w->client, &what, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(changes_are_heard),
		TEST(what_was_missed_counts_as_changed),
		TEST(when_there_is_nothing_to_hear_it_ends),
		TEST(trouble_is_no_end),
		TEST(what_cannot_be_listened_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
