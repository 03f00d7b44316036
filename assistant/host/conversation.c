#include "assistant/host/conversation.h"

#include <string.h>

#include "assistant/host/context.h"
#include "assistant/host/people.h"
#include "base/clock.h"
#include "base/utf8.h"

enum { VERSION = 2 };

bool conversation_init(struct conversation *c, const char *id, struct error *err)
{
	*c = (struct conversation){ .entries = NULL };
	if (!*id || strlen(id) > CONVERSATION_ID_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "that is no name of a conversation");
	(void)snprintf(c->id, sizeof c->id, "%s", id);
	c->entries = json_array();
	c->people = json_array();
	if (c->entries && c->people)
		return true;
	conversation_done(c);
	return error_oom(err);
}

void conversation_done(struct conversation *c)
{
	json_decref(c->entries);
	json_decref(c->people);
	c->entries = c->people = NULL;
}

/* --- what is kept --- */

static size_t bytes_of(const json_t *value)
{
	size_t sum = 0, i;
	json_t *member;
	json_t *object = (json_t *)(uintptr_t)value;

	if (json_is_string(value))
		return json_string_length(value);
	json_array_foreach(object, i, member)
	{
		sum += bytes_of(member);
	}
	if (json_is_object(value))
		for (void *at = json_object_iter(object); at;
		     at = json_object_iter_next(object, at))
			sum += bytes_of(json_object_iter_value(at));
	return sum;
}

static bool is_open(const json_t *entry)
{
	return json_is_true(json_object_get(entry, "open"));
}

/* The oldest of which nothing is waited for. */
static size_t oldest(const json_t *entries)
{
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (!is_open(entry))
			return i;
	}
	return 0;
}

static void trim(struct conversation *c)
{
	while (json_array_size(c->entries) > CONVERSATION_ENTRIES_MAX ||
	       (json_array_size(c->entries) > 1 &&
		bytes_of(c->entries) > CONVERSATION_BYTES_MAX))
		(void)json_array_remove(c->entries, oldest(c->entries));
}

/* Members of others' words; ids and states are ours. */
static bool mask(json_t *entry)
{
	static const char *const members[] = { "text",  "by",     "label",  "uri",
					       "calls", "values", "results" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(entry, members[i]);

		if (member && json_object_set_new(entry, members[i],
						  context_mask_json(member)) != 0)
			return false;
	}
	return true;
}

bool conversation_add(struct conversation *c, json_t *entry)
{
	json_auto_t *own = entry;
	char eid[DIGEST_ID_BYTES];

	digest_random_id(eid);
	if (!own || !mask(own) ||
	    json_object_set_new(own, "eid", json_string(eid)) != 0 ||
	    json_object_set_new(own, "ms", json_integer(clock_wall_ms())) != 0 ||
	    json_array_append(c->entries, own) != 0)
		return false;
	trim(c);
	return true;
}

bool conversation_said(struct conversation *c, const char *by, const char *person,
		       const char *turn, const char *text, int64_t now_ms)
{
	char at[CLOCK_TEXT_BYTES];
	/* Masked whole, then cut: half a credential would not be known as one. */
	json_auto_t *masked = context_mask(text, strlen(text));
	const char *words = masked ? json_string_value(masked) : "";
	json_auto_t *entry = json_pack(
		"{s:s, s:s, s:s, s:o, s:s}", "kind", "said", "by", by, "person", person,
		"text",
		json_stringn(words,
			     utf8_cut(words, strlen(words), CONVERSATION_SAID_MAX)),
		"at", clock_format(now_ms, at));

	if (!masked || !entry ||
	    (turn && json_object_set_new(entry, "turn", json_string(turn)) != 0))
		return false;
	return conversation_add(c, TAKE(entry));
}

static bool is(const json_t *entry, const char *member, const char *text)
{
	const char *value = json_get_string(entry, member);

	return value && text && strcmp(value, text) == 0;
}

json_t *conversation_proposed(const struct conversation *c, const char *approval)
{
	size_t i;
	json_t *entry;

	json_array_foreach(c->entries, i, entry)
	{
		if (is(entry, "kind", "proposed") && is(entry, "approval", approval))
			return entry;
	}
	return NULL;
}

/* --- pieces for the gate --- */

static json_t *claimed(const char *from, const char *label, json_t *text)
{
	json_auto_t *piece = json_pack("{s:s, s:O}", "from", from, "text", text);

	if (!piece ||
	    (label && json_object_set_new(piece, "label", json_string(label)) != 0))
		return NULL;
	return TAKE(piece);
}

/* By what a read's address begins with. */
static const char *kind_of_read(const json_t *entry)
{
	const char *uri = json_get_string(entry, "uri");
	const char *pattern = json_get_string(entry, "template");
	const char *where = uri ? uri : pattern ? pattern : "";

	return strncmp(where, "playbook", 8) == 0 ? "playbook"
	       : strncmp(where, "ticket", 6) == 0 ? "ticket"
	       : strncmp(where, "logs:", 5) == 0  ? "log"
						  : "resource";
}

/* What ran before, and what came of it, as text. */
static json_t *piece_of_results(const json_t *entry)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	const char *tool = json_get_string(
		json_array_get(json_object_get(entry, "calls"), 0), "tool");
	json_auto_t *said = NULL;

	if (!json_write(&text, json_object_get(entry, "results"), &ignored))
		return NULL;
	said = json_stringn(text.data, text.length);
	return claimed("result", tool ? tool : "a call", said);
}

/* NULL also for what is nobody's words. */
static json_t *piece_of(const json_t *entry, const char *asker)
{
	const char *turn = json_get_string(entry, "turn");
	const char *read = json_get_string(entry, "id");
	const char *approval = json_get_string(entry, "approval");
	json_t *text = json_object_get(entry, "text");

	if (turn)
		return json_pack("{s:s}", "turn", turn);
	if (is(entry, "kind", "said"))
		return is(entry, "person", asker)
			       ? claimed("requester", NULL, text)
			       : claimed("person", json_get_string(entry, "person"),
					 text);
	if (is(entry, "kind", "answered"))
		return claimed("assistant", NULL, text);
	if (is(entry, "kind", "read"))
		return read ? json_pack("{s:s}", "read", read)
			    : claimed(kind_of_read(entry),
				      json_get_string(entry, "label"), text);
	if (!is(entry, "kind", "proposed"))
		return NULL;
	return approval && !json_is_true(json_object_get(entry, "together"))
		       ? json_pack("{s:s}", "call", approval)
		       : piece_of_results(entry);
}

const char *conversation_newest(const struct conversation *c)
{
	for (size_t i = json_array_size(c->entries); i-- > 0;) {
		const json_t *entry = json_array_get(c->entries, i);

		if (is(entry, "kind", "said"))
			return json_get_string(entry, "text");
	}
	return NULL;
}

json_t *conversation_pieces(const struct conversation *c, const char *asker,
			    const json_t *lookups)
{
	json_auto_t *pieces = json_array();
	size_t bytes = 0;

	for (size_t i = json_array_size(lookups); pieces && i-- > 0;)
		if (json_array_append_new(
			    pieces,
			    json_pack("{s:O}", "read", json_array_get(lookups, i))) != 0)
			return NULL;

	for (size_t i = json_array_size(c->entries); pieces && i-- > 0;) {
		json_auto_t *piece = piece_of(json_array_get(c->entries, i), asker);

		if (!piece)
			continue;
		bytes += bytes_of(piece);
		if (bytes > CONVERSATION_PIECES_BYTES ||
		    json_array_size(pieces) >= CONVERSATION_PIECES_MAX)
			break;
		if (json_array_append(pieces, piece) != 0)
			return NULL;
	}
	return TAKE(pieces);
}

bool conversation_add_thread(json_t *pieces, const json_t *thread)
{
	for (size_t i = json_array_size(thread); i-- > 0;) {
		const json_t *entry = json_array_get(thread, i);

		if (json_array_size(pieces) >= CONVERSATION_PIECES_MAX)
			break;
		if (json_array_append_new(
			    pieces, claimed("person", json_get_string(entry, "user"),
					    json_object_get(entry, "text"))) != 0)
			return false;
	}
	return true;
}

/* --- as it is kept --- */

/* Of this process, and of no use to another. */
static const char *const passing[] = { "number", "proposal", "serial" };

json_t *conversation_body(const struct conversation *c)
{
	json_auto_t *entries = json_deep_copy(c->entries);
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		for (size_t n = 0; n < ARRAY_SIZE(passing); n++)
			(void)json_object_del(entry, passing[n]);
		if (!json_object_get(entry, "approval"))
			(void)json_object_del(entry, "open");
	}
	return entries ? json_pack("{s:i, s:s, s:O, s:o}", "v", VERSION, "epoch",
				   c->epoch, "entries", entries, "people",
				   json_deep_copy(c->people))
		       : NULL;
}

static int64_t ms_of(const json_t *entry)
{
	return json_get_int64(entry, "ms", 0);
}

int64_t conversation_last_ms(const struct conversation *c)
{
	return ms_of(json_array_get(c->entries, json_array_size(c->entries) - 1));
}

static bool is_entry(const json_t *entry)
{
	return json_get_string(entry, "kind") && json_get_string(entry, "eid") &&
	       ms_of(entry) > 0;
}

bool conversation_is_body(const json_t *body)
{
	const char *epoch = json_get_string(body, "epoch");
	size_t i;
	json_t *entry;

	if (json_get_int64(body, "v", 0) != VERSION || !epoch ||
	    strlen(epoch) >= DIGEST_ID_BYTES ||
	    !json_is_array(json_object_get(body, "entries")) ||
	    !json_is_array(json_object_get(body, "people")))
		return false;
	json_array_foreach(json_object_get(body, "entries"), i, entry)
	{
		if (!is_entry(entry))
			return false;
	}
	return true;
}

static json_t *find(const json_t *entries, const char *eid)
{
	json_t *list = (json_t *)(uintptr_t)entries;
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry)
	{
		if (is(entry, "eid", eid))
			return entry;
	}
	return NULL;
}

/* The same entry in two places: how it ended counts. */
static bool take_end(json_t *ours, const json_t *theirs)
{
	json_t *results = json_object_get(theirs, "results");
	json_t *told = json_object_get(theirs, "told");
	json_t *ended_ms = json_object_get(theirs, "ended_ms");

	if (told && !json_object_get(ours, "told") &&
	    json_object_set_new(ours, "told", json_deep_copy(told)) != 0)
		return false;
	if (!is_open(ours) || is_open(theirs) || !results)
		return true;
	return json_object_set_new(ours, "results", json_deep_copy(results)) == 0 &&
	       (!ended_ms ||
		json_object_set_new(ours, "ended_ms", json_deep_copy(ended_ms)) == 0) &&
	       json_object_set_new(ours, "open", json_false()) == 0;
}

/* Where it belongs by its time; behind those of the same. */
static bool insert(json_t *entries, const json_t *entry)
{
	size_t at = json_array_size(entries);

	while (at > 0 && ms_of(json_array_get(entries, at - 1)) > ms_of(entry))
		at--;
	return json_array_insert_new(entries, at, json_deep_copy(entry)) == 0;
}

bool conversation_take(struct conversation *c, const json_t *body)
{
	const char *epoch = json_get_string(body, "epoch");
	size_t i;
	json_t *entry, *person;

	if (!conversation_is_body(body) || strcmp(epoch, c->epoch) != 0)
		return true;
	json_array_foreach(json_object_get(body, "entries"), i, entry)
	{
		json_t *ours = find(c->entries, json_get_string(entry, "eid"));

		if (!(ours ? take_end(ours, entry) : insert(c->entries, entry)))
			return false;
	}
	json_array_foreach(json_object_get(body, "people"), i, person)
	{
		const char *id = json_get_string(person, "id");

		if (id && !people_known(c->people, id) &&
		    json_array_size(c->people) < PEOPLE_KNOWN_MAX &&
		    json_array_insert_new(c->people, 0, json_deep_copy(person)) != 0)
			return false;
	}
	trim(c);
	return true;
}

void conversation_clear(struct conversation *c, const char *epoch)
{
	(void)json_array_clear(c->entries);
	(void)json_array_clear(c->people);
	if (epoch)
		(void)snprintf(c->epoch, sizeof c->epoch, "%s", epoch);
	else
		digest_random_id(c->epoch);
}
