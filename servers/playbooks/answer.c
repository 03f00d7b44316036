#include "servers/playbooks/answer.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "servers/playbooks/visible.h"
#include "servers/playbooks/words.h"

/* ---- Names of sections ---- */

static char *slug(const char *heading)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	struct word_reader r = { .text = heading, .length = strlen(heading) };
	struct word word;

	while (word_next(&r, &word))
		strbuf_add_format(&name, "%s%s", name.length ? "-" : "", word.text);
	if (name.length == 0)
		strbuf_add_string(&name, "section");
	return strbuf_take(&name);
}

static char *name_of(const struct index *x, uint32_t section)
{
	const struct index_section *s = &x->sections[section];

	return s->level == 0 ? strdup("top") : slug(s->heading);
}

bool section_names_make(const struct index *x, uint32_t document,
			struct section_names *ret)
{
	const struct index_document *d = &x->documents[document];
	struct lexicon known = { 0 };
	_cleanup_free_ unsigned *uses = calloc(d->section_count + 1, sizeof *uses);
	bool ok = uses != NULL;

	*ret = (struct section_names){ .items = calloc(d->section_count + 1,
						       sizeof *ret->items) };
	ok = ok && ret->items;
	for (uint32_t i = 0; ok && i < d->section_count; i++) {
		char *name = name_of(x, d->first_section + i);
		uint32_t number;

		ok = name && lexicon_add(&known, name, &number);
		if (ok && uses[number]++ > 0) {
			char *numbered = NULL;

			ok = asprintf(&numbered, "%s-%u", name, uses[number] - 1) >= 0;
			free(name);
			name = ok ? numbered : NULL;
		}
		ret->items[ret->count++] = name;
	}
	lexicon_done(&known);
	if (!ok)
		section_names_done(ret);
	return ok;
}

void section_names_done(struct section_names *n)
{
	for (uint32_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
	*n = (struct section_names){ 0 };
}

char *answer_section(const struct index *x, uint32_t section)
{
	const uint32_t document = x->sections[section].document;
	const uint32_t at = section - x->documents[document].first_section;
	_cleanup_(section_names_done) struct section_names names = { 0 };

	return section_names_make(x, document, &names) ? TAKE(names.items[at]) : NULL;
}

bool answer_find_section(const struct index *x, uint32_t document, const char *name,
			 uint32_t *ret)
{
	const struct index_document *d = &x->documents[document];
	_cleanup_(section_names_done) struct section_names names = { 0 };

	if (!section_names_make(x, document, &names))
		return false;
	for (uint32_t i = 0; i < names.count; i++)
		if (names.items[i] && strcmp(names.items[i], name) == 0) {
			*ret = d->first_section + i;
			return true;
		}
	for (uint32_t i = d->first_section; i < d->first_section + d->section_count; i++)
		if (x->sections[i].level > 0 &&
		    strcasecmp(x->sections[i].heading, name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

size_t answer_whole_end(const struct index *x, uint32_t section)
{
	const struct index_section *s = &x->sections[section];
	const struct index_document *d = &x->documents[s->document];
	const uint32_t end = d->first_section + d->section_count;
	uint32_t i = section + 1;

	while (i < end && s->level > 0 && x->sections[i].level > s->level)
		i++;
	return x->sections[i - 1].end;
}

uint32_t answer_section_at(const struct index *x, uint32_t document, size_t at)
{
	const struct index_document *d = &x->documents[document];
	uint32_t i = d->first_section;

	while (i + 1 < d->first_section + d->section_count &&
	       x->sections[i + 1].start <= at)
		i++;
	return i;
}

char *answer_visible(const char *text)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	visible_line(&line, text, strlen(text));
	return strbuf_ok(&line) ? strdup(line.data) : NULL;
}

json_t *answer_heading_path(const struct index *x, uint32_t section)
{
	json_auto_t *path = json_array();
	const uint32_t first = x->documents[x->sections[section].document].first_section;

	for (int64_t at = section; path && at >= 0;) {
		const struct index_section *s = &x->sections[at];
		_cleanup_free_ char *heading = answer_visible(s->heading);

		if (!heading || (s->level > 0 &&
				 json_array_insert_new(path, 0, json_string(heading))))
			return NULL;
		/* A parent stands before its child, so this ends. */
		at = s->parent >= 0 && first + (uint32_t)s->parent < at
			     ? (int64_t)first + s->parent
			     : -1;
	}
	return TAKE(path);
}

/* ---- Documents ---- */

json_t *answer_citation(const struct index *x, uint32_t document, size_t start,
			size_t end)
{
	const struct index_document *d = &x->documents[document];
	char revision[PAGE_REVISION_MAX + 80];

	if (*d->revision)
		(void)snprintf(revision, sizeof revision, "%s", d->revision);
	else
		(void)snprintf(revision, sizeof revision, "sha256 %s", d->digest);
	return json_pack("{s:s, s:s, s:I, s:I}", "revision", revision, "sha256",
			 d->digest, "start", (json_int_t)start, "end", (json_int_t)end);
}

static bool set(json_t *object, const char *name, const char *text)
{
	return json_object_set_new(object, name, json_string(text)) == 0;
}

bool answer_document(json_t *object, const struct index *x, uint32_t document)
{
	const struct index_document *d = &x->documents[document];
	_cleanup_free_ char *title = answer_visible(d->title);
	char at[CLOCK_TEXT_BYTES];

	return title && set(object, "id", d->id) && set(object, "title", title) &&
	       set(object, "source", d->source) &&
	       (!d->url || set(object, "url", d->url)) &&
	       set(object, "updated_at", clock_format(d->updated_ms, at)) &&
	       json_object_set_new(object, "tags", json_deep_copy(d->tags)) == 0;
}

json_t *answer_indexed_at(const struct index *x)
{
	json_auto_t *made = index_note(x, "made");
	char at[CLOCK_TEXT_BYTES];

	return json_string(clock_format(json_get_int64(made, "at_ms", 0), at));
}

char *answer_uri(const char *id)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;

	strbuf_add_string(&uri, "playbook://");
	for (; *id; id++)
		if (isalnum((unsigned char)*id) || strchr("-._~/", *id))
			strbuf_add_char(&uri, *id);
		else
			strbuf_add_format(&uri, "%%%02X", (unsigned)(unsigned char)*id);
	return strbuf_take(&uri);
}
