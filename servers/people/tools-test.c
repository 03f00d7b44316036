/* The tools as the dispatcher calls them, on a file of people: what they return is held
 * against their schemas. */
#include "base/testing.h"

#include "base/clock.h"
#include "mcp/call.h"
#include "mcp/definition.h"
#include "mcp/result.h"
#include "servers/people/answer.h"
#include "servers/people/people.h"
#include "servers/people/tools.h"

#define JOHN(id, login, mail)                                                            \
	"{'id':'" id "','name':'John Doe','status':'active','type':'employee',"          \
	"'nicknames':[],'slack':{'id':'U0" login "','handle':'" login "','email':'" mail \
	"'},'github':{'login':'gh-" login "'}}"

static const char COMPANY[] = "{'people':[" JOHN("p1", "one", "one@x.example") "," JOHN(
	"p2", "two", "two@x.example") ",{'id':'p3','name':'Anna Berg','type':'bot',"
				      "'okta':{'id':'00u3','login':'anna@x.example',"
				      "'status':'SUSPENDED'}}]}";

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct statedir *dir;
	json_t *config;
	struct people *people;
};

static void put_file(const struct fixture *f, const char *quoted)
{
	_cleanup_free_ char *path = statedir_path(f->dir, "people/people.json");
	_cleanup_free_ char *text = strdup(quoted);

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	testing_put(path, text, 0600);
}

static void open_people(struct fixture *f)
{
	struct error err = ERROR_INIT;

	f->people = people_open(f->dir, f->config, &err);
	testing_no_error(&err);
	assert_non_null(f->people);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;
	char folder[TESTING_PATH_BYTES + 16];

	testing_folder(f->folder);
	f->dir = statedir_new(f->folder, &err);
	(void)snprintf(folder, sizeof folder, "%s/people", f->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	f->config = json_pack("{s:{s:{s:s}}, s:i, s:i, s:{s:[s]}}", "sources", "file",
			      "path", "people.json", "refresh_s", 60, "max_age_s", 600,
			      "nicknames", "anna", "ninotschka");
	put_file(f, COMPANY);
	open_people(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	people_close(f->people);
	json_decref(f->config);
	statedir_free(f->dir);
	testing_remove(f->folder);
	free(f);
	return 0;
}

/* ---- Calls -------------------------------------------------------------------------- */

struct run {
	struct mcp_call call;
	struct plan *plan;
	struct mcp_result result;
	struct error err;
	json_t *arguments;
};

static void run_done(struct run *r)
{
	mcp_call_done(&r->call);
	mcp_result_done(&r->result);
	plan_free(r->plan);
	json_decref(r->arguments);
}

static const struct mcp_tool rows[] = {
	{ .name = "find_person", .run = find_person },
	{ .name = "get_person", .run = get_person },
	{ .name = "link_identity", .plan = plan_link_identity, .run = link_identity },
	{ .name = "unlink_identity",
	  .plan = plan_unlink_identity,
	  .run = unlink_identity },
};

static const struct mcp_tool *row_of(const char *name)
{
	size_t i = 0;

	while (strcmp(rows[i].name, name) != 0)
		i++;
	return &rows[i];
}

/* Steals 'arguments'. */
static bool start(struct fixture *f, struct run *r, const char *name, json_t *arguments)
{
	*r = (struct run){ .result = MCP_RESULT_INIT, .arguments = arguments };
	r->call = (struct mcp_call){
		.context = f->people,
		.arguments = arguments,
		.requester = "one@x.example",
		.approval = "ap-1",
		.approvers = "bob@x.example, carol@x.example",
		.now_ms = clock_wall_ms(),
		.deadline_ms = clock_mono_ms() + 10000,
	};
	if (!row_of(name)->plan)
		return true;
	r->plan = plan_new();
	r->call.plan = NULL;
	if (!row_of(name)->plan(&r->call, r->plan, &r->err) ||
	    !plan_finish(r->plan, &r->err))
		return false;
	r->call.plan = r->plan;
	return true;
}

static bool finish(struct run *r, const char *name)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load("people", name, &r->err);
	struct schema_fault fault = { 0 };

	assert_non_null(d);
	if (!row_of(name)->run(&r->call, &r->result, &r->err))
		return false;
	const struct tool_schemas *schemas = tool_definition_schemas(d, &r->err);
	assert_non_null(schemas);
	if (!schema_validate(schemas->output, r->result.structured, &fault))
		fail_msg("%s: %s", name, json_dumps(r->result.structured, 0));
	assert_true(r->result.text.length > 0);
	return true;
}

static bool run(struct fixture *f, struct run *r, const char *name, json_t *arguments)
{
	return start(f, r, name, arguments) && finish(r, name);
}

static json_t *account(const char *person, const char *system, const char *identifier)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "person", person, "system", system,
			 "identifier", identifier, "reason", "seen on the phone");
}

static const char *text_of(const struct run *r, const char *member)
{
	const char *text = json_get_string(r->result.structured, member);

	return text ? text : "";
}

/* Whose the login is: the id. */
static void assert_owner(struct fixture *f, const char *identifier, const char *id)
{
	_cleanup_(run_done) struct run r;

	if (!run(f, &r, "get_person", json_pack("{s:s}", "person", identifier)))
		fail_msg("%s", r.err.message);
	if (strcmp(text_of(&r, "id"), id) != 0)
		fail_msg("%s is of %s, not %s: %s", identifier, text_of(&r, "id"), id,
			 json_dumps(r.result.structured, 0));
}

/* ---- Reads -------------------------------------------------------------------------- */

static void people_are_found(void **state)
{
	struct fixture *f = *state;
	_cleanup_(run_done) struct run both, one, flagged, none, bot;

	assert_true(
		run(f, &both, "find_person", json_pack("{s:s}", "query", "john doe")));
	assert_string_equal(text_of(&both, "match"), "ambiguous");
	assert_string_equal(text_of(&both, "via"), "name");
	assert_int_equal(
		json_array_size(json_object_get(both.result.structured, "people")), 2);
	assert_true(run(f, &one, "find_person",
			json_pack("{s:s, s:i}", "query", "john doe", "limit", 1)));
	assert_int_equal(
		json_array_size(json_object_get(one.result.structured, "people")), 1);
	assert_int_equal(json_get_int64(one.result.structured, "total", 0), 2);
	assert_non_null(strstr(one.result.text.data, "and 1 more"));
	assert_true(run(f, &flagged, "find_person",
			json_pack("{s:s}", "query", "j\xd0\xbehn doe")));
	assert_string_equal(text_of(&flagged, "flag"), "mixed-script");
	assert_true(run(f, &none, "find_person", json_pack("{s:s}", "query", "nobody")));
	assert_string_equal(text_of(&none, "match"), "none");
	assert_string_equal(text_of(&none, "via"), "");
	assert_true(run(f, &bot, "get_person", json_pack("{s:s}", "person", "p3")));
	assert_string_equal(text_of(&bot, "kind"), "service");
	assert_string_equal(text_of(&bot, "status"), "suspended");
	/* The file lists nicknames, and so none is guessed, not even a configured one. */
	_cleanup_(run_done) struct run nick;
	assert_true(
		run(f, &nick, "find_person", json_pack("{s:s}", "query", "ninotschka")));
	assert_string_equal(text_of(&nick, "match"), "none");
}

static void a_record_is_of_one_person(void **state)
{
	struct fixture *f = *state;
	_cleanup_(run_done) struct run name, nobody, odd;

	assert_owner(f, "p2", "p2");
	assert_owner(f, "two@x.example", "p2");
	assert_owner(f, "slack~p2", "p2");
	assert_false(
		run(f, &name, "get_person", json_pack("{s:s}", "person", "John Doe")));
	testing_error(&name.err, ERR_NOT_FOUND, "John Doe");
	assert_false(run(f, &nobody, "get_person", json_pack("{s:s}", "person", "p4")));
	testing_error(&nobody.err, ERR_NOT_FOUND, "p4");
	assert_false(run(f, &odd, "get_person", json_pack("{s:s}", "person", "  ")));
	testing_error(&odd.err, ERR_INVALID_ARGUMENT, "nobody");
}

/* ---- Writes ------------------------------------------------------------------------- */

static const json_t *first_effect(const struct run *r)
{
	return json_array_get(json_object_get(plan_json(r->plan), "effects"), 0);
}

static bool warns(const struct run *r, const char *part)
{
	_cleanup_free_ char *text =
		json_dumps(json_object_get(plan_json(r->plan), "warnings"), 0);

	return strstr(text, part) != NULL;
}

static void a_link_wins_until_it_is_taken_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_(run_done) struct run link, back, part;

	assert_true(start(f, &link, "link_identity", account("p1", "github", "GH-Two")));
	assert_string_equal(json_get_string(first_effect(&link), "from"), "p2");
	assert_string_equal(json_get_string(first_effect(&link), "to"), "p1");
	assert_true(warns(&link, "taken away from John Doe"));
	assert_true(warns(&link, "another account in github already"));
	assert_true(warns(&link, "about the person who asks"));
	assert_true(finish(&link, "link_identity"));
	assert_int_equal(link.result.verified, MCP_VERIFIED_YES);
	assert_owner(f, "gh-two", "p1");
	_cleanup_free_ char *text = json_dumps(link.result.structured, 0);
	assert_non_null(strstr(text, "link by one@x.example, approved by bob@x.example"));
	assert_non_null(strstr(text, "seen on the phone"));
	assert_non_null(strstr(text, "linked"));

	/* Over a restart. */
	people_close(f->people);
	open_people(f);
	assert_owner(f, "gh-two", "p1");

	assert_true(run(f, &back, "unlink_identity", account("p1", "github", "gh-two")));
	assert_owner(f, "gh-two", "p2");
	assert_true(run(f, &part, "unlink_identity", account("p2", "github", "gh-two")));
	assert_owner(f, "gh-two", "github~p2");
	assert_owner(f, "two", "p2");
}

static void two_plans_of_one_account(void **state)
{
	struct fixture *f = *state;
	_cleanup_(run_done) struct run one, two, again;

	assert_true(start(f, &one, "link_identity", account("p1", "github", "gh-two")));
	assert_true(start(f, &two, "link_identity", account("p3", "github", "gh-two")));
	assert_true(finish(&one, "link_identity"));
	assert_false(finish(&two, "link_identity"));
	testing_error(&two.err, ERR_PRECONDITION_FAILED, "meanwhile");
	assert_owner(f, "gh-two", "p1");
	/* Said again it says what was said. */
	assert_true(start(f, &again, "link_identity", account("p1", "github", "gh-two")));
	assert_true(warns(&again, "seen on the phone"));
}

static void what_cannot_be_linked(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *tool, *person, *system, *identifier;
		enum error_code code;
	} cases[] = {
		{ "link_identity", "p9", "github", "gh-one", ERR_NOT_FOUND },
		{ "link_identity", "John Doe", "github", "gh-one", ERR_NOT_FOUND },
		{ "link_identity", "p1", "github", "nobody", ERR_NOT_FOUND },
		{ "link_identity", "p1", "okta", "gh-one", ERR_NOT_FOUND },
		{ "link_identity", "p1", "github", "John Doe", ERR_NOT_FOUND },
		{ "link_identity", "p1", "github", "gh-\xd0\xbene", ERR_NOT_FOUND },
		{ "unlink_identity", "p1", "github", "gh-two", ERR_PRECONDITION_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(run_done) struct run r;

		if (start(f, &r, cases[i].tool,
			  account(cases[i].person, cases[i].system,
				  cases[i].identifier)) ||
		    r.err.code != cases[i].code)
			fail_msg("%zu: %s: %s", i, error_name(r.err.code), r.err.message);
	}
}

/* ---- Sources ------------------------------------------------------------------------ */

static void tick(struct fixture *f, int64_t now_ms)
{
	const struct mcp_tick t = { .now_ms = now_ms };

	people_tick(f->people, &t);
	people_wait(f->people);
}

static struct freshness freshness(struct fixture *f, int64_t now_ms)
{
	struct freshness ret;

	people_freshness(f->people, now_ms, &ret);
	return ret;
}

static void a_file_that_changed_is_read_again(void **state)
{
	struct fixture *f = *state;
	const int64_t now = clock_wall_ms();
	_cleanup_(run_done) struct run gone;

	put_file(f, "{'people':[" JOHN("p1", "uno", "one@x.example") "]}");
	tick(f, now + 1000);
	assert_owner(f, "one", "p1"); /* not due yet */
	tick(f, now + 61 * 1000);
	assert_owner(f, "uno", "p1");
	assert_false(run(f, &gone, "get_person", json_pack("{s:s}", "person", "p2")));
	testing_error(&gone.err, ERR_NOT_FOUND, "p2");
}

static void what_cannot_be_read_leaves_what_was(void **state)
{
	static const char *const bad[] = { "{'people':[]}", "{'people':",
					   "{'people':[{'id':'p1'},{'id':'p1'}]}",
					   "{'people':[{'id':'p8'},{'name':'x'}]}" };
	struct fixture *f = *state;
	int64_t now = clock_wall_ms();

	assert_false(freshness(f, now).is_stale);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put_file(f, bad[i]);
		now += 61 * 1000;
		tick(f, now);
		assert_owner(f, "two", "p2");
		assert_true(freshness(f, now).is_stale);
	}
	json_auto_t *warnings = people_warnings(f->people, now);
	assert_int_equal(json_array_size(warnings), 1);
	assert_false(freshness(f, now).is_too_old);
	assert_true(freshness(f, now + 600 * 1000).is_too_old);
	put_file(f, COMPANY);
	tick(f, now + 61 * 1000);
	assert_false(freshness(f, now + 61 * 1000).is_stale);
}

static void a_source_that_is_not_configured_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *none = json_pack("{s:{}}", "sources");

	people_close(f->people);
	f->people = NULL;
	assert_null(people_open(f->dir, none, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no source");
	assert_null(people_open(f->dir, NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no source");
	open_people(f);
	assert_true(people_ready(f->people, &err));
}

/* Slack cannot tell what changed. */
static void an_age_that_would_block_nobody_is_refused(void **state)
{
	static const struct {
		int max_age_s, sweep_s;
		bool good;
	} cases[] = { { 3600, 3600, false },
		      { 3599, 3600, false },
		      { 3601, 3600, true } };
	struct fixture *f = *state;
	_cleanup_free_ char *token = statedir_path(f->dir, "people/token");

	testing_put(token, "xoxb-of-a-test", 0600);
	people_close(f->people);
	f->people = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		json_auto_t *config = json_pack(
			"{s:{s:{s:{s:s, s:s}}}, s:i, s:i}", "sources", "slack", "api",
			"url", "http://127.0.0.1:9/api", "token_file", "people/token",
			"max_age_s", cases[i].max_age_s, "sweep_s", cases[i].sweep_s);
		struct people *p = people_open(f->dir, config, &err);

		if (cases[i].good)
			testing_no_error(&err);
		else
			testing_error(&err, ERR_INVALID_ARGUMENT, "max_age_s");
		assert_int_equal(p != NULL, cases[i].good);
		people_close(p);
	}
	open_people(f);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(people_are_found),
		TEST(a_record_is_of_one_person),
		TEST(a_link_wins_until_it_is_taken_back),
		TEST(two_plans_of_one_account),
		TEST(what_cannot_be_linked),
		TEST(a_file_that_changed_is_read_again),
		TEST(what_cannot_be_read_leaves_what_was),
		TEST(a_source_that_is_not_configured_is_forgotten),
		TEST(an_age_that_would_block_nobody_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
