/*
 * options -- command lines as rows.
 *
 *   static const struct option_row rows[] = {
 *           OPTION_STRING("dir", 'd', "DIR", "folder of the suite", offsetof(struct opts, dir)),
 *           OPTION_BOOL("json", 0, "machine-readable output", offsetof(struct opts, json)),
 *           OPTION_END
 *   };
 *
 * --help and --version are built in and reported by the result. Long options
 * take "--name value" and "--name=value"; "--" ends them; an unknown option is
 * an error that names the nearest known one. Options and operands may mix.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/error.h"

enum option_type {
	OPTION_TYPE_END = 0,
	OPTION_TYPE_STRING,
	OPTION_TYPE_INT64,
	OPTION_TYPE_BOOL,
	OPTION_TYPE_LIST
};

/* What an option that may stand several times was given, in that order. */
enum { OPTION_LIST_MAX = 64 };
struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	const char *value_name; /* "DIR"; NULL for BOOL */
	const char *help;
	size_t offset; /* const char *, int64_t, bool or option_list in the target */
};

#define OPTION_STRING(n, l, v, h, o)                                                     \
	{                                                                                \
		n, l, OPTION_TYPE_STRING, v, h, o                                        \
	}
#define OPTION_INT64(n, l, v, h, o)                                                      \
	{                                                                                \
		n, l, OPTION_TYPE_INT64, v, h, o                                         \
	}
#define OPTION_BOOL(n, l, h, o)                                                          \
	{                                                                                \
		n, l, OPTION_TYPE_BOOL, NULL, h, o                                       \
	}
#define OPTION_LIST(n, l, v, h, o)                                                       \
	{                                                                                \
		n, l, OPTION_TYPE_LIST, v, h, o                                          \
	}
#define OPTION_END                                                                       \
	{                                                                                \
		0                                                                        \
	}

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_BAD };

/* Parse argv[1..]; operands are moved to the front of argv[1..] and counted in
 * 'ret_operands'. OPTIONS_BAD sets 'err'. Strings are borrowed from argv. */
enum options_result options_parse(const struct option_row *rows, void *target, int argc,
				  char **argv, int *ret_operands, struct error *err);

/* A program that is not a table of commands. */
struct options_program {
	const char *name, *usage, *description;
	const struct option_row *rows;
	int operands; /* exactly so many, which are then argv[1..] */
};

enum { OPTIONS_GO_ON = -1, OPTIONS_EXIT_USAGE = 2 };

/* The words of such a program into 'target'; --help and --version are answered, anything else
 * is complained about. OPTIONS_GO_ON, or the status to leave with: 0, 1 where what was asked
 * for could not be written, OPTIONS_EXIT_USAGE. */
int options_take(const struct options_program *p, void *target, int argc, char **argv);
/* "NAME: message; hint" on stderr; returns 'status'. */
int options_complain(const char *name, const struct error *err, int status);

/* "usage: NAME USAGE", the description, and a line an option. */
void options_help(const char *name, const char *usage, const char *description,
		  const struct option_row *rows, FILE *out);

#endif
