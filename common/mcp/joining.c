/*
 * Replicas of a server share one store, or do not start.
 *
 * This process tells the gate which store it has: before it listens, again whenever the
 * store is another, and now and then. The gate knows one store of each server, and every
 * grant names it; a process that has another is refused here, and would be by its grants.
 * Where the gate cannot be reached there are no grants either, so the process may start,
 * and asks again.
 */
#include "mcp/approvals_gate.h"

#include "base/clock.h"

enum {
	ASK_MS = 2000,        /* patience with the gate */
	AGAIN_MS = 1000,      /* to a gate that could not be reached */
	REFUSED_MS = 5000,    /* to one that said no: people may have decided since */
	JOINED_MS = 10 * 1000 /* the gate may have lost what it knew */
};

void joining_init(struct joining *j)
{
	*j = (struct joining){ 0 };
	pthread_mutex_init(&j->turn, NULL);
	pthread_mutex_init(&j->lock, NULL);
}

void joining_done(struct joining *j)
{
	pthread_mutex_destroy(&j->turn);
	pthread_mutex_destroy(&j->lock);
}

/* ---- What the gate says ---- */

static void read_refusal(const struct http_client_reply *reply, char why[static 320])
{
	struct error ignored = ERROR_INIT;
	json_auto_t *body =
		json_parse(reply->body.data, reply->body.length, JSON_CONTRACT, &ignored);
	const char *said = json_get_string(json_object_get(body, "error"), "message");

	(void)snprintf(why, 320, "%s",
		       said ? said : "the gate knows another store of this server");
}

/* 'was': the store that this process had when the gate last agreed; "": none. */
static enum joining_state ask(struct mcp_service *s, const char *store, const char *was,
			      char why[static 320])
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	enum joining_state state = JOINING_UNSAID;
	struct error err = ERROR_INIT;
	json_auto_t *json = json_pack("{s:i, s:s}", "v", 1, "store", store);

	if (!json_put_string(json, "was", *was ? was : NULL) ||
	    !json_write(&body, json, &err))
		return JOINING_UNSAID;
	if (!gate_post(s, "/stores", &body, ASK_MS, &reply, &err))
		log_debug("store.not_told", LOG_STR("why", err.message));
	else if (reply.status == 200)
		state = JOINING_JOINED;
	else if (reply.status == 409)
		state = JOINING_REFUSED;
	else
		log_warn("store.not_told", LOG_INT("status", reply.status));
	if (state == JOINING_REFUSED)
		read_refusal(&reply, why);
	http_client_reply_done(&reply);
	return state;
}

static void take_answer(struct joining *j, enum joining_state state, const char *store,
			const char *why)
{
	static const int64_t after_ms[] = { [JOINING_UNSAID] = AGAIN_MS,
					    [JOINING_REFUSED] = REFUSED_MS,
					    [JOINING_JOINED] = JOINED_MS };
	bool is_news;

	pthread_mutex_lock(&j->lock);
	is_news = state == JOINING_REFUSED && j->state != JOINING_REFUSED;
	j->due_ms = clock_mono_ms() + after_ms[state];
	/* That nobody answered takes nothing back, if it is still about this store. */
	if (state != JOINING_UNSAID || strcmp(j->said, store) != 0)
		j->state = state;
	(void)snprintf(j->said, sizeof j->said, "%s", store);
	if (state == JOINING_JOINED)
		(void)snprintf(j->joined, sizeof j->joined, "%s", store);
	if (state == JOINING_REFUSED)
		(void)snprintf(j->why, sizeof j->why, "%s", why);
	pthread_mutex_unlock(&j->lock);
	if (is_news)
		log_error("store.refused", LOG_STR("store", store), LOG_STR("why", why));
}

/* Only one at a time, so that the last answer is the last. */
static void tell(struct mcp_service *s, const char *store)
{
	struct joining *j = &s->joining;
	char was[DIGEST_ID_BYTES], why[320] = "";
	enum joining_state state;

	pthread_mutex_lock(&j->turn);
	pthread_mutex_lock(&j->lock);
	memcpy(was, j->joined, sizeof was);
	pthread_mutex_unlock(&j->lock);
	state = ask(s, store, strcmp(was, store) == 0 ? "" : was, why);
	take_answer(j, state, store, why);
	pthread_mutex_unlock(&j->turn);
}

/* ---- Who asks ---- */

bool joining_is_refused(struct mcp_service *s, struct error *err)
{
	struct joining *j = &s->joining;
	bool is_refused;

	pthread_mutex_lock(&j->lock);
	is_refused = j->state == JOINING_REFUSED;
	if (is_refused)
		(void)error_set(err, ERR_CONFLICT, "%s", j->why);
	pthread_mutex_unlock(&j->lock);
	if (is_refused)
		(void)error_hint(err,
				 "replicas of a server share one store; if this one "
				 "was put in place of the other: wingman pin %s",
				 s->server->name);
	return is_refused;
}

static bool is_known(struct joining *j, const char *store)
{
	bool known;

	pthread_mutex_lock(&j->lock);
	known = strcmp(j->said, store) == 0 &&
		(j->state == JOINING_JOINED || clock_mono_ms() < j->due_ms);
	pthread_mutex_unlock(&j->lock);
	return known;
}

bool joining_check(struct mcp_service *s, const char *store, struct error *err)
{
	if (!s->http)
		return true;
	if (!is_known(&s->joining, store))
		tell(s, store);
	return !joining_is_refused(s, err);
}

bool joining_start(struct mcp_service *s, struct error *err)
{
	char store[DIGEST_ID_BYTES];

	return !s->http ||
	       (coord_identity(s->store, store, err) && joining_check(s, store, err));
}

int64_t joining_tick(struct mcp_service *s)
{
	struct joining *j = &s->joining;
	struct error err = ERROR_INIT;
	char store[DIGEST_ID_BYTES];
	int64_t left_ms;

	if (!s->http)
		return JOINED_MS;
	pthread_mutex_lock(&j->lock);
	left_ms = j->due_ms - clock_mono_ms();
	pthread_mutex_unlock(&j->lock);
	if (left_ms > 0)
		return left_ms;
	if (!coord_identity(s->store, store, &err))
		return AGAIN_MS; /* it is down, and says so itself */
	tell(s, store);
	return AGAIN_MS;
}
