/*
 * provenance_match -- whether a value stands in a text as a whole, in one normal form.
 *
 * Texts and values are compared without regard to case (accents stay: they make another
 * identifier), and with every run of white space as one space. A value stands there as a
 * whole where neither side goes on with a letter or a digit, nor with one of . - _ @ / +
 * and a letter or digit behind it: "john.doe" is not in "john.doe2" nor in
 * "john.doe@example.test", and is in "block john.doe." and in "<@john.doe>". What consists
 * of digits, or has a colon, is cut by no colon either. Pure.
 */
#ifndef GATE_PROVENANCE_MATCH_H
#define GATE_PROVENANCE_MATCH_H

#include "base/error.h"
#include "base/strbuf.h"

/* Append the normal form. ERR_INVALID_ARGUMENT for what is no UTF-8. */
bool provenance_fold(struct strbuf *sb, const char *text, size_t length,
		     struct error *err);

enum provenance_match {
	PROVENANCE_ABSENT,
	PROVENANCE_WITHIN, /* only inside of longer words */
	PROVENANCE_WHOLE,
};

/* Both in normal form. An empty value stands nowhere. */
enum provenance_match provenance_match(const struct strbuf *text,
				       const struct strbuf *value);

#endif
