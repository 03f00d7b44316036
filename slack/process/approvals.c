#include "slack/process/approvals.h"

#include "slack/process/say.h"

enum { RECENT_LOOKED_AT = 200, RECENT_MAX = 10 };

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

static json_t *list(struct front *f, const char *state, int limit, struct error *err)
{
	json_auto_t *members = json_pack("{s:i}", "limit", limit);

	if (!json_put_string(members, "state", state)) {
		error_oom(err);
		return NULL;
	}
	return gate_ask(f->gate, MSG_LIST, TAKE(members), NULL, err);
}

bool approvals_concern(const json_t *record, const char *principal)
{
	const json_t *policy = json_object_get(record, "policy");
	size_t i;
	json_t *one;

	if (is(json_get_string(record, "requester"), principal))
		return true;
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (is(json_string_value(one), principal))
			return true;
	}
	return false;
}

/* In this person's direct messages, else in a channel, which they may or may not read. */
static const json_t *place_for(const json_t *record, const char *user)
{
	const json_t *found = NULL;
	size_t i;
	json_t *place;

	json_array_foreach(json_object_get(record, "places"), i, place)
	{
		const char *of = json_get_string(place, "user");
		const char *channel = json_get_string(place, "channel");

		if (of && user && strcmp(of, user) == 0)
			return place;
		if (!of && channel && channel[0] != 'D' && !found)
			found = place;
	}
	return found;
}

static json_t *waiting_row(const struct front *f, const json_t *r, const char *user)
{
	const json_t *place = place_for(r, user);
	char link[SAY_LINK_BYTES];
	json_auto_t *row = json_pack(
		"{s:O, s:O, s:O, s:O, s:I}", "approval", json_object_get(r, "id"),
		"server", json_object_get(r, "server"), "tool",
		json_object_get(r, "tool"), "requester", json_object_get(r, "requester"),
		"expires_ms", (json_int_t)json_get_int64(r, "expires_at", 0));

	if (!row || (place &&
		     say_link(f, json_get_string(place, "channel"),
			      json_get_string(place, "ts"), link) &&
		     json_object_set_new(row, "link", json_string(link)) != 0))
		return NULL;
	return TAKE(row);
}

json_t *approvals_waiting(struct front *f, const char *principal, const char *user,
			  struct error *err)
{
	json_auto_t *listed = list(f, "pending", APPROVALS_LOOKED_AT, err);
	json_auto_t *rows = json_array();
	size_t i;
	json_t *summary;

	json_array_foreach(json_object_get(listed, "records"), i, summary)
	{
		json_auto_t *shown = gate_ask(
			f->gate, MSG_SHOW,
			json_pack("{s:O}", "approval", json_object_get(summary, "id")),
			NULL, err);
		const json_t *record = json_object_get(shown, "record");

		if (!shown)
			return NULL;
		if (approvals_concern(record, principal) &&
		    (!rows ||
		     json_array_append_new(rows, waiting_row(f, record, user)) != 0)) {
			error_oom(err);
			return NULL;
		}
	}
	return listed ? TAKE(rows) : NULL;
}

static json_t *recent_row(const json_t *r)
{
	const char *digest = json_get_string(r, "shown");

	return json_pack("{s:O, s:O, s:O, s:I, s:s}", "server",
			 json_object_get(r, "server"), "tool", json_object_get(r, "tool"),
			 "state", json_object_get(r, "state"), "at_ms",
			 (json_int_t)json_get_int64(r, "created_at", 0), "digest",
			 digest ? digest : "-");
}

json_t *approvals_recent(struct front *f, const char *principal, struct error *err)
{
	json_auto_t *listed = list(f, NULL, RECENT_LOOKED_AT, err);
	json_auto_t *rows = json_array();
	size_t i;
	json_t *summary;

	json_array_foreach(json_object_get(listed, "records"), i, summary)
	{
		if (json_array_size(rows) >= RECENT_MAX)
			break;
		if (is(json_get_string(summary, "requester"), principal) &&
		    (!rows || json_array_append_new(rows, recent_row(summary)) != 0)) {
			error_oom(err);
			return NULL;
		}
	}
	return listed ? TAKE(rows) : NULL;
}
