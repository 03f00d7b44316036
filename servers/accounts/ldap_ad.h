/*
 * ldap_ad -- private to the dialect of Active Directory: what an entry says, and the
 * steps (ldap_ad_steps.c) that its table (ldap_active_directory.c) names.
 */
#ifndef ACCOUNTS_LDAP_AD_H
#define ACCOUNTS_LDAP_AD_H

#include "servers/accounts/ad_values.h"
#include "servers/accounts/ldap_directory.h"

#define AD_CONTROL "userAccountControl"

/* How our locks read; a lockout's is followed by its lockoutTime. */
#define AD_LOCK_DISABLED "disabled"
#define AD_LOCK_LOCKOUT  "lockout:"

struct ad_state {
	bool known; /* userAccountControl could be read */
	uint32_t control;
	const char *control_text; /* as it stands in the entry; borrowed */
	bool locked_out;
	int64_t locked_out_ms;
	char lock[ACCOUNT_LOCK_BYTES];
};
struct ad_state ad_state_read(const struct ldap_entry *e);

/* Of struct ldap_dialect. */
bool ad_plan_block(struct ldap_directory *d, const struct account *a,
		   struct facet_step *ret, struct error *err);
bool ad_plan_undo(struct ldap_directory *d, const struct account *a,
		  const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
		  struct error *err);
bool ad_apply(struct ldap_directory *d, const char *identifier, const char *id,
	      const json_t *change, struct error *err);
bool ad_is_done(struct ldap_directory *d, const struct account *now, const json_t *change,
		bool *ret, struct error *err);

#endif
