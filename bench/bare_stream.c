#include "bench/bare_stream.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <microhttpd.h>

enum { MEMORY_BYTES = 8192, CONNECTIONS_MAX = 12000, BLOCK_BYTES = 256 };

struct stream {
	struct MHD_Connection *connection;
	struct bare *bare;
	struct stream *next;
	bool is_begun; /* the first comment is out */
	uint64_t told; /* events */
	size_t sent;   /* of the next */
	bool is_suspended;
};

struct bare {
	const char *event;
	size_t length;
	uint64_t told;
	struct stream *streams;
};

static ssize_t read_more(void *context, uint64_t position, char *into, size_t max)
{
	static const char comment[] = { ':', '\n', '\n' };
	struct stream *s = context;
	struct bare *b = s->bare;

	(void)position;
	if (!s->is_begun && max >= sizeof comment) {
		s->is_begun = true;
		memcpy(into, comment, sizeof comment);
		return sizeof comment;
	}
	if (s->told == b->told) {
		s->is_suspended = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	size_t n = b->length - s->sent < max ? b->length - s->sent : max;
	memcpy(into, b->event + s->sent, n);
	s->sent += n;
	if (s->sent == b->length) {
		s->sent = 0;
		s->told++;
	}
	return (ssize_t)n;
}

static void ended(void *context)
{
	struct stream *s = context, **at = &s->bare->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method, const char *version,
			      const char *data, size_t *size, void **state)
{
	static char seen;
	struct bare *b = context;

	(void)url, (void)method, (void)version, (void)data, (void)size;
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	struct stream *s = calloc(1, sizeof *s);
	if (!s)
		return MHD_NO;
	*s = (struct stream){
		.connection = connection, .bare = b, .next = b->streams, .told = b->told
	};
	b->streams = s;
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_more, s, ended);
	(void)MHD_add_response_header(response, "Content-Type", "text/event-stream");
	enum MHD_Result result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

static void tell(struct bare *b)
{
	b->told++;
	for (struct stream *s = b->streams; s; s = s->next)
		if (s->is_suspended) {
			s->is_suspended = false;
			MHD_resume_connection(s->connection);
		}
}

void bare_stream_serve(const char *event, size_t length, int in, int out)
{
	struct bare b = { .event = event, .length = length };
	struct sockaddr_in at = { .sin_family = AF_INET };
	char go;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, &b,
		MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info || write(out, &info->port, sizeof info->port) != sizeof info->port)
		_exit(1);
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[] = { { .fd = info->epoll_fd, .events = POLLIN },
				{ .fd = in, .events = POLLIN } };
	for (;;) {
		MHD_UNSIGNED_LONG_LONG wait_ms;
		bool timed = MHD_get_timeout(daemon, &wait_ms) == MHD_YES;
		(void)poll(fds, 2, timed ? (int)wait_ms : 1000);
		if (fds[1].revents) {
			if (read(in, &go, 1) != 1)
				_exit(0);
			tell(&b);
		}
		(void)MHD_run(daemon);
	}
}
