#include "servers/playbooks/search.h"

#include <math.h>
#include <string.h>

#include "servers/playbooks/answer.h"
#include "servers/playbooks/rank.h"
#include "servers/playbooks/snippet.h"
#include "servers/playbooks/visible.h"

/* ---- What may be answered ---- */

static bool has_tag(const struct index_document *d, const char *tag)
{
	const json_t *one;
	size_t i;

	json_array_foreach(d->tags, i, one)
	{
		if (strcasecmp(json_string_value(one), tag) == 0)
			return true;
	}
	return false;
}

static bool fits(void *context, const struct index_document *d)
{
	const struct search *s = context;
	const json_t *tag;
	size_t i;

	if (!playbooks_may_see(d, s->requester) ||
	    (s->source && strcmp(s->source, d->source) != 0))
		return false;
	json_array_foreach(s->tags, i, tag)
	{
		if (!has_tag(d, json_string_value(tag)))
			return false;
	}
	return true;
}

/* ---- A result ---- */

static json_t *find_duplicates(const struct index *x, const struct search *s,
			       uint32_t document)
{
	json_auto_t *list = json_array();

	for (uint32_t i = 0; list && i < x->document_count; i++)
		if (i != document &&
		    x->documents[i].twin == x->documents[document].twin &&
		    fits((void *)(uintptr_t)s, &x->documents[i]) &&
		    json_array_append_new(list, json_string(x->documents[i].id)) != 0)
			return NULL;
	return TAKE(list);
}

static json_t *cite(const struct index *x, const struct hit *hit,
		    const struct snippet *snippet)
{
	const struct index_section *section = &x->sections[hit->section];
	json_auto_t *citation =
		answer_citation(x, hit->document, section->start, section->end);

	if (!citation ||
	    json_object_set_new(citation, "snippet_start",
				json_integer((json_int_t)snippet->start)) != 0 ||
	    json_object_set_new(citation, "snippet_end",
				json_integer((json_int_t)snippet->end)) != 0)
		return NULL;
	return TAKE(citation);
}

static json_t *make_result(const struct index *x, const struct search *s,
			   const struct hit *hit, const struct snippet *snippet)
{
	json_auto_t *result = json_object();
	_cleanup_free_ char *section = answer_section(x, hit->section);
	json_auto_t *path = answer_heading_path(x, hit->section);
	json_auto_t *duplicates = find_duplicates(x, s, hit->document);
	json_auto_t *citation = cite(x, hit, snippet);

	if (!result || !section || !path || !duplicates || !citation ||
	    !answer_document(result, x, hit->document) ||
	    json_object_set_new(result, "section", json_string(section)) != 0 ||
	    json_object_set(result, "heading_path", path) != 0 ||
	    json_object_set_new(result, "snippet", json_string(snippet->text.data)) !=
		    0 ||
	    json_object_set(result, "matched", snippet->matched) != 0 ||
	    json_object_set_new(result, "score",
				json_real(round(hit->score * 1000) / 1000)) != 0 ||
	    json_object_set(result, "citation", citation) != 0 ||
	    (json_array_size(duplicates) > 0 &&
	     json_object_set(result, "duplicates", duplicates) != 0))
		return NULL;
	return TAKE(result);
}

static void write_result(const struct index *x, size_t number, const json_t *result,
			 const struct snippet *snippet, struct strbuf *text)
{
	const char *title = json_get_string(result, "title");
	const json_t *path = json_object_get(result, "heading_path");
	const char *heading = json_string_value(json_array_get(
		path, json_array_size(path) ? json_array_size(path) - 1 : 0));

	(void)x;
	strbuf_add_format(text, "%s%zu. **", number > 1 ? "\n" : "", number);
	visible_escape(text, title, strlen(title));
	strbuf_add_string(text, "**");
	if (heading && strcmp(heading, title) != 0) {
		strbuf_add_string(text, " › ");
		visible_escape(text, heading, strlen(heading));
	}
	strbuf_add_format(text, " (`%s`, section `%s`)\n   ",
			  json_get_string(result, "id"),
			  json_get_string(result, "section"));
	strbuf_add(text, snippet->marked.data, snippet->marked.length);
}

static bool add_result(const struct index *x, const struct search *s,
		       const struct query *q, const struct hit *hit, json_t *results,
		       struct strbuf *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	const struct index_section *section = &x->sections[hit->section];
	struct snippet snippet;
	json_t *result;
	bool ok;

	if (!index_body(x, hit->document, &body, err))
		return false;
	if (section->end > body.length)
		return error_set(err, ERR_INTERNAL, "the index has an odd section");
	if (!snippet_make(x, q, body.data, section->start, section->end, &snippet, err))
		return false;
	result = make_result(x, s, hit, &snippet);
	ok = result && json_array_append_new(results, result) == 0;
	if (ok)
		write_result(x, json_array_size(results), result, &snippet, text);
	snippet_done(&snippet);
	return ok || error_oom(err);
}

/* ---- The whole ---- */

static bool is_visible(void *context, const struct index_document *d)
{
	const struct search *s = context;

	return playbooks_may_see(d, s->requester);
}

/* A word that only pages have which this person may not see would tell of them. */
static bool may_tell(const struct index *x, const struct search *s,
		     const struct correction *c)
{
	for (uint8_t i = 0; i < c->stem_count; i++)
		if (!rank_any(x, c->stems[i], is_visible, (void *)(uintptr_t)s))
			return false;
	return true;
}

static json_t *list_corrections(const struct index *x, const struct search *s,
				const struct query *q, struct strbuf *text)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < q->correction_count; i++) {
		const struct correction *c = &q->corrections[i];

		if (!may_tell(x, s, c))
			continue;
		json_t *one = json_pack("{s:s, s:s}", "from", c->from, "to", c->to);
		if (!one || json_array_append_new(list, one) != 0)
			return NULL;
		strbuf_add_string(text, json_array_size(list) > 1
						? ", '"
						: "\n\nNot found as written: '");
		visible_escape(text, c->from, strlen(c->from));
		strbuf_add_string(text, "' was taken for '");
		visible_escape(text, c->to, strlen(c->to));
		strbuf_add_char(text, '\'');
	}
	return TAKE(list);
}

/* By words; and where these are not sure of themselves, by what is meant, too. */
static bool rank(struct playbooks *p, const struct index *x, const struct search *s,
		 const struct query *q, struct hit *ret, size_t *ret_count,
		 struct error *err)
{
	const size_t limit = s->limit < SEARCH_LIMIT_MAX ? s->limit : SEARCH_LIMIT_MAX;
	void *context = (void *)(uintptr_t)s;
	struct hit near[SEARCH_LIMIT_MAX], words[SEARCH_LIMIT_MAX];
	struct hit both[2 * SEARCH_LIMIT_MAX];
	size_t count, near_count;

	if (!rank_search(x, q, &rank_default, fits, context, words, SEARCH_LIMIT_MAX,
			 &count, err))
		return false;
	near_count = p->vectors && vectors_would_help(q, words, count)
			     ? vectors_search(p->vectors, x, s->query, fits, context,
					      near, SEARCH_LIMIT_MAX)
			     : 0;
	if (near_count > 0)
		count = vectors_fuse(x, words, count, near, near_count, both,
				     ARRAY_SIZE(both));
	*ret_count = count < limit ? count : limit;
	memcpy(ret, near_count > 0 ? both : words, *ret_count * sizeof *ret);
	return true;
}

json_t *search_run(struct playbooks *p, const struct search *s, struct strbuf *text,
		   struct error *err)
{
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, err);
	_cleanup_free_ struct query *q = malloc(sizeof *q);
	json_auto_t *results = json_array();
	struct hit hits[SEARCH_LIMIT_MAX];
	size_t count;

	if (!x)
		return NULL;
	if (!q || !results) {
		error_oom(err);
		return NULL;
	}
	if (!query_read(x, p->thesaurus, s->query, q, err) ||
	    !rank(p, x, s, q, hits, &count, err))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!add_result(x, s, q, &hits[i], results, text, err))
			return NULL;
	if (count == 0)
		strbuf_add_string(text, "No playbook says anything about that.");
	json_auto_t *corrections = list_corrections(x, s, q, text);
	json_t *answer = corrections ? json_pack("{s:O, s:O, s:o}", "results", results,
						 "corrections", corrections, "indexed_at",
						 answer_indexed_at(x))
				     : NULL;
	if (!answer || !strbuf_ok(text)) {
		json_decref(answer);
		error_oom(err);
		return NULL;
	}
	return answer;
}
