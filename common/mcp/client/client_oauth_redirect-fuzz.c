/* Whatever comes back through a browser, a code comes out only with our state, from whom
 * we asked, and can be sent on. */
#include "tests/fuzz/fuzz.h"

#include "mcp/client/client_oauth_private.h"

#define BACK "http://127.0.0.1:7/back"

static void need(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;

	strbuf_add(&url, data, size);
	for (int tells = 0; tells < 2; tells++) {
		struct oauth_place place = { .issuer = "https://a.example",
					     .tells_issuer = tells };
		struct error err = ERROR_INIT;
		_cleanup_(secret_freep) struct secret *code =
			oauth_read_redirect(&place, BACK, url.data, "S1", &err);

		need((code != NULL) == !error_is_set(&err));
		for (const char *at = err.message; *at; at++)
			need(*at >= ' ' && *at <= '~');
		if (!code)
			continue;
		need(strncmp(url.data, BACK "?", strlen(BACK "?")) == 0);
		need(strstr(url.data, "state=") && strstr(url.data, "code="));
		need(!tells || strstr(url.data, "iss="));
		need(secret_length(code) > 0);
		for (size_t i = 0; i < secret_length(code); i++) {
			char c = ((const char *)secret_bytes(code))[i];

			need(c >= ' ' && c <= '~');
		}
	}
	return 0;
}
