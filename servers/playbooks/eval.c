/*
 * playbooks-eval: a corpus and queries into a run that can be scored.
 *
 *   playbooks-eval CORPUS QUERIES.jsonl >run.tsv
 *
 * A line for each result: query, rank, document, score. What the server does, without
 * the server. Environment variables PLAYBOOKS_* change a weight, for measuring.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "servers/playbooks/builder.h"
#include "servers/playbooks/folder.h"
#include "servers/playbooks/rank.h"

enum { RESULTS = 50, QUERIES_BYTES_MAX = 16 * 1024 * 1024 };

static bool add_file(void *context, const struct folder_file *file, int fd,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error why = ERROR_INIT;
	struct page page = {
		.id = file->path, .source = "eval", .revision = "", .stamp = file->stamp
	};

	if (!file_read_fd(fd, PAGE_BYTES_MAX, &body, err))
		return false;
	page.body = body.data;
	page.length = body.length;
	if (builder_add(context, &page, &why))
		return true;
	(void)fprintf(stderr, "%s: %s\n", file->path, why.message);
	if (why.code != ERR_INVALID_ARGUMENT)
		*err = why;
	return why.code == ERR_INVALID_ARGUMENT;
}

static void skip_file(void *context, const char *path, const char *why)
{
	(void)context;
	(void)fprintf(stderr, "%s: skipped: %s\n", path, why);
}

static bool build(const char *corpus, const char *path, const struct weights *weights,
		  struct error *err)
{
	_cleanup_(builder_freep) struct builder *b = builder_new(path, weights, err);
	const struct folder_reader reader = { add_file, skip_file, b };

	return b && folder_walk(corpus, &reader, err) && builder_finish(b, err);
}

static void number(const char *name, double *to)
{
	const char *text = getenv(name);

	if (text)
		*to = strtod(text, NULL);
}

static void read_weights(struct weights *w, struct rank_weights *r)
{
	static const char *const fields[] = { "BODY", "HEADING", "PATH", "TITLE",
					      "NAME" };
	char name[64];

	for (int f = 0; f < FIELD_COUNT; f++) {
		(void)snprintf(name, sizeof name, "PLAYBOOKS_S_%s", fields[f]);
		number(name, &w->section[f].weight);
		(void)snprintf(name, sizeof name, "PLAYBOOKS_D_%s", fields[f]);
		number(name, &w->document[f].weight);
		(void)snprintf(name, sizeof name, "PLAYBOOKS_SB_%s", fields[f]);
		number(name, &w->section[f].b);
		(void)snprintf(name, sizeof name, "PLAYBOOKS_DB_%s", fields[f]);
		number(name, &w->document[f].b);
	}
	number("PLAYBOOKS_K1", &w->k1);
	number("PLAYBOOKS_DOCUMENT", &r->document);
	number("PLAYBOOKS_SECTION", &r->section);
	number("PLAYBOOKS_COVERAGE", &r->coverage);
}

static void show(const struct index *x, const struct query *q)
{
	for (size_t i = 0; i < q->group_count; i++) {
		const struct group *g = &q->groups[i];

		(void)fprintf(stderr, "  %s%.2f:", g->is_typed ? "*" : " ",
			      (double)g->weight);
		for (uint8_t k = 0; k < g->count; k++) {
			(void)fprintf(stderr, " [");
			for (uint8_t n = 0; n < g->variants[k].count; n++)
				(void)fprintf(
					stderr, "%s%s", n ? " " : "",
					lexicon_text(&x->stems, g->variants[k].stems[n]));
			(void)fprintf(stderr, " %.2f]", (double)g->variants[k].weight);
		}
		(void)fprintf(stderr, "\n");
	}
}

static bool answer(const struct index *x, const struct thesaurus *t,
		   const struct rank_weights *w, const json_t *line, struct error *err)
{
	const char *id = json_get_string(line, "id");
	const char *text = json_get_string(line, "query");
	struct hit hits[RESULTS];
	struct query q;
	size_t count;

	if (!id || !text)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a query without id or query");
	if (!query_read(x, t, text, &q, err) ||
	    !rank_search(x, &q, w, NULL, NULL, hits, RESULTS, &count, err))
		return false;
	if (getenv("PLAYBOOKS_SHOW")) {
		(void)fprintf(stderr, "%s %s\n", id, text);
		show(x, &q);
	}
	for (size_t i = 0; i < count; i++)
		(void)printf("%s\t%zu\t%s\t%.5f\t%s\n", id, i + 1,
			     x->documents[hits[i].document].id, hits[i].score,
			     x->sections[hits[i].section].heading);
	return true;
}

static bool answer_all(const struct index *x, const char *queries, struct error *err)
{
	struct rank_weights w = rank_default;
	struct weights ignored = weights_default;
	_cleanup_(thesaurus_freep) struct thesaurus *t = thesaurus_built_in(err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char *rest = NULL;

	read_weights(&ignored, &w);
	if (!t || !file_read(queries, QUERIES_BYTES_MAX, &text, err))
		return false;
	for (char *line = strtok_r(text.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		json_auto_t *query = json_parse(line, strlen(line), JSON_SYNTAX, err);

		if (!query || !answer(x, t, &w, query, err))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct option_row rows[] = { OPTION_END };
	static const struct options_program program = {
		.name = "playbooks-eval",
		.usage = "CORPUS QUERIES.jsonl",
		.description =
			"Answers a file of queries from a folder of playbooks, one "
			"result a line;\n'make eval-playbooks' scores them.",
		.rows = rows,
		.operands = 2,
	};
	struct weights weights = weights_default;
	struct rank_weights ignored = rank_default;
	struct error err = ERROR_INIT;
	char folder[] = "/tmp/playbooks-eval-XXXXXX";
	_cleanup_free_ char *path = NULL;
	_cleanup_(index_unrefp) struct index *x = NULL;
	bool ok;
	int status = options_take(&program, NULL, argc, argv);

	if (status != OPTIONS_GO_ON)
		return status;
	read_weights(&weights, &ignored);
	if (!mkdtemp(folder) || !(path = file_join(folder, "index.db")))
		return EXIT_FAILURE;
	ok = build(argv[1], path, &weights, &err);
	x = ok ? index_open(path, &err) : NULL;
	ok = x && answer_all(x, argv[2], &err);
	(void)unlink(path);
	(void)rmdir(folder);
	if (!ok)
		(void)fprintf(stderr, "playbooks-eval: %s\n", err.message);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
