/* provenance: what people said, what others said, and what nobody did. */
#include "gate/provenance.h"

#include "base/testing.h"
#include "gate/provenance_match.h"

/* --- matching --- */

static void check_match(const char *text, const char *value, enum provenance_match want)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT, v = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(provenance_fold(&t, text, strlen(text), &err));
	assert_true(provenance_fold(&v, value, strlen(value), &err));
	if (provenance_match(&t, &v) != want)
		fail_msg("'%s' in '%s': %d, not %d", value, text,
			 (int)provenance_match(&t, &v), (int)want);
}

static void test_whole_words(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "block john.doe", "john.doe" },
		{ "Block JOHN.DOE.", "john.doe" },
		{ "block john.doe, now", "john.doe" },
		{ "block @john.doe!", "john.doe" },
		{ "block `john.doe` (*him*)", "john.doe" },
		{ "<mailto:j@x.test|j@x.test>", "j@x.test" },
		{ "<@U0JOHN> left", "u0john" },
		{ "user=john.doe;", "john.doe" },
		{ "for bob's   new\nlaptop", "for bob's new laptop" },
		{ "open port 22", "22" },
		{ "10.0.0.0/8 to 10.1.2.3", "10.0.0.0/8" },
		{ "10.1.2.3:443", "10.1.2.3" },
		{ "\xc2\xabj\xc3\xb6rg\xc2\xbb", "J\xc3\x96RG" },
		{ "x john.doe2 john.doe", "john.doe" },
		{ "2001:db8::1 is it", "2001:db8::1" },
		{ "-5 degrees", "-5" },
		{ "a", "a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_match(rows[i].text, rows[i].value, PROVENANCE_WHOLE);
}

static void test_longer_words(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "block john.doe2", "john.doe" },
		{ "block xjohn.doe", "john.doe" },
		{ "block john.doe@evil.test", "john.doe" },
		{ "block ann-john.doe", "john.doe" },
		{ "10.0.0.0/8", "10.0.0.0" },
		{ "110.0.0.1", "10.0.0.1" },
		{ "10.0.0.12", "10.0.0.1" },
		{ "it was 2022", "22" },
		{ "at 22:30", "22" },
		{ "INC-22", "22" },
		{ "2001:db8::12", "2001:db8::1" },
		{ "2001:db8::1", "db8::1" },
		{ "jos\xc3\xa9", "jos" },
		{ "john.doe\xcc\x81", "john.do" },
		{ "john.doe\xd0\xb0", "john.doe" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_match(rows[i].text, rows[i].value, PROVENANCE_WITHIN);
	check_match("block jose", "jos\xc3\xa9", PROVENANCE_ABSENT);
	check_match("block john", "", PROVENANCE_ABSENT);
	check_match("", "john", PROVENANCE_ABSENT);
	/* A Cyrillic letter that looks like ours is another word. */
	check_match("block p\xd0\xb0ul", "paul", PROVENANCE_ABSENT);
}

/* --- judging --- */

static struct provenance *make(void)
{
	struct provenance *p = provenance_new();

	assert_non_null(p);
	return p;
}

static void say(struct provenance *p, enum provenance_kind kind, const char *label,
		const char *text)
{
	struct error err = ERROR_INIT;

	assert_true(provenance_add(p, kind, label, text, strlen(text), &err));
}

static json_t *judge(struct provenance *p, const char *arguments)
{
	struct error err = ERROR_INIT;
	json_auto_t *given =
		json_parse(arguments, strlen(arguments), JSON_CONTRACT, &err);
	json_t *judged;

	assert_non_null(given);
	judged = provenance_judge(p, given, &err);
	assert_non_null(judged);
	return judged;
}

static void check_from(const json_t *judged, const char *name, size_t index,
		       const char *want, bool is_untrusted)
{
	const json_t *entry = json_object_get(json_object_get(judged, "arguments"), name);
	const json_t *line = json_array_get(json_object_get(entry, "from"), index);

	assert_string_equal(json_is_string(line) ? json_string_value(line) : "(none)",
			    want);
	assert_int_equal(json_is_true(json_object_get(entry, "untrusted")), is_untrusted);
}

static const char nowhere[] = "nowhere in what was said or read: the assistant chose it";

static void test_the_requesters_words(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "block john.doe in Okta for 8 hours, port 22");
	judged = judge(p, "{\"person\":\"john.doe\",\"systems\":[\"okta\"],"
			  "\"expires_in\":\"8h\",\"port\":22}");
	assert_int_equal(json_object_size(json_object_get(judged, "arguments")), 0);
	assert_null(json_object_get(judged, "persons"));
}

static void test_elsewhere(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "do what the playbook says for john.doe");
	say(p, PROVENANCE_PERSON, "bob@x", "I would block mallory and eve");
	say(p, PROVENANCE_PLAYBOOK, "ransomware", "block root at once, and eve");
	say(p, PROVENANCE_LOG, "auth", "login of eve2");
	judged = judge(p, "{\"a\":\"john.doe\",\"b\":\"mallory\",\"c\":\"root\","
			  "\"d\":\"eve\",\"e\":\"eve2\",\"f\":\"john\",\"g\":\"nobody\","
			  "\"h\":true,\"i\":7,\"j\":\"eve\"}");
	assert_null(json_object_get(json_object_get(judged, "arguments"), "a"));
	check_from(judged, "b", 0, "words of bob@x", true);
	check_from(judged, "c", 0, "playbook ransomware", true);
	check_from(judged, "d", 0, "words of bob@x; playbook ransomware", true);
	check_from(judged, "e", 0, "log auth", true);
	check_from(judged, "f", 0, "part of a longer word of who asks, no word", true);
	check_from(judged, "g", 0, nowhere, true);
	check_from(judged, "h", 0, "the assistant chose it", true);
	check_from(judged, "i", 0, nowhere, true);
	assert_int_equal(json_array_size(json_object_get(judged, "persons")), 1);
}

static void test_within_others(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_TICKET, "SEC-1", "mail from root@evil.test");
	say(p, PROVENANCE_PERSON, "bob@x", "rooted");
	judged = judge(p, "{\"a\":\"root\"}");
	check_from(judged, "a", 0,
		   "ticket SEC-1; words of bob@x, as part of a longer word", true);
	/* That is not what Bob said. */
	assert_null(json_object_get(judged, "persons"));
}

/* What was looked up counts where the requester said it, and is shown. */
static void test_lookups(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_RESOLVED, "john.doe", "john.doe@x.test jdoe-gh");
	say(p, PROVENANCE_RESOLVED, "root", "root@x.test");
	say(p, PROVENANCE_REQUESTER, "", "block @john.doe");
	say(p, PROVENANCE_PERSON, "bob@x", "it is john.doe@x.test");
	judged = judge(p, "{\"a\":\"john.doe@x.test\",\"b\":\"root@x.test\"}");
	check_from(judged, "a", 0, "people, looked up for \"john.doe\"", false);
	check_from(judged, "b", 0, nowhere, true);
	assert_null(json_object_get(judged, "persons"));
}

static void test_lists(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "from 10.0.0.1 please");
	judged = judge(p, "{\"s\":[\"10.0.0.1\",\"10.0.0.2\",{\"x\":[\"Evil\"]}],"
			  "\"empty\":[],\"blank\":\"\",\"null\":null}");
	check_from(judged, "s", 0,
		   "\"10.0.0.2\": nowhere in what was said or read: the assistant "
		   "chose it",
		   true);
	check_from(judged, "s", 1,
		   "\"Evil\": nowhere in what was said or read: the assistant chose it",
		   true);
	assert_null(json_object_get(json_object_get(judged, "arguments"), "empty"));
	assert_null(json_object_get(json_object_get(judged, "arguments"), "blank"));
}

/* --- every origin, every shape --- */

static const struct {
	enum provenance_kind kind;
	const char *label, *words;
} origins[] = {
	{ PROVENANCE_PERSON, "bob@x", "words of bob@x" },
	{ PROVENANCE_ASSISTANT, "", "words of the assistant" },
	{ PROVENANCE_LOG, "auth", "log auth" },
	{ PROVENANCE_PLAYBOOK,
	  "ransomware \xc2\xa7"
	  "3",
	  "playbook ransomware \xc2\xa7"
	  "3" },
	{ PROVENANCE_TICKET, "SEC-1", "ticket SEC-1" },
	{ PROVENANCE_RESOURCE, "people: john", "people: john, which was read" },
	{ PROVENANCE_RESULT, "accounts.get_account",
	  "the result of accounts.get_account" },
};

/* Each is named, whatever the case; as a part of a longer word it is said to be no more; and
 * who asks for the same makes it theirs. */
static void test_every_origin(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		_cleanup_(provenance_freep) struct provenance *p = make();
		json_auto_t *judged = NULL, *theirs = NULL;
		char within[120];

		say(p, PROVENANCE_REQUESTER, "", "do as it says");
		say(p, origins[i].kind, origins[i].label,
		    "at 10:22 user=Mallory.Evil failed; also root2");
		judged = judge(p, "{\"a\":\"MALLORY.evil\",\"b\":\"root\","
				  "\"c\":\"mallory\",\"d\":\"trent\"}");
		check_from(judged, "a", 0, origins[i].words, true);
		(void)snprintf(within, sizeof within, "%s, as part of a longer word",
			       origins[i].words);
		check_from(judged, "b", 0, within, true);
		check_from(judged, "c", 0, within, true);
		check_from(judged, "d", 0, nowhere, true);
		assert_int_equal(json_array_size(json_object_get(judged, "persons")),
				 origins[i].kind == PROVENANCE_PERSON);
		say(p, PROVENANCE_REQUESTER, "", "block <mallory.EVIL> please");
		theirs = judge(p, "{\"a\":\"MALLORY.evil\"}");
		assert_int_equal(json_object_size(json_object_get(theirs, "arguments")),
				 0);
		assert_null(json_object_get(theirs, "persons"));
	}
}

/* What looks like the requester's word and is another one is not theirs. */
static void test_look_alikes(void **state)
{
	static const char *const values[] = {
		"p\xd0\xb0ul",                /* Cyrillic a */
		"\xef\xbd\x90\xef\xbd\x81ul", /* full width */
		"pa\xe2\x80\x8bul",           /* a space without width */
		"paul\xe2\x80\xae",           /* a turn of direction */
		"pa\xcc\x81ul",               /* an accent of its own */
		"p\xc3\xa1ul",                /* and one in its letter */
		"pau1",
		"pauI", /* a capital i */
		"paul.",
		"paul@x.test",
		"pa ul",
	};
	_cleanup_(provenance_freep) struct provenance *p = make();

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "block paul, not Pau1a");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		json_auto_t *arguments = json_pack("{s:s}", "a", values[i]);
		struct error err = ERROR_INIT;
		json_auto_t *judged = provenance_judge(p, arguments, &err);

		testing_no_error(&err);
		if (!json_is_true(json_object_get(
			    json_object_get(json_object_get(judged, "arguments"), "a"),
			    "untrusted")) &&
		    strcmp(values[i], "paul.") != 0)
			fail_msg("'%s' was taken for a word of who asks", values[i]);
	}
	/* The word itself, in any case and with the full stop of its sentence. */
	json_auto_t *judged = judge(p, "{\"a\":\"PAUL\",\"b\":\"Paul\"}");
	assert_int_equal(json_object_size(json_object_get(judged, "arguments")), 0);
}

/* As numbers or as text, and in the one form that they have. */
static void test_numbers(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "ports 22, 8080 and -5; 1.5 times; case 007");
	say(p, PROVENANCE_LOG, "auth", "pid 4711, 9007199254740991, 022");
	judged = judge(p, "{\"a\":22,\"b\":\"22\",\"c\":8080.0,\"d\":-5,\"e\":1.5,"
			  "\"f\":808,\"g\":7,\"h\":\"007\",\"i\":4711,"
			  "\"j\":9007199254740991,\"k\":2,\"l\":0}");
	for (const char *name = "abcdeh"; *name; name++)
		assert_null(json_object_get(json_object_get(judged, "arguments"),
					    (char[]){ *name, '\0' }));
	check_from(judged, "f", 0, "part of a longer word of who asks, no word", true);
	check_from(judged, "g", 0, "part of a longer word of who asks, no word", true);
	check_from(judged, "i", 0, "log auth", true);
	check_from(judged, "j", 0, "log auth", true);
	check_from(judged, "k", 0, "part of a longer word of who asks, no word", true);
	check_from(judged, "l", 0, "part of a longer word of who asks, no word", true);
}

/* However deep, each is held against the words by itself, and named. */
static void test_nested(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "allow 10.0.0.1 on port 22 for alice");
	say(p, PROVENANCE_TICKET, "SEC-1", "and 10.9.9.9 for eve, on 23");
	judged = judge(p, "{\"rules\":[{\"from\":{\"host\":\"10.0.0.1\",\"users\":["
			  "\"alice\",{\"name\":\"eve\"}]},\"ports\":[22,[23,[\"24\"]]]},"
			  "{\"from\":{\"host\":\"10.9.9.9\"},\"log\":false}],"
			  "\"good\":[[\"alice\",{\"p\":22}]]}");
	check_from(judged, "rules", 0, "\"eve\": ticket SEC-1", true);
	check_from(judged, "rules", 1, "\"23\": ticket SEC-1", true);
	check_from(judged, "rules", 2,
		   "\"24\": nowhere in what was said or read: the assistant chose it",
		   true);
	check_from(judged, "rules", 3, "\"10.9.9.9\": ticket SEC-1", true);
	check_from(judged, "rules", 4, "\"false\": the assistant chose it", true);
	assert_null(json_object_get(json_object_get(judged, "arguments"), "good"));
}

/* --- maxima --- */

static void test_too_many_values(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *judged = NULL;

	(void)state;
	say(p, PROVENANCE_REQUESTER, "", "7");
	strbuf_add_string(&text, "{\"a\":[7");
	for (int i = 1; i < PROVENANCE_VALUES_MAX; i++)
		strbuf_add_string(&text, ",7");
	strbuf_add_string(&text, "]}");
	judged = judge(p, text.data);
	assert_int_equal(json_object_size(json_object_get(judged, "arguments")), 0);
	json_decref(judged);
	strbuf_truncate(&text, text.length - 2);
	strbuf_add_string(&text, ",7]}");
	judged = judge(p, text.data);
	check_from(judged, "a", 0, "\"7\": not traced: there are too many values", true);
}

static void test_lines_end(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	json_auto_t *judged = judge(p, "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12]}");
	const json_t *from = json_object_get(
		json_object_get(json_object_get(judged, "arguments"), "a"), "from");

	(void)state;
	assert_int_equal(json_array_size(from), PROVENANCE_SHOWN_MAX + 1);
	assert_string_equal(json_string_value(json_array_get(from, PROVENANCE_SHOWN_MAX)),
			    "and there are more values that who asks did not say");
}

static void test_pieces_end(void **state)
{
	_cleanup_(provenance_freep) struct provenance *p = make();
	struct error err = ERROR_INIT;
	char *much = calloc(1, PROVENANCE_BYTES_MAX + 1);
	char label[PROVENANCE_LABEL_MAX + 2];

	(void)state;
	assert_non_null(much);
	memset(much, 'a', PROVENANCE_BYTES_MAX);
	memset(label, 'l', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	assert_false(provenance_add(p, PROVENANCE_LOG, label, "x", 1, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than");
	assert_false(provenance_add(p, PROVENANCE_LOG, "l", "\xff", 1, &err));
	assert_true(error_is_set(&err));
	error_clear(&err);
	label[PROVENANCE_LABEL_MAX] = '\0';
	assert_true(provenance_add(p, PROVENANCE_LOG, label, much, PROVENANCE_BYTES_MAX,
				   &err));
	assert_false(provenance_add(p, PROVENANCE_LOG, "l", "x", 1, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "bytes");
	for (int i = 1; i < PROVENANCE_SOURCES_MAX; i++)
		say(p, PROVENANCE_LOG, "l", "");
	assert_false(provenance_add(p, PROVENANCE_LOG, "l", "", 0, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "pieces");
	free(much);
}

static void test_kinds(void **state)
{
	enum provenance_kind kind;

	(void)state;
	assert_true(provenance_kind_parse("ticket", &kind));
	assert_int_equal(kind, PROVENANCE_TICKET);
	assert_false(provenance_kind_parse("Ticket", &kind));
	assert_false(provenance_kind_parse("", &kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_words),
		cmocka_unit_test(test_longer_words),
		cmocka_unit_test(test_the_requesters_words),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_within_others),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_every_origin),
		cmocka_unit_test(test_look_alikes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_lines_end),
		cmocka_unit_test(test_pieces_end),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
