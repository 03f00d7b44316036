/* wingman audit: read the chains, prove them, tell one approval's story, hand them on. */
#include "console/audit.h"

#include "console/audit_stream.h"
#include "console/audit_text.h"

enum { TAIL_LINES = 20, TAIL_LINES_MAX = 1000000, FOLLOW_MS = 200 };

static const struct option_row rows[] = {
	OPTION_INT64("lines", 'n', "N", "how many lines of each log (default 20)",
		     offsetof(struct audit_options, lines)),
	OPTION_BOOL("follow", 'f', "go on as lines come",
		    offsetof(struct audit_options, follow)),
	OPTION_LIST("key", 'k', "PROGRAM=FILE", "a trusted public key, to verify with",
		    offsetof(struct audit_options, keys)),
	OPTION_LIST("anchor", 'a', "PROGRAM:SEQ:HASH", "a line as somebody remembers it",
		    offsetof(struct audit_options, anchors)),
	OPTION_STRING("since", 0, "TIME", "from this moment on: RFC 3339, or '2h' ago",
		      offsetof(struct audit_options, since)),
	OPTION_STRING("program", 0, "PROGRAM", "the log of this program alone",
		      offsetof(struct audit_options, program)),
	OPTION_STRING("syslog", 0, "ADDRESS",
		      "to /dev/log, another socket's path or udp:127.0.0.1:PORT",
		      offsetof(struct audit_options, syslog)),
	OPTION_END,
};

char *audit_folder(const struct console *c, const char *given, struct error *err)
{
	char *folder;

	if (!given && !statedir_require(c->dir, err))
		return NULL;
	folder = given ? strdup(given) : statedir_path(c->dir, "audit");
	if (!folder)
		error_oom(err);
	return folder;
}

/* --- tail --------------------------------------------------------------------- */

struct line {
	json_t *json;
	const char *at;
	int64_t seq;
};

struct lines {
	struct line *v;
	size_t count, capacity;
};

static void lines_cut(struct lines *l, size_t count)
{
	while (l->count > count)
		json_decref(l->v[--l->count].json);
}

static void lines_done(struct lines *l)
{
	lines_cut(l, 0);
	free(l->v);
}

static bool lines_add(struct lines *l, json_t *json)
{
	const char *at = json_get_string(json, "at");

	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 64;
		struct line *grown = reallocarray(l->v, capacity, sizeof *grown);

		if (!grown)
			return false;
		l->v = grown;
		l->capacity = capacity;
	}
	l->v[l->count++] = (struct line){ json_incref(json), at ? at : "",
					  json_get_int64(json, "seq", 0) };
	return true;
}

/* Within one millisecond a log keeps its own order. */
static int by_time(const void *a, const void *b)
{
	const struct line *one = a, *other = b;
	int order = strcmp(one->at, other->at);

	if (order == 0)
		order = strcmp(console_member(one->json, "program"),
			       console_member(other->json, "program"));
	return order ? order : (one->seq > other->seq) - (one->seq < other->seq);
}

static void print_line(const struct console *c, const json_t *line)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (c->json) {
		console_print_json(line);
		return;
	}
	strbuf_add_format(&text, "%s  %-9s %-20s ", console_member(line, "at"),
			  console_member(line, "program"), console_member(line, "event"));
	audit_text_add(&text, json_object_get(line, "data"));
	console_print_visible(text.data);
}

/* The last 'last' lines that the stream has. */
static bool read_tail(struct audit_stream *s, size_t last, struct lines *ret)
{
	const size_t first = ret->count;
	struct error no_json = ERROR_INIT;
	const char *text;

	while ((text = audit_stream_next(s))) {
		json_auto_t *line = json_parse(text, strlen(text), JSON_SYNTAX, &no_json);

		error_clear(&no_json);
		if (!line)
			continue;
		if (!lines_add(ret, line))
			return false;
		if (ret->count - first > last) {
			json_decref(ret->v[first].json);
			ret->count--;
			memmove(ret->v + first, ret->v + first + 1,
				(ret->count - first) * sizeof *ret->v);
		}
	}
	return true;
}

/* As many of the last files as it takes. The stream is left at its end. */
static struct audit_stream *open_tail(const char *folder, const char *program,
				      size_t last, struct lines *ret, struct error *err)
{
	const size_t before = ret->count;

	for (size_t files = 1;; files *= 2) {
		_cleanup_(audit_stream_closep) struct audit_stream *s =
			audit_stream_open(folder, program, files, err);

		lines_cut(ret, before);
		if (!s)
			return NULL;
		if (!read_tail(s, last, ret)) {
			error_oom(err);
			return NULL;
		}
		if (ret->count - before >= last || !audit_stream_has_more(s))
			return TAKE(s);
	}
}

struct tails {
	struct audit_stream *v[AUDIT_PROGRAMS_MAX];
	size_t count;
};

static void tails_done(struct tails *t)
{
	for (size_t i = 0; i < t->count; i++)
		audit_stream_close(t->v[i]);
}

/* Until somebody ends us, or nobody reads any more; on from where reading ended. */
static int follow(const struct console *c, const struct tails *t)
{
	const char *text;

	while (!ferror(stdout)) {
		for (size_t i = 0; i < t->count; i++)
			while ((text = audit_stream_next(t->v[i]))) {
				struct error no_json = ERROR_INIT;
				json_auto_t *line = json_parse(text, strlen(text),
							       JSON_SYNTAX, &no_json);
				if (line)
					print_line(c, line);
			}
		(void)usleep(FOLLOW_MS * 1000);
	}
	return EXIT_FAILED;
}

static bool open_tails(const char *folder, const struct audit_options *o, struct tails *t,
		       struct lines *lines, struct error *err)
{
	struct audit_programs programs;

	if (!audit_files_programs(folder, &programs, err))
		return false;
	for (size_t i = 0; i < programs.count; i++) {
		if (o->program && strcmp(o->program, programs.name[i]) != 0)
			continue;
		t->v[t->count] =
			open_tail(folder, programs.name[i], (size_t)o->lines, lines, err);
		if (!t->v[t->count])
			return false;
		t->count++;
	}
	return !o->program || t->count > 0 ||
	       error_set(err, ERR_NOT_FOUND, "there is no log of '%s'", o->program);
}

static int tail(struct console *c, const struct audit_options *o)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *folder = audit_folder(c, NULL, &err);
	_cleanup_(lines_done) struct lines lines = { 0 };
	_cleanup_(tails_done) struct tails tails = { 0 };

	if (!folder || !open_tails(folder, o, &tails, &lines, &err))
		return console_fail(c, &err);
	if (lines.count > 1)
		qsort(lines.v, lines.count, sizeof *lines.v, by_time);
	for (size_t i = 0; i < lines.count; i++)
		print_line(c, lines.v[i].json);
	(void)fflush(stdout);
	return o->follow ? follow(c, &tails) : EXIT_DONE;
}

/* --- which -------------------------------------------------------------------- */

static int run(struct console *c, int argc, char **argv)
{
	struct audit_options o = { .lines = TAIL_LINES };
	struct error err = ERROR_INIT;
	int operands = 0;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_audit, err.message);
	if (o.lines < 1 || o.lines > TAIL_LINES_MAX)
		return console_usage(c, &command_audit, "--lines takes 1 to 1000000");
	const char *verb = operands > 0 ? argv[1] : "tail";
	const char *one = operands > 1 ? argv[2] : NULL;
	const char *other = operands > 2 ? argv[3] : NULL;
	if (operands > 3)
		verb = "";
	if (strcmp(verb, "tail") == 0 && !other) {
		o.program = one ? one : o.program;
		return tail(c, &o);
	}
	if (strcmp(verb, "show") == 0 && one)
		return audit_story(c, one, other);
	if (strcmp(verb, "verify") == 0 && !other)
		return audit_verify_command(c, &o, one);
	if (strcmp(verb, "export") == 0 && !other)
		return audit_export(c, &o, one);
	if (strcmp(verb, "review") == 0 && !other)
		return audit_review(c, &o, one);
	return console_usage(c, &command_audit,
			     "say tail, show ID, review, verify or export");
}

const struct command command_audit = {
	"audit",
	"audit [tail [PROGRAM] [--lines N] [--follow] | show ID [FOLDER] | review "
	"[FOLDER] [--since TIME] | verify [FOLDER] "
	"[--key PROGRAM=FILE]... [--anchor PROGRAM:SEQ:HASH]... | export [FOLDER] "
	"[--since TIME] [--program PROGRAM] [--syslog ADDRESS] [--follow]]",
	"Read the audit logs, prove that nobody changed them, tell one approval's story "
	"or "
	"how fast people decide, hand them on.",
	run
};
