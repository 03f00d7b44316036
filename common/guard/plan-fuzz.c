/* plan_read: what it takes is within its limits, and reads again as the same plan. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "guard/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	json_auto_t *json = json_parse((const char *)data, size, JSON_SYNTAX, &err);

	error_clear(&err);
	if (!json)
		return 0;
	_cleanup_(plan_freep) struct plan *p = plan_read(json, &err);
	if (!p) {
		assert(err.code == ERR_INVALID_ARGUMENT);
		return 0;
	}
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	assert(canonical_write(&bytes, plan_json(p), &err));
	assert(bytes.length <= PLAN_MAX);
	assert(plan_approvers(p) >= 1 && plan_approvers(p) <= PLAN_APPROVERS_MAX);
	(void)plan_is_reversible(p);

	json_auto_t *back = json_parse(bytes.data, bytes.length, JSON_CONTRACT, &err);
	_cleanup_(plan_freep) struct plan *again = plan_read(back, &err);
	assert(again && strcmp(plan_digest(again), plan_digest(p)) == 0);
	return 0;
}
