#include "link/ldap/ldap_wait.h"

#include <errno.h>
#include <poll.h>
#include <sys/time.h>

#include "base/clock.h"

/* Below TLS, above the socket. */
enum { LEVEL = (LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2 };
/* A question to our layer that no other one knows. */
enum { OPTION_SETTLED = 0x57a1 };

struct wait {
	int64_t each_ms;
	int64_t until_ms; /* monotonic; 0: settled */
};

static int wait_setup(Sockbuf_IO_Desc *layer, void *arg)
{
	layer->sbiod_pvt = arg;
	return 0;
}

static int wait_remove(Sockbuf_IO_Desc *layer)
{
	free(layer->sbiod_pvt);
	layer->sbiod_pvt = NULL;
	return 0;
}

static int wait_ctrl(Sockbuf_IO_Desc *layer, int option, void *arg)
{
	struct wait *w = layer->sbiod_pvt;

	if (option != OPTION_SETTLED)
		return LBER_SBIOD_CTRL_NEXT(layer, option, arg);
	w->until_ms = 0;
	return 1;
}

/* False, with errno set, when the socket is not ready in time. */
static bool wait_for(Sockbuf_IO_Desc *layer, short events)
{
	const struct wait *w = layer->sbiod_pvt;
	const int64_t end_ms = w->until_ms ? w->until_ms : clock_mono_ms() + w->each_ms;
	struct pollfd p = { .fd = -1, .events = events };
	int64_t left_ms;
	int n;

	(void)ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &p.fd);
	do {
		left_ms = end_ms - clock_mono_ms();
		n = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

static ber_slen_t wait_read(Sockbuf_IO_Desc *layer, void *data, ber_len_t length)
{
	return wait_for(layer, POLLIN) ? LBER_SBIOD_READ_NEXT(layer, data, length) : -1;
}

static ber_slen_t wait_write(Sockbuf_IO_Desc *layer, void *data, ber_len_t length)
{
	return wait_for(layer, POLLOUT) ? LBER_SBIOD_WRITE_NEXT(layer, data, length) : -1;
}

static int wait_close(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

/* ---- Where libldap tells of a connection ---------------------------------------------- */

static int begin(LDAP *ld, Sockbuf *sb, LDAPURLDesc *address, struct sockaddr *peer,
		 struct ldap_conncb *callback)
{
	static Sockbuf_IO layer = {
		.sbi_setup = wait_setup,
		.sbi_remove = wait_remove,
		.sbi_ctrl = wait_ctrl,
		.sbi_read = wait_read,
		.sbi_write = wait_write,
		.sbi_close = wait_close,
	};
	struct timeval *time = NULL;
	struct wait *w = calloc(1, sizeof *w);

	(void)address;
	(void)peer;
	(void)callback;
	if (!w ||
	    ldap_get_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &time) != LDAP_OPT_SUCCESS ||
	    !time) {
		free(w);
		return -1;
	}
	w->each_ms = (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
	w->until_ms = clock_mono_ms() + w->each_ms;
	ldap_memfree(time);
	if (ber_sockbuf_add_io(sb, &layer, LEVEL, w) == 0)
		return 0;
	free(w);
	return -1;
}

static void end(LDAP *ld, Sockbuf *sb, struct ldap_conncb *callback)
{
	(void)ld;
	(void)sb;
	(void)callback;
}

bool ldap_wait_install(LDAP *ld, struct error *err)
{
	/* libldap keeps the address, and writes nothing there. */
	static struct ldap_conncb callback = { .lc_add = begin, .lc_del = end };

	return ldap_set_option(ld, LDAP_OPT_CONNECT_CB, &callback) == LDAP_OPT_SUCCESS ||
	       error_set(err, ERR_INTERNAL, "cannot watch over a directory connection");
}

void ldap_wait_settled(LDAP *ld)
{
	Sockbuf *sb = NULL;

	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb)
		(void)ber_sockbuf_ctrl(sb, OPTION_SETTLED, NULL);
}
