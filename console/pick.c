#include "console/pick.h"

#include "base/text.h"
#include "console/terminal.h"

enum { PICK_MAX = 20 };

static const json_t *candidates_of(const json_t *record)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const char *code = json_get_string(error, "code");

	return code && strcmp(code, "ambiguous") == 0
		       ? json_object_get(json_object_get(error, "details"), "candidates")
		       : NULL;
}

static void add_member(struct strbuf *sb, const json_t *candidate, const char *name)
{
	const char *text = json_get_string(candidate, name);

	if (!text || !*text)
		return;
	strbuf_add_string(sb, ", ");
	text_visible(sb, text, strlen(text));
}

/* Those that can be picked, numbered; how many. */
static size_t list(const json_t *candidates, const json_t *choices[static PICK_MAX],
		   struct strbuf *question)
{
	const json_t *candidate;
	size_t count = 0, i;

	json_array_foreach(candidates, i, candidate)
	{
		const json_t *choice = json_object_get(candidate, "choice");
		const char *name = json_get_string(candidate, "display_name");

		if (!json_is_object(choice) || count == PICK_MAX)
			continue;
		choices[count++] = choice;
		strbuf_add_format(question, "%zu. ", count);
		if (name)
			text_visible(question, name, strlen(name));
		add_member(question, candidate, "email");
		add_member(question, candidate, "identifier");
		add_member(question, candidate, "kind");
		add_member(question, candidate, "status");
		strbuf_add_char(question, '\n');
	}
	return count;
}

json_t *pick_candidate(const json_t *record)
{
	_cleanup_(terminal_closep) struct terminal *t = NULL;
	_cleanup_strbuf_ struct strbuf question = STRBUF_INIT;
	const json_t *choices[PICK_MAX] = { NULL };
	struct error ignored = ERROR_INIT;
	_cleanup_free_ char *line = NULL;
	size_t count = list(candidates_of(record), choices, &question);
	char *end = NULL;
	unsigned long n;

	if (count == 0 || !(t = terminal_open(&ignored)))
		return NULL;
	strbuf_add_format(&question, "Who is meant (1 to %zu, or nothing)? ", count);
	if (!strbuf_ok(&question))
		return NULL;
	line = terminal_read_line(t, question.data);
	if (!line || line[0] < '1' || line[0] > '9')
		return NULL;
	n = strtoul(line, &end, 10);
	return *end == '\0' && n <= count ? json_deep_copy(choices[n - 1]) : NULL;
}
