/*
 * schema -- JSON Schema, draft 2020-12: compiled once, asked often.
 *
 * A schema document becomes a tree that never changes, so any number of threads
 * may validate against it at once. All of the draft is here: references, anchors
 * static and dynamic, unevaluated members, vocabularies, custom metaschemas.
 * A document is first checked against the metaschema it names; an unknown
 * dialect, a wrong type, a bad pattern, a reference that leads nowhere or in a
 * circle are refused by schema_compile, never by silence.
 *
 * References reach the document itself, the documents of a schema_set and the
 * draft's own metaschemas, which are compiled in. Never the network.
 *
 * Whatever strangers can grow has its maximum below. Validation that meets one
 * says "too complex" and fails. Layer wire; knows nothing of HTTP or tools.
 */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include <jansson.h>

#include "base/error.h"

enum {
	SCHEMA_NESTING_MAX = 64, /* JSON levels of a schema document */
	SCHEMA_NODES_MAX =
		20000,          /* subschemas of one compiled schema, remotes included */
	SCHEMA_DEPTH_MAX = 768, /* subschemas being applied at one time */
	SCHEMA_STEPS_MAX = 8000000, /* subschemas applied and values compared, in total */
	SCHEMA_PATTERN_MAX = 4096,  /* bytes of a regular expression */
	SCHEMA_PATTERN_TEXT_MAX = 1 << 20, /* bytes of a text held against one */
	SCHEMA_PATTERN_MS = 500, /* spent in regular expressions by one validation */
};

/* Documents that references may lead to, and the metaschemas compiled so far. A set
 * belongs to one thread at a time; the schemas compiled with it do not need it. */
struct schema_set;

struct schema_set *schema_set_new(void); /* NULL without memory */
void schema_set_free(struct schema_set *set);
DEFINE_CLEANUP(struct schema_set, schema_set_free);

/* Make 'document' known as 'uri' (absolute, no fragment). It is copied; whether it is
 * a sound schema shows when something refers to it. The same URI twice is ERR_CONFLICT. */
bool schema_set_add(struct schema_set *set, const char *uri, const json_t *document,
		    struct error *err);

struct schema;

enum schema_flag {
	/* 'format' decides, where the draft has it as an annotation. All formats of the
	 * draft are known; a name that is not of the draft remains an annotation. */
	SCHEMA_ASSERT_FORMAT = 1,
	/* The document was held against its metaschema before, as whatever is compiled in
	 * was when the project was built. What it says must still make sense. */
	SCHEMA_PROVEN = 2,
};

/*
 * Compile 'document', which is copied. 'set' may be NULL, and so may 'base_uri',
 * the place the document came from. 'flags' are of enum schema_flag. A document
 * without $schema is one of draft 2020-12.
 * ERR_INVALID_ARGUMENT says what is wrong and where in the document.
 */
struct schema *schema_compile(struct schema_set *set, const json_t *document,
			      const char *base_uri, unsigned flags,
			      struct error *err) _must_use_;
void schema_free(struct schema *schema);
DEFINE_CLEANUP(struct schema, schema_free);

/* Whether a pattern of it is left to ICU (base/text.h). */
bool schema_needs_icu(const struct schema *schema);

/*
 * What an instance did wrong. Pointers are JSON Pointers; what is too long for its
 * field is cut between characters and ends with "...". Values of the instance are
 * never quoted, so a fault can be logged; names of its members are, in visible form.
 */
struct schema_fault {
	char instance[256]; /* where in the instance: "/items/0/name", "" for all of it */
	char schema[256];   /* the rule: "#/properties/name/minLength" */
	char keyword[24];   /* "minLength"; "" when a limit above was met */
	char member
		[128]; /* a member that lacks ('required') or has a bad name, as it is */
	char message
		[256]; /* "must be at least 3 characters"; reads well after a field's name */
};

/* Whether 'instance' conforms. If not, the first fault goes to 'ret_fault' (may be NULL).
 * The instance must not be changed meanwhile. */
bool schema_validate(const struct schema *schema, const json_t *instance,
		     struct schema_fault *ret_fault);

/* Up to 'capacity' (at least 1) faults, at most one for each rule and place; 0 means
 * that the instance conforms. For forms, which show each fault at its field. */
size_t schema_validate_all(const struct schema *schema, const json_t *instance,
			   struct schema_fault *ret_faults, size_t capacity);

#endif
