#include "servers/accounts/remembered.h"

#include <strings.h>

#include "link/documents/documents.h"

#define COLLECTION "accounts"

struct search {
	const char *member, *text;
	json_t *found; /* array of bodies */
	bool failed;
};

/* Whether the last word about it is a block. */
static bool is_blocked(const json_t *body)
{
	const json_t *events = json_object_get(body, "events");

	for (size_t i = json_array_size(events); i-- > 0;) {
		const char *action = json_get_string(json_array_get(events, i), "action");

		if (action && strcmp(action, "blocked") == 0)
			return true;
		if (action && (strcmp(action, "unblocked") == 0 ||
			       strcmp(action, "changed_elsewhere") == 0))
			return false;
	}
	return false;
}

static bool compare(void *context, const struct document *doc)
{
	struct search *s = context;
	const char *value = json_get_string(doc->body, s->member);

	if (!value || strcasecmp(value, s->text) != 0 || !is_blocked(doc->body))
		return true;
	s->failed = json_array_append(s->found, doc->body) != 0;
	return !s->failed && json_array_size(s->found) <= ACCOUNT_MATCHES_MAX;
}

static bool add(const struct account_system *system, const json_t *body, int64_t now_ms,
		struct account_list *ret, struct error *err)
{
	const char *identifier = json_get_string(body, "identifier");
	const char *id = json_get_string(body, "id");
	const char *mail = json_get_string(body, "email");
	struct account account = { 0 }, *place;
	bool found = false;

	if (!identifier || !id)
		return true;
	if (!system->backend->read(system->self, identifier, id, now_ms, &account, &found,
				   err))
		return false;
	place = found && account.state != ACCOUNT_ACTIVE ? account_list_add(ret) : NULL;
	if (!place) {
		const bool wanted = found && account.state != ACCOUNT_ACTIVE;
		account_done(&account);
		return !wanted || error_oom(err);
	}
	*place = account;
	if (mail && *place->mail == '\0') {
		free(place->mail);
		place->mail = strdup(mail);
	}
	return place->mail || error_oom(err);
}

bool remembered_find(const struct account_system *system, enum account_key key,
		     const char *text, int64_t now_ms, struct account_list *ret,
		     struct error *err)
{
	static const char *const members[] = {
		[ACCOUNT_BY_MAIL] = "email",
		[ACCOUNT_BY_UID] = "uid",
		[ACCOUNT_BY_IDENTIFIER] = "identifier",
		[ACCOUNT_BY_NAME] = NULL,
	};
	const struct documents_filter filters[] = {
		{ "system", system->backend->system },
		{ NULL, NULL },
	};
	json_auto_t *found = json_array();
	struct search search = { members[key], text, found, false };

	if (!found)
		return error_oom(err);
	if (!system->records || !search.member || *text == '\0')
		return true;
	if (!documents_query(system->records, COLLECTION, filters, NULL, false,
			     REMEMBERED_RECORDS_MAX, compare, &search, err))
		return false;
	if (search.failed)
		return error_oom(err);
	for (size_t i = 0; i < json_array_size(found); i++)
		if (!add(system, json_array_get(found, i), now_ms, ret, err))
			return false;
	return true;
}
