/* Where prompts stand in Slack, and whether a press stands there. */
#include "gate/keeper.h"

#include "gate/click.h"
#include "gate/decide.h"
#include "gate/slack_where.h"
#include "slack/render/prompt.h"
#include "slack/verify/seen.h"

enum {
	PLACES_MAX = 32,
	DRAWN_MS = 60 * 1000, /* between drawing a message and saying that it stands */
};

/* --- what was drawn --- */

struct drawn {
	size_t pages;
	bool approvable;
	char seen[DIGEST_HEX_BYTES];
};

/* Draw it again, at the time at which the Slack process drew it. */
static bool draw(const json_t *prompt, int64_t drawn_at, bool read_along,
		 struct drawn *ret, struct error *err)
{
	const struct slack_prompt_view view = { drawn_at, read_along };
	json_auto_t *message = slack_prompt_message(prompt, &view, err);
	json_auto_t *page =
		message ? slack_prompt_page(prompt, drawn_at, 1, &ret->pages, err) : NULL;
	const json_t *blocks = json_object_get(message, "blocks");

	ret->approvable = slack_can_approve(blocks);
	return page && slack_seen_digest(blocks, ret->seen, err);
}

/* --- slack_posted --- */

static bool is_id(const char *text, const char *first)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return strchr(first, text[0]) && length > 1 && length < SLACK_ID_BYTES &&
	       !text[length];
}

static bool is_ts(const char *text)
{
	size_t length = strspn(text, "0123456789.");

	return length > 0 && length < SLACK_TS_BYTES && !text[length];
}

static bool check_posted(const struct keeper *k, const struct approval *a,
			 const struct fields *f, struct error *err)
{
	const char *shown = json_get_string(a->body, "shown");

	if (!is_id(f->channel, "CDG") || !is_ts(f->message_ts) ||
	    (f->user && !is_id(f->user, "UW")))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "that is no place of a message in Slack");
	if (a->state != RECORD_PENDING || !shown)
		return error_set(err, ERR_CONFLICT, "this is %s and asks nothing",
				 record_state_name(a->state));
	if (!digest_equal_text(shown, f->shown))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "what was posted is not what is asked");
	if (f->drawn_at > k->now_ms + DRAWN_MS || f->drawn_at < k->now_ms - DRAWN_MS)
		return error_set(err, ERR_CONFLICT,
				 "it was drawn at another time than now: draw it again");
	return true;
}

static const json_t *find_place(const json_t *body, const char *channel, const char *ts)
{
	size_t i;
	json_t *place;

	json_array_foreach(json_object_get(body, "places"), i, place)
	{
		if (strcmp(json_get_string(place, "channel"), channel) == 0 &&
		    strcmp(json_get_string(place, "ts"), ts) == 0)
			return place;
	}
	return NULL;
}

static json_t *place_json(const struct keeper *k, const struct fields *f,
			  const struct drawn *d, bool read_along)
{
	json_auto_t *place = json_pack(
		"{s:s, s:s, s:I, s:I, s:b, s:I, s:b, s:s}", "channel", f->channel, "ts",
		f->message_ts, "at", (json_int_t)k->now_ms, "drawn_at",
		(json_int_t)f->drawn_at, "read_along", read_along, "pages",
		(json_int_t)d->pages, "approvable", d->approvable, "seen", d->seen);

	if (!place ||
	    (f->user && json_object_set_new(place, "user", json_string(f->user)) != 0))
		return NULL;
	return TAKE(place);
}

static bool keep_place(struct keeper *k, struct approval *a, json_t *place,
		       struct error *err)
{
	json_auto_t *places = json_copy(json_object_get(a->body, "places"));
	json_t *changes, *line;

	if (!places)
		places = json_array();
	if (json_array_size(places) >= PLACES_MAX)
		return error_set(err, ERR_RATE_LIMITED,
				 "a prompt stands in %d places at most", PLACES_MAX);
	if (!places || json_array_append(places, place) != 0)
		return error_oom(err);
	changes = json_pack("{s:O}", "places", places);
	line = json_pack("{s:O}", "place", place);
	return keeper_update(k, a, "posted", changes, line, err);
}

static bool posted(struct keeper *k, struct approval *a, const struct fields *f,
		   struct drawn *d, bool *ret_read_along, struct error *err)
{
	const struct slack_where where = slack_where_of(a->body, &k->settings->slack);
	json_auto_t *place = NULL;

	if (!check_posted(k, a, f, err) ||
	    !slack_where_takes(&where, a->body, k->policy, f->channel, f->user,
			       ret_read_along, err) ||
	    !draw(json_object_get(a->body, "prompt"), f->drawn_at, *ret_read_along, d,
		  err))
		return false;
	if (find_place(a->body, f->channel, f->message_ts))
		return error_set(err, ERR_CONFLICT, "that message was told of before");
	place = place_json(k, f, d, *ret_read_along);
	return place ? keep_place(k, a, place, err) : error_oom(err);
}

json_t *keeper_on_slack_posted(struct keeper *k, struct peer *p, const struct fields *f,
			       struct error *err)
{
	struct approval *a = keeper_find(k, f->approval);
	struct drawn d = { .pages = 0 };
	bool read_along = true;

	(void)p;
	if (!a || keeper_is_part(a)) {
		error_set(err, ERR_NOT_FOUND, "there is no open approval '%.40s'",
			  f->approval);
		return NULL;
	}
	if (!posted(k, a, f, &d, &read_along, err)) {
		keeper_audit_refusal(k, "posting.refused", "slack",
				     json_pack("{s:s}", "approval", a->id), err);
		return NULL;
	}
	return json_pack("{s:I, s:b, s:b}", "pages", (json_int_t)d.pages, "approvable",
			 d.approvable, "others_read_along", read_along);
}

/* --- a press --- */

static bool check_place(const struct keeper *k, const struct slack_click *c,
			const json_t *place, struct error *err)
{
	const char *seen = json_get_string(place, "seen");
	const char *user = json_get_string(place, "user");

	if (user && strcmp(user, c->user) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "these are somebody else's direct messages");
	if (k->now_ms < json_get_int64(place, "at", INT64_MAX / 2) + DECIDE_READ_FIRST_MS)
		return error_set(err, ERR_CONFLICT,
				 "this was posted less than a second ago: read again");
	/* A no is safe whatever was shown. */
	if (c->action != SLACK_APPROVE || k->settings->slack.any_look)
		return true;
	return (seen && strcmp(seen, c->seen) == 0) ||
	       error_set(err, ERR_PRECONDITION_FAILED,
			 "the message that was pressed on is not what the gate drew");
}

bool keeper_slack_is_at(const struct keeper *k, const struct approval *a,
			const struct slack_click *c, struct error *err)
{
	const json_t *stands =
		c->view[0] ? NULL : find_place(a->body, c->channel, c->message_ts);
	const struct click_place place = { stands ? c->channel : NULL,
					   stands ? c->message_ts : NULL,
					   /* of a review: keeper_slack_has_read */
					   c->page };

	return click_is_at(c, &place, json_is_true(json_object_get(stands, "approvable")),
			   err) &&
	       (!stands || check_place(k, c, stands, err));
}
