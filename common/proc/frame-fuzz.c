/* A frame is refused, incomplete, or gives a message that is written and read the same. */
#include "tests/fuzz/fuzz.h"

#include "base/canonical.h"
#include "proc/frame.h"

/* 1.0 is written as 1, so equal is what has the same canonical form. */
static bool same(const json_t *a, const json_t *b)
{
	_cleanup_strbuf_ struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;
	struct error err = ERROR_INIT;

	return canonical_write(&x, a, &err) && canonical_write(&y, b, &err) &&
	       x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *message = NULL, *again = NULL;
	struct error err = ERROR_INIT;
	size_t used = frame_parse((const char *)data, size, &message, &err);

	if (used == 0 ? message != NULL : used > size || !message || error_is_set(&err))
		abort();
	if (used == 0)
		return 0;
	if (!frame_append(&sb, message, &err) ||
	    frame_parse(sb.data, sb.length, &again, &err) != sb.length ||
	    !same(message, again))
		abort();
	return 0;
}
