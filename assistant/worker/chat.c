#include "assistant/worker/chat.h"

#include <string.h>

const struct codec *codec_find(const char *provider)
{
	static const struct codec *const all[] = { &codec_anthropic, &codec_openai,
						   &codec_bedrock };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(all[i]->name, provider) == 0)
			return all[i];
	return NULL;
}

bool put(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

bool append(json_t *array, json_t *value)
{
	return value && json_array_append_new(array, value) == 0;
}

bool says(const char *text, const char *const *words)
{
	for (; text && *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

int chat_depth(const json_t *value)
{
	const char *name;
	int most = 0;
	json_t *inner;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)value, name, inner)
	{
		int d = chat_depth(inner);
		most = d > most ? d : most;
	}
	json_array_foreach((json_t *)(uintptr_t)value, i, inner)
	{
		int d = chat_depth(inner);
		most = d > most ? d : most;
	}
	return most + (json_is_object(value) || json_is_array(value));
}
