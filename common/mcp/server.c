#include "mcp/server.h"

#include <signal.h>

#include "base/options.h"
#include "mcp/service.h"
#include "proc/sandbox.h"

enum {
	EXIT_CONFIG = 78,
	STOP_PATIENCE_MS = 5000,
	SANDBOX_PATHS_MAX = 160,
	READS_MAX = 80, /* that a backend names */
};

struct arguments {
	const char *dir;
	bool check_config;
};

static const struct option_row options[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite (default: $WINGMAN_DIR)",
		      offsetof(struct arguments, dir)),
	OPTION_BOOL("check-config", 0,
		    "read the configuration, say what is wrong, and leave",
		    offsetof(struct arguments, check_config)),
	OPTION_END,
};

static int check_config(const struct mcp_server *server, const struct statedir *dir,
			const char *program)
{
	_cleanup_free_ char *path = statedir_path(dir, "config/%s.yaml", server->name);
	struct error err = ERROR_INIT;
	struct server_config config;

	if (!path)
		return options_complain(program, &err, EXIT_FAILURE);
	if (!server_config_read(&config, server->name, path, &err))
		return options_complain(program, &err, EXIT_CONFIG);
	server_config_done(&config);
	(void)printf("%s: good\n", path);
	return EXIT_SUCCESS;
}

/* ---- Giving up what is not needed ---- */

/* What the backend reads of others' files: strings to be freed. */
struct reads {
	char *paths[READS_MAX];
	size_t count;
};

static void reads_done(struct reads *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->paths[i]);
}

/*
 * What this server reaches from now on. Its gate token and the configuration were
 * read and its audit log opened before; the tokens, keys and logs of others stay out
 * of reach. (The folder 'callers' holds hashes; a rule on the file alone would not
 * outlive its replacement.)
 */
static bool enter_sandbox(const struct mcp_server *server, const struct statedir *dir,
			  const struct server_config *config, struct error *err)
{
	_cleanup_free_ char *own = statedir_path(dir, "%s", server->name);
	_cleanup_free_ char *callers = statedir_path(dir, "callers");
	_cleanup_free_ char *trusted = statedir_path(dir, "keys/trusted");
	/* Where its chain goes on: the next file is begun from in here. */
	_cleanup_free_ char *chain = statedir_path(dir, "audit/%s", server->name);
	_cleanup_(reads_done) struct reads reads = { .count = 0 };
	struct sandbox_path paths[SANDBOX_PATHS_MAX] = {
		{ own, SANDBOX_READ | SANDBOX_WRITE },
		{ callers, SANDBOX_READ },
		{ trusted, SANDBOX_READ },
		{ chain, SANDBOX_READ | SANDBOX_WRITE },
	};
	size_t count = 4;

	if (!own || !callers || !trusted || !chain)
		return error_oom(err);
	for (size_t i = 0; i < sandbox_system_path_count && count < SANDBOX_PATHS_MAX;
	     i++)
		paths[count++] = sandbox_system_paths[i];
	if (server->reads)
		reads.count = server->reads(dir, config->backend, reads.paths, READS_MAX);
	for (size_t i = 0; i < reads.count && count < SANDBOX_PATHS_MAX; i++)
		if (reads.paths[i][0])
			paths[count++] =
				(struct sandbox_path){ reads.paths[i], SANDBOX_READ };
	const struct sandbox sandbox = {
		.paths = paths,
		.path_count = count,
		.network = true, /* it listens, and calls the gate */
		.unix_sockets =
			config->store.redis.socket ||
			(server->unix_sockets && server->unix_sockets(config->backend)),
		.allow_missing_landlock = config->allow_missing_landlock,
		.allow_missing_seccomp = config->allow_missing_seccomp,
	};
	return sandbox_enter(&sandbox, err);
}

/* ---- Serving ---- */

static void say_ready(const struct mcp_server *server, const struct mcp_service *s)
{
	const struct server_config *c = mcp_service_config(s);
	bool is_v6 = strchr(c->address, ':') != NULL;

	(void)printf(
		"{\"ready\":true,\"server\":\"%s\",\"url\":\"%s://%s%s%s:%u/mcp\"}\n",
		server->name, c->tls_certificate ? "https" : "http", is_v6 ? "[" : "",
		c->address, is_v6 ? "]" : "", mcp_service_port(s));
	(void)fflush(stdout);
}

static int serve(const struct mcp_server *server, const struct statedir *dir,
		 const char *program)
{
	struct error err = ERROR_INIT;
	sigset_t wanted;
	int number = 0;

	/* Blocked before any thread starts, so that all of them inherit it. */
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &wanted, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow is an error to be told, like a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);

	_cleanup_(mcp_service_freep) struct mcp_service *s =
		mcp_service_prepare(server, dir, &err);
	if (!s) /* ERR_CONFLICT: another process has this folder, nobody's configuration */
		return options_complain(program, &err,
					err.code == ERR_CONFLICT ? EXIT_FAILURE
								 : EXIT_CONFIG);
	log_setup(program, mcp_service_config(s)->log_level);
	if (!enter_sandbox(server, dir, mcp_service_config(s), &err) ||
	    !mcp_service_start(s, &err))
		return options_complain(program, &err, EXIT_FAILURE);
	say_ready(server, s);
	log_info("server.ready", LOG_INT("port", mcp_service_port(s)));
	while (sigwait(&wanted, &number) != 0)
		continue;
	log_info("server.stopping", LOG_INT("signal", number));
	mcp_service_stop(s, STOP_PATIENCE_MS);
	return EXIT_SUCCESS;
}

int mcp_server_main(const struct mcp_server *server, int argc, char **argv)
{
	struct arguments args = { 0 };
	struct error err = ERROR_INIT;
	char program[64];
	const struct options_program p = {
		.name = program,
		.usage = "[--dir DIR]",
		.description = "A server of the Wingman suite.",
		.rows = options,
	};

	(void)snprintf(program, sizeof program, "wingman-%s", server->name);
	log_setup(program, LOG_INFO);
	int status = options_take(&p, &args, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	_cleanup_(statedir_freep) struct statedir *dir = statedir_new(args.dir, &err);
	if (!dir || !statedir_require(dir, &err))
		return options_complain(program, &err, OPTIONS_EXIT_USAGE);
	return args.check_config ? check_config(server, dir, program)
				 : serve(server, dir, program);
}
