/* What sessions hear of changes: list_changed, subscriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/peer.h"
#include "mcp/serving.h"

#define TEXT "\"uri\":\"fixture://text\""

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, "freed_resources: ['fixture://text', 'fixture://values/{key}']\n"
			 "freed_reads: [echo_text]\naudit_freed_reads: true\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* ---- Helpers ---- */

static void changed(enum mcp_change what, const char *uri)
{
	mcp_service_changed(rig.service, what, uri);
}

static int code_of(const struct answer *a)
{
	return (int)json_get_int64(json_object_get(a->body, "error"), "code", 0);
}

static void subscribe(const struct peer *p, const char *method, const char *params)
{
	_cleanup_answer_ struct answer a = peer_ask(p, method, params);

	assert_int_equal(a.status, 200);
	assert_non_null(answer_result(&a));
	assert_int_equal(json_object_size(answer_result(&a)), 0);
}

static const char *uri_of(const json_t *message)
{
	return json_get_string(json_object_get(message, "params"), "uri");
}

/* ---- Announced ---- */

static void what_may_change_is_announced(void **state)
{
	static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18",
						"2025-11-25" };
	char body[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		(void)snprintf(body, sizeof body,
			       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\","
			       "\"params\":{\"protocolVersion\":\"%s\"}}",
			       versions[i]);
		_cleanup_answer_ struct answer a = rig_post(
			&rig, rig.alice, "Content-Type: application/json\r\n", body);
		const json_t *can = json_object_get(answer_result(&a), "capabilities");
		json_auto_t *wanted =
			json_pack("{s:{s:b}, s:{}, s:{s:b, s:b}, s:{}, s:{}}", "tools",
				  "listChanged", 1, "logging", "resources", "subscribe",
				  1, "listChanged", 1, "prompts", "completions");

		if (i == 0) /* has no word for it */
			(void)json_object_del(wanted, "completions");
		if (!json_equal(can, wanted))
			fail_msg("%s", a.text);
	}
}

/* ---- Lists ---- */

static void lists_are_told_to_every_session(void **state)
{
	_cleanup_peer_ struct peer a, b;
	struct peer_stream at_a, at_b;

	(void)state;
	peer_begin(&a, &rig, rig.alice, "2025-11-25", "{}");
	peer_begin(&b, &rig, rig.bob, "2024-11-05", "{}");
	peer_listen(&at_a, &a, NULL);
	peer_listen(&at_b, &b, NULL);
	changed(MCP_CHANGED_TOOLS, NULL);
	changed(MCP_CHANGED_PROMPTS, NULL); /* nobody was told that they could */
	changed(MCP_CHANGED_RESOURCES, NULL);
	json_decref(peer_expect(&at_a, "notifications/tools/list_changed"));
	json_decref(peer_expect(&at_a, "notifications/resources/list_changed"));
	assert_string_equal(at_a.last_id, "1:2");
	json_decref(peer_expect(&at_b, "notifications/tools/list_changed"));
	json_decref(peer_expect(&at_b, "notifications/resources/list_changed"));
	peer_leave(&at_a);
	peer_leave(&at_b);
}

static void who_was_away_hears_it_once(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	for (int i = 0; i < 100; i++)
		changed(MCP_CHANGED_TOOLS, NULL);
	changed(MCP_CHANGED_RESOURCES, NULL);
	peer_listen(&s, &p, NULL);
	json_decref(peer_expect(&s, "notifications/tools/list_changed"));
	json_decref(peer_expect(&s, "notifications/resources/list_changed"));
	/* It was sent by now, so that it is news again. */
	changed(MCP_CHANGED_TOOLS, NULL);
	json_decref(peer_expect(&s, "notifications/tools/list_changed"));
	assert_string_equal(s.last_id, "1:3");
	peer_leave(&s);
}

/* ---- Subscriptions ---- */

static void who_subscribed_hears_of_it(void **state)
{
	_cleanup_peer_ struct peer p, other;
	struct peer_stream s, at_other;
	size_t lines = rig_count_audit(&rig, "call.free_read");

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	peer_begin(&other, &rig, rig.alice, "2025-06-18", "{}");
	subscribe(&p, "resources/subscribe", TEXT);
	subscribe(&p, "resources/subscribe", TEXT); /* is one */
	subscribe(&p, "resources/subscribe", "\"uri\":\"fixture://values/a\"");
	assert_int_equal(rig_count_audit(&rig, "call.free_read") - lines, 3);
	peer_listen(&s, &p, NULL);
	peer_listen(&at_other, &other, NULL);
	changed(MCP_CHANGED_RESOURCE, "fixture://values/b");
	changed(MCP_CHANGED_RESOURCE, NULL);
	changed(MCP_CHANGED_RESOURCE, "fixture://values/a");
	json_auto_t *first = peer_expect(&s, "notifications/resources/updated");
	assert_string_equal(uri_of(first), "fixture://values/a");
	subscribe(&p, "resources/unsubscribe", TEXT);
	subscribe(&p, "resources/unsubscribe", TEXT);
	subscribe(&p, "resources/unsubscribe", "\"uri\":\"never\"");
	changed(MCP_CHANGED_RESOURCE, "fixture://text");
	changed(MCP_CHANGED_RESOURCE, "fixture://values/a");
	json_auto_t *second = peer_expect(&s, "notifications/resources/updated");
	assert_string_equal(uri_of(second), "fixture://values/a");
	/* The other one has heard nothing of all that. */
	changed(MCP_CHANGED_TOOLS, NULL);
	json_decref(peer_expect(&at_other, "notifications/tools/list_changed"));
	peer_leave(&s);
	peer_leave(&at_other);
}

static void subscriptions_are_judged_as_reads(void **state)
{
	static const struct {
		const char *params;
		int code;
	} rows[] = {
		{ "\"uri\":\"fixture://nothing\"", -32002 },
		{ "\"uri\":\"fixture://kept\"", 1 }, /* not freed */
		{ "\"uri\":7", -32602 },
		{ "", -32602 },
	};
	_cleanup_peer_ struct peer p;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a =
			peer_ask(&p, "resources/subscribe", rows[i].params);
		if (a.status != 200 || code_of(&a) != rows[i].code)
			fail_msg("%s: %s", rows[i].params, a.text);
	}
	_cleanup_answer_ struct answer none = peer_ask(&p, "resources/unsubscribe", "");
	assert_int_equal(code_of(&none), -32602);
}

static void subscriptions_have_limits(void **state)
{
	struct sessions *all = sessions_new();
	struct caller caller = { .principal = "a", .client = "1" };
	const struct session_client client = { .revision = LEGACY_2025_11_25 };
	struct error err = ERROR_INIT;
	struct session *s = session_start(all, &caller, &client, 0, &err);
	char uri[SESSION_URI_BYTES_MAX + 2];

	(void)state;
	for (int i = 0; i < SESSION_URIS_MAX; i++) {
		(void)snprintf(uri, sizeof uri, "u%d", i);
		assert_true(session_subscribe(s, uri, &err));
	}
	assert_false(session_subscribe(s, "more", &err));
	assert_int_equal(err.code, ERR_RATE_LIMITED);
	error_clear(&err);
	session_unsubscribe(s, "u7");
	assert_true(session_subscribe(s, "more", &err));
	session_unref(s);

	s = session_start(all, &caller, &client, 0, &err);
	memset(uri, 'u', sizeof uri - 1);
	uri[sizeof uri - 1] = '\0';
	assert_false(session_subscribe(s, uri, &err));
	error_clear(&err);
	uri[sizeof uri - 2] = '\0';
	assert_true(session_subscribe(s, uri, &err));
	assert_false(session_subscribe(s, "x", &err));
	session_unsubscribe(s, uri);
	error_clear(&err);
	assert_true(session_subscribe(s, "x", &err));
	session_unref(s);
	sessions_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_change_is_announced),
		cmocka_unit_test(lists_are_told_to_every_session),
		cmocka_unit_test(who_was_away_hears_it_once),
		cmocka_unit_test(who_subscribed_hears_of_it),
		cmocka_unit_test(subscriptions_are_judged_as_reads),
		cmocka_unit_test(subscriptions_have_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
