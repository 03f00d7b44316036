#include "gate/approvals_http.h"

#include <pthread.h>

#include "base/clock.h"
#include "gate/fields.h"
#include "gate/page.h"
#include "guard/limits.h"
#include "wire/httpd.h"

/* Anybody may open pages: all together so often, and no more. */
enum { TICK_MS = 1000, PAGES_AT_ONCE = 50, PAGES_PER_MINUTE = 600 };

struct open_request {
	int64_t number; /* 0: free */
	int64_t until_ms;
	struct http_request *http;
	char server[33]; /* "": whoever opened a page */
	size_t bytes;    /* of its body */
};

struct approvals_http {
	struct loop *loop;
	const struct settings *settings;
	struct token_index *tokens;
	void (*send)(void *context, const json_t *message);
	void *context;
	struct httpd *httpd;
	struct limiter *pages;
	pthread_mutex_t
		lock; /* of what follows: its handler runs on threads of its own */
	int64_t last_number;
	struct open_request open[APPROVALS_HTTP_OPEN_MAX];
};

static void reply_json(struct http_request *http, unsigned status, const json_t *body)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!json_write(&text, body, &ignored))
		http_reply_text(http, 500, "text/plain", "no memory\n");
	else
		http_reply(http, status, "application/json", NULL, &text);
}

static void reply_page(struct http_request *http, unsigned status, const json_t *body)
{
	static const struct http_header headers[] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; frame-ancestors 'none'" },
		{ "Cache-Control", "no-store" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ NULL, NULL },
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	page_write(&text, json_get_string(body, "state"),
		   json_get_string(body, "approval"));
	if (strbuf_ok(&text))
		http_reply(http, status, "text/html; charset=utf-8", headers, &text);
	else
		http_reply_text(http, 503, "text/plain", "no memory\n");
}

static void refuse(struct http_request *http, unsigned status, enum error_code code,
		   const char *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *body = NULL;

	error_set(&err, code, "%s", why);
	body = json_pack("{s:o}", "error", fields_error(&err, NULL));
	reply_json(http, status, body);
}

/* --- requests that wait for the keeper --- */

/* A place for one more of this server and size; NULL if there is none. Lock held. */
static struct open_request *find_room(struct approvals_http *h, const char *server,
				      size_t bytes)
{
	struct open_request *free_one = NULL;
	size_t all = bytes, mine = bytes, count = 1;

	for (size_t i = 0; i < APPROVALS_HTTP_OPEN_MAX; i++) {
		struct open_request *o = &h->open[i];
		bool same = o->number != 0 && strcmp(o->server, server) == 0;

		if (o->number == 0)
			free_one = o;
		else
			all += o->bytes;
		mine += same ? o->bytes : 0;
		count += same;
	}
	return all <= APPROVALS_HTTP_BYTES_MAX && mine <= APPROVALS_HTTP_BYTES_MAX / 2 &&
			       count <= APPROVALS_HTTP_OPEN_MAX / 2
		       ? free_one
		       : NULL;
}

static int64_t keep(struct approvals_http *h, struct http_request *http,
		    const char *server)
{
	struct open_request *o;
	int64_t number = 0;
	size_t bytes;

	(void)http_request_body(http, &bytes);
	(void)pthread_mutex_lock(&h->lock);
	o = find_room(h, server, bytes);
	if (o) {
		number = ++h->last_number;
		*o = (struct open_request){
			.number = number,
			.until_ms = clock_mono_ms() + APPROVALS_HTTP_WAIT_MS,
			.http = http,
			.bytes = bytes,
		};
		(void)snprintf(o->server, sizeof o->server, "%s", server);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return number;
}

/* By number, or (0) one whose time is over. NULL if there is none. */
static struct http_request *take(struct approvals_http *h, int64_t number)
{
	struct http_request *http = NULL;
	int64_t now_ms = clock_mono_ms();

	(void)pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < APPROVALS_HTTP_OPEN_MAX && !http; i++) {
		struct open_request *o = &h->open[i];

		if (o->number == 0 ||
		    (number ? o->number != number : now_ms < o->until_ms))
			continue;
		http = o->http;
		*o = (struct open_request){ 0 };
	}
	(void)pthread_mutex_unlock(&h->lock);
	return http;
}

void approvals_http_answer(struct approvals_http *h, int64_t request, unsigned status,
			   const json_t *body)
{
	struct http_request *http = request > 0 ? take(h, request) : NULL;

	if (http && strncmp(http_request_path(http), PAGE_PATH, strlen(PAGE_PATH)) == 0)
		reply_page(http, status, body);
	else if (http)
		reply_json(http, status, body);
}

static void on_tick(void *context)
{
	struct approvals_http *h = context;
	struct http_request *http;

	while ((http = take(h, 0)))
		refuse(http, 503, ERR_BACKEND_UNAVAILABLE,
		       "the gate did not answer in time");
}

/* --- from the handler's thread to the loop's --- */

struct hand_over {
	struct approvals_http *to;
	json_t *message;
};

static void on_handed_over(void *context)
{
	struct hand_over *o = context;

	o->to->send(o->to->context, o->message);
	json_decref(o->message);
	free(o);
}

/* Steals 'message', which gets the number of this request. */
static void hand_over(struct approvals_http *h, struct http_request *http,
		      const char *server, json_t *message)
{
	struct hand_over *o = calloc(1, sizeof *o);
	int64_t number = message && o ? keep(h, http, server) : 0;

	if (number == 0) {
		json_decref(message);
		free(o);
		refuse(http, 503, ERR_RATE_LIMITED,
		       "too many requests wait for the gate");
		return;
	}
	*o = (struct hand_over){ h, message };
	if (json_object_set_new(message, "request", json_integer((json_int_t)number)) ==
		    0 &&
	    loop_wake(h->loop, on_handed_over, o))
		return;
	json_decref(message);
	free(o);
	if (take(h, number))
		refuse(http, 503, ERR_INTERNAL, "out of memory");
}

/* --- the handler --- */

/* The server whose token this is; false after a refusal. */
static bool authenticate(struct approvals_http *h, struct http_request *http,
			 char server[static 33])
{
	static const char prefix[] = "service/";
	const char *header = http_request_header(http, "Authorization");
	struct caller caller;
	struct error err = ERROR_INIT;

	if (!header || strncasecmp(header, "Bearer ", 7) != 0 ||
	    !token_index_find(h->tokens, header + 7, clock_wall_ms(), &caller, &err)) {
		refuse(http, 401, ERR_PERMISSION_DENIED, "a server's token is wanted");
		return false;
	}
	if (!caller_has_scope(&caller, SCOPE_REGISTER) ||
	    strncmp(caller.principal, prefix, sizeof prefix - 1) != 0 ||
	    !settings_find_server(h->settings, caller.principal + sizeof prefix - 1)) {
		log_warn("approvals.refused", LOG_STR("principal", caller.principal));
		refuse(http, 403, ERR_PERMISSION_DENIED,
		       "this token registers nothing here");
		return false;
	}
	(void)snprintf(server, 33, "%.32s", caller.principal + sizeof prefix - 1);
	return true;
}

static json_t *read_body(struct http_request *http)
{
	const char *type = http_request_header(http, "Content-Type");
	size_t length;
	const char *text = http_request_body(http, &length);
	struct error err = ERROR_INIT;
	json_t *body;

	if (!type || strncasecmp(type, "application/json", 16) != 0) {
		refuse(http, 415, ERR_INVALID_ARGUMENT, "application/json is wanted");
		return NULL;
	}
	body = json_parse(text, length, JSON_CONTRACT, &err);
	if (body && !json_is_object(body)) {
		json_decref(body);
		body = NULL;
		error_set(&err, ERR_INVALID_ARGUMENT, "the body is no object");
	}
	if (!body)
		refuse(http, 400, ERR_INVALID_ARGUMENT, err.message);
	return body;
}

/* "/approvals/<id>/outcome" -> id, where 'after' is "/outcome". */
static bool read_id(const char *path, const char *after, char id[static 81])
{
	static const char before[] = "/approvals/";
	size_t length = strlen(path), tail = strlen(after);

	if (strncmp(path, before, sizeof before - 1) != 0 ||
	    length < sizeof before + tail || strcmp(path + length - tail, after) != 0)
		return false;
	length -= sizeof before - 1 + tail;
	if (length > 80)
		return false;
	(void)snprintf(id, 81, "%.*s", (int)length, path + sizeof before - 1);
	return name_is_id(id);
}

static void on_post(struct approvals_http *h, struct http_request *http,
		    enum message what, const char *id)
{
	char server[33];
	json_t *body, *message;

	if (!authenticate(h, http, server))
		return;
	body = read_body(http);
	if (!body)
		return;
	/* Given, not shared: the loop's thread has it next. */
	message = json_pack("{s:s, s:s, s:o, s:s*}", "m", message_name(what), "server",
			    server, "body", body, "approval", id);
	hand_over(h, http, server, message);
}

static void on_page(struct approvals_http *h, struct http_request *http)
{
	const char *name = http_request_path(http) + strlen(PAGE_PATH);
	struct error ignored = ERROR_INIT;
	int64_t wait_ms;

	if (!page_is_name(name))
		reply_page(http, 404, NULL);
	else if (!limiter_take(h->pages, "pages", clock_mono_ms(), &wait_ms, &ignored))
		http_reply_text(http, 429, "text/plain", "too many pages at once\n");
	else
		hand_over(h, http, "",
			  json_pack("{s:s, s:s}", "m", message_name(MSG_PAGE), "page",
				    name));
}

static void on_request(void *context, struct http_request *http)
{
	struct approvals_http *h = context;
	const char *path = http_request_path(http);
	bool is_post = strcmp(http_request_method(http), "POST") == 0;
	bool is_get = strcmp(http_request_method(http), "GET") == 0;
	char id[81];

	if (strcmp(path, "/approvals") == 0 && is_post)
		on_post(h, http, MSG_REGISTER, NULL);
	else if (strcmp(path, "/stores") == 0 && is_post)
		on_post(h, http, MSG_STORE, NULL);
	else if (read_id(path, "/outcome", id) && is_post)
		on_post(h, http, MSG_OUTCOME, id);
	else if (read_id(path, "/cancel", id) && is_post)
		on_post(h, http, MSG_WITHDRAW, id);
	else if (read_id(path, "/news", id) && is_post)
		on_post(h, http, MSG_NEWS, id);
	else if (strncmp(path, PAGE_PATH, strlen(PAGE_PATH)) == 0 && is_get)
		on_page(h, http);
	else if (strcmp(path, "/healthz") == 0 && is_get)
		http_reply_text(http, 200, "text/plain", "ok\n");
	else if (strcmp(path, "/approvals") == 0 || strcmp(path, "/stores") == 0 ||
		 read_id(path, "/outcome", id) || read_id(path, "/cancel", id) ||
		 read_id(path, "/news", id))
		refuse(http, 405, ERR_INVALID_ARGUMENT, "POST is wanted");
	else
		refuse(http, 404, ERR_NOT_FOUND, "there is nothing here");
}

struct approvals_http *approvals_http_start(
	struct loop *loop, const struct settings *settings, struct token_index *tokens,
	void (*send)(void *context, const json_t *message), void *context,
	struct error *err)
{
	struct approvals_http *h = calloc(1, sizeof *h);

	if (!h) {
		error_oom(err);
		return NULL;
	}
	h->loop = loop;
	h->settings = settings;
	h->tokens = tokens;
	h->send = send;
	h->context = context;
	(void)pthread_mutex_init(&h->lock, NULL);
	const struct httpd_config config = { .address = settings->listen_address,
					     .port = settings->listen_port,
					     .loops = 1,
					     .body_max = APPROVALS_HTTP_BODY_MAX,
					     .connection_max = 1024,
					     .handler = on_request,
					     .context = h };
	h->pages = limiter_new(PAGES_AT_ONCE, PAGES_PER_MINUTE);
	if (!h->pages)
		error_oom(err);
	else if (loop_add_timer(loop, TICK_MS, true, on_tick, h, err))
		h->httpd = httpd_start(&config, err);
	if (!h->httpd) {
		limiter_free(h->pages);
		free(h); /* the process ends: its timer does not fire any more */
		return NULL;
	}
	return h;
}

uint16_t approvals_http_port(const struct approvals_http *h)
{
	return httpd_port(h->httpd);
}
