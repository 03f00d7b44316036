/*
 * decide -- show a prompt on the controlling terminal and take a person's answer.
 *
 * "approve" and the first four digits of the prompt's digest say yes; "deny",
 * with or without a reason, says no; anything else leaves it pending. The digest
 * that goes to the gate is computed here over what was drawn.
 */
#ifndef CONSOLE_DECIDE_H
#define CONSOLE_DECIDE_H

#include "console/console.h"
#include "base/digest.h"
#include "console/gate_link.h"
#include "console/terminal.h"

/* The gate refuses what comes within a second of asking. */
enum { DECIDE_READ_FIRST_MS = 1100 };

enum answer { ANSWER_LATER, ANSWER_APPROVED, ANSWER_DENIED, ANSWER_REFUSED };

/* 'record' is what the gate's show said. ANSWER_REFUSED: the gate did not take
 * the decision, 'err' says why. 'only' restricts the question: "approve", "deny" or NULL. */
enum answer decide_ask(struct console *c, struct gate_link *g, const json_t *record,
		       const char *only, struct error *err);

enum drawn { DRAWN, DRAWN_NOT_READ, DRAWN_NOT };
/* Only the prompt: drawn whole, and 'digest' over what was drawn. */
enum drawn decide_draw(const struct console *c, struct terminal *t, const json_t *prompt,
		       char digest[static DIGEST_HEX_BYTES], struct error *err);
/* The person's PIN as a JSON text, NULL when none was given. */
json_t *decide_read_pin(struct terminal *t) _must_use_;

/* Wait until the approval has ended (or 'timeout_ms' passed: ERR_TIMEOUT); the last record. */
json_t *decide_wait(struct gate_link *g, const char *approval, int64_t timeout_ms,
		    bool until_pending, struct error *err) _must_use_;

/* After a yes: whether others must say yes too, or a client repeat its call, before
 * anything runs; then it is said. */
bool decide_say_what_is_missing(const struct console *c, struct gate_link *g,
				const char *approval);

/* What is known of a call that was sent and not answered; nothing for any other. */
void decide_say_unanswered(const json_t *record, FILE *to);

/* Print how it ended (result's text or error) and give the exit status. */
int decide_report(const struct console *c, const json_t *record);
bool decide_is_over(const char *state);

#endif
