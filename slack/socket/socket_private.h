/*
 * socket_private -- what the files of Socket Mode share.
 *
 * Three kinds of thread. The opener gets tickets (socket_open.c), workers hand envelopes
 * over (socket_take.c), and the third, which runs libwebsockets, owns links and connections
 * (socket_run.c, socket_wire.c). The first two tell it by mail.
 */
#ifndef SLACK_SOCKET_SOCKET_PRIVATE_H
#define SLACK_SOCKET_SOCKET_PRIVATE_H

#include "slack/socket/socket.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/slack/slack.h"
#include "proc/workers.h"
#include "slack/socket/address.h"

enum {
	SOCKET_LINKS_MAX = LINKS_SLOTS_MAX * LINKS_EACH,
	SOCKET_IP_BYTES = 64,
	SOCKET_ANSWERS_MAX = 1024, /* waiting to be written, on one connection */
	SOCKET_THREADS = 4,
	SOCKET_QUEUE_MAX = 512, /* envelopes that wait for one of them */
	SOCKET_BUSY_BYTES_MAX = 16 * 1024 *
				1024, /* of those that wait or are worked on */
};

enum socket_mail_kind { MAIL_TICKET, MAIL_NO_TICKET, MAIL_ANSWER };

struct socket_mail {
	struct socket_mail *next;
	enum socket_mail_kind kind;
	unsigned link;
	/* A ticket: the address of its host. */
	char ip[SOCKET_IP_BYTES];
	/* None: whether it will not get better by itself, and how long Slack wants peace. */
	bool is_hopeless;
	int64_t wait_ms;
	/* The URL of a ticket. Or an acknowledgement; empty: the envelope was not taken; and
	 * how long that was. */
	struct strbuf text;
	size_t frame_bytes;
};
void socket_mail_free(struct socket_mail *m);
DEFINE_CLEANUP(struct socket_mail, socket_mail_free);

/* Of the thread that runs libwebsockets. */
struct socket_connection {
	struct slack_socket *socket;
	unsigned link;
	struct lws *wsi;
	struct strbuf message; /* as far as it has come */
	bool is_skipped;       /* the rest of it is read past */
	bool wants_ping, wants_close;
	bool has_closed; /* nothing more is written but the end */
	bool may_close;  /* the peer has all that was */
	bool is_dialling, is_over;
	struct socket_mail *answers, **answers_end;
	size_t answer_count;
};

struct slack_socket {
	const struct statedir *dir;
	json_t *api;
	char *app;
	ingress_take *take;
	void *context;

	struct lws_context *lws;
	lws_sorted_usec_list_t timer;
	struct links links;
	struct socket_connection *connections[SOCKET_LINKS_MAX];
	unsigned busy; /* envelopes that workers have */
	size_t busy_bytes;
	bool is_stopping;
	int64_t stop_by_ms;

	struct slack *slack; /* the opener's, once it runs */
	unsigned tries;      /* the opener's: to take addresses in turn */
	struct workers *workers;
	pthread_t runner, opener;
	bool runner_runs, opener_runs;
	atomic_bool is_cancelled; /* no more tickets */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wanted;
	struct socket_mail *asked, **asked_end; /* links that want a ticket */
	struct socket_mail *mail, **mail_end;
	bool stop_asked;

	atomic_uint up;
	atomic_uint_fast64_t taken, left;
};

/* Any thread: give 'm' to the runner. */
void socket_post(struct slack_socket *s, struct socket_mail *m);

/* socket_open.c */
void *socket_opener(void *socket);
/* The runner's thread: ask for one. False without memory. */
bool socket_want_ticket(struct slack_socket *s, unsigned link);

/* socket_take.c: hand an envelope over, later and elsewhere. 'frame' and 'text' are taken.
 * False: there is no room. */
bool socket_hand_over(struct slack_socket *s, unsigned link, struct socket_frame *frame,
		      struct strbuf *text);

/* socket_run.c, in the runner's thread */
void *socket_runner(void *socket);
void socket_look(struct slack_socket *s); /* see what is to be done, soon */
void socket_read_mail(struct slack_socket *s);
void socket_message(struct socket_connection *c, struct strbuf *text);
void socket_over(struct socket_connection *c, const char *why); /* frees it */

/* socket_wire.c */
struct lws_context *socket_wire_new(struct slack_socket *s, const char *ca_file,
				    struct error *err);
/* Open the link to where the ticket leads. The connection is in s->connections, or over. */
void socket_wire_dial(struct slack_socket *s, const struct socket_mail *ticket);
void socket_connection_free(struct socket_connection *c);

#endif
