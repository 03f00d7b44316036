/* A chain goes on from file to file: who falls in between, what is moved away, who reads. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "guard/audit_files.h"
#include "guard/testing_audit.h"

enum { SMALL = 4000 };

static struct audit_files files_of(const struct chain *c)
{
	_cleanup_free_ char *folder = statedir_path(c->dir, "audit");
	struct audit_files files = { 0 };
	struct error err = ERROR_INIT;

	assert_true(audit_files_list(folder, "gate", &files, &err));
	return files;
}

static struct audit_report verify_sound(const struct chain *c)
{
	const struct audit_report r = chain_verify_all(c, NULL, 0);

	if (!r.sound)
		fail_msg("%s line %lld: %s", r.finding_file, (long long)r.finding_line,
			 r.finding);
	return r;
}

static void fill(struct chain *c, int count)
{
	audit_limit_file(c->audit, SMALL);
	for (int i = 0; i < count; i++)
		chain_append(c, i, NULL);
}

static struct audit_anchor head(const struct chain *c)
{
	struct audit_anchor a = { .program = "gate", .at_ms = -1, .source = "a note" };

	audit_head(c->audit, &a.seq, a.hash);
	return a;
}

static void read_whole(const char *path, struct strbuf *ret)
{
	struct error err = ERROR_INIT;

	assert_true(file_read(path, 1000000, ret, &err));
}

/* ---- It goes on ---- */

static void test_files_follow(void **state)
{
	struct chain *c = *state;

	fill(c, 300);
	chain_close(c);
	_cleanup_audit_files_ struct audit_files files = files_of(c);
	const struct audit_report r = verify_sound(c);

	assert_true(files.count > 10);
	assert_int_equal(r.files, files.count);
	assert_int_equal(r.first_seq, 0);
	assert_int_equal(r.lines - r.checkpoints, 301);
	assert_int_equal(r.signed_to_seq, r.last_seq - 1);
	assert_int_equal(r.proven_to_seq, r.signed_to_seq);
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct stat st;

		assert_int_equal(stat(files.file[i].path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		read_whole(files.file[i].path, &text);
		assert_int_equal(text.data[text.length - 1], '\n');
		assert_true(text.length < SMALL + 2000);
		assert_int_equal(files.file[i].is_numbered, i > 0);
		if (i + 1 == files.count)
			continue;
		/* Left as it will stay: signed to its end, and no room kept. */
		const char *last = memrchr(text.data, '\n', text.length - 1);
		assert_non_null(strstr(last, "\"event\":\"checkpoint\""));
		assert_true(st.st_blocks * 512 <= SMALL + 8192);
	}
	/* One file by itself, wherever it lies. */
	struct audit_report alone;
	struct error err = ERROR_INIT;
	assert_true(audit_verify_file(files.file[5].path, "gate", c->key, NULL, 0, &alone,
				      &err));
	assert_true(alone.sound);
	assert_int_equal(alone.first_seq, files.file[5].first_seq);
	assert_int_equal(alone.last_seq, files.file[6].first_seq - 1);
}

static void test_goes_on_in_the_last(void **state)
{
	struct chain *c = *state;

	fill(c, 50);
	chain_close(c);
	const struct audit_report before = verify_sound(c);
	for (int i = 0; i < 3; i++) {
		chain_open(c);
		chain_append(c, i, NULL);
		chain_close(c);
	}
	const struct audit_report after = verify_sound(c);
	assert_int_equal(after.files, before.files);
	assert_int_equal(after.lines, before.lines + 9);
}

static void *write_lines(void *chain)
{
	for (int i = 0; i < 100; i++)
		chain_append(chain, i, NULL);
	return NULL;
}

static void test_threads(void **state)
{
	struct chain *c = *state;
	pthread_t threads[8];

	audit_limit_file(c->audit, SMALL);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	chain_close(c);
	const struct audit_report r = verify_sound(c);
	assert_int_equal(r.lines - r.checkpoints, 801);
	assert_true(r.files > 20);
}

/* Many lines in one go, across the end of a file. */
static void test_all_at_once(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	struct audit_lines lines = AUDIT_LINES_INIT;
	const struct audit_text text = { "n", "as any other" };

	audit_limit_file(c->audit, SMALL);
	for (int i = 0; i < 200; i++)
		assert_true(audit_lines_add(&lines, &text, 1, &err));
	assert_true(audit_append_lines(c->audit, "test.many", &lines, &err));
	audit_lines_done(&lines);
	chain_append(c, 1, NULL);
	chain_close(c);
	assert_true(verify_sound(c).files >= 2);
}

static void test_another_writer(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;

	fill(c, 50);
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_CONFLICT, "another process");
}

/* ---- It cannot go on in a new file ---- */

static void test_no_new_file(void **state)
{
	struct chain *c = *state;
	struct rlimit before;
	int64_t last = 0;

	/* As many descriptors as there are: none for a new file. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	const struct rlimit none = { 3, before.rlim_max };
	chain_append(c, 1, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fill(c, 60);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(audit_is_sound(c->audit));
	assert_int_equal(verify_sound(c).files, 1);
	chain_read(c);
	for (size_t i = 0; i < c->count; i++)
		if (strstr(c->lines[i], "\"event\":\"audit.not_rotated\""))
			last = (int64_t)i;
	assert_true(last > 0);
	/* Later it can, and does. */
	fill(c, 20);
	chain_close(c);
	assert_true(verify_sound(c).files > 1);
}

/* ---- Who falls in between ---- */

static void test_begun_and_empty(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;

	fill(c, 50);
	chain_close(c);
	const struct audit_report before = verify_sound(c);
	_cleanup_free_ char *folder = statedir_path(c->dir, "audit");
	_cleanup_free_ char *next = audit_files_path(folder, "gate", before.last_seq + 1);
	assert_true(file_create(next, "", 0, 0600, &err));
	assert_true(verify_sound(c).files == before.files + 1);
	chain_open(c);
	chain_append(c, 1, NULL);
	chain_close(c);
	const struct audit_report after = verify_sound(c);
	assert_int_equal(after.files, before.files + 1);
	assert_int_equal(after.lines, before.lines + 3);
	/* Torn in its first line. */
	_cleanup_free_ char *another =
		audit_files_path(folder, "gate", after.last_seq + 1);
	assert_true(file_create(another, "{\"at\"", 5, 0600, &err));
	assert_non_null(strstr(chain_verify_all(c, NULL, 0).finding, "torn"));
	chain_open(c);
	chain_close(c);
	assert_int_equal(verify_sound(c).files, before.files + 2);
	/* One that does not follow is not filled. */
	_cleanup_free_ char *odd =
		audit_files_path(folder, "gate", after.last_seq + 1000);
	assert_true(file_create(odd, "", 0, 0600, &err));
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_INTERNAL, "does not follow");
}

static int write_for_ever(struct chain *c, int ready_fd)
{
	struct error err = ERROR_INIT;
	struct audit *a = audit_open(c->dir, "gate", &err);

	if (!a)
		return 10;
	audit_limit_file(a, 1); /* a file a line */
	/* However busy the machine is, there is one of this round. */
	if (!audit_append(a, "test.line", json_pack("{s:s}", "text", "the first"), NULL,
			  &err) ||
	    write(ready_fd, "!", 1) != 1)
		return 10;
	while (audit_append(a, "test.line", json_pack("{s:s}", "text", "some text"), NULL,
			    &err))
		continue;
	return 11;
}

static void test_killed_while_rotating(void **state)
{
	chain_killed(*state, write_for_ever, 8, 10000, 1777);
	assert_true(verify_sound(*state).files > 8);
}

/* ---- What was moved away ---- */

static void test_moved_away(void **state)
{
	struct chain *c = *state;

	fill(c, 200);
	const struct audit_anchor end = head(c);
	chain_close(c);
	_cleanup_audit_files_ struct audit_files files = files_of(c);
	const struct audit_report whole = verify_sound(c);
	struct audit_anchor early = end, unnumbered = end;

	early.seq = 3;
	unnumbered.seq = -1;
	memset(unnumbered.hash, '1', 10);
	unnumbered.at_ms = 1000;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(unlink(files.file[i].path), 0);
	const struct audit_report r = verify_sound(c);
	assert_int_equal(r.first_seq, files.file[5].first_seq);
	assert_int_equal(r.last_seq, whole.last_seq);
	/* What is remembered of lines that are not here proves and disproves nothing. */
	const struct audit_anchor anchors[] = { early, unnumbered, end };
	const struct audit_report known = chain_verify_all(c, anchors, 3);
	assert_true(known.sound && known.end_proven);
	assert_int_equal(known.anchored_to_seq, end.seq);
	/* But what would be here must be here. */
	unnumbered.at_ms = -1;
	assert_false(chain_verify_all(c, &unnumbered, 1).sound);
	early.seq = r.first_seq - 1; /* the line that the first one names */
	assert_non_null(strstr(chain_verify_all(c, &early, 1).finding, "written anew"));
	/* It goes on; and from a gap nothing leads on. */
	chain_open(c);
	chain_append(c, 1, NULL);
	chain_close(c);
	assert_int_equal(verify_sound(c).first_seq, r.first_seq);
	assert_int_equal(unlink(files.file[8].path), 0);
	const struct audit_report gap = chain_verify_all(c, NULL, 0);
	assert_non_null(strstr(gap.finding, "dropped"));
	assert_non_null(strstr(files.file[9].path, gap.finding_file));
	assert_int_equal(gap.finding_line, 1);
}

/* All but the last: what is open is not to be moved, but a chain can live with it. */
static void test_only_the_last_is_left(void **state)
{
	struct chain *c = *state;

	fill(c, 100);
	chain_close(c);
	_cleanup_audit_files_ struct audit_files files = files_of(c);
	for (size_t i = 0; i + 1 < files.count; i++)
		assert_int_equal(unlink(files.file[i].path), 0);
	chain_open(c);
	fill(c, 100);
	chain_close(c);
	assert_int_equal(verify_sound(c).first_seq,
			 files.file[files.count - 1].first_seq);
}

static void test_names(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *folder = statedir_path(c->dir, "audit");
	static const char *const others[] = {
		"gate.jsonl.torn-1",
		"gate-1.jsonl",
		"gate-0000000000001.jsonl",
		"gate-00000000001x.jsonl",
		"Gate.jsonl",
		"gate-.jsonl",
		"gate-000000000001.json",
		"gate.old.jsonl",
		".jsonl",
		"-000000000001.jsonl",
		"gate000000000001.jsonl.gz",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *path = file_join(folder, others[i]);
		assert_true(file_create(path, "{}\n", 3, 0600, &err));
	}
	_cleanup_audit_files_ struct audit_files files = files_of(c);
	assert_int_equal(files.count, 1);
	struct audit_programs programs;
	assert_true(audit_files_programs(folder, &programs, &err));
	assert_int_equal(programs.count, 1);
	assert_string_equal(programs.name[0], "gate");
	/* A file of another name holds the same lines at another place. */
	fill(c, 50);
	chain_close(c);
	_cleanup_audit_files_ struct audit_files after = files_of(c);
	_cleanup_free_ char *odd = audit_files_path(folder, "gate", 7);
	assert_int_equal(rename(after.file[1].path, odd), 0);
	assert_non_null(strstr(chain_verify_all(c, NULL, 0).finding, "renamed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAIN_TEST(test_files_follow),    CHAIN_TEST(test_goes_on_in_the_last),
		CHAIN_TEST(test_threads),         CHAIN_TEST(test_all_at_once),
		CHAIN_TEST(test_another_writer),  CHAIN_TEST(test_no_new_file),
		CHAIN_TEST(test_begun_and_empty), CHAIN_TEST(test_killed_while_rotating),
		CHAIN_TEST(test_moved_away),      CHAIN_TEST(test_only_the_last_is_left),
		CHAIN_TEST(test_names),
	};

	return cmocka_run_group_tests_name("audit-rotate", tests, NULL, NULL);
}
