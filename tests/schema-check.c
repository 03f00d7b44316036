/*
 * schema-check SCHEMA INSTANCE -- does the instance conform?
 *
 * Exit 0: it does; 1: it does not, or the schema is refused, with the reason on
 * stderr; 2: usage, or a file that cannot be read. Every fault is a line:
 * place in the instance, rule, sentence.
 */
#include "schema_remotes.h"

#include "base/options.h"

enum { FAULTS_MAX = 20 };

struct settings {
	const char *remotes;
	bool assert_format;
};

static const struct option_row rows[] = {
	OPTION_STRING("remotes", 0, "DIR", "files to serve as http://localhost:1234/...",
		      offsetof(struct settings, remotes)),
	OPTION_BOOL("assert-format", 0, "let 'format' decide",
		    offsetof(struct settings, assert_format)),
	OPTION_END
};

static int tell(const struct error *err, int status)
{
	fprintf(stderr, "%s\n", err->message);
	return status;
}

static int check(struct schema_set *set, const json_t *document, const json_t *instance,
		 unsigned flags)
{
	struct error err = ERROR_INIT;
	struct schema_fault faults[FAULTS_MAX];
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(set, document, NULL, flags, &err);
	size_t count;

	if (!schema)
		return tell(&err, 1);
	count = schema_validate_all(schema, instance, faults, FAULTS_MAX);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "'%s' %s (%s)\n", faults[i].instance, faults[i].message,
			faults[i].schema);
	return count ? 1 : 0;
}

/* A file that is no JSON is refused like a schema or an instance that is bad. */
static int read_or_status(const char *path, json_t **ret)
{
	struct error err = ERROR_INIT;

	*ret = schema_remotes_read(path, &err);
	return *ret ? 0 : tell(&err, err.code == ERR_INVALID_ARGUMENT ? 1 : 2);
}

int main(int argc, char **argv)
{
	_cleanup_(schema_set_freep) struct schema_set *set = NULL;
	json_auto_t *document = NULL, *instance = NULL;
	struct settings settings = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0, status;

	if (options_parse(rows, &settings, argc, argv, &operands, &err) != OPTIONS_OK ||
	    operands != 2) {
		options_help("schema-check", "[OPTIONS] SCHEMA INSTANCE",
			     "Validate by JSON Schema 2020-12.", rows, stderr);
		return 2;
	}
	status = read_or_status(argv[1], &document);
	if (status == 0)
		status = read_or_status(argv[2], &instance);
	if (status != 0)
		return status;
	set = schema_set_new();
	if (!set)
		return 2;
	if (settings.remotes && !schema_remotes_add(set, settings.remotes, &err))
		return tell(&err, 2);
	return check(set, document, instance,
		     settings.assert_format ? SCHEMA_ASSERT_FORMAT : 0);
}
