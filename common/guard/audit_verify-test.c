#include "guard/audit.h"

#include "base/canonical.h"
#include "base/clock.h"
#include "guard/testing_audit.h"

enum { N = 200 }; /* lines appended: three checkpoints and one at the end */

/* A closed chain of N lines and what goes with them, read into 'lines'. */
static struct chain *long_chain(void **state)
{
	struct chain *c = *state;

	for (int i = 0; i < N; i++)
		chain_append(c, i, NULL);
	chain_close(c);
	chain_read(c);
	assert_true(chain_verify(c, NULL, 0).sound);
	return c;
}

static void replace(char **line, json_t *json)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(canonical_write(&text, json, &err));
	free(*line);
	*line = strbuf_take(&text);
}

/* What a careful forger does: change a member and compute the hash anew. Steals. */
static void forge(char **line, const char *name, json_t *value)
{
	char hash[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	json_auto_t *json = json_parse(*line, strlen(*line), JSON_CONTRACT, &err);

	assert_int_equal(json_object_set_new(json, name, value), 0);
	assert_int_equal(json_object_del(json, "hash"), 0);
	assert_true(canonical_digest(json, hash, &err));
	assert_int_equal(json_object_set_new(json, "hash", json_string(hash)), 0);
	replace(line, json);
}

static void forge_rest(struct chain *c, size_t from)
{
	for (size_t i = from; i < c->count; i++) {
		struct error err = ERROR_INIT;
		json_auto_t *before = json_parse(c->lines[i - 1], strlen(c->lines[i - 1]),
						 JSON_CONTRACT, &err);
		json_auto_t *here =
			json_parse(c->lines[i], strlen(c->lines[i]), JSON_CONTRACT, &err);
		json_t *data = json_object_get(here, "data");
		const char *hash = json_get_string(before, "hash");
		/* A checkpoint is made to fit as well as one can without the key. */
		if (strcmp(json_get_string(here, "event"), "checkpoint") == 0) {
			assert_int_equal(
				json_object_set_new(data, "hash", json_string(hash)), 0);
			forge(&c->lines[i], "data", json_incref(data));
		}
		forge(&c->lines[i], "prev", json_string(hash));
		forge(&c->lines[i], "seq", json_integer((json_int_t)i));
	}
}

static void drop(struct chain *c, size_t at)
{
	free(c->lines[at]);
	memmove(&c->lines[at], &c->lines[at + 1],
		(c->count - at - 1) * sizeof c->lines[0]);
	c->count--;
}

static void insert(struct chain *c, size_t at, const char *line)
{
	assert_true(c->count < LINES_MAX);
	memmove(&c->lines[at + 1], &c->lines[at], (c->count - at) * sizeof c->lines[0]);
	c->lines[at] = strdup(line);
	c->count++;
}

/* ---- Tampering that shows in the chain itself ---- */

static void test_edited(void **state)
{
	struct chain *c = long_chain(state);
	char *digit = strstr(c->lines[40], "\"n\":") + 4;

	*digit = *digit == '9' ? '8' : '9';
	chain_write(c, "");
	chain_assert_finding(c, 41, "edited: its hash");
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_int_equal(r.lines, 40);
	assert_int_equal(r.last_seq, 39);
}

static void test_every_byte_of_a_line(void **state)
{
	struct chain *c = long_chain(state);

	for (size_t i = 0; i < strlen(c->lines[5]); i++) {
		c->lines[5][i] = (char)(c->lines[5][i] ^ 1);
		chain_write(c, "");
		const struct audit_report r = chain_verify(c, NULL, 0);
		assert_false(r.sound);
		assert_in_range(r.finding_line, 5, 6);
		c->lines[5][i] = (char)(c->lines[5][i] ^ 1);
	}
}

static void test_edited_with_its_hash(void **state)
{
	struct chain *c = long_chain(state);

	forge(&c->lines[40], "data", json_pack("{s:i}", "n", 7777));
	chain_write(c, "");
	chain_assert_finding(c, 41, "edited: the next line");
	/* The first, and the last before the closing checkpoint. */
	chain_read(c);
	forge(&c->lines[0], "data", json_object());
	chain_write(c, "");
	chain_assert_finding(c, 1, "edited");
}

static void test_not_written_by_us(void **state)
{
	struct chain *c = long_chain(state);
	static char flood[AUDIT_LINE_MAX + 2];

	insert(c, 10, "");
	chain_write(c, "");
	chain_assert_finding(c, 11, "edited");
	drop(c, 10);
	/* The same line with a space, or its members in another order. */
	char *line = c->lines[10];
	_cleanup_strbuf_ struct strbuf other = STRBUF_INIT;
	strbuf_add_format(&other, "{ %s", line + 1);
	c->lines[10] = other.data;
	chain_write(c, "");
	chain_assert_finding(c, 11, "not written canonically");
	memset(flood, 'x', AUDIT_LINE_MAX);
	c->lines[10] = flood;
	chain_write(c, "");
	chain_assert_finding(c, 11, "longer than a line");
	c->lines[10] = line;
	chain_write(c, "{\"at\":");
	chain_assert_finding(c, (int64_t)c->count + 1, "torn");
	/* A NUL in the file does not hide what follows. */
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct error err = ERROR_INIT;
	strbuf_add_format(&bytes, "%s", c->lines[0]);
	strbuf_add(&bytes, "\0\n", 2);
	assert_true(file_write(c->path, bytes.data, bytes.length, 0600, &err));
	chain_assert_finding(c, 1, "edited");
}

static void test_dropped(void **state)
{
	struct chain *c = long_chain(state);

	drop(c, 40);
	chain_write(c, "");
	chain_assert_finding(c, 41, "dropped: seq 40 is missing");
	drop(c, 40);
	drop(c, 40);
	chain_write(c, "");
	chain_assert_finding(c, 41, "dropped: seq 40 to 42");
	drop(c, 0);
	chain_write(c, "");
	chain_assert_finding(c, 1, "dropped: seq 0 is missing");
}

static void test_dropped_and_numbered_anew(void **state)
{
	struct chain *c = long_chain(state);

	drop(c, 40);
	for (size_t i = 40; i < 50; i++)
		forge(&c->lines[i], "seq", json_integer((json_int_t)i));
	chain_write(c, "");
	chain_assert_finding(c, 40, "edited");
}

static void test_inserted(void **state)
{
	struct chain *c = long_chain(state);

	/* A line of the forger's that fits behind the 40th. */
	insert(c, 40, c->lines[40]);
	forge(&c->lines[40], "event", json_string("forged.event"));
	chain_write(c, "");
	chain_assert_finding(c, 41, "inserted");
	/* The same line twice; an old line once more. */
	chain_read(c);
	drop(c, 40);
	insert(c, 40, c->lines[40]);
	chain_write(c, "");
	chain_assert_finding(c, 41, "inserted");
	drop(c, 40);
	insert(c, 40, c->lines[20]);
	chain_write(c, "");
	chain_assert_finding(c, 41, "inserted: seq 20");
	drop(c, 40);
	forge(&c->lines[40], "program", json_string("accounts"));
	chain_write(c, "");
	chain_assert_finding(c, 41, "chain of 'accounts'");
}

static void test_reordered(void **state)
{
	struct chain *c = long_chain(state);
	char *line = c->lines[40];

	c->lines[40] = c->lines[41];
	c->lines[41] = line;
	chain_write(c, "");
	chain_assert_finding(c, 41, "reordered: seq 41 stands where 40");
	/* One line carried to the end. */
	c->lines[41] = c->lines[40];
	c->lines[40] = line;
	line = strdup(c->lines[30]);
	drop(c, 30);
	insert(c, c->count, line);
	free(line);
	chain_write(c, "");
	chain_assert_finding(c, 31, "reordered: seq 31 stands where 30");
}

/* ---- Checkpoints ---- */

static size_t find_checkpoint(const struct chain *c, size_t from)
{
	while (from < c->count && !strstr(c->lines[from], "\"event\":\"checkpoint\""))
		from++;
	assert_true(from < c->count);
	return from;
}

static void test_rehashed_to_the_end(void **state)
{
	struct chain *c = long_chain(state);
	const size_t checkpoint = find_checkpoint(c, 0);

	assert_true(checkpoint > 41);
	forge(&c->lines[40], "data", json_pack("{s:i}", "n", 7777));
	forge_rest(c, 41);
	chain_write(c, "");
	chain_assert_finding(c, (int64_t)checkpoint + 1, "bad checkpoint: the signature");
}

static void test_signed_by_another(void **state)
{
	struct chain *c = long_chain(state), other = { 0 };
	struct error err = ERROR_INIT;

	/* The forger writes a whole chain with a key of his own. */
	_cleanup_free_ char *key = statedir_path(c->dir, "audit/gate.key");
	_cleanup_free_ char *kept = statedir_path(c->dir, "kept.pem");
	_cleanup_free_ char *pem = statedir_path(c->dir, "audit/gate.pem");
	assert_int_equal(unlink(key), 0);
	assert_int_equal(rename(pem, kept), 0);
	assert_int_equal(unlink(c->path), 0);
	chain_open(c);
	for (int i = 0; i < 70; i++)
		chain_append(c, i, NULL);
	chain_close(c);
	chain_assert_finding(c, AUDIT_CHECKPOINT_LINES + 1, "key unknown");
	/* With his key, and without any, it is a chain. */
	other = *c;
	other.key = verify_key_read(pem, &err);
	assert_true(chain_verify(&other, NULL, 0).sound);
	verify_key_free(TAKE(other.key));
	const struct audit_report r = chain_verify(&other, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.checkpoints, 2);
	assert_int_equal(r.signed_to_seq, -1);
}

static void test_bad_checkpoints(void **state)
{
	struct chain *c = long_chain(state);
	const size_t at = find_checkpoint(c, 0);
	struct error err = ERROR_INIT;
	_cleanup_free_ char *good = strdup(c->lines[at]);

	/* One that belongs elsewhere: signed well, but over another line. */
	json_auto_t *later = json_parse(c->lines[find_checkpoint(c, at + 1)],
					strlen(c->lines[find_checkpoint(c, at + 1)]),
					JSON_CONTRACT, &err);
	forge(&c->lines[at], "data", json_incref(json_object_get(later, "data")));
	chain_write(c, "");
	chain_assert_finding(c, (int64_t)at + 1, "not over the line before");
	free(c->lines[at]);
	c->lines[at] = strdup(good);
	json_auto_t *json = json_parse(good, strlen(good), JSON_CONTRACT, &err);
	json_t *data = json_object_get(json, "data");
	assert_int_equal(
		json_object_set_new(data, "typ", json_string("org.wingman/grant")), 0);
	forge(&c->lines[at], "data", json_incref(data));
	chain_write(c, "");
	chain_assert_finding(c, (int64_t)at + 1, "bad checkpoint");
	assert_int_equal(json_object_set_new(data, "more", json_true()), 0);
	forge(&c->lines[at], "data", json_incref(data));
	chain_write(c, "");
	chain_assert_finding(c, (int64_t)at + 1, "bad checkpoint");
}

/* ---- Anchors: what others remember ---- */

static struct audit_anchor anchor_of(const struct chain *c, size_t line, bool with_seq)
{
	struct audit_anchor a = { .seq = with_seq ? (int64_t)line : -1,
				  .source = "the peer" };
	struct error err = ERROR_INIT;
	json_auto_t *json =
		json_parse(c->lines[line], strlen(c->lines[line]), JSON_CONTRACT, &err);

	(void)snprintf(a.program, sizeof a.program, "gate");
	(void)snprintf(a.hash, sizeof a.hash, "%s", json_get_string(json, "hash"));
	return a;
}

static void test_cut_end(void **state)
{
	struct chain *c = long_chain(state);
	const size_t last = c->count - 1;
	struct audit_anchor anchors[3] = { anchor_of(c, 20, false),
					   anchor_of(c, 150, true),
					   anchor_of(c, 160, true) };
	(void)snprintf(anchors[0].program, sizeof anchors[0].program, "accounts");

	assert_true(chain_verify(c, anchors + 1, 2).sound);
	assert_false(chain_verify(c, anchors + 1, 2).end_proven);
	/* Cut right behind a checkpoint: by itself the rest looks whole. */
	const size_t checkpoint = find_checkpoint(c, 66);
	while (c->count > checkpoint + 1)
		drop(c, c->count - 1);
	chain_write(c, "");
	const struct audit_report alone = chain_verify(c, NULL, 0);
	assert_true(alone.sound);
	assert_int_equal(alone.signed_to_seq, alone.last_seq - 1);
	assert_false(alone.end_proven);
	/* Anchors of other programs do not matter; of those missing the first is named. */
	const struct audit_report r = chain_verify(c, anchors, 3);
	assert_false(r.sound);
	assert_non_null(strstr(
		r.finding, "cut: the log ends with seq 129, and the peer knows seq 150"));
	assert_int_equal(r.finding_line, c->count);
	assert_true(last > 160);
	anchors[1].seq = -1;
	assert_non_null(
		strstr(chain_verify(c, anchors, 2).finding, "cut or written anew"));
}

static void test_end_proven(void **state)
{
	struct chain *c = long_chain(state);
	const size_t last = c->count - 1;

	for (int with_seq = 0; with_seq <= 1; with_seq++) {
		const struct audit_anchor at_end = anchor_of(c, last, with_seq);
		const struct audit_anchor signed_line = anchor_of(c, last - 1, with_seq);
		const struct audit_anchor earlier = anchor_of(c, last - 2, with_seq);
		assert_true(chain_verify(c, &at_end, 1).end_proven);
		assert_true(chain_verify(c, &signed_line, 1).end_proven);
		assert_false(chain_verify(c, &earlier, 1).end_proven);
	}
	/* Many of the same are one. */
	struct audit_anchor many[50];
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = anchor_of(c, i % 2 ? 5 : last, i % 3 == 0);
	assert_true(chain_verify(c, many, ARRAY_SIZE(many)).end_proven);
}

static void test_written_anew_with_the_real_key(void **state)
{
	struct chain *c = long_chain(state);
	const struct audit_anchor before = anchor_of(c, 3, true),
				  unnumbered = anchor_of(c, 3, false);
	struct audit_anchor wrong_place = before;

	/* Whoever has the key can write another past, but not the one others know. */
	wrong_place.seq = 4;
	assert_int_equal(chain_verify(c, &wrong_place, 1).finding_line, 5);
	assert_int_equal(unlink(c->path), 0);
	chain_open(c);
	for (int i = 0; i < 10; i++)
		chain_append(c, 1000 + i, NULL);
	chain_close(c);
	assert_true(chain_verify(c, NULL, 0).sound);
	const struct audit_report r = chain_verify(c, &before, 1);
	assert_int_equal(r.finding_line, 4);
	assert_non_null(strstr(r.finding, "written anew: seq 3"));
	assert_false(chain_verify(c, &unnumbered, 1).sound);
}

static void test_collect_anchors(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ struct audit_anchor *anchors = NULL;
	char zeros[DIGEST_HEX_BYTES], path[TESTING_PATH_BYTES + 32];
	size_t count = 0;

	memset(zeros, '0', sizeof zeros - 1);
	zeros[sizeof zeros - 1] = '\0';
	assert_true(audit_append(c->audit, "a",
				 json_pack("{s:{s:s, s:s}}", "gate_head", "program",
					   "gate", "hash", zeros),
				 NULL, &err));
	chain_append(c, 1, NULL);
	assert_true(
		audit_append(c->audit, "b",
			     json_pack("{s:{s:s, s:i, s:s}, s:{s:s, s:s}}", "server_head",
				       "program", "accounts", "seq", 17, "hash", zeros,
				       "gate_head", "program", "gate", "hash", "no hash"),
			     NULL, &err));
	chain_close(c);
	assert_true(audit_collect_anchors(c->path, &anchors, &count, &err));
	assert_int_equal(count, 2);
	assert_string_equal(anchors[0].program, "gate");
	assert_int_equal(anchors[0].seq, -1);
	assert_string_equal(anchors[1].program, "accounts");
	assert_int_equal(anchors[1].seq, 17);
	assert_string_equal(anchors[1].hash, zeros);
	assert_non_null(strstr(anchors[1].source, "gate.jsonl line 4"));
	assert_true(
		audit_collect_anchors(c->path, &anchors, &count, &err)); /* appended */
	assert_int_equal(count, 4);
	(void)snprintf(path, sizeof path, "%s/none", c->folder);
	assert_false(audit_collect_anchors(path, &anchors, &count, &err));
	testing_error(&err, ERR_NOT_FOUND, "none");
}

/* Beside the writer: no line is taken for torn. */
static void test_while_it_is_written(void **state)
{
	struct chain *c = *state;

	for (int i = 0; i < 20; i++) {
		chain_append(c, i, NULL);
		assert_int_equal(chain_verify(c, NULL, 0).lines, i + 2);
	}
}

static void test_files_that_are_none(void **state)
{
	struct chain *c = *state;
	struct audit_report r;
	struct error err = ERROR_INIT;

	chain_close(c);
	chain_write(c, "");
	r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.last_seq, -1);
	assert_false(r.end_proven);
	assert_int_equal(unlink(c->path), 0);
	assert_false(audit_verify_file(c->path, "gate", NULL, NULL, 0, &r, &err));
	testing_error(&err, ERR_NOT_FOUND, "gate.jsonl");
	assert_false(audit_verify_file(c->folder, "gate", NULL, NULL, 0, &r, &err));
	testing_error(&err, ERR_INTERNAL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAIN_TEST(test_edited),
		CHAIN_TEST(test_every_byte_of_a_line),
		CHAIN_TEST(test_edited_with_its_hash),
		CHAIN_TEST(test_not_written_by_us),
		CHAIN_TEST(test_dropped),
		CHAIN_TEST(test_dropped_and_numbered_anew),
		CHAIN_TEST(test_inserted),
		CHAIN_TEST(test_reordered),
		CHAIN_TEST(test_rehashed_to_the_end),
		CHAIN_TEST(test_signed_by_another),
		CHAIN_TEST(test_bad_checkpoints),
		CHAIN_TEST(test_cut_end),
		CHAIN_TEST(test_end_proven),
		CHAIN_TEST(test_written_anew_with_the_real_key),
		CHAIN_TEST(test_collect_anchors),
		CHAIN_TEST(test_while_it_is_written),
		CHAIN_TEST(test_files_that_are_none),
	};

	return cmocka_run_group_tests_name("audit-verify", tests, NULL, NULL);
}
