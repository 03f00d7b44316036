/*
 * attack -- what generated attacks on approvals are made of; see attack-approvals.c.
 *
 *   dice     numbers and hostile texts out of a seed
 *   meaning  a call, whatever its spelling
 *   world    two instances of one server over a backend in memory, with a clock and an
 *            epoch that the test sets
 *   model    the oracle: which call has a live matching approval. Knows nothing of the
 *            code under test: words are equal to the byte or strangers, the limits are
 *            written out again
 *   play     the gate, made of its pure parts: asks, is clicked at, signs
 *   forge    words that nobody signed, or that should not have been
 *   kinds    the attacks: calls, plans, clicks
 *
 * Whatever goes wrong where nothing may go wrong ends the program: see need.
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include "base/json.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "guard/grant.h"
#include "mcp/definition.h"

/* ---- dice.c ---- */

struct dice {
	uint64_t state;
};
uint64_t dice_next(struct dice *d);
size_t dice_below(struct dice *d, size_t n); /* 0 to n-1 */
bool dice_chance(struct dice *d, unsigned percent);
/* UTF-8 of at most 'max' characters: plain, or controls, markup, marks of direction,
 * look-alikes and the like. No NUL. */
void dice_text(struct dice *d, size_t max, struct strbuf *ret);
/* Say what went wrong and end. */
_Noreturn void broken(const char *format, ...) _printf_(1, 2);
void need(bool good, const struct error *err);

/* ---- meaning.c ---- */

enum { VALUE_BYTES = 801, REASON_BYTES = 401 };
enum tool { TOOL_PUT, TOOL_ECHO, TOOL_ROUTE };
struct meaning {
	enum tool tool;
	char key[33];              /* TOOL_PUT */
	char value[VALUE_BYTES];   /* value, text, region */
	char reason[REASON_BYTES]; /* TOOL_PUT */
	char until[32];            /* TOOL_PUT; "": left out */
	bool has_number;           /* count, hops */
	int64_t number;
};
const char *tool_word(enum tool t);
struct meaning meaning_roll(struct dice *d, enum tool t, const char *key);
bool meaning_equal(const struct meaning *a, const struct meaning *b);
/* As JSON: in some order, with some spaces, escapes and spellings of numbers. */
void meaning_spell(const struct meaning *m, struct dice *d, struct strbuf *ret);

/* ---- world.c ---- */

enum { INSTANCES = 2, KEYS = 40 };
extern const char *const instance_names[INSTANCES];

struct run {
	char id[81], requester[129];
	struct meaning meaning;
};
struct world;
struct world *world_open(const char *root); /* a folder of its own */
void world_close(struct world *w);
struct sign_key *world_key(struct world *w);      /* trusted */
struct sign_key *world_stranger(struct world *w); /* not trusted */
const char *world_public_pem(struct world *w);    /* of the trusted one */
struct keyring *world_keys(struct world *w);      /* which an instance trusts */
const char *world_pin(struct world *w, enum tool t);
const struct tool_definition *world_definition(struct world *w, enum tool t);
void world_key_name(size_t i,
		    char ret[static 33]); /* those from 'z' on want two people */

int64_t world_now_ms(void);
void world_set_now(int64_t now_ms);
int64_t world_epoch_ms(void);
void world_set_epoch(int64_t epoch_ms);
/* When the next plan is made, time passes, or the store begins anew. */
void world_plan_takes(struct world *w, int64_t ms, bool begins_anew);
/* The next plans wait for each other, so many. */
void world_plans_meet(struct world *w, unsigned count);

/* In which an instance burns. */
const char *world_store(struct world *w, size_t instance);

const char *world_value(const struct world *w, const char *key);
void world_put(struct world *w, const char *key, const char *value);
size_t world_runs(const struct world *w);
const struct run *world_last_run(const struct world *w);

/* What an instance is handed. */
struct presented_call {
	size_t instance;
	enum tool tool;
	const char *arguments; /* JSON text */
	const char *word;      /* NULL: ask for a plan with 'ticket' */
	const char *ticket;
	const char *state;
	const char *requester; /* fetched for this person; NULL: the gate presents */
	bool take_back, look;  /* nothing is to run */
};
/* The result as a client reads it, {structuredContent, isError, _meta...}; new. */
json_t *world_call(struct world *w, const struct presented_call *c);

/* ---- model.c ---- */

enum { ISSUES = 64, NEEDED_MAX = 2 };
enum verdict { REFUSE, EXECUTE, SPEND /* nothing runs, and it never will */ };
/* What the gate gave out. */
struct issue {
	char *word, *state; /* owned; state NULL: a read */
	char id[81], requester[129];
	struct meaning meaning;
	size_t instance;
	bool is_freed; /* by a rule, approved by nobody */
	unsigned approvers;
	int64_t iat_s, exp_s, state_until_ms;
	bool is_elsewhere; /* to be burnt in another store, or from a gate with another */
	int64_t gate_epoch_ms;
	char before[VALUE_BYTES]; /* what the value was when it was planned */
	bool is_spent, is_executed;
};
struct presentation {
	size_t instance;
	enum tool tool;
	bool is_readable; /* the arguments mean something */
	struct meaning meaning;
	const char *word, *state, *requester;
	int64_t plan_takes_ms;
	bool begins_anew;
};
/* The latest epoch of the gate's store that both instances have seen. */
extern int64_t model_gate_epoch_ms;
enum verdict model_judge(const struct issue *issues, const struct world *w,
			 const struct presentation *p, struct issue **ret_issue);

enum { ALICE, BOB, CAROL, DAVE, MALLORY, PERSONS };
extern const char *const person_names[PERSONS];
struct rules {
	const char *yaml; /* NULL: what is built in */
	unsigned team;    /* bits of persons */
	bool four_eyes, allows;
	unsigned needed;
};
enum { RULES = 6 };
extern const struct rules rule_sets[RULES];
enum asked_state { ASKED, AGREED, SIGNED, OVER };
struct asked {
	enum asked_state state;
	unsigned requester, needed;
	unsigned authors; /* bits: who asks, and whose words stand in it */
	unsigned frozen;  /* bits: who could decide when it was posted */
	bool four_eyes;
	unsigned said_yes; /* bits */
	int64_t posted_ms, until_ms, good_until_ms;
	char shown[65];
};
struct click {
	const char *who; /* perhaps nobody */
	const char *shown;
	bool is_yes;
};
/* Whether it counts; then 'a' is as it is afterwards. */
bool model_click(struct asked *a, const struct rules *now, const struct click *c,
		 int64_t now_ms);
bool model_may_sign(const struct asked *a, const struct rules *now, int64_t now_ms);

/* ---- play.c ---- */

struct play;
struct play *play_new(struct world *w);
void play_free(struct play *p);
/* Since when the gate's store runs. */
int64_t play_gate_epoch_ms(const struct play *p);
void play_begin_anew(struct play *p);
void play_set_rules(struct play *p, size_t set);
size_t play_rules(const struct play *p);

struct request; /* one that was asked, and is decided about */
struct request *play_ask(struct play *p, size_t instance, const struct meaning *m,
			 unsigned requester, unsigned authors, struct dice *d);
void request_free(struct request *r);
DEFINE_CLEANUP(struct request, request_free);
struct asked *request_asked(struct request *r); /* the model's view, kept by the caller */
/* Both do as the gate does, and say whether it counted. */
bool play_click(struct play *p, struct request *r, const struct click *c);
bool play_end(struct request *r, const char *state);
/* A grant, if it may be; 'age_s' old and good for 'ttl_s'. Fills the issue. */
bool play_sign(struct play *p, struct request *r, int64_t age_s, int64_t ttl_s,
	       struct issue *ret);
/* A read freed by a rule. */
void play_free_read(struct play *p, size_t instance, const struct meaning *m,
		    struct issue *ret);
void issue_done(struct issue *i);
/* The members of a grant that says this. */
#define PLAY_STORE "thegatesown"
struct grant play_grant(struct world *w, const struct issue *i, const char *plan);

/* ---- forge.c ---- */

/* Another word out of a good one. Never equal to it. */
void forge_bytes(struct dice *d, const char *word, struct strbuf *ret);
void forge_signature(struct dice *d, struct world *w, const char *word,
		     struct strbuf *ret);
void forge_key(struct dice *d, struct world *w, const char *word, struct strbuf *ret);
void forge_payload(struct dice *d, struct world *w, const char *word, struct strbuf *ret);
void forge_member(struct dice *d, struct world *w, const char *word, struct strbuf *ret);
void forge_type(struct dice *d, struct world *w, const char *word, struct strbuf *ret);

/* ---- kinds.c ---- */

struct attack {
	struct dice dice;
	struct world *world;
	struct play *play;
	struct issue issues[ISSUES];
	const struct issue *kept; /* not to be overwritten; NULL: none */
	uint64_t seed, item;
	const char *kind;
};
struct kind {
	const char *name;
	unsigned weight;
	void (*run)(struct attack *a);
};
extern const struct kind kinds[];
size_t kind_count(void);
/* Present it, and end the program unless what happens is what the model says. Whether
 * it was executed. */
bool attack_present(struct attack *a, const struct presentation *p,
		    const char *arguments);

#endif
