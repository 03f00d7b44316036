#include "assistant/host/talk.h"

#include <string.h>

#include "assistant/host/outcome.h"
#include "assistant/host/uri.h"
#include "assistant/words.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum {
	LOOKUP_BYTES = 128,
	LOOKUPS_MAX = 4, /* of one question */
	LOOKUPS_KEPT = 16,
};

static const char people_search[] = "person://search{?q}";

enum { CONTENT_MAX = 64 * 1024, READS_OPEN = ASSISTANT_READS_MAX };

/* A read that the surface is at. */
struct reading {
	int64_t number; /* 0: free */
	int64_t read;   /* the worker's */
	int64_t serial;
	bool is_lookup; /* ours, before the turn: of a person */
	char uri[ASSISTANT_URI_MAX + 1];
	char query[LOOKUP_BYTES];
};

struct talk {
	struct talk_options o;
	struct talk_hooks hooks;
	void *context;
	struct conversation conversation;
	json_t *tools, *sources;
	struct host_turn *turn;
	struct loop_source *later; /* begins the next turn, or frees the last */
	int64_t serial;            /* of the turn */
	int64_t last_number;
	char *asker;
	struct strbuf answer; /* that is being given */
	bool wants_turn, is_over;
	/* Who is who, asked before a turn begins. */
	bool is_looking;
	size_t lookups_open;
	json_t *mentioned;  /* [{said, found}] */
	json_t *lookup_ids; /* of the gate, the newest last */
	struct reading reads[READS_OPEN];
};

static void keep(struct talk *t)
{
	struct error err = ERROR_INIT;

	if (t->o.store &&
	    !conversation_store(&t->conversation, t->o.store, clock_wall_ms(), &err))
		log_failure("conversation.not_kept", &err);
}

/* --- what the worker does --- */

static void on_say(void *context, const char *text, bool final)
{
	struct talk *t = context;

	strbuf_add_string(&t->answer, text);
	if (final && t->answer.length > 0) {
		json_t *entry = json_pack("{s:s, s:s}", "kind", "answered", "text",
					  t->answer.data);

		if (!entry || !conversation_add(&t->conversation, entry))
			log_error("conversation.no_memory");
		strbuf_clear(&t->answer);
	}
	t->hooks.say(t->context, text, final);
}

static json_t *pending(size_t count)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < count; i++)
		if (json_array_append_new(list,
					  json_pack("{s:s}", "status", "pending")) != 0)
			return NULL;
	return TAKE(list);
}

/* As the gate takes it. */
static json_t *proposal(const struct talk *t, const json_t *calls, bool together)
{
	json_auto_t *members =
		together ? json_pack("{s:o}", "calls", json_deep_copy(calls))
			 : json_deep_copy(json_array_get(calls, 0));

	if (!members ||
	    json_object_set_new(
		    members, "sources",
		    conversation_pieces(&t->conversation, t->asker, t->lookup_ids)) != 0)
		return NULL;
	return TAKE(members);
}

static void on_propose(void *context, int64_t number, const json_t *calls, bool together)
{
	struct talk *t = context;
	json_t *members = proposal(t, calls, together);
	int64_t own = ++t->last_number;
	json_t *entry = json_pack("{s:s, s:o, s:b, s:o, s:b, s:I, s:I, s:I}", "kind",
				  "proposed", "calls", json_deep_copy(calls), "together",
				  together, "results", pending(json_array_size(calls)),
				  "open", 1, "number", (json_int_t)own, "proposal",
				  (json_int_t)number, "serial", (json_int_t)t->serial);

	if (!members || !entry || !conversation_add(&t->conversation, entry)) {
		struct error err = ERROR_INIT;

		json_decref(members);
		error_oom(&err);
		host_turn_result(t->turn, number,
				 outcome_of_refusal(&err, json_array_size(calls)));
		return;
	}
	t->hooks.propose(t->context, own, members);
}

/* --- what becomes of it --- */

static json_t *find_number(const struct talk *t, int64_t number)
{
	size_t i;
	json_t *entry;

	json_array_foreach(t->conversation.entries, i, entry)
	{
		if (json_get_int64(entry, "number", 0) == number)
			return entry;
	}
	return NULL;
}

/* The turn that proposed it still waits for it. */
static bool waits(const struct talk *t, const json_t *entry)
{
	return t->turn && !t->is_over && json_object_get(entry, "proposal") &&
	       json_get_int64(entry, "serial", 0) == t->serial;
}

static void begin(struct talk *t);

/* Steals 'results'. An end that its turn was not told begins another one. */
static void settle(struct talk *t, json_t *entry, json_t *results, bool is_end)
{
	if (!results || json_object_set(entry, "results", results) != 0) {
		json_decref(results);
		return;
	}
	if (is_end)
		(void)json_object_set_new(entry, "open", json_false());
	if (waits(t, entry)) {
		host_turn_result(t->turn, json_get_int64(entry, "proposal", 0), results);
		(void)json_object_del(entry, "proposal");
	} else if (is_end) {
		json_decref(results);
		if (!conversation_add(&t->conversation,
				      json_pack("{s:s, s:s}", "kind", "note", "text",
						"What was proposed has ended: its result "
						"stands with the proposal. Tell the "
						"person in a sentence what came of it, "
						"and go on if something is left to do.")))
			log_error("conversation.no_memory");
		t->wants_turn = true;
		begin(t);
	} else {
		json_decref(results);
	}
	keep(t);
}

void talk_proposed(struct talk *t, int64_t number, const char *approval,
		   const struct error *why)
{
	json_t *entry = find_number(t, number);
	size_t count = json_array_size(json_object_get(entry, "calls"));

	if (!entry)
		return;
	(void)json_object_del(entry, "number");
	if (approval)
		(void)json_object_set_new(entry, "approval", json_string(approval));
	else
		settle(t, entry, outcome_of_refusal(why, count), true);
}

void talk_record(struct talk *t, const char *approval, const json_t *record,
		 const json_t *parts)
{
	json_t *entry = conversation_proposed(&t->conversation, approval);
	size_t count = json_array_size(json_object_get(entry, "calls"));

	if (entry && json_is_true(json_object_get(entry, "open")))
		settle(t, entry, outcome_of_record(record, parts, count),
		       outcome_is_end(record));
}

/* --- reading --- */

static bool is_offered(const struct talk *t, const char *pattern)
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

static struct reading *free_slot(struct talk *t)
{
	for (size_t i = 0; i < READS_OPEN; i++)
		if (t->reads[i].number == 0)
			return &t->reads[i];
	return NULL;
}

static void on_read(void *context, int64_t read, const char *uri, const char *pattern,
		    const json_t *values)
{
	struct talk *t = context;
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	struct reading *r = free_slot(t);

	if (uri)
		strbuf_add_string(&whole, uri);
	else if (is_offered(t, pattern))
		(void)uri_expand(&whole, pattern, values);
	if (!r || whole.length == 0 || !strbuf_ok(&whole) ||
	    whole.length > ASSISTANT_URI_MAX) {
		host_turn_content(t->turn, read, NULL, NULL, false,
				  error_name(ERR_NOT_FOUND));
		return;
	}
	*r = (struct reading){ .number = ++t->last_number,
			       .read = read,
			       .serial = t->serial };
	(void)snprintf(r->uri, sizeof r->uri, "%s", whole.data);
	t->hooks.read(t->context, r->number, r->uri);
}

static struct reading *find_reading(struct talk *t, int64_t number)
{
	for (size_t i = 0; i < READS_OPEN; i++)
		if (t->reads[i].number == number && number > 0)
			return &t->reads[i];
	return NULL;
}

static size_t cut(const char *text, size_t max)
{
	size_t length = strlen(text);

	if (length <= max)
		return length;
	for (length = max; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
		length--;
	return length;
}

static bool remember_read(struct talk *t, const struct reading *r, const char *id,
			  const char *label, const char *text, size_t length, bool is_cut)
{
	json_auto_t *entry = json_pack("{s:s, s:s, s:s, s:o}", "kind", "read", "label",
				       label, "uri", r->uri, "text",
				       json_stringn(text, length));

	if (!entry || (is_cut && json_object_set_new(entry, "cut", json_true()) != 0) ||
	    (id && json_object_set_new(entry, "id", json_string(id)) != 0))
		return false;
	return conversation_add(&t->conversation, TAKE(entry));
}

static void end_lookup(struct talk *t);

/* What the people server says of somebody who was mentioned. */
static void take_lookup(struct talk *t, const struct reading *r, const char *id,
			const char *text, bool is_cut)
{
	struct error ignored = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf masked = STRBUF_INIT;
	json_auto_t *found = NULL;

	if (text && !is_cut) {
		text_redact(&masked, text, strlen(text));
		found = json_parse(masked.data, masked.length, JSON_CONTRACT, &ignored);
	}
	if (found && t->mentioned)
		(void)json_array_append_new(
			t->mentioned,
			json_pack("{s:s, s:O}", "said", r->query, "found", found));
	if (found && id && t->lookup_ids) {
		(void)json_array_append_new(t->lookup_ids, json_string(id));
		if (json_array_size(t->lookup_ids) > LOOKUPS_KEPT)
			(void)json_array_remove(t->lookup_ids, 0);
	}
	end_lookup(t);
}

void talk_content(struct talk *t, int64_t number, const char *id, const char *label,
		  const char *text, bool is_cut, const struct error *why)
{
	struct reading *r = find_reading(t, number);
	struct reading done;
	size_t length = text ? cut(text, CONTENT_MAX) : 0;
	json_auto_t *masked = NULL;

	if (!r)
		return;
	done = *r;
	*r = (struct reading){ 0 };
	if (done.is_lookup) {
		take_lookup(t, &done, id, text, is_cut);
		return;
	}
	if (text) {
		is_cut = is_cut || text[length];
		masked = context_mask(text, length);
		if (!masked || !remember_read(t, &done, id, label, text, length, is_cut))
			log_error("conversation.no_memory");
	}
	if (!t->turn || t->is_over || done.serial != t->serial)
		return;
	host_turn_content(t->turn, done.read, label,
			  masked ? json_string_value(masked) : NULL, is_cut,
			  error_name(why ? why->code : ERR_INTERNAL));
}

/* --- turns --- */

static void on_ended(void *context, enum assistant_code code, const char *why)
{
	struct talk *t = context;

	(void)why;
	t->is_over = true;
	if (t->answer.length > 0)
		on_say(t, "", true);
	keep(t);
	t->hooks.ended(t->context, code,
		       code == ASSISTANT_OK || code == ASSISTANT_STOPPED
			       ? NULL
			       : assistant_words(code));
	begin(t);
}

static const struct host_hooks turn_hooks = { on_say, on_propose, on_read, on_ended };

/* The asker, and whom the question mentions. */
static json_t *who(const struct talk *t)
{
	return json_pack("{s:{s:s}, s:O}", "asker", "person", t->asker, "mentioned",
			 t->mentioned);
}

static bool start(struct talk *t, struct error *err)
{
	json_auto_t *persons = who(t);
	const struct context_input in = {
		.conversation = &t->conversation,
		.asker = t->asker,
		.who = persons,
		.house_notes = t->o.house_notes,
		.team_notes = t->o.team_notes,
		.tools = t->tools,
		.sources = t->sources,
		.limits = &t->o.settings->turn,
		.now_ms = clock_wall_ms(),
	};
	json_t *message = context_build(&in, err);

	if (!message)
		return false;
	t->serial++;
	t->is_over = false;
	strbuf_clear(&t->answer);
	t->turn = host_turn_new(t->o.host, t->asker, message, &turn_hooks, t, err);
	return t->turn != NULL;
}

static void start_or_say(struct talk *t)
{
	struct error err = ERROR_INIT;

	if (start(t, &err))
		return;
	log_failure("assistant.no_turn", &err);
	t->hooks.ended(t->context, ASSISTANT_FAULT, assistant_words(ASSISTANT_FAULT));
}

static void end_lookup(struct talk *t)
{
	if (t->lookups_open > 0 && --t->lookups_open == 0 && t->is_looking) {
		t->is_looking = false;
		start_or_say(t);
	}
}

static void look_up(struct talk *t, const char *query)
{
	struct reading *r = free_slot(t);
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	json_auto_t *values = json_pack("{s:s}", "q", query);

	if (!r || !values || !uri_expand(&uri, people_search, values) ||
	    uri.length > ASSISTANT_URI_MAX)
		return;
	*r = (struct reading){ .number = ++t->last_number, .is_lookup = true };
	(void)snprintf(r->uri, sizeof r->uri, "%s", uri.data);
	(void)snprintf(r->query, sizeof r->query, "%s", query);
	t->lookups_open++;
	t->hooks.read(t->context, r->number, r->uri);
}

/* "@john.doe", "<@U0JOHN>" and addresses; no more than a few. */
static void look_up_mentioned(struct talk *t)
{
	const char *text = conversation_newest(&t->conversation);
	size_t asked = 0;

	while (text && *text && asked < LOOKUPS_MAX) {
		char word[LOOKUP_BYTES];
		size_t length;

		text += strspn(text, " \t\r\n,;:!?()[]{}\"'`*");
		length = strcspn(text, " \t\r\n,;:!?()[]{}\"'`*");
		if (length > 2 && length < sizeof word && memchr(text, '@', length)) {
			memcpy(word, text, length);
			word[length] = '\0';
			while (length > 0 && word[length - 1] == '.')
				word[--length] = '\0';
			look_up(t, word);
			asked++;
		}
		text += strcspn(text, " \t\r\n,;:!?()[]{}\"'`*");
	}
}

/* From the loop, so that no turn is freed from within its own hook. */
static void on_later(void *context)
{
	struct talk *t = context;

	t->later = NULL;
	if (t->is_looking || (t->turn && !t->is_over))
		return;
	host_turn_free(t->turn);
	t->turn = NULL;
	if (!t->wants_turn || !t->asker)
		return;
	t->wants_turn = false;
	(void)json_array_clear(t->mentioned);
	memset(t->reads, 0, sizeof t->reads);
	t->is_looking = true;
	t->lookups_open = 1; /* until all have been asked */
	if (is_offered(t, people_search))
		look_up_mentioned(t);
	end_lookup(t);
}

static void begin(struct talk *t)
{
	struct error err = ERROR_INIT;

	if (t->later || (t->turn && !t->is_over))
		return;
	t->later = loop_add_timer(host_loop(t->o.host), 0, false, on_later, t, &err);
	if (!t->later)
		log_failure("assistant.no_turn", &err);
}

bool talk_said(struct talk *t, const char *by, const char *person, const char *turn,
	       const char *text, struct error *err)
{
	char *asker = strdup(person);

	if (!asker || !conversation_said(&t->conversation, by, person, turn, text,
					 clock_wall_ms())) {
		free(asker);
		return error_oom(err);
	}
	free(t->asker);
	t->asker = asker;
	t->wants_turn = true;
	keep(t);
	begin(t);
	return true;
}

/* --- life --- */

/* No turn of ours waits for what an earlier process proposed. */
static void forget_numbers(const struct conversation *c)
{
	size_t i;
	json_t *entry;

	json_array_foreach(c->entries, i, entry)
	{
		(void)json_object_del(entry, "number");
		(void)json_object_del(entry, "proposal");
		if (!json_object_get(entry, "approval"))
			(void)json_object_del(entry, "open");
	}
}

struct talk *talk_new(const struct talk_options *o, const char *id,
		      const struct talk_hooks *hooks, void *context, struct error *err)
{
	_cleanup_(talk_freep) struct talk *t = calloc(1, sizeof *t);

	if (!t) {
		error_oom(err);
		return NULL;
	}
	t->o = *o;
	t->hooks = *hooks;
	t->context = context;
	strbuf_init(&t->answer);
	t->mentioned = json_array();
	t->lookup_ids = json_array();
	if (!t->mentioned || !t->lookup_ids) {
		error_oom(err);
		return NULL;
	}
	if (!conversation_init(&t->conversation, id, err) ||
	    (o->store &&
	     !conversation_load(&t->conversation, o->store, clock_wall_ms(), err)))
		return NULL;
	forget_numbers(&t->conversation);
	return TAKE(t);
}

void talk_free(struct talk *t)
{
	if (!t)
		return;
	loop_remove(t->later);
	host_turn_free(t->turn);
	conversation_done(&t->conversation);
	json_decref(t->tools);
	json_decref(t->sources);
	json_decref(t->mentioned);
	json_decref(t->lookup_ids);
	strbuf_done(&t->answer);
	free(t->asker);
	free(t);
}

void talk_set_tools(struct talk *t, json_t *servers)
{
	json_incref(servers);
	json_decref(t->tools);
	t->tools = servers;
}

void talk_set_sources(struct talk *t, json_t *sources)
{
	json_incref(sources);
	json_decref(t->sources);
	t->sources = sources;
}

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

bool talk_is_busy(const struct talk *t)
{
	return t->later || t->wants_turn || t->is_looking || (t->turn && !t->is_over);
}

json_t *talk_open(const struct talk *t)
{
	json_auto_t *list = json_array();
	size_t i;
	json_t *entry;

	json_array_foreach(t->conversation.entries, i, entry)
	{
		json_t *approval = json_object_get(entry, "approval");

		if (approval && json_is_true(json_object_get(entry, "open")) &&
		    json_array_append(list, approval) != 0)
			return NULL;
	}
	return TAKE(list);
}

void talk_stop(struct talk *t)
{
	t->wants_turn = false;
	if (t->turn && !t->is_over)
		host_turn_stop(t->turn);
}

bool talk_forget(struct talk *t, struct error *err)
{
	if (t->o.store)
		return conversation_forget(&t->conversation, t->o.store, err);
	(void)json_array_clear(t->conversation.entries);
	return true;
}

const struct conversation *talk_conversation(const struct talk *t)
{
	return &t->conversation;
}
