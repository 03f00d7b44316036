/*
 * complete -- what the word before the cursor may become. Pure.
 */
#ifndef CONSOLE_COMPLETE_H
#define CONSOLE_COMPLETE_H

#include "base/json.h"

enum { COMPLETE_MAX = 256 };

/* What words of a kind there are. */
enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_COMMAND,
	COMPLETE_TOOL,
	COMPLETE_SERVER,
	COMPLETE_ID
};

struct complete_command {
	const char *name; /* "/call" */
	enum complete_kind operand;
};

struct complete_source {
	const struct complete_command *commands;
	size_t command_count;
	const json_t *servers;   /* as the gate lists them; may be NULL */
	const json_t *approvals; /* summaries; may be NULL */
};

struct complete_result {
	char *word[COMPLETE_MAX]; /* sorted, without duplicates */
	size_t count;
	size_t typed;  /* bytes of the word before the cursor that they continue */
	size_t common; /* bytes that all of them begin with */
};

/* 'line' ends at the cursor. Names that are no plain ASCII are not offered. */
void complete_line(const struct complete_source *source, const char *line,
		   struct complete_result *ret);
void complete_done(struct complete_result *r);

#endif
