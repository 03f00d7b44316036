#include "servers/accounts/people_peer.h"

#include "mcp/client/client.h"

enum {
	MAX_AGE_S = 4 * 60 * 60,
	TIMEOUT_MS = 5000,
	ANSWER_BYTES_MAX = 1024 * 1024,
};

struct people_peer {
	struct http_client *http;
	struct secret *token;
	struct mcp_client *client;
	int64_t max_age_s, timeout_ms;
};

void people_peer_close(struct people_peer *p)
{
	if (!p)
		return;
	mcp_client_free(p->client);
	http_client_free(p->http);
	secret_free(p->token);
	free(p);
}

int64_t people_peer_max_age_s(const struct people_peer *p)
{
	return p->max_age_s;
}

static struct secret *read_token(const struct statedir *dir, const char *file,
				 struct error *err)
{
	_cleanup_free_ char *path = statedir_file(dir, file);

	if (!path) {
		error_oom(err);
		return NULL;
	}
	return secret_read(path, true, err);
}

struct people_peer *people_peer_open(const struct statedir *dir, const json_t *config,
				     struct error *err)
{
	_cleanup_(people_peer_closep) struct people_peer *p = calloc(1, sizeof *p);
	const char *url = json_get_string(config, "url");
	const char *token_file = json_get_string(config, "token_file");
	const char *ca_file = json_get_string(config, "ca_file");
	struct http_tls *tls = NULL;

	if (!p) {
		error_oom(err);
		return NULL;
	}
	if (!url || !token_file) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "'backend.people' lacks url or token_file");
		return NULL;
	}
	p->max_age_s = json_get_int64(config, "max_age_s", MAX_AGE_S);
	p->timeout_ms = json_get_int64(config, "timeout_ms", TIMEOUT_MS);
	p->token = read_token(dir, token_file, err);
	if (!p->token || !(p->http = http_client_new("wingman-accounts", err)))
		return NULL;
	if (ca_file && !(tls = http_tls_read(ca_file, NULL, NULL, err)))
		return NULL;
	http_client_use_tls(p->http, tls);
	p->client = mcp_client_new(url, p->token, p->http, "wingman-accounts", err);
	return p->client ? TAKE(p) : NULL;
}

static void write_uri(struct strbuf *uri, const char *text)
{
	strbuf_add_string(uri, "person://search?q=");
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    (*c >= '0' && *c <= '9') || strchr("-._~", *c))
			strbuf_add_char(uri, (char)*c);
		else
			strbuf_add_format(uri, "%%%02X", *c);
	}
}

json_t *people_peer_ask(struct people_peer *p, const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	struct error own = ERROR_INIT;
	json_auto_t *result = NULL, *answer = NULL;
	const char *content;

	write_uri(&uri, text);
	if (!strbuf_ok(&uri)) {
		error_oom(err);
		return NULL;
	}
	result = mcp_client_read_resource(p->client, uri.data, p->timeout_ms, &own);
	if (!result) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the people server cannot be asked: %s", own.message);
		error_hint(err, "nobody is blocked by name or likeness meanwhile");
		error_cause(err, "%s", own.cause);
		return NULL;
	}
	content = json_get_string(json_array_get(json_object_get(result, "contents"), 0),
				  "text");
	answer = content && strlen(content) <= ANSWER_BYTES_MAX
			 ? json_parse(content, strlen(content), JSON_CONTRACT, &own)
			 : NULL;
	if (!json_is_object(answer)) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the people server's answer cannot be read");
		return NULL;
	}
	return TAKE(answer);
}
