/*
 * site -- what the scenarios of chaos-test.c work on, and what they achieve.
 *
 * A scenario is a function of ours from beginning to end: it says true when all of it was
 * done, and puts down what came of it, so that two runs can be compared; else 'err' says why.
 */
#ifndef TESTS_CHAOS_SITE_H
#define TESTS_CHAOS_SITE_H

#include "base/config.h"
#include "base/statedir.h"
#include "base/testing.h"
#include "guard/grant.h"
#include "guard/plan.h"
#include "guard/testing_keys.h"
#include "mcp/definition.h"
#include "wire/schema.h"

enum { OUTCOME_MAX = 64 * 1024, NOW_S = 1800000000 };

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "3333333333333333333333333333333333333333333333333333333333333333"

/* What a scenario achieved, without memory of its own. */
struct outcome {
	char text[OUTCOME_MAX];
	size_t length;
};

void put(struct outcome *o, const char *bytes, size_t length);
void put_text(struct outcome *o, const char *text);

struct site {
	struct keys *keys;
	struct statedir *dir;
	char token_index[TESTING_PATH_BYTES + 16];
	struct secret *token;
	struct secret *seal_key;
	struct schema_set *schemas; /* knows the metaschemas already */
	json_t *schema, *good, *bad;
	json_t *arguments, *state, *data, *plan;
	json_t *persons, *team, *request;
	json_t *hosts, *people, *result;
	struct config *policy_file;
	struct tool_definition *tool;
	struct grant grant;
};

typedef bool scenario(const struct site *s, struct outcome *o, struct error *err);

/* For a group of tests; the site is their state. */
int site_set_up(void **state);
int site_tear_down(void **state);
struct plan *build_plan(const struct site *s, struct error *err) _must_use_;

/* scenarios_base.c, scenarios_guard.c, scenarios_gate.c */
scenario parse_and_write, read_configuration, make_text_visible, find_state_folder,
	compile_and_judge, find_fault, read_message, make_plan, sign_and_check_grant,
	sign_and_check_ticket, seal_and_open_state, read_keys, find_caller,
	accept_arguments, show_prompt, draw_prompt, draw_markdown, draw_result,
	judge_by_policy;

#endif
