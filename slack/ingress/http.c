#include "slack/ingress/http.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/workers.h"
#include "slack/verify/replay.h"
#include "wire/httpd.h"

enum { STOP_PATIENCE_MS = 3000 };

enum { TAKEN, REPEATED, REFUSED, NOT_READ, BUSY, COUNTS };
static const char *const outcome_names[COUNTS] = { "taken", "repeated", "refused",
						   "not_read", "busy" };

struct ingress_http {
	struct ingress_http_options options;
	struct httpd *httpd;
	struct workers *workers;
	pthread_mutex_t lock;
	struct slack_replay *replay; /* under the lock */
	atomic_llong counts[COUNTS];
};

struct job {
	struct ingress_http *http;
	struct http_request *request;
};

static void answer(struct ingress_http *h, struct http_request *req, int outcome,
		   unsigned status)
{
	atomic_fetch_add(&h->counts[outcome], 1);
	http_reply_text(req, status, NULL, "");
}

/* --- one request --- */

/* Only one who has Slack's word says it again: the signature stands for all of it. */
static bool is_new(struct ingress_http *h, const struct slack_evidence *e,
		   struct error *err)
{
	bool ok;

	(void)pthread_mutex_lock(&h->lock);
	ok = slack_replay_take(h->replay, e->signature, strlen(e->signature),
			       clock_wall_ms() / 1000, err);
	(void)pthread_mutex_unlock(&h->lock);
	return ok;
}

/* Slack sends it again, and may do so within the same second. */
static void forget(struct ingress_http *h, const struct slack_evidence *e)
{
	(void)pthread_mutex_lock(&h->lock);
	slack_replay_forget(h->replay, e->signature, strlen(e->signature));
	(void)pthread_mutex_unlock(&h->lock);
}

static void acknowledge(struct ingress_http *h, struct http_request *req,
			const json_t *ack)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (ack && !json_write(&text, ack, &err)) {
		log_failure("slack.no_answer", &err);
		answer(h, req, BUSY, 500);
		return;
	}
	atomic_fetch_add(&h->counts[TAKEN], 1);
	http_reply(req, 200, ack ? "application/json" : NULL, NULL, &text);
}

static void hand_on(struct ingress_http *h, struct http_request *req,
		    const struct slack_evidence *e)
{
	struct ingress_delivery d = { .raw = e->body,
				      .length = e->length,
				      .timestamp = e->timestamp,
				      .signature = e->signature };
	struct error err = ERROR_INIT;
	json_auto_t *payload = slack_payload_read(e->body, e->length, &d.kind, &err);
	json_auto_t *ack = NULL;
	json_t *said = NULL;

	if (!payload) {
		log_failure("slack.not_read", &err);
		answer(h, req, NOT_READ, 400);
		return;
	}
	d.payload = payload;
	if (!h->options.take(h->options.context, &d, &said, &err)) {
		log_failure("slack.not_taken", &err);
		forget(h, e);
		answer(h, req, BUSY, 503);
		return;
	}
	ack = said;
	acknowledge(h, req, ack);
}

static void judge(void *argument)
{
	struct job *job = argument;
	struct ingress_http *h = job->http;
	struct http_request *req = job->request;
	struct slack_evidence e = {
		.timestamp = http_request_header(req, "X-Slack-Request-Timestamp"),
		.signature = http_request_header(req, "X-Slack-Signature"),
	};
	struct error err = ERROR_INIT;

	free(job);
	log_set_request(http_request_id(req));
	e.body = http_request_body(req, &e.length);
	if (!h->options.check(h->options.context, &e, &err)) {
		log_failure("slack.refused", &err);
		answer(h, req, REFUSED, 401);
	} else if (!is_new(h, &e, &err)) {
		log_failure("slack.repeated", &err);
		answer(h, req, err.code == ERR_CONFLICT ? REPEATED : BUSY,
		       err.code == ERR_CONFLICT ? 200 : 503);
	} else {
		hand_on(h, req, &e);
	}
	log_set_request(NULL);
}

/* --- what is asked without Slack's signature --- */

static void write_metrics(struct ingress_http *h, struct http_request *req)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_string(&text, "# TYPE wingman_slack_requests counter\n");
	for (int i = 0; i < COUNTS; i++)
		strbuf_add_format(&text,
				  "wingman_slack_requests_total{outcome=\"%s\"} %lld\n",
				  outcome_names[i], atomic_load(&h->counts[i]));
	if (h->options.metrics)
		h->options.metrics(h->options.context, &text);
	strbuf_add_string(&text, "# EOF\n");
	http_reply(req, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
		   NULL, &text);
}

static bool is_health_call(struct http_request *req)
{
	static const char check[] = "ssl_check=1";
	const char *query = http_request_query(req, "ssl_check");
	size_t length, word = sizeof check - 1;
	const char *body = http_request_body(req, &length);

	if (strcmp(http_request_path(req), "/slack/commands") != 0)
		return false;
	if (query && strcmp(query, "1") == 0)
		return true;
	for (size_t i = 0; body && i + word <= length; i++)
		if (memcmp(body + i, check, word) == 0 &&
		    (i == 0 || body[i - 1] == '&') &&
		    (i + word == length || body[i + word] == '&'))
			return true;
	return false;
}

static void serve_plain(struct ingress_http *h, struct http_request *req)
{
	const char *path = http_request_path(req);
	const char *why = h->options.unready(h->options.context);

	if (strcmp(path, "/healthz") == 0)
		http_reply_text(req, 200, "text/plain", "ok\n");
	else if (strcmp(path, "/readyz") == 0)
		http_reply_text(req, why ? 503 : 200, "text/plain", why ? why : "ok\n");
	else if (strcmp(path, "/metrics") == 0)
		write_metrics(h, req);
	else
		http_reply_text(req, 404, NULL, "");
}

static bool is_slack_path(const char *path)
{
	static const char *const paths[] = { "/slack/events", "/slack/interactions",
					     "/slack/options", "/slack/commands" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(paths[i], path) == 0)
			return true;
	return false;
}

/* In a loop of httpd, which must not be kept waiting. */
static void on_request(void *context, struct http_request *req)
{
	struct ingress_http *h = context;
	const char *method = http_request_method(req);
	struct job *job;

	if (is_health_call(req)) {
		http_reply_text(req, 200, NULL, "");
		return;
	}
	if (!is_slack_path(http_request_path(req))) {
		if (strcmp(method, "GET") == 0)
			serve_plain(h, req);
		else
			http_reply_text(req, 404, NULL, "");
		return;
	}
	if (strcmp(method, "POST") != 0) {
		http_reply_text(req, 405, NULL, "");
		return;
	}
	job = malloc(sizeof *job);
	if (job)
		*job = (struct job){ h, req };
	if (!job || !workers_submit(h->workers, judge, job)) {
		free(job);
		answer(h, req, BUSY, 503);
	}
}

/* --- life --- */

struct ingress_http *ingress_http_start(const struct ingress_http_options *options,
					struct error *err)
{
	_cleanup_(ingress_http_stopp) struct ingress_http *h = calloc(1, sizeof *h);
	struct httpd_config config = {
		.address = options->address,
		.port = options->port,
		.body_max = SLACK_BODY_MAX,
		.allowed_hosts = options->hosts,
		.handler = on_request,
	};

	if (!h) {
		error_oom(err);
		return NULL;
	}
	h->options = *options;
	(void)pthread_mutex_init(&h->lock, NULL);
	h->replay = slack_replay_new(INGRESS_REPLAYS);
	if (!h->replay) {
		error_oom(err);
		return NULL;
	}
	h->workers = workers_new(INGRESS_THREADS, INGRESS_QUEUE, err);
	config.context = h;
	h->httpd = h->workers ? httpd_start(&config, err) : NULL;
	return h->httpd ? TAKE(h) : NULL;
}

uint16_t ingress_http_port(const struct ingress_http *h)
{
	return httpd_port(h->httpd);
}

void ingress_http_stop(struct ingress_http *h)
{
	if (!h)
		return;
	if (h->httpd)
		httpd_stop(h->httpd, STOP_PATIENCE_MS);
	workers_free(h->workers);
	slack_replay_free(h->replay);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
