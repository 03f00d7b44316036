#include "slack/process/process.h"

#include <signal.h>

#include "base/file.h"
#include "link/http/http_client.h"
#include "proc/sandbox.h"
#include "slack/ingress/http.h"
#include "slack/process/front.h"
#include "slack/process/handlers.h"
#include "slack/process/homes.h"
#include "slack/process/prompts.h"
#include "slack/process/talks.h"

enum {
	WHO_WE_ARE_MS = 1000, /* between two questions to Slack, until it answers */
	PATHS_MAX = 64,
};

struct process {
	struct front front;
	struct ingress_http *http;
};

/* --- for the outbox and the way in --- */

static bool call_slack(void *caller, const char *method, const json_t *arguments,
		       const atomic_bool *cancel, struct slack_answer *ret,
		       struct error *err)
{
	struct rest_patience patience = rest_patience(FRONT_API_MS);

	patience.cancel = cancel;
	return slack_call(caller, method, arguments, &patience, ret, err);
}

static bool check(void *context, const struct slack_evidence *e, struct error *err)
{
	const struct front *f = context;

	return front_settings_check(&f->settings, e, err);
}

static const char *unready(void *context)
{
	struct front *f = context;

	if (atomic_load(&f->is_stopping))
		return "this process is about to stop\n";
	if (!atomic_load(&f->is_known))
		return "Slack has not said yet who we are\n";
	if (f->socket && slack_socket_state(f->socket).up == 0)
		return "no connection of Socket Mode stands\n";
	return gate_is_up(f->gate) ? NULL : "the gate is not there\n";
}

static void metrics(void *context, struct strbuf *sb)
{
	static const char *const names[FRONT_COUNTS] = {
		"deliveries", "repeated", "ignored", "strangers",
		"clicks",     "proposed", "failed",
	};
	struct front *f = context;

	for (int i = 0; i < FRONT_COUNTS; i++)
		strbuf_add_format(sb,
				  "# TYPE wingman_slack_%s counter\n"
				  "wingman_slack_%s_total %lld\n",
				  names[i], names[i],
				  (long long)atomic_load(&f->counts[i]));
	strbuf_add_format(sb,
			  "# TYPE wingman_slack_outbox gauge\n"
			  "wingman_slack_outbox %zu\n"
			  "# TYPE wingman_slack_gate gauge\n"
			  "wingman_slack_gate %d\n",
			  outbox_waiting(f->outbox), gate_is_up(f->gate));
	if (f->socket)
		strbuf_add_format(sb,
				  "# TYPE wingman_slack_sockets gauge\n"
				  "wingman_slack_sockets %u\n",
				  slack_socket_state(f->socket).up);
}

/* --- from the gate --- */

static void on_heard(void *context, json_t *message)
{
	struct front *f = context;
	struct prompt_heard *h;

	if (json_object_get(message, "changed")) {
		apphome_heard(f, message);
		return;
	}
	h = malloc(sizeof *h);
	if (f->talks)
		talks_heard(f->talks, message);
	if (h)
		*h = (struct prompt_heard){ f, json_incref(message) };
	if (h && front_submit(f, prompts_heard, h))
		return;
	if (h)
		json_decref(h->message);
	free(h);
	atomic_store(&f->look_again, true);
}

static void sweep(void *context)
{
	struct front *f = context;

	if (!front_submit(f, prompts_sweep, f))
		log_warn("slack.busy");
}

/* What changed while it was not there was heard by nobody. */
static void on_came(void *context)
{
	struct front *f = context;

	sweep(f);
	if (f->homes)
		homes_all_changed(f->homes, HOMES_DRAW);
}

static void on_tick(void *context)
{
	struct front *f = context;

	homes_tick(f->homes);
	if (atomic_load(&f->look_again))
		sweep(f);
}

/* --- who we are --- */

static void learn(void *argument)
{
	struct front *f = argument;
	const struct rest_patience patience = rest_patience(FRONT_API_MS);
	struct slack_identity who = { .team_id = "" };
	struct error err = ERROR_INIT;

	if (atomic_load(&f->is_known) || atomic_load(&f->is_stopping))
		return;
	if (!slack_test(f->slack, &patience, &who, &err)) {
		log_failure("slack.unknown", &err);
		return;
	}
	f->identity = who;
	atomic_store(&f->is_known, true);
	log_info("slack.known", LOG_STR("team", who.team_id),
		 LOG_STR("user", who.user_id), LOG_STR("scopes", who.scopes));
	prompts_sweep(f);
}

/* One at a time: its threads are one. */
static void on_learn(void *context)
{
	struct front *f = context;

	if (!atomic_load(&f->is_known) && !workers_submit(f->learner, learn, f))
		log_debug("slack.asking");
}

/* --- start --- */

static bool enter_sandbox(const struct front *f, struct error *err)
{
	struct sandbox_path paths[PATHS_MAX];
	_cleanup_free_ char *run = statedir_path(f->dir, "run");
	_cleanup_free_ char *own = statedir_path(f->dir, "%s", f->name);
	size_t count = 0;

	if (!run || !own)
		return error_oom(err);
	paths[count++] = (struct sandbox_path){ run, SANDBOX_READ | SANDBOX_WRITE };
	paths[count++] = (struct sandbox_path){ own, SANDBOX_READ | SANDBOX_WRITE };
	for (size_t i = 0; i < sandbox_system_path_count && count < PATHS_MAX; i++)
		paths[count++] = sandbox_system_paths[i];
	const struct sandbox box = {
		.paths = paths,
		.path_count = count,
		.network = true,
		.unix_sockets = true, /* to the gate, which may fall and come back */
		.exec = false,
		.allow_missing_landlock = f->settings.allow_missing_landlock,
		.allow_missing_seccomp = f->settings.allow_missing_seccomp,
	};
	return sandbox_enter(&box, err);
}

/* What names us to other replicas stays the same over restarts. */
static bool find_replica(struct front *f, struct error *err)
{
	struct document doc = { .body = NULL };
	json_auto_t *own = NULL;
	const char *id;
	bool found = false;
	int64_t revision;

	if (!documents_get(f->records, "self", "replica", &doc, &found, err))
		return false;
	id = found ? json_get_string(doc.body, "id") : NULL;
	(void)snprintf(f->replica, sizeof f->replica, "%s", id ? id : "");
	if (found)
		document_done(&doc);
	if (f->replica[0])
		return true;
	digest_random_id(f->replica);
	own = json_pack("{s:s}", "id", f->replica);
	return own ? documents_put(f->records, "self", "replica", own, DOCUMENT_ANY,
				   &revision, err)
		   : error_oom(err);
}

static bool open_stores(struct front *f, struct error *err)
{
	_cleanup_free_ char *records = statedir_path(f->dir, "%s/records.db", f->name);
	_cleanup_free_ char *store = statedir_path(f->dir, "%s/coordination.db", f->name);

	if (!records || !store)
		return error_oom(err);
	f->records = documents_open_sqlite(records, err);
	f->store = f->records ? coord_config_open(&f->settings.store, &f->store_access,
						  "slack", NULL, store, err)
			      : NULL;
	return f->store && find_replica(f, err);
}

static bool open_work(struct front *f, struct error *err)
{
	const struct outbox_options outbox = {
		.threads = 4,
		.told = prompts_told,
		.context = f,
		.call = call_slack,
		.caller = f->slack,
	};
	struct who_options who = {
		.slack = f->slack,
		.usergroup = f->settings.usergroup,
		.teams = f->settings.teams,
		.team_count = f->settings.team_count,
	};

	f->workers = workers_new(FRONT_WORKERS, FRONT_QUEUE, err);
	f->learner = f->workers ? workers_new(1, 1, err) : NULL;
	f->gate = f->learner ? gate_new(f->loop, f->gate_path, on_heard, on_came, f, err)
			     : NULL;
	if (!f->gate)
		return false;
	who.gate = f->gate;
	f->who = who_new(&who, err);
	f->homes = f->who ? homes_new(f, err) : NULL;
	f->outbox = f->homes ? outbox_open(f->records, &outbox, err) : NULL;
	return f->outbox != NULL;
}

static bool start_http(struct process *p, struct error *err)
{
	struct front *f = &p->front;
	const struct ingress_http_options options = {
		.address = f->settings.address,
		.port = f->settings.port,
		.hosts = f->settings.hosts,
		.take = front_take,
		.check = check,
		.unready = unready,
		.metrics = metrics,
		.context = f,
	};

	if (!f->settings.listens)
		return true;
	p->http = ingress_http_start(&options, err);
	return p->http != NULL;
}

/* Slack's API as the bot has it, with the token of the app: for its connections alone. */
static json_t *app_api(const struct front_settings *s)
{
	json_auto_t *api = json_copy((json_t *)(uintptr_t)s->api);

	(void)json_object_del(api, "admin_token_file");
	(void)json_object_del(api, "scim_url");
	return json_put_string(api, "token_file", s->app_token_file) ? TAKE(api) : NULL;
}

/* What it loads and reads, before the sandbox. */
static bool open_socket(struct front *f, struct error *err)
{
	json_auto_t *api = NULL;

	if (!f->settings.app_token_file)
		return true;
	api = app_api(&f->settings);
	if (!api)
		return error_oom(err);
	const struct slack_socket_options options = {
		.dir = f->dir,
		.api = api,
		.app = f->settings.app,
		.connections = f->settings.connections,
		.take = front_take,
		.context = f,
	};
	f->socket = slack_socket_new(&options, err);
	return f->socket != NULL;
}

static void on_signal(void *context, int signal_number)
{
	struct front *f = context;

	log_info("slack.stopping", LOG_INT("signal", signal_number));
	atomic_store(&f->is_stopping, true);
	loop_stop(f->loop);
}

static bool set_up_loop(struct front *f, struct error *err)
{
	f->loop = loop_new(err);
	return f->loop && loop_add_signal(f->loop, SIGTERM, on_signal, f, err) &&
	       loop_add_signal(f->loop, SIGINT, on_signal, f, err) &&
	       loop_add_timer(f->loop, PROMPTS_EVERY_MS, true, sweep, f, err) &&
	       loop_add_timer(f->loop, 1000, true, on_tick, f, err) &&
	       loop_add_timer(f->loop, WHO_WE_ARE_MS, true, on_learn, f, err);
}

static bool say_ready(const struct process *p, struct error *err)
{
	const struct front *f = &p->front;
	char url[128] = "";
	json_auto_t *line = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (p->http)
		(void)snprintf(url, sizeof url,
			       strchr(f->settings.address, ':') ? "http://[%s]:%u"
								: "http://%s:%u",
			       f->settings.address, (unsigned)ingress_http_port(p->http));
	line = json_pack("{s:s, s:s}", "ready", "slack", "url", url);
	if (!line || !json_write(&text, line, err))
		return error_oom(err);
	(void)printf("%s\n", text.data);
	return fflush(stdout) == 0 || error_errno(err, "cannot say that we are ready");
}

/* Files first, then what may be touched, then threads, then strangers' bytes. */
static bool start(struct process *p, struct error *err)
{
	struct front *f = &p->front;
	_cleanup_free_ char *folder = statedir_path(f->dir, "%s", f->name);
	struct error why = ERROR_INIT;

	f->gate_path = statedir_path(f->dir, "run/gate.sock");
	if (!folder || !f->gate_path)
		return error_oom(err);
	if (!front_settings_read(&f->settings, f->dir, f->name, err))
		return false;
	log_setup(f->name, f->settings.log_level);
	/* Everything else works without it. */
	if (!talks_prepare(f, &f->talks, &why))
		log_failure("assistant.off", &why);
	f->slack = file_make_dir(folder, 0700, err)
			   ? slack_open(f->dir, f->settings.api, err)
			   : NULL;
	f->http = f->slack ? http_client_new("wingman-slack/" WINGMAN_VERSION, err)
			   : NULL;
	if (!f->http ||
	    !coord_config_read(&f->settings.store, f->dir, &f->store_access, err) ||
	    !open_socket(f, err) || !set_up_loop(f, err) || !enter_sandbox(f, err) ||
	    !open_stores(f, err) || !open_work(f, err) ||
	    (f->talks && !talks_open(f->talks, err)) || !start_http(p, err) ||
	    (f->socket && !slack_socket_start(f->socket, err)))
		return false;
	on_learn(f);
	return say_ready(p, err);
}

static void finish(struct process *p)
{
	struct front *f = &p->front;

	atomic_store(&f->is_stopping, true);
	if (f->gate)
		gate_stop(f->gate);
	ingress_http_stop(p->http);
	slack_socket_free(f->socket);
	workers_free(f->learner);
	/* The outbox tells workers, and workers put into it: first nobody is given work. */
	(void)pthread_mutex_lock(&f->work_lock);
	f->work_is_over = true;
	(void)pthread_mutex_unlock(&f->work_lock);
	workers_free(f->workers);
	outbox_close(f->outbox);
	(void)pthread_mutex_destroy(&f->work_lock);
	who_free(f->who);
	homes_free(f->homes);
	talks_free(f->talks);
	gate_free(f->gate);
	loop_free(f->loop);
	coord_close(f->store);
	coord_redis_access_free(f->store_access);
	documents_close(f->records);
	http_client_free(f->http);
	slack_close(f->slack);
	front_settings_done(&f->settings);
	free(f->gate_path);
}

int front_main(const struct statedir *dir, const char *name, bool assistant_apart)
{
	struct process p = { .front = { .dir = dir,
					.name = name,
					.assistant_is_apart = assistant_apart } };
	struct error err = ERROR_INIT;
	bool ok;

	(void)pthread_mutex_init(&p.front.work_lock, NULL);
	ok = start(&p, &err) && loop_run(p.front.loop, &err);
	if (!ok)
		log_failure("slack.failed", &err);
	finish(&p);
	return ok ? 0 : 1;
}

int front_check_config(const struct statedir *dir, const char *name)
{
	struct front_settings s = { .file = NULL };
	struct error err = ERROR_INIT;
	json_auto_t *finding = NULL;
	/* Without systemd around us what it passes cannot be read, which is no fault. */
	bool ok = front_settings_read(&s, dir, name, &err) ||
		  (err.code == ERR_INTERNAL && !getenv("CREDENTIALS_DIRECTORY") &&
		   strstr(err.message, "systemd gave no credentials"));

	if (!ok) {
		finding = json_pack("{s:s, s:s}", "level", "error", "text", err.message);
		(void)json_dumpf(finding, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	front_settings_done(&s);
	return fflush(stdout) == 0 && ok ? 0 : 1;
}
