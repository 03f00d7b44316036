#include "gate/click.h"

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
