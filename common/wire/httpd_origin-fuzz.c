/* Whatever a Host or Origin holds, it is one of ours or there is a plain reason why not. */
#include "tests/fuzz/fuzz.h"

#include "wire/httpd_private.h"

static void check(bool good, const struct strbuf *why)
{
	if (good != (why->length == 0))
		abort();
	for (size_t i = 0; i + 1 < why->length; i++)
		if (why->data[i] < 0x20 || why->data[i] >= 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = { "wingman.example", NULL };
	static const char *const origins[] = { "https://wingman.example", NULL };
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf host = STRBUF_INIT, origin = STRBUF_INIT;

	strbuf_add(&value, data, size);
	bool host_good = httpd_check_host(value.data, true, hosts, &host);
	bool origin_good = httpd_check_origin(value.data, origins, &origin);
	check(host_good, &host);
	check(origin_good, &origin);
	if (host_good && !strcasestr(value.data, "localhost") &&
	    !strstr(value.data, "127.0.0.1") && !strstr(value.data, "[::1]") &&
	    !strcasestr(value.data, "wingman.example"))
		abort();
	return 0;
}
