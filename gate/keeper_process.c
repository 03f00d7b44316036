/* The keeper as a process: its peers, what it may touch, its secrets, its loop, its end. */
#include "gate/keeper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "gate/caller.h"
#include "gate/keeper_context.h"
#include "gate/pins_compare.h"
#include "proc/sandbox.h"

enum { CALLER_READY_MS = 15 * 1000, STOP_MS = 1500 };

/* Ourselves again, without the key: with nothing but one end of a socket pair. */
static bool spawn_caller(struct keeper *k, int *ret_fd, struct error *err)
{
	int pair[2];
	pid_t parent = getpid(), pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return error_errno(err, "cannot make a socket pair");
	pid = fork();
	if (pid < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return error_errno(err, "cannot start the caller");
	}
	if (pid == 0) {
		/* Above what exec may use itself; dup clears close-on-exec. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || dup2(pair[1], CALLER_FD) != CALLER_FD)
			_exit(1);
		(void)execl("/proc/self/exe", "wingman-gate", "--role", "caller", "--dir",
			    statedir_root(k->dir), (char *)NULL);
		_exit(1);
	}
	(void)close(pair[1]);
	k->caller_pid = pid;
	*ret_fd = pair[0];
	return true;
}

/* One of another user, whom systemd begins when somebody connects there. */
static bool reach_caller(const struct keeper *k, int *ret_fd, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(k->dir, "run/caller.sock");

	if (!path)
		return error_oom(err);
	*ret_fd = channel_connect(path, err);
	return *ret_fd >= 0;
}

static bool begin_caller(struct keeper *k, int *ret_fd, struct error *err)
{
	return k->caller_is_apart ? reach_caller(k, ret_fd, err)
				  : spawn_caller(k, ret_fd, err);
}

static void end_caller(struct keeper *k)
{
	/* It leaves when its channel ends; nobody waits long for it. */
	channel_free(k->caller);
	k->caller = NULL;
	for (int i = 0; k->caller_pid > 0 && i < 50; i++) {
		struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

		if (waitpid(k->caller_pid, NULL, WNOHANG) == k->caller_pid)
			return;
		(void)nanosleep(&pause, NULL);
	}
	if (k->caller_pid > 0) {
		(void)kill(k->caller_pid, SIGKILL);
		(void)waitpid(k->caller_pid, NULL, 0);
	}
}

/* --- start and end --- */

static bool enter_sandbox(const struct keeper *k, struct error *err)
{
	static const struct {
		const char *name;
		unsigned access;
	} folders[] = {
		{ "keys", SANDBOX_READ | SANDBOX_WRITE },
		{ "config", SANDBOX_READ },
		{ "gate", SANDBOX_READ | SANDBOX_WRITE },
		{ "audit", SANDBOX_READ | SANDBOX_WRITE },
		{ "run", SANDBOX_READ | SANDBOX_WRITE },
	};
	struct sandbox_path paths[ARRAY_SIZE(folders) + 33];
	const char *credentials = slack_secrets_folder(&k->settings->slack);
	char *names[ARRAY_SIZE(folders)] = { NULL };
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && ok; i++) {
		names[i] = statedir_path(k->dir, "%s", folders[i].name);
		ok = names[i] || error_oom(err);
		paths[count++] = (struct sandbox_path){ names[i], folders[i].access };
	}
	if (credentials)
		paths[count++] = (struct sandbox_path){ credentials, SANDBOX_READ };
	for (size_t i = 0; i < sandbox_system_path_count && count < ARRAY_SIZE(paths);
	     i++)
		paths[count++] = sandbox_system_paths[i];
	const struct sandbox box = {
		.paths = paths,
		.path_count = count,
		.network = false,
		.unix_sockets = k->settings->store.is_redis, /* the schema has no other */
		.exec = false,
		.allow_missing_landlock = k->settings->allow_missing_landlock,
		.allow_missing_seccomp = k->settings->allow_missing_seccomp,
	};
	ok = ok && sandbox_enter(&box, err);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		free(names[i]);
	return ok;
}

static bool read_key(struct keeper *k, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(k->dir, "keys/gate.key");
	_cleanup_free_ char *trusted = NULL;

	if (!path)
		return error_oom(err);
	k->key = sign_key_read(path, err);
	if (!k->key)
		return false;
	trusted = statedir_path(k->dir, "keys/trusted/%s.pem", sign_key_kid(k->key));
	if (!trusted)
		return error_oom(err);
	return file_exists(trusted) || sign_key_write_public(k->key, trusted, err);
}

/* What cannot be proved later is better known now. */
static bool check_slack(struct keeper *k, struct error *err)
{
	struct slack_secrets secrets = { { NULL }, 0 };
	bool ok = k->settings->slack.secret_count == 0 ||
		  slack_secrets_read(&secrets, &k->settings->slack, k->dir, err);

	slack_secrets_done(&secrets);
	return ok;
}

static bool open_stores(struct keeper *k, struct error *err)
{
	_cleanup_free_ char *records = statedir_path(k->dir, "gate/records.db");
	_cleanup_free_ char *coordination = statedir_path(k->dir, "gate/coordination.db");

	if (!records || !coordination)
		return error_oom(err);
	k->documents = documents_open_sqlite(records, err);
	k->coordination = k->documents ? coord_config_open(&k->settings->store,
							   &k->store_access, "gate", NULL,
							   coordination, err)
				       : NULL;
	k->audit = k->coordination ? audit_open(k->dir, "gate", err) : NULL;
	k->pins = k->audit ? pins_open(k->settings, k->documents, err) : NULL;
	return k->pins && keeper_own_open(k, err) &&
	       coord_now_ms(k->coordination, &k->now_ms, err) && keeper_recover(k, err) &&
	       keeper_notices_recover(k, err);
}

static bool make_limits(struct keeper *k, struct error *err)
{
	k->proposals = limiter_new((unsigned)k->settings->proposals_at_once,
				   (unsigned)k->settings->proposals_per_minute);
	k->refusals = limiter_new(60, 60);
	k->news = limiter_new(200, 60);
	return (k->proposals && k->refusals) || error_oom(err);
}

static int listen_for_surfaces(struct keeper *k, struct error *err)
{
	_cleanup_free_ char *gate = statedir_path(k->dir, "gate");
	int fd;

	k->socket_path = statedir_path(k->dir, "run/gate.sock");
	if (!k->socket_path || !gate) {
		error_oom(err);
		return -1;
	}
	if (!file_make_dir(gate, 0700, err))
		return -1;
	if (!channel_inherited(&fd, err))
		return -1;
	k->socket_is_inherited = fd >= 0;
	return fd >= 0 ? fd : channel_listen(k->socket_path, err);
}

static void on_stop(void *context, int signal_number)
{
	struct keeper *k = context;

	log_info("gate.stopping", LOG_INT("signal", signal_number));
	if (k->stop_by_ms == 0)
		k->stop_by_ms = clock_mono_ms() + STOP_MS;
	keeper_tick(k);
}

static void on_not_ready(void *context)
{
	struct keeper *k = context;
	struct error err = ERROR_INIT;

	if (k->url[0])
		return;
	error_set(&err, ERR_TIMEOUT, "the gate's caller did not begin to listen");
	keeper_give_in(k, "caller.not_ready", &err);
}

/* In the order of OpenSSH's monitor: peers, then what may be touched, then secrets, then words. */
static bool start(struct keeper *k, int *ret_listen_fd, struct error *err)
{
	_cleanup_close_ int caller_fd = -1;

	k->reader = settings_reader_new(k->dir, err);
	k->settings = k->reader ? settings_read(k->reader, err) : NULL;
	if (!k->settings)
		return false;
	log_setup("gate", k->settings->log_level);
	k->policy = TAKE(k->settings->policy);
	keeper_door_mind(k);
	k->loop = loop_new(err);
	if (!k->loop || !loop_add_signal(k->loop, SIGTERM, on_stop, k, err) ||
	    !loop_add_signal(k->loop, SIGINT, on_stop, k, err) || !make_limits(k, err) ||
	    !begin_caller(k, &caller_fd, err))
		return false;
	*ret_listen_fd = listen_for_surfaces(k, err);
	/* No thread has been started yet: what is given up here is given up by all of them. */
	if (*ret_listen_fd < 0 ||
	    !coord_config_read(&k->settings->store, k->dir, &k->store_access, err) ||
	    !enter_sandbox(k, err) || !read_key(k, err) || !check_slack(k, err) ||
	    !open_stores(k, err))
		return false;
	k->started_ms = k->now_ms;
	k->caller = channel_new(k->loop, TAKE_FD(caller_fd), keeper_on_caller,
				keeper_on_caller_closed, k, err);
	return k->caller &&
	       loop_add_fd(k->loop, *ret_listen_fd, LOOP_READ, keeper_on_connection, k,
			   err) &&
	       loop_add_timer(k->loop, KEEPER_TICK_MS, true, keeper_tick, k, err) &&
	       loop_add_timer(k->loop, CALLER_READY_MS, false, on_not_ready, k, err);
}

static void finish(struct keeper *k)
{
	while (k->peers)
		keeper_peer_free(k, k->peers);
	keeper_notices_free(k);
	keeper_reads_free(k);
	keeper_door_free(k);
	end_caller(k);
	loop_free(k->loop);
	audit_close(k->audit); /* with a checkpoint */
	pins_free(k->pins);
	coord_close(k->coordination);
	coord_redis_access_free(k->store_access);
	documents_close(k->documents);
	for (struct approval *a = k->approvals, *next; a; a = next) {
		next = a->next;
		keeper_approval_free(a);
	}
	if (k->own_tools)
		pin_set_done(k->own_tools);
	free(k->own_tools);
	limiter_free(k->proposals);
	limiter_free(k->refusals);
	limiter_free(k->news);
	sign_key_free(k->key);
	keyring_free(k->emergency_keys);
	policy_free(k->policy);
	settings_free(k->settings);
	settings_reader_free(k->reader);
	free(k->socket_path);
}

int keeper_main(const struct statedir *dir, bool started_apart)
{
	struct keeper k = { .dir = dir, .caller_is_apart = started_apart };
	struct error err = ERROR_INIT;
	_cleanup_close_ int listen_fd = -1;
	bool ok = start(&k, &listen_fd, &err) && loop_run(k.loop, &err);

	if (k.socket_path && listen_fd >= 0 && !k.socket_is_inherited)
		(void)unlink(k.socket_path);
	finish(&k);
	if (!ok) /* last, below what the caller says while it leaves */
		log_failure("gate.failed", &err);
	return ok && !k.failed ? 0 : 1;
}
