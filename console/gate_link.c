#include "console/gate_link.h"

#include <errno.h>
#include <poll.h>

#include "proc/channel.h"

enum {
	REPLY_TIMEOUT_MS = 60 * 1000,
	EVENTS_MAX = 256,
	GIVEN_UP_MAX = 64,
	SLICE_MS = 200, /* a signal just before a wait is seen so late */
};

struct gate_link {
	int fd;
	int64_t next_id;
	json_t *hello;
	json_t *details;
	json_t *events; /* that came while a reply was awaited */
	int64_t given_up
		[GIVEN_UP_MAX]; /* ids of replies that nobody waits for; 0: free */
};

void gate_link_close(struct gate_link *g)
{
	if (!g)
		return;
	if (g->fd >= 0)
		(void)close(g->fd);
	json_decref(g->hello);
	json_decref(g->details);
	json_decref(g->events);
	free(g);
}

const json_t *gate_link_hello(const struct gate_link *g)
{
	return g->hello;
}

const json_t *gate_link_details(const struct gate_link *g)
{
	return g->details;
}

struct gate_link *gate_link_open(const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(dir, "run/gate.sock");
	_cleanup_(gate_link_closep) struct gate_link *g = calloc(1, sizeof *g);

	if (g) {
		g->fd = -1;
		g->events = json_array();
	}
	if (!g || !g->events || !path) {
		error_oom(err);
		return NULL;
	}
	g->fd = channel_connect(path, err);
	if (g->fd < 0) {
		struct error because = *err;

		error_clear(err);
		error_set(err, ERR_BACKEND_UNAVAILABLE, "the gate does not answer at %s",
			  path);
		error_hint(err, "start the suite with 'wingman up', or name its folder "
				"with --dir");
		error_cause(err, "%s", because.message);
		return NULL;
	}
	g->hello = gate_link_ask(g, MSG_HELLO, json_pack("{s:i}", "v", MESSAGES_VERSION),
				 err);
	return g->hello ? TAKE(g) : NULL;
}

static void take_refusal(struct gate_link *g, const json_t *reply, struct error *err)
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
	g->details = json_incref(json_object_get(e, "details"));
}

static bool is_event(const char *name)
{
	return message_find(name) == MSG_EVENT || message_find(name) == MSG_NOTICE;
}

static bool same_id(const json_t *message, int64_t id)
{
	return json_get_int64(message, "id", -1) == id;
}

/* Apart from reading, so that a time-out never leaves half a frame behind. */
static bool wait_readable(const struct gate_link *g, int timeout_ms, struct error *err)
{
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);

	if (n > 0)
		return true;
	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for the gate");
	return error_set(err, ERR_TIMEOUT, "nothing happened meanwhile");
}

/* --- what nobody waits for any more --- */

static int64_t *find_given_up(struct gate_link *g, int64_t id)
{
	for (size_t i = 0; i < GIVEN_UP_MAX; i++)
		if (g->given_up[i] == id)
			return &g->given_up[i];
	return NULL;
}

/* With too many of them the next reply is one that was not asked for. */
static bool give_up(struct gate_link *g, int64_t id, struct error *err)
{
	int64_t *row = find_given_up(g, 0);

	if (row)
		*row = id;
	return error_set(err, ERR_TIMEOUT, "interrupted");
}

static bool is_given_up(struct gate_link *g, const json_t *message)
{
	int64_t id = json_get_int64(message, "id", 0);
	int64_t *row = id > 0 ? find_given_up(g, id) : NULL;

	if (row)
		*row = 0;
	return row != NULL;
}

static json_t *read_message(struct gate_link *g, struct error *err)
{
	for (;;) {
		json_auto_t *message = channel_read(g->fd, REPLY_TIMEOUT_MS, err);

		if (!message || !is_given_up(g, message))
			return TAKE(message);
	}
}

static bool wait_reply(struct gate_link *g, int64_t id, bool (*gives_up)(void),
		       struct error *err)
{
	struct error why = ERROR_INIT;

	while (gives_up) {
		if (wait_readable(g, SLICE_MS, &why))
			return true;
		if (why.code != ERR_TIMEOUT) {
			*err = why;
			return false;
		}
		error_clear(&why);
		if (gives_up())
			return give_up(g, id, err);
	}
	return true;
}

/* --- asking --- */

json_t *gate_link_ask_unless(struct gate_link *g, enum message m, json_t *members,
			     bool (*gives_up)(void), struct error *err)
{
	json_auto_t *message = members ? members : json_object();
	int64_t id = ++g->next_id;

	json_decref(g->details);
	g->details = NULL;
	if (!message ||
	    json_object_set_new(message, "m", json_string(message_name(m))) != 0 ||
	    json_object_set_new(message, "id", json_integer(id)) != 0) {
		error_oom(err);
		return NULL;
	}
	if (!channel_write(g->fd, message, err))
		return NULL;
	for (;;) {
		json_auto_t *reply =
			wait_reply(g, id, gives_up, err) ? read_message(g, err) : NULL;
		const char *name;

		if (!reply)
			return NULL;
		name = json_get_string(reply, "m");
		if (name && is_event(name)) {
			/* They only say that it is time to look: more add nothing. */
			if (json_array_size(g->events) < EVENTS_MAX)
				(void)json_array_append(g->events, reply);
			continue;
		}
		if (!name || message_find(name) != MSG_REPLY || !same_id(reply, id)) {
			error_set(err, ERR_INTERNAL,
				  "the gate sent something that was not asked for");
			return NULL;
		}
		if (json_is_true(json_object_get(reply, "ok")))
			return TAKE(reply);
		take_refusal(g, reply, err);
		return NULL;
	}
}

json_t *gate_link_ask(struct gate_link *g, enum message m, json_t *members,
		      struct error *err)
{
	return gate_link_ask_unless(g, m, members, NULL, err);
}

void gate_link_forget_events(struct gate_link *g)
{
	(void)json_array_clear(g->events);
}

bool gate_link_is_alive(const struct gate_link *g)
{
	struct pollfd p = { .fd = g->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 0;
}

json_t *gate_link_event(struct gate_link *g, int timeout_ms, struct error *err)
{
	json_auto_t *event = NULL;
	const char *name;

	if (json_array_size(g->events) > 0) {
		event = json_incref(json_array_get(g->events, 0));
		(void)json_array_remove(g->events, 0);
		return TAKE(event);
	}
	if (!wait_readable(g, timeout_ms, err))
		return NULL;
	event = read_message(g, err);
	if (!event)
		return NULL;
	name = json_get_string(event, "m");
	if (!name || !is_event(name)) {
		error_set(err, ERR_INTERNAL, "the gate sent something that is no event");
		return NULL;
	}
	return TAKE(event);
}
