/*
 * weights -- the numbers of the ranking, in one place.
 *
 * BM25F: a word's occurrences are weighed by the field they stand in and by the field's
 * length, added up, and saturated by K1. Found by measuring with half of the judged
 * queries and looking at the other half; flat around where they are, so that another
 * corpus should not mind.
 */
#ifndef PLAYBOOKS_WEIGHTS_H
#define PLAYBOOKS_WEIGHTS_H

enum field {
	FIELD_BODY,
	FIELD_HEADING,
	FIELD_PATH,
	FIELD_TITLE,
	FIELD_NAME,
	FIELD_COUNT
};

struct field_weight {
	double weight;
	double b; /* how much its length counts */
};

struct weights {
	double k1;
	struct field_weight section[FIELD_COUNT], document[FIELD_COUNT];
};

extern const struct weights weights_default;

#endif
