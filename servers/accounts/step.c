#include "servers/accounts/step.h"

void step_look(const struct step *s, int64_t now_ms, struct step_outcome *ret)
{
	enum facet_seen seen = FACET_SEEN_NOT;

	error_clear(&ret->why);
	if (!s->system->backend->read_back(s->system->self, s->facet, s->identifier,
					   s->id, s->change, now_ms, &seen, &ret->why)) {
		ret->end = STEP_UNKNOWN;
		return;
	}
	switch (seen) {
	case FACET_SEEN_DONE:
		ret->end = STEP_VERIFIED;
		return;
	case FACET_SEEN_PENDING:
		ret->end = STEP_REQUESTED;
		return;
	case FACET_SEEN_BLIND:
		ret->end = STEP_ACCEPTED;
		return;
	case FACET_SEEN_NOT:
		break;
	}
	ret->end = STEP_WAITS;
	error_set(&ret->why, ERR_UNKNOWN_OUTCOME,
		  "reading it back does not show the change");
}

/* True: settled, no need to apply it (again). */
static bool look_first(const struct step *s, int64_t now_ms, struct step_outcome *ret)
{
	if (!s->may_have_happened)
		return false;
	step_look(s, now_ms, ret);
	ret->may_have_happened = ret->end != STEP_WAITS;
	/* Blind: only a yes of before counts. Pending: it is on its way. */
	return ret->end != STEP_WAITS && (ret->end != STEP_ACCEPTED || s->was_accepted);
}

/* It said yes. */
static void read_back(const struct step *s, int64_t now_ms, struct step_outcome *ret)
{
	step_look(s, now_ms, ret);
	if (ret->end == STEP_UNKNOWN || ret->end == STEP_WAITS)
		ret->end = STEP_REQUESTED;
}

static void explain_refusal(const struct step *s, struct error *why)
{
	if (why->code != ERR_CONFLICT && why->code != ERR_NOT_FOUND)
		return;
	error_clear(why);
	error_set(why, ERR_PRECONDITION_FAILED,
		  "'%s' is not as it was when the plan was made; nothing was done",
		  s->identifier);
	error_hint(why, "ask again: the new plan shows how it is now");
}

/* It did not say: only reading tells, and what cannot be read stays unknown. */
static void settle(const struct step *s, int64_t now_ms, struct step_outcome *ret)
{
	const struct error lost = ret->why;
	const bool is_conflict = lost.code == ERR_CONFLICT;

	step_look(s, now_ms, ret);
	if (ret->end == STEP_VERIFIED || ret->end == STEP_REQUESTED)
		return;
	ret->end = is_conflict && ret->end == STEP_WAITS ? STEP_REFUSED : STEP_UNKNOWN;
	ret->why = lost;
	if (ret->end == STEP_REFUSED)
		explain_refusal(s, &ret->why);
}

static enum step_end judge(enum error_code code)
{
	switch (code) {
	case ERR_UNKNOWN_OUTCOME:
		return STEP_UNKNOWN;
	case ERR_RATE_LIMITED:
	case ERR_BACKEND_UNAVAILABLE:
	case ERR_TIMEOUT:
		return STEP_WAITS;
	case ERR_NONE:
	case ERR_INVALID_ARGUMENT:
	case ERR_NOT_FOUND:
	case ERR_AMBIGUOUS:
	case ERR_PERMISSION_DENIED:
	case ERR_PROTECTED:
	case ERR_CONFLICT:
	case ERR_PRECONDITION_FAILED:
	case ERR_APPROVAL_REQUIRED:
	case ERR_APPROVAL_INVALID:
	case ERR_INTERNAL:
	case ERR_CODE_COUNT:
		break;
	}
	return STEP_REFUSED;
}

void step_run(const struct step *s, int64_t now_ms, struct step_outcome *ret)
{
	*ret = (struct step_outcome){ .end = STEP_REFUSED };
	if (look_first(s, now_ms, ret))
		return;
	error_clear(&ret->why);
	if (s->system->backend->apply(s->system->self, s->facet, s->identifier, s->id,
				      s->change, &ret->applied, &ret->why)) {
		read_back(s, now_ms, ret);
		return;
	}
	ret->end = judge(ret->why.code);
	/* A request of before may have arrived late: then it is not as expected, but done. */
	if (ret->end == STEP_UNKNOWN ||
	    (s->may_have_happened && ret->why.code == ERR_CONFLICT))
		settle(s, now_ms, ret);
	else if (ret->end == STEP_REFUSED)
		explain_refusal(s, &ret->why);
}
