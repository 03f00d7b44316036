/*
 * context -- a conversation as the message 'turn' for a worker. Pure.
 *
 * What the house says (its rules, those of the surface, the team's notes) and what was said
 * are the same to the byte in the next turn, so that a provider's cache helps: time and
 * people stand in the conversation, beside what was said then. Credentials are masked wherever they stand. The worker puts
 * whatever is not the asker's between lines that say it is data. Of the conversation the
 * newest entries are kept, and of the older ones those that share most words with what was
 * asked last (context_entries.h); what had to go is said.
 */
#ifndef ASSISTANT_HOST_CONTEXT_H
#define ASSISTANT_HOST_CONTEXT_H

#include "assistant/host/conversation.h"
#include "assistant/settings.h"

enum {
	CONTEXT_ENTRIES_BYTES = 192 * 1024, /* of the conversation, as it is sent */
	CONTEXT_NEWEST_BYTES = 128 * 1024,  /* of it by being new alone */
	CONTEXT_NOTES_BYTES = 256 * 1024,
	CONTEXT_WORD_MAX = 4096, /* bytes of a last word that goes */
	CONTEXT_DEPTH_MAX = JSON_DEPTH_MAX -
			    8, /* of a value: what it stands in is read, too */
};

struct context_input {
	const struct conversation *conversation;
	const char *asker;         /* the person whose turn it is */
	const json_t *thread;      /* as talk_set_thread has it; may be NULL */
	const json_t *who;         /* as 'turn' has it; NULL: the conversation says it */
	const json_t *house_notes; /* [{name, text}] of the surface; may be NULL */
	const json_t *team_notes;  /* [{name, text}], of prompts/; may be NULL */
	const json_t *tools;   /* as the gate lists them: [{name, tools: [definition]}] */
	const json_t *sources; /* as 'turn' has them; may be NULL */
	const struct assistant_limits *limits;
};

/* The message. New reference. */
json_t *context_build(const struct context_input *in, struct error *err) _must_use_;

/* Text from outside without what looks like a credential. New string. */
json_t *context_mask(const char *text, size_t length) _must_use_;
/* The same of a text that was cut off: its last word goes too, which may be half a credential. */
json_t *context_mask_cut(const char *text, size_t length) _must_use_;
/* The same for every text within a value; one under a name like "password" goes whole. New
 * reference; NULL without memory, or deeper than CONTEXT_DEPTH_MAX. */
json_t *context_mask_json(const json_t *value) _must_use_;

#endif
