/* What time does: prompts expire, approvals lapse, calls are sent again or given up. */
#include "gate/keeper.h"

#include "base/clock.h"
#include "gate/keeper_context.h"

static int64_t body_ms(const struct approval *a, const char *member, int64_t fallback)
{
	return json_get_int64(a->body, member, fallback);
}

static void end(struct keeper *k, struct approval *a, enum record_state to,
		const char *why)
{
	struct error err = ERROR_INIT;

	if (!keeper_move(k, a, &(struct move){ .to = to, .by = "gate", .why = why },
			 &err))
		log_failure("approval.stuck", &err);
}

static void check_proposed(struct keeper *k, struct approval *a)
{
	struct error why = ERROR_INIT;

	if (keeper_is_free(a)) {
		if (!keeper_is_direct(a) && k->now_ms >= a->next_ms)
			keeper_claim_free(k, a);
		if (a->ended || a->state != RECORD_PROPOSED)
			return;
		/* A freed read that nobody came for. */
		if (k->now_ms - body_ms(a, "created_at", 0) > KEEPER_OUTCOME_MS)
			end(k, a, RECORD_SUPERSEDED, "nobody came for it");
		return;
	}
	if (a->asked_ms == 0) { /* asked by a process that fell */
		keeper_advance(k, a);
	} else if (k->now_ms - a->asked_ms > KEEPER_PLAN_MS) {
		error_set(&why, ERR_TIMEOUT,
			  "the server did not say in time what the call would do");
		keeper_refuse(k, a, &why, NULL);
	}
}

/* The registering server has the grant: its word, or none, ends it. */
static void check_direct(struct keeper *k, struct approval *a)
{
	int64_t signed_ms =
		json_get_int64(json_object_get(a->body, "grant_claims"), "iat", 0) * 1000;

	/* Asked too when this process is a new one, and does not know how long it waits. */
	if (k->now_ms - signed_ms > KEEPER_OUTCOME_MS)
		keeper_give_up(k, a);
	else if (!a->in_flight && k->stop_by_ms == 0 && k->now_ms >= a->next_ms)
		keeper_send(k, a);
}

static void check_sent(struct keeper *k, struct approval *a)
{
	if (a->in_flight) {
		/* It has left, as far as anybody can tell. */
		if (a->state == RECORD_GRANTED && k->now_ms > a->next_ms) {
			a->unanswered = true;
			end(k, a, RECORD_EXECUTING, NULL);
		}
		return;
	}
	if (a->first_sent_ms > 0 && k->now_ms - a->first_sent_ms >= KEEPER_GIVE_UP_MS)
		keeper_give_up(k, a);
	else if (k->now_ms >= a->next_ms)
		keeper_send(k, a);
}

static void check(struct keeper *k, struct approval *a)
{
	if (keeper_is_bundle(a)) {
		keeper_bundle_step(k, a);
		return;
	}
	/* Its decision moves it, until it has left. */
	if (keeper_is_part(a) && a->state < RECORD_GRANTED)
		return;
	switch (a->state) {
	case RECORD_PROPOSED:
		check_proposed(k, a);
		break;
	case RECORD_PLANNED: /* the prompt could not be posted yet */
		keeper_advance(k, a);
		break;
	case RECORD_PENDING:
		if (k->now_ms >= body_ms(a, "expires_at", 0))
			end(k, a, RECORD_EXPIRED, NULL);
		break;
	case RECORD_APPROVED:
		if (k->now_ms >= body_ms(a, "good_until", 0))
			end(k, a, RECORD_LAPSED, "nobody claimed it in time");
		else if (!keeper_is_direct(a) && k->now_ms >= a->next_ms)
			keeper_claim(k, a);
		break;
	case RECORD_GRANTED:
	case RECORD_EXECUTING:
		keeper_revoke_step(k, a);
		if (keeper_is_own(a) && a->next_ms == 0)
			keeper_own_run(k, a);
		else if (keeper_is_direct(a))
			check_direct(k, a);
		else if (!keeper_is_own(a) && k->stop_by_ms == 0)
			check_sent(k, a);
		break;
	case RECORD_SUCCEEDED:
	case RECORD_FAILED:
	case RECORD_UNKNOWN:
	case RECORD_DENIED:
	case RECORD_EXPIRED:
	case RECORD_SUPERSEDED:
	case RECORD_CANCELLED:
	case RECORD_REVOKED:
	case RECORD_LAPSED:
	case RECORD_REFUSED:
	case RECORD_STATE_COUNT:
		break;
	}
}

static void check_stop(struct keeper *k)
{
	bool busy = false;

	for (const struct approval *a = k->approvals; a; a = a->next)
		busy = busy || (!a->ended && (a->in_flight || a->revoke_in_flight));
	if (!busy || clock_mono_ms() >= k->stop_by_ms)
		loop_stop(k->loop);
}

/* For who may look and ask; decisions read the files themselves. */
static void refresh(struct keeper *k)
{
	struct error err = ERROR_INIT;

	if (k->now_ms - k->policy_read_ms < KEEPER_POLICY_MS)
		return;
	k->policy_read_ms = k->now_ms;
	if (!keeper_refresh_policy(k, &err))
		log_failure("settings.unreadable", &err);
}

void keeper_tick(void *context)
{
	struct keeper *k = context;
	struct error err = ERROR_INIT;

	keeper_door_tick(k);
	if (keeper_is_sound(k, &err)) {
		for (struct approval *a = k->approvals; a; a = a->next)
			if (!a->ended)
				check(k, a);
		keeper_own_tick(k);
		keeper_notices_tick(k);
		keeper_reads_tick(k);
	} else if (k->now_ms - k->unsound_said_ms > 10 * 1000 ||
		   k->unsound_said_ms == 0) {
		k->unsound_said_ms = k->now_ms;
		log_failure("gate.unsound", &err);
	}
	keeper_answer_waiting(k, NULL);
	keeper_sweep(k);
	refresh(k);
	if (k->url[0])
		keeper_ask_definitions(k);
	keeper_probe_surface(k);
	if (k->stop_by_ms > 0)
		check_stop(k);
}
