/*
 * Whatever a provider sends, in whatever pieces, is refused or is an answer, and the
 * same one. The first byte chooses provider, media type and size of the pieces.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "assistant/worker/reader.h"

static bool read_all(const struct codec *codec, const char *type, const char *bytes,
		     size_t length, size_t piece, struct answer *a)
{
	struct error err = ERROR_INIT;
	_cleanup_(reader_freep) struct reader *r = reader_new(codec, 200, type, a, &err);

	for (size_t at = 0; r && at < length; at += piece)
		if (!reader_feed(r, bytes + at, length - at < piece ? length - at : piece,
				 &err))
			return false;
	return r && reader_end(r, &err);
}

static bool same(const struct answer *a, const struct answer *b)
{
	if (a->count != b->count || a->stop != b->stop || a->failure != b->failure)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->blocks[i].kind != b->blocks[i].kind ||
		    a->blocks[i].text.length != b->blocks[i].text.length ||
		    strcmp(a->blocks[i].name, b->blocks[i].name) != 0)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct codec *const codecs[] = { &codec_anthropic, &codec_openai,
						      &codec_bedrock };
	static const char *const types[] = { "text/event-stream",
					     "application/vnd.amazon.eventstream",
					     "application/json" };
	struct answer one, many;

	if (size < 1)
		return 0;
	const struct codec *codec = codecs[data[0] % 3];
	const char *type = types[data[0] / 3 % 3];
	answer_init(&one);
	answer_init(&many);
	bool whole = read_all(codec, type, (const char *)data + 1, size - 1, size, &one);
	bool again = read_all(codec, type, (const char *)data + 1, size - 1,
			      data[0] / 9 + 1u, &many);
	if (whole != again || (whole && !same(&one, &many)))
		abort();
	answer_done(&one);
	answer_done(&many);
	return 0;
}
