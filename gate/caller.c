#include "gate/caller.h"

#include <fcntl.h>

#include "base/file.h"
#include "gate/approvals_http.h"
#include "gate/caller_job.h"
#include "gate/caller_listen.h"
#include "gate/caller_members.h"
#include "gate/caller_probe.h"
#include "gate/settings.h"
#include "guard/token.h"
#include "proc/channel.h"
#include "proc/sandbox.h"
#include "proc/workers.h"

struct server {
	const struct settings_server *settings;
	struct mcp_client *client;
	struct workers *planning, *executing;
	struct caller_listener *listener; /* NULL: not yet, or not at all */
};

struct network {
	const struct statedir *dir;
	struct loop *loop;
	struct channel *keeper;
	struct settings *settings;
	struct secret *token;
	struct token_index *tokens;
	struct http_client *http;
	struct server servers[SETTINGS_SERVERS_MAX];
	struct approvals_http *approvals;
	struct caller_probe *probe;
	struct caller_members *members; /* NULL: nobody need be one */
};

/* --- calls to servers --- */

struct job {
	struct network *caller;
	struct server *server;
	enum message m;
	json_t *message;      /* the job's own: no other thread counts on it */
	struct fields fields; /* of 'message' */
	json_t *answer;
};

static void job_free(struct job *job)
{
	if (!job)
		return;
	json_decref(job->message);
	json_decref(job->answer);
	free(job);
}
DEFINE_CLEANUP(struct job, job_free);

/* Nothing can be saved without memory or without the keeper. */
__attribute__((noreturn)) static void leave(const char *why)
{
	log_error("caller.leaves", LOG_STR("why", why));
	_exit(1);
}

static void say(struct network *c, const json_t *message)
{
	if (!message || !channel_send(c->keeper, message))
		leave("the keeper does not take a message");
}

static void on_job_done(void *context)
{
	struct job *job = context;

	say(job->caller, job->answer);
	job_free(job);
}

/* In the loop, before the answer. */
struct word {
	struct network *caller;
	json_t *message;
};

static void on_word(void *context)
{
	struct word *w = context;

	say(w->caller, w->message);
	json_decref(w->message);
	free(w);
}

static void on_progress(void *context, json_t *message)
{
	const struct job *job = context;
	struct word *w = malloc(sizeof *w);

	if (w)
		*w = (struct word){ job->caller, message };
	if (w && loop_wake(job->caller->loop, on_word, w))
		return;
	json_decref(message);
	free(w);
}

static void on_worker(void *argument)
{
	struct job *job = argument;

	job->answer = caller_job_run(job->server->client, job->m, &job->fields,
				     on_progress, job);
	if (!loop_wake(job->caller->loop, on_job_done, job))
		leave("no memory for an answer");
}

/* NULL without memory, or for a message that is no good, which is our bug. */
static struct job *job_new(struct network *c, enum message m, const json_t *message)
{
	_cleanup_(job_freep) struct job *job = calloc(1, sizeof *job);
	struct error err = ERROR_INIT;

	if (!job || !(job->message = json_deep_copy(message)) ||
	    !fields_decode(m, job->message, &job->fields, &err))
		return NULL;
	job->caller = c;
	job->m = m;
	for (size_t i = 0; i < c->settings->server_count; i++)
		if (strcmp(c->servers[i].settings->name, job->fields.server) == 0)
			job->server = &c->servers[i];
	return TAKE(job);
}

static bool submit(struct job *job, struct error *err)
{
	struct workers *pool;

	if (!job->server)
		return error_set(err, ERR_NOT_FOUND, "the gate knows no server '%s'",
				 job->fields.server);
	/* What is taken back does not wait behind what runs. */
	pool = job->m == MSG_EXECUTE && !job->fields.revoke ? job->server->executing
							    : job->server->planning;
	return workers_submit(pool, on_worker, job) ||
	       error_set(err, ERR_RATE_LIMITED, "too many calls wait for the server '%s'",
			 job->fields.server);
}

static void call(struct network *c, enum message m, const json_t *message)
{
	struct job *job = job_new(c, m, message);
	struct error err = ERROR_INIT;

	if (!job)
		leave("a message of the keeper's cannot be read");
	/* App Home shows it. */
	if (job->fields.listen && job->server && job->server->listener)
		caller_listen_to(job->server->listener, job->fields.uri);
	if (submit(job, &err))
		return;
	json_auto_t *refusal = caller_job_refuse(m, &job->fields, &err);
	say(c, refusal);
	job_free(job);
}

/* --- the keeper --- */

static void on_message(void *context, struct channel *ch, json_t *message)
{
	struct network *c = context;
	const char *name = json_get_string(message, "m");
	enum message m = name ? message_find(name) : MSG_COUNT;
	struct error err = ERROR_INIT;
	struct fields f;

	(void)ch;
	if (m == MSG_PLAN || m == MSG_EXECUTE || m == MSG_DEFINITIONS || m == MSG_FETCH) {
		call(c, m, message);
	} else if (m == MSG_PROBE) {
		if (!fields_decode(m, message, &f, &err))
			leave(err.message);
		(void)caller_probe_look(c->probe, f.url);
	} else if (m == MSG_MEMBERS && c->members) {
		if (!fields_decode(m, message, &f, &err) ||
		    !caller_members_ask(c->members, &f))
			leave("a question for members cannot be asked");
	} else if (m == MSG_ANSWER) {
		if (!fields_decode(m, message, &f, &err))
			leave(err.message);
		approvals_http_answer(c->approvals, f.request, (unsigned)f.status,
				      f.body);
	} else {
		leave("the keeper sent what no caller takes");
	}
}

static void on_closed(void *context, struct channel *ch, const struct error *err)
{
	(void)context;
	(void)ch;
	/* Workers may be waiting for servers; what they were told is safe with the keeper. */
	log_debug("caller.done", LOG_STR("why", err->message));
	_exit(0);
}

static void on_registration(void *context, const json_t *message)
{
	say(context, message);
}

static void on_probed(void *context, bool is_up)
{
	json_auto_t *probed =
		json_pack("{s:s, s:b}", "m", message_name(MSG_PROBED), "up", is_up);

	say(context, probed);
}

static void on_membered(void *context, const json_t *membered)
{
	say(context, membered);
}

/* --- start --- */

/* Its own token and the configuration were read before; all other tokens and every key
 * are out of reach from here on. */
static bool enter_sandbox(const struct network *c, struct error *err)
{
	_cleanup_free_ char *config = statedir_path(c->dir, "config");
	_cleanup_free_ char *callers = statedir_path(c->dir, "callers");
	struct sandbox_path paths[64] = { { config, SANDBOX_READ },
					  { callers, SANDBOX_READ } };
	size_t count = 2;

	if (!config || !callers)
		return error_oom(err);
	for (size_t i = 0; i < sandbox_system_path_count && count < ARRAY_SIZE(paths);
	     i++)
		paths[count++] = sandbox_system_paths[i];
	const struct sandbox box = {
		.paths = paths,
		.path_count = count,
		.network = true,
		.exec = false,
		.allow_missing_landlock = c->settings->allow_missing_landlock,
		.allow_missing_seccomp = c->settings->allow_missing_seccomp,
	};
	return sandbox_enter(&box, err);
}

/* Under a user of its own it has its token from systemd. */
static char *own_token_path(const struct statedir *dir)
{
	char *passed = statedir_file(dir, "credential:gate.token");

	if (passed && file_exists(passed))
		return passed;
	free(passed);
	return statedir_path(dir, "tokens/gate.token");
}

static bool open_tokens(struct network *c, struct error *err)
{
	_cleanup_free_ char *token = own_token_path(c->dir);
	_cleanup_free_ char *index = statedir_path(c->dir, "callers/index.json");

	if (!token || !index)
		return error_oom(err);
	c->token = secret_read(token, true, err);
	c->tokens = c->token ? token_index_open(index, err) : NULL;
	return c->tokens != NULL;
}

/* A file of the settings by its path, NULL for none; false without memory. */
static bool find_file(const struct network *c, const char *name, char **ret,
		      struct error *err)
{
	*ret = *name ? statedir_file(c->dir, name) : NULL;
	return !*name || *ret || error_oom(err);
}

/* Before the sandbox closes. */
static bool open_http(struct network *c, struct error *err)
{
	const struct settings *s = c->settings;
	_cleanup_free_ char *ca = NULL, *cert = NULL, *key = NULL;
	struct http_tls *tls;

	c->http = http_client_new("wingman-gate/" WINGMAN_VERSION, err);
	if (!c->http || !find_file(c, s->tls_ca, &ca, err) ||
	    !find_file(c, s->tls_certificate, &cert, err) ||
	    !find_file(c, s->tls_key, &key, err))
		return false;
	tls = ca || cert ? http_tls_read(ca, cert, key, err) : NULL;
	if (tls)
		http_client_use_tls(c->http, tls);
	return tls || (!ca && !cert);
}

/* Reads its credential, too, before the sandbox closes. */
static bool open_members(struct network *c, struct error *err)
{
	if (c->settings->membership.kind == MEMBERSHIP_NONE)
		return true;
	c->members =
		caller_members_new(c->loop, c->dir, c->settings, on_membered, c, err);
	return c->members != NULL;
}

static bool open_servers(struct network *c, struct error *err)
{
	for (size_t i = 0; i < c->settings->server_count; i++) {
		struct server *s = &c->servers[i];

		s->settings = &c->settings->servers[i];
		s->client = mcp_client_new(s->settings->url, c->token, c->http,
					   "wingman-gate", err);
		s->planning =
			s->client ? workers_new(CALLER_PLAN_THREADS, CALLER_QUEUE, err)
				  : NULL;
		s->executing = s->planning ? workers_new(CALLER_EXECUTE_THREADS,
							 CALLER_QUEUE, err)
					   : NULL;
		if (!s->executing)
			return false;
	}
	return true;
}

static void on_changed(void *context, const json_t *message)
{
	say(context, message);
}

/* Once the keeper's channel is there to say it on. Without it nobody hears at once that
 * something changed, and that is all. */
static void listen_to_servers(struct network *c)
{
	for (size_t i = 0; i < c->settings->server_count; i++) {
		const struct caller_listening how = {
			.loop = c->loop,
			.settings = c->settings,
			.server = c->servers[i].settings,
			.token = c->token,
			.http = c->http,
			.heard = on_changed,
			.context = c,
		};
		struct error err = ERROR_INIT;

		c->servers[i].listener = caller_listen(&how, &err);
		if (!c->servers[i].listener)
			log_failure("caller.not_listening", &err);
	}
}

static bool listen_for_servers(struct network *c, struct error *err)
{
	json_auto_t *listening = NULL;
	char url[160];

	c->approvals = approvals_http_start(c->loop, c->settings, c->tokens,
					    on_registration, c, err);
	if (!c->approvals)
		return false;
	(void)snprintf(url, sizeof url,
		       strchr(c->settings->listen_address, ':') ? "http://[%s]:%u"
								: "http://%s:%u",
		       c->settings->listen_address,
		       (unsigned)approvals_http_port(c->approvals));
	listening = json_pack("{s:s, s:s}", "m", message_name(MSG_LISTENING), "url", url);
	say(c, listening);
	return true;
}

static void on_signal(void *context, int signal_number)
{
	/* A terminal's ^C reaches us too: it is the keeper that decides when we leave. */
	(void)context;
	(void)signal_number;
}

static bool start(struct network *c, struct error *err)
{
	_cleanup_(settings_reader_freep) struct settings_reader *reader =
		settings_reader_new(c->dir, err);

	c->settings = reader ? settings_read(reader, err) : NULL;
	if (!c->settings)
		return false;
	log_setup("gate-caller", c->settings->log_level);
	c->loop = loop_new(err);
	if (!c->loop || !loop_add_signal(c->loop, SIGINT, on_signal, c, err) ||
	    !loop_add_signal(c->loop, SIGTERM, on_signal, c, err) ||
	    !open_tokens(c, err) || !open_http(c, err) || !open_members(c, err) ||
	    !enter_sandbox(c, err) || !open_servers(c, err) ||
	    (c->members && !caller_members_start(c->members, err)))
		return false;
	c->probe = caller_probe_new(c->loop, c->http, on_probed, c, err);
	if (!c->probe)
		return false;
	if (fcntl(CALLER_FD, F_SETFD, FD_CLOEXEC) != 0)
		return error_errno(err, "descriptor %d is not the keeper's", CALLER_FD);
	c->keeper = channel_new(c->loop, CALLER_FD, on_message, on_closed, c, err);
	if (!c->keeper || !listen_for_servers(c, err))
		return false;
	listen_to_servers(c);
	return true;
}

int caller_main(const struct statedir *dir)
{
	struct network c = { .dir = dir };
	struct error err = ERROR_INIT;

	if (!start(&c, &err) || !loop_run(c.loop, &err))
		log_failure("caller.failed", &err);
	/* Ends with its channel, by _exit: only what could not start comes here, and it
	 * leaves everything to the kernel as well. */
	_exit(1);
}
