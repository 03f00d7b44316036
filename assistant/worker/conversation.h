/*
 * conversation -- a turn's record as messages of a chat, and results as text.
 *
 * The asker's words and the house's notes stand as they are, headed by who and when;
 * everybody else's, and whatever was read or came out of a call, stands fenced. Earlier
 * proposals and reads become calls of the model's with their results, so that it finds
 * its own way again. Checked to the last member; what is none refuses the turn.
 */
#ifndef WORKER_CONVERSATION_H
#define WORKER_CONVERSATION_H

#include "assistant/worker/names.h"

enum { CONVERSATION_CALL_BYTES = 24 };

/*
 * New reference; see chat.h. The last entry must be one that the model can answer. 'changing'
 * stands where the entry 'now' is, or without one at the end. '*ret_calls': how many calls
 * are in it, which their ids count.
 */
json_t *conversation_messages(const json_t *entries, const struct names *n,
			      const char *changing, unsigned *ret_calls,
			      struct error *err) _must_use_;

/* Of the call with this number. The same in every turn, so that what a provider keeps of a
 * turn while it runs is good for the next, which has it from the record. */
void conversation_call_id(unsigned number, char ret[static CONVERSATION_CALL_BYTES]);

/* Texts of the system notes and of who asks, appended: what stays, what changes. */
bool conversation_system(const json_t *notes, const json_t *who, struct strbuf *stable,
			 struct strbuf *changing, struct error *err);

/* What became of a call: one of 'result's entries, as the model reads it. '*ret_error':
 * whether it is to take it for a failure of its own. */
bool conversation_result(const json_t *result, const char *tool, struct strbuf *sb,
			 bool *ret_error, struct error *err);

/* One part at the end, in the last message if that is of the same role. Takes 'part'. */
bool conversation_add(json_t *messages, const char *role, json_t *part) _must_use_;
json_t *conversation_text_part(const struct strbuf *text) _must_use_;
json_t *conversation_result_part(const char *id, const struct strbuf *text,
				 bool error) _must_use_;

#endif
