#include "servers/accounts/blocked.h"

struct reading {
	const struct account_system *system;
	int64_t now_ms;
	struct account_list *list;
	struct error *err;
};

/* One that has gone is blocked no more. */
static bool read_one(void *context, const struct document *doc)
{
	struct reading *r = context;
	const char *identifier = json_get_string(doc->body, "identifier");
	const char *id = json_get_string(doc->body, "id");
	struct account now = { 0 }, *place;
	bool found = false;

	if (r->list->count == ACCOUNT_LIST_MAX) {
		r->list->more = true;
		return false;
	}
	if (!identifier || !id)
		return true;
	if (!r->system->backend->read(r->system->self, identifier, id, r->now_ms, &now,
				      &found, r->err))
		return false;
	if (!found || now.state == ACCOUNT_ACTIVE) {
		account_done(&now);
		return true;
	}
	place = account_list_add(r->list);
	if (!place) {
		account_done(&now);
		return error_oom(r->err);
	}
	*place = now;
	return true;
}

bool blocked_list(struct documents *records, const struct account_system *system,
		  int64_t now_ms, struct account_list *ret, struct error *err)
{
	const struct documents_filter of_system[] = {
		{ "system", system->backend->system }, { NULL, NULL }
	};
	struct reading r = {
		.system = system, .now_ms = now_ms, .list = ret, .err = err
	};

	if (system->backend->list_blocked)
		return system->backend->list_blocked(system->self, now_ms, ret, err);
	return documents_query(records, "held", of_system, NULL, false,
			       ACCOUNT_LIST_MAX + 1, read_one, &r, err) &&
	       !error_is_set(err);
}
