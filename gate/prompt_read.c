/* From what is shown back to what will run. */
#include "gate/prompt.h"

#include "base/text.h"
#include "gate/prompt_value.h"

json_t *prompt_argument_value(const json_t *prompt, size_t index, struct error *err)
{
	const json_t *entry = json_array_get(json_object_get(prompt, "arguments"), index);
	const char *text = json_get_string(entry, "text");

	if (!text) {
		error_set(err, ERR_INVALID_ARGUMENT, "the prompt has no argument %zu",
			  index);
		return NULL;
	}
	return prompt_value_read(text, err);
}

/* Put what 'entry' says into 'to', under its name. */
static bool recover(json_t *to, const json_t *entry, struct error *err)
{
	const char *name = json_get_string(entry, "name");
	const char *text = json_get_string(entry, "text");
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;
	json_t *value;

	if (!name || !text)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the prompt's arguments are not whole");
	if (!text_unescape(&plain, name, strlen(name), err))
		return false;
	value = prompt_value_read(text, err);
	if (!value)
		return false;
	if (json_object_setn_new(to, plain.data, plain.length, value) != 0)
		return error_oom(err);
	return true;
}

json_t *prompt_arguments(const json_t *prompt, struct error *err)
{
	json_auto_t *arguments = json_object();
	size_t i;
	json_t *entry;

	if (!arguments) {
		error_oom(err);
		return NULL;
	}
	json_array_foreach(json_object_get(prompt, "arguments"), i, entry)
	{
		if (!json_is_true(json_object_get(entry, "default")) &&
		    !recover(arguments, entry, err))
			return NULL;
	}
	json_array_foreach(json_object_get(prompt, "free_text"), i, entry)
	{
		const char *by = json_get_string(entry, "by");

		if (by && strcmp(by, "server") != 0 && !recover(arguments, entry, err))
			return NULL;
	}
	return TAKE(arguments);
}
