/* /healthz: the process answers. /readyz: it could do its work. /metrics. */
#include "mcp/serving.h"

#include "base/clock.h"

enum { READY_CACHE_MS = 2000, READY_CHECKS_MAX = 2 };

void readiness_init(struct readiness *r)
{
	*r = (struct readiness){ 0 };
	pthread_mutex_init(&r->lock, NULL);
}

void readiness_done(struct readiness *r)
{
	pthread_mutex_destroy(&r->lock);
}

static void reply_ready(struct http_request *http, bool is_good, const char *why)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	strbuf_add_format(&body, "{\"ready\":%s", is_good ? "true" : "false");
	if (!is_good) {
		strbuf_add_string(&body, ",\"why\":");
		strbuf_add_json_string(&body, why, strlen(why));
	}
	strbuf_add_string(&body, "}\n");
	http_reply(http, is_good ? 200 : 503, "application/json", NULL, &body);
}

struct ready_check {
	struct mcp_service *service;
	struct http_request *http;
};

static void check_ready(void *argument)
{
	struct ready_check check = *(struct ready_check *)argument;
	struct mcp_service *s = check.service;
	struct readiness *r = &s->readiness;
	struct error why = ERROR_INIT;
	int64_t epoch_ms;
	/* The epoch is asked before every burn: a store that is lost or unfit says so here. */
	bool is_good = !joining_is_refused(s, &why) &&
		       coord_epoch_ms(s->store, &epoch_ms, &why) &&
		       (!s->server->ready || s->server->ready(s->context, &why));

	free(argument);
	pthread_mutex_lock(&r->lock);
	r->is_good = is_good;
	r->checked_ms = clock_mono_ms();
	r->checking--;
	(void)snprintf(r->why, sizeof r->why, "%s", why.message);
	pthread_mutex_unlock(&r->lock);
	reply_ready(check.http, is_good, why.message);
}

/* Whether the backend was asked a moment ago, or is being asked often enough: what it said. */
static bool is_known(struct readiness *r, bool *ret_good, char why[static 320])
{
	pthread_mutex_lock(&r->lock);
	bool known =
		(r->checked_ms && clock_mono_ms() - r->checked_ms < READY_CACHE_MS) ||
		r->checking >= READY_CHECKS_MAX;

	*ret_good = known && r->checked_ms && r->is_good;
	(void)snprintf(why, 320, "%s",
		       r->checked_ms ? r->why : "the backend has not answered yet");
	if (!known)
		r->checking++;
	pthread_mutex_unlock(&r->lock);
	return known;
}

static void reply_readyz(struct mcp_service *s, struct http_request *http)
{
	char why[320];
	bool is_good;

	if (atomic_load(&s->is_stopping)) {
		reply_ready(http, false, "stopping");
		return;
	}
	if (!audit_is_sound(s->audit)) {
		reply_ready(http, false, "the audit log cannot be written");
		return;
	}
	if (is_known(&s->readiness, &is_good, why)) {
		reply_ready(http, is_good, why);
		return;
	}
	struct ready_check *check = malloc(sizeof *check);
	if (check)
		*check = (struct ready_check){ s, http };
	if (check && workers_submit(s->workers, check_ready, check))
		return;
	free(check);
	pthread_mutex_lock(&s->readiness.lock);
	s->readiness.checking--;
	pthread_mutex_unlock(&s->readiness.lock);
	reply_ready(http, false, "too busy to ask the backend");
}

static void reply_metrics(struct mcp_service *s, struct http_request *http)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	metrics_write(&s->metrics, &body);
	http_reply(http, 200,
		   "application/openmetrics-text; version=1.0.0; charset=utf-8", NULL,
		   &body);
}

bool status_request(struct mcp_service *s, struct http_request *http)
{
	const struct http_header allow[] = { { "Allow", "GET, HEAD" }, { NULL, NULL } };
	const char *path = http_request_path(http), *verb = http_request_method(http);
	bool is_health = strcmp(path, "/healthz") == 0,
	     is_ready = strcmp(path, "/readyz") == 0;

	if (!is_health && !is_ready && strcmp(path, "/metrics") != 0)
		return false;
	/* HEAD, as balancers ask: the library sends no body then. */
	if (strcmp(verb, "GET") != 0 && strcmp(verb, "HEAD") != 0)
		http_reply(http, 405, NULL, allow, NULL);
	else if (is_health)
		http_reply_text(http, 200, "text/plain", "ok\n");
	else if (is_ready)
		reply_readyz(s, http);
	else
		reply_metrics(s, http);
	return true;
}
