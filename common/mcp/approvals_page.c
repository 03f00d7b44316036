#include "mcp/approvals_page.h"

#include "base/clock.h"
#include "guard/names.h"

/* In the memory of the sealed word, and among the requests. */
#define MEMORY  "org.wingman/approval"
#define REQUEST "approval"

enum { LOOK_EVERY_MS = 1000, NAP_MS = 50 };

/* ---- Coming again ---- */

static bool is_declined(const struct exchange *x)
{
	const char *action =
		json_get_string(json_object_get(x->asking.responses, REQUEST), "action");

	return action && strcmp(action, "decline") == 0;
}

bool page_read(struct exchange *x, struct page_round *ret)
{
	const json_t *memory = json_object_get(x->asking.memory, MEMORY);
	const char *id = json_get_string(memory, "id");

	*ret = (struct page_round){ 0 };
	if (x->session || !id || !name_is_id(id) || strlen(id) >= sizeof ret->approval)
		return false;
	(void)snprintf(ret->approval, sizeof ret->approval, "%s", id);
	ret->number = json_get_int64(memory, "round", 1);
	/* What comes of it, the gate says next: the click may have been first. */
	if (is_declined(x) && x->service->http)
		(void)approvals_cancel(x, ret->approval);
	return true;
}

/* ---- Waiting ---- */

static void nap(void)
{
	const struct timespec time = { .tv_nsec = NAP_MS * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

static bool is_over(const struct exchange *x)
{
	return exchange_is_gone(x) || atomic_load(&x->service->is_stopping);
}

/* False: there is no need to look again. */
static bool nap_until(const struct exchange *x, int64_t until_ms)
{
	while (!is_over(x) && clock_mono_ms() < until_ms)
		nap();
	return !is_over(x);
}

static bool look_again(struct exchange *x, const struct page_round *round,
		       struct registration *reg, struct error *err)
{
	const int64_t until_ms = clock_mono_ms() + PAGE_WAIT_MS;

	/* Comments keep the stream alive; and the result may come late. */
	(void)exchange_open_stream(x);
	x->deadline_ms = until_ms + x->service->config.deadline_ms;
	while (registration_waits(reg) && clock_mono_ms() < until_ms &&
	       nap_until(x, clock_mono_ms() + LOOK_EVERY_MS)) {
		registration_done(reg);
		if (!gate_register(x, round->approval, reg, err))
			return false;
	}
	/* Who has gone claims nothing: the loop ended before it asked. */
	return !exchange_is_gone(x) ||
	       error_set(err, ERR_TIMEOUT, "nobody waits for the call any more");
}

bool page_wait(struct exchange *x, const struct page_round *round,
	       struct registration *reg, struct error *err)
{
	struct mcp_service *s = x->service;
	bool good = true;

	/* Each holds a worker: what else there is to do must not stand still for them. */
	if (registration_waits(reg)) {
		if (atomic_fetch_add(&s->waiting_pages, 1) < s->config.workers / 4)
			good = look_again(x, round, reg, err);
		atomic_fetch_sub(&s->waiting_pages, 1);
	}
	return good;
}

/* ---- The page ---- */

static bool remember(struct exchange *x, const char *approval, int64_t round)
{
	json_t *memory = json_pack("{s:{s:s, s:I}}", MEMORY, "id", approval, "round",
				   (json_int_t)round);

	json_decref(x->asking.memory);
	x->asking.memory = memory;
	return memory != NULL;
}

static json_t *request(const struct exchange *x, const struct registration *reg)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text,
			  "'%s' waits for a person's approval, as %s. This page says how "
			  "it stands.",
			  x->tool->definition->name, reg->approval);
	return strbuf_ok(&text) ? mcp_ask_url(text.data, reg->page) : NULL;
}

/* The word alone makes a client come again; its person saw the page already. */
static bool put(struct exchange *x, const struct registration *reg,
		const struct page_round *round, struct mcp_result *r, struct error *err)
{
	json_auto_t *requests = NULL;

	if (!remember(x, reg->approval, round->number + 1) ||
	    (round->number == 0 &&
	     !(requests = json_pack("{s:o}", REQUEST, request(x, reg)))))
		return error_oom(err);
	x->asking.ttl_ms = PAGE_TTL_MS;
	if (!questions_seal(x, &r->request_state, err))
		return false;
	r->input_requests = TAKE(requests);
	return true;
}

static bool put_error(const struct exchange *x, const struct registration *reg,
		      struct mcp_result *r, struct error *err)
{
	json_auto_t *asked = request(x, reg);
	json_t *params = json_object_get(asked, "params");

	if (!params ||
	    json_object_set_new(params, "elicitationId", json_string(reg->approval)) != 0)
		return error_oom(err);
	r->protocol_data = json_pack("{s:[O]}", "elicitations", params);
	mcp_result_protocol_error(r, JSONRPC_URL_ELICITATION,
				  json_get_string(params, "message"));
	return r->protocol_data || error_oom(err);
}

bool page_show(struct exchange *x, const struct registration *reg,
	       const struct page_round *round, struct mcp_result *r, struct error *err)
{
	const json_t *can = json_object_get(x->asking.capabilities, "elicitation");

	if (!reg->page || !json_is_object(json_object_get(can, "url")) ||
	    round->number >= PAGE_ROUNDS_MAX)
		return false;
	if (!x->session)
		return put(x, reg, round, r, err);
	return legacy_has_page_error(x->revision) && put_error(x, reg, r, err);
}
