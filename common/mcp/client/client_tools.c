#include "base/canonical.h"
#include "base/log.h"
#include "mcp/client/client_private.h"
#include "mcp/param_headers.h"

/* Sorted by name. */
struct client_tools {
	size_t count;
	struct note {
		char *name;
		struct param_headers *headers; /* NULL: none */
		json_t *output;                /* its outputSchema; NULL: none */
		char pin[DIGEST_HEX_BYTES];    /* "": what it is has no canonical form */
	} notes[];
};

void client_tools_free(struct client_tools *t)
{
	for (size_t i = 0; t && i < t->count; i++) {
		free(t->notes[i].name);
		param_headers_free(t->notes[i].headers);
		json_decref(t->notes[i].output);
	}
	free(t);
}
DEFINE_CLEANUP(struct client_tools, client_tools_free);

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct note *)a)->name, ((const struct note *)b)->name);
}

static const struct note *find(const struct client_tools *t, const char *name)
{
	size_t from = 0, to = t ? t->count : 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(name, t->notes[middle].name);

		if (order == 0)
			return &t->notes[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* Of two of one name nobody could say which is called; the first one counts. */
static bool is_first(json_t *names, const char *name, struct error *why)
{
	if (json_object_get(names, name))
		return error_set(why, ERR_INVALID_ARGUMENT,
				 "the server lists two tools of one name");
	return json_object_set_new(names, name, json_true()) == 0 || error_oom(why);
}

/* False: the tool must not be used, and 'why' says so. 'names' are those so far. */
static bool note_tool(struct client_tools *t, json_t *names, const json_t *tool,
		      bool over_http, struct error *why)
{
	const char *name = json_get_string(tool, "name");
	struct param_headers *headers = NULL;
	struct error ignored = ERROR_INIT;

	/* What has no name cannot be called, and is the caller's to judge. */
	if (!name)
		return true;
	if (!is_first(names, name, why))
		return false;
	if (over_http) {
		headers = param_headers_new(json_object_get(tool, "inputSchema"), why);
		if (!headers)
			return false;
		if (param_headers_count(headers) == 0) {
			param_headers_free(headers);
			headers = NULL;
		}
	}
	struct note *note = &t->notes[t->count];
	note->headers = headers;
	if (!(note->name = strdup(name))) {
		param_headers_free(headers);
		return error_oom(why);
	}
	const json_t *output = json_object_get(tool, "outputSchema");
	note->output = output ? json_deep_copy(output) : NULL;
	if (output && !note->output) {
		free(note->name);
		param_headers_free(headers);
		return error_oom(why);
	}
	if (!canonical_digest(tool, note->pin, &ignored))
		note->pin[0] = '\0';
	t->count++;
	return true;
}

bool client_tools_learn(struct mcp_client *c, json_t *tools, struct error *err)
{
	_cleanup_(client_tools_freep) struct client_tools *t =
		calloc(1, sizeof *t + json_array_size(tools) * sizeof t->notes[0]);

	json_auto_t *names = json_object();

	if (!t || !names)
		return error_oom(err);
	for (size_t i = 0; i < json_array_size(tools);) {
		struct error why = ERROR_INIT;

		if (note_tool(t, names, json_array_get(tools, i), c->url != NULL, &why)) {
			i++;
			continue;
		}
		log_failure("mcp_tool_left_out", &why);
		(void)json_array_remove(tools, i);
	}
	qsort(t->notes, t->count, sizeof t->notes[0], compare);
	(void)pthread_mutex_lock(&c->lock);
	struct client_tools *before = c->tools;
	c->tools = TAKE(t);
	(void)pthread_mutex_unlock(&c->lock);
	client_tools_free(before);
	return true;
}

void client_tools_mirror(struct mcp_client *c, const char *tool, const char *arguments,
			 struct strbuf *sb)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *value = NULL;

	(void)pthread_mutex_lock(&c->lock);
	const struct note *note = find(c->tools, tool);
	if (note && note->headers && arguments)
		value = json_parse(arguments, strlen(arguments), JSON_SYNTAX, &ignored);
	if (value)
		param_headers_write(note->headers, value, sb);
	(void)pthread_mutex_unlock(&c->lock);
}

bool client_tools_output(struct mcp_client *c, const char *tool, json_t **ret)
{
	(void)pthread_mutex_lock(&c->lock);
	const struct note *note = find(c->tools, tool);
	bool has_output = note && note->output;
	*ret = has_output ? json_deep_copy(note->output) : NULL;
	(void)pthread_mutex_unlock(&c->lock);
	return *ret || !has_output;
}

bool mcp_client_pin(struct mcp_client *c, const char *tool,
		    char ret[static DIGEST_HEX_BYTES])
{
	(void)pthread_mutex_lock(&c->lock);
	const struct note *note = find(c->tools, tool);
	bool known = note && note->pin[0];
	if (known)
		memcpy(ret, note->pin, sizeof note->pin);
	(void)pthread_mutex_unlock(&c->lock);
	return known;
}
