#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Update cannot fail and allocates nothing; EVP can and does */
#include "base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

void digest_sha256(const void *data, size_t length, uint8_t ret[static DIGEST_BYTES])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data, length);
	SHA256_Final(ret, &ctx);
}

void digest_sha256_hex(const void *data, size_t length,
		       char ret_hex[static DIGEST_HEX_BYTES])
{
	uint8_t sum[DIGEST_BYTES];

	digest_sha256(data, length, sum);
	digest_hex(sum, sizeof sum, ret_hex);
}

/* RFC 2104 over SHA-256, whose block has 64 bytes. */
void digest_hmac_sha256(const void *key, size_t key_bytes, const void *data,
			size_t length, uint8_t ret[static DIGEST_BYTES])
{
	enum { BLOCK = 64 };
	uint8_t pad[BLOCK] = { 0 };
	uint8_t inner[DIGEST_BYTES];
	SHA256_CTX ctx;

	if (key_bytes > BLOCK)
		digest_sha256(key, key_bytes, pad);
	else if (key_bytes > 0)
		memcpy(pad, key, key_bytes);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, pad, sizeof pad);
	SHA256_Update(&ctx, data, length);
	SHA256_Final(inner, &ctx);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, pad, sizeof pad);
	SHA256_Update(&ctx, inner, sizeof inner);
	SHA256_Final(ret, &ctx);
	explicit_bzero(pad, sizeof pad);
	explicit_bzero(inner, sizeof inner);
	explicit_bzero(&ctx, sizeof ctx);
}

void digest_hex(const void *data, size_t length, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[2 * length] = '\0';
}

bool digest_is_hex(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");

	return digits == DIGEST_HEX_BYTES - 1 && text[digits] == '\0';
}

static const char alphabet_standard[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct strbuf *sb, const uint8_t *in, size_t length,
		   const char *alphabet, bool padded)
{
	char *out = strbuf_reserve(sb, length / 3 * 4 + 4);
	size_t n = 0;

	if (!out)
		return;
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)in[i] << 16;
		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		out[n++] = alphabet[group >> 18];
		out[n++] = alphabet[group >> 12 & 63];
		if (left > 1)
			out[n++] = alphabet[group >> 6 & 63];
		else if (padded)
			out[n++] = '=';
		if (left > 2)
			out[n++] = alphabet[group & 63];
		else if (padded)
			out[n++] = '=';
	}
	strbuf_commit(sb, n);
}

/* The value of a digit, or 64 and more for what is none. */
static uint32_t digit_value(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : 64;
}

/* Digits without padding. Bits that belong to no byte must be zero, so that each
 * value has one text only. */
static bool decode_digits(const char *text, size_t length, bool url, char *out,
			  size_t *ret_bytes)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned count = 0;

	if (length % 4 == 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint32_t value = digit_value(text[i], url);
		if (value > 63)
			return false;
		bits = bits << 6 | value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[n++] = (char)(bits >> count & 0xFF);
		}
	}
	*ret_bytes = n;
	return (bits & ((1u << count) - 1)) == 0;
}

static bool decode(const char *text, size_t length, bool url, struct strbuf *ret)
{
	char *out = strbuf_reserve(ret, length / 4 * 3 + 3);
	size_t n = 0;

	if (!out)
		return false;
	if (!decode_digits(text, length, url, out, &n)) {
		strbuf_truncate(ret, ret->length); /* puts the NUL back */
		return false;
	}
	strbuf_commit(ret, n);
	return true;
}

void digest_base64url(struct strbuf *sb, const void *data, size_t length)
{
	encode(sb, data, length, alphabet_url, false);
}

void digest_base64(struct strbuf *sb, const void *data, size_t length)
{
	encode(sb, data, length, alphabet_standard, true);
}

bool digest_base64url_decode(const char *text, size_t length, struct strbuf *ret,
			     struct error *err)
{
	if (decode(text, length, true, ret))
		return true;
	if (!strbuf_ok(ret))
		return error_oom(err);
	return error_set(err, ERR_INVALID_ARGUMENT, "not base64url without padding");
}

bool digest_base64_decode(const char *text, size_t length, struct strbuf *ret,
			  struct error *err)
{
	size_t digits = length;

	while (digits > 0 && length - digits < 2 && text[digits - 1] == '=')
		digits--;
	if (length % 4 == 0 && decode(text, digits, false, ret))
		return true;
	if (!strbuf_ok(ret))
		return error_oom(err);
	return error_set(err, ERR_INVALID_ARGUMENT, "not base64");
}

void digest_random(void *ret, size_t length)
{
	uint8_t *p = ret;

	while (length > 0) {
		ssize_t n = getrandom(p, length, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* ids and nonces that can be guessed are worse than no service */
		p += n;
		length -= (size_t)n;
	}
}

void digest_random_id(char ret[static DIGEST_ID_BYTES])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint8_t bytes[DIGEST_ID_BYTES - 1];

	digest_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		ret[i] = digits[bytes[i] & 31];
	ret[sizeof bytes] = '\0';
}

bool digest_equal(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
	return a_bytes == b_bytes && CRYPTO_memcmp(a, b, a_bytes) == 0;
}

bool digest_equal_text(const char *a, const char *b)
{
	return digest_equal(a, strlen(a), b, strlen(b));
}
