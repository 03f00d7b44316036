/*
 * kinds -- what the kinds of attacks share; private to kinds.c and clicks.c.
 */
#ifndef TESTS_ATTACKS_KINDS_H
#define TESTS_ATTACKS_KINDS_H

#include "attacks/attack.h"
#include "mcp/definition.h"

/* A call of this tool, any. */
struct meaning attack_meaning(struct attack *a, enum tool t);
/* Set rules under which something can be asked for; who asks. */
unsigned attack_rules(struct attack *a);
/* As it was approved. */
struct presentation attack_good(const struct issue *is);
/* Present it, with the arguments spelled in some way. */
bool attack_spelled(struct attack *a, const struct presentation *p);
/* The model and the code under test do not agree: say so and end. */
_Noreturn void attack_differs(const struct attack *a, const char *what);

enum { TTL_S = 60, READ_MS = 1000 };
void attack_pass_time(int64_t ms);
/* Everybody who may says yes until it is enough. */
void attack_agree(struct attack *a, struct request *r);
/* An approval of this call, asked for under the present rules; 'age_s' old. */
struct issue *attack_issue_of(struct attack *a, const struct meaning *m, size_t instance,
			      unsigned requester, int64_t age_s, int64_t ttl_s);
/* The same of any call of this tool. */
struct issue *attack_issue_aged(struct attack *a, enum tool t, int64_t age_s,
				int64_t ttl_s);
/* One that would be executed, made now or before; and how it is presented. */
struct issue *attack_good_issue(struct attack *a, enum tool t);
struct presentation attack_good_one(struct attack *a, enum tool t);
enum tool attack_tool(struct attack *a);
void attack_must(struct attack *a, bool executed);
void attack_read(struct attack *a, const char *word, struct grant *ret);
/* Another word in the place of the one that was given out. */
void attack_sign_again(struct attack *a, struct issue *is, const struct grant *g);

/* calls.c and plans.c */
void attack_good_call(struct attack *a);
void attack_good_fetched(struct attack *a);
void attack_good_free_read(struct attack *a);
void attack_replay(struct attack *a);
void attack_old_word(struct attack *a);
void attack_replay_for_another(struct attack *a);
void attack_at_once(struct attack *a);
void attack_other_argument(struct attack *a);
void attack_odd_text(struct attack *a);
void attack_other_default(struct attack *a);
void attack_other_number(struct attack *a);
void attack_near_number(struct attack *a);
void attack_twice_named(struct attack *a);
void attack_no_object(struct attack *a);
void attack_other_tool(struct attack *a);
void attack_other_audience(struct attack *a);
void attack_registered_elsewhere(struct attack *a);
void attack_other_principal(struct attack *a);
void attack_without_rights(struct attack *a);
void attack_freed_elsewhere(struct attack *a);
void attack_other_pin(struct attack *a);
void attack_other_plan(struct attack *a);
void attack_same_call_of_another(struct attack *a);
void attack_changed_world(struct attack *a);
void attack_too_few(struct attack *a);
void attack_other_state(struct attack *a);
void attack_forged_state(struct attack *a);
void attack_late_state(struct attack *a);
void attack_around_expiry(struct attack *a);
void attack_expires_meanwhile(struct attack *a);
void attack_from_the_future(struct attack *a);
void attack_before_the_epoch(struct attack *a);
void attack_epoch_meanwhile(struct attack *a);
void attack_altered_word(struct attack *a);
void attack_forged_signature(struct attack *a);
void attack_confused_key(struct attack *a);
void attack_second_spelling(struct attack *a);
void attack_odd_member(struct attack *a);
void attack_other_type(struct attack *a);

/* stores.c */
void attack_other_store(struct attack *a);
void attack_other_gate(struct attack *a);
void attack_gate_begins_anew(struct attack *a);
void attack_taken_back(struct attack *a);

/* clicks.c */
void clicks_any(struct attack *a);
void clicks_double(struct attack *a);
void clicks_stranger(struct attack *a);
void clicks_stale(struct attack *a);
void clicks_times(struct attack *a);
void clicks_policy(struct attack *a);
void clicks_ends(struct attack *a);

/* presses.c */
void presses_any(struct attack *a);
void presses_emergency(struct attack *a);
void presses_several(struct attack *a);

#endif
