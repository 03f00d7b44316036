#include "guard/envelope.h"

#include "base/canonical.h"

bool envelope_seal(struct strbuf *sb, const json_t *payload, const struct sign_key *key,
		   struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];

	if (!json_check_contract(payload, err) ||
	    !canonical_write(&bytes, payload, err) ||
	    !sign_key_sign(key, bytes.data, bytes.length, signature, err))
		return false;
	digest_base64url(&word, bytes.data, bytes.length);
	strbuf_add_char(&word, '.');
	digest_base64url(&word, signature, sizeof signature);
	if (!strbuf_ok(&word))
		return error_oom(err);
	if (word.length > ENVELOPE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a signed word of %zu bytes is longer than %d",
				 word.length, ENVELOPE_MAX);
	strbuf_add(sb, word.data, word.length);
	return strbuf_ok(sb) || error_oom(err);
}

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_APPROVAL_INVALID, "%s", reason);
}

static bool split(const char *word, struct strbuf *bytes,
		  uint8_t signature[static KEY_SIGNATURE_BYTES], struct error *err)
{
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!word)
		return refuse(err, "there is no signed word");
	const size_t length = strnlen(word, ENVELOPE_MAX + 1);
	if (length > ENVELOPE_MAX)
		return refuse(err, "the signed word is too long");
	const char *dot = memchr(word, '.', length);
	if (!dot)
		return refuse(err, "the signed word has no signature");
	if (!digest_base64url_decode(word, (size_t)(dot - word), bytes, &ignored) ||
	    !digest_base64url_decode(dot + 1, length - (size_t)(dot + 1 - word), &tail,
				     &ignored))
		return refuse(err, "the signed word is not base64url");
	if (tail.length != KEY_SIGNATURE_BYTES)
		return refuse(err, "the signature has the wrong length");
	memcpy(signature, tail.data, KEY_SIGNATURE_BYTES);
	return true;
}

/* What was signed must have one spelling only, or two readers could read two things. */
static json_t *parse_canonical(const struct strbuf *bytes, struct error *err)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *payload =
		json_parse(bytes->data, bytes->length, JSON_CONTRACT, &ignored);

	if (!payload)
		refuse(err, "the signed payload is not JSON");
	else if (!canonical_write(&again, payload, &ignored) ||
		 again.length != bytes->length ||
		 memcmp(again.data, bytes->data, again.length) != 0)
		refuse(err, "the signed payload is not canonical");
	else if (!json_is_object(payload))
		refuse(err, "the signed payload is no object");
	else
		return TAKE(payload);
	return NULL;
}

json_t *envelope_open(const char *word, const char *typ, struct keyring *keys,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];

	if (!split(word, &bytes, signature, err))
		return NULL;
	json_auto_t *payload = parse_canonical(&bytes, err);
	if (!payload)
		return NULL;
	const char *got = json_get_string(payload, "typ");
	const char *kid = json_get_string(payload, "kid");
	if (!got || strcmp(got, typ) != 0) {
		refuse(err, "the signed payload is of another type");
		return NULL;
	}
	if (!kid) {
		refuse(err, "the signed payload names no key");
		return NULL;
	}
	switch (keyring_check(keys, kid, bytes.data, bytes.length, signature)) {
	case KEYRING_GOOD:
		return TAKE(payload);
	case KEYRING_UNKNOWN_KID:
		refuse(err, "the signing key is not trusted here");
		return NULL;
	case KEYRING_BAD_SIGNATURE:
		refuse(err, "the signature does not fit the payload");
		return NULL;
	}
	return NULL;
}
