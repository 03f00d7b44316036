#include "servers/playbooks/steps.h"

#include <md4c.h>
#include <string.h>

#include "servers/playbooks/html_text.h"
#include "servers/playbooks/outline.h"
#include "servers/playbooks/visible.h"

static const char mark[] = "wingman:";

struct draft {
	struct strbuf text;
	json_t *suggestion;
	size_t at;
	bool is_numbered;
};

struct reader {
	const char *source;
	size_t length;
	struct draft *drafts;
	size_t count, capacity;
	size_t open[OUTLINE_DEPTH_MAX + 1]; /* drafts of the items we are in */
	bool numbered[OUTLINE_DEPTH_MAX + 1];
	int items, lists, blocks;
	bool is_enough;
	bool in_code, is_ours; /* a code block of our language */
	struct strbuf code;
	struct html_filter html;
};

static struct draft *current(const struct reader *r)
{
	return r->items > 0 ? &r->drafts[r->open[r->items]] : NULL;
}

static bool start_item(struct reader *r)
{
	if (r->count == r->capacity) {
		const size_t capacity = 2 * r->capacity + 32;
		struct draft *grown = reallocarray(r->drafts, capacity, sizeof *grown);

		if (!grown)
			return false;
		r->drafts = grown;
		r->capacity = capacity;
	}
	r->drafts[r->count] = (struct draft){ .text = STRBUF_INIT,
					      .at = SIZE_MAX,
					      .is_numbered = r->numbered[r->lists] };
	r->open[++r->items] = r->count++;
	return true;
}

/* Only the first suggestion of a step counts: one step, one call. */
static bool suggest(struct reader *r, const char *text, size_t length)
{
	struct draft *d = current(r);

	if (d && !d->suggestion) {
		d->suggestion = steps_suggestion(text, length);
		return d->suggestion != NULL;
	}
	return true;
}

static bool end_code(struct reader *r, bool is_block)
{
	struct draft *d = current(r);
	const size_t skip = strlen(mark);
	bool ok = true;

	r->in_code = false;
	if (is_block && r->is_ours)
		ok = suggest(r, r->code.data, r->code.length);
	else if (r->code.length > skip && strncmp(r->code.data, mark, skip) == 0)
		ok = suggest(r, r->code.data + skip, r->code.length - skip);
	else if (d && !is_block)
		strbuf_add(&d->text, r->code.data, r->code.length);
	r->is_ours = false;
	return ok;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct reader *r = context;
	const MD_ATTRIBUTE *lang;

	html_filter_reset(&r->html);
	if (++r->blocks > OUTLINE_DEPTH_MAX) {
		r->is_enough = true;
		return -1;
	}
	switch (type) {
	case MD_BLOCK_OL:
	case MD_BLOCK_UL:
		r->numbered[++r->lists] = type == MD_BLOCK_OL;
		break;
	case MD_BLOCK_LI:
		if (r->count == STEPS_MAX) {
			r->is_enough = true;
			return -1;
		}
		return start_item(r) ? 0 : -1;
	case MD_BLOCK_CODE:
		lang = &((MD_BLOCK_CODE_DETAIL *)detail)->lang;
		r->in_code = true;
		r->is_ours = lang->text && lang->size == strlen("wingman") &&
			     memcmp(lang->text, "wingman", lang->size) == 0;
		strbuf_clear(&r->code);
		break;
	default:
		break;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct reader *r = context;
	struct draft *d = current(r);

	(void)detail;
	r->blocks--;
	if (d && type != MD_BLOCK_LI)
		strbuf_add_char(&d->text, ' ');
	if (type == MD_BLOCK_OL || type == MD_BLOCK_UL)
		r->lists--;
	else if (type == MD_BLOCK_LI)
		r->items--;
	else if (type == MD_BLOCK_CODE)
		return end_code(r, true) ? 0 : -1;
	return 0;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct reader *r = context;

	(void)detail;
	if (type == MD_SPAN_CODE) {
		r->in_code = true;
		strbuf_clear(&r->code);
	}
	return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *context)
{
	(void)detail;
	return type != MD_SPAN_CODE || end_code(context, false) ? 0 : -1;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
	struct reader *r = context;
	struct draft *d = current(r);

	if (type == MD_TEXT_HTML)
		html_filter_tag(&r->html, text, size);
	if (type == MD_TEXT_HTML || html_filter_hides(&r->html) || !d)
		return 0;
	if (d->at == SIZE_MAX && text >= r->source && text < r->source + r->length)
		d->at = (size_t)(text - r->source);
	if (r->in_code)
		strbuf_add(&r->code, text, size);
	else if (type == MD_TEXT_ENTITY)
		html_entity(&d->text, text, size);
	else if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		strbuf_add_char(&d->text, ' ');
	else
		strbuf_add(&d->text, text, size);
	return strbuf_ok(&d->text) && strbuf_ok(&r->code) ? 0 : -1;
}

/* ---- The whole ---- */

static char *tidy(const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	const char *start;
	size_t length;

	visible_line(&line, text->data, text->length);
	start = line.data + (line.data[0] == ' ');
	length = line.length - (size_t)(start - line.data);
	if (length > STEP_TEXT_MAX) {
		length = STEP_TEXT_MAX;
		while (length > 0 && ((unsigned char)start[length] & 0xc0) == 0x80)
			length--;
	}
	while (length > 0 && strchr(" :", start[length - 1]))
		length--;
	return strbuf_ok(&line) ? strndup(start, length) : NULL;
}

static bool keep(const struct reader *r, struct steps *ret)
{
	ret->items = calloc(r->count + 1, sizeof *ret->items);
	if (!ret->items)
		return false;
	for (size_t i = 0; i < r->count; i++) {
		struct draft *d = &r->drafts[i];

		if (d->at == SIZE_MAX || !(d->is_numbered || d->suggestion))
			continue;
		struct step *step = &ret->items[ret->count];
		step->at = d->at;
		step->text = tidy(&d->text);
		step->suggestion = TAKE(d->suggestion);
		ret->count++;
		if (!step->text)
			return false;
	}
	return true;
}

bool steps_read(const char *source, size_t start, size_t length, struct steps *ret,
		struct error *err)
{
	static const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};
	struct reader r = { .source = source, .length = length, .code = STRBUF_INIT };
	const int rc = md_parse(source + start, (MD_SIZE)(length - start), &parser, &r);
	bool ok;

	*ret = (struct steps){ 0 };
	ok = (rc == 0 || r.is_enough) && keep(&r, ret);
	for (size_t i = 0; i < r.count; i++) {
		strbuf_done(&r.drafts[i].text);
		json_decref(r.drafts[i].suggestion);
	}
	free(r.drafts);
	strbuf_done(&r.code);
	if (!ok)
		steps_done(ret);
	return ok || error_oom(err);
}

void steps_done(struct steps *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].text);
		json_decref(s->items[i].suggestion);
	}
	free(s->items);
	*s = (struct steps){ 0 };
}
