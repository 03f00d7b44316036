/* Who asks and who is mentioned, asked of the people server before a turn begins. */
#include "assistant/host/talk_private.h"

#include <string.h>

#include "assistant/host/uri.h"
#include "base/log.h"

static const char people_search[] = "person://search{?q}";

static void end_one(struct talk *t)
{
	if (t->lookups_open > 0 && --t->lookups_open == 0 && t->is_looking) {
		t->is_looking = false;
		if (t->is_stopped)
			talk_not_started(t);
		else
			talk_start(t);
	}
}

static void ask(struct talk *t, const char *query, bool is_asker)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	json_auto_t *values = json_pack("{s:s}", "q", query);
	struct talk_reading *r;

	if (!values || strlen(query) > PEOPLE_QUERY_MAX ||
	    !uri_expand(&uri, people_search, values) || uri.length > ASSISTANT_URI_MAX ||
	    !(r = talk_new_reading(t)))
		return;
	r->is_lookup = true;
	r->is_asker = is_asker;
	(void)snprintf(r->uri, sizeof r->uri, "%s", uri.data);
	(void)snprintf(r->query, sizeof r->query, "%s", query);
	t->lookups_open++;
	t->hooks.read(t->context, r->number, r->uri);
}

static bool is_self_known(const struct talk *t)
{
	return t->self && t->self_of && strcmp(t->self_of, t->asker) == 0;
}

void talk_look_up(struct talk *t)
{
	const char *text = conversation_newest(&t->conversation);
	json_auto_t *queries = text ? people_queries(text) : NULL;
	size_t i;
	json_t *query;

	(void)json_array_clear(t->mentioned);
	t->is_looking = true;
	t->is_stopped = false;
	t->lookups_open = 1; /* until all have been asked */
	if (talk_is_offered(t, people_search)) {
		if (!is_self_known(t))
			ask(t, t->asker, true);
		json_array_foreach(queries, i, query)
		{
			/* as may happen within each */
			if (t->is_stopped)
				break;
			ask(t, json_string_value(query), false);
		}
	}
	end_one(t);
}

/* --- the answers --- */

static void keep_id(struct talk *t, const char *id)
{
	if (json_array_append_new(t->lookup_ids, json_string(id)) == 0 &&
	    json_array_size(t->lookup_ids) > TALK_LOOKUPS_KEPT)
		(void)json_array_remove(t->lookup_ids, 0);
}

static void take_self(struct talk *t, const json_t *told)
{
	free(t->self_of);
	t->self_of = strdup(t->asker);
	json_decref(t->self);
	t->self = json_deep_copy(told);
}

static void take_found(struct talk *t, const struct talk_reading *r, const char *id,
		       const json_t *found)
{
	const json_t *person = people_certain(found);
	json_auto_t *told = people_told(found);
	bool notify = r->is_asker || r->query[0] == '<';

	if (!told || (person && !people_remember(t->conversation.people, person, notify)))
		log_error("conversation.no_memory");
	if (id)
		keep_id(t, id);
	if (r->is_asker)
		take_self(t, told);
	else if (json_array_append_new(
			 t->mentioned,
			 json_pack("{s:s, s:O}", "said", r->query, "found", told)) != 0)
		log_error("conversation.no_memory");
}

void talk_take_lookup(struct talk *t, const struct talk_reading *r, const char *id,
		      const char *text, bool is_cut)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *said = NULL, *found = NULL;

	if (text && !is_cut)
		said = json_parse(text, strlen(text), JSON_CONTRACT, &ignored);
	if (said)
		found = context_mask_json(said);
	if (found)
		take_found(t, r, id, found);
	end_one(t);
}

/* --- telling --- */

static json_t *who_is_who(const struct talk *t)
{
	json_auto_t *asker = json_pack("{s:s}", "person", t->asker);

	if (!asker || (is_self_known(t) && json_object_set(asker, "found", t->self) != 0))
		return NULL;
	return json_pack("{s:O, s:o}", "asker", asker, "mentioned",
			 json_copy(t->mentioned));
}

/* With as many of those who are mentioned as there is room for. */
static bool write_people(const struct talk *t, struct strbuf *sb)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *who = who_is_who(t);
	json_t *mentioned = json_object_get(who, "mentioned");

	while (who && json_write(sb, who, &ignored)) {
		if (sb->length <= TALK_PEOPLE_BYTES || json_array_size(mentioned) == 0)
			return true;
		(void)json_array_remove(mentioned, json_array_size(mentioned) - 1);
		strbuf_clear(sb);
	}
	return false;
}

static const char *people_before(const struct talk *t)
{
	const json_t *entries = t->conversation.entries;

	for (size_t i = json_array_size(entries); i-- > 0;) {
		const json_t *entry = json_array_get(entries, i);

		if (strcmp(json_get_string(entry, "kind"), "people") == 0)
			return json_get_string(entry, "text");
	}
	return NULL;
}

bool talk_note_people(struct talk *t)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *before = people_before(t);

	if (!write_people(t, &sb))
		return false;
	if (before && strcmp(before, sb.data) == 0)
		return true;
	return conversation_add(&t->conversation, json_pack("{s:s, s:s}", "kind",
							    "people", "text", sb.data));
}

json_t *talk_people(const struct talk *t)
{
	return people_in_slack(t->conversation.people);
}

void talk_name_people(const struct talk *t, struct strbuf *sb, const char *text)
{
	for (const char *at; (at = strstr(text, "<@")); text = at) {
		const char *id = at + 2;
		size_t length = strcspn(id, "<>| \t\n");
		const json_t *person =
			id[length] == '>'
				? people_of_slack(t->conversation.people, id, length)
				: NULL;
		const char *handle = json_get_string(person, "handle");

		strbuf_add(sb, text, (size_t)(at - text));
		if (person) {
			strbuf_add_string(sb, json_get_string(person, "name"));
			if (handle)
				strbuf_add_format(sb, " (%s)", handle);
			at = id + length + 1;
		} else {
			strbuf_add(sb, at, 2);
			at = id;
		}
	}
	strbuf_add_string(sb, text);
}
