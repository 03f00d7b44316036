/* HTTP over TLS: who may connect, what comes through, and streams. Keys are made anew. */
#include "wire/httpd_stream_test.h"
#include "wire/httpd_tls.h"
#include "wire/testing_tls.h"

struct world {
	char dir[TESTING_PATH_BYTES];
	struct identity ca, other_ca, server, client, stranger, not_client;
};

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
	testing_identity(w->dir, &w->not_client, "not_client", &w->ca,
			 GNUTLS_KP_TLS_WWW_SERVER);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	struct identity *all[] = { &w->ca,     &w->other_ca, &w->server,
				   &w->client, &w->stranger, &w->not_client };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		testing_identity_done(all[i]);
	testing_remove(w->dir);
	free(w);
	return 0;
}

/* ---- A client ---- */

struct tls_client {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	struct strbuf got;
};

/* False when the handshake failed; 'c' is to be closed either way. */
static bool tls_connect(struct tls_client *c, struct world *w, uint16_t port,
			const struct identity *id, const char *priorities)
{
	int done;

	*c = (struct tls_client){ .fd = test_connect(port) };
	strbuf_init(&c->got);
	gnutls_certificate_allocate_credentials(&c->credentials);
	assert_int_equal(gnutls_certificate_set_x509_trust_file(
				 c->credentials, w->ca.cert_file, GNUTLS_X509_FMT_PEM),
			 1);
	if (id)
		assert_int_equal(gnutls_certificate_set_x509_key_file(
					 c->credentials, id->cert_file, id->key_file,
					 GNUTLS_X509_FMT_PEM),
				 0);
	/* shows it whichever authorities the server names */
	gnutls_init(&c->session,
		    GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT);
	assert_int_equal(gnutls_priority_set_direct(
				 c->session, priorities ? priorities : "NORMAL", NULL),
			 0);
	gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
	gnutls_session_set_verify_cert(c->session, "localhost", 0);
	gnutls_transport_set_int(c->session, c->fd);
	do
		done = gnutls_handshake(c->session);
	while (done < 0 && !gnutls_error_is_fatal(done));
	return done == 0;
}

static void tls_close(struct tls_client *c)
{
	gnutls_deinit(c->session);
	gnutls_certificate_free_credentials(c->credentials);
	strbuf_done(&c->got);
	(void)close(c->fd);
}

static bool tls_say(struct tls_client *c, const char *text)
{
	return gnutls_record_send(c->session, text, strlen(text)) ==
	       (ssize_t)strlen(text);
}

/* Until 'end' has come; false if the connection ended before. */
static bool tls_hear(struct tls_client *c, const char *end)
{
	char piece[4096];

	while (!strstr(c->got.data, end)) {
		ssize_t n = gnutls_record_recv(c->session, piece, sizeof piece);
		if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN)
			continue;
		if (n <= 0)
			return false;
		strbuf_add(&c->got, piece, (size_t)n);
	}
	return true;
}

/* ---- A server ---- */

static void show_client(void *context, struct http_request *req)
{
	struct strbuf out = STRBUF_INIT;
	const char *name = http_request_client_name(req);

	if (strcmp(http_request_path(req), "/events") == 0) {
		serve(context, req);
		return;
	}
	strbuf_add_format(&out, "client: %s\n", name ? name : "(none)");
	http_reply(req, 200, "text/plain", NULL, &out);
}

static struct stand *stand_tls(struct world *w, bool want_clients)
{
	struct error err = ERROR_INIT;
	_cleanup_(httpd_tls_freep) struct httpd_tls *tls =
		httpd_tls_read(w->server.cert_file, w->server.key_file,
			       want_clients ? w->ca.cert_file : NULL, &err);

	if (!tls)
		fail_msg("%s", err.message);
	return stand_new((struct httpd_config){
		.tls = tls, .handler = show_client, .keepalive_ms = 200 });
}

#define GET "GET / HTTP/1.1\r\n" TEST_HOST "\r\n"

static void requests_are_answered_over_tls(void **state)
{
	static const char *const priorities[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.3",
						  "NORMAL:-VERS-ALL:+VERS-TLS1.2" };
	struct stand *s = stand_tls(*state, false);

	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		struct tls_client c;
		assert_true(
			tls_connect(&c, *state, httpd_port(s->h), NULL, priorities[i]));
		for (int n = 0; n < 3; n++) {
			assert_true(tls_say(&c, GET));
			assert_true(tls_hear(&c, "client: (none)\n"));
			strbuf_clear(&c.got);
		}
		tls_close(&c);
	}
	stand_end(s);
}

static void old_versions_and_plain_text_are_refused(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct stand *s = stand_tls(*state, false);
	struct tls_client c;

	assert_false(tls_connect(&c, *state, httpd_port(s->h), NULL,
				 "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:+SHA1"));
	tls_close(&c);
	test_exchange(httpd_port(s->h), GET, &r);
	assert_int_equal(r.status, 0);
	stand_end(s);
}

static void only_known_clients_come_through(void **state)
{
	struct world *w = *state;
	const struct identity *const refused[] = { NULL, &w->stranger, &w->not_client };
	struct stand *s = stand_tls(w, true);
	struct tls_client c;

	assert_true(tls_connect(&c, w, httpd_port(s->h), &w->client, NULL));
	for (int n = 0; n < 2; n++) {
		assert_true(tls_say(&c, GET));
		assert_true(tls_hear(&c, "client: CN=client\n"));
		strbuf_clear(&c.got);
	}
	tls_close(&c);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		/* with TLS 1.3 a client learns of it only with the first reply */
		if (tls_connect(&c, w, httpd_port(s->h), refused[i], NULL)) {
			(void)tls_say(&c, GET);
			assert_false(tls_hear(&c, "client:"));
		}
		tls_close(&c);
	}
	stand_end(s);
}

/* ---- Streams ---- */

static void open_tls(struct tls_client *c, struct world *w, struct stand *s)
{
	unsigned count = s->count + 1;

	assert_true(tls_connect(c, w, httpd_port(s->h), NULL, NULL));
	assert_true(tls_say(c, "GET /events HTTP/1.1\r\n" TEST_HOST "X-Fill: 1\r\n\r\n"));
	wait_for(s, &s->count, count);
	assert_true(tls_hear(c, "\r\n\r\n3\r\n:\n\n\r\n"));
	strbuf_clear(&c->got);
}

static void streams_work_over_tls(void **state)
{
	struct stand *s = stand_tls(*state, false);
	struct tls_client c, other;

	open_tls(&c, *state, s);
	open_tls(&other, *state, s);
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	assert_true(tls_hear(&c, "9\r\ndata: 1\n\n\r\n"));
	assert_true(tls_hear(&c, "d\r\n: keepalive\n\n\r\n"));
	/* others are served while streams lie there */
	struct tls_client third;
	assert_true(tls_connect(&third, *state, httpd_port(s->h), NULL, NULL));
	assert_true(tls_say(&third, GET));
	assert_true(tls_hear(&third, "client: (none)\n"));
	tls_close(&third);
	assert_true(tell(s->owned[0].stream, "data: 2\n\n"));
	http_stream_end(s->owned[0].stream);
	assert_true(tls_hear(&c, "9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
	assert_false(tls_hear(&c, "never"));
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_ENDED);
	tls_close(&c);
	tls_close(&other);
	wait_for(s, &s->closed, 2);
	assert_int_equal(s->owned[1].why, HTTP_STREAM_GONE);
	stand_end(s);
}

static void a_long_text_arrives_whole_over_tls(void **state)
{
	enum { LENGTH = 3 * 1024 * 1024 };
	struct stand *s = stand_tls(*state, false);
	_cleanup_free_ char *text = malloc(LENGTH + 1);
	struct tls_client c;

	for (int i = 0; i < LENGTH; i++)
		text[i] = (char)('a' + i % 23);
	text[LENGTH] = '\0';
	open_tls(&c, *state, s);
	assert_true(tell(s->owned[0].stream, text));
	http_stream_end(s->owned[0].stream);
	(void)usleep(100 * 1000); /* until the socket is full */
	for (size_t seen = 0; seen < LENGTH + 8 + 7;) {
		char piece[16384];
		ssize_t n = gnutls_record_recv(c.session, piece, sizeof piece);
		assert_true(n > 0);
		strbuf_add(&c.got, piece, (size_t)n);
		seen += (size_t)n;
	}
	assert_memory_equal(c.got.data, "300000\r\n", 8);
	assert_memory_equal(c.got.data + 8, text, LENGTH);
	assert_string_equal(c.got.data + 8 + LENGTH, "\r\n0\r\n\r\n");
	tls_close(&c);
	stand_end(s);
}

static void slow_tls_readers_are_dropped(void **state)
{
	static char piece[64 * 1024];
	struct stand *s = stand_tls(*state, false);
	struct shared_bytes *b = shared_bytes_new(piece, sizeof piece);
	struct tls_client c;
	unsigned sent = 0;

	open_tls(&c, *state, s);
	for (; sent < 1000 && http_stream_send(s->owned[0].stream, b); sent++)
		(void)usleep(1000);
	shared_bytes_unref(b);
	assert_true(sent < 1000);
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_TOO_SLOW);
	tls_close(&c);
	stand_end(s);
}

static void stopping_cuts_tls_streams(void **state)
{
	struct stand *s = stand_tls(*state, false);
	struct tls_client c[8];

	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		open_tls(&c[i], *state, s);
	httpd_stop(s->h, 0);
	s->h = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(s->owned[i].why, HTTP_STREAM_STOPPED);
		assert_false(tls_hear(&c[i], "0\r\n\r\n"));
		tls_close(&c[i]);
	}
	stand_end(s);
}

/* ---- Files ---- */

static void bad_files_are_refused(void **state)
{
	struct world *w = *state;
	const struct identity *good = &w->server, *other = &w->client;
	struct error err = ERROR_INIT;

	assert_null(httpd_tls_read(good->cert_file, other->key_file, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	err = (struct error)ERROR_INIT;
	assert_null(httpd_tls_read(good->key_file, good->key_file, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	err = (struct error)ERROR_INIT;
	assert_null(httpd_tls_read("/nonexistent", good->key_file, NULL, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	err = (struct error)ERROR_INIT;
	assert_null(
		httpd_tls_read(good->cert_file, good->key_file, good->key_file, &err));
	assert_non_null(strstr(err.message, "no certificate in"));
	err = (struct error)ERROR_INIT;
	assert_int_equal(chmod(other->key_file, 0644), 0);
	assert_null(httpd_tls_read(other->cert_file, other->key_file, NULL, &err));
	assert_int_equal(chmod(other->key_file, 0600), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_over_tls),
		cmocka_unit_test(old_versions_and_plain_text_are_refused),
		cmocka_unit_test(only_known_clients_come_through),
		cmocka_unit_test(streams_work_over_tls),
		cmocka_unit_test(a_long_text_arrives_whole_over_tls),
		cmocka_unit_test(slow_tls_readers_are_dropped),
		cmocka_unit_test(stopping_cuts_tls_streams),
		cmocka_unit_test(bad_files_are_refused),
	};

	return cmocka_run_group_tests_name("httpd_tls", tests, begin, end);
}
