/*
 * talk -- a conversation that goes on: what people say begins turns, what the worker wants
 * goes to the gate by the surface's hand, what became of it goes back.
 *
 * The surface's loop, the main thread. Nothing here decides or draws anything: 'propose' is
 * a message for the gate, whose prompts the surface draws as the gate says. A call that a
 * person has to decide is told to the worker as pending, and the turn goes on without it;
 * when it has ended, another turn begins in which the model is told how. Several calls
 * that the worker wants each for itself are several prompts.
 */
#ifndef ASSISTANT_HOST_TALK_H
#define ASSISTANT_HOST_TALK_H

#include "assistant/host/context.h"
#include "assistant/host/conversation.h"
#include "assistant/host/host.h"
#include "assistant/host/memory.h"
#include "assistant/host/people.h"

struct talk;

/* From the loop, or from within a function below; none may free the talk. */
struct talk_hooks {
	/* A piece of an answer, not made safe for the surface; 'final' ends the answer. */
	void (*say)(void *context, const char *text, bool final);
	/* 'members' (stolen) as the gate takes them with propose or slack_propose: tool and
	 * arguments, or calls; and sources. Answered by talk_proposed. */
	void (*propose)(void *context, int64_t number, json_t *members);
	/* Answered by talk_content. */
	void (*read)(void *context, int64_t number, const char *uri);
	/* The turn is over; 'words' for people, NULL when all is well. */
	void (*ended)(void *context, enum assistant_code code, const char *words);
};

struct talk_options {
	struct host *host;
	const struct assistant_settings *settings;
	struct memory *memory;                  /* NULL: nothing is kept */
	const json_t *house_notes, *team_notes; /* as context.h has them; may be NULL */
};

/* 'kept' is what memory_load gave of 'id', or NULL. Everything is borrowed. */
struct talk *talk_new(const struct talk_options *o, const char *id, const json_t *kept,
		      const struct talk_hooks *hooks, void *context,
		      struct error *err) _must_use_;
/* Ends its turn; what was said is kept. */
void talk_free(struct talk *t);
DEFINE_CLEANUP(struct talk, talk_free);

/* What there is to call and to read, as the gate lists it (copied references). */
void talk_set_tools(struct talk *t, json_t *servers);
void talk_set_sources(struct talk *t, json_t *sources);

/* What others said in the place of the conversation: [{kind: "said", by, at, text, user}], the
 * oldest first, masked (copied reference; NULL: nothing). Sent with the next turns, not kept. */
void talk_set_thread(struct talk *t, json_t *thread);

/* The gate's list of what may be read ('context' of tools) as sources. New reference. */
json_t *talk_sources(const json_t *context) _must_use_;

/* Somebody of the team says something to us. 'turn': the gate's, or NULL. While a turn
 * runs the next one waits for its end. */
bool talk_said(struct talk *t, const char *by, const char *person, const char *turn,
	       const char *text, struct error *err);

/* The gate's answer to a proposal: the approval, or why there is none. */
void talk_proposed(struct talk *t, int64_t number, const char *approval,
		   const struct error *why);
/* The person picked who is meant, and the call was proposed anew: 'approval' is now 'to'. */
void talk_renamed(struct talk *t, const char *approval, const char *to);
/* How an approval stands: say so when it waits for people, and when it has ended. 'parts':
 * records of the calls of several, or NULL. Others than this talk's are ignored. */
void talk_record(struct talk *t, const char *approval, const json_t *record,
		 const json_t *parts);
/* The same, where another process tells people of the end: no turn begins. */
void talk_note_record(struct talk *t, const char *approval, const json_t *record,
		      const json_t *parts);
/* What was read, as it came; or why it was not ('text' NULL). 'id': the gate's, for later. */
void talk_content(struct talk *t, int64_t number, const char *id, const char *label,
		  const char *text, bool is_cut, const struct error *why);

/*
 * Who may be mentioned in its answers: who asked, and whoever the people server knew for
 * certain, as slack/markdown.h takes 'people' ({"U…": {name, notify}}; 'notify' for who
 * asked and for those whom a person mentioned). From the loop; a tree of its own, which any
 * thread may have. New reference.
 */
json_t *talk_people(const struct talk *t) _must_use_;
/* Append 'text' with "<@U…>" of those people as "Name (handle)"; other mentions stay text. */
void talk_name_people(const struct talk *t, struct strbuf *sb, const char *text);

bool talk_is_busy(const struct talk *t);
/* Approvals that have not ended: [id]; new reference. */
json_t *talk_open(const struct talk *t) _must_use_;
/* Break off what runs: nothing is said, proposed or read for it any more. What people said is
 * kept, and what was proposed before stays with the gate. */
void talk_stop(struct talk *t);
/*
 * What is kept, as another process may have written it since: before something is said.
 * NULL: nothing is; then what is older than memory keeps is forgotten here too.
 */
void talk_refresh(struct talk *t, const json_t *kept);
/* Everything that was said; open proposals stay with the gate. Waits for the store. */
bool talk_forget(struct talk *t, struct error *err);
/* The store has forgotten it already (memory_forget). A turn that runs is stopped. */
void talk_forgotten(struct talk *t, const char *epoch);
const struct conversation *talk_conversation(const struct talk *t);

#endif
