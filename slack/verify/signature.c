#include "slack/verify/signature.h"

#include <strings.h>

static const char timestamp_name[] = "X-Slack-Request-Timestamp";
static const char signature_name[] = "X-Slack-Signature";

static bool take_field(const struct slack_field *field, const char *name,
		       const char **ret, struct error *err)
{
	if (strcasecmp(field->name, name) != 0)
		return true;
	if (*ret)
		return error_set(err, ERR_PERMISSION_DENIED, "the header %s stands twice",
				 name);
	*ret = field->value;
	return true;
}

bool slack_evidence_read(const struct slack_field *fields, size_t count,
			 struct slack_evidence *ret, struct error *err)
{
	const char *timestamp = NULL, *signature = NULL;

	if (count > SLACK_FIELDS_MAX)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "there are too many headers");
	for (size_t i = 0; i < count; i++)
		if (!take_field(&fields[i], timestamp_name, &timestamp, err) ||
		    !take_field(&fields[i], signature_name, &signature, err))
			return false;
	if (!timestamp || !signature)
		return error_set(err, ERR_PERMISSION_DENIED, "the header %s is missing",
				 timestamp ? signature_name : timestamp_name);
	ret->timestamp = timestamp;
	ret->signature = signature;
	return true;
}

/* 1 to 12 digits, so that nothing can overflow; -1 otherwise. */
static int64_t read_timestamp(const char *text)
{
	size_t length = strnlen(text, SLACK_TIMESTAMP_CHARACTERS_MAX + 1);
	int64_t value = 0;

	if (length == 0 || length > SLACK_TIMESTAMP_CHARACTERS_MAX)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static bool check_time(const char *text, int64_t now_s, struct error *err)
{
	int64_t at = read_timestamp(text);

	if (at < 0)
		return error_set(err, ERR_PERMISSION_DENIED, "the timestamp is none");
	if (at < now_s - SLACK_WINDOW_S)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the request is more than %d seconds old",
				 SLACK_WINDOW_S);
	if (at > now_s + SLACK_WINDOW_S)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the request is more than %d seconds ahead of the clock",
				 SLACK_WINDOW_S);
	return true;
}

static void sign(const struct strbuf *base, const struct secret *secret,
		 char ret[static SLACK_SIGNATURE_CHARACTERS + 1])
{
	uint8_t mac[DIGEST_BYTES];

	digest_hmac_sha256(secret_bytes(secret), secret_length(secret), base->data,
			   base->length, mac);
	(void)snprintf(ret, SLACK_SIGNATURE_CHARACTERS + 1, "v0=");
	digest_hex(mac, sizeof mac, ret + strlen("v0="));
	explicit_bzero(mac, sizeof mac);
}

bool slack_signature_check(const struct slack_evidence *e,
			   const struct secret *const *secrets, size_t count,
			   int64_t now_s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	char want[SLACK_SIGNATURE_CHARACTERS + 1];
	bool matches = false;

	if (count < 1 || count > SLACK_SECRETS_MAX)
		return error_set(err, ERR_INTERNAL, "there are %zu signing secrets",
				 count);
	if (!e->timestamp || !e->signature)
		return error_set(err, ERR_PERMISSION_DENIED, "the request is not signed");
	if (e->length > SLACK_BODY_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "the body is too long");
	if (!check_time(e->timestamp, now_s, err))
		return false;
	if (strnlen(e->signature, SLACK_SIGNATURE_CHARACTERS + 1) !=
	    SLACK_SIGNATURE_CHARACTERS)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the signature has another form than Slack's");
	strbuf_add_format(&base, "v0:%s:", e->timestamp);
	strbuf_add(&base, e->body, e->length);
	if (!strbuf_ok(&base))
		return error_oom(err);
	for (size_t i = 0; i < count; i++) {
		size_t length = secret_length(secrets[i]);

		/* Everybody can sign with an empty one. */
		if (length == 0 || length > SLACK_SECRET_BYTES_MAX)
			return error_set(err, ERR_INTERNAL, "a signing secret is none");
		sign(&base, secrets[i], want);
		matches |= digest_equal(want, SLACK_SIGNATURE_CHARACTERS, e->signature,
					SLACK_SIGNATURE_CHARACTERS);
	}
	explicit_bzero(want, sizeof want);
	if (!matches)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the signature is not Slack's");
	return true;
}
