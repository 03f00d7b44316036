/*
 * testing_proxy -- between a test and its Redis: leads elsewhere, and cuts.
 *
 * A loopback listener with a thread. While 'cut' is armed, the first connection on
 * which 'word' is sent loses its way: the request is handed on, the answer is read and
 * thrown away, and both sides are closed.
 */
#ifndef LINK_TESTING_PROXY_H
#define LINK_TESTING_PROXY_H

#include "link/coordination/testing_redis.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { TESTING_PROXY_CONNECTIONS = 64, TESTING_PROXY_BYTES = 64 * 1024 };

struct testing_proxy {
	int listen_fd, stop_fds[2];
	uint16_t port;
	_Atomic uint16_t target;
	const char *word; /* in a request; set before 'cuts' */
	_Atomic int cuts; /* that many requests with the word are cut */
	_Atomic int cuts_done;
	_Atomic bool is_refusing;                /* new connections are closed at once */
	int pairs[TESTING_PROXY_CONNECTIONS][2]; /* client, server; -1: free */
	bool is_cut[TESTING_PROXY_CONNECTIONS];
	pthread_t thread;
};

static inline int testing_connect(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static inline void testing_proxy_accept(struct testing_proxy *p)
{
	int client = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	int target = atomic_load(&p->is_refusing)
			     ? -1
			     : testing_connect(atomic_load(&p->target));

	for (size_t i = 0; i < TESTING_PROXY_CONNECTIONS && target >= 0; i++) {
		if (p->pairs[i][0] >= 0)
			continue;
		p->pairs[i][0] = client;
		p->pairs[i][1] = target;
		p->is_cut[i] = false;
		return;
	}
	close(client);
	if (target >= 0)
		close(target);
}

/* False: the pair has ended. */
static inline bool testing_proxy_move(struct testing_proxy *p, size_t i, int from)
{
	static char bytes[TESTING_PROXY_BYTES]; /* one proxy thread a test */
	ssize_t n = recv(p->pairs[i][from], bytes, sizeof bytes, 0);
	int left;

	if (n <= 0)
		return false;
	left = atomic_load(&p->cuts);
	if (from == 0 && left > 0 && memmem(bytes, (size_t)n, p->word, strlen(p->word))) {
		atomic_store(&p->cuts, left - 1);
		p->is_cut[i] = true;
	}
	if (from == 1 && p->is_cut[i]) {
		atomic_fetch_add(&p->cuts_done, 1);
		return false;
	}
	return send(p->pairs[i][1 - from], bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static inline void *testing_proxy_work(void *argument)
{
	struct testing_proxy *p = argument;

	for (;;) {
		struct pollfd fds[2 + 2 * TESTING_PROXY_CONNECTIONS] = {
			{ .fd = p->stop_fds[0], .events = POLLIN },
			{ .fd = p->listen_fd, .events = POLLIN },
		};
		for (size_t i = 0; i < TESTING_PROXY_CONNECTIONS; i++)
			for (size_t side = 0; side < 2; side++)
				fds[2 + 2 * i + side] =
					(struct pollfd){ .fd = p->pairs[i][side],
							 .events = POLLIN };
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		for (size_t i = 0; i < TESTING_PROXY_CONNECTIONS; i++)
			for (int side = 0; side < 2; side++)
				if (p->pairs[i][0] >= 0 &&
				    fds[2 + 2 * i + (size_t)side].revents &&
				    !testing_proxy_move(p, i, side)) {
					close(TAKE_FD(p->pairs[i][0]));
					close(TAKE_FD(p->pairs[i][1]));
				}
		if (fds[1].revents)
			testing_proxy_accept(p);
	}
}

static inline void testing_proxy_start(struct testing_proxy *p, uint16_t target)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof a;

	*p = (struct testing_proxy){ .word = "claim" };
	memset(p->pairs, 0xff, sizeof p->pairs);
	atomic_store(&p->target, target);
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listen_fd >= 0);
	assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(p->listen_fd, 64), 0);
	assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&a, &length), 0);
	p->port = ntohs(a.sin_port);
	assert_int_equal(pipe(p->stop_fds), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, testing_proxy_work, p), 0);
}

static inline void testing_proxy_stop(struct testing_proxy *p)
{
	assert_int_equal(write(p->stop_fds[1], "", 1), 1);
	pthread_join(p->thread, NULL);
	close(p->stop_fds[0]);
	close(p->stop_fds[1]);
	close(p->listen_fd);
	for (size_t i = 0; i < TESTING_PROXY_CONNECTIONS; i++)
		if (p->pairs[i][0] >= 0) {
			close(p->pairs[i][0]);
			close(p->pairs[i][1]);
		}
}

#endif
