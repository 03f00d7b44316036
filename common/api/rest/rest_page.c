#include "api/rest/rest_page.h"

#include <string.h>
#include <strings.h>

struct cursor {
	const char *at;
};

static void skip_spaces(struct cursor *c)
{
	c->at += strspn(c->at, " \t");
}

/* A token or a quoted text; what stands behind '='. Only "next" is of interest, so that
 * escapes need not be undone: with one it is another word. */
static bool read_value(struct cursor *c, const char **ret, size_t *ret_length)
{
	if (*c->at != '"') {
		*ret = c->at;
		*ret_length = strcspn(c->at, " \t,;\"");
		c->at += *ret_length;
		return *ret_length > 0;
	}
	*ret = ++c->at;
	for (; *c->at && *c->at != '"'; c->at++)
		if (*c->at == '\\' && c->at[1])
			c->at++;
	*ret_length = (size_t)(c->at - *ret);
	return *c->at++ == '"';
}

/* Whether "next" is one of the words of a relation. */
static bool names_next(const char *words, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t word = strcspn(words + i, " \t");
		if (word > length - i)
			word = length - i;
		if (word == 4 && strncasecmp(words + i, "next", 4) == 0)
			return true;
		i += word + 1;
	}
	return false;
}

/* The parameters behind a target. Only the first rel counts (RFC 8288, 3.3). */
static bool read_parameters(struct cursor *c, bool *ret_next)
{
	bool has_rel = false;

	*ret_next = false;
	for (skip_spaces(c); *c->at == ';'; skip_spaces(c)) {
		const char *value;
		size_t length;

		c->at++;
		skip_spaces(c);
		const char *name = c->at;
		const size_t name_bytes = strcspn(name, " \t=,;\"<>");
		c->at += name_bytes;
		skip_spaces(c);
		if (*c->at != '=') {
			if (name_bytes == 0)
				return false;
			continue;
		}
		c->at++;
		skip_spaces(c);
		if (name_bytes == 0 || !read_value(c, &value, &length))
			return false;
		if (name_bytes == 3 && strncasecmp(name, "rel", 3) == 0 && !has_rel) {
			has_rel = true;
			*ret_next = names_next(value, length);
		}
	}
	return true;
}

bool rest_page_next(const char *header, struct strbuf *ret, struct error *err)
{
	struct cursor c = { header };
	const char *next = NULL;
	size_t next_bytes = 0;

	for (;;) {
		bool is_next;

		c.at += strspn(c.at, " \t,");
		if (*c.at == '\0')
			break;
		const char *target = c.at + 1;
		const char *end = *c.at == '<' ? strchr(target, '>') : NULL;
		if (!end)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the Link header is none");
		c.at = end + 1;
		if (!read_parameters(&c, &is_next) || (*c.at && *c.at != ','))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the Link header is none");
		if (!is_next)
			continue;
		if (next)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the Link header names two next pages");
		next = target;
		next_bytes = (size_t)(end - target);
	}
	if (next)
		strbuf_add(ret, next, next_bytes);
	return strbuf_ok(ret) || error_oom(err);
}
