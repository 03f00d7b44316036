/* What an embeddings endpoint may answer, and two rankings made one. */
#include "base/testing.h"

#include "servers/playbooks/vectors.h"

static bool take(const char *text, size_t count, uint32_t dimensions,
		 struct embedded *ret)
{
	struct error err = ERROR_INIT;
	json_auto_t *body = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	assert_non_null(body);
	return embed_read(body, count, dimensions, ret, &err);
}

static void test_answer(void **state)
{
	_cleanup_embedded_ struct embedded e = { 0 };

	(void)state;
	assert_true(take("{\"data\":[{\"index\":1,\"embedding\":[0,2]},"
			 "{\"index\":0,\"embedding\":[3,4.0]}]}",
			 2, 2, &e));
	assert_int_equal(e.count, 2);
	assert_int_equal(e.dimensions, 2);
	assert_float_equal(e.vectors[0], 0.6, 1e-6);
	assert_float_equal(e.vectors[1], 0.8, 1e-6);
	assert_float_equal(e.vectors[3], 1, 1e-6);
}

static void test_odd_answers(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		uint32_t dimensions;
	} odd[] = {
		{ "[]", 1, 0 },
		{ "{}", 1, 0 },
		{ "{\"data\":{}}", 1, 0 },
		{ "{\"data\":[]}", 1, 0 },
		{ "{\"data\":[]}", 0, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1]}]}", 2, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1]},7]}", 2, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,1]}]}", 1, 3 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":1,\"embedding\":[1]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":-1,\"embedding\":[1]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0.0,\"embedding\":[1]}]}", 1, 0 },
		{ "{\"data\":[{\"embedding\":[1]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":\"AAAA\"}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[\"1\"]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[null]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1e300]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[0,0]}]}", 1, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1]},"
		  "{\"index\":0,\"embedding\":[1]}]}",
		  2, 0 },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1]},"
		  "{\"index\":1,\"embedding\":[1,2]}]}",
		  2, 0 },
	};
	struct embedded e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		if (take(odd[i].text, odd[i].count, odd[i].dimensions, &e))
			fail_msg("taken: %s", odd[i].text);
	assert_null(e.vectors);
}

static json_t *make_answer(size_t count, size_t dimensions)
{
	json_t *data = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *vector = json_array();

		for (size_t k = 0; k < dimensions; k++)
			assert_int_equal(json_array_append_new(vector, json_integer(1)),
					 0);
		assert_int_equal(
			json_array_append_new(data, json_pack("{s:I, s:o}", "index",
							      (json_int_t)i, "embedding",
							      vector)),
			0);
	}
	return json_pack("{s:o}", "data", data);
}

static bool fits(size_t count, size_t dimensions)
{
	json_auto_t *body = make_answer(count, dimensions);
	_cleanup_embedded_ struct embedded e = { 0 };
	struct error err = ERROR_INIT;

	return embed_read(body, count, 0, &e, &err);
}

static void test_limits(void **state)
{
	(void)state;
	assert_true(fits(1, EMBED_DIMENSIONS_MAX));
	assert_false(fits(1, EMBED_DIMENSIONS_MAX + 1));
	assert_true(fits(EMBED_BATCH, 1));
	assert_false(fits(EMBED_BATCH + 1, 1));
}

static void test_cut(void **state)
{
	char text[EMBED_TEXT_BYTES + 2];

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(embed_cut(text, EMBED_TEXT_BYTES), EMBED_TEXT_BYTES);
	assert_int_equal(embed_cut(text, EMBED_TEXT_BYTES + 1), EMBED_TEXT_BYTES);
	text[EMBED_TEXT_BYTES - 1] = '\xc3';
	text[EMBED_TEXT_BYTES] = '\xa9';
	assert_int_equal(embed_cut(text, EMBED_TEXT_BYTES + 2), EMBED_TEXT_BYTES - 1);
}

static void test_fusion(void **state)
{
	struct index_document documents[] = {
		{ .twin = 0 }, { .twin = 1 }, { .twin = 2 }, { .twin = 0 }
	};
	const struct index x = { .documents = documents, .document_count = 4 };
	const struct hit words[] = { { .document = 1, .section = 10, .score = 9 },
				     { .document = 0, .section = 11, .score = 8 } };
	const struct hit near[] = { { .document = 2, .section = 12, .score = 0.9 },
				    { .document = 3, .section = 13, .score = 0.8 } };
	struct hit both[4];

	(void)state;
	assert_int_equal(vectors_fuse(&x, words, 2, near, 2, both, 4), 3);
	/* In both rankings, as its twin. */
	assert_int_equal(both[0].document, 0);
	assert_int_equal(both[0].section, 11);
	assert_int_equal(both[1].document, 1);
	assert_int_equal(both[2].document, 2);
	assert_int_equal(vectors_fuse(&x, words, 2, near, 2, both, 1), 1);
	assert_int_equal(vectors_fuse(&x, words, 0, near, 1, both, 4), 1);
	assert_int_equal(both[0].section, 12);
}

static void test_where_they_help(void **state)
{
	struct query *q = calloc(1, sizeof *q);
	struct hit hit = { .share = 1 };

	(void)state;
	assert_non_null(q);
	assert_true(vectors_would_help(q, NULL, 0));
	(void)snprintf(q->words[0], sizeof q->words[0], "mail");
	(void)snprintf(q->words[1], sizeof q->words[1], "the");
	q->word_count = 2;
	q->groups[0].is_typed = true;
	q->group_count = 1;
	assert_false(vectors_would_help(q, &hit, 1));
	hit.share = VECTORS_SURE - 0.01;
	assert_true(vectors_would_help(q, &hit, 1));
	hit.share = 1;
	/* Words which the index does not know: one of four is left. */
	for (size_t i = 2; i < 5; i++)
		(void)snprintf(q->words[i], sizeof q->words[i], "zebra");
	q->word_count = 4;
	assert_false(vectors_would_help(q, &hit, 1));
	q->word_count = 5;
	assert_true(vectors_would_help(q, &hit, 1));
	free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer), cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fusion), cmocka_unit_test(test_where_they_help),
	};

	return cmocka_run_group_tests_name("playbooks vectors", tests, NULL, NULL);
}
