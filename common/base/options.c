#include "base/options.h"

#include <errno.h>

enum { NAME_MAX_BYTES = 64, NEAR_MAX = 3 };

struct parser {
	const struct option_row *rows;
	void *target;
	char **argv;
	int argc;
	int at;
	struct error *err;
};

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

static const struct option_row *find_name(const struct option_row *row, const char *name,
					  size_t length)
{
	for (; row->type != OPTION_TYPE_END; row++)
		if (is_word(name, length, row->name))
			return row;
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *row, char letter)
{
	for (; row->type != OPTION_TYPE_END; row++)
		if (row->letter && row->letter == letter)
			return row;
	return NULL;
}

/* Levenshtein's distance; more than NEAR_MAX for names too long to compare. */
static size_t distance(const char *a, size_t a_length, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1];
	size_t b_length = strlen(b);

	if (a_length > NAME_MAX_BYTES || b_length > NAME_MAX_BYTES)
		return NEAR_MAX + 1;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_length];
}

static bool unknown_name(const struct parser *p, const char *name, size_t length)
{
	const char *nearest = NULL;
	size_t least = NEAR_MAX + 1;

	for (const struct option_row *row = p->rows; row->type != OPTION_TYPE_END;
	     row++) {
		size_t d = distance(name, length, row->name);
		if (d < least && d < length) {
			least = d;
			nearest = row->name;
		}
	}
	int shown = length > NAME_MAX_BYTES ? NAME_MAX_BYTES : (int)length;
	if (nearest)
		return error_set(p->err, ERR_INVALID_ARGUMENT,
				 "unknown option '--%.*s', did you mean '--%s'?", shown,
				 name, nearest);
	return error_set(p->err, ERR_INVALID_ARGUMENT, "unknown option '--%.*s'", shown,
			 name);
}

static bool store_int64(const struct option_row *row, const char *value, int64_t *place,
			struct error *err)
{
	char *end;

	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno || end == value || *end || !strchr("-0123456789", value[0]))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "--%s wants a number, not '%.40s'", row->name, value);
	*place = number;
	return true;
}

static bool store_item(const struct option_row *row, const char *value,
		       struct option_list *list, struct error *err)
{
	if (list->count == OPTION_LIST_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "--%s stands more than %d times", row->name,
				 OPTION_LIST_MAX);
	list->items[list->count++] = value;
	return true;
}

static bool store(const struct parser *p, const struct option_row *row, const char *value)
{
	void *place = (char *)p->target + row->offset;

	switch (row->type) {
	case OPTION_TYPE_END:
		break;
	case OPTION_TYPE_STRING:
		*(const char **)place = value;
		return true;
	case OPTION_TYPE_INT64:
		return store_int64(row, value, place, p->err);
	case OPTION_TYPE_BOOL:
		*(bool *)place = true;
		return true;
	case OPTION_TYPE_LIST:
		return store_item(row, value, place, p->err);
	}
	return false;
}

/* The value of an option: what is attached to it, or the next argument. */
static bool take_value(struct parser *p, const struct option_row *row,
		       const char *attached)
{
	if (attached)
		return store(p, row, attached);
	if (p->at + 1 >= p->argc)
		return error_set(p->err, ERR_INVALID_ARGUMENT, "--%s wants a value (%s)",
				 row->name, row->value_name ? row->value_name : "VALUE");
	return store(p, row, p->argv[++p->at]);
}

static enum options_result take_long(struct parser *p, const char *name)
{
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_name(p->rows, name, length);

	if (!row && !equals && is_word(name, length, "help"))
		return OPTIONS_HELP;
	if (!row && !equals && is_word(name, length, "version"))
		return OPTIONS_VERSION;
	if (!row) {
		unknown_name(p, name, length);
		return OPTIONS_BAD;
	}
	if (row->type == OPTION_TYPE_BOOL) {
		if (equals) {
			error_set(p->err, ERR_INVALID_ARGUMENT, "--%s takes no value",
				  row->name);
			return OPTIONS_BAD;
		}
		return store(p, row, NULL) ? OPTIONS_OK : OPTIONS_BAD;
	}
	return take_value(p, row, equals ? equals + 1 : NULL) ? OPTIONS_OK : OPTIONS_BAD;
}

/* "-d DIR", "-dDIR", and several switches in one: "-jv". */
static enum options_result take_letters(struct parser *p, const char *letters)
{
	for (; *letters; letters++) {
		const struct option_row *row = find_letter(p->rows, *letters);
		if (!row && *letters == 'h')
			return OPTIONS_HELP;
		if (!row) {
			error_set(p->err, ERR_INVALID_ARGUMENT, "unknown option '-%c'",
				  *letters);
			return OPTIONS_BAD;
		}
		if (row->type != OPTION_TYPE_BOOL)
			return take_value(p, row, letters[1] ? letters + 1 : NULL)
				       ? OPTIONS_OK
				       : OPTIONS_BAD;
		if (!store(p, row, NULL))
			return OPTIONS_BAD;
	}
	return OPTIONS_OK;
}

enum options_result options_parse(const struct option_row *rows, void *target, int argc,
				  char **argv, int *ret_operands, struct error *err)
{
	struct parser p = { rows, target, argv, argc, 1, err };
	int operands = 0;
	bool ended = false;

	for (; p.at < argc; p.at++) {
		char *arg = argv[p.at];
		enum options_result result = OPTIONS_OK;
		if (ended || arg[0] != '-' || arg[1] == '\0')
			argv[1 + operands++] = arg;
		else if (arg[1] != '-')
			result = take_letters(&p, arg + 1);
		else if (arg[2] == '\0')
			ended = true;
		else
			result = take_long(&p, arg + 2);
		if (result != OPTIONS_OK)
			return result;
	}
	*ret_operands = operands;
	return OPTIONS_OK;
}

static void print_row(FILE *out, char letter, const char *name, const char *value_name,
		      const char *help)
{
	int printed = letter ? fprintf(out, "  -%c, --%s", letter, name)
			     : fprintf(out, "      --%s", name);
	if (value_name)
		printed += fprintf(out, " %s", value_name);
	fprintf(out, "%*s%s\n", printed < 28 ? 28 - printed : 2, "", help);
}

void options_help(const char *name, const char *usage, const char *description,
		  const struct option_row *rows, FILE *out)
{
	fprintf(out, "usage: %s%s%s\n", name, *usage ? " " : "", usage);
	if (description && *description)
		fprintf(out, "\n%s\n", description);
	fprintf(out, "\noptions:\n");
	for (const struct option_row *row = rows; row->type != OPTION_TYPE_END; row++)
		print_row(out, row->letter, row->name, row->value_name, row->help);
	if (!find_name(rows, "help", 4))
		print_row(out, find_letter(rows, 'h') ? '\0' : 'h', "help", NULL,
			  "print this and leave");
	if (!find_name(rows, "version", 7))
		print_row(out, '\0', "version", NULL, "print the version and leave");
}

int options_complain(const char *name, const struct error *err, int status)
{
	(void)fprintf(stderr, "%s: %s%s%s\n", name, err->message,
		      err->hint[0] ? "; " : "", err->hint);
	return status;
}

int options_take(const struct options_program *p, void *target, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int operands = 0;

	switch (options_parse(p->rows, target, argc, argv, &operands, &err)) {
	case OPTIONS_HELP:
		options_help(p->name, p->usage, p->description, p->rows, stdout);
		return fflush(stdout) == 0 ? 0 : 1;
	case OPTIONS_VERSION:
		(void)printf("%s %s\n", p->name, WINGMAN_VERSION);
		return fflush(stdout) == 0 ? 0 : 1;
	case OPTIONS_OK:
		if (operands == p->operands)
			return OPTIONS_GO_ON;
		if (operands > p->operands)
			error_set(&err, ERR_INVALID_ARGUMENT,
				  "'%.100s' is one argument too many",
				  argv[p->operands + 1]);
		else
			error_set(&err, ERR_INVALID_ARGUMENT, "usage: %s %s", p->name,
				  p->usage);
		break;
	case OPTIONS_BAD:
		break;
	}
	error_hint(&err, "'%s --help' lists what it takes", p->name);
	return options_complain(p->name, &err, OPTIONS_EXIT_USAGE);
}
