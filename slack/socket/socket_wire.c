/* Socket Mode's connections as libwebsockets has them. Its thread alone comes here. */
#include "slack/socket/socket_private.h"

#include <netdb.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	HANDSHAKE_S = 15,
	CONNECT_S = 10,

	RECEIVE_BYTES = 16 * 1024, /* at a time */
	FDS_MAX = SOCKET_LINKS_MAX * 2 + 8,
};

void socket_connection_free(struct socket_connection *c)
{
	if (!c)
		return;
	while (c->answers) {
		struct socket_mail *m = c->answers;

		c->answers = m->next;
		socket_mail_free(m);
	}
	strbuf_done(&c->message);
	free(c);
}

/* --- reading --- */

static void skip(struct socket_connection *c, const char *why)
{
	if (!c->is_skipped)
		log_warn("slack.socket.skipped", LOG_STR("why", why));
	c->is_skipped = true;
	strbuf_done(&c->message);
}

static void on_receive(struct socket_connection *c, const void *bytes, size_t length)
{
	const bool is_last = lws_is_final_fragment(c->wsi) &&
			     lws_remaining_packet_payload(c->wsi) == 0;

	links_heard(&c->socket->links, c->link, clock_mono_ms());
	if (lws_frame_is_binary(c->wsi))
		skip(c, "it is binary");
	else if (c->message.length + length > SOCKET_FRAME_MAX)
		skip(c, "it is too long");
	if (!c->is_skipped) {
		strbuf_add(&c->message, bytes, length);
		if (!strbuf_ok(&c->message))
			skip(c, "there is no memory");
	}
	if (!is_last)
		return;
	if (!c->is_skipped)
		socket_message(c, &c->message);
	strbuf_done(&c->message);
	c->is_skipped = false;
}

/* --- writing --- */

static int write_bytes(struct socket_connection *c, const char *bytes, size_t length,
		       enum lws_write_protocol kind)
{
	_cleanup_free_ unsigned char *buffer = malloc(LWS_PRE + length + 1);

	if (!buffer)
		return -1;
	memcpy(buffer + LWS_PRE, bytes, length);
	return lws_write(c->wsi, buffer + LWS_PRE, length, kind) < 0 ? -1 : 0;
}

static int write_answer(struct socket_connection *c)
{
	struct socket_mail *m = c->answers;
	int result;

	c->answers = m->next;
	if (!c->answers)
		c->answers_end = &c->answers;
	c->answer_count--;
	result = write_bytes(c, m->text.data, m->text.length, LWS_WRITE_TEXT);
	socket_mail_free(m);
	return result;
}

/*
 * libwebsockets stops reading as soon as it has said that it closes; what is on its way to
 * us then makes the kernel reset the connection, and the last acknowledgements are lost.
 * So the peer is asked for a pong first: when that comes, all before it has arrived.
 */
static const char farewell[] = "bye";

static void on_pong(struct socket_connection *c, const void *bytes, size_t length)
{
	links_heard(&c->socket->links, c->link, clock_mono_ms());
	if (!c->has_closed || length != sizeof farewell - 1 ||
	    memcmp(bytes, farewell, length) != 0)
		return;
	c->may_close = true;
	(void)lws_callback_on_writable(c->wsi);
}

/* One thing at a time; -1 ends the connection. */
static int on_writable(struct socket_connection *c)
{
	int result = 0;

	if (c->may_close) {
		lws_close_reason(c->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
		return -1;
	}
	if (c->has_closed)
		return 0;
	if (c->answers) {
		result = write_answer(c);
	} else if (c->wants_close) {
		c->wants_close = false;
		c->has_closed = true;
		return write_bytes(c, farewell, sizeof farewell - 1, LWS_WRITE_PING);
	} else if (c->wants_ping) {
		c->wants_ping = false;
		result = write_bytes(c, "", 0, LWS_WRITE_PING);
	}
	if (c->answers || c->wants_close || c->wants_ping)
		(void)lws_callback_on_writable(c->wsi);
	return result;
}

/* --- what libwebsockets calls --- */

/* Its sentence, as far as it can say nothing of the ticket. */
static const char *why_not(const char *text, size_t length, char to[static 96])
{
	if (!text || length == 0 || length >= 96 || memchr(text, '=', length) ||
	    memchr(text, '?', length))
		return "it could not be opened";
	memcpy(to, text, length);
	to[length] = '\0';
	return to;
}

/*
 * The connection that 'user' is, if it still is one: what libwebsockets may yet say of one
 * that is over is nothing to us.
 */
static struct socket_connection *find(struct lws *wsi, void *user)
{
	struct slack_socket *s = lws_context_user(lws_get_context(wsi));

	for (size_t i = 0; user && i < SOCKET_LINKS_MAX; i++) {
		struct socket_connection *c = s->connections[i];

		if (c && c == user && (c->wsi == wsi || c->is_dialling))
			return c;
	}
	return NULL;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		    void *bytes, size_t length)
{
	struct socket_connection *c;
	char text[96];

	switch ((int)reason) {
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		socket_read_mail(lws_context_user(lws_get_context(wsi)));
		return 0;
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
		return 1; /* nobody sends us elsewhere */
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_CLOSED:
		c = find(wsi, user);
		break;
	default:
		return 0;
	}
	if (!c)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_RECEIVE:
		on_receive(c, bytes, length);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		on_pong(c, bytes, length);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(c);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		socket_over(c, why_not(bytes, length, text));
		return 0;
	default:
		socket_over(c, NULL);
		return 0;
	}
}

/* --- the context --- */

struct lws_context *socket_wire_new(struct slack_socket *s, const char *ca_file,
				    struct error *err)
{
	static const struct lws_protocols protocols[] = { { .name = "slack",
							    .callback = on_event,
							    .rx_buffer_size =
								    RECEIVE_BYTES },
							  { 0 } };
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.user = s,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   (ca_file ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0),
		.client_ssl_ca_filepath = ca_file,
		.ssl_client_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1,
		.http_proxy_address = "", /* not the environment's */
		.timeout_secs = HANDSHAKE_S,
		.connect_timeout_secs = CONNECT_S,
		/* Else it has room for as many as the process may open. */
		.fd_limit_per_thread = FDS_MAX,
		.count_threads = 1,
	};
	struct lws_context *lws;

	lws_set_log_level(0, NULL); /* it would name the path, and so the ticket */
	lws = lws_create_context(&info);
	if (!lws)
		error_set(err, ERR_INTERNAL, "libwebsockets cannot begin");
	return lws;
}

/* The name that TLS is to be of, with a port that is not the usual one. */
static void name_host(const struct socket_address *a, char *to, size_t size)
{
	if (a->is_tls && a->port == 443)
		(void)snprintf(to, size, "%s", a->host);
	else
		(void)snprintf(to, size, "%s:%d", a->host, a->port);
}

static void dial(struct slack_socket *s, struct socket_connection *c,
		 const struct socket_address *a, const char *ip)
{
	char host[SOCKET_HOST_BYTES + 8];
	const struct lws_client_connect_info info = {
		.context = s->lws,
		.address = ip,
		.port = a->port,
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
				  (a->is_tls ? LCCSCF_USE_SSL : 0),
		.path = a->path,
		.host = host,
		.local_protocol_name = "slack",
		.alpn = "http/1.1",
		.userdata = c,
	};

	name_host(a, host, sizeof host);
	c->is_dialling = true;
	c->wsi = lws_client_connect_via_info(&info);
	c->is_dialling = false;
	/* If it failed at once, what it said about that may have come or not. */
	if (c->is_over || !c->wsi)
		socket_over(c, "it could not be opened");
}

void socket_wire_dial(struct slack_socket *s, const struct socket_mail *ticket)
{
	struct socket_connection *c = calloc(1, sizeof *c);
	struct socket_address address;
	struct error err = ERROR_INIT;

	for (size_t i = 0; c && i < SOCKET_LINKS_MAX; i++)
		if (!s->connections[i]) {
			s->connections[i] = c;
			c->socket = s;
			c->link = ticket->link;
			strbuf_init(&c->message);
			c->answers_end = &c->answers;
			/* The opener found it good. */
			if (socket_address_read(ticket->text.data, true, &address, &err))
				dial(s, c, &address, ticket->ip);
			else
				socket_over(c, err.message);
			return;
		}
	socket_connection_free(c);
	links_closed(&s->links, ticket->link, clock_mono_ms());
	socket_look(s);
}
