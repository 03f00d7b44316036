#include "slack/process/talks.h"

#include <unistd.h>

#include "assistant/config.h"
#include "assistant/host/launcher.h"
#include "assistant/host/prompts.h"
#include "assistant/host/talk.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"

enum { ID_BYTES = INBOUND_ID_BYTES + INBOUND_TS_BYTES + 1, READS_MAX = 2000 };

static const char house_note[] = "You write into a thread in Slack, where your words "
				 "stand literally: plain text, short "
				 "lines, no markup, no links unless they were asked for, "
				 "no mentions. Prompts are posted "
				 "by the program in messages of their own.";

/* One thread's; of the loop alone. */
struct chat {
	struct chat *next;
	struct talks *talks;
	char id[ID_BYTES];
	char channel[INBOUND_ID_BYTES], thread[INBOUND_TS_BYTES];
	char *turn; /* the gate's, of what was said last */
	int64_t people, used_ms;
	struct talk *talk;
	struct strbuf answer, reads;
};

struct talks {
	struct front *front;
	struct assistant_settings settings;
	struct launcher *launcher;
	struct budget *budget;
	struct host *host;
	json_t *house_notes, *team_notes;
	char *worker, *egress, *log_path;
	char *worker_socket, *egress_socket; /* in place of those */
	struct chat *chats;
	size_t count;
};

/* Something for a worker, and what came of it for the loop: it owns everything. */
struct job {
	struct talks *talks;
	char id[ID_BYTES];
	char channel[INBOUND_ID_BYTES], thread[INBOUND_TS_BYTES];
	char principal[129];
	char *turn, *text, *approval;
	int64_t number, people;
	json_t *message, *tools;
	struct error err;
	loop_callback *then;
};

static void job_free(struct job *j)
{
	if (!j)
		return;
	free(j->turn);
	free(j->text);
	free(j->approval);
	json_decref(j->message);
	json_decref(j->tools);
	free(j);
}
DEFINE_CLEANUP(struct job, job_free);

/* --- between the loop and workers --- */

static void back(struct job *j)
{
	if (!loop_wake(j->talks->front->loop, j->then, j))
		job_free(j);
}

static struct job *job_new(const struct chat *c)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->talks = c->talks;
	j->people = c->people;
	memcpy(j->id, c->id, sizeof j->id);
	memcpy(j->channel, c->channel, sizeof j->channel);
	memcpy(j->thread, c->thread, sizeof j->thread);
	j->turn = c->turn ? strdup(c->turn) : NULL;
	return j;
}

static bool submit(struct job *j, workers_function *fn)
{
	if (j && front_submit(j->talks->front, fn, j))
		return true;
	log_warn("assistant.busy");
	job_free(j);
	return false;
}

static struct chat *find(const struct talks *t, const char *id)
{
	for (struct chat *c = t->chats; c; c = c->next)
		if (strcmp(c->id, id) == 0)
			return c;
	return NULL;
}

/* --- saying --- */

/* Somebody may have come since. */
static bool has_outsiders(const struct job *j)
{
	const struct front *f = j->talks->front;

	return who_reads(f->who, j->channel, f->identity.user_id).outsiders;
}

/* The assistant's words, literally, and what was read for them. */
static void post(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	json_auto_t *message = say_words("The assistant", slack_elements(j->text));
	char key[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	const struct outbox_item item = {
		.key = (digest_random_id(key), key),
		.lane = j->channel,
		.method = "chat.postMessage",
		.arguments = message,
		.until_ms = clock_wall_ms() + SAY_NOW_MS,
	};

	if (has_outsiders(j)) {
		log_info("assistant.silent", LOG_STR("channel", j->channel));
		return;
	}
	if (!json_put_string(message, "channel", j->channel) ||
	    !json_put_string(message, "thread_ts", j->thread[0] ? j->thread : NULL))
		error_oom(&err);
	else if (outbox_put(j->talks->front->outbox, &item, &err))
		return;
	front_count(j->talks->front, COUNT_FAILED);
	log_failure("slack.not_said", &err);
}

static void say(struct chat *c, const char *text)
{
	struct job *j = job_new(c);

	if (j && !(j->text = strdup(text))) {
		job_free(j);
		j = NULL;
	}
	(void)submit(j, post);
}

static void on_say(void *context, const char *text, bool final)
{
	struct chat *c = context;

	if (c->answer.length < TALKS_TEXT_MAX)
		strbuf_add_string(&c->answer, text);
	if (!final || c->answer.length == 0)
		return;
	if (c->answer.length > TALKS_TEXT_MAX) {
		size_t length = TALKS_TEXT_MAX;

		while (length > 0 &&
		       ((unsigned char)c->answer.data[length] & 0xC0) == 0x80)
			length--;
		strbuf_truncate(&c->answer, length);
		strbuf_add_string(&c->answer, "...");
	}
	if (c->reads.length > 0)
		strbuf_add_format(&c->answer, "\n[read: %s]", c->reads.data);
	if (strbuf_ok(&c->answer))
		say(c, c->answer.data);
	strbuf_clear(&c->answer);
	strbuf_clear(&c->reads);
}

static void on_ended(void *context, enum assistant_code code, const char *words)
{
	struct chat *c = context;

	(void)code;
	if (words)
		say(c, words);
}

/* --- proposing --- */

static void on_looked(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	struct chat *c = find(j->talks, j->id);
	const json_t *record = json_object_get(j->message, "record");
	const char *state = json_get_string(record, "state");

	/* Until it waits for people nothing need be said of it. */
	if (c && state && strcmp(state, "proposed") != 0 && strcmp(state, "planned") != 0)
		talk_record(c->talk, j->approval, record,
			    json_object_get(j->message, "parts"));
}

static void look(void *argument)
{
	struct job *j = argument;
	struct error err = ERROR_INIT;

	j->message = gate_ask(j->talks->front->gate, MSG_SHOW,
			      json_pack("{s:s}", "approval", j->approval), NULL, &err);
	j->then = on_looked;
	if (j->message)
		back(j);
	else
		job_free(j);
}

static void look_at(const struct chat *c, const char *approval)
{
	struct job *j = job_new(c);

	if (j && !(j->approval = strdup(approval))) {
		job_free(j);
		j = NULL;
	}
	(void)submit(j, look);
}

static void on_proposed(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	struct chat *c = find(j->talks, j->id);
	const char *approval = json_get_string(j->message, "approval");

	if (!c)
		return;
	if (!approval && !error_is_set(&j->err))
		error_set(&j->err, ERR_INTERNAL, "the gate named no approval");
	talk_proposed(c->talk, j->number, approval, &j->err);
	/* What happened before the talk knew its name. */
	if (approval)
		look_at(c, approval);
}

static void propose(void *argument)
{
	struct job *j = argument;

	/* Without it the gate takes it that there are some. */
	(void)json_object_set_new(j->message, "outsiders",
				  json_boolean(has_outsiders(j)));
	j->message = gate_ask(j->talks->front->gate, MSG_SLACK_PROPOSE, TAKE(j->message),
			      NULL, &j->err);
	if (j->message)
		front_count(j->talks->front, COUNT_PROPOSED);
	j->then = on_proposed;
	back(j);
}

static void on_propose(void *context, int64_t number, json_t *members)
{
	struct chat *c = context;
	struct error err = ERROR_INIT;
	struct job *j = job_new(c);
	bool ok = j && j->turn &&
		  json_object_set_new(members, "turn", json_string(j->turn)) == 0 &&
		  json_object_set_new(members, "model",
				      json_string(c->talks->settings.model)) == 0 &&
		  (c->people == 0 ||
		   json_object_set_new(members, "people",
				       json_integer((json_int_t)c->people)) == 0);

	/* No thread shares a tree with another. */
	if (ok)
		j->message = json_deep_copy(members);
	json_decref(members);
	if (ok && j->message) {
		j->number = number;
		if (submit(j, propose))
			return;
	} else {
		job_free(j);
	}
	error_set(&err, ERR_RATE_LIMITED, "too much waits already");
	talk_proposed(c->talk, number, NULL, &err);
}

void talks_heard(struct talks *t, const json_t *event)
{
	const char *approval = json_get_string(event, "approval");

	for (struct chat *c = t->chats; approval && c; c = c->next)
		if (conversation_proposed(talk_conversation(c->talk), approval))
			look_at(c, approval);
}

/* --- reading --- */

static void on_has_read(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	struct chat *c = find(j->talks, j->id);

	if (c)
		talk_content(c->talk, j->number, json_get_string(j->message, "read"),
			     json_get_string(j->message, "label"),
			     json_get_string(j->message, "text"),
			     json_is_true(json_object_get(j->message, "cut")), &j->err);
}

static void read_it(void *argument)
{
	struct job *j = argument;

	j->message = gate_ask(j->talks->front->gate, MSG_CONTEXT,
			      json_pack("{s:s, s:s}", "uri", j->text, "turn", j->turn),
			      NULL, &j->err);
	j->then = on_has_read;
	back(j);
}

static void on_read(void *context, int64_t number, const char *uri)
{
	struct chat *c = context;
	struct error err = ERROR_INIT;
	struct job *j = job_new(c);

	if (j && j->turn && (j->text = strdup(uri))) {
		j->number = number;
		if (c->reads.length < READS_MAX)
			strbuf_add_format(&c->reads, "%s%s", c->reads.length ? ", " : "",
					  uri);
		if (submit(j, read_it))
			return;
	} else {
		job_free(j);
	}
	error_set(&err, ERR_RATE_LIMITED, "too much waits already");
	talk_content(c->talk, number, NULL, NULL, NULL, false, &err);
}

static const struct talk_hooks hooks = { on_say, on_propose, on_read, on_ended };

/* --- somebody says something --- */

static void chat_free(struct chat *c)
{
	if (!c)
		return;
	talk_free(c->talk);
	free(c->turn);
	strbuf_done(&c->answer);
	strbuf_done(&c->reads);
	free(c);
}

/* What was not used for longest makes room; the store has it still. */
static void make_room(struct talks *t)
{
	struct chat **oldest = NULL;

	for (struct chat **at = &t->chats; *at; at = &(*at)->next)
		if (!talk_is_busy((*at)->talk) &&
		    (!oldest || (*at)->used_ms < (*oldest)->used_ms))
			oldest = at;
	if (t->count < TALKS_MAX || !oldest)
		return;
	struct chat *gone = *oldest;

	*oldest = gone->next;
	t->count--;
	chat_free(gone);
}

/* What ended while this conversation was not in memory. */
static void look_at_open(const struct chat *c)
{
	json_auto_t *open = talk_open(c->talk);
	size_t i;
	json_t *approval;

	json_array_foreach(open, i, approval)
	{
		look_at(c, json_string_value(approval));
	}
}

static struct chat *begin(struct talks *t, const struct job *j, struct error *err)
{
	const struct talk_options o = {
		.host = t->host,
		.settings = &t->settings,
		.store = t->front->records,
		.house_notes = t->house_notes,
		.team_notes = t->team_notes,
	};
	struct chat *c = find(t, j->id);

	if (c)
		return c;
	make_room(t);
	if (t->count >= TALKS_MAX) {
		error_set(err, ERR_RATE_LIMITED, "too many conversations run already");
		return NULL;
	}
	c = calloc(1, sizeof *c);
	if (!c) {
		error_oom(err);
		return NULL;
	}
	c->talks = t;
	strbuf_init(&c->answer);
	strbuf_init(&c->reads);
	memcpy(c->id, j->id, sizeof c->id);
	memcpy(c->channel, j->channel, sizeof c->channel);
	memcpy(c->thread, j->thread, sizeof c->thread);
	c->talk = talk_new(&o, j->id, &hooks, c, err);
	if (!c->talk) {
		chat_free(c);
		return NULL;
	}
	c->next = t->chats;
	t->chats = c;
	t->count++;
	look_at_open(c);
	return c;
}

static void on_said(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	struct error err = ERROR_INIT;
	struct chat *c = begin(j->talks, j, &err);
	json_auto_t *sources = talk_sources(json_object_get(j->tools, "context"));

	if (c) {
		free(c->turn);
		c->turn = TAKE(j->turn);
		c->people = j->people;
		c->used_ms = clock_mono_ms();
		talk_set_tools(c->talk, json_object_get(j->tools, "servers"));
		talk_set_sources(c->talk, sources);
		if (talk_said(c->talk, j->principal, j->principal, c->turn, j->text,
			      &err))
			return;
	}
	log_failure("assistant.not_heard", &err);
}

/* Everything that has to be asked before the loop may have it. */
static bool prepare_said(struct job *j, const struct delivery *d, struct error *err)
{
	const struct inbound *in = &d->in;
	const char *thread = in->thread_ts[0] ? in->thread_ts : in->ts;

	(void)snprintf(j->channel, sizeof j->channel, "%s", in->channel);
	(void)snprintf(j->thread, sizeof j->thread, "%s", thread);
	(void)snprintf(j->id, sizeof j->id, "%s/%s", j->channel, j->thread);
	(void)snprintf(j->principal, sizeof j->principal, "%s", d->principal);
	j->text = strdup(in->text);
	if (!j->text)
		return error_oom(err);
	j->tools = gate_ask(d->front->gate, MSG_TOOLS, NULL, NULL, err);
	return j->tools && front_turn(d, NULL, &j->turn, err);
}

void talks_said(struct talks *t, const struct delivery *d)
{
	struct audience readers =
		who_reads(t->front->who, d->in.channel, t->front->identity.user_id);
	struct error err = ERROR_INIT;
	struct job *j = calloc(1, sizeof *j);

	if (d->in.shared || readers.outsiders) {
		free(j);
		say_privately(d, say_words("I talk only where nobody from outside the "
					   "team reads along. Write to me directly.",
					   NULL));
		return;
	}
	if (j) {
		j->talks = t;
		j->people = readers.people;
		j->then = on_said;
	}
	if (!j)
		error_oom(&err);
	else if (prepare_said(j, d, &err)) {
		back(j);
		return;
	}
	job_free(j);
	log_failure("assistant.not_heard", &err);
	say_answer(d, say_failure("That did not work", &err));
}

/* --- life --- */

/* A program beside ours. */
static char *program(const char *name)
{
	char own[4096];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	char *slash;

	if (length <= 0)
		return NULL;
	own[length] = '\0';
	slash = strrchr(own, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return file_join(own, name);
}

static bool read_notes(struct talks *t, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(t->front->dir, "prompts");

	if (!folder)
		return error_oom(err);
	t->team_notes = prompts_read(folder, err);
	t->house_notes = json_pack("[{s:s, s:s}]", "name", "slack", "text", house_note);
	return t->team_notes && (t->house_notes || error_oom(err));
}

static struct host_options options_of(const struct talks *t)
{
	return (struct host_options){
		.loop = t->front->loop,
		.settings = &t->settings,
		.worker = t->worker,
		.egress = t->egress,
		.dir = statedir_root(t->front->dir),
		.log_path = t->log_path,
		.budget = t->budget,
		.launcher = t->launcher,
		.worker_socket = t->worker_socket,
		.egress_socket = t->egress_socket,
	};
}

/* Nothing is started from here, then: there is no launcher. */
static bool prepare_sockets(struct talks *t, struct error *err)
{
	t->worker_socket = statedir_path(t->front->dir, "run/worker.sock");
	t->egress_socket = statedir_path(t->front->dir, "run/egress.sock");
	return (t->worker_socket && t->egress_socket) || error_oom(err);
}

static bool prepare(struct talks *t, struct error *err)
{
	if (t->front->assistant_is_apart)
		return read_notes(t, err) && prepare_sockets(t, err);
	t->worker = program("wingman-assistant");
	t->egress = program("wingman-egress");
	t->log_path = statedir_path(t->front->dir, "run/assistant.log");
	if (!t->worker || !t->egress || !t->log_path)
		return error_oom(err);
	if (access(t->worker, X_OK) != 0 || access(t->egress, X_OK) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "wingman-assistant and wingman-egress are not beside "
				 "this program");
	if (!read_notes(t, err))
		return false;
	const struct host_options o = options_of(t);

	t->launcher = launcher_new(&o, err);
	return t->launcher != NULL;
}

bool talks_prepare(struct front *f, struct talks **ret, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(f->dir, "config/assistant.yaml");
	struct talks *t = calloc(1, sizeof *t);
	bool is_there = false, ok;

	*ret = NULL;
	if (!path || !t) {
		free(t);
		return error_oom(err);
	}
	t->front = f;
	ok = assistant_config_read(path, &t->settings, &is_there, err) &&
	     (!is_there || prepare(t, err));
	if (ok && is_there)
		*ret = t;
	else
		talks_free(t);
	return ok;
}

bool talks_open(struct talks *t, struct error *err)
{
	struct host_options o;

	t->budget = budget_new(t->front->records, t->settings.tokens_per_day,
			       t->settings.tokens_per_person_per_day, err);
	if (!t->budget)
		return false;
	o = options_of(t);
	t->host = host_new(&o, err);
	return t->host &&
	       conversation_sweep(t->front->records, clock_wall_ms(), NULL, err);
}

void talks_free(struct talks *t)
{
	if (!t)
		return;
	while (t->chats) {
		struct chat *c = t->chats;

		t->chats = c->next;
		chat_free(c);
	}
	host_free(t->host);
	launcher_free(t->launcher);
	budget_free(t->budget);
	json_decref(t->house_notes);
	json_decref(t->team_notes);
	free(t->worker);
	free(t->egress);
	free(t->log_path);
	free(t->worker_socket);
	free(t->egress_socket);
	free(t);
}
