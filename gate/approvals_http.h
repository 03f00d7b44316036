/*
 * approvals_http -- where servers register the calls of direct clients.
 *
 *   POST /approvals                {v: 1, tool, arguments, principal, client, subject?, session?, approval?}
 *   POST /approvals/<id>/outcome   {v: 1, state, error?, result_digest?, server_head}
 *   POST /approvals/<id>/cancel    {v: 1, principal}
 *   POST /approvals/<id>/news      {v: 1, key, text}    of what it executed
 *   GET  /a/<random>               a page of status, for browsers (page.h)
 *   GET  /healthz
 *
 * A server shows its own token (scope wingman:register, principal service/<server>), and so
 * speaks for itself alone. Requests become messages to the keeper; its answers are sent back
 * as they are. Belongs to the caller.
 */
#ifndef GATE_APPROVALS_HTTP_H
#define GATE_APPROVALS_HTTP_H

#include "gate/settings.h"
#include "guard/token.h"
#include "proc/loop.h"

enum {
	APPROVALS_HTTP_BODY_MAX = 256 * 1024,
	APPROVALS_HTTP_OPEN_MAX = 512, /* requests that wait for the keeper */
	/* Of their bodies together. What is queued for the keeper must stay well below
	 * CHANNEL_QUEUE_MAX, beyond which the channel, and with it the gate, would end;
	 * a number may be written four times as long as it came. */
	APPROVALS_HTTP_BYTES_MAX = 3 * 1024 * 1024,
	/* One server may take half of either. */
	APPROVALS_HTTP_WAIT_MS = 25 * 1000,
};

struct approvals_http;

/* 'send' gives a message to the keeper; it is called in the loop's thread. Everything is borrowed. */
struct approvals_http *approvals_http_start(
	struct loop *loop, const struct settings *settings, struct token_index *tokens,
	void (*send)(void *context, const json_t *message), void *context,
	struct error *err) _must_use_;
uint16_t approvals_http_port(const struct approvals_http *h);
/* The keeper's answer to request number 'request'; one that is gone is ignored. Loop thread. */
void approvals_http_answer(struct approvals_http *h, int64_t request, unsigned status,
			   const json_t *body);

#endif
