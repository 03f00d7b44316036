/*
 * sigv4-sign -- our signature of a request that somebody else signed.
 *
 *   sigv4-sign < request.json
 *
 * {method, path, headers: {name: value}, body, date, region, service, access_key_id,
 * secret_key}; prints what Authorization would hold.
 */
#include <stdio.h>
#include <string.h>

#include "assistant/egress/sigv4.h"
#include "base/json.h"

int main(void)
{
	json_auto_t *in = json_loadf(stdin, 0, NULL);
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t count = 0;
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(in, "headers"), name, value)
	{
		if (count < SIGV4_HEADERS_MAX)
			headers[count++] =
				(struct sigv4_header){ name, json_string_value(value) };
	}
	const char *body = json_get_string(in, "body");
	const struct sigv4_request r = { json_get_string(in, "method"),
					 json_get_string(in, "path"),
					 headers,
					 count,
					 body,
					 body ? strlen(body) : 0 };
	const struct sigv4_key k = { json_get_string(in, "access_key_id"),
				     json_get_string(in, "secret_key"),
				     json_get_string(in, "region"),
				     json_get_string(in, "service") };
	const char *date = json_get_string(in, "date");

	if (!r.method || !r.path || !body || !k.access_key_id || !k.secret_key ||
	    !k.region || !k.service || !date || !sigv4_sign(&r, &k, date, &out, &err)) {
		(void)fprintf(stderr, "cannot sign: %s\n", err.message);
		return 1;
	}
	(void)puts(out.data);
	return 0;
}
