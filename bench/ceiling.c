#include "bench/ceiling.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <jansson.h>
#include <microhttpd.h>

enum { BODY_MAX = 4096 };

struct body {
	char text[BODY_MAX];
	size_t length;
};

static struct MHD_Response *answer(const struct body *body)
{
	json_t *request =
		json_loadb(body->text, body->length, JSON_REJECT_DUPLICATES, NULL);
	json_t *params = json_object_get(request, "params");
	const char *text = json_string_value(
		json_object_get(json_object_get(params, "arguments"), "text"));
	json_t *reply = json_pack(
		"{s:s, s:O, s:{s:s, s:[{s:s, s:s}], s:{s:s}, s:{s:{s:s, s:s}}}}",
		"jsonrpc", "2.0", "id", json_object_get(request, "id"), "result",
		"resultType", "complete", "content", "type", "text", "text",
		text ? text : "", "structuredContent", "text", text ? text : "", "_meta",
		"io.modelcontextprotocol/serverInfo", "name", "wingman-bench", "version",
		WINGMAN_VERSION);
	char *out = json_dumps(reply, JSON_COMPACT);

	json_decref(reply);
	json_decref(request);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(out), out, MHD_RESPMEM_MUST_FREE);
	(void)MHD_add_response_header(response, "Content-Type", "application/json");
	return response;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method, const char *version,
			      const char *data, size_t *size, void **state)
{
	struct body *body = *state;

	(void)context;
	(void)url;
	(void)method;
	(void)version;
	if (!body) {
		body = malloc(
			sizeof *body); /* not cleared: that would cost the ceiling something */
		if (body)
			body->length = 0;
		*state = body;
		return body ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		size_t room = BODY_MAX - body->length, take = *size < room ? *size : room;

		memcpy(body->text + body->length, data, take);
		body->length += take;
		*size = 0;
		return MHD_YES;
	}
	struct MHD_Response *response = answer(body);
	enum MHD_Result result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)connection;
	(void)code;
	free(*state);
	*state = NULL;
}

struct MHD_Daemon *ceiling_start(uint16_t *ret_port, struct error *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)8192,
		MHD_OPTION_CONNECTION_LIMIT, 2048u, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;

	if (!info) {
		error_set(err, ERR_INTERNAL, "libmicrohttpd does not start");
		return NULL;
	}
	*ret_port = info->port;
	return daemon;
}

void ceiling_serve(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int outer = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	if (outer < 0 || epoll_ctl(outer, EPOLL_CTL_ADD, info->epoll_fd, &event) != 0)
		return;
	while (epoll_wait(outer, &event, 1, 1000) >= 0)
		(void)MHD_run(daemon);
}
