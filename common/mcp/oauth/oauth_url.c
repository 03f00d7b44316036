#include "mcp/oauth/oauth_url.h"

bool oauth_url_read(const char *url, struct http_url *ret, struct error *err)
{
	return http_url_read(url, OAUTH_URL_MAX, ret, err);
}

static size_t path_bytes(const struct http_url *url)
{
	const size_t length = strlen(url->path);

	return length > 0 && url->path[length - 1] == '/' ? length - 1 : length;
}

void oauth_url_well_known(struct strbuf *sb, const char *url, const char *word)
{
	struct error ignored = ERROR_INIT;
	struct http_url parts = { .path = "" };

	(void)oauth_url_read(url, &parts, &ignored);
	strbuf_add(sb, url, parts.origin_bytes);
	strbuf_add_format(sb, "/.well-known/%s", word);
	strbuf_add(sb, parts.path, path_bytes(&parts));
}

void oauth_url_well_known_behind(struct strbuf *sb, const char *url, const char *word)
{
	struct error ignored = ERROR_INIT;
	struct http_url parts = { .path = "" };

	(void)oauth_url_read(url, &parts, &ignored);
	strbuf_add(sb, url, parts.origin_bytes + path_bytes(&parts));
	strbuf_add_format(sb, "/.well-known/%s", word);
}
