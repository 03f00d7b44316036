/* wingman audit show: one approval from proposal to read-back, over all logs. */
#include "console/audit.h"
#include "console/audit_merge.h"
#include "console/audit_words.h"

struct story {
	const struct console *console;
	const char *end; /* how it ended, as far as it was told */
	size_t lines;
	bool is_told; /* by the gate */
};

static bool concerns(const json_t *line, const char *approval)
{
	const char *id = json_get_string(json_object_get(line, "data"), "approval");
	size_t length = strlen(approval);

	/* Of a decision on several calls (<id>) the calls' own lines (<id>-<n>), too. */
	return id && strncmp(id, approval, length) == 0 &&
	       (id[length] == '\0' || id[length] == '-');
}

static void tell_json(const struct audit_merged *line)
{
	_cleanup_strbuf_ struct strbuf says = STRBUF_INIT;

	audit_words_add(&says, line->json);
	json_auto_t *told = json_pack("{s:s, s:s, s:s, s:s%, s:O}", "at", line->at,
				      "program", console_member(line->json, "program"),
				      "event", console_member(line->json, "event"),
				      "says", says.data ? says.data : "", says.length,
				      "line", (json_t *)(uintptr_t)line->json);
	if (told)
		console_print_json(told);
}

/* The day once; then the time of each. */
static void tell(const struct audit_merged *line)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const size_t day = strcspn(line->at, "T");

	if (line->at[day] == 'T')
		strbuf_add_format(&text, "%.*s %.12s  ", (int)day, line->at,
				  line->at + day + 1);
	strbuf_add_format(&text, "%-9s ", console_member(line->json, "program"));
	audit_words_add(&text, line->json);
	if (strbuf_ok(&text))
		console_print_visible(text.data);
}

static void note_end(struct story *s, const json_t *line)
{
	const char *event = console_member(line, "event"), *end = audit_words_end(line);
	const json_t *data = json_object_get(line, "data");

	/* Of two that end it at one moment the gate, which is told, has the last word. */
	if (end && !(s->is_told && strcmp(event, "call.started") == 0))
		s->end = end;
	if (strcmp(event, "call.finished") == 0) {
		if (!s->is_told)
			s->end = "its server says how it ended, and the gate has not "
				 "heard";
	}
	if (strcmp(event, "approval.succeeded") == 0 && !s->is_told) {
		const json_t *verified = json_object_get(data, "verified");

		s->end = json_is_true(verified) ? "it was done, and read back"
			 : json_is_false(verified)
				 ? "it was said to be done, and reading "
				   "it back did not show it"
				 : "it was done";
	}
	if (strcmp(event, "approval.succeeded") == 0 ||
	    strcmp(event, "approval.failed") == 0 ||
	    strcmp(event, "approval.unknown") == 0)
		s->is_told = true;
}

static int tell_all(struct story *s, struct audit_merge *merge, const char *approval)
{
	struct audit_merged line;

	while (audit_merge_next(merge, &line)) {
		if (!concerns(line.json, approval))
			continue;
		s->lines++;
		note_end(s, line.json);
		if (s->console->json)
			tell_json(&line);
		else
			tell(&line);
	}
	if (s->lines > 0 && !s->console->json)
		printf("%sIn the end: %s.%s\n", console_bold(s->console),
		       s->end ? s->end : "nothing of an end is told",
		       console_plain(s->console));
	return s->lines > 0 ? EXIT_DONE : EXIT_FAILED;
}

int audit_story(struct console *c, const char *approval, const char *folder)
{
	struct error err = ERROR_INIT;
	struct story s = { .console = c };
	_cleanup_free_ char *path = audit_folder(c, folder, &err);
	_cleanup_(audit_merge_closep) struct audit_merge *merge =
		path ? audit_merge_open(path, NULL, &err) : NULL;

	if (!merge)
		return console_fail(c, &err);
	audit_merge_want(merge, approval);
	if (tell_all(&s, merge, approval) == EXIT_DONE)
		return EXIT_DONE;
	error_set(&err, ERR_NOT_FOUND, "no log speaks of the approval '%s'", approval);
	error_hint(&err, "if it is old, its files may have been moved away: name their "
			 "folder behind the id");
	return console_fail(c, &err);
}
