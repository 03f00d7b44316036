#include "base/sign_key_pem.h"

enum { RAW_BYTES = 32, HEAD_MAX = 16, BODY_MAX = (HEAD_MAX + RAW_BYTES) / 3 * 4 };

_Static_assert((int)KEY_SEED_BYTES == RAW_BYTES && (int)KEY_PUBLIC_BYTES == RAW_BYTES,
	       "both halves of a key have as many bytes");

struct form {
	const char *begin, *end;
	uint8_t head[HEAD_MAX];
	size_t head_bytes;
};

static const struct form private_form = {
	.begin = "-----BEGIN PRIVATE KEY-----\n",
	.end = "\n-----END PRIVATE KEY-----\n",
	/* PrivateKeyInfo: version 0, id-Ed25519, an octet string in an octet string */
	.head = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
		  0x04, 0x22, 0x04, 0x20 },
	.head_bytes = 16,
};

static const struct form public_form = {
	.begin = "-----BEGIN PUBLIC KEY-----\n",
	.end = "\n-----END PUBLIC KEY-----\n",
	/* SubjectPublicKeyInfo: id-Ed25519, a bit string without unused bits */
	.head = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
		  0x00 },
	.head_bytes = 12,
};

/* What stands between the two lines, and its length. NULL: another text. */
static const char *find_body(const struct form *f, const char *pem, size_t length,
			     size_t *ret_length)
{
	const size_t before = strlen(f->begin), behind = strlen(f->end);

	if (length < before + behind || memcmp(pem, f->begin, before) != 0 ||
	    memcmp(pem + length - behind, f->end, behind) != 0)
		return NULL;
	*ret_length = length - before - behind;
	return pem + before;
}

static bool read_form(const struct form *f, const char *pem, size_t length, uint8_t *ret)
{
	_cleanup_(strbuf_wipe) struct strbuf der = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	size_t body_bytes;
	const char *body = find_body(f, pem, length, &body_bytes);

	/* One allocation that is never moved, so that one wipe reaches all of it. */
	if (!body || body_bytes > BODY_MAX || !strbuf_reserve(&der, BODY_MAX) ||
	    !digest_base64_decode(body, body_bytes, &der, &ignored) ||
	    der.length != f->head_bytes + RAW_BYTES ||
	    memcmp(der.data, f->head, f->head_bytes) != 0)
		return false;
	memcpy(ret, der.data + f->head_bytes, RAW_BYTES);
	return true;
}

bool sign_key_pem_private(const void *pem, size_t length,
			  uint8_t ret_seed[static KEY_SEED_BYTES])
{
	return read_form(&private_form, pem, length, ret_seed);
}

bool sign_key_pem_public(const void *pem, size_t length,
			 uint8_t ret_raw[static KEY_PUBLIC_BYTES])
{
	return read_form(&public_form, pem, length, ret_raw);
}
