/*
 * pins_compare -- a set of tools, and how two of them differ: private to pins.
 */
#ifndef GATE_PINS_COMPARE_H
#define GATE_PINS_COMPARE_H

#include "guard/plan.h"
#include "mcp/definition.h"

struct pin_set {
	struct tool_definition **tools; /* by name */
	size_t count;
};

void pin_set_done(struct pin_set *s);
/* Takes 'd' even on failure. A name that is there already is ERR_INVALID_ARGUMENT. */
bool pin_set_add(struct pin_set *s, struct tool_definition *d, struct error *err);
/* From an array as tools/list gives it, each fully checked. */
bool pin_set_read(struct pin_set *s, const char *server, const json_t *tools,
		  struct error *err);
const struct tool_definition *pin_set_find(const struct pin_set *s, const char *name);
json_t *pin_set_json(const struct pin_set *s) _must_use_;
/* Over names and pins. */
bool pin_set_digest(const struct pin_set *s, char ret_hex[static DIGEST_HEX_BYTES],
		    struct error *err);

/* [{tool, what}], what in words: "added", "removed", "changed: inputSchema, _meta". */
json_t *pin_set_differences(const struct pin_set *was,
			    const struct pin_set *now) _must_use_;
/*
 * One effect a difference; of a changed tool one for each member that differs, in as many
 * parts as it takes, and of a new one each member. Not 'whole': of a new tool its pin, and
 * of a member too long for one text the digest.
 */
void pin_set_effects(const struct pin_set *was, const struct pin_set *now,
		     const char *server, bool whole, struct plan *plan);

/* Letters to change, add or drop (Levenshtein), up to 160 letters. */
size_t pin_name_distance(const char *a, const char *b);

#endif
