/*
 * provenance -- where the values of a proposal were said: by who asks, by somebody else,
 * in a playbook, a ticket, a log, or nowhere.
 *
 * The pieces of a conversation are added under who or what they are from; then each
 * argument is held against them, value by value (of lists and objects each one inside).
 * What stands in the requester's words as a whole (gate/provenance_match.h) is theirs.
 * Names that an answer of the people server gives to one person are theirs too, where they
 * said what was looked up; that is shown. For everything else it is said where it stands,
 * or that it stands nowhere. A duration may be said in words: "8h" is in "8 hours". A
 * truth value is nobody's words.
 *
 * This says where a value may come from, not why it is there: it is for people to look at.
 * It can only be as true as the labels of the pieces (docs/security.md). Pure.
 */
#ifndef GATE_PROVENANCE_H
#define GATE_PROVENANCE_H

#include "base/json.h"

enum provenance_kind {
	PROVENANCE_REQUESTER,
	PROVENANCE_RESOLVED, /* a lookup of what the requester said that named one person */
	PROVENANCE_PERSON,   /* 'label' is that person, as the gate knows persons */
	PROVENANCE_ASSISTANT,
	PROVENANCE_LOG,
	PROVENANCE_PLAYBOOK,
	PROVENANCE_TICKET,
	PROVENANCE_RESOURCE, /* whatever else was read */
	PROVENANCE_RESULT,   /* of a call that ran before */
	PROVENANCE_KINDS
};

enum {
	PROVENANCE_SOURCES_MAX = 96,
	PROVENANCE_BYTES_MAX = 512 * 1024, /* of all of them */
	PROVENANCE_LABEL_MAX = 200,
	PROVENANCE_VALUES_MAX =
		48,               /* of one call; what is more is said not to be traced */
	PROVENANCE_SHOWN_MAX = 8, /* lines beside one argument */
};

struct provenance;

struct provenance *provenance_new(void) _must_use_;
void provenance_free(struct provenance *p);
DEFINE_CLEANUP(struct provenance, provenance_free);

/* "person", "log", ...; false for an unknown word. */
bool provenance_kind_parse(const char *name, enum provenance_kind *ret);

/* A piece; 'label' names who or what ("" for the requester), of a RESOLVED one what was
 * looked up. ERR_INVALID_ARGUMENT past a maximum or for what is no UTF-8. */
bool provenance_add(struct provenance *p, enum provenance_kind kind, const char *label,
		    const char *text, size_t length, struct error *err);

/*
 * {arguments: {name: {from: [text], untrusted?: true}}, persons?: [label]}: of each
 * argument that is not all the requester's, in our words, where its values stand;
 * 'untrusted' where one of them neither the requester nor a lookup of what they said has.
 * 'persons' are those whose words stand in the arguments and are not the requester's too.
 * Texts are not made visible. New reference.
 */
json_t *provenance_judge(struct provenance *p, const json_t *arguments,
			 struct error *err) _must_use_;

#endif
