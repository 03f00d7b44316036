/* Any bytes as a message of Socket Mode: what is taken for an envelope can be acknowledged, as
 * JSON that names it, and the gate reads the same out of it. */
#include "tests/fuzz/fuzz.h"

#include "slack/socket/frame.h"

static void check_answer(const struct socket_frame *f)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!socket_frame_answer(f, f->payload, &sb, &err))
		return; /* it is long */
	json_auto_t *answer = json_parse(sb.data, sb.length, JSON_SYNTAX, &err);
	const char *id = json_get_string(answer, "envelope_id");
	if (!id || strcmp(id, f->envelope) != 0)
		abort();
	if ((json_object_get(answer, "payload") != NULL) !=
	    (f->takes_payload && f->payload != NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_socket_frame_ struct socket_frame f = { 0 };
	struct error err = ERROR_INIT;
	enum slack_delivery delivery;
	json_t *payload;

	if (!socket_frame_read(data, size, &f, &err))
		return 0;
	if (f.envelope[0])
		check_answer(&f);
	if (f.kind != SOCKET_FRAME_ENVELOPE)
		return 0;
	payload = slack_envelope_read(data, size, &delivery, &err);
	if (!f.envelope[0] || !payload || delivery != f.delivery ||
	    !json_equal(payload, f.payload))
		abort();
	json_decref(payload);
	return 0;
}
