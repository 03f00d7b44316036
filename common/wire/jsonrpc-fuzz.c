/* A message is refused or read; an id that could be read comes back in a reply as it was. */
#include "tests/fuzz/fuzz.h"

#include "wire/jsonrpc.h"

static void check_reply(const struct strbuf *sb, const json_t *id)
{
	struct error err = ERROR_INIT;
	struct jsonrpc_message m;
	const json_t *back_id;
	json_auto_t *back = json_parse(sb->data, sb->length, JSON_SYNTAX, &err);

	if (!strbuf_ok(sb) || !back || !jsonrpc_read(back, &m, &back_id, &err) ||
	    (id != NULL) != (back_id != NULL) || (id && !json_equal(id, back_id)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *body = json_parse((const char *)data, size, JSON_SYNTAX, &err);
	struct jsonrpc_message m = { .kind = JSONRPC_ERROR };
	const json_t *id;

	if (!body)
		return 0;
	if (jsonrpc_read(body, &m, &id, &err) == error_is_set(&err))
		abort();
	jsonrpc_write_error(&sb, id, JSONRPC_INVALID_REQUEST, err.message, NULL);
	check_reply(&sb, id);
	if (!id)
		return 0;
	strbuf_clear(&sb);
	jsonrpc_write_result(&sb, id, "{}", 2);
	check_reply(&sb, id);
	return 0;
}
