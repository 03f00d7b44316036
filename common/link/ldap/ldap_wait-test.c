#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "link/ldap/ldap_link.h"

/* A directory that takes a connection, says 'answer' to the first bytes, and no more. */
struct silent {
	int listener, peer;
	const void *answer;
	size_t length;
	pthread_t thread;
	char uri[64];
};

static void *say(void *context)
{
	struct silent *s = context;
	char request[512];

	s->peer = accept(s->listener, NULL, NULL);
	if (s->peer < 0 || read(s->peer, request, sizeof request) <= 0)
		return s;
	return write(s->peer, s->answer, s->length) == (ssize_t)s->length ? NULL : s;
}

static void silent_start(struct silent *s, const char *scheme)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &length),
			 0);
	(void)snprintf(s->uri, sizeof s->uri, "%s://127.0.0.1:%u", scheme,
		       ntohs(address.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, say, s), 0);
}

static void silent_stop(struct silent *s)
{
	void *bad = NULL;

	pthread_join(s->thread, &bad);
	assert_null(bad);
	close(s->peer);
	close(s->listener);
}

/* What is tested is that it comes back at all. */
static void try_bind(const char *scheme, bool start_tls, const void *answer,
		     size_t length)
{
	struct silent s = { .answer = answer, .length = length };
	struct error err = ERROR_INIT;
	bool ok = false;

	silent_start(&s, scheme);
	const struct ldap_link_config config = { .uri = s.uri,
						 .start_tls = start_tls,
						 .timeout_ms = 300 };

	assert_false(ldap_link_try_bind(&config, "cn=a", "secret", &ok, &err));
	assert_true(err.code == ERR_BACKEND_UNAVAILABLE || err.code == ERR_TIMEOUT);
	assert_false(ok);
	silent_stop(&s);
}

static void test_silent_handshake(void **state)
{
	/* The beginning of a TLS record whose rest never comes. */
	static const unsigned char record[] = { 0x16, 0x03, 0x03, 0x10, 0x00, 0x02 };

	(void)state;
	try_bind("ldaps", false, "", 0);
	try_bind("ldaps", false, record, sizeof record);
}

static void test_silent_start_tls(void **state)
{
	/* Yes to StartTLS, and then nothing; and half a yes. */
	static const unsigned char yes[] = { 0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07,
					     0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00 };

	(void)state;
	try_bind("ldap", true, yes, sizeof yes);
	try_bind("ldap", true, yes, 7);
}

static void test_silent_answer(void **state)
{
	/* The beginning of a message whose rest never comes. */
	static const unsigned char message[] = { 0x30, 0x0c, 0x02, 0x01 };

	(void)state;
	try_bind("ldap", false, message, sizeof message);
	try_bind("ldap", false, message, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent_handshake),
		cmocka_unit_test(test_silent_start_tls),
		cmocka_unit_test(test_silent_answer),
	};

	return cmocka_run_group_tests_name("ldap_wait", tests, NULL, NULL);
}
