/* One request with its repetitions. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/rest/rest_private.h"
#include "base/clock.h"
#include "base/digest.h"

enum {
	BACKOFF_FIRST_MS = 300,
	BACKOFF_MAX_MS = 8000,
	LATER_FIRST_MS = 1000, /* of a vendor that does not say when */
	JITTER_MAX_MS = 1000,
	CANCEL_POLL_MS = 25,
	HEADERS_MAX = 12,
};

struct call {
	struct rest *r;
	const struct rest_request *request;
	const struct rest_patience *patience;
	struct rest_reply *reply;
	struct strbuf url, body;
	int tries, redirects;
	bool reauthorized;
};

static bool is_read(const struct rest_request *request)
{
	return request->reads || strcmp(request->method, "GET") == 0;
}

static bool may_repeat(const struct rest_request *request)
{
	return is_read(request) || request->may_repeat;
}

static bool is_cancelled(const struct rest_patience *p)
{
	return p->cancel && atomic_load_explicit(p->cancel, memory_order_relaxed);
}

/* ---- Waiting ---- */

static int64_t random_below(int64_t limit)
{
	uint32_t bits;

	digest_random(&bits, sizeof bits);
	return limit > 0 ? (int64_t)(bits % (uint64_t)limit) : 0;
}

static void pause_really(const struct rest_patience *p, int64_t ms)
{
	const int64_t until_ms = clock_mono_ms() + ms;

	for (int64_t left_ms = ms; left_ms > 0 && !is_cancelled(p);
	     left_ms = until_ms - clock_mono_ms()) {
		const int64_t step_ms =
			p->cancel && left_ms > CANCEL_POLL_MS ? CANCEL_POLL_MS : left_ms;
		const struct timespec t = { .tv_sec = step_ms / 1000,
					    .tv_nsec = step_ms % 1000 * 1000000 };
		(void)nanosleep(&t, NULL);
	}
}

/* False when the patience does not reach that far, without waiting. */
static bool wait_for(const struct call *c, int64_t ms)
{
	if (ms <= 0)
		return !is_cancelled(c->patience);
	if (ms > c->patience->until_ms - clock_mono_ms())
		return false;
	if (c->r->pause)
		c->r->pause(c->r->pause_context, ms);
	else
		pause_really(c->patience, ms);
	return !is_cancelled(c->patience);
}

/* Whether to try once more, after the time that repetitions keep between them. */
static bool back_off(struct call *c, int64_t least_ms)
{
	int64_t ms = BACKOFF_FIRST_MS << c->tries;

	if (++c->tries >= REST_TRIES_MAX)
		return false;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	ms = ms / 2 + random_below(ms / 2);
	return wait_for(c, least_ms > ms ? least_ms : ms);
}

/* The vendor's own time, and something so that not all come at once. */
static bool wait_until_later(struct call *c)
{
	int64_t ms = c->reply->fault.wait_ms;

	if (ms < 0)
		ms = (int64_t)LATER_FIRST_MS << c->tries;
	if (++c->tries >= REST_TRIES_MAX)
		return false;
	return wait_for(c, ms + random_below(ms < JITTER_MAX_MS ? ms : JITTER_MAX_MS));
}

/* Until the vendor's limits, as other replies told them, let us. */
static bool wait_for_turn(struct call *c, struct error *err)
{
	const int64_t now_ms = clock_mono_ms();
	const char *bucket = c->request->bucket ? c->request->bucket : "";
	int64_t ms = rest_limits_wait(&c->r->limits, bucket, now_ms);

	/* A turn among the writes is taken only by who can wait for it. */
	if (!is_read(c->request) && now_ms + ms < c->patience->until_ms) {
		const int64_t turn_ms = rest_limits_take_write(
			&c->r->limits, c->r->vendor->write_gap_ms, now_ms + ms,
			c->patience->until_ms - now_ms - ms);
		ms = turn_ms < 0 ? -1 : ms + turn_ms;
	}
	if (ms >= 0 && wait_for(c, ms))
		return true;
	if (is_cancelled(c->patience))
		return error_set(err, ERR_TIMEOUT, "cannot %s: it was given up",
				 c->request->what);
	error_set(err, ERR_RATE_LIMITED, "cannot %s: %s wants to be asked less often",
		  c->request->what, c->r->vendor->name);
	return error_hint(err, "ask again in %lld s",
			  (long long)((ms < 0 ? 1000 : ms) + 999) / 1000);
}

/* ---- One try ---- */

static const char *content_type(const struct rest_request *q)
{
	if (q->content_type)
		return q->content_type;
	if (q->json)
		return "application/json; charset=utf-8";
	return q->form ? "application/x-www-form-urlencoded" : NULL;
}

static void add_header(struct http_client_header *headers, size_t *count,
		       const char *name, const char *value)
{
	if (value && *count < HEADERS_MAX - 1)
		headers[(*count)++] = (struct http_client_header){ name, value };
}

static bool authorize(const struct call *c, struct strbuf *value, struct error *err)
{
	if (c->request->authorization) {
		strbuf_add_string(value, c->request->authorization);
		return strbuf_ok(value) || error_oom(err);
	}
	if (!c->r->auth)
		return true;
	return c->r->auth->value(c->r->auth->context, c->patience, value, err) &&
	       (strbuf_ok(value) || error_oom(err));
}

/* False when no reply came; '*ret_sent' then tells whether anything left. */
static bool send_once(const struct call *c, const struct strbuf *authorization,
		      bool *ret_sent, struct error *err)
{
	const struct rest_request *q = c->request;
	struct http_client_header headers[HEADERS_MAX] = { 0 };
	int64_t left_ms = c->patience->until_ms - clock_mono_ms();
	size_t count = 0;

	*ret_sent = false;
	for (const struct http_client_header *h = c->r->vendor->headers; h && h->name;
	     h++)
		add_header(headers, &count, h->name, h->value);
	add_header(headers, &count, "Content-Type", content_type(q));
	add_header(headers, &count, "If-None-Match", q->etag);
	if (authorization->length > 0)
		add_header(headers, &count, "Authorization", authorization->data);
	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "no time is left");
	const struct http_client_request http = {
		.method = q->method,
		.url = c->url.data,
		.headers = headers,
		/* A PUT without a body says so, or servers ask for its length. */
		.body = q->json || q->form              ? c->body.data
			: strcmp(q->method, "PUT") == 0 ? ""
							: NULL,
		.body_bytes = c->body.length,
		.timeout_ms = left_ms < c->r->timeout_ms ? left_ms : c->r->timeout_ms,
		.reply_max = q->reply_max ? q->reply_max : REST_REPLY_MAX,
		.cancel = c->patience->cancel,
		.keep_head = true,
	};
	return http_client_call(c->r->client, &http, &c->reply->http, ret_sent, err);
}

/* ---- What then ---- */

enum step { DONE, AGAIN, FAILED };

/* No reply came. */
static enum step unanswered(struct call *c, bool sent, const struct error *why,
			    struct error *err)
{
	enum error_code code = why->code;

	if ((!sent || may_repeat(c->request)) && code != ERR_INVALID_ARGUMENT &&
	    !is_cancelled(c->patience) && back_off(c, 0))
		return AGAIN;
	if (sent && !is_read(c->request))
		code = ERR_UNKNOWN_OUTCOME;
	else if (code == ERR_UNKNOWN_OUTCOME)
		code = ERR_BACKEND_UNAVAILABLE;
	error_set(err, code, "cannot %s: %s", c->request->what, why->message);
	if (*why->hint && code == ERR_UNKNOWN_OUTCOME)
		error_hint(err, "it may have been done nevertheless");
	else if (*why->hint && !sent)
		error_hint(err, "%s", why->hint);
	if (*why->cause)
		error_cause(err, "%s", why->cause);
	return FAILED;
}

/* A GET may be sent on within the same origin. */
static enum step redirected(struct call *c, struct error *err)
{
	const char *location = http_client_reply_header(&c->reply->http, "Location", 0);
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
	struct error why = ERROR_INIT;

	if (!location || strcmp(c->request->method, "GET") != 0 ||
	    ++c->redirects > REST_REDIRECTS_MAX || strncmp(location, "//", 2) == 0) {
		rest_judge_fail(c->r, c->request, c->reply, err);
		return FAILED;
	}
	/* A path is of the origin, not of the base. */
	if (*location == '/')
		strbuf_add(&url, c->r->base, c->r->parts.origin_bytes);
	if (*location == '/')
		strbuf_add_string(&url, location);
	else if (!rest_url(c->r, location, &url, &why))
		rest_fault_text(&c->reply->fault, why.message);
	if (error_is_set(&why)) {
		rest_judge_fail(c->r, c->request, c->reply, err);
		return FAILED;
	}
	strbuf_done(&c->url);
	c->url = url;
	strbuf_init(&url);
	return AGAIN;
}

static enum step answered(struct call *c, struct error *err)
{
	struct rest_fault *f = &c->reply->fault;
	const int status = c->reply->status;

	if (f->verdict == REST_GOOD)
		return DONE;
	if (f->verdict == REST_FAILED && status >= 300 && status < 400)
		return redirected(c, err);
	if (f->verdict == REST_FAILED && status == 401 && !c->reauthorized &&
	    !c->request->authorization && c->r->auth && c->r->auth->refused &&
	    c->r->auth->refused(c->r->auth->context)) {
		c->reauthorized = true;
		return AGAIN;
	}
	if (f->verdict == REST_LATER && wait_until_later(c))
		return AGAIN;
	if (f->verdict == REST_BROKEN && may_repeat(c->request) &&
	    back_off(c, f->wait_ms))
		return AGAIN;
	if (f->verdict == REST_BROKEN && !is_read(c->request))
		f->code = ERR_UNKNOWN_OUTCOME;
	rest_judge_fail(c->r, c->request, c->reply, err);
	return FAILED;
}

static enum step try_once(struct call *c, struct error *err)
{
	_cleanup_(strbuf_wipe) struct strbuf authorization = STRBUF_INIT;
	struct error why = ERROR_INIT;
	bool sent;

	/* Who fetches credentials has patience of its own. */
	if (!wait_for_turn(c, err) || !authorize(c, &authorization, err))
		return FAILED;
	rest_reply_done(c->reply);
	if (!send_once(c, &authorization, &sent, &why))
		return unanswered(c, sent, &why, err);
	if (!rest_judge(c->r, c->request, c->reply, err))
		return FAILED;
	return answered(c, err);
}

bool rest_call(struct rest *r, const struct rest_request *request,
	       const struct rest_patience *patience, struct rest_reply *reply,
	       struct error *err)
{
	struct call c = {
		.r = r,
		.request = request,
		.patience = patience,
		.reply = reply,
		.url = STRBUF_INIT,
		.body = STRBUF_INIT,
	};
	bool good = rest_url(r, request->path, &c.url, err);
	enum step step = AGAIN;

	rest_reply_done(reply);
	if (good && request->json)
		good = json_write(&c.body, request->json, err);
	else if (good && request->form)
		strbuf_add_string(&c.body, request->form);
	if (good && !strbuf_ok(&c.body))
		good = error_oom(err);
	while (good && step == AGAIN)
		step = try_once(&c, err);
	strbuf_done(&c.url);
	strbuf_wipe(&c.body); /* an assertion may be in it */
	return good && step == DONE;
}
