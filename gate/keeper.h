/*
 * keeper -- the process that holds the key; private to gate/keeper*.c.
 *
 * It opens no network socket and reads only typed messages: from surfaces on
 * run/gate.sock, where the peer's uid is the evidence of who speaks, and from its
 * caller on a socket pair. One thread, one loop. Every transition of an approval
 * goes through keeper_move: into the audit chain, then into the store, then into
 * memory and to those who watch, and only then has it an effect.
 */
#ifndef GATE_KEEPER_H
#define GATE_KEEPER_H

#include "base/secret.h"
#include "gate/emergency.h"
#include "gate/fields.h"
#include "gate/messages.h"
#include "gate/pins.h"
#include "gate/policy.h"
#include "gate/record.h"
#include "gate/settings.h"
#include "guard/audit.h"
#include "guard/limits.h"
#include "link/coordination/coordination.h"
#include "link/documents/documents.h"
#include "proc/channel.h"
#include "slack/verify/click.h"

enum {
	KEEPER_PEERS_MAX = 128,
	KEEPER_WATCHES_MAX = 32, /* of one peer */
	KEEPER_TICK_MS = 250,
	KEEPER_PLAN_MS = 35 * 1000, /* the caller gives up after 30 s */
	KEEPER_RECENT_MS = 2 * 60 * 1000,
	KEEPER_DENIED_MS = 10 * 60 * 1000,
	KEEPER_GIVE_UP_MS = 10 * 60 * 1000,
	KEEPER_OUTCOME_MS = 2 * 60 *
			    1000, /* a server has to post what became of a direct call */
	KEEPER_UP_MS = 30 * 1000, /* between looks at what a server lists */
	KEEPER_DOWN_MS = 1000,    /* the same while it does not answer */
	KEEPER_POLICY_MS = 5 *
			   1000, /* between looks at the files that nothing waits for */
	KEEPER_LOOK_MS = 5 *
			 1000, /* after a direct client got its grant, what became of it
				    * is asked so late the first time */
	KEEPER_WAITING_MAX = 256,
	KEEPER_STORE_SAID_MS = 10 * 60 *
			       1000,       /* people are told of another store so long */
	KEEPER_PAGE_MS = 24 * 3600 * 1000, /* a page of status is found so long */
	KEEPER_WAIT_MS = 8 * 1000, /* for a plan, before a server is told to come again */
};

/* An approval that has not ended, in memory; the store has the same body. */
struct approval {
	struct approval *next;
	char id[RECORD_KEY_BYTES];
	char identity[DIGEST_HEX_BYTES];
	enum record_state state;
	json_t *body;
	int64_t revision;
	/* Of this process alone: where planning and execution stand. */
	int64_t asked_ms; /* when the plan was asked for; 0: not yet */
	bool again;     /* asked for once more, just before this call of several starts */
	bool in_flight; /* the caller has it */
	bool unanswered; /* it may have reached the server, which said nothing */
	bool away;       /* the last time it was sent there was no answer */
	bool ended;      /* to be swept by the next tick */
	unsigned tries;
	/* Which of those who asked and said yes are in the team's group, and when that was
	 * asked. */
	json_t *members;
	int64_t members_asked_ms;
	bool members_waiting;
	bool revoke_in_flight; /* the caller has the question to burn it unused */
	int64_t revoke_next_ms;
	json_t *progress; /* what its server said last of how far it is; NULL: nothing */
	int64_t progress_told_ms;
	int64_t first_sent_ms; /* 0: not by this process */
	int64_t next_ms;       /* when to send (again) */
};

/* Something that people are to be told, until all of them have read it. */
struct notice {
	struct notice *next;
	json_t *body;
};

struct peer {
	struct peer *next;
	struct keeper *keeper;
	struct channel *channel;
	uid_t uid;
	pid_t pid;
	char watched[KEEPER_WATCHES_MAX][RECORD_KEY_BYTES];
	size_t watch_count;
	bool wants_notices;
	bool is_slack;  /* said so, and has its uid: nobody's console */
	bool wants_all; /* hears of all that concerns Slack */
};

/* A server's registration whose answer waits for the plan. */
struct waiting {
	int64_t request, until_ms;
	char approval[RECORD_KEY_BYTES];
};

/* When a server was last asked what it lists. */
struct look {
	int64_t asked_ms;
	int64_t found_ms; /* when it answered after it had not; 0: it does not */
	bool waiting;     /* for its answer */
	bool is_away;     /* a call to it was not answered since */
	char store[DIGEST_ID_BYTES]; /* what we know its store to be; "": nothing yet */
	/* What a process of it said its store is, and was refused; "": none. */
	char other_store[DIGEST_ID_BYTES];
	int64_t other_ms;
};

/* Who is in the team's group in LDAP or Okta; keeper_door.c. Times are monotonic. */
struct door {
	json_t *members;  /* {person: true}, as was said last; NULL: nothing yet */
	int64_t said_ms;  /* when that was asked for */
	int64_t asked_ms; /* when it was asked last */
	int64_t request;  /* which question that was; 0: none */
	bool waiting;     /* for its answer */
	char why[200];    /* why there was none; "": there was, or none was asked */
};

struct keeper {
	const struct statedir *dir;
	struct loop *loop;
	struct settings_reader *reader;
	struct settings *settings;
	struct policy *policy; /* read afresh whenever it decides something */
	struct sign_key *key;
	struct keyring *emergency_keys; /* NULL until one is needed */
	struct surface_health surface;
	struct door door;
	int64_t probed_ms; /* monotonic: when it was last asked for */
	struct documents *documents;
	struct coord_redis_access *store_access; /* until 'coordination' is open */
	struct coordination *coordination;
	struct audit *audit;
	struct pins *pins;
	struct pin_set *own_tools; /* of the server "gate" */
	struct limiter *proposals, *refusals, *news;
	struct channel *caller;
	struct approval *approvals;
	struct notice *notices; /* oldest first */
	size_t notice_count;
	struct keeper_read *reads; /* keeper_context.c */
	struct peer *peers;
	size_t peer_count;
	struct look looks[SETTINGS_SERVERS_MAX]; /* as in settings->servers */
	struct waiting waiting[KEEPER_WAITING_MAX];
	size_t waiting_count;
	char *socket_path;
	char url[160];    /* of the approvals listener; "" until the caller listens */
	pid_t caller_pid; /* 0: not our child */
	bool caller_is_apart, socket_is_inherited;
	int64_t now_ms; /* of the store, when this turn of the loop began */
	int64_t started_ms, retired_checked_ms, policy_read_ms, unsound_said_ms,
		notices_checked_ms;
	int64_t stop_by_ms;          /* monotonic; 0: not stopping */
	char store[DIGEST_ID_BYTES]; /* what ours was called; "": not asked yet */
	bool failed;
};

/* --- keeper_record.c: approvals in memory and store --- */

struct approval *keeper_find(const struct keeper *k, const char *id);
struct approval *keeper_find_identical(const struct keeper *k, const char *identity);
/* From memory or from the store; new reference, ERR_NOT_FOUND. */
json_t *keeper_load(struct keeper *k, const char *id, struct error *err) _must_use_;

struct move {
	enum record_state to;
	json_t *changes; /* of the body; stolen; may be NULL */
	json_t *audit;   /* further members of the audit line; stolen; may be NULL */
	const char *by, *why;
};
/* False, nothing changed: it was not allowed, or could not be made durable. */
bool keeper_move(struct keeper *k, struct approval *a, const struct move *m,
		 struct error *err);
/* The same without a transition: 'changes' into the body, under an audit event. */
bool keeper_update(struct keeper *k, struct approval *a, const char *event,
		   json_t *changes, json_t *audit, struct error *err);
/* A new approval in state proposed. Steals 'body'. */
struct approval *keeper_add(struct keeper *k, json_t *body, json_t *audit,
			    struct error *err);
/* Everything that has not ended, at start. */
bool keeper_recover(struct keeper *k, struct error *err);
/* One that has ended, because a decision that is open still wants to know how. */
bool keeper_bring_back(struct keeper *k, const char *id, struct error *err);
void keeper_sweep(struct keeper *k);
void keeper_approval_free(struct approval *a);

/* ERR_INTERNAL or ERR_BACKEND_UNAVAILABLE when nothing could be made durable. */
bool keeper_is_sound(struct keeper *k, struct error *err);
/* An audit line about something that was refused; limited a person. Steals 'data'. */
void keeper_audit_refusal(struct keeper *k, const char *event, const char *who,
			  json_t *data, const struct error *why);

/* --- keeper_propose.c --- */

struct proposal {
	const char *requester;
	const json_t *surface;
	const char *server, *tool;
	const json_t *arguments;
	const json_t *slack; /* of its record, where it was asked for in Slack; or NULL */
	/* The conversation of an assistant that wrote the arguments (gate/keeper_sources.h);
	 * NULL: nobody but the requester did. */
	struct provenance *sources;
	const char *model; /* that hears of the outcome, on a console; or NULL */
	/* In place of 'sources' where the arguments are those of a call before, which the
	 * assistant wrote: what was judged of them then (gate/keeper_pick.h). */
	const json_t *provenance;
};
/* The one open approval of this proposal, made if there was none. Borrowed. */
struct approval *keeper_propose(struct keeper *k, const struct proposal *p,
				struct error *err);
/* Two to eight calls in one decision: the approval of all of them. 'of' is what they have
 * in common, 'calls' an array of {tool: "server.tool", arguments}. Borrowed. */
struct approval *keeper_propose_several(struct keeper *k, const struct proposal *of,
					const json_t *calls, struct error *err);
/* What keeper_propose would call it: for finding what became of it. */
bool keeper_identify(struct keeper *k, const struct proposal *p,
		     char ret[static DIGEST_HEX_BYTES], struct error *err);
const struct tool_definition *keeper_definition(const struct keeper *k,
						const char *server, const char *tool,
						struct error *err);

/* --- keeper_post.c --- */

/* Ask for a plan, or post what needs none. Failures end the approval. */
void keeper_advance(struct keeper *k, struct approval *a);
/* A plan came: check it, keep it, post the prompt. Steals nothing. */
void keeper_take_plan(struct keeper *k, struct approval *a, const json_t *plan,
		      const char *request_state);
/* Send the question for a plan; with the state of the first one when it is asked again. */
bool keeper_ask_plan(struct keeper *k, struct approval *a, struct error *err);
/* What stands in a record as its policy. New reference. */
json_t *keeper_policy_json(const struct policy_answer *answer,
			   const char *const *approvers) _must_use_;
/* Counts one call under its rule; ERR_RATE_LIMITED. */
bool keeper_check_rate(struct keeper *k, const struct policy_question *q,
		       const struct policy_answer *answer, struct error *err);
/* The prompt of one call under these terms. New reference. */
json_t *keeper_build_prompt(struct keeper *k, const struct approval *a,
			    const struct policy_question *q,
			    const struct policy_answer *answer,
			    const char *const *approvers,
			    char shown[static DIGEST_HEX_BYTES],
			    struct error *err) _must_use_;
/* By what it was asked, and where the outcome goes, in words. */
void keeper_surface_words(const struct keeper *k, const struct approval *a,
			  struct strbuf *surface, struct strbuf *outcome_to);
/* Ends it as refused (before a grant), with the error for the requester. */
void keeper_refuse(struct keeper *k, struct approval *a, const struct error *why,
		   const json_t *details);

/* --- keeper_decide.c --- */

/* A decision whose evidence has been judged: who said it and what is known of that. The
 * policy has been read afresh. All borrowed. */
struct decision {
	const char *approval, *shown, *person, *reason; /* reason: NULL or text */
	bool is_yes;
	const json_t *evidence; /* as it goes into the record */
};
struct approval *keeper_decide_as(struct keeper *k, const struct decision *d,
				  struct error *err);
/* The open approval of that id, or an error that says how it ended. */
struct approval *keeper_find_open(struct keeper *k, const char *id, struct error *err);
bool keeper_check_reason(const char *reason, struct error *err);

/* --- keeper_pause.c --- */

/* 'by' is about to say no: counted, unless it is to their own form. '*ret_until_ms' (store
 * time): nothing more is asked in this name and way until then; 0: it goes on. */
bool keeper_note_denied(struct keeper *k, const struct approval *a, const char *by,
			int64_t *ret_until_ms, struct error *err);

/* --- keeper_revoke.c: what was asked for or approved is taken back, until the burn --- */

struct approval *keeper_cancel_as(struct keeper *k, const char *approval,
				  const char *person, const char *reason,
				  struct error *err);
struct approval *keeper_revoke_as(struct keeper *k, const char *approval,
				  const char *person, const char *reason,
				  struct error *err);

/* Of one call whose grant is signed: its server is asked to burn it unused. */
bool keeper_ask_revoke(struct keeper *k, struct approval *a, const char *by,
		       const char *why, struct error *err);
/* Whether that was asked for: nothing is sent any more that could run. */
bool keeper_is_revoking(const struct approval *a);
/* Ask the server, or again, when it is time; what it answers. */
void keeper_revoke_step(struct keeper *k, struct approval *a);
void keeper_take_revoked(struct keeper *k, struct approval *a, const struct fields *f);
/* Its server says that it burnt it so. 'server_head' may be NULL. */
void keeper_end_revoked(struct keeper *k, struct approval *a, const json_t *server_head);

/* --- keeper_progress.c: how far a call is --- */

bool keeper_on_progress(struct keeper *k, const struct fields *f, struct error *err);
/* {at, done, total?, words?}; new reference, NULL: nothing is known. */
json_t *keeper_progress_json(const struct keeper *k, const char *approval) _must_use_;

json_t *keeper_on_decide(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err);
json_t *keeper_on_emergency(struct keeper *k, struct peer *p, const struct fields *f,
			    struct error *err);
json_t *keeper_on_cancel(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err);
json_t *keeper_on_revoke(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err);
json_t *keeper_on_set_pin(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err);
/* Read configuration and policy files again; on failure nothing may be approved or signed. */
bool keeper_refresh_policy(struct keeper *k, struct error *err);

/* --- keeper_requests.c --- */

json_t *keeper_on_hello(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err);
json_t *keeper_on_propose(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err);
json_t *keeper_on_show(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err);
json_t *keeper_on_list(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err);
json_t *keeper_on_watch(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err);
json_t *keeper_on_tools(struct keeper *k, struct peer *p, const struct fields *f,
			struct error *err);
json_t *keeper_on_pins(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err);
json_t *keeper_on_propose_gate(struct keeper *k, struct peer *p, const struct fields *f,
			       struct error *err);
json_t *keeper_on_status(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err);
/* "server.tool", exactly; a name that cannot be one is not found rather than mended. */
bool keeper_split_tool(const char *name, char server[static 33], char tool[static 65],
		       struct error *err);
/* True, with an error that says where to turn: nobody calls the gate's own tools so. */
bool keeper_is_for_gate(const char *server, const char *tool, struct error *err);
/* Whether this person (NULL: nobody) is in the team now, with what may be told if not. */
bool keeper_check_team(const struct keeper *k, const char *person, struct error *err);
/* The person of a peer, or NULL. Borrowed from the policy. */
const char *keeper_person(const struct keeper *k, const struct peer *p);
/* The arguments of a proposal, a person's choice among candidates over them. New. */
json_t *keeper_arguments(const struct fields *f, struct error *err);
/* Tell those who watch this approval. */
void keeper_announce(struct keeper *k, const struct approval *a);

/* --- keeper_slack.c: Slack as a surface; what its requests prove --- */

/* Whose notices a peer reads: its person's, or Slack's own. NULL: nobody's. */
const char *keeper_reader(const struct keeper *k, const struct peer *p);
bool keeper_slack_hello(struct keeper *k, struct peer *p, struct error *err);
/* Whether Slack draws this, and so hears of it. */
bool keeper_slack_concerns(const struct keeper *k, const json_t *body);
/* {approval, state, to}, or with the record an event; new reference. */
json_t *keeper_slack_json(const struct keeper *k, const struct approval *a,
			  bool is_event) _must_use_;
json_t *keeper_slack_to(const struct keeper *k, const json_t *body) _must_use_;
/* To those who hear of all: {changed: 'what', server?, uri?}; NULLs are left out. */
void keeper_slack_tell_changed(struct keeper *k, const char *what, const char *server,
			       const char *uri);

/* A request of Slack's that is believed. */
struct slack_word {
	json_t *payload;
	enum slack_delivery delivery;
	char digest
		[DIGEST_HEX_BYTES]; /* of the raw body; over Socket Mode of the payload */
	bool is_signed;
	int64_t at_s; /* as it says itself; 0: over Socket Mode */
};
/* Signature, time, app and team are judged by their reader: slack_turn_of, slack_click_of. */
bool keeper_slack_believe(struct keeper *k, const struct fields *f,
			  struct slack_word *ret, struct error *err);
void keeper_slack_word_done(struct slack_word *w);
/* "signed" or "socket mode": as records and audit lines have it. */
const char *keeper_slack_evidence(const struct slack_word *w);
/* Once, durably, while it could be believed again and at least 'least_ms': 'value' is what
 * it was. If it is not the first, '*ret_before' is what it was then. */
bool keeper_slack_once(struct keeper *k, const struct slack_word *w, const char *value,
		       int64_t least_ms, bool *ret_first, char **ret_before,
		       struct error *err);
/* What a request of that digest was; NULL: none was taken. New string. */
bool keeper_slack_before(struct keeper *k, const char *digest, char **ret,
			 struct error *err);
/* Of our app and one of our teams. */
bool keeper_slack_is_ours(const struct keeper *k, const char *app, const char *team,
			  struct error *err);
/* The person of a Slack user, in the team now, copied; an error that may be told. */
bool keeper_slack_person(const struct keeper *k, const char *user, char ret[static 129],
			 struct error *err);
json_t *keeper_on_slack_who(struct keeper *k, struct peer *p, const struct fields *f,
			    struct error *err);
json_t *keeper_on_slack_open(struct keeper *k, struct peer *p, const struct fields *f,
			     struct error *err);

/* --- keeper_slack_turn.c --- */

json_t *keeper_on_slack_turn(struct keeper *k, struct peer *p, const struct fields *f,
			     struct error *err);
json_t *keeper_on_slack_propose(struct keeper *k, struct peer *p, const struct fields *f,
				struct error *err);
/* Whose turn it is, in the team now. '*ret_is_home': App Home was opened, and nothing
 * asked for. */
bool keeper_slack_turn_person(struct keeper *k, const char *turn, char ret[static 129],
			      bool *ret_is_home, struct error *err);
/* 1 to 100 plain characters. */
bool keeper_is_model_name(const char *text);
/* A turn as it was taken, for its words, also when nothing may be proposed by it any more;
 * NULL: there is none. New reference. */
json_t *keeper_slack_turn_words(struct keeper *k, const char *turn) _must_use_;

/* --- keeper_slack_post.c --- */

json_t *keeper_on_slack_posted(struct keeper *k, struct peer *p, const struct fields *f,
			       struct error *err);
/* Whether a decision was pressed where this prompt was posted, on what was drawn there. */
bool keeper_slack_is_at(const struct keeper *k, const struct approval *a,
			const struct slack_click *c, struct error *err);

/* --- keeper_slack_review.c: the pages of a review, one after the other --- */

/* Page 'c->page' for this person, or the form that asks why. New reference. */
json_t *keeper_slack_page(struct keeper *k, const struct approval *a,
			  const struct slack_click *c, const char *person,
			  struct error *err);
/* Whether a yes was pressed on the last page, after all before it. */
bool keeper_slack_has_read(struct keeper *k, const struct approval *a,
			   const struct slack_click *c, struct error *err);

/* --- keeper_slack_click.c --- */

json_t *keeper_on_slack_click(struct keeper *k, struct peer *p, const struct fields *f,
			      struct error *err);

/* --- keeper_explain.c --- */

/* {"server.tool": {call, approve, free}} of what pins_describe gave, where the policy can
 * be asked: not of tools that changed or were never pinned. NULL without memory. */
json_t *keeper_rights_json(const struct keeper *k, const json_t *servers,
			   const char *as) _must_use_;

json_t *keeper_on_explain(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err);

/* --- keeper_grant.c: from a yes to the signed word --- */

/* Sign it: membership and policy afresh, the grant's bytes durable before anybody has them.
 * On failure the approval stays as it is, or is revoked when it is no longer approved. */
bool keeper_grant(struct keeper *k, struct approval *a, struct error *err);
/* For surfaces without a client to claim it: sign and send, or carry out what is the gate's own. */
void keeper_claim(struct keeper *k, struct approval *a);
/* The same for a freed read of a surface; not yet in its server's first second. */
void keeper_claim_free(struct keeper *k, struct approval *a);
bool keeper_is_direct(const struct approval *a);
/* A read that the policy frees: no person decides. */
bool keeper_is_free(const struct approval *a);
bool keeper_is_own(const struct approval *a);
bool keeper_is_at_address(const struct keeper *k, const struct approval *a);

/* --- keeper_door.c: who is in the team's group, for whoever comes to the door --- */

/* Ask when it is time; whatever else needs doing. */
void keeper_door_tick(struct keeper *k);
/* Have the policy count what is known now, before it is asked who is in the team. */
void keeper_door_mind(struct keeper *k);
/* True where nobody need be in a group of LDAP or Okta. */
bool keeper_door_is_known(const struct keeper *k);
/* So long what is known may be believed; at most a minute. */
int64_t keeper_door_good_ms(const struct keeper *k);
void keeper_door_answer(struct keeper *k, const struct fields *membered);
/* What was found out of one person since. */
void keeper_door_learn(struct keeper *k, const char *person, bool is_member);
/* {where, known, age_s?, members?, why?}; new reference, NULL without memory. */
json_t *keeper_door_json(const struct keeper *k, bool with_why) _must_use_;
void keeper_door_free(struct keeper *k);

/* --- keeper_members.c: who is in the team's group, asked afresh for each grant --- */

enum keeper_membership {
	KEEPER_MEMBERS,       /* or nobody need be */
	KEEPER_MEMBERS_LATER, /* it is being asked, or could not be: sign nothing now */
	KEEPER_MEMBERS_NOT,   /* somebody is no member, or not any more */
};
enum keeper_membership keeper_members_judge(struct keeper *k, struct approval *a,
					    struct error *err);
bool keeper_on_membered(struct keeper *k, const struct fields *f, struct error *err);

/* --- keeper_calls.c: plans and executions, and what the caller answers of them --- */

bool keeper_on_planned(struct keeper *k, const struct fields *f, struct error *err);
bool keeper_on_executed(struct keeper *k, const struct fields *f, struct error *err);
/* Send the grant (again); of a direct client's call only ask what became of it. */
void keeper_send(struct keeper *k, struct approval *a);
/* End an execution. 'outcome' {state, error?, verified?, server_head?} and 'result' are borrowed. */
bool keeper_end(struct keeper *k, struct approval *a, enum record_state to,
		const json_t *outcome, const json_t *result, const char *by,
		struct error *err);
/* It was sent and nobody has said for too long what became of it. */
void keeper_give_up(struct keeper *k, struct approval *a);

/* --- keeper_servers.c: what servers list, and whether they are there --- */

bool keeper_on_defined(struct keeper *k, const struct fields *f, struct error *err);
bool keeper_on_listening(struct keeper *k, const struct fields *f, struct error *err);
/* A resource of a server did. */
bool keeper_on_changed(struct keeper *k, const struct fields *f, struct error *err);
/* Of each server whose turn it is: soon again when it was down. */
void keeper_ask_definitions(struct keeper *k);
/* It did not answer a call: look at it at once, and ask again when it is there. */
void keeper_server_is_away(struct keeper *k, const char *server);
/* Whether a grant that is signed now says a later second than that in which this server
 * was found: its store may have begun an epoch then. */
bool keeper_server_is_settled(const struct keeper *k, const char *server);
/* Pending approvals of tools that are not as pinned any more, or of a server that moved. */
void keeper_supersede_changed(struct keeper *k, const char *server);

/* --- keeper_direct.c: what servers register for their clients --- */

bool keeper_on_register(struct keeper *k, const struct fields *f, struct error *err);
bool keeper_on_outcome(struct keeper *k, const struct fields *f, struct error *err);
bool keeper_on_withdraw(struct keeper *k, const struct fields *f, struct error *err);
/* keeper_news.c: what is known later of a call that was executed. */
bool keeper_on_news(struct keeper *k, const struct fields *f, struct error *err);
/* An answer to a request of the caller's listener; steals 'body'. True. */
bool keeper_answer(struct keeper *k, int64_t request, int status, json_t *body);

/* --- keeper_bundle*.c: several calls in one decision ---
 *
 * The decision is an approval of its own, whose record has 'calls'; each call is an
 * approval too, with the id <decision>-<n> and 'bundle' {id, seq, of} in its record, in
 * the collection "calls". Only the first is shown, decided and watched; it moves the others.
 */

bool keeper_is_bundle(const struct approval *a);
bool keeper_is_part(const struct approval *a);
/* The decision that a call belongs to; NULL when it has ended. */
struct approval *keeper_bundle_of(const struct keeper *k, const struct approval *part);
/* One of its calls, ended or not, as long as the decision is open. */
struct approval *keeper_bundle_part(const struct keeper *k, const struct approval *head,
				    size_t seq);
size_t keeper_bundle_count(const struct approval *head);
/* Do whatever comes next: plan, post, expire, start the next call, end. */
void keeper_bundle_step(struct keeper *k, struct approval *head);
/* The same of the decision that 'part' belongs to; nothing for any other approval. */
void keeper_bundle_step_of(struct keeper *k, const struct approval *part);
/* A plan that was asked for again came, or did not. */
void keeper_bundle_take_again(struct keeper *k, struct approval *part,
			      const struct fields *f);
/* Judge a decision on all calls; then carry it out. */
bool keeper_bundle_judge(struct keeper *k, const struct approval *head,
			 const char *person, struct error *err);
/* Whether these decisions are enough for every call. */
bool keeper_bundle_is_approved(const struct keeper *k, const struct approval *head,
			       const json_t *decisions, struct error *err);
void keeper_bundle_approve(struct keeper *k, struct approval *head);
/* End the calls that have not begun, as 'to' or as near to it as their state allows. */
void keeper_bundle_end_parts(struct keeper *k, struct approval *head,
			     enum record_state to, const char *by, const char *why);
/* End it, before anything began, with its calls. */
bool keeper_bundle_end(struct keeper *k, struct approval *head, enum record_state to,
		       const char *by, const char *why, struct error *err);
/* Somebody stops it: what runs is followed to its end, nothing else is begun. */
bool keeper_bundle_stop(struct keeper *k, struct approval *head, enum record_state to,
			const char *by, const char *why, struct error *err);
/* After a restart nothing more is begun of what had been approved. */
bool keeper_bundle_recover(struct keeper *k, struct error *err);
/* Effects of earlier calls at the same server, for the first plan of a later one: an array
 * of {call, effects}; NULL: there are none. */
json_t *keeper_bundle_assumes(const struct keeper *k,
			      const struct approval *part) _must_use_;
/* keeper_bundle_post.c: all plans are there. False: it cannot be asked, 'err' says why. */
bool keeper_bundle_post(struct keeper *k, struct approval *head, struct error *err);
/* What people may see of its calls. New reference. */
json_t *keeper_bundle_parts_json(struct keeper *k, const json_t *body) _must_use_;

/* --- keeper_page.c --- */

/* A page of status for what is about to be posted: the member "page" in 'changes'. */
bool keeper_make_page(struct keeper *k, const char *approval, json_t *changes,
		      struct error *err);
/* Its address, a new string; NULL: it has none. */
json_t *keeper_page_url(const struct keeper *k, const json_t *body);
bool keeper_on_page(struct keeper *k, const struct fields *f, struct error *err);
/* Answer registrations that waited for this approval, or for too long (NULL). */
void keeper_answer_waiting(struct keeper *k, const struct approval *a);

/* --- keeper_own.c: tools of the gate itself --- */

bool keeper_own_open(struct keeper *k, struct error *err);
const struct tool_definition *keeper_own_definition(const struct keeper *k,
						    const char *tool);
struct plan *keeper_own_plan(struct keeper *k, const char *tool, const json_t *arguments,
			     struct error *err) _must_use_;
void keeper_own_run(struct keeper *k, struct approval *a);
/* Old keys past their overlap. */
void keeper_own_tick(struct keeper *k);

/* --- keeper_notice.c: the outbox --- */

/* Store what is to be told of the end 'to' that 'body' is about to have; '*ret' (new
 * reference, NULL: nobody is concerned) is for keeper_notice_send once it has happened. */
bool keeper_notice_prepare(struct keeper *k, const json_t *body, enum record_state to,
			   const char *by, const char *why, json_t **ret,
			   struct error *err);
void keeper_notice_send(struct keeper *k, json_t *notice);
json_t *keeper_on_notices(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err);
json_t *keeper_on_read(struct keeper *k, struct peer *p, const struct fields *f,
		       struct error *err);
/* At start, after the approvals. */
bool keeper_notices_recover(struct keeper *k, struct error *err);
void keeper_notices_tick(struct keeper *k);
void keeper_notices_free(struct keeper *k);

/* Store one that is made already, in place of one with the same id, and tell it. */
bool keeper_notice_keep(struct keeper *k, json_t *notice, struct error *err);

/* --- keeper_store.c: replicas of a server share one store --- */

/* The store in which this server burns, for its grants; "" until it said one: it may be
 * configured without a gate. */
bool keeper_store_of(struct keeper *k, const char *server,
		     char ret[static DIGEST_ID_BYTES], struct error *err);
/* A process of it says which it has, and ('was', or NULL) which it had before, while it
 * ran. ERR_CONFLICT: another process of it has another. */
bool keeper_store_said(struct keeper *k, const char *server, const char *store,
		       const char *was, struct error *err);
bool keeper_on_store(struct keeper *k, const struct fields *f, struct error *err);
/* [{server, store?, refused?}] */
json_t *keeper_stores_json(struct keeper *k) _must_use_;
/* {server, store} of one that was refused of late; NULL: none was. */
json_t *keeper_store_difference(struct keeper *k, const char *server) _must_use_;
/* What accept_store does, and doing it; 'again': found half done. */
struct plan *keeper_store_plan(struct keeper *k, const char *server, const char *store,
			       struct error *err) _must_use_;
json_t *keeper_store_accept(struct keeper *k, const json_t *data, bool again,
			    struct error *err) _must_use_;

/* --- keeper_emergency.c: break-glass --- */

/* Whether this word lets this approval be decided in an emergency, now. */
bool keeper_emergency_check(struct keeper *k, const struct approval *a, const char *word,
			    struct emergency_word *ret, struct error *err);
/* Into log, store and outbox, before it counts. */
bool keeper_emergency_note(struct keeper *k, const struct approval *a,
			   const struct emergency_word *word, const char *person,
			   struct error *err);
json_t *keeper_on_emergencies(struct keeper *k, struct peer *p, const struct fields *f,
			      struct error *err);
json_t *keeper_on_review(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err);
bool keeper_on_probed(struct keeper *k, const struct fields *f, struct error *err);
/* Ask the caller to look, when it is time. */
void keeper_probe_surface(struct keeper *k);

/* --- keeper_time.c --- */

void keeper_tick(void *context);

/* --- keeper.c: who may say what --- */

void keeper_on_connection(void *context, int fd, unsigned events);
void keeper_on_caller(void *context, struct channel *ch, json_t *message);
void keeper_on_caller_closed(void *context, struct channel *ch, const struct error *err);
void keeper_peer_free(struct keeper *k, struct peer *p);
/* Log why, and end the process with status 1. */
void keeper_give_in(struct keeper *k, const char *event, const struct error *err);

/* --- keeper_process.c --- */

/* The program 'wingman-gate': returns its exit status. */
/* 'started_apart': the caller is somebody else's child (systemd's), behind run/caller.sock. */
int keeper_main(const struct statedir *dir, bool started_apart);

#endif
