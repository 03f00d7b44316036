#include "slack/verify/payload.h"

#include "slack/verify/body.h"
#include "slack/verify/signature.h"

static bool no_payload(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "this is no request of Slack's: %s",
			 why);
}

/* --- what it carries --- */

static json_t *an_object(json_t *value, struct error *err)
{
	if (!value || json_is_object(value))
		return value;
	json_decref(value);
	no_payload(err, "it is no object");
	return NULL;
}

static json_t *parse(const char *text, size_t length, struct error *err)
{
	return an_object(json_parse(text, length, JSON_SYNTAX, err), err);
}

json_t *slack_payload_read(const void *body, size_t length, enum slack_delivery *ret,
			   struct error *err)
{
	static const char payload[] = "payload=";
	const char *text = body;
	json_t *fields;

	if (length == 0 || length > SLACK_BODY_MAX) {
		no_payload(err, length ? "it is too long" : "it is empty");
		return NULL;
	}
	if (text[0] == '{') {
		*ret = SLACK_EVENT;
		return parse(text, length, err);
	}
	if (length >= sizeof payload && memcmp(text, payload, sizeof payload - 1) == 0) {
		*ret = SLACK_INTERACTION;
		return an_object(slack_body_payload(body, length, err), err);
	}
	fields = slack_body_fields(body, length, err);
	if (fields &&
	    (json_object_get(fields, "payload") || !json_get_string(fields, "command"))) {
		json_decref(fields);
		no_payload(err, "the form is neither an interaction nor a command");
		return NULL;
	}
	*ret = SLACK_COMMAND;
	return fields;
}

/* What is within an envelope, by its type. */
static const struct {
	const char *name;
	enum slack_delivery delivery;
} kinds[] = { { "events_api", SLACK_EVENT },
	      { "interactive", SLACK_INTERACTION },
	      { "slash_commands", SLACK_COMMAND } };

bool slack_envelope_is_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(type, kinds[i].name) == 0)
			return true;
	return false;
}

bool slack_envelope_payload(const json_t *envelope, enum slack_delivery *ret,
			    json_t **ret_payload, struct error *err)
{
	const char *type = json_get_string(envelope, "type");
	json_t *payload = json_object_get(envelope, "payload");

	for (size_t i = 0; type && json_is_object(payload) && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(type, kinds[i].name) == 0) {
			*ret = kinds[i].delivery;
			*ret_payload = payload;
			return true;
		}
	return no_payload(err, "the envelope has nothing in it");
}

json_t *slack_envelope_read(const void *frame, size_t length, enum slack_delivery *ret,
			    struct error *err)
{
	json_auto_t *envelope = NULL;
	json_t *payload = NULL;

	if (length > SLACK_BODY_MAX) {
		no_payload(err, "it is too long");
		return NULL;
	}
	envelope = parse(frame, length, err);
	if (!envelope || !slack_envelope_payload(envelope, ret, &payload, err))
		return NULL;
	return json_incref(payload);
}

bool slack_payload_digest(const json_t *payload, char ret[static DIGEST_HEX_BYTES],
			  struct error *err)
{
	_cleanup_free_ char *text =
		json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	if (!text)
		return error_oom(err);
	digest_sha256_hex(text, strlen(text), ret);
	return true;
}

/* --- its parts --- */

bool slack_payload_id(char *to, size_t size, const json_t *object, const char *member)
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
static bool read_team(const json_t *payload, struct slack_actor *a, struct error *err)
{
	const json_t *team = json_object_get(payload, "team");
	const json_t *user = json_object_get(payload, "user");
	char of_user[SLACK_ID_BYTES];
	bool has_of_user = slack_payload_id(of_user, sizeof of_user, user, "team_id");

	if (!team || json_is_null(team)) {
		if (!has_of_user)
			return no_payload(err, "it is of no team");
		memcpy(a->team, of_user, sizeof a->team);
		return true;
	}
	if (!slack_payload_id(a->team, sizeof a->team, team, "id"))
		return no_payload(err, "its team is none");
	if (has_of_user && strcmp(of_user, a->team) != 0)
		return no_payload(err, "the person is of another team");
	return true;
}

static bool read_command_actor(const json_t *payload, struct slack_actor *a,
			       struct error *err)
{
	return (slack_payload_id(a->user, sizeof a->user, payload, "user_id") &&
		slack_payload_id(a->team, sizeof a->team, payload, "team_id") &&
		slack_payload_id(a->app, sizeof a->app, payload, "api_app_id")) ||
	       no_payload(err, "a command of nobody, or of no app");
}

bool slack_payload_actor(const json_t *payload, struct slack_actor *ret,
			 struct error *err)
{
	struct slack_actor a = { "", "", "" };

	if (json_object_get(payload, "command")) {
		if (!read_command_actor(payload, &a, err))
			return false;
	} else {
		if (!slack_payload_id(a.user, sizeof a.user,
				      json_object_get(payload, "user"), "id"))
			return no_payload(err, "nobody did it");
		if (!slack_payload_id(a.app, sizeof a.app, payload, "api_app_id"))
			return no_payload(err, "it is of no app");
		if (!read_team(payload, &a, err))
			return false;
	}
	*ret = a;
	return true;
}
