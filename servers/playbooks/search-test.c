/* Words, corrections, the thesaurus, and an index that is searched. */
#include "base/testing.h"

#include "base/file.h"
#include "servers/playbooks/builder.h"
#include "servers/playbooks/correct.h"
#include "servers/playbooks/rank.h"

/* ---- Words ---- */

static void check_words(const char *text, const char *wanted)
{
	struct word_reader r = { .text = text, .length = strlen(text) };
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
	struct word w;

	while (word_next(&r, &w)) {
		assert_true(w.start < w.end && w.end <= strlen(text));
		strbuf_add_format(&found, "%s%s%s", found.length ? " " : "", w.text,
				  w.tied ? "+" : "");
	}
	assert_string_equal(found.data, wanted);
}

static void test_words(void **state)
{
	(void)state;
	check_words("The boss's MAIL, don't!", "the boss mail dont");
	check_words("drive-by pre_OS log4j v1.2 -x", "drive+ by pre+ os log4j v1+ 2 x");
	check_words("Größe caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d",
		    "grosse cafe quoted");
	check_words("\xe5\xae\x89\xe5\x85\xa8 x\xff y", "\xe5\xae\x89 \xe5\x85\xa8 x y");
	check_words("' '' -- .", "");
	assert_true(word_is_stop("the") && word_is_stop("a") && word_is_stop("yours"));
	assert_false(word_is_stop("mail") || word_is_stop(""));
}

static void keep_order(void *context, const char *word)
{
	const char **last = context;

	if (*last && strcmp(*last, word) >= 0)
		fail_msg("'%s' must stand before '%s'", word, *last);
	*last = word;
	assert_true(word_is_stop(word));
}

static void test_stop_words_are_sorted(void **state)
{
	const char *last = NULL;

	(void)state;
	word_each_stop(keep_order, &last);
}

static void test_long_words(void **state)
{
	char text[3 * WORD_BYTES_MAX + 1], stem[WORD_BYTES_MAX + 1];
	struct word_reader r = { .text = text, .length = sizeof text - 1 };
	_cleanup_(stemmer_freep) struct stemmer *s = stemmer_new();
	struct word w;

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_true(word_next(&r, &w) && strlen(w.text) == WORD_BYTES_MAX);
	assert_false(word_next(&r, &w));
	stemmer_stem(s, w.text, stem);
	stemmer_stem(s, "running", stem);
	assert_string_equal(stem, "run");
	stemmer_stem(s, "t1498s", stem);
	assert_string_equal(stem, "t1498s");
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(correct_distance("phising", "phishing", 2), 1);
	assert_int_equal(correct_distance("incidnet", "incident", 2), 1);
	assert_int_equal(correct_distance("abc", "abc", 2), 0);
	assert_int_equal(correct_distance("abcdef", "uvwxyz", 2), 3);
	assert_int_equal(correct_distance("", "ab", 2), 2);
	assert_true(correct_sounds_alike("websight", "website"));
	assert_false(correct_sounds_alike("website", "webster"));
	assert_true(correct_is_near_stop("somone"));
	assert_false(correct_is_near_stop("ransom"));
}

/* ---- Thesaurus ---- */

static bool brings(const struct thesaurus *t, const char *a, const char *b,
		   const char *wanted)
{
	const struct asked asked[] = { { a, 1, 0 }, { b, 1, 1 } };
	struct brought found[32];
	const size_t count = thesaurus_expand(t, asked, b ? 2 : 1, found, 32);

	for (size_t i = 0; i < count; i++)
		if (strcmp(thesaurus_stem(t, found[i].phrase->stems[0]), wanted) == 0)
			return true;
	return false;
}

static void test_thesaurus(void **state)
{
	static const char text[] = "# comment\nransomware, crypto locker < locked files\n"
				   "bec, business email compromise\n~ locked, sealed\n"
				   "commander < who is in charge\n";
	struct error err = ERROR_INIT;
	_cleanup_(thesaurus_freep) struct thesaurus *t =
		thesaurus_new(text, strlen(text), &err);

	(void)state;
	assert_non_null(t);
	assert_true(brings(t, "ransomwar", NULL, "crypto"));
	assert_true(brings(t, "file", "lock", "ransomwar"));
	assert_true(brings(t, "file", "seal", "ransomwar"));
	assert_false(brings(t, "file", NULL, "ransomwar"));
	assert_false(brings(t, "ransomwar", NULL, "lock"));
	assert_true(brings(t, "bec", NULL, "busi"));
	/* One word beside words like "the" means it only with all of them. */
	assert_false(brings(t, "charg", NULL, "command"));
	assert_false(brings(t, "who", "charg", "command"));
	const struct asked all[] = {
		{ "who", 1, 0 }, { "is", 1, 1 }, { "in", 1, 2 }, { "charg", 1, 3 }
	};
	struct brought found[4];
	assert_int_equal(thesaurus_expand(t, all, ARRAY_SIZE(all), found, 4), 1);
	assert_false(thesaurus_knows(t, "comment"));
	_cleanup_(thesaurus_freep) struct thesaurus *own = thesaurus_built_in(&err);
	assert_true(own && thesaurus_size(own) > 1000);
}

/* ---- An index ---- */

struct fixture {
	char folder[TESTING_PATH_BYTES];
	char *path;
	struct index *x;
	struct thesaurus *t;
};

static struct page make_page(const char *id, const char *body)
{
	return (struct page){ .id = id,
			      .source = "test",
			      .body = body,
			      .length = strlen(body),
			      .revision = "" };
}

static int set_up(void **state)
{
	static const char *const pages[][2] = {
		{ "phishing.md",
		  "# Phishing\n\nA message asks for a password.\n\n## Contain\n\n"
		  "Block the sender.\n" },
		{ "laptop.md", "# Lost laptop\n\nWipe the device remotely.\n" },
		{ "bec.md",
		  "# Fraud\n\nBusiness Email Compromise (BEC) is about payments.\n" },
		{ "website.md", "# Website\n\nOur website is defaced.\n" },
		{ "twin.md", "# Lost laptop\n\nWipe the device remotely.\n" },
	};
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;
	json_auto_t *nobody = json_pack("[s]", "alice");

	testing_folder(f->folder);
	f->path = file_join(f->folder, "index.db");
	_cleanup_(builder_freep) struct builder *b =
		builder_new(f->path, &weights_default, &err);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct page p = make_page(pages[i][0], pages[i][1]);

		assert_true(builder_add(b, &p, &err));
	}
	struct page secret = make_page("secret.md", "# Website secret\n\nwebsite\n");
	secret.readers = nobody;
	assert_true(builder_add(b, &secret, &err));
	assert_true(builder_finish(b, &err));
	f->x = index_open(f->path, &err);
	f->t = thesaurus_built_in(&err);
	assert_true(f->x && f->t);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	index_unref(f->x);
	thesaurus_free(f->t);
	testing_remove(f->folder);
	free(f->path);
	free(f);
	return 0;
}

static bool is_open(void *context, const struct index_document *d)
{
	(void)context;
	return !d->readers;
}

static size_t search(const struct fixture *f, const char *text, struct hit *hits,
		     size_t room)
{
	_cleanup_free_ struct query *q = malloc(sizeof *q);
	struct error err = ERROR_INIT;
	size_t count = 0;

	assert_true(query_read(f->x, f->t, text, q, &err));
	assert_true(rank_search(f->x, q, &rank_default, is_open, NULL, hits, room, &count,
				&err));
	return count;
}

static void check_first(const struct fixture *f, const char *text, const char *id)
{
	struct hit hits[8];
	const size_t count = search(f, text, hits, 8);
	const char *found = count ? f->x->documents[hits[0].document].id : "nothing";

	if (strcmp(found, id) != 0)
		fail_msg("'%s' finds %s", text, found);
}

static void test_search(void **state)
{
	const struct fixture *f = *state;
	struct hit hits[8];
	size_t count;

	check_first(f, "phishing", "phishing.md");
	check_first(f, "phising mesage", "phishing.md");
	check_first(f, "BEC", "bec.md");
	check_first(f, "business email compromise", "bec.md");
	check_first(f, "websight", "website.md");
	check_first(f, "web site", "website.md");
	check_first(f, "stolen notebook", "laptop.md");
	check_first(f, "the of and", "nothing");
	check_first(f, "zzzzqqqq", "nothing");
	check_first(f, "", "nothing");
	/* What may not be seen is not found, and twins stand once. */
	count = search(f, "website", hits, 8);
	for (size_t i = 0; i < count; i++)
		assert_string_not_equal(f->x->documents[hits[i].document].id,
					"secret.md");
	count = search(f, "lost laptop", hits, 8);
	assert_int_equal(count, 1);
	assert_int_equal(f->x->documents[hits[0].document].twin, f->x->documents[1].twin);
	/* The section is the one that answers. */
	assert_true(search(f, "block sender", hits, 8) >= 1);
	assert_string_equal(f->x->sections[hits[0].section].heading, "Contain");
}

static void test_long_queries(void **state)
{
	const struct fixture *f = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct hit hits[1];

	for (int i = 0; i < 5000; i++)
		strbuf_add_format(&text, "w%dx phishing-mail ", i);
	assert_int_equal(search(f, text.data, hits, 1), 1);
}

static void test_pages_that_are_refused(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = file_join(f->folder, "other.db");
	_cleanup_free_ char *new_path = file_join(f->folder, "other.db.new");
	_cleanup_free_ char *large = calloc(PAGE_BYTES_MAX + 2, 1);
	char name[PAGE_ID_MAX + 2];
	struct error err = ERROR_INIT;
	struct builder *b = builder_new(path, &weights_default, &err);
	struct page p = make_page("a.md", large);

	memset(large, 'a', PAGE_BYTES_MAX + 1);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	p.length = PAGE_BYTES_MAX;
	assert_true(builder_add(b, &p, &err));
	assert_false(builder_add(b, &p, &err)); /* again */
	testing_error(&err, ERR_INVALID_ARGUMENT, "this id");
	p.id = "b.md";
	p.length = PAGE_BYTES_MAX + 1;
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "larger");
	p = make_page(name, "x");
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer");
	p.id = name + 1;
	assert_true(builder_add(b, &p, &err));
	p = make_page("a\nb.md", "x");
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "cannot be seen");
	p.id = "a\xe2\x80\xae.md";
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "cannot be seen");
	p = make_page("c.md", "a\xff");
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "UTF-8");
	p = make_page("c.md", "a\0b");
	p.length = 3;
	assert_false(builder_add(b, &p, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "NUL");
	/* What is not finished leaves nothing. */
	assert_true(file_exists(new_path));
	builder_free(b);
	assert_false(file_exists(new_path) || file_exists(path));
}

static void test_broken_files(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *path = file_join(f->folder, "broken.db");
	struct error err = ERROR_INIT;

	assert_null(index_open(path, &err));
	testing_error(&err, ERR_NOT_FOUND, "no index");
	testing_put(path, "no database", 0600);
	assert_null(index_open(path, &err));
	testing_error(&err, ERR_INTERNAL, "index");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_stop_words_are_sorted),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_thesaurus),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_long_queries),
		cmocka_unit_test(test_pages_that_are_refused),
		cmocka_unit_test(test_broken_files),
	};

	return cmocka_run_group_tests_name("playbooks search", tests, set_up, tear_down);
}
