/* The egress: started when it is needed, and each of its answers handed to whom it is for. */
#include "assistant/host/host_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { MINUTE_MS = 60 * 1000 };

static struct host_request *find(struct host *h, int64_t number)
{
	for (size_t i = 0; i < HOST_TURNS_MAX; i++)
		if (h->requests[i].number == number)
			return &h->requests[i];
	return NULL;
}

/* --- what it costs --- */

static void give_up(struct host_request *r)
{
	free(r->path);
	free(r->body);
	*r = (struct host_request){ .number = 0 };
}

static void book(struct host *h, struct host_request *r)
{
	int64_t cost = r->is_sent ? budget_cost(NULL, r->sent_bytes, r->received_bytes)
				  : 0;

	if (cost > 0 || r->share.tokens > 0)
		host_budget_book(h, r->person, &r->share, cost);
	if (r->turn) {
		r->turn->booked += cost;
		r->turn->has_request = false;
	}
	give_up(r);
}

void host_egress_forget(struct host *h)
{
	for (size_t i = 0; i < HOST_TURNS_MAX; i++)
		if (h->requests[i].number > 0)
			book(h, &h->requests[i]);
}

static void tell_ended(struct host *h, struct host_request *r, const char *code,
		       int64_t status)
{
	struct host_turn *t = r->turn;
	json_t *message = NULL;

	if (t)
		message = json_pack("{s:s, s:I}", "m", "ended", "request",
				    (json_int_t)t->request);
	if (message && code)
		(void)json_object_set_new(message, "code", json_string(code));
	if (message && status > 0)
		(void)json_object_set_new(message, "status",
					  json_integer((json_int_t)status));
	book(h, r);
	if (t && !host_turn_send(t, message))
		host_turn_over(t, ASSISTANT_FAULT, NULL);
}

/* --- the process --- */

static void fall(struct host *h, const struct error *why)
{
	log_warn("assistant.egress_fell", LOG_STR("why", why->message));
	host_egress_end(h);
	for (size_t i = 0; i < HOST_TURNS_MAX; i++)
		if (h->requests[i].number > 0 && h->requests[i].is_sent)
			tell_ended(h, &h->requests[i],
				   assistant_code_name(ASSISTANT_MODEL_DOWN), 0);
}

static void on_closed(void *context, struct channel *ch, const struct error *err)
{
	(void)ch;
	fall(context, err);
}

/* Under the worker's own number. */
static void hand_on(struct host *h, struct host_request *r,
		    const struct assistant_fields *f)
{
	json_t *message = json_pack("{s:s, s:I}", "m", assistant_message_name(f->m),
				    "request",
				    (json_int_t)(r->turn ? r->turn->request : 0));
	bool ok = message != NULL;

	(void)h;
	if (!r->turn) {
		json_decref(message);
		return;
	}
	if (f->m == ASSISTANT_CHUNK) {
		ok = ok &&
		     json_object_set_new(message, "data", json_string(f->data)) == 0;
	} else {
		ok = ok && json_object_set_new(message, "status",
					       json_integer((json_int_t)f->status)) == 0;
		if (ok && f->retry_after_ms >= 0)
			ok = json_object_set_new(
				     message, "retry_after_ms",
				     json_integer((json_int_t)f->retry_after_ms)) == 0;
		if (ok && f->type)
			ok = json_object_set_new(message, "type", json_string(f->type)) ==
			     0;
	}
	if (!ok) {
		json_decref(message);
		message = NULL;
	}
	if (!host_turn_send(r->turn, message))
		host_turn_over(r->turn, ASSISTANT_FAULT, NULL);
}

static bool take(struct host *h, const struct assistant_fields *f, struct error *err)
{
	struct host_request *r;

	if (f->m == ASSISTANT_READY) {
		if (h->egress_is_ready)
			return error_set(err, ERR_INVALID_ARGUMENT, "it is ready twice");
		h->egress_is_ready = true;
		return true;
	}
	r = f->request > 0 ? find(h, f->request) : NULL;
	if (!r || !r->is_sent || !h->egress_is_ready)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "it answers what was not asked");
	if (f->m == ASSISTANT_WAITING)
		return true;
	if (f->m == ASSISTANT_ENDED) {
		tell_ended(h, r, f->code, f->status);
		return true;
	}
	if (f->m == ASSISTANT_CHUNK) {
		r->received_bytes += strlen(f->data) / 4 * 3;
		if (r->received_bytes > ASSISTANT_ANSWER_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "an answer is too long");
	}
	hand_on(h, r, f);
	return true;
}

static void on_message(void *context, struct channel *ch, json_t *message)
{
	struct host *h = context;
	struct assistant_fields f;
	struct error err = ERROR_INIT;

	(void)ch;
	if (!assistant_fields_decode(ASSISTANT_AT_SURFACE_OF_EGRESS, message, &f, &err) ||
	    !take(h, &f, &err))
		fall(h, &err);
}

static bool start(struct host *h, struct error *err)
{
	_cleanup_(host_environment_done) struct host_environment env = { .count = 0 };
	const char *const argv[] = { h->o.egress, "--dir", h->o.dir, NULL };
	const struct child_start s = {
		.argv = argv,
		.env = env.all,
		.log_path = h->o.log_path,
		.receive = on_message,
		.closed = on_closed,
		.context = h,
	};
	int64_t now_ms = clock_mono_ms();

	if (h->egress.channel)
		return true;
	if (now_ms - h->egress_minute > MINUTE_MS) {
		h->egress_minute = now_ms;
		h->egress_starts = 0;
	}
	if (++h->egress_starts > HOST_EGRESS_STARTS_PER_MINUTE)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the egress fell too often; it is started again in a "
				 "minute");
	h->egress_is_ready = false;
	if (!h->o.launcher && !host_environment_make(&env, h->o.settings, err))
		return false;
	return host_begin_program(h, false, &h->egress, &s, err);
}

void host_egress_end(struct host *h)
{
	child_end(&h->egress);
	h->egress_is_ready = false;
}

/* --- asking --- */

static bool send_it(struct host *h, struct host_request *r, struct error *err)
{
	json_auto_t *message = NULL;

	if (!start(h, err))
		return false;
	message = json_pack("{s:s, s:I, s:s, s:s}", "m", "request", "request",
			    (json_int_t)r->number, "path", r->path, "body", r->body);
	if (!message || !channel_send(h->egress.channel, message))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the egress takes no request");
	r->is_sent = true;
	free(r->path);
	free(r->body);
	r->path = r->body = NULL;
	return true;
}

static enum assistant_code code_of(const struct error *why)
{
	return why->code == ERR_RATE_LIMITED ? ASSISTANT_BUDGET_SPENT
					     : ASSISTANT_BUDGET_UNKNOWN;
}

void host_egress_allowed(struct host *h, const struct host_asked *a)
{
	struct host_request *r = find(h, a->number);
	enum assistant_code code = ASSISTANT_MODEL_DOWN;
	struct error err = a->err;

	if (!r || r->is_sent)
		return;
	r->share = a->share;
	if (!r->turn) { /* nobody wants it any more */
		book(h, r);
		return;
	}
	if (!a->ok)
		code = code_of(&a->err);
	else if (send_it(h, r, &err))
		return;
	log_failure(a->ok ? "assistant.egress" : "assistant.budget", &err);
	tell_ended(h, r, assistant_code_name(code), 0);
}

static bool begin(struct host *h, struct host_request *r, enum assistant_code *ret_code,
		  struct error *err)
{
	if (!r->path || !r->body)
		return error_oom(err);
	*ret_code = ASSISTANT_BUDGET_UNKNOWN;
	if (h->counter)
		return host_budget_ask(h, r->number, r->person, r->sent_bytes, err);
	*ret_code = ASSISTANT_MODEL_DOWN;
	return send_it(h, r, err);
}

bool host_egress_ask(struct host *h, struct host_turn *t,
		     const struct assistant_fields *f, enum assistant_code *ret_code)
{
	struct host_request *r = find(h, 0);
	struct error err = ERROR_INIT;

	/* What the worker counts is its word; so much it must be. */
	*ret_code = ASSISTANT_LIMIT_TOKENS;
	if (t->booked + budget_cost(NULL, strlen(f->body), 0) >
	    h->o.settings->turn.tokens)
		return false;
	*ret_code = ASSISTANT_MODEL_DOWN;
	if (!r) {
		error_set(&err, ERR_RATE_LIMITED, "too many requests are under way");
		log_failure("assistant.egress", &err);
		return false;
	}
	*r = (struct host_request){ .number = ++h->last_number,
				    .turn = t,
				    .path = strdup(f->path),
				    .body = strdup(f->body),
				    .sent_bytes = strlen(f->body) };
	(void)snprintf(r->person, sizeof r->person, "%s", t->person);
	if (begin(h, r, ret_code, &err)) {
		t->has_request = true;
		t->request = f->request;
		return true;
	}
	log_failure("assistant.egress", &err);
	give_up(r);
	return false;
}

void host_egress_drop(struct host *h, const struct host_turn *t)
{
	for (size_t i = 0; i < HOST_TURNS_MAX; i++) {
		struct host_request *r = &h->requests[i];
		json_auto_t *message = NULL;

		if (r->number == 0 || r->turn != t)
			continue;
		r->turn = NULL;
		if (!r->is_sent)
			continue;
		message = json_pack("{s:s, s:I}", "m", "drop", "request",
				    (json_int_t)r->number);
		if (h->egress.channel && message)
			(void)channel_send(h->egress.channel, message);
	}
}
