#include "slack/verify/click.h"

#include "slack/verify/seen.h"

enum { PAGE_MAX = 100000 };

static bool no_click(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "this is no click: %s", why);
}

/* --- its parts --- */

static bool copy(char *to, size_t size, const json_t *object, const char *member)
{
	return slack_payload_id(to, size, object, member);
}

static bool read_who(const json_t *payload, struct slack_click *c, struct error *err)
{
	struct slack_actor a;

	if (!slack_payload_actor(payload, &a, err))
		return false;
	memcpy(c->user, a.user, sizeof c->user);
	memcpy(c->team, a.team, sizeof c->team);
	memcpy(c->app, a.app, sizeof c->app);
	return true;
}

static void read_seen(const json_t *of, struct slack_click *c)
{
	const json_t *blocks = json_object_get(of, "blocks");
	struct error ignored = ERROR_INIT;

	if (!slack_seen_digest(blocks, c->seen, &ignored))
		c->seen[0] = '\0';
}

static bool read_message(const json_t *payload, const json_t *container,
			 struct slack_click *c, struct error *err)
{
	char channel[SLACK_ID_BYTES];

	if (json_is_true(json_object_get(container, "is_ephemeral")))
		return no_click(err, "an ephemeral message decides nothing");
	if (!copy(c->channel, sizeof c->channel, container, "channel_id") ||
	    !copy(c->message_ts, sizeof c->message_ts, container, "message_ts"))
		return no_click(err, "it is on no message");
	if (!copy(channel, sizeof channel, json_object_get(payload, "channel"), "id") ||
	    strcmp(channel, c->channel) != 0)
		return no_click(err, "the message is of another channel");
	read_seen(json_object_get(payload, "message"), c);
	return true;
}

/* "ID SHA256", then, if it has one, a page. */
static bool read_value(const char *text, char approval[static SLACK_ID_BYTES],
		       char shown[static DIGEST_HEX_BYTES], unsigned *ret_page,
		       struct error *err)
{
	size_t id = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789_-");
	const char *rest = text + id;
	unsigned page = 0;

	if (id == 0 || id >= SLACK_ID_BYTES || rest[0] != ' ' ||
	    strnlen(rest + 1, DIGEST_HEX_BYTES) < DIGEST_HEX_BYTES - 1)
		return no_click(err, "the button's value is none of ours");
	memcpy(approval, text, id);
	approval[id] = '\0';
	memcpy(shown, rest + 1, DIGEST_HEX_BYTES - 1);
	shown[DIGEST_HEX_BYTES - 1] = '\0';
	rest += DIGEST_HEX_BYTES;
	if (!digest_is_hex(shown) || (rest[0] && rest[0] != ' '))
		return no_click(err, "the button's value is none of ours");
	if (rest[0]) {
		for (rest++; *rest >= '0' && *rest <= '9' && page <= PAGE_MAX; rest++)
			page = page * 10 + (unsigned)(*rest - '0');
		if (*rest || page == 0 || page > PAGE_MAX)
			return no_click(err, "the button's page is none");
	}
	*ret_page = page;
	return true;
}

/* The review says which prompt it shows; the button must say the same. */
static bool read_view(const json_t *payload, const json_t *container,
		      struct slack_click *c, struct error *err)
{
	const json_t *view = json_object_get(payload, "view");
	const char *metadata = json_get_string(view, "private_metadata");
	char approval[SLACK_ID_BYTES], shown[DIGEST_HEX_BYTES], id[SLACK_ID_BYTES];
	unsigned page = 0;

	if (!copy(c->view, sizeof c->view, container, "view_id") ||
	    !copy(id, sizeof id, view, "id") || strcmp(id, c->view) != 0 || !metadata)
		return no_click(err, "it is in no review");
	if (!read_value(metadata, approval, shown, &page, err))
		return false;
	if (strcmp(approval, c->approval) != 0 || strcmp(shown, c->shown) != 0)
		return no_click(err, "the review is of another prompt");
	if (c->page == 0)
		c->page = page;
	read_seen(view, c);
	return true;
}

static bool read_button(const json_t *payload, struct slack_click *c, struct error *err)
{
	static const struct {
		const char *name;
		enum slack_action action;
		bool has_page;
	} buttons[] = {
		{ "wingman.approve", SLACK_APPROVE, false },
		{ "wingman.deny", SLACK_DENY, false },
		{ "wingman.deny_why", SLACK_WHY, false },
		{ "wingman.cancel", SLACK_CANCEL, false },
		{ "wingman.revoke", SLACK_REVOKE, false },
		{ "wingman.review", SLACK_REVIEW, true },
		{ "wingman.page.back", SLACK_PAGE, true },
		{ "wingman.page.next", SLACK_PAGE, true },
	};
	const json_t *actions = json_object_get(payload, "actions");
	const json_t *action = json_array_get(actions, 0);
	const char *name = json_get_string(action, "action_id");
	const char *type = json_get_string(action, "type");
	const char *value = json_get_string(action, "value");

	if (json_array_size(actions) != 1 || !name || !type || !value ||
	    strcmp(type, "button") != 0)
		return no_click(err, "not one button was pressed");
	if (!read_value(value, c->approval, c->shown, &c->page, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		if (strcmp(buttons[i].name, name) != 0)
			continue;
		if (buttons[i].has_page != (c->page > 0))
			return no_click(err, "the button's value is another's");
		c->action = buttons[i].action;
		return true;
	}
	return no_click(err, "the button is none of ours");
}

static bool read_place(const json_t *payload, struct slack_click *c, struct error *err)
{
	const json_t *container = json_object_get(payload, "container");
	const char *type = json_get_string(container, "type");

	if (type && strcmp(type, "message") == 0 && c->action != SLACK_PAGE)
		return read_message(payload, container, c, err);
	if (type && strcmp(type, "view") == 0 && c->action != SLACK_REVIEW)
		return read_view(payload, container, c, err);
	return no_click(err, "that button does not stand there");
}

/* --- the form that asks why --- */

/* The one input that it has; left empty there is no reason. */
static bool read_reason(const json_t *view, struct slack_click *c, struct error *err)
{
	const json_t *values = json_object_get(json_object_get(view, "state"), "values");
	const json_t *input = json_object_get(json_object_get(values, "why"), "why");
	const json_t *value = json_object_get(input, "value");
	const char *text = json_get_string(input, "value");

	if (!input || json_object_size(values) != 1)
		return no_click(err, "the form is none of ours");
	if (!value || json_is_null(value))
		return true;
	if (!text || strlen(text) >= sizeof c->reason)
		return no_click(err, "the reason is none, or too long");
	memcpy(c->reason, text, strlen(text) + 1);
	return true;
}

static bool read_submission(const json_t *payload, struct slack_click *c,
			    struct error *err)
{
	const json_t *view = json_object_get(payload, "view");
	const char *callback = json_get_string(view, "callback_id");
	const char *metadata = json_get_string(view, "private_metadata");

	if (!callback || strcmp(callback, "wingman.deny_why") != 0 || !metadata)
		return no_click(err, "that form decides nothing");
	if (!copy(c->view, sizeof c->view, view, "id") ||
	    !read_value(metadata, c->approval, c->shown, &c->page, err))
		return no_click(err, "the form is of no prompt");
	c->action = SLACK_DENY;
	return read_reason(view, c, err);
}

bool slack_click_of(const json_t *payload, struct slack_click *ret, struct error *err)
{
	struct slack_click c = { 0 };
	const char *type = json_get_string(payload, "type");
	bool is_form = type && strcmp(type, "view_submission") == 0;

	if (!is_form && (!type || strcmp(type, "block_actions") != 0))
		return no_click(err, "it is something else that Slack sends");
	if (!read_who(payload, &c, err) ||
	    !(is_form ? read_submission(payload, &c, err)
		      : read_button(payload, &c, err) && read_place(payload, &c, err)))
		return false;
	*ret = c;
	return true;
}

bool slack_click_read(const void *body, size_t length, struct slack_click *ret,
		      struct error *err)
{
	enum slack_delivery delivery;
	json_auto_t *payload = slack_payload_read(body, length, &delivery, err);

	if (!payload)
		return false;
	return delivery == SLACK_INTERACTION
		       ? slack_click_of(payload, ret, err)
		       : no_click(err, "it is something else that Slack sends");
}
