/* What a server lists against what people accepted. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "base/statedir.h"
#include "gate/person_pin.h"
#include "gate/pins.h"
#include "gate/pins_compare.h"

struct fixture {
	char folder[64];
	struct documents *documents;
	struct coordination *coordination;
	struct settings settings;
	struct pins *pins;
};

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	(void)s;
	(void)kind;
	(void)at;
	return remove(path);
}

static void open_pins(struct fixture *f)
{
	struct error err = ERROR_INIT;

	f->pins = pins_open(&f->settings, f->documents, &err);
	if (!f->pins)
		fail_msg("%s", err.message);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;
	char path[128];

	(void)snprintf(f->folder, sizeof f->folder, "/tmp/wingman-pins-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	(void)snprintf(path, sizeof path, "%s/records.db", f->folder);
	f->documents = documents_open_sqlite(path, &err);
	(void)snprintf(path, sizeof path, "%s/coordination.db", f->folder);
	f->coordination = coord_open_sqlite(path, &err);
	f->settings.server_count = 1;
	(void)snprintf(f->settings.servers[0].name, 33, "sample");
	(void)snprintf(f->settings.servers[0].instance, 129, "sample");
	(void)snprintf(f->settings.servers[0].url, SETTINGS_URL_MAX,
		       "http://127.0.0.1:1/mcp");
	open_pins(f);
	*state = f;
	return f->documents && f->coordination ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pins_free(f->pins);
	documents_close(f->documents);
	coord_close(f->coordination);
	(void)nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static json_t *tool(const char *name, const char *description, const char *risk)
{
	return json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "name", name, "description",
			 description, "inputSchema", "type", "object", "_meta",
			 "org.wingman/risk", risk);
}

static bool learn(struct fixture *f, json_t *tools, bool *ret_changed)
{
	struct error err = ERROR_INIT;
	json_auto_t *list = tools;

	return pins_learn(f->pins, "sample", list, ret_changed, &err);
}

static enum error_code find(struct fixture *f, const char *name)
{
	struct error err = ERROR_INIT;

	return pins_find(f->pins, "sample", name, &err) ? ERR_NONE : err.code;
}

static void accept_now(struct fixture *f, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *d = pins_differences(f->pins, "sample", &err);
	size_t count = 0;

	if (!pins_accept(f->pins, "sample", json_get_string(d, "digest"), approval, 1,
			 &count, &err))
		fail_msg("%s", err.message);
}

static void test_life(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	bool changed = false;

	assert_int_equal(find(f, "get_it"), ERR_NOT_FOUND);
	assert_null(pins_differences(f->pins, "sample", &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets it.", "read")), &changed));
	assert_true(changed);
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED); /* never pinned */
	accept_now(f, "a1");
	assert_int_equal(find(f, "get_it"), ERR_NONE);
	assert_true(pins_accepted_by(f->pins, "sample", "a1"));
	assert_false(pins_accepted_by(f->pins, "sample", "a2"));
	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets it.", "read")), &changed));
	assert_false(changed);

	/* Another risk, another word, another list: all of them are changes. */
	assert_true(learn(f, json_pack("[o]", tool("get_it", "Gets it.", "write")),
			  &changed));
	assert_true(changed);
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED);
	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets IT.", "read")), &changed));
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED);
	assert_true(learn(f, json_array(), &changed));
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED);
	/* Away is not changed. */
	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets it.", "read")), &changed));
	assert_true(learn(f, NULL, &changed));
	assert_int_equal(find(f, "get_it"), ERR_NONE);

	/* What was accepted outlives the process; a server that moved is another. */
	pins_free(f->pins);
	open_pins(f);
	assert_int_equal(find(f, "get_it"), ERR_NONE);
	pins_free(f->pins);
	(void)snprintf(f->settings.servers[0].url, SETTINGS_URL_MAX,
		       "http://127.0.0.1:2/mcp");
	open_pins(f);
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED);
}

static void test_hostile_lists(void **state)
{
	struct fixture *f = *state;
	bool changed = false;

	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets it.", "read")), &changed));
	accept_now(f, "a1");
	assert_false(learn(f,
			   json_pack("[o,o]", tool("get_it", "Gets it.", "read"),
				     tool("get_it", "Gets more.", "read")),
			   &changed));
	assert_true(changed);
	assert_int_equal(find(f, "get_it"), ERR_PRECONDITION_FAILED);
	assert_false(learn(f, json_pack("[o]", tool("get it", "x", "read")), &changed));
	assert_false(
		learn(f, json_pack("[o]", tool("get_it", "x", "harmless")), &changed));
	assert_false(learn(f, json_pack("[n]"), &changed));
	assert_false(learn(f, json_object(), &changed));
	json_t *many = json_array();
	for (int i = 0; i <= PINS_TOOLS_MAX; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "get_%d", i);
		(void)json_array_append_new(many, tool(name, "x", "read"));
	}
	assert_false(learn(f, many, &changed));
}

static void test_differences(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	bool changed = false;
	size_t count;

	assert_true(learn(f,
			  json_pack("[o,o]", tool("get_it", "Gets it.", "read"),
				    tool("put_it", "Puts it.", "write")),
			  &changed));
	accept_now(f, "a1");
	json_auto_t *before = pins_differences(f->pins, "sample", &err);
	assert_int_equal(json_array_size(json_object_get(before, "differences")), 0);
	assert_true(
		learn(f,
		      json_pack("[o,o]", tool("put_it", "Puts it away.", "destructive"),
				tool("zap_it", "Zaps it.", "destructive")),
		      &changed));
	json_auto_t *d = pins_differences(f->pins, "sample", &err);
	json_t *list = json_object_get(d, "differences");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_get_string(json_array_get(list, 0), "what"), "removed");
	assert_string_equal(json_get_string(json_array_get(list, 1), "what"),
			    "changed: description, _meta");
	assert_string_equal(json_get_string(json_array_get(list, 2), "what"), "added");
	/* The digest of another difference accepts nothing. */
	assert_false(pins_accept(f->pins, "sample", json_get_string(before, "digest"),
				 "a2", 2, &count, &err));
	assert_int_equal(err.code, ERR_PRECONDITION_FAILED);
	error_clear(&err);
	_cleanup_(plan_freep) struct plan *plan =
		pins_plan(f->pins, "sample", json_get_string(d, "digest"), &err);
	if (!plan)
		fail_msg("%s", err.message);
	/* one removed, two members changed, one pin and each member of what is new */
	assert_int_equal(json_array_size(json_object_get(plan_json(plan), "effects")),
			 1 + 2 + 1 + 4);
}

/* What all effects on one member say together. */
static char *joined(const struct plan *plan, const char *what, const char *side)
{
	struct strbuf sb = STRBUF_INIT;
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(plan_json(plan), "effects"), i, e)
	{
		if (strncmp(json_get_string(e, "target"), what, strlen(what)) == 0)
			strbuf_add_string(&sb, json_get_string(e, side));
	}
	return strbuf_take(&sb);
}

static struct plan *plan_of_change(struct fixture *f, const char *description)
{
	struct error err = ERROR_INIT;
	bool changed;

	assert_true(learn(f, json_pack("[o]", tool("get_it", description, "read")),
			  &changed));
	json_auto_t *d = pins_differences(f->pins, "sample", &err);
	struct plan *plan =
		pins_plan(f->pins, "sample", json_get_string(d, "digest"), &err);
	if (!plan)
		fail_msg("%s", err.message);
	return plan;
}

static void test_long_differences(void **state)
{
	enum { LONG = 7001 };
	struct fixture *f = *state;
	static const char letter[] = "\xC3\xA9";
	_cleanup_strbuf_ struct strbuf description = STRBUF_INIT;
	_cleanup_free_ char *from = NULL, *to = NULL, *none = NULL;
	bool changed;

	assert_true(
		learn(f, json_pack("[o]", tool("get_it", "Gets it.", "read")), &changed));
	accept_now(f, "a1");
	/* An odd start, so that parts would end within a letter. */
	strbuf_add_char(&description, '"');
	for (int i = 0; i < LONG; i++)
		strbuf_add_string(&description, letter);
	strbuf_add_char(&description, '"');
	description.data[description.length - 1] = '\0';
	_cleanup_(plan_freep) struct plan *whole =
		plan_of_change(f, description.data + 1);
	description.data[description.length - 1] = '"';
	from = joined(whole, "description of sample.get_it", "from");
	to = joined(whole, "description of sample.get_it", "to");
	assert_string_equal(from, "\"Gets it.\"");
	assert_string_equal(to, description.data);
	/* What no plan can hold is said to be missing. */
	json_auto_t *many = json_array();
	for (int i = 0; i < 30; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "tool_%d", i);
		(void)json_array_append_new(many, tool(name, "Does it.", "write"));
	}
	struct error err = ERROR_INIT;
	assert_true(learn(f, json_incref(many), &changed));
	json_auto_t *d = pins_differences(f->pins, "sample", &err);
	_cleanup_(plan_freep) struct plan *some =
		pins_plan(f->pins, "sample", json_get_string(d, "digest"), &err);
	assert_non_null(some);
	const json_t *warnings = json_object_get(plan_json(some), "warnings");
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
			       "too much to show"));
	none = joined(some, "description of", "to");
	assert_string_equal(none, "");
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(pin_name_distance("", ""), 0);
	assert_int_equal(pin_name_distance("abc", "abc"), 0);
	assert_int_equal(pin_name_distance("", "abc"), 3);
	assert_int_equal(pin_name_distance("kitten", "sitting"), 3);
}

static void test_persons_pin(void **state)
{
	struct fixture *f = *state;
	const struct pin_store s = { f->documents, f->coordination };
	struct error err = ERROR_INIT;
	bool set = true;

	assert_true(person_pin_is_set(&s, "alice@x", &set, &err));
	assert_false(set);
	assert_true(person_pin_check(&s, "alice@x", NULL, &err)); /* has none */
	assert_false(person_pin_set(&s, "alice@x", "123", &err));
	error_clear(&err);
	assert_true(person_pin_set(&s, "alice@x", "1234", &err));
	assert_false(person_pin_check(&s, "alice@x", NULL, &err));
	error_clear(&err);
	/* Four wrong ones and a right one start the count anew; five lock. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < PERSON_PIN_TRIES - 1; i++) {
			error_clear(&err);
			assert_false(person_pin_check(&s, "alice@x", "4321", &err));
		}
		error_clear(&err);
		assert_true(person_pin_check(&s, "alice@x", "1234", &err));
	}
	for (int i = 0; i < PERSON_PIN_TRIES; i++) {
		error_clear(&err);
		assert_false(person_pin_check(&s, "alice@x", "4321", &err));
	}
	error_clear(&err);
	assert_false(person_pin_check(&s, "alice@x", "1234", &err));
	assert_non_null(strstr(err.message, "locked"));
	assert_true(person_pin_check(&s, "bob@x", NULL, &err) || true);
	error_clear(&err);
	assert_true(person_pin_set(&s, "alice@x", NULL, &err));
	assert_true(person_pin_check(&s, "alice@x", NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_differences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_differences, setup, teardown),
		cmocka_unit_test(test_distance),
		cmocka_unit_test_setup_teardown(test_persons_pin, setup, teardown),
	};

	return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
