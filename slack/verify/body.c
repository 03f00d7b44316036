#include "slack/verify/body.h"

#include "slack/verify/signature.h"

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "the body is no form: %s", why);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* One name or value. */
static bool decode(struct strbuf *sb, const char *text, size_t length, struct error *err)
{
	for (size_t i = 0; i < length; i++) {
		int high = text[i] == '%' && i + 2 < length ? hex(text[i + 1]) : -1;
		int low = high >= 0 ? hex(text[i + 2]) : -1;

		if (text[i] == '&' || text[i] == '=')
			return refuse(err, "it has more than one field");
		if (text[i] == '%' && low < 0)
			return refuse(err, "a byte is written wrongly");
		if (low >= 0)
			i += 2;
		strbuf_add_char(sb, low >= 0         ? (char)(high << 4 | low)
				    : text[i] == '+' ? ' '
						     : text[i]);
	}
	return strbuf_ok(sb) || error_oom(err);
}

json_t *slack_body_payload(const void *body, size_t length, struct error *err)
{
	static const char name[] = "payload=";
	const char *text = body;
	_cleanup_strbuf_ struct strbuf decoded = STRBUF_INIT;

	if (length > SLACK_BODY_MAX || length < sizeof name ||
	    memcmp(text, name, sizeof name - 1) != 0) {
		refuse(err, "it has no payload");
		return NULL;
	}
	if (!decode(&decoded, text + sizeof name - 1, length - (sizeof name - 1), err))
		return NULL;
	return json_parse(decoded.data, decoded.length, JSON_SYNTAX, err);
}

static bool add_field(const char *pair, size_t length, json_t *fields, struct error *err)
{
	const char *equals = memchr(pair, '=', length);
	size_t before = equals ? (size_t)(equals - pair) : length;
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, value = STRBUF_INIT;

	if (!equals || before == 0 || before > SLACK_FIELD_NAME_MAX)
		return refuse(err, "a field has no name");
	if (!decode(&name, pair, before, err) ||
	    !decode(&value, equals + 1, length - before - 1, err))
		return false;
	if (memchr(name.data, '\0', name.length) ||
	    memchr(value.data, '\0', value.length))
		return refuse(err, "a field holds a NUL");
	if (json_object_get(fields, name.data))
		return refuse(err, "a field is there twice");
	return json_object_set_new(fields, name.data, json_string(value.data)) == 0 ||
	       refuse(err, "a field is no UTF-8");
}

json_t *slack_body_fields(const void *body, size_t length, struct error *err)
{
	const char *text = body, *end = text + length;
	json_auto_t *fields = json_object();

	if (length == 0 || length > SLACK_BODY_MAX) {
		refuse(err, "it is empty, or too long");
		return NULL;
	}
	if (!fields) {
		error_oom(err);
		return NULL;
	}
	while (text <= end) {
		const char *stop = memchr(text, '&', (size_t)(end - text));

		if (!stop)
			stop = end;
		if (json_object_size(fields) == SLACK_FORM_FIELDS_MAX) {
			refuse(err, "it has too many fields");
			return NULL;
		}
		if (!add_field(text, (size_t)(stop - text), fields, err))
			return NULL;
		text = stop + 1;
	}
	return TAKE(fields);
}
