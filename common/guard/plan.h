/*
 * plan -- what a call would do, said before it may: a pure function of its
 * arguments, the backend's state and 'planned_at'.
 *
 *   {v:1, summary, effects:[{system, target, from, to, reversible}], warnings:[…],
 *    notes:{argument: text}?, requires:{approvers, why}?, state_digest, data?,
 *    assumes:[{call, effect}]?}
 *
 * 'effects' is what the person approves; 'target' names one concrete thing by its
 * identifiers; 'notes' says beside an argument what it resolved to ("John Doe,
 * uid=john.doe,…"); 'state_digest' is over the backend state the plan rests on, so
 * that a change in between is seen even where no effect shows it; 'data' is for
 * the run function (identifiers it must act on); it is shown with the effects'
 * details and digested like the rest; 'assumes' names, for one of several calls in one
 * decision, the effects of earlier ones (by call from 1 and effect from 0) that the plan
 * counts on: it is shown, and left out of the digest, because by the time the call starts
 * they are the state itself. No NULs, no floats; at most PLAN_MAX bytes
 * canonically. The digest of a plan is that of its canonical bytes.
 */
#ifndef GUARD_PLAN_H
#define GUARD_PLAN_H

#include "base/canonical.h"

enum {
	PLAN_MAX = 64 * 1024,
	PLAN_EFFECTS_MAX = 64,
	PLAN_WARNINGS_MAX = 32,
	PLAN_NOTES_MAX = 64,
	PLAN_ASSUMES_MAX = 64,
	PLAN_TEXT_MAX = 2000,   /* bytes of any one text */
	PLAN_APPROVERS_MAX = 8, /* what a grant can carry */
};

struct plan;

struct plan *plan_new(void) _must_use_;
void plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan, plan_free);

/* Building; texts are copied. A failure (memory, limits, no UTF-8) is remembered
 * and reported by plan_finish, so that builders read as a list. */
void plan_summary(struct plan *p, const char *format, ...) _printf_(2, 3);
void plan_effect(struct plan *p, const char *system, const char *target, const char *from,
		 const char *to, bool reversible);
void plan_warning(struct plan *p, const char *format, ...) _printf_(2, 3);
void plan_note(struct plan *p, const char *argument, const char *format, ...)
	_printf_(3, 4);
void plan_requires(struct plan *p, int64_t approvers, const char *why);
/* It counts on that effect of an earlier call; see mcp_call_assume. */
void plan_assumes(struct plan *p, int64_t call, int64_t effect);
/* What the plan rests on: any JSON; digested. Steals 'state'. */
void plan_state(struct plan *p, json_t *state);
/* That state is only this store's: elsewhere the same plan has another digest. */
bool plan_bind(struct plan *p, const char *store, struct error *err);
/* What run needs, an object. Steals 'data'. */
void plan_data(struct plan *p, json_t *data);

/* Complete and within limits? Needs a summary, a state, and at least one effect or warning. */
bool plan_finish(struct plan *p, struct error *err);
/* A plan that came in a message: checked for shape and limits. Does not steal. */
struct plan *plan_read(const json_t *json, struct error *err) _must_use_;

/* Borrowed; after plan_finish or plan_read. */
json_t *plan_json(const struct plan *p);
json_t *plan_get_data(const struct plan *p);
const char *plan_digest(const struct plan *p);
/* Least number of approvers that the server asks for: 1 without 'requires'. */
int64_t plan_approvers(const struct plan *p);
/* Whether every effect is reversible. */
bool plan_is_reversible(const struct plan *p);

#endif
