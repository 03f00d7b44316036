/* A thread of Socket Mode: tickets, and where their hosts are. */
#include "slack/socket/socket_private.h"

#include <netdb.h>

#include "base/clock.h"
#include "base/log.h"

enum { PATIENCE_MS = 20 * 1000, ADDRESSES_MAX = 16 };

/* Errors of apps.connections.open that stay until somebody changes something. */
static bool is_hopeless(const char *name)
{
	static const char *const names[] = {
		"not_authed",
		"invalid_auth",
		"account_inactive",
		"user_removed_from_team",
		"team_disabled",
		"not_allowed_token_type",
		"missing_args",
		"missing_scope",
		"token_revoked",
		"token_expired",
		"access_denied",
		"no_permission",
		"team_access_not_granted",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The token may have been replaced meanwhile. */
static void reopen(struct slack_socket *s)
{
	struct error ignored = ERROR_INIT;
	struct slack *new = slack_open(s->dir, s->api, &ignored);

	if (!new)
		return;
	slack_close(s->slack);
	s->slack = new;
}

static bool get_url(struct slack_socket *s, struct socket_mail *m, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	struct rest_patience patience = rest_patience(PATIENCE_MS);
	const char *url;

	patience.cancel = &s->is_cancelled;
	if (!slack_call(s->slack, "apps.connections.open", NULL, &patience, &a, err)) {
		m->is_hopeless = is_hopeless(a.error);
		m->wait_ms = slack_wait_ms(s->slack);
		return false;
	}
	url = json_get_string(a.body, "url");
	if (!url)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Slack gave no address for Socket Mode");
	strbuf_add_string(&m->text, url);
	return strbuf_ok(&m->text) || error_oom(err);
}

/* One of the host's addresses, another at each try. */
static bool resolve(struct slack_socket *s, const char *host,
		    char ret[static SOCKET_IP_BYTES], struct error *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG };
	const struct addrinfo *all[ADDRESSES_MAX];
	struct addrinfo *list = NULL;
	size_t count = 0;
	int code = getaddrinfo(host, NULL, &hints, &list);

	if (code != 0)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot find '%s': %s",
				 host, gai_strerror(code));
	for (const struct addrinfo *a = list; a && count < ADDRESSES_MAX; a = a->ai_next)
		all[count++] = a;
	code = EAI_NONAME;
	if (count > 0) {
		const struct addrinfo *one = all[s->tries++ % count];

		code = getnameinfo(one->ai_addr, one->ai_addrlen, ret, SOCKET_IP_BYTES,
				   NULL, 0, NI_NUMERICHOST);
	}
	freeaddrinfo(list);
	return code == 0 || error_set(err, ERR_BACKEND_UNAVAILABLE,
				      "cannot find '%s': %s", host, gai_strerror(code));
}

static bool get_ticket(struct slack_socket *s, struct socket_mail *m, struct error *err)
{
	struct socket_address address;

	return get_url(s, m, err) &&
	       socket_address_read(m->text.data, slack_is_loopback(s->slack), &address,
				   err) &&
	       resolve(s, address.host, m->ip, err);
}

static void open_link(struct slack_socket *s, struct socket_mail *m)
{
	struct error err = ERROR_INIT;

	m->kind = get_ticket(s, m, &err) ? MAIL_TICKET : MAIL_NO_TICKET;
	if (m->kind == MAIL_NO_TICKET && !atomic_load(&s->is_cancelled))
		log_failure(m->is_hopeless ? "slack.socket.refused"
					   : "slack.socket.no_ticket",
			    &err);
	if (m->is_hopeless)
		reopen(s);
	socket_post(s, m);
}

/* The next link that wants a ticket; NULL: it is over. */
static struct socket_mail *next_link(struct slack_socket *s)
{
	struct socket_mail *m = NULL;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->asked && !s->stop_asked)
		(void)pthread_cond_wait(&s->wanted, &s->lock);
	if (!s->stop_asked) {
		m = s->asked;
		s->asked = m->next;
		if (!s->asked)
			s->asked_end = &s->asked;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return m;
}

void *socket_opener(void *socket)
{
	struct slack_socket *s = socket;
	struct socket_mail *m;

	while ((m = next_link(s)))
		open_link(s, m);
	return NULL;
}

bool socket_want_ticket(struct slack_socket *s, unsigned link)
{
	struct socket_mail *m = calloc(1, sizeof *m);

	if (!m)
		return false;
	strbuf_init(&m->text);
	m->link = link;
	(void)pthread_mutex_lock(&s->lock);
	*s->asked_end = m;
	s->asked_end = &m->next;
	(void)pthread_cond_signal(&s->wanted);
	(void)pthread_mutex_unlock(&s->lock);
	return true;
}
