#include "console/complete.h"

struct search {
	const char *word;
	size_t length;
	struct complete_result *found;
};

/* What is drawn beside the cursor must be what it looks like. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static void offer(struct search *s, const char *word)
{
	struct complete_result *r = s->found;
	char *copy;

	if (!word || strncmp(word, s->word, s->length) != 0 || !is_plain(word) ||
	    r->count == COMPLETE_MAX)
		return;
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->word[i], word) == 0)
			return;
	copy = strdup(word);
	if (copy)
		r->word[r->count++] = copy;
}

static void offer_commands(struct search *s, const struct complete_source *source)
{
	for (size_t i = 0; i < source->command_count; i++)
		offer(s, source->commands[i].name);
}

static void offer_tools(struct search *s, const struct complete_source *source)
{
	size_t i, k;
	json_t *server, *tool;

	json_array_foreach(source->servers, i, server)
	{
		json_array_foreach(json_object_get(server, "tools"), k, tool)
		{
			const char *server_name = json_get_string(server, "name");
			const char *name = json_get_string(tool, "name");
			_cleanup_strbuf_ struct strbuf full = STRBUF_INIT;

			if (!server_name || !name)
				continue;
			strbuf_add_format(&full, "%s.%s", server_name, name);
			offer(s, full.data);
		}
	}
}

static void offer_members(struct search *s, const json_t *list, const char *member)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		offer(s, json_get_string(item, member));
	}
}

static enum complete_kind kind_of(const struct complete_source *source, const char *line,
				  size_t before)
{
	size_t first = strcspn(line, " ");

	if (before == 0)
		return line[0] == '/' ? COMPLETE_COMMAND : COMPLETE_TOOL;
	/* Only the first word after a command is a name. */
	for (size_t at = first; at < before; at++)
		if (line[at] != ' ')
			return COMPLETE_NOTHING;
	for (size_t i = 0; i < source->command_count; i++)
		if (strlen(source->commands[i].name) == first &&
		    memcmp(source->commands[i].name, line, first) == 0)
			return source->commands[i].operand;
	return COMPLETE_NOTHING;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t common_length(const struct complete_result *r)
{
	const char *first = r->word[0], *last = r->word[r->count - 1];
	size_t n = 0;

	while (first[n] && first[n] == last[n])
		n++;
	return n;
}

void complete_line(const struct complete_source *source, const char *line,
		   struct complete_result *ret)
{
	const char *space;
	struct search s = { .found = ret };

	*ret = (struct complete_result){ 0 };
	line += strspn(line, " ");
	space = strrchr(line, ' ');
	s.word = space ? space + 1 : line;
	s.length = ret->typed = strlen(s.word);
	switch (kind_of(source, line, (size_t)(s.word - line))) {
	case COMPLETE_NOTHING:
		break;
	case COMPLETE_COMMAND:
		offer_commands(&s, source);
		break;
	case COMPLETE_TOOL:
		offer_tools(&s, source);
		break;
	case COMPLETE_SERVER:
		offer_members(&s, source->servers, "name");
		break;
	case COMPLETE_ID:
		offer_members(&s, source->approvals, "id");
		break;
	}
	if (ret->count == 0)
		return;
	qsort(ret->word, ret->count, sizeof ret->word[0], by_text);
	ret->common = common_length(ret);
}

void complete_done(struct complete_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->word[i]);
	r->count = 0;
}
