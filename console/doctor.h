/*
 * doctor -- the checklist of 'wingman doctor'; each check says what it found and,
 * where something is wrong, what to do about it.
 */
#ifndef CONSOLE_DOCTOR_H
#define CONSOLE_DOCTOR_H

#include "console/console.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	const struct console *console;
	json_t *findings; /* array of {check, level, detail, remedy?} */
	size_t count[DOCTOR_FAIL + 1];
};

/* 'remedy' is an imperative sentence, or NULL. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *check,
		const char *remedy, const char *format, ...) _printf_(5, 6);

void doctor_folders(struct doctor *d); /* folders, keys, tokens */
void doctor_audit(struct doctor *d);   /* logs verify and can be written */
void doctor_gate(
	struct doctor *d); /* answers, knows you, trusts its key; servers' pins */
void doctor_servers(struct doctor *d);  /* /healthz and /readyz of each */
void doctor_machine(struct doctor *d);  /* disk, clock, kernel */
void doctor_programs(struct doctor *d); /* the programs are of one version */

/* wingman doctor slack: what stands in config/slack.yaml, what Slack says to its tokens, and
 * whether what Slack sends would arrive. Asks Slack, and nobody else outside. */
void doctor_slack(struct doctor *d);
/* Of it, what Slack says. 'root' is that of config/slack.yaml. */
void doctor_slack_api(struct doctor *d, const json_t *root);

#endif
