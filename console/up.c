/* wingman up: the whole suite of one folder, as children that die with it. */
#include "console/up.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "console/gate_link.h"
#include "console/tools.h"
#include "link/http/http_client.h"
#include "proc/sandbox.h"
#include "proc/supervise.h"

enum { READY_WAIT_MS = 20 * 1000, REACH_WAIT_MS = 5000, STOP_PATIENCE_MS = 5000 };

struct up_options {
	bool no_console;
};

static const struct option_row rows[] = {
	OPTION_BOOL("no-console", 0, "print the ready line and serve until stopped",
		    offsetof(struct up_options, no_console)),
	OPTION_END,
};

struct up;

/* One of our servers, as its readiness is asked for. */
struct up_server {
	const struct up *up;
	enum suite_server which;
	char program[64];
};

struct up {
	struct console *console;
	struct suite suite;
	struct loop *loop;
	struct supervisor *supervisor;
	struct http_client *http;
	int lock_fd;
	int stderr_fd; /* of the terminal, while our own goes to a file */
	pid_t console_pid;
	int console_fd;          /* pidfd */
	int64_t gate_answers_ms; /* since when; 0: not yet */
	int status;
	bool is_ending; /* and who ends now does so for us */
	struct up_server servers[SUITE_SERVERS];
	/* And the directory, the gate, the Slack process. */
	struct up_child children[SUITE_SERVERS + 3];
};

void up_child_done(struct up_child *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->owned); i++)
		free(c->owned[i]);
	*c = (struct up_child){ 0 };
}

static void up_done(struct up *u)
{
	supervisor_free(u->supervisor);
	for (size_t i = 0; i < ARRAY_SIZE(u->children); i++)
		up_child_done(&u->children[i]);
	loop_free(u->loop);
	http_client_free(u->http);
	if (u->lock_fd >= 0)
		(void)close(u->lock_fd);
	if (u->stderr_fd >= 0)
		(void)close(u->stderr_fd);
	if (u->console_fd >= 0)
		(void)close(u->console_fd);
}

static void on_child(void *context, const char *name, const char *what, int status)
{
	const struct up *u = context;

	if (u->is_ending && strcmp(what, "ended") == 0)
		return;
	log_info("up.child", LOG_STR("name", name), LOG_STR("what", what),
		 LOG_INT("status", status));
}

static void on_signal(void *context, int signal_number)
{
	struct up *u = context;

	/* Ctrl-C belongs to the console while there is one. */
	if (signal_number == SIGINT && u->console_pid > 0)
		return;
	loop_stop(u->loop);
}

/* The loop takes signals once it runs; until then they wait. */
static bool is_asked_to_end(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1 ||
					     sigismember(&waiting, SIGTERM) == 1 ||
					     sigismember(&waiting, SIGHUP) == 1);
}

/* --- are they ready? -------------------------------------------------------- */
/* Or need not be any more: start_child() looks. */

static bool directory_ready(void *context)
{
	const struct up *u = context;

	return is_asked_to_end() || up_port_answers(u->suite.directory_port);
}

static bool is_healthy(const struct up *u, int64_t port)
{
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	struct error ignored = ERROR_INIT;
	char url[64];
	struct http_client_request req = { .method = "GET",
					   .url = url,
					   .timeout_ms = 500 };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%lld/healthz", (long long)port);
	return http_client_call(u->http, &req, &reply, NULL, &ignored) &&
	       reply.status == 200;
}

static bool server_ready(void *context)
{
	const struct up_server *server = context;

	return is_asked_to_end() ||
	       is_healthy(server->up, server->up->suite.server_ports[server->which]);
}

/* It lives; whether Slack answers it is another matter. */
static bool slack_ready(void *context)
{
	const struct up *u = context;

	return is_asked_to_end() || is_healthy(u, u->suite.slack_port);
}

/* Whether it reaches what runs here; whatever cannot be told counts as reached. */
static bool reaches_servers(const struct up *u, struct gate_link *g)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *servers = tools_fetch(g, NULL, &ignored);
	size_t i;
	json_t *server;

	json_array_foreach(servers, i, server)
	{
		for (size_t k = 0; k < SUITE_SERVERS; k++)
			if (u->suite.server_ports[k] &&
			    strcmp(console_member(server, "name"),
				   suite_server_names[k]) == 0 &&
			    !json_is_true(json_object_get(server, "up")))
				return false;
	}
	return true;
}

/* It answers, and has looked at the servers: nobody shall read first that all are down. */
static bool gate_ready(void *context)
{
	struct up *u = context;
	struct error ignored = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g =
		gate_link_open(u->suite.dir, &ignored);

	if (!g || is_asked_to_end())
		return is_asked_to_end();
	if (u->gate_answers_ms == 0)
		u->gate_answers_ms = clock_mono_ms();
	return reaches_servers(u, g) ||
	       clock_mono_ms() - u->gate_answers_ms > REACH_WAIT_MS;
}

/* --- children --------------------------------------------------------------- */

static bool start_child(struct up *u, const char *name, struct up_child *c,
			bool (*ready)(void *context), void *context, struct error *err)
{
	char **log_path = &c->owned[ARRAY_SIZE(c->owned) - 1];

	*log_path = statedir_path(u->suite.dir, "run/%s.log", name);
	if (!*log_path)
		return error_oom(err);
	const struct supervise_child child = {
		.name = name,
		.argv = c->argv,
		.log_path = *log_path,
		.ready = ready,
		.context = context,
	};
	if (!supervisor_start(u->supervisor, &child, READY_WAIT_MS, err))
		return false;
	if (!is_asked_to_end())
		return true;
	error_set(err, ERR_CONFLICT, "interrupted before the suite was ready");
	return error_hint(err,
			  "nothing runs; 'wingman up' begins again where this left off");
}

/* One of our own programs. */
static bool start_own(struct up *u, const char *program, struct up_child *c,
		      bool (*ready)(void *context), void *context, struct error *err)
{
	c->owned[0] = file_join(u->suite.program_dir, program);
	if (!c->owned[0])
		return error_oom(err);
	c->argv[0] = c->owned[0];
	c->argv[1] = "--dir";
	c->argv[2] = statedir_root(u->suite.dir);
	return start_child(u, program, c, ready, context, err);
}

static bool start_server(struct up *u, enum suite_server which, struct error *err)
{
	struct up_server *server = &u->servers[which];

	*server = (struct up_server){ .up = u, .which = which };
	(void)snprintf(server->program, sizeof server->program, "wingman-%s",
		       suite_server_names[which]);
	return start_own(u, server->program, &u->children[which], server_ready, server,
			 err);
}

static bool start_children(struct up *u, struct error *err)
{
	struct up_child *directory = &u->children[SUITE_SERVERS];

	if (u->suite.sample &&
	    (!up_sample_child(&u->suite, directory, err) ||
	     !start_child(u, "slapd", directory, directory_ready, u, err)))
		return false;
	for (int i = 0; i < SUITE_SERVERS; i++)
		if (u->suite.server_ports[i] &&
		    !start_server(u, (enum suite_server)i, err))
			return false;
	return start_own(u, "wingman-gate", &u->children[SUITE_SERVERS + 1], gate_ready,
			 u, err) &&
	       (!u->suite.slack ||
		start_own(u, "wingman-slack", &u->children[SUITE_SERVERS + 2],
			  u->suite.slack_port ? slack_ready : NULL, u, err));
}

/* --- the console as a child, so that its end ends the suite -------------------- */

static void on_console_end(void *context, int fd, unsigned events)
{
	struct up *u = context;
	int status = 0;

	(void)fd;
	(void)events;
	if (waitpid(u->console_pid, &status, WNOHANG) == u->console_pid) {
		u->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
		u->console_pid = 0;
		loop_stop(u->loop);
	}
}

static bool start_console(struct up *u, struct error *err)
{
	char *argv[] = { (char *)(uintptr_t)u->console->program_path, (char[]){ "--dir" },
			 (char *)(uintptr_t)statedir_root(u->suite.dir),
			 (char[]){ "console" }, NULL };
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	sigset_t none;
	int rc;

	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, u->stderr_fd, STDERR_FILENO);
	rc = posix_spawn(&u->console_pid, argv[0], &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	if (rc != 0) {
		errno = rc;
		return error_errno(err, "cannot start the console");
	}
	u->console_fd = (int)syscall(SYS_pidfd_open, u->console_pid, 0);
	if (u->console_fd < 0)
		return error_errno(err, "cannot watch the console");
	return loop_add_fd(u->loop, u->console_fd, LOOP_READ, on_console_end, u, err) !=
	       NULL;
}

/* Our own messages would draw over the console: they go to run/up.log instead. */
static bool move_stderr(struct up *u, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(u->suite.dir, "run/up.log");
	_cleanup_close_ int fd =
		path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	u->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || u->stderr_fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return error_errno(err, "cannot write %s", path ? path : "run/up.log");
	return true;
}

/* --- the whole ---------------------------------------------------------------- */

static bool take_lock(struct up *u, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(u->suite.dir, "lock");
	struct error because = ERROR_INIT;

	if (!path)
		return error_oom(err);
	if (file_lock(path, &u->lock_fd, &because))
		return true;
	if (because.code != ERR_CONFLICT) {
		*err = because;
		return false;
	}
	error_set(err, ERR_CONFLICT, "a suite runs in %s already",
		  statedir_root(u->suite.dir));
	error_hint(err, "use it with 'wingman --dir %s', or end it with 'wingman down'",
		   statedir_root(u->suite.dir));
	return error_cause(err, "%s", because.message);
}

static bool say_ready(struct up *u, bool on_stdout, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(u->suite.dir, "run/suite.json");
	json_auto_t *line = up_ready_line(&u->suite);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!line || !path || !json_write(&text, line, err))
		return error_oom(err);
	strbuf_add_char(&text, '\n');
	if (!file_write(path, text.data, text.length, 0600, err))
		return false;
	if (on_stdout) {
		fputs(text.data, stdout);
		(void)fflush(stdout);
	}
	return true;
}

static bool prepare(struct up *u, struct error *err)
{
	return sandbox_basics(err) && statedir_create(u->suite.dir, err) &&
	       take_lock(u, err) && up_setup(u->console, &u->suite, err) &&
	       (!u->suite.sample ||
		(up_sample_people(&u->suite, err) && up_sample_prepare(&u->suite, err)));
}

static bool set_up_loop(struct up *u, struct error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	u->loop = loop_new(err);
	if (!u->loop)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (!loop_add_signal(u->loop, signals[i], on_signal, u, err))
			return false;
	u->supervisor = supervisor_new(u->loop, on_child, u, err);
	u->http = http_client_new("wingman-up", err);
	return u->supervisor && u->http;
}

static bool serve(struct up *u, bool with_console, struct error *err)
{
	bool ok = start_children(u, err) && say_ready(u, !with_console, err) &&
		  (!with_console || start_console(u, err)) && loop_run(u->loop, err);

	if (u->console_pid > 0)
		(void)kill(u->console_pid, SIGTERM);
	if (with_console && u->stderr_fd >= 0)
		dprintf(u->stderr_fd, "wingman: stopping\n");
	u->is_ending = true;
	supervisor_stop(u->supervisor, STOP_PATIENCE_MS);
	return ok;
}

static int run(struct console *c, int argc, char **argv)
{
	struct up_options o = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	bool with_console;
	_cleanup_(up_done) struct up u = {
		.console = c,
		.suite = { .dir = c->dir },
		.lock_fd = -1,
		.stderr_fd = -1,
		.console_fd = -1,
	};

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK ||
	    operands > 0)
		return console_usage(c, &command_up,
				     err.message[0] ? err.message
						    : "up takes no operands");
	with_console = !o.no_console && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (!prepare(&u, &err) || (with_console && !move_stderr(&u, &err)) ||
	    !set_up_loop(&u, &err) || !serve(&u, with_console, &err)) {
		/* The terminal again, so that the person sees it. */
		if (u.stderr_fd >= 0)
			(void)dup2(u.stderr_fd, STDERR_FILENO);
		return console_fail(c, &err);
	}
	return u.status;
}

const struct command command_up = {
	"up", "up [--no-console]",
	"Run the suite of this folder; on a terminal, open the console.", run
};
