/*
 * testing_execute -- one planned call of the fixture server, for the tests of what a grant does.
 *
 * For *-test.c alone: setup and teardown by WITH_CASE.
 */
#ifndef MCP_TESTING_EXECUTE_H
#define MCP_TESTING_EXECUTE_H

#include "base/testing.h"
#include "fixture/rig.h"

#define PUT  "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"
#define ECHO "{\"text\":\"hi\"}"

struct plan_case {
	struct rig rig;
	struct grant grant;
	char *state;
};

static inline int case_set_up(void **state)
{
	struct plan_case *c = calloc(1, sizeof *c);

	rig_open(&c->rig);
	rig_config(&c->rig, "freed_reads: [echo_text]\nrights: {'*': [read, write], "
			    "mallory@example.org: []}\nrefuse_emergency: [put_value]\n");
	rig_start(&c->rig);
	*state = c;
	return 0;
}

static inline int case_tear_down(void **state)
{
	struct plan_case *c = *state;

	rig_close(&c->rig);
	free(c->state);
	free(c);
	return 0;
}

static inline void plan(struct plan_case *c)
{
	free(c->state);
	rig_plan(&c->rig, PUT, &c->grant, &c->state);
}

static inline struct answer present(const struct plan_case *c)
{
	return rig_present(&c->rig, &c->grant, c->rig.key, PUT, c->state);
}

/* Refused with this code, and nothing was done. */
static inline void assert_refused(const struct plan_case *c, struct answer a,
				  const char *code)
{
	_cleanup_free_ char *value = rig_read(&c->rig, "fixture/values/colour");

	if (strcmp(answer_code(&a), code) != 0)
		print_message("# %d %s\n", a.status, a.text);
	assert_string_equal(answer_code(&a), code);
	assert_int_equal(rig_runs(&c->rig), 0);
	assert_string_equal(value, "");
	answer_done(&a);
}

static inline struct answer ask(const struct plan_case *c, const struct secret *token,
				const char *member, const char *value)
{
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;
	struct error err = ERROR_INIT;

	strbuf_add_string(&meta, ",\"" META_GRANT "\":\"");
	assert_true(grant_sign(&meta, &c->grant, c->rig.key, &err));
	strbuf_add_format(&meta, "\",\"%s\":%s", member, value);
	return rig_call(&c->rig, token, "put_value", PUT, meta.data,
			token == c->rig.gate ? c->state : NULL);
}

static inline struct answer look(const struct plan_case *c, const struct secret *token,
				 const char *value)
{
	return ask(c, token, META_LOOK, value);
}

static inline void assert_told(struct answer a, const char *state)
{
	const json_t *error = json_object_get(
		json_object_get(answer_result(&a), "structuredContent"), "error");

	if (strcmp(answer_code(&a), "approval_invalid") != 0)
		print_message("# %d %s\n", a.status, a.text);
	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_string_equal(json_get_string(json_object_get(error, "details"), "state"),
			    state);
	answer_done(&a);
}

#define WITH_CASE(test) cmocka_unit_test_setup_teardown(test, case_set_up, case_tear_down)

#endif
