#include "base/clock.h"
#include "mcp/client/client_private.h"

enum {
	POLL_MS = 1000, /* where the server does not say */
	POLL_MIN_MS = 50,
	POLL_MAX_MS = 60 * 1000,
	STEP_MS = 20,
	CANCEL_MS = 5000,
	FAILURES_MAX = 10, /* in a row, of a server that restarts */
	ID_MAX = 1024,
	QUESTIONS_MAX = 64, /* of one task, in all */
};

struct waiting {
	struct mcp_client *c;
	const char *id;
	const atomic_bool *cancel;
	int64_t until_ms; /* clock_mono_ms */
	int64_t poll_ms;
	json_t *answered; /* keys of questions that were answered */
	char status[24];  /* of the last answer */
	unsigned failures;
};

bool client_is_task(const json_t *result)
{
	const char *type = json_get_string(result, "resultType");

	return type && strcmp(type, "task") == 0;
}

/* ---- The three methods ---- */

/* 'more' are members behind taskId, each with a comma before; NULL: none. */
static json_t *ask(struct mcp_client *c, const char *method, const char *id,
		   const struct strbuf *more, int64_t *until_ms,
		   const atomic_bool *cancel, struct error *err)
{
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT(method);
	json_t *result;

	r.name = id;
	r.until_ms = *until_ms;
	r.cancel = cancel;
	client_request_text(&r.params, "taskId", id);
	if (more)
		strbuf_add(&r.params, more->data, more->length);
	result = client_send(c, &r, err);
	*until_ms = r.until_ms; /* a person may have been asked for a token */
	if (!result && r.code == JSONRPC_INVALID_PARAMS) {
		error_clear(err);
		error_set(err, ERR_UNKNOWN_OUTCOME,
			  "the server does not know the task any more");
	}
	return result;
}

bool mcp_client_cancel_task(struct mcp_client *c, const char *id, int64_t timeout_ms,
			    struct error *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	json_auto_t *told = ask(c, "tasks/cancel", id, NULL, &until_ms, NULL, err);

	return told != NULL;
}

/* ---- Questions ---- */

/* Each key once, however often it is shown (T-07). */
static bool answer_one(struct waiting *w, const char *key, const json_t *question,
		       json_t *answers, struct error *err)
{
	const char *method = json_get_string(question, "method");

	if (!method || json_object_size(w->answered) >= QUESTIONS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the task asks what is no question, or without end");
	json_t *answer =
		client_answer(w->c, method, json_object_get(question, "params"), err);
	if (!answer)
		return false;
	return (json_object_set_new(answers, key, answer) == 0 &&
		json_object_set_new(w->answered, key, json_true()) == 0) ||
	       error_oom(err);
}

static bool answer(struct waiting *w, json_t *task, struct error *err)
{
	json_t *questions = json_object_get(task, "inputRequests");
	_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;
	json_auto_t *answers = json_object();
	const char *key;
	const json_t *question;

	json_object_foreach(questions, key, question)
	{
		if (!json_object_get(w->answered, key) &&
		    !answer_one(w, key, question, answers, err))
			return false;
	}
	if (json_object_size(answers) == 0)
		return true;
	strbuf_add_string(&more, ",\"inputResponses\":");
	if (!json_write(&more, answers, err))
		return false;
	json_auto_t *taken =
		ask(w->c, "tasks/update", w->id, &more, &w->until_ms, w->cancel, err);
	return taken != NULL;
}

/* ---- Waiting ---- */

static bool is_given_up(const struct waiting *w)
{
	return (w->cancel && atomic_load(w->cancel)) || clock_mono_ms() >= w->until_ms;
}

static void rest(const struct waiting *w)
{
	const int64_t until_ms = clock_mono_ms() + w->poll_ms;

	while (clock_mono_ms() < until_ms && !is_given_up(w))
		(void)usleep(STEP_MS * 1000);
}

/* What is new about it: told to who wants to know. */
static bool note(struct waiting *w, const json_t *task, struct error *err)
{
	const char *id = json_get_string(task, "taskId");
	const char *status = json_get_string(task, "status");
	int64_t poll_ms = json_get_int64(task, "pollIntervalMs", POLL_MS);

	if (!id || strcmp(id, w->id) != 0 || !status)
		return error_set(err, ERR_UNKNOWN_OUTCOME,
				 "the server speaks of another task");
	w->poll_ms = poll_ms < POLL_MIN_MS   ? POLL_MIN_MS
		     : poll_ms > POLL_MAX_MS ? POLL_MAX_MS
					     : poll_ms;
	if (strcmp(w->status, status) != 0 && w->c->hooks.task)
		w->c->hooks.task(w->c->hooks.context, task);
	(void)snprintf(w->status, sizeof w->status, "%s", status);
	return true;
}

static json_t *take_result(const json_t *task, struct error *err)
{
	json_t *result = json_object_get(task, "result");
	const char *type = json_get_string(result, "resultType");

	if (json_is_object(result) && (!type || strcmp(type, "complete") == 0))
		return json_incref(result);
	error_set(err, ERR_UNKNOWN_OUTCOME, "the task completed without a result");
	return NULL;
}

enum seen { SEEN_GOING_ON, SEEN_OVER, SEEN_BAD };

/* '*ret' when it is over and good. */
static enum seen judge(struct waiting *w, json_t *task, json_t **ret, struct error *err)
{
	if (!note(w, task, err))
		return SEEN_BAD;
	if (strcmp(w->status, "working") == 0)
		return SEEN_GOING_ON;
	if (strcmp(w->status, "input_required") == 0)
		return answer(w, task, err) ? SEEN_GOING_ON : SEEN_BAD;
	if (strcmp(w->status, "completed") == 0)
		*ret = take_result(task, err);
	else if (strcmp(w->status, "failed") == 0)
		client_say_error(json_object_get(task, "error"), 0, err);
	else if (strcmp(w->status, "cancelled") == 0)
		error_set(err, ERR_UNKNOWN_OUTCOME,
			  "the task was cancelled before its end");
	else
		error_set(err, ERR_UNKNOWN_OUTCOME, "the task's status is not known");
	return SEEN_OVER;
}

/* Whether asking again may help: nothing is lost by that. */
static bool is_passing(struct waiting *w, const struct error *err)
{
	return (err->code == ERR_BACKEND_UNAVAILABLE || err->code == ERR_TIMEOUT ||
		(err->code == ERR_UNKNOWN_OUTCOME && *err->cause)) &&
	       ++w->failures < FAILURES_MAX && !is_given_up(w);
}

/* It goes on there, with nobody who wants to know. */
static void give_up(struct waiting *w, struct error *err)
{
	struct error ignored = ERROR_INIT;

	(void)mcp_client_cancel_task(w->c, w->id, CANCEL_MS, &ignored);
	error_set(err, ERR_TIMEOUT,
		  "the task was given up; how far it came is not known");
}

static json_t *await(struct waiting *w, enum seen seen, struct error *err)
{
	json_t *result = NULL;

	while (seen == SEEN_GOING_ON) {
		rest(w);
		if (is_given_up(w))
			break;
		json_auto_t *task =
			ask(w->c, "tasks/get", w->id, NULL, &w->until_ms, w->cancel, err);
		if (task) {
			w->failures = 0;
			seen = judge(w, task, &result, err);
		} else if (is_passing(w, err)) {
			error_clear(err);
		} else {
			break;
		}
	}
	if (seen == SEEN_BAD || (seen == SEEN_GOING_ON && is_given_up(w)))
		give_up(w, err);
	return result;
}

static json_t *begin(struct waiting *w, const json_t *task, struct error *err)
{
	enum seen seen = SEEN_GOING_ON;
	json_t *result = NULL;

	w->poll_ms = POLL_MIN_MS; /* unless it tells */
	w->answered = json_object();
	if (!w->answered) {
		error_oom(err);
		seen = SEEN_BAD;
	} else if (task && !note(w, task, err)) {
		seen = SEEN_BAD;
	}
	result = await(w, seen, err);
	json_decref(w->answered);
	return result;
}

json_t *client_await_task(struct mcp_client *c, const json_t *task, int64_t until_ms,
			  const atomic_bool *cancel, struct error *err)
{
	const char *id = json_get_string(task, "taskId");
	struct waiting w = { .c = c, .id = id, .cancel = cancel, .until_ms = until_ms };

	if (!id || !*id || strlen(id) > ID_MAX) {
		error_set(err, ERR_UNKNOWN_OUTCOME,
			  "the server made a task that has no proper id");
		return NULL;
	}
	return begin(&w, task, err);
}

json_t *mcp_client_await_task(struct mcp_client *c, const char *id, int64_t timeout_ms,
			      const atomic_bool *cancel, struct error *err)
{
	struct waiting w = { .c = c,
			     .id = id,
			     .cancel = cancel,
			     .until_ms = clock_mono_ms() + timeout_ms };

	return begin(&w, NULL, err);
}
