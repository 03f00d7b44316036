#include "servers/accounts/record.h"

#include "base/clock.h"

/* Two approvals for one account may write at once; more than that gives up. */
enum { ATTEMPTS = 5 };

#define COLLECTION "accounts"

static bool write_id(char *text, size_t size, const char *system, const char *id,
		     struct error *err)
{
	int n = snprintf(text, size, "%s:%s", system, id);

	return (n > 0 && (size_t)n < size) ||
	       error_set(err, ERR_INTERNAL, "an account's id is too long to be recorded");
}

static json_t *event_json(const struct record_event *e)
{
	char at[CLOCK_TEXT_BYTES], expires[CLOCK_TEXT_BYTES];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}",
			 "action", e->action, "at", clock_format(e->at_ms, at), "by",
			 e->by, "approved_by", e->approved_by, "approval", e->approval,
			 "reason", e->reason, "incident", e->incident, "ticket",
			 e->ticket, "lock", e->lock, "expires_at",
			 e->expires_ms ? clock_format(e->expires_ms, expires) : NULL);
}

/* The document with what the account is called now, and the events of before. */
static json_t *new_body(const char *system, const struct account *a,
			const struct document *old)
{
	json_t *before = old->body ? json_object_get(old->body, "events") : NULL;
	json_t *events = before ? json_deep_copy(before) : json_array();

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "system", system, "id",
			 a->id, "identifier", a->identifier, "uid", a->uid,
			 "display_name", a->name, "email", a->mail, "events", events);
}

typedef bool edit_fn(json_t *events, const struct record_event *event);

/* Read, edit, put at that revision; again when somebody else was faster. */
static bool edit_events(struct documents *d, const char *system,
			const struct account *account, const struct record_event *event,
			edit_fn *edit, struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];

	if (!write_id(id, sizeof id, system, account->id, err))
		return false;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		_cleanup_(document_done) struct document old = { 0 };
		json_auto_t *body = NULL;
		int64_t revision = 0;
		bool found = false;

		if (!documents_get(d, COLLECTION, id, &old, &found, err))
			return false;
		body = new_body(system, account, &old);
		if (!body || !edit(json_object_get(body, "events"), event))
			return error_oom(err);
		if (!documents_put(d, COLLECTION, id, body,
				   found ? old.revision : DOCUMENT_NEW, &revision, err))
			return false;
		if (revision != 0)
			return true;
	}
	return error_set(err, ERR_CONFLICT, "the record of this account keeps changing");
}

static bool append(json_t *events, const struct record_event *event)
{
	while (json_array_size(events) >= RECORD_EVENTS_MAX)
		json_array_remove(events, 0);
	return json_array_append_new(events, event_json(event)) == 0;
}

static bool drop(json_t *events, const struct record_event *event)
{
	for (size_t i = json_array_size(events); i-- > 0;) {
		const json_t *e = json_array_get(events, i);
		const char *approval = json_get_string(e, "approval");
		const char *action = json_get_string(e, "action");

		if (approval && action && strcmp(approval, event->approval) == 0 &&
		    strcmp(action, event->action) == 0)
			json_array_remove(events, i);
	}
	return true;
}

bool record_add(struct documents *d, const char *system, const struct account *account,
		const struct record_event *event, struct error *err)
{
	return edit_events(d, system, account, event, append, err);
}

bool record_remove(struct documents *d, const char *system, const struct account *account,
		   const struct record_event *event, struct error *err)
{
	return edit_events(d, system, account, event, drop, err);
}

static bool is_action(const json_t *event, const char *wanted)
{
	const char *action = json_get_string(event, "action");

	return action && strcmp(action, wanted) == 0;
}

/* Moving the end of a block, or ending sessions, leaves it the block that it was. */
static bool leaves_the_lock(const json_t *event)
{
	return is_action(event, "rescheduled") || is_action(event, "sessions_ended") ||
	       is_action(event, "restored");
}

static json_t *last_event(const json_t *events)
{
	size_t i = json_array_size(events);

	while (i > 0 && leaves_the_lock(json_array_get(events, i - 1)))
		i--;
	return i > 0 ? json_array_get(events, i - 1) : NULL;
}

bool record_explain(struct documents *d, const char *system,
		    const struct account *account, json_t **ret_event, struct error *err)
{
	_cleanup_(document_done) struct document doc = { 0 };
	char document_id[DOCUMENT_ID_MAX + 1];
	json_t *last = NULL;
	const char *lock;
	bool found = false;

	if (!write_id(document_id, sizeof document_id, system, account->id, err) ||
	    !documents_get(d, COLLECTION, document_id, &doc, &found, err))
		return false;
	if (found)
		last = last_event(json_object_get(doc.body, "events"));
	lock = json_get_string(last, "lock");
	*ret_event = is_action(last, "blocked") && lock && *account->lock &&
				     strcmp(lock, account->lock) == 0
			     ? json_incref(last)
			     : NULL;
	return true;
}
