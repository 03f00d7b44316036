/* wingman audit export: lines of all logs, as they are, in the order of time. */
#include "base/clock.h"
#include "console/audit.h"
#include "console/audit_merge.h"
#include "console/syslog.h"

enum { FOLLOW_MS = 200 };

struct export
{
	const struct console *console;
	struct audit_merge *merge;
	struct syslog *syslog; /* NULL: stdout */
	char since[CLOCK_TEXT_BYTES];
	bool is_terminal;
};

/* As the logs write it, so that text can be compared. */
bool audit_read_since(const char *text, char ret[static CLOCK_TEXT_BYTES],
		      struct error *err)
{
	struct error no_duration = ERROR_INIT;
	int64_t ms;

	if (clock_parse_duration(text, &ms, &no_duration))
		ms = clock_wall_ms() - ms;
	else if (!clock_parse(text, &ms, err))
		return error_hint(err,
				  "like 2026-11-22T10:00:00Z, or 2h for the last two "
				  "hours");
	(void)clock_format_ms(ms, ret);
	return true;
}

static bool hand_on(struct export *e, const struct audit_merged *line, struct error *err)
{
	if (e->syslog)
		return syslog_send(e->syslog, line->json, line->text, err);
	/* A terminal is given nothing that could move it. */
	if (e->is_terminal)
		console_print_json(line->json);
	else if (puts(line->text) < 0)
		return error_errno(err, "cannot write");
	return true;
}

static bool hand_all_on(struct export *e, struct error *err)
{
	struct audit_merged line;

	while (audit_merge_next(e->merge, &line)) {
		if (strcmp(line.at, e->since) < 0)
			continue;
		if (!hand_on(e, &line, err)) {
			error_hint(err, "begin again with --since %s", line.at);
			return false;
		}
	}
	return true;
}

static int export_lines(struct export *e, bool is_followed)
{
	struct error err = ERROR_INIT;

	do {
		if (!hand_all_on(e, &err))
			return console_fail(e->console, &err);
		if (fflush(stdout) != 0 || ferror(stdout))
			return EXIT_FAILED;
		if (is_followed)
			(void)usleep(FOLLOW_MS * 1000);
	} while (is_followed);
	return EXIT_DONE;
}

int audit_export(struct console *c, const struct audit_options *o, const char *folder)
{
	struct error err = ERROR_INIT;
	struct export e = { .console = c, .is_terminal = isatty(STDOUT_FILENO) };
	_cleanup_free_ char *path = audit_folder(c, folder, &err);
	_cleanup_(syslog_closep) struct syslog *syslog = NULL;
	_cleanup_(audit_merge_closep) struct audit_merge *merge = NULL;

	if (!path || (o->since && !audit_read_since(o->since, e.since, &err)))
		return console_fail(c, &err);
	if (o->syslog && !(syslog = syslog_open(o->syslog, &err)))
		return console_fail(c, &err);
	if (!(merge = audit_merge_open(path, o->program, &err)))
		return console_fail(c, &err);
	e.merge = merge;
	e.syslog = syslog;
	return export_lines(&e, o->follow);
}
