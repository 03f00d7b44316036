/* What a wiki calls its storage format becomes Markdown in one pass, whatever it is. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "servers/playbooks/storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	if (!text_is_utf8((const char *)data, size))
		return 0;
	if (storage_to_markdown((const char *)data, size, &out) &&
	    !text_is_utf8(out.data, out.length))
		abort();
	return 0;
}
