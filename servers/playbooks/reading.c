#include "servers/playbooks/reading.h"

#include "servers/playbooks/front.h"
#include "servers/playbooks/render.h"
#include "servers/playbooks/steps.h"

static bool choose_section(struct reading *r, const char *section, struct error *err)
{
	if (!section) {
		r->start =
			r->index->sections[r->index->documents[r->document].first_section]
				.start;
		r->end = r->body.length;
		return true;
	}
	if (!answer_find_section(r->index, r->document, section, &r->section)) {
		error_set(err, ERR_NOT_FOUND, "it has no section '%.100s'", section);
		return error_hint(err, "its sections are listed by get_playbook without "
				       "'section', under 'headings'");
	}
	r->has_section = true;
	r->start = r->index->sections[r->section].start;
	r->end = answer_whole_end(r->index, r->section);
	return true;
}

bool reading_start(struct playbooks *p, const char *id, const char *section,
		   const char *requester, struct reading *ret, struct error *err)
{
	ret->index = playbooks_index(p, err);
	if (!ret->index ||
	    !playbooks_find(p, ret->index, id, requester, &ret->document, &ret->renamed,
			    err) ||
	    !index_body(ret->index, ret->document, &ret->body, err) ||
	    !choose_section(ret, section, err))
		return false;
	if (ret->start > ret->end || ret->end > ret->body.length)
		return error_set(err, ERR_INTERNAL, "the index has an odd section");
	return render_markdown(ret->body.data + ret->start, ret->end - ret->start,
			       p->link_hosts, &ret->markdown, err);
}

void reading_done(struct reading *r)
{
	index_unref(r->index);
	strbuf_done(&r->body);
	strbuf_done(&r->markdown);
	r->index = NULL;
}

json_t *reading_steps(const struct reading *r, const struct section_names *names)
{
	const struct index_document *d = &r->index->documents[r->document];
	json_auto_t *list = json_array();
	_cleanup_(steps_done) struct steps steps = { 0 };
	struct error ignored = ERROR_INIT;

	/* Of the whole page, so that a step has the same number however it is read. */
	if (!list || !steps_read(r->body.data, r->index->sections[d->first_section].start,
				 r->body.length, &steps, &ignored))
		return NULL;
	for (size_t i = 0; i < steps.count; i++) {
		const struct step *s = &steps.items[i];
		const uint32_t section = answer_section_at(r->index, r->document, s->at);
		json_t *one;

		if (s->at < r->start || s->at >= r->end)
			continue;
		one = json_pack("{s:I, s:s, s:s}", "step", (json_int_t)(i + 1), "section",
				names->items[section - d->first_section], "text",
				s->text);
		if (!one || json_array_append_new(list, one) != 0 ||
		    (s->suggestion &&
		     json_object_set(one, "suggestion", s->suggestion) != 0))
			return NULL;
	}
	return TAKE(list);
}
