/* What panels say when the gate says something, something else, or nothing. */
#include "slack/process/panels.h"

#include "base/testing.h"
#include "slack/process/homes.h"

static struct world {
	const char *reply; /* JSON; NULL: it fails */
	enum error_code code;
	int asked;
	json_t *kept;
} world;

static struct front front;
static int64_t wall_ms = 1000000000;

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return wall_ms;
}

json_t *gate_ask_for(struct gate *g, enum message m, json_t *members, int64_t wait_ms,
		     json_t **ret_details, struct error *err)
{
	json_auto_t *given = members;

	(void)g, (void)ret_details;
	assert_int_equal(m, MSG_CONTEXT);
	assert_in_range(wait_ms, 1, HOMES_ASKED_MS);
	assert_string_equal(json_get_string(given, "turn"), "t1");
	assert_non_null(json_get_string(given, "uri"));
	world.asked++;
	if (world.reply)
		return json_parse(world.reply, strlen(world.reply), JSON_SYNTAX, err);
	error_set(err, world.code, "down\n<!channel> \x1b[0m");
	return NULL;
}

json_t *homes_panels(struct homes *h, const char *user)
{
	(void)h;
	assert_string_equal(user, "U0ALICE");
	return world.kept ? json_deep_copy(world.kept) : NULL;
}

void homes_keep_panels(struct homes *h, const char *user, json_t *panels)
{
	(void)h, (void)user;
	json_decref(world.kept);
	world.kept = panels;
}

static int set_up(void **state)
{
	(void)state;
	world = (struct world){ .reply =
					"{\"server\":\"incidents\",\"text\":\"INC-1\"}" };
	front.settings.panels = json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "title",
					  "Open", "server", "incidents", "uri",
					  "incident://open", "title", "Other", "server",
					  "incidents", "uri", "incident://other");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(world.kept);
	json_decref((json_t *)(uintptr_t)front.settings.panels);
	front.settings.panels = NULL;
	return 0;
}

static void check(size_t index, const char *member, const char *holds)
{
	json_auto_t *shown = panels_shown(&front, "U0ALICE");
	const json_t *panel = json_array_get(shown, index);
	_cleanup_free_ char *text =
		json_dumps(json_object_get(panel, member), JSON_ENCODE_ANY);

	if (!text || !strstr(text, holds))
		fail_msg("%s is '%s', not '%s'", member, text ? text : "(none)", holds);
}

static void test_read(void **state)
{
	(void)state;
	check(0, "fault", "it is being read");
	panels_read(&front, "U0ALICE", "t1", wall_ms);
	assert_int_equal(world.asked, 2);
	check(0, "lines", "INC-1");
	check(1, "lines", "INC-1");
}

static void test_failures(void **state)
{
	static const char *const replies[] = {
		NULL,
		"{\"server\":\"people\",\"text\":\"of another\"}",
		"{\"server\":7,\"text\":\"x\"}",
		"{\"server\":\"incidents\",\"text\":7}",
		"{\"server\":\"incidents\"}",
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		world.reply = replies[i];
		world.code = ERR_BACKEND_UNAVAILABLE;
		panels_read(&front, "U0ALICE", "t1", wall_ms);
		check(0, "fault", "it could not be read.");
	}
	world.reply = NULL;
	panels_read(&front, "U0ALICE", "t1", wall_ms);
	check(0, "fault", "down\\\\n<!channel> \\\\u001B[0m");
}

/* The gate reads because somebody opened it; when that is too long ago, nobody asks. */
static void test_too_long_ago(void **state)
{
	(void)state;
	panels_read(&front, "U0ALICE", "", wall_ms);
	assert_int_equal(world.asked, 0);
	check(0, "fault", "open App Home again");
	panels_read(&front, "U0ALICE", "t1", wall_ms - HOMES_TURN_MS + 1);
	assert_int_equal(world.asked, 2);
	check(0, "lines", "INC-1");
	world.reply = "{\"server\":\"incidents\",\"text\":\"INC-2\"}";
	panels_read(&front, "U0ALICE", "t1", wall_ms - HOMES_TURN_MS);
	assert_int_equal(world.asked, 2);
	check(0, "lines", "INC-1"); /* with the time at which that was so */
}

static void test_which_concern_us(void **state)
{
	(void)state;
	assert_true(panels_are_there(&front));
	assert_true(panels_have(&front, "incidents", "incident://open"));
	assert_true(panels_have(&front, "incidents", "incident://open/7"));
	assert_false(panels_have(&front, "people", "incident://open"));
	assert_false(panels_have(&front, "incidents", "incident://"));
	assert_false(panels_have(&front, NULL, "incident://open"));
	assert_false(panels_have(&front, "incidents", NULL));
}

static void test_none(void **state)
{
	json_t *panels = (json_t *)(uintptr_t)front.settings.panels;

	(void)state;
	front.settings.panels = NULL;
	assert_false(panels_are_there(&front));
	assert_null(panels_shown(&front, "U0ALICE"));
	panels_read(&front, "U0ALICE", "t1", wall_ms);
	assert_int_equal(world.asked, 0);
	front.settings.panels = panels;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_read),         TEST(test_failures),
		TEST(test_too_long_ago), TEST(test_which_concern_us),
		TEST(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
