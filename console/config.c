/* wingman config check: every fault of every file, at once. */
#include "base/config.h"

#include <dirent.h>

#include "base/options.h"
#include "console/config_schema.h"
#include "console/console.h"
#include "console/program.h"
#include "guard/names.h"

enum { FILES_MAX = 64, NAME_BYTES = 64 };

struct files {
	char name[FILES_MAX][NAME_BYTES]; /* without ".yaml", sorted */
	size_t count;
};

struct findings {
	json_t *faults, *warnings; /* arrays of sentences */
	size_t checked;
};

static void add_fault(struct findings *f, const char *text)
{
	json_t *fault = json_string(text);

	/* A fault that is no UTF-8 is still one. */
	(void)json_array_append_new(
		f->faults, fault ? fault : json_string("a fault that is no text"));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool list_files(const struct console *c, struct files *ret, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "config");
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	ret->count = 0;
	if (!dir) {
		error_errno(err, "cannot read the configuration in %s", path ? path : "");
		return error_hint(err, "'wingman up' makes one at its first start");
	}
	while ((entry = readdir(dir)) && ret->count < FILES_MAX) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && length < NAME_BYTES &&
		    strcmp(entry->d_name + length - 5, ".yaml") == 0)
			(void)snprintf(ret->name[ret->count++], NAME_BYTES, "%.*s",
				       (int)(length - 5), entry->d_name);
	}
	(void)closedir(dir);
	qsort(ret->name, ret->count, sizeof ret->name[0], by_name);
	return true;
}

/* --- suite.yaml is ours ------------------------------------------------------- */

static void check_suite_members(struct findings *f, const struct config *config)
{
	static const char *const known[] = { "sample", "ports" };
	const char *name;
	json_t *value;

	json_object_foreach(config_root(config), name, value)
	{
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, pointer = STRBUF_INIT;
		bool is_known = strcmp(name, known[0]) == 0 ||
				strcmp(name, known[1]) == 0;

		strbuf_add_format(&pointer, "/%s", name);
		strbuf_add_format(&text, "%s:%d: ", config_name(config),
				  config_line(config, pointer.data));
		if (!is_known)
			strbuf_add_format(&text, "there is no member '%s'", name);
		else if (strcmp(name, "sample") == 0 && !json_is_boolean(value))
			strbuf_add_string(&text, "'sample' is true or false");
		else if (strcmp(name, "ports") == 0 && !json_is_object(value))
			strbuf_add_string(&text, "'ports' holds a port for each part");
		else
			continue;
		add_fault(f, text.data);
	}
}

static void check_suite(const struct console *c, struct findings *f)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "config/suite.yaml");
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *config = path ? config_read(path, &err)
							     : NULL;

	if (!config)
		add_fault(f, err.message);
	else if (!json_is_object(config_root(config)))
		add_fault(f, "suite.yaml: holds no members");
	else
		check_suite_members(f, config);
}

/* --- the others belong to their programs ------------------------------------- */

/* A line is a fault, unless it is {"level", "text"} and says that it is less. */
static void add_line(struct findings *f, const char *line, bool failed)
{
	struct error no_json = ERROR_INIT;
	json_auto_t *finding = json_parse(line, strlen(line), JSON_SYNTAX, &no_json);
	const char *level = json_get_string(finding, "level");
	const char *text = json_get_string(finding, "text");

	if (text && level && strcmp(level, "error") != 0)
		(void)json_array_append(f->warnings, json_object_get(finding, "text"));
	else if (failed)
		add_fault(f, text ? text : line);
}

static void add_lines(struct findings *f, char *text, bool failed)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		line[strcspn(line, "\r")] = '\0';
		if (*line)
			add_line(f, line, failed);
	}
}

/* What only the program can judge: what files name together, what a policy means. */
static void check_program(const struct console *c, struct findings *f,
			  const char *program, const char *file)
{
	_cleanup_free_ char *path = program_path(c, program);
	const char *argv[] = { path, "--check-config", "--dir", statedir_root(c->dir),
			       NULL };
	_cleanup_strbuf_ struct strbuf output = STRBUF_INIT, text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t before = json_array_size(f->faults);
	int status = 0;

	if (!path) {
		strbuf_add_format(&text, "%s.yaml: there is no program %s that reads it",
				  file, program);
		add_fault(f, text.data);
		return;
	}
	if (!program_run(argv, &output, &status, &err)) {
		strbuf_add_format(&text, "%s: %s", program, err.message);
		add_fault(f, text.data);
		return;
	}
	add_lines(f, output.data, status != 0);
	if (status == 0 || json_array_size(f->faults) > before)
		return;
	strbuf_add_format(&text, "%s ended with status %d", program, status);
	add_fault(f, text.data);
}

static void check_file(const struct console *c, struct findings *f, const char *name,
		       bool *sound)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "config/%s.yaml", name);

	if (strcmp(name, "suite") == 0) {
		check_suite(c, f);
	} else if (!name_is_server(name)) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_add_format(&text, "%s.yaml: no program reads a file of this name",
				  name);
		add_fault(f, text.data);
		*sound = false;
	} else {
		*sound = path && config_schema_check(path, name, f->faults);
	}
}

static bool has(const struct files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->name[i], name) == 0)
			return true;
	return false;
}

/* The gate reads its policy too, so it judges only when both have their shape. */
static void check_all(const struct console *c, struct findings *f,
		      const struct files *files)
{
	bool gate = true;

	for (size_t i = 0; i < files->count; i++) {
		const char *name = files->name[i];
		char program[NAME_BYTES + 16];
		bool sound = true;

		f->checked++;
		check_file(c, f, name, &sound);
		if (strcmp(name, "gate") == 0 || strcmp(name, "policy") == 0) {
			gate = gate && sound;
			continue;
		}
		/* of the assistant's two programs the egress has a configuration */
		(void)snprintf(program, sizeof program, "wingman-%s",
			       strcmp(name, "assistant") == 0 ? "egress" : name);
		if (sound && strcmp(name, "suite") != 0)
			check_program(c, f, program, name);
	}
	if (!has(files, "gate"))
		add_fault(f, "gate.yaml is missing: nobody is mapped to a person");
	else if (gate)
		check_program(c, f, "wingman-gate", "gate");
}

static void print_all(const json_t *list, const char *before)
{
	size_t i;
	json_t *text;

	json_array_foreach(list, i, text)
	{
		printf("%s", before);
		console_print_visible(json_string_value(text));
	}
}

static int report(const struct console *c, const struct findings *f)
{
	size_t count = json_array_size(f->faults);

	if (c->json) {
		json_auto_t *line = json_pack("{s:b, s:I, s:O, s:O}", "ok", count == 0,
					      "files", (json_int_t)f->checked, "faults",
					      f->faults, "warnings", f->warnings);

		console_print_json(line);
		return count ? EXIT_FAILED : EXIT_DONE;
	}
	print_all(f->faults, "");
	print_all(f->warnings, "warning: ");
	if (count == 0)
		printf("%zu files are in order\n", f->checked);
	return count ? EXIT_FAILED : EXIT_DONE;
}

static int run(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct files files;
	json_auto_t *faults = json_array();
	json_auto_t *warnings = json_array();
	struct findings f = { .faults = faults, .warnings = warnings };

	if (argc != 2 || strcmp(argv[1], "check") != 0)
		return console_usage(c, &command_config, "say check");
	if (!list_files(c, &files, &err))
		return console_fail(c, &err);
	check_all(c, &f, &files);
	return report(c, &f);
}

const struct command command_config = {
	"config", "config check",
	"Check every file of the configuration, tell all faults at once.", run
};
