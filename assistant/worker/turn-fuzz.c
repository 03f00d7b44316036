/*
 * Messages to the worker, one a line: whatever they are, each is refused or taken, and
 * whatever it sends, a surface would take.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "assistant/worker/turn.h"

static bool hear(void *context, json_t *message)
{
	json_auto_t *own = message;
	struct assistant_fields f;
	struct error err = ERROR_INIT;

	(void)context;
	if (!json_check_contract(own, &err) ||
	    !assistant_fields_decode(ASSISTANT_AT_SURFACE_OF_WORKER, own, &f, &err))
		abort();
	return true;
}

static bool take(const struct turn_model *m, struct turn **turn, const json_t *message)
{
	struct assistant_fields f;
	struct error err = ERROR_INIT;

	if (!assistant_fields_decode(ASSISTANT_AT_WORKER, message, &f, &err))
		return false;
	if (*turn && !turn_is_over(*turn))
		return turn_take(*turn, &f, &err);
	if (f.m != ASSISTANT_TURN)
		return false;
	turn_free(*turn);
	*turn = turn_new(m, &f, hear, NULL, 0, &err);
	return *turn != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const providers[] = { "anthropic", "openai", "bedrock" };
	struct assistant_fields begin = { .model = "m",
					  .max_output = 100,
					  .cache = true };
	struct turn_model model;
	struct turn *turn = NULL;
	struct error err = ERROR_INIT;
	bool good = size > 0;

	begin.provider = providers[good ? data[0] % 3 : 0];
	if (!turn_model_read(&begin, &model, &err))
		abort();
	for (size_t at = 1; good && at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;
		json_auto_t *message =
			json_parse((const char *)data + at, length, JSON_CONTRACT, &err);

		good = message && take(&model, &turn, message);
		at += length + 1;
	}
	turn_free(turn);
	return 0;
}
