/* A pattern, a line feed, a text: what is translated must be what ICU takes, or be refused. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "base/text.h"
#include "wire/schema_regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *pattern = (const char *)data, *feed = memchr(data, '\n', size);
	size_t length = feed ? (size_t)(feed - pattern) : size;
	struct error err = ERROR_INIT;
	_cleanup_(regex_freep) struct regex *regex = NULL;

	if (!text_is_utf8(pattern, size))
		return 0;
	regex = regex_new(pattern, length, &err);
	assert(!regex == error_is_set(&err));
	if (regex && feed)
		(void)regex_search(regex, feed + 1, size - length - 1);
	return 0;
}
