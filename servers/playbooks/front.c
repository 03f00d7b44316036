#include "servers/playbooks/front.h"

#include <ctype.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"

static const char bom[] = "\xef\xbb\xbf";

/* The line that begins at 'at': its length without its end, and where the next begins. */
static size_t line_length(const char *source, size_t length, size_t at, size_t *ret_next)
{
	const char *newline = memchr(source + at, '\n', length - at);
	size_t n = newline ? (size_t)(newline - source) - at : length - at;

	*ret_next = newline ? at + n + 1 : length;
	while (n > 0 && isspace((unsigned char)source[at + n - 1]))
		n--;
	return n;
}

static bool is_line(const char *source, size_t at, size_t n, const char *wanted)
{
	return n == strlen(wanted) && memcmp(source + at, wanted, n) == 0;
}

static void parse(const char *text, size_t length, struct front *ret)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *c = NULL;

	if (!text_is_utf8(text, length))
		error_set(&err, ERR_INVALID_ARGUMENT, "front matter: it is no UTF-8");
	else
		c = config_parse("front matter", text, length, &err);
	if (c && json_is_object(config_root(c)))
		ret->root = json_incref(config_root(c));
	else if (!c)
		(void)snprintf(ret->fault, sizeof ret->fault, "%s", err.message);
}

void front_read(const char *source, size_t length, struct front *ret)
{
	size_t at = length >= 3 && memcmp(source, bom, 3) == 0 ? 3 : 0, next;

	*ret = (struct front){ .end = at };
	if (!is_line(source, at, line_length(source, length, at, &next), "---"))
		return;
	const size_t start = next;
	for (at = start; at < length && at - start <= FRONT_BYTES_MAX; at = next) {
		const size_t n = line_length(source, length, at, &next);

		if (!is_line(source, at, n, "---") && !is_line(source, at, n, "..."))
			continue;
		ret->end = next;
		if (at > start)
			parse(source + start, at - start, ret);
		return;
	}
}

void front_done(struct front *f)
{
	json_decref(f->root);
	*f = (struct front){ 0 };
}

const char *front_title(const struct front *f)
{
	const char *title = f->root ? json_get_string(f->root, "title") : NULL;

	return title && *title ? title : NULL;
}

static bool has(const json_t *tags, const char *tag)
{
	const json_t *one;
	size_t i;

	json_array_foreach(tags, i, one)
	{
		if (strcmp(json_string_value(one), tag) == 0)
			return true;
	}
	return false;
}

static bool add_tag(json_t *tags, const char *text, size_t length)
{
	char tag[FRONT_TAG_BYTES_MAX + 1];

	while (length > 0 && isspace((unsigned char)*text))
		text++, length--;
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	if (length == 0 || length > FRONT_TAG_BYTES_MAX ||
	    json_array_size(tags) >= FRONT_TAGS_MAX)
		return true;
	for (size_t i = 0; i < length; i++)
		tag[i] = (char)tolower((unsigned char)text[i]);
	tag[length] = '\0';
	return has(tags, tag) || json_array_append_new(tags, json_string(tag)) == 0;
}

static bool add_listed(json_t *tags, const char *text)
{
	while (text) {
		const char *comma = strchr(text, ',');

		if (!add_tag(tags, text, comma ? (size_t)(comma - text) : strlen(text)))
			return false;
		text = comma ? comma + 1 : NULL;
	}
	return true;
}

json_t *front_tags(const struct front *f)
{
	static const char *const members[] = { "tags", "labels", "categories" };
	json_auto_t *tags = json_array();
	const json_t *one;
	size_t i;

	for (size_t m = 0; tags && f->root && m < ARRAY_SIZE(members); m++) {
		const json_t *value = json_object_get(f->root, members[m]);

		if (json_is_string(value) && !add_listed(tags, json_string_value(value)))
			return NULL;
		json_array_foreach(value, i, one)
		{
			if (json_is_string(one) && !add_tag(tags, json_string_value(one),
							    json_string_length(one)))
				return NULL;
		}
	}
	return TAKE(tags);
}
