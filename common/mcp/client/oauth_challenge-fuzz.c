/* Whatever WWW-Authenticate holds, what is read of it may be sent on. */
#include "tests/fuzz/fuzz.h"

#include "mcp/client/oauth_challenge.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf field = STRBUF_INIT;
	struct oauth_challenge c = { 0 }, again = { 0 };
	char scope[OAUTH_SCOPE_MAX + 1] = "";
	struct error err = ERROR_INIT;
	struct http_url url;

	strbuf_add(&field, data, size);
	bool good = oauth_challenge_read(&c, field.data);
	need(good == c.is_bearer);
	need(good || (!*c.error && !*c.scope && !*c.metadata && !c.is_bad_metadata));
	need(strlen(c.error) <= OAUTH_ERROR_MAX);
	need(oauth_scope_add(scope, c.scope) && strcmp(scope, c.scope) == 0);
	need(!*c.metadata || oauth_url_read(c.metadata, &url, &err));
	need(!*c.metadata || !c.is_bad_metadata);
	/* One field can be read like another, and does not change what was found. */
	need(oauth_challenge_read(&again, field.data) == good);
	need(memcmp(&c, &again, sizeof c) == 0);
	need(!good || !oauth_challenge_read(&again, field.data));
	return 0;
}
