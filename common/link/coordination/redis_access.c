#include <sys/un.h>

#include "base/gnutls_late.h"
#include "link/coordination/redis_private.h"

enum { PORT_DEFAULT = 6379, PEM_MAX = 1024 * 1024 };

void coord_redis_access_free(struct coord_redis_access *a)
{
	if (!a)
		return;
	free(a->name);
	free(a->socket);
	free(a->host);
	free(a->port);
	free(a->user);
	secret_free(a->password);
	redis_resolver_free(a->resolver);
	if (a->tls)
		gnutls_certificate_free_credentials(a->tls);
	free(a);
}

static bool check(const struct coord_redis_config *config, struct error *err)
{
	if (!config->socket == !config->host)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a store on Redis has either a socket or a host");
	if (config->socket &&
	    strlen(config->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the path of the socket of Redis is too long");
	if (config->socket && (config->tls || config->tls_ca))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "Redis speaks no TLS on a Unix socket");
	if (config->user && !config->password_file)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a user of Redis comes with a password");
	if (!config->tls_certificate != !config->tls_key)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a certificate for Redis comes with its key");
	if (config->timeout_ms != 0 && (config->timeout_ms < COORD_REDIS_TIMEOUT_MIN_MS ||
					config->timeout_ms > COORD_REDIS_TIMEOUT_MAX_MS))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the time limit for Redis is %d to %d ms",
				 COORD_REDIS_TIMEOUT_MIN_MS, COORD_REDIS_TIMEOUT_MAX_MS);
	return true;
}

static bool copy(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

static bool copy_place(struct coord_redis_access *a,
		       const struct coord_redis_config *config, struct error *err)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	char port[8];

	(void)snprintf(port, sizeof port, "%u",
		       config->port ? config->port : (unsigned)PORT_DEFAULT);
	if (config->socket)
		strbuf_add_format(&name, "redis+unix://%s", config->socket);
	else
		strbuf_add_format(
			&name, strchr(config->host, ':') ? "%s://[%s]:%s" : "%s://%s:%s",
			config->tls || config->tls_ca ? "rediss" : "redis", config->host,
			port);
	a->name = strbuf_take(&name);
	if (!a->name || !copy(&a->socket, config->socket) ||
	    !copy(&a->host, config->host) || !copy(&a->port, port) ||
	    !copy(&a->user, config->user))
		return error_oom(err);
	if (a->host)
		a->resolver = redis_resolver_new(a->host, a->port, err);
	return a->socket || a->resolver;
}

static bool read_tls(struct coord_redis_access *a,
		     const struct coord_redis_config *config, struct error *err)
{
	int code;

	if (!config->tls && !config->tls_ca)
		return true;
	if (!gnutls_need(err))
		return false;
	if (gnutls_certificate_allocate_credentials(&a->tls) != 0) {
		a->tls = NULL;
		return error_oom(err);
	}
	code = config->tls_ca ? gnutls_certificate_set_x509_trust_file(
					a->tls, config->tls_ca, GNUTLS_X509_FMT_PEM)
			      : gnutls_certificate_set_x509_system_trust(a->tls);
	if (code <= 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "no authorities for Redis in '%s': %s",
				 config->tls_ca ? config->tls_ca : "the system",
				 code < 0 ? gnutls_strerror(code) : "none found");
	if (!config->tls_certificate)
		return true;
	/* Only for its judgement of who else may read the key. */
	_cleanup_(secret_freep) struct secret *key =
		secret_read(config->tls_key, false, err);
	if (!key)
		return false;
	code = gnutls_certificate_set_x509_key_file(a->tls, config->tls_certificate,
						    config->tls_key, GNUTLS_X509_FMT_PEM);
	return code >= 0 ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "'%s' and '%s' are no certificate and key: %s",
			 config->tls_certificate, config->tls_key, gnutls_strerror(code));
}

struct coord_redis_access *coord_redis_access_read(
	const struct coord_redis_config *config, struct error *err)
{
	_cleanup_(coord_redis_access_freep) struct coord_redis_access *a =
		calloc(1, sizeof *a);

	if (!a) {
		error_oom(err);
		return NULL;
	}
	a->timeout_ms = config->timeout_ms ? config->timeout_ms : COORD_REDIS_TIMEOUT_MS;
	a->assume_durable = config->assume_durable;
	if (!check(config, err) || !copy_place(a, config, err) ||
	    !read_tls(a, config, err))
		return NULL;
	if (config->password_file &&
	    !(a->password = secret_read(config->password_file, true, err)))
		return NULL;
	/* It travels as a text. */
	if (a->password &&
	    memchr(secret_bytes(a->password), '\0', secret_length(a->password))) {
		error_set(err, ERR_INVALID_ARGUMENT, "the password in '%s' holds a NUL",
			  config->password_file);
		return NULL;
	}
	return TAKE(a);
}
