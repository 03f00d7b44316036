#include "link/coordination/redis_private.h"

#include <errno.h>

#include "base/clock.h"

enum { HEADER_PARTS = 4, ARGUMENTS = 8, KEYS = 3, TRIES = 2 };

/* How one try went. */
enum outcome {
	DONE,
	FAILED,    /* and nothing was done */
	ELSEWHERE, /* the same: this is not, or no longer, the one that writes */
	LOST,      /* the connection, and with it the answer */
	NO_SCRIPT,
	NOT_KEPT, /* done, but it may be forgotten */
};

struct
try {
	struct coord_redis *c;
	struct redis_step *step;
	struct redis_slot *slot;
	int64_t deadline_ms;
	bool with_text; /* of the script */
};

void redis_step_done(struct redis_step *s)
{
	if (s->reply)
		freeReplyObject(TAKE(s->reply));
}

/* ---- Asking ---------------------------------------------------------------------- */

static const char *text(const char *t)
{
	return t ? t : "";
}

static bool add_script(const struct try *t, struct error *err)
{
	const struct redis_step *s = t->step;
	char seen[24], shown[24], number[24];
	struct redis_command command = {
		.count = 3 + KEYS + ARGUMENTS,
		.arguments = { t->with_text ? "EVAL" : "EVALSHA",
			       t->with_text ? redis_store_script : t->c->sha, "3",
			       t->c->keys[0], t->c->keys[1], t->c->keys[2], s->verb, seen,
			       shown, text(s->key), number, text(s->value), text(s->more),
			       text(s->last) },
	};

	(void)snprintf(seen, sizeof seen, "%lld",
		       (long long)atomic_load(&t->c->seen_seq));
	(void)snprintf(shown, sizeof shown, "%lld",
		       (long long)atomic_load(&t->c->shown_ms));
	(void)snprintf(number, sizeof number, "%lld", (long long)s->number);
	return redis_link_add(t->slot->link, &command, err);
}

static bool add_wait(const struct try *t, struct error *err)
{
	char left[24];
	const struct redis_command wait = { 4, { "WAITAOF", "1", "0", left } };
	/* Half, so that there is time to hear that it is not there yet, and why. */
	int64_t left_ms = (t->deadline_ms - clock_mono_ms()) / 2;

	/* 0 would be for ever. */
	(void)snprintf(left, sizeof left, "%lld", (long long)(left_ms > 1 ? left_ms : 1));
	return redis_link_add(t->slot->link, &wait, err);
}

static bool ask(const struct try *t, struct error *err)
{
	return add_script(t, err) &&
	       (!t->step->is_write ||
		((!t->slot->fitness.has_waitaof || add_wait(t, err)) &&
		 redis_fitness_ask(t->slot->link, &t->slot->fitness, err)));
}

/* ---- Hearing --------------------------------------------------------------------- */

static bool begins(const char *message, const char *word)
{
	return strncmp(message, word, strlen(word)) == 0;
}

static enum outcome hear_refusal(const struct try *t, const char *message,
				 struct error *err)
{
	if (begins(message, "NOSCRIPT"))
		return NO_SCRIPT;
	redis_fail(t->c->access, err, "refuses: %.160s", message);
	return begins(message, "WINGMAN") || begins(message, "READONLY") ? ELSEWHERE
									 : FAILED;
}

static bool parse_number(const redisReply *r, int64_t *ret)
{
	char *end = NULL;

	if (r->type == REDIS_REPLY_INTEGER) {
		*ret = r->integer;
		return true;
	}
	if (r->type != REDIS_REPLY_STRING || r->len == 0)
		return false;
	errno = 0;
	*ret = strtoll(r->str, &end, 10);
	return errno == 0 && *end == '\0';
}

static void raise_to(_Atomic int64_t *at_least, int64_t value)
{
	int64_t now = atomic_load(at_least);

	while (now < value && !atomic_compare_exchange_weak(at_least, &now, value))
		;
}

static bool read_header(const struct try *t)
{
	struct redis_step *s = t->step;
	int64_t seq;

	if (s->reply->type != REDIS_REPLY_ARRAY || s->reply->elements < HEADER_PARTS ||
	    !parse_number(s->reply->element[0], &seq) ||
	    !parse_number(s->reply->element[1], &s->now_ms) ||
	    !parse_number(s->reply->element[2], &s->epoch_ms) ||
	    !parse_number(s->reply->element[3], &s->wall_ms))
		return false;
	raise_to(&t->c->seen_seq, seq);
	raise_to(&t->c->shown_ms, s->now_ms);
	return true;
}

static bool judge_wait(const struct try *t, const redisReply *r, struct error *err)
{
	int64_t here = 0;

	if (r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
	    parse_number(r->element[0], &here) && here >= 1)
		return true;
	return redis_fail(t->c->access, err, "did not write to its disk in time");
}

/* Every answer is read, whatever the first one says: they belong together. */
static enum outcome hear(const struct try *t, struct error *err)
{
	struct redis_link *l = t->slot->link;
	_cleanup_reply_ redisReply *wait = NULL;
	struct error unkept = ERROR_INIT;
	bool is_unfit = false, is_kept = true;

	if (!redis_link_receive(l, t->deadline_ms, &t->step->reply, err))
		return LOST;
	if (t->step->is_write) {
		if (t->slot->fitness.has_waitaof &&
		    !redis_link_receive(l, t->deadline_ms, &wait, err))
			return LOST;
		/* What is wrong with its configuration says more than that WAITAOF failed. */
		is_kept = redis_fitness_hear(l, t->c->access, &t->slot->fitness,
					     t->deadline_ms, &is_unfit, &unkept);
		if (!is_kept && !is_unfit) {
			error_set(err, unkept.code, "%s", unkept.message);
			return LOST;
		}
		is_kept = is_kept && (!wait || judge_wait(t, wait, &unkept));
	}
	if (t->step->reply->type == REDIS_REPLY_ERROR)
		return hear_refusal(t, t->step->reply->str, err);
	if (!is_kept) {
		error_set(err, unkept.code, "%s", unkept.message);
		if (*unkept.hint)
			error_hint(err, "%s", unkept.hint);
		return NOT_KEPT;
	}
	if (read_header(t))
		return DONE;
	redis_fail(t->c->access, err, "gives an odd answer");
	return LOST;
}

/* ---- Trying ---------------------------------------------------------------------- */

static enum outcome try_once(struct try *t, struct error *err)
{
	enum outcome outcome = NO_SCRIPT;

	t->slot = redis_pool_take(&t->c->pool, t->deadline_ms, err);
	if (!t->slot)
		return FAILED;
	for (t->with_text = false; outcome == NO_SCRIPT; t->with_text = true) {
		redis_step_done(t->step);
		if (!ask(t, err)) {
			outcome = FAILED;
			break;
		}
		outcome = redis_link_send(t->slot->link, t->deadline_ms, err)
				  ? hear(t, err)
				  : LOST;
		if (outcome == NO_SCRIPT && t->with_text) {
			redis_fail(t->c->access, err, "has no place for scripts");
			outcome = FAILED;
		}
	}
	/* After any failure the next call looks afresh who is there, and how fit. */
	redis_pool_give(&t->c->pool, t->slot, outcome != DONE);
	return outcome;
}

bool redis_step_run(struct coord_redis *c, struct redis_step *s, struct error *err)
{
	struct try t = { .c = c,
			 .step = s,
			 .deadline_ms = clock_mono_ms() + c->access->timeout_ms };
	struct error own = ERROR_INIT;

	for (int i = 0; i < TRIES; i++) {
		struct error why = ERROR_INIT;
		enum outcome outcome = try_once(&t, &why);

		if (outcome == DONE) {
			s->is_unknown = false;
			return true;
		}
		redis_step_done(s);
		if (s->is_write && (outcome == LOST || outcome == NOT_KEPT))
			s->is_unknown = true;
		/* What was heard first says most. */
		if (!error_is_set(&own))
			own = why;
		if (outcome != ELSEWHERE && !(outcome == LOST && s->may_repeat))
			break;
	}
	error_set(err, own.code, "%s%s", own.message,
		  s->is_unknown ? "; whether it was written is unknown" : "");
	if (*own.hint)
		error_hint(err, "%s", own.hint);
	return false;
}

/* ---- What the verb gave ---------------------------------------------------------- */

size_t redis_step_parts(const struct redis_step *s)
{
	return s->reply->elements - HEADER_PARTS;
}

static const redisReply *part(const struct redis_step *s, size_t i)
{
	return i < redis_step_parts(s) ? s->reply->element[HEADER_PARTS + i] : NULL;
}

bool redis_step_number(const struct coord_redis *c, const struct redis_step *s, size_t i,
		       int64_t *ret, struct error *err)
{
	const redisReply *r = part(s, i);

	return (r && parse_number(r, ret)) ||
	       redis_fail(c->access, err, "gives an odd answer");
}

/* Somebody else may have put there what is no text of ours. */
bool redis_step_text(const struct coord_redis *c, const struct redis_step *s, size_t i,
		     char **ret, struct error *err)
{
	const redisReply *r = part(s, i);

	if (!r || r->type != REDIS_REPLY_STRING || strlen(r->str) != (size_t)r->len)
		return redis_fail(c->access, err, "gives an odd answer");
	*ret = strdup(r->str);
	return *ret || error_oom(err);
}
