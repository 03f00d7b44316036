#include "slack/verify/click.h"

#include "slack/verify/body.h"

enum { PAGE_MAX = 100000 };

static bool no_click(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "this is no click: %s", why);
}

/* --- its parts --- */

static bool copy(char *to, size_t size, const json_t *object, const char *member)
{
	const char *text = json_get_string(object, member);
	size_t length = text ? strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "abcdefghijklmnopqrstuvwxyz0123456789._-")
			     : 0;

	if (length == 0 || text[length] || length >= size)
		return false;
	memcpy(to, text, length + 1);
	return true;
}

/* An app that belongs to an organisation gets no team; then it is the person's. */
static bool read_team(const json_t *payload, struct slack_click *c, struct error *err)
{
	const json_t *team = json_object_get(payload, "team");
	const json_t *user = json_object_get(payload, "user");
	char of_user[SLACK_ID_BYTES];
	bool has_of_user = copy(of_user, sizeof of_user, user, "team_id");

	if (!team || json_is_null(team)) {
		if (!has_of_user)
			return no_click(err, "it is of no team");
		memcpy(c->team, of_user, sizeof c->team);
		return true;
	}
	if (!copy(c->team, sizeof c->team, team, "id"))
		return no_click(err, "its team is none");
	if (has_of_user && strcmp(of_user, c->team) != 0)
		return no_click(err, "the person is of another team");
	return true;
}

static bool read_who(const json_t *payload, struct slack_click *c, struct error *err)
{
	if (!copy(c->user, sizeof c->user, json_object_get(payload, "user"), "id"))
		return no_click(err, "nobody pressed");
	if (!copy(c->app, sizeof c->app, payload, "api_app_id"))
		return no_click(err, "it is of no app");
	return read_team(payload, c, err);
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

bool slack_click_read(const void *body, size_t length, struct slack_click *ret,
		      struct error *err)
{
	struct slack_click c = { 0 };
	json_auto_t *payload = slack_body_payload(body, length, err);
	const char *type = json_get_string(payload, "type");

	if (!payload)
		return false;
	if (!type || strcmp(type, "block_actions") != 0)
		return no_click(err, "it is something else that Slack sends");
	if (!read_who(payload, &c, err) || !read_button(payload, &c, err) ||
	    !read_place(payload, &c, err))
		return false;
	*ret = c;
	return true;
}
