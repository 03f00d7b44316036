/*
 * toolset -- the tools and people of a file of records. For tests.
 *
 * {servers: {SERVER: {TOOL: {risk, input: "name, other?, list[]?"}}}, people: {ID: words}},
 * an excerpt of the catalogue. A tool that this build has a schema for has that, but for
 * what it declares of its results: those are the record's. Any other gets one made of its
 * input line and the catalogue's conventions: nothing unknown, nothing of another type, reasons of 3 to 500 characters, times, durations, addresses and
 * ports as they are written there, and never more than limits allow.
 */
#ifndef TESTS_REPLAY_TOOLSET_H
#define TESTS_REPLAY_TOOLSET_H

#include "base/json.h"

enum { TOOLSET_PEOPLE_MAX = 64 };

struct toolset_person {
	char slack[65];
	char principal[129];
	int uid; /* that stands for this person at the gate */
	bool in_team, may_approve;
};

struct toolset {
	json_t *servers; /* {server: [tool as tools/list gives it]} */
	struct toolset_person people[TOOLSET_PEOPLE_MAX];
	size_t people_count;
	bool four_eyes;
	json_t *wanted; /* {server: ...} that a record names; NULL: all */
	const json_t
		*resources; /* what a record's servers let be read (full.py); borrowed */
};

bool toolset_read(const json_t *json, struct toolset *ret, struct error *err);
void toolset_done(struct toolset *t);

struct toolset_person *toolset_find(struct toolset *t, const char *slack);

#endif
