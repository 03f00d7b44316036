/* wingman doctor: what is wrong here, and what to do about it. */
#include "console/doctor.h"

static const char *const levels[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "FAIL",
};

void doctor_say(struct doctor *d, enum doctor_level level, const char *check,
		const char *remedy, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
	json_t *finding;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&detail, format, args);
	va_end(args);
	d->count[level]++;
	finding = json_pack("{s:s, s:s, s:s}", "check", check, "level",
			    level == DOCTOR_FAIL ? "fail" : levels[level], "detail",
			    detail.data);
	if (!finding)
		finding = json_pack("{s:s, s:s, s:s}", "check", check, "level", "fail",
				    "detail", "found something that is no text");
	if (finding && remedy)
		(void)json_object_set_new(finding, "remedy", json_string(remedy));
	(void)json_array_append_new(d->findings, finding);
}

static const char *colour(const struct doctor *d, const char *level)
{
	if (strcmp(level, "ok") == 0)
		return console_green(d->console);
	return strcmp(level, "warn") == 0 ? console_yellow(d->console)
					  : console_red(d->console);
}

static void print_findings(const struct doctor *d)
{
	size_t i;
	json_t *finding;

	json_array_foreach(d->findings, i, finding)
	{
		const char *level = console_member(finding, "level");
		const char *remedy = json_get_string(finding, "remedy");

		printf("%s%-4s%s  %-9s ", colour(d, level), level,
		       console_plain(d->console), console_member(finding, "check"));
		console_print_visible(console_member(finding, "detail"));
		if (remedy) {
			printf("                 -> ");
			console_print_visible(remedy);
		}
	}
	printf("%zu ok, %zu to look at, %zu wrong\n", d->count[DOCTOR_OK],
	       d->count[DOCTOR_WARN], d->count[DOCTOR_FAIL]);
}

static int run(struct console *c, int argc, char **argv)
{
	static void (*const checks[])(struct doctor *) = {
		doctor_folders, doctor_audit,   doctor_gate,
		doctor_servers, doctor_machine, doctor_programs,
	};
	json_auto_t *findings = json_array();
	struct doctor d = { .console = c, .findings = findings };
	struct error err = ERROR_INIT;

	const bool slack = argc == 2 && strcmp(argv[1], "slack") == 0;

	if (argc > 1 && !slack)
		return console_usage(c, &command_doctor,
				     "doctor takes 'slack', or no argument");
	if (!statedir_require(c->dir, &err)) {
		doctor_say(&d, DOCTOR_FAIL, "folder", err.hint, "%s", err.message);
		doctor_machine(&d);
	} else if (slack) {
		doctor_slack(&d);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			checks[i](&d);
	}
	if (c->json)
		console_print_json(findings);
	else
		print_findings(&d);
	return d.count[DOCTOR_FAIL] ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_doctor = {
	"doctor", "doctor [slack]",
	"Check folder, gate, servers, logs and machine, or Slack; say what to do.", run
};
