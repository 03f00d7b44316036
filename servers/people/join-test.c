/* Which accounts are one person's: by each kind of proof, against each kind of doubt. */
#include "servers/people/testing_index.h"

enum { ROWS_MAX = 400, SHUFFLES = 40 };

static const struct index_rules no_rules;

static struct people_index *make(const char *const *rows, const struct index_link *links,
				 const struct index_rules *rules)
{
	struct error err = ERROR_INIT;
	struct index_builder *b = index_builder_new(rules ? rules : &no_rules, &err);

	assert_non_null(b);
	for (uint32_t i = 0; rows[i]; i++)
		testing_index_add(b, rows[i], i);
	for (; links && links->key; links++)
		assert_true(index_link(b, links, &err));
	struct people_index *x = index_build(b, &err);
	testing_no_error(&err);
	return x;
}

/* Whether the first two accounts of each case are joined. */
static const struct {
	const char *why, *rows[6];
	bool joined;
} cases[] = {
	{ "the same address", { "ldap a m=a@x.example", "okta a m=a@x.example" }, true },
	{ "whatever its case", { "ldap a m=A@X.Example", "okta a m=a@x.example" }, true },
	{ "and tag", { "ldap a m=a@x.example", "github a m=a+gh@x.example" }, true },
	{ "another address", { "ldap a m=a@x.example", "okta a m=b@x.example" }, false },
	{ "one that is not vouched for",
	  { "ldap a m=a@x.example", "github a o=a@x.example" },
	  false },
	{ "a second address that is the same",
	  { "ldap a m=old@x.example|m=a@x.example", "slack a m=a@x.example" },
	  true },
	{ "names alone", { "ldap a n=Adam Smith", "okta a n=Adam Smith" }, false },
	{ "logins alone", { "ldap a u=adam", "slack a u=adam" }, false },
	{ "two of one system with one address",
	  { "ldap a m=a@x.example", "okta a m=a@x.example", "ldap b m=a@x.example" },
	  false },
	{ "two of one system through a third account",
	  { "ldap a m=a@x.example", "ldap b m=b@x.example",
	    "okta c m=a@x.example|m=b@x.example" },
	  false },
	{ "nor either of them with it",
	  { "ldap a m=a@x.example", "okta c m=a@x.example|m=b@x.example",
	    "ldap b m=b@x.example" },
	  false },
	{ "an attribute", { "ldap a u=a|c=github:OctoCat", "github 1 u=octocat" }, true },
	{ "an attribute with an id",
	  { "okta a c=slack:U0A1B2C3", "slack u i=U0A1B2C3" },
	  true },
	{ "an attribute for another system",
	  { "ldap a c=github:octocat", "slack u u=octocat" },
	  false },
	{ "a login that two claim",
	  { "ldap a c=github:octocat", "github 1 u=octocat", "ldap b c=github:octocat" },
	  false },
	{ "a login that one person claims twice",
	  { "ldap a c=github:octocat|m=a@x.example", "github 1 u=octocat",
	    "okta a c=github:octocat|m=a@x.example" },
	  true },
	{ "an attribute against the address",
	  { "ldap a c=github:octocat|m=a@x.example", "github 1 u=octocat|m=b@x.example" },
	  false },
	{ "a claim of who is gone",
	  { "ldap a c=github:octocat|x=1", "github 1 u=octocat" },
	  false },
	{ "a number", { "ldap a e=17", "okta a e=17" }, true },
	{ "a number that two have",
	  { "ldap a e=17", "okta a e=17", "ldap b e=17" },
	  false },
	{ "a number against addresses",
	  { "ldap a e=17|m=a@x.example", "okta a e=17|m=b@x.example" },
	  false },
	{ "a file", { "ldap a P=p1|m=a@x.example", "okta a P=p1|m=b@y.example" }, true },
	{ "two people of a file with one address",
	  { "file p1 P=p1|m=a@x.example", "file p2 P=p2|m=a@x.example" },
	  false },
	{ "an address that was passed on, to its new owner",
	  { "ldap new m=a@x.example", "okta new m=a@x.example",
	    "ldap old m=a@x.example|x=1", "okta old m=a@x.example|x=1" },
	  true },
	{ "and not to the old one",
	  { "ldap new m=a@x.example", "okta old m=a@x.example|x=1",
	    "ldap old m=a@x.example|x=1", "okta new m=a@x.example" },
	  false },
	{ "and what only one side has is nobody's",
	  { "ldap new m=a@x.example", "github 1 m=a@x.example",
	    "ldap old m=a@x.example|x=1" },
	  false },
};

static void each_proof_and_each_doubt(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(index_freep) struct people_index *x =
			make(cases[i].rows, NULL, NULL);

		if ((index_account(x, 0)->person == index_account(x, 1)->person) !=
		    cases[i].joined)
			fail_msg("%s: %sjoined", cases[i].why,
				 cases[i].joined ? "not " : "");
	}
}

static bool has_conflict(const struct people_index *x, uint32_t account, const char *part)
{
	const char *text;
	size_t at = 0;

	while (index_conflict(x, account, &at, &text))
		if (strstr(text, part))
			return true;
	return false;
}

static void doubts_are_said(void **state)
{
	static const char *const rows[] = { "ldap a u=ann|c=github:octocat",
					    "ldap b u=ben|c=github:octocat",
					    "github 1 u=octocat",
					    "ldap c u=cid|m=c@x.example",
					    "ldap d u=dan|m=c@x.example",
					    "slack e u=eve|m=c@x.example",
					    "ldap f u=flo|m=f@x.example",
					    "okta f u=flo|m=f@x.example",
					    "slack g u=same",
					    "slack h u=same",
					    NULL };
	_cleanup_(index_freep) struct people_index *x = make(rows, NULL, NULL);

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		assert_true(has_conflict(x, i,
					 "github:octocat is claimed by ldap ann, ldap "
					 "ben"));
	assert_true(has_conflict(x, 2, "github:octocat"));
	for (uint32_t i = 3; i < 6; i++)
		assert_true(has_conflict(x, i, "c@x.example"));
	assert_false(has_conflict(x, 6, ""));
	assert_false(has_conflict(x, 7, ""));
	assert_true(has_conflict(x, 8, "slack same"));
	assert_true(has_conflict(x, 9, "slack same"));
}

static void configured_domains_are_one(void **state)
{
	static const char *const domains[] = { "x.alias", "x.example", NULL };
	static const char *const rows[] = { "ldap a m=a@x.example", "okta a m=a@X.Alias",
					    "github a m=a+t@x.alias", NULL };
	const struct index_rules with = { .domains = domains };
	const struct index_rules tagged = { .domains = domains, .keep_plus_tags = true };
	_cleanup_(index_freep) struct people_index *x = make(rows, NULL, &with);
	_cleanup_(index_freep) struct people_index *y = make(rows, NULL, &tagged);
	_cleanup_(index_freep) struct people_index *z = make(rows, NULL, NULL);

	(void)state;
	assert_int_equal(index_person_count(x), 1);
	assert_int_equal(index_person_count(y), 2);
	assert_int_equal(index_person_count(z), 2); /* the two of the alias */
	assert_false(testing_index_same(z, "ldap~a", "okta~a"));
}

static void a_link_wins_and_is_shown(void **state)
{
	static const char *const rows[] = { "ldap a m=a@x.example",
					    "ldap b m=b@x.example",
					    "github 1 u=octocat|m=b@x.example", NULL };
	static const struct index_link to_a[] = {
		{ SYSTEM_GITHUB, "1", SYSTEM_LDAP, "a", "by alice", false },
		{ SYSTEM_GITHUB, "gone", SYSTEM_LDAP, "a", "by alice", false },
		{ .key = NULL }
	};
	static const struct index_link parted[] = {
		{ SYSTEM_GITHUB, "1", SYSTEM_LDAP, "b", "by bob", true }, { .key = NULL }
	};
	static const struct index_link nowhere[] = { { SYSTEM_GITHUB, "1", SYSTEM_LDAP,
						       "gone", "by bob", false },
						     { .key = NULL } };
	_cleanup_(index_freep) struct people_index *inferred = make(rows, NULL, NULL);
	_cleanup_(index_freep) struct people_index *linked = make(rows, to_a, NULL);
	_cleanup_(index_freep) struct people_index *apart = make(rows, parted, NULL);
	_cleanup_(index_freep) struct people_index *lost = make(rows, nowhere, NULL);

	(void)state;
	assert_true(testing_index_same(inferred, "github~1", "ldap~b"));
	assert_true(testing_index_same(linked, "github~1", "ldap~a"));
	assert_false(testing_index_same(linked, "github~1", "ldap~b"));
	assert_int_equal(index_account(linked, 2)->joined, INDEX_BY_LINK);
	assert_string_equal(index_text(linked, index_account(linked, 2)->evidence),
			    "by alice");
	assert_false(testing_index_same(apart, "github~1", "ldap~a"));
	assert_false(testing_index_same(apart, "github~1", "ldap~b"));
	assert_int_equal(index_account(apart, 2)->joined, INDEX_ALONE);
	/* What it hung on is gone: nobody guesses in its place. */
	assert_false(testing_index_same(lost, "github~1", "ldap~b"));
}

/* ---- Properties --------------------------------------------------------------------- */

static uint64_t dice = 88172645463325252u;

static unsigned roll(unsigned sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)(dice >> 33) % sides;
}

/* A hostile company: few addresses, logins and numbers for many accounts. */
static size_t make_rows(char rows[ROWS_MAX][160], size_t count)
{
	static const char *const systems[] = { "ldap", "okta", "slack", "github" };

	for (size_t i = 0; i < count; i++) {
		size_t n = (size_t)snprintf(rows[i], sizeof rows[i], "%s k%zu u=l%u",
					    systems[roll(4)], i, roll(60));

		for (unsigned mails = roll(3); mails > 0; mails--)
			n += (size_t)snprintf(rows[i] + n, sizeof rows[i] - n,
					      "|m=m%u@x.example", roll(120));
		if (roll(4) == 0)
			n += (size_t)snprintf(rows[i] + n, sizeof rows[i] - n, "|e=%u",
					      roll(30));
		if (roll(5) == 0)
			n += (size_t)snprintf(rows[i] + n, sizeof rows[i] - n,
					      "|c=github:l%u", roll(60));
		if (roll(6) == 0)
			(void)snprintf(rows[i] + n, sizeof rows[i] - n, "|x=1");
	}
	return count;
}

static struct people_index *make_shuffled(char rows[ROWS_MAX][160], const uint32_t *order,
					  size_t count)
{
	struct error err = ERROR_INIT;
	struct index_builder *b = index_builder_new(&no_rules, &err);

	assert_non_null(b);
	for (size_t i = 0; i < count; i++)
		testing_index_add(b, rows[order[i]], order[i]);
	struct people_index *x = index_build(b, &err);
	testing_no_error(&err);
	return x;
}

/* Who is together, as the least row of each. */
static void describe(const struct people_index *x, size_t count, uint32_t *ret)
{
	uint32_t least[ROWS_MAX];

	for (size_t i = 0; i < count; i++)
		least[i] = UINT32_MAX;
	for (uint32_t i = 0; i < count; i++) {
		const struct index_account *a = index_account(x, i);

		if (a->row < least[a->person])
			least[a->person] = a->row;
	}
	for (uint32_t i = 0; i < count; i++)
		ret[index_account(x, i)->row] = least[index_account(x, i)->person];
}

static void the_order_of_accounts_does_not_matter(void **state)
{
	static char rows[ROWS_MAX][160];

	(void)state;
	for (int round = 0; round < SHUFFLES; round++) {
		const size_t count = make_rows(rows, 20 + roll(ROWS_MAX - 20));
		uint32_t order[ROWS_MAX], first[ROWS_MAX], again[ROWS_MAX];

		for (uint32_t i = 0; i < count; i++)
			order[i] = i;
		_cleanup_(index_freep) struct people_index *x =
			make_shuffled(rows, order, count);
		describe(x, count, first);
		for (size_t i = count; i > 1; i--) {
			const unsigned k = roll((unsigned)i);
			const uint32_t swap = order[i - 1];

			order[i - 1] = order[k];
			order[k] = swap;
		}
		_cleanup_(index_freep) struct people_index *y =
			make_shuffled(rows, order, count);
		describe(y, count, again);
		for (size_t i = 0; i < count; i++)
			if (first[i] != again[i])
				fail_msg("round %d: account %zu is with %u or with %u",
					 round, i, first[i], again[i]);
	}
}

static const char *mail_of(const char *row)
{
	return strstr(row, "|m=");
}

static bool share_mail(const char *a, const char *b)
{
	for (const char *p = mail_of(a); p; p = strstr(p + 1, "|m="))
		for (const char *q = mail_of(b); q; q = strstr(q + 1, "|m="))
			if (strcspn(p + 1, "|") == strcspn(q + 1, "|") &&
			    strncmp(p + 1, q + 1, strcspn(p + 1, "|")) == 0)
				return true;
	return false;
}

/* Of two with different addresses that are vouched for only who is led to by shared ones
 * is one person, and nobody has two accounts in a system. */
static void nobody_is_made_of_two(void **state)
{
	static char rows[ROWS_MAX][160];

	(void)state;
	for (int round = 0; round < SHUFFLES; round++) {
		const size_t count = make_rows(rows, ROWS_MAX / 2);
		uint32_t order[ROWS_MAX];
		size_t joined = 0;

		for (uint32_t i = 0; i < count; i++)
			order[i] = i;
		_cleanup_(index_freep) struct people_index *x =
			make_shuffled(rows, order, count);
		for (uint32_t p = 0; p < index_person_count(x); p++) {
			bool reached[64] = { true };
			size_t n;
			const uint32_t *members = index_accounts(x, p, &n);
			size_t start = 0;

			assert_true(n <= 4);
			joined += n > 1;
			for (size_t i = 0; i < n; i++)
				for (size_t k = 0; k < i; k++)
					assert_int_not_equal(
						index_account(x, members[i])->system,
						index_account(x, members[k])->system);
			while (start < n &&
			       !mail_of(rows[index_account(x, members[start])->row]))
				start++;
			reached[0] = false;
			if (start < n)
				reached[start] = true;
			for (size_t pass = 0; pass < n; pass++)
				for (size_t i = 0; i < n; i++)
					for (size_t k = 0; k < n; k++)
						reached[i] |=
							reached[k] &&
							share_mail(
								rows[index_account(
									     x,
									     members[i])
									     ->row],
								rows[index_account(
									     x,
									     members[k])
									     ->row]);
			for (size_t i = 0; i < n; i++)
				if (mail_of(rows[index_account(x, members[i])->row]) &&
				    !reached[i])
					fail_msg("round %d: %s is made of two", round,
						 rows[index_account(x, members[i])->row]);
		}
		assert_true(joined > 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_proof_and_each_doubt),
		cmocka_unit_test(doubts_are_said),
		cmocka_unit_test(configured_domains_are_one),
		cmocka_unit_test(a_link_wins_and_is_shown),
		cmocka_unit_test(the_order_of_accounts_does_not_matter),
		cmocka_unit_test(nobody_is_made_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
