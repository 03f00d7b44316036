#include "assistant/egress/credentials.h"

#include <string.h>

#include "assistant/egress/sigv4.h"

/* ---- Reading ---- */

static struct secret *from_environment(const char *name, struct error *err)
{
	char *value = getenv(name);
	struct secret *s = NULL;

	if (!value || !*value) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the environment has no variable '%s'", name);
		return NULL;
	}
	s = secret_new(value, strlen(value));
	explicit_bzero(value, strlen(value));
	(void)unsetenv(name);
	if (!s)
		error_oom(err);
	return s;
}

/* What goes into a header is printed and has no end of line. */
static bool is_plain(const struct secret *s)
{
	const char *bytes = secret_bytes(s);

	for (size_t i = 0; i < secret_length(s); i++)
		if (bytes[i] < 0x21 || bytes[i] > 0x7e)
			return false;
	return secret_length(s) > 0 && secret_length(s) <= 8192;
}

static const char env[] = "env:";

static bool read_one(const struct assistant_secret *from, const struct statedir *dir,
		     struct secret **ret, struct error *err)
{
	struct secret *s;

	if (!from->from[0])
		return true;
	s = strncmp(from->from, env, sizeof env - 1) == 0
		    ? from_environment(from->from + sizeof env - 1, err)
		    : statedir_secret(dir, from->from, err);
	if (s && !is_plain(s)) {
		secret_free(s);
		return error_set(err, ERR_INVALID_ARGUMENT, "'%s' holds what no key has",
				 from->from);
	}
	*ret = s;
	return s != NULL;
}

bool credentials_check(const struct assistant_settings *s, const struct statedir *dir,
		       struct error *err)
{
	const struct assistant_secret *const all[] = { &s->key, &s->access_key_id,
						       &s->session_token };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const char *from = all[i]->from;
		struct secret *one = NULL;

		if (strncmp(from, env, sizeof env - 1) == 0 ||
		    statedir_is_credential(from))
			continue;
		bool good = read_one(all[i], dir, &one, err);
		secret_free(one);
		if (!good)
			return false;
	}
	return true;
}

bool credentials_read(const struct assistant_settings *s, const struct statedir *dir,
		      struct credentials *ret, struct error *err)
{
	struct credentials c = { NULL, NULL, NULL };

	if (!read_one(&s->key, dir, &c.key, err) ||
	    !read_one(&s->access_key_id, dir, &c.access_key_id, err) ||
	    !read_one(&s->session_token, dir, &c.session_token, err)) {
		credentials_done(&c);
		return false;
	}
	*ret = c;
	return true;
}

void credentials_done(struct credentials *c)
{
	secret_free(c->key);
	secret_free(c->access_key_id);
	secret_free(c->session_token);
	*c = (struct credentials){ NULL, NULL, NULL };
}

/* ---- Headers ---- */

static void add(struct credentials_headers *h, const char *name, const char *value)
{
	size_t i = 0;

	while (h->list[i].name)
		i++;
	if (i < CREDENTIALS_HEADERS_MAX)
		h->list[i] = (struct http_client_header){ name, value };
}

static const char *keep(struct strbuf *sb, const struct secret *s)
{
	strbuf_add(sb, secret_bytes(s), secret_length(s));
	return sb->data;
}

/* "host[:port]" as the client will say it: without a scheme's own port. */
static void add_host(struct strbuf *sb, const char *url)
{
	bool https = strncmp(url, "https://", 8) == 0;
	const char *host = strstr(url, "://") + 3;
	size_t length = strcspn(host, "/");
	const char *usual = https ? ":443" : ":80";

	if (length > strlen(usual) &&
	    strncmp(host + length - strlen(usual), usual, strlen(usual)) == 0)
		length -= strlen(usual);
	strbuf_add(sb, host, length);
}

static bool sign(const struct credentials *c, const struct assistant_settings *s,
		 const char *path, const char *body, size_t body_bytes, int64_t now_ms,
		 struct credentials_headers *h, struct error *err)
{
	_cleanup_strbuf_ struct strbuf secret = STRBUF_INIT, id = STRBUF_INIT,
				       host = STRBUF_INIT;
	struct sigv4_header signed_ones[4];
	size_t count = 0;
	char date[SIGV4_DATE_BYTES];

	if (!sigv4_date(now_ms, date, err))
		return false;
	strbuf_add_string(&h->texts[0], date);
	add_host(&host, s->url);
	signed_ones[count++] = (struct sigv4_header){ "host", host.data };
	signed_ones[count++] = (struct sigv4_header){ "x-amz-date", h->texts[0].data };
	signed_ones[count++] =
		(struct sigv4_header){ "content-type", "application/json" };
	if (c->session_token)
		signed_ones[count++] =
			(struct sigv4_header){ "x-amz-security-token",
					       keep(&h->texts[2], c->session_token) };
	const struct sigv4_request request = { "POST", path, signed_ones,
					       count,  body, body_bytes };
	const struct sigv4_key key = { keep(&id, c->access_key_id), keep(&secret, c->key),
				       s->region, "bedrock" };
	bool good = strbuf_ok(&secret) && strbuf_ok(&id) && strbuf_ok(&host) &&
		    sigv4_sign(&request, &key, date, &h->texts[1], err);
	strbuf_wipe(&secret);
	if (!good)
		return error_oom(err);
	add(h, "x-amz-date", h->texts[0].data);
	add(h, "Authorization", h->texts[1].data);
	if (c->session_token)
		add(h, "x-amz-security-token", h->texts[2].data);
	return true;
}

bool credentials_headers(const struct credentials *c, const struct assistant_settings *s,
			 const char *path, const char *body, size_t body_bytes,
			 int64_t now_ms, struct credentials_headers *ret,
			 struct error *err)
{
	struct credentials_headers *h = ret;

	add(h, "Content-Type", "application/json");
	if (s->provider == ASSISTANT_ANTHROPIC)
		add(h, "anthropic-version", "2026-10-21");
	if (c->access_key_id)
		return sign(c, s, path, body, body_bytes, now_ms, h, err);
	if (!c->key)
		return true;
	if (s->provider == ASSISTANT_ANTHROPIC) {
		add(h, "x-api-key", keep(&h->texts[0], c->key));
	} else {
		strbuf_add_string(&h->texts[0], "Bearer ");
		add(h, "Authorization", keep(&h->texts[0], c->key));
	}
	return strbuf_ok(&h->texts[0]) || error_oom(err);
}

void credentials_headers_init(struct credentials_headers *h)
{
	*h = (struct credentials_headers){ .list = { { NULL, NULL } } };
	for (size_t i = 0; i < ARRAY_SIZE(h->texts); i++)
		strbuf_init(&h->texts[i]);
}

void credentials_headers_done(struct credentials_headers *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(h->texts); i++)
		strbuf_wipe(&h->texts[i]);
	credentials_headers_init(h);
}
