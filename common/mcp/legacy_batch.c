/* Batches: 2025-03-26 alone. Its members share the reply, and the stream that it becomes
 * when one of them has something to say before. */
#include "mcp/serving.h"

enum { BATCH_BYTES_MAX = 16 * 1024 * 1024 };

static void refuse(struct exchange *x, unsigned status, int code, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, status, code, "%s", message);
	exchange_refuse(x, &refusal);
}

struct legacy_batch {
	struct exchange *whole;
	pthread_mutex_t lock; /* of its stream, while members run */
	atomic_size_t left;   /* without an answer, and one while the batch is begun */
	size_t count;
	struct strbuf answers[LEGACY_BATCH_MAX];
};

static void finish_batch(struct legacy_batch *b)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct exchange *x = b->whole;

	for (size_t i = 0; i < b->count; i++) {
		struct strbuf *answer = &b->answers[i];

		if (!strbuf_ok(answer) || body.length + answer->length > BATCH_BYTES_MAX)
			body.failed = true;
		if (answer->length > 0 && !body.failed) {
			strbuf_add_char(&body, body.length ? ',' : '[');
			strbuf_add(&body, answer->data, answer->length);
		}
		strbuf_done(answer);
	}
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
	if (!strbuf_ok(&body)) {
		refuse(x, 500, JSONRPC_INTERNAL_ERROR,
		       "the answers are too long for one reply");
	} else if (body.length == 0) {
		exchange_send(x, 202, NULL, NULL);
	} else {
		strbuf_add_char(&body, ']');
		exchange_send(x, 200, NULL, &body);
	}
}

bool legacy_batch_open(struct legacy_batch *batch)
{
	(void)pthread_mutex_lock(&batch->lock);
	bool good = legacy_open(batch->whole);
	(void)pthread_mutex_unlock(&batch->lock);
	return good;
}

struct exchange *legacy_batch_whole(struct legacy_batch *batch)
{
	return batch->whole;
}

void legacy_collect(struct legacy_batch *batch, size_t index, struct strbuf *body)
{
	if (body) {
		batch->answers[index] = *body;
		strbuf_init(body);
	}
	if (atomic_fetch_sub(&batch->left, 1) == 1)
		finish_batch(batch);
}

void legacy_member(struct exchange *m, const json_t *value)
{
	struct error err = ERROR_INIT;
	const json_t *id = NULL;

	if (!jsonrpc_read(value, &m->message, &id, &err)) {
		m->message = (struct jsonrpc_message){ .id = id };
		refuse(m, 400, JSONRPC_INVALID_REQUEST, err.message);
	} else if (revision_2026_is_claimed(&m->message)) {
		refuse(m, 400, JSONRPC_INVALID_REQUEST,
		       "MCP " REVISION_2026 " has no batches");
	} else if (m->message.kind == JSONRPC_REQUEST &&
		   strcmp(m->message.method, "initialize") == 0) {
		refuse(m, 400, JSONRPC_INVALID_REQUEST, "'initialize' stands alone");
	} else {
		legacy_message(m);
	}
}

static void begin_member(struct legacy_batch *b, size_t index, json_t *value)
{
	struct exchange *x = b->whole;
	struct exchange *m = exchange_new(x->service, NULL);

	if (!m) {
		b->answers[index].failed = true;
		legacy_collect(b, index, NULL);
		return;
	}
	m->batch = b;
	m->index = index;
	(void)snprintf(m->request, sizeof m->request, "%s", x->request);
	m->caller = x->caller;
	m->is_oauth = x->is_oauth;
	m->revision = x->revision;
	m->session = session_ref(x->session);
	m->contract = x->contract;
	m->body = json_incref(value);
	legacy_member(m, value);
}

/* Replies itself when it returns false. */
static bool check_batch(struct exchange *x)
{
	const char *fault = NULL;

	if (revision_is_modern(http_request_header(x->http, "MCP-Protocol-Version")) ||
	    !legacy_has_batches(legacy_peer(x)))
		fault = "batches are not supported";
	else if (json_array_size(x->body) == 0)
		fault = "a batch must not be empty";
	else if (json_array_size(x->body) > LEGACY_BATCH_MAX)
		fault = "a batch has at most 32 messages";
	if (fault)
		refuse(x, 400, JSONRPC_INVALID_REQUEST, fault);
	return !fault && legacy_enter(x);
}

void legacy_post_batch(struct exchange *x)
{
	if (!check_batch(x))
		return;
	if (!legacy_has_batches(x->revision)) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST, "batches are not supported");
		return;
	}
	struct legacy_batch *b = calloc(1, sizeof *b);
	if (!b) {
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	b->whole = x;
	(void)pthread_mutex_init(&b->lock, NULL);
	b->count = json_array_size(x->body);
	atomic_init(&b->left, b->count + 1);
	for (size_t i = 0; i < b->count; i++)
		strbuf_init(&b->answers[i]);
	for (size_t i = 0, count = b->count; i < count; i++)
		begin_member(b, i, json_array_get(x->body, i));
	legacy_collect(b, 0, NULL);
}
