#include "slack/socket/websockets_late.h"

#include <libwebsockets.h>

#include "base/library.h"

#define FUNCTIONS(X)                                                                     \
	X(callback_on_writable)                                                          \
	X(cancel_service)                                                                \
	X(client_connect_via_info)                                                       \
	X(close_reason)                                                                  \
	X(context_destroy)                                                               \
	X(context_user)                                                                  \
	X(create_context)                                                                \
	X(frame_is_binary)                                                               \
	X(get_context)                                                                   \
	X(is_final_fragment)                                                             \
	X(remaining_packet_payload)                                                      \
	X(service)                                                                       \
	X(set_log_level)                                                                 \
	X(set_timeout)                                                                   \
	X(sul_schedule)                                                                  \
	X(write)

/* Where they are; NULL before websockets_need. */
static struct {
#define MEMBER(name) __typeof__(lws_##name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
} lws;

static const struct library_function functions[] = {
#define ROW(name) { "lws_" #name, &lws.name },
	FUNCTIONS(ROW)
#undef ROW
};
static struct library library = LIBRARY("libwebsockets.so.17", functions);

bool websockets_need(struct error *err)
{
	return library_need(&library, err);
}

struct lws_context *lws_create_context(const struct lws_context_creation_info *info)
{
	return lws.create_context(info);
}

void lws_context_destroy(struct lws_context *context)
{
	lws.context_destroy(context);
}

void *lws_context_user(struct lws_context *context)
{
	return lws.context_user(context);
}

void lws_set_log_level(int level, void (*emit)(int level, const char *line))
{
	lws.set_log_level(level, emit);
}

int lws_service(struct lws_context *context, int timeout_ms)
{
	return lws.service(context, timeout_ms);
}

void lws_cancel_service(struct lws_context *context)
{
	lws.cancel_service(context);
}

void lws_sul_schedule(struct lws_context *context, int thread,
		      lws_sorted_usec_list_t *timer, sul_cb_t fn, lws_usec_t in_us)
{
	lws.sul_schedule(context, thread, timer, fn, in_us);
}

struct lws *lws_client_connect_via_info(const struct lws_client_connect_info *info)
{
	return lws.client_connect_via_info(info);
}

struct lws_context *lws_get_context(const struct lws *wsi)
{
	return lws.get_context(wsi);
}

int lws_callback_on_writable(struct lws *wsi)
{
	return lws.callback_on_writable(wsi);
}

int lws_write(struct lws *wsi, unsigned char *bytes, size_t length,
	      enum lws_write_protocol kind)
{
	return lws.write(wsi, bytes, length, kind);
}

int lws_is_final_fragment(struct lws *wsi)
{
	return lws.is_final_fragment(wsi);
}

size_t lws_remaining_packet_payload(struct lws *wsi)
{
	return lws.remaining_packet_payload(wsi);
}

int lws_frame_is_binary(struct lws *wsi)
{
	return lws.frame_is_binary(wsi);
}

void lws_close_reason(struct lws *wsi, enum lws_close_status status, unsigned char *text,
		      size_t length)
{
	lws.close_reason(wsi, status, text, length);
}

void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int seconds)
{
	lws.set_timeout(wsi, reason, seconds);
}
