/* A path, a line end, a body: sent or not, and what is sent holds nothing that is fetched. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "assistant/egress/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assistant_settings s = { .model = "m:1/x", .max_output = 100 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (size < 1 || memchr(data, '\0', size))
		return 0;
	s.provider = (enum assistant_provider)(data[0] % ASSISTANT_PROVIDER_COUNT);
	strbuf_add(&text, data + 1, size - 1);
	char *body = strchr(text.data, '\n');
	if (!body)
		return 0;
	*body++ = '\0';
	bool sent = check_request(&s, text.data, body, &err);
	if (sent == error_is_set(&err))
		abort();
	/* our codecs write none of these but in texts and schemas */
	json_auto_t *value = sent ? json_loads(body, 0, NULL) : NULL;
	if (sent && (!value || json_object_get(value, "mcp_servers") ||
		     json_object_get(value, "metadata") || json_object_get(value, "n")))
		abort();
	return 0;
}
