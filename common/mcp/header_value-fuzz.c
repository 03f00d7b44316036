/* Whatever a header holds, what it means can be said again, and means the same. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "mcp/header_value.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT, text = STRBUF_INIT,
				       again = STRBUF_INIT, back = STRBUF_INIT;

	strbuf_add(&value, data, size);
	/* A header ends at its first NUL; text of a body may hold any. */
	if (header_value_decode(value.data, &text)) {
		need(text_is_utf8(text.data, text.length));
		need(header_value_is(value.data, text.data, text.length));
		header_value_encode(&again, text.data, text.length);
		need(header_value_decode(again.data, &back));
		need(back.length == text.length &&
		     memcmp(back.data, text.data, text.length) == 0);
	} else {
		need(!header_value_is(value.data, value.data, value.length));
	}
	return 0;
}
