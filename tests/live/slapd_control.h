/*
 * slapd_control -- a test program asks tests/slapd.py for faults of its directory.
 */
#ifndef TESTS_LIVE_SLAPD_CONTROL_H
#define TESTS_LIVE_SLAPD_CONTROL_H

#include "base/cleanup.h"

static inline const char *slapd_env(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "%s is not set: run me from the Python test\n", name);
		exit(1);
	}
	return value;
}

/* "pause", "resume", "stop", "start", "restart"; back when it has happened. */
static inline void slapd_control(const char *word)
{
	int ask = (int)strtol(slapd_env("SLAPD_ASK"), NULL, 10);
	int told = (int)strtol(slapd_env("SLAPD_TOLD"), NULL, 10);
	char byte;

	if (dprintf(ask, "%s\n", word) < 0 || read(told, &byte, 1) != 1)
		exit(1);
}

#endif
