/* httpd_test -- a client that speaks bytes, for the tests of httpd. */
#ifndef WIRE_HTTPD_TEST_H
#define WIRE_HTTPD_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>

#include "wire/httpd.h"

struct test_reply {
	int status; /* 0: the connection was closed instead */
	struct strbuf head, body;
	size_t bytes; /* of all, including 1xx before it */
};
#define TEST_REPLY_INIT                                                                  \
	{                                                                                \
		.head = STRBUF_INIT, .body = STRBUF_INIT                                 \
	}

static inline void test_reply_done(struct test_reply *r)
{
	strbuf_done(&r->head);
	strbuf_done(&r->body);
}
#define _cleanup_reply_ _cleanup_(test_reply_done)

static inline int test_connect(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* False when the other side hung up. */
static inline bool test_send(int fd, const void *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		ssize_t n =
			send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

static inline bool test_send_text(int fd, const char *text)
{
	return test_send(fd, text, strlen(text));
}

static inline size_t test_content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");

	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

/* One reply of any status, by its Content-Length. */
static inline void test_receive(int fd, struct test_reply *r)
{
	char c;

	r->status = 0;
	strbuf_clear(&r->head);
	strbuf_clear(&r->body);
	while (!strstr(r->head.data, "\r\n\r\n")) {
		if (recv(fd, &c, 1, 0) != 1)
			return;
		strbuf_add_char(&r->head, c);
	}
	r->status = (int)strtol(r->head.data + 9, NULL, 10);
	for (size_t left = r->status < 200 ? 0 : test_content_length(r->head.data);
	     left > 0; left--) {
		if (recv(fd, &c, 1, 0) != 1) {
			r->status = 0;
			return;
		}
		strbuf_add_char(&r->body, c);
	}
}

static inline bool test_is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) <= 0;
}

/* Connect, send, receive one reply, hang up. */
static inline void test_exchange(uint16_t port, const char *request, struct test_reply *r)
{
	int fd = test_connect(port);

	(void)test_send_text(fd, request);
	test_receive(fd, r);
	(void)close(fd);
}

#define TEST_HOST "Host: localhost\r\n"

#endif
