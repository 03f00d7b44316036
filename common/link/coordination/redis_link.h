/*
 * redis_link -- one connection to Redis, and never longer than until a deadline.
 *
 * Private to link/coordination. hiredis writes and parses; sockets, TLS and time are
 * ours, because the hiredis of Debian 12 knows no TLS and counts its timeout for each
 * read alone. Deadlines are in clock_mono_ms. After any failure the connection is
 * broken and good for nothing but redis_link_close: replies would shift.
 * A reply has at most REDIS_REPLY_MAX bytes and REDIS_ELEMENTS_MAX elements an array.
 */
#ifndef LINK_REDIS_LINK_H
#define LINK_REDIS_LINK_H

#include <gnutls/gnutls.h>
#include <hiredis/hiredis.h>

#include "base/secret.h"
#include "link/coordination/redis_resolver.h"

enum {
	REDIS_REPLY_MAX = 4 * 1024 * 1024,
	REDIS_ELEMENTS_MAX = 1024,
	REDIS_ARGUMENTS_MAX = 16,
};

/* Where Redis is and what it wants to hear; read once, then constant. */
struct coord_redis_access {
	char *name; /* for people: "redis://host:port", never a secret */
	char *socket, *host, *port, *user;
	struct secret *password;
	struct redis_resolver *resolver;
	gnutls_certificate_credentials_t tls; /* NULL: none */
	int64_t timeout_ms;
	bool assume_durable;
};

struct redis_command {
	int count;
	const char *arguments[REDIS_ARGUMENTS_MAX];
};

struct redis_link;

struct redis_link *redis_link_open(const struct coord_redis_access *a,
				   int64_t deadline_ms, struct error *err) _must_use_;
void redis_link_close(struct redis_link *l);
DEFINE_CLEANUP(struct redis_link, redis_link_close);

/* Whether it has been closed, or spoken on unasked, since the last reply. */
bool redis_link_is_stale(struct redis_link *l);
/* Queue a command whose arguments are texts; goes out with the next redis_link_send. */
bool redis_link_add(struct redis_link *l, const struct redis_command *c,
		    struct error *err);
/* Whatever happens, from here on Redis may have got it. */
bool redis_link_send(struct redis_link *l, int64_t deadline_ms, struct error *err);
/* The next reply, which may be an error of Redis's own. Freed with freeReplyObject. */
bool redis_link_receive(struct redis_link *l, int64_t deadline_ms, redisReply **ret,
			struct error *err);
/* To wait for it beside other descriptors; what has been read already is not seen there. */
int redis_link_fd(const struct redis_link *l);
bool redis_link_has_input(const struct redis_link *l);

static inline void redis_reply_freep(redisReply **r)
{
	if (*r)
		freeReplyObject(*r);
}
#define _cleanup_reply_ _cleanup_(redis_reply_freep)

/* ---- Beneath it: redis_connect.c ---- */

/* A connected socket, not blocking. */
bool redis_connect(const struct coord_redis_access *a, int64_t deadline_ms, int *ret_fd,
		   struct error *err);
/* Until 'events' (of poll) may be there; it may also return early. */
bool redis_wait(const struct coord_redis_access *a, int fd, short events,
		int64_t deadline_ms, struct error *err);
/* "store 'redis://...' <what>", ERR_BACKEND_UNAVAILABLE. */
bool redis_fail(const struct coord_redis_access *a, struct error *err, const char *format,
		...) _printf_(3, 4);

#endif
