#include "assistant/egress/sigv4.h"

#include <string.h>
#include <time.h>

#include "base/digest.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

bool sigv4_date(int64_t wall_ms, char ret[static SIGV4_DATE_BYTES], struct error *err)
{
	const time_t at = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(ret, SIGV4_DATE_BYTES, "%Y%m%dT%H%M%SZ",
					    &tm) != SIGV4_DATE_BYTES - 1)
		return error_set(err, ERR_INTERNAL, "no calendar has such a time");
	return true;
}

/* '/' stays, all else but the unreserved is encoded, the '%' of before too. */
static void add_path(struct strbuf *sb, const char *path)
{
	for (const char *p = path; *p; p++) {
		unsigned char b = (unsigned char)*p;

		if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
		    (b >= '0' && b <= '9') || strchr("-_.~/", b))
			strbuf_add_char(sb, *p);
		else
			strbuf_add_format(sb, "%%%02X", b);
	}
}

/* Trimmed, runs of spaces made one. */
static void add_value(struct strbuf *sb, const char *value)
{
	bool space = false;

	value += strspn(value, " \t");
	for (; *value; value++) {
		if (*value == ' ' || *value == '\t') {
			space = true;
			continue;
		}
		if (space)
			strbuf_add_char(sb, ' ');
		space = false;
		strbuf_add_char(sb, *value);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct sigv4_header *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_headers(const struct sigv4_header *sorted, size_t count,
			struct strbuf *canonical, struct strbuf *names)
{
	for (size_t i = 0; i < count; i++) {
		strbuf_add_format(canonical, "%s:", sorted[i].name);
		add_value(canonical, sorted[i].value);
		strbuf_add_char(canonical, '\n');
		strbuf_add_format(names, "%s%s", i ? ";" : "", sorted[i].name);
	}
}

static void derive_key(const struct sigv4_key *k, const char *day,
		       uint8_t key[static DIGEST_BYTES])
{
	const char *const steps[] = { day, k->region, k->service, "aws4_request" };
	_cleanup_strbuf_ struct strbuf first = STRBUF_INIT;

	strbuf_add_format(&first, "AWS4%s", k->secret_key);
	digest_hmac_sha256(first.data, first.length, steps[0], strlen(steps[0]), key);
	strbuf_wipe(&first);
	for (size_t i = 1; i < ARRAY_SIZE(steps); i++) {
		uint8_t next[DIGEST_BYTES];

		digest_hmac_sha256(key, DIGEST_BYTES, steps[i], strlen(steps[i]), next);
		memcpy(key, next, DIGEST_BYTES);
		explicit_bzero(next, sizeof next);
	}
}

static void canonical_digest(const struct sigv4_request *r, struct strbuf *names,
			     char hex[static DIGEST_HEX_BYTES], bool *ret_good)
{
	struct sigv4_header sorted[SIGV4_HEADERS_MAX] = { { NULL, NULL } };
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT;

	for (size_t i = 0; i < r->header_count; i++)
		sorted[i] = r->headers[i];
	qsort(sorted, r->header_count, sizeof *sorted, by_name);
	strbuf_add_format(&canonical, "%s\n", r->method);
	add_path(&canonical, r->path);
	strbuf_add_string(&canonical, "\n\n");
	add_headers(sorted, r->header_count, &canonical, names);
	digest_sha256_hex(r->body, r->body_bytes, hex);
	strbuf_add_format(&canonical, "\n%s\n%s", names->data, hex);
	digest_sha256_hex(canonical.data, canonical.length, hex);
	*ret_good = strbuf_ok(&canonical) && strbuf_ok(names);
}

bool sigv4_sign(const struct sigv4_request *r, const struct sigv4_key *k,
		const char *date, struct strbuf *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT, text = STRBUF_INIT;
	uint8_t key[DIGEST_BYTES], signature[DIGEST_BYTES];
	char hex[DIGEST_HEX_BYTES], day[9];
	bool good;

	if (r->header_count == 0 || r->header_count > SIGV4_HEADERS_MAX ||
	    strlen(date) != SIGV4_DATE_BYTES - 1)
		return error_set(err, ERR_INTERNAL, "a request that cannot be signed");
	memcpy(day, date, 8);
	day[8] = '\0';
	canonical_digest(r, &names, hex, &good);
	strbuf_add_format(&text, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", date, day,
			  k->region, k->service, hex);
	if (!good || !strbuf_ok(&text))
		return error_oom(err);
	derive_key(k, day, key);
	digest_hmac_sha256(key, sizeof key, text.data, text.length, signature);
	explicit_bzero(key, sizeof key);
	digest_hex(signature, sizeof signature, hex);
	strbuf_add_format(ret,
			  ALGORITHM " Credential=%s/%s/%s/%s/aws4_request, "
				    "SignedHeaders=%s, Signature=%s",
			  k->access_key_id, day, k->region, k->service, names.data, hex);
	return strbuf_ok(ret) || error_oom(err);
}
