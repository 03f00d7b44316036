/*
 * slack-socket FOLDER -- Socket Mode by itself, for the tests against doubles.
 *
 * The first line of standard input is JSON: {"api": {...}, "app"?, "connections"?,
 * "times"?: {"ping_ms": 200, ...}, "answers"?: {TYPE: object}, "refused"?: [event id]},
 * "held"?: event id, whose delivery takes until another line of standard input comes,
 * where TYPE is the "type" of a payload or a command. Each delivery becomes a line of
 * standard output, {"kind", "raw", "payload"}; logs go to standard error. Ends when
 * standard input does, and says {"end": {taken, left}}.
 */
#include "slack/socket/socket.h"

#include <pthread.h>

#include "base/log.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

struct run {
	json_t *answers, *refused;
	const char *held;
	bool is_released;
	pthread_cond_t released;
	pthread_mutex_t lock; /* of standard output, and of what jansson counts */
};

static const char *type_of(const struct ingress_delivery *d)
{
	const char *command = json_get_string(d->payload, "command");
	const char *type = json_get_string(d->payload, "type");

	return command ? command : type ? type : "";
}

static bool is_refused(const struct run *r, const struct ingress_delivery *d)
{
	const char *id = json_get_string(d->payload, "event_id");
	size_t i;
	json_t *one;

	json_array_foreach(r->refused, i, one) if (id && strcmp(json_string_value(one),
								id) == 0) return true;
	return false;
}

/* With the lock. */
static void hold(struct run *r, const struct ingress_delivery *d)
{
	const char *id = json_get_string(d->payload, "event_id");

	while (r->held && id && strcmp(r->held, id) == 0 && !r->is_released)
		(void)pthread_cond_wait(&r->released, &r->lock);
}

static bool take(void *context, const struct ingress_delivery *d, json_t **ret_ack,
		 struct error *err)
{
	static const char *const kinds[] = { [SLACK_EVENT] = "event",
					     [SLACK_INTERACTION] = "interaction",
					     [SLACK_COMMAND] = "command" };
	struct run *r = context;
	bool good = true;

	(void)pthread_mutex_lock(&r->lock);
	json_auto_t *payload = json_deep_copy(d->payload);
	json_auto_t *line = json_pack(
		"{s:s, s:s%, s:O, s:b, s:b}", "kind", kinds[d->kind], "raw",
		(const char *)d->raw, d->length, "payload", payload, "timestamp",
		d->timestamp != NULL, "signature", d->signature != NULL);
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	hold(r, d);
	if (is_refused(r, d))
		good = error_set(err, ERR_BACKEND_UNAVAILABLE, "it is refused");
	else
		*ret_ack = json_deep_copy(json_object_get(r->answers, type_of(d)));
	(void)pthread_mutex_unlock(&r->lock);
	return good;
}

static void read_times(struct links_times *t, const json_t *times)
{
	const struct {
		const char *name;
		int64_t *to;
	} rows[] = {
		{ "ping_ms", &t->ping_ms },
		{ "silence_ms", &t->silence_ms },
		{ "hello_ms", &t->hello_ms },
		{ "backoff_ms", &t->backoff_ms },
		{ "backoff_max_ms", &t->backoff_max_ms },
		{ "settled_ms", &t->settled_ms },
		{ "leave_ms", &t->leave_ms },
		{ "slow_ms", &t->slow_ms },
		{ "crowd_ms", &t->crowd_ms },
	};

	*t = links_times;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		*rows[i].to = json_get_int64(times, rows[i].name, *rows[i].to);
}

static void release(struct run *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->is_released = true;
	(void)pthread_cond_broadcast(&r->released);
	(void)pthread_mutex_unlock(&r->lock);
}

static void wait_for_end(struct run *r)
{
	int c;

	while ((c = getchar()) != EOF)
		if (c == '\n')
			release(r);
	release(r);
}

static bool run(const char *folder, const char *text, struct error *err)
{
	_cleanup_(statedir_freep) struct statedir *dir = statedir_new(folder, err);
	_cleanup_(slack_socket_freep) struct slack_socket *s = NULL;
	struct run r = { .lock = PTHREAD_MUTEX_INITIALIZER,
			 .released = PTHREAD_COND_INITIALIZER };
	json_auto_t *config = NULL;
	struct links_times times;

	config = dir ? json_parse(text, strcspn(text, "\n"), JSON_SYNTAX, err) : NULL;
	if (!config)
		return false;
	r.answers = json_object_get(config, "answers");
	r.refused = json_object_get(config, "refused");
	r.held = json_get_string(config, "held");
	read_times(&times, json_object_get(config, "times"));
	s = slack_socket_new(
		&(struct slack_socket_options){
			.dir = dir,
			.api = json_object_get(config, "api"),
			.app = json_get_string(config, "app"),
			.connections = (unsigned)json_get_int64(config, "connections", 0),
			.times = &times,
			.take = take,
			.context = &r,
		},
		err);
	if (!s || !slack_socket_start(s, err))
		return false;
	wait_for_end(&r);
	slack_socket_stop(s);
	const struct slack_socket_state state = slack_socket_state(s);
	printf("{\"end\":{\"taken\":%llu,\"left\":%llu,\"up\":%u,\"wanted\":%u}}\n",
	       (unsigned long long)state.taken, (unsigned long long)state.left, state.up,
	       state.wanted);
	return true;
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_BYTES];
	struct error err = ERROR_INIT;

	log_setup("slack-socket", LOG_DEBUG);
	if (argc != 2 || !fgets(line, sizeof line, stdin)) {
		(void)fprintf(stderr, "usage: slack-socket FOLDER\n");
		return 2;
	}
	if (run(argv[1], line, &err))
		return 0;
	log_failure("slack-socket.failed", &err);
	return 1;
}
