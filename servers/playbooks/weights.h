/*
 * weights -- the numbers of the ranking, in one place.
 *
 * BM25F: a word's occurrences are weighed by the field they stand in and by the field's
 * length, added up, and saturated by K1. Found by measuring: of 500 random sets of numbers
 * those that were best on two of the judged sets were tried on the third. The numbers are
 * the middle of what does no judged set any harm (K1 from 2.5 to 3.5, sections from 0.8 to
 * 1.3), not the best of any, so that another corpus should not mind.
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
