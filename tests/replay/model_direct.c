#include "replay/model.h"

struct model {
	struct model_hooks hooks;
	void *context;
	json_t *read; /* nothing, ever */
};

struct model *model_new(struct world *w, const char *requester, const char *channel,
			const struct model_hooks *hooks, void *context, struct error *err)
{
	struct model *m = calloc(1, sizeof *m);

	(void)w, (void)requester, (void)channel;
	if (!m) {
		error_oom(err);
		return NULL;
	}
	*m = (struct model){ *hooks, context, json_array() };
	return m;
}

void model_free(struct model *m)
{
	if (m)
		json_decref(m->read);
	free(m);
}

const char *model_lacks(const json_t *record)
{
	const json_t *expect = json_object_get(record, "expect");
	static const char *const of_full[] = { "read", "told", "not_told" };

	if (json_object_get(json_object_get(record, "setup"), "resources"))
		return "it reads context, which --full alone does";
	for (size_t i = 0; i < ARRAY_SIZE(of_full); i++)
		if (json_object_get(expect, of_full[i]))
			return "it expects something of a provider, which --full alone "
			       "has";
	return NULL;
}

const json_t *model_read(const struct model *m)
{
	return m->read;
}

/* As the worker says it: two or more, and nothing besides. */
static json_t *unfold(const json_t *call)
{
	const char *name = json_get_string(call, "name");
	json_t *said = json_copy((json_t *)(uintptr_t)call);
	const json_t *arguments = json_object_get(call, "arguments");
	json_t *calls = json_object_get(arguments, "calls");

	if (name && strcmp(name, MODEL_TOGETHER) == 0 && json_array_size(calls) > 1 &&
	    json_object_size(arguments) == 1)
		(void)json_object_set(said, "calls", calls);
	return said;
}

static void speak(struct model *m, const json_t *output)
{
	const json_t *text = json_object_get(output, "text");
	size_t i;
	json_t *call;

	if (json_is_string(text) && json_string_length(text) > 0)
		m->hooks.said(m->context, json_string_value(text));
	json_array_foreach(json_object_get(output, "tool_calls"), i, call)
	{
		char approval[RECORD_ID_BYTES];
		struct error ignored = ERROR_INIT;
		json_auto_t *said = unfold(call);

		m->hooks.called(m->context, said, approval, &ignored);
	}
}

bool model_speak(struct model *m, const json_t *output, struct error *err)
{
	(void)err;
	for (; output; output = json_object_get(output, "next"))
		speak(m, output);
	return true;
}
