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
