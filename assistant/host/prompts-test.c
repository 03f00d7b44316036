/* The team's notes: in order, and nobody else's words among them. */
#include "assistant/host/prompts.h"

#include "base/testing.h"

struct fixture {
	char folder[TESTING_PATH_BYTES];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	testing_folder(f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	testing_remove(f->folder);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text, mode_t mode)
{
	char path[TESTING_PATH_BYTES + 64];

	(void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
	testing_put(path, text, mode);
}

static void refused(const struct fixture *f, enum error_code code, const char *words)
{
	struct error err = ERROR_INIT;

	assert_null(prompts_read(f->folder, &err));
	testing_error(&err, code, words);
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *notes = NULL;

	put(f, "20-second.md", "two", 0600);
	put(f, "10-first.md", "one", 0644);
	put(f, ".hidden.md", "no", 0600);
	put(f, "note.txt", "no", 0600);
	notes = prompts_read(f->folder, &err);
	testing_no_error(&err);
	assert_int_equal(json_array_size(notes), 2);
	assert_string_equal(json_get_string(json_array_get(notes, 0), "text"), "one");
	assert_string_equal(json_get_string(json_array_get(notes, 1), "name"),
			    "20-second.md");
}

static void test_none(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *notes = prompts_read("/nonexistent/prompts", &err);

	(void)state;
	testing_no_error(&err);
	assert_int_equal(json_array_size(notes), 0);
}

static void test_others_can_write(void **state)
{
	struct fixture *f = *state;

	put(f, "a.md", "x", 0666);
	refused(f, ERR_INVALID_ARGUMENT, "prompts/a.md");
}

static void test_links(void **state)
{
	struct fixture *f = *state;
	char path[TESTING_PATH_BYTES + 64];
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/a.md", f->folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_null(prompts_read(f->folder, &err));
	assert_true(error_is_set(&err));
}

static void test_no_text(void **state)
{
	struct fixture *f = *state;

	put(f, "a.md", "\xff\xfe", 0600);
	refused(f, ERR_INVALID_ARGUMENT, "UTF-8");
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	char *text = calloc(1, PROMPTS_FILE_MAX + 2);
	json_auto_t *notes = NULL;

	assert_non_null(text);
	memset(text, 'x', PROMPTS_FILE_MAX);
	put(f, "a.md", text, 0600);
	notes = prompts_read(f->folder, &err);
	testing_no_error(&err);
	text[PROMPTS_FILE_MAX] = 'x';
	put(f, "a.md", text, 0600);
	assert_null(prompts_read(f->folder, &err));
	assert_true(error_is_set(&err));
	free(text);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *notes = NULL;
	char name[32];

	for (int i = 0; i < PROMPTS_FILES_MAX; i++) {
		(void)snprintf(name, sizeof name, "%02d.md", i);
		put(f, name, "x", 0600);
	}
	notes = prompts_read(f->folder, &err);
	assert_int_equal(json_array_size(notes), PROMPTS_FILES_MAX);
	put(f, "more.md", "x", 0600);
	refused(f, ERR_INVALID_ARGUMENT, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test(test_none),
		cmocka_unit_test_setup_teardown(test_others_can_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};

	return cmocka_run_group_tests_name("prompts", tests, NULL, NULL);
}
