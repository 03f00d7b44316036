/* Who is there, and what becomes of them. */
#include <string.h>

#include "api/okta/okta_private.h"
#include "base/clock.h"

#define USERS "/api/v1/users"

enum { LOGIN_MAX = 320 };

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	return text ? text : "";
}

bool okta_user_read(const json_t *object, struct okta_user *ret, struct error *err)
{
	const json_t *profile = json_object_get(object, "profile");
	const char *id = json_get_string(object, "id");
	const char *status = json_get_string(object, "status");
	const char *login = json_get_string(profile, "login");
	struct error why = ERROR_INIT;

	if (!id || !okta_check_id(id, &why) || !status || !login ||
	    status[strspn(status, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] != '\0') {
		okta_fail_shape("user", err);
		return false;
	}
	*ret = (struct okta_user){
		.id = id,
		.status = status,
		.login = login,
		.email = text_of(profile, "email"),
		.first_name = text_of(profile, "firstName"),
		.last_name = text_of(profile, "lastName"),
		.display_name = text_of(profile, "displayName"),
		.employee_number = text_of(profile, "employeeNumber"),
		.last_updated = text_of(object, "lastUpdated"),
		.profile = profile,
	};
	return true;
}

bool okta_get_user(struct okta *o, const char *id_or_login,
		   const struct rest_patience *patience, json_t **ret_json,
		   struct okta_user *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	struct okta_user user = { 0 };

	if (*id_or_login == '\0' || strlen(id_or_login) > LOGIN_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no login of Okta");
	strbuf_add_string(&path, USERS "/");
	rest_encode(&path, id_or_login);
	if (!strbuf_ok(&path))
		return error_oom(err);
	const struct rest_request request = { .what = "read the user",
					      .method = "GET",
					      .path = path.data,
					      .bucket = "user" };
	if (!rest_call(o->rest, &request, patience, &reply, err) ||
	    !okta_user_read(reply.body, &user, err))
		return false;
	/* A short name is another way to say the login; it is none of ours. */
	if (strcmp(user.id, id_or_login) != 0 && strcasecmp(user.login, id_or_login) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "Okta answered about another user than was asked for");
	*ret = user;
	*ret_json = TAKE(reply.body);
	return true;
}

/* ---- Lists ---- */

struct user_walk {
	okta_user_fn *fn;
	void *context;
	const char *status;        /* what each must have; NULL: anything */
	const char *const *emails; /* the same, one of them; NULL: anything */
	size_t email_count;
};

static bool has_email(const struct user_walk *w, const struct okta_user *user)
{
	for (size_t i = 0; i < w->email_count; i++)
		if (strcasecmp(user->email, w->emails[i]) == 0)
			return true;
	return !w->emails;
}

/* What a filter was not obeyed for is left out here: an unknown filter gives everybody. */
static bool on_user(void *context, const json_t *item, struct error *err)
{
	const struct user_walk *w = context;
	struct okta_user user = { 0 };

	if (!okta_user_read(item, &user, err))
		return false;
	if (!has_email(w, &user) || (w->status && strcmp(user.status, w->status) != 0))
		return true;
	return w->fn(w->context, &user, err);
}

/* A text within a filter: quoted, with quotes and backslashes escaped. */
static void add_quoted(struct strbuf *sb, const char *text)
{
	strbuf_add_char(sb, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, *text);
	}
	strbuf_add_char(sb, '"');
}

/* 'filter' empty: none. */
static bool each_matching(struct okta *o, const struct strbuf *filter,
			  const struct rest_patience *patience, struct user_walk *walk,
			  struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

	strbuf_add_string(&path, USERS "?limit=200");
	if (filter->length > 0) {
		strbuf_add_string(&path, "&filter=");
		rest_encode(&path, filter->data);
	}
	if (!strbuf_ok(&path) || !strbuf_ok(filter))
		return error_oom(err);
	return okta_each(o, "list the users", path.data, "users", patience, on_user, walk,
			 err);
}

static bool each_filtered(struct okta *o, const char *attribute, const char *operator,
			  const char * value, const struct rest_patience *patience,
			  struct user_walk *walk, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	if (attribute) {
		strbuf_add_format(&filter, "%s %s ", attribute, operator);
		add_quoted(&filter, value);
	}
	return each_matching(o, &filter, patience, walk, err);
}

bool okta_each_user(struct okta *o, const char *since,
		    const struct rest_patience *patience, okta_user_fn *fn, void *context,
		    struct error *err)
{
	struct user_walk walk = { .fn = fn, .context = context };
	int64_t ignored;

	if (since && !clock_parse(since, &ignored, err))
		return false;
	return each_filtered(o, since ? "lastUpdated" : NULL, "ge", since, patience,
			     &walk, err);
}

bool okta_each_user_of_status(struct okta *o, const char *status,
			      const struct rest_patience *patience, okta_user_fn *fn,
			      void *context, struct error *err)
{
	struct user_walk walk = { .fn = fn, .context = context, .status = status };

	return each_filtered(o, "status", "eq", status, patience, &walk, err);
}

bool okta_each_user_by_email(struct okta *o, const char *email,
			     const struct rest_patience *patience, okta_user_fn *fn,
			     void *context, struct error *err)
{
	return okta_each_user_by_emails(o, &email, 1, patience, fn, context, err);
}

bool okta_each_user_by_emails(struct okta *o, const char *const *emails, size_t count,
			      const struct rest_patience *patience, okta_user_fn *fn,
			      void *context, struct error *err)
{
	struct user_walk walk = {
		.fn = fn, .context = context, .emails = emails, .email_count = count
	};
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	if (count == 0 || count > OKTA_EMAILS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "1 to %d addresses are looked for at once",
				 OKTA_EMAILS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (*emails[i] == '\0' || strlen(emails[i]) > LOGIN_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "that is no e-mail address");
		strbuf_add_string(&filter,
				  i ? " or profile.email eq " : "profile.email eq ");
		add_quoted(&filter, emails[i]);
	}
	return each_matching(o, &filter, patience, &walk, err);
}

/* ---- Changes ---- */

static bool lifecycle(struct okta *o, const char *what, const char *user_id,
		      const char *change, const struct rest_patience *patience,
		      struct error *err)
{
	char path[128];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, USERS "/%s/lifecycle/%s", user_id, change);
	return okta_do(o, what, "POST", path, "lifecycle", false, patience, err);
}

bool okta_suspend(struct okta *o, const char *user_id,
		  const struct rest_patience *patience, struct error *err)
{
	return lifecycle(o, "suspend the user", user_id, "suspend", patience, err);
}

bool okta_unsuspend(struct okta *o, const char *user_id,
		    const struct rest_patience *patience, struct error *err)
{
	return lifecycle(o, "unsuspend the user", user_id, "unsuspend", patience, err);
}

bool okta_clear_sessions(struct okta *o, const char *user_id, bool oauth_tokens,
			 bool forget_devices, const struct rest_patience *patience,
			 struct error *err)
{
	char path[192];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path,
		       USERS "/%s/sessions?oauthTokens=%s&forgetDevices=%s", user_id,
		       oauth_tokens ? "true" : "false",
		       forget_devices ? "true" : "false");
	return okta_do(o, "end the user's sessions", "DELETE", path, "sessions", true,
		       patience, err);
}

/* ---- Tokens ---- */

struct client_walk {
	okta_client_fn *fn;
	void *context;
};

static bool on_client(void *context, const json_t *item, struct error *err)
{
	const struct client_walk *w = context;
	const struct okta_client client = {
		.id = json_get_string(item, "client_id"),
		.name = text_of(item, "client_name"),
	};
	struct error why = ERROR_INIT;

	if (!client.id || !okta_check_id(client.id, &why))
		return okta_fail_shape("client", err);
	return w->fn(w->context, &client, err);
}

bool okta_each_client_of_user(struct okta *o, const char *user_id,
			      const struct rest_patience *patience, okta_client_fn *fn,
			      void *context, struct error *err)
{
	struct client_walk walk = { fn, context };
	char path[128];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, USERS "/%s/clients", user_id);
	return okta_each(o, "list the user's clients", path, "clients", patience,
			 on_client, &walk, err);
}

bool okta_revoke_tokens(struct okta *o, const char *user_id, const char *client_id,
			const struct rest_patience *patience, struct error *err)
{
	char path[224];

	if (!okta_check_id(user_id, err) || !okta_check_id(client_id, err))
		return false;
	(void)snprintf(path, sizeof path, USERS "/%s/clients/%s/tokens", user_id,
		       client_id);
	return okta_do(o, "revoke the user's tokens", "DELETE", path, "clients", true,
		       patience, err);
}

bool okta_revoke_grants(struct okta *o, const char *user_id,
			const struct rest_patience *patience, struct error *err)
{
	char path[128];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, USERS "/%s/grants", user_id);
	return okta_do(o, "revoke the user's grants", "DELETE", path, "grants", true,
		       patience, err);
}
