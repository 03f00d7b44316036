#include "slack/process/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/channel.h"

enum { COME_BACK_MS = 200, HELLO_ID = 1 };

/* One question, on the stack of who asks. */
struct asked {
	struct asked *next;
	json_t *message; /* until it was sent */
	json_t *reply;
	int64_t id; /* 0: not sent yet */
	bool is_over;
};

struct gate {
	struct loop *loop;
	const char *path;
	gate_heard *heard;
	gate_came *came;
	void *context;
	struct channel *channel; /* the loop's thread alone */
	struct loop_source *timer;
	atomic_bool is_up;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	/* Under the lock. */
	struct asked *asked;
	size_t count;
	int64_t last_id;
	bool is_stopping;
};

static void come_back(struct gate *g);

/* --- answers --- */

static void end(struct asked *a, json_t *reply)
{
	a->reply = reply;
	a->is_over = true;
}

/* What was sent is not known to have been done; what was not waits for the next one. */
static void end_sent(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	for (struct asked *a = g->asked; a; a = a->next)
		if (a->id > 0 && !a->is_over)
			end(a, NULL);
	(void)pthread_cond_broadcast(&g->answered);
	(void)pthread_mutex_unlock(&g->lock);
}

static void take_reply(struct gate *g, json_t *message)
{
	int64_t id = json_get_int64(message, "id", 0);

	(void)pthread_mutex_lock(&g->lock);
	for (struct asked *a = g->asked; a; a = a->next)
		if (a->id == id && id > 0 && !a->is_over)
			end(a, json_incref(message));
	(void)pthread_cond_broadcast(&g->answered);
	(void)pthread_mutex_unlock(&g->lock);
}

/* --- the loop's thread --- */

static void send_waiting(void *context)
{
	struct gate *g = context;

	if (!atomic_load(&g->is_up))
		return;
	(void)pthread_mutex_lock(&g->lock);
	for (struct asked *a = g->asked; a; a = a->next) {
		if (a->id > 0 || a->is_over || !a->message)
			continue;
		a->id = ++g->last_id;
		if (json_object_set_new(a->message, "id",
					json_integer((json_int_t)a->id)) != 0 ||
		    !channel_send(g->channel, a->message))
			end(a, NULL);
		json_decref(TAKE(a->message));
	}
	(void)pthread_cond_broadcast(&g->answered);
	(void)pthread_mutex_unlock(&g->lock);
}

static void on_hello(struct gate *g, const json_t *reply)
{
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *why =
			json_get_string(json_object_get(reply, "error"), "message");

		log_error("gate.refuses", LOG_STR("why", why ? why : ""));
		return;
	}
	log_info("gate.up");
	atomic_store(&g->is_up, true);
	send_waiting(g);
	g->came(g->context);
}

static void on_message(void *context, struct channel *ch, json_t *message)
{
	struct gate *g = context;
	const char *name = json_get_string(message, "m");
	enum message m = name ? message_find(name) : MSG_COUNT;

	(void)ch;
	if (m == MSG_REPLY && !atomic_load(&g->is_up))
		on_hello(g, message);
	else if (m == MSG_REPLY)
		take_reply(g, message);
	else if (m == MSG_EVENT || m == MSG_NOTICE)
		g->heard(g->context, message);
}

static void on_closed(void *context, struct channel *ch, const struct error *err)
{
	struct gate *g = context;

	log_warn("gate.gone", LOG_STR("why", err->message));
	g->channel = NULL;
	atomic_store(&g->is_up, false);
	channel_free(ch);
	end_sent(g);
	come_back(g);
}

static bool say_hello(struct gate *g)
{
	json_auto_t *hello = json_pack("{s:s, s:i, s:i, s:s}", "m",
				       message_name(MSG_HELLO), "id", HELLO_ID, "v",
				       MESSAGES_VERSION, "surface", "slack");

	return hello && channel_send(g->channel, hello);
}

static void connect_now(void *context)
{
	struct gate *g = context;
	struct error err = ERROR_INIT;
	int fd = channel_connect(g->path, &err);

	g->timer = NULL;
	if (fd >= 0)
		g->channel = channel_new(g->loop, fd, on_message, on_closed, g, &err);
	if (g->channel && say_hello(g))
		return;
	channel_free(TAKE(g->channel));
	log_debug("gate.not_there", LOG_STR("why", err.message));
	come_back(g);
}

static void come_back(struct gate *g)
{
	struct error err = ERROR_INIT;

	if (!g->timer)
		g->timer = loop_add_timer(g->loop, COME_BACK_MS, false, connect_now, g,
					  &err);
	if (!g->timer)
		log_failure("gate.lost", &err);
}

/* --- life --- */

struct gate *gate_new(struct loop *l, const char *path, gate_heard *heard,
		      gate_came *came, void *context, struct error *err)
{
	struct gate *g = calloc(1, sizeof *g);
	pthread_condattr_t attributes;

	if (!g) {
		error_oom(err);
		return NULL;
	}
	g->loop = l;
	g->path = path;
	g->heard = heard;
	g->came = came;
	g->context = context;
	g->last_id = HELLO_ID;
	(void)pthread_mutex_init(&g->lock, NULL);
	/* Where somebody sets the clock nobody waits longer. */
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&g->answered, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	connect_now(g);
	return g;
}

void gate_stop(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->is_stopping = true;
	for (struct asked *a = g->asked; a; a = a->next)
		if (!a->is_over)
			end(a, NULL);
	(void)pthread_cond_broadcast(&g->answered);
	(void)pthread_mutex_unlock(&g->lock);
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	channel_free(g->channel);
	(void)pthread_cond_destroy(&g->answered);
	(void)pthread_mutex_destroy(&g->lock);
	free(g);
}

bool gate_is_up(const struct gate *g)
{
	return atomic_load(&((struct gate *)(uintptr_t)g)->is_up);
}

/* --- asking --- */

static bool enter(struct gate *g, struct asked *a, struct error *err)
{
	if (g->is_stopping || g->count >= GATE_ASKED_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 g->is_stopping ? "this process is about to stop"
						: "too much is asked of the gate");
	a->next = g->asked;
	g->asked = a;
	g->count++;
	return true;
}

static void leave(struct gate *g, const struct asked *a)
{
	for (struct asked **at = &g->asked; *at; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			break;
		}
	g->count--;
}

static void wait(struct gate *g, const struct asked *a, int64_t wait_ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!a->is_over)
		if (pthread_cond_timedwait(&g->answered, &g->lock, &until) != 0)
			break;
}

static void take_refusal(const json_t *reply, json_t **ret_details, struct error *err)
{
	const json_t *e = json_object_get(reply, "error");
	const char *code = json_get_string(e, "code");
	const char *message = json_get_string(e, "message");
	const char *hint = json_get_string(e, "hint");
	enum error_code number = code ? error_from_name(code) : ERR_INTERNAL;

	error_set(err, number == ERR_NONE ? ERR_INTERNAL : number, "%s",
		  message ? message : "the gate refused without a reason");
	if (hint)
		error_hint(err, "%s", hint);
	if (ret_details && json_object_get(e, "details"))
		*ret_details = json_incref(json_object_get(e, "details"));
}

json_t *gate_ask(struct gate *g, enum message m, json_t *members, json_t **ret_details,
		 struct error *err)
{
	return gate_ask_for(g, m, members, GATE_WAIT_MS, ret_details, err);
}

json_t *gate_ask_for(struct gate *g, enum message m, json_t *members, int64_t wait_ms,
		     json_t **ret_details, struct error *err)
{
	struct asked a = { .message = members ? members : json_object() };
	json_auto_t *reply = NULL;
	bool was_sent;

	if (!a.message ||
	    json_object_set_new(a.message, "m", json_string(message_name(m))) != 0) {
		json_decref(a.message);
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_lock(&g->lock);
	if (!enter(g, &a, err)) {
		(void)pthread_mutex_unlock(&g->lock);
		json_decref(a.message);
		return NULL;
	}
	(void)pthread_mutex_unlock(&g->lock);
	(void)loop_wake(g->loop, send_waiting, g);
	(void)pthread_mutex_lock(&g->lock);
	wait(g, &a, wait_ms);
	leave(g, &a);
	was_sent = a.id > 0;
	(void)pthread_mutex_unlock(&g->lock);
	json_decref(a.message);
	reply = a.reply;
	if (!reply)
		error_set(err, was_sent ? ERR_UNKNOWN_OUTCOME : ERR_BACKEND_UNAVAILABLE,
			  was_sent ? "the gate did not answer: it may have been done"
				   : "the gate is not there");
	else if (json_is_true(json_object_get(reply, "ok")))
		return TAKE(reply);
	else
		take_refusal(reply, ret_details, err);
	return NULL;
}
