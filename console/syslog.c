#include "console/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	FACILITY_AUDIT = 13,
	SEVERITY_WARNING = 4,
	SEVERITY_NOTICE = 5,
	HOST_MAX = 255,
	APP_MAX = 48,
	MSGID_MAX = 32,
	FULL_TRIES = 200, /* of FULL_WAIT_US */
	FULL_WAIT_US = 50 * 1000
};

struct syslog {
	int fd;
	char host[HOST_MAX + 1];
};

/* ---- What is said ---- */

/* PRINTUSASCII of the RFC: a header's member has no space and is never empty. */
static void add_name(struct strbuf *sb, const char *text, size_t max)
{
	size_t n = 0;

	for (; text && *text && n < max; text++, n++)
		strbuf_add_char(sb, *text > ' ' && *text < 0x7f ? *text : '_');
	if (n == 0)
		strbuf_add_char(sb, '-');
}

/* A value of an element: backslash, quote and bracket are escaped; controls are not let in. */
static void add_value(struct strbuf *sb, const char *name, const char *text)
{
	if (!text)
		return;
	strbuf_add_format(sb, " %s=\"", name);
	for (; *text; text++) {
		if (strchr("\\\"]", *text))
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, (unsigned char)*text < ' ' || *text == 0x7f ? '?'
										: *text);
	}
	strbuf_add_char(sb, '"');
}

static bool is_warning(const char *event)
{
	static const char *const signs[] = { "refused", "failed", "unknown",
					     "denied",  "not_",   "revoked" };

	for (size_t i = 0; event && i < ARRAY_SIZE(signs); i++)
		if (strstr(event, signs[i]))
			return true;
	return false;
}

void syslog_format(struct strbuf *sb, const char *host, const json_t *line,
		   const char *text)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *event = json_get_string(line, "event"),
		   *program = json_get_string(line, "program");
	char seq[32], app[APP_MAX + 1];

	(void)snprintf(app, sizeof app, "wingman-%s", program ? program : "");
	(void)snprintf(seq, sizeof seq, "%lld",
		       (long long)json_get_int64(line, "seq", -1));
	strbuf_add_format(sb, "<%d>1 ",
			  FACILITY_AUDIT * 8 + (is_warning(event) ? SEVERITY_WARNING
								  : SEVERITY_NOTICE));
	add_name(sb, json_get_string(line, "at"), 32);
	strbuf_add_char(sb, ' ');
	add_name(sb, host, HOST_MAX);
	strbuf_add_char(sb, ' ');
	add_name(sb, app, APP_MAX);
	strbuf_add_string(sb, " - ");
	add_name(sb, event, MSGID_MAX);
	strbuf_add_string(sb, " [wingman@32473");
	add_value(sb, "seq", seq);
	add_value(sb, "prev", json_get_string(line, "prev"));
	add_value(sb, "hash", json_get_string(line, "hash"));
	add_value(sb, "approval",
		  json_get_string(json_object_get(line, "data"), "approval"));
	strbuf_add_char(sb, ']');
	if (text) {
		strbuf_add_char(sb, ' ');
		strbuf_add_string(sb, bom);
		strbuf_add_string(sb, text);
	}
}

/* ---- To whom ---- */

union address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool read_port(const char *text, in_port_t *ret)
{
	char *end = NULL;
	const long port = strtol(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || port > 65535)
		return false;
	*ret = htons((uint16_t)port);
	return true;
}

/* "127.0.0.1:514" or "[::1]:514", and nothing that is not this machine. */
static bool read_loopback(const char *text, union address *ret, socklen_t *ret_length)
{
	const bool is_v6 = *text == '[';
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];

	if (!colon || (size_t)(colon - text) >= sizeof host)
		return false;
	(void)snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
	if (!is_v6) {
		ret->v4.sin_family = AF_INET;
		*ret_length = sizeof ret->v4;
		return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 &&
		       ntohl(ret->v4.sin_addr.s_addr) >> 24 == 127 &&
		       read_port(colon + 1, &ret->v4.sin_port);
	}
	ret->v6.sin6_family = AF_INET6;
	*ret_length = sizeof ret->v6;
	return strcmp(host, "[::1]") == 0 &&
	       inet_pton(AF_INET6, "::1", &ret->v6.sin6_addr) == 1 &&
	       read_port(colon + 1, &ret->v6.sin6_port);
}

static bool read_address(const char *text, union address *ret, socklen_t *ret_length,
			 struct error *err)
{
	*ret = (union address){ 0 };
	if (*text == '/' && strlen(text) < sizeof ret->local.sun_path) {
		ret->local.sun_family = AF_UNIX;
		(void)snprintf(ret->local.sun_path, sizeof ret->local.sun_path, "%s",
			       text);
		*ret_length = sizeof ret->local;
		return true;
	}
	if (strncmp(text, "udp:", 4) == 0 && read_loopback(text + 4, ret, ret_length))
		return true;
	error_set(err, ERR_INVALID_ARGUMENT,
		  "syslog is the path of a socket or udp:ADDRESS:PORT on loopback, not "
		  "'%.120s'",
		  text);
	return error_hint(err, "the syslog daemon of this machine can send it on");
}

struct syslog *syslog_open(const char *address, struct error *err)
{
	_cleanup_(syslog_closep) struct syslog *s = calloc(1, sizeof *s);
	union address to;
	socklen_t length = 0;

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->fd = -1;
	if (!read_address(address, &to, &length, err))
		return NULL;
	if (gethostname(s->host, sizeof s->host - 1) != 0)
		s->host[0] = '\0';
	s->fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, &to.any, length) != 0) {
		error_errno(err, "cannot reach syslog at '%s'", address);
		return NULL;
	}
	return TAKE(s);
}

void syslog_close(struct syslog *s)
{
	if (!s)
		return;
	cleanup_close(&s->fd);
	free(s);
}

/* False with errno. */
static bool send_one(const struct syslog *s, const struct strbuf *message)
{
	ssize_t n;

	for (int tries = 0;; tries++) {
		do
			n = send(s->fd, message->data, message->length, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n >= 0 || (errno != ENOBUFS && errno != EAGAIN) ||
		    tries == FULL_TRIES)
			return n >= 0;
		(void)usleep(FULL_WAIT_US);
	}
}

bool syslog_send(struct syslog *s, const json_t *line, const char *text,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, brief = STRBUF_INIT;

	syslog_format(&whole, s->host, line, text);
	syslog_format(&brief, s->host, line, NULL);
	if (!strbuf_ok(&whole) || !strbuf_ok(&brief))
		return error_oom(err);
	if (whole.length <= SYSLOG_DATAGRAM_MAX) {
		if (send_one(s, &whole))
			return true;
		if (errno != EMSGSIZE)
			return error_errno(err, "cannot send to syslog");
	}
	return send_one(s, &brief) || error_errno(err, "cannot send to syslog");
}
