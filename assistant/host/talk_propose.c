/* What the worker proposes, and what becomes of it. */
#include "assistant/host/talk_private.h"

#include "assistant/host/outcome.h"
#include "base/clock.h"
#include "base/log.h"

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

	json_auto_t *pieces =
		conversation_pieces(&t->conversation, t->asker, t->lookup_ids);

	if (!members || !pieces || !conversation_add_thread(pieces, t->thread) ||
	    json_object_set(members, "sources", pieces) != 0)
		return NULL;
	return TAKE(members);
}

void talk_on_propose(void *context, int64_t number, const json_t *calls, bool together)
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

/* Its turn is over: another one tells people of the end. */
static void tell_end(struct talk *t)
{
	char now[CLOCK_TEXT_BYTES];
	json_t *note =
		json_pack("{s:s, s:s++}", "kind", "note", "text",
			  "What was proposed has ended, as was said just before (it "
			  "is ",
			  clock_format(clock_wall_ms(), now),
			  "). Tell the person in a sentence what came of it, and go "
			  "on if something is left to do.");

	if (!conversation_add(&t->conversation, note))
		log_error("conversation.no_memory");
	t->wants_turn = true;
	talk_begin(t);
}

/* Steals 'results'. An end that its turn was not told begins another one, if 'tells'. */
static void settle(struct talk *t, json_t *entry, json_t *results, bool is_end,
		   bool tells)
{
	if (!results || json_object_set(entry, "results", results) != 0) {
		json_decref(results);
		return;
	}
	if (is_end && json_is_true(json_object_get(entry, "open"))) {
		(void)json_object_set_new(entry, "open", json_false());
		(void)json_object_set_new(entry, "ended_ms",
					  json_integer(clock_wall_ms()));
	}
	if (waits(t, entry)) {
		/* It stays as it was told: how it ends is told behind what was said since. */
		if (json_object_set(entry, "told", results) != 0)
			log_error("conversation.no_memory");
		host_turn_result(t->turn, json_get_int64(entry, "proposal", 0), results);
		(void)json_object_del(entry, "proposal");
	} else {
		json_decref(results);
		if (is_end && tells)
			tell_end(t);
	}
	talk_keep(t);
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
		settle(t, entry, outcome_of_refusal(why, count), true, true);
}

/* An identical proposal gets the approval that there is already, so several entries may
 * stand under one. New reference. */
static json_t *entries_under(const struct talk *t, const char *approval)
{
	json_auto_t *found = json_array();
	size_t i;
	json_t *entry;

	json_array_foreach(t->conversation.entries, i, entry)
	{
		const char *of = json_get_string(entry, "approval");

		if (of && strcmp(of, approval) == 0 &&
		    json_array_append(found, entry) != 0)
			return NULL;
	}
	return TAKE(found);
}

void talk_renamed(struct talk *t, const char *approval, const char *to)
{
	json_auto_t *entries = entries_under(t, approval);
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		(void)json_object_set_new(entry, "approval", json_string(to));
	}
	if (json_array_size(entries) > 0)
		talk_keep(t);
}

/* Each is told how it stands, or its turn would wait for ever; people are, once. */
static void take_record(struct talk *t, const char *approval, const json_t *record,
			const json_t *parts, bool tells)
{
	json_auto_t *entries = entries_under(t, approval);
	const bool is_end = outcome_is_end(record);
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		size_t count = json_array_size(json_object_get(entry, "calls"));
		bool is_waited_for = waits(t, entry);

		if (!json_is_true(json_object_get(entry, "open")))
			continue;
		settle(t, entry, outcome_of_record(record, parts, count), is_end, tells);
		tells = tells && (is_waited_for || !is_end);
	}
}

void talk_record(struct talk *t, const char *approval, const json_t *record,
		 const json_t *parts)
{
	take_record(t, approval, record, parts, true);
}

void talk_note_record(struct talk *t, const char *approval, const json_t *record,
		      const json_t *parts)
{
	take_record(t, approval, record, parts, false);
}
