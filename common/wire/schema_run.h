/*
 * schema_run -- one validation under way.
 *
 * A run either asks "yes or no", where the first fault ends it, or reports, where
 * faults are written down until the report is full. Functions that check return
 * whether to go on; whether all was well is told by comparing 'faults' before and
 * after. A run that has met a limit is stopped: everything says no from then on,
 * and so does the validation, whatever a 'not' may have made of it. Private to
 * the schema files.
 */
#ifndef WIRE_SCHEMA_RUN_H
#define WIRE_SCHEMA_RUN_H

#include "wire/schema_tree.h"

/* Where in the instance; on the stack, innermost first. NULL is the whole instance. */
struct path {
	const struct path *outer;
	const char *key; /* NULL for an item */
	size_t key_length;
	size_t index;
};

/* The resources entered on the way here, innermost first. */
struct scope {
	const struct scope *outer;
	const struct resource *resource;
};

struct report {
	struct schema_fault *faults;
	size_t capacity;
	size_t count;
	/* Of the first fault, to weigh alternatives by. */
	size_t first_depth;
	const char *first_keyword;
};

enum stop { STOP_NOT, STOP_TOO_COMPLEX, STOP_NO_MEMORY };

struct run {
	const struct schema *schema;
	struct report *report; /* NULL: yes or no */
	const struct scope *scope;
	size_t faults;
	unsigned steps_left;
	unsigned depth_left;
	enum stop stop;
	int64_t pattern_deadline_ms; /* 0: no pattern met yet */
};

/*
 * Which members or items of one value are evaluated, for 'unevaluated...'. NULL
 * where nobody will ask. What a failing subschema has marked is void: whoever goes
 * on after a failure hands in a set of its own and joins it after success.
 */
struct evaluated {
	uint64_t *bits;
	size_t count;
	uint64_t few[2];
};

bool evaluated_init(struct evaluated *set, size_t count); /* false without memory */
void evaluated_done(struct evaluated *set);
void evaluated_join(struct evaluated *set, const struct evaluated *more);

static inline void evaluated_mark(struct evaluated *set, size_t index)
{
	set->bits[index / 64] |= UINT64_C(1) << index % 64;
}

static inline bool evaluated_has(const struct evaluated *set, size_t index)
{
	return set->bits[index / 64] >> index % 64 & 1;
}

/* ---- schema_validate.c ---- */

/* Apply 'node'. True when 'value' conforms. */
bool run_node(struct run *run, const struct node *node, json_t *value,
	      const struct path *path, struct evaluated *evaluated);
/* The same for a question whose "no" is no fault: nothing is counted or reported. */
bool run_quietly(struct run *run, const struct node *node, json_t *value,
		 const struct path *path, struct evaluated *evaluated);
/* Stop the run. Returns false. */
bool run_stop(struct run *run, enum stop stop);
/* Search, within the limits of the run; true when found. */
bool run_pattern(struct run *run, const struct regex *regex, const char *text,
		 size_t length);

/* The parts; each returns whether to go on. */
bool run_logic(struct run *run, const struct node *node, json_t *value,
	       const struct path *path, struct evaluated *evaluated);
bool run_object(struct run *run, const struct node *node, json_t *value,
		const struct path *path, struct evaluated *evaluated);
bool run_array(struct run *run, const struct node *node, json_t *value,
	       const struct path *path, struct evaluated *evaluated);
bool run_number(struct run *run, const struct node *node, const json_t *value,
		const struct path *path);
bool run_string(struct run *run, const struct node *node, const json_t *value,
		const struct path *path);
bool run_unevaluated_properties(struct run *run, const struct node *node, json_t *value,
				const struct path *path, struct evaluated *evaluated);
bool run_unevaluated_items(struct run *run, const struct node *node, json_t *value,
			   const struct path *path, struct evaluated *evaluated);

/* ---- schema_fault.c ---- */

/* Count a fault of 'keyword', and report it if there is a report. Returns whether to go on. */
bool fault(struct run *run, const struct node *node, const struct path *path,
	   const char *keyword, const char *format, ...) _printf_(5, 6);
/* The same about a member that is not there, or whose name is at fault; the sentence is
 * "<before> '<name>'<after>". */
bool fault_member(struct run *run, const struct node *node, const struct path *path,
		  const char *keyword, const char *name, size_t length,
		  const char *before, const char *after);
bool fault_type(struct run *run, const struct node *node, const struct path *path);
bool fault_enum(struct run *run, const struct node *node, const struct path *path);
/* No alternative of 'list' fits: tell what is wrong with the one that was probably meant. */
bool fault_alternatives(struct run *run, const struct node *node,
			const struct node_list *list, json_t *value,
			const struct path *path, const char *keyword);
/* The run was stopped. */
void fault_stopped(enum stop stop, struct schema_fault *ret);

#endif
