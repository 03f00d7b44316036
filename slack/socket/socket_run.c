/* The thread of Socket Mode that runs libwebsockets and owns links and connections. */
#include "slack/socket/socket_private.h"

#include "base/clock.h"
#include "base/log.h"

enum {
	STOP_MS = 3000, /* for what workers still have; and again for closing */
	CLOSE_S = 3,    /* for a peer to say that it heard */
	LOOK_MS_MAX = 60 * 1000,
	US_PER_MS = 1000,
};

static struct socket_connection *find(struct slack_socket *s, unsigned link)
{
	for (size_t i = 0; i < SOCKET_LINKS_MAX; i++)
		if (s->connections[i] && s->connections[i]->link == link)
			return s->connections[i];
	return NULL;
}

static void count(struct slack_socket *s)
{
	atomic_store(&s->up, (unsigned)links_up(&s->links));
}

/* --- what links want --- */

static void close_connection(struct socket_connection *c)
{
	c->wants_close = true;
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, CLOSE_S);
	(void)lws_callback_on_writable(c->wsi);
}

static void do_deed(struct slack_socket *s, enum links_deed deed, unsigned link)
{
	struct socket_connection *c = find(s, link);

	switch (deed) {
	case LINKS_NOTHING:
		return;
	case LINKS_DIAL:
		if (!socket_want_ticket(s, link))
			links_closed(&s->links, link, clock_mono_ms());
		return;
	case LINKS_PING:
		if (c) {
			c->wants_ping = true;
			(void)lws_callback_on_writable(c->wsi);
		}
		return;
	case LINKS_CLOSE:
		if (c)
			close_connection(c);
		return;
	case LINKS_KILL:
		if (!s->links.is_stopped)
			log_warn("slack.socket.silent", LOG_INT("link", link));
		if (c)
			lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK,
					LWS_TO_KILL_ASYNC);
		return;
	}
}

static void look_in(struct slack_socket *s, int64_t ms);

static bool goes_on(const struct slack_socket *s)
{
	const bool is_late = s->is_stopping && clock_mono_ms() >= s->stop_by_ms + STOP_MS;

	return !is_late && !(s->links.is_stopped && !links_any(&s->links));
}

static void look(lws_sorted_usec_list_t *timer)
{
	struct slack_socket *s = lws_container_of(timer, struct slack_socket, timer);
	const int64_t now_ms = clock_mono_ms();
	int64_t due_ms;
	enum links_deed deed;
	unsigned link;

	/* Three seconds are enough for what workers have; then the links end. */
	if (s->is_stopping && (s->busy == 0 || now_ms >= s->stop_by_ms))
		links_stop(&s->links);
	while ((deed = links_next(&s->links, now_ms, &link, &due_ms)) != LINKS_NOTHING)
		do_deed(s, deed, link);
	count(s);
	if (s->is_stopping)
		due_ms = s->stop_by_ms + (s->links.is_stopped ? STOP_MS : 0);
	look_in(s, due_ms - now_ms < LOOK_MS_MAX ? due_ms - now_ms : LOOK_MS_MAX);
	/* Timers run before it begins to wait: it would not come back. */
	if (!goes_on(s))
		lws_cancel_service(s->lws);
}

static void look_in(struct slack_socket *s, int64_t ms)
{
	lws_sul_schedule(s->lws, 0, &s->timer, look, ms > 0 ? ms * US_PER_MS : 1);
}

void socket_look(struct slack_socket *s)
{
	look_in(s, 0);
}

/* --- what connections say --- */

static void on_hello(struct socket_connection *c, const struct socket_frame *f)
{
	struct slack_socket *s = c->socket;
	const int64_t now_ms = clock_mono_ms();

	if (s->app && strcmp(s->app, f->app) != 0) {
		log_error("slack.socket.other_app", LOG_STR("app", f->app),
			  LOG_STR("wanted", s->app));
		links_leave(&s->links, c->link, SOCKET_DISABLED, now_ms);
		return;
	}
	links_hello(&s->links, c->link, now_ms);
	log_info("slack.socket.up", LOG_INT("link", c->link),
		 LOG_INT("up", (int64_t)links_up(&s->links)));
}

static void on_disconnect(struct socket_connection *c, enum socket_reason reason)
{
	const char *name = socket_reason_name(reason);

	if (reason == SOCKET_DISABLED)
		log_error("slack.socket.disabled", LOG_INT("link", c->link));
	else
		log_info("slack.socket.leaving", LOG_INT("link", c->link),
			 LOG_STR("reason", name));
	links_leave(&c->socket->links, c->link, reason, clock_mono_ms());
}

static void leave_out(struct slack_socket *s, const char *why)
{
	atomic_fetch_add(&s->left, 1);
	log_warn("slack.socket.left", LOG_STR("why", why));
}

static void on_envelope(struct socket_connection *c, struct socket_frame *f,
			struct strbuf *text)
{
	struct slack_socket *s = c->socket;
	const size_t length = text->length; /* it is taken */

	if (s->is_stopping || c->has_closed)
		leave_out(s, "it is ending");
	else if (!links_is_up(&s->links, c->link))
		leave_out(s, "there was no hello");
	else if (s->busy_bytes + length > SOCKET_BUSY_BYTES_MAX ||
		 !socket_hand_over(s, c->link, f, text))
		leave_out(s, "too many are waiting");
	else {
		s->busy++;
		s->busy_bytes += length;
	}
}

static void answer(struct socket_connection *c, struct socket_mail *m)
{
	if (c->answer_count >= SOCKET_ANSWERS_MAX || c->has_closed) {
		leave_out(c->socket, c->has_closed ? "it is ending"
						   : "too many answers are waiting");
		socket_mail_free(m);
		return;
	}
	m->next = NULL;
	*c->answers_end = m;
	c->answers_end = &m->next;
	c->answer_count++;
	atomic_fetch_add(&c->socket->taken, 1);
	(void)lws_callback_on_writable(c->wsi);
}

/* Of a type that is not known: so that it does not come again. */
static void acknowledge(struct socket_connection *c, const struct socket_frame *f)
{
	_cleanup_(socket_mail_freep) struct socket_mail *m = calloc(1, sizeof *m);
	struct error err = ERROR_INIT;

	if (!m || !f->envelope[0] || !links_is_up(&c->socket->links, c->link))
		return;
	strbuf_init(&m->text);
	if (socket_frame_answer(f, NULL, &m->text, &err))
		answer(c, TAKE(m));
}

void socket_message(struct socket_connection *c, struct strbuf *text)
{
	_cleanup_socket_frame_ struct socket_frame f = { 0 };
	struct error err = ERROR_INIT;

	if (!socket_frame_read(text->data, text->length, &f, &err)) {
		log_failure("slack.socket.frame", &err);
		return;
	}
	switch (f.kind) {
	case SOCKET_FRAME_HELLO:
		on_hello(c, &f);
		break;
	case SOCKET_FRAME_DISCONNECT:
		on_disconnect(c, f.reason);
		break;
	case SOCKET_FRAME_ENVELOPE:
		on_envelope(c, &f, text);
		return;
	case SOCKET_FRAME_UNKNOWN:
		log_warn("slack.socket.unknown");
		acknowledge(c, &f);
		return;
	}
	count(c->socket);
	socket_look(c->socket);
}

void socket_over(struct socket_connection *c, const char *why)
{
	struct slack_socket *s = c->socket;

	if (c->is_dialling) {
		c->is_over = true;
		return;
	}
	if (why)
		log_warn("slack.socket.not_up", LOG_INT("link", c->link),
			 LOG_STR("why", why));
	else
		log_info("slack.socket.closed", LOG_INT("link", c->link));
	links_closed(&s->links, c->link, clock_mono_ms());
	for (size_t i = 0; i < SOCKET_LINKS_MAX; i++)
		if (s->connections[i] == c)
			s->connections[i] = NULL;
	socket_connection_free(c);
	count(s);
	socket_look(s);
}

/* --- mail --- */

static void on_answer(struct slack_socket *s, struct socket_mail *m)
{
	struct socket_connection *c = find(s, m->link);

	s->busy--;
	s->busy_bytes -= m->frame_bytes;
	if (m->text.length > 0 && c) {
		answer(c, m);
		return;
	}
	/* If the connection is gone Slack sends it again elsewhere. */
	atomic_fetch_add(&s->left, 1);
	socket_mail_free(m);
}

static void on_mail(struct slack_socket *s, struct socket_mail *m)
{
	const int64_t now_ms = clock_mono_ms();

	switch (m->kind) {
	case MAIL_ANSWER:
		on_answer(s, m);
		return;
	case MAIL_TICKET:
		links_ticket(&s->links, m->link, now_ms);
		socket_wire_dial(s, m);
		break;
	case MAIL_NO_TICKET:
		if (m->is_hopeless || m->wait_ms > 0)
			links_wait(&s->links, m->is_hopeless ? 0 : m->wait_ms, now_ms);
		links_closed(&s->links, m->link, now_ms);
		break;
	}
	socket_mail_free(m);
}

void socket_read_mail(struct slack_socket *s)
{
	struct socket_mail *m, *next;
	bool stop;

	(void)pthread_mutex_lock(&s->lock);
	m = TAKE(s->mail);
	s->mail_end = &s->mail;
	stop = s->stop_asked;
	(void)pthread_mutex_unlock(&s->lock);
	for (; m; m = next) {
		next = m->next;
		on_mail(s, m);
	}
	if (stop && !s->is_stopping) {
		s->is_stopping = true;
		s->stop_by_ms = clock_mono_ms() + STOP_MS;
	}
	socket_look(s);
}

/* --- the thread --- */

void *socket_runner(void *socket)
{
	struct slack_socket *s = socket;

	socket_look(s);
	while (goes_on(s))
		if (lws_service(s->lws, 0) < 0) {
			log_error("slack.socket.ended");
			break;
		}
	atomic_store(&s->up, 0);
	return NULL;
}
