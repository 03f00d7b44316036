#include "gate/caller_members.h"

#include "proc/workers.h"

enum { THREADS = 2, QUEUE = 64 };

struct caller_members {
	struct loop *loop;
	struct members *source;
	struct workers *workers;
	void (*tell)(void *context, const json_t *membered);
	void *context;
};

struct question {
	struct caller_members *members;
	json_t *users;     /* the question's own: no other thread counts on it */
	json_t *answer;    /* NULL: no memory */
	char approval[96]; /* "": for the door, and 'request' tells which question */
	int64_t request;
};

static void question_free(struct question *q)
{
	json_decref(q->users);
	json_decref(q->answer);
	free(q);
}

struct caller_members *caller_members_new(struct loop *loop, const struct statedir *dir,
					  const struct settings *settings,
					  void (*tell)(void *context,
						       const json_t *membered),
					  void *context, struct error *err)
{
	_cleanup_free_ struct caller_members *m = calloc(1, sizeof *m);

	if (!m) {
		error_oom(err);
		return NULL;
	}
	*m = (struct caller_members){ .loop = loop, .tell = tell, .context = context };
	m->source = members_open(dir, settings, err);
	return m->source ? TAKE(m) : NULL;
}

bool caller_members_start(struct caller_members *m, struct error *err)
{
	m->workers = workers_new(THREADS, QUEUE, err);
	return m->workers != NULL;
}

/* --- asking --- */

static bool name_question(json_t *answer, const struct question *q)
{
	return q->approval[0]
		       ? json_object_set_new(answer, "approval",
					     json_string(q->approval)) == 0
		       : json_object_set_new(answer, "request",
					     json_integer((json_int_t)q->request)) == 0;
}

static json_t *answer_of(const struct question *q, const json_t *members,
			 const struct error *err)
{
	json_auto_t *answer = json_pack("{s:s}", "m", message_name(MSG_MEMBERED));
	int failed = -1;

	if (answer && name_question(answer, q))
		failed = members ? json_object_set(answer, "users",
						   (json_t *)(uintptr_t)members)
				 : json_object_set_new(answer, "error",
						       fields_error(err, NULL));
	return failed == 0 ? TAKE(answer) : NULL;
}

/* On the loop. Without memory nobody is told, and the keeper asks again. */
static void on_done(void *context)
{
	struct question *q = context;

	if (q->answer)
		q->members->tell(q->members->context, q->answer);
	question_free(q);
}

static void on_worker(void *argument)
{
	struct question *q = argument;
	struct error err = ERROR_INIT;
	json_auto_t *members = json_array();
	bool ok = members && members_look(q->members->source, q->users, members, &err);

	if (!ok && !error_is_set(&err))
		error_oom(&err);
	q->answer = answer_of(q, ok ? members : NULL, &err);
	if (!loop_wake(q->members->loop, on_done, q))
		question_free(q);
}

bool caller_members_ask(struct caller_members *m, const struct fields *question)
{
	struct question *q = calloc(1, sizeof *q);
	struct error err = ERROR_INIT;

	if (!q)
		return false;
	q->members = m;
	q->users = json_deep_copy(question->users);
	q->request = question->request;
	(void)snprintf(q->approval, sizeof q->approval, "%s",
		       question->approval ? question->approval : "");
	if (q->users && workers_submit(m->workers, on_worker, q))
		return true;
	error_set(&err, ERR_RATE_LIMITED, "too many questions for members wait already");
	q->answer = answer_of(q, NULL, &err);
	on_done(q);
	return true;
}
