/* A configuration is refused with its line, or gives a value and lines for its places. */
#include "tests/fuzz/fuzz.h"

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *c =
		config_parse("f", (const char *)data, size, &err);

	if (c ? !config_root(c) || config_line(c, "/a/0") < 1
	      : !error_is_set(&err) || err.message[0] != 'f' || err.message[1] != ':')
		abort();
	return 0;
}
