#include "gate/person_pin.h"

static const char collection[] = "person_pins";

enum { SALT_BYTES = 16, HASH_BYTES = 32 };

static bool load(const struct pin_store *s, const char *person, json_t **ret,
		 struct error *err)
{
	struct document d = { 0 };
	bool found = false;

	if (!documents_get(s->documents, collection, person, &d, &found, err))
		return false;
	*ret = found ? json_incref(d.body) : NULL;
	if (found)
		document_done(&d);
	return true;
}

bool person_pin_is_set(const struct pin_store *s, const char *person, bool *ret,
		       struct error *err)
{
	json_auto_t *body = NULL;

	if (!load(s, person, &body, err))
		return false;
	*ret = body != NULL;
	return true;
}

static bool hash(const char *pin, const uint8_t salt[static SALT_BYTES],
		 uint8_t ret[static HASH_BYTES], struct error *err)
{
	_cleanup_(secret_freep) struct secret *secret = secret_new(pin, strlen(pin));

	return secret ? secret_scrypt(secret, salt, ret, err) : error_oom(err);
}

static bool matches(const json_t *body, const char *pin, bool *ret, struct error *err)
{
	const char *salt_text = json_get_string(body, "salt");
	const char *hash_text = json_get_string(body, "hash");
	_cleanup_strbuf_ struct strbuf salt = STRBUF_INIT, want = STRBUF_INIT;
	uint8_t got[HASH_BYTES];

	if (!salt_text || !hash_text ||
	    !digest_base64url_decode(salt_text, strlen(salt_text), &salt, err) ||
	    !digest_base64url_decode(hash_text, strlen(hash_text), &want, err) ||
	    salt.length != SALT_BYTES || want.length != HASH_BYTES)
		return error_set(err, ERR_INTERNAL, "the stored PIN cannot be read");
	if (!hash(pin, (const uint8_t *)salt.data, got, err))
		return false;
	*ret = digest_equal(got, sizeof got, want.data, want.length);
	explicit_bzero(got, sizeof got);
	return true;
}

/* A principal may hold characters that a key may not. */
static void tries_key(const char *person, char key[static COORD_KEY_MAX + 1])
{
	char digest[DIGEST_HEX_BYTES];

	digest_sha256_hex(person, strlen(person), digest);
	(void)snprintf(key, COORD_KEY_MAX + 1, "pin-tries/%s", digest);
}

bool person_pin_check(const struct pin_store *s, const char *person, const char *pin,
		      struct error *err)
{
	json_auto_t *body = NULL;
	char key[COORD_KEY_MAX + 1];
	int64_t tries = 0;
	bool right = false;

	if (!load(s, person, &body, err))
		return false;
	if (!body)
		return true;
	if (!pin || strlen(pin) > PERSON_PIN_MAX)
		return error_set(err, ERR_PERMISSION_DENIED, "'%s' has a PIN: give it",
				 person);
	tries_key(person, key);
	if (!coord_count(s->coordination, key, 1, PERSON_PIN_LOCK_MS, &tries, err))
		return false;
	if (tries > PERSON_PIN_TRIES)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "too many wrong PINs: locked for fifteen minutes");
	if (!matches(body, pin, &right, err))
		return false;
	if (!right)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the PIN is wrong (%lld of %d tries)", (long long)tries,
				 PERSON_PIN_TRIES);
	return coord_count(s->coordination, key, -tries, PERSON_PIN_LOCK_MS, &tries, err);
}

bool person_pin_set(const struct pin_store *s, const char *person, const char *pin,
		    struct error *err)
{
	uint8_t salt[SALT_BYTES], hashed[HASH_BYTES];
	_cleanup_strbuf_ struct strbuf salt_text = STRBUF_INIT, hash_text = STRBUF_INIT;
	json_auto_t *body = NULL;
	int64_t revision;
	bool existed;

	if (!pin)
		return documents_delete(s->documents, collection, person, &existed, err);
	if (strlen(pin) < PERSON_PIN_MIN || strlen(pin) > PERSON_PIN_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a PIN has %d to %d characters", PERSON_PIN_MIN,
				 PERSON_PIN_MAX);
	digest_random(salt, sizeof salt);
	if (!hash(pin, salt, hashed, err))
		return false;
	digest_base64url(&salt_text, salt, sizeof salt);
	digest_base64url(&hash_text, hashed, sizeof hashed);
	explicit_bzero(hashed, sizeof hashed);
	body = json_pack("{s:i, s:s, s:s}", "v", 1, "salt", salt_text.data, "hash",
			 hash_text.data);
	if (!body)
		return error_oom(err);
	return documents_put(s->documents, collection, person, body, DOCUMENT_ANY,
			     &revision, err);
}
