/*
 * schema-suite DIR -- the public JSON Schema test suite, every case of draft 2020-12.
 *
 * Prints TAP, one line a case. Without the folder it skips and says so.
 */
#include "schema_remotes.h"

#include <dirent.h>

#include "base/file.h"
#include "base/json.h"
#include "base/strbuf.h"

struct tap {
	unsigned count;
	unsigned failed;
};

static void report(struct tap *tap, bool good, const char *file, const char *group,
		   const char *test, const char *why)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	strbuf_add_format(&name, "%s: %s: %s", file, group, test);
	/* A '#' would begin a directive. */
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] == '#')
			name.data[i] = '+';
	tap->count++;
	tap->failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", tap->count, name.data);
	if (!good && *why)
		printf("# %s\n", why);
}

static void run_test(struct tap *tap, const struct schema *schema, const char *file,
		     const char *group, const json_t *test, const char *refusal)
{
	bool wanted = json_is_true(json_object_get(test, "valid"));
	const json_t *data = json_object_get(test, "data");
	struct schema_fault faults[4];
	size_t count;

	if (!schema) {
		report(tap, false, file, group, json_get_string(test, "description"),
		       refusal);
		return;
	}
	count = schema_validate_all(schema, data, faults, ARRAY_SIZE(faults));
	/* Both ways of asking must agree. */
	report(tap,
	       (count == 0) == wanted && schema_validate(schema, data, NULL) == wanted,
	       file, group, json_get_string(test, "description"),
	       count ? faults[0].message : "no fault was found");
}

static void run_group(struct tap *tap, struct schema_set *set, const char *file,
		      const json_t *group)
{
	const char *description = json_get_string(group, "description");
	const json_t *tests = json_object_get(group, "tests");
	struct error err = ERROR_INIT;
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(set, json_object_get(group, "schema"), NULL, 0, &err);

	for (size_t i = 0; i < json_array_size(tests); i++)
		run_test(tap, schema, file, description, json_array_get(tests, i),
			 err.message);
}

static bool run_file(struct tap *tap, struct schema_set *set, const char *dir,
		     const char *name, struct error *err)
{
	_cleanup_free_ char *path = file_join(dir, name);
	json_auto_t *groups = path ? schema_remotes_read(path, err) : NULL;

	if (!groups)
		return false;
	for (size_t i = 0; i < json_array_size(groups); i++)
		run_group(tap, set, name, json_array_get(groups, i));
	return true;
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && !strcmp(entry->d_name + length - 5, ".json");
}

static bool run_folder(struct tap *tap, const char *suite, struct error *err)
{
	_cleanup_(schema_set_freep) struct schema_set *set = schema_set_new();
	_cleanup_free_ char *dir = file_join(suite, "tests/draft2020-12");
	_cleanup_free_ char *remotes = file_join(suite, "remotes");
	struct dirent **names = NULL;
	bool good;
	int count;

	if (!set || !dir || !remotes)
		return error_oom(err);
	good = schema_remotes_add(set, remotes, err);
	count = scandir(dir, &names, is_json, alphasort);
	if (count <= 0)
		good = error_set(err, ERR_NOT_FOUND, "no tests in '%s'", dir);
	for (int i = 0; i < count; i++) {
		good = good && run_file(tap, set, dir, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return good;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct tap tap = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: schema-suite DIR\n");
		return 2;
	}
	if (!file_exists(argv[1])) {
		printf("1..0 # SKIP the JSON Schema test suite is not at %s\n", argv[1]);
		return 0;
	}
	if (!run_folder(&tap, argv[1], &err)) {
		printf("Bail out! %s\n", err.message);
		return 1;
	}
	printf("1..%u\n", tap.count);
	return tap.failed ? 1 : 0;
}
