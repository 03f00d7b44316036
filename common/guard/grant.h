/*
 * grant -- the gate's signed word that people approved exactly this call.
 *
 *   {typ, v:1, kid, id, aud, server, tool, pin, args, plan?, shown, requester,
 *    approvers[], rule?, bundle?, seq?, emergency?, head?, store?, gate_store?,
 *    gate_epoch?, iat, exp}
 *
 * 'id' is the approval's id and is used once; 'aud' the server's configured
 * instance; 'pin' the digest of the tool's definition; 'args' and 'plan' digests
 * of canonical bytes; 'shown' the digest of the prompt that was approved; 'head'
 * the head of the gate's audit chain. Times in seconds. Unknown members refuse.
 * 'plan' may be absent only where the compiled-in risk is read; 'approvers' may be
 * empty only with 'rule' (a read freed by policy), and then there is no plan, no
 * bundle and no emergency. 'bundle' and 'seq' come together, for one of several
 * calls in one decision. 'store' is the one in which the server burns it, as the gate
 * knows it (coord_identity); 'gate_store' and 'gate_epoch' (milliseconds), always together,
 * say which store the gate had that signed it, and since when (gate_store.h). The gate
 * writes all three into every grant ('store' once the server has told it). A grant never reaches a log.
 */
#ifndef GUARD_GRANT_H
#define GUARD_GRANT_H

#include "guard/envelope.h"
#include "guard/names.h"

enum {
	GRANT_TTL_S = 60,
	GRANT_TTL_MAX_S = 120,
	GRANT_AHEAD_MAX_S = 30,
	GRANT_APPROVERS_MAX = 8,
	GRANT_BUNDLE_MAX = 8, /* 'seq' is below it */
};

struct grant {
	char kid[KEY_KID_BYTES]; /* of the key that signed; grant_open fills it */
	char id[81];
	char aud[129];
	char server[33];
	char tool[65];
	char pin[DIGEST_HEX_BYTES];
	char args[DIGEST_HEX_BYTES];
	char plan[DIGEST_HEX_BYTES]; /* "" when absent */
	char shown[DIGEST_HEX_BYTES];
	char requester[129];
	char approvers[GRANT_APPROVERS_MAX][129];
	size_t approver_count;
	char rule[129];  /* "" when absent */
	char bundle[81]; /* "" when absent */
	int64_t seq;     /* -1 when absent */
	bool emergency;
	char head[DIGEST_HEX_BYTES];                              /* "" when absent */
	char store[DIGEST_ID_BYTES], gate_store[DIGEST_ID_BYTES]; /* "" when absent */
	int64_t gate_epoch_ms;                                    /* 0 when absent */
	int64_t iat, exp;
};

/* Append the signed word; fills kid. Refuses a grant that grant_open would refuse. */
bool grant_sign(struct strbuf *sb, const struct grant *g, const struct sign_key *key,
		struct error *err);

/* Signature, form, every member; no judgement about this call or now. */
bool grant_open(const char *word, struct keyring *keys, struct grant *ret,
		struct error *err);

/* What the server knows of the call at hand. */
struct grant_call {
	const char *aud, *server, *tool, *pin, *args;
	const char *plan;      /* digest of the plan made again; NULL for a read */
	const char *requester; /* whom the call is for; NULL: as the grant says */
	const char *store;     /* of this process; NULL: nobody asks */
	enum risk risk;
	int64_t now_ms;
	int64_t epoch_ms; /* of the store that holds burns */
};
/* ERR_APPROVAL_INVALID naming the first thing that does not match; a plan that
 * differs is ERR_PRECONDITION_FAILED. Source: APPROVALS.md, step 6. */
/* Whether it may be from before 'epoch_ms'. It says the second in which it was signed, and
 * counts as signed when that began: of the second in which an epoch begins, none is later. */
bool grant_is_older(const struct grant *g, int64_t epoch_ms);
bool grant_check(const struct grant *g, const struct grant_call *call, struct error *err);

#endif
