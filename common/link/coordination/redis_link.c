#include "link/coordination/redis_link.h"

#include <errno.h>
#include <poll.h>

enum {
	READ_BYTES = 16 * 1024,
};

struct redis_link {
	const struct coord_redis_access *access;
	int fd;
	gnutls_session_t tls; /* NULL: none */
	redisReader *reader;
	redisReplyObjectFunctions functions; /* theirs, with a limit on arrays */
	void *(*create_array)(const redisReadTask *, int);
	struct strbuf output;
	size_t unread; /* bytes fed since the last whole reply */
};

/* ---- TLS ------------------------------------------------------------------------- */

static short tls_events(const struct redis_link *l)
{
	return gnutls_record_get_direction(l->tls) ? POLLOUT : POLLIN;
}

static bool tls_fail(const struct redis_link *l, int code, struct error *err)
{
	gnutls_datum_t why = { NULL, 0 };

	if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
	    gnutls_certificate_verification_status_print(
		    gnutls_session_get_verify_cert_status(l->tls), GNUTLS_CRT_X509, &why,
		    0) == 0) {
		redis_fail(l->access, err, "has no good certificate: %.120s",
			   (const char *)why.data);
		gnutls_free(why.data);
		return false;
	}
	return redis_fail(l->access, err, "cannot be spoken with over TLS: %s",
			  gnutls_strerror(code));
}

static bool start_tls(struct redis_link *l, int64_t deadline_ms, struct error *err)
{
	const char *host = l->access->host;
	int code =
		gnutls_init(&l->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (code != 0) {
		l->tls = NULL;
		return error_oom(err);
	}
	if (gnutls_priority_set_direct(
		    l->tls, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL) != 0 ||
	    gnutls_credentials_set(l->tls, GNUTLS_CRD_CERTIFICATE, l->access->tls) != 0)
		return redis_fail(l->access, err, "cannot be spoken with over TLS");
	/* An address is no server name on the wire; GnuTLS leaves it out itself. */
	(void)gnutls_server_name_set(l->tls, GNUTLS_NAME_DNS, host, strlen(host));
	gnutls_session_set_verify_cert(l->tls, host, 0);
	gnutls_transport_set_int(l->tls, l->fd);
	while ((code = gnutls_handshake(l->tls)) != 0) {
		if (gnutls_error_is_fatal(code))
			return tls_fail(l, code, err);
		if (!redis_wait(l->access, l->fd, tls_events(l), deadline_ms, err))
			return false;
	}
	return true;
}

/* ---- Replies, bounded ------------------------------------------------------------ */

static void *create_array(const redisReadTask *task, int elements)
{
	struct redis_link *l = task->privdata;

	/* hiredis takes it for want of memory, which it would become. */
	return elements > REDIS_ELEMENTS_MAX ? NULL : l->create_array(task, elements);
}

static bool make_reader(struct redis_link *l)
{
	l->reader = redisReaderCreate();
	if (!l->reader)
		return false;
	l->functions = *l->reader->fn;
	l->create_array = l->functions.createArray;
	l->functions.createArray = create_array;
	l->reader->fn = &l->functions;
	l->reader->privdata = l;
	return true;
}

/* ---- Life ------------------------------------------------------------------------ */

struct redis_link *redis_link_open(const struct coord_redis_access *a,
				   int64_t deadline_ms, struct error *err)
{
	_cleanup_(redis_link_closep) struct redis_link *l = calloc(1, sizeof *l);

	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->access = a;
	l->fd = -1;
	strbuf_init(&l->output);
	if (!make_reader(l)) {
		error_oom(err);
		return NULL;
	}
	if (!redis_connect(a, deadline_ms, &l->fd, err) ||
	    (a->tls && !start_tls(l, deadline_ms, err)))
		return NULL;
	return TAKE(l);
}

void redis_link_close(struct redis_link *l)
{
	if (!l)
		return;
	if (l->tls)
		gnutls_deinit(l->tls);
	if (l->reader)
		redisReaderFree(l->reader);
	if (l->fd >= 0)
		(void)close(l->fd);
	strbuf_wipe(&l->output);
	free(l);
}

int redis_link_fd(const struct redis_link *l)
{
	return l->fd;
}

bool redis_link_has_input(const struct redis_link *l)
{
	return l->reader->len > l->reader->pos ||
	       (l->tls && gnutls_record_check_pending(l->tls) > 0);
}

bool redis_link_is_stale(struct redis_link *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return redis_link_has_input(l) || poll(&p, 1, 0) != 0;
}

/* ---- Words ----------------------------------------------------------------------- */

bool redis_link_add(struct redis_link *l, const struct redis_command *c,
		    struct error *err)
{
	size_t lengths[REDIS_ARGUMENTS_MAX];
	const char *arguments[REDIS_ARGUMENTS_MAX];
	char *text = NULL;
	int length;

	for (int i = 0; i < c->count; i++) {
		arguments[i] = c->arguments[i];
		lengths[i] = strlen(c->arguments[i]);
	}
	length = redisFormatCommandArgv(&text, c->count, arguments, lengths);
	if (length < 0)
		return error_oom(err);
	strbuf_add(&l->output, text, (size_t)length);
	explicit_bzero(text, (size_t)length); /* it may be the password */
	redisFreeCommand(text);
	return strbuf_ok(&l->output) || error_oom(err);
}

/* Bytes, 0 for 'wait', -1 for an error that is set. */
static ssize_t write_some(struct redis_link *l, const char *bytes, size_t length,
			  struct error *err)
{
	ssize_t n;

	if (l->tls) {
		n = gnutls_record_send(l->tls, bytes, length);
		if (n >= 0)
			return n;
		if (!gnutls_error_is_fatal((int)n))
			return 0;
		(void)tls_fail(l, (int)n, err);
		return -1;
	}
	n = send(l->fd, bytes, length, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	redis_fail(l->access, err, "broke the connection: %s", strerror(errno));
	return -1;
}

bool redis_link_send(struct redis_link *l, int64_t deadline_ms, struct error *err)
{
	size_t at = 0;

	while (at < l->output.length) {
		ssize_t n =
			write_some(l, l->output.data + at, l->output.length - at, err);

		if (n < 0)
			return false;
		at += (size_t)n;
		if (n == 0 &&
		    !redis_wait(l->access, l->fd, l->tls ? tls_events(l) : POLLOUT,
				deadline_ms, err))
			return false;
	}
	strbuf_wipe(&l->output);
	strbuf_init(&l->output);
	return true;
}

static ssize_t read_some(struct redis_link *l, char *bytes, size_t length,
			 struct error *err)
{
	ssize_t n;

	if (l->tls) {
		n = gnutls_record_recv(l->tls, bytes, length);
		if (n < 0 && !gnutls_error_is_fatal((int)n))
			return 0;
		if (n < 0) {
			(void)tls_fail(l, (int)n, err);
			return -1;
		}
	} else {
		n = recv(l->fd, bytes, length, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0) {
			redis_fail(l->access, err, "broke the connection: %s",
				   strerror(errno));
			return -1;
		}
	}
	if (n > 0)
		return n;
	redis_fail(l->access, err, "closed the connection");
	return -1;
}

static bool feed(struct redis_link *l, int64_t deadline_ms, struct error *err)
{
	char bytes[READ_BYTES];
	ssize_t n = read_some(l, bytes, sizeof bytes, err);

	if (n < 0)
		return false;
	if (n == 0)
		return redis_wait(l->access, l->fd, l->tls ? tls_events(l) : POLLIN,
				  deadline_ms, err);
	l->unread += (size_t)n;
	if (l->unread > REDIS_REPLY_MAX)
		return redis_fail(l->access, err, "answers with more than %d bytes",
				  REDIS_REPLY_MAX);
	return redisReaderFeed(l->reader, bytes, (size_t)n) == REDIS_OK || error_oom(err);
}

bool redis_link_receive(struct redis_link *l, int64_t deadline_ms, redisReply **ret,
			struct error *err)
{
	void *reply = NULL;

	for (;;) {
		if (redisReaderGetReply(l->reader, &reply) != REDIS_OK)
			return redis_fail(l->access, err,
					  "answers what is not Redis: %.100s",
					  l->reader->errstr);
		if (reply)
			break;
		if (!feed(l, deadline_ms, err))
			return false;
	}
	l->unread = l->reader->len - l->reader->pos;
	*ret = reply;
	return true;
}
