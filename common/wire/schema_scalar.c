/* Numbers and texts. */
#include "wire/schema_run.h"

static bool number_fault(struct run *run, const struct node *node,
			 const struct path *path, const char *keyword, const char *what,
			 const json_t *limit)
{
	char text[NUMBER_TEXT_BYTES];

	return fault(run, node, path, keyword, "must be %s %s", what,
		     number_text(limit, text));
}

bool run_number(struct run *run, const struct node *node, const json_t *value,
		const struct path *path)
{
	const struct number_rules *n = node->number;

	if (n->minimum && number_compare(value, n->minimum) < 0 &&
	    !number_fault(run, node, path, "minimum", "at least", n->minimum))
		return false;
	if (n->exclusive_minimum && number_compare(value, n->exclusive_minimum) <= 0 &&
	    !number_fault(run, node, path, "exclusiveMinimum", "more than",
			  n->exclusive_minimum))
		return false;
	if (n->maximum && number_compare(value, n->maximum) > 0 &&
	    !number_fault(run, node, path, "maximum", "at most", n->maximum))
		return false;
	if (n->exclusive_maximum && number_compare(value, n->exclusive_maximum) >= 0 &&
	    !number_fault(run, node, path, "exclusiveMaximum", "less than",
			  n->exclusive_maximum))
		return false;
	return !n->multiple_of ||
	       decimal_is_multiple(number_decimal(value), n->divisor) ||
	       number_fault(run, node, path, "multipleOf", "a multiple of",
			    n->multiple_of);
}

/* Characters are code points. */
static size_t count_characters(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

static bool run_length(struct run *run, const struct node *node, const char *text,
		       size_t length, const struct path *path)
{
	const struct string_rules *s = node->string;
	size_t characters = length;

	/* A character has one to four bytes: often those tell enough. */
	if (length > s->max_length || length / 4 < s->min_length)
		characters = count_characters(text, length);
	if (characters < s->min_length && characters == 0)
		return fault(run, node, path, "minLength", "must not be empty");
	if (characters < s->min_length &&
	    !fault(run, node, path, "minLength", "must be at least %zu characters",
		   s->min_length))
		return false;
	return characters <= s->max_length ||
	       fault(run, node, path, "maxLength", "must be at most %zu character%s",
		     s->max_length, s->max_length == 1 ? "" : "s");
}

bool run_string(struct run *run, const struct node *node, const json_t *value,
		const struct path *path)
{
	const struct string_rules *s = node->string;
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (!run_length(run, node, text, length, path))
		return false;
	if (s->pattern && !run_pattern(run, s->pattern, text, length)) {
		if (run->stop || !fault(run, node, path, "pattern",
					"must match the pattern %s", s->pattern_text))
			return false;
	}
	return !s->format || s->format->is_valid(text, length) ||
	       fault(run, node, path, "format", "must be %s", s->format->description);
}
