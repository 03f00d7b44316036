/* get_playbook, and the resource playbook://. */
#include <string.h>

#include "servers/playbooks/answer.h"
#include "servers/playbooks/front.h"
#include "servers/playbooks/playbooks.h"
#include "servers/playbooks/reading.h"
#include "servers/playbooks/tools.h"

static json_t *list_headings(const struct index *x, uint32_t document,
			     const struct section_names *names)
{
	const struct index_document *d = &x->documents[document];
	json_auto_t *list = json_array();

	for (uint32_t i = 0; list && i < names->count; i++) {
		const struct index_section *s = &x->sections[d->first_section + i];
		_cleanup_free_ char *heading = answer_visible(s->heading);
		json_t *one;

		if (s->level == 0)
			continue;
		one = heading ? json_pack("{s:s, s:s, s:i}", "section", names->items[i],
					  "heading", heading, "level", s->level)
			      : NULL;
		if (!one || json_array_append_new(list, one) != 0)
			return NULL;
	}
	return TAKE(list);
}

static json_t *list_warnings(const struct index *x, const struct reading *r)
{
	json_auto_t *list = json_array();

	if (list && *x->documents[r->document].fault &&
	    json_array_append_new(list, json_sprintf("its front matter is not used: %s",
						     x->documents[r->document].fault)) !=
		    0)
		return NULL;
	return TAKE(list);
}

static bool set_new(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

static json_t *make_answer(const struct reading *r, const char *asked)
{
	const struct index *x = r->index;
	json_auto_t *answer = json_object();
	_cleanup_(section_names_done) struct section_names names = { 0 };
	struct front front;
	bool ok;

	if (!answer || !section_names_make(x, r->document, &names))
		return NULL;
	front_read(r->body.data, r->body.length, &front);
	ok = answer_document(answer, x, r->document) &&
	     set_new(answer, "section",
		     json_string(
			     r->has_section
				     ? names.items[r->section - x->documents[r->document]
									.first_section]
				     : "")) &&
	     set_new(answer, "heading_path",
		     r->has_section ? answer_heading_path(x, r->section)
				    : json_array()) &&
	     set_new(answer, "markdown", json_string(r->markdown.data)) &&
	     set_new(answer, "headings", list_headings(x, r->document, &names)) &&
	     set_new(answer, "steps", reading_steps(r, &names)) &&
	     set_new(answer, "citation",
		     answer_citation(x, r->document, r->start, r->end)) &&
	     set_new(answer, "warnings", list_warnings(x, r)) &&
	     (!front.root || set_new(answer, "properties", json_deep_copy(front.root))) &&
	     (!r->renamed || set_new(answer, "renamed_from", json_string(asked)));
	front_done(&front);
	return ok ? TAKE(answer) : NULL;
}

bool get_playbook(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	_cleanup_(reading_done) struct reading reading = READING_INIT;
	const char *id = mcp_call_string(call, "playbook", "");
	json_t *answer;

	if (!reading_start(mcp_call_context(call), id,
			   mcp_call_string(call, "section", NULL),
			   mcp_call_requester(call), &reading, err))
		return false;
	answer = make_answer(&reading, id);
	if (!answer)
		return error_oom(err);
	mcp_result_text(r, "%s", reading.markdown.data);
	mcp_result_structured(r, answer);
	_cleanup_free_ char *uri =
		answer_uri(reading.index->documents[reading.document].id);
	if (uri)
		mcp_result_link(r, uri, json_get_string(answer, "title"));
	return true;
}

bool read_playbook(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	_cleanup_(reading_done) struct reading reading = READING_INIT;

	if (!reading_start(mcp_call_context(call), mcp_call_string(call, "id", ""), NULL,
			   mcp_call_requester(call), &reading, err))
		return false;
	mcp_contents_text(c, "text/markdown", reading.markdown.data,
			  reading.markdown.length);
	return true;
}

/* ---- What there is, for lists and completion ---- */

bool list_playbook_resources(struct mcp_call *call, json_t *list, struct error *err)
{
	enum { LISTED_MAX = 1000 };
	struct error none = ERROR_INIT;
	_cleanup_(index_unrefp) struct index *x =
		playbooks_index(mcp_call_context(call), &none);

	for (uint32_t i = 0; x && i < x->document_count && i < LISTED_MAX; i++) {
		const struct index_document *d = &x->documents[i];
		_cleanup_free_ char *uri = answer_uri(d->id);
		_cleanup_free_ char *title = answer_visible(d->title);
		json_t *one;

		if (!playbooks_may_see(d, mcp_call_requester(call)))
			continue;
		one = uri && title ? json_pack("{s:s, s:s, s:s, s:s}", "uri", uri, "name",
					       d->id, "title", title, "mimeType",
					       "text/markdown")
				   : NULL;
		if (!one || json_array_append_new(list, one) != 0)
			return error_oom(err);
	}
	return true;
}

bool complete_playbook(struct mcp_call *call, const char *argument, const char *value,
		       struct mcp_values *values, struct error *err)
{
	struct error none = ERROR_INIT;
	_cleanup_(index_unrefp) struct index *x =
		playbooks_index(mcp_call_context(call), &none);

	(void)err;
	if (strcmp(argument, "playbook") != 0 && strcmp(argument, "id") != 0)
		return true;
	for (uint32_t i = 0; x && i < x->document_count; i++)
		if (playbooks_may_see(&x->documents[i], mcp_call_requester(call)) &&
		    strcasestr(x->documents[i].id, value))
			mcp_values_add(values, x->documents[i].id);
	return true;
}
