/* list_playbooks: what there is, and how the sources stand. */
#include <string.h>

#include "servers/playbooks/answer.h"
#include "servers/playbooks/playbooks.h"
#include "servers/playbooks/tools.h"
#include "servers/playbooks/visible.h"

enum { LIMIT_DEFAULT = 20 };

struct row {
	const struct index_document *d;
	uint32_t number;
};

static int compare_rows(const void *left, const void *right)
{
	return strcmp(((const struct row *)left)->d->id,
		      ((const struct row *)right)->d->id);
}

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

/* Those that the call asks for, by id. */
static size_t choose(struct mcp_call *call, const struct index *x, struct row *rows)
{
	const char *source = mcp_call_string(call, "source", NULL);
	const char *tag = mcp_call_string(call, "tag", NULL);
	size_t count = 0;

	for (uint32_t i = 0; i < x->document_count; i++) {
		const struct index_document *d = &x->documents[i];

		if (playbooks_may_see(d, mcp_call_requester(call)) &&
		    (!source || strcmp(source, d->source) == 0) &&
		    (!tag || has_tag(d, tag)))
			rows[count++] = (struct row){ d, i };
	}
	if (count > 1)
		qsort(rows, count, sizeof *rows, compare_rows);
	return count;
}

static json_t *describe(const struct index *x, const struct row *row, struct strbuf *text)
{
	json_auto_t *one = json_object();
	json_auto_t *citation = answer_citation(x, row->number, 0, 0);

	if (!one || !citation || !answer_document(one, x, row->number) ||
	    json_object_set_new(one, "sections", json_integer(row->d->section_count)) !=
		    0 ||
	    json_object_set(one, "revision", json_object_get(citation, "revision")) != 0)
		return NULL;
	strbuf_add_string(text, "\n- ");
	visible_escape(text, json_get_string(one, "title"),
		       strlen(json_get_string(one, "title")));
	strbuf_add_format(text, " (`%s`)", row->d->id);
	return TAKE(one);
}

/* How each source stands; what went wrong since is not in the index. */
static json_t *list_sources(struct playbooks *p, const struct index *x)
{
	json_auto_t *sources = index_note(x, "sources");
	json_t *one;
	size_t i;

	if (!sources)
		return json_array();
	(void)pthread_mutex_lock(&p->faults_lock);
	json_array_foreach(sources, i, one)
	{
		const char *name = json_get_string(one, "source");

		for (size_t k = 0; name && k < p->source_count; k++)
			if (strcmp(p->sources[k].name, name) == 0 && p->faults[k])
				(void)json_object_set_new(one, "fault",
							  json_string(p->faults[k]));
	}
	(void)pthread_mutex_unlock(&p->faults_lock);
	return TAKE(sources);
}

bool list_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	struct playbooks *p = mcp_call_context(call);
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, err);
	const size_t limit = (size_t)mcp_call_int64(call, "limit", LIMIT_DEFAULT);
	const char *cursor = mcp_call_string(call, "cursor", NULL);
	json_auto_t *list = json_array();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *last = NULL;
	bool more = false;

	if (!x)
		return false;
	_cleanup_free_ struct row *rows = calloc(x->document_count + 1, sizeof *rows);
	if (!rows || !list)
		return error_oom(err);
	const size_t count = choose(call, x, rows);
	strbuf_add_format(&text, "%zu playbook%s:", count, count == 1 ? "" : "s");
	for (size_t i = 0; i < count && !more; i++) {
		if (cursor && strcmp(rows[i].d->id, cursor) <= 0)
			continue;
		more = json_array_size(list) == limit;
		if (more)
			break;
		json_t *one = describe(x, &rows[i], &text);
		if (!one || json_array_append_new(list, one) != 0)
			return error_oom(err);
		last = rows[i].d->id;
	}
	json_t *answer = json_pack("{s:O, s:o, s:I, s:o}", "playbooks", list, "sources",
				   list_sources(p, x), "total", (json_int_t)count,
				   "indexed_at", answer_indexed_at(x));
	if (!answer ||
	    (more && last &&
	     json_object_set_new(answer, "next_cursor", json_string(last)) != 0)) {
		json_decref(answer);
		return error_oom(err);
	}
	mcp_result_text(r, "%s", text.data);
	mcp_result_structured(r, answer);
	return true;
}
