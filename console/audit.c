/* wingman audit: read the chains, prove them, tell one approval's story. */
#include "console/chains.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "console/audit_text.h"
#include "console/console.h"

enum { TAIL_LINES = 20, FOLLOW_MS = 200 };

struct audit_options {
	int64_t lines;
	bool follow;
};

static const struct option_row rows[] = {
	OPTION_INT64("lines", 'n', "N", "how many lines of each log (default 20)",
		     offsetof(struct audit_options, lines)),
	OPTION_BOOL("follow", 'f', "go on as lines come",
		    offsetof(struct audit_options, follow)),
	OPTION_END,
};

/* --- lines ------------------------------------------------------------------ */

struct line {
	json_t *json;
	const char *at;
	int64_t seq;
};

struct lines {
	struct line *v;
	size_t count, capacity;
};

static void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		json_decref(l->v[i].json);
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

static bool concerns(const json_t *line, const char *approval)
{
	const char *id = json_get_string(json_object_get(line, "data"), "approval");

	size_t length = strlen(approval);

	/* Of a decision on several calls (<id>) the calls' own lines (<id>-<n>), too. */
	return id && strncmp(id, approval, length) == 0 &&
	       (id[length] == '\0' || id[length] == '-');
}

/* --- logs ------------------------------------------------------------------- */

struct log_file {
	FILE *file;
	char *text; /* the line last read */
	size_t size;
};

static void log_close(struct log_file *l)
{
	if (l->file)
		(void)fclose(l->file);
	free(l->text);
	*l = (struct log_file){ 0 };
}

static bool log_open(struct log_file *l, const struct console *c, const char *program,
		     struct error *err)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "audit/%s.jsonl", program);

	l->file = path ? fopen(path, "re") : NULL;
	return l->file || error_errno(err, "cannot read %s", path ? path : program);
}

/* The next whole line as JSON, NULL for one that is none; false at the end, where the
 * beginning of a line that is being written waits for its end. */
static bool log_next(struct log_file *l, json_t **ret)
{
	struct error no_json = ERROR_INIT;
	ssize_t n = getline(&l->text, &l->size, l->file);

	if (n <= 0)
		return false;
	if (l->text[n - 1] != '\n') {
		(void)fseek(l->file, -(long)n, SEEK_CUR);
		return false;
	}
	*ret = json_parse(l->text, (size_t)n, JSON_SYNTAX, &no_json);
	return true;
}

/* Lines of one log: the last 'last' (0: all), only those about 'approval' if given.
 * Where it ended goes to 'ret_end'. */
static bool read_log(const struct console *c, const char *program, const char *approval,
		     size_t last, struct lines *ret, long *ret_end, struct error *err)
{
	_cleanup_(log_close) struct log_file log = { 0 };
	size_t first = ret->count;
	json_t *next;

	if (!log_open(&log, c, program, err))
		return false;
	while (log_next(&log, &next)) {
		json_auto_t *line = next;

		if (!line || (approval && !concerns(line, approval)))
			continue;
		if (!lines_add(ret, line))
			return error_oom(err);
		if (last && ret->count - first > last) {
			json_decref(ret->v[first].json);
			ret->count--;
			memmove(ret->v + first, ret->v + first + 1,
				(ret->count - first) * sizeof *ret->v);
		}
	}
	*ret_end = ftell(log.file);
	return true;
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

static int print_lines(const struct console *c, struct lines *l)
{
	if (l->count > 1)
		qsort(l->v, l->count, sizeof *l->v, by_time);
	for (size_t i = 0; i < l->count; i++)
		print_line(c, l->v[i].json);
	return EXIT_DONE;
}

static void print_new(const struct console *c, struct log_file *log)
{
	json_t *next;

	while (log_next(log, &next)) {
		json_auto_t *line = next;

		if (line)
			print_line(c, line);
	}
	clearerr(log->file);
}

struct followed {
	struct log_file log[CHAINS_MAX];
};

static void followed_done(struct followed *f)
{
	for (size_t i = 0; i < CHAINS_MAX; i++)
		log_close(&f->log[i]);
}

/* Until somebody ends us, or nobody reads any more; on from where reading ended. */
static int follow(const struct console *c, const struct chains *p, const char *only,
		  const long *ends)
{
	_cleanup_(followed_done) struct followed f = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		struct error skipped = ERROR_INIT;

		if ((!only || strcmp(only, p->program[i]) == 0) &&
		    log_open(&f.log[i], c, p->program[i], &skipped))
			(void)fseek(f.log[i].file, ends[i], SEEK_SET);
	}
	while (!ferror(stdout)) {
		for (size_t i = 0; i < p->count; i++)
			if (f.log[i].file)
				print_new(c, &f.log[i]);
		(void)usleep(FOLLOW_MS * 1000);
	}
	return EXIT_FAILED;
}

static bool has_program(const struct chains *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->program[i], name) == 0)
			return true;
	return false;
}

static int tail(struct console *c, const struct audit_options *o, const char *only)
{
	struct error err = ERROR_INIT;
	struct chains p;
	_cleanup_(lines_done) struct lines lines = { 0 };
	long ends[CHAINS_MAX] = { 0 };

	if (!chains_list(c->dir, &p, &err))
		return console_fail(c, &err);
	if (only && !has_program(&p, only)) {
		error_set(&err, ERR_NOT_FOUND, "there is no log of '%s'", only);
		return console_fail(c, &err);
	}
	for (size_t i = 0; i < p.count; i++)
		if ((!only || strcmp(only, p.program[i]) == 0) &&
		    !read_log(c, p.program[i], NULL, (size_t)o->lines, &lines, &ends[i],
			      &err))
			return console_fail(c, &err);
	(void)print_lines(c, &lines);
	return o->follow ? follow(c, &p, only, ends) : EXIT_DONE;
}

static int story(struct console *c, const char *approval)
{
	struct error err = ERROR_INIT;
	struct chains p;
	_cleanup_(lines_done) struct lines lines = { 0 };
	long end;

	if (!chains_list(c->dir, &p, &err))
		return console_fail(c, &err);
	for (size_t i = 0; i < p.count; i++)
		if (!read_log(c, p.program[i], approval, 0, &lines, &end, &err))
			return console_fail(c, &err);
	if (lines.count == 0) {
		error_set(&err, ERR_NOT_FOUND, "no log speaks of the approval '%s'",
			  approval);
		return console_fail(c, &err);
	}
	return print_lines(c, &lines);
}

/* --- verify ----------------------------------------------------------------- */

static void print_report(const struct console *c, const char *program,
			 const struct audit_report *r)
{
	if (c->json) {
		json_auto_t *line = json_pack(
			"{s:s, s:b, s:b, s:I, s:I, s:s, s:s, s:I}", "program", program,
			"sound", r->sound, "end_proven", r->end_proven, "lines",
			(json_int_t)r->lines, "checkpoints", (json_int_t)r->checkpoints,
			"head", r->last_hash, "finding", r->finding, "finding_line",
			(json_int_t)r->finding_line);

		console_print_json(line);
		return;
	}
	if (!r->sound) {
		printf("%s: %sBROKEN%s at line %lld: ", program, console_red(c),
		       console_plain(c), (long long)r->finding_line);
		console_print_visible(r->finding);
		return;
	}
	printf("%s: %ssound%s, %lld lines, %lld checkpoints, %s (head %.12s)\n", program,
	       console_green(c), console_plain(c), (long long)r->lines,
	       (long long)r->checkpoints, r->end_proven ? "end proven" : "end not proven",
	       r->last_hash);
}

struct verdict {
	const struct console *console;
	int status;
};

static void on_verdict(void *context, const char *program, const struct audit_report *r,
		       const struct error *err)
{
	struct verdict *v = context;

	if (error_is_set(err)) {
		v->status = console_fail(v->console, err);
		return;
	}
	print_report(v->console, program, r);
	if (!r->sound)
		v->status = EXIT_FAILED;
}

static int verify(struct console *c)
{
	struct error err = ERROR_INIT;
	struct chains chains;
	struct verdict v = { c, EXIT_DONE };

	if (!chains_list(c->dir, &chains, &err))
		return console_fail(c, &err);
	chains_verify(c->dir, &chains, on_verdict, &v);
	if (chains.count == 0 && !c->json)
		printf("there is no log yet\n");
	return v.status;
}

static int run(struct console *c, int argc, char **argv)
{
	struct audit_options o = { .lines = TAIL_LINES };
	struct error err = ERROR_INIT;
	int operands = 0;
	const char *verb, *id;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_audit, err.message);
	if (o.lines < 1 || o.lines > 1000000)
		return console_usage(c, &command_audit, "--lines takes 1 to 1000000");
	verb = operands > 0 ? argv[1] : "tail";
	id = operands > 1 ? argv[2] : NULL;
	if (strcmp(verb, "tail") == 0)
		return tail(c, &o, id);
	if (strcmp(verb, "show") == 0 && id)
		return story(c, id);
	if (strcmp(verb, "verify") == 0 && !id)
		return verify(c);
	return console_usage(c, &command_audit, "say tail, show ID or verify");
}

const struct command command_audit = {
	"audit", "audit [tail [PROGRAM] [--lines N] [--follow] | show ID | verify]",
	"Read the audit logs, prove that nobody changed them, tell one approval's story.",
	run
};
