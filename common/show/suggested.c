#include "show/suggested.h"

#include <errno.h>
#include <string.h>

enum { STEP_DIGITS_MAX = 6, PAGE_BYTES_MAX = 512 };

/* Where the number at the end begins; the end of the text if there is none. */
static const char *find_number(const char *text)
{
	const size_t length = strlen(text);
	size_t digits = 0;

	while (digits < length && text[length - digits - 1] >= '0' &&
	       text[length - digits - 1] <= '9')
		digits++;
	if (digits == 0 || digits > STEP_DIGITS_MAX || digits == length ||
	    text[length - digits - 1] != ' ')
		return text + length;
	return text + length - digits;
}

bool suggested_read(const char *text, char **ret_page, int64_t *ret_step,
		    struct error *err)
{
	const char *number = find_number(text);
	size_t page = (size_t)(number - text);

	while (page > 0 && text[page - 1] == ' ')
		page--;
	if (page == 0 || page > PAGE_BYTES_MAX || *text == ' ')
		return error_set(err, ERR_INVALID_ARGUMENT, "say which playbook");
	*ret_step = *number ? strtoll(number, NULL, 10) : 0;
	if (*number && *ret_step == 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "steps are counted from 1");
	*ret_page = strndup(text, page);
	return *ret_page || error_oom(err);
}

const json_t *suggested_step(const json_t *answer, int64_t step, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "steps"), i, one)
	{
		if (json_get_int64(one, "step", 0) == step)
			return one;
	}
	error_set(err, ERR_NOT_FOUND, "the playbook has no step %lld", (long long)step);
	return NULL;
}

const json_t *suggested_call(const json_t *step, struct error *err)
{
	const json_t *call = json_object_get(step, "suggestion");
	const char *tool = json_get_string(call, "tool");
	const char *fault = json_get_string(call, "fault");

	if (!call) {
		error_set(err, ERR_NOT_FOUND, "that step suggests no call");
		return NULL;
	}
	if (fault || !tool || !*tool ||
	    !json_is_object(json_object_get(call, "arguments"))) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "what that step suggests cannot be used: %s",
			  fault ? fault : "it names no tool");
		return NULL;
	}
	return call;
}

bool suggested_is_blank(const json_t *value)
{
	const char *text = json_string_value(value);
	const size_t length = text ? strlen(text) : 0;

	return length > 2 && text[0] == '<' && text[length - 1] == '>' &&
	       strcspn(text + 1, "<>") == length - 2;
}

json_t *suggested_arguments(const json_t *schema, const json_t *call)
{
	const json_t *properties = json_object_get(schema, "properties");
	json_t *given = json_object_get(call, "arguments"), *value;
	json_auto_t *kept = json_object();
	const char *name;

	json_object_foreach(given, name, value)
	{
		if (kept && json_object_get(properties, name) &&
		    !suggested_is_blank(value) &&
		    json_object_set_new(kept, name, json_deep_copy(value)) != 0)
			return NULL;
	}
	return TAKE(kept);
}
