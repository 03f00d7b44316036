#include "slack/process/form_session.h"

void form_session_done(struct form_session *s)
{
	free(s->tool);
	free(s->turn);
	free(s->digest);
	free(s->author);
	json_decref(s->values);
	json_decref(s->unread);
	*s = (struct form_session){ .page = 0 };
}

void form_session_begin(struct form_session *s)
{
	char id[DIGEST_ID_BYTES];

	digest_random_id(id);
	(void)snprintf(s->id, sizeof s->id, "%s", id);
	s->page = 1;
}

static void key_of(const char *id, char key[static FRONT_KEY_BYTES])
{
	(void)snprintf(key, FRONT_KEY_BYTES, "form/%s", id);
}

bool form_session_keep(struct front *f, const struct form_session *s, struct error *err)
{
	json_auto_t *o = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:O, s:O, s:I}", "user", s->user, "channel",
		s->channel, "tool", s->tool, "digest", s->digest, "turn", s->turn,
		"values", s->values, "unread", s->unread, "page", (json_int_t)s->page);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char key[FRONT_KEY_BYTES];

	key_of(s->id, key);
	if (!json_put_string(o, "author", s->author))
		return error_oom(err);
	return json_write(&text, o, err) &&
	       coord_put(f->store, key, text.data, FORM_SESSION_MS, err);
}

static bool is_id(const char *id)
{
	size_t length = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz");

	return length > 0 && length < FORM_ID_BYTES && !id[length];
}

static char *copy(const json_t *o, const char *member)
{
	const char *text = json_get_string(o, member);

	return text ? strdup(text) : NULL;
}

static bool decode(struct form_session *s, const json_t *o, const char *user)
{
	const char *of = json_get_string(o, "user");
	const char *channel = json_get_string(o, "channel");

	if (!of || strcmp(of, user) != 0)
		return false;
	(void)snprintf(s->user, sizeof s->user, "%s", of);
	(void)snprintf(s->channel, sizeof s->channel, "%s", channel ? channel : "");
	s->tool = copy(o, "tool");
	s->turn = copy(o, "turn");
	s->digest = copy(o, "digest");
	s->author = copy(o, "author");
	s->values = json_incref(json_object_get(o, "values"));
	s->unread = json_incref(json_object_get(o, "unread"));
	s->page = (size_t)json_get_int64(o, "page", 1);
	return s->tool && s->turn && s->digest && json_is_object(s->values) &&
	       json_is_object(s->unread);
}

bool form_session_find(struct front *f, const char *id, const char *user,
		       struct form_session *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	json_auto_t *o = NULL;
	char key[FRONT_KEY_BYTES];

	if (is_id(id)) {
		key_of(id, key);
		if (!coord_get(f->store, key, &text, err))
			return false;
	}
	o = text ? json_parse(text, strlen(text), JSON_SYNTAX, err) : NULL;
	if (o && decode(ret, o, user)) {
		(void)snprintf(ret->id, sizeof ret->id, "%s", id);
		return true;
	}
	form_session_done(ret);
	error_clear(err);
	return error_set(err, ERR_NOT_FOUND,
			 "this form is from too long ago: please begin anew");
}

void form_session_end(struct front *f, const struct form_session *s)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored = ERROR_INIT;
	char key[FRONT_KEY_BYTES];

	key_of(s->id, key);
	(void)coord_take(f->store, key, &text, &ignored);
}
