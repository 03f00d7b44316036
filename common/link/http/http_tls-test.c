/* Whom calls over TLS trust and what they show, against our own server. */
#include "wire/testing_tls.h"

#include "link/http/http_client.h"
#include "wire/httpd.h"
#include "wire/httpd_tls.h"

struct world {
	char dir[TESTING_PATH_BYTES];
	struct identity ca, other_ca, server, client, stranger;
	struct httpd *open, *strict; /* the second wants to see a certificate */
};

static void show_client(void *context, struct http_request *req)
{
	struct strbuf out = STRBUF_INIT;
	const char *name = http_request_client_name(req);

	(void)context;
	strbuf_add_string(&out, name ? name : "nobody");
	http_reply(req, 200, "text/plain", NULL, &out);
}

static struct httpd *serve(const struct world *w, const char *client_ca)
{
	struct error err = ERROR_INIT;
	_cleanup_(httpd_tls_freep) struct httpd_tls *tls =
		httpd_tls_read(w->server.cert_file, w->server.key_file, client_ca, &err);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .tls = tls, .handler = show_client
	};
	struct httpd *h = tls ? httpd_start(&config, &err) : NULL;

	if (!h)
		fail_msg("%s", err.message);
	return h;
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	testing_folder(w->dir);
	testing_identity(w->dir, &w->ca, "authority", NULL, NULL);
	testing_identity(w->dir, &w->other_ca, "bogus", NULL, NULL);
	testing_identity(w->dir, &w->server, "server", &w->ca, GNUTLS_KP_TLS_WWW_SERVER);
	testing_identity(w->dir, &w->client, "client", &w->ca, GNUTLS_KP_TLS_WWW_CLIENT);
	testing_identity(w->dir, &w->stranger, "stranger", &w->other_ca,
			 GNUTLS_KP_TLS_WWW_CLIENT);
	w->open = serve(w, NULL);
	w->strict = serve(w, w->ca.cert_file);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	struct identity *all[] = { &w->ca, &w->other_ca, &w->server, &w->client,
				   &w->stranger };

	httpd_stop(w->open, 100);
	httpd_stop(w->strict, 100);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		testing_identity_done(all[i]);
	testing_remove(w->dir);
	free(w);
	return 0;
}

/* The reply's text, or how the call failed; 'tls' is taken. */
static void call(const struct httpd *server, struct http_tls *tls,
		 struct http_client_reply *ret, bool *ret_sent, struct error *err)
{
	_cleanup_(http_client_freep) struct http_client *c = http_client_new("test", err);
	char url[64];
	const struct http_client_request request = { .method = "GET",
						     .url = url,
						     .timeout_ms = 20000 };

	assert_non_null(c);
	if (tls)
		http_client_use_tls(c, tls);
	(void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", httpd_port(server));
	(void)http_client_call(c, &request, ret, ret_sent, err);
}

static struct http_tls *trust(const struct identity *ca, const struct identity *own)
{
	struct error err = ERROR_INIT;
	struct http_tls *tls = http_tls_read(ca ? ca->cert_file : NULL,
					     own ? own->cert_file : NULL,
					     own ? own->key_file : NULL, &err);

	if (!tls)
		fail_msg("%s", err.message);
	return tls;
}

static void expect(const struct httpd *server, struct http_tls *tls, const char *body)
{
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;

	call(server, tls, &reply, NULL, &err);
	if (error_is_set(&err))
		fail_msg("%s: %s", err.message, err.cause);
	assert_string_equal(reply.body.data, body);
	http_client_reply_done(&reply);
}

static void expect_unreachable(const struct httpd *server, struct http_tls *tls)
{
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;

	call(server, tls, &reply, NULL, &err);
	assert_true(error_is_set(&err));
	assert_int_equal(reply.status, 0);
	http_client_reply_done(&reply);
}

static void test_trust(void **state)
{
	struct world *w = *state;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;
	bool sent = true;

	expect(w->open, trust(&w->ca, NULL), "nobody");
	expect_unreachable(w->open, NULL); /* the system knows nothing of our authority */
	expect_unreachable(w->open, trust(NULL, &w->client));
	call(w->open, trust(&w->other_ca, NULL), &reply, &sent, &err);
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_false(sent); /* nothing leaves before the server is who it should be */
}

static void test_client_certificates(void **state)
{
	struct world *w = *state;

	expect(w->strict, trust(&w->ca, &w->client), "CN=client");
	expect(w->open, trust(&w->ca, &w->client), "nobody"); /* nobody asked */
	expect_unreachable(w->strict, trust(&w->ca, NULL));
	expect_unreachable(w->strict, trust(&w->ca, &w->stranger));
}

static void refuse(const char *ca, const char *cert, const char *key, const char *why)
{
	struct error err = ERROR_INIT;

	assert_null(http_tls_read(ca, cert, key, &err));
	if (!strstr(err.message, why))
		fail_msg("'%s' does not say '%s'", err.message, why);
}

static void test_files(void **state)
{
	struct world *w = *state;
	const struct identity *id = &w->client;
	char open_key[TESTING_PATH_BYTES + 32];
	struct strbuf key = STRBUF_INIT;
	struct error err = ERROR_INIT;

	refuse(id->key_file, NULL, NULL, "no certificate in");
	refuse("/nonexistent", NULL, NULL, "/nonexistent");
	refuse(NULL, id->cert_file, NULL, "needs its key");
	refuse(NULL, NULL, id->key_file, "needs its key");
	refuse(NULL, id->cert_file, w->server.key_file, "cannot use the certificate");
	refuse(NULL, id->key_file, id->key_file, "cannot use the certificate");
	(void)snprintf(open_key, sizeof open_key, "%s/open.key", w->dir);
	assert_true(file_read(id->key_file, 65536, &key, &err));
	assert_true(file_write(open_key, key.data, key.length, 0644, &err));
	refuse(NULL, id->cert_file, open_key, "open.key");
	strbuf_done(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_client_certificates),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
