#include "mcp/client/oauth_pkce.h"

static bool write_bytes(const uint8_t bytes[static DIGEST_BYTES],
			char ret[static OAUTH_PKCE_BYTES], struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool good;

	digest_base64url(&text, bytes, DIGEST_BYTES);
	good = strbuf_ok(&text) && text.length == OAUTH_PKCE_BYTES - 1;
	if (good)
		memcpy(ret, text.data, OAUTH_PKCE_BYTES);
	strbuf_wipe(&text);
	return good || error_oom(err);
}

bool oauth_pkce_verifier(char ret[static OAUTH_PKCE_BYTES], struct error *err)
{
	uint8_t bytes[DIGEST_BYTES];
	bool good;

	digest_random(bytes, sizeof bytes);
	good = write_bytes(bytes, ret, err);
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

bool oauth_pkce_challenge(const char *verifier, char ret[static OAUTH_PKCE_BYTES],
			  struct error *err)
{
	uint8_t bytes[DIGEST_BYTES];

	digest_sha256(verifier, strlen(verifier), bytes);
	return write_bytes(bytes, ret, err);
}
