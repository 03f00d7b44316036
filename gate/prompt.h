/*
 * prompt -- what a person must see before saying yes, as data.
 *
 * Surface-independent: renderers (terminal, Slack) are pure functions of it, and
 * its digest is what a decision names. Everything is in it: server and address,
 * tool, risk, who asks, every argument, every default, every effect, warnings,
 * free text last, who may approve, until when, where the outcome goes. Values
 * stand in visible form; a value that may deceive carries flags and an escaped
 * second line. docs/formats.md has the members.
 *
 * What a person or the assistant wrote in sentences (reason, title, message and the
 * like, and what has the kind text or markdown) stands in 'free_text' under its author;
 * everything else in 'arguments'. Defaults of objects that were given stand under their
 * path ("filter.limit").
 *
 * Beside an argument that who asks did not say stands in 'from' where its values were said
 * (gate/provenance.h); where a destructive call is meant for something that only others'
 * words, playbooks, tickets, logs or nobody named, there is a warning.
 *
 * The text of a value is: of a string, its visible form between double quotes
 * (inner quotes are not escaped: the first and the last do not belong to it);
 * of anything else, the visible form of its canonical JSON. So a text says one
 * value and no other.
 */
#ifndef GATE_PROMPT_H
#define GATE_PROMPT_H

#include "base/canonical.h"
#include "mcp/definition.h"

struct prompt_input {
	const char *approval, *address, *requester, *surface, *outcome_to;
	const struct tool_definition *tool;
	const json_t *arguments;
	const json_t *plan; /* NULL for a read */
	/* Who wrote the arguments, and with them their free text: "requester" (so too if
	 * NULL) or "assistant". */
	const char *author;
	/* Of gate/provenance.h's answer: by argument where its values stand; NULL: nothing
	 * is said of that. */
	const json_t *provenance;
	const char *args_digest, *plan_digest;
	int64_t asked_at_ms, expires_at_ms, good_for_ms;
	int64_t approvers_needed;
	bool four_eyes;
	const char *const *approvers; /* NULL-terminated */
	int64_t last_run_ms;          /* when the same call last ran; 0: never */
	const char *const *warnings;  /* the gate's own, NULL-terminated; may be NULL */
};

/* The prompt, a new object, and the digest of its canonical bytes. */
json_t *prompt_build(const struct prompt_input *in,
		     char ret_shown[static DIGEST_HEX_BYTES],
		     struct error *err) _must_use_;

/* The value of argument 'index' as its visible text says; for proving that what
 * is shown is what runs. New reference. */
json_t *prompt_argument_value(const json_t *prompt, size_t index,
			      struct error *err) _must_use_;
/* The whole arguments object as the texts of 'arguments' (defaults left out) and of
 * 'free_text', the server's left out, say: its canonical digest is the prompt's 'args'. New reference. */
json_t *prompt_arguments(const json_t *prompt, struct error *err) _must_use_;

#endif
