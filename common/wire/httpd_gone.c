/*
 * Peers that leave before the reply. libmicrohttpd does not look at a connection that
 * is suspended, so its descriptor goes into the loop's own epoll set: once for each
 * connection, as FIN and reset come but once.
 */
#include "wire/httpd_private.h"

#include <sys/epoll.h>

bool httpd_gone_watch(struct http_request *r)
{
	struct httpd_conn *conn = r->conn;
	struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT,
				     .data.ptr = conn };

	if (conn->is_gone)
		return false;
	conn->pending = r;
	/* without memory nobody is told, and the request is done in vain */
	if (!conn->in_set &&
	    epoll_ctl(r->loop->events_fd, EPOLL_CTL_ADD, conn->fd, &event) == 0)
		conn->in_set = true;
	return true;
}

void httpd_gone_tell(struct http_request *r)
{
	(void)pthread_mutex_lock(&r->gone_lock);
	if (!r->replying && !atomic_load(&r->is_gone)) {
		atomic_store(&r->is_gone, true);
		if (r->gone)
			r->gone(r->gone_context);
	}
	(void)pthread_mutex_unlock(&r->gone_lock);
}

void httpd_gone_event(struct httpd_conn *conn)
{
	struct http_request *r = TAKE(conn->pending);

	conn->is_gone = true;
	if (r)
		httpd_gone_tell(r);
}

void httpd_gone_forget(struct httpd_loop *l, struct httpd_conn *conn)
{
	/* Not left to close: a child of this process that has not come to exec may
	 * hold the descriptor, and then events would go on to name 'conn'. */
	if (conn->in_set)
		(void)epoll_ctl(l->events_fd, EPOLL_CTL_DEL, conn->fd, NULL);
	conn->in_set = false;
}

void httpd_gone_replying(struct http_request *r)
{
	if (!r->watched)
		return;
	if (pthread_equal(pthread_self(), r->loop->self)) {
		r->replying =
			true; /* perhaps 'gone' itself replies, and holds the lock */
		return;
	}
	(void)pthread_mutex_lock(&r->gone_lock);
	r->replying = true;
	(void)pthread_mutex_unlock(&r->gone_lock);
}

void http_request_on_gone(struct http_request *req, http_gone *gone, void *context)
{
	req->watched = true;
	req->gone = gone;
	req->gone_context = context;
}

bool http_request_is_gone(const struct http_request *req)
{
	return atomic_load(&req->is_gone);
}
