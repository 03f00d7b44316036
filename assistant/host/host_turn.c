/* One turn: its worker, and what that may say. */
#include "assistant/host/host_private.h"

#include "base/log.h"

enum { OPEN_MAX = 64 }; /* bits of what is unanswered */

_Static_assert((int)ASSISTANT_PROPOSALS_MAX <= (int)OPEN_MAX &&
		       (int)ASSISTANT_READS_MAX <= (int)OPEN_MAX,
	       "each number has its bit");

static uint64_t bit(int64_t number)
{
	return UINT64_C(1) << (number - 1);
}

void host_turn_over(struct host_turn *t, enum assistant_code code, const char *why)
{
	if (t->is_over)
		return;
	t->is_over = true;
	host_egress_drop(t->host, t);
	child_end(&t->worker);
	loop_remove(t->timer);
	t->timer = NULL;
	t->hooks.ended(t->context, code, why);
}

/* Steals 'message'. */
bool host_turn_send(struct host_turn *t, json_t *message)
{
	json_auto_t *own = message;

	return own && !t->is_over && channel_send(t->worker.channel, own);
}

/* --- what a worker says --- */

static bool malformed(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s", why);
}

static bool on_say(struct host_turn *t, const struct assistant_fields *f,
		   enum assistant_code *ret_limit, struct error *err)
{
	(void)err;
	t->text_bytes += (int64_t)strlen(f->text);
	t->pieces++;
	t->answers += f->final;
	if (t->text_bytes > t->host->o.settings->turn.text_bytes ||
	    t->pieces > HOST_PIECES_MAX || t->answers > HOST_ANSWERS_MAX)
		*ret_limit = ASSISTANT_LIMIT_TEXT;
	else
		t->hooks.say(t->context, f->text, f->final);
	return true;
}

static bool on_propose(struct host_turn *t, const struct assistant_fields *f,
		       enum assistant_code *ret_limit, struct error *err)
{
	(void)ret_limit;
	if (f->proposal != t->proposals + 1)
		return malformed(err, "proposals are counted from 1");
	if (f->proposal > t->host->o.settings->turn.proposals)
		return malformed(err, "it proposes more than it may");
	t->proposals++;
	t->open_proposals |= bit(f->proposal);
	t->hooks.propose(t->context, f->proposal, f->calls, f->together);
	return true;
}

static bool on_read(struct host_turn *t, const struct assistant_fields *f,
		    enum assistant_code *ret_limit, struct error *err)
{
	(void)ret_limit;
	if (f->read != t->reads + 1)
		return malformed(err, "reads are counted from 1");
	if (f->read > t->host->o.settings->turn.reads)
		return malformed(err, "it reads more than it may");
	t->reads++;
	t->open_reads |= bit(f->read);
	t->hooks.read(t->context, f->read, f->uri, f->read_template, f->values);
	return true;
}

static bool on_request(struct host_turn *t, const struct assistant_fields *f,
		       enum assistant_code *ret_limit, struct error *err)
{
	enum assistant_code code;
	json_t *ended;

	(void)ret_limit;
	if (t->has_request || f->request != t->requests + 1)
		return malformed(err, "one request after the other, counted from 1");
	if (++t->requests > t->host->o.settings->turn.requests)
		return malformed(err, "it asks the model more often than it may");
	if (host_egress_ask(t->host, t, f, &code))
		return true;
	ended = json_pack("{s:s, s:I, s:s}", "m", "ended", "request",
			  (json_int_t)f->request, "code", assistant_code_name(code));
	return host_turn_send(t, ended) || malformed(err, "it takes no message");
}

/* What the worker says was used beyond what the bytes must have cost. */
static void book_usage(struct host_turn *t, const struct assistant_usage *u)
{
	int64_t more = budget_cost(u, 0, 0) - t->booked;

	if (more > 0)
		host_budget_book(t->host, t->person, NULL, more);
}

/* False: malformed. After true the turn may be gone. */
static bool take(struct host_turn *t, const struct assistant_fields *f,
		 enum assistant_code *ret_limit, struct error *err)
{
	if (f->m == ASSISTANT_READY) {
		if (t->is_ready)
			return malformed(err, "it is ready twice");
		t->is_ready = true;
		if (t->is_stopping)
			return true;
		return host_turn_send(t, TAKE(t->message)) ||
		       malformed(err, "it takes no turn");
	}
	if (!t->is_ready)
		return malformed(err, "it speaks before it is ready");
	/* Sent before it heard, or by one that does not want to hear. */
	if (t->is_stopping && f->m != ASSISTANT_DONE && f->m != ASSISTANT_FAILED)
		return true;
	switch (f->m) {
	case ASSISTANT_SAY:
		return on_say(t, f, ret_limit, err);
	case ASSISTANT_PROPOSE:
		return on_propose(t, f, ret_limit, err);
	case ASSISTANT_READ:
		return on_read(t, f, ret_limit, err);
	case ASSISTANT_REQUEST:
		return on_request(t, f, ret_limit, err);
	case ASSISTANT_DONE:
		book_usage(t, &f->usage);
		host_turn_over(t, t->is_stopping ? ASSISTANT_STOPPED : ASSISTANT_OK,
			       f->why);
		return true;
	case ASSISTANT_FAILED:
		book_usage(t, &f->usage);
		host_turn_over(t,
			       t->is_stopping ? ASSISTANT_STOPPED
					      : assistant_code_find(f->code),
			       NULL);
		return true;
	default:
		return malformed(err, "a message that is not for this side");
	}
}

static void on_message(void *context, struct channel *ch, json_t *message)
{
	struct host_turn *t = context;
	struct assistant_fields f;
	struct error err = ERROR_INIT;
	enum assistant_code limit = ASSISTANT_OK;

	(void)ch;
	if (!assistant_fields_decode(ASSISTANT_AT_SURFACE_OF_WORKER, message, &f, &err) ||
	    !take(t, &f, &limit, &err)) {
		log_warn("assistant.malformed", LOG_STR("why", err.message));
		host_turn_over(t, ASSISTANT_FAULT, NULL);
	} else if (limit != ASSISTANT_OK) {
		host_turn_over(t, limit, NULL);
	}
}

static void on_closed(void *context, struct channel *ch, const struct error *err)
{
	struct host_turn *t = context;

	(void)ch;
	log_warn("assistant.worker_fell", LOG_STR("why", err->message));
	host_turn_over(t, t->is_stopping ? ASSISTANT_STOPPED : ASSISTANT_FAULT, NULL);
}

static void on_late(void *context)
{
	struct host_turn *t = context;

	t->timer = NULL; /* gone by itself */
	host_turn_over(t, ASSISTANT_LIMIT_TIME, NULL);
}

/* --- beginning and ending --- */

static bool begin(struct host_turn *t, struct error *err)
{
	const struct host_options *o = &t->host->o;
	const char *const argv[] = { o->worker, NULL };
	char *const env[] = { NULL };
	const struct child_start s = {
		.argv = argv,
		.env = env,
		.log_path = o->log_path,
		.receive = on_message,
		.closed = on_closed,
		.context = t,
	};
	json_auto_t *hello = assistant_begin_json(o->settings);

	if (!hello)
		return error_oom(err);
	t->timer = loop_add_timer(o->loop,
				  o->settings->turn.seconds * 1000 + HOST_GRACE_MS, false,
				  on_late, t, err);
	if (!t->timer || !host_begin_program(t->host, true, &t->worker, &s, err))
		return false;
	return channel_send(t->worker.channel, hello) ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "the assistant's worker takes no message");
}

struct host_turn *host_turn_new(struct host *h, const char *person, json_t *turn,
				const struct host_hooks *hooks, void *context,
				struct error *err)
{
	struct host_turn *t = NULL;

	if (h->turn_count >= HOST_TURNS_MAX)
		error_set(err, ERR_RATE_LIMITED,
			  "%d conversations wait for the model already", HOST_TURNS_MAX);
	else if (!turn || !(t = calloc(1, sizeof *t)))
		error_oom(err);
	if (!t) {
		json_decref(turn);
		return NULL;
	}
	t->host = h;
	t->message = turn;
	t->hooks = *hooks;
	t->context = context;
	(void)snprintf(t->person, sizeof t->person, "%s", person);
	t->next = h->turns;
	h->turns = t;
	h->turn_count++;
	if (begin(t, err))
		return t;
	host_turn_free(t);
	return NULL;
}

void host_turn_free(struct host_turn *t)
{
	if (!t)
		return;
	for (struct host_turn **at = &t->host->turns; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	t->host->turn_count--;
	host_egress_drop(t->host, t);
	child_end(&t->worker);
	loop_remove(t->timer);
	json_decref(t->message);
	free(t);
}

/* --- answering it --- */

void host_turn_result(struct host_turn *t, int64_t proposal, json_t *results)
{
	json_t *message;

	if (proposal < 1 || proposal > t->proposals ||
	    !(t->open_proposals & bit(proposal))) {
		json_decref(results);
		return;
	}
	t->open_proposals &= ~bit(proposal);
	message = json_pack("{s:s, s:I, s:o}", "m", "result", "proposal",
			    (json_int_t)proposal, "results", results);
	(void)host_turn_send(t, message);
}

void host_turn_content(struct host_turn *t, int64_t read, const char *label,
		       const char *text, bool is_cut, const char *code)
{
	json_t *message;

	if (read < 1 || read > t->reads || !(t->open_reads & bit(read)))
		return;
	t->open_reads &= ~bit(read);
	message = text ? json_pack("{s:s, s:I, s:s, s:s}", "m", "content", "read",
				   (json_int_t)read, "label", label, "text", text)
		       : json_pack("{s:s, s:I, s:s}", "m", "content", "read",
				   (json_int_t)read, "code", code);
	if (message && text && is_cut)
		(void)json_object_set_new(message, "cut", json_true());
	(void)host_turn_send(t, message);
}

static void on_not_stopped(void *context)
{
	struct host_turn *t = context;

	t->timer = NULL; /* gone by itself */
	host_turn_over(t, ASSISTANT_STOPPED, NULL);
}

void host_turn_stop(struct host_turn *t)
{
	struct error err = ERROR_INIT;
	struct loop_source *timer;

	if (t->is_stopping || t->is_over)
		return;
	t->is_stopping = true;
	host_egress_drop(t->host, t);
	timer = loop_add_timer(t->host->o.loop, HOST_STOP_MS, false, on_not_stopped, t,
			       &err);
	if (timer) {
		loop_remove(t->timer);
		t->timer = timer;
	}
	(void)host_turn_send(t, json_pack("{s:s}", "m", "stop"));
}
