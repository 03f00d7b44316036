#include "proc/frame.h"

#include <errno.h>
#include <fcntl.h>

#include "proc/channel.h"

static bool check_message(const json_t *message, struct error *err)
{
	const json_t *id = json_object_get(message, "id");

	if (!json_is_object(message))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a channel message must be an object");
	if (!json_is_string(json_object_get(message, "m")))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a channel message needs a name 'm'");
	if (id && !json_is_integer(id))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the 'id' of a channel message must be an integer");
	return true;
}

bool frame_append(struct strbuf *sb, const json_t *message, struct error *err)
{
	size_t start = sb->length;

	if (!check_message(message, err))
		return false;
	strbuf_add(sb, "\0\0\0\0", FRAME_HEAD_BYTES);
	if (!json_write(sb, message, err) || !strbuf_ok(sb)) {
		strbuf_truncate(sb, start);
		sb->failed = false; /* what was in it before is whole */
		return error_oom(err);
	}
	size_t length = sb->length - start - FRAME_HEAD_BYTES;
	if (length > CHANNEL_FRAME_MAX) {
		strbuf_truncate(sb, start);
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"a channel message of %zu bytes exceeds the maximum of %d",
			length, CHANNEL_FRAME_MAX);
	}
	for (unsigned i = 0; i < FRAME_HEAD_BYTES; i++)
		sb->data[start + i] = (char)(length >> (24 - 8 * i) & 0xff);
	return true;
}

size_t frame_body_bytes(const char head[static FRAME_HEAD_BYTES], struct error *err)
{
	size_t length = 0;

	for (unsigned i = 0; i < FRAME_HEAD_BYTES; i++)
		length = length << 8 | (unsigned char)head[i];
	if (length == 0 || length > CHANNEL_FRAME_MAX) {
		error_set(
			err, ERR_INVALID_ARGUMENT,
			"the peer announced a message of %zu bytes; 1 to %d are allowed",
			length, CHANNEL_FRAME_MAX);
		return 0;
	}
	return length;
}

json_t *frame_body(const char *body, size_t length, struct error *err)
{
	json_auto_t *message = json_parse(body, length, JSON_CONTRACT, err);

	if (!message || !check_message(message, err))
		return NULL;
	return TAKE(message);
}

size_t frame_parse(const char *bytes, size_t length, json_t **ret_message,
		   struct error *err)
{
	if (length < FRAME_HEAD_BYTES)
		return 0;
	size_t body = frame_body_bytes(bytes, err);
	if (body == 0 || length - FRAME_HEAD_BYTES < body)
		return 0;
	*ret_message = frame_body(bytes + FRAME_HEAD_BYTES, body, err);
	return *ret_message ? FRAME_HEAD_BYTES + body : 0;
}

bool frame_prepare(int fd, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return error_errno(err, "cannot prepare descriptor %d for messages", fd);
	return true;
}

bool frame_peer_gone(bool within_frame, struct error *err)
{
	return error_set(err, ERR_BACKEND_UNAVAILABLE,
			 within_frame ? "the peer left in the middle of a message"
				      : "the peer closed the connection");
}

bool frame_peer_error(int error_number, struct error *err)
{
	if (error_number == EPIPE || error_number == ECONNRESET)
		return frame_peer_gone(false, err);
	errno = error_number;
	return error_errno(err, "cannot exchange messages with the peer");
}
