/*
 * call_bench -- tools/call of a trivial freed read on our server (token, every check of
 * the protocol, arguments and result held against their schemas), and what each of that
 * costs: without a token, without schemas, with a durable line in the audit log, with a
 * grant that is verified, burnt and recorded; against what libmicrohttpd and jansson
 * alone can do (ceiling.h).
 *
 * Each server is a process on one core; the load generator, 64 keep-alive connections
 * that judge every reply, sits on another.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bench/ceiling.h"
#include "bench/load.h"
#include "bench/measure.h"
#include "bench/site.h"

enum { CONNECTIONS = 64, WARM_MS = 200, ROUND_MS = 1500, GRANTS = 6000, EPOCH_MS = 1100 };

/* ---- Servers as processes ---- */

static void stay_on(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static _Noreturn void serve_ceiling(int out)
{
	struct error err = ERROR_INIT;
	uint16_t port = 0;
	struct MHD_Daemon *daemon = ceiling_start(&port, &err);

	if (daemon && write(out, &port, sizeof port) == sizeof port)
		ceiling_serve(daemon);
	_exit(1);
}

/* 'site' NULL: the ceiling. */
static pid_t start(const struct site *site, enum site_kind kind, uint16_t *ret_port)
{
	int ends[2];
	pid_t pid = pipe(ends) == 0 ? fork() : -1;

	if (pid < 0)
		measure_fail("cannot start a server");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on(0);
		if (site)
			site_serve(site, kind, ends[1]);
		serve_ceiling(ends[1]);
	}
	(void)close(ends[1]);
	if (read(ends[0], ret_port, sizeof *ret_port) != sizeof *ret_port)
		measure_fail("a server did not start");
	(void)close(ends[0]);
	return pid;
}

/* ---- Measuring ---- */

static void measure(const char *variant, const struct site *site, enum site_kind kind,
		    struct load load)
{
	struct error err = ERROR_INIT;
	struct load_result result = { 0 };
	char **granted = NULL;
	pid_t pid = start(site, kind, &load.port);
	bool good = true;

	load.connections = CONNECTIONS;
	load.expect = "hello there";
	if (kind == SITE_GRANTED) {
		/* A grant counts when it is younger than the server's store, in seconds. */
		(void)usleep(EPOCH_MS * 1000);
		load.requests = granted = site_granted(site, GRANTS);
		load.differs = true;
	} else {
		load.duration_ms = WARM_MS;
		good = load_run(&load, &result, &err);
	}
	load.duration_ms = ROUND_MS;
	good = good && load_run(&load, &result, &err);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	site_granted_free(granted);
	if (!good)
		measure_fail_error(variant, &err);
	measure_print(&(struct measure){ variant, result.count,
					 (int64_t)(result.seconds * 1e9) });
}

int main(int argc, char **argv)
{
	struct site plain, audited, admitting, granted;

	if (argc != 2)
		measure_fail("usage: bench-call FOLDER");
	site_make(&plain, argv[1], "call", SITE_FREED);
	site_make(&audited, argv[1], "audited", SITE_AUDITED);
	site_make(&admitting, argv[1], "open", SITE_OPEN);
	site_make(&granted, argv[1], "granted", SITE_GRANTED);
	_cleanup_free_ char *call = site_request(plain.token, "echo_text", "");
	_cleanup_free_ char *any = site_request(plain.token, "echo_any", "");
	_cleanup_free_ char *line = site_request(audited.token, "echo_text", "");
	_cleanup_free_ char *nobody = site_request(NULL, "echo_text", "");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		stay_on(1);
	measure("ceiling", NULL, SITE_FREED, (struct load){ .request = call });
	measure("call", &plain, SITE_FREED, (struct load){ .request = call });
	measure("open", &admitting, SITE_OPEN, (struct load){ .request = nobody });
	measure("unchecked", &plain, SITE_FREED, (struct load){ .request = any });
	measure("audited", &audited, SITE_AUDITED, (struct load){ .request = line });
	measure("granted", &granted, SITE_GRANTED, (struct load){ 0 });
	site_done(&plain);
	site_done(&audited);
	site_done(&admitting);
	site_done(&granted);
	return EXIT_SUCCESS;
}
