#include "slack/socket/frame.h"

static const char *const reasons[] = {
	[SOCKET_REFRESH] = "refresh_requested",
	[SOCKET_WARNING] = "warning",
	[SOCKET_DISABLED] = "link_disabled",
	[SOCKET_TOO_MANY] = "too_many_websockets",
};

const char *socket_reason_name(enum socket_reason reason)
{
	return reasons[reason];
}

void socket_frame_done(struct socket_frame *f)
{
	json_decref(f->payload);
	*f = (struct socket_frame){ 0 };
}

static enum socket_reason reason_of(const json_t *frame)
{
	const char *name = json_get_string(frame, "reason");

	for (size_t i = 0; name && i < ARRAY_SIZE(reasons); i++)
		if (strcmp(name, reasons[i]) == 0)
			return (enum socket_reason)i;
	return SOCKET_REFRESH;
}

/* A member that is there must be an id; one that is not is "". */
static bool read_id(char to[static SLACK_ID_BYTES], const json_t *object,
		    const char *member, struct error *err)
{
	if (!json_object_get(object, member))
		return true;
	return slack_payload_id(to, SLACK_ID_BYTES, object, member) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "the frame's %s is no id", member);
}

static bool read_envelope(const json_t *frame, struct socket_frame *f, struct error *err)
{
	if (!slack_envelope_payload(frame, &f->delivery, &f->payload, err))
		return false;
	json_incref(f->payload);
	f->kind = SOCKET_FRAME_ENVELOPE;
	f->takes_payload =
		json_is_true(json_object_get(frame, "accepts_response_payload"));
	f->attempt = json_get_int64(frame, "retry_attempt", 0);
	if (!f->envelope[0])
		return error_set(err, ERR_INVALID_ARGUMENT, "the envelope has no id");
	return true;
}

bool socket_frame_read(const void *text, size_t length, struct socket_frame *ret,
		       struct error *err)
{
	json_auto_t *frame = NULL;
	const char *type;

	*ret = (struct socket_frame){ 0 };
	if (length > SOCKET_FRAME_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "the frame is too long");
	frame = json_parse(text, length, JSON_SYNTAX, err);
	if (!frame)
		return false;
	type = json_get_string(frame, "type");
	if (!type)
		return error_set(err, ERR_INVALID_ARGUMENT, "the frame has no type");
	if (strcmp(type, "hello") == 0) {
		ret->kind = SOCKET_FRAME_HELLO;
		return read_id(ret->app, json_object_get(frame, "connection_info"),
			       "app_id", err);
	}
	if (strcmp(type, "disconnect") == 0) {
		ret->kind = SOCKET_FRAME_DISCONNECT;
		ret->reason = reason_of(frame);
		return true;
	}
	if (!read_id(ret->envelope, frame, "envelope_id", err))
		return false;
	return !slack_envelope_is_known(type) || read_envelope(frame, ret, err);
}

bool socket_frame_answer(const struct socket_frame *f, const json_t *payload,
			 struct strbuf *sb, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text, "{\"envelope_id\":\"%s\"", f->envelope);
	if (payload && f->takes_payload) {
		strbuf_add_string(&text, ",\"payload\":");
		if (!json_write(&text, payload, err))
			return false;
	}
	strbuf_add_char(&text, '}');
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (text.length > SOCKET_ACK_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the answer is too long for Slack");
	strbuf_add(sb, text.data, text.length);
	return strbuf_ok(sb) || error_oom(err);
}
