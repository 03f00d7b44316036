/* Words that no gate signed, and words that no gate should have signed. */
#include "attacks/attack.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "guard/ticket.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t dot_of(const char *word)
{
	return strcspn(word, ".");
}

static void payload_of(const char *word, struct strbuf *ret)
{
	struct error err = ERROR_INIT;

	need(digest_base64url_decode(word, dot_of(word), ret, &err), &err);
}

static void signature_of(const char *word, struct strbuf *ret)
{
	const char *tail = word + dot_of(word) + 1;
	struct error err = ERROR_INIT;

	need(digest_base64url_decode(tail, strlen(tail), ret, &err), &err);
}

static void join(const void *payload, size_t length, const void *signature,
		 size_t signature_length, struct strbuf *ret)
{
	digest_base64url(ret, payload, length);
	strbuf_add_char(ret, '.');
	digest_base64url(ret, signature, signature_length);
}

static void sign(const struct sign_key *key, const struct strbuf *payload,
		 struct strbuf *ret)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;

	need(sign_key_sign(key, payload->data, payload->length, signature, &err), &err);
	join(payload->data, payload->length, signature, sizeof signature, ret);
}

/* ---- Bytes ---- */

static void change_one(struct dice *d, struct strbuf *ret)
{
	const size_t at = dice_below(d, ret->length);
	char c;

	do
		c = alphabet[dice_below(d, sizeof alphabet - 1)];
	while (c == ret->data[at]);
	ret->data[at] = c;
}

/* 64 bytes are 86 digits, the last of which has four bits that say nothing. */
static void change_idle_bits(struct dice *d, struct strbuf *ret)
{
	char *last = &ret->data[ret->length - 1];
	const size_t value = (size_t)(strchr(alphabet, *last) - alphabet);

	*last = alphabet[value ^ (1 + dice_below(d, 15))];
}

static void insert(struct dice *d, const char *what, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT;
	const size_t at = dice_below(d, ret->length + 1);

	strbuf_add_string(&tail, ret->data + at);
	strbuf_truncate(ret, at);
	strbuf_add_string(ret, what);
	strbuf_add(ret, tail.data, tail.length);
}

static bool other_alphabet(struct strbuf *ret)
{
	char *at = strpbrk(ret->data, "-_");

	if (at)
		*at = *at == '-' ? '+' : '/';
	return at != NULL;
}

void forge_bytes(struct dice *d, const char *word, struct strbuf *ret)
{
	static const char *const odd[] = { " ", "\n",  "\r\n", "=",        ".",
					   "A", "%41", "\t",   "\xc2\xa0", "," };

	strbuf_add_string(ret, word);
	switch (dice_below(d, 9)) {
	case 0:
	case 1:
		change_one(d, ret);
		break;
	case 2:
		strbuf_truncate(ret, dice_below(d, ret->length));
		break;
	case 3:
		strbuf_add_char(ret, alphabet[dice_below(d, sizeof alphabet - 1)]);
		break;
	case 4:
		insert(d, odd[dice_below(d, ARRAY_SIZE(odd))], ret);
		break;
	case 5:
		change_idle_bits(d, ret);
		break;
	case 6:
		if (!other_alphabet(ret))
			strbuf_add_string(ret, "==");
		break;
	case 7: /* as a JWT would stand there */
		strbuf_clear(ret);
		strbuf_add_format(ret, "eyJhbGciOiJub25lIn0.%s", word);
		break;
	default:
		strbuf_add_format(ret, ".%s", word);
	}
}

/* ---- Signatures ---- */

/* S and S + L say the same to who does not look: RFC 8032, 5.1.7. */
static void add_order(uint8_t signature[static KEY_SIGNATURE_BYTES])
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
					   0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
					   0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
}

void forge_signature(struct dice *d, struct world *w, const char *word,
		     struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf payload = STRBUF_INIT, good = STRBUF_INIT;
	const char *pem = world_public_pem(w);
	uint8_t s[256] = { 0 };
	size_t length = KEY_SIGNATURE_BYTES;

	payload_of(word, &payload);
	signature_of(word, &good);
	memcpy(s, good.data, KEY_SIGNATURE_BYTES);
	switch (dice_below(d, 11)) {
	case 0:
		memset(s, 0, sizeof s);
		break;
	case 1: /* the neutral point, and nothing times the base */
		memset(s, 0, sizeof s);
		s[0] = 1;
		break;
	case 2:
	case 3:
		add_order(s);
		break;
	case 4:
		s[dice_below(d, 64)] ^= (uint8_t)(1U << dice_below(d, 8));
		break;
	case 5: /* the other point with that y */
		s[31] ^= 0x80;
		break;
	case 6: /* HMAC under what everybody knows, as long as a signature */
		digest_hmac_sha256(pem, strlen(pem), payload.data, payload.length, s);
		memcpy(s + 32, s, 32);
		break;
	case 7: /* and as long as an HMAC is */
		digest_hmac_sha256(pem, strlen(pem), payload.data, payload.length, s);
		length = 32;
		break;
	case 8: /* as long as RSA's */
		length = 256;
		break;
	case 9:
		length = dice_below(d, KEY_SIGNATURE_BYTES);
		break;
	default: /* of the same key over something else */
		payload.data[0] = '[';
		strbuf_clear(ret);
		sign(world_key(w), &payload, ret);
		strbuf_clear(&good);
		signature_of(ret->data, &good);
		memcpy(s, good.data, KEY_SIGNATURE_BYTES);
		payload.data[0] = '{';
		strbuf_clear(ret);
	}
	join(payload.data, payload.length, s, length, ret);
}

/* ---- Payloads ---- */

static json_t *parse(const char *word)
{
	_cleanup_strbuf_ struct strbuf payload = STRBUF_INIT;
	struct error err = ERROR_INIT;

	payload_of(word, &payload);
	json_t *json = json_parse(payload.data, payload.length, JSON_CONTRACT, &err);
	need(json != NULL, &err);
	return json;
}

static void seal(const json_t *json, const struct sign_key *key, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf payload = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(canonical_write(&payload, json, &err), &err);
	sign(key, &payload, ret);
}

static void set(json_t *json, const char *name, json_t *value)
{
	if (!value || json_object_set_new(json, name, value) != 0)
		broken("no member %s", name);
}

void forge_key(struct dice *d, struct world *w, const char *word, struct strbuf *ret)
{
	json_auto_t *json = parse(word);
	const char *kid = sign_key_kid(world_key(w));
	const struct sign_key *key = world_key(w);
	char other[64];

	switch (dice_below(d, 9)) {
	case 0:
		key = world_stranger(w);
		set(json, "kid", json_string(sign_key_kid(key)));
		break;
	case 1:
		key = world_stranger(w);
		break;
	case 2:
		set(json, "kid", json_string(sign_key_kid(world_stranger(w))));
		break;
	case 3:
		(void)snprintf(other, sizeof other, "../trusted/%s", kid);
		set(json, "kid", json_string(other));
		break;
	case 4:
		(void)snprintf(other, sizeof other, "%s ", kid);
		set(json, "kid", json_string(other));
		break;
	case 5:
		set(json, "kid", json_string(""));
		break;
	case 6:
		(void)json_object_del(json, "kid");
		break;
	case 7:
		set(json, "kid", json_pack("[s]", kid));
		break;
	default: /* what another format believes */
		key = world_stranger(w);
		set(json, "alg", json_string(dice_chance(d, 50) ? "none" : "HS256"));
		set(json, "jwk", json_pack("{s:s, s:s}", "kty", "OKP", "crv", "Ed25519"));
	}
	seal(json, key, ret);
}

static void put_before_end(struct strbuf *payload, const char *text)
{
	strbuf_truncate(payload, payload->length - 1);
	strbuf_add_string(payload, text);
	strbuf_add_char(payload, '}');
}

static void replace(struct strbuf *payload, const char *what, const char *by)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	const char *at = strstr(payload->data, what);

	if (!at)
		broken("no %s in a grant", what);
	strbuf_add(&all, payload->data, (size_t)(at - payload->data));
	strbuf_add_string(&all, by);
	strbuf_add_string(&all, at + strlen(what));
	strbuf_clear(payload);
	strbuf_add(payload, all.data, all.length);
}

static void surround(struct strbuf *payload, const char *before, const char *after)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;

	strbuf_add_string(&all, before);
	strbuf_add(&all, payload->data, payload->length);
	strbuf_add_string(&all, after);
	strbuf_clear(payload);
	strbuf_add(payload, all.data, all.length);
}

/* Well signed, but not the one spelling that there is. */
void forge_payload(struct dice *d, struct world *w, const char *word, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf payload = STRBUF_INIT;

	payload_of(word, &payload);
	switch (dice_below(d, 13)) {
	case 0:
		surround(&payload, " ", "");
		break;
	case 1:
		surround(&payload, "", "\n");
		break;
	case 2:
		surround(&payload, "\xef\xbb\xbf", "");
		break;
	case 3:
		surround(&payload, "[", "]");
		break;
	case 4:
		surround(&payload, "", "{}");
		break;
	case 5:
		replace(&payload, "\"aud\":", "\"aud\": ");
		break;
	case 6:
		replace(&payload, "\"aud\":", "\"\\u0061ud\":");
		break;
	case 7:
		replace(&payload, "\"v\":1", "\"v\":1.0");
		break;
	case 8:
		replace(&payload, "\"v\":1", "\"v\":1e0");
		break;
	case 9: /* which of the two counts? */
		put_before_end(&payload, ",\"aud\":\"elsewhere\"");
		break;
	case 10:
		replace(&payload, "{\"approvers\"",
			"{\"approvers\":[\"bob@example.org\"],\"approvers\"");
		break;
	case 11: /* sorted no more */
		replace(&payload, "\"v\":1", "\"V\":1");
		replace(&payload, "\"V\":1", "\"v\":1,\"aaa\":1");
		break;
	default:
		strbuf_add_char(&payload, '\0');
	}
	sign(world_key(w), &payload, ret);
}

static void drop_member(struct dice *d, json_t *json)
{
	static const char *const members[] = { "typ",       "v",        "kid", "id",
					       "aud",       "tool",     "pin", "server",
					       "args",      "shown",    "exp", "iat",
					       "requester", "approvers" };

	(void)json_object_del(json, members[dice_below(d, ARRAY_SIZE(members))]);
}

static void retype_member(struct dice *d, json_t *json)
{
	static const char *const members[] = { "typ",   "kid",       "id",        "aud",
					       "tool",  "pin",       "server",    "args",
					       "shown", "requester", "approvers", "iat",
					       "exp" };
	const char *name = members[dice_below(d, ARRAY_SIZE(members))];

	switch (dice_below(d, 5)) {
	case 0:
		set(json, name, json_null());
		break;
	case 1:
		set(json, name, json_true());
		break;
	case 2:
		set(json, name, json_pack("[[]]"));
		break;
	case 3:
		set(json, name, json_pack("{s:s}", "$ref", "#"));
		break;
	default:
		set(json, name, json_string(""));
	}
}

static void swap_member(struct dice *d, json_t *json)
{
	static const char *const digests[] = { "pin", "args", "plan" };
	char hex[DIGEST_HEX_BYTES];

	digest_sha256_hex("else", 4, hex);
	switch (dice_below(d, 5)) {
	case 0:
		set(json, "server", json_string("elsewhere"));
		break;
	case 1:
		set(json, "aud", json_string("elsewhere"));
		break;
	case 2:
		set(json, "tool", json_string("set_value"));
		break;
	default:
		set(json, digests[dice_below(d, ARRAY_SIZE(digests))], json_string(hex));
	}
}

/* Well signed and canonical, but no grant for this. */
void forge_member(struct dice *d, struct world *w, const char *word, struct strbuf *ret)
{
	json_auto_t *json = parse(word);
	const json_int_t iat = json_integer_value(json_object_get(json, "iat"));

	switch (dice_below(d, 17)) {
	case 0:
		set(json, "more", json_integer(1));
		break;
	case 1:
	case 2:
		drop_member(d, json);
		break;
	case 3:
	case 4:
		retype_member(d, json);
		break;
	case 5:
	case 6:
	case 7:
		swap_member(d, json);
		break;
	case 8:
		set(json, "v", json_integer(dice_chance(d, 50) ? 0 : 2));
		break;
	case 9:
		set(json, "exp",
		    json_integer(iat + 121 + (json_int_t)dice_below(d, 9999)));
		break;
	case 10:
		set(json, "exp", json_integer(iat - (json_int_t)dice_below(d, 2)));
		break;
	case 11:
		set(json, "approvers", json_array());
		break;
	case 12:
		set(json, "approvers",
		    json_pack("[s, s]", "bob@example.org", "bob@example.org"));
		break;
	case 13: /* both a rule and people, or a rule for a plan */
		set(json, "rule", json_string("reads are free"));
		break;
	case 14:
		set(json, "seq", json_integer((json_int_t)dice_below(d, 9)));
		break;
	case 15:
		set(json, "emergency", json_false());
		break;
	default: /* by nobody, a write or what this server does not free */
		set(json, "approvers", json_array());
		set(json, "rule", json_string("reads are free"));
		set(json, "tool", json_string("put_value"));
	}
	seal(json, world_key(w), ret);
}

void forge_type(struct dice *d, struct world *w, const char *word, struct strbuf *ret)
{
	static const char *const types[] = { TYP_REQUESTER, TYP_CHECKPOINT,
					     "org.wingman/Grant", "grant",
					     "org.wingman/grant " };
	json_auto_t *json = parse(word);
	struct error err = ERROR_INIT;
	char request[DIGEST_HEX_BYTES];

	if (dice_chance(d, 30)) {
		digest_sha256_hex("request", 7, request);
		need(ticket_sign(ret, instance_names[0], person_names[ALICE], request,
				 world_now_ms(), world_key(w), &err),
		     &err);
		return;
	}
	set(json, "typ", json_string(types[dice_below(d, ARRAY_SIZE(types))]));
	seal(json, world_key(w), ret);
}
