#include "guard/audit.h"

#include <pthread.h>

#include "base/canonical.h"
#include "guard/testing_audit.h"

/* ---- What a line is ---- */

static void test_format(void **state)
{
	struct chain *c = *state;
	char hash[DIGEST_HEX_BYTES], head[DIGEST_HEX_BYTES], again[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	int64_t seq = -1;

	chain_append(c, 7, hash);
	audit_head(c->audit, &seq, head);
	assert_int_equal(seq, 1);
	assert_string_equal(head, hash);
	chain_read(c);
	assert_int_equal(c->count, 2);
	json_auto_t *first =
		json_parse(c->lines[0], strlen(c->lines[0]), JSON_CONTRACT, &err);
	json_auto_t *second =
		json_parse(c->lines[1], strlen(c->lines[1]), JSON_CONTRACT, &err);
	assert_string_equal(json_get_string(first, "event"), "audit.opened");
	assert_string_equal(
		json_get_string(first, "prev"),
		"0000000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(json_get_int64(first, "seq", -1), 0);
	assert_true(json_is_boolean(
		json_object_get(json_object_get(first, "data"), "reserved")));
	assert_string_equal(json_get_string(second, "prev"),
			    json_get_string(first, "hash"));
	assert_string_equal(json_get_string(second, "hash"), hash);
	assert_string_equal(json_get_string(second, "program"), "gate");
	assert_int_equal(json_get_int64(second, "v", 0), 1);
	assert_int_equal(json_object_size(second), 8);
	assert_int_equal(strlen(json_get_string(second, "at")), 24);
	/* By the book: canonical, and the hash is of the line without itself. */
	assert_true(canonical_is(c->lines[1], strlen(c->lines[1])));
	assert_int_equal(json_object_del(second, "hash"), 0);
	assert_true(canonical_digest(second, again, &err));
	assert_string_equal(again, hash);
}

static void test_what_is_no_line(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	static char text[AUDIT_LINE_MAX + 1];

	assert_false(audit_append(c->audit, "x", NULL, NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no object");
	assert_false(audit_append(c->audit, "x", json_array(), NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no object");
	assert_false(audit_append(c->audit, "Bad event", json_object(), NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no object");
	assert_false(audit_append(c->audit, "x", json_pack("{s:I}", "n", INT64_MAX), NULL,
				  &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	memset(text, 'x', AUDIT_LINE_MAX);
	assert_false(
		audit_append(c->audit, "x", json_pack("{s:s}", "t", text), NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than 262144");
	/* The longest that fits is found from above, and verifies. */
	for (size_t n = AUDIT_LINE_MAX; n > 0; n--) {
		text[n - 1] = '\0';
		if (audit_append(c->audit, "x", json_pack("{s:s}", "t", text), NULL,
				 &err))
			break;
		testing_error(&err, ERR_INVALID_ARGUMENT, "longer");
	}
	assert_true(audit_is_sound(c->audit));
	chain_close(c);
	chain_read(c);
	assert_int_equal(strlen(c->lines[1]), AUDIT_LINE_MAX - 1);
	assert_true(chain_verify(c, NULL, 0).sound);
	assert_null(audit_open(c->dir, "../gate", &err));
	testing_error(&err, ERR_INTERNAL, "no name");
}

static void test_hostile_text(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;

	assert_true(audit_append(c->audit, "x",
				 json_pack("{s:s, s:s}", "\"}\n",
					   "\",\"hash\":\"0\"}\n{\"v\":1}",
					   "\xe2\x80\xa8", "\x01\xf0\x9f\x98\x80"),
				 NULL, &err));
	chain_close(c);
	chain_read(c);
	assert_int_equal(c->count, 3); /* opened, this, checkpoint */
	assert_true(chain_verify(c, NULL, 0).sound);
}

static void test_checkpoints(void **state)
{
	struct chain *c = *state;
	size_t checkpoints = 0;

	for (int i = 1; i < 2 * AUDIT_CHECKPOINT_LINES + 1; i++)
		chain_append(c, i, NULL);
	chain_close(c);
	chain_read(c);
	for (size_t i = 0; i < c->count; i++)
		checkpoints += strstr(c->lines[i], "\"event\":\"checkpoint\"") != NULL;
	assert_int_equal(c->count, 2 * AUDIT_CHECKPOINT_LINES + 1 + 3);
	assert_int_equal(checkpoints, 3);
	assert_non_null(
		strstr(c->lines[AUDIT_CHECKPOINT_LINES], "\"event\":\"checkpoint\""));
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.checkpoints, 3);
	assert_int_equal(r.lines, c->count);
	assert_int_equal(r.last_seq, c->count - 1);
	assert_int_equal(r.signed_to_seq, c->count - 2);
	assert_false(r.end_proven);
}

static void test_sensitive(void **state)
{
	struct chain *c = *state;
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT,
				       other = STRBUF_INIT;
	uint8_t plain[DIGEST_BYTES];
	char hex[DIGEST_HEX_BYTES];

	audit_sensitive(c->audit, "secret", &one);
	audit_sensitive(c->audit, "secres", &other);
	chain_close(c);
	chain_open(c);
	audit_sensitive(c->audit, "secret", &two);
	assert_int_equal(one.length, 5 + 32);
	assert_memory_equal(one.data, "hmac:", 5);
	assert_string_equal(one.data,
			    two.data); /* equal values can be seen to be equal */
	assert_string_not_equal(one.data, other.data);
	digest_sha256("secret", 6, plain);
	digest_hex(plain, sizeof plain, hex);
	assert_memory_not_equal(one.data + 5, hex, 32);
	strbuf_done(&two);
	strbuf_done(&other);
}

/* ---- Opening ---- */

static void test_goes_on(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;

	chain_append(c, 1, NULL);
	chain_close(c);
	for (int i = 0; i < 3; i++) {
		chain_open(c);
		chain_append(c, 2 + i, NULL);
		chain_close(c);
	}
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.lines, 12);
	/* A second writer is kept out. */
	chain_open(c);
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_CONFLICT, "another process");
	chain_append(c, 9, NULL);
}

static void test_torn_line(void **state)
{
	struct chain *c = *state;

	chain_append(c, 1, NULL);
	chain_close(c);
	chain_read(c);
	/* Cut the last line anywhere, its newline included. */
	_cleanup_free_ char *last = c->lines[--c->count];
	const size_t cuts[] = { 1, strlen(last) / 2, strlen(last) };
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		_cleanup_free_ char *torn = strndup(last, cuts[i]);
		chain_write(c, torn);
		chain_assert_finding(c, (int64_t)c->count + 1, "torn");
		chain_open(c);
		chain_append(c, 2, NULL);
		chain_close(c);
		assert_int_equal(chain_count_torn(c), i + 1);
		assert_true(chain_verify(c, NULL, 0).sound);
		struct chain after = *c;
		after.count = 0;
		chain_read(&after);
		assert_non_null(
			strstr(after.lines[c->count], "\"event\":\"audit.recovered\""));
		assert_non_null(strstr(after.lines[c->count], "torn_bytes"));
		chain_forget_lines(&after);
	}
}

/* What a power cut can leave: blocks of zeros where lines were not written. */
static void test_hole(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	static const char zeros[5000];

	chain_append(c, 1, NULL);
	chain_close(c);
	assert_true(file_read(c->path, 1000000, &text, &err));
	strbuf_add_string(&text, "{\"at\":\"2026");
	strbuf_add(&text, zeros, sizeof zeros);
	strbuf_add_string(&text, "}\n{}\n");
	assert_true(file_write(c->path, text.data, text.length, 0600, &err));
	chain_open(c);
	chain_append(c, 2, NULL);
	assert_int_equal(chain_count_torn(c), 1);
	assert_true(chain_verify(c, NULL, 0).sound);
}

static void test_only_a_torn_line(void **state)
{
	struct chain *c = *state;

	chain_close(c);
	chain_write(c, "{\"at\":");
	chain_open(c);
	chain_append(c, 1, NULL);
	assert_int_equal(chain_count_torn(c), 1);
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.last_seq, 2); /* recovered, opened, ours */
}

static void test_damaged_last_line(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;

	chain_append(c, 1, NULL);
	chain_close(c);
	chain_read(c);
	char *digit = strstr(c->lines[c->count - 1], "\"seq\":") + 6;
	*digit = '7';
	chain_write(c, "");
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_INTERNAL, "damaged");
	chain_read(c);
	assert_int_equal(chain_count_torn(c), 0);
}

static void test_a_link_is_no_log(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	char other[2 * TESTING_PATH_BYTES];

	chain_close(c);
	(void)snprintf(other, sizeof other, "%s/other", c->folder);
	assert_int_equal(rename(c->path, other), 0);
	assert_int_equal(symlink(other, c->path), 0);
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_INTERNAL, "cannot open");
}

static void test_another_key(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *key = statedir_path(c->dir, "audit/gate.key");

	chain_close(c);
	assert_int_equal(unlink(key), 0);
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_INTERNAL, "not the public half");
}

/* That a pair is one is found out once, and remembered by what only its owner can write. */
static void test_a_pair_is_remembered(void **state)
{
	struct chain *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *key = statedir_path(c->dir, "audit/gate.key");
	_cleanup_free_ char *pem = statedir_path(c->dir, "audit/gate.pem");
	_cleanup_free_ char *pair = statedir_path(c->dir, "audit/gate.pair");
	_cleanup_strbuf_ struct strbuf proof = STRBUF_INIT, again = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	audit_sensitive(c->audit, "secret", &before);
	chain_close(c);
	chain_open(c);
	chain_close(c);
	assert_true(file_read(pair, 64, &proof, &err));
	assert_int_equal(proof.length, 64);
	/* With it, and with another text there, all is as it was. */
	chain_open(c);
	audit_sensitive(c->audit, "secret", &after);
	assert_string_equal(before.data, after.data);
	chain_append(c, 1, NULL);
	chain_close(c);
	assert_true(file_write(pair, "0123", 4, 0600, &err));
	chain_open(c);
	chain_close(c);
	assert_true(file_read(pair, 64, &again, &err));
	assert_string_equal(proof.data, again.data);
	assert_true(chain_verify(c, NULL, 0).sound);
	/* It speaks of these two alone. */
	_cleanup_(sign_key_freep) struct sign_key *other = NULL;
	assert_int_equal(unlink(key), 0);
	other = sign_key_create(key, &err);
	assert_non_null(other);
	assert_null(audit_open(c->dir, "gate", &err));
	testing_error(&err, ERR_INTERNAL, "not the public half");
	assert_true(sign_key_write_public(other, pem, &err));
	assert_true(file_write(pair, proof.data, proof.length, 0600, &err));
	chain_open(c);
	chain_close(c);
	strbuf_clear(&again);
	assert_true(file_read(pair, 64, &again, &err));
	assert_string_not_equal(proof.data, again.data);
}

/* ---- Many writers ---- */

struct writer {
	struct chain *chain;
	int first;
};

static void *write_lines(void *arg)
{
	const struct writer *w = arg;

	for (int i = 0; i < 50; i++)
		chain_append(w->chain, w->first + i, NULL);
	return NULL;
}

static void test_threads(void **state)
{
	struct chain *c = *state;
	struct writer writers[8];
	pthread_t threads[8];

	for (int i = 0; i < 8; i++) {
		writers[i] = (struct writer){ c, i * 50 };
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	chain_close(c);
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.lines - r.checkpoints, 401);
}

static bool add_text(struct audit_lines *lines, const char *text, struct error *err)
{
	const struct audit_text texts[] = { { "a", "first" }, { "text", text } };

	return audit_lines_add(lines, texts, ARRAY_SIZE(texts), err);
}

/* One wait for many lines: all of them are there, in order, and checkpoints between. */
static void test_all_at_once(void **state)
{
	struct chain *c = *state;
	struct audit_lines lines = AUDIT_LINES_INIT;
	struct error err = ERROR_INIT;
	char number[16];

	assert_true(audit_append_lines(c->audit, "test.many", &lines, &err));
	for (int i = 0; i < 100; i++) {
		(void)snprintf(number, sizeof number, "%d", i);
		assert_true(add_text(&lines, number, &err));
	}
	assert_true(audit_append_lines(c->audit, "test.many", &lines, &err));
	audit_lines_clear(&lines);
	/* What would forge a line is text like any other, and verifies. */
	assert_true(add_text(&lines, "\"}\n{\"v\":1,\"hash\":\"0\"}\n", &err));
	assert_true(add_text(&lines, "\x01\x7f \xf0\x9f\x98\x80 \xe2\x80\xa8", &err));
	assert_true(audit_append_lines(c->audit, "test.many", &lines, &err));
	audit_lines_done(&lines);
	chain_append(c, 0, NULL);
	chain_close(c);
	chain_read(c);
	assert_non_null(strstr(c->lines[1], "{\"a\":\"first\",\"text\":\"0\"}"));
	assert_non_null(strstr(c->lines[2], "{\"a\":\"first\",\"text\":\"1\"}"));
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.lines - r.checkpoints, 1 + 100 + 2 + 1);
}

/* What cannot stand in a line is not added; one too long is found when it is appended. */
static void test_what_is_not_gathered(void **state)
{
	static const char *const bad[] = { "\xff", "a\xc3", "12345678\xed\xa0\x80",
					   "\xef\xbf\xbf" };
	struct chain *c = *state;
	struct audit_lines lines = AUDIT_LINES_INIT;
	struct error err = ERROR_INIT;
	char *text = malloc(AUDIT_LINE_MAX + 1);

	assert_non_null(text);
	assert_true(add_text(&lines, "before", &err));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(add_text(&lines, bad[i], &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "a string");
	}
	assert_int_equal(lines.count, 1);
	assert_string_equal(lines.data.data, "{\"a\":\"first\",\"text\":\"before\"}\n");
	memset(text, 'x', AUDIT_LINE_MAX);
	text[AUDIT_LINE_MAX] = '\0';
	assert_true(add_text(&lines, text, &err));
	assert_true(add_text(&lines, "behind", &err));
	assert_false(audit_append_lines(c->audit, "test.many", &lines, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than");
	assert_true(audit_is_sound(c->audit));
	chain_append(c, 0, NULL);
	chain_close(c);
	const struct audit_report r = chain_verify(c, NULL, 0);
	assert_true(r.sound);
	assert_int_equal(r.lines - r.checkpoints, 1 + 1 + 1);
	audit_lines_done(&lines);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAIN_TEST(test_all_at_once),
		CHAIN_TEST(test_what_is_not_gathered),
		CHAIN_TEST(test_format),
		CHAIN_TEST(test_what_is_no_line),
		CHAIN_TEST(test_hostile_text),
		CHAIN_TEST(test_checkpoints),
		CHAIN_TEST(test_sensitive),
		CHAIN_TEST(test_goes_on),
		CHAIN_TEST(test_torn_line),
		CHAIN_TEST(test_hole),
		CHAIN_TEST(test_only_a_torn_line),
		CHAIN_TEST(test_damaged_last_line),
		CHAIN_TEST(test_a_link_is_no_log),
		CHAIN_TEST(test_another_key),
		CHAIN_TEST(test_a_pair_is_remembered),
		CHAIN_TEST(test_threads),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
