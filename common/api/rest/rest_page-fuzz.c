/* Any Link header: a target that comes out stood between angle brackets in it. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "api/rest/rest_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf header = STRBUF_INIT, next = STRBUF_INIT,
				       link = STRBUF_INIT;
	struct error err = ERROR_INIT;

	strbuf_add(&header, data, size);
	if (!rest_page_next(header.data, &next, &err)) {
		assert(err.code == ERR_INVALID_ARGUMENT && next.length == 0);
		return 0;
	}
	strbuf_add_format(&link, "<%s>", next.data);
	assert(next.length == 0 || strstr(header.data, link.data));
	return 0;
}
