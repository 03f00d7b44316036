/* What the worker reads, by the surface's hand. */
#include "assistant/host/talk_private.h"

#include <string.h>

#include "assistant/host/uri.h"
#include "base/log.h"
#include "base/utf8.h"

enum { CONTENT_MAX = 64 * 1024 };

bool talk_is_offered(const struct talk *t, const char *pattern)
{
	size_t i;
	json_t *source;

	json_array_foreach(t->sources, i, source)
	{
		const char *offered = json_get_string(source, "template");

		if (offered && strcmp(offered, pattern) == 0)
			return true;
	}
	return false;
}

struct talk_reading *talk_new_reading(struct talk *t)
{
	for (size_t i = 0; i < TALK_READS_OPEN; i++) {
		struct talk_reading *r = &t->reads[i];

		if (r->number != 0)
			continue;
		*r = (struct talk_reading){ .number = ++t->last_number,
					    .serial = t->serial };
		return r;
	}
	return NULL;
}

void talk_forget_reads(struct talk *t)
{
	for (size_t i = 0; i < TALK_READS_OPEN; i++)
		json_decref(t->reads[i].how);
	memset(t->reads, 0, sizeof t->reads);
}

void talk_on_read(void *context, int64_t read, const char *uri, const char *pattern,
		  const json_t *values)
{
	struct talk *t = context;
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	struct talk_reading *r = NULL;

	if (uri)
		strbuf_add_string(&whole, uri);
	else if (talk_is_offered(t, pattern))
		(void)uri_expand(&whole, pattern, values);
	if (whole.length > 0 && strbuf_ok(&whole) && whole.length <= ASSISTANT_URI_MAX)
		r = talk_new_reading(t);
	if (r)
		r->how = uri ? json_pack("{s:s}", "uri", uri)
			     : json_pack("{s:s, s:o}", "template", pattern, "values",
					 json_deep_copy(values));
	if (!r) {
		host_turn_content(t->turn, read, NULL, NULL, false,
				  error_name(ERR_NOT_FOUND));
		return;
	}
	r->read = read;
	(void)snprintf(r->uri, sizeof r->uri, "%s", whole.data);
	t->hooks.read(t->context, r->number, r->uri);
}

static struct talk_reading *find_reading(struct talk *t, int64_t number)
{
	for (size_t i = 0; i < TALK_READS_OPEN; i++)
		if (t->reads[i].number == number && number > 0)
			return &t->reads[i];
	return NULL;
}

static bool remember_read(struct talk *t, const struct talk_reading *r, const char *id,
			  const char *label, json_t *text, bool is_cut)
{
	json_auto_t *entry = json_pack("{s:s, s:s, s:O}", "kind", "read", "label", label,
				       "text", text);

	if (!entry || !r->how || json_object_update(entry, r->how) != 0 ||
	    (is_cut && json_object_set_new(entry, "cut", json_true()) != 0) ||
	    (id && json_object_set_new(entry, "id", json_string(id)) != 0))
		return false;
	return conversation_add(&t->conversation, TAKE(entry));
}

void talk_content(struct talk *t, int64_t number, const char *id, const char *label,
		  const char *text, bool is_cut, const struct error *why)
{
	struct talk_reading *r = find_reading(t, number);
	struct talk_reading done;
	json_auto_t *how = NULL;
	size_t length = text ? utf8_cut(text, strlen(text), CONTENT_MAX) : 0;
	json_auto_t *masked = NULL, *name = NULL;

	if (!r)
		return;
	done = *r;
	how = done.how;
	*r = (struct talk_reading){ 0 };
	if (done.is_lookup) {
		talk_take_lookup(t, &done, id, text, is_cut);
		return;
	}
	if (text) {
		is_cut = is_cut || text[length];
		masked = is_cut ? context_mask_cut(text, length)
				: context_mask(text, length);
		name = context_mask(label, strlen(label));
		if (!masked || !name ||
		    !remember_read(t, &done, id, json_string_value(name), masked, is_cut))
			log_error("conversation.no_memory");
	}
	if (!t->turn || t->is_over || done.serial != t->serial)
		return;
	host_turn_content(t->turn, done.read, json_string_value(name),
			  masked && name ? json_string_value(masked) : NULL, is_cut,
			  error_name(why ? why->code : ERR_INTERNAL));
}

/* --- what there is to read --- */

/* The variables of a template, for whoever fills it in. */
static json_t *names_of(const char *pattern)
{
	json_auto_t *names = json_array();

	for (const char *at = strchr(pattern, '{'); names && at; at = strchr(at, '{')) {
		size_t length;

		at += 1 + (at[1] == '+' || at[1] == '?');
		length = strcspn(at, ",}");
		if (json_array_append_new(names, json_stringn(at, length)) != 0)
			return NULL;
		at += length;
	}
	return TAKE(names);
}

json_t *talk_sources(const json_t *context)
{
	json_auto_t *list = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(context, i, row)
	{
		const char *uri = json_get_string(row, "uri");
		const char *description = json_get_string(row, "description");
		json_t *source = NULL;

		if (!uri || json_array_size(list) >= ASSISTANT_SOURCES_MAX)
			continue;
		source = strchr(uri, '{')
				 ? json_pack("{s:s, s:s, s:o}", "template", uri,
					     "description",
					     description ? description : "", "values",
					     names_of(uri))
				 : json_pack("{s:s, s:s}", "uri", uri, "description",
					     description ? description : "");
		if (json_array_append_new(list, source) != 0)
			return NULL;
	}
	return TAKE(list);
}
