/* wingman-egress: the model's key, its one address, and TLS. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "assistant/config.h"
#include "assistant/egress/egress.h"
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "link/http/http_url.h"

#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

struct egress_options {
	const char *dir;
	bool check_config;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite",
		      offsetof(struct egress_options, dir)),
	OPTION_BOOL("check-config", 0,
		    "say what is wrong with the configuration, and leave",
		    offsetof(struct egress_options, check_config)),
	OPTION_END,
};

static bool use_tls(struct egress *e, const struct statedir *dir, struct error *err)
{
	const char *named = e->settings->ca_file;
	_cleanup_free_ char *own = *named ? statedir_file(dir, named) : NULL;
	struct http_tls *tls;

	if (*named && !own)
		return error_oom(err);
	if (!own && !file_exists(SYSTEM_AUTHORITIES))
		return strncmp(e->settings->url, "https:", 6) != 0 ||
		       error_set(err, ERR_INTERNAL,
				 "there is no " SYSTEM_AUTHORITIES
				 ": install ca-certificates, or name a 'ca_file'");
	tls = http_tls_read(own ? own : SYSTEM_AUTHORITIES, NULL, NULL, err);
	if (!tls)
		return false;
	http_client_use_tls(e->client, tls);
	return true;
}

static bool read_settings(const struct statedir *dir, struct assistant_settings *s,
			  struct error *err)
{
	_cleanup_free_ char *path = statedir_path(dir, "config/assistant.yaml");
	struct http_url parts;
	bool there = false;

	if (!path)
		return error_oom(err);
	if (!assistant_config_read(path, s, &there, err))
		return false;
	if (!there)
		return error_set(err, ERR_NOT_FOUND, "there is no config/assistant.yaml");
	/* https, or this machine: conversations and keys go nowhere in the clear */
	return http_url_read(s->url, ASSISTANT_URL_MAX, &parts, err);
}

static bool begin(struct egress *e, struct assistant_settings *s,
		  const struct statedir *dir, struct error *err)
{
	if (syscall(SYS_close_range, ASSISTANT_FD + 1, ~0U, 0) != 0)
		return error_errno(err, "cannot close what we were not meant to have");
	if (!read_settings(dir, s, err))
		return false;
	log_setup("egress", s->log_level);
	e->client = http_client_new("wingman/" WINGMAN_VERSION, err);
	return e->client && use_tls(e, dir, err) &&
	       credentials_read(s, dir, &e->credentials, err) && egress_enter(s, err);
}

static int check_config(const struct statedir *dir)
{
	struct assistant_settings s = { .log_level = LOG_INFO };
	struct error err = ERROR_INIT;

	if (read_settings(dir, &s, &err) && credentials_check(&s, dir, &err))
		return 0;
	(void)printf("%s\n", err.message);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct options_program program = {
		.name = "wingman-egress",
		.usage = "[--dir DIR]",
		.description = "Sends conversations to the language model; started by a "
			       "surface, with a socket pair at descriptor 3.",
		.rows = rows,
	};
	struct egress_options o = { 0 };
	struct error err = ERROR_INIT;
	struct assistant_settings settings = { .log_level = LOG_INFO };
	struct egress e = { .fd = ASSISTANT_FD, .settings = &settings };
	_cleanup_(statedir_freep) struct statedir *dir = NULL;
	int status = options_take(&program, &o, argc, argv);

	if (status != OPTIONS_GO_ON)
		return status;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_setup("egress", LOG_INFO);
	dir = statedir_new(o.dir, &err);
	if (!dir || !statedir_require(dir, &err))
		return options_complain(program.name, &err, OPTIONS_EXIT_USAGE);
	if (o.check_config)
		return check_config(dir);
	if (fcntl(ASSISTANT_FD, F_GETFD) < 0) {
		error_set(
			&err, ERR_INVALID_ARGUMENT,
			"descriptor %d is not open: a surface starts this, not a person",
			ASSISTANT_FD);
		error_hint(
			&err,
			"'wingman chat' does; --check-config judges its configuration");
		return options_complain(program.name, &err, OPTIONS_EXIT_USAGE);
	}
	bool good = begin(&e, &settings, dir, &err) && egress_serve(&e, &err);
	if (!good)
		log_failure("egress.ended", &err);
	credentials_done(&e.credentials);
	http_client_free(e.client);
	return good ? 0 : 1;
}
