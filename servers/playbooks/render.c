#include "servers/playbooks/render.h"

#include <ctype.h>
#include <md4c.h>
#include <string.h>

#include "servers/playbooks/html_text.h"
#include "servers/playbooks/outline.h"
#include "servers/playbooks/visible.h"

enum { SPANS_MAX = 16, FENCE_MAX = 12, ADDRESS_MAX = 2000 };

struct renderer {
	struct strbuf *out;
	const json_t *hosts;
	struct strbuf prefix;                    /* of every line */
	size_t prefix_at[OUTLINE_DEPTH_MAX + 1]; /* its length before each block */
	unsigned numbers[OUTLINE_DEPTH_MAX + 1]; /* of lists; 0: a list without */
	bool tight[OUTLINE_DEPTH_MAX + 1];
	int depth, lists;
	bool fresh; /* at the start of a block's first line, behind its marker */
	bool in_code, in_table;
	struct strbuf code;
	size_t spans[SPANS_MAX]; /* where links and images began */
	int span_depth;
	unsigned columns, head_columns;
	struct html_filter html;
	bool deep;
};

/* ---- Lines ---- */

static void new_line(struct renderer *r)
{
	strbuf_add_char(r->out, '\n');
	strbuf_add(r->out, r->prefix.data, r->prefix.length);
}

/* A block begins: behind its marker, or after an empty line. */
static void start_block(struct renderer *r, bool is_close)
{
	if (r->fresh || r->out->length == 0) {
		r->fresh = false;
		return;
	}
	if (!is_close)
		new_line(r);
	new_line(r);
}

static bool is_tight(const struct renderer *r)
{
	return r->lists > 0 && r->tight[r->lists];
}

static void add_escaped(struct renderer *r, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	visible_line(&line, text, length);
	/* What begins a line may not begin a list or a heading. */
	const bool is_start = r->out->length == 0 ||
			      r->out->data[r->out->length - 1] == '\n';
	if (is_start && line.length > 0 && strchr("-+=", line.data[0]))
		strbuf_add_char(r->out, '\\');
	visible_escape(r->out, line.data, line.length);
}

/* ---- Code ---- */

static size_t longest_run(const struct strbuf *sb, char c)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < sb->length; i++) {
		run = sb->data[i] == c ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void add_fence(struct renderer *r, size_t length)
{
	for (size_t i = 0; i < length; i++)
		strbuf_add_char(r->out, '`');
}

static void end_code_span(struct renderer *r)
{
	const size_t fence = longest_run(&r->code, '`') + 1;
	const bool needs_space =
		r->code.length > 0 &&
		(r->code.data[0] == '`' || r->code.data[r->code.length - 1] == '`');

	add_fence(r, fence);
	if (needs_space)
		strbuf_add_char(r->out, ' ');
	strbuf_add(r->out, r->code.data, r->code.length);
	if (needs_space)
		strbuf_add_char(r->out, ' ');
	add_fence(r, fence);
}

static void end_code_block(struct renderer *r)
{
	const size_t run = longest_run(&r->code, '`');
	const size_t fence = run < 3 ? 3 : run + 1;
	size_t length = r->code.length;

	if (length > 0 && r->code.data[length - 1] == '\n')
		length--;
	add_fence(r, fence);
	new_line(r);
	for (size_t i = 0; i < length; i++) {
		if (r->code.data[i] == '\n')
			new_line(r);
		else
			strbuf_add_char(r->out, r->code.data[i]);
	}
	new_line(r);
	add_fence(r, fence);
}

/* ---- Links ---- */

bool render_is_relative(const char *address, size_t length)
{
	if (length == 0 || length > ADDRESS_MAX || memchr(address, '\\', length))
		return false;
	if (length >= 2 && address[0] == '/' && address[1] == '/')
		return false;
	for (size_t i = 0; i < length && !strchr("/?#", address[i]); i++)
		if (address[i] == ':' || address[i] == '%' || address[i] == '&')
			return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)address[i] < 0x21 || address[i] == 0x7f)
			return false;
	return true;
}

/* "https://host/..." of an allowed host; nothing before the host but the scheme. */
static bool is_allowed(const struct renderer *r, const char *address)
{
	const json_t *host;
	size_t i;

	if (strncmp(address, "https://", 8) != 0 || strpbrk(address, "\\ \t\n"))
		return false;
	const char *start = address + 8;
	const size_t length = strcspn(start, "/?#");
	json_array_foreach(r->hosts, i, host)
	{
		if (json_string_length(host) == length &&
		    strncasecmp(json_string_value(host), start, length) == 0)
			return true;
	}
	return false;
}

static void read_attribute(const MD_ATTRIBUTE *a, struct strbuf *ret)
{
	for (size_t i = 0; a->text && a->substr_offsets[i] < a->size; i++) {
		const char *text = a->text + a->substr_offsets[i];
		const size_t length = a->substr_offsets[i + 1] - a->substr_offsets[i];

		if (a->substr_types[i] == MD_TEXT_ENTITY)
			html_entity(ret, text, length);
		else
			strbuf_add(ret, text, length);
	}
}

static void add_address(struct strbuf *out, const struct strbuf *address)
{
	for (size_t i = 0; i < address->length; i++) {
		const unsigned char c = (unsigned char)address->data[i];

		if (c < 0x21 || c >= 0x7f || strchr("()<>\"`|*[]", c))
			strbuf_add_format(out, "%%%02X", c);
		else
			strbuf_add_char(out, (char)c);
	}
}

/* The label stands at the end of 'out' already. */
static void end_link(struct renderer *r, const MD_ATTRIBUTE *target, bool is_image)
{
	_cleanup_strbuf_ struct strbuf address = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;
	const size_t at = r->span_depth > 0 ? r->spans[--r->span_depth] : r->out->length;

	read_attribute(target, &address);
	strbuf_add(&label, r->out->data + at, r->out->length - at);
	strbuf_truncate(r->out, at);
	if (render_is_relative(address.data, address.length) ||
	    is_allowed(r, address.data)) {
		strbuf_add_string(r->out, is_image ? "![" : "[");
		strbuf_add(r->out, label.data, label.length);
		strbuf_add_string(r->out, "](");
		add_address(r->out, &address);
		strbuf_add_char(r->out, ')');
		return;
	}
	if (is_image)
		strbuf_add_string(r->out, "image: ");
	strbuf_add(r->out, label.data, label.length);
	if (address.length == 0)
		return;
	strbuf_add_string(r->out, " (");
	strbuf_clear(&r->code);
	visible_line(&r->code, address.data, address.length);
	end_code_span(r);
	strbuf_add_char(r->out, ')');
}

/* ---- Blocks ---- */

static void enter_item(struct renderer *r)
{
	char marker[16];
	const unsigned number = r->numbers[r->lists];

	start_block(r, is_tight(r));
	if (number) {
		(void)snprintf(marker, sizeof marker, "%u. ", number % 1000000000);
		r->numbers[r->lists]++;
	} else
		(void)snprintf(marker, sizeof marker, "- ");
	strbuf_add_string(r->out, marker);
	for (size_t i = 0; marker[i]; i++)
		strbuf_add_char(&r->prefix, ' ');
	r->fresh = true;
}

static void enter_list(struct renderer *r, unsigned number, bool tight)
{
	/* The first item of a list within an item comes right below its text. */
	if (r->lists > 0 && !r->fresh)
		r->tight[r->lists + 1] = true;
	r->lists++;
	r->numbers[r->lists] = number;
	if (!r->fresh && r->lists == 1 && r->out->length > 0)
		new_line(r);
	r->tight[r->lists] = tight;
}

static void enter_leaf(struct renderer *r, MD_BLOCKTYPE type, void *detail)
{
	static const char marks[] = "###### ";
	unsigned level;

	switch (type) {
	case MD_BLOCK_H:
		level = ((MD_BLOCK_H_DETAIL *)detail)->level;
		start_block(r, false);
		strbuf_add_string(r->out, marks + 6 - (level < 6 ? level : 6));
		break;
	case MD_BLOCK_HR:
		start_block(r, false);
		strbuf_add_string(r->out, "---");
		break;
	case MD_BLOCK_CODE:
		start_block(r, is_tight(r));
		r->in_code = true;
		strbuf_clear(&r->code);
		break;
	case MD_BLOCK_P:
		start_block(r, is_tight(r));
		break;
	case MD_BLOCK_TABLE:
		start_block(r, false);
		r->in_table = true;
		r->head_columns = ((MD_BLOCK_TABLE_DETAIL *)detail)->col_count;
		r->fresh = true;
		break;
	case MD_BLOCK_TR:
		start_block(r, true);
		r->columns = 0;
		strbuf_add_char(r->out, '|');
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		strbuf_add_char(r->out, ' ');
		r->columns++;
		break;
	default:
		break;
	}
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct renderer *r = context;

	html_filter_reset(&r->html);
	if (++r->depth > OUTLINE_DEPTH_MAX) {
		r->deep = true;
		return -1;
	}
	r->prefix_at[r->depth] = r->prefix.length;
	switch (type) {
	case MD_BLOCK_QUOTE:
		start_block(r, false);
		strbuf_add_string(r->out, "> ");
		strbuf_add_string(&r->prefix, "> ");
		r->fresh = true;
		break;
	case MD_BLOCK_UL:
		enter_list(r, 0, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight);
		break;
	case MD_BLOCK_OL:
		enter_list(r, ((MD_BLOCK_OL_DETAIL *)detail)->start,
			   ((MD_BLOCK_OL_DETAIL *)detail)->is_tight);
		break;
	case MD_BLOCK_LI:
		enter_item(r);
		if (((MD_BLOCK_LI_DETAIL *)detail)->is_task)
			strbuf_add_string(r->out,
					  ((MD_BLOCK_LI_DETAIL *)detail)->task_mark == ' '
						  ? "[ ] "
						  : "[x] ");
		break;
	default:
		enter_leaf(r, type, detail);
		break;
	}
	return strbuf_ok(r->out) && strbuf_ok(&r->prefix) ? 0 : -1;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct renderer *r = context;

	(void)detail;
	switch (type) {
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		r->lists--;
		break;
	case MD_BLOCK_CODE:
		r->in_code = false;
		end_code_block(r);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		strbuf_add_string(r->out, " |");
		break;
	case MD_BLOCK_THEAD:
		new_line(r);
		strbuf_add_char(r->out, '|');
		for (unsigned i = 0; i < r->head_columns; i++)
			strbuf_add_string(r->out, " --- |");
		break;
	case MD_BLOCK_TABLE:
		r->in_table = false;
		break;
	case MD_BLOCK_LI:
	case MD_BLOCK_QUOTE:
		r->fresh = false;
		break;
	default:
		break;
	}
	strbuf_truncate(&r->prefix, r->prefix_at[r->depth--]);
	return 0;
}

/* ---- Spans and text ---- */

static const char *span_mark(MD_SPANTYPE type)
{
	return type == MD_SPAN_EM       ? "*"
	       : type == MD_SPAN_STRONG ? "**"
	       : type == MD_SPAN_DEL    ? "~~"
					: "";
}

static int enter_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct renderer *r = context;

	(void)detail;
	r->fresh = false;
	if (type == MD_SPAN_CODE) {
		r->in_code = true;
		strbuf_clear(&r->code);
	} else if (type == MD_SPAN_A || type == MD_SPAN_IMG) {
		if (r->span_depth == SPANS_MAX) {
			r->deep = true;
			return -1;
		}
		r->spans[r->span_depth++] = r->out->length;
	} else
		strbuf_add_string(r->out, span_mark(type));
	return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct renderer *r = context;

	if (type == MD_SPAN_CODE) {
		r->in_code = false;
		end_code_span(r);
	} else if (type == MD_SPAN_A)
		end_link(r, &((MD_SPAN_A_DETAIL *)detail)->href, false);
	else if (type == MD_SPAN_IMG)
		end_link(r, &((MD_SPAN_IMG_DETAIL *)detail)->src, true);
	else
		strbuf_add_string(r->out, span_mark(type));
	return 0;
}

static void add_entity(struct renderer *r, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf decoded = STRBUF_INIT;

	html_entity(&decoded, text, length);
	add_escaped(r, decoded.data, decoded.length);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
	struct renderer *r = context;

	r->fresh &= type == MD_TEXT_HTML;
	if (type == MD_TEXT_HTML)
		html_filter_tag(&r->html, text, size);
	else if (html_filter_hides(&r->html))
		return 0;
	else if (r->in_code)
		visible_text(&r->code, text, size);
	else if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) {
		if (r->in_table)
			strbuf_add_char(r->out, ' ');
		else {
			if (type == MD_TEXT_BR)
				strbuf_add_char(r->out, '\\');
			new_line(r);
		}
	} else if (type == MD_TEXT_ENTITY)
		add_entity(r, text, size);
	else if (type != MD_TEXT_NULLCHAR)
		add_escaped(r, text, size);
	return strbuf_ok(r->out) && strbuf_ok(&r->code) ? 0 : -1;
}

bool render_markdown(const char *source, size_t length, const json_t *hosts,
		     struct strbuf *ret, struct error *err)
{
	static const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};
	struct renderer r = {
		.out = ret, .hosts = hosts, .prefix = STRBUF_INIT, .code = STRBUF_INIT
	};
	const int rc = md_parse(source, (MD_SIZE)length, &parser, &r);

	strbuf_done(&r.prefix);
	strbuf_done(&r.code);
	if (r.deep)
		return error_set(err, ERR_INVALID_ARGUMENT, "it nests deeper than %d",
				 OUTLINE_DEPTH_MAX);
	if (rc != 0 || !strbuf_ok(ret))
		return error_oom(err);
	strbuf_add_char(ret, '\n');
	return strbuf_ok(ret) || error_oom(err);
}
