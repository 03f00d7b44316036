/*
 * playbooks_bench -- 10,000 pages: how long their index takes, how long a search, and what
 * it keeps in memory; against SQLite's FTS5, any word, bm25, over the same sections.
 *
 * The pages are made up: words by Zipf's law out of 40,000, and in titles, headings and
 * queries words of the field's own table, so that what it brings along costs what it does.
 * A search is everything between the question and ten results with snippets. Queries are
 * three to ten words; one in five has a word with a letter changed.
 */
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "bench/measure.h"
#include "servers/playbooks/builder.h"
#include "servers/playbooks/rank.h"
#include "servers/playbooks/security_words.h"
#include "servers/playbooks/snippet.h"

enum {
	PAGES = 10000,
	SECTIONS = 8,
	WORDS = 110, /* of a section */
	VOCABULARY = 40000,
	FIELD_WORDS_MAX = 4000,
	QUERIES = 2000,
	FTS_QUERIES = 200,
	RESULTS = 10,
	GOAL_BUILD_MS = 10 * 1000, /* what was asked for */
	GOAL_SEARCH_US = 5 * 1000,
	GOAL_MIB = 100, /* nobody asked for a number: a round one to hold it against */
};

struct maker {
	uint64_t state;
	double *sums; /* of Zipf's weights */
	char (*words)[16];
	char *field_words[FIELD_WORDS_MAX];
	size_t field_count;
	char *field_text;
};

/* ---- Made-up text ---- */

static uint32_t next(struct maker *m)
{
	m->state = m->state * UINT64_C(6364136223846793005) +
		   UINT64_C(1442695040888963407);
	return (uint32_t)(m->state >> 33);
}

static const char *common_word(struct maker *m)
{
	const double at = m->sums[VOCABULARY - 1] * next(m) / 2147483648.0;
	size_t low = 0, high = VOCABULARY - 1;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (m->sums[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return m->words[low];
}

static const char *field_word(struct maker *m)
{
	return m->field_words[next(m) % m->field_count];
}

static void make_words(struct maker *m)
{
	static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
	double sum = 0;

	m->sums = calloc(VOCABULARY, sizeof *m->sums);
	m->words = calloc(VOCABULARY, sizeof *m->words);
	if (!m->sums || !m->words)
		measure_fail("out of memory\n");
	for (size_t i = 0; i < VOCABULARY; i++) {
		const size_t length = 3 + next(m) % 9;

		m->sums[i] = sum += 1.0 / (double)(i + 20);
		for (size_t k = 0; k < length; k++) {
			const uint32_t a = next(m) % 26, b = next(m) % 26;

			m->words[i][k] = letters[a < b ? a : b];
		}
	}
	m->field_text = strndup(security_words, security_words_length);
	for (char *rest = m->field_text, *w;
	     (w = strsep(&rest, " ,<~\n")) && m->field_count < FIELD_WORDS_MAX;)
		if (strlen(w) > 2)
			m->field_words[m->field_count++] = w;
}

static void make_page(struct maker *m, int number, struct strbuf *page)
{
	strbuf_clear(page);
	strbuf_add_format(page, "# %s %s %s %d\n\n", field_word(m), field_word(m),
			  common_word(m), number);
	for (int s = 0; s < SECTIONS; s++) {
		strbuf_add_format(page, "\n## %s %s\n\n", field_word(m), common_word(m));
		for (int w = 0; w < WORDS; w++)
			strbuf_add_format(page, "%s%s",
					  next(m) % 30 ? common_word(m) : field_word(m),
					  w % 12 == 11 ? ".\n" : " ");
	}
}

static void make_query(struct maker *m, char *to, size_t room)
{
	const uint32_t words = 3 + next(m) % 8;
	size_t used = 0;

	for (uint32_t i = 0; i < words; i++)
		used += (size_t)snprintf(to + used, room - used, "%s%s", i ? " " : "",
					 next(m) % 2 ? field_word(m) : common_word(m));
	if (next(m) % 5 == 0 && used > 6 && to[used / 2] != ' ')
		to[used / 2] = 'z';
}

/* ---- Ours ---- */

static void build(struct maker *m, const char *path, struct strbuf *page)
{
	struct error err = ERROR_INIT;
	struct builder *b = builder_new(path, &weights_default, &err);
	char id[32];

	for (int i = 0; b && i < PAGES; i++) {
		struct page p = { .id = id, .source = "bench", .revision = "" };

		make_page(m, i, page);
		(void)snprintf(id, sizeof id, "page-%d.md", i);
		p.body = page->data;
		p.length = page->length;
		if (!builder_add(b, &p, &err))
			break;
	}
	if (error_is_set(&err) || !builder_finish(b, &err))
		measure_fail_error("the index", &err);
	builder_free(b);
}

static void search(const struct index *x, const struct thesaurus *t, const char *text)
{
	struct error err = ERROR_INIT;
	struct query *q = malloc(sizeof *q);
	struct hit hits[RESULTS];
	size_t count = 0;

	if (!q || !query_read(x, t, text, q, &err) ||
	    !rank_search(x, q, &rank_default, NULL, NULL, hits, RESULTS, &count, &err))
		measure_fail_error("a search", &err);
	if (count == 0)
		measure_fail("nothing is found for '%s'\n", text);
	for (size_t i = 0; i < count; i++) {
		struct strbuf body = STRBUF_INIT;
		const struct index_section *s = &x->sections[hits[i].section];
		struct snippet snippet;

		if (!index_body(x, hits[i].document, &body, &err) ||
		    !snippet_make(x, q, body.data, s->start, s->end, &snippet, &err))
			measure_fail_error("a snippet", &err);
		snippet_done(&snippet);
		strbuf_done(&body);
	}
	free(q);
}

static int compare(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

/* For run.py: what it does in a second. */
static void print_rate(const char *variant, double rate)
{
	(void)printf("{\"%s\":{\"count\":1,\"rate\":%.6f}}\n", variant, rate);
}

/* For people; 99 of 100 are within what it returns. */
static int64_t print_times(const char *what, int64_t *ns, size_t count)
{
	qsort(ns, count, sizeof *ns, compare);
	(void)fprintf(stderr, "%s: %zu, p50 %lld us, p99 %lld us, worst %lld us\n", what,
		      count, (long long)(ns[count / 2] / 1000),
		      (long long)(ns[count * 99 / 100] / 1000),
		      (long long)(ns[count - 1] / 1000));
	return ns[count * 99 / 100];
}

/* ---- FTS5 ---- */

static void must(sqlite3 *db, int rc, int wanted)
{
	if (rc != wanted)
		measure_fail("sqlite: %s\n", sqlite3_errmsg(db));
}

static sqlite3 *build_fts(const struct index *x, const char *path)
{
	struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;
	sqlite3_stmt *insert;
	sqlite3 *db;

	must(NULL, sqlite3_open(path, &db), SQLITE_OK);
	must(db,
	     sqlite3_exec(
		     db,
		     "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE VIRTUAL "
		     "TABLE f USING fts5(title, heading, body, tokenize='porter "
		     "unicode61 remove_diacritics 2'); BEGIN",
		     NULL, NULL, NULL),
	     SQLITE_OK);
	must(db, sqlite3_prepare_v2(db, "INSERT INTO f VALUES(?,?,?)", -1, &insert, NULL),
	     SQLITE_OK);
	for (uint32_t i = 0; i < x->section_count; i++) {
		const struct index_section *s = &x->sections[i];

		strbuf_clear(&body);
		if (!index_body(x, s->document, &body, &err))
			measure_fail_error("a page", &err);
		(void)sqlite3_bind_text(insert, 1, x->documents[s->document].title, -1,
					SQLITE_STATIC);
		(void)sqlite3_bind_text(insert, 2, s->heading, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(insert, 3, body.data + s->start,
					(int)(s->end - s->start), SQLITE_STATIC);
		must(db, sqlite3_step(insert), SQLITE_DONE);
		must(db, sqlite3_reset(insert), SQLITE_OK);
	}
	(void)sqlite3_finalize(insert);
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	strbuf_done(&body);
	return db;
}

static void search_fts(sqlite3 *db, const char *text)
{
	struct strbuf match = STRBUF_INIT;
	char *copy = strdup(text);
	sqlite3_stmt *s;

	for (char *rest = copy, *w; (w = strsep(&rest, " -/.&"));)
		if (*w)
			strbuf_add_format(&match, "%s\"%s\"", match.length ? " OR " : "",
					  w);
	must(db,
	     sqlite3_prepare_v2(db,
				"SELECT rowid FROM f WHERE f MATCH ? ORDER BY "
				"bm25(f, 5, 3, 1) LIMIT 10",
				-1, &s, NULL),
	     SQLITE_OK);
	(void)sqlite3_bind_text(s, 1, match.data, -1, SQLITE_STATIC);
	while (sqlite3_step(s) == SQLITE_ROW)
		continue;
	(void)sqlite3_finalize(s);
	strbuf_done(&match);
	free(copy);
}

/* ---- The whole ---- */

/* What this thread used: waiting for others of the machine is not ours. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static long resident_kib(void)
{
	struct strbuf status = STRBUF_INIT;
	struct error err = ERROR_INIT;
	const char *line;
	long kib = -1;

	if (file_read("/proc/self/status", 65536, &status, &err) &&
	    (line = strstr(status.data, "VmRSS:")))
		kib = strtol(line + strlen("VmRSS:"), NULL, 10);
	strbuf_done(&status);
	return kib;
}

static void measure(struct maker *m, const char *folder, const char *path,
		    struct strbuf *page)
{
	static char queries[QUERIES][256];
	static int64_t ns[QUERIES], cpu[QUERIES];
	struct error err = ERROR_INIT;
	struct thesaurus *t = thesaurus_built_in(&err);
	int64_t start = measure_now_ns(), made, build_cpu = cpu_ns();
	char *fts = measure_path(folder, "fts.db");

	build(m, path, page);
	made = measure_now_ns();
	build_cpu = cpu_ns() - build_cpu;
	const long before = resident_kib();
	struct index *x = index_open(path, &err);
	if (!x || !t) {
		measure_fail_error("the index", &err);
		return;
	}
	(void)fprintf(stderr,
		      "index: %u pages, %u sections, made in %lld ms (%lld ms of the "
		      "processor), opened in %lld ms; %zu KiB, resident %ld KiB more\n",
		      x->document_count, x->section_count,
		      (long long)((made - start) / 1000000),
		      (long long)(build_cpu / 1000000),
		      (long long)((measure_now_ns() - made) / 1000000),
		      index_memory(x) / 1024, resident_kib() - before);
	if (x->document_count != PAGES)
		measure_fail("%u pages are in the index\n", x->document_count);
	print_rate("made", 1e9 / (double)(made - start));
	print_rate("ten_seconds", 1e3 / GOAL_BUILD_MS);
	print_rate("memory", 1024.0 * 1024 / (double)index_memory(x));
	print_rate("hundred_mib", 1.0 / GOAL_MIB);
	for (size_t i = 0; i < QUERIES; i++)
		make_query(m, queries[i], sizeof queries[i]);
	for (size_t i = 0; i < QUERIES; i++) {
		start = measure_now_ns();
		const int64_t used = cpu_ns();
		search(x, t, queries[i]);
		cpu[i] = cpu_ns() - used;
		ns[i] = measure_now_ns() - start;
	}
	print_rate("search", 1e9 / (double)print_times("search", ns, QUERIES));
	print_rate("five_milliseconds", 1e6 / GOAL_SEARCH_US);
	(void)print_times("search, of the processor", cpu, QUERIES);
	start = measure_now_ns();
	sqlite3 *db = build_fts(x, fts);
	(void)fprintf(stderr, "FTS5 made in %lld ms\n",
		      (long long)((measure_now_ns() - start) / 1000000));
	for (size_t i = 0; i < FTS_QUERIES; i++) {
		start = measure_now_ns();
		search_fts(db, queries[i]);
		ns[i] = measure_now_ns() - start;
	}
	print_rate("fts5", 1e9 / (double)print_times("FTS5, any word", ns, FTS_QUERIES));
	(void)sqlite3_close(db);
	(void)unlink(fts);
	free(fts);
	index_unref(x);
	thesaurus_free(t);
}

int main(void)
{
	char folder[] = "/tmp/playbooks-bench-XXXXXX";
	struct maker m = { .state = 42 };
	struct strbuf page = STRBUF_INIT;

	if (!mkdtemp(folder))
		measure_fail("no folder\n");
	char *path = measure_path(folder, "index.db");
	make_words(&m);
	measure(&m, folder, path, &page);
	(void)unlink(path);
	(void)rmdir(folder);
	free(path);
	strbuf_done(&page);
	free(m.sums);
	free(m.words);
	free(m.field_text);
	return EXIT_SUCCESS;
}
