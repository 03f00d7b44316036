#include "slack/inbound/inbound.h"

#include "slack/inbound/inbound_private.h"

static bool copy(char *to, size_t size, const char *text, bool id)
{
	static const char ids[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t length = 0;

	to[0] = '\0';
	if (!text)
		return false;
	if (id)
		length = strspn(text, ids);
	else
		while (text[length] > ' ' && text[length] < 0x7f)
			length++;
	if (length == 0 || text[length] || length >= size)
		return false;
	memcpy(to, text, length + 1);
	return true;
}

bool inbound_id(char *to, size_t size, const json_t *object, const char *member)
{
	return copy(to, size, json_get_string(object, member), true);
}

bool inbound_word(char *to, size_t size, const json_t *object, const char *member)
{
	return copy(to, size, json_get_string(object, member), false);
}

bool inbound_text(char **text, const char *with, struct error *err)
{
	char *fresh = strdup(with ? with : "");

	if (!fresh)
		return error_oom(err);
	free(*text);
	*text = fresh;
	return true;
}

bool inbound_begin(struct inbound *ret, struct error *err)
{
	*ret = (struct inbound){ .kind = INBOUND_NOTHING, .why = "not read" };
	return inbound_text(&ret->text, "", err) && inbound_text(&ret->value, "", err) &&
	       inbound_text(&ret->metadata, "", err);
}

void inbound_done(struct inbound *in)
{
	free(in->text);
	free(in->value);
	free(in->metadata);
	json_decref(in->state);
	json_decref(in->entities);
	*in = (struct inbound){ 0 };
}

bool inbound_nothing(struct inbound *in, const char *why)
{
	in->kind = INBOUND_NOTHING;
	in->why = why;
	return true;
}

bool inbound_refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "Slack sends nothing like this: %s",
			 why);
}

bool inbound_is_ours(const char *team, const struct inbound_self *self)
{
	for (size_t i = 0; i < self->team_count; i++)
		if (strcmp(team, self->teams[i]) == 0)
			return true;
	return false;
}

bool inbound_check(const struct inbound *in, const json_t *object, bool names_app,
		   const struct inbound_self *self, struct error *err)
{
	const char *app = json_get_string(object, "api_app_id");

	if ((names_app && !app) || (app && strcmp(app, self->app) != 0))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the request is for another app");
	if (!inbound_is_ours(in->team, self))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the request is of another workspace");
	return true;
}

bool inbound_take_text(struct inbound *in, const json_t *message, const char *without,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	inbound_message_text(&text, message, without);
	if (!strbuf_ok(&text))
		return error_oom(err);
	in->too_long = text.length > INBOUND_TEXT_MAX;
	return in->too_long || inbound_text(&in->text, text.data, err);
}

bool inbound_is_response_url(const char *url, const char *responses)
{
	const size_t length = responses ? strlen(responses) : 0;

	/* With its slash nothing more of a host, no port and no name of a user can follow. */
	return length > 0 && responses[length - 1] == '/' &&
	       strncmp(url, responses, length) == 0 && url[length] != '\0' &&
	       !strpbrk(url + length, "@\\#\"<> ");
}

void inbound_take_response(struct inbound *in, const json_t *from,
			   const struct inbound_self *self)
{
	if (!inbound_word(in->response_url, sizeof in->response_url, from,
			  "response_url") ||
	    !inbound_is_response_url(in->response_url, self->responses))
		in->response_url[0] = '\0';
}

/* ---- Commands --------------------------------------------------------------------- */

bool inbound_read_command(const json_t *fields, const struct inbound_self *self,
			  struct inbound *ret, struct error *err)
{
	const char *command = json_get_string(fields, "command");

	if (!inbound_begin(ret, err))
		return false;
	/* Slack looks whether our certificate is good; it says nothing else. */
	if (json_object_get(fields, "ssl_check"))
		return inbound_nothing(ret, "a check of the certificate");
	if (!command || !inbound_id(ret->team, sizeof ret->team, fields, "team_id") ||
	    !inbound_id(ret->user, sizeof ret->user, fields, "user_id") ||
	    !inbound_id(ret->channel, sizeof ret->channel, fields, "channel_id"))
		return inbound_refuse(err, "a command without team, user or channel");
	if (!inbound_check(ret, fields, true, self, err))
		return false;
	if (strcmp(command, self->command) != 0)
		return inbound_nothing(ret, "another command");
	inbound_take_response(ret, fields, self);
	(void)inbound_word(ret->trigger, sizeof ret->trigger, fields, "trigger_id");
	ret->kind = INBOUND_COMMAND;
	return inbound_take_text(ret, fields, NULL, err);
}
