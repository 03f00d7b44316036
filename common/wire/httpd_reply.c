#include "wire/httpd_private.h"

#include <assert.h>

#include "base/log.h"

static bool add_headers(struct MHD_Response *response, const char *type,
			const struct http_header *headers)
{
	if (type && MHD_add_response_header(response, "Content-Type", type) != MHD_YES)
		return false;
	for (; headers && headers->name; headers++)
		if (*headers->value != '\0' && /* libmicrohttpd takes no empty ones */
		    MHD_add_response_header(response, headers->name, headers->value) !=
			    MHD_YES)
			return false;
	return true;
}

static struct MHD_Response *text_response(const char *text)
{
	/* libmicrohttpd's parameter is not const, and it only reads */
	return MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
					       MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *httpd_refusal(const char *text)
{
	static const struct http_header close_after[] = { { "Connection", "close" },
							  { 0 } };
	struct MHD_Response *response = text_response(text);

	if (response)
		(void)add_headers(response, "text/plain; charset=utf-8", close_after);
	return response;
}

/*
 * The connection may be closed, and 'r' used again, as soon as the state is
 * REPLIED: nothing after the exchange touches it. A request that is abandoned
 * has no connection any more, and its loop may wait for us alone.
 */
bool httpd_hand_over(struct http_request *r)
{
	struct httpd_loop *l = r->loop;
	int running = REQUEST_RUNNING;

	httpd_gone_replying(r);
	if (atomic_compare_exchange_strong(&r->state, &running, REQUEST_REPLIED))
		return true;
	(void)pthread_mutex_lock(&l->lock);
	int before = atomic_exchange(&r->state, REQUEST_REPLIED);
	if (before == REQUEST_SUSPENDED) {
		r->next_replied = l->replied;
		l->replied = r;
		httpd_loop_wake(l);
		r = NULL;
	} else {
		assert(before == REQUEST_ABANDONED); /* else: replied twice */
	}
	(void)pthread_mutex_unlock(&l->lock);
	if (!r)
		return true;
	httpd_request_free(r);
	httpd_loop_unpin(l);
	return false;
}

bool http_request_go_on(struct http_request *r, http_go_on *fn, void *context)
{
	struct httpd_loop *l = r->loop;

	(void)pthread_mutex_lock(&l->lock);
	/* While it is RUNNING the loop is still in the handler, and looks afterwards. */
	const bool is_there = atomic_load(&r->state) != REQUEST_ABANDONED;
	if (is_there) {
		r->go_on = fn;
		r->go_on_context = context;
		r->next_replied = l->replied;
		l->replied = r;
		httpd_loop_wake(l);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return is_there;
}

static bool add_cors(const struct http_request *req, struct MHD_Response *response)
{
	struct http_header headers[HTTPD_CORS_HEADERS + 1] = { 0 };

	return httpd_cors_headers(req, headers) == 0 ||
	       add_headers(response, NULL, headers);
}

static void reply(struct http_request *req, unsigned status, const char *type,
		  const struct http_header *headers, struct MHD_Response *response)
{
	if (response &&
	    (!add_headers(response, type, headers) || !add_cors(req, response))) {
		log_error("http.bad_header", LOG_STR("path", http_request_path(req)));
		MHD_destroy_response(response);
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		response = text_response("a header of the reply was not valid\n");
	}
	if (response && atomic_load_explicit(&req->loop->stop, memory_order_relaxed))
		(void)MHD_add_response_header(response, "Connection", "close");
	req->response = response;
	req->status = status;
	(void)httpd_hand_over(req);
}

void http_reply(struct http_request *req, unsigned status, const char *type,
		const struct http_header *headers, struct strbuf *body)
{
	if (body && !strbuf_ok(body)) {
		strbuf_done(body);
		http_reply_text(req, MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain",
				"the reply could not be built\n");
		return;
	}
	if (!body || body->length == 0) {
		if (body)
			strbuf_done(body);
		reply(req, status, type, headers, text_response(""));
		return;
	}
	size_t length = body->length;
	char *bytes = strbuf_take(body);
	struct MHD_Response *response =
		bytes ? MHD_create_response_from_buffer(length, bytes,
							MHD_RESPMEM_MUST_FREE)
		      : NULL;
	if (!response)
		free(bytes);
	reply(req, status, type, headers, response);
}

void http_reply_text(struct http_request *req, unsigned status, const char *type,
		     const char *text)
{
	reply(req, status, type, NULL, text_response(text));
}
