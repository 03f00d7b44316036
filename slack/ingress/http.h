/*
 * http -- Slack's requests over HTTP: judged by their signature, handed on, acknowledged.
 *
 * POST on /slack/events, /slack/interactions, /slack/options and /slack/commands, which are
 * all alike: what a body is, its content says. Nothing is parsed before its signature over
 * the raw body was found good; then the very same request is not taken twice, and what is
 * left goes to the one function (ingress.h). A command's health call (ssl_check=1) gets 200
 * and nothing else. /healthz says that we live, /readyz whether there is sense in sending,
 * /metrics counts (OpenMetrics). A refusal tells its sender nothing.
 */
#ifndef SLACK_INGRESS_HTTP_H
#define SLACK_INGRESS_HTTP_H

#include "slack/ingress/ingress.h"
#include "slack/verify/signature.h"

enum {
	INGRESS_THREADS = 8,       /* that judge and hand on */
	INGRESS_QUEUE = 512,       /* that wait for one; then 503 */
	INGRESS_REPLAYS = 1 << 18, /* 400 a second for as long as a signature holds */
};

struct ingress_http;

struct ingress_http_options {
	const char *address; /* borrowed, as are all */
	uint16_t port;
	const char *const *hosts; /* besides loopback's; ends with NULL */
	ingress_take *take;
	/* Whether Slack made it. Any thread. */
	bool (*check)(void *context, const struct slack_evidence *e, struct error *err);
	/* Why nothing should be sent here now, or NULL. */
	const char *(*unready)(void *context);
	/* Appends to the metrics of this. May be NULL. */
	void (*metrics)(void *context, struct strbuf *sb);
	void *context;
};

struct ingress_http *ingress_http_start(const struct ingress_http_options *options,
					struct error *err) _must_use_;
uint16_t ingress_http_port(const struct ingress_http *h);
/* Answers what is under way. */
void ingress_http_stop(struct ingress_http *h);
DEFINE_CLEANUP(struct ingress_http, ingress_http_stop);

#endif
