#include "gate/click.h"

static bool check_app(const struct slack_click *c, const struct click_trust *trust,
		      struct error *err)
{
	if (!trust->app || strcmp(c->app, trust->app) != 0)
		return error_set(err, ERR_PERMISSION_DENIED, "it is of another app");
	for (size_t i = 0; i < trust->team_count; i++)
		if (strcmp(c->team, trust->teams[i]) == 0)
			return true;
	return error_set(err, ERR_PERMISSION_DENIED, "it is of another team");
}

bool click_read(const struct slack_evidence *e, const struct click_trust *trust,
		int64_t now_s, struct slack_click *ret, struct error *err)
{
	struct slack_click c;

	if (!slack_signature_check(e, trust->secrets, trust->secret_count, now_s, err) ||
	    !slack_click_read(e->body, e->length, &c, err) || !check_app(&c, trust, err))
		return false;
	*ret = c;
	return true;
}

bool click_is_at(const struct slack_click *c, const struct click_place *place,
		 bool message_can_approve, struct error *err)
{
	bool is_yes = c->action == SLACK_APPROVE;

	if (!is_yes && c->action != SLACK_DENY)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "that button decides nothing");
	if (c->view[0]) {
		if (is_yes && (place->pages == 0 || c->page != place->pages))
			return error_set(err, ERR_PRECONDITION_FAILED,
					 "only the last page can approve: read on");
		return true;
	}
	if (!place->channel || !place->message_ts ||
	    strcmp(place->channel, c->channel) != 0 ||
	    strcmp(place->message_ts, c->message_ts) != 0)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "that is not the message that asks");
	if (is_yes && !message_can_approve)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "the message does not show all of it: press Review");
	return true;
}
