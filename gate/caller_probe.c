#include "gate/caller_probe.h"

#include "proc/workers.h"

enum { URL_MAX = 512, REPLY_MAX = 64 * 1024 };

struct caller_probe {
	struct loop *loop;
	struct http_client *http;
	struct workers *workers;
	void (*tell)(void *context, bool is_up);
	void *context;
	char url[URL_MAX + 1];
	bool is_looking, is_up; /* 'is_up' belongs to the worker while it looks */
};

struct caller_probe *caller_probe_new(struct loop *loop, struct http_client *http,
				      void (*tell)(void *context, bool is_up),
				      void *context, struct error *err)
{
	_cleanup_free_ struct caller_probe *p = calloc(1, sizeof *p);

	if (!p) {
		error_oom(err);
		return NULL;
	}
	p->loop = loop;
	p->http = http;
	p->tell = tell;
	p->context = context;
	p->workers = workers_new(1, 1, err);
	return p->workers ? TAKE(p) : NULL;
}

static void on_done(void *context)
{
	struct caller_probe *p = context;

	p->is_looking = false;
	p->tell(p->context, p->is_up);
}

static void look(void *argument)
{
	struct caller_probe *p = argument;
	const struct http_client_request request = { .method = "GET",
						     .url = p->url,
						     .timeout_ms = CALLER_PROBE_MS,
						     .reply_max = REPLY_MAX };
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error ignored = ERROR_INIT;

	p->is_up = http_client_call(p->http, &request, &reply, NULL, &ignored) &&
		   reply.status == 200;
	http_client_reply_done(&reply);
	/* Without memory nothing is told, and what is not seen does not count as down. */
	(void)loop_wake(p->loop, on_done, p);
}

bool caller_probe_look(struct caller_probe *p, const char *url)
{
	if (p->is_looking || strlen(url) > URL_MAX)
		return false;
	(void)snprintf(p->url, sizeof p->url, "%s", url);
	p->is_looking = workers_submit(p->workers, look, p);
	return p->is_looking;
}
