/*
 * Questions of a function to the client of a session: each is a request of ours, on the
 * stream of the client's own request. Meanwhile that one has no thread. When all are
 * answered it runs again from its beginning, with the answers, as in the modern era.
 */
#include "mcp/serving.h"
#include "mcp/session_private.h"

#include "base/clock.h"

struct asked {
	struct strbuf text[ASK_KEYS_MAX]; /* messages */
	size_t count;
	json_t *keys; /* {id: key} */
};

static void asked_done(struct asked *a)
{
	for (size_t i = 0; i < a->count; i++)
		strbuf_done(&a->text[i]);
	json_decref(a->keys);
}

void legacy_fail(struct exchange *x, const struct error *err)
{
	if (x->tool)
		tools_finish_error(x, err);
	else
		context_refuse(x, err, NULL);
}

void legacy_refuse_missing(struct exchange *x, json_t *missing)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	struct error err = ERROR_INIT;
	const char *name;
	json_t *value;

	json_object_foreach(missing, name, value)
		strbuf_add_format(&names, "%s%s", names.length ? ", " : "", name);
	error_set(&err, ERR_PRECONDITION_FAILED,
		  "the client did not declare a capability that this needs: %s",
		  names.data);
	json_decref(missing);
	legacy_fail(x, &err);
}

/* ---- Asking ---- */

static bool add(struct asked *a, const struct exchange *x, const char *key,
		const json_t *request, int64_t number, struct error *err)
{
	json_auto_t *fit = legacy_question(x->revision, request);
	struct strbuf *text = &a->text[a->count++];
	char id[32];

	strbuf_init(text);
	if (!fit)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "it asks what clients of this revision of MCP cannot be "
				 "asked");
	(void)snprintf(id, sizeof id, "q%lld", (long long)number);
	if (json_object_set_new(a->keys, id, json_string(key)) != 0 ||
	    json_object_set_new(fit, "jsonrpc", json_string("2.0")) != 0 ||
	    json_object_set_new(fit, "id", json_string(id)) != 0)
		return error_oom(err);
	return json_write(text, fit, err) && (strbuf_ok(text) || error_oom(err));
}

static bool make(struct asked *a, const struct exchange *x, json_t *questions,
		 struct error *err)
{
	size_t count = json_object_size(questions);
	const char *key;
	json_t *request;

	a->keys = json_object();
	if (!a->keys)
		return error_oom(err);
	session_lock(x->session);
	int64_t number = x->session->last_question;
	x->session->last_question += (int64_t)count;
	session_unlock(x->session);
	json_object_foreach(questions, key, request)
	{
		if (a->count == ASK_KEYS_MAX)
			return error_set(err, ERR_INTERNAL, "it asks too much at once");
		if (!add(a, x, key, request, ++number, err))
			return false;
	}
	return true;
}

/* What has to give way goes into 'ret_given_up'. */
static bool may_wait(struct session *s, const struct asked *a,
		     struct legacy_waits *ret_given_up, struct error *err)
{
	if (s->has_ended || s->all->is_closed)
		return error_set(err, ERR_TIMEOUT, "the session has ended");
	if (s->question_count + a->count > SESSION_QUESTIONS_MAX)
		return error_set(err, ERR_RATE_LIMITED,
				 "this client has too many questions to answer already");
	return legacy_waits_have_room(s, ret_given_up, err);
}

/* Under the lock. The exchange is not ours any more when this returns true and the lock
 * is given up: an answer may come at once. */
static bool wait_for(struct exchange *x, struct asked *a,
		     struct legacy_waits *ret_given_up, struct error *err)
{
	struct session *s = x->session;
	struct legacy_wait *w = &x->wait;
	struct outlet *outlet = legacy_outlet(x) ?: &s->standing;
	bool good = true;

	if (!may_wait(s, a, ret_given_up, err))
		return false;
	json_decref(w->keys);
	json_decref(w->answers);
	*w = (struct legacy_wait){ .x = x,
				   .answers = json_object(),
				   .bytes = w->bytes,
				   .until_ms = clock_mono_ms() + LEGACY_ANSWER_MS };
	w->keys = TAKE(a->keys);
	s->question_count += a->count;
	LIST_INSERT_HEAD(&s->waits, w, entry);
	for (size_t i = 0; good && i < a->count; i++)
		good = session_say_locked(s, outlet, OUTLET_WEIGHTY, a->text[i].data,
					  a->text[i].length);
	if (good && w->answers)
		return true;
	legacy_wait_take(s, w);
	return error_set(err, ERR_INTERNAL, "its questions could not be sent");
}

/* False: still ours, with the reason, or without one if it was cancelled. Steals
 * 'questions', which the exchange has as well: no thread touches them behind its back. */
static bool ask(struct exchange *x, json_t *questions, struct error *err)
{
	struct asked asked = { 0 };
	struct session *s = x->session;
	bool good = make(&asked, x, questions, err);
	struct legacy_waits given_up;

	LIST_INIT(&given_up);
	json_decref(questions);
	if (good) {
		session_lock(s);
		good = !atomic_load(&x->is_cancelled) &&
		       wait_for(x, &asked, &given_up, err);
		session_unlock(s);
	}
	asked_done(&asked);
	legacy_waits_fail(&given_up, "the client has left and asks for other things");
	return good;
}

/* Who waits for a person is no call of its client meanwhile. */
static void leave(struct exchange *x)
{
	if (x->is_entered)
		callers_leave(&x->service->callers, x->caller.client);
	x->is_entered = false;
}

void legacy_ask(struct exchange *x, struct mcp_result *r)
{
	json_t *questions = TAKE(r->input_requests);
	struct error err = ERROR_INIT;

	mcp_result_done(r);
	atomic_fetch_add(&x->service->metrics.input_required, 1);
	if (x->rounds++ >= LEGACY_ROUNDS_MAX)
		error_set(&err, ERR_PRECONDITION_FAILED,
			  "it was asked %d times and did not get what it needs",
			  LEGACY_ROUNDS_MAX);
	else if (!legacy_open(x))
		error_set(&err, ERR_PRECONDITION_FAILED,
			  "there is no stream on which the client could be asked");
	if (!error_is_set(&err)) {
		leave(x);
		if (ask(x, TAKE(questions), &err))
			return;
	}
	json_decref(questions);
	legacy_wait_withdraw(x, "the others could not be sent"); /* if any was */
	if (error_is_set(&err))
		legacy_fail(x, &err);
	else
		exchange_send(x, 200, NULL, NULL);
}

/* ---- Answers ---- */

static struct legacy_wait *find(struct session *s, const char *id)
{
	struct legacy_wait *w;

	LIST_FOREACH(w, &s->waits, entry)
	{
		if (json_object_get(w->keys, id))
			return w;
	}
	return NULL;
}

enum taken { TAKEN_ONE, TAKEN_LAST, TAKEN_ERROR, TAKEN_TOO_LONG };

static const char *const refusals[] = {
	[TAKEN_ERROR] = "the client answered with an error",
	[TAKEN_TOO_LONG] = "the client's answers are too long",
};

/* What came under 'id'; steals 'result', NULL: an error. */
static enum taken take_answer(struct session *s, struct legacy_wait *w, const char *id,
			      json_t *result, size_t bytes)
{
	size_t bytes_max = (size_t)w->x->service->config.body_bytes;
	bool is_error = !result;

	w->bytes += bytes;
	/* Without memory it is as if it did not fit: the function asks again. */
	(void)json_object_set_new_nocheck(w->answers, json_get_string(w->keys, id),
					  result);
	(void)json_object_del(w->keys, id);
	s->question_count--;
	if (is_error)
		return TAKEN_ERROR;
	/* No more than the answers of one request in the modern era. */
	if (w->bytes > bytes_max)
		return TAKEN_TOO_LONG;
	return json_object_size(w->keys) == 0 ? TAKEN_LAST : TAKEN_ONE;
}

static void go_on(struct exchange *x)
{
	json_decref(x->responses);
	x->responses = TAKE(x->wait.answers);
	dispatch_again(x);
}

void legacy_answer(struct session *s, const struct jsonrpc_message *m)
{
	const char *id = json_string_value(m->id);
	enum taken taken = TAKEN_ONE;
	struct legacy_waits waits;

	LIST_INIT(&waits);
	if (!id)
		return;
	/* A copy: the message stays with its own exchange. */
	json_auto_t *result = json_deep_copy(m->result);
	size_t bytes = json_dumpb(result, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
	session_lock(s);
	struct legacy_wait *w = find(s, id);
	if (w) {
		taken = take_answer(s, w, id, TAKE(result), bytes);
		if (taken != TAKEN_ONE)
			legacy_waits_take_one(w->x, &waits);
	}
	session_unlock(s);
	if (taken == TAKEN_LAST)
		go_on(LIST_FIRST(&waits)->x);
	else if (taken != TAKEN_ONE)
		legacy_waits_fail(&waits, refusals[taken]);
}
