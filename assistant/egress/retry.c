#include "assistant/egress/retry.h"

static bool is_worth_it(int status)
{
	return status == 0 || status == 408 || status == 409 || status == 425 ||
	       status == 429 || status >= 500;
}

int64_t retry_wait_ms(const struct retry *r)
{
	int64_t wait_ms = RETRY_STEP_MS;

	if (r->tried >= r->tries || r->quota_is_out || !is_worth_it(r->status))
		return -1;
	if (r->retry_after_ms >= 0) {
		wait_ms = r->retry_after_ms;
	} else {
		for (int64_t i = 1; i < r->tried && wait_ms < RETRY_STEP_MAX_MS; i++)
			wait_ms *= 2;
		if (wait_ms > RETRY_STEP_MAX_MS)
			wait_ms = RETRY_STEP_MAX_MS;
		wait_ms -= wait_ms / 4 * (r->random % 1000) / 1000;
	}
	return wait_ms <= RETRY_WAIT_MAX_MS && wait_ms < r->left_ms ? wait_ms : -1;
}
