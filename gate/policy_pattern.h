/*
 * policy_pattern -- what a rule says of one argument: private to policy.
 *
 *   {is: [value, …]} | {prefix: text} | {glob: text} | {min: n, max: n}, and items: every|any
 *
 * Patterns judge the values of the canonical arguments, byte for byte and without
 * case folding. In a glob '*' stands for any run of characters, '?' for one, and a
 * backslash takes the next literally; matching takes time proportional to the two
 * lengths multiplied, at most POLICY_TEXT_MAX * POLICY_VALUE_MAX steps. 'min' and 'max'
 * are numbers, or durations ("8h") for arguments that are durations. Of a list every
 * item must match, unless 'items' is any; an empty list matches nothing.
 *
 * What cannot be judged (an argument that is absent, a value too long, of another
 * type than the range) never matches a rule that lets something happen and always
 * matches one that refuses: a doubt is no yes.
 */
#ifndef GATE_POLICY_PATTERN_H
#define GATE_POLICY_PATTERN_H

#include "base/config.h"

enum {
	POLICY_PATTERNS_MAX = 16, /* of one rule */
	POLICY_TEXT_MAX = 128,    /* bytes of a prefix or glob */
	POLICY_VALUE_MAX = 1024,  /* bytes of a text that is judged by one */
};

struct policy_pattern {
	char argument[65];
	json_t *is; /* array, or NULL; own reference */
	char prefix[POLICY_TEXT_MAX + 1], glob[POLICY_TEXT_MAX + 1]; /* "": none */
	bool has_min, has_max;
	bool is_duration; /* min and max are milliseconds */
	double min, max;
	bool any;
};

/* 'json' has been judged by the schema; ERR_INVALID_ARGUMENT says what is wrong besides. */
bool policy_pattern_read(const char *argument, const json_t *json,
			 struct policy_pattern *ret, struct error *err);
void policy_pattern_done(struct policy_pattern *p);

/* 'arguments' may be NULL: nothing is known of them. 'refuses': the rule does. */
bool policy_pattern_matches(const struct policy_pattern *p, const json_t *arguments,
			    bool refuses);

/* Whether 'text' is as 'glob' says. */
bool policy_glob_matches(const char *glob, const char *text);

#endif
