#include "replay/model.h"

struct model {
	struct model_hooks hooks;
	void *context;
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
	*m = (struct model){ *hooks, context };
	return m;
}

void model_free(struct model *m)
{
	free(m);
}

bool model_speak(struct model *m, const json_t *output, struct error *err)
{
	const json_t *text = json_object_get(output, "text");
	char approval[RECORD_ID_BYTES];
	size_t i;
	json_t *call;

	(void)err;
	if (json_is_string(text) && json_string_length(text) > 0)
		m->hooks.said(m->context, json_string_value(text));
	json_array_foreach(json_object_get(output, "tool_calls"), i, call)
	{
		json_decref(m->hooks.called(m->context, call, approval));
	}
	return true;
}
