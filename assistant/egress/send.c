/* One request: tries, waits, and the answer in pieces. */
#include "assistant/egress/egress.h"

#include <string.h>

#include "assistant/egress/retry.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "link/http/http_client_stream.h"

struct attempt {
	struct job *job;
	struct http_client_stream *stream; /* NULL: no answer */
	struct strbuf refusal;             /* its body, of a status above 299 */
	struct retry retry;
	int64_t until_ms;
	/* what the stream borrows */
	struct strbuf url;
	struct credentials_headers headers;
	struct http_client_request request;
};

static int status_of(const struct attempt *a)
{
	return a->stream ? http_client_stream_status(a->stream) : 0;
}

static bool is_dropped(const struct job *j)
{
	return atomic_load(&j->dropped);
}

static void say_ended(struct job *j, enum assistant_code code, int status)
{
	json_t *message =
		json_pack("{s:s, s:I}", "m", "ended", "request", (json_int_t)j->request);

	/* from when it hears this the surface may use the number again */
	(void)pthread_mutex_lock(&j->egress->lock);
	j->request = EGRESS_NO_REQUEST;
	(void)pthread_mutex_unlock(&j->egress->lock);

	if (message && code != ASSISTANT_OK &&
	    (json_object_set_new(message, "code",
				 json_string(assistant_code_name(code))) != 0 ||
	     (status > 0 &&
	      json_object_set_new(message, "status", json_integer(status)) != 0))) {
		json_decref(message);
		message = NULL;
	}
	egress_say(j->egress, message);
}

static void say_chunk(struct job *j, const char *bytes, size_t length)
{
	for (size_t at = 0; at < length && !is_dropped(j);) {
		_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
		size_t part = length - at < ASSISTANT_CHUNK_MAX ? length - at
								: ASSISTANT_CHUNK_MAX;

		digest_base64(&data, bytes + at, part);
		egress_say(j->egress, json_pack("{s:s, s:I, s:s%}", "m", "chunk",
						"request", (json_int_t)j->request, "data",
						data.data, data.length));
		at += part;
	}
}

/* A header is bytes; a media type is printed ones. */
static bool is_media_type(const char *type)
{
	for (const char *c = type; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			return false;
	return *type != '\0';
}

static void say_status(const struct attempt *a)
{
	int64_t after_ms = http_client_stream_retry_after_ms(a->stream);
	const char *type = http_client_stream_type(a->stream);
	json_t *message = json_pack("{s:s, s:I, s:i}", "m", "status", "request",
				    (json_int_t)a->job->request, "status", status_of(a));

	if (message &&
	    ((after_ms >= 0 && json_object_set_new(message, "retry_after_ms",
						   json_integer(after_ms)) != 0) ||
	     (is_media_type(type) &&
	      json_object_set_new(message, "type", json_string(type)) != 0))) {
		json_decref(message);
		message = NULL;
	}
	egress_say(a->job->egress, message);
}

/* ---- one try ---- */

static void read_refusal(struct attempt *a)
{
	struct error err = ERROR_INIT;
	const char *bytes;
	size_t length;

	while (a->refusal.length < EGRESS_REFUSAL_MAX &&
	       http_client_stream_read(a->stream, a->until_ms, &bytes, &length, &err) ==
		       HTTP_CLIENT_DATA) {
		size_t room = EGRESS_REFUSAL_MAX - a->refusal.length;

		strbuf_add(&a->refusal, bytes, length < room ? length : room);
	}
	a->retry.quota_is_out = memmem(a->refusal.data, a->refusal.length,
				       "insufficient_quota", 18) != NULL;
}

/* Ours to send again: a conversation has no effect outside, and no byte was handed on. */
static void try_once(struct attempt *a)
{
	struct job *j = a->job;
	const struct assistant_settings *s = j->egress->settings;
	struct error err = ERROR_INIT;
	int64_t left_ms = a->until_ms - clock_mono_ms();

	strbuf_add_format(&a->url, "%s%s", s->url, j->path);
	const char *path = strchr(strstr(a->url.data, "://") + 3, '/');
	a->request = (struct http_client_request){
		.method = "POST",
		.url = a->url.data,
		.headers = a->headers.list,
		.body = j->body,
		.body_bytes = j->body_bytes,
		.timeout_ms = left_ms < s->first_byte_s * 1000 ? left_ms
							       : s->first_byte_s * 1000,
		.cancel = &j->dropped,
	};

	if (left_ms > 0 && path && strbuf_ok(&a->url) &&
	    credentials_headers(&j->egress->credentials, s, path, j->body, j->body_bytes,
				clock_wall_ms(), &a->headers, &err))
		a->stream = http_client_stream_open(j->egress->client, &a->request, NULL,
						    &err);
	if (!a->stream) {
		log_failure("egress.no_answer", &err);
		return;
	}
	if (status_of(a) < 200 || status_of(a) > 299)
		read_refusal(a);
}

/* ---- between tries ---- */

static void wait_ms(struct job *j, int64_t ms)
{
	struct egress *e = j->egress;
	int64_t until_ms = clock_wall_ms() + ms;
	const struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
					.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	(void)pthread_mutex_lock(&e->lock);
	while (!is_dropped(j) && !e->is_broken &&
	       pthread_cond_timedwait(&e->changed, &e->lock, &until) == 0)
		;
	(void)pthread_mutex_unlock(&e->lock);
}

static void forget(struct attempt *a)
{
	http_client_stream_close(a->stream);
	a->stream = NULL;
	strbuf_clear(&a->refusal);
	strbuf_clear(&a->url);
	credentials_headers_done(&a->headers);
}

/* True: 'a' holds what is to be handed on, be it nothing. */
static bool settle(struct attempt *a)
{
	struct job *j = a->job;
	int status = status_of(a);

	a->retry.tried++;
	if (status >= 200 && status <= 299)
		return true;
	digest_random(&a->retry.random, sizeof a->retry.random);
	a->retry.status = status;
	a->retry.retry_after_ms = a->stream ? http_client_stream_retry_after_ms(a->stream)
					    : -1;
	a->retry.left_ms = a->until_ms - clock_mono_ms();
	int64_t after_ms = retry_wait_ms(&a->retry);
	if (after_ms < 0 || is_dropped(j))
		return true;
	log_warn("egress.tries_again", LOG_INT("status", status),
		 LOG_INT("after_ms", after_ms), LOG_INT("tried", a->retry.tried));
	egress_say(j->egress, json_pack("{s:s, s:I, s:i, s:I}", "m", "waiting", "request",
					(json_int_t)j->request, "status", status,
					"after_ms", (json_int_t)after_ms));
	forget(a);
	wait_ms(j, after_ms);
	return is_dropped(j);
}

/* ---- the answer ---- */

static enum assistant_code hand_on(struct attempt *a)
{
	const struct assistant_settings *s = a->job->egress->settings;
	struct error err = ERROR_INIT;
	size_t total = 0;

	for (;;) {
		int64_t until_ms = clock_mono_ms() + s->idle_s * 1000;
		const char *bytes;
		size_t length;

		if (until_ms > a->until_ms)
			until_ms = a->until_ms;
		switch (http_client_stream_read(a->stream, until_ms, &bytes, &length,
						&err)) {
		case HTTP_CLIENT_DATA:
			total += length;
			if (total > ASSISTANT_ANSWER_MAX)
				return ASSISTANT_MODEL_BROKEN;
			say_chunk(a->job, bytes, length);
			break;
		case HTTP_CLIENT_END:
			return ASSISTANT_OK;
		case HTTP_CLIENT_FAILED:
			log_failure("egress.cut_off", &err);
			return ASSISTANT_MODEL_BROKEN;
		}
		if (is_dropped(a->job))
			return ASSISTANT_STOPPED;
	}
}

static void report(struct attempt *a)
{
	struct job *j = a->job;
	int status = status_of(a);
	enum assistant_code code = ASSISTANT_OK;

	if (is_dropped(j) || !a->stream) {
		say_ended(j, is_dropped(j) ? ASSISTANT_STOPPED : ASSISTANT_MODEL_DOWN,
			  status);
		return;
	}
	say_status(a);
	if (status >= 200 && status <= 299)
		code = hand_on(a);
	else
		say_chunk(j, a->refusal.data, a->refusal.length);
	say_ended(j, is_dropped(j) ? ASSISTANT_STOPPED : code, status);
}

void egress_send(struct job *j)
{
	const struct assistant_settings *s = j->egress->settings;
	struct attempt a = { .job = j,
			     .retry = { .tries = s->tries },
			     .until_ms = clock_mono_ms() + s->whole_s * 1000 };

	strbuf_init(&a.refusal);
	strbuf_init(&a.url);
	credentials_headers_init(&a.headers);
	do
		try_once(&a);
	while (!settle(&a));
	report(&a);
	forget(&a);
	strbuf_done(&a.refusal);
	strbuf_done(&a.url);
}
