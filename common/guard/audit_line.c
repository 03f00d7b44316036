#include "guard/audit_line.h"

#include "base/canonical.h"
#include "guard/copy.h"

enum {
	EVENT_MAX = 64,
	HASH_MEMBER_BYTES = sizeof ",\"hash\":\"\"" - 1 + DIGEST_HEX_BYTES - 1
};

const struct audit_place audit_nothing = {
	.seq = -1,
	.hash = "0000000000000000000000000000000000000000000000000000000000000000",
};

bool audit_is_event(const char *text)
{
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._");

	return length > 0 && length <= EVENT_MAX && text[length] == '\0';
}

/* Put the member "hash" where the canonical order wants it. */
static bool insert_hash(struct strbuf *sb, size_t at, const char *hash)
{
	static const char name[] = ",\"hash\":\"";
	const size_t tail = sb->length - at;

	if (!strbuf_reserve(sb, HASH_MEMBER_BYTES))
		return false;
	char *to = sb->data + at;
	memmove(to + HASH_MEMBER_BYTES, to, tail);
	memcpy(to, name, sizeof name - 1);
	memcpy(to + sizeof name - 1, hash, DIGEST_HEX_BYTES - 1);
	to[HASH_MEMBER_BYTES - 1] = '"';
	strbuf_commit(sb, HASH_MEMBER_BYTES);
	return true;
}

static void add_member(struct strbuf *sb, const char *before, const char *value,
		       const char *after)
{
	strbuf_add_string(sb, before);
	strbuf_add_string(sb, value);
	strbuf_add_string(sb, after);
}

/* By hand, because it is done for every line written and every line verified: the
 * members stand in canonical order, and none but 'data' can need an escape. */
bool audit_line_write(struct strbuf *sb, struct audit_place *place, const char *at,
		      const char *program, const char *event, const struct strbuf *data,
		      struct error *err)
{
	const size_t begin = sb->length;
	struct audit_place next = { .seq = place->seq + 1 };

	add_member(sb, "{\"at\":\"", at, "\",\"data\":");
	strbuf_add(sb, data->data, data->length);
	add_member(sb, ",\"event\":\"", event, "\"");
	const size_t middle = sb->length;
	add_member(sb, ",\"prev\":\"", place->hash, "\"");
	add_member(sb, ",\"program\":\"", program, "\",\"seq\":");
	strbuf_add_int64(sb, next.seq);
	strbuf_add_string(sb, ",\"v\":1}");
	if (strbuf_ok(sb)) {
		digest_sha256_hex(sb->data + begin, sb->length - begin, next.hash);
		if (insert_hash(sb, middle, next.hash))
			strbuf_add_char(sb, '\n');
	}
	const bool fits = sb->length - begin <= AUDIT_LINE_MAX;
	if (strbuf_ok(sb) && fits) {
		*place = next;
		return true;
	}
	if (strbuf_ok(sb))
		error_set(err, ERR_INVALID_ARGUMENT,
			  "an audit line would be longer than %d bytes", AUDIT_LINE_MAX);
	else
		error_oom(err);
	sb->failed = false;
	strbuf_truncate(sb, begin);
	return false;
}

struct members {
	const char *at, *program, *prev, *event, *hash;
	json_t *data;
	int64_t v, seq;
};

static bool are_valid(const struct members *m)
{
	return m->v == 1 && m->seq >= 0 &&
	       strspn(m->at, "0123456789-:.TZ") == strlen(m->at) &&
	       name_is_server(m->program) && audit_is_event(m->event) &&
	       digest_is_hex(m->prev) && digest_is_hex(m->hash);
}

json_t *audit_line_read(const char *text, size_t length, struct audit_line *ret,
			struct error *err)
{
	static const struct json_field fields[] = {
#define FIELD(name, type)                                                                \
	{ #name, type, offsetof(struct members, name), JSON_FIELD_REQUIRED }
		FIELD(v, JSON_FIELD_INT64),
		FIELD(seq, JSON_FIELD_INT64),
		FIELD(at, JSON_FIELD_STRING),
		FIELD(program, JSON_FIELD_STRING),
		FIELD(prev, JSON_FIELD_STRING),
		FIELD(event, JSON_FIELD_STRING),
		FIELD(data, JSON_FIELD_OBJECT),
		FIELD(hash, JSON_FIELD_STRING),
#undef FIELD
		{ 0 },
	};
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	struct members m = { 0 };

	json_auto_t *json = json_parse(text, length, JSON_CONTRACT, err);
	if (!json || !json_decode(json, fields, &m, "an audit line", err))
		return NULL;
	if (!are_valid(&m)) {
		error_set(err, ERR_INVALID_ARGUMENT, "a member is malformed");
		return NULL;
	}
	struct audit_place place = { .seq = m.seq - 1 };
	COPY(place.hash, m.prev);
	if (!canonical_write(&data, m.data, err) ||
	    !audit_line_write(&again, &place, m.at, m.program, m.event, &data, err))
		return NULL;
	if (strcmp(place.hash, m.hash) != 0) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "its hash is not that of its content");
		return NULL;
	}
	if (again.length - 1 != length || memcmp(again.data, text, length) != 0) {
		error_set(err, ERR_INVALID_ARGUMENT, "it is not written canonically");
		return NULL;
	}
	*ret = (struct audit_line){ m.at, m.program, m.prev, m.event, m.data, place };
	return TAKE(json);
}

/* ---- Checkpoints ---- */

/* What is signed. Nothing in it can need an escape. */
static bool write_signed(struct strbuf *sb, const struct audit_place *place,
			 const char *program, const char *kid)
{
	strbuf_add_format(
		sb,
		"{\"hash\":\"%s\",\"kid\":\"%s\",\"program\":\"%s\",\"seq\":%lld,"
		"\"typ\":\"" TYP_CHECKPOINT "\"}",
		place->hash, kid, program, (long long)place->seq);
	return strbuf_ok(sb);
}

bool audit_checkpoint_write(struct strbuf *data, const struct audit_place *place,
			    const char *program, const struct sign_key *key,
			    struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf sig = STRBUF_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];

	if (!write_signed(&bytes, place, program, sign_key_kid(key)))
		return error_oom(err);
	if (!sign_key_sign(key, bytes.data, bytes.length, signature, err))
		return false;
	digest_base64url(&sig, signature, sizeof signature);
	strbuf_add_format(data,
			  "{\"hash\":\"%s\",\"kid\":\"%s\",\"seq\":%lld,\"sig\":\"%s\","
			  "\"typ\":\"" TYP_CHECKPOINT "\"}",
			  place->hash, sign_key_kid(key), (long long)place->seq,
			  sig.data);
	return (strbuf_ok(&sig) && strbuf_ok(data)) || error_oom(err);
}

static bool is_signed(const struct audit_place *place, const char *program,
		      const char *sig, const struct verify_key *key)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf signature = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	return write_signed(&bytes, place, program, verify_key_kid(key)) &&
	       digest_base64url_decode(sig, strlen(sig), &signature, &ignored) &&
	       signature.length == KEY_SIGNATURE_BYTES &&
	       verify_key_check(key, bytes.data, bytes.length,
				(const uint8_t *)signature.data);
}

struct checkpoint {
	const char *typ, *kid, *hash, *sig;
	int64_t seq;
};

bool audit_checkpoint_check(const json_t *data, const struct audit_place *place,
			    const char *program, const struct verify_key *key,
			    struct error *err)
{
	static const struct json_field fields[] = {
#define FIELD(name, type)                                                                \
	{ #name, type, offsetof(struct checkpoint, name), JSON_FIELD_REQUIRED }
		FIELD(typ, JSON_FIELD_STRING),
		FIELD(kid, JSON_FIELD_STRING),
		FIELD(hash, JSON_FIELD_STRING),
		FIELD(sig, JSON_FIELD_STRING),
		FIELD(seq, JSON_FIELD_INT64),
#undef FIELD
		{ 0 },
	};
	struct checkpoint c = { 0 };

	if (!json_decode(data, fields, &c, "bad checkpoint", err))
		return false;
	if (strcmp(c.typ, TYP_CHECKPOINT) != 0 || c.seq != place->seq ||
	    strcmp(c.hash, place->hash) != 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "bad checkpoint: it is not over the line before it");
	if (!key)
		return true;
	if (strcmp(c.kid, verify_key_kid(key)) != 0)
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"key unknown: the checkpoint was signed by '%s', not by '%s'",
			c.kid, verify_key_kid(key));
	return is_signed(place, program, c.sig, key) ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "bad checkpoint: the signature does not fit");
}
