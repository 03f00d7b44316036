/*
 * session_test -- sessions by raw HTTP, for the tests of what a session is. Included by a
 * test after its 'static struct rig rig'.
 */
#ifndef MCP_SESSION_TEST_H
#define MCP_SESSION_TEST_H

#define TYPES                                                                            \
	"Content-Type: application/json\r\nAccept: application/json, "                   \
	"text/event-stream\r\n"
#define REQUEST(method, params)                                                          \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":{" params "}}"

/* The id in the head of an answer to 'initialize': printable, and long enough. */
static inline void read_session(const struct answer *a, char id[static 64])
{
	const char *at = strcasestr(a->head, "\r\nMcp-Session-Id: ");

	assert_non_null(at);
	at += strlen("\r\nMcp-Session-Id: ");
	size_t length = strcspn(at, "\r");
	assert_in_range(length, 26, 63);
	for (size_t i = 0; i < length; i++)
		assert_in_range(at[i], 0x21, 0x7e);
	memcpy(id, at, length);
	id[length] = '\0';
}

static inline void begin(const struct secret *token, const char *version,
			 char id[static 64])
{
	char body[256];

	(void)snprintf(
		body, sizeof body,
		REQUEST("initialize", "\"protocolVersion\":\"%s\",\"capabilities\":{}"),
		version);
	_cleanup_answer_ struct answer a = rig_post(&rig, token, TYPES, body);
	assert_int_equal(a.status, 200);
	read_session(&a, id);
}

static inline struct answer post(const struct secret *token, const char *session,
				 const char *more, const char *body)
{
	char headers[512];

	(void)snprintf(headers, sizeof headers, TYPES "Mcp-Session-Id: %s\r\n%s", session,
		       more);
	return rig_post(&rig, token, headers, body);
}

#endif
