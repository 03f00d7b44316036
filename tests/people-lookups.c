/*
 * people-lookups FILE: runs the lookups that a file of people lists, and says of each
 * whether it passed.
 *
 * FILE is as servers/people/source_file.h describes, with beside "people" a list
 * "lookups": [{"query", "expect": unique|ambiguous|none, "people": [ids], "via"?, "flag"?}].
 * Prints a line of JSON each, {"query", "passed", "why"}, and "N passed, N failed" last.
 * Ends with 0 if all passed, 1 if not, 2 if the file cannot be used.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "servers/people/find.h"
#include "servers/people/source_file.h"

static bool put(void *context, struct account *a, struct error *err)
{
	return index_add(context, a->system, a->key, 0, a->fields.data, a->fields.length,
			 err);
}

static struct people_index *make_index(const json_t *root, const struct find_rules *rules,
				       struct error *err)
{
	struct index_builder *b = index_builder_new(&rules->mail, err);
	const struct source_sink sink = { .put = put, .context = b };

	if (!b)
		return NULL;
	if (source_file_accounts(root, &sink, err))
		return index_build(b, err);
	index_builder_free(b);
	return NULL;
}

/* ---- One lookup --------------------------------------------------------------------- */

static bool is_listed(const json_t *list, const char *id)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static bool differs(const char *wanted, const char *got)
{
	return wanted && strcmp(wanted, got ? got : "") != 0;
}

/* What is not as expected, in 'why'; "" if all is. */
static void judge(const struct people_index *x, const json_t *lookup,
		  const struct find_result *r, struct strbuf *why)
{
	const char *expect = json_get_string(lookup, "expect"),
		   *via = json_get_string(lookup, "via"),
		   *flag = json_get_string(lookup, "flag");
	const json_t *people = json_object_get(lookup, "people");

	if (!expect || differs(expect, find_match_name(r->match)))
		strbuf_add_format(why, "%s instead of %s; ", find_match_name(r->match),
				  expect ? expect : "nothing expected");
	if (differs(via, find_via_name(r->via)))
		strbuf_add_format(why, "via %s; ", find_via_name(r->via));
	if (differs(flag, r->flag))
		strbuf_add_format(why, "flag %s; ", r->flag ? r->flag : "none");
	for (size_t i = 0; i < r->count; i++) {
		_cleanup_strbuf_ struct strbuf id = STRBUF_INIT;

		index_person_id(x, r->hits[i].person, &id);
		if (!is_listed(people, id.data))
			strbuf_add_format(why, "%s is none of them; ", id.data);
	}
	if (r->count != json_array_size(people))
		strbuf_add_format(why, "%zu people instead of %zu; ", r->count,
				  json_array_size(people));
}

static bool run_lookup(const struct people_index *x, const struct find_rules *rules,
		       const json_t *lookup)
{
	const char *query = json_get_string(lookup, "query");
	_cleanup_(find_result_done) struct find_result r = { 0 };
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT, line = STRBUF_INIT;
	struct error err = ERROR_INIT;

	/* What cannot be asked for, such as nothing at all, is nobody. */
	if (query && !find_people(x, rules, query, &r, &err) &&
	    err.code != ERR_INVALID_ARGUMENT)
		strbuf_add_string(&why, err.message);
	else if (query)
		judge(x, lookup, &r, &why);
	else
		strbuf_add_string(&why, "the lookup has no query");
	strbuf_add_string(&line, "{\"query\":");
	strbuf_add_json_string(&line, query ? query : "", query ? strlen(query) : 0);
	strbuf_add_format(&line,
			  ",\"passed\":%s,\"why\":", why.length ? "false" : "true");
	strbuf_add_json_string(&line, why.data, why.length);
	strbuf_add_string(&line, "}\n");
	fputs(line.data, stdout);
	return why.length == 0;
}

int main(int argc, char **argv)
{
	static const struct find_rules rules;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t passed = 0, failed = 0, i;
	json_t *lookup;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: people-lookups FILE\n");
		return 2;
	}
	json_auto_t *root =
		file_read(argv[1], SOURCE_FILE_BYTES_MAX, &text, &err)
			? json_parse(text.data, text.length, JSON_SYNTAX, &err)
			: NULL;
	_cleanup_(index_freep) struct people_index *x =
		root ? make_index(root, &rules, &err) : NULL;
	if (!x) {
		(void)fprintf(stderr, "people-lookups: %s: %s\n", argv[1], err.message);
		return 2;
	}
	json_array_foreach(json_object_get(root, "lookups"), i, lookup)
	{
		if (run_lookup(x, &rules, lookup))
			passed++;
		else
			failed++;
	}
	(void)printf("%zu passed, %zu failed\n", passed, failed);
	return failed ? 1 : 0;
}
