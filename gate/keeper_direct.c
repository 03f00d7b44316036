/*
 * Calls of direct clients, as their servers register them. A server speaks for itself
 * alone: its token names it, and it registers nothing but its own tools.
 */
#include "gate/keeper_direct_private.h"

enum { RETRY_AFTER_MS = 1000, SESSION_MAX = 128, CLIENT_MAX = 64, SUBJECT_MAX = 519 };

bool keeper_answer(struct keeper *k, int64_t request, int status, json_t *body)
{
	json_auto_t *message =
		json_pack("{s:s, s:I, s:i, s:o}", "m", message_name(MSG_ANSWER),
			  "request", (json_int_t)request, "status", status, "body", body);

	if (!message || !k->caller || !channel_send(k->caller, message))
		log_error("gate.not_answered");
	return true;
}

bool keeper_direct_error(struct keeper *k, int64_t request, const struct error *err)
{
	static const int statuses[ERR_CODE_COUNT] = {
		[ERR_INVALID_ARGUMENT] = 400, [ERR_NOT_FOUND] = 404,
		[ERR_CONFLICT] = 409,         [ERR_RATE_LIMITED] = 429,
		[ERR_INTERNAL] = 503,         [ERR_BACKEND_UNAVAILABLE] = 503,
	};
	int status = statuses[err->code];

	return keeper_answer(k, request, status ? status : 422,
			     json_pack("{s:o}", "error", fields_error(err, NULL)));
}

/* A client learns of a plan that failed its bare code: details would tell what a read tells. */
static json_t *state_json(const struct keeper *k, const json_t *body)
{
	enum record_state s = record_state_of(body);
	const json_t *outcome = json_object_get(body, "outcome");
	const char *code = json_get_string(json_object_get(outcome, "error"), "code");
	const char *id = json_get_string(body, "id");
	json_auto_t *reply = NULL;
	char where[96];

	/* To whoever did not get the grant, it is under way. */
	if (s == RECORD_GRANTED)
		s = RECORD_EXECUTING;
	(void)snprintf(where, sizeof where, "wingman approvals show %s", id);
	reply = json_pack("{s:s, s:s, s:s}", "approval", id, "state",
			  record_state_name(s), "where", where);
	if (!reply)
		return NULL;
	if (!record_state_is_end(s)) {
		json_t *page = keeper_page_url(k, body);

		(void)json_object_set_new(reply, "retry_after_ms",
					  json_integer(RETRY_AFTER_MS));
		if (page)
			(void)json_object_set_new(reply, "page", page);
	}
	if (s == RECORD_REFUSED && code)
		(void)json_object_set_new(reply, "error",
					  json_pack("{s:s}", "code", code));
	return TAKE(reply);
}

bool keeper_direct_state(struct keeper *k, int64_t request, const json_t *body)
{
	return keeper_answer(k, request, 200, state_json(k, body));
}

/* --- waiting for a plan --- */

static bool is_planning(const struct approval *a)
{
	return a && (a->state == RECORD_PROPOSED || a->state == RECORD_PLANNED);
}

static bool wait_for(struct keeper *k, int64_t request, const struct approval *a)
{
	struct waiting *w;

	if (k->waiting_count == KEEPER_WAITING_MAX)
		return keeper_direct_state(k, request, a->body);
	w = &k->waiting[k->waiting_count++];
	w->request = request;
	w->until_ms = k->now_ms + KEEPER_WAIT_MS;
	memcpy(w->approval, a->id, sizeof w->approval);
	return true;
}

void keeper_answer_waiting(struct keeper *k, const struct approval *a)
{
	size_t i = 0;

	if (a && !a->ended && is_planning(a))
		return;
	while (i < k->waiting_count) {
		struct waiting w = k->waiting[i];
		struct error err = ERROR_INIT;
		json_auto_t *body = NULL;

		if (a ? strcmp(w.approval, a->id) != 0 : k->now_ms < w.until_ms) {
			i++;
			continue;
		}
		k->waiting[i] = k->waiting[--k->waiting_count];
		body = a ? json_incref(a->body) : keeper_load(k, w.approval, &err);
		if (body)
			(void)keeper_direct_state(k, w.request, body);
		else
			(void)keeper_direct_error(k, w.request, &err);
	}
}

/* --- register --- */

struct registration {
	int64_t v;
	const char *tool, *principal, *client, *subject, *session, *approval;
	json_t *arguments;
};

static bool read_registration(const struct keeper *k, const struct fields *f,
			      struct registration *r, struct error *err)
{
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, offsetof(struct registration, v),
		  JSON_FIELD_REQUIRED },
		{ "tool", JSON_FIELD_STRING, offsetof(struct registration, tool),
		  JSON_FIELD_REQUIRED },
		{ "arguments", JSON_FIELD_OBJECT,
		  offsetof(struct registration, arguments), JSON_FIELD_REQUIRED },
		{ "principal", JSON_FIELD_STRING,
		  offsetof(struct registration, principal), JSON_FIELD_REQUIRED },
		{ "client", JSON_FIELD_STRING, offsetof(struct registration, client),
		  JSON_FIELD_REQUIRED },
		{ "subject", JSON_FIELD_STRING, offsetof(struct registration, subject),
		  0 },
		{ "session", JSON_FIELD_STRING, offsetof(struct registration, session),
		  0 },
		{ "approval", JSON_FIELD_STRING, offsetof(struct registration, approval),
		  0 },
		{ 0 }
	};

	if (!json_decode(f->body, fields, r, "registration", err))
		return false;
	if (r->v != 1)
		return error_set(err, ERR_INVALID_ARGUMENT, "registration: 'v' is not 1");
	if (!settings_find_server(k->settings, f->server))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the gate knows no server '%.32s'", f->server);
	if (!name_is_tool(r->tool))
		return error_set(err, ERR_NOT_FOUND,
				 "a server registers tools of its own, by name");
	/* People are shown it beside who asks: it must not be able to say anything. */
	if (!name_is_principal(r->client) || strlen(r->client) > CLIENT_MAX ||
	    (r->session && strlen(r->session) > SESSION_MAX) ||
	    (r->subject && strlen(r->subject) > SUBJECT_MAX))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "registration: 'client', 'subject' or 'session' is too "
				 "long, or 'client' is no name");
	if (!name_is_principal(r->principal) || !policy_knows(k->policy, r->principal))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the principal is not mapped to a person of the gate");
	/* The gate's own map says who that is, where it knows better than the server. */
	return policy_check_credential(k->policy, r->principal, r->subject, r->client,
				       err);
}

static bool look_up(struct keeper *k, const char *prefix, const char *identity,
		    json_t **ret, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *id = NULL;

	(void)snprintf(key, sizeof key, "%s/%s", prefix, identity);
	if (!coord_get(k->coordination, key, &id, err))
		return false;
	*ret = id ? keeper_load(k, id, err) : NULL;
	return !id || *ret;
}

/* The one that claims gets the grant; its bytes are stored by then. */
static bool answer_grant(struct keeper *k, int64_t request, struct approval *a)
{
	struct error err = ERROR_INIT;
	json_t *state = json_object_get(a->body, "request_state");
	json_t *reply;

	if (!keeper_grant(k, a, &err)) {
		/* Taken back, or not now: the state says which. */
		log_failure("approval.not_claimed", &err);
		return a->ended || a->members_waiting
			       ? keeper_direct_state(k, request, a->body)
			       : keeper_direct_error(k, request, &err);
	}
	a->next_ms = k->now_ms + KEEPER_LOOK_MS;
	reply = json_pack("{s:s, s:s, s:O}", "approval", a->id, "state", "granted",
			  "grant", json_object_get(a->body, "grant"));
	if (reply && state && json_object_set(reply, "request_state", state) != 0) {
		json_decref(reply);
		reply = NULL; /* not told in part: it says afterwards what became of it */
	}
	return keeper_answer(k, request, 200, reply);
}

static bool answer_open(struct keeper *k, int64_t request, struct approval *a)
{
	if (!a->ended && (a->state == RECORD_APPROVED ||
			  (a->state == RECORD_PROPOSED && keeper_is_free(a))))
		return answer_grant(k, request, a);
	if (!a->ended && is_planning(a))
		return wait_for(k, request, a);
	return keeper_direct_state(k, request, a->body);
}

static bool register_call(struct keeper *k, int64_t request, const struct proposal *p,
			  struct error *err)
{
	char identity[DIGEST_HEX_BYTES];
	json_auto_t *ended = NULL;
	struct approval *a;

	if (!keeper_is_sound(k, err) || !keeper_identify(k, p, identity, err))
		return false;
	a = keeper_find_identical(k, identity);
	if (!a) {
		if (!look_up(k, "recent", identity, &ended, err) ||
		    (!ended && !look_up(k, "denied", identity, &ended, err)))
			return false;
		if (ended)
			return keeper_direct_state(k, request, ended);
		a = keeper_propose(k, p, err);
	}
	return a && answer_open(k, request, a);
}

/* Of its own server and person; NULL: there is none such. */
json_t *keeper_direct_load(struct keeper *k, const char *id, const char *server,
			   const char *principal, struct error *err)
{
	json_auto_t *body = name_is_id(id) ? keeper_load(k, id, err) : NULL;
	const char *whose = json_get_string(body, "server"),
		   *who = json_get_string(body, "requester");

	if (body && whose && who && strcmp(whose, server) == 0 &&
	    strcmp(who, principal) == 0)
		return TAKE(body);
	error_clear(err);
	error_set(err, ERR_NOT_FOUND, "there is no such approval of this server");
	return NULL;
}

/* What became of this one: a call that waits asks again and again, and must not be
 * proposed anew when it has ended. False: it is open, and this call's own. */
static bool answer_ended(struct keeper *k, int64_t request, const struct proposal *p,
			 const char *id, bool *ret_answered, struct error *err)
{
	const struct approval *a = name_is_id(id) ? keeper_find(k, id) : NULL;
	char identity[DIGEST_HEX_BYTES];
	json_auto_t *body = NULL;

	*ret_answered = false;
	if (!keeper_identify(k, p, identity, err))
		return false;
	if (a && !a->ended && keeper_find_identical(k, identity) == a)
		return true;
	body = keeper_direct_load(k, id, p->server, p->requester, err);
	*ret_answered = body && keeper_direct_state(k, request, body);
	return body != NULL;
}

/* A session that got lost would make it somebody else's call. */
static json_t *direct_surface(const struct registration *r)
{
	json_auto_t *surface =
		json_pack("{s:s, s:s}", "kind", "direct", "client", r->client);

	return json_put_string(surface, "session", r->session) &&
			       json_put_string(surface, "subject", r->subject)
		       ? TAKE(surface)
		       : NULL;
}

bool keeper_on_register(struct keeper *k, const struct fields *f, struct error *err)
{
	struct registration r = { 0 };
	struct error why = ERROR_INIT;
	json_auto_t *surface = NULL;

	(void)err;
	if (read_registration(k, f, &r, &why)) {
		surface = direct_surface(&r);
		const struct proposal p = { .requester = r.principal,
					    .surface = surface,
					    .server = f->server,
					    .tool = r.tool,
					    .arguments = r.arguments };
		bool is_answered = false;

		if (surface && r.approval &&
		    !answer_ended(k, f->request, &p, r.approval, &is_answered, &why))
			return keeper_direct_error(k, f->request, &why);
		if (is_answered || (surface && register_call(k, f->request, &p, &why)))
			return true;
	} else {
		keeper_audit_refusal(k, "registration.refused", f->server,
				     json_pack("{s:s}", "server", f->server), &why);
	}
	if (!error_is_set(&why))
		error_oom(&why);
	return keeper_direct_error(k, f->request, &why);
}
