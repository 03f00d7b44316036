#include "link/documents/documents_contract.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/testing_calls.h"

static int64_t put(struct documents *d, const char *collection, const char *id,
		   json_t *body, int64_t expected)
{
	int64_t revision = -7;

	assert_non_null(body);
	assert_good(documents_put(d, collection, id, body, expected, &revision, err));
	json_decref(body);
	return revision;
}

void contract_put_and_get(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	json_t *body = json_pack("{s:I, s:s, s:{s:[n, b, f]}}", "big", JSON_INTEGER_MAX,
				 "text", "Zo\xc3\xab \"quoted\"\n", "deep", "list", 1,
				 0.5);
	bool found = true;

	(void)state;
	assert_good(documents_get(d, "blocks", "a", &doc, &found, err));
	assert_false(found);
	json_incref(body);
	assert_int_equal(put(d, "blocks", "a", body, DOCUMENT_NEW), 1);
	documents_close(TAKE(d));
	d = contract_twin.reopen();
	assert_good(documents_get(d, "blocks", "a", &doc, &found, err));
	assert_true(found);
	assert_string_equal(doc.id, "a");
	assert_int_equal(doc.revision, 1);
	assert_true(doc.updated_ms > INT64_C(1700000000000));
	assert_true(json_equal(doc.body, body));
	json_decref(body);
	/* Another collection is another world. */
	assert_good(documents_get(d, "Blocks", "a", &doc, &found, err));
	assert_false(found);
}

void contract_compare_and_set(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	bool found = false;

	(void)state;
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 1), 1), 0);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 1), DOCUMENT_NEW), 1);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 2), DOCUMENT_NEW), 0);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 3), 2), 0);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 4), 1), 2);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 5), 1), 0);
	assert_int_equal(put(d, "c", "a", json_pack("{s:i}", "n", 6), DOCUMENT_ANY), 3);
	assert_int_equal(put(d, "c", "b", json_pack("{s:i}", "n", 7), DOCUMENT_ANY), 1);
	assert_good(documents_get(d, "c", "a", &doc, &found, err));
	assert_int_equal(json_get_int64(doc.body, "n", 0), 6);
	assert_int_equal(doc.revision, 3);
}

void contract_delete(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	bool existed = true, found = true;

	(void)state;
	assert_good(documents_delete(d, "c", "a", &existed, err));
	assert_false(existed);
	put(d, "c", "a", json_object(), DOCUMENT_NEW);
	assert_good(documents_delete(d, "c", "a", &existed, err));
	assert_true(existed);
	assert_good(documents_get(d, "c", "a", &doc, &found, err));
	assert_false(found);
	assert_int_equal(put(d, "c", "a", json_object(), DOCUMENT_NEW), 1);
}

enum { THREADS = 4, ADDITIONS = 20 };

struct adder {
	struct documents *d;
	atomic_int failures;
};

/* Read, add one, put at that revision, and again if somebody was faster. */
static void *add_thread(void *context)
{
	struct adder *adder = context;

	for (int done = 0; done < ADDITIONS;) {
		_cleanup_(document_done) struct document doc = { 0 };
		struct error err = ERROR_INIT;
		json_auto_t *body = NULL;
		int64_t revision = 0;
		bool found = false;

		if (!documents_get(adder->d, "c", "n", &doc, &found, &err) || !found) {
			atomic_fetch_add(&adder->failures, 1);
			return NULL;
		}
		body = json_pack("{s:I}", "n",
				 (json_int_t)json_get_int64(doc.body, "n", -1000) + 1);
		if (!documents_put(adder->d, "c", "n", body, doc.revision, &revision,
				   &err)) {
			atomic_fetch_add(&adder->failures, 1);
			return NULL;
		}
		done += revision != 0;
	}
	return NULL;
}

void contract_writers(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	struct adder adder = { .d = d };
	pthread_t threads[THREADS];
	bool found = false;

	(void)state;
	put(d, "c", "n", json_pack("{s:i}", "n", 0), DOCUMENT_NEW);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_thread, &adder),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&adder.failures), 0);
	assert_good(documents_get(d, "c", "n", &doc, &found, err));
	assert_int_equal(json_get_int64(doc.body, "n", 0), THREADS * ADDITIONS);
	assert_int_equal(doc.revision, THREADS * ADDITIONS + 1);
}

struct gathered {
	char ids[400][16];
	int count, stop_after;
	struct documents *d;
};

static bool gather(void *context, const struct document *doc)
{
	struct gathered *g = context;

	assert_true(strlen(doc->id) < sizeof g->ids[0]);
	memcpy(g->ids[g->count++], doc->id, strlen(doc->id) + 1);
	/* The store may be used from here. */
	put(g->d, "seen", doc->id, json_object(), DOCUMENT_ANY);
	return g->count != g->stop_after;
}

static int query(struct documents *d, struct gathered *g,
		 const struct documents_filter *filters, const char *after,
		 bool newest_first, size_t limit)
{
	*g = (struct gathered){ .d = d, .stop_after = g->stop_after };
	assert_good(documents_query(d, "q", filters, after, newest_first, limit, gather,
				    g, err));
	return g->count;
}

void contract_query_order(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	static struct gathered g;

	(void)state;
	for (int i = 0; i < 130; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "id-%03d", (i * 37) % 130);
		put(d, "q", id, json_pack("{s:i}", "i", i), DOCUMENT_NEW);
	}
	assert_int_equal(query(d, &g, NULL, NULL, false, 1000), 130);
	assert_string_equal(g.ids[0], "id-000");
	assert_string_equal(g.ids[129], "id-129");
	assert_int_equal(query(d, &g, NULL, NULL, true, 1000), 130);
	assert_string_equal(g.ids[0], "id-129");
	assert_string_equal(g.ids[129], "id-000");
	assert_int_equal(query(d, &g, NULL, "id-127", false, 1000), 2);
	assert_int_equal(query(d, &g, NULL, "id-002", true, 1000), 2);
	assert_string_equal(g.ids[0], "id-001");
	assert_int_equal(query(d, &g, NULL, NULL, false, 64), 64);
	assert_int_equal(query(d, &g, NULL, NULL, false, 65), 65);
	assert_int_equal(query(d, &g, NULL, NULL, false, 0), 0);
	g.stop_after = 3;
	assert_int_equal(query(d, &g, NULL, NULL, false, 1000), 3);
}

void contract_query_filters(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	static struct gathered g;
	const struct documents_filter open[] = { { "state", "open" }, { 0 } };
	const struct documents_filter both[] = { { "state", "open" },
						 { "plan.risk", "write" },
						 { 0 } };
	const struct documents_filter number[] = { { "n", "1" }, { 0 } };
	const struct documents_filter yes[] = { { "flag", "1" }, { 0 } };
	const struct documents_filter accent[] = { { "who", "Zo\xc3\xab" }, { 0 } };

	(void)state;
	put(d, "q", "a",
	    json_pack("{s:s, s:{s:s}}", "state", "open", "plan", "risk", "write"), 0);
	put(d, "q", "b",
	    json_pack("{s:s, s:{s:s}}", "state", "open", "plan", "risk", "read"), 0);
	put(d, "q", "c", json_pack("{s:s}", "state", "closed"), 0);
	put(d, "q", "d", json_pack("{s:i, s:b}", "n", 1, "flag", 1), 0);
	put(d, "q", "e", json_pack("{s:s, s:s}", "n", "1", "who", "Zo\xc3\xab"), 0);
	assert_int_equal(query(d, &g, open, NULL, false, 10), 2);
	assert_int_equal(query(d, &g, both, NULL, false, 10), 1);
	assert_string_equal(g.ids[0], "a");
	/* Text equals text alone. */
	assert_int_equal(query(d, &g, number, NULL, false, 10), 1);
	assert_string_equal(g.ids[0], "e");
	assert_int_equal(query(d, &g, yes, NULL, false, 10), 0);
	assert_int_equal(query(d, &g, accent, NULL, false, 10), 1);
}

void contract_query_hostile(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	static struct gathered g = { 0 };
	static const char *const paths[] = { "",    ".",    "a.",  ".a", "a..b", "a\"b",
					     "$.a", "a[0]", "a b", "a'", "a->>b" };
	const struct documents_filter value[] = { { "state", "' OR 1=1 --" }, { 0 } };
	const struct documents_filter nothing[] = { { "state", NULL }, { 0 } };

	(void)state;
	put(d, "q", "a", json_pack("{s:s}", "state", "open"), DOCUMENT_NEW);
	assert_int_equal(query(d, &g, value, NULL, false, 10), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct documents_filter filters[] = { { paths[i], "open" }, { 0 } };

		assert_refused(ERR_INVALID_ARGUMENT,
			       documents_query(d, "q", filters, NULL, false, 10, gather,
					       &g, err));
	}
	assert_refused(ERR_INVALID_ARGUMENT, documents_query(d, "q", nothing, NULL, false,
							     10, gather, &g, err));
}

void contract_bounds(void **state)
{
	_cleanup_(documents_closep) struct documents *d = contract_twin.fresh();
	char id[DOCUMENT_ID_MAX + 2];
	json_auto_t *nul = json_pack("{s:s#}", "t", "a\0b", 3);
	json_auto_t *list = json_array(), *empty = json_object();
	json_auto_t *big_number =
		json_pack("{s:I}", "n", (json_int_t)JSON_INTEGER_MAX + 1);
	json_auto_t *big = NULL;
	_cleanup_free_ char *text = calloc(1, DOCUMENT_BYTES_MAX + 1);
	int64_t revision = 0;

	(void)state;
	memset(id, 'i', sizeof id);
	id[DOCUMENT_ID_MAX] = '\0';
	assert_good(documents_put(d, "c", id, empty, DOCUMENT_NEW, &revision, err));
	id[DOCUMENT_ID_MAX] = 'i';
	id[DOCUMENT_ID_MAX + 1] = '\0';
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", id, empty, DOCUMENT_NEW, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "", empty, 0, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "", "a", empty, 0, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "a\xff", empty, 0, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "a", empty, -2, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "a", list, 0, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "a", nul, 0, &revision, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "a", big_number, 0, &revision, err));

	/* {"t":"..."} takes eight bytes beside the text. */
	memset(text, 'x', DOCUMENT_BYTES_MAX);
	big = json_pack("{s:s#}", "t", text, DOCUMENT_BYTES_MAX - 8);
	assert_good(documents_put(d, "c", "big", big, 0, &revision, err));
	json_object_set_new(big, "t", json_stringn(text, DOCUMENT_BYTES_MAX - 7));
	assert_refused(ERR_INVALID_ARGUMENT,
		       documents_put(d, "c", "big", big, 1, &revision, err));
}
