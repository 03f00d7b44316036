/* Resources, prompts, completion and pages, over real HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "fixture/fixture.h"
#include "fixture/rig.h"

static struct rig rig;

static const char CONFIG[] =
	"freed_reads: [echo_text]\n"
	"freed_resources: ['fixture://text', 'fixture://bytes', "
	"'fixture://values/{key}', 'fixture://files/{+path}']\n"
	"freed_prompts: [greet_person]\n"
	"rights: {'alice@example.org': [read, write], 'bob@example.org': []}\n"
	"limits: {page_size: 2}\n";

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_config(&rig, CONFIG);
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static struct answer ask(const char *method, const char *name, const char *params)
{
	return rig_ask(&rig, rig.alice, method, name, params, NULL);
}

static struct answer read_uri(const char *uri)
{
	char params[512];

	(void)snprintf(params, sizeof params, "\"uri\":\"%s\"", uri);
	return ask("resources/read", uri, params);
}

static int64_t code_of(const struct answer *a)
{
	return json_get_int64(json_object_get(a->body, "error"), "code", 0);
}

static const json_t *data_of(const struct answer *a)
{
	return json_object_get(json_object_get(a->body, "error"), "data");
}

static const char *word_of(const struct answer *a)
{
	return json_get_string(json_object_get(data_of(a), "error"), "code") ?: "";
}

static const json_t *content_of(const struct answer *a)
{
	return json_array_get(json_object_get(answer_result(a), "contents"), 0);
}

static void what_there_is_is_advertised(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = ask("server/discover", NULL, "");
	const json_t *can = json_object_get(answer_result(&a), "capabilities");

	assert_non_null(json_object_get(can, "resources"));
	assert_non_null(json_object_get(can, "prompts"));
	assert_non_null(json_object_get(can, "completions"));
}

static void resources_are_read(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer text = read_uri("fixture://text");
	assert_string_equal(json_get_string(content_of(&text), "text"), "a text");
	assert_string_equal(json_get_string(content_of(&text), "uri"), "fixture://text");
	assert_int_equal(json_get_int64(answer_result(&text), "ttlMs", -1), 5000);
	assert_string_equal(json_get_string(answer_result(&text), "cacheScope"),
			    "public");
	_cleanup_answer_ struct answer bytes = read_uri("fixture://bytes");
	assert_string_equal(json_get_string(content_of(&bytes), "blob"), "AAH/");
	assert_string_equal(json_get_string(answer_result(&bytes), "cacheScope"),
			    "private");
	assert_int_equal(json_get_int64(answer_result(&bytes), "ttlMs", -1), 0);
	_cleanup_answer_ struct answer path = read_uri("fixture://files/a/b%20c");
	assert_string_equal(json_get_string(content_of(&path), "text"), "a/b c");
	assert_int_equal(rig_count_audit(&rig, "call.free_read"), 3);
}

/* S-42 */
static void what_is_missing_is_an_error_with_its_uri(void **state)
{
	static const char *const uris[] = {
		"fixture://nothing",         "fixture://values/nope",
		"fixture://values/..",       "fixture://values/%2e%2e%2fetc",
		"fixture://files/a/../../b", "fixture://text/",
		"file:///etc/passwd",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		_cleanup_answer_ struct answer a = read_uri(uris[i]);
		assert_int_equal(a.status, 200);
		if (code_of(&a) != -32602)
			print_message("# %s\n", a.text);
		assert_int_equal(code_of(&a), -32602);
		assert_string_equal(json_get_string(data_of(&a), "uri"), uris[i]);
	}
	_cleanup_answer_ struct answer none = ask("resources/read", NULL, "");
	assert_int_equal(code_of(&none), -32602);
}

static void what_is_not_freed_needs_a_person(void **state)
{
	(void)state;
	size_t before = rig_count_audit(&rig, "call.free_read");
	_cleanup_answer_ struct answer r = read_uri("fixture://kept");
	assert_int_equal(code_of(&r), 1);
	assert_string_equal(word_of(&r), "approval_required");
	_cleanup_answer_ struct answer p =
		ask("prompts/get", "kept_prompt", "\"name\":\"kept_prompt\"");
	assert_string_equal(word_of(&p), "approval_required");
	_cleanup_answer_ struct answer gate = rig_ask(&rig, rig.gate, "resources/read",
						      "fixture://text",
						      "\"uri\":\"fixture://text\"", NULL);
	assert_string_equal(word_of(&gate), "approval_required");
	_cleanup_answer_ struct answer c =
		ask("completion/complete", NULL,
		    "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"kept_prompt\"},"
		    "\"argument\":{\"name\":\"x\",\"value\":\"\"}");
	assert_int_equal(code_of(&c), -32602); /* it has no arguments at all */
	assert_int_equal(rig_count_audit(&rig, "call.free_read"), before);
}

static void rights_hold_for_context_too(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_ask(&rig, rig.bob, "resources/read",
						   "fixture://text",
						   "\"uri\":\"fixture://text\"", NULL);
	assert_string_equal(word_of(&a), "permission_denied");
	_cleanup_answer_ struct answer l =
		rig_ask(&rig, rig.bob, "resources/list", NULL, "", NULL);
	assert_string_equal(word_of(&l), "permission_denied");
}

static void prompts_are_got(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a =
		ask("prompts/get", "greet_person",
		    "\"name\":\"greet_person\",\"arguments\":{\"name\":\"Ada\"}");
	const json_t *messages = json_object_get(answer_result(&a), "messages");

	assert_int_equal(json_array_size(messages), 3);
	assert_string_equal(
		json_get_string(json_object_get(json_array_get(messages, 0), "content"),
				"text"),
		"Hello Ada, kindly.");
	assert_string_equal(json_get_string(answer_result(&a), "description"),
			    "A greeting.");
}

static void prompts_with_bad_arguments_are_refused(void **state)
{
	static const char *const bad[] = {
		"\"name\":\"greet_person\"",
		"\"name\":\"greet_person\",\"arguments\":{\"name\":7}",
		"\"name\":\"greet_person\",\"arguments\":[]",
		"\"name\":\"greet_person\",\"arguments\":{\"tone\":\"x\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_answer_ struct answer a =
			ask("prompts/get", "greet_person", bad[i]);
		assert_int_equal(code_of(&a), -32602);
	}
	_cleanup_answer_ struct answer unknown =
		ask("prompts/get", "no_prompt", "\"name\":\"no_prompt\"");
	assert_int_equal(code_of(&unknown), -32602);
}

#define COMPLETE(ref, argument) "\"ref\":{" ref "},\"argument\":{" argument "}"
#define PROMPT_REF              "\"type\":\"ref/prompt\",\"name\":\"greet_person\""
#define TEMPLATE_REF            "\"type\":\"ref/resource\",\"uri\":\"fixture://values/{key}\""

/* S-48 */
static void completion_has_at_most_100_values(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a =
		ask("completion/complete", NULL,
		    COMPLETE(TEMPLATE_REF, "\"name\":\"key\",\"value\":\"k\""));
	const json_t *c = json_object_get(answer_result(&a), "completion");

	assert_int_equal(json_array_size(json_object_get(c, "values")), 100);
	assert_int_equal(json_get_int64(c, "total", 0), 150);
	assert_true(json_is_true(json_object_get(c, "hasMore")));
	_cleanup_answer_ struct answer p = ask(
		"completion/complete", NULL,
		COMPLETE(PROMPT_REF, "\"name\":\"name\",\"value\":\"A\"") ",\"context\":{"
									  "\"arguments\":"
									  "{\"tone\":"
									  "\"loud\"}}");
	const json_t *values = json_object_get(
		json_object_get(answer_result(&p), "completion"), "values");
	assert_int_equal(json_array_size(values), 3);
	assert_string_equal(json_string_value(json_array_get(values, 2)), "loud");
}

static void completion_of_nothing_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		COMPLETE("\"type\":\"ref/tool\"", "\"name\":\"x\",\"value\":\"\""),
		COMPLETE("\"type\":\"ref/prompt\",\"name\":\"nope\"",
			 "\"name\":\"x\",\"value\":\"\""),
		COMPLETE(PROMPT_REF, "\"name\":\"nope\",\"value\":\"\""),
		COMPLETE(PROMPT_REF, "\"name\":\"name\""),
		COMPLETE(PROMPT_REF, "\"name\":\"name\",\"value\":7"),
		COMPLETE(TEMPLATE_REF, "\"name\":\"nope\",\"value\":\"\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_answer_ struct answer a =
			ask("completion/complete", NULL, bad[i]);
		assert_int_equal(code_of(&a), -32602);
	}
}

/* S-24 */
static void what_may_be_cached_says_how_long(void **state)
{
	static const char *const methods[] = {
		"server/discover",          "tools/list",   "resources/list",
		"resources/templates/list", "prompts/list", "resources/read",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		bool is_read = strcmp(methods[i], "resources/read") == 0;
		_cleanup_answer_ struct answer a =
			ask(methods[i], is_read ? "fixture://text" : NULL,
			    is_read ? "\"uri\":\"fixture://text\"" : "");
		const json_t *r = answer_result(&a);
		const char *scope = json_get_string(r, "cacheScope") ?: "";

		assert_true(json_is_integer(json_object_get(r, "ttlMs")));
		assert_true(json_get_int64(r, "ttlMs", -1) >= 0);
		assert_true(strcmp(scope, "public") == 0 ||
			    strcmp(scope, "private") == 0);
	}
}

static size_t count_pages(const char *method, const char *member, size_t *ret_pages)
{
	char params[256] = "", scope[16] = "";
	size_t entries = 0;

	for (*ret_pages = 0; *ret_pages < 10;) {
		_cleanup_answer_ struct answer a = ask(method, NULL, params);
		const json_t *r = answer_result(&a);
		const char *next = json_get_string(r, "nextCursor");

		assert_non_null(r);
		/* S-25 */
		if (*ret_pages == 0)
			(void)snprintf(scope, sizeof scope, "%s",
				       json_get_string(r, "cacheScope"));
		assert_string_equal(json_get_string(r, "cacheScope"), scope);
		assert_true(json_array_size(json_object_get(r, member)) <= 2);
		entries += json_array_size(json_object_get(r, member));
		++*ret_pages;
		if (!next)
			break;
		(void)snprintf(params, sizeof params, "\"cursor\":\"%s\"", next);
	}
	return entries;
}

/* S-47 */
static void lists_come_by_pages(void **state)
{
	size_t pages;

	(void)state;
	assert_true(count_pages("tools/list", "tools", &pages) >= 5);
	assert_true(pages >= 3);
	/* three declared, and three that a freed template lists */
	assert_int_equal(count_pages("resources/list", "resources", &pages), 6);
	assert_int_equal(pages, 3);
	assert_int_equal(
		count_pages("resources/templates/list", "resourceTemplates", &pages), 2);
	assert_int_equal(pages, 1);
	assert_int_equal(count_pages("prompts/list", "prompts", &pages), 2);
}

static void bad_cursors_are_refused(void **state)
{
	static const char *const methods[] = { "tools/list", "resources/list",
					       "resources/templates/list",
					       "prompts/list" };
	static const char *const bad[] = { "\"cursor\":\"x\"", "\"cursor\":7",
					   "\"cursor\":null",
					   "\"cursor\":\"dG9vbHMvMi8w\"" };

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			_cleanup_answer_ struct answer a = ask(methods[m], NULL, bad[i]);
			assert_int_equal(a.status, 200);
			assert_int_equal(code_of(&a), -32602);
		}
		_cleanup_answer_ struct answer empty =
			ask(methods[m], NULL, "\"cursor\":\"\"");
		assert_non_null(answer_result(&empty));
	}
	/* A cursor is good for its own list. */
	_cleanup_answer_ struct answer a = ask("tools/list", NULL, "");
	char params[256];
	(void)snprintf(params, sizeof params, "\"cursor\":\"%s\"",
		       json_get_string(answer_result(&a), "nextCursor"));
	_cleanup_answer_ struct answer other = ask("resources/list", NULL, params);
	assert_int_equal(code_of(&other), -32602);
}

/* Freed for one: others need a person, for a list and a completion too. */
static void a_resource_is_freed_for_whom_it_says(void **state)
{
	static const char config[] =
		"freed_resources: ['fixture://text', 'fixture://values/{key}']\n"
		"freed_resources_for: ['bob@example.org']\n";
	static const char params[] = "\"uri\":\"fixture://text\"";
	struct rig other;

	(void)state;
	rig_open(&other);
	rig_config(&other, config);
	rig_start(&other);
	_cleanup_answer_ struct answer his = rig_ask(&other, other.bob, "resources/read",
						     "fixture://text", params, NULL);
	assert_string_equal(json_get_string(content_of(&his), "text"), "a text");
	_cleanup_answer_ struct answer hers = rig_ask(
		&other, other.alice, "resources/read", "fixture://text", params, NULL);
	assert_string_equal(word_of(&hers), "approval_required");
	_cleanup_answer_ struct answer list =
		rig_ask(&other, other.alice, "resources/list", NULL, "", NULL);
	assert_int_equal(
		json_array_size(json_object_get(answer_result(&list), "resources")), 3);
	_cleanup_answer_ struct answer typed =
		rig_ask(&other, other.alice, "completion/complete", NULL,
			"\"ref\":{\"type\":\"ref/resource\",\"uri\":"
			"\"fixture://values/{key}\"},"
			"\"argument\":{\"name\":\"key\",\"value\":\"\"}",
			NULL);
	assert_string_equal(word_of(&typed), "approval_required");
	rig_close(&other);
}

/* ---- The gate reads for a conversation ---- */

static struct answer gate_reads(const struct rig *of, const char *uri,
				const char *requester, const char *for_uri,
				const struct secret *token)
{
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;
	char params[128], arguments[128];

	(void)snprintf(params, sizeof params, "\"uri\":\"%s\"", uri);
	(void)snprintf(arguments, sizeof arguments, "{\"uri\":\"%s\"}", for_uri);
	if (requester) {
		strbuf_add_string(&meta, ",\"" META_REQUESTER "\":\"");
		rig_ticket(of, requester, "resources/read", arguments, &meta);
		strbuf_add_char(&meta, '"');
	}
	return rig_ask(of, token, "resources/read", uri, params,
		       requester ? meta.data : NULL);
}

static void the_gate_reads_as_who_asks(void **state)
{
	static const char uri[] = "fixture://text", other_uri[] = "fixture://bytes";
	static const char config[] =
		"freed_resources: ['fixture://text']\n"
		"freed_resources_for: ['bob@example.org']\n"
		"rights: {'bob@example.org': [read], 'alice@example.org': [read]}\n";
	struct rig other;

	(void)state;
	rig_open(&other);
	rig_config(&other, config);
	rig_start(&other);
	_cleanup_answer_ struct answer his =
		gate_reads(&other, uri, "bob@example.org", uri, other.gate);
	assert_string_equal(json_get_string(content_of(&his), "text"), "a text");
	/* Not freed for her; not for this read; by nobody else's hand; without a ticket. */
	_cleanup_answer_ struct answer hers =
		gate_reads(&other, uri, "alice@example.org", uri, other.gate);
	assert_string_equal(word_of(&hers), "approval_required");
	_cleanup_answer_ struct answer wrong =
		gate_reads(&other, uri, "bob@example.org", other_uri, other.gate);
	assert_string_equal(word_of(&wrong), "approval_invalid");
	_cleanup_answer_ struct answer stolen =
		gate_reads(&other, uri, "bob@example.org", uri, other.alice);
	assert_string_equal(word_of(&stolen), "permission_denied");
	_cleanup_answer_ struct answer bare =
		gate_reads(&other, uri, NULL, uri, other.gate);
	assert_string_equal(word_of(&bare), "approval_required");
	rig_close(&other);
}

static void a_name_that_is_not_there_cannot_be_freed(void **state)
{
	static const char *const configs[] = { "freed_resources: ['fixture://nope']\n",
					       "freed_prompts: [nope]\n" };
	struct rig other;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		struct error err = ERROR_INIT;

		rig_open(&other);
		rig_config(&other, configs[i]);
		assert_null(mcp_service_prepare(&fixture_server, other.dir, &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		assert_non_null(strstr(err.message, "fixture.yaml:1: freed_"));
		rig_close(&other);
	}
}

/* A row without declaration, a declaration without row: the server does not start. */
static void rows_and_declarations_belong_together(void **state)
{
	struct mcp_resource rows[8];
	struct mcp_server server = fixture_server;
	struct error err = ERROR_INIT;
	struct rig other;

	(void)state;
	assert_true(server.resource_count < ARRAY_SIZE(rows));
	memcpy(rows, server.resources, server.resource_count * sizeof *rows);
	rig_open(&other);
	server.resources = rows;
	server.resource_count--;
	assert_null(mcp_service_prepare(&server, other.dir, &err));
	assert_non_null(strstr(err.message, "have a row"));
	error_clear(&err);
	server.resource_count++;
	rows[server.resource_count++] =
		(struct mcp_resource){ "fixture://more", rows[0].read, NULL, NULL };
	assert_null(mcp_service_prepare(&server, other.dir, &err));
	assert_non_null(strstr(err.message, "'fixture://more' has a row"));
	error_clear(&err);
	rows[server.resource_count - 1].uri = "fixture://{a}{b}";
	assert_null(mcp_service_prepare(&server, other.dir, &err));
	assert_non_null(strstr(err.message, "side by side"));
	error_clear(&err);
	rows[server.resource_count - 1] = rows[0];
	assert_null(mcp_service_prepare(&server, other.dir, &err));
	assert_non_null(strstr(err.message, "two rows"));
	rig_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_there_is_is_advertised),
		cmocka_unit_test(resources_are_read),
		cmocka_unit_test(what_is_missing_is_an_error_with_its_uri),
		cmocka_unit_test(what_is_not_freed_needs_a_person),
		cmocka_unit_test(rights_hold_for_context_too),
		cmocka_unit_test(prompts_are_got),
		cmocka_unit_test(prompts_with_bad_arguments_are_refused),
		cmocka_unit_test(completion_has_at_most_100_values),
		cmocka_unit_test(completion_of_nothing_is_refused),
		cmocka_unit_test(what_may_be_cached_says_how_long),
		cmocka_unit_test(lists_come_by_pages),
		cmocka_unit_test(bad_cursors_are_refused),
		cmocka_unit_test(a_resource_is_freed_for_whom_it_says),
		cmocka_unit_test(the_gate_reads_as_who_asks),
		cmocka_unit_test(a_name_that_is_not_there_cannot_be_freed),
		cmocka_unit_test(rows_and_declarations_belong_together),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
